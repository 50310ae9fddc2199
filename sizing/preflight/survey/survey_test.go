//go:build linux

package survey

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/probetest"
	"github.com/islandbundle/island/sizing/preflight/probe"
	"github.com/islandbundle/island/sizing/preflight/remote"
)

// TestMain lets the test binary be a probe: what is sent is this very program.
func TestMain(m *testing.M) {
	if address := os.Getenv(wayVariable); address != "" {
		tellWay(address)
		return
	}
	probetest.Serve()
	os.Exit(m.Run())
}

var compressed = probetest.Compressed(remote.Compress)

func options(wants ...facts.Link) Options {
	return Options{
		Wants:   func([]facts.Host) []facts.Link { return wants },
		Remote:  remote.Options{Probe: func(string) ([]byte, error) { return compressed() }},
		Request: probe.Request{Sample: 1, NoFsync: true, Paths: []string{"/"}},
	}
}

// local returns hosts that are all this machine.
func local(names ...string) []Host {
	var hosts []Host
	for _, name := range names {
		hosts = append(hosts, Host{Name: name, Groups: []string{name}, Internal: "127.0.0.1", Target: remote.Target{Local: true}})
	}
	return hosts
}

// some are links that hosts a, b and c want.
func some() []facts.Link {
	return []facts.Link{
		{From: "a", To: "b", Protocol: "tcp", Port: 47821, Rows: []string{"first"}},
		{From: "a", To: "b", Protocol: "udp", Port: 47822, Rows: []string{"second"}},
		{From: "c", To: "b", Protocol: "udp", Port: 47822, Rows: []string{"second"}},
	}
}

type stages struct {
	mu   sync.Mutex
	seen map[string][]string
}

func (s *stages) Host(name string, stage Stage) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen[name] = append(s.seen[name], string(stage))
}

func (s *stages) Done(name string, reach facts.Reach) { s.Host(name, Stage(reach.Outcome)) }

func TestTake(t *testing.T) {
	o := options(some()...)
	progress := &stages{seen: map[string][]string{}}
	o.Progress = progress
	result, err := Take(t.Context(), local("a", "b", "c"), o)
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range result.Hosts {
		if host.Reach.Outcome != facts.Reached || host.Facts == nil || host.Facts.Name != host.Name || host.Clock == nil {
			t.Errorf("host is %+v", host)
		}
	}
	var got []string
	for _, link := range result.Links {
		if link.Protocol != "mtu" {
			got = append(got, link.From+link.To+" "+link.Protocol+" "+string(link.Outcome))
		}
	}
	if want := []string{"ab tcp ok", "ab udp ok", "cb udp ok"}; !slices.Equal(got, want) {
		t.Errorf("links are %q, want %q", got, want)
	}
	if want := []string{"connect", "collect", "dial", "finish", "reached"}; !slices.Equal(progress.seen["a"], want) {
		t.Errorf("stages of a are %q, want %q", progress.seen["a"], want)
	}
	data, err := json.Marshal(result)
	if err != nil {
		t.Fatal(err)
	}
	back, err := facts.ReadSurvey(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(back); err != nil || !bytes.Equal(data, again) {
		t.Errorf("survey changes when it is read: %v", err)
	}
}

// TestPortInUse: two hosts that are one machine cannot both have a port.
func TestPortInUse(t *testing.T) {
	result, err := Take(t.Context(), local("a", "b", "c"), options(
		facts.Link{From: "a", To: "b", Protocol: "tcp", Port: 47823, Rows: []string{"x"}},
		facts.Link{From: "a", To: "c", Protocol: "tcp", Port: 47823, Rows: []string{"x"}},
	))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, link := range result.Links {
		if link.Protocol == "tcp" {
			got = append(got, string(link.Outcome))
		}
	}
	slices.Sort(got)
	if want := []string{"in-use", "ok"}; !slices.Equal(got, want) {
		t.Errorf("links are %q, want %q", got, want)
	}
}

// TestOneLostHostLosesNoOther: there is no probe for the second host that asks.
func TestOneLostHostLosesNoOther(t *testing.T) {
	o := options(some()...)
	hosts := local("a", "b", "c")
	hosts[2].Target = remote.Target{Address: "host.example"}
	o.Remote.SSH = "/bin/false"
	result, err := Take(t.Context(), hosts, o)
	if err != nil {
		t.Fatal(err)
	}
	if result.Hosts[2].Reach.Outcome == facts.Reached || result.Hosts[2].Facts != nil {
		t.Errorf("lost host is %+v", result.Hosts[2].Reach)
	}
	for _, host := range result.Hosts[:2] {
		if host.Reach.Outcome != facts.Reached {
			t.Errorf("host %s is %+v", host.Name, host.Reach)
		}
	}
}

func TestNoProbe(t *testing.T) {
	o := options(some()...)
	o.Remote.Probe = func(string) ([]byte, error) { return nil, errors.New("no probe here") }
	result, err := Take(t.Context(), local("a"), o)
	if err != nil || result.Hosts[0].Reach.Outcome != facts.NoProbe {
		t.Errorf("host is %+v, %v", result.Hosts[0].Reach, err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Take(ctx, local("a"), options(some()...)); !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v", err)
	}
}

// TestNodesOfAllYearsSend: a conference host is one by the group's older name and by
// its newer one.
func TestNodesOfAllYearsSend(t *testing.T) {
	t.Parallel()
	o := options()
	o.Throughput = true
	s, err := Take(t.Context(), local("kube_node", "kube-node", "other"), o)
	if err != nil {
		t.Fatal(err)
	}
	var sent []string
	for _, link := range s.Links {
		if link.Protocol == "throughput" {
			sent = append(sent, link.From)
		}
	}
	if want := []string{"kube_node", "kube-node"}; !slices.Equal(sent, want) {
		t.Errorf("%q have sent, want %q", sent, want)
	}
}

package probe

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/islandbundle/island/internal/waytest"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// A network is a way over which the test program does tasks.
type network struct {
	*waytest.Way
	t *testing.T
}

func newNetwork(t *testing.T, near, far int) network {
	t.Helper()
	return network{waytest.New(t, near, far), t}
}

// The test program runs itself anew within a namespace, with a task to do.
const taskVariable = "ISLAND_PROBE_TASK"

type task struct {
	Largest   int
	Addresses []string
	Listen    string
	Routes    bool
	Container bool
	Send      *ThroughputTarget
}

// TestTask does a task and writes what came of it as JSON. It is no test.
func TestTask(t *testing.T) {
	text := os.Getenv(taskVariable)
	if text == "" {
		return
	}
	var todo task
	if err := json.Unmarshal([]byte(text), &todo); err != nil {
		t.Fatal(err)
	}
	out := json.NewEncoder(os.Stdout)
	switch {
	case todo.Routes:
		out.Encode(System{}.network())
	case todo.Container:
		out.Encode(System{}.container())
	case todo.Send != nil:
		out.Encode(measureThroughput(context.Background(), *todo.Send))
	case todo.Listen != "":
		l, err := listenThroughput(context.Background(), todo.Listen, 0, "secret")
		if err != nil {
			t.Fatal(err)
		}
		out.Encode(l.Port())
		_, _ = io.Copy(io.Discard, os.Stdin)
		l.Close()
	default:
		out.Encode(PathMTU(context.Background(), todo.Largest, todo.Addresses))
	}
}

// start has a task done in a namespace, until the test ends, and reads the
// first that comes of it.
func (w network) start(ns string, todo task, result any) {
	w.t.Helper()
	startTask(w.t, []string{"ip", "netns", "exec", ns}, todo, result)
}

// startTask has a task done by this program under another one.
func startTask(t *testing.T, under []string, todo task, result any) {
	t.Helper()
	text, err := json.Marshal(todo)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(under[0], append(under[1:], self, "-test.run=^TestTask$")...)
	cmd.Env = append(os.Environ(), taskVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	in, inErr := cmd.StdinPipe()
	out, err := cmd.StdoutPipe()
	if err != nil || inErr != nil {
		t.Fatal(err, inErr)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, _ := bufio.NewReader(out).ReadBytes('\n')
	if err := json.Unmarshal(line, result); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
}

// TestPathMTU finds the exact size on ways over a router, both where the
// router says that a packet is too large and where such packets vanish, and
// over both kinds of socket.
func TestPathMTU(t *testing.T) {
	t.Parallel()
	const everyone, nobody = "0 2147483647", "1 0"
	for _, test := range []struct {
		name      string
		near, far int
		vanish    int // packets that are larger vanish without a word
		largest   int // that is asked for
		want      int
	}{
		{name: "Ethernet", near: 1500, far: 1500, largest: 1500, want: 1500},
		{name: "jumbo", near: 9000, far: 9000, largest: 9000, want: 9000},
		{name: "own interface", near: 1400, far: 1400, largest: 1400, want: 1400},
		{name: "asked for more than the interface carries", near: 1400, far: 1500, largest: 9000, want: 1400},
		{name: "router", near: 1500, far: 1412, largest: 1500, want: 1412},
		{name: "router after jumbo", near: 9000, far: 1412, largest: 9000, want: 1412},
		{name: "uncommon and large", near: 9000, far: 4321, largest: 9000, want: 4321},
		{name: "one byte less", near: 1500, far: 1499, largest: 1500, want: 1499},
		{name: "one byte more", near: 1500, far: 1401, largest: 1500, want: 1401},
		{name: "least of IPv6", near: 1500, far: 1280, largest: 1500, want: 1280},
		{name: "black hole", near: 1500, far: 1500, vanish: 1412, largest: 1500, want: 1412},
		{name: "black hole after jumbo", near: 9000, far: 9000, vanish: 1438, largest: 9000, want: 1438},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newNetwork(t, test.near, test.far)
			if test.vanish > 0 {
				w.Filter(w.Router, fmt.Sprintf("type filter hook forward priority 0; meta length > %d drop;", test.vanish))
			}
			for _, group := range []string{everyone, nobody} {
				w.Set(w.A, "net/ipv4/ping_group_range", group)
				start := time.Now()
				var results []MTU
				w.start(w.A, task{Largest: test.largest, Addresses: []string{"10.98.1.2", "fd98:1::2"}}, &results)
				t.Log(group, results, time.Since(start))
				for _, r := range results {
					if r.Outcome != facts.OK || r.Bytes != test.want || r.RoundTrip <= 0 || r.RoundTrip > 100 {
						t.Errorf("ping_group_range %q: %+v, want %d bytes", group, r, test.want)
					}
				}
			}
		})
	}
}

// TestPathMTUForgets: what the kernel has learned of a way that was narrower
// does not matter.
func TestPathMTUForgets(t *testing.T) {
	t.Parallel()
	w := newNetwork(t, 1500, 1412)
	for _, want := range []int{1412, 1500} {
		waytest.Run(t, "ip", "-n", w.B, "link", "set", "eth0", "mtu", fmt.Sprint(want))
		waytest.Run(t, "ip", "-n", w.Router, "link", "set", "port1", "mtu", fmt.Sprint(want))
		for _, group := range []string{"0 2147483647", "1 0"} {
			w.Set(w.A, "net/ipv4/ping_group_range", group)
			var results []MTU
			w.start(w.A, task{Largest: 1500, Addresses: []string{"10.98.1.2", "fd98:1::2"}}, &results)
			for _, r := range results {
				if r.Bytes != want {
					t.Errorf("%+v, want %d bytes", r, want)
				}
			}
		}
	}
}

// TestPathMTULinkLocal reaches the router with the zone in either form.
func TestPathMTULinkLocal(t *testing.T) {
	t.Parallel()
	w := newNetwork(t, 1412, 1500)
	var results []MTU
	w.start(w.A, task{Largest: 1500, Addresses: []string{"fe80::1%eth0", "fe80::1%2", "fe80::1", "fe80::1%none", "::ffff:10.98.0.1"}},
		&results)
	t.Log(results)
	for i, want := range []facts.Outcome{facts.OK, facts.OK, facts.Failed, facts.Failed, facts.OK} {
		if r := results[i]; r.Outcome != want || want == facts.OK && r.Bytes != 1412 || want != facts.OK && r.Detail.IsZero() {
			t.Errorf("%+v, want %s", r, want)
		}
	}
}

// TestPathMTUAtOnce: many sockets at a time, and another program's beside
// them, do not take each other's echoes.
func TestPathMTUAtOnce(t *testing.T) {
	t.Parallel()
	w := newNetwork(t, 1500, 1412)
	addresses := []string{"10.98.1.2", "fd98:1::2", "10.98.1.2", "fd98:1::2", "10.98.0.1", "fd98::1"}
	for i, net := range []string{"10.98.7.", "fd98:7::"} {
		length := []string{"0/24", "/64"}[i]
		waytest.Run(t, "ip", "-n", w.B, "route", "add", "local", net+length, "dev", "lo")
		waytest.Run(t, "ip", "-n", w.Router, "route", "add", net+length, "via", addresses[i])
		for n := range 100 {
			addresses = append(addresses, net+fmt.Sprint(n+1))
		}
	}
	done := make(chan []MTU)
	for range 2 {
		go func() {
			var results []MTU
			w.start(w.A, task{Largest: 1500, Addresses: addresses}, &results)
			done <- results
		}()
	}
	for range 2 {
		for i, r := range <-done {
			want := 1412
			if i == 4 || i == 5 {
				want = 1500
			}
			if r.Outcome != facts.OK || r.Bytes != want {
				t.Errorf("%+v, want %d bytes", r, want)
			}
		}
	}
}

// TestPathMTUStops: a way that answers no more in the midst of it is not
// said to carry what passed so far.
func TestPathMTUStops(t *testing.T) {
	t.Parallel()
	w := newNetwork(t, 1500, 1412)
	w.Filter(w.B, "type filter hook input priority 0; icmp type echo-request limit rate over 1/minute burst 5 packets drop; "+
		"icmpv6 type echo-request limit rate over 1/minute burst 5 packets drop;")
	var results []MTU
	w.start(w.A, task{Largest: 1500, Addresses: []string{"10.98.1.2", "fd98:1::2"}}, &results)
	for _, r := range results {
		if r.Outcome != facts.TimedOut || !strings.Contains(english(r.Detail), "passed whole") {
			t.Errorf("%+v", r)
		}
	}
}

// TestPathMTUFaults: what is not a measurement says why, and in time.
func TestPathMTUFaults(t *testing.T) {
	t.Parallel()
	w := newNetwork(t, 1500, 1500)
	w.Filter(w.B, "type filter hook input priority 0; icmp type echo-request drop; icmpv6 type echo-request drop;")
	w.Filter(w.Router, "type filter hook input priority 0; icmp type echo-request reject with icmp type admin-prohibited; "+
		"icmpv6 type echo-request reject with icmpv6 type admin-prohibited;")
	for address, want := range map[string]facts.Outcome{
		"10.98.1.2":       facts.TimedOut,
		"fd98:1::2":       facts.TimedOut,
		"10.98.0.1":       facts.Down,
		"fd98::1":         facts.Failed, // "permission denied": RFC 4443's code 1 is EACCES
		"not.an.address":  facts.Unmade,
		"2001:db8::1%lo0": facts.Failed,
	} {
		start := time.Now()
		var results []MTU
		w.start(w.A, task{Largest: 1500, Addresses: []string{address}}, &results)
		if r := results[0]; r.Outcome != want || r.Detail.IsZero() || time.Since(start) > time.Minute {
			t.Errorf("%+v after %s, want %s", r, time.Since(start), want)
		}
	}
	waytest.Run(t, "ip", "-n", w.A, "route", "del", "default")
	waytest.Run(t, "ip", "-n", w.A, "-6", "route", "del", "default")
	var results []MTU
	w.start(w.A, task{Largest: 1500, Addresses: []string{"10.98.1.2", "fd98:1::2"}}, &results)
	for _, r := range results {
		if r.Outcome != facts.Down {
			t.Errorf("%+v, want %s", r, facts.Down)
		}
	}
}

// TestPathMTULoopback needs no namespaces, though the right to send echoes.
func TestPathMTULoopback(t *testing.T) {
	t.Parallel()
	for _, r := range PathMTU(context.Background(), 1500, []string{"127.0.0.1", "::1"}) {
		if r.Outcome == facts.Unmade {
			t.Skip(english(r.Detail))
		}
		if r.Outcome != facts.OK && r.Address != "::1" || r.Outcome == facts.OK && r.Bytes != 1500 {
			t.Errorf("%+v", r)
		}
	}
}

func TestPathMTUCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	start := time.Now()
	r := PathMTU(ctx, 1500, []string{"127.0.0.1"})[0]
	if r.Outcome != facts.Unmade || r.Detail.IsZero() || time.Since(start) > time.Minute {
		t.Errorf("%+v after %s", r, time.Since(start))
	}
}

// TestBetween: the sizes to try fall, lie between, and end only where there are none.
func TestBetween(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		low, high int
		want      []int
	}{
		{68, 1400, []int{1350, 1300, 1280, 576}},
		{1400, 1420, []int{1417, 1415, 1413, 1411, 1408, 1406, 1404, 1402}},
		{1400, 1404, []int{1403, 1402, 1401}},
		{1400, 1402, []int{1401}},
		{1400, 1401, nil},
	} {
		if got := between(test.low, test.high); !slices.Equal(got, test.want) {
			t.Errorf("between %d and %d: %v, want %v", test.low, test.high, got, test.want)
		}
	}
}

// FuzzSequence: no reply makes the probe fail, and none without the nonce counts.
func FuzzSequence(f *testing.F) {
	e := &echo{family: icmp4, raw: true, nonce: 0x0102030405060708}
	reply := append([]byte{0x45, 19: 0}, 0, 0, 0, 0, 7, 8, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8)
	if e.sequence(reply) != 9 {
		f.Fatal("a good reply is not taken")
	}
	f.Add(reply, true, true)
	f.Add(append([]byte{0x45, 19: 0}, 0, 0, 0, 0, 7, 8, 0, 9, 1, 2, 3, 4, 5, 6, 7, 9), true, true)
	f.Add([]byte{0x4f}, true, true)
	f.Add([]byte{129, 0, 0, 0, 0, 0, 0, 1}, false, false)
	f.Fuzz(func(t *testing.T, reply []byte, raw, v4 bool) {
		e := &echo{family: icmp6, raw: raw, nonce: e.nonce}
		if v4 {
			e.family = icmp4
		}
		if e.sequence(reply) != 0 && !strings.Contains(string(reply), "\x01\x02\x03\x04\x05\x06\x07\x08") {
			t.Error("a stranger's reply was taken")
		}
	})
}

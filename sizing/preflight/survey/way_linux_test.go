package survey

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"testing"

	"github.com/islandbundle/island/internal/waytest"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/remote"
)

// wayVariable makes the test binary tell the way to an address, from a network
// namespace.
const wayVariable = "ISLAND_TEST_WAY"

func tellWay(address string) {
	link := way(context.Background(), Host{Name: "h", Target: remote.Target{Address: address}})
	_ = json.NewEncoder(os.Stdout).Encode(link)
}

// TestWayThroughATunnel: a router that says what it takes is no black hole; one
// that says nothing is.
func TestWayThroughATunnel(t *testing.T) {
	w := waytest.New(t, 1500, 1400)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	look := func(address string) facts.Link {
		t.Helper()
		cmd := exec.Command("ip", "netns", "exec", w.A, self)
		cmd.Env = append(os.Environ(), wayVariable+"="+address)
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		var link facts.Link
		if err := json.Unmarshal(out, &link); err != nil {
			t.Fatal(err)
		}
		return link
	}
	for _, address := range []string{"10.98.1.2", "fd98:1::2"} {
		if link := look(address); link.MTU != 1400 || link.Largest != 1400 {
			t.Errorf("way to %s through a router that says what it takes is %+v", address, link)
		}
	}
	w.Filter(w.Router, "type filter hook output priority 0; icmp type destination-unreachable drop; icmpv6 type packet-too-big drop;")
	waytest.Run(t, "ip", "-n", w.A, "route", "flush", "cache")
	waytest.Run(t, "ip", "-n", w.A, "-6", "route", "flush", "cache")
	for _, address := range []string{"10.98.1.2", "fd98:1::2"} {
		if link := look(address); link.MTU != 1400 || link.Largest != 1500 {
			t.Errorf("way to %s through a router that says nothing is %+v", address, link)
		}
	}
}

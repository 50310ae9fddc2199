// Package waytest makes ways over a router out of network namespaces, for tests.
package waytest

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Need skips a test that takes network namespaces where there are none, or one
// of the tools is missing; it fails it where all tools are wanted.
func Need(t *testing.T, tools ...string) {
	t.Helper()
	missing := ""
	if os.Geteuid() != 0 {
		missing = "root"
	}
	for _, tool := range append(tools, "ip") {
		if _, err := exec.LookPath(tool); err != nil {
			missing = tool
		}
	}
	switch {
	case missing == "":
	case os.Getenv("ISLAND_REQUIRE_TOOLS") == "1":
		t.Fatalf("network namespaces take %s", missing)
	default:
		t.Skipf("network namespaces take %s", missing)
	}
}

// Run runs a program that must succeed.
func Run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// A Way leads from host A over a router to host B, each a network namespace of
// that name. The hosts' interfaces are eth0, with the addresses 10.98.0.2 and
// fd98:0::2 on A, 10.98.1.2 and fd98:1::2 on B. The router's are port0 and
// port1, with the same addresses but for the last number, which is 1.
type Way struct {
	A, Router, B string
	t            *testing.T
}

var ways atomic.Int32

// New makes a way whose first link carries near bytes and whose second far. It
// is up when New returns, and goes with the test.
func New(t *testing.T, near, far int) *Way {
	t.Helper()
	Need(t)
	prefix := fmt.Sprintf("island%d-%d", os.Getpid(), ways.Add(1))
	w := &Way{t: t, A: prefix + "a", Router: prefix + "r", B: prefix + "b"}
	for _, ns := range []string{w.A, w.Router, w.B} {
		Run(t, "ip", "netns", "add", ns)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
		Run(t, "ip", "-n", ns, "link", "set", "lo", "up")
	}
	for i, ns := range []string{w.A, w.B} {
		port, mtu := fmt.Sprintf("port%d", i), fmt.Sprint([]int{near, far}[i])
		v4, v6 := fmt.Sprintf("10.98.%d.", i), fmt.Sprintf("fd98:%d::", i)
		Run(t, "ip", "-n", ns, "link", "add", "eth0", "mtu", mtu, "type", "veth", "peer", "name", port, "mtu", mtu, "netns", w.Router)
		for _, end := range []struct{ ns, nic, number string }{{ns, "eth0", "2"}, {w.Router, port, "1"}} {
			Run(t, "ip", "-n", end.ns, "addr", "add", v4+end.number+"/24", "dev", end.nic)
			Run(t, "ip", "-n", end.ns, "addr", "add", v6+end.number+"/64", "dev", end.nic, "nodad")
			Run(t, "ip", "-n", end.ns, "addr", "add", "fe80::"+end.number+"/64", "dev", end.nic, "nodad")
			Run(t, "ip", "-n", end.ns, "link", "set", end.nic, "addrgenmode", "none", "up")
		}
		Run(t, "ip", "-n", ns, "route", "add", "default", "via", v4+"1")
		Run(t, "ip", "-n", ns, "route", "add", "default", "via", v6+"1")
	}
	w.Set(w.Router, "net/ipv4/ip_forward", "1")
	w.Set(w.Router, "net/ipv6/conf/all/forwarding", "1")
	w.awaitLinks()
	return w
}

// awaitLinks waits until IPv6 works: the kernel takes up to a second to say
// that a link is up, and has no routes over it until then.
func (w *Way) awaitLinks() {
	w.t.Helper()
	for range 100 {
		down := false
		for _, ns := range []string{w.A, w.Router, w.B} {
			out, err := exec.Command("ip", "-n", ns, "-brief", "link").Output()
			down = down || err != nil || strings.Contains(string(out), "DOWN ")
		}
		if !down {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	w.t.Fatal("links do not come up")
}

// Set sets a kernel parameter of a namespace, by its path within /proc/sys.
func (w *Way) Set(ns, name, value string) {
	w.t.Helper()
	Run(w.t, "ip", "netns", "exec", ns, "sh", "-c", "echo '"+value+"' > /proc/sys/"+name)
}

// Filter returns a namespace a chain of nftables, such as
// "type filter hook forward priority 0; meta length > 1412 drop;".
func (w *Way) Filter(ns, chain string) {
	w.t.Helper()
	Need(w.t, "nft")
	Run(w.t, "ip", "netns", "exec", ns, "nft", "table inet t { chain c { "+chain+" }; }")
}

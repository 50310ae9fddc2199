package survey

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

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
	for _, tool := range []string{"ip", "nft", "sysctl"} {
		if _, err := exec.LookPath(tool); err != nil || os.Geteuid() != 0 {
			if os.Getenv("ISLAND_REQUIRE_TOOLS") == "1" {
				t.Fatalf("the test takes root and %s", tool)
			}
			t.Skipf("the test takes root and %s", tool)
		}
	}
	prefix := fmt.Sprintf("way%d-", os.Getpid()%10000)
	run := func(line string) {
		t.Helper()
		line = strings.ReplaceAll(line, "@", prefix)
		if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	for _, ns := range []string{"a", "r", "b"} {
		run("ip netns add @" + ns)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", prefix+ns).Run() })
	}
	run("ip -n @a link add eth0 type veth peer name a netns @r; ip -n @b link add eth0 type veth peer name b netns @r")
	for _, side := range []string{"a 1", "b 2"} {
		name, net, _ := strings.Cut(side, " ")
		run(strings.NewReplacer("N", name, "X", net).Replace("ip -n @N link set eth0 up; ip -n @r link set dev N up; " +
			"ip -n @N addr add 10.9.X.2/24 dev eth0; ip -n @r addr add 10.9.X.1/24 dev N; ip -n @N route add default via 10.9.X.1; " +
			"ip -n @N addr add fd09:X::2/64 dev eth0 nodad; ip -n @r addr add fd09:X::1/64 dev N nodad; ip -n @N -6 route add default via fd09:X::1"))
	}
	run("ip netns exec @r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1; ip -n @r link set dev b mtu 1400; ip -n @b link set eth0 mtu 1400")
	look := func(address string) facts.Link {
		t.Helper()
		cmd := exec.Command("ip", "netns", "exec", prefix+"a", "/proc/self/exe")
		if self, err := os.Executable(); err == nil {
			cmd.Args[4] = self
		}
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
	for _, address := range []string{"10.9.2.2", "fd09:2::2"} {
		if link := look(address); link.MTU != 1400 || link.Largest != 1400 {
			t.Errorf("way to %s through a router that says what it takes is %+v", address, link)
		}
	}
	run("ip netns exec @r nft 'table inet silent { chain out { type filter hook output priority 0; icmp type destination-unreachable drop; icmpv6 type packet-too-big drop; }; }'")
	run("ip -n @a route flush cache; ip -n @a -6 route flush cache")
	for _, address := range []string{"10.9.2.2", "fd09:2::2"} {
		if link := look(address); link.MTU != 1400 || link.Largest != 1500 {
			t.Errorf("way to %s through a router that says nothing is %+v", address, link)
		}
	}
}

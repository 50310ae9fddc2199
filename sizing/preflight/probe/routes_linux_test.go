package probe

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/waytest"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// TestRoutesOut sets up one route after the other on a host that is joined to a
// network and no more, and wants each to be a way out or none.
func TestRoutesOut(t *testing.T) {
	t.Parallel()
	w := newNetwork(t, 1500, 1500)
	waytest.Run(t, "ip", "-n", w.A, "route", "del", "default")
	waytest.Run(t, "ip", "-n", w.A, "-6", "route", "del", "default")
	for _, test := range []struct {
		commands    []string
		out, inside []string
	}{
		{commands: []string{"route add unreachable default", "-6 route add unreachable default"}},
		{commands: []string{"route add blackhole default", "-6 route add blackhole default"}},
		{commands: []string{"route add prohibit 0.0.0.0/1", "-6 route add prohibit 2000::/3"}},
		{commands: []string{"route add throw default table 7"}},
		{commands: []string{"route add local default dev lo table 100", "route add default dev lo table 101"}},
		{
			commands: []string{"route add default via 10.98.0.1 table 100"},
			out:      []string{"default 10.98.0.1 eth0 100"},
		},
		{
			commands: []string{"route add default via 10.98.0.1 table 4000 metric 9", "route add unreachable default table 4000 metric 8"},
			out:      []string{"default 10.98.0.1 eth0 4000"},
		},
		{commands: []string{"-6 route add default dev eth0 table 51820"}, out: []string{"default  eth0 51820"}},
		{
			commands: []string{"route add 0.0.0.0/1 via 10.98.0.1", "route add 128.0.0.0/1 dev eth0"},
			out:      []string{"0.0.0.0/1 10.98.0.1 eth0", "128.0.0.0/1  eth0"},
		},
		{commands: []string{"-6 route add 2000::/3 via fd98::1"}, out: []string{"2000::/3 fd98::1 eth0"}},
		{commands: []string{"-6 route add 2a00::/8 via fd98::1 table 9"}, out: []string{"2a00::/8 fd98::1 eth0 9"}},
		{
			commands: []string{"route add default nexthop via 10.98.0.1 nexthop via 10.98.0.3"},
			out:      []string{"default 10.98.0.1 eth0", "default 10.98.0.3 eth0"},
		},
		{
			commands: []string{"-4 route add 0.0.0.0/2 via inet6 fd98::1 dev eth0"},
			out:      []string{"0.0.0.0/2 fd98::1 eth0"},
		},
		{
			commands: []string{"-4 route add 64.0.0.0/3 nexthop via 10.98.0.1 nexthop via inet6 fd98::1 dev eth0"},
			out:      []string{"64.0.0.0/3 10.98.0.1 eth0", "64.0.0.0/3 fd98::1 eth0"},
		},
		{
			commands: []string{"nexthop add id 9 via 10.98.0.1 dev eth0", "route add default nhid 9 table 12"},
			out:      []string{"default 10.98.0.1 eth0 12"},
		},
		{commands: []string{"nexthop add id 8 blackhole", "route add default nhid 8"}},
		{commands: []string{"route add 224.0.0.0/4 dev eth0", "-6 route add ff00::/8 dev eth0"}},
		{
			commands: []string{
				"route add 10.0.0.0/8 via 10.98.0.1", "-6 route add fc00::/7 via fd98::1", "route add 10.233.64.0/18 dev eth0 table 55",
			},
			inside: []string{"10.0.0.0/8 10.98.0.1 eth0", "fc00::/7 fd98::1 eth0", "10.233.64.0/18  eth0 55"},
		},
	} {
		for _, command := range test.commands {
			waytest.Run(t, "ip", append([]string{"-n", w.A}, strings.Fields(command)...)...)
		}
		var got facts.Network
		w.start(w.A, task{Routes: true}, &got)
		if out := inWords(got.Routes); !slices.Equal(out, test.out) {
			t.Errorf("%q: the routes out are %q, want %q", test.commands, out, test.out)
		}
		inside := slices.Sorted(slices.Values(append(test.inside, "10.98.0.0/24  eth0", "fd98::/64  eth0")))
		if !slices.Equal(inWords(got.Inside), inside) {
			t.Errorf("%q: the routes inside are %q, want %q", test.commands, inWords(got.Inside), inside)
		}
		for _, command := range slices.Backward(test.commands) {
			undo := strings.Fields(strings.Replace(command, " add ", " del ", 1))
			if undo[0] == "nexthop" {
				undo = undo[:4] // nexthop del id 9
			}
			waytest.Run(t, "ip", append([]string{"-n", w.A}, undo...)...)
		}
	}
}

func inWords(v facts.Value[[]facts.Route]) []string {
	var all []string
	for _, r := range v.Value {
		text := fmt.Sprintf("%s %s %s", cmp.Or(r.Destination, "default"), r.Gateway, r.Interface)
		if r.Table != 0 {
			text += fmt.Sprintf(" %d", r.Table)
		}
		all = append(all, text)
	}
	slices.Sort(all)
	return all
}

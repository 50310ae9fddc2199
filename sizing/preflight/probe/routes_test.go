//go:build linux

package probe

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/islandbundle/island/sizing/preflight/facts"
)

// routeMessage is a default route by the interface 7, as the kernel tells it.
func routeMessage(headerFlags uint16, family byte, flags uint32) []byte {
	data := make([]byte, 16+12+8)
	binary.NativeEndian.PutUint32(data, uint32(len(data)))
	binary.NativeEndian.PutUint16(data[4:], unix.RTM_NEWROUTE)
	binary.NativeEndian.PutUint16(data[6:], headerFlags)
	data[16], data[20], data[23] = family, unix.RT_TABLE_MAIN, unix.RTN_UNICAST
	binary.NativeEndian.PutUint32(data[24:], flags)
	binary.NativeEndian.PutUint16(data[28:], 8)
	binary.NativeEndian.PutUint16(data[30:], unix.RTA_OIF)
	binary.NativeEndian.PutUint32(data[32:], 7)
	return data
}

// TestRoutesAsTold: what was told while routes changed does not count, and neither do
// routes that the kernel has remembered of its own, or that are not of IP.
func TestRoutesAsTold(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		what          string
		data          []byte
		routes        int
		isInterrupted bool
	}{
		{"IPv4", routeMessage(unix.NLM_F_MULTI, unix.AF_INET, 0), 1, false},
		{"both", append(routeMessage(0, unix.AF_INET, 0), routeMessage(0, unix.AF_INET6, 0)...), 2, false},
		{"changed meanwhile", append(routeMessage(0, unix.AF_INET, 0), routeMessage(unix.NLM_F_DUMP_INTR, unix.AF_INET, 0)...), 0, true},
		{"remembered", routeMessage(0, unix.AF_INET6, unix.RTM_F_CLONED), 0, false},
		{"MPLS", routeMessage(0, unix.AF_MPLS, 0), 0, false},
	} {
		routes, err := parseRoutes(test.data)
		if len(routes) != test.routes || errors.Is(err, unix.EAGAIN) != test.isInterrupted || err != nil && !test.isInterrupted {
			t.Errorf("%s: %+v, %v", test.what, routes, err)
		}
		for _, route := range routes {
			if !slices.Equal(route.hops, []hop{{nic: 7}}) || route.destination.Bits() != 0 {
				t.Errorf("%s: %+v", test.what, route)
			}
		}
	}
	if _, err := parseRoutes(routeMessage(0, unix.AF_INET, 0)[:30]); err == nil {
		t.Error("what is cut off is taken")
	}
}

// TestVeryManyRoutes are not known, rather than some of them.
func TestVeryManyRoutes(t *testing.T) {
	t.Parallel()
	system := tree(t, nil)
	for count, wantKnown := range map[int]bool{maxRoutes: true, maxRoutes + 1: false} {
		one := kernelRoute{kind: unix.RTN_UNICAST, destination: netip.MustParsePrefix("10.1.0.0/16"), hops: []hop{{name: "eth0"}}}
		system.Routes = func() ([]kernelRoute, error) { return slices.Repeat([]kernelRoute{one}, count), nil }
		got := system.network()
		for _, v := range []facts.Value[[]facts.Route]{got.Routes, got.Inside} {
			if v.Known() != wantKnown {
				t.Errorf("%d routes: %+v", count, v.Unread)
			}
		}
	}
}

// FuzzRoute: whatever a kernel tells of a route, nothing breaks.
func FuzzRoute(f *testing.F) {
	f.Add(routeMessage(0, unix.AF_INET, 0)[16:])
	f.Add(append(routeMessage(0, unix.AF_INET6, 0)[16:], 12, 0, unix.RTA_MULTIPATH, 0, 8, 0, 0, 0, 7, 0, 0, 0))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if len(data) >= unix.SizeofRtMsg {
			route, _ := parseRoute(data)
			route.told()
		}
	})
}

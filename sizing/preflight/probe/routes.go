//go:build linux

package probe

import (
	"encoding/binary"
	"errors"
	"iter"
	"net"
	"net/netip"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// kernelRoute is one route of the kernel (rtnetlink(7)).
type kernelRoute struct {
	kind        uint8 // RTN_UNICAST, RTN_BLACKHOLE, …
	table       uint32
	destination netip.Prefix
	hops        []hop
}

// hop is where a route hands packets on.
type hop struct {
	gateway netip.Addr // not valid where the destination is on the link
	nic     int        // index of its interface; 0: not said
	name    string     // of its interface
}

// The lengths of the widest prefixes that are a site's own: 10.0.0.0/8, and of IPv6
// more than any allocation. What is shorter leads out, such as the pair 0.0.0.0/1 and
// 128.0.0.0/1 that VPN clients set up in place of a default route, and 2000::/3.
const siteBits, siteBits6 = 8, 16

// maxRoutes bounds the lists of routes. A node of a running cluster has one for
// each pod, of which kubelet starts 110.
const maxRoutes = 2000

// RoutesOut returns the routes by which this machine's packets leave the site.
func RoutesOut() ([]facts.Route, error) {
	out, _, err := System{}.routes()
	return out, err
}

// routes returns the routes that lead out, and those to networks of the site, of
// all tables. Routes that discard are neither: unreachable, blackhole, prohibit,
// and throw, which ends the look into a table.
func (s System) routes() (out, inside []facts.Route, err error) {
	all, err := s.kernelRoutes()
	if err != nil {
		return nil, nil, err
	}
	out, inside = []facts.Route{}, []facts.Route{}
	for _, route := range all {
		if route.kind != unix.RTN_UNICAST || isNobody(route.destination.Addr()) {
			continue
		}
		list := &inside
		if leadsOut(route.destination) {
			list = &out
		}
		for _, way := range route.told() {
			if *list = append(*list, way); len(*list) > maxRoutes {
				return nil, nil, message.NewProblem("facts.unread.routes", message.Args{"limit": maxRoutes})
			}
		}
	}
	return out, inside, nil
}

// leadsOut reports whether a destination is more than any site has.
func leadsOut(destination netip.Prefix) bool {
	if destination.Addr().Is4() {
		return destination.Bits() < siteBits
	}
	return destination.Bits() < siteBits6 && !destination.Addr().IsPrivate() // fc00::/7 is a site's own
}

// isNobody reports whether an address is that of no machine elsewhere: those of
// groups, of the link alone, and what IPv4 keeps for later (RFC 1112).
func isNobody(address netip.Addr) bool {
	return address.IsMulticast() || address.IsLinkLocalUnicast() || address.Is4() && address.As4()[0] >= 240
}

// told words a route, once for each of its hops. What goes through loopback goes
// nowhere.
func (r kernelRoute) told() []facts.Route {
	destination := ""
	if r.destination.Bits() > 0 {
		destination = r.destination.String()
	}
	table := int(r.table)
	if table == unix.RT_TABLE_MAIN {
		table = 0
	}
	var ways []facts.Route
	for _, h := range r.hops {
		if h.name == "lo" {
			continue
		}
		way := facts.Route{Destination: destination, Interface: facts.Cut(h.name), Table: table}
		if h.gateway.IsValid() {
			way.Gateway = h.gateway.String()
		}
		ways = append(ways, way)
	}
	return ways
}

// kernelRoutes asks the kernel for the routes of all tables and both families.
func (s System) kernelRoutes() ([]kernelRoute, error) {
	if s.Routes != nil {
		return s.Routes()
	}
	for range 5 {
		data, err := syscall.NetlinkRIB(syscall.RTM_GETROUTE, syscall.AF_UNSPEC)
		if err != nil {
			return nil, err
		}
		routes, err := parseRoutes(data)
		if err == nil {
			return routes, nameHops(routes)
		}
		if !errors.Is(err, unix.EAGAIN) {
			return nil, err
		}
	}
	return nil, unix.EAGAIN
}

// nameHops fills in the names of interfaces. One that has gone meanwhile is told by
// its index.
func nameHops(routes []kernelRoute) error {
	nics, err := net.Interfaces()
	names := map[int]string{0: ""}
	for _, nic := range nics {
		names[nic.Index] = nic.Name
	}
	for _, route := range routes {
		for i := range route.hops {
			h, ok := &route.hops[i], false
			if h.name, ok = names[h.nic]; !ok {
				h.name = strconv.Itoa(h.nic)
			}
		}
	}
	return err
}

// parseRoutes reads what the kernel tells of its routes. The error is EAGAIN where
// routes changed meanwhile, so that one may be missing.
func parseRoutes(data []byte) ([]kernelRoute, error) {
	messages, err := syscall.ParseNetlinkMessage(data)
	if err != nil {
		return nil, err
	}
	var routes []kernelRoute
	for _, message := range messages {
		if message.Header.Flags&unix.NLM_F_DUMP_INTR != 0 {
			return nil, unix.EAGAIN
		}
		if message.Header.Type != syscall.RTM_NEWROUTE || len(message.Data) < syscall.SizeofRtMsg {
			continue
		}
		if route, ok := parseRoute(message.Data); ok {
			routes = append(routes, route)
		}
	}
	return routes, nil
}

// parseRoute reads a struct rtmsg and its attributes; not those of routes that the
// kernel has only remembered, nor of other families.
func parseRoute(data []byte) (kernelRoute, bool) {
	head := data[:syscall.SizeofRtMsg]
	any4, any6 := netip.IPv4Unspecified(), netip.IPv6Unspecified()
	destination, ok := map[byte]netip.Addr{unix.AF_INET: any4, unix.AF_INET6: any6}[head[0]]
	if !ok || binary.NativeEndian.Uint32(head[8:])&unix.RTM_F_CLONED != 0 {
		return kernelRoute{}, false
	}
	route := kernelRoute{kind: head[7], table: uint32(head[4])}
	var single hop
	for kind, value := range attributes(data[syscall.SizeofRtMsg:]) {
		switch kind {
		case unix.RTA_DST:
			if address, ok := netip.AddrFromSlice(value); ok {
				destination = address
			}
		case unix.RTA_TABLE:
			if len(value) == 4 {
				route.table = binary.NativeEndian.Uint32(value)
			}
		case unix.RTA_MULTIPATH:
			route.hops = parseHops(value)
		default:
			single.take(kind, value)
		}
	}
	if len(route.hops) == 0 {
		route.hops = []hop{single} // of which nothing is told where a nexthop object stands for it
	}
	route.destination = netip.PrefixFrom(destination, int(head[1]))
	return route, route.destination.IsValid()
}

// take takes what an attribute says of a hop.
func (h *hop) take(kind uint16, value []byte) {
	switch kind {
	case unix.RTA_OIF:
		if len(value) == 4 {
			h.nic = int(binary.NativeEndian.Uint32(value))
		}
	case unix.RTA_GATEWAY:
		h.gateway, _ = netip.AddrFromSlice(value)
	case unix.RTA_VIA: // a gateway of the other family: struct rtvia
		h.gateway, _ = netip.AddrFromSlice(value[min(2, len(value)):])
	}
}

// parseHops reads a list of struct rtnexthop, each with attributes.
func parseHops(data []byte) []hop {
	var hops []hop
	for len(data) >= unix.SizeofRtNexthop {
		length := int(binary.NativeEndian.Uint16(data))
		if length < unix.SizeofRtNexthop || length > len(data) {
			break
		}
		h := hop{nic: int(binary.NativeEndian.Uint32(data[4:]))}
		for kind, value := range attributes(data[unix.SizeofRtNexthop:length]) {
			h.take(kind, value)
		}
		hops = append(hops, h)
		data = data[min(len(data), aligned(length)):]
	}
	return hops
}

// attributes walks a list of struct rtattr.
func attributes(data []byte) iter.Seq2[uint16, []byte] {
	const kinds = 1<<14 - 1 // the rest of a type are flags
	return func(yield func(uint16, []byte) bool) {
		for len(data) >= unix.SizeofRtAttr {
			size := int(binary.NativeEndian.Uint16(data))
			if size < unix.SizeofRtAttr || size > len(data) ||
				!yield(binary.NativeEndian.Uint16(data[2:])&kinds, data[unix.SizeofRtAttr:size]) {
				return
			}
			data = data[min(len(data), aligned(size)):]
		}
	}
}

// aligned returns where what follows begins (RTA_ALIGN).
func aligned(length int) int { return (length + 3) &^ 3 }

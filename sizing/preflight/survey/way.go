//go:build linux

package survey

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/probe"
)

// stuckLimit is how long ssh may take to begin a session on a way that seems to
// swallow large packets: where it does, what ssh waits for will not come. Logins
// that wait for a name server in vain are done by then.
const stuckLimit = 25 * time.Second

// resolveLimit bounds looking up a host's name.
const resolveLimit = 3 * time.Second

// watch measures the way from the admin host to a host while ssh uses it. Small
// packets get through a way that swallows large ones, so that ssh connects,
// and then stands still without a sign: watch gives it up. A session that has begun
// has had the probe sent to it, and then is no such case: call begun. The function
// ended ends the watch, and tells whether large packets seem to be swallowed.
func (s *surveyor) watch(ctx context.Context, host Host, giveUp context.CancelFunc) (begun func(), ended func() (narrow bool)) {
	if host.Target.Local {
		return func() {}, func() bool { return false }
	}
	done := make(chan struct{})
	var narrow atomic.Bool
	s.watches.Go(func() {
		link := way(ctx, host)
		s.mu.Lock()
		s.ways = append(s.ways, link)
		s.mu.Unlock()
		if link.Outcome != facts.OK || link.MTU >= link.Largest {
			return
		}
		narrow.Store(true)
		select {
		case <-time.After(stuckLimit):
			giveUp()
		case <-done:
		}
	})
	begun = sync.OnceFunc(func() { close(done) })
	return begun, func() bool {
		begun()
		return narrow.Load()
	}
}

// way measures the way from this machine to a host.
func way(ctx context.Context, host Host) facts.Link {
	link := facts.Link{From: facts.AdminHost, To: host.Name, Protocol: "mtu", Rows: []string{}, Outcome: facts.Unmade}
	address, err := resolve(ctx, host.Target.Address)
	if err != nil {
		link.Detail = message.Of("facts.link.unknown-here", message.Args{"why": facts.Cut(err.Error())})
		return link
	}
	largest, err := mtuTowards(address)
	if err != nil {
		link.Detail = facts.Reason(err)
		return link
	}
	m := probe.PathMTU(ctx, largest, []string{address.String()})[0]
	if m.Outcome == facts.OK && m.Bytes < largest {
		// A router that says what it takes, as those of tunnels do, is no fault:
		// TCP obeys it.
		largest = max(toldMTU(address, largest), m.Bytes)
	}
	return pathLink(link.From, link.To, largest, m)
}

// tellLimit is how long a router may take to say that a packet is too large.
const tellLimit = 500 * time.Millisecond

// toldMTU returns the MTU of the way to an address as the kernel knows it, after one
// packet of a size that may not be fragmented: a smaller one if a router has said
// so (RFC 1191, RFC 8201). The packet goes to the port for what is thrown away.
func toldMTU(address netip.Addr, size int) int {
	conn, err := net.Dial("udp", netip.AddrPortFrom(address, discard).String())
	if err != nil {
		return size
	}
	defer conn.Close()
	raw, err := conn.(*net.UDPConn).SyscallConn()
	if err != nil {
		return size
	}
	level, discover, do, mtu, headers := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_DO, unix.IP_MTU, 28
	if address.Is6() {
		level, discover, do, mtu, headers = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_DO, unix.IPV6_MTU, 48
	}
	told := size
	_ = raw.Control(func(fd uintptr) { _ = unix.SetsockoptInt(int(fd), level, discover, do) })
	_, _ = conn.Write(make([]byte, size-headers)) // one that is too large for what is known already is told at once
	for deadline := time.Now().Add(tellLimit); told == size && time.Now().Before(deadline); time.Sleep(tellLimit / 20) {
		_ = raw.Control(func(fd uintptr) {
			if known, err := unix.GetsockoptInt(int(fd), level, mtu); err == nil {
				told = min(told, known)
			}
		})
	}
	return told
}

// discard is the port for what is thrown away (RFC 863).
const discard = 9

// pathLink puts a measured way into words.
func pathLink(from, to string, largest int, m probe.MTU) facts.Link {
	return facts.Link{
		From: from, To: to, Address: m.Address, Protocol: "mtu", Rows: []string{}, Outcome: m.Outcome, Detail: m.Detail,
		MTU: m.Bytes, Largest: largest, RoundTrip: m.RoundTrip,
	}
}

// resolve returns the address of a host. What is an alias in ssh's configuration,
// or lies behind a jump host, may have none here.
func resolve(ctx context.Context, name string) (netip.Addr, error) {
	if address, err := netip.ParseAddr(name); err == nil {
		return address, nil
	}
	ctx, cancel := context.WithTimeout(ctx, resolveLimit)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupNetIP(ctx, "ip", name)
	if err != nil {
		return netip.Addr{}, err
	}
	return addresses[0].Unmap(), nil
}

// mtuTowards returns the MTU of the interface that leads to an address. Nothing is
// sent: connecting a datagram socket only looks up the route (udp(7)).
func mtuTowards(address netip.Addr) (int, error) {
	conn, err := net.Dial("udp", netip.AddrPortFrom(address, discard).String())
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	local := conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
	interfaces, err := net.Interfaces()
	if err != nil {
		return 0, err
	}
	for _, nic := range interfaces {
		addresses, _ := nic.Addrs() // one that has just gone leads nowhere
		for _, own := range addresses {
			if prefix, err := netip.ParsePrefix(own.String()); err == nil && prefix.Addr().Unmap() == local {
				return min(nic.MTU, maxPacket), nil
			}
		}
	}
	return ethernet, nil
}

const (
	maxPacket = 65535 // bytes, which loopback's MTU exceeds by one
	ethernet  = 1500
)

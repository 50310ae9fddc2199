//go:build linux

package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// Path MTU is measured with ICMP echo requests that may not be fragmented: the
// far kernel answers by itself, so that no port needs to be open. It takes
// root, or net.ipv4.ping_group_range, which is for IPv6 too (icmp(7)).
const (
	icmpHeader = 8
	nonceBytes = 8
	maxPacket  = 65535
	echoRounds = 3  // in which a size is lost and a smaller one is not, until it counts as too large
	echoSplit  = 8  // sizes tried at once between one that passed and one that did not
	echoTrips  = 10 // small echoes, of which the fastest counts
	echoSize   = 84 // bytes, as ping(8) sends
	echoLimit  = 400 * time.Millisecond
	echoGrace  = 50 * time.Millisecond // for the larger ones, once the smallest is back
	pathLimit  = 4 * time.Second       // then the search begins no further step
)

// mtuSizes are tried where the way does not carry what this host's interface
// does: jumbo frames, Ethernet, common tunnels, the least of IPv6 and of IPv4's hosts.
var mtuSizes = []int{9000, 8950, 1500, 1492, 1480, 1460, 1450, 1430, 1420, 1400, 1350, 1300, 1280, 576}

// family is what differs between ICMP (RFC 792) and ICMPv6 (RFC 4443).
type family struct {
	domain, protocol int
	request, reply   byte     // types of the echo messages
	header           int      // bytes of the IP header
	least            int      // bytes that every way carries
	headed           bool     // raw sockets read the IP header (raw(7), RFC 3542 section 3)
	options          [][3]int // level, name and value
}

// PROBE is not to fragment, and not to believe what was learned of the way before.
var (
	icmp4 = family{
		domain: unix.AF_INET, protocol: unix.IPPROTO_ICMP, request: 8, reply: 0, header: 20, least: 68, headed: true, // RFC 791 section 3.2
		options: [][3]int{{unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE}},
	}
	icmp6 = family{
		domain: unix.AF_INET6, protocol: unix.IPPROTO_ICMPV6, request: 128, reply: 129, header: 40, least: 1280, // RFC 8200 section 5
		options: [][3]int{{unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_PROBE}, {unix.IPPROTO_IPV6, unix.IPV6_DONTFRAG, 1}},
	}
)

// MTU is the largest packet that passed whole to an address, to the byte.
type MTU struct {
	Address   string        `json:"address"`
	Outcome   facts.Outcome `json:"outcome"`
	Detail    message.Text  `json:"detail,omitzero"`
	Bytes     int           `json:"bytes,omitempty"`
	RoundTrip float64       `json:"roundTrip,omitempty"` // milliseconds, the least of several
}

// PathMTU measures the way to each of the addresses, for which largest gives
// the MTU of the interface that leads there.
func PathMTU(ctx context.Context, largest int, addresses []string) []MTU {
	addresses = addresses[:min(len(addresses), maxTargets)]
	results := make([]MTU, len(addresses))
	slots := make(chan struct{}, atOnce)
	var tasks sync.WaitGroup
	for i, address := range addresses {
		slots <- struct{}{}
		tasks.Go(func() {
			defer func() { <-slots }()
			results[i] = pathMTU(ctx, largest, address)
		})
	}
	tasks.Wait()
	return results
}

func pathMTU(ctx context.Context, largest int, address string) MTU {
	result := MTU{Address: address, Outcome: facts.Unmade}
	to, err := netip.ParseAddr(address)
	if err != nil {
		result.Detail = message.Of("facts.link.no-ip", nil)
		return result
	}
	e, err := newEcho(to.Unmap())
	switch {
	case errors.Is(err, fs.ErrPermission):
		result.Detail = message.Of("facts.link.needs-root", message.Args{"why": reason(err)})
		return result
	case err != nil:
		result.Outcome, result.Detail = outcome(err)
		return result
	}
	defer e.file.Close()
	size, exact, trip, err := e.search(ctx, max(min(largest, maxPacket), e.least))
	switch {
	case ctx.Err() != nil:
		result.Detail = message.Of("facts.unread.late", nil)
		return result
	case err != nil:
		result.Outcome, result.Detail = outcome(err)
		return result
	case size == 0:
		result.Outcome, result.Detail = facts.TimedOut, message.Of("facts.link.no-echo", nil)
		return result
	case !exact:
		result.Outcome, result.Detail = facts.TimedOut, message.Of("facts.link.few-echoes", message.Args{"bytes": size})
		return result
	}
	// Hosts that are busy delay some echoes; the network delays all.
	for range echoTrips {
		n, t, err := e.round([]int{echoSize})
		if err != nil || n == 0 || ctx.Err() != nil {
			break
		}
		trip = min(trip, t)
	}
	result.Outcome, result.Bytes, result.RoundTrip = facts.OK, size, float64(trip.Microseconds())/1000
	return result
}

type echo struct {
	family
	file  *os.File // the socket
	raw   bool
	nonce uint64 // tells this one's echoes from all others that a raw socket sees
	next  uint16
}

func newEcho(to netip.Addr) (*echo, error) {
	e := &echo{family: icmp4, nonce: rand.Uint64()}
	var remote unix.Sockaddr
	if to.Is4() {
		remote = &unix.SockaddrInet4{Addr: to.As4()}
	} else {
		zone, err := scope(to)
		if err != nil {
			return nil, err
		}
		e.family, remote = icmp6, &unix.SockaddrInet6{Addr: to.As16(), ZoneId: zone}
	}
	const flags = unix.SOCK_CLOEXEC | unix.SOCK_NONBLOCK
	socket, err := unix.Socket(e.domain, unix.SOCK_DGRAM|flags, e.protocol)
	if err != nil {
		e.raw = true
		socket, err = unix.Socket(e.domain, unix.SOCK_RAW|flags, e.protocol)
	}
	if err != nil {
		return nil, err
	}
	e.file = os.NewFile(uintptr(socket), "echo")
	for _, option := range e.options {
		err = errors.Join(err, unix.SetsockoptInt(socket, option[0], option[1], option[2]))
	}
	// Connected, a socket gets the packets of its own peer alone.
	if err = errors.Join(err, unix.Connect(socket, remote)); err != nil {
		e.file.Close()
		return nil, err
	}
	return e, nil
}

// scope returns the interface that an address of one link is of (RFC 4007).
func scope(address netip.Addr) (uint32, error) {
	zone := address.Zone()
	if zone == "" {
		if address.IsLinkLocalUnicast() {
			return 0, message.NewProblem("facts.link.no-zone", nil)
		}
		return 0, nil
	}
	if index, err := strconv.ParseUint(zone, 10, 32); err == nil {
		return uint32(index), nil
	}
	nic, err := net.InterfaceByName(zone)
	if err != nil {
		return 0, err
	}
	return uint32(nic.Index), nil
}

// search returns the largest size that passes. Most ways carry what the
// interface does, and are done with its first packet; else it narrows down
// between one that came back and the next larger one that did not, and at the
// end tries that one again: a host may have been busy for a moment. Where the
// way stops to answer, or takes too long, what it gives is not exact.
func (e *echo) search(ctx context.Context, largest int) (passed int, exact bool, trip time.Duration, err error) {
	sizes, failed, again := []int{largest}, largest+1, 0
	for start := time.Now(); time.Since(start) < pathLimit; {
		size, t, err := e.try(ctx, append(sizes, max(passed, e.least)))
		if err != nil || size == 0 {
			return passed, false, trip, err
		}
		passed, trip = size, t
		for _, size := range sizes {
			if size > passed {
				failed = size
			}
		}
		sizes = between(passed, failed)
		switch {
		case len(sizes) > 0:
		case passed == largest, failed == again:
			return passed, true, trip, nil
		default:
			sizes, again, failed = []int{failed}, failed, largest+1
		}
	}
	return passed, false, trip, nil
}

// between returns sizes between two, the largest first: those that are common,
// or where there are none, some at equal distances.
func between(low, high int) []int {
	var sizes []int
	for _, size := range mtuSizes {
		if low < size && size < high {
			sizes = append(sizes, size)
		}
	}
	if len(sizes) > 0 {
		return sizes
	}
	parts := min(high-low, echoSplit+1)
	for i := parts - 1; i > 0; i-- {
		sizes = append(sizes, low+(high-low)*i/parts)
	}
	return sizes
}

// try returns the largest of the sizes that came back in any of several rounds:
// one lost packet proves nothing, nor does a round in which all are lost.
func (e *echo) try(ctx context.Context, sizes []int) (largest int, trip time.Duration, err error) {
	for heard, silent := 0, 0; heard < echoRounds && silent < echoRounds && largest < sizes[0]; {
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		size, t, err := e.round(sizes)
		switch {
		case err != nil:
			return 0, 0, err
		case size == 0:
			silent++
		default:
			heard++
		}
		if size > largest {
			largest, trip = size, t
		}
	}
	return largest, trip, nil
}

// round sends one packet of each size, the largest first, and gives the
// largest that came back. It waits for no more than that one, and not much
// longer than for the last.
func (e *echo) round(sizes []int) (largest int, trip time.Duration, err error) {
	start := time.Now()
	if err := e.file.SetDeadline(start.Add(echoLimit)); err != nil {
		return 0, 0, err
	}
	sent := map[uint16]int{}
	most := 0
	for _, size := range sizes {
		err := e.send(size, len(sent))
		switch {
		case errors.Is(err, unix.EMSGSIZE), errors.Is(err, unix.ENOBUFS), errors.Is(err, os.ErrDeadlineExceeded):
			continue // larger than the way out carries
		case err != nil:
			return 0, 0, err
		}
		sent[e.next] = size
		most = max(most, size)
	}
	buffer := make([]byte, 128) // the rest of a packet says nothing
	for largest < most {
		n, err := e.file.Read(buffer)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return largest, trip, nil
		case errors.Is(err, unix.EMSGSIZE):
			continue // a router has said that one is too large
		case err != nil:
			return 0, 0, err
		}
		number := e.sequence(buffer[:n])
		size := sent[number]
		delete(sent, number) // a second answer to it changes nothing
		if size > largest {
			largest, trip = size, time.Since(start)
		}
		if size == sizes[len(sizes)-1] {
			if err := e.file.SetDeadline(time.Now().Add(echoGrace)); err != nil {
				return 0, 0, err
			}
		}
	}
	return largest, trip, nil
}

// send sends a packet of a size, headers included. That an earlier one was too
// large for a router the kernel may say at a later call, whatever that one
// sends (icmp(7)); so an error is believed when it stays.
func (e *echo) send(size, earlier int) error {
	e.next++
	packet := make([]byte, size-e.header)
	packet[0] = e.request
	binary.BigEndian.PutUint16(packet[4:], uint16(e.nonce)) // the id; the kernel has its own unless raw
	binary.BigEndian.PutUint16(packet[6:], e.next)
	binary.BigEndian.PutUint64(packet[icmpHeader:], e.nonce)
	binary.BigEndian.PutUint16(packet[2:], checksum(packet)) // needed by raw IPv4 alone
	var err error
	for range earlier + 2 {
		if _, err = e.file.Write(packet); !errors.Is(err, unix.EMSGSIZE) {
			return err
		}
	}
	return err
}

// sequence returns the number of an echo of this one's, or 0.
func (e *echo) sequence(reply []byte) uint16 {
	if e.raw && e.headed && len(reply) > 0 {
		reply = reply[min(int(reply[0]&0xf)*4, len(reply)):]
	}
	if len(reply) < icmpHeader+nonceBytes || reply[0] != e.reply || binary.BigEndian.Uint64(reply[icmpHeader:]) != e.nonce {
		return 0
	}
	return binary.BigEndian.Uint16(reply[6:])
}

// checksum is RFC 1071's.
func checksum(data []byte) uint16 {
	var sum uint32
	for i := 0; i+1 < len(data); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(data[i:]))
	}
	if len(data)%2 == 1 {
		sum += uint32(data[len(data)-1]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

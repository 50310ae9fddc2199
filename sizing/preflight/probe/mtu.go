package probe

import (
	"context"
	"encoding/binary"
	"errors"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/islandbundle/island/sizing/preflight/facts"
)

// Path MTU is measured with ICMP echo requests that may not be fragmented: the
// far kernel answers by itself, so that no port needs to be open. It takes
// root, or net.ipv4.ping_group_range (icmp(7)).
const (
	icmpHeader = 8
	ipHeader   = 20
	echoRounds = 3
	echoTrips  = 10 // small echoes, of which the fastest counts
	echoSize   = 84 // bytes, as ping(8) sends
	echoLimit  = 400 * time.Millisecond
)

// mtuSizes are tried from the largest that the way out of this host carries:
// jumbo frames, Ethernet, common tunnels, the least that IPv6 takes.
var mtuSizes = []int{9000, 8950, 1500, 1492, 1480, 1460, 1450, 1430, 1420, 1400, 1350, 1300, 1280, 576}

// MTU is the largest packet that passed whole to an address.
type MTU struct {
	Address   string        `json:"address"`
	Outcome   facts.Outcome `json:"outcome"`
	Detail    string        `json:"detail,omitempty"`
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
	if err != nil || !to.Is4() {
		result.Detail = "measured over IPv4 only"
		return result
	}
	e, err := newEcho(to)
	if err != nil {
		result.Detail = "takes root or net.ipv4.ping_group_range: " + reason(err)
		return result
	}
	defer unix.Close(e.socket)
	sizes := []int{largest}
	for _, size := range mtuSizes {
		if size < largest {
			sizes = append(sizes, size)
		}
	}
	for range echoRounds {
		if ctx.Err() != nil {
			result.Detail = "not done in time"
			return result
		}
		size, trip, err := e.round(sizes)
		if err != nil {
			result.Outcome, result.Detail = outcome(err)
			return result
		}
		if size > result.Bytes {
			result.Bytes, result.RoundTrip = size, float64(trip.Microseconds())/1000
		}
		if size == largest {
			break
		}
	}
	if result.Outcome = facts.OK; result.Bytes == 0 {
		result.Outcome, result.Detail = facts.TimedOut, "no echo of any size: ICMP may be filtered"
		return result
	}
	// Hosts that are busy delay some echoes; the network delays all.
	for range echoTrips {
		if _, trip, err := e.round([]int{echoSize}); err == nil && trip > 0 {
			result.RoundTrip = min(result.RoundTrip, float64(trip.Microseconds())/1000)
		}
	}
	return result
}

type echo struct {
	socket   int
	raw      bool
	to       netip.Addr
	id, next uint16
}

func newEcho(to netip.Addr) (*echo, error) {
	e := &echo{to: to}
	var err error
	e.socket, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
	if err != nil {
		e.raw = true
		if e.socket, err = unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP); err != nil {
			return nil, err
		}
	}
	limit := unix.NsecToTimeval(int64(echoLimit))
	err = errors.Join(
		// PROBE: do not fragment, and do not believe what was learned of the path before.
		unix.SetsockoptInt(e.socket, unix.IPPROTO_IP, unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_PROBE),
		unix.SetsockoptTimeval(e.socket, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &limit),
		unix.Connect(e.socket, &unix.SockaddrInet4{Addr: to.As4()}),
	)
	if err != nil {
		unix.Close(e.socket)
		return nil, err
	}
	// A raw socket sees the echoes of all: the id tells this one's.
	e.id = uint16(e.socket)<<8 ^ uint16(unix.Getpid())
	return e, nil
}

// round sends one packet of each size, headers included, and gives the largest
// that came back; it waits no longer than it takes for the first.
func (e *echo) round(sizes []int) (int, time.Duration, error) {
	sent := map[uint16]int{}
	start := time.Now()
	for _, size := range sizes {
		e.next++
		packet := make([]byte, max(size-ipHeader, icmpHeader))
		packet[0] = 8 // echo request
		binary.BigEndian.PutUint16(packet[4:], e.id)
		binary.BigEndian.PutUint16(packet[6:], e.next)
		binary.BigEndian.PutUint16(packet[2:], checksum(packet))
		err := unix.Send(e.socket, packet, 0)
		if errors.Is(err, unix.EMSGSIZE) || errors.Is(err, unix.ENOBUFS) {
			continue // larger than the way out carries
		}
		if err != nil {
			return 0, 0, err
		}
		sent[e.next] = size
	}
	largest, trip := 0, time.Duration(0)
	buffer := make([]byte, 1<<16)
	for time.Since(start) < echoLimit && largest != sizes[0] {
		n, _, err := unix.Recvfrom(e.socket, buffer, 0)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, 0, err
		}
		if size := sent[e.sequence(buffer[:n])]; size > largest {
			largest, trip = size, time.Since(start)
		}
	}
	return largest, trip, nil
}

// sequence gives the number of an echo of this one's, or 0.
func (e *echo) sequence(reply []byte) uint16 {
	if e.raw && len(reply) > ipHeader {
		reply = reply[min(int(reply[0]&0xf)*4, len(reply)):]
	}
	if len(reply) < icmpHeader || reply[0] != 0 || e.raw && binary.BigEndian.Uint16(reply[4:]) != e.id {
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

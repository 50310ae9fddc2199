//go:build linux

package probe

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// Port is a port of one protocol.
type Port struct {
	Protocol string `json:"protocol"` // tcp or udp
	Port     int    `json:"port"`
}

// Listening is how listening on a port began.
type Listening struct {
	Port
	Outcome facts.Outcome `json:"outcome"` // ok, in-use, or failed with Detail
	Detail  message.Text  `json:"detail,omitzero"`
}

// Limits of speaking.
const (
	maxPorts   = 512
	maxTargets = 20_000
	maxToken   = 64
	atOnce     = 64 // attempts at the same time
	dialLimit  = 2 * time.Second
	udpTries   = 4
)

// Listeners answer everyone who connects with a token, so that a caller knows
// whether it reached this very probe.
type Listeners struct {
	token   string
	closers []io.Closer
	tasks   sync.WaitGroup
}

// Listen opens ports at an address, or at all addresses where that one is not
// the host's own (it is then some router's that sends on to it).
func Listen(address, token string, ports []Port) (*Listeners, []Listening) {
	l := &Listeners{token: token}
	host := ""
	if parsed, err := netip.ParseAddr(address); err == nil && localAddress(parsed) {
		host = address
	}
	var states []Listening
	for _, port := range ports[:min(len(ports), maxPorts)] {
		err := l.open(host, port)
		state := Listening{Port: port, Outcome: facts.OK}
		switch {
		case errors.Is(err, syscall.EADDRINUSE):
			state.Outcome = facts.InUse
		case err != nil:
			state.Outcome, state.Detail = facts.Failed, reason(err)
		}
		states = append(states, state)
	}
	return l, states
}

func (l *Listeners) open(host string, port Port) error {
	address := net.JoinHostPort(host, strconv.Itoa(port.Port))
	if port.Protocol == "udp" {
		conn, err := net.ListenPacket("udp", address)
		if err != nil {
			return err
		}
		l.closers = append(l.closers, conn)
		l.tasks.Go(func() { l.answerPackets(conn) })
		return nil
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	l.closers = append(l.closers, listener)
	l.tasks.Go(func() { l.answerConnections(listener) })
	return nil
}

func (l *Listeners) answerConnections(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_ = conn.SetDeadline(time.Now().Add(dialLimit))
		_, _ = io.WriteString(conn, l.token+"\n")
		_ = conn.Close()
	}
}

// answerPackets answers with no more bytes than were asked with, so that the
// probe is no amplifier for anyone who forges a sender.
func (l *Listeners) answerPackets(conn net.PacketConn) {
	buffer := make([]byte, 2048)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		if n >= len(l.token)+1 {
			_, _ = conn.WriteTo([]byte(l.token+"\n"), from)
		}
	}
}

// Close returns all ports back.
func (l *Listeners) Close() {
	for _, closer := range l.closers {
		_ = closer.Close()
	}
	l.tasks.Wait()
}

// Target is a port of another host to dial, and the token that its probe
// answers with. An empty token takes any answer and any silence after
// connecting for good.
type Target struct {
	Port
	Address string `json:"address"`
	Token   string `json:"token,omitempty"`
}

// Dialled is how dialling a target ended.
type Dialled struct {
	Target
	Outcome   facts.Outcome `json:"outcome"`
	Detail    message.Text  `json:"detail,omitzero"`
	RoundTrip float64       `json:"roundTrip,omitempty"` // milliseconds
}

// Dial tries all targets, some at a time, each within a limit.
func Dial(ctx context.Context, targets []Target) []Dialled {
	targets = targets[:min(len(targets), maxTargets)]
	results := make([]Dialled, len(targets))
	slots := make(chan struct{}, atOnce)
	var tasks sync.WaitGroup
	for i, target := range targets {
		slots <- struct{}{}
		tasks.Go(func() {
			defer func() { <-slots }()
			results[i] = dial(ctx, target)
		})
	}
	tasks.Wait()
	return results
}

func dial(ctx context.Context, target Target) Dialled {
	result := Dialled{Target: target}
	start := time.Now()
	dialer := net.Dialer{Timeout: dialLimit}
	conn, err := dialer.DialContext(ctx, target.Protocol, net.JoinHostPort(target.Address, strconv.Itoa(target.Port.Port)))
	if err != nil {
		result.Outcome, result.Detail = outcome(err)
		return result
	}
	defer conn.Close()
	result.RoundTrip = float64(time.Since(start).Microseconds()) / 1000
	if target.Token == "" && target.Protocol == "tcp" {
		result.Outcome = facts.OK
		return result
	}
	answer, err := ask(conn, target, &result)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && target.Protocol == "tcp":
		// A firewall that drops would not have let the connection come about.
		result.Outcome, result.Detail = facts.WrongHost, message.Of("facts.link.silent", nil)
	case err != nil:
		result.Outcome, result.Detail = outcome(err)
	case answer == target.Token:
		result.Outcome = facts.OK
	default:
		result.Outcome, result.Detail = facts.WrongHost, message.Of("facts.link.answered",
			message.Args{"answer": strconv.Quote(facts.Cut(answer))})
	}
	return result
}

// ask reads what is at the other end: a TCP listener speaks first, a UDP one
// when it has been asked, which may take a second try.
func ask(conn net.Conn, target Target, result *Dialled) (string, error) {
	buffer := make([]byte, maxToken+1)
	if target.Protocol != "udp" {
		_ = conn.SetDeadline(time.Now().Add(dialLimit))
		n, err := io.ReadAtLeast(conn, buffer, len(target.Token))
		if n > 0 || errors.Is(err, io.EOF) {
			return strings.TrimSpace(string(buffer[:n])), nil
		}
		return "", err
	}
	question := make([]byte, maxToken+1)
	for try := 1; ; try++ {
		sent := time.Now()
		if _, err := conn.Write(question); err != nil {
			return "", err
		}
		_ = conn.SetReadDeadline(time.Now().Add(dialLimit / udpTries))
		n, err := conn.Read(buffer)
		if err == nil {
			result.RoundTrip = float64(time.Since(sent).Microseconds()) / 1000
			return strings.TrimSpace(string(buffer[:n])), nil
		}
		if try == udpTries || !errors.Is(err, syscall.ETIMEDOUT) && !isTimeout(err) {
			return "", err
		}
	}
}

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// outcome says why nothing answered.
func outcome(err error) (facts.Outcome, message.Text) {
	var dns *net.DNSError
	switch {
	case errors.As(err, &dns):
		return facts.Unresolved, message.Plain(facts.Cut(dns.Error()))
	case errors.Is(err, syscall.ECONNREFUSED):
		return facts.Refused, message.Text{}
	case isTimeout(err), errors.Is(err, syscall.ETIMEDOUT):
		return facts.TimedOut, message.Text{}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return facts.Down, reason(err)
	case errors.Is(err, syscall.ECONNRESET):
		return facts.Refused, message.Of("facts.link.reset", nil)
	}
	return facts.Failed, reason(err)
}

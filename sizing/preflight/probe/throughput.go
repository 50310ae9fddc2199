//go:build linux

package probe

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"io"
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

// Throughput is measured over TCP, at the host that receives. On each of its
// connections (streams) the sender says who it is and what it is about to do;
// the receiver agrees; then bytes flow until the time is over, and the
// receiver says on the first stream how many came. All that is said is JSON,
// one bounded line at a time.

// Limits of a throughput measurement.
const (
	throughputTime  = 2 * time.Second // unless asked for otherwise
	maxThroughput   = 10 * time.Second
	leastThroughput = 100 * time.Millisecond
	maxStreams      = 4
	maxBlast        = 16 << 30 // bytes of one measurement, both sent and taken
	maxMeasurements = 64       // that one receiver takes part in
	maxConnections  = 16       // of one receiver at a time, strangers' included
	blockBytes      = 128 << 10
	maxLine         = 512
	sayLimit        = 2 * time.Second // for a line to come
	warmUp          = 5               // one part in five, while TCP finds its speed, does not count
)

// ThroughputTarget is a host that listens for throughput, and how to measure it.
type ThroughputTarget struct {
	Address string  `json:"address"`
	Port    int     `json:"port"`
	Token   string  `json:"token"`
	Seconds float64 `json:"seconds,omitempty"` // default 2, at most 10
	Streams int     `json:"streams,omitempty"` // default 1, at most 4
}

func (t ThroughputTarget) complete() ThroughputTarget {
	if t.Seconds <= 0 {
		t.Seconds = throughputTime.Seconds()
	}
	t.Seconds = min(max(t.Seconds, leastThroughput.Seconds()), maxThroughput.Seconds())
	t.Streams = min(max(t.Streams, 1), maxStreams)
	return t
}

// Throughput is what arrived at a target.
type Throughput struct {
	Address       string        `json:"address"`
	Port          int           `json:"port"`
	Outcome       facts.Outcome `json:"outcome"`
	Detail        message.Text  `json:"detail,omitzero"`
	BitsPerSecond float64       `json:"bitsPerSecond,omitempty"` // of TCP's payload: Ethernet carries about 6 % more
	Bytes         int64         `json:"bytes,omitempty"`         // that arrived after the warm-up
	Seconds       float64       `json:"seconds,omitempty"`       // in which they did
	Retransmits   int64         `json:"retransmits"`             // segments of all streams; -1 where the kernel does not say
}

// What a sender says first on each stream.
type hello struct {
	Token   string  `json:"token"`
	Sender  string  `json:"sender"` // a random name, for which streams belong together
	Seconds float64 `json:"seconds"`
	Streams int     `json:"streams"`
}

// What a receiver answers.
type agreement struct {
	Refused string `json:"refused,omitempty"` // why
}

// Why a receiver refuses, as probes tell each other.
const (
	refusedToken  = "wrong token"
	refusedEnough = "enough was measured"
	refusedBusy   = "another measurement is under way"
)

// refusals are the codes of what people are told of these.
var refusals = map[string]string{refusedEnough: "facts.link.enough", refusedBusy: "facts.link.busy"}

// What a receiver says at the end.
type arrival struct {
	Bytes   int64   `json:"bytes"`
	Seconds float64 `json:"seconds"`
}

// A stranger is a target that is not the probe over there, or is one of another
// run.
type stranger struct{ error }

func (s *stranger) Unwrap() error { return s.error }

func strange(code string, args message.Args) error { return &stranger{message.NewProblem(code, args)} }

// nonsense is what no probe answers.
func nonsense(answer []byte) error {
	return strange("facts.link.nonsense", message.Args{"answer": strconv.Quote(facts.Cut(string(answer)))})
}

func say(conn net.Conn, value any) error {
	line, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = conn.Write(append(line, '\n'))
	return err
}

// hear reads one line, after which nothing may follow unasked.
func hear(conn net.Conn, value any) error {
	buffer := make([]byte, maxLine)
	for n := 0; n < len(buffer); {
		more, err := conn.Read(buffer[n:])
		n += more
		line, rest, ok := bytes.Cut(buffer[:n], []byte("\n"))
		switch {
		case ok && (len(rest) > 0 || json.Unmarshal(line, value) != nil):
			return nonsense(line)
		case ok:
			return nil
		case errors.Is(err, io.EOF):
			return io.ErrUnexpectedEOF
		case err != nil:
			return err
		}
	}
	return nonsense(buffer)
}

// measureThroughput sends to a target for the time that it says, and gives
// what the target says has arrived.
func measureThroughput(ctx context.Context, target ThroughputTarget) Throughput {
	target = target.complete()
	result := Throughput{Address: target.Address, Port: target.Port, Outcome: facts.OK}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if err := blast(ctx, target, &result); err != nil {
		result.Outcome, result.Detail = throughputOutcome(err)
		if ctx.Err() != nil {
			result.Outcome, result.Detail = facts.Unmade, message.Of("facts.unread.late", nil)
		}
	}
	return result
}

func throughputOutcome(err error) (facts.Outcome, message.Text) {
	switch {
	case errors.As(err, new(*stranger)):
		return facts.WrongHost, facts.Reason(err)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, unix.ECONNRESET), errors.Is(err, unix.EPIPE):
		return facts.Failed, message.Of("facts.link.early-end", nil)
	}
	return outcome(err)
}

func blast(ctx context.Context, target ThroughputTarget, result *Throughput) error {
	var streams []*net.TCPConn
	defer func() {
		for _, stream := range streams {
			stream.Close()
		}
	}()
	greeting := hello{Token: target.Token, Sender: strconv.FormatUint(rand.Uint64(), 36), Seconds: target.Seconds, Streams: target.Streams}
	for range target.Streams {
		stream, err := connect(ctx, target)
		if err != nil {
			return err
		}
		streams = append(streams, stream)
		if err := agree(stream, greeting); err != nil {
			return err
		}
	}
	sent, err := sendAll(streams, time.Duration(target.Seconds*float64(time.Second)))
	if err != nil {
		return err
	}
	var arrived arrival
	_ = streams[0].SetReadDeadline(time.Now().Add(sayLimit))
	if err := hear(streams[0], &arrived); err != nil {
		return err
	}
	switch {
	case arrived.Bytes < 0 || arrived.Bytes > sent || arrived.Seconds < 0 || arrived.Seconds > 2*maxThroughput.Seconds():
		return strange("facts.link.nonsense-count", message.Args{"bytes": arrived.Bytes, "sent": sent, "seconds": arrived.Seconds})
	case arrived.Bytes == 0 || arrived.Seconds < leastThroughput.Seconds()/2:
		return message.NewProblem("facts.link.too-little", message.Args{"bytes": arrived.Bytes, "sent": sent, "seconds": arrived.Seconds})
	}
	result.Bytes, result.Seconds = arrived.Bytes, arrived.Seconds
	result.BitsPerSecond = 8 * float64(arrived.Bytes) / arrived.Seconds
	result.Retransmits = retransmits(streams)
	return nil
}

// connect opens a stream, which ends with the context.
func connect(ctx context.Context, target ThroughputTarget) (*net.TCPConn, error) {
	dialer := net.Dialer{Timeout: dialLimit}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(target.Address, strconv.Itoa(target.Port)))
	if err != nil {
		return nil, err
	}
	stream := conn.(*net.TCPConn)
	_ = stream.SetLinger(0) // what is not sent when all is said is dropped
	context.AfterFunc(ctx, func() { stream.Close() })
	return stream, nil
}

// agree says hello and hears that the target takes the stream.
func agree(stream *net.TCPConn, greeting hello) error {
	_ = stream.SetDeadline(time.Now().Add(sayLimit))
	if err := say(stream, greeting); err != nil {
		return err
	}
	var answer agreement
	err := hear(stream, &answer)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return strange("facts.link.nothing", nil)
	case err != nil:
		return err
	case answer.Refused == refusedToken:
		return strange("facts.link.wrong-token", nil)
	case refusals[answer.Refused] != "":
		return message.NewProblem("facts.link.refused", message.Args{"why": message.Of(refusals[answer.Refused], nil)})
	case answer.Refused != "":
		return message.NewProblem("facts.link.refused", message.Args{"why": facts.Cut(answer.Refused)})
	}
	return nil
}

// sendAll sends on all streams at once for a time, and counts the bytes that
// the kernel took.
func sendAll(streams []*net.TCPConn, duration time.Duration) (int64, error) {
	end := time.Now().Add(duration)
	block := randomBlock()
	sent := make([]int64, len(streams))
	errs := make([]error, len(streams))
	var tasks sync.WaitGroup
	for i, stream := range streams {
		tasks.Go(func() { sent[i], errs[i] = send(stream, block, end, maxBlast/int64(len(streams))) })
	}
	tasks.Wait()
	var total int64
	for _, n := range sent {
		total += n
	}
	return total, errors.Join(errs...)
}

// randomBlock is nothing that a tunnel on the way could compress.
func randomBlock() []byte {
	block := make([]byte, blockBytes)
	source := rand.NewChaCha8([32]byte{})
	_, _ = source.Read(block)
	return block
}

func send(stream *net.TCPConn, block []byte, end time.Time, limit int64) (sent int64, err error) {
	if err := stream.SetWriteDeadline(end); err != nil {
		return 0, err
	}
	for sent+int64(len(block)) <= limit {
		n, err := stream.Write(block)
		sent += int64(n)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			break
		}
		if err != nil {
			return sent, err
		}
	}
	return sent, stream.CloseWrite()
}

// retransmits asks the kernel (TCP_INFO in tcp(7)).
func retransmits(streams []*net.TCPConn) (total int64) {
	for _, stream := range streams {
		raw, err := stream.SyscallConn()
		if err != nil {
			return -1
		}
		var info *unix.TCPInfo
		var infoErr error
		err = raw.Control(func(fd uintptr) { info, infoErr = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) })
		if err != nil || infoErr != nil {
			return -1
		}
		total += int64(info.Total_retrans)
	}
	return total
}

// throughputListener takes what senders with its token send, one sender at a
// time, and throws it away.
type throughputListener struct {
	token    string
	listener net.Listener
	cancel   context.CancelFunc
	tasks    sync.WaitGroup

	mutex   sync.Mutex
	current *measurement
	left    int // measurements that may still come
}

// listenThroughput opens a port at an address, as [Listen] does; port 0 is any
// free one. It must be closed, and closes itself with the context. The token
// is a secret, other than that of Listen, which is told to all who connect.
func listenThroughput(ctx context.Context, address string, port int, token string) (*throughputListener, error) {
	if len(token) == 0 || len(token) > maxToken {
		return nil, message.NewProblem("facts.reach.token", message.Args{"most": maxToken})
	}
	host := ""
	if parsed, err := netip.ParseAddr(address); err == nil && localAddress(parsed) {
		host = address
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, sessionTime)
	l := &throughputListener{token: token, listener: listener, cancel: cancel, left: maxMeasurements}
	l.tasks.Go(func() { l.accept(ctx) })
	l.tasks.Go(func() {
		<-ctx.Done()
		listener.Close()
	})
	return l, nil
}

// Port is the port that is open.
func (l *throughputListener) Port() int { return l.listener.Addr().(*net.TCPAddr).Port }

// Close returns the port back and ends what is under way.
func (l *throughputListener) Close() {
	l.cancel()
	l.tasks.Wait()
}

func (l *throughputListener) accept(ctx context.Context) {
	slots := make(chan struct{}, maxConnections)
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		select {
		case slots <- struct{}{}:
		default:
			conn.Close()
			continue
		}
		l.tasks.Go(func() {
			defer func() { <-slots }()
			defer conn.Close()
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			defer stop()
			l.serve(conn)
		})
	}
}

// serve takes one stream.
func (l *throughputListener) serve(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(sayLimit))
	var h hello
	if hear(conn, &h) != nil {
		return
	}
	m, answer := l.admit(h, conn)
	err := say(conn, answer)
	if m == nil {
		return
	}
	buffer := make([]byte, blockBytes)
	for err == nil {
		err = m.take(conn, buffer)
	}
	l.leave(m)
	<-m.done
	_ = conn.SetDeadline(m.limit)
	if conn == m.streams[0] {
		_ = say(conn, m.arrived())
	}
	// What is still under way would be answered with a reset, which could
	// overtake the last line: the sender is to end it.
	for err = nil; err == nil; {
		err = m.take(conn, buffer)
	}
}

// admit lets a stream in that has the token, if no other sender is there.
func (l *throughputListener) admit(h hello, conn net.Conn) (*measurement, agreement) {
	if subtle.ConstantTimeCompare([]byte(h.Token), []byte(l.token)) != 1 {
		return nil, agreement{Refused: refusedToken}
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.current == nil {
		if l.left == 0 {
			return nil, agreement{Refused: refusedEnough}
		}
		l.left--
		l.current = newMeasurement(h)
	}
	if !l.current.join(h.Sender, conn) {
		return nil, agreement{Refused: refusedBusy}
	}
	return l.current, agreement{}
}

// leave ends a stream, and with the last one the measurement.
func (l *throughputListener) leave(m *measurement) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if m.leave() {
		l.current = nil
		close(m.done)
	}
}

// measurement counts what arrives on the streams of one sender, from the end
// of the warm-up until the time that it has said is over. A sender that stalls
// is measured as slow; only one that ends its streams ends the time too.
type measurement struct {
	sender   string
	expected int           // streams
	duration time.Duration // from the first byte
	limit    time.Time     // when it ends whatever happens
	done     chan struct{} // closed when all streams have ended

	mutex      sync.Mutex
	streams    []net.Conn
	reading    int   // streams that have not ended
	total      int64 // bytes of all the time
	counted    int64 // bytes between
	begin, end time.Time
}

func newMeasurement(h hello) *measurement {
	t := ThroughputTarget{Seconds: h.Seconds, Streams: h.Streams}.complete()
	duration := time.Duration(t.Seconds * float64(time.Second))
	return &measurement{
		sender: h.Sender, expected: t.Streams, duration: duration,
		limit: time.Now().Add(duration + 2*sayLimit), done: make(chan struct{}),
	}
}

func (m *measurement) join(sender string, conn net.Conn) bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if sender != m.sender || len(m.streams) == m.expected || m.total > 0 {
		return false
	}
	m.streams = append(m.streams, conn)
	m.reading++
	_ = conn.SetDeadline(m.limit)
	return true
}

// leave ends a stream, and says whether it was the last.
func (m *measurement) leave() bool {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.reading--; m.reading > 0 {
		return false
	}
	if now := time.Now(); now.Before(m.end) {
		m.end = now
	}
	return true
}

// take reads once. It fails when the stream or its time ends.
func (m *measurement) take(conn net.Conn, buffer []byte) error {
	n, err := conn.Read(buffer)
	now := time.Now()
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if n > 0 && m.total == 0 {
		m.begin, m.end = now.Add(m.duration/warmUp), now.Add(m.duration)
		for _, stream := range m.streams {
			_ = stream.SetReadDeadline(m.end)
		}
	}
	m.total += int64(n)
	if now.After(m.begin) && now.Before(m.end) {
		m.counted += int64(n)
	}
	if m.total > maxBlast {
		return errors.New("too much")
	}
	return err
}

func (m *measurement) arrived() arrival {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	return arrival{Bytes: m.counted, Seconds: max(m.end.Sub(m.begin).Seconds(), 0)}
}

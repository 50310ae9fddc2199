//go:build linux

package probe

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/islandbundle/island/internal/waytest"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

func listening(t *testing.T) (*throughputListener, ThroughputTarget) {
	t.Helper()
	l, err := listenThroughput(context.Background(), "127.0.0.1", 0, "secret")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l, ThroughputTarget{Address: "127.0.0.1", Port: l.Port(), Token: "secret", Seconds: 0.5}
}

func TestThroughputLoopback(t *testing.T) {
	_, target := listening(t)
	for _, streams := range []int{0, 1, 2, 4, 99} {
		target.Streams = streams
		r := measureThroughput(context.Background(), target)
		t.Logf("%d streams: %.2f Gbit/s, %+v", streams, r.BitsPerSecond/1e9, r)
		if r.Outcome != facts.OK || r.BitsPerSecond < 1e6 || r.Seconds < 0.1 || r.Seconds > 0.41 || r.Retransmits < 0 {
			t.Errorf("%d streams: %+v", streams, r)
		}
	}
}

// TestThroughputThrottled measures what a link is known to carry, however
// many streams share it.
func TestThroughputThrottled(t *testing.T) {
	t.Parallel()
	waytest.Need(t, "tc")
	for _, test := range []struct {
		rate    string
		want    float64 // Mbit/s
		streams int
		target  string
	}{
		{"50mbit", 50, 1, "10.98.1.2"}, // little enough for a machine that is busy
		{"50mbit", 50, 4, "fd98:1::2"},
		{"10mbit", 10, 1, "10.98.1.2"},
	} {
		t.Run(fmt.Sprintf("%s over %d", test.rate, test.streams), func(t *testing.T) {
			t.Parallel()
			w := newNetwork(t, 1500, 1500)
			waytest.Run(t, "tc", "-n", w.A, "qdisc", "add", "dev", "eth0", "root", "tbf", "rate", test.rate, "burst", "64kb", "latency", "50ms")
			// A machine that is busy with something else moves less, and truly so; then
			// it is measured again. More than the way lets through is never right.
			for left := 4; ; left-- {
				var port int
				w.start(w.B, task{Listen: test.target}, &port)
				var r Throughput
				w.start(w.A, task{Send: &ThroughputTarget{Address: test.target, Port: port, Token: "secret", Streams: test.streams}}, &r)
				t.Logf("%+v", r)
				got := r.BitsPerSecond / 1e6
				if r.Outcome != facts.OK || got > 1.15*test.want || got < 0.85*test.want && left == 0 {
					t.Fatalf("%.1f Mbit/s, want %.0f: %+v", got, test.want, r)
				}
				if got >= 0.85*test.want {
					return
				}
			}
		})
	}
}

// TestThroughputToken: a stranger gets nothing, and the right sender still does.
func TestThroughputToken(t *testing.T) {
	t.Parallel()
	_, target := listening(t)
	for _, token := range []string{"", "secre", "secret ", "Secret", strings.Repeat("x", 64)} {
		wrong := target
		wrong.Token = token
		if r := measureThroughput(context.Background(), wrong); r.Outcome != facts.WrongHost || english(r.Detail) != "wrong token" ||
			r.Bytes != 0 {
			t.Errorf("token %q: %+v", token, r)
		}
	}
	if r := measureThroughput(context.Background(), target); r.Outcome != facts.OK {
		t.Errorf("right token: %+v", r)
	}
	for _, token := range []string{"", strings.Repeat("x", maxToken+1)} {
		if l, err := listenThroughput(context.Background(), "127.0.0.1", 0, token); err == nil {
			l.Close()
			t.Errorf("token %q was taken", token)
		}
	}
}

// A client speaks to a listener by hand.
func client(t *testing.T, target ThroughputTarget, says string) (net.Conn, string) {
	t.Helper()
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", target.Port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	_ = conn.SetDeadline(time.Now().Add(2 * time.Minute))
	if _, err := io.WriteString(conn, says); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal(err)
	}
	return conn, line
}

const goodHello = `{"token":"secret","sender":"x","seconds":0.2,"streams":1}` + "\n"

// TestThroughputStrangers: what is no greeting is not answered.
func TestThroughputStrangers(t *testing.T) {
	t.Parallel()
	_, target := listening(t)
	for _, says := range []string{"\n", "GET / HTTP/1.1\r\n\r\n", "[]\n", goodHello + "x", strings.Repeat("x", 2*maxLine),
		`{"token":1}` + "\n"} {
		if _, answer := client(t, target, says); answer != "" {
			t.Errorf("%q was answered with %q", says, answer)
		}
	}
	if r := measureThroughput(context.Background(), target); r.Outcome != facts.OK {
		t.Errorf("after strangers: %+v", r)
	}
}

// TestThroughputOneAtATime: a second sender is refused while the first is
// there, and is taken as soon as that one is done.
func TestThroughputOneAtATime(t *testing.T) {
	t.Parallel()
	_, target := listening(t)
	twoStreams := strings.Replace(goodHello, `"streams":1`, `"streams":2`, 1)
	var streams []net.Conn
	for _, test := range []struct{ who, says, want string }{
		{"first", twoStreams, "{}"},
		{"another while a stream is to come", strings.Replace(twoStreams, `"x"`, `"y"`, 1), "under way"},
		{"second stream of the first", twoStreams, "{}"},
		{"third stream of two", twoStreams, "under way"},
	} {
		conn, answer := client(t, target, test.says)
		if !strings.Contains(answer, test.want) {
			t.Errorf("%s is answered %q", test.who, answer)
		}
		if test.want == "{}" {
			streams = append(streams, conn)
		}
	}
	if r := measureThroughput(context.Background(), target); r.Outcome != facts.Failed || !strings.Contains(english(r.Detail), "under way") {
		t.Errorf("second sender: %+v", r)
	}
	for _, stream := range streams {
		stream.(*net.TCPConn).CloseWrite()
	}
	if line, err := bufio.NewReader(streams[0]).ReadString('\n'); line != `{"bytes":0,"seconds":0}`+"\n" {
		t.Errorf("first sender hears %q %v", line, err)
	}
	for range 3 {
		if r := measureThroughput(context.Background(), target); r.Outcome != facts.OK {
			t.Errorf("after the first: %+v", r)
		}
	}
}

// TestThroughputStall: a sender that stops to send is measured as slow, and
// one that never begins does not hold the receiver for long.
func TestThroughputStall(t *testing.T) {
	t.Parallel()
	_, target := listening(t)
	conn, _ := client(t, target, goodHello)
	for range 8 {
		_, _ = conn.Write(make([]byte, 1000))
		time.Sleep(10 * time.Millisecond)
	}
	start := time.Now()
	var arrived arrival
	if err := hear(conn, &arrived); err != nil || arrived.Bytes > 8000 || arrived.Seconds < 0.15 || time.Since(start) > time.Minute {
		t.Errorf("%+v, %v", arrived, err)
	}
	silent, _ := client(t, target, goodHello)
	start = time.Now()
	_, err := bufio.NewReader(silent).ReadString('\n')
	if waited := time.Since(start); waited < 2*sayLimit || waited > 2*sayLimit+time.Minute {
		t.Errorf("silent sender is held %s: %v", waited, err)
	}
	if r := measureThroughput(context.Background(), target); r.Outcome != facts.OK {
		t.Errorf("after the silent one: %+v", r)
	}
}

// TestThroughputEnough: a receiver takes part in a bounded number of measurements.
func TestThroughputEnough(t *testing.T) {
	t.Parallel()
	l, target := listening(t)
	l.mutex.Lock()
	l.left = 1
	l.mutex.Unlock()
	if r := measureThroughput(context.Background(), target); r.Outcome != facts.OK {
		t.Errorf("the last: %+v", r)
	}
	if r := measureThroughput(context.Background(), target); r.Outcome != facts.Failed || !strings.Contains(english(r.Detail), "enough") {
		t.Errorf("one more: %+v", r)
	}
}

// TestThroughputBytes: neither side goes beyond its bytes.
func TestThroughputBytes(t *testing.T) {
	t.Parallel()
	here, there := net.Pipe()
	defer here.Close()
	m := newMeasurement(hello{Seconds: 1})
	m.total = maxBlast - 10
	go func() { _, _ = there.Write(make([]byte, 20)) }()
	if err := m.take(here, make([]byte, 100)); err == nil {
		t.Error("more was taken than is allowed")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if n, err := send(conn.(*net.TCPConn), make([]byte, 100), time.Now().Add(time.Second), 250); n != 200 || err != nil {
		t.Errorf("%d bytes were sent, %v", n, err)
	}
}

// server answers everyone as a test says.
func server(t *testing.T, serve func(net.Conn)) ThroughputTarget {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return ThroughputTarget{Address: "127.0.0.1", Port: l.Addr().(*net.TCPAddr).Port, Token: "secret", Seconds: 0.2}
}

// TestThroughputTargets: whatever answers, the sender ends in time and says
// what was wrong.
func TestThroughputTargets(t *testing.T) {
	t.Parallel()
	swallow := func(says string) func(net.Conn) {
		return func(conn net.Conn) {
			var h hello
			_ = hear(conn, &h)
			_, _ = io.WriteString(conn, "{}\n")
			_, _ = io.Copy(io.Discard, conn)
			_, _ = io.WriteString(conn, says)
		}
	}
	over := t.Context().Done()
	hold := func(says string) func(net.Conn) {
		return func(conn net.Conn) {
			_, _ = io.WriteString(conn, says)
			<-over
		}
	}
	for _, test := range []struct {
		name   string
		serve  func(net.Conn)
		want   facts.Outcome
		detail string
	}{
		{"never answers", hold(""), facts.TimedOut, ""},
		{"answers half a line", hold(`{"ref`), facts.TimedOut, ""},
		{"is another service", hold("220 mail.example ESMTP\r\n"), facts.WrongHost, "220 mail.example"},
		{"is another probe's listener", hold("token\n"), facts.WrongHost, "token"},
		{"floods", hold(strings.Repeat("\x1b[31m", 1<<16)), facts.WrongHost, "something else"},
		{"speaks unasked", hold("{}\n{}\n"), facts.WrongHost, "something else"},
		{"closes", func(conn net.Conn) { _, _ = conn.Read(make([]byte, maxLine)) }, facts.WrongHost, "nothing"},
		{"refuses", hold("{\"refused\":\"\\u001b[31mno\"}\n"), facts.Failed, "no"},
		{"agrees, then takes nothing", hold("{}\n"), facts.TimedOut, ""},
		{"agrees, then closes", func(conn net.Conn) { _, _ = io.WriteString(conn, "{}\n"); time.Sleep(50 * time.Millisecond) }, facts.Failed,
			"early"},
		{"ends without a result", swallow(""), facts.Failed, "early"},
		{"ends with garbage", swallow("hello\n"), facts.WrongHost, "hello"},
		{"claims too much", swallow(`{"bytes":900000000000000,"seconds":1}` + "\n"), facts.WrongHost, "900000000000000 bytes"},
		{"claims no time", swallow(`{"bytes":1000,"seconds":1e-300}` + "\n"), facts.Failed, "too little"},
		{"claims an age", swallow(`{"bytes":1000,"seconds":1e300}` + "\n"), facts.WrongHost, ""},
		{"claims less than nothing", swallow(`{"bytes":-1,"seconds":1}` + "\n"), facts.WrongHost, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			start := time.Now()
			r := measureThroughput(context.Background(), server(t, test.serve))
			if r.Outcome != test.want || !strings.Contains(english(r.Detail), test.detail) || strings.ContainsRune(english(r.Detail), '\x1b') ||
				r.BitsPerSecond != 0 {
				t.Errorf("%+v, want %s %q", r, test.want, test.detail)
			}
			if took := time.Since(start); took > time.Minute {
				t.Errorf("took %s", took)
			}
		})
	}
}

// taking says whether bytes arrive.
func (l *throughputListener) taking() bool {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.current == nil {
		return false
	}
	l.current.mutex.Lock()
	defer l.current.mutex.Unlock()
	return l.current.total > 0
}

// TestThroughputCancelled: both sides end with their context, at once.
func TestThroughputCancelled(t *testing.T) {
	t.Parallel()
	for _, side := range []string{"sender", "receiver"} {
		ctx, cancel := context.WithCancel(context.Background())
		senderCtx, receiverCtx, want := ctx, context.Background(), facts.Unmade
		if side == "receiver" {
			senderCtx, receiverCtx, want = context.Background(), ctx, facts.Failed
		}
		l, err := listenThroughput(receiverCtx, "127.0.0.1", 0, "secret")
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		go func() {
			for !l.taking() {
				time.Sleep(10 * time.Millisecond)
			}
			cancel()
		}()
		r := measureThroughput(senderCtx, ThroughputTarget{Address: "127.0.0.1", Port: l.Port(), Token: "secret", Seconds: 10, Streams: 4})
		if took := time.Since(start); r.Outcome != want || r.Bytes != 0 || took > time.Minute {
			t.Errorf("%s: %+v after %s", side, r, took)
		}
		start = time.Now()
		l.Close()
		if took := time.Since(start); took > time.Minute {
			t.Errorf("%s: listener closes after %s", side, took)
		}
	}
}

// TestThroughputPortComesBack: a port is free as soon as it is given back. It
// is not parallel, for programs that other tests start hold the port for as
// long as it takes them to start.
func TestThroughputPortComesBack(t *testing.T) {
	const port = 21733 // not one that the kernel gives to others
	for range 200 {
		l, err := listenThroughput(context.Background(), "127.0.0.1", port, "secret")
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
	}
	if r := measureThroughput(context.Background(), ThroughputTarget{Address: "127.0.0.1", Port: port}); r.Outcome != facts.Refused {
		t.Errorf("after it was closed: %+v", r)
	}
}

func TestThroughputPortInUse(t *testing.T) {
	t.Parallel()
	l, _ := listening(t)
	if _, err := listenThroughput(context.Background(), "127.0.0.1", l.Port(), "secret"); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("port in use: %v", err)
	}
}

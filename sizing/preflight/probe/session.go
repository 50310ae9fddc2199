//go:build linux

package probe

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"strconv"
	"time"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// A session is how the admin host speaks to a probe: one command a line, one
// answer a line, both JSON. It ends when its input ends, so that a probe never
// outlives the connection it was started over.

// The operations of a session.
const (
	OpClock   = "clock"   // tell the time
	OpCollect = "collect" // read the facts
	OpSteal   = "steal"   // give the stolen time that was left for later when collecting
	OpListen  = "listen"  // open ports; a second one closes those of the first
	OpDial    = "dial"    // dial targets
	OpMTU     = "mtu"     // measure paths
	OpSink    = "sink"    // take what others send to measure throughput; ends what was listened on
	OpBlast   = "blast"   // send to a sink
)

// Command is one line from the admin host.
type Command struct {
	Op      string   `json:"op"`
	Collect *Request `json:"collect,omitempty"`
	Address string   `json:"address,omitempty"` // to listen at
	Token   string   `json:"token,omitempty"`   // to answer with
	Ports   []Port   `json:"ports,omitempty"`
	Targets []Target `json:"targets,omitempty"`
	MTU     int      `json:"mtu,omitempty"`
	To      []string `json:"to,omitempty"`
	Port    int      `json:"port,omitempty"` // to take throughput at; 0 for any
	// Blast is where to send, and for how long.
	Blast *ThroughputTarget `json:"blast,omitempty"`
}

// Answer is one line from the probe.
type Answer struct {
	Op        string          `json:"op"`
	Error     message.Text    `json:"error,omitzero"`
	Time      int64           `json:"time,omitempty"`  // nanoseconds since 1970 by the host's clock
	Facts     json.RawMessage `json:"facts,omitempty"` // read with facts.Read by who receives it
	Listening []Listening     `json:"listening,omitempty"`
	Dialled   []Dialled       `json:"dialled,omitempty"`
	Steal     json.RawMessage `json:"steal,omitempty"` // a facts.Value of per cent
	Paths     []MTU           `json:"paths,omitempty"`
	Port      int             `json:"port,omitempty"` // that throughput is taken at

	Throughput *Throughput `json:"throughput,omitempty"`
}

// Limits of a session.
const (
	MaxAnswer   = 8 << 20 // bytes of one answer, which a dial of many targets fills most
	maxCommand  = 8 << 20
	sessionTime = 15 * time.Minute
)

// Serve answers commands until the input ends or the session has lasted its
// longest.
func Serve(ctx context.Context, s System, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, sessionTime)
	defer cancel()
	commands := make(chan []byte)
	ended := make(chan error, 1)
	go func() {
		defer cancel() // whatever is under way ends with the connection
		scanner := bufio.NewScanner(in)
		scanner.Buffer(make([]byte, 64<<10), maxCommand)
		for scanner.Scan() {
			select {
			case commands <- append([]byte(nil), scanner.Bytes()...):
			case <-ctx.Done():
				return
			}
		}
		ended <- scanner.Err()
	}()
	session := &session{system: s}
	defer session.close()
	encoder := json.NewEncoder(out)
	for {
		select {
		case line := <-commands:
			if err := encoder.Encode(session.answer(ctx, line)); err != nil {
				return err
			}
		case <-ctx.Done():
			select {
			case err := <-ended:
				return err
			default:
				return ctx.Err()
			}
		}
	}
}

type session struct {
	system    System
	listeners *Listeners
	sink      *throughputListener
	steal     chan facts.Value[float64] // gives the stolen time once, after its sample
}

func (s *session) close() {
	if s.listeners != nil {
		s.listeners.Close()
		s.listeners = nil
	}
	if s.sink != nil {
		s.sink.Close()
		s.sink = nil
	}
}

func (s *session) answer(ctx context.Context, line []byte) Answer {
	var command Command
	if err := json.Unmarshal(line, &command); err != nil {
		return Answer{Error: message.Of("facts.reach.no-command", message.Args{"why": facts.Cut(err.Error())})}
	}
	answer := Answer{Op: command.Op}
	var err error
	switch command.Op {
	case OpClock:
		answer.Time = time.Now().UnixNano()
	case OpCollect:
		answer.Facts, err = s.collect(ctx, command)
	case OpSteal:
		answer.Steal, err = s.stolen(ctx)
	case OpListen:
		s.close()
		if len(command.Token) == 0 || len(command.Token) > maxToken {
			err = message.NewProblem("facts.reach.token", message.Args{"most": maxToken})
			break
		}
		s.listeners, answer.Listening = Listen(command.Address, command.Token, command.Ports)
	case OpDial:
		answer.Dialled = Dial(ctx, command.Targets)
	case OpMTU:
		answer.Paths = PathMTU(ctx, command.MTU, command.To)
	case OpSink:
		s.close()
		if s.sink, err = listenThroughput(ctx, command.Address, command.Port, command.Token); err == nil {
			answer.Port = s.sink.Port()
		}
	case OpBlast:
		if command.Blast == nil {
			err = message.NewProblem("facts.reach.no-target", nil)
			break
		}
		result := measureThroughput(ctx, *command.Blast)
		answer.Throughput = &result
	default:
		err = message.NewProblem("facts.reach.unknown-operation", message.Args{"operation": strconv.Quote(command.Op)})
	}
	if err != nil {
		answer.Error = reason(err)
	}
	return answer
}

func (s *session) collect(ctx context.Context, command Command) (json.RawMessage, error) {
	if command.Collect == nil {
		return nil, message.NewProblem("facts.reach.no-request", nil)
	}
	request := command.Collect.complete()
	if request.StealLater {
		steal := make(chan facts.Value[float64], 1)
		go func() { steal <- s.system.steal(ctx, request.Sample) }()
		s.steal = steal
	}
	document, err := Collect(ctx, s.system, request)
	if err != nil {
		return nil, err
	}
	return json.Marshal(document)
}

// stolen waits for the sample that began when the facts were collected.
func (s *session) stolen(ctx context.Context) (json.RawMessage, error) {
	if s.steal == nil {
		return nil, message.NewProblem("facts.reach.nothing-later", nil)
	}
	select {
	case value := <-s.steal:
		s.steal = nil
		return json.Marshal(value)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

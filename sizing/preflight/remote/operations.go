//go:build linux

package remote

import (
	"bytes"
	"context"
	"math"
	"slices"
	"time"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/probe"
)

// Limits of the operations. A probe holds itself to tighter ones.
const (
	clockLimit   = 10 * time.Second
	collectLimit = 90 * time.Second
	stealLimit   = 20 * time.Second
	listenLimit  = 10 * time.Second
	dialLimit    = 5 * time.Minute
	blastLimit   = 40 * time.Second
)

// Clock compares the host's clock with this machine's, by the exchange with the
// shortest round trip of several: the true offset is within its uncertainty.
func (s *Session) Clock(ctx context.Context, exchanges int) (*facts.Clock, error) {
	best := &facts.Clock{Uncertainty: math.Inf(1), Exchanges: exchanges}
	for range exchanges {
		sent := time.Now()
		answer, err := s.ask(ctx, probe.Command{Op: probe.OpClock}, clockLimit)
		if err != nil {
			return nil, err
		}
		trip := time.Since(sent) // by the monotonic clock
		if half := trip.Seconds() / 2; half < best.Uncertainty {
			middle := sent.Add(trip / 2)
			best.Offset, best.Uncertainty = time.Unix(0, answer.Time).Sub(middle.Round(0)).Seconds(), half
		}
	}
	return best, nil
}

// Collect has the host's facts read.
func (s *Session) Collect(ctx context.Context, request probe.Request) (*facts.Facts, error) {
	answer, err := s.ask(ctx, probe.Command{Op: probe.OpCollect, Collect: &request}, collectLimit)
	if err != nil {
		return nil, err
	}
	document, err := facts.Read(bytes.NewReader(answer.Facts))
	if err != nil {
		return nil, unreached(facts.Nonsense, facts.Reason(err))
	}
	return document, nil
}

// Steal returns the stolen time that was left for later when collecting.
func (s *Session) Steal(ctx context.Context) (facts.Value[float64], error) {
	answer, err := s.ask(ctx, probe.Command{Op: probe.OpSteal}, stealLimit)
	if err != nil {
		return facts.Value[float64]{}, err
	}
	value, err := facts.ReadValue[float64](answer.Steal)
	if err != nil {
		return value, unreached(facts.Nonsense, facts.Reason(err))
	}
	return value, nil
}

// Listen opens ports. The states are in the order of the ports.
func (s *Session) Listen(ctx context.Context, address, token string, ports []probe.Port) ([]probe.Listening, error) {
	answer, err := s.ask(ctx, probe.Command{Op: probe.OpListen, Address: address, Token: token, Ports: ports}, listenLimit)
	if err != nil {
		return nil, err
	}
	states := answer.Listening
	if !slices.EqualFunc(states, ports, func(l probe.Listening, p probe.Port) bool { return l.Port == p }) {
		return nil, unreached(facts.Nonsense, message.Of("facts.reach.other-ports", nil))
	}
	for i := range states {
		states[i].Outcome = oneOf(states[i].Outcome, facts.OK, facts.InUse, facts.Failed)
		states[i].Detail = facts.Heard(states[i].Detail)
	}
	return states, nil
}

// Dial tries targets. The results are in their order.
func (s *Session) Dial(ctx context.Context, targets []probe.Target) ([]probe.Dialled, error) {
	answer, err := s.ask(ctx, probe.Command{Op: probe.OpDial, Targets: targets}, dialLimit)
	if err != nil {
		return nil, err
	}
	results := answer.Dialled
	if !slices.EqualFunc(results, targets, func(d probe.Dialled, t probe.Target) bool { return d.Target == t }) {
		return nil, unreached(facts.Nonsense, message.Of("facts.reach.other-targets", nil))
	}
	for i := range results {
		r := &results[i]
		r.Outcome = oneOf(r.Outcome, facts.OK, facts.Refused, facts.TimedOut, facts.WrongHost, facts.Down, facts.Unresolved, facts.Failed)
		r.Detail, r.RoundTrip = facts.Heard(r.Detail), sane(r.RoundTrip)
	}
	return results, nil
}

// PathMTU measures the way to addresses. The results are in their order.
func (s *Session) PathMTU(ctx context.Context, largest int, addresses []string) ([]probe.MTU, error) {
	answer, err := s.ask(ctx, probe.Command{Op: probe.OpMTU, MTU: largest, To: addresses}, dialLimit)
	if err != nil {
		return nil, err
	}
	results := answer.Paths
	if !slices.EqualFunc(results, addresses, func(m probe.MTU, a string) bool { return m.Address == a }) {
		return nil, unreached(facts.Nonsense, message.Of("facts.reach.other-addresses", nil))
	}
	for i := range results {
		r := &results[i]
		r.Outcome = oneOf(r.Outcome, facts.OK, facts.TimedOut, facts.Down, facts.Refused, facts.Unmade, facts.Failed)
		r.Detail, r.RoundTrip, r.Bytes = facts.Heard(r.Detail), sane(r.RoundTrip), max(r.Bytes, 0)
	}
	return results, nil
}

// Sink lets others send to the host, and gives the port at which it takes that.
// What it listened on before, it does no more.
func (s *Session) Sink(ctx context.Context, address string, port int, token string) (int, error) {
	answer, err := s.ask(ctx, probe.Command{Op: probe.OpSink, Address: address, Port: port, Token: token}, listenLimit)
	if err != nil {
		return 0, err
	}
	if answer.Port < 1 || answer.Port > 65535 {
		return 0, unreached(facts.Nonsense, message.Of("facts.reach.no-port", nil))
	}
	return answer.Port, nil
}

// Blast sends to a sink on another host.
func (s *Session) Blast(ctx context.Context, target probe.ThroughputTarget) (probe.Throughput, error) {
	answer, err := s.ask(ctx, probe.Command{Op: probe.OpBlast, Blast: &target}, blastLimit)
	if err != nil {
		return probe.Throughput{}, err
	}
	if answer.Throughput == nil {
		return probe.Throughput{}, unreached(facts.Nonsense, message.Of("facts.reach.no-measurement", nil))
	}
	r := *answer.Throughput
	r.Outcome = oneOf(r.Outcome, facts.OK, facts.Refused, facts.TimedOut, facts.WrongHost, facts.Down, facts.Unresolved,
		facts.Unmade, facts.Failed)
	r.Detail, r.Address, r.Port = facts.Heard(r.Detail), target.Address, target.Port
	if !(r.BitsPerSecond >= 0 && r.BitsPerSecond < 1e15) || r.Retransmits < -1 { // not a number is neither
		return probe.Throughput{}, unreached(facts.Nonsense, message.Of("facts.reach.no-measurement", nil))
	}
	return r, nil
}

func oneOf(outcome facts.Outcome, known ...facts.Outcome) facts.Outcome {
	if slices.Contains(known, outcome) {
		return outcome
	}
	return facts.Failed
}

func sane(milliseconds float64) float64 {
	if milliseconds >= 0 && milliseconds < 1e6 {
		return milliseconds
	}
	return 0
}

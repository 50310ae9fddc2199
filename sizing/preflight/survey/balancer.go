//go:build linux

package survey

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// The ports of a load balancer and the node ports behind them (the guide).
const (
	httpsPort, httpPort = 443, 80
	balancerLimit       = 5 * time.Second
	maxBalancerAnswer   = 64
	maxBalancerTries    = 6
	balancerPatience    = 12 * time.Second
	balancerPause       = time.Second
)

// loadBalancer connects to the load balancer while probes listen on the node
// ports: whose token comes back tells which node it leads to. It may lead to
// each node in turn, those included that were not measured. One that looks after
// its nodes sends nobody there before it has seen them answer, some seconds
// after they have begun.
// The hosts may do other things meanwhile: the function that it gives waits for
// what was seen.
func (s *surveyor) loadBalancer(ctx context.Context) (wait func() []facts.Observation) {
	if s.options.Site == nil || s.options.Site.Preflight.LoadBalancer == nil {
		return func() []facts.Observation { return nil }
	}
	var nodes int
	var lost []string
	for i := range s.visits {
		if v := &s.visits[i]; site.InAny(v.host.Groups, nodeGroup) {
			nodes++
			if v.session == nil {
				lost = append(lost, v.host.Name)
			}
		}
	}
	lb := s.options.Site.Preflight.LoadBalancer
	ports := []int{cmp.Or(lb.HTTPS, httpsPort), cmp.Or(lb.HTTP, httpPort)}
	result := make([]facts.Observation, len(ports))
	var tasks sync.WaitGroup
	for i, port := range ports {
		tasks.Go(func() {
			address := net.JoinHostPort(lb.Address, strconv.Itoa(port))
			for deadline := time.Now().Add(balancerPatience); ; {
				o := s.balanceAll(ctx, address, min(nodes, maxBalancerTries))
				if o.Outcome != facts.OK && len(lost) > 0 {
					o.Outcome, o.Detail = facts.Moot, message.Of("facts.seen.may-lead", message.Args{"hosts": strings.Join(lost, ", ")})
				}
				result[i] = o
				if o.Outcome == facts.OK || o.Outcome == facts.Moot || nodes == 0 || time.Now().After(deadline) {
					return
				}
				select {
				case <-time.After(balancerPause):
				case <-ctx.Done():
					return
				}
			}
		})
	}
	return func() []facts.Observation {
		tasks.Wait()
		return result
	}
}

// balanceAll connects several times at once, of which one that leads to a node
// is enough.
func (s *surveyor) balanceAll(ctx context.Context, address string, tries int) facts.Observation {
	best := facts.Observation{
		Subject: facts.SubjectBalancer,
		Object:  address,
		Method:  message.Of("facts.method.load-balancer", nil),
		Outcome: facts.Unmade,
	}
	best.Detail = message.Of("facts.seen.no-node", nil)
	results := make(chan facts.Observation, tries)
	for range tries {
		go func() { results <- s.balance(ctx, address) }()
	}
	for range tries {
		if best = <-results; best.Outcome == facts.OK {
			break
		}
	}
	return best
}

func (s *surveyor) balance(ctx context.Context, address string) facts.Observation {
	o := facts.Observation{Subject: facts.SubjectBalancer, Object: address, Method: message.Of("facts.method.load-balancer", nil)}
	dialer := net.Dialer{Timeout: balancerLimit}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err == nil && s.options.Upgrade {
		_ = conn.Close()
		o.Outcome, o.Detail = facts.OK, message.Of("facts.seen.installed", nil)
		return o
	}
	if err == nil {
		defer conn.Close()
		_ = conn.SetDeadline(time.Now().Add(balancerLimit))
		answer := make([]byte, maxBalancerAnswer)
		var n int
		n, err = io.ReadAtLeast(conn, answer, 1)
		token := strings.TrimSpace(string(answer[:n]))
		for i := range s.visits {
			if v := &s.visits[i]; v.token == token && site.InAny(v.host.Groups, nodeGroup) {
				o.Outcome, o.Detail = facts.OK, message.Of("facts.seen.leads-to", message.Args{"host": v.host.Name})
				return o
			}
		}
		switch {
		case err == nil, errors.Is(err, io.EOF):
			o.Outcome, o.Detail = facts.WrongHost, message.Of("facts.seen.no-node-port", nil)
			return o
		}
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET):
		o.Outcome = facts.Refused
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded), os.IsTimeout(err):
		o.Outcome = facts.TimedOut
	default:
		o.Outcome, o.Detail = facts.Failed, facts.Reason(err)
	}
	return o
}

//go:build linux

package survey

import (
	"context"
	"crypto/rand"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/probe"
	"github.com/islandbundle/island/sizing/site"
)

// nodeGroup are the hosts that conference servers and the ingress run on.
var nodeGroup = []string{site.NodeGroup}

// throughput lets each conference host send to the next one, the last one to
// the first: so each sends once and receives once. One pair at a time, since
// machines may share a server, and its network card.
func (s *surveyor) throughput(ctx context.Context, dialled []facts.Link) []facts.Link {
	var ring []*visit
	for i := range s.visits {
		if v := &s.visits[i]; v.session != nil && v.result.Internal != "" && site.InAny(v.host.Groups, nodeGroup) {
			ring = append(ring, v)
		}
	}
	if len(ring) < 2 {
		return nil
	}
	var links []facts.Link
	for i, from := range ring {
		to := ring[(i+1)%len(ring)]
		port := reachedPort(dialled, from, to)
		if s.options.Upgrade {
			port = 0 // those that were reached are what is installed
		}
		if from.session != nil && to.session != nil {
			links = append(links, s.send(ctx, from, to, port))
		}
	}
	return links
}

// reachedPort returns a TCP port of a host that another one has reached, which no
// firewall between them blocks; 0 if there is none.
func reachedPort(dialled []facts.Link, from, to *visit) int {
	for _, link := range dialled {
		if link.From == from.host.Name && link.To == to.host.Name && link.Protocol == "tcp" && link.Outcome == facts.OK {
			return link.Port
		}
	}
	return 0
}

func (s *surveyor) send(ctx context.Context, from, to *visit, port int) facts.Link {
	s.stage(from, Send)
	link := facts.Link{From: from.host.Name, To: to.host.Name, Address: to.result.Internal, Protocol: "throughput", Rows: []string{},
		Outcome: facts.Unmade}
	token := rand.Text() // a secret, other than what listeners tell everyone
	port, err := to.session.Sink(ctx, to.result.Internal, port, token)
	if err != nil {
		s.unlessOnlyFailed(to, err)
		link.Detail = why(err)
		return link
	}
	r, err := from.session.Blast(ctx, probe.ThroughputTarget{Address: to.result.Internal, Port: port, Token: token})
	if err != nil {
		s.unlessOnlyFailed(from, err)
		link.Detail = why(err)
		return link
	}
	link.Port, link.Outcome, link.Detail = port, r.Outcome, r.Detail
	link.BitsPerSecond, link.Retransmits = r.BitsPerSecond, max(r.Retransmits, 0)
	return link
}

// why says why a host did not do something.
func why(err error) message.Text {
	reach := reachOf(err)
	if reach.Outcome == "" {
		return facts.Reason(err)
	}
	if reach.Detail.IsZero() {
		return reach.Outcome.Text()
	}
	return message.Of("facts.reach.outcome", message.Args{"outcome": reach.Outcome.Text(), "detail": reach.Detail})
}

// unlessOnlyFailed returns a host up, unless its probe has only said that it could
// not do something: that is no reason to forget what it has said before.
func (s *surveyor) unlessOnlyFailed(v *visit, err error) {
	if reachOf(err).Outcome == facts.Failed {
		return
	}
	s.lost(v, err)
}

package preflight

import (
	"math"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// throughput judges what conference hosts could send each other.
func (j *judgement) throughput() {
	const id = "link.throughput"
	asked := false
	for _, link := range j.Survey.Links {
		if link.Protocol != "throughput" {
			continue
		}
		asked = true
		least := j.limit(id, "mbit")
		f := found{host: link.From, object: names(link.From + " → " + link.To), unit: unit("Mbps"), required: atLeast(least)}
		f.method = message.Of("facts.method.throughput", nil)
		if link.Outcome != facts.OK {
			f.outcome = Error
			f.message = message.Of("preflight.finding.throughput-unmeasured", args{"to": link.To, "why": ended(link.Outcome, link.Detail)})
			j.add(id, f)
			continue
		}
		mbit := link.BitsPerSecond / 1e6
		f.outcome, f.observed = passIf(mbit >= least, Fail), Number(math.RoundToEven(mbit))
		f.message = message.Of("preflight.finding.throughput",
			args{"rate": math.RoundToEven(mbit), "to": link.To, "required": least, "again": link.Retransmits})
		j.add(id, f)
	}
	if asked {
		return
	}
	for i := range j.Survey.Hosts {
		if host := &j.Survey.Hosts[i]; host.Facts != nil && j.concerns(id, host) {
			j.add(id, found{host: host.Name, outcome: Skipped, message: message.Of("preflight.finding.throughput-unasked", nil)})
		}
	}
}

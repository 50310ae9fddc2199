package preflight

import (
	"fmt"

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
		f := found{host: link.From, object: link.From + " → " + link.To, unit: "Mbit/s", required: "≥ " + trim(least), method: "bytes of one TCP stream at the host that receives, over 2 s of which the first fifth does not count"}
		if link.Outcome != facts.OK {
			f.outcome, f.message = Error, say("throughput to %s could not be measured: %s", "Durchsatz zu %s konnte nicht gemessen werden: %s", link.To, ended(link.Outcome, link.Detail))
			j.add(id, f)
			continue
		}
		mbit := link.BitsPerSecond / 1e6
		f.outcome, f.observed = passIf(mbit >= least, Fail), fmt.Sprintf("%.0f", mbit)
		f.message = say("%s Mbit/s to %s, %s wanted (%d segments sent again)", "%s Mbit/s zu %s, %s verlangt (%d Segmente wiederholt)", Phrase(f.observed), link.To, Phrase(trim(least)), link.Retransmits)
		j.add(id, f)
	}
	if asked {
		return
	}
	for i := range j.Survey.Hosts {
		if host := &j.Survey.Hosts[i]; host.Facts != nil && j.concerns(id, host) {
			j.add(id, found{host: host.Name, outcome: Skipped, message: say("not asked for: --throughput measures it", "Nicht verlangt: --throughput misst ihn")})
		}
	}
}

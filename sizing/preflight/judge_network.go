package preflight

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// clocks compares each host's clock with the median of all.
func (j *judgement) clocks() {
	var offsets []float64
	for _, host := range j.Survey.Hosts {
		if host.Clock != nil {
			offsets = append(offsets, host.Clock.Offset)
		}
	}
	median := 0.0
	if len(offsets) > 0 {
		slices.Sort(offsets)
		median = offsets[(len(offsets)-1)/2]
	}
	warn, fail := j.limit("time.offset", "warn"), j.limit("time.offset", "fail")
	for i := range j.Survey.Hosts {
		host := &j.Survey.Hosts[i]
		if host.Clock == nil {
			if host.Facts != nil {
				j.add("time.offset", found{host: host.Name, outcome: Skipped, message: message.Of("preflight.finding.no-clock", nil)})
			}
			continue
		}
		deviation := math.Abs(host.Clock.Offset - median)
		certain := math.Max(0, deviation-host.Clock.Uncertainty)
		f := found{host: host.Name, outcome: graded(certain, warn, fail), required: atMost(warn), unit: unit("s")}
		f.observed = message.Of("preflight.value.deviation", args{"n": deviation, "uncertainty": host.Clock.Uncertainty})
		f.method = message.Of("facts.method.clock", args{"exchanges": host.Clock.Exchanges})
		f.message = message.Of("preflight.finding.clock", args{"deviation": f.observed})
		j.add("time.offset", f)
	}
}

// mtus finds hosts whose interface differs from what most have.
func (j *judgement) mtus() {
	count := map[int]int{}
	for i := range j.Survey.Hosts {
		if host := &j.Survey.Hosts[i]; host.Facts != nil {
			if n, _ := nic(host); n != nil {
				count[n.MTU]++
			}
		}
	}
	usual := 0
	for mtu, hosts := range count {
		if hosts > count[usual] || hosts == count[usual] && mtu > usual {
			usual = mtu
		}
	}
	for i := range j.Survey.Hosts {
		host := &j.Survey.Hosts[i]
		if host.Facts == nil {
			continue
		}
		n, _ := nic(host)
		if n == nil {
			continue
		}
		f := found{host: host.Name, object: names(n.Name), outcome: passIf(n.MTU == usual, Fail), unit: unit("bytes")}
		f.observed, f.required, f.method = Number(n.MTU), Number(usual), host.Facts.Network.Interfaces.Method
		f.message = message.Of("preflight.finding.mtu", args{"name": n.Name, "mtu": n.MTU, "usual": usual})
		j.add("net.mtu", f)
	}
}

// links judges who reached whom: one finding for each port of a host, or range
// of ports, and each way in which it was not reached, naming all who tried.
func (j *judgement) links() {
	type key struct {
		to, object string
		outcome    facts.Outcome
	}
	groups := map[key][]facts.Link{}
	var order []key
	for _, link := range j.Survey.Links {
		if link.Protocol != "tcp" && link.Protocol != "udp" {
			continue
		}
		k := key{link.To, j.portName(link), link.Outcome}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], link)
	}
	for _, k := range order {
		j.port(k.object, groups[k])
	}
	j.listeners()
	j.paths()
	j.throughput()
	if wants := Wants(j.Ports, j.Survey.Hosts); len(groups) == 0 && len(wants) > 0 {
		j.add("link.tcp", found{outcome: Skipped, message: message.Of("preflight.finding.no-links", nil)})
	}
}

// listeners finds programs that have a port of a host's roles at an address
// where no other host would notice: a service that listens at all addresses, or
// at that one, does not start beside them.
func (j *judgement) listeners() {
	if j.isUpgrade() {
		return // then it is the services themselves
	}
	type port struct {
		host, protocol string
		number         int
	}
	said := map[port]bool{}
	for _, link := range j.Survey.Links {
		if link.Outcome == facts.InUse {
			said[port{link.To, link.Protocol, link.Port}] = true
		}
	}
	for _, host := range j.Survey.Hosts {
		if host.Facts == nil {
			continue
		}
		for _, listener := range host.Facts.Network.Listeners.Value {
			row := j.rowTo(host.Groups, listener.Protocol, listener.Port)
			p := port{host.Name, listener.Protocol, listener.Port}
			if row == nil || row.SampleOf != "" || said[p] {
				continue
			}
			said[p] = true
			f := found{host: host.Name, object: names(fmt.Sprintf("%s/%d", p.protocol, p.number)), outcome: Fail, source: j.portSource(row)}
			f.observed, f.required, f.method = facts.InUse.Text(), message.Of("preflight.value.free", nil), host.Facts.Network.Listeners.Method
			f.message = message.Of("preflight.finding.listener", args{
				"port": f.object, "purpose": purposeOf(row), "address": listener.Address, "process": processOf(listener),
			})
			j.add("port.in-use", f)
		}
	}
}

// processOf names the program that listens; without root its name may not be known.
func processOf(listener facts.Listener) message.Text {
	if listener.Process == "" {
		return message.Of("preflight.value.some-program", nil)
	}
	return message.Plain(listener.Process)
}

// rowTo returns the first row that wants a port of a host in these groups, or nil.
func (j *judgement) rowTo(groups []string, protocol string, port int) *site.PortRow {
	for i := range j.Ports.Rows {
		if row := &j.Ports.Rows[i]; row.Protocol == protocol && slices.Contains(row.Ports, port) && site.InAny(groups, row.To) {
			return row
		}
	}
	return nil
}

// rowOf returns the row of the table of ports that first wants a link, or nil.
func (j *judgement) rowOf(link facts.Link) *site.PortRow {
	if len(link.Rows) == 0 {
		return nil
	}
	return portRow(j.Ports, link.Rows[0])
}

// portSource names where in the table of ports a row stands.
func (j *judgement) portSource(row *site.PortRow) message.Text {
	return message.Of("preflight.source.ports-row", args{"row": row.ID, "title": j.Ports.Sources[row.Source].Title})
}

// portName names a port, or the range that it is a sample of.
func (j *judgement) portName(link facts.Link) string {
	if row := j.rowOf(link); row != nil && row.SampleOf != "" {
		return link.Protocol + "/" + row.SampleOf
	}
	return fmt.Sprintf("%s/%d", link.Protocol, link.Port)
}

// port judges attempts at one port that ended alike.
func (j *judgement) port(object string, links []facts.Link) {
	link, row := links[0], j.rowOf(links[0])
	id := "link." + link.Protocol
	f := found{host: link.To, object: names(object), observed: link.Outcome.Text(), required: facts.OK.Text()}
	f.method = message.Of("facts.method.dial", nil)
	purpose := f.object
	if row != nil {
		f.source, purpose = j.portSource(row), purposeOf(row)
	}
	var from []string
	for _, l := range links {
		if !slices.Contains(from, l.From) {
			from = append(from, l.From)
		}
	}
	said := args{"port": f.object, "from": strings.Join(from, ", ")}
	outcome, why := link.Outcome, link.Detail
	if outcome == facts.Refused && j.measuredHost(link.To) == nil {
		outcome, why = facts.Unmade, ended(link.Outcome, link.Detail) // the probe that was to listen there has died
	}
	switch outcome {
	case facts.OK:
		f.outcome, f.message = Pass, message.Of("preflight.finding.port-reached", said)
	case facts.InUse:
		id = "port.in-use"
		j.inUse(&f, purpose, link, row)
	case facts.Unmade:
		f.outcome = Error
		if j.measuredHost(link.To) == nil {
			f.outcome = Skipped // which its own finding says
		}
		said["why"] = why
		f.message = message.Of("preflight.finding.port-untried", said)
	default:
		said["purpose"], said["ended"] = purpose, ended(link.Outcome, link.Detail)
		f.outcome, f.message = Fail, message.Of("preflight.finding.port", said)
	}
	j.add(id, f)
}

// inUse judges a port that another program had when the probe was to listen.
func (j *judgement) inUse(f *found, purpose message.Text, link facts.Link, row *site.PortRow) {
	f.outcome, f.required = Fail, message.Of("preflight.value.free", nil)
	f.message = message.Of("preflight.finding.port-in-use", args{"port": f.object, "purpose": purpose})
	if !link.Detail.IsZero() {
		f.message = message.Of("preflight.finding.port-in-use-by", args{"port": f.object, "purpose": purpose, "by": link.Detail})
	}
	if other := j.alsoListens(link); other != "" {
		f.outcome = Skipped // it is the probe that has come by the other name
		f.message = message.Of("preflight.finding.port-shared", args{"port": f.object, "name": other})
	}
	if row != nil && row.SampleOf != "" || j.isUpgrade() {
		f.outcome = Skipped // one of many ports: by chance another program's; or the very service that is upgraded
	}
}

// alsoListens returns another name of the machine that a link leads to by which the same
// port is to be listened on.
func (j *judgement) alsoListens(link facts.Link) string {
	m := j.machines[link.To]
	if m == nil {
		return ""
	}
	for _, host := range m.hosts {
		if host.Name != link.To && j.rowTo(host.Groups, link.Protocol, link.Port) != nil {
			return host.Name
		}
	}
	return ""
}

func (j *judgement) mtuOf(name string) int {
	if host := j.measuredHost(name); host != nil {
		if n, _ := nic(host); n != nil {
			return n.MTU
		}
	}
	return 0
}

// summariseLinks returns the cells of the matrix.
func summariseLinks(links []facts.Link, ports *site.Ports) []LinkSummary {
	type pair struct{ from, to string }
	index := map[pair]int{}
	result := []LinkSummary{}
	for _, link := range links {
		if link.Protocol != "tcp" && link.Protocol != "udp" {
			continue
		}
		p := pair{link.From, link.To}
		i, ok := index[p]
		if !ok {
			i = len(result)
			index[p] = i
			result = append(result, LinkSummary{From: link.From, To: link.To})
		}
		result[i].Tried++
		if link.Outcome == facts.OK {
			result[i].OK++
		} else {
			result[i].Bad = append(result[i].Bad, badLink(ports, link))
		}
	}
	return result
}

func badLink(p *site.Ports, link facts.Link) BadLink {
	bad := BadLink{Protocol: link.Protocol, Port: link.Port, Outcome: link.Outcome, Detail: link.Detail}
	if len(link.Rows) == 0 {
		return bad
	}
	if row := portRow(p, link.Rows[0]); row != nil {
		bad.Purpose = purposeOf(row)
		if row.SampleOf != "" && link.Outcome == facts.InUse {
			bad.Outcome = facts.Unmade // one of many ports: by chance another program's
		}
	}
	return bad
}

package sizing

import (
	"github.com/islandbundle/island/sizing/site"
)

// conferencing returns what conferences take, with formulas.
func (c *calculation) conferencing() *Conferencing {
	r := &Conferencing{
		Groups: []ConferenceLine{}, Nodes: c.nodes, ServersNeeded: c.serversNeeded(),
		Usable: c.usable(), NIC: c.table.Rules.Network.NIC.Value,
		OneOfMax: c.largest, Curve: c.curve(),
	}
	rule := c.table.Rules.Conference
	for _, g := range c.site.Conferences {
		video := portion(c.videoShare(), g.Participants)
		each := rule.Of(g.Participants, video)
		r.Groups = append(r.Groups, ConferenceLine{g.Count, g.Participants, video, each, each.times(g.Count), c.groupFormula(g.Participants, video)})
		r.Total.Video += video * g.Count
	}
	r.Total.Count, r.Total.Participants = c.site.Conferences.Count(), c.site.Conferences.Participants()
	r.Total.All = c.total
	r.Cores = c.coreLines()
	r.Figures = c.conferenceFigures()
	return r
}

// groupFormula writes out what one conference receives and sends.
func (c *calculation) groupFormula(n, video int64) string {
	l, rule := c.lang, c.table.Rules.Conference
	audios := min(n, rule.AudioStreams.Value)
	videos := (rule.down(n, video) - site.Kbps(audios)*rule.Audio.Value) / rule.Video.Value
	return l.F("receives %s × %s + %s × %s kbit/s; sends %s × (%s × %s + %s × %s) kbit/s",
		"empfängt %s × %s + %s × %s kbit/s; sendet %s × (%s × %s + %s × %s) kbit/s",
		l.Int(n), number(l, rule.Audio.Value), l.Int(video), number(l, rule.Video.Value),
		l.Int(n), l.Int(audios), number(l, rule.Audio.Value), number(l, videos), number(l, rule.Video.Value))
}

func (c *calculation) streamSources() []string {
	r := c.table.Rules.Conference
	return refers(r.Audio.Source, r.Video.Source, r.AudioStreams.Source, r.VideoStreams.Source)
}

func (c *calculation) conferenceFigures() []Figure {
	l, k := c.lang, int64(c.nodes)
	streams, bound := c.streamSources(), append(c.streamSources(), "Graham")
	spread := func(total, largest site.Kbps) string {
		return l.F("(%s + (%s − 1) × %s) / %s: each conference starts on the server that then carries least", "(%s + (%s − 1) × %s) / %s: jede Konferenz beginnt auf dem Server, der gerade am wenigsten trägt",
			l.Rate(int64(total)), l.Int(k), l.Rate(int64(largest)), l.Int(k))
	}
	sum := l.T("sum over all conferences", "Summe über alle Konferenzen")
	network := c.table.Rules.Network
	figures := []Figure{
		c.figure("conference.total.in", l.T("All conferences, received", "Alle Konferenzen, empfangen"), int64(c.total.In), UnitKbps, AtMost, sum, streams...),
		c.figure("conference.total.out", l.T("All conferences, sent", "Alle Konferenzen, gesendet"), int64(c.total.Out), UnitKbps, AtMost, sum, streams...),
		c.figure("conference.server.in", l.T("Per conference server, received", "Je Konferenzserver, empfangen"), int64(c.perNode.In), UnitKbps, AtMost, spread(c.total.In, c.largest.In), bound...),
		c.figure("conference.server.out", l.T("Per conference server, sent", "Je Konferenzserver, gesendet"), int64(c.perNode.Out), UnitKbps, AtMost, spread(c.total.Out, c.largest.Out), bound...),
		c.figure("conference.largest.out", l.T("Largest single conference, sent", "Größte einzelne Konferenz, gesendet"), int64(c.largest.Out), UnitKbps, AtMost,
			l.T("one call lives on one conference server", "eine Konferenz lebt auf einem einzigen Konferenzserver"), "WD-sft"),
		c.figure("network.usable", l.T("One network card, usable in each direction", "Eine Netzwerkkarte, nutzbar je Richtung"), int64(c.usable()), UnitKbps, Exactly,
			l.F("%s less %s headroom", "%s abzüglich %s Reserve", l.Rate(int64(network.NIC.Value)), l.Percent(int64(network.Headroom.Value))), refers(network.NIC.Source, network.Headroom.Source)...),
		c.figure("conference.cores", l.T("Cores added to each Kubernetes node", "Zusätzliche Kerne je Kubernetes-Knoten"), c.extraCores, UnitCores, AtLeast, c.coresFormula(), c.coreSources()...),
	}
	if c.nodesLeft > 0 && c.nodesLeft < c.nodes {
		left := worstTraffic(c.total, c.largest, c.nodesLeft)
		figures = append(figures, c.figure("conference.server.out.after-loss", l.T("Per conference server, sent, with one server lost", "Je Konferenzserver, gesendet, nach Verlust eines Servers"),
			int64(left.Out), UnitKbps, AtMost, l.F("the same with %s of %s conference servers", "dasselbe mit %s von %s Konferenzservern", number(l, c.nodesLeft), l.Int(k)), bound...))
	}
	if factor := c.factor(SFTMemory, ""); factor != nil {
		figures = append(figures, c.figure("conference.memory", l.T("Memory added to each Kubernetes node, by your own factor", "Zusätzlicher Arbeitsspeicher je Kubernetes-Knoten, nach eigenem Faktor"),
			int64(c.extraMemory), UnitBytes, AtLeast, l.F("%s participants × %s MB", "%s Teilnehmer × %s MB", l.Int(c.site.Conferences.Participants()), l.Decimal(factor.Value, 2)), "site"))
	}
	return figures
}

// coreLines returns what each public rule for extra cores comes to.
func (c *calculation) coreLines() []CoreLine {
	l, list, used := c.lang, []CoreLine{}, false
	participants := c.site.Conferences.Participants()
	for _, rule := range c.table.Rules.ExtraCores {
		line := CoreLine{ID: rule.ID, Text: l.Of(rule.Text), Cores: c.coresBy(rule), Source: rule.Source}
		if rule.PercentPerUser > 0 {
			line.Formula = l.F("%s participants × %s of a core, rounded up", "%s Teilnehmer × %s eines Kerns, aufgerundet", l.Int(participants), l.Percent(int64(rule.PercentPerUser)))
		} else {
			line.Formula = l.F("at most %s participants on one node / %s, rounded up", "höchstens %s Teilnehmer auf einem Knoten / %s, aufgerundet", l.Int(c.usersOnNode()), l.Int(rule.UsersPerCore))
		}
		line.Used = !used && line.Cores == c.extraCores
		used = used || line.Used
		list = append(list, line)
	}
	return list
}

func (c *calculation) coresFormula() string {
	for _, line := range c.coreLines() {
		if line.Used {
			return c.lang.F("%s; of %s public rules the most demanding", "%s; von %s öffentlichen Regeln die höchste", line.Formula, number(c.lang, len(c.table.Rules.ExtraCores)))
		}
	}
	return ""
}

func (c *calculation) coreSources() []string {
	var list []string
	for _, rule := range c.table.Rules.ExtraCores {
		list = append(list, rule.Source)
	}
	return refers(list...)
}

// serversNeeded returns the smallest number of conference servers whose cards
// carry the load with headroom; 0 if the largest conference alone is too much.
func (c *calculation) serversNeeded() int {
	if c.largest.Busier() > c.usable() {
		return 0
	}
	need := 1
	for _, load := range [][2]site.Kbps{{c.total.In, c.largest.In}, {c.total.Out, c.largest.Out}} {
		// worst(k) ≤ usable, solved for k: k ≥ (total − largest) / (usable − largest).
		total, largest := int64(load[0]), int64(load[1])
		if room := int64(c.usable()) - largest; room > 0 {
			need = max(need, int(ceilDiv(total-largest, room)))
		} else if total > largest {
			return 0
		}
	}
	return need
}

// curve returns what one conference takes by its participants, for the picture.
func (c *calculation) curve() []CurvePoint {
	rule, nic := c.table.Rules.Conference, c.table.Rules.Network.NIC.Value
	var points []CurvePoint
	for n := int64(1); n <= site.MaxParticipants; n++ {
		traffic := rule.Of(n, portion(c.videoShare(), n))
		points = append(points, CurvePoint{n, traffic})
		if traffic.Out > nic*5/4 && n > c.site.Conferences.Largest() {
			break
		}
	}
	return points
}

// turn returns what TURN relays.
func (c *calculation) turn() *TurnLoad {
	l := c.lang
	participants := int64(0)
	for _, g := range c.site.Conferences {
		participants += g.Count * portion(c.relayedShare(), g.Participants)
	}
	limit := c.table.Rules.Turn.Allocations
	share := l.F("each relayed byte comes in and goes out; %s of participants", "jedes vermittelte Byte kommt an und geht ab; %s der Teilnehmer", l.Percent(int64(c.relayedShare())))
	if c.site.RelayedShare == nil {
		share += l.T(", since no share is given", ", da kein Anteil angegeben ist")
	}
	return &TurnLoad{Machines: c.turns, Figures: []Figure{
		c.figure("turn.relayed", l.T("TURN, in each direction, all together", "TURN, je Richtung, insgesamt"), int64(c.relayed.In), UnitKbps, AtMost, share, append(c.streamSources(), "island")...),
		c.figure("turn.participants", l.T("Relayed participants", "Vermittelte Teilnehmer"), participants, UnitCount, AtMost,
			l.F("share of each conference, rounded up; each takes at least one of %s allocations per server", "Anteil jeder Konferenz, aufgerundet; jeder belegt mindestens eine von %s Allokationen je Server", l.Int(limit.Value)), limit.Source),
	}}
}

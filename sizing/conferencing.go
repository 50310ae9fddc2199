package sizing

import (
	"github.com/islandbundle/island/internal/words/message"
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
		formula := c.groupFormula(g.Participants, video)
		r.Groups = append(r.Groups, ConferenceLine{g.Count, g.Participants, video, each, each.times(g.Count), formula})
		r.Total.Video += video * g.Count
	}
	r.Total.Count, r.Total.Participants = c.site.Conferences.Count(), c.site.Conferences.Participants()
	r.Total.All = c.total
	r.Cores = c.coreLines()
	r.Figures = c.conferenceFigures()
	return r
}

// groupFormula writes out what one conference receives and sends.
func (c *calculation) groupFormula(n, video int64) message.Text {
	rule := c.table.Rules.Conference
	audios := min(n, rule.AudioStreams.Value)
	videos := (rule.down(n, video) - site.Kbps(audios)*rule.Audio.Value) / rule.Video.Value
	return say("figure.conference.group.formula", args{
		"participants": n, "senders": video, "audio": int64(rule.Audio.Value), "video": int64(rule.Video.Value),
		"audios": audios, "videos": int64(videos),
	})
}

func (c *calculation) streamSources() []string {
	r := c.table.Rules.Conference
	return refers(r.Audio.Source, r.Video.Source, r.AudioStreams.Source, r.VideoStreams.Source)
}

func (c *calculation) conferenceFigures() []Figure {
	streams, bound := c.streamSources(), append(c.streamSources(), "Graham")
	spread := func(total, largest site.Kbps) message.Text {
		return c.spreadFormula(c.nodes, total, largest)
	}
	rate := func(id string, value site.Kbps, bound Bound, formula message.Text, sources []string) Figure {
		return figure(id, int64(value), UnitKbps, bound, formula, sources...)
	}
	sum := say("figure.conference.total.formula", nil)
	network := c.table.Rules.Network
	usable := say("figure.network.usable.formula", args{"card": int64(network.NIC.Value), "headroom": int64(network.Headroom.Value)})
	figures := []Figure{
		rate("conference.total.in", c.total.In, AtMost, sum, streams),
		rate("conference.total.out", c.total.Out, AtMost, sum, streams),
		rate("conference.server.in", c.perNode.In, AtMost, spread(c.total.In, c.largest.In), bound),
		rate("conference.server.out", c.perNode.Out, AtMost, spread(c.total.Out, c.largest.Out), bound),
		rate("conference.largest.out", c.largest.Out, AtMost, say("figure.conference.largest.out.formula", nil), []string{"WD-sft"}),
		rate("network.usable", c.usable(), Exactly, usable, refers(network.NIC.Source, network.Headroom.Source)),
		figure("conference.cores", c.extraCores, UnitCores, AtLeast, c.coresFormula(), c.coreSources()...),
	}
	if c.carriesCalls(site.Calling) {
		figures[len(figures)-1].Label = say("figure.conference.cores.calling", nil)
	}
	if c.nodesLeft > 0 && c.nodesLeft < c.nodes {
		left := c.onFullest(c.nodesLeft)
		same := say("figure.conference.server.out.after-loss.formula", args{"left": c.nodesLeft, "servers": c.nodes})
		if count := c.site.Conferences.Count(); count <= int64(c.nodes) && count > int64(c.nodesLeft) { // another formula than before
			same = c.spreadFormula(c.nodesLeft, c.total.Out, c.largest.Out)
		}
		figures = append(figures, rate("conference.server.out.after-loss", left.Out, AtMost, same, bound))
	}
	if factor := c.factor(SFTMemory, ""); factor != nil {
		formula := say("figure.conference.memory.formula", args{"participants": c.site.Conferences.Participants(), "megabytes": factor.Value})
		figures = append(figures, figure("conference.memory", int64(c.extraMemory), UnitBytes, AtLeast, formula, "site"))
	}
	return figures
}

// spreadFormula writes out what the fullest of some conference servers carries.
func (c *calculation) spreadFormula(servers int, total, largest site.Kbps) message.Text {
	if count := c.site.Conferences.Count(); count <= int64(servers) {
		return say("figure.conference.server.alone", args{"conferences": count, "servers": servers})
	}
	return say("figure.conference.server.formula", args{"total": int64(total), "servers": servers, "largest": int64(largest)})
}

// coreLines returns what each public rule for extra cores comes to.
func (c *calculation) coreLines() []CoreLine {
	list, used := []CoreLine{}, false
	participants := c.site.Conferences.Participants()
	for _, rule := range c.table.Rules.ExtraCores {
		line := CoreLine{ID: rule.ID, Text: rule.Text.text(rule.place()), Cores: c.coresBy(rule), Source: rule.Source}
		if rule.PercentPerUser > 0 {
			line.Formula = say("figure.conference.cores.share", args{"participants": participants, "share": int64(rule.PercentPerUser)})
		} else {
			line.Formula = say("figure.conference.cores.users", args{"participants": c.usersOnNode(), "users": rule.UsersPerCore})
		}
		line.Used = !used && line.Cores == c.extraCores
		used = used || line.Used
		list = append(list, line)
	}
	return list
}

func (c *calculation) coresFormula() message.Text {
	for _, line := range c.coreLines() {
		if line.Used {
			return say("figure.conference.cores.formula", args{"rule": line.Formula, "rules": len(c.table.Rules.ExtraCores)})
		}
	}
	return message.Text{}
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
	need, each := 1, int(c.site.Conferences.Count()) // with one for each conference no more are needed
	for _, load := range [][2]site.Kbps{{c.total.In, c.largest.In}, {c.total.Out, c.largest.Out}} {
		// worst(k) ≤ usable, solved for k: k ≥ (total − largest) / (usable − largest).
		total, largest := int64(load[0]), int64(load[1])
		if room := int64(c.usable()) - largest; room > 0 {
			need = max(need, int(ceilDiv(total-largest, room)))
		} else if total > largest {
			return each
		}
	}
	return min(need, max(each, 1))
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
	participants := int64(0)
	for _, g := range c.site.Conferences {
		participants += g.Count * portion(c.relayedShare(), g.Participants)
	}
	limit := c.table.Rules.Turn.Allocations
	how := "figure.turn.relayed.formula"
	if c.site.RelayedShare == nil {
		how = "figure.turn.relayed.assumed"
	}
	share := say(how, args{"share": int64(c.relayedShare())})
	return &TurnLoad{Machines: c.turns, Figures: []Figure{
		figure("turn.relayed", int64(c.relayed.In), UnitKbps, AtMost, share, append(c.streamSources(), "island")...),
		figure("turn.participants", participants, UnitCount, AtMost,
			say("figure.turn.participants.formula", args{"allocations": limit.Value}), limit.Source),
	}}
}

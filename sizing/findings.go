package sizing

import (
	"slices"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing/site"
)

// find keeps what was found out.
func (c *calculation) find(id string, level Level, text message.Text) {
	c.advise(id, level, text, message.Text{})
}

// advise keeps what was found out, with a hint at what to do.
func (c *calculation) advise(id string, level Level, text, hint message.Text) {
	c.findings = append(c.findings, Remark{id, level, text, hint})
}

// siteFindings judges the parts of a report.
func (c *calculation) siteFindings(r *Report) {
	if c.table.Machine != nil {
		c.advise("table.demo", Warn, say("finding.table.demo.text", nil), say("finding.table.demo.hint", nil))
	}
	if draft := r.Table.Draft; !draft.IsZero() {
		c.advise("table.draft", Ask, say("finding.table.draft.text", args{"draft": draft}), say("finding.table.draft.hint", nil))
	}
	c.userFindings(r.Growth)
	c.conferenceFindings(r.Conferencing)
	c.turnFindings(r.Turn)
	c.placementFindings(r.Placement)
	c.storageFindings(r.Storage)
	if r.Comparison != nil {
		c.findings = append(c.findings, r.Comparison.findings...)
	}
	open := 0
	for _, q := range r.Questions {
		if q.Answered.IsZero() {
			open++
		}
	}
	if open > 0 {
		c.advise("ask", Ask, say("finding.ask.text", args{"n": open}), say("finding.ask.hint", nil))
	}
}

func (c *calculation) userFindings(growth *UserGrowth) {
	from := c.table.Rules.Users.AskFrom
	with := args{"users": c.site.Users, "serves": c.table.servesUsers()}
	hint := say("finding.users.ask.hint", args{"from": from.Value})
	if from.Source != "island" {
		hint = say("finding.users.ask.stated", args{"from": from.Value, "source": from.Source})
	}
	switch {
	case c.site.Users >= from.Value:
		c.advise("users.ask", Warn, say("finding.users.ask.text", with), hint)
	case c.mostUsers() >= from.Value:
		with["after"], with["months"] = growth.UsersAfter, growth.Months
		c.advise("users.ask", Warn, say("finding.users.ask.grown", with), hint)
	default:
		c.find("users.table", Info, say("finding.users.table.text", with))
	}
	c.growthFinding(growth)
	if most := c.site.Conferences.Participants(); most > c.site.Users {
		c.advise("conference.participants", Warn, say("finding.conference.participants.text", args{"participants": most, "users": c.site.Users}),
			say("finding.conference.participants.hint", nil))
	}
}

func (c *calculation) conferenceFindings(conf *Conferencing) {
	if conf.Total.Count == 0 {
		c.find("conference.none", Info, say("finding.conference.none.text", nil))
		return
	}
	busiest, usable, nic := c.perNode.Busier(), c.usable(), c.table.Rules.Network.NIC.Value
	carries := say("finding.conference.network.text", args{"carries": int64(busiest), "usable": int64(usable)})
	switch {
	case c.largest.Busier() > nic:
		c.advise("conference.largest", Fail, say("finding.conference.largest.text", args{"takes": int64(c.largest.Busier()), "card": int64(nic)}),
			say("finding.conference.largest.hint", nil))
	case busiest > nic:
		c.advise("conference.network", Fail, carries, serversHint(conf))
	case busiest > usable:
		c.advise("conference.network", Warn, carries, serversHint(conf))
	default:
		c.find("conference.network", Good, carries)
	}
	if c.nodesLeft > 0 && c.nodesLeft < c.nodes {
		left := c.onFullest(c.nodesLeft).Busier()
		if left > usable && busiest <= usable {
			c.find("conference.network.after-loss", Warn,
				say("finding.conference.network.after-loss.text", args{"carries": int64(left), "usable": int64(usable)}))
		}
	}
	if c.extraCores > 0 {
		with := args{"cores": amountOf(c.extraCores, UnitCores)}
		text := say("finding.conference.cores.text", with)
		if c.carriesCalls(site.Calling) {
			text = say("finding.conference.cores.calling", with)
		}
		c.find("conference.cores", Info, text)
	}
}

func serversHint(conf *Conferencing) message.Text {
	if conf.ServersNeeded == 0 {
		return say("finding.conference.network.faster", nil)
	}
	return say("finding.conference.network.more", args{"servers": conf.ServersNeeded})
}

func (c *calculation) turnFindings(turn *TurnLoad) {
	usable, allocations := c.usable(), c.table.Rules.Turn.Allocations.Value
	if c.relayed.Busier() > usable {
		c.advise("turn.network", Warn, say("finding.turn.network.text", args{"relays": int64(c.relayed.Busier()), "usable": int64(usable)}),
			say("finding.turn.network.hint", nil))
	}
	for _, f := range turn.Figures {
		if f.ID == "turn.participants" && f.Value > allocations {
			c.advise("turn.allocations", Fail, say("finding.turn.allocations.text", args{"participants": f.Value, "allocations": allocations}),
				say("finding.turn.allocations.hint", nil))
		}
	}
	if c.turns == 0 && c.table.Machine == nil {
		c.find("turn.missing", Ask, say("finding.turn.missing.text", nil))
	}
}

func (c *calculation) placementFindings(p *Placement) {
	wanted, _ := c.table.Servers.Most()
	if int64(len(p.Servers)) < wanted {
		c.find("placement.servers", Fail, say("finding.placement.servers.text", args{"servers": len(p.Servers), "least": wanted}))
	}
	for _, server := range p.Servers {
		c.serverFindings(server)
	}
	c.sharedCardFinding(p)
	for _, server := range p.Servers {
		var stopped []message.Text
		for _, loss := range server.Lost {
			if loss.Level == Fail {
				stopped = append(stopped, c.roleName(loss.Role))
			}
		}
		if len(stopped) > 0 {
			c.find("loss."+server.Name, Warn, say("finding.loss.text", args{"server": server.Name, "roles": stopped}))
		}
	}
}

func (c *calculation) serverFindings(server PlacedServer) {
	counts := map[site.Role]int{}
	for _, m := range server.Machines {
		counts[m.Role]++
	}
	for _, r := range c.table.Requirements() {
		if counts[r.Role] > r.PerServer {
			c.advise("placement.same-server."+server.Name+"."+string(r.Role), Warn,
				say("finding.placement.same-server.text", args{"machines": counts[r.Role], "role": c.roleName(r.Role), "server": server.Name}),
				say("finding.placement.same-server.hint", nil))
		}
		for _, other := range c.table.Requirements() {
			if r.Role < other.Role && counts[r.Role] > 0 && counts[other.Role] > 0 && !slices.Contains(r.SharesServerWith, other.Role) {
				c.find("placement.apart."+server.Name, Warn,
					say("finding.placement.apart.text", args{"role": c.roleName(r.Role), "other": c.roleName(other.Role), "server": server.Name}))
			}
		}
	}
	if server.Has != nil {
		for _, lack := range c.lacks(server.Needs, server.Needs, *server.Has) {
			c.find("placement.room."+server.Name, Fail, say("finding.placement.room.text", args{"server": server.Name, "lack": lack}))
		}
	}
}

// sharedCardFinding warns where conferences and TURN are too much for one card
// only together.
func (c *calculation) sharedCardFinding(p *Placement) {
	usable := c.usable()
	if c.perNode.Busier() > usable || c.relayed.Busier() > usable {
		return
	}
	var names []message.Text
	most := site.Kbps(0)
	for _, server := range p.Servers {
		if busy := server.Network.Busier(); busy > usable {
			names, most = append(names, message.Plain(server.Name)), max(most, busy)
		}
	}
	if len(names) > 0 {
		c.advise("placement.network", Warn,
			say("finding.placement.network.text", args{"servers": names, "takes": int64(most), "usable": int64(usable)}),
			say("finding.placement.network.hint", nil))
	}
}

// lacks says what is too little for what is needed, of which the least may pass for all;
// what is not known is not judged. The one machine of a table needs more than its
// amounts, and whoever has just as much has too little.
func (c *calculation) lacks(need, least, have Amounts) []message.Text {
	var list []message.Text
	if have.Cores > 0 && need.Cores > have.Cores {
		list = append(list, say("lack.cores", args{"need": amountOf(need.Cores, UnitCores), "have": have.Cores}))
	}
	for _, amount := range []struct {
		code, tolerated, more string
		need, least, have     manifests.Bytes
	}{
		{"lack.memory", "lack.memory-tolerated", "lack.memory-more", need.Memory, least.Memory, have.Memory},
		{"lack.disk", "lack.disk-tolerated", "lack.disk-more", need.Disk, least.Disk, have.Disk},
	} {
		with := args{"need": int64(amount.need), "least": shownBeside(amount.least, amount.have), "have": shownBeside(amount.have, amount.least)}
		switch {
		case amount.have == 0:
		case c.table.Machine != nil && amount.need > 0 && amount.have <= amount.need:
			list = append(list, say(amount.more, args{"need": int64(amount.need), "have": int64(amount.have)}))
		case amount.have < amount.least && amount.least < amount.need:
			list = append(list, say(amount.tolerated, with))
		case amount.have < amount.least:
			list = append(list, say(amount.code, with))
		}
	}
	return list
}

// shownBeside is an amount as it is shown beside another: to the byte where they are so
// near to each other that both would be rounded to one number.
func shownBeside(amount, other manifests.Bytes) message.Text {
	if apart := max(amount-other, other-amount); apart <= max(amount, other)/100 {
		return say("value.exact-bytes", args{"n": int64(amount)})
	}
	return amountOf(int64(amount), UnitBytes)
}

func (c *calculation) storageFindings(s *Storage) {
	figures := map[string]Figure{}
	for _, f := range s.Figures {
		figures[f.ID] = f
	}
	for _, series := range s.Series {
		if series.FullIn >= 0 {
			c.advise("storage."+series.ID, Warn,
				say("finding.storage.text", args{"disk": series.Title, "capacity": int64(series.Capacity), "month": series.FullIn}),
				say("finding.storage.hint", nil))
		}
	}
	c.nodeFindings(figures["node.images"], figures["images.compressed"])
}

// nodeFindings warns where the disk of a node cannot hold the release's images.
func (c *calculation) nodeFindings(need, compressed Figure) {
	disk := c.diskOf(site.Kubernetes)
	if disk == 0 {
		disk = c.diskOf(site.DemoMachine)
	}
	limit := c.table.Rules.NodeDisk.Usable.Value
	usable := disk / 100 * manifests.Bytes(limit)
	room := say("finding.node.images.room", args{"disk": int64(disk), "usable": int64(usable), "limit": int64(limit)})
	take := say("finding.node.images.text", args{"bound": need.Bound.Text(), "need": need.Shown, "room": room})
	larger := say("finding.node.images.hint", nil)
	switch {
	case compressed.Bound == Unknown:
		c.advise("node.images", Ask, say("finding.node.images.unknown.text", nil), say("finding.node.images.unknown.hint", nil))
	case manifests.Bytes(need.Value) > disk && need.Bound != AtMost:
		c.advise("node.images", Fail, take, larger)
	case manifests.Bytes(need.Value) > usable:
		c.advise("node.images", Warn, take, larger)
	case need.Bound == AtLeast:
		c.advise("node.images", Ask, say("finding.node.images.compressed.text", args{"compressed": compressed.Shown, "room": room}),
			say("finding.node.images.compressed.hint", nil))
	default:
		c.find("node.images", Good, take)
	}
}

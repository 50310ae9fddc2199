package sizing

import (
	"strings"

	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/manifests"
)

// siteFindings judges the parts of a report.
func (c *calculation) siteFindings(r *Report) {
	c.userFindings()
	c.conferenceFindings(r.Conferencing)
	c.turnFindings(r.Turn)
	c.placementFindings(r.Placement)
	c.storageFindings(r.Storage)
	if r.Comparison != nil {
		c.findings = append(c.findings, r.Comparison.findings...)
	}
	open := 0
	for _, q := range r.Questions {
		if q.Answered == "" {
			open++
		}
	}
	if open > 0 {
		c.find("ask", Ask, c.lang.F("Questions that no public source answers: %s.", "Fragen, die keine öffentliche Quelle beantwortet: %s.", number(c.lang, open)), c.lang.T("ask Wire; the questions are listed below", "Wire fragen; die Fragen stehen unten"))
	}
}

func (c *calculation) userFindings() {
	l, limit := c.lang, c.table.Rules.Users
	text := l.F("The table serves %s.", "Die Tabelle gilt für %s.", l.Of(limit.Text))
	if c.site.Users >= limit.AskFrom.Value {
		c.find("users.ask", Warn, l.F("%s users are more than the table is made for.", "%s Nutzer sind mehr, als die Tabelle vorsieht.", l.Int(c.site.Users))+" "+text,
			l.F("ask Wire; nothing here is scaled up from it (this program asks from %s users on, since the guide gives no number)", "Wire fragen; nichts wird hier hochgerechnet (dieses Programm fragt ab %s Nutzern, da der Leitfaden keine Zahl nennt)", l.Int(limit.AskFrom.Value)))
	} else {
		c.find("users.table", Info, text+" "+l.F("%s are planned.", "Geplant sind %s.", l.Int(c.site.Users)), "")
	}
	if most := c.site.Conferences.Participants(); most > c.site.Users {
		c.find("conference.participants", Warn, l.F("%s participants at once are more than %s users.", "%s gleichzeitige Teilnehmer sind mehr als %s Nutzer.", l.Int(most), l.Int(c.site.Users)), l.T("right if guests or federated users take part; else check the numbers", "richtig, wenn Gäste oder föderierte Nutzer teilnehmen; sonst die Zahlen prüfen"))
	}
}

func (c *calculation) conferenceFindings(conf *Conferencing) {
	l := c.lang
	if conf.Total.Count == 0 {
		c.find("conference.none", Info, l.T("No conferences are planned.", "Es sind keine Konferenzen geplant."), "")
		return
	}
	busiest, usable, nic := c.perNode.Busier(), c.usable(), c.table.Rules.Network.NIC.Value
	carries := l.F("A conference server carries at most %s in one direction; one card may carry %s.", "Ein Konferenzserver trägt höchstens %s in einer Richtung; eine Karte darf %s tragen.", l.Rate(int64(busiest)), l.Rate(int64(usable)))
	switch {
	case c.largest.Busier() > nic:
		c.find("conference.largest", Fail, l.F("The largest conference alone takes up to %s, more than the %s of one card; one call lives on one server.", "Die größte Konferenz allein benötigt bis zu %s, mehr als die %s einer Karte; eine Konferenz lebt auf einem einzigen Server.", l.Rate(int64(c.largest.Busier())), l.Rate(int64(nic))), l.T("faster network cards in the conference servers, or smaller conferences", "schnellere Netzwerkkarten in den Konferenzservern oder kleinere Konferenzen"))
	case busiest > nic:
		c.find("conference.network", Fail, carries, c.serversHint(conf))
	case busiest > usable:
		c.find("conference.network", Warn, carries, c.serversHint(conf))
	default:
		c.find("conference.network", Good, carries, "")
	}
	if c.nodesLeft > 0 && c.nodesLeft < c.nodes {
		left := worstTraffic(c.total, c.largest, c.nodesLeft).Busier()
		if left > usable && busiest <= usable {
			c.find("conference.network.after-loss", Warn, l.F("With one server lost, a conference server carries up to %s, more than the %s that a card may carry.", "Nach Verlust eines Servers trägt ein Konferenzserver bis zu %s, mehr als die %s, die eine Karte tragen darf.", l.Rate(int64(left)), l.Rate(int64(usable))), "")
		}
	}
	if c.extraCores > 0 {
		c.find("conference.cores", Info, l.F("Conferences add %s to each Kubernetes node; public rules disagree, the most demanding is used.", "Konferenzen benötigen %s zusätzlich je Kubernetes-Knoten; die öffentlichen Regeln widersprechen sich, verwendet wird die höchste.", c.show(c.extraCores, UnitCores)), "")
	}
}

func (c *calculation) serversHint(conf *Conferencing) string {
	l := c.lang
	if conf.ServersNeeded == 0 {
		return l.T("faster network cards: no number of servers helps, since one call lives on one server", "schnellere Netzwerkkarten: Mehr Server helfen nicht, da eine Konferenz auf einem einzigen Server lebt")
	}
	return l.F("%s conference servers on servers of their own, or faster cards", "%s Konferenzserver auf eigenen Servern oder schnellere Karten", number(l, conf.ServersNeeded))
}

func (c *calculation) turnFindings(turn *TurnLoad) {
	l, usable := c.lang, c.usable()
	if c.relayed.Busier() > usable {
		c.find("turn.network", Warn, l.F("TURN relays up to %s in each direction if all of it meets one server; a card may carry %s.", "TURN vermittelt bis zu %s je Richtung, falls alles auf einen Server trifft; eine Karte darf %s tragen.", l.Rate(int64(c.relayed.Busier())), l.Rate(int64(usable))), l.T("give the share of relayed calls if it is known; direct UDP is the most reliable for calls", "den Anteil vermittelter Gespräche angeben, falls bekannt; direktes UDP ist für Gespräche am zuverlässigsten"))
	}
	for _, f := range turn.Figures {
		if f.ID == "turn.participants" && f.Value > c.table.Rules.Turn.Allocations.Value {
			c.find("turn.allocations", Fail, l.F("%s relayed participants are more than the %s allocations of one server.", "%s vermittelte Teilnehmer sind mehr als die %s Allokationen eines Servers.", f.Shown, l.Int(c.table.Rules.Turn.Allocations.Value)), l.T("more TURN servers; ask Wire", "mehr TURN-Server; Wire fragen"))
		}
	}
	if c.turns == 0 && c.table.Machine == nil {
		c.find("turn.missing", Ask, l.T("The table has no TURN server.", "Die Tabelle enthält keinen TURN-Server."), "")
	}
}

func (c *calculation) placementFindings(p *Placement) {
	l := c.lang
	wanted, _ := c.table.Servers.Most()
	if int64(len(p.Servers)) < wanted {
		c.find("placement.servers", Fail, l.F("%s physical servers, at least %s are wanted.", "%s physische Server, mindestens %s sind nötig.", number(l, len(p.Servers)), l.Int(wanted)), "")
	}
	for _, server := range p.Servers {
		c.serverFindings(server)
	}
	c.sharedCardFinding(p)
	if len(p.Servers) < 2 {
		return
	}
	for _, server := range p.Servers {
		var stopped []string
		for _, loss := range server.Lost {
			if loss.Level == Fail {
				stopped = append(stopped, c.roleName(loss.Role))
			}
		}
		if len(stopped) > 0 {
			c.find("loss."+server.Name, Warn, l.F("When %s is lost, it stops: %s.", "Fällt %s aus, stehen still: %s.", server.Name, strings.Join(stopped, ", ")), "")
		}
	}
}

func (c *calculation) serverFindings(server PlacedServer) {
	l := c.lang
	counts := map[site.Role]int{}
	for _, m := range server.Machines {
		counts[m.Role]++
	}
	for _, r := range c.table.Requirements() {
		if counts[r.Role] > r.PerServer {
			c.find("placement.same-server."+server.Name+"."+string(r.Role), Warn, l.F("%s machines of %s stand on %s.", "%s Maschinen von %s stehen auf %s.", number(l, counts[r.Role]), c.roleName(r.Role), server.Name), l.T("the table wants each on a server of its own", "die Tabelle sieht für jede einen eigenen Server vor"))
		}
		for _, other := range c.table.Requirements() {
			if r.Role < other.Role && counts[r.Role] > 0 && counts[other.Role] > 0 && !shares(r, other.Role) {
				c.find("placement.apart."+server.Name, Warn, l.F("%s and %s stand on %s, and should not share a server.", "%s und %s stehen auf %s und sollten sich keinen Server teilen.", c.roleName(r.Role), c.roleName(other.Role), server.Name), "")
			}
		}
	}
	if server.Has != nil {
		for _, lack := range c.lacks(server.Needs, *server.Has) {
			c.find("placement.room."+server.Name, Fail, l.F("%s has too little room: %s.", "%s hat zu wenig Platz: %s.", server.Name, lack), "")
		}
	}
}

// sharedCardFinding warns where conferences and TURN are too much for one card
// only together.
func (c *calculation) sharedCardFinding(p *Placement) {
	l := c.lang
	if c.perNode.Busier() > c.usable() || c.relayed.Busier() > c.usable() {
		return
	}
	var names []string
	most := site.Kbps(0)
	for _, server := range p.Servers {
		if busy := server.Network.Busier(); busy > c.usable() {
			names, most = append(names, server.Name), max(most, busy)
		}
	}
	if len(names) > 0 {
		c.find("placement.network", Warn, l.F("On %s conferences and TURN together take up to %s, more than the %s that one card may carry.", "Auf %s benötigen Konferenzen und TURN zusammen bis zu %s, mehr als die %s, die eine Karte tragen darf.",
			l.List(names), l.Rate(int64(most)), l.Rate(int64(c.usable()))), l.T("give the virtual machines network cards of their own", "den virtuellen Maschinen eigene Netzwerkkarten geben"))
	}
}

func shares(r Requirement, role site.Role) bool {
	for _, other := range r.SharesServerWith {
		if other == role {
			return true
		}
	}
	return false
}

// lacks words what is too little; what is not known is not judged.
func (c *calculation) lacks(need, have Amounts) []string {
	l := c.lang
	var list []string
	if have.Cores > 0 && need.Cores > have.Cores {
		list = append(list, l.F("needs %s, has %s", "benötigt %s, hat %s", c.show(need.Cores, UnitCores), l.Int(have.Cores)))
	}
	for _, amount := range []struct {
		name       string
		need, have manifests.Bytes
	}{{l.T("memory", "Arbeitsspeicher"), need.Memory, have.Memory}, {l.T("disk", "Festplatte"), need.Disk, have.Disk}} {
		if amount.have > 0 && amount.need > amount.have {
			list = append(list, l.F("%s: needs %s, has %s", "%s: benötigt %s, hat %s", amount.name, l.GB(int64(amount.need)), l.GB(int64(amount.have))))
		}
	}
	return list
}

func (c *calculation) storageFindings(s *Storage) {
	l := c.lang
	figures := map[string]Figure{}
	for _, f := range s.Figures {
		figures[f.ID] = f
	}
	for _, series := range s.Series {
		if series.FullIn >= 0 {
			c.find("storage."+series.ID, Warn, l.F("%s: more than its %s from month %s on.", "%s: mehr als die %s ab Monat %s.", series.Title, l.GB(int64(series.Capacity)), number(l, series.FullIn)), l.T("give the machine a larger disk, or keep less", "der Maschine eine größere Festplatte geben oder weniger aufbewahren"))
		}
	}
	c.nodeFindings(figures["node.images"], figures["images.compressed"])
}

// nodeFindings warns where the disk of a node cannot hold the release's images.
func (c *calculation) nodeFindings(need, compressed Figure) {
	l := c.lang
	disk := c.diskOf(site.Kubernetes)
	if disk == 0 {
		disk = c.diskOf(site.DemoMachine)
	}
	usable := disk / 100 * manifests.Bytes(c.table.Rules.NodeDisk.Usable.Value)
	room := l.F("of the node's %s, %s may be used (the kubelet removes images above %s)", "von den %s des Knotens sind %s nutzbar (der Kubelet entfernt Images über %s)", l.GB(int64(disk)), l.GB(int64(usable)), l.Percent(int64(c.table.Rules.NodeDisk.Usable.Value)))
	larger := l.T("give each Kubernetes node a larger disk", "jedem Kubernetes-Knoten eine größere Festplatte geben")
	switch {
	case compressed.Bound == Unknown:
		c.find("node.images", Ask, l.T("The images of the release are not known, so it is not shown that they fit on a node.", "Die Images des Releases sind nicht bekannt; es ist nicht gezeigt, dass sie auf einen Knoten passen."), l.T("give the lock of the release with --lock", "den Lock des Releases mit --lock angeben"))
	case manifests.Bytes(need.Value) > disk && need.Bound != AtMost:
		c.find("node.images", Fail, l.F("All images take %s %s on a node: %s.", "Alle Images belegen %s %s auf einem Knoten: %s.", need.Bound.In(c.lang), need.Shown, room), larger)
	case manifests.Bytes(need.Value) > usable:
		c.find("node.images", Warn, l.F("All images take %s %s on a node: %s.", "Alle Images belegen %s %s auf einem Knoten: %s.", need.Bound.In(c.lang), need.Shown, room), larger)
	case need.Bound == AtLeast:
		c.find("node.images", Ask, l.F("The images take %s compressed; unpacked is not known. It is not shown that they fit: %s.", "Die Images belegen komprimiert %s; entpackt ist nicht bekannt. Es ist nicht gezeigt, dass sie passen: %s.", compressed.Shown, room), l.T("measure them on a node and give bundle.imagesUnpacked", "auf einem Knoten messen und bundle.imagesUnpacked angeben"))
	default:
		c.find("node.images", Good, l.F("All images take %s %s on a node: %s.", "Alle Images belegen %s %s auf einem Knoten: %s.", need.Bound.In(c.lang), need.Shown, room), "")
	}
}

package sizing

import (
	"cmp"
	"maps"
	"slices"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing/site"
)

// Input is all that a report is calculated from.
type Input struct {
	Site  *site.Site // checked
	Table *Table
	// TableDigest is that of the table's file, to name it in the report. Optional.
	TableDigest manifests.Digest
	// Lock is the release, if it is known.
	Lock *manifests.Lock
	Tool string // for the report
	Made string // the day, for the report; empty where the same input is to give the same bytes on every day
	// Against are machines that exist, to compare with. Optional.
	Against []Existing
}

// Calculate works out what a site needs, in no language. It is a pure function:
// the same input gives the same report. The site must have passed [site.Site.Check].
func Calculate(in Input) *Report {
	c := newCalculation(in)
	r := &Report{
		APIVersion: manifests.APIVersion, Kind: KindReport, Site: *in.Site, Tool: in.Tool, Made: in.Made,
		Table:    tableRef(in.Table, in.TableDigest),
		Scenario: c.choice(), Findings: []Remark{}, Questions: []Asked{},
	}
	r.Site.Preflight = site.Section{} // nothing is calculated from it
	if in.Lock != nil {
		r.Release = &ReleaseRef{in.Lock.Release.Name, in.Lock.Release.Version, in.Lock.Release.Date}
	}
	if r.Scenario.OnPremises {
		if in.Lock != nil {
			c.footprint = FootprintOf(in.Lock)
			r.Footprint = c.footprint
		}
		r.Growth = c.growth()
		r.Hardware = c.hardware()
		r.Conferencing = c.conferencing()
		r.Turn = c.turn()
		r.CallPorts = c.callPorts()
		r.Placement = c.placement()
		r.Storage = c.storage()
		r.Questions = c.questions()
		r.Comparison = c.comparison(r.Placement, in.Against)
		c.siteFindings(r)
	}
	c.choiceFindings(r.Scenario)
	slices.SortStableFunc(c.findings, func(a, b Remark) int { return cmp.Compare(grave(a.Level), grave(b.Level)) })
	r.Findings = append(r.Findings, c.findings...)
	r.Sources = c.sourceList(r)
	return r
}

func tableRef(t *Table, digest manifests.Digest) TableRef {
	ref := TableRef{Name: t.Name, Version: t.Version, Title: t.Title.text(placeOfTitle(t)), Digest: digest}
	if t.Draft != nil {
		ref.Draft = t.Draft.Text.text(t.Draft.place())
	}
	return ref
}

func grave(l Level) int { return slices.Index([]Level{Fail, Warn, Ask, Info, Good}, l) }

// calculation holds what the parts of a report share.
type calculation struct {
	site      *site.Site
	table     *Table
	scenario  Scenario
	servers   []site.Server
	footprint *Footprint
	findings  []Remark

	nodes     int // that conference servers run on
	nodesLeft int // when the server with most of them is lost
	turns     int // TURN machines

	total, largest Traffic // of all conferences, and of the largest
	perNode        Traffic // at most
	relayed        Traffic // by TURN, in all
	extraCores     int64   // on each Kubernetes node
	extraMemory    manifests.Bytes
}

func newCalculation(in Input) *calculation {
	c := &calculation{site: in.Site, table: in.Table, scenario: scenarioOf(in.Site.Scenario)}
	c.servers = c.serverList()
	for _, r := range in.Table.Requirements() {
		if c.carriesCalls(r.Role) {
			c.nodes = r.Count
		}
		switch r.Role {
		case site.Restund, site.Coturn:
			c.turns = cmp.Or(in.Site.Restund, r.Count)
		case site.DemoMachine:
			c.turns = 1
		}
	}
	c.nodesLeft = c.nodesAfterLoss(placeMachines(c.servers, c.machinesOf()))
	c.load()
	return c
}

// carriesCalls reports whether conference servers run on the machines of a role: on
// nodes for calls where the table has them, else on the Kubernetes nodes.
func (c *calculation) carriesCalls(role site.Role) bool {
	if c.table.Row(site.Calling) != nil {
		return role == site.Calling
	}
	return role == site.Kubernetes || role == site.DemoMachine
}

// load adds up what conferences take.
func (c *calculation) load() {
	rule := c.table.Rules.Conference
	for _, g := range c.site.Conferences {
		video := portion(c.videoShare(), g.Participants)
		each := rule.Of(g.Participants, video)
		c.total = c.total.plus(each.times(g.Count))
		c.largest = Traffic{max(c.largest.In, each.In), max(c.largest.Out, each.Out)}
		relayed := portion(c.relayedShare(), g.Participants)
		c.relayed = c.relayed.plus(rule.Relayed(g.Participants, video, relayed).times(g.Count))
	}
	c.perNode = c.onFullest(c.nodes)
	for _, core := range c.table.Rules.ExtraCores {
		c.extraCores = max(c.extraCores, c.coresBy(core))
	}
	if factor := c.factor(SFTMemory, ""); factor != nil {
		c.extraMemory = manifests.Bytes(factor.Value * 1e6 * float64(c.site.Conferences.Participants()))
	}
}

func (c *calculation) videoShare() site.Percent { return shareOr(c.site.VideoShare, 100) }

func (c *calculation) relayedShare() site.Percent { return shareOr(c.site.RelayedShare, 100) }

func shareOr(share *site.Percent, fallback site.Percent) site.Percent {
	if share == nil {
		return fallback
	}
	return *share
}

// portion returns a share of a count, rounded up.
func portion(share site.Percent, count int64) int64 { return ceilDiv(int64(share)*count, 100) }

// ceilDiv divides a number that is not negative, and rounds up.
func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }

// coresBy returns the cores that a rule adds to each node.
func (c *calculation) coresBy(rule CoreRule) int64 {
	if rule.PercentPerUser > 0 {
		return portion(rule.PercentPerUser, c.site.Conferences.Participants())
	}
	return ceilDiv(c.usersOnNode(), rule.UsersPerCore)
}

// onFullest returns what the fullest of some conference servers carries, at most.
func (c *calculation) onFullest(servers int) Traffic {
	return fullestTraffic(c.site.Conferences.Count(), c.total, c.largest, servers)
}

// usersOnNode returns the most participants on one conference server.
func (c *calculation) usersOnNode() int64 {
	return Fullest(c.site.Conferences.Count(), c.site.Conferences.Participants(), c.site.Conferences.Largest(), c.nodes)
}

// factor returns a factor of the customer's own, or nil.
func (c *calculation) factor(id FactorID, role site.Role) *Factor {
	factors := c.table.Rules.Factors
	i := slices.IndexFunc(factors, func(f Factor) bool { return f.ID == id && f.Role == role })
	if i < 0 {
		return nil
	}
	return &factors[i]
}

// usable is what a network card may carry: its rate less the headroom.
func (c *calculation) usable() site.Kbps {
	network := c.table.Rules.Network
	return network.NIC.Value * site.Kbps(100-network.Headroom.Value) / 100
}

// amountOf is a value in its unit.
func amountOf(value int64, unit Unit) message.Text {
	with := args{"n": value}
	switch unit {
	case UnitKbps:
		return say("value.rate", with)
	case UnitBytes:
		return say("value.bytes", with)
	case UnitPercent:
		return say("value.percent", with)
	case UnitCores:
		return say("value.cores", with)
	default:
		return say("value.plain", with)
	}
}

// figure makes a figure, which goes by its id in the catalogues.
func figure(id string, value int64, unit Unit, bound Bound, formula message.Text, sources ...string) Figure {
	return Figure{
		ID: id, Label: say("figure."+id+".label", nil), Value: value, Unit: unit, Shown: shownAs(value, unit, bound),
		Bound: bound, Formula: formula, Sources: sources,
	}
}

// shownAs is a value in its unit, as far as it is known.
func shownAs(value int64, unit Unit, bound Bound) message.Text {
	if bound == Unknown {
		return say("value.unknown", nil)
	}
	return amountOf(value, unit)
}

// hardware returns the table's own rows and totals.
func (c *calculation) hardware() *Hardware {
	h := &Hardware{Rows: []HardwareRow{}, Totals: []HardwareTotal{}, Notes: []HardwareNote{}}
	for _, note := range c.table.Notes {
		h.Notes = append(h.Notes, HardwareNote{note.ID, note.Text.text(note.place()), note.Source})
	}
	if m := c.table.Machine; m != nil {
		h.Rows = append(h.Rows, HardwareRow{
			Role: m.Role, Title: c.roleName(m.Role), Notes: m.Notes, Count: 1,
			Cores: m.Cores.Value, CoresRequired: m.Cores.Value, ExtraCores: c.extraCores,
			Memory: int64(m.Memory.Value), Disk: int64(m.Disk.Value), Unit: "GiB", MoreThan: true,
			Sources: CellSources{m.Cores.Source, m.Cores.Source, m.Memory.Source, m.Disk.Source},
		})
		return h
	}
	for _, row := range c.table.Rows {
		h.Rows = append(h.Rows, c.hardwareRow(row))
	}
	h.Totals, h.Printed = c.totals(), c.printedTotals()
	return h
}

// printedTotals holds what the table's source prints as totals against its rows.
func (c *calculation) printedTotals() []PrintedTotal {
	var list []PrintedTotal
	var differ []message.Text
	for _, p := range c.table.Printed {
		total := PrintedTotal{
			Date: p.Date, Source: p.Source, Printed: Totals{p.Cores, p.Memory, p.Disk}, Computed: c.table.TotalsWithout(p.Without),
		}
		total.Differs = total.Printed != total.Computed
		var without []message.Text
		for _, role := range p.Without {
			without = append(without, c.roleName(role))
		}
		total.Text = say(codeOfPrinted(total.Differs, len(without) > 0), args{
			"date": p.Date.String(), "source": p.Source, "without": without,
			"cores": p.Cores, "memory": int64(p.Memory), "disk": int64(p.Disk),
			"rowCores": total.Computed.Cores, "rowMemory": int64(total.Computed.Memory), "rowDisk": int64(total.Computed.Disk),
		})
		if total.Differs {
			differ = append(differ, total.Text)
		}
		list = append(list, total)
	}
	if len(differ) > 0 {
		c.find("table.printed", Info, say("finding.table.printed.text", args{"differ": differ}))
	}
	return list
}

func codeOfPrinted(differs, without bool) string {
	switch {
	case differs && without:
		return "hardware.printed.differs-without"
	case differs:
		return "hardware.printed.differs"
	case without:
		return "hardware.printed.same-without"
	}
	return "hardware.printed.same"
}

func (c *calculation) hardwareRow(row Row) HardwareRow {
	required, _ := row.Cores.Most()
	r := HardwareRow{
		Role: row.Role, Title: c.roleName(row.Role), Notes: row.Notes, Count: row.Count.Value, Support: row.Support,
		Cores: row.Cores.Value, CoresRequired: required, CoresNotes: row.Cores.Notes,
		Memory: int64(row.Memory.Value), Disk: int64(row.Disk.Value), Unit: "GB",
		Sources: CellSources{row.Count.Source, row.Cores.Source, row.Memory.Source, row.Disk.Source},
	}
	if c.carriesCalls(row.Role) {
		r.ExtraCores = c.extraCores
	}
	if differ := row.disagreements(); len(differ) > 0 {
		r.Differs = say("hardware.differ", args{"cells": differ})
		c.find("table.disagree."+string(row.Role), Info, say("finding.table.disagree.text", args{"role": r.Title, "differs": r.Differs}))
	}
	return r
}

// disagreements says of which cells of a row public sources say more than it does.
func (row Row) disagreements() []message.Text {
	var list []message.Text
	differ := func(code, source, by string, value, most message.Text) {
		list = append(list, say(code, args{"source": source, "value": value, "other": by, "more": most}))
	}
	if most, by := row.Cores.Most(); most != row.Cores.Value {
		differ("hardware.differs.cores", row.Cores.Source, by, amountOf(row.Cores.Value, UnitCores), amountOf(most, UnitCores))
	}
	for _, c := range []struct {
		code string
		cell Cell[site.GB]
	}{{"hardware.differs.memory", row.Memory}, {"hardware.differs.disk", row.Disk}} {
		if most, by := c.cell.Most(); most != c.cell.Value {
			value := amountOf(int64(c.cell.Value.Bytes()), UnitBytes)
			differ(c.code, c.cell.Source, by, value, amountOf(int64(most.Bytes()), UnitBytes))
		}
	}
	return list
}

func (c *calculation) totals() []HardwareTotal {
	var list []HardwareTotal
	total := func(id string, sum Totals, required bool) {
		list = append(list, HardwareTotal{id, say("hardware.total."+id, nil), sum.Cores, int64(sum.Memory), int64(sum.Disk), "GB", required})
	}
	for _, support := range []bool{false, true} {
		id := "per-server"
		if support {
			id = "per-server-with-support"
		}
		sum := c.table.PublishedTotals(support)
		total(id, sum, false)
		if most := c.table.RequiredTotals(support); most != sum {
			total(id+"-required", most, true)
		}
	}
	return list
}

// roleName is what the table calls a role.
func (c *calculation) roleName(role site.Role) message.Text {
	for _, r := range c.table.Requirements() {
		if r.Role == role {
			return r.Name()
		}
	}
	return message.Plain(string(role))
}

// questions returns what only Wire can answer.
func (c *calculation) questions() []Asked {
	list := []Asked{}
	for _, q := range c.table.Rules.Ask {
		asked := Asked{ID: q.ID, Text: q.Text.text(q.place() + ".text"), Ask: q.Ask.text(q.place() + ".ask")}
		c.answer(&asked, q.Factor)
		list = append(list, asked)
	}
	for _, u := range c.table.Unlisted {
		list = append(list, Asked{ID: "unlisted-" + string(u.Role), Text: u.Text.text(u.place() + ".text"), Ask: u.Ask.text(u.place() + ".ask")})
	}
	limit := c.table.Rules.Users
	if c.mostUsers() >= limit.AskFrom.Value {
		list = append([]Asked{c.usersQuestion()}, list...)
	}
	return list
}

// answer says by which of the customer's own factors a question is answered, or to what part.
func (c *calculation) answer(asked *Asked, id FactorID) {
	if id != StoragePerUser {
		if factor := c.factor(id, ""); factor != nil {
			asked.Answered = say("question.answered", args{"factor": factor.Value, "basis": message.Text{Given: factor.Basis}})
		}
		return
	}
	switch factors, without := c.storageFactors(); {
	case len(factors) == 0:
	case len(without) == 0:
		asked.Answered = say("question.answered-roles", args{"factors": factors})
	default:
		asked.Text = say("question.partly", args{"text": asked.Text, "factors": factors, "roles": without})
	}
}

// usersQuestion asks for more users than the table serves, now or later.
func (c *calculation) usersQuestion() Asked {
	with := args{"serves": c.table.servesUsers(), "users": c.site.Users}
	asked := Asked{ID: "users", Text: say("question.users.text", with), Ask: say("question.users.ask", args{"users": c.mostUsers()})}
	if g := c.growth(); g != nil {
		with["after"], with["months"] = g.UsersAfter, g.Months
		asked.Text = say("question.users.grown", with)
	}
	return asked
}

// sourceList returns the sources that the report names, and no others.
func (c *calculation) sourceList(r *Report) []SourceRef {
	used := map[string]bool{}
	use := func(ids ...string) {
		for _, id := range ids {
			used[id] = true
		}
	}
	if r.Hardware != nil {
		for _, row := range r.Hardware.Rows {
			use(row.Sources.Count, row.Sources.Cores, row.Sources.Memory, row.Sources.Disk)
			if !row.Differs.IsZero() {
				of := c.table.Row(row.Role)
				_, cores := of.Cores.Most()
				_, memory := of.Memory.Most()
				_, disk := of.Disk.Most()
				use(cores, memory, disk)
			}
		}
		for _, note := range r.Hardware.Notes {
			use(note.Source)
		}
		for _, line := range r.Conferencing.Cores {
			use(line.Source)
		}
		for _, figures := range [][]Figure{r.Conferencing.Figures, r.Turn.Figures, r.Storage.Figures} {
			for _, f := range figures {
				use(f.Sources...)
			}
		}
		for _, series := range r.Storage.Series {
			use(series.Sources...)
		}
		use(c.table.Rules.Users.Source, c.table.Servers.Source)
	}
	use("G")
	known := maps.Clone(c.table.Sources)
	for _, port := range r.CallPorts {
		use(port.Source)
		if _, ok := known[port.Source]; !ok {
			known[port.Source] = builtInCallPorts().Sources[port.Source]
		}
	}
	list := []SourceRef{}
	for _, id := range sortedKeys(known) {
		if used[id] {
			list = append(list, sourceRef(id, known[id]))
		}
	}
	return list
}

// refers lists sources, each once, in the order given.
func refers(cells ...string) []string {
	var list []string
	for _, cell := range cells {
		if !slices.Contains(list, cell) {
			list = append(list, cell)
		}
	}
	return list
}

package sizing

import (
	"cmp"
	"slices"

	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/manifests"
)

// Input is all that a report is calculated from.
type Input struct {
	Site  *site.Site // checked
	Table *Table
	// TableDigest is that of the table's file, to name it in the report. Optional.
	TableDigest manifests.Digest
	// Lock is the release, if it is known.
	Lock *manifests.Lock
	// Against are machines that exist, to compare with. Optional.
	Against []Existing
	// Lang is the language of the texts; English if empty.
	Lang page.Lang
}

// Calculate works out what a site needs. It is a pure function: the same input
// gives the same report. The site must have passed [site.Site.Check].
func Calculate(in Input) *Report {
	c := newCalculation(in)
	r := &Report{
		APIVersion: manifests.APIVersion, Kind: KindReport, Language: c.lang, Site: *in.Site,
		Table:    TableRef{in.Table.Name, in.Table.Version, c.lang.Of(in.Table.Title), in.TableDigest},
		Scenario: c.choice(), Findings: []Finding{}, Questions: []Asked{},
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
		r.Hardware = c.hardware()
		r.Conferencing = c.conferencing()
		r.Turn = c.turn()
		r.Placement = c.placement()
		r.Storage = c.storage()
		r.Questions = c.questions()
		r.Comparison = c.comparison(r.Placement, in.Against)
		c.siteFindings(r)
	}
	c.choiceFindings(r.Scenario)
	slices.SortStableFunc(c.findings, func(a, b Finding) int { return cmp.Compare(grave(a.Level), grave(b.Level)) })
	r.Findings = append(r.Findings, c.findings...)
	r.Sources = c.sourceList(r)
	return r
}

func grave(l Level) int { return slices.Index([]Level{Fail, Warn, Ask, Info, Good}, l) }

// calculation holds what the parts of a report share.
type calculation struct {
	site      *site.Site
	table     *Table
	lang      page.Lang
	scenario  Scenario
	servers   []site.Server
	footprint *Footprint
	findings  []Finding

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
	c := &calculation{site: in.Site, table: in.Table, lang: cmp.Or(in.Lang, page.English), scenario: scenarioOf(in.Site.Scenario)}
	c.servers = c.serverList()
	for _, r := range in.Table.Requirements() {
		switch r.Role {
		case site.Kubernetes, site.DemoMachine:
			c.nodes = r.Count
		}
		switch r.Role {
		case site.Restund, site.Coturn:
			c.turns = cmp.Or(in.Site.Restund, r.Count)
		case site.DemoMachine:
			c.turns = 1
		}
	}
	c.nodesLeft = nodesLeft(placeMachines(c.servers, c.machinesOf()), c.nodes)
	c.load()
	return c
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
	c.perNode = worstTraffic(c.total, c.largest, c.nodes)
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

// usersOnNode returns the most participants on one conference server.
func (c *calculation) usersOnNode() int64 {
	return Worst(c.site.Conferences.Participants(), c.site.Conferences.Largest(), c.nodes)
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

func (c *calculation) find(id string, level Level, text, hint string) {
	c.findings = append(c.findings, Finding{id, level, text, hint})
}

// show words a value in its unit.
func (c *calculation) show(value int64, unit Unit) string {
	switch unit {
	case UnitKbps:
		return c.lang.Rate(value)
	case UnitBytes:
		return c.lang.GB(value)
	case UnitPercent:
		return c.lang.Percent(value)
	case UnitCores:
		return c.lang.Unit(c.lang.Int(value), c.lang.Plural(value, c.lang.T("core", "Kern"), c.lang.T("cores", "Kerne")))
	default:
		return c.lang.Int(value)
	}
}

func (c *calculation) figure(id, label string, value int64, unit Unit, bound Bound, formula string, sources ...string) Figure {
	shown := c.show(value, unit)
	if bound == Unknown {
		shown = c.lang.T("unknown", "unbekannt")
	}
	return Figure{id, label, value, unit, shown, bound, formula, sources}
}

// hardware returns the table's own rows and totals.
func (c *calculation) hardware() *Hardware {
	h := &Hardware{Rows: []HardwareRow{}, Totals: []HardwareTotal{}, Notes: []HardwareNote{}}
	for _, note := range c.table.Notes {
		h.Notes = append(h.Notes, HardwareNote{note.ID, c.lang.Of(note.Text), note.Source})
	}
	if m := c.table.Machine; m != nil {
		h.Rows = append(h.Rows, HardwareRow{
			Role: m.Role, Title: c.roleName(m.Role), Notes: m.Notes, Count: 1, Cores: m.Cores.Value, CoresRequired: m.Cores.Value, ExtraCores: c.extraCores,
			Memory: int64(m.Memory.Value), Disk: int64(m.Disk.Value), Unit: "GiB", MoreThan: true,
			Sources: CellSources{m.Cores.Source, m.Cores.Source, m.Memory.Source, m.Disk.Source},
		})
		return h
	}
	for _, row := range c.table.Rows {
		h.Rows = append(h.Rows, c.hardwareRow(row))
	}
	h.Totals = c.totals()
	return h
}

func (c *calculation) hardwareRow(row Row) HardwareRow {
	required, by := row.Cores.Most()
	r := HardwareRow{
		Role: row.Role, Title: c.roleName(row.Role), Notes: row.Notes, Count: row.Count.Value, Support: row.Support,
		Cores: row.Cores.Value, CoresRequired: required, CoresNotes: row.Cores.Notes,
		Memory: int64(row.Memory.Value), Disk: int64(row.Disk.Value), Unit: "GB",
		Sources: CellSources{row.Count.Source, row.Cores.Source, row.Memory.Source, row.Disk.Source},
	}
	if row.Role == site.Kubernetes {
		r.ExtraCores = c.extraCores
	}
	if required != row.Cores.Value {
		r.Differs = c.lang.F("%s says %s, %s says %s; the more demanding is used", "%s sagt %s, %s sagt %s; verwendet wird die höhere Angabe",
			row.Cores.Source, c.show(row.Cores.Value, UnitCores), by, c.show(required, UnitCores))
		c.find("table.disagree."+string(row.Role), Info, c.lang.F("Public sources disagree on the cores of %s: %s.", "Öffentliche Quellen widersprechen sich bei den Kernen von %s: %s.", r.Title, r.Differs), "")
	}
	return r
}

func (c *calculation) totals() []HardwareTotal {
	var list []HardwareTotal
	for _, kind := range []struct {
		id, title string
		support   bool
	}{
		{"per-server", c.lang.T("Per-server totals", "Summe je Server"), false},
		{"per-server-with-support", c.lang.T("Per-server totals with admin and asset host", "Summe je Server mit Admin- und Asset-Host"), true},
	} {
		sum := c.table.PublishedTotals(kind.support)
		list = append(list, HardwareTotal{kind.id, kind.title, sum.Cores, int64(sum.Memory), int64(sum.Disk), "GB", false})
		if most := c.table.RequiredTotals(kind.support); most != sum {
			title := kind.title + c.lang.T(", higher figures", ", höhere Angaben")
			list = append(list, HardwareTotal{kind.id + "-required", title, most.Cores, int64(most.Memory), int64(most.Disk), "GB", true})
		}
	}
	return list
}

// roleName returns a role's name in the language of the report.
func (c *calculation) roleName(role site.Role) string { return roleName(c.lang, c.table, role) }

func roleName(l page.Lang, t *Table, role site.Role) string {
	switch role {
	case site.AdminHost:
		return l.T("Admin host", "Admin-Host")
	case site.AssetHost:
		return l.T("Asset host", "Asset-Host")
	case site.DemoMachine:
		return l.T("Demo machine", "Demo-Maschine")
	}
	for _, r := range t.Requirements() {
		if r.Role == role {
			return r.Title
		}
	}
	return string(role)
}

// questions returns what only Wire can answer.
func (c *calculation) questions() []Asked {
	list := []Asked{}
	for _, q := range c.table.Rules.Ask {
		asked := Asked{ID: q.ID, Text: c.lang.Of(q.Text), Ask: c.lang.Of(q.Ask)}
		for _, factor := range c.table.Rules.Factors {
			if q.Factor != "" && factor.ID == q.Factor {
				asked.Answered = c.lang.F("calculated with your own factor %s (%s)", "berechnet mit Ihrem eigenen Faktor %s (%s)",
					c.lang.Decimal(factor.Value, 2), c.lang.Of(factor.Basis))
			}
		}
		list = append(list, asked)
	}
	for _, u := range c.table.Unlisted {
		list = append(list, Asked{ID: "unlisted-" + string(u.Role), Text: c.lang.Of(u.Text), Ask: c.lang.Of(u.Ask)})
	}
	limit := c.table.Rules.Users
	if c.site.Users >= limit.AskFrom.Value {
		list = append([]Asked{{
			ID: "users",
			Text: c.lang.F("The table serves %s. This site has %s users.", "Die Tabelle gilt für: %s. Dieser Standort hat %s Nutzer.",
				c.lang.Of(limit.Text), c.lang.Int(c.site.Users)),
			Ask: c.lang.F("What hardware do %s messaging users need?", "Welche Hardware benötigen %s Nachrichten-Nutzer?", c.lang.Int(c.site.Users)),
		}}, list...)
	}
	return list
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
			if row.Differs != "" {
				_, by := c.table.Row(row.Role).Cores.Most()
				use(by)
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
	list := []SourceRef{}
	for _, id := range sortedKeys(c.table.Sources) {
		if used[id] {
			list = append(list, SourceRef{id, c.table.Sources[id].Title, c.table.Sources[id].Where})
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

func number[T ~int64 | ~int](l page.Lang, n T) string { return l.Int(int64(n)) }

package sizing

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing/site"
)

// Limits on what a table may say. They keep every product of two numbers far
// from overflow, and catch slips of the keyboard.
const (
	maxRows   = 64
	maxCount  = 1000
	maxKbps   = 1e9 // a terabit per second
	maxFactor = 1e6
	maxTexts  = 64
	maxGroups = 16
)

var tableName = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$`)

func (t *Table) check(file string) error {
	c := tableCheck{&fault.Flaws{File: file}, t}
	c.Want(t.APIVersion == manifests.APIVersion, "apiVersion", "this program reads "+manifests.APIVersion, "apiVersion is %q", t.APIVersion)
	c.Want(t.Kind == KindTable, "kind", "kind: "+KindTable, "wants a document of kind %s, got %q", KindTable, t.Kind)
	if c.Any() {
		return c.Err()
	}
	c.Want(tableName.MatchString(t.Name), "name", "such as guide", "table name %.80q is not a lowercase label", t.Name)
	c.Want(t.Version > 0, "version", "count from 1, and up with every change", "table has no version")
	c.text("title", t.Title)
	c.draft()
	c.printed()
	c.sources()
	c.Want((len(t.Rows) > 0) != (t.Machine != nil), "rows", "give rows, or the one machine", "table wants one of rows and machine")
	c.Want(len(t.Rows) <= maxRows, "rows", "", "table has %d rows, at most %d are read", len(t.Rows), maxRows)
	cell(c, "servers", t.Servers, 1, maxCount)
	c.systems()
	c.notes()
	c.rows()
	c.machine()
	c.unlisted()
	c.tolerance("tolerance.memory", t.Tolerance.Memory)
	c.tolerance("tolerance.disk", t.Tolerance.Disk)
	c.rules()
	return c.Err()
}

type tableCheck struct {
	*fault.Flaws
	table *Table
}

const wordsHint = "write en, and other languages where there are words"

func (c tableCheck) text(field string, text Given) {
	c.Want(text.complete(), field, wordsHint, "text is missing in a language")
}

func (c tableCheck) source(field, name string) {
	_, known := c.table.Sources[name]
	switch {
	case name == "":
		c.Want(false, field, "name one of sources, so that the number can be checked", "number has no source")
	case !known:
		c.Want(false, field, "add it to sources", "source %.80q is not among the table's sources", name)
	}
}

func (c tableCheck) draft() {
	if d := c.table.Draft; d != nil {
		c.Want(!d.Date.IsZero(), "draft.date", "the day as of which it was read", "draft has no date")
		c.text("draft.text", d.Text)
		c.source("draft.source", d.Source)
	}
}

func (c tableCheck) printed() {
	c.Want(len(c.table.Printed) <= maxTexts, "printed", "", "table has more than %d printed totals", maxTexts)
	c.Want(len(c.table.Printed) == 0 || c.table.Machine == nil, "printed", "", "a single machine has no totals")
	for i, p := range c.table.Printed {
		field := fmt.Sprintf("printed[%d]", i)
		c.Want(!p.Date.IsZero(), field+".date", "the day of which they are", "printed totals have no date")
		c.source(field+".source", p.Source)
		for j, role := range p.Without {
			c.Want(c.table.Row(role) != nil, fmt.Sprintf("%s.without[%d]", field, j), "", "no row has role %.80q", role)
		}
		c.Want(p.Cores > 0 && p.Cores <= maxRows*site.MaxCores, field+".cores", "", "%d cores is not between 1 and %d", p.Cores,
			maxRows*site.MaxCores)
		c.Want(p.Memory > 0 && p.Disk > 0, field, "", "printed totals have no memory or no disk")
	}
}

func (c tableCheck) sources() {
	c.Want(len(c.table.Sources) > 0, "sources", "name the documents that the numbers are from", "table has no source")
	c.Want(len(c.table.Sources) <= maxTexts, "sources", "", "table has more than %d sources", maxTexts)
	for _, name := range sortedKeys(c.table.Sources) {
		c.Want(c.table.Sources[name].Title != "", "sources."+name+".title", "", "source has no title")
	}
}

func (c tableCheck) noted(field string, ids []string) {
	for i, id := range ids {
		known := slices.ContainsFunc(c.table.Notes, func(n Note) bool { return n.ID == id })
		c.Want(known, fmt.Sprintf("%s[%d]", field, i), "add it to notes", "footnote %.40q does not exist", id)
	}
}

func cell[T cmp.Ordered](c tableCheck, field string, cell Cell[T], least, most T) {
	c.Want(cell.Value >= least && cell.Value <= most, field+".value", "", "value %v is not between %v and %v", cell.Value, least, most)
	c.source(field+".source", cell.Source)
	c.noted(field+".notes", cell.Notes)
	for i, other := range cell.Alternatives {
		at := fmt.Sprintf("%s.alternatives[%d]", field, i)
		c.Want(other.Value >= least && other.Value <= most, at+".value", "", "value %v is not between %v and %v", other.Value, least, most)
		c.source(at+".source", other.Source)
	}
}

func (c tableCheck) systems() {
	s := c.table.OS
	if len(s.Releases) == 0 && s.Source == "" {
		return
	}
	c.Want(len(s.Releases) > 0 && len(s.Releases) <= maxTexts, "os.releases", "", "table names no operating system, or more than %d", maxTexts)
	for i, release := range s.Releases {
		c.Want(release.ID != "" && release.Version != "", fmt.Sprintf("os.releases[%d]", i), `such as {id: ubuntu, version: "24.04"}`,
			"wants id and version, as /etc/os-release has them")
	}
	c.source("os.source", s.Source)
}

func (c tableCheck) notes() {
	c.Want(len(c.table.Notes) <= maxTexts, "notes", "", "table has more than %d notes", maxTexts)
	seen := map[string]bool{}
	for i, note := range c.table.Notes {
		field := fmt.Sprintf("notes[%d]", i)
		c.Want(note.ID != "" && !seen[note.ID], field+".id", "", "footnote %.40q has no mark of its own", note.ID)
		seen[note.ID] = true
		c.text(field+".text", note.Text)
		c.source(field+".source", note.Source)
	}
}

func (c tableCheck) role(field string, role site.Role) {
	c.Want(role.Known(), field, "known: "+site.Joined(site.Roles()), "unknown role %.80q", role)
}

func (c tableCheck) rows() {
	seen := map[site.Role]bool{}
	for i, row := range c.table.Rows {
		field := fmt.Sprintf("rows[%d]", i)
		c.role(field+".role", row.Role)
		c.Want(!seen[row.Role], field+".role", "give each role one row", "role %s has two rows", row.Role)
		seen[row.Role] = true
		c.Want(row.Title != "", field+".title", "", "row has no title")
		c.noted(field+".notes", row.Notes)
		cell(c, field+".count", row.Count, 1, maxCount)
		c.Want(row.CountMax == 0 || row.CountMax >= row.Count.Value && row.CountMax <= maxCount, field+".countMax", "",
			"countMax %d is less than count or more than %d", row.CountMax, maxCount)
		cell(c, field+".cores", row.Cores, 1, site.MaxCores)
		cell(c, field+".memory", row.Memory, 1, site.MaxAmount)
		cell(c, field+".disk", row.Disk, 1, site.MaxAmount)
		c.Want(row.PerServer >= 1 && row.PerServer <= maxCount, field+".perServer", "1 keeps two of a role off one server",
			"perServer %d is not between 1 and %d", row.PerServer, maxCount)
		for j, other := range row.SharesServerWith {
			c.role(fmt.Sprintf("%s.sharesServerWith[%d]", field, j), other)
		}
		for j, other := range row.SharesMachineWith {
			c.role(fmt.Sprintf("%s.sharesMachineWith[%d]", field, j), other)
		}
		c.Want(len(row.Groups) <= maxGroups, field+".groups", "", "row has more than %d groups", maxGroups)
	}
	for i, row := range c.table.Rows { // sharing is of both or of neither
		for j, other := range row.SharesServerWith {
			k := slices.IndexFunc(c.table.Rows, func(r Row) bool { return r.Role == other })
			c.Want(k < 0 || slices.Contains(c.table.Rows[k].SharesServerWith, row.Role),
				fmt.Sprintf("rows[%d].sharesServerWith[%d]", i, j),
				fmt.Sprintf("add %s to sharesServerWith of %s", row.Role, other),
				"%s may share a server with %s, but not the other way round", row.Role, other)
		}
	}
}

func (c tableCheck) machine() {
	m := c.table.Machine
	if m == nil {
		return
	}
	c.Want(m.Role == site.DemoMachine, "machine.role", "say "+string(site.DemoMachine), "a single machine has role %.80q", m.Role)
	c.Want(m.Title != "", "machine.title", "", "machine has no title")
	c.noted("machine.notes", m.Notes)
	cell(c, "machine.cores", m.Cores, 1, site.MaxCores)
	cell(c, "machine.memory", m.Memory, 1, site.MaxAmount)
	cell(c, "machine.disk", m.Disk, 1, site.MaxAmount)
}

func (c tableCheck) unlisted() {
	c.Want(len(c.table.Unlisted) <= maxTexts, "unlisted", "", "table has more than %d unlisted roles", maxTexts)
	for i, u := range c.table.Unlisted {
		field := fmt.Sprintf("unlisted[%d]", i)
		c.role(field+".role", u.Role)
		c.Want(c.table.Row(u.Role) == nil, field+".role", "take it out of unlisted", "role %s has a row", u.Role)
		c.text(field+".text", u.Text)
		c.text(field+".ask", u.Ask)
		c.source(field+".source", u.Source)
	}
}

func (c tableCheck) tolerance(field string, t Tolerance) {
	c.Want(t.Percent >= 0 && t.Percent <= 50, field+".percent", "", "tolerance of %d %% is not between 0 and 50", t.Percent)
	c.text(field+".reason", t.Reason)
	c.source(field+".source", t.Source)
}

func (c tableCheck) rules() {
	r := c.table.Rules
	cell(c, "rules.conference.audioKbps", r.Conference.Audio, 1, maxKbps)
	cell(c, "rules.conference.videoKbps", r.Conference.Video, 1, maxKbps)
	cell(c, "rules.conference.audioStreams", r.Conference.AudioStreams, 1, maxCount)
	cell(c, "rules.conference.videoStreams", r.Conference.VideoStreams, 1, maxCount)
	cell(c, "rules.network.nicKbps", r.Network.NIC, 1, maxKbps)
	cell(c, "rules.network.headroomPercent", r.Network.Headroom, 0, 99)
	c.Want(len(r.ExtraCores) > 0 && len(r.ExtraCores) <= maxTexts, "rules.extraCores", "",
		"wants 1 to %d rules for the cores that conferences add", maxTexts)
	for i, rule := range r.ExtraCores {
		field := fmt.Sprintf("rules.extraCores[%d]", i)
		c.Want(rule.ID != "", field+".id", "", "rule has no id")
		c.Want(
			(rule.PercentPerUser > 0) != (rule.UsersPerCore > 0) && rule.PercentPerUser >= 0 && rule.PercentPerUser <= 10_000 &&
				rule.UsersPerCore >= 0 &&
				rule.UsersPerCore <= maxKbps,
			field,
			"such as usersPerCore: 50",
			"rule wants one of percentPerUser and usersPerCore, above 0",
		)
		c.text(field+".text", rule.Text)
		c.source(field+".source", rule.Source)
	}
	cell(c, "rules.turn.allocationsPerServer", r.Turn.Allocations, 1, maxKbps)
	c.text("rules.users.text", r.Users.Text)
	c.source("rules.users.source", r.Users.Source)
	cell(c, "rules.users.askFrom", r.Users.AskFrom, 1, site.MaxUsers)
	cell(c, "rules.releases.everyMonths", r.Releases.Months, 1, 120)
	cell(c, "rules.nodeDisk.usablePercent", r.NodeDisk.Usable, 1, 100)
	c.factors(r.Factors)
	c.Want(len(r.Ask) <= maxTexts, "rules.ask", "", "table has more than %d questions", maxTexts)
	for i, q := range r.Ask {
		field := fmt.Sprintf("rules.ask[%d]", i)
		c.Want(q.ID != "", field+".id", "", "question has no id")
		c.text(field+".text", q.Text)
		c.text(field+".ask", q.Ask)
	}
}

func (c tableCheck) factors(factors []Factor) {
	c.Want(len(factors) <= maxTexts, "rules.factors", "", "table has more than %d factors", maxTexts)
	seen := map[string]bool{}
	for i, factor := range factors {
		field := fmt.Sprintf("rules.factors[%d]", i)
		known := []FactorID{StoragePerUser, Unpacked, SFTMemory}
		c.Want(slices.Contains(known, factor.ID), field+".id",
			fmt.Sprintf("known: %s, %s, %s", StoragePerUser, Unpacked, SFTMemory), "unknown factor %.80q", factor.ID)
		c.Want(factor.Value > 0 && factor.Value <= maxFactor && !math.IsNaN(factor.Value), field+".value", "",
			"factor %v is not above 0 and at most %d", factor.Value, int(maxFactor))
		c.Want((factor.ID == StoragePerUser) == (factor.Role != ""), field+".role", "only storage has a role",
			"factor %s and role %q do not go together", factor.ID, factor.Role)
		c.Want(factor.Role == "" || c.table.Row(factor.Role) != nil, field+".role", "", "no row has role %.80q", factor.Role)
		c.Want(factor.Basis.complete(), field+".basis", "say in en, and in other languages, how you came by it", "factor has no basis")
		key := string(factor.ID) + " " + string(factor.Role)
		c.Want(!seen[key], field, "", "factor is given twice")
		seen[key] = true
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

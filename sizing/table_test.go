package sizing

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/manifests/fault"
)

// TestGuideTotals holds the totals against the ones that the guide and
// wire-docs print.
func TestGuideTotals(t *testing.T) {
	for name, want := range map[string][2]Totals{
		"guide":            {{11, 18, 590}, {13, 26, 730}},
		"guide-postgresql": {{12, 20, 640}, {14, 28, 780}},
		"wire-docs-99":     {{16, 30, 850}, {18, 38, 1040}},
	} {
		table := embeddedTable(t, name)
		if got := [2]Totals{table.PublishedTotals(false), table.PublishedTotals(true)}; got != want {
			t.Errorf("%s: totals %v, want %v", name, got, want)
		}
	}
	// wireapp/wire-server-deploy wants 2 cores for PostgreSQL where wire-docs wants 1.
	if got := embeddedTable(t, "guide-postgresql").RequiredTotals(true); got != (Totals{15, 28, 780}) {
		t.Errorf("guide-postgresql: required totals %v", got)
	}
}

type figures struct {
	role                 site.Role
	count, cores         int64
	memory, disk         site.GB
	roleNotes, coreNotes string
}

func figuresOf(table *Table) []figures {
	var got []figures
	for _, r := range table.Rows {
		got = append(got, figures{
			r.Role, r.Count.Value, r.Cores.Value, r.Memory.Value, r.Disk.Value,
			strings.Join(r.Notes, ","), strings.Join(r.Cores.Notes, ","),
		})
	}
	return got
}

// TestGuideRows holds the embedded table against the guide's, figure by figure.
func TestGuideRows(t *testing.T) {
	table := embeddedTable(t, "guide")
	got := figuresOf(table)
	want := []figures{
		{site.Cassandra, 3, 2, 4, 80, "", ""},
		{site.MinIO, 3, 1, 2, 400, "", ""},
		{site.Elasticsearch, 3, 1, 2, 60, "", ""},
		{site.Kubernetes, 3, 6, 8, 40, "3", "1"},
		{site.Restund, 2, 1, 2, 10, "4", ""},
		{site.AdminHost, 1, 1, 4, 40, "2", ""},
		{site.AssetHost, 1, 1, 4, 100, "2", ""},
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows\n%v\nwant\n%v", got, want)
	}
	if len(table.Notes) != 4 {
		t.Errorf("%d footnotes, want 4", len(table.Notes))
	}
	if table.Row(site.Restund).CountMax != 3 {
		t.Error("Restund may run on all three servers")
	}
}

// TestRowsOfTheDraft holds the table of wire-docs' draft against what it prints.
func TestRowsOfTheDraft(t *testing.T) {
	want := []figures{
		{site.Cassandra, 3, 1, 2, 80, "", ""},
		{site.PostgreSQL, 3, 1, 2, 80, "", ""},
		{site.MinIO, 3, 1, 2, 400, "", ""},
		{site.Elasticsearch, 3, 1, 2, 60, "", ""},
		{site.RabbitMQ, 3, 2, 4, 80, "", ""},
		{site.Kubernetes, 3, 6, 8, 80, "", ""},
		{site.Calling, 3, 4, 10, 70, "", "1"},
		{site.AdminHost, 1, 1, 4, 90, "2", ""},
		{site.AssetHost, 1, 1, 4, 100, "2", ""},
	}
	if got := figuresOf(embeddedTable(t, "wire-docs-99")); !slices.Equal(got, want) {
		t.Errorf("rows\n%v\nwant\n%v", got, want)
	}
}

// TestPrintedTotalsAreHeldAgainstRows wants what the draft printed first to differ from
// its rows, and what it prints now to be their sums.
func TestPrintedTotalsAreHeldAgainstRows(t *testing.T) {
	r := calculate(t, someSite(t, 900, "2x20"), "wire-docs-99")
	type held struct {
		date              string
		printed, computed Totals
		differs           bool
	}
	var got []held
	for _, p := range r.Hardware.Printed {
		got = append(got, held{p.Date.String(), p.Printed, p.Computed, p.Differs})
	}
	want := []held{
		{"2026-03-04", Totals{14, 32, 970}, Totals{14, 28, 970}, true},
		{"2026-03-04", Totals{18, 44, 1060}, Totals{18, 38, 1040}, true},
		{"2026-03-19", Totals{14, 28, 970}, Totals{14, 28, 970}, false},
		{"2026-03-19", Totals{18, 38, 1040}, Totals{18, 38, 1040}, false},
	}
	if !slices.Equal(got, want) {
		t.Errorf("printed totals\n%v\nwant\n%v", got, want)
	}
	wantFinding(t, r, "table.printed", Info)
	wantFinding(t, r, "table.draft", Ask)
	text := english(findingOf(r, "table.printed").Text)
	for _, said := range []string{"18 / 44", "1,060", "18 / 38", "1,040", "14 / 32"} {
		if !strings.Contains(strings.ReplaceAll(text, "\u00a0", " "), said) {
			t.Errorf("%q is not in: %s", said, text)
		}
	}
	guide := calculate(t, someSite(t, 900, "2x20"), "guide")
	if findingOf(guide, "table.printed") != nil || findingOf(guide, "table.draft") != nil {
		t.Errorf("the guide is called a draft: %s", allFindings(guide))
	}
	changed := *embeddedTable(t, "guide") // any other table's are held as well
	changed.Printed = []Printed{{Source: "G", Cores: 13, Memory: 26, Disk: 735}}
	if own := Calculate(Input{Site: someSite(t, 900, "none"), Table: &changed}); !own.Hardware.Printed[0].Differs {
		t.Errorf("735 for 730 is taken: %+v", own.Hardware.Printed)
	}
}

// TestCallingNodesCarryCalls wants conferences on the nodes for calls where a table has
// them, and the more demanding figures placed, in memory too.
func TestCallingNodesCarryCalls(t *testing.T) {
	r := calculate(t, someSite(t, 4000, "10x10"), "wire-docs-99")
	want := map[site.Role]Amounts{
		site.Kubernetes: {6, 8e9, 80e9}, site.Calling: {4 + 3, 10e9, 70e9}, site.Cassandra: {2, 4e9, 80e9},
		site.PostgreSQL: {2, 2e9, 80e9}, site.RabbitMQ: {2, 4e9, 80e9},
	}
	for _, server := range r.Placement.Servers {
		for _, m := range server.Machines {
			if amounts, ok := want[m.Role]; ok && amounts != m.Amounts {
				t.Errorf("%s is placed with %+v, want %+v", m.Name, m.Amounts, amounts)
			}
		}
	}
	wantFinding(t, r, "users.table", Info)
	wantFinding(t, calculate(t, someSite(t, 4001, "none"), "wire-docs-99"), "users.ask", Warn)
	text := english(findingOf(r, "table.disagree.cassandra").Text)
	if !strings.Contains(text, "of memory") || !strings.Contains(text, "cores") {
		t.Errorf("Cassandra's figures: %s", text)
	}
	without := *embeddedTable(t, "wire-docs-99")
	without.Rows = slices.DeleteFunc(slices.Clone(without.Rows), func(r Row) bool { return r.Role == site.Calling })
	on := Calculate(Input{Site: someSite(t, 4000, "10x10"), Table: &without})
	for _, m := range on.Placement.Servers[0].Machines {
		if m.Role == site.Kubernetes && m.Cores != 9 {
			t.Errorf("without nodes for calls, Kubernetes has %d cores", m.Cores)
		}
	}
}

// TestTablesAgree keeps what the tables share from drifting apart.
func TestTablesAgree(t *testing.T) {
	if got := Names(); !slices.Equal(got, []string{"demo", "guide", "guide-postgresql", "wire-docs-99"}) {
		t.Fatalf("tables %v: a new one belongs in this list, and in docs/sizing.md", got)
	}
	_, guide, _ := Embedded("guide")
	shared := func(data []byte) string {
		_, rules, _ := strings.Cut(string(data), "\nrules:\n")
		_, rest, _ := strings.Cut(string(data), "\nsources:\n")
		sources, _, _ := strings.Cut(rest, "\n\n")
		before, users, _ := strings.Cut(rules, "\n  users:\n") // how many, each source says for its own figures
		_, after, _ := strings.Cut(users, "\n  releases:\n")
		return sources + before + after
	}
	for _, name := range Names() {
		_, data, err := Embedded(name)
		if err != nil {
			t.Fatal(err)
		}
		if shared(data) != shared(guide) {
			t.Errorf("table %s: sources or rules differ from guide's", name)
		}
	}
}

func TestRequirements(t *testing.T) {
	demo := embeddedTable(t, "demo").Requirements()
	if len(demo) != 1 || demo[0].Memory != 16<<30 || demo[0].Disk != 200<<30 || demo[0].Cores != 16 || !demo[0].MoreThan {
		t.Errorf("demo: %+v", demo)
	}
	for _, r := range embeddedTable(t, "guide-postgresql").Requirements() {
		if r.Role == site.PostgreSQL && (r.Cores != 2 || r.CoresSource != "WSD-postgresql" || r.Memory != 2e9) {
			t.Errorf("postgresql: the more demanding figure is not used: %+v", r)
		}
		if r.Role == site.Restund && (r.Count != 2 || r.CountMax != 3) {
			t.Errorf("restund: %+v", r)
		}
	}
	if _, _, err := Embedded("../site"); err == nil {
		t.Error("a path was taken for the name of a table")
	}
}

func TestTolerance(t *testing.T) {
	tolerance := Tolerance{Percent: 5}
	if got := tolerance.Least(4e9); got != 3_800_000_000 {
		t.Errorf("5 %% below 4 GB is %d", got)
	}
}

// TestReadTableFaults breaks one thing at a time in the guide's table.
func TestReadTableFaults(t *testing.T) {
	_, guide, err := Embedded("guide")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, old, new, field, message string }{
		{"unknown role", "role: cassandra\n", "role: casandra\n", "rows[0].role", `unknown role "casandra"`},
		{"no source", "cores: {value: 2, source: G}", "cores: {value: 2}", "rows[0].cores.source", "number has no source"},
		{"unnamed source", "cores: {value: 2, source: G}", "cores: {value: 2, source: X}", "rows[0].cores.source", `source "X" is not among`},
		{"no cores", "cores: {value: 2, source: G}", "cores: {value: 0, source: G}", "rows[0].cores.value", "value 0 is not between"},
		{"negative count", "count: {value: 3, source: G}", "count: {value: -3, source: G}", "rows[0].count.value", "value -3 is not between"},
		{"GiB for GB", "memory: {value: 4 GB, source: G}", "memory: {value: 4 GiB, source: G}",
			"rows[0].memory.value", "not a whole amount in GB"},
		{"no unit", "memory: {value: 4 GB, source: G}", `memory: {value: "4", source: G}`, "rows[0].memory.value", "not a whole amount in GB"},
		{"absurd disk", "disk: {value: 80 GB, source: G}", "disk: {value: 999999999999 GB, source: G}", "rows[0].disk.value", "more than"},
		{"not a number", "cores: {value: 2, source: G}", "cores: {value: .nan, source: G}", "rows[0].cores.value", "wants a whole number"},
		{"role twice", "role: minio\n", "role: cassandra\n", "rows[1].role", "has two rows"},
		{"footnote unknown", `notes: ["3"]`, `notes: ["9"]`, "rows[3].notes[0]", "footnote"},
		{"one-sided sharing", "sharesServerWith: [minio, elasticsearch,", "sharesServerWith: [elasticsearch,",
			"rows[1].sharesServerWith[0]", "not the other way round"},
		{"no language", "de: Leitfaden von Wire, hochverfügbar", `de: ""`, "title", "missing in a language"},
		{"other kind", "kind: HardwareTable", "kind: Site", "kind", "wants a document of kind"},
		{"unknown field", "servers:", "server:", "server", "unknown field"},
		{"two core rules in one", "usersPerCore: 50", "usersPerCore: 50\n      percentPerUser: 2",
			"rules.extraCores[2]", "one of percentPerUser"},
		{"factor NaN", "factors: []", "factors: [{id: sft-memory-mb-per-participant, value: .nan, basis: {en: a, de: b}}]",
			"rules.factors[0].value", "wants a number"},
		{"factor without basis", "factors: []", "factors: [{id: sft-memory-mb-per-participant, value: 2}]", "rules.factors[0].basis", "no basis"},
		{"draft without a date", "\nsources:", "\ndraft: {source: G, text: {en: a}}\nsources:", "draft.date", "draft has no date"},
		{"printed without a source", "\nsources:", "\nprinted: [{date: 2026-01-31, cores: 1, memory: 1 GB, disk: 1 GB}]\nsources:",
			"printed[0].source", "number has no source"},
		{"printed without a role that is none", "\nsources:",
			"\nprinted: [{date: 2026-01-31, source: G, without: [coturn], cores: 1, memory: 1 GB, disk: 1 GB}]\nsources:",
			"printed[0].without[0]", "no row has role"},
		{"printed nothing", "\nsources:", "\nprinted: [{date: 2026-01-31, source: G, cores: 1, memory: 0 GB, disk: 1 GB}]\nsources:",
			"printed[0]", "no memory or no disk"},
		{"no headroom left", "headroomPercent: {value: 30", "headroomPercent: {value: 100", "rules.network.headroomPercent.value", "not between"},
	} {
		t.Run(c.name, func(t *testing.T) {
			broken := strings.Replace(string(guide), c.old, c.new, 1)
			if broken == string(guide) {
				t.Fatalf("%q is not in the table", c.old)
			}
			_, err := ReadTable("t.yaml", []byte(broken))
			wantFlaw(t, err, c.field, c.message)
		})
	}
}

// wantFlaw wants a usage error at a field, with a message.
func wantFlaw(t *testing.T, err error, field, message string) *fault.Error {
	t.Helper()
	if fault.ExitCode(err) != int(fault.Usage) {
		t.Errorf("exit code %d, want %d: %v", fault.ExitCode(err), fault.Usage, err)
	}
	for _, flaw := range fault.All(err) {
		if flaw.Place.Field == field && strings.Contains(flaw.Error(), message) {
			return flaw
		}
	}
	t.Fatalf("no flaw at %q saying %q in: %v", field, message, errors.Join(err))
	return nil
}

func embeddedTable(t testing.TB, name string) *Table {
	t.Helper()
	table, _, err := Embedded(name)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

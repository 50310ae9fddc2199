package sizing

import (
	"cmp"
	"embed"
	"io/fs"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing/site"
)

// KindTable is the kind of a hardware table document.
const KindTable = "HardwareTable"

// Table is a hardware table: what machines an installation needs, by whose
// word, and the rules by which more users need more. It is data, so that a
// release can bring another.
//
// A table has either Rows, in GB, or one Machine, in GiB; see [Table.Requirements]
// for both in bytes.
type Table struct {
	APIVersion string                 `json:"apiVersion"`
	Kind       string                 `json:"kind"`
	Name       string                 `json:"name"`
	Version    int                    `json:"version"` // grows with each change of a number
	Title      Given                  `json:"title"`
	Draft      *Draft                 `json:"draft,omitempty"` // where its source is not published
	Sources    map[string]site.Source `json:"sources"`         // by the short name that cells use
	Notes      []Note                 `json:"notes,omitempty"`
	Printed    []Printed              `json:"printed,omitempty"`
	Rows       []Row                  `json:"rows,omitempty"`
	Machine    *Machine               `json:"machine,omitempty"`
	Servers    Cell[int64]            `json:"servers"` // physical servers, at least
	OS         Systems                `json:"os,omitzero"`
	Unlisted   []Unlisted             `json:"unlisted,omitempty"`
	Tolerance  Tolerances             `json:"tolerance"`
	Rules      Rules                  `json:"rules"`
}

// Cell is one number of a table with whoever says so. Where public sources
// disagree, Value is what the table itself prints and Alternatives what others
// say.
type Cell[T cmp.Ordered] struct {
	Value        T                `json:"value"`
	Source       string           `json:"source"`
	Notes        []string         `json:"notes,omitempty"`
	Alternatives []Alternative[T] `json:"alternatives,omitempty"`
}

// Systems are the operating systems that machines may have. A table without any
// wants what the delivered packages are for.
type Systems struct {
	Releases []site.OSRelease `json:"releases"`
	Source   string           `json:"source"`
}

// Alternative is what another source says of the same number.
type Alternative[T cmp.Ordered] struct {
	Value  T      `json:"value"`
	Source string `json:"source"`
}

// Most returns the most demanding figure that any source gives, and its source.
// It is what sizing and preflight require.
func (c Cell[T]) Most() (T, string) {
	value, source := c.Value, c.Source
	for _, other := range c.Alternatives {
		if other.Value > value {
			value, source = other.Value, other.Source
		}
	}
	return value, source
}

// Draft says what stands behind a table whose source is not published.
type Draft struct {
	Date   manifests.Date `json:"date"` // as of which it was read
	Text   Given          `json:"text"`
	Source string         `json:"source"`
}

// Printed are totals that a source prints. They are held against the rows, and never
// calculated with.
type Printed struct {
	Date    manifests.Date `json:"date"`
	Source  string         `json:"source"`
	Without []site.Role    `json:"without,omitempty"` // roles that are not in them
	Cores   int64          `json:"cores"`
	Memory  site.GB        `json:"memory"`
	Disk    site.GB        `json:"disk"`
}

// Note is a footnote of a table.
type Note struct {
	ID     string `json:"id"` // as printed: 1, 2, …
	Text   Given  `json:"text"`
	Source string `json:"source"`
}

// Row is what one role needs.
type Row struct {
	Role      site.Role     `json:"role"`
	Title     string        `json:"title"`
	Notes     []string      `json:"notes,omitempty"`
	Support   bool          `json:"support,omitempty"` // not part of the service itself: listed below the first totals
	Count     Cell[int64]   `json:"count"`
	CountMax  int64         `json:"countMax,omitempty"` // where more than Count are as good
	Cores     Cell[int64]   `json:"cores"`              // of each machine
	Memory    Cell[site.GB] `json:"memory"`             // of each machine
	Disk      Cell[site.GB] `json:"disk"`               // of each machine
	PerServer int           `json:"perServer"`          // of this role on one physical server, at most, while another is free
	// SharesServerWith are the roles that may stand on the same physical server.
	SharesServerWith []site.Role `json:"sharesServerWith"`
	// SharesMachineWith are the roles that may run in the same virtual machine.
	SharesMachineWith []site.Role `json:"sharesMachineWith,omitempty"`
	Groups            []string    `json:"groups"` // of the Ansible inventory
}

// Machine is the one machine of an installation that has only one.
type Machine struct {
	Role   site.Role      `json:"role"`
	Title  string         `json:"title"`
	Notes  []string       `json:"notes,omitempty"`
	Cores  Cell[int64]    `json:"cores"`  // at least
	Memory Cell[site.GiB] `json:"memory"` // more than
	Disk   Cell[site.GiB] `json:"disk"`   // more than
	Groups []string       `json:"groups"`
}

// Unlisted is a role that an installation has and no table gives numbers for.
type Unlisted struct {
	Role   site.Role `json:"role"`
	Text   Given     `json:"text"`
	Ask    Given     `json:"ask"` // what to ask Wire
	Source string    `json:"source"`
	Groups []string  `json:"groups,omitempty"`
}

// Tolerances say how much less than the nominal amount a machine may show from
// within.
type Tolerances struct {
	Memory Tolerance `json:"memory"`
	Disk   Tolerance `json:"disk"`
}

// Tolerance is a share of the nominal amount, and why it is granted.
type Tolerance struct {
	Percent site.Percent `json:"percent"`
	Reason  Given        `json:"reason"`
	Source  string       `json:"source"`
}

// Least returns the smallest visible amount that passes for a nominal one.
func (t Tolerance) Least(nominal manifests.Bytes) manifests.Bytes {
	return nominal - nominal/100*manifests.Bytes(t.Percent) - nominal%100*manifests.Bytes(t.Percent)/100
}

// Requirement is what one machine of a role needs, in bytes: the most demanding
// figure that any source gives.
type Requirement struct {
	Role     site.Role
	Title    string
	Count    int
	CountMax int // as Count, unless more are as good
	Cores    int
	Memory   manifests.Bytes
	Disk     manifests.Bytes
	MoreThan bool // memory and disk must be more than this, not just as much
	Groups   []string
	// Sources of cores, memory and disk: keys of Table.Sources.
	CoresSource, MemorySource, DiskSource string
	SharesServerWith                      []site.Role
	SharesMachineWith                     []site.Role
	PerServer                             int
}

// Requirements returns what each role needs, in the table's order.
func (t *Table) Requirements() []Requirement {
	var all []Requirement
	for _, row := range t.Rows {
		all = append(all, row.requirement())
	}
	if m := t.Machine; m != nil {
		r := Requirement{Role: m.Role, Title: m.Title, Count: 1, CountMax: 1, MoreThan: true, Groups: m.Groups, PerServer: 1}
		cores, coresSource := m.Cores.Most()
		memory, memorySource := m.Memory.Most()
		disk, diskSource := m.Disk.Most()
		r.Cores, r.Memory, r.Disk = int(cores), memory.Bytes(), disk.Bytes()
		r.CoresSource, r.MemorySource, r.DiskSource = coresSource, memorySource, diskSource
		all = append(all, r)
	}
	return all
}

func (row Row) requirement() Requirement {
	r := Requirement{
		Role: row.Role, Title: row.Title, Groups: row.Groups, PerServer: row.PerServer,
		SharesServerWith: row.SharesServerWith, SharesMachineWith: row.SharesMachineWith,
	}
	count, _ := row.Count.Most()
	cores, coresSource := row.Cores.Most()
	memory, memorySource := row.Memory.Most()
	disk, diskSource := row.Disk.Most()
	r.Count, r.CountMax = int(count), max(int(count), int(row.CountMax))
	r.Cores, r.Memory, r.Disk = int(cores), memory.Bytes(), disk.Bytes()
	r.CoresSource, r.MemorySource, r.DiskSource = coresSource, memorySource, diskSource
	return r
}

// Row returns the row of a role, or nil.
func (t *Table) Row(role site.Role) *Row {
	i := slices.IndexFunc(t.Rows, func(r Row) bool { return r.Role == role })
	if i < 0 {
		return nil
	}
	return &t.Rows[i]
}

// CheckSite reports, as a Usage error, what a site wants of machines that the table
// does not have.
func (t *Table) CheckSite(s *site.Site) error {
	if s.Restund > 0 && t.Row(site.Restund) == nil {
		return fault.At(fault.Place{Field: "restund"}, "leave it out, or take another table",
			"table %s has no Restund, and %d machines of it are wanted", t.Name, s.Restund)
	}
	return nil
}

// Totals is what the machines on the fullest server need together: one of each
// role.
type Totals struct {
	Cores  int64   `json:"cores"`
	Memory site.GB `json:"memory"`
	Disk   site.GB `json:"disk"`
}

// PublishedTotals adds up the figures that the table itself prints, with the
// supporting hosts or without. It is never typed into a table.
func (t *Table) PublishedTotals(support bool) Totals {
	var sum Totals
	for _, row := range t.Rows {
		if support || !row.Support {
			sum = sum.plus(row)
		}
	}
	return sum
}

// TotalsWithout adds up the figures that the table itself prints, of one machine of
// each role but some.
func (t *Table) TotalsWithout(roles []site.Role) Totals {
	var sum Totals
	for _, row := range t.Rows {
		if !slices.Contains(roles, row.Role) {
			sum = sum.plus(row)
		}
	}
	return sum
}

func (s Totals) plus(row Row) Totals {
	return Totals{s.Cores + row.Cores.Value, s.Memory + row.Memory.Value, s.Disk + row.Disk.Value}
}

// RequiredTotals adds up the most demanding figures.
func (t *Table) RequiredTotals(support bool) Totals {
	var sum Totals
	for _, row := range t.Rows {
		if support || !row.Support {
			cores, _ := row.Cores.Most()
			memory, _ := row.Memory.Most()
			disk, _ := row.Disk.Most()
			sum.Cores, sum.Memory, sum.Disk = sum.Cores+cores, sum.Memory+memory, sum.Disk+disk
		}
	}
	return sum
}

//go:embed tables/*.yaml
var embedded embed.FS

// DefaultTable is the name of the table that is used where none is named.
const DefaultTable = "guide"

// Names returns the names of the tables that the program brings, sorted.
func Names() []string {
	files, err := fs.Glob(embedded, "tables/*.yaml")
	if err != nil {
		panic("sizing: " + err.Error()) // the pattern is a constant
	}
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(strings.TrimPrefix(file, "tables/"), ".yaml"))
	}
	slices.Sort(names)
	return names
}

// Embedded returns a table that the program brings, and its text.
func Embedded(name string) (*Table, []byte, error) {
	data, err := embedded.ReadFile("tables/" + name + ".yaml")
	if err != nil || strings.Contains(name, "/") {
		return nil, nil, fault.New(fault.Usage, fault.Here, "table "+name,
			"known: "+strings.Join(Names(), ", ")+"; or give a file with --table", "no such hardware table")
	}
	table, err := ReadTable("tables/"+name+".yaml", data)
	return table, data, err
}

// ReadTable reads and checks a hardware table. Every flaw is a Usage error with
// its field. file only names the place.
func ReadTable(file string, data []byte) (*Table, error) {
	var t Table
	if err := manifests.DecodeStrict(file, data, &t); err != nil {
		return nil, err
	}
	if err := t.check(file); err != nil {
		return nil, err
	}
	return &t, nil
}

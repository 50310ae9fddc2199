package present

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
)

//go:embed page.html.tmpl
var pageTemplate string

// HTML returns a report as one file that opens without a network. The same
// report gives the same bytes.
func HTML(r *sizing.Report, lang *words.Language) ([]byte, error) {
	body, err := template.New("sizing").Parse(pageTemplate)
	if err != nil {
		return nil, err
	}
	v := view{teller{lang}, r}
	var b bytes.Buffer
	if err := body.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("sizing report: %w", err)
	}
	return page.Page{
		Language: lang,
		Kicker:   v.Word("page.kicker"), Title: r.Site.Name, Subtitle: v.Word("page.subtitle"),
		Meta: v.meta(), Contents: v.contents(),
		Body: page.HTML(b.String()), //nolint:gosec // made by html/template
		Foot: v.Word("page.foot"),
	}.Render()
}

// view is what the template sees.
type view struct {
	teller
	Report *sizing.Report
}

func (v view) Int(n any) string            { return v.lang.Int(integer(n)) }
func (v view) GB(b manifests.Bytes) string { return v.lang.GB(int64(b)) }
func (v view) Rate(k site.Kbps) string     { return v.lang.Rate(int64(k)) }

// Size returns an amount of memory or disk in the unit of the table.
func (v view) Size(b manifests.Bytes) string { return v.size(v.Report, b) }

// Dashed returns a range of ports as it is printed.
func (v view) Dashed(ports string) string { return dashed(ports) }

// NodePort returns the port of the nodes that one is passed on to, if any.
func (v view) NodePort(p sizing.CallPort) string { return nodePort(p) }

// Known returns what is shown of an amount, of which 0 is not known.
func (t teller) Known(amount any, shown string) string {
	if fmt.Sprint(amount) == "0" || amount == manifests.Bytes(0) {
		return "–"
	}
	return shown
}

// Capital returns a text with a capital letter at its beginning.
func (v view) Capital(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}

// HasServers reports whether the site says what any of its servers has.
func (v view) HasServers() bool {
	return slices.ContainsFunc(v.Report.Placement.Servers, func(s sizing.PlacedServer) bool { return s.Has != nil })
}

func integer(n any) int64 {
	if i, ok := n.(int); ok {
		return int64(i)
	}
	return n.(int64)
}

// Source returns a link to one source.
func (v view) Source(id string) template.HTML {
	id = template.HTMLEscapeString(id)
	return template.HTML(`<a class="src" href="#src-` + id + `">[` + id + `]</a>`) //nolint:gosec // escaped above
}

func (v view) meta() []page.Pair {
	r := v.Report
	table := args{"name": r.Table.Name, "version": r.Table.Version}
	pairs := []page.Pair{
		{Name: v.Word("page.meta.users"), Value: v.users(r)},
		{Name: v.Word("page.meta.conferences"), Value: v.distribution()},
		{Name: v.Word("title.hardware"), Value: v.say("page.meta.table", table)},
	}
	if r.Release != nil {
		release := r.Release.Name + " " + r.Release.Version + " (" + r.Release.Date.String() + ")"
		pairs = append(pairs, page.Pair{Name: v.Word("page.meta.release"), Value: release})
	}
	if made := v.made(r); made != "" {
		pairs = append(pairs, page.Pair{Name: v.Word("page.meta.made"), Value: made})
	}
	return pairs
}

func (v view) distribution() string {
	var parts []string
	for _, g := range v.Report.Site.Conferences {
		parts = append(parts, v.Int(g.Count)+" × "+v.Int(g.Participants))
	}
	if len(parts) == 0 {
		return v.Word("page.meta.none")
	}
	return strings.Join(parts, ", ")
}

func (v view) contents() []page.Link {
	var links []page.Link
	link := func(id, title string) { links = append(links, page.Link{ID: id, Title: v.Word(title)}) }
	link("findings", "title.findings")
	link("scenario", "title.scenario")
	if v.Report.Hardware != nil {
		link("hardware", "title.hardware")
		link("placement", "page.contents.placement")
		link("conferences", "page.contents.conferences")
		link("call-ports", "title.call-ports")
		link("storage", "title.storage")
		if v.Report.Footprint != nil {
			link("footprint", "page.contents.footprint")
		}
		if v.Report.Comparison != nil {
			link("against", "title.against")
		}
		link("ask", "title.ask")
	}
	link("sources", "title.sources")
	return links
}

// Verdict is what all findings come to.
func (v view) Verdict() verdict { return v.verdict(v.Report) }

// Cards returns the numbers that somebody who buys wants first.
func (v view) Cards() []answer { return v.answers(v.Report) }

// tableRow is a line of the hardware table as it is shown.
type tableRow struct {
	Title, Count, Cores, Memory, Disk string
	Notes, CoresNotes, Sources        []string
	Total                             bool
}

// TableRows returns the table with its totals where the guide has them.
func (v view) TableRows() []tableRow {
	l, h := v.lang, v.Report.Hardware
	var rows []tableRow
	totals := func(required, support bool) {
		for _, t := range h.Totals {
			if t.Required == required && strings.HasPrefix(t.ID, "per-server-with-support") == support {
				rows = append(rows, tableRow{
					Title: v.Text(t.Title), Count: "–", Cores: l.Int(t.Cores), Memory: l.Int(t.Memory), Disk: l.Int(t.Disk), Total: true,
				})
			}
		}
	}
	first := slices.IndexFunc(h.Rows, func(r sizing.HardwareRow) bool { return r.Support })
	for i, r := range h.Rows {
		if i == first {
			totals(false, false)
		}
		rows = append(rows, tableRow{
			Title: v.Text(r.Title), Count: l.Int(r.Count), Cores: v.coresCell(r),
			Memory: more(r) + l.Int(r.Memory), Disk: more(r) + l.Int(r.Disk),
			Notes: r.Notes, CoresNotes: r.CoresNotes, Sources: eachOnce(r.Sources.Count, r.Sources.Cores, r.Sources.Memory, r.Sources.Disk),
		})
	}
	if first < 0 {
		totals(false, false)
	}
	totals(false, true)
	totals(true, false)
	totals(true, true)
	return rows
}

// eachOnce returns the different ones of some ids, in their order.
func eachOnce(ids ...string) []string {
	var list []string
	for _, id := range ids {
		if !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// TableUnit returns the unit of the table's memory and disk.
func (v view) TableUnit() string { return v.Report.Hardware.Rows[0].Unit }

// how is a formula and its sources.
type how struct {
	view
	Formula string
	Sources []string
}

// shownFigure is a figure as the template wants it.
type shownFigure struct {
	Label, BoundWord, Shown string
	How                     how
}

type figureTable struct {
	view
	Caption string
	List    []shownFigure
}

// Figures returns a table of figures.
func (v view) Figures(caption string, list []sizing.Figure) figureTable {
	t := figureTable{view: v, Caption: caption}
	for _, f := range list {
		shown := v.Text(f.Shown)
		if f.Bound == sizing.Unknown {
			shown = "–"
		}
		t.List = append(t.List, shownFigure{v.Text(f.Label), v.Text(f.Bound.Text()), shown, how{v, v.Text(f.Formula), f.Sources}})
	}
	return t
}

// Line returns a formula with one source or several.
func (v view) Line(formula message.Text, sources any) how {
	if one, ok := sources.(string); ok {
		return how{v, v.Text(formula), []string{one}}
	}
	return how{v, v.Text(formula), sources.([]string)}
}

// MachineNames lists the machines on a server.
func (v view) MachineNames(s sizing.PlacedServer) string {
	var names []string
	for _, m := range s.Machines {
		names = append(names, m.Name)
	}
	return joined(names)
}

// LossRows returns for each role what the loss of a server means.
func (v view) LossRows() []lossRow { return v.losses(v.Report) }

// StorageMonths are the months that the table over time has a column for.
func (v view) StorageMonths() []int {
	months, list := v.Report.Storage.Months, []int{}
	for i := range 4 {
		if at := months * i / 3; !slices.Contains(list, at) {
			list = append(list, at)
		}
	}
	return list
}

// At returns what a disk holds in those months.
func (v view) At(s sizing.Series) []monthCell {
	var list []monthCell
	for _, month := range v.StorageMonths() {
		list = append(list, monthCell{month, v.GB(s.Used[month])})
	}
	return list
}

// monthCell is what a disk holds after some months.
type monthCell struct {
	Month int
	Holds string
}

// Role returns what a report calls a role.
func (v view) Role(role site.Role) string { return v.roleTitle(v.Report, role) }

// Unpacked returns what images take unpacked, in words.
func (v view) Unpacked() string {
	return v.unpacked(v.Report)
}

package present

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// Sizes of the picture in CSS pixels. Its cells shrink so that sixty hosts fit on
// a screen and on paper.
const (
	matrixWidth  = 880.0
	largestCell  = 38.0
	leastCell    = 12.0
	betweenRoles = 6.0
	leastLabels  = 128.0 // room for names, at least
	runeWidth    = 7.2   // of a name
	letterWidth  = 9.0   // of a mark
	largeLetters = 22.0  // cells from this size have them
	longestName  = 24    // runes
	manyHosts    = 30    // more take the whole width of a sheet
)

// matrix is the picture of who reaches whom: a row for each host that dials, a
// column for each that listens, by role.
type matrix struct {
	*page.Drawing
	lang   *words.Language
	at     map[string]float64 // where a host's row or column begins, behind the names
	cell   float64
	labels float64 // room for names
	length float64 // of a side, without names
}

// drawMatrix draws the links of a report; without any there is no picture.
func drawMatrix(r *preflight.Verdict, groups [][]string, lang *words.Language) page.HTML {
	if len(r.Links) == 0 {
		return ""
	}
	m := newMatrix(r, withStrangers(groups, r.Links), lang)
	for _, host := range r.Hosts {
		if !host.Measured {
			m.unmeasured(host.Name)
		}
	}
	for _, link := range r.Links {
		m.link(link)
	}
	return m.HTML()
}

// withStrangers adds a group of those that are in no inventory: the admin host.
func withStrangers(groups [][]string, links []preflight.LinkSummary) [][]string {
	known, strangers := slices.Concat(groups...), []string{}
	for _, link := range links {
		for _, name := range []string{link.From, link.To} {
			if !slices.Contains(known, name) && !slices.Contains(strangers, name) {
				strangers = append(strangers, name)
			}
		}
	}
	if len(strangers) == 0 {
		return groups
	}
	return append(slices.Clone(groups), strangers)
}

func newMatrix(r *preflight.Verdict, groups [][]string, lang *words.Language) *matrix {
	m := &matrix{lang: lang, at: map[string]float64{}, labels: leastLabels}
	hosts := slices.Concat(groups...)
	for _, name := range hosts {
		m.labels = max(m.labels, 16+runeWidth*float64(utf8.RuneCountInString(m.short(name))))
	}
	room := matrixWidth - m.labels - betweenRoles*float64(len(groups))
	m.cell = math.Floor(min(largestCell, max(leastCell, room/float64(len(hosts)))))
	for _, group := range groups {
		for _, name := range group {
			m.at[name] = m.length
			m.length += m.cell
		}
		m.length += betweenRoles
	}
	title := lang.Word("preflight.matrix.title")
	m.Drawing = page.NewDrawing("matrix-picture", title, inWords(r, lang), m.labels+m.length, m.labels+m.length)
	m.OwnSize()
	m.frame(groups)
	return m
}

func (m *matrix) short(name string) string {
	return inMiddle(hostName(name, m.lang), longestName)
}

func hostName(name string, lang *words.Language) string {
	if name == facts.AdminHost {
		return lang.Word("preflight.value.admin-host")
	}
	return printable.Line(name)
}

// frame draws the names, and a field for each pair of roles.
func (m *matrix) frame(groups [][]string) {
	side := func(group []string) float64 { return m.cell * float64(len(group)) }
	for _, rows := range groups {
		for _, columns := range groups {
			m.Rect(m.labels+m.at[columns[0]], m.labels+m.at[rows[0]], side(columns), side(rows), 3, "field", "")
		}
	}
	m.Text(m.labels-8, m.labels-10, "end tick-label", m.lang.Word("preflight.matrix.axes"))
	size := ""
	if m.cell < largeLetters {
		size = " small-name"
	}
	for _, name := range slices.Concat(groups...) {
		begin := m.labels + m.at[name]
		middle := begin + m.cell/2
		m.Text(m.labels-8, middle+4, "end"+size, m.short(name))
		m.Upward(middle+4, m.labels-8, "start"+size, m.short(name))
		m.Rect(begin+1, begin+1, m.cell-2, m.cell-2, 2, "itself", "")
	}
}

// unmeasured marks the row of a host that could dial nobody.
func (m *matrix) unmeasured(name string) {
	y := m.labels + m.at[name]
	width := m.length - betweenRoles
	m.Rect(m.labels+1, y+1, width-2, m.cell-2, 2, "spare blank", "")
	text := m.lang.Word("preflight.matrix.unmeasured")
	if m.cell >= largeLetters && width > runeWidth*float64(len(text)) {
		m.Text(m.labels+width/2, y+m.cell/2+4, "middle soft-label", text)
	}
}

// link draws one cell: a tick, or the letter of each way in which ports were
// not reached, the worst first.
func (m *matrix) link(link preflight.LinkSummary) {
	x, y := m.labels+m.at[link.To], m.labels+m.at[link.From]
	cell, letters := reached, reached.letter(m.lang)
	if kinds := kindsOf(link.Bad); len(kinds) > 0 {
		cell, letters = marks[kinds[0]], ""
		for _, kind := range kinds[:min(len(kinds), max(1, int(m.cell/letterWidth)))] {
			letters += marks[kind].letter(m.lang)
		}
	}
	text := "middle " + cell.text
	if m.cell < largeLetters {
		text += " small-mark"
	}
	m.Rect(x+1, y+1, m.cell-2, m.cell-2, 2, cell.cell, m.tip(link))
	m.Text(x+m.cell/2, y+m.cell/2+4, text, letters)
}

// kindsOf returns the distinct marks of what went wrong, worst first.
func kindsOf(bad []preflight.BadLink) []int {
	var kinds []int
	for _, b := range bad {
		kinds = append(kinds, markOf(b.Outcome))
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// tip is what a pointer that rests on a cell is told.
func (m *matrix) tip(link preflight.LinkSummary) string {
	list := []string{m.lang.Say("preflight.matrix.reached", message.Args{"ok": link.OK, "tried": link.Tried})}
	for _, b := range link.Bad {
		list = append(list, fmt.Sprintf("%s/%d %s", b.Protocol, b.Port, m.lang.Text(b.Outcome.Text())))
	}
	return hostName(link.From, m.lang) + " → " + hostName(link.To, m.lang) + ": " + strings.Join(list, ", ")
}

// inWords says what the picture shows, for those who do not see it. The table
// below the picture says the rest.
func inWords(r *preflight.Verdict, lang *words.Language) string {
	tried, ok := 0, 0
	for _, link := range r.Links {
		tried, ok = tried+link.Tried, ok+link.OK
	}
	if tried == ok {
		return lang.Say("preflight.matrix.all", message.Args{"tried": tried})
	}
	return lang.Say("preflight.matrix.some", message.Args{"ok": ok, "tried": tried})
}

// shownMark is a mark for the template.
type shownMark struct{ Letter, Cell, Text, Word, Means string }

func (m mark) shown(lang *words.Language) shownMark {
	return shownMark{m.letter(lang), m.cell, m.text, lang.Text(m.outcome.Text()), m.means(lang)}
}

// legend explains the marks that a report's picture has.
func legend(r *preflight.Verdict, lang *words.Language) []shownMark {
	list := []shownMark{reached.shown(lang)}
	for i, m := range marks {
		if slices.ContainsFunc(r.Links, func(l preflight.LinkSummary) bool { return slices.Contains(kindsOf(l.Bad), i) }) {
			list = append(list, m.shown(lang))
		}
	}
	return list
}

// badPort is ports of one host that were not reached, with all that did not
// reach them.
type badPort struct {
	From, Ports, Purposes []string
	To, Detail            string
	Mark                  shownMark
	kind                  int
}

// badPorts returns what the picture shows as bad, worst first.
func badPorts(r *preflight.Verdict, lang *words.Language) []badPort {
	var list []badPort
	for _, link := range r.Links {
		for _, b := range link.Bad {
			row := badPort{
				From: []string{hostName(link.From, lang)}, To: hostName(link.To, lang), Ports: []string{fmt.Sprintf("%s/%d", b.Protocol, b.Port)},
				Purposes: withWords(nil, lang.Text(b.Purpose)), Detail: lang.Text(b.Detail), kind: markOf(b.Outcome),
			}
			row.Mark = marks[row.kind].shown(lang)
			list = append(list, row)
		}
	}
	list = joined(list, func(a, b badPort) bool { return slices.Equal(a.Ports, b.Ports) })
	list = joined(list, func(a, b badPort) bool { return slices.Equal(a.From, b.From) })
	slices.SortStableFunc(list, func(a, b badPort) int { return cmp.Compare(a.kind, b.kind) })
	return list
}

// joined makes one row of those to the same host that ended alike.
func joined(list []badPort, same func(a, b badPort) bool) []badPort {
	var result []badPort
	for _, row := range list {
		i := slices.IndexFunc(result, func(other badPort) bool {
			return other.To == row.To && other.kind == row.kind && other.Detail == row.Detail && same(other, row)
		})
		if i < 0 {
			result = append(result, row)
			continue
		}
		into := &result[i]
		into.From, into.Ports = withWords(into.From, row.From...), withWords(into.Ports, row.Ports...)
		into.Purposes = withWords(into.Purposes, row.Purposes...)
	}
	return result
}

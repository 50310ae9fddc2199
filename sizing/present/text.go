package present

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
)

// textWidth is the width that running text is wrapped to.
const textWidth = 88

// Text writes a report for a terminal.
func Text(w io.Writer, r *sizing.Report, lang *words.Language) error {
	t := &textWriter{teller: teller{lang}, report: r}
	t.head()
	t.answer()
	t.findings()
	t.scenario()
	if r.Hardware != nil {
		t.hardware()
		t.conferencing()
		t.callPorts()
		t.placement()
		t.storage()
		t.footprint()
		t.comparison()
		t.questions()
	}
	t.sources()
	// What must not be torn apart has been kept together; terminals and programs
	// that search want plain spaces.
	_, err := io.WriteString(w, strings.NewReplacer(words.NoBreak, " ", words.NarrowNoBreak, " ").Replace(t.b.String()))
	return err
}

type textWriter struct {
	teller
	report *sizing.Report
	b      bytes.Buffer
}

// heads returns the heads of a table's columns.
func (t *textWriter) heads(table string, columns ...string) []string {
	for i, column := range columns {
		columns[i] = t.Word("text." + table + "." + column)
	}
	return columns
}

func (t *textWriter) line(format string, args ...any) { fmt.Fprintf(&t.b, format+"\n", args...) }

func (t *textWriter) section(title string) {
	t.line("\n%s\n%s", title, strings.Repeat("─", utf8.RuneCountInString(title)))
}

// wrapped writes running text between two indents.
func (t *textWriter) wrapped(first, rest, text string) {
	at := first
	column := utf8.RuneCountInString(first)
	empty := true
	for _, word := range strings.Split(text, " ") {
		width := utf8.RuneCountInString(word)
		if !empty && column+1+width > textWidth {
			t.line("%s", at)
			at, column, empty = rest, utf8.RuneCountInString(rest), true
		}
		if !empty {
			at, column = at+" ", column+1
		}
		at, column, empty = at+word, column+width, false
	}
	t.line("%s", at)
}

// table writes columns; those marked right are numbers.
func (t *textWriter) table(right string, rows [][]string) {
	widths := make([]int, len(right))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, row := range rows {
		line := " "
		for i, cell := range row {
			pad := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if right[i] == 'r' {
				line += " " + pad + cell + " "
			} else {
				line += " " + cell + pad + " "
			}
		}
		t.line("%s", strings.TrimRight(line, " "))
		if n == 0 {
			t.line("  %s", strings.Repeat("─", sum(widths)+2*(len(widths)-1)))
		}
	}
}

func sum(numbers []int) int {
	total := 0
	for _, n := range numbers {
		total += n
	}
	return total
}

func (t *textWriter) head() {
	r := t.report
	t.line("%s · %s", t.Word("text.kind"), r.Site.Name)
	version := t.say("text.version", args{"version": r.Table.Version})
	t.line("%s %s (%s, %s)", t.Word("text.table"), t.Text(r.Table.Title), r.Table.Name, version)
	if r.Release != nil {
		t.line("%s %s %s", t.Word("text.release"), r.Release.Name, r.Release.Version)
	}
	t.line("%s %s", t.Word("text.users"), t.users(r))
	if made := t.made(r); made != "" {
		t.line("%s %s", t.Word("text.made"), made)
	}
}

// answer says first what somebody who buys wants to know.
func (t *textWriter) answer() {
	t.section(t.Word("title.answer"))
	v := t.verdict(t.report)
	t.wrapped("  ", "  ", v.Word+": "+v.Why)
	answers := t.answers(t.report)
	if answers == nil {
		return
	}
	t.line("")
	title, value := 0, 0
	for _, a := range answers {
		title, value = max(title, utf8.RuneCountInString(a.Title)), max(value, utf8.RuneCountInString(a.Value))
	}
	for _, a := range answers {
		head := fmt.Sprintf("  %-*s  %*s  ", title, a.Title, value, a.Value)
		t.wrapped(head, strings.Repeat(" ", utf8.RuneCountInString(head)), a.Text)
	}
}

func (t *textWriter) findings() {
	t.section(t.Word("title.findings"))
	for _, f := range t.report.Findings {
		word := fmt.Sprintf("  %-14s ", t.Level(f.Level))
		t.wrapped(word, strings.Repeat(" ", utf8.RuneCountInString(word)), t.Text(f.Text))
		if !f.Hint.IsZero() {
			t.wrapped(strings.Repeat(" ", 17)+"→ ", strings.Repeat(" ", 19), t.Text(f.Hint))
		}
	}
}

func (t *textWriter) scenario() {
	s := t.report.Scenario
	t.section(t.Word("title.scenario"))
	t.wrapped("  ", "  ", fmt.Sprintf("%s + %s: %s.", t.Text(s.App), t.Text(s.Backend), t.Text(s.When)))
	for _, p := range s.Push {
		state := "impossible"
		if p.Open {
			state = "possible"
		}
		if p.Chosen {
			state += "-chosen"
		}
		option := t.say("text.push.option", args{"option": string(p.Option)})
		t.wrapped("  "+option+"  ", "          ", t.Text(p.Text)+" – "+t.Word("text.push."+state))
	}
	for _, c := range s.Clients {
		t.wrapped(fmt.Sprintf("  %-8s ", t.Text(c.Title)), "           ", t.Text(c.Text))
	}
}

func (t *textWriter) hardware() {
	h := t.report.Hardware
	t.section(t.Word("title.hardware"))
	unit := "GB"
	if len(h.Rows) > 0 {
		unit = h.Rows[0].Unit
	}
	heads := t.heads("hardware", "role", "count", "cores")
	heads = append(heads, t.Say("text.hardware.memory", "unit", unit), t.Say("text.hardware.disk", "unit", unit))
	t.table("lrrrrl", t.hardwareRows(append(heads, t.Word("text.hardware.source"))))
	for _, note := range h.Notes {
		t.wrapped("  "+superscript(note.ID)+" ", "    ", t.Text(note.Text))
	}
	for _, total := range h.Printed {
		t.wrapped("  ", "    ", t.Text(total.Text)+".")
	}
	for _, row := range h.Rows {
		if !row.Differs.IsZero() {
			t.wrapped("  * ", "    ", t.Text(row.Title)+": "+t.Text(row.Differs))
		}
	}
}

// hardwareRows are the rows of the table below their heads, with its totals.
func (t *textWriter) hardwareRows(heads []string) [][]string {
	l, h := t.lang, t.report.Hardware
	rows := [][]string{heads}
	total := func(required bool, support bool) {
		for _, s := range h.Totals {
			if s.Required == required && strings.HasPrefix(s.ID, "per-server-with-support") == support {
				rows = append(rows, []string{t.Text(s.Title), "–", l.Int(s.Cores), l.Int(s.Memory), l.Int(s.Disk), ""})
			}
		}
	}
	done := false
	for _, row := range h.Rows {
		if row.Support && !done {
			total(false, false)
			done = true
		}
		rows = append(rows, []string{
			t.Text(row.Title) + marks(row.Notes), l.Int(row.Count), t.coresCell(row) + marks(row.CoresNotes),
			more(row) + l.Int(row.Memory), more(row) + l.Int(row.Disk), row.Sources.Cores,
		})
	}
	if !done {
		total(false, false)
	}
	total(false, true)
	total(true, false)
	total(true, true)
	return rows
}

func (t *textWriter) figures(list []sizing.Figure) {
	for _, f := range list {
		value := t.Text(f.Shown)
		if f.Bound != sizing.Unknown && f.Bound != sizing.Exactly {
			value = t.Text(f.Bound.Text()) + " " + value
		}
		t.line("  %s: %s", t.Text(f.Label), value)
		t.wrapped("      ", "      ", fmt.Sprintf("= %s [%s]", t.Text(f.Formula), strings.Join(f.Sources, ", ")))
	}
}

func (t *textWriter) conferencing() {
	l, c := t.lang, t.report.Conferencing
	rate := func(k site.Kbps) string { return l.Rate(int64(k)) }
	t.section(t.Word("text.conferences.title"))
	rows := [][]string{t.heads("conferences", "count", "participants", "received-each", "sent-each", "received", "sent")}
	for _, g := range c.Groups {
		rows = append(rows, []string{
			l.Int(g.Count), l.Int(g.Participants), rate(g.Each.In), rate(g.Each.Out), rate(g.All.In), rate(g.All.Out),
		})
	}
	rows = append(rows, []string{l.Int(c.Total.Count), l.Int(c.Total.Participants), "", "", rate(c.Total.All.In), rate(c.Total.All.Out)})
	t.table("rrrrrr", rows)
	t.figures(c.Figures)
	for _, rule := range c.Cores {
		used := ""
		if rule.Used {
			used = t.Word("text.conferences.used")
		}
		t.wrapped("      ", "      ", fmt.Sprintf("%s: %s [%s]%s", t.Text(rule.Text), l.Int(rule.Cores), rule.Source, used))
	}
	t.figures(t.report.Turn.Figures)
}

func (t *textWriter) callPorts() {
	t.section(t.Word("title.call-ports"))
	rows := [][]string{append(t.heads("call-ports", "protocol", "port", "node-port"), "")}
	for _, p := range t.report.CallPorts {
		rows = append(rows, []string{p.Protocol, dashed(p.Ports), nodePort(p), p.Source})
	}
	t.table("lrrl", rows)
	for _, p := range t.report.CallPorts {
		t.wrapped("  "+p.Protocol+" "+dashed(p.Ports)+"  ", "      ", t.Text(p.Purpose))
	}
}

func (t *textWriter) placement() {
	l, p := t.lang, t.report.Placement
	t.section(t.Word("text.placement.title"))
	rows := [][]string{t.heads("placement", "server", "machine", "cores", "memory", "disk")}
	row := func(server, machine string, a sizing.Amounts) {
		rows = append(rows, []string{server, machine, l.Int(a.Cores), t.size(t.report, a.Memory), t.size(t.report, a.Disk)})
	}
	for _, s := range p.Servers {
		for _, m := range s.Machines {
			row(s.Name, m.Name, m.Amounts)
		}
		row(s.Name, t.Word("text.placement.sum"), s.Needs)
	}
	t.table("llrrr", rows)
	t.line("  %s:", t.Word("page.loss.title"))
	for _, loss := range t.losses(t.report) {
		t.wrapped("      ", "        ", fmt.Sprintf("%s (%s): %s", loss.Title, loss.Servers, t.Text(loss.Text)))
	}
}

func (t *textWriter) storage() {
	s := t.report.Storage
	t.section(t.Word("title.storage"))
	t.figures(s.Figures)
	for _, series := range s.Series {
		last := series.Used[len(series.Used)-1]
		t.wrapped("  ", "      ", t.say("text.storage.series", args{
			"disk": series.Title, "used": int64(last), "months": s.Months, "capacity": int64(series.Capacity), "formula": series.Formula,
		}))
	}
}

func (t *textWriter) footprint() {
	l, f := t.lang, t.report.Footprint
	if f == nil {
		return
	}
	t.section(t.Word("title.footprint"))
	rows := [][]string{t.heads("footprint", "chart", "images", "compressed", "unpacked")}
	for _, c := range f.Charts {
		rows = append(rows, []string{c.Name, l.Int(int64(c.Images)), l.GB(int64(c.Compressed)), t.Word("value.unknown")})
	}
	rows = append(rows, []string{t.Word("text.footprint.all"), l.Int(int64(f.Images)), l.GB(int64(f.Compressed)), t.unpacked(t.report)})
	t.table("lrrr", rows)
}

func (t *textWriter) comparison() {
	l, c := t.lang, t.report.Comparison
	if c == nil {
		return
	}
	t.section(t.Word("title.against"))
	rows := [][]string{append(t.heads("against", "machine", "role", "cores", "memory", "disk"), "")}
	for _, m := range c.Machines {
		result := t.Level(m.Level) + ": " + t.Text(m.Text)
		rows = append(rows, []string{
			m.Name, t.roleTitle(t.report, m.Role), t.Known(m.Cores, l.Int(m.Cores)), t.Known(m.Memory, l.GB(int64(m.Memory))),
			t.Known(m.Disk, l.GB(int64(m.Disk))), result,
		})
	}
	t.table("llrrrl", rows)
}

func (t *textWriter) questions() {
	if len(t.report.Questions) == 0 {
		return
	}
	t.section(t.Word("title.ask"))
	t.wrapped("  ", "  ", t.Word("ask.whom"))
	for i, q := range t.report.Questions {
		t.wrapped(fmt.Sprintf("  %d. ", i+1), "     ", t.Text(q.Text))
		if !q.Answered.IsZero() {
			t.wrapped("     ", "     ", t.Text(q.Answered))
		} else {
			t.wrapped("     → ", "       ", t.Text(q.Ask))
		}
	}
}

func (t *textWriter) sources() {
	t.section(t.Word("title.sources"))
	for _, s := range t.report.Sources {
		t.wrapped(fmt.Sprintf("  %-14s ", s.ID), strings.Repeat(" ", 17), strings.TrimSuffix(t.Text(s.Title)+"; "+t.Text(s.Where), "; "))
	}
}

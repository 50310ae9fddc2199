package present

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/sizing"
)

// textWidth is the width that running text is wrapped to.
const textWidth = 88

// Text writes a report for a terminal, in its language.
func Text(w io.Writer, r *sizing.Report) error {
	t := &textWriter{report: r}
	t.head()
	t.findings()
	t.scenario()
	if r.Hardware != nil {
		t.hardware()
		t.conferencing()
		t.placement()
		t.storage()
		t.footprint()
		t.comparison()
		t.questions()
	}
	t.sources()
	// What must not be torn apart has been kept together; terminals and programs
	// that search want plain spaces.
	_, err := io.WriteString(w, strings.NewReplacer(page.NoBreak, " ", page.NarrowNoBreak, " ").Replace(t.b.String()))
	return err
}

type textWriter struct {
	report *sizing.Report
	b      bytes.Buffer
}

func (t *textWriter) t(en, de string) string { return t.report.Language.T(en, de) }

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
	t.line("%s · %s", t.t("Sizing report", "Bedarfsbericht"), r.Site.Name)
	table := fmt.Sprintf("%s (%s, version %d)", r.Table.Title, r.Table.Name, r.Table.Version)
	t.line("%s %s", t.t("table  ", "Tabelle"), table)
	if r.Release != nil {
		t.line("%s %s %s", t.t("release", "Release"), r.Release.Name, r.Release.Version)
	}
	t.line("%s %s", t.t("users  ", "Nutzer "), r.Language.Int(r.Site.Users))
}

func (t *textWriter) findings() {
	t.section(t.t("Findings", "Ergebnisse"))
	for _, f := range t.report.Findings {
		word := fmt.Sprintf("  %-14s ", levelWord(t.report.Language, f.Level))
		t.wrapped(word, strings.Repeat(" ", utf8.RuneCountInString(word)), f.Text)
		if f.Hint != "" {
			t.wrapped(strings.Repeat(" ", 17)+"→ ", strings.Repeat(" ", 19), f.Hint)
		}
	}
}

func (t *textWriter) scenario() {
	s := t.report.Scenario
	t.section(t.t("Scenario", "Szenario"))
	t.wrapped("  ", "  ", fmt.Sprintf("%s + %s: %s.", s.App, s.Backend, s.When))
	for _, p := range s.Push {
		state := t.t("not possible", "nicht möglich")
		if p.Open {
			state = t.t("possible", "möglich")
		}
		if p.Chosen {
			state += t.t(", chosen", ", gewählt")
		}
		t.wrapped("  Push "+string(p.Option)+"  ", "          ", p.Text+" – "+state)
	}
	for _, c := range s.Clients {
		t.wrapped(fmt.Sprintf("  %-8s ", c.Title), "           ", c.Text)
	}
}

func (t *textWriter) hardware() {
	l, h := t.report.Language, t.report.Hardware
	t.section(t.t("Hardware table", "Hardware-Tabelle"))
	memory, disk := t.t("memory GB", "Speicher GB"), t.t("disk GB", "Festplatte GB")
	if len(h.Rows) > 0 && h.Rows[0].Unit == "GiB" {
		memory, disk = strings.Replace(memory, "GB", "GiB", 1), strings.Replace(disk, "GB", "GiB", 1)
	}
	rows := [][]string{{t.t("role", "Rolle"), t.t("count", "Anzahl"), t.t("CPU cores", "CPU-Kerne"), memory, disk, t.t("source", "Quelle")}}
	total := func(required bool, support bool) {
		for _, s := range h.Totals {
			if s.Required == required && strings.HasPrefix(s.ID, "per-server-with-support") == support {
				rows = append(rows, []string{s.Title, "–", l.Int(s.Cores), l.Int(s.Memory), l.Int(s.Disk), ""})
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
			row.Title + marks(row.Notes), l.Int(row.Count), coresCell(l, row) + marks(row.CoresNotes),
			more(row) + l.Int(row.Memory), more(row) + l.Int(row.Disk), row.Sources.Cores,
		})
	}
	if !done {
		total(false, false)
	}
	total(false, true)
	total(true, false)
	total(true, true)
	t.table("lrrrrl", rows)
	for _, note := range h.Notes {
		t.wrapped("  "+superscript(note.ID)+" ", "    ", note.Text)
	}
	for _, row := range h.Rows {
		if row.Differs != "" {
			t.wrapped("  * ", "    ", row.Title+": "+row.Differs)
		}
	}
}

func (t *textWriter) figures(list []sizing.Figure) {
	l := t.report.Language
	for _, f := range list {
		value := f.Shown
		if f.Bound != sizing.Unknown && f.Bound != sizing.Exactly {
			value = f.Bound.In(l) + " " + value
		}
		t.line("  %s: %s", f.Label, value)
		t.wrapped("      ", "      ", fmt.Sprintf("= %s [%s]", f.Formula, strings.Join(f.Sources, ", ")))
	}
}

func (t *textWriter) conferencing() {
	l, c := t.report.Language, t.report.Conferencing
	t.section(t.t("Conferences at peak (upper bounds)", "Konferenzen zur Spitzenzeit (Obergrenzen)"))
	rows := [][]string{{t.t("conferences", "Konferenzen"), t.t("participants", "Teilnehmer"), t.t("received each", "empfangen je"), t.t("sent each", "gesendet je"), t.t("received", "empfangen"), t.t("sent", "gesendet")}}
	for _, g := range c.Groups {
		rows = append(rows, []string{l.Int(g.Count), l.Int(g.Participants), l.Rate(int64(g.Each.In)), l.Rate(int64(g.Each.Out)), l.Rate(int64(g.All.In)), l.Rate(int64(g.All.Out))})
	}
	rows = append(rows, []string{l.Int(c.Total.Count), l.Int(c.Total.Participants), "", "", l.Rate(int64(c.Total.All.In)), l.Rate(int64(c.Total.All.Out))})
	t.table("rrrrrr", rows)
	t.figures(c.Figures)
	for _, rule := range c.Cores {
		used := ""
		if rule.Used {
			used = t.t(" (used)", " (verwendet)")
		}
		t.wrapped("      ", "      ", fmt.Sprintf("%s: %s [%s]%s", rule.Text, l.Int(rule.Cores), rule.Source, used))
	}
	t.figures(t.report.Turn.Figures)
}

func (t *textWriter) placement() {
	l, p := t.report.Language, t.report.Placement
	t.section(t.t("Placement", "Verteilung"))
	rows := [][]string{{"Server", t.t("machine", "Maschine"), t.t("cores", "Kerne"), t.t("memory", "Speicher"), t.t("disk", "Festplatte")}}
	for _, s := range p.Servers {
		for _, m := range s.Machines {
			rows = append(rows, []string{s.Name, m.Name, l.Int(m.Cores), size(t.report, m.Memory), size(t.report, m.Disk)})
		}
		rows = append(rows, []string{s.Name, t.t("= needs in all", "= Bedarf insgesamt"), l.Int(s.Needs.Cores), size(t.report, s.Needs.Memory), size(t.report, s.Needs.Disk)})
	}
	t.table("llrrr", rows)
	for _, s := range p.Servers {
		t.line("  %s", l.F("When %s is lost:", "Fällt %s aus:", s.Name))
		for _, loss := range s.Lost {
			t.wrapped("      ", "        ", fmt.Sprintf("%s: %s", loss.Role, loss.Text))
		}
	}
}

func (t *textWriter) storage() {
	l, s := t.report.Language, t.report.Storage
	t.section(t.t("Storage", "Speicherplatz"))
	t.figures(s.Figures)
	for _, series := range s.Series {
		last := series.Used[len(series.Used)-1]
		t.wrapped("  ", "      ", l.F("%s: %s after %s months, of %s (%s)", "%s: %s nach %s Monaten, von %s (%s)", series.Title, l.GB(int64(last)), number(l, s.Months), l.GB(int64(series.Capacity)), series.Formula))
	}
}

func (t *textWriter) footprint() {
	l, f := t.report.Language, t.report.Footprint
	if f == nil {
		return
	}
	t.section(t.t("Footprint of the release", "Umfang des Releases"))
	rows := [][]string{{t.t("chart", "Chart"), "Images", t.t("compressed", "komprimiert"), t.t("unpacked", "entpackt")}}
	for _, c := range f.Charts {
		rows = append(rows, []string{c.Name, number(l, c.Images), l.GB(int64(c.Compressed)), t.t("unknown", "unbekannt")})
	}
	rows = append(rows, []string{t.t("all, each blob once", "alle, jeder Blob einmal"), number(l, f.Images), l.GB(int64(f.Compressed)), t.unpacked()})
	t.table("lrrr", rows)
}

func (t *textWriter) unpacked() string {
	for _, f := range t.report.Storage.Figures {
		if f.ID == "images.unpacked" {
			return f.Shown
		}
	}
	return ""
}

func (t *textWriter) comparison() {
	l, c := t.report.Language, t.report.Comparison
	if c == nil {
		return
	}
	t.section(t.t("Machines that exist", "Vorhandene Maschinen"))
	rows := [][]string{{t.t("machine", "Maschine"), t.t("role", "Rolle"), t.t("cores", "Kerne"), t.t("memory", "Speicher"), t.t("disk", "Festplatte"), ""}}
	for _, m := range c.Machines {
		rows = append(rows, []string{m.Name, string(m.Role), l.Int(m.Cores), l.GB(int64(m.Memory)), l.GB(int64(m.Disk)), levelWord(l, m.Level) + ": " + m.Text})
	}
	t.table("llrrrl", rows)
}

func (t *textWriter) questions() {
	if len(t.report.Questions) == 0 {
		return
	}
	t.section(t.t("Ask Wire", "Wire fragen"))
	for i, q := range t.report.Questions {
		t.wrapped(fmt.Sprintf("  %d. ", i+1), "     ", q.Text)
		if q.Answered != "" {
			t.wrapped("     ", "     ", q.Answered)
		} else {
			t.wrapped("     → ", "       ", q.Ask)
		}
	}
}

func (t *textWriter) sources() {
	t.section(t.t("Sources", "Quellen"))
	for _, s := range t.report.Sources {
		t.wrapped(fmt.Sprintf("  %-14s ", s.ID), strings.Repeat(" ", 17), strings.TrimSuffix(s.Title+"; "+s.Where, "; "))
	}
}

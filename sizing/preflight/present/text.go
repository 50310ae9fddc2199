// Package present prints a preflight report: as text for a terminal, as JUnit
// XML for CI, and as one HTML page in the style of the sizing report, in
// any language that there is a catalogue of. Names and texts in a report come from hosts; they are
// made printable here once more, and escaped.
package present

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight"
)

// Options say how a report is printed.
type Options struct {
	Lang *words.Language
	All  bool // passed and skipped checks too

	// Width is how many columns a text may take, 0 for those of the terminal
	// that it is written to. Without a terminal lines stay whole, for programs
	// that search them.
	Width int
}

// leastMessage is the least width of a column of messages. With less room they
// stand below their line.
const leastMessage = 30

// Text writes a report for a terminal: what is wrong, worst first, and what to
// do about it. It is plain, without colour.
func Text(w io.Writer, r *preflight.Verdict, options Options) error {
	t := textWriter{lang: options.Lang, width: cmp.Or(options.Width, terminalWidth(w))}
	t.summary(r)
	shown := r.Bad()
	if options.All {
		shown = r.Findings
	}
	t.findings(shown)
	todo, _ := tasks(r, options.Lang)
	t.todo(todo)
	plain := strings.NewReplacer(words.NoBreak, " ", words.NarrowNoBreak, " ")
	_, err := io.WriteString(w, plain.Replace(t.String()))
	return err
}

func terminalWidth(w io.Writer) int {
	file, ok := w.(*os.File)
	if printer, is := w.(*printable.Printer); is {
		file, ok = printer.File()
	}
	if ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			return width
		}
	}
	return 0
}

type textWriter struct {
	strings.Builder
	lang  *words.Language
	width int
}

// summary counts what ended how, and on how many hosts.
func (t *textWriter) summary(r *preflight.Verdict) {
	fmt.Fprintln(t, t.lang.Say("preflight.text.summary", message.Args{"hosts": len(r.Hosts), "table": printable.Line(r.Table)}))
	widest := 0
	for _, o := range outcomes {
		widest = max(widest, columns(outcomeWord(t.lang, o)))
	}
	for _, o := range outcomes {
		if r.Counts[o] == 0 && o != preflight.Fail {
			continue
		}
		line := fmt.Sprintf("  %s %4d", pad(outcomeWord(t.lang, o), widest), r.Counts[o])
		if r.Counts[o] > 0 {
			line += "   " + t.lang.Say(placeOf(r, o), message.Args{"hosts": hostsWith(r, o)})
		}
		fmt.Fprintln(t, line)
	}
}

// placeOf returns the code of the words for where findings of an outcome are.
func placeOf(r *preflight.Verdict, o preflight.Outcome) string {
	ofSite := slices.ContainsFunc(r.Findings, func(f preflight.Finding) bool {
		return f.Outcome == o && !slices.ContainsFunc(r.Hosts, func(host preflight.HostSummary) bool { return host.Name == f.Host })
	})
	switch {
	case !ofSite:
		return "preflight.text.on-hosts"
	case hostsWith(r, o) == 0:
		return "preflight.text.of-site"
	}
	return "preflight.text.on-hosts-and-site"
}

func hostsWith(r *preflight.Verdict, o preflight.Outcome) int {
	return len(slices.DeleteFunc(slices.Clone(r.Hosts), func(host preflight.HostSummary) bool {
		return !slices.ContainsFunc(r.Findings, func(f preflight.Finding) bool { return f.Host == host.Name && f.Outcome == o })
	}))
}

// findings writes a table, whose last column is wrapped.
func (t *textWriter) findings(findings []preflight.Finding) {
	if len(findings) == 0 {
		return
	}
	rows := [][]string{{
		t.lang.Word(
			"preflight.text.outcome",
		), t.lang.Word("preflight.text.check"), t.lang.Word("preflight.text.host"), t.lang.Word("preflight.text.finding"),
	}}
	for _, f := range findings {
		said := f.Sentence()
		if f.Waived != "" {
			said = message.Of("preflight.text.waived", message.Args{"message": said, "reason": f.Waived})
		}
		rows = append(rows,
			[]string{outcomeWord(t.lang, f.Outcome), f.ID, cmp.Or(printable.Line(f.Host), "–"), printable.Line(t.lang.Text(said))})
	}
	widths := make([]int, 3)
	for _, row := range rows {
		for i := range widths {
			widths[i] = max(widths[i], columns(row[i]))
		}
	}
	indent := widths[0] + widths[1] + widths[2] + 6
	below := t.width > 0 && t.width-indent < leastMessage
	if below {
		indent = 4
	}
	fmt.Fprintln(t)
	for _, row := range rows {
		head := pad(row[0], widths[0]) + "  " + pad(row[1], widths[1]) + "  " + pad(row[2], widths[2]) + "  "
		if below {
			fmt.Fprintln(t, strings.TrimRight(head, " "))
			head = strings.Repeat(" ", indent)
		}
		t.wrapped(head, indent, row[3])
	}
}

func (t *textWriter) todo(todo []task) {
	if len(todo) > 0 {
		fmt.Fprintf(t, "\n%s\n", t.lang.Word("preflight.text.todo"))
	}
	for _, task := range todo {
		var places []string
		for _, step := range task.Steps {
			places = withWords(places, printable.Line(step.Where))
		}
		t.wrapped("  [ ] ", 6, task.Title+" ("+task.ID+"): "+strings.Join(places, ", "))
		t.wrapped("      ", 6, printable.Line(task.Do))
	}
}

// wrapped writes a text behind a head, and goes on below it.
func (t *textWriter) wrapped(head string, indent int, text string) {
	for _, line := range wrap(text, t.width-indent) {
		fmt.Fprintln(t, head+line)
		head = strings.Repeat(" ", indent)
	}
}

// wrap breaks a text into lines of so many columns, within a word only if it is
// longer than a line. Without room there is one line.
func wrap(text string, room int) []string {
	if room <= 0 {
		return []string{text}
	}
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case columns(*last)+1+columns(word) <= room:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
		for last = &lines[len(lines)-1]; columns(*last) > room; last = &lines[len(lines)-1] {
			runes := []rune(*last)
			*last = string(runes[:room])
			lines = append(lines, string(runes[room:]))
		}
	}
	return lines
}

// columns is the width of a text on a terminal; marks that stand above or below
// a letter take none.
func columns(s string) int {
	n := utf8.RuneCountInString(s)
	for _, r := range s {
		if unicode.In(r, unicode.Mn, unicode.Me) {
			n--
		}
	}
	return n
}

func pad(s string, width int) string { return s + strings.Repeat(" ", max(0, width-columns(s))) }

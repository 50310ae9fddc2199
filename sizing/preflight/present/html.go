package present

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

//go:embed page.html.tmpl
var pageTemplate string

// view is what the template sees.
type view struct {
	page.Lang
	Verdict  page.Pair // class of its badge, and the words
	Why      string
	Counts   []count
	Groups   []roleGroup
	Todo     []task
	Waived   []task
	Matrix   page.HTML
	Large    bool // as many hosts as fit on a sheet
	Legend   []shownMark
	BadPorts []badPort
	Skips    []skip
}

// count is how many findings have an outcome.
type count struct {
	Badge, Word, Number string
}

// HTML returns a report as one page that opens without a network.
func HTML(r *preflight.Report, lang page.Lang) ([]byte, error) {
	checks, err := preflight.AllChecks()
	if err != nil {
		return nil, err
	}
	functions := template.FuncMap{
		"badge":   badge,
		"outcome": func(o preflight.Outcome) string { return Outcome(lang, o) },
		"list":    func(words []string) string { return strings.Join(words, ", ") },
		"dots":    func(words []string) string { return strings.Join(words, " · ") },
	}
	parsed, err := template.New("preflight").Funcs(functions).Parse(pageTemplate)
	if err != nil {
		return nil, err
	}
	v := newView(r, checks, lang)
	var b bytes.Buffer
	if err := parsed.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("preflight report: %w", err)
	}
	html, err := page.Page{
		Language: lang.Words(), Kicker: lang.T("Preflight", "Vorabprüfung"), Title: lang.T("Can the island be installed here?", "Kann die Insel hier installiert werden?"),
		Subtitle: r.Site, Meta: meta(r, lang), Contents: v.contents(),
		Body: page.HTML(b.String()), //nolint:gosec // made by the template above
		Foot: lang.T("Measured and judged apart: the saved survey can be judged again against another table.", "Gemessen und getrennt davon bewertet: die gespeicherte Messung lässt sich mit einer anderen Tabelle neu bewerten."),
	}.Render()
	return []byte(printable(string(html))), err
}

// printable takes out of a page what came in with names and is no text: control
// characters but line breaks, and what turns the direction of writing. Spaces
// that do not break are the page's own.
func printable(html string) string {
	var b strings.Builder
	for _, r := range html {
		if c := string(r); c == "\n" || c == page.NoBreak || c == page.NarrowNoBreak {
			b.WriteString(c)
		} else {
			b.WriteString(facts.Printable(c))
		}
	}
	return b.String()
}

func meta(r *preflight.Report, lang page.Lang) []page.Pair {
	taken := r.Taken
	if at, err := time.Parse(time.RFC3339, taken); err == nil {
		taken = at.UTC().Format("2006-01-02 15:04 MST")
	}
	pairs := []page.Pair{
		{Name: lang.T("Measured", "Gemessen"), Value: taken},
		{Name: "Hosts", Value: lang.Int(int64(len(r.Hosts)))},
		{Name: lang.T("Hardware table", "Hardware-Tabelle"), Value: r.Table},
	}
	if r.Tool != "" {
		pairs = append(pairs, page.Pair{Name: lang.T("Made by", "Erstellt von"), Value: r.Tool})
	}
	return pairs
}

func newView(r *preflight.Report, checks *preflight.Checks, lang page.Lang) view {
	v := view{Lang: lang, Groups: roleGroups(r, checks, lang), Skips: skips(r, checks, lang), Legend: legend(r, lang), BadPorts: badPorts(r, lang)}
	v.Todo, v.Waived = tasks(r, checks, lang)
	v.Matrix, v.Large = drawMatrix(r, names(v.Groups), lang), len(r.Hosts) > manyHosts
	v.Verdict, v.Why = verdict(r, lang)
	for _, o := range outcomes {
		v.Counts = append(v.Counts, count{badge(o), Outcome(lang, o), lang.Int(int64(r.Counts[o]))})
	}
	return v
}

// verdict answers the title.
func verdict(r *preflight.Report, lang page.Lang) (page.Pair, string) {
	switch r.Worst() {
	case preflight.Fail:
		return page.Pair{Name: "fail", Value: lang.T("Not yet", "Noch nicht")}, lang.T("Requirements are not met. The list says what to do; run the preflight again afterwards.", "Anforderungen sind nicht erfüllt. Die Liste sagt, was zu tun ist; danach die Vorabprüfung wiederholen.")
	case preflight.Error:
		return page.Pair{Name: "ask", Value: lang.T("Not known", "Nicht bekannt")}, lang.T("Nothing fails, but something could not be measured.", "Nichts ist falsch, aber etwas ließ sich nicht messen.")
	case preflight.Warn:
		return page.Pair{Name: "warn", Value: lang.T("Yes, but", "Ja, aber")}, lang.T("Nothing stands in the way of the installation. Look at the warnings.", "Der Installation steht nichts im Weg. Die Warnungen ansehen.")
	}
	return page.Pair{Name: "ok", Value: lang.T("Yes", "Ja")}, lang.T("Nothing was found that stands in the way of the installation.", "Es wurde nichts gefunden, was der Installation im Weg steht.")
}

func (v view) contents() []page.Link {
	links := []page.Link{{ID: "hosts", Title: v.T("Hosts by role", "Hosts nach Rolle")}}
	for _, section := range []struct {
		there     bool
		id, title string
	}{
		{len(v.Todo) > 0, "todo", v.T("What to do", "Was zu tun ist")},
		{v.Matrix != "", "matrix", v.T("Who reaches whom", "Wer wen erreicht")},
		{len(v.Waived) > 0, "waived", v.T("Waived", "Ausgenommen")},
		{len(v.Skips) > 0, "skipped", v.T("What was skipped", "Was übersprungen wurde")},
	} {
		if section.there {
			links = append(links, page.Link{ID: section.id, Title: section.title})
		}
	}
	return links
}

package present

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight"
)

//go:embed page.html.tmpl
var pageTemplate string

// view is what the template sees.
type view struct {
	lang     *words.Language
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
func HTML(r *preflight.Verdict, l *words.Language) ([]byte, error) {
	functions := template.FuncMap{
		"badge":   badge,
		"word":    l.Word,
		"outcome": func(o preflight.Outcome) string { return outcomeWord(l, o) },
		"list":    func(words []string) string { return strings.Join(words, ", ") },
		"dots":    func(words []string) string { return strings.Join(words, " · ") },
	}
	parsed, err := template.New("preflight").Funcs(functions).Parse(pageTemplate)
	if err != nil {
		return nil, err
	}
	v := newView(r, l)
	var b bytes.Buffer
	if err := parsed.Execute(&b, v); err != nil {
		return nil, fmt.Errorf("preflight report: %w", err)
	}
	html, err := page.Page{
		Language: l, Kicker: l.Word("preflight.page.kicker"), Title: l.Word("preflight.page.title"),
		Subtitle: r.Site, Meta: meta(r, l), Contents: v.contents(),
		Body: page.HTML(b.String()), //nolint:gosec // made by the template above
		Foot: l.Word("preflight.page.foot"),
	}.Render()
	return []byte(printable.Text(string(html))), err
}

func meta(r *preflight.Verdict, l *words.Language) []page.Pair {
	pairs := []page.Pair{
		{Name: l.Word("preflight.page.taken"), Value: r.Taken.UTC().Format("2006-01-02 15:04 MST")},
		{Name: l.Word("preflight.page.hosts"), Value: l.Int(int64(len(r.Hosts)))},
		{Name: l.Word("preflight.page.table"), Value: r.Table},
	}
	if r.Tool != "" {
		pairs = append(pairs, page.Pair{Name: l.Word("preflight.page.tool"), Value: r.Tool})
	}
	return pairs
}

func newView(r *preflight.Verdict, l *words.Language) view {
	v := view{lang: l, Groups: roleGroups(r, l), Skips: skips(r, l), Legend: legend(r, l), BadPorts: badPorts(r, l)}
	v.Todo, v.Waived = tasks(r, l)
	v.Matrix, v.Large = drawMatrix(r, names(v.Groups), l), len(r.Hosts) > manyHosts
	v.Verdict, v.Why = verdict(r, l)
	for _, o := range outcomes {
		v.Counts = append(v.Counts, count{badge(o), outcomeWord(l, o), l.Int(int64(r.Counts[o]))})
	}
	return v
}

// verdict answers the title.
func verdict(r *preflight.Verdict, l *words.Language) (answer page.Pair, why string) {
	worst := r.Worst()
	because := func(code string) string { return l.Say(code, message.Args{"n": r.Counts[worst]}) }
	switch worst {
	case preflight.Fail:
		return page.Pair{Name: "fail", Value: l.Word("preflight.page.not-yet")}, because("preflight.page.not-yet-why")
	case preflight.Error:
		return page.Pair{Name: "ask", Value: l.Word("preflight.page.unknown")}, because("preflight.page.unknown-why")
	case preflight.Warn:
		return page.Pair{Name: "warn", Value: l.Word("preflight.page.yes-but")}, because("preflight.page.yes-but-why")
	}
	return page.Pair{Name: "ok", Value: l.Word("preflight.page.yes")}, l.Word("preflight.page.yes-why")
}

func (v view) contents() []page.Link {
	var links []page.Link
	for _, section := range []struct {
		there     bool
		id, title string
	}{
		{true, "hosts", v.lang.Word("preflight.page.by-role")},
		{len(v.Todo) > 0, "todo", v.lang.Word("preflight.page.todo")},
		{v.Matrix != "", "matrix", v.lang.Word("preflight.page.matrix")},
		{len(v.Waived) > 0, "waived", v.lang.Word("preflight.page.waived")},
		{len(v.Skips) > 0, "skipped", v.lang.Word("preflight.page.skipped")},
	} {
		if section.there {
			links = append(links, page.Link{ID: section.id, Title: section.title})
		}
	}
	return links
}

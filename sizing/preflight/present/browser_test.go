package present

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/browser"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
	"github.com/islandbundle/island/sizing/site"
)

// TestPageInBrowser looks at reports in Chromium, in both languages and in every
// view.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	alone := someSurvey(t, 1)
	alone.Hosts, alone.Links = alone.Hosts[:1], nil
	both := words.All()
	for _, site := range []struct {
		name   string
		report *preflight.Verdict
		langs  words.Catalogues
		sheets int // of A4, at most
	}{
		{"good", judged(t, someSurvey(t, 3), nil), both, 3},
		{"faulty", faultySite(t), both, 9},
		{"one-host", judged(t, alone, nil), both[1:], 2},
		{"sixty-hosts", judged(t, someSurvey(t, 12), nil), both[1:], 5},
		{"hostile", sample(), both[:1], 3},
	} {
		for _, lang := range site.langs {
			page, err := HTML(site.report, lang)
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("%s-%s", site.name, lang.Tag)
			pdf := b.Show(name, page)
			if sheets := browser.Pages(pdf); sheets < 1 || sheets > site.sheets {
				t.Errorf("%s: %d sheets of paper, at most %d wanted", name, sheets, site.sheets)
			}
			if site.report.Worst() == preflight.Fail {
				explained(t, name, browser.Words(t, pdf), site.report, lang)
			}
			foreign(t, b, name, lang)
		}
	}
}

// TestPageFits looks at sites whose names are as long as they come, in windows of every
// width: nothing runs out of its box, no short word is broken.
func TestPageFits(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	for name, report := range map[string]*preflight.Verdict{"long": longNames(t), "faulty": faultySite(t)} {
		for _, lang := range words.All() {
			page, err := HTML(report, lang)
			if err != nil {
				t.Fatal(err)
			}
			b.Open(page)
			for _, bad := range b.Fit() {
				t.Errorf("%s-%s, %s", name, lang.Tag, bad)
			}
			narrowest := 0.0
			b.Look(browser.Paper)
			b.Eval(`Math.min(...[...document.querySelectorAll("table:not(.ports) tbody th")].map((e) => e.clientWidth))`, &narrowest)
			if narrowest < 150 {
				t.Errorf("%s-%s: the reasons of what was skipped stand in a column of %v", name, lang.Tag, narrowest)
			}
		}
	}
}

// longNames is a site of forty machines with long names, of which little is known.
func longNames(t *testing.T) *preflight.Verdict {
	t.Helper()
	s := someSurvey(t, 8)
	names := map[string]string{}
	for i := range s.Hosts {
		host := &s.Hosts[i]
		names[host.Name] = fmt.Sprintf("%s_virtuelle_maschine_im_haus_%02d.verwaltung.landkreis-nord.example", host.Name, i)
		host.Name, host.Facts.CPU.Architecture = names[host.Name], factstest.Read("arm64")
		host.Facts.Kernel.Modules, host.Facts.CPU.Steal = nil, facts.Value[float64]{}
	}
	for i := range s.Links {
		s.Links[i].From, s.Links[i].To = names[s.Links[i].From], names[s.Links[i].To]
	}
	return judged(t, s, nil)
}

// explained wants on paper why a check is made, how it was measured and who requires
// it, for each that is to be mended, and the number of each sheet.
func explained(t *testing.T, name, paper string, r *preflight.Verdict, lang *words.Language) {
	t.Helper()
	if !regexp.MustCompile(`\b1 ?/ ?\d`).MatchString(paper) {
		t.Errorf("%s: the first sheet has no number", name)
	}
	paper = strings.Join(strings.Fields(paper), " ")
	todo, _ := tasks(r, lang)
	plain := strings.NewReplacer(words.NoBreak, " ", words.NarrowNoBreak, " ")
	for _, want := range []string{lang.Word("preflight.page.measured-by"), lang.Word("preflight.page.required-by"), todo[0].Why} {
		if want = plain.Replace(want); !strings.Contains(paper, want) {
			t.Errorf("%s: %q is not on paper", name, want)
		}
	}
}

// foreign looks for words of one language in the other's page.
func foreign(t *testing.T, b *browser.Browser, name string, lang *words.Language) {
	t.Helper()
	others := map[string]string{
		"en": `\b(und|oder|nicht|von|auf|wurde|verlangt|Kerne|Prüfung)\b`,
		"de": `\b(and|or|not|from|required|observed|measured|timed|refused|reached|the)\b`,
	}[lang.Tag]
	if others == "" {
		return // nobody has listed words that stand out in a page in this language
	}
	var text string
	b.Eval(`document.querySelectorAll("details").forEach((e) => e.open = true), document.body.innerText`, &text)
	for _, title := range documentTitles(t) {
		text = strings.ReplaceAll(text, title, "")
	}
	for _, found := range regexp.MustCompile(`.*`+others+`.*`).FindAllString(text, -1) {
		t.Errorf("%s: %s", name, found)
	}
}

// documentTitles are those of the documents that tables name, which stay as they are.
func documentTitles(t *testing.T) []string {
	t.Helper()
	table, _, err := sizing.Embedded("guide")
	if err != nil {
		t.Fatal(err)
	}
	ports, err := site.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, source := range table.Sources {
		titles = append(titles, source.Title)
	}
	for _, source := range ports.Sources {
		titles = append(titles, source.Title)
	}
	return titles
}

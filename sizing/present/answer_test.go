package present

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
)

// TestReportBeginsWithTheAnswer wants servers, cores, memory, disk and network before
// all else, in the text and on the page, with the verdict, and the same numbers in both.
func TestReportBeginsWithTheAnswer(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		site    *site.Site
		table   string
		verdict sizing.Level
		numbers []string
	}{
		{someSite(t, 300, "none"), "guide", sizing.Ask, []string{"3", "12", "22\u00a0GB", "690\u00a0GB", "–"}},
		{someSite(t, 2500, "10x8,2x50"), "guide", sizing.Warn, []string{"3", "18", "22\u00a0GB", "690\u00a0GB", "926.7\u00a0Mbit/s"}},
		{someSite(t, 9000, "1x400"), "guide-postgresql", sizing.Fail, nil},
		{someSite(t, 20, "1x4"), "demo", sizing.Warn, []string{"1"}},
	} {
		r := calculate(t, c.site, c.table)
		r.Tool, r.Made = "island 7.1", "2027-02-03"
		for _, lang := range words.All() {
			tell := teller{lang}
			if v := tell.verdict(r); v.Level != c.verdict || v.Word == "" || v.Why == "" {
				t.Errorf("%s, %s: the verdict is %+v, not %s", c.site.Conferences, lang.Tag, v, c.verdict)
			}
			answers := tell.answers(r)
			for i, want := range c.numbers {
				if got := answers[i].Value; lang == words.English() && got != want {
					t.Errorf("%s: %s is %s, not %s", c.site.Conferences, answers[i].Title, got, want)
				}
			}
			var text bytes.Buffer
			if err := Text(&text, r, lang); err != nil {
				t.Fatal(err)
			}
			page, err := HTML(r, lang)
			if err != nil {
				t.Fatal(err)
			}
			plain := strings.NewReplacer("\u00a0", " ", "\u202f", " ", "<small>", "")
			for form, said := range map[string]string{"text": text.String(), "page": string(page)} {
				ends := "\n" + lang.Word("sizing.title.findings") + "\n"
				if form == "page" {
					ends = `id="findings"`
				}
				before, _, ok := strings.Cut(plain.Replace(said), ends)
				if !ok {
					t.Fatalf("%s, %s: no findings in\n%s", lang.Tag, form, said)
				}
				for _, a := range answers {
					if !strings.Contains(before, a.Title) || !strings.Contains(before, plain.Replace(a.Value)) {
						t.Errorf("%s, %s: %s %s does not stand before the findings:\n%s", lang.Tag, form, a.Title, a.Value, before)
					}
				}
				if !strings.Contains(before, tell.verdict(r).Word) {
					t.Errorf("%s, %s: the verdict does not stand before the findings", lang.Tag, form)
				}
				if !strings.Contains(said, "2027-02-03") || !strings.Contains(said, "island 7.1") {
					t.Errorf("%s, %s: it is not said when it was made and by what", lang.Tag, form)
				}
			}
		}
	}
}

// TestVerdictIsTheGravest counts what the gravest findings are.
func TestVerdictIsTheGravest(t *testing.T) {
	t.Parallel()
	findings := func(levels ...sizing.Level) *sizing.Report {
		r := &sizing.Report{}
		for _, l := range levels {
			r.Findings = append(r.Findings, sizing.Remark{Level: l})
		}
		return r
	}
	for _, c := range []struct {
		report  *sizing.Report
		level   sizing.Level
		en, deu string
	}{
		{findings(), sizing.Good, "Nothing was found", "Es wurde nichts gefunden"},
		{findings(sizing.Info, sizing.Good), sizing.Good, "Nothing was found", "Es wurde nichts gefunden"},
		{findings(sizing.Ask, sizing.Good), sizing.Ask, "one point is open", "ein Punkt ist offen"},
		{findings(sizing.Ask, sizing.Ask, sizing.Info), sizing.Ask, "2 points are open", "2 Punkte sind offen"},
		{findings(sizing.Good, sizing.Warn, sizing.Ask), sizing.Warn, "One thing may be", "Ein Punkt kann"},
		{findings(sizing.Warn, sizing.Fail, sizing.Fail), sizing.Fail, "2 things are not possible", "2 Punkte sind so nicht möglich"},
	} {
		for tag, why := range map[string]string{"en": c.en, "de": c.deu} {
			if v := (teller{language(t, tag)}).verdict(c.report); v.Level != c.level || !strings.Contains(v.Why, why) {
				t.Errorf("%s: %+v, want %s and %q", tag, v, c.level, why)
			}
		}
	}
}

// TestLossesAreToldOnce wants what the loss of any of forty servers means in one line
// for each role, and all servers by name where it differs.
func TestLossesAreToldOnce(t *testing.T) {
	t.Parallel()
	many := someSite(t, 3000, "3x20")
	many.ServerCount = 40
	r := calculate(t, many, "guide")
	rows := teller{words.English()}.losses(r)
	if len(rows) > 20 {
		t.Errorf("%d lines for 40 servers", len(rows))
	}
	named := map[string]int{}
	for _, row := range rows {
		for name := range strings.SplitSeq(row.Servers, ", ") {
			named[row.Title+" on "+name]++
		}
	}
	for _, s := range r.Placement.Servers {
		for _, l := range s.Lost {
			key := (teller{words.English()}).roleTitle(r, l.Role) + " on " + s.Name
			if l.Lost > 0 && named[key] != 1 {
				t.Errorf("%s is told %d times", key, named[key])
			}
		}
	}
	three := teller{words.English()}.losses(calculate(t, someSite(t, 300, "none"), "guide"))
	at := slices.IndexFunc(three, func(row lossRow) bool { return row.Title == "Cassandra" })
	if at < 0 || three[at].Servers != "any one" || three[at].Left != 2 {
		t.Errorf("Cassandra on three servers: %+v", three)
	}
}

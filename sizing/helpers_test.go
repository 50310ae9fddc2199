package sizing

import (
	"fmt"
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/site"
)

func someSite(t testing.TB, users int64, conferences string) *site.Site {
	t.Helper()
	s := site.New()
	s.Name, s.Scenario, s.Users = "Example Hospital", DefaultScenario, users
	parsed, err := site.ParseConferences(conferences)
	if err != nil {
		t.Fatal(err)
	}
	s.Conferences = parsed
	if err := s.Check("", SiteNames()); err != nil {
		t.Fatal(err)
	}
	return s
}

func calculate(t testing.TB, site *site.Site, table string) *Report {
	t.Helper()
	return Calculate(Input{Site: site, Table: embeddedTable(t, table)})
}

func figureOf(t testing.TB, list []Figure, id string) Figure {
	t.Helper()
	for _, f := range list {
		if f.ID == id {
			return f
		}
	}
	t.Fatalf("no figure %s", id)
	return Figure{}
}

func findingOf(r *Report, id string) *Remark {
	for i := range r.Findings {
		if r.Findings[i].ID == id {
			return &r.Findings[i]
		}
	}
	return nil
}

func wantFinding(t testing.TB, r *Report, id string, level Level) {
	t.Helper()
	if f := findingOf(r, id); f == nil || f.Level != level {
		t.Errorf("finding %s is %v, want level %s; all: %s", id, f, level, allFindings(r))
	}
}

func allFindings(r *Report) string {
	text := ""
	for _, f := range r.Findings {
		text += fmt.Sprintf("\n  %s %s: %s", f.Level, f.ID, english(f.Text))
	}
	return text
}

func english(text message.Text) string { return words.English().Text(text) }

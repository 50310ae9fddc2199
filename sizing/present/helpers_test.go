package present

import (
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
	"github.com/islandbundle/island/sizing/sizingtest"
)

func someSite(t testing.TB, users int64, conferences string) *site.Site {
	t.Helper()
	site := site.New()
	site.Name, site.Scenario, site.Users = "Example Hospital", sizing.DefaultScenario, users
	if err := site.Conferences.UnmarshalText([]byte(conferences)); err != nil {
		t.Fatal(err)
	}
	return site
}

func embeddedTable(t testing.TB, name string) *sizing.Table {
	t.Helper()
	table, _, err := sizing.Embedded(name)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func tableWithFactors(t testing.TB) *sizing.Table {
	t.Helper()
	_, data, err := sizing.Embedded("guide-postgresql")
	if err != nil {
		t.Fatal(err)
	}
	table, err := sizing.ReadTable("own.yaml", sizingtest.WithFactors(data))
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func calculate(t testing.TB, site *site.Site, table string) *sizing.Report {
	t.Helper()
	return sizing.Calculate(sizing.Input{Site: site, Table: embeddedTable(t, table)})
}

func language(t testing.TB, tag string) *words.Language {
	t.Helper()
	lang, err := words.All().Parse(tag)
	if err != nil {
		t.Fatal(err)
	}
	return lang
}

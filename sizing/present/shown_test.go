package present

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/browser"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
	"github.com/islandbundle/island/sizing/sizingtest"
)

// shownReports are reports that look different from each other.
func shownReports(t *testing.T) map[string]*sizing.Report {
	t.Helper()
	server := func(name string) site.Server {
		return site.Server{Name: name, Cores: 32, Memory: site.Capacity(64 << 30), Disk: site.Capacity(2e12)}
	}
	long := someSite(t, 25_000, "10x8,2x50,400x3,1x120")
	long.Name = "Universitätsklinikum Musterstadt-Nordrhein, Campus für Forschung und Lehre"
	long.Servers = []site.Server{
		server("srv-virtualisierung-rechenzentrum-nord-01.klinikum.example.org"),
		server("srv-virtualisierung-rechenzentrum-nord-02.klinikum.example.org"),
		server("خادم-الشمال"),
	}
	long.Growth = site.Growth{UsersPerYear: 20, Months: 36}
	long.Bundle.ImagesUnpacked = site.Capacity(31e9)
	many := someSite(t, 9_000, "3x20")
	many.ServerCount = 40
	cloud := someSite(t, 2500, "10x8")
	cloud.Scenario = "public-app-cloud"
	reports := map[string]*sizing.Report{
		"small": calculate(t, someSite(t, 300, "none"), "guide"),
		"full": sizing.Calculate(sizing.Input{
			Site: long, Table: tableWithFactors(t), Lock: sizingtest.Lock(t, 1e9),
			Against: []sizing.Existing{
				{
					Name: "cassandra-rechenzentrum-nord-01.klinikum.example.org", Role: site.Cassandra, Cores: 1,
					Memory: manifests.Bytes(4e9), Disk: manifests.Bytes(8e10),
				},
				{Name: "minio1", Role: site.MinIO},
			},
		}),
		"many":  calculate(t, many, "guide-postgresql"),
		"demo":  calculate(t, someSite(t, 20, "1x4"), "demo"),
		"cloud": calculate(t, cloud, "guide"),
	}
	for _, r := range reports {
		r.Tool, r.Made = "island 7.1", "2027-02-03"
	}
	return reports
}

// TestPageIsShown looks at reports in Chromium, in both languages and in every view.
func TestPageIsShown(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	for name, report := range shownReports(t) {
		for _, lang := range words.All() {
			page, err := HTML(report, lang)
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("%s-%s", name, lang.Tag)
			pdf := b.Show(name, page)
			onPaper(t, name, browser.Words(t, pdf), lang)
		}
	}
}

// onPaper wants what a sheet that is put on file needs: its number, when it was made and
// by what, and places to sign.
func onPaper(t *testing.T, name, paper string, lang *words.Language) {
	t.Helper()
	if !regexp.MustCompile(`\b1 ?/ ?\d`).MatchString(paper) {
		t.Errorf("%s: the first sheet has no number", name)
	}
	paper = strings.Join(strings.Fields(paper), " ")
	for _, want := range []string{"2027-02-03", "island 7.1", lang.Word("sizing.page.sign.place"), lang.Word("sizing.page.sign.name")} {
		if !strings.Contains(paper, want) {
			t.Errorf("%s: %q is not on paper", name, want)
		}
	}
}

// TestPageFits looks at pages whose names and numbers are as long as they come, in
// windows of every width: nothing runs out of its box, no short word is broken.
func TestPageFits(t *testing.T) {
	t.Parallel()
	b := browser.Start(t)
	long := someSite(t, 98_765, "700x4,30x12,3x90,1x450")
	long.Name = "Bundeswasserstraßenverwaltungsdienstleistungszentrum_Außenstelle_Mittellandkanal " + strings.Repeat("Q", 70)
	long.Growth, long.Federation = site.Growth{UsersPerYear: 35, Months: 48}, true
	long.Servers = []site.Server{
		{Name: strings.Repeat("w", 63), Cores: 24, Memory: site.Capacity(128 << 30), Disk: site.Capacity(3e12)},
		{Name: "kvm_host_haus_b_kellergeschoss_rack_11_unten_links_2", Cores: 16, Memory: site.Capacity(32e9), Disk: site.Capacity(1e12)},
		{Name: "c", Cores: 8},
	}
	busy := someSite(t, 1800, "14x8,4x60")
	busy.Growth = site.Growth{UsersPerYear: 60, Months: 30}
	reports := map[string]*sizing.Report{
		"long": calculate(t, long, "wire-docs-99"),
		"busy": calculate(t, busy, "guide-postgresql"),
		"demo": calculate(t, someSite(t, 30, "2x5"), "demo"),
	}
	for _, name := range slices.Sorted(maps.Keys(reports)) {
		for _, lang := range words.All() {
			page, err := HTML(reports[name], lang)
			if err != nil {
				t.Fatal(err)
			}
			b.Open(page)
			for _, bad := range b.Fit() {
				t.Errorf("%s-%s, %s", name, lang.Tag, bad)
			}
		}
	}
}

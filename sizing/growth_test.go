package sizing

import (
	"strings"
	"testing"

	"github.com/islandbundle/island/sizing/site"
)

// TestGrowthIsTold wants what users grow to in the report, and judged, with a factor
// for disks or without.
func TestGrowthIsTold(t *testing.T) {
	for _, test := range []struct {
		users, after    int64
		percent         site.Percent
		months          int
		ask, table, own string
	}{
		{9_000, 30_375, 50, 36, "warn", "guide", ""},
		{9_000, 30_375, 50, 0, "warn", "guide-postgresql", ""}, // 36 months if not said
		{4_000, 4_840, 10, 24, "", "guide", ""},
		{7_000, 9_100, 30, 12, "", "guide-postgresql", ""},
		{7_000, 10_152, 50, 11, "warn", "guide", ""},     // 7000 × 1.5^(11/12) = 10,151.3
		{2_500, 20_000, 100, 36, "warn", "guide", "own"}, // with a factor for MinIO's disk
		{12_000, 13_200, 10, 12, "warn", "guide", ""},
	} {
		hospital := someSite(t, test.users, "4x9")
		hospital.Growth = site.Growth{UsersPerYear: test.percent, Months: test.months}
		r := calculate(t, hospital, test.table)
		if test.own != "" {
			r = Calculate(Input{Site: hospital, Table: tableWithFactors(t)})
		}
		if r.Growth == nil || r.Growth.UsersAfter != test.after {
			t.Fatalf("%+v: growth is %+v", test, r.Growth)
		}
		level := map[bool]Level{true: Info, false: Ask}[test.own != ""]
		wantFinding(t, r, "users.growth", level)
		asked := findingOf(r, "users.ask")
		if (asked != nil) != (test.ask != "") || (findingOf(r, "users.table") != nil) == (asked != nil) {
			t.Errorf("%+v: asked %v; all: %s", test, asked, allFindings(r))
		}
		question := false
		for _, q := range r.Questions {
			question = question || q.ID == "users"
		}
		if question != (test.ask != "") {
			t.Errorf("%+v: the question of users is asked: %v", test, question)
		}
	}
	still := calculate(t, someSite(t, 9_000, "4x9"), "guide")
	if still.Growth != nil || findingOf(still, "users.growth") != nil || findingOf(still, "users.ask") != nil {
		t.Errorf("growth of a site that has none: %+v, %s", still.Growth, allFindings(still))
	}
}

// TestGrowthIsSaidInNumbers wants both numbers of users where Wire is to be asked.
func TestGrowthIsSaidInNumbers(t *testing.T) {
	hospital := someSite(t, 9_000, "none")
	hospital.Growth.UsersPerYear = 50
	r := calculate(t, hospital, "guide")
	for _, id := range []string{"users.ask", "users.growth"} {
		if text := english(findingOf(r, id).Text); !strings.Contains(text, "9,000") || !strings.Contains(text, "30,375") {
			t.Errorf("%s says %q", id, text)
		}
	}
	if ask := english(r.Questions[0].Ask); r.Questions[0].ID != "users" || !strings.Contains(ask, "30,375") {
		t.Errorf("Wire is asked %q", ask)
	}
}

// TestGrowthBeyondMeaning refuses what is more users than anybody can mean.
func TestGrowthBeyondMeaning(t *testing.T) {
	for _, test := range []struct {
		users  int64
		growth site.Growth
		taken  bool
	}{
		{1_000_000, site.Growth{UsersPerYear: 100}, true}, // eight times as many
		{2_000_000, site.Growth{UsersPerYear: 100}, false},
		{10, site.Growth{UsersPerYear: 1000, Months: 240}, false},
		{10_000_000, site.Growth{UsersPerYear: 1}, false},
	} {
		s := someSite(t, test.users, "none")
		s.Growth = test.growth
		err := s.Check("site.yaml", SiteNames())
		if test.taken != (err == nil) {
			t.Errorf("%+v: %v", test, err)
		}
		if err != nil {
			wantFlaw(t, err, "growth", "grow to more than 10000000")
		}
	}
}

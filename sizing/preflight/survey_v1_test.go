package preflight

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// TestVersionOneIsJudgedAsItWas: the survey and the report on it were written by a
// program that knew version 1 alone.
func TestVersionOneIsJudgedAsItWas(t *testing.T) {
	t.Parallel()
	const name = "testdata/survey-v1"
	file := func(ending string) []byte {
		data, err := os.ReadFile(name + ending)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	document, err := site.Read("site.yaml", file(".site.yaml"), sizing.SiteNames())
	if err != nil {
		t.Fatal(err)
	}
	want := file(".report.json")
	survey := file(".json")
	for _, read := range []string{"version 1", "saved again as version 2"} {
		s, err := facts.ReadSurvey(bytes.NewReader(survey))
		if err != nil {
			t.Fatalf("%s: %v", read, err)
		}
		if s.Version != facts.SurveyVersion {
			t.Errorf("%s is read as version %d", read, s.Version)
		}
		got, err := json.MarshalIndent(judge(t, s, document), "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if got = append(got, '\n'); !bytes.Equal(got, want) {
			t.Errorf("%s is judged otherwise:\n%s", read, got)
		}
		if survey, err = json.Marshal(s); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCertificateOfNoSite: the names that the site document had when it was looked
// at count where there is no document to judge by.
func TestCertificateOfNoSite(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	s.Site[1].Certificate.Missing = []string{"webapp.wire.example"}
	if got := only(judge(t, s, nil), "site.certificate-names"); len(got) != 1 || got[0] != "fail x" {
		t.Errorf("findings are %q", got)
	}
	document := site.Undescribed()
	document.Preflight.DNS = &site.DNS{Domain: "example", Names: []string{"webapp"}}
	if got := only(judge(t, s, document), "site.certificate-names"); len(got) != 1 || got[0] != "pass x" {
		t.Errorf("findings by a document are %q", got)
	}
}

// TestCertificateIsJudgedByTheTimeOfTheSurvey: whatever the time is now.
func TestCertificateIsJudgedByTheTimeOfTheSurvey(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		days int
		want string
	}{{200, "pass x"}, {12, "warn x"}, {-1, "fail x"}} {
		s := goodSurvey()
		s.Site[1].Certificate = goodCertificate(s.Started, test.days)
		if got := only(judge(t, s, nil), "site.certificate-dates"); len(got) != 1 || got[0] != test.want {
			t.Errorf("%d days left: findings are %q, want %s", test.days, got, test.want)
		}
		s.Site[1].Certificate.NotBefore = s.Started.AddDate(0, 0, 1)
		if got := only(judge(t, s, nil), "site.certificate-dates"); len(got) != 1 || got[0] != "fail x" {
			t.Errorf("begins a day later: findings are %q", got)
		}
	}
}

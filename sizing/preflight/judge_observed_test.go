package preflight

import (
	"testing"

	"github.com/islandbundle/island/sizing/site"
)

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

package present

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
)

// TestVerdictCounts wants the page to say how many requirements are not met, and of one
// that it is one.
func TestVerdictCounts(t *testing.T) {
	t.Parallel()
	swapsOn := func(hosts ...int) *preflight.Verdict {
		s := someSurvey(t, 3)
		for _, i := range hosts {
			s.Hosts[i].Facts.Memory.Swap = factstest.Read[int64](7e9)
		}
		return judged(t, s, nil)
	}
	enforcing := someSurvey(t, 3)
	enforcing.Hosts[4].Facts.Security.SELinux = factstest.Read("enforcing")
	for _, c := range []struct {
		report *preflight.Verdict
		en, de string
	}{
		{swapsOn(10), "One requirement is not met.", "Eine Anforderung ist nicht erfüllt."},
		{swapsOn(9, 10, 11), "3 requirements are not met.", "3 Anforderungen sind nicht erfüllt."},
		{judged(t, enforcing, nil), "there is one warning. Look at it", "es gibt eine Warnung. Sie"},
	} {
		for tag, want := range map[string]string{"en": c.en, "de": c.de} {
			lang, err := words.All().Parse(tag)
			if err != nil {
				t.Fatal(err)
			}
			if _, why := verdict(c.report, lang); !strings.Contains(why, want) {
				t.Errorf("%s: the page says %q, not %q", tag, why, want)
			}
		}
	}
}

// TestLittleIsNotNothing wants of swap that is on that it is not printed as none.
func TestLittleIsNotNothing(t *testing.T) {
	t.Parallel()
	for swap, want := range map[int64]string{4096: "0.01 MB", 2_500_000: "2.5 MB", 9_999_999: "10 MB", 12_000_000: "0.01 GB"} {
		s := someSurvey(t, 3)
		s.Hosts[11].Facts.Memory.Swap = factstest.Read(swap)
		var b bytes.Buffer
		if err := Text(&b, judged(t, s, nil), Options{Lang: words.English()}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(b.String(), "observed "+want) {
			t.Errorf("swap of %d bytes: no %q in\n%s", swap, want, b.String())
		}
	}
}

// TestUnmeasuredIsMeasuredAgain wants of what could not be measured no number, and no
// remedy for what nobody knows to be wrong.
func TestUnmeasuredIsMeasuredAgain(t *testing.T) {
	t.Parallel()
	s := someSurvey(t, 3)
	unread := message.Of("facts.unread.no-processor", nil)
	s.Hosts[0].Facts.CPU.AES.Unread = unread
	s.Hosts[11].Facts.Memory.Swap.Unread = unread
	s.Hosts[2].Facts.Paths[0].FileSystem.Unread = unread
	found := 0
	for _, f := range judged(t, s, nil).Findings {
		if f.Outcome != preflight.Error {
			continue
		}
		found++
		if !f.Remedy.Is("preflight.remedy.measure-again") || !f.Observed.IsZero() {
			t.Errorf("%s of %s: the remedy of what was not measured is %q, observed %q", f.ID, f.Host, plain(f.Remedy), plain(f.Observed))
		}
	}
	if found != 2 {
		t.Errorf("%d things could not be measured, want 2", found)
	}
}

// TestJUnitNamesDiffer wants each case of a suite to have a name of its own.
func TestJUnitNamesDiffer(t *testing.T) {
	t.Parallel()
	for _, report := range []*preflight.Verdict{judged(t, someSurvey(t, 1), nil), faultySite(t)} {
		var b bytes.Buffer
		if err := JUnit(&b, report); err != nil {
			t.Fatal(err)
		}
		var suites testSuites
		if err := xml.Unmarshal(b.Bytes(), &suites); err != nil {
			t.Fatal(err)
		}
		for _, suite := range suites.Suites {
			seen := map[string]bool{}
			for _, c := range suite.Cases {
				if seen[c.Class+c.Name] || c.Name != strings.TrimSpace(c.Name) {
					t.Errorf("suite %s: case %q is there twice, or ends in a blank", suite.Name, c.Name)
				}
				seen[c.Class+c.Name] = true
			}
		}
	}
}

// TestSummarySaysWhere wants findings that are of no host not to be counted as of one.
func TestSummarySaysWhere(t *testing.T) {
	t.Parallel()
	alone := someSurvey(t, 1)
	alone.Hosts, alone.Links = alone.Hosts[:1], nil
	both := someSurvey(t, 1)
	both.Hosts, both.Links = both.Hosts[:1], nil
	both.Hosts[0].Facts.CPU.Architecture = factstest.Read("arm64")
	for want, s := range map[string]*facts.Survey{"   of the whole site": alone, "on 1 host and of the whole site": both} {
		var b bytes.Buffer
		if err := Text(&b, judged(t, s, nil), Options{Lang: words.English()}); err != nil {
			t.Fatal(err)
		}
		line, _, _ := strings.Cut(b.String()[strings.Index(b.String(), "  fail"):], "\n")
		if !strings.HasSuffix(line, want) {
			t.Errorf("the summary says %q, not %q", line, want)
		}
	}
}

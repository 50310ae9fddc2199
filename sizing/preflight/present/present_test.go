package present

import (
	"bytes"
	"encoding/xml"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/report"
)

const evil = "\x1b[31m<script>alert(1)</script>\"'&\u202e"

// sample is a report with something of everything, and hostile names.
func sample() *preflight.Report {
	finding := func(id, host string, outcome preflight.Outcome, en, de string) preflight.Finding {
		return preflight.Finding{ID: id, Host: host, Role: "cassandra", Object: "/x", Outcome: outcome, Observed: "1", Required: "2", Unit: "cores", Method: "m", Source: "table guide",
			Message: report.Text{EN: en, DE: de}, Remedy: report.Text{EN: "Give it more.", DE: "Mehr geben."}}
	}
	r := &preflight.Report{
		APIVersion: "island/v1", Kind: "PreflightReport", Site: "Example " + evil, Taken: "2026-03-01T12:00:00Z", Table: "guide", Counts: map[preflight.Outcome]int{},
		Hosts: []preflight.HostSummary{
			{Name: "cassandra1", Address: "10.0.0.1", Roles: []string{"cassandra"}, Worst: preflight.Fail, Cores: "1", Memory: 4e9},
			{Name: "kubenode1", Roles: []string{"kubernetes"}, Worst: preflight.Pass, Cores: "6", Memory: 8e9},
			{Name: evil, Roles: []string{}, Worst: preflight.Error},
		},
		Findings: []preflight.Finding{
			finding("cpu.cores", "cassandra1", preflight.Fail, "1 usable cores, 2 required", "1 nutzbare Kerne, 2 verlangt"),
			finding("cpu.cores", evil, preflight.Fail, evil, evil),
			finding("reach.down", evil, preflight.Error, "host could not be measured: "+evil, "Host konnte nicht gemessen werden: "+evil),
			finding("time.synchronised", "kubenode1", preflight.Warn, "clock is not kept", "Uhr wird nicht gestellt"),
			finding("guest.unproven", "kubenode1", preflight.Skipped, "a guest cannot prove", "Ein Gast kann nicht beweisen"),
			finding("os.release", "kubenode1", preflight.Pass, "ok", "ok"),
		},
		Links: []preflight.LinkSummary{
			{From: "kubenode1", To: "cassandra1", Tried: 2, OK: 1, Bad: []string{"tcp/9042 timed-out"}},
			{From: "cassandra1", To: "kubenode1", Tried: 1, OK: 1},
			{From: evil, To: "kubenode1", Tried: 1, OK: 1},
		},
	}
	for _, f := range r.Findings {
		r.Counts[f.Outcome]++
	}
	return r
}

func TestTextIsWorstFirstAndPrintable(t *testing.T) {
	t.Parallel()
	for _, lang := range []report.Lang{report.English, report.German} {
		var b strings.Builder
		if err := Text(&b, sample(), Options{Lang: lang}); err != nil {
			t.Fatal(err)
		}
		text := b.String()
		if strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
			t.Errorf("text has control characters: %q", text)
		}
		order := []string{"cpu.cores", "reach.down", "time.synchronised"}
		at := -1
		for _, id := range order {
			if next := strings.Index(text, id); next <= at {
				t.Errorf("%s is not behind what is worse:\n%s", id, text)
			} else {
				at = next
			}
		}
		if strings.Contains(text, "os.release") {
			t.Error("what passed is printed without being asked for")
		}
	}
	var all strings.Builder
	if err := Text(&all, sample(), Options{Lang: report.English, All: true}); err != nil || !strings.Contains(all.String(), "os.release") {
		t.Errorf("all: %v\n%s", err, all.String())
	}
}

func TestRemediesStandOnce(t *testing.T) {
	t.Parallel()
	remedies := Remedies(sample(), report.English)
	if len(remedies) != 3 || remedies[0].ID != "cpu.cores" || len(remedies[0].Hosts) != 2 {
		t.Errorf("remedies are %+v", remedies)
	}
}

func TestJUnitCountsAgree(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := JUnit(&b, sample()); err != nil {
		t.Fatal(err)
	}
	var back testSuites
	if err := xml.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatalf("%v\n%s", err, b.Bytes())
	}
	tests, failures, errors, skipped := 0, 0, 0, 0
	for _, suite := range back.Suites {
		tests, failures, errors, skipped = tests+suite.Tests, failures+suite.Failures, errors+suite.Errors, skipped+suite.Skipped
		if len(suite.Cases) != suite.Tests {
			t.Errorf("suite %q says %d tests, has %d", suite.Name, suite.Tests, len(suite.Cases))
		}
	}
	if tests != 6 || failures != 2 || errors != 1 || skipped != 1 {
		t.Errorf("%d tests, %d failures, %d errors, %d skipped", tests, failures, errors, skipped)
	}
}

func TestPageEscapesAndLinksNowhere(t *testing.T) {
	t.Parallel()
	for _, lang := range []report.Lang{report.English, report.German} {
		page, err := HTML(sample(), lang)
		if err != nil {
			t.Fatal(err)
		}
		text := string(page)
		for _, bad := range []string{"<script", "\x1b", "href=\"http", "src=", " style="} {
			if strings.Contains(strings.ReplaceAll(text, "style-src", ""), bad) {
				t.Errorf("%s page has %q", lang, bad)
			}
		}
		for _, want := range []string{"cassandra1", `class="tick"`, "<svg", lang.T("What to do", "Was zu tun ist"), "tcp/9042 timed-out"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s page lacks %q", lang, want)
			}
		}
		ids := map[string]bool{}
		for _, match := range regexp.MustCompile(`\sid="([^"]+)"`).FindAllStringSubmatch(text, -1) {
			if ids[match[1]] {
				t.Errorf("id %q stands twice", match[1])
			}
			ids[match[1]] = true
		}
	}
}

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing/preflight"
)

// TestStrictLeavesWaivedWarningsAlone: who waived them has decided already.
func TestStrictLeavesWaivedWarningsAlone(t *testing.T) {
	t.Parallel()
	report := &preflight.Verdict{
		Counts:   map[preflight.Outcome]int{preflight.Warn: 2},
		Findings: []preflight.Finding{{Outcome: preflight.Warn, Waived: "x"}, {Outcome: preflight.Warn, Waived: "y"}},
	}
	if err := preflightVerdict(report, true, words.English()); err != nil {
		t.Errorf("all warnings are waived: %v", err)
	}
	report.Findings[1].Waived = ""
	if err := preflightVerdict(report, true, words.English()); fault.ExitCode(err) != int(fault.PreflightFailed) {
		t.Errorf("a warning is not waived: %v", err)
	}
	if err := preflightVerdict(report, false, words.English()); err != nil {
		t.Errorf("without --strict: %v", err)
	}
}

// TestPreflightEndsInItsLanguage counts what is left, one and several, in the language of
// the report.
func TestPreflightEndsInItsLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		outcome  preflight.Outcome
		count    int
		kind     fault.Kind
		lang     string
		ends     string
		remedies string
	}{
		{preflight.Fail, 1, fault.PreflightFailed, "en", "1 requirement is not met", "run it again"},
		{preflight.Fail, 7, fault.PreflightFailed, "en", "7 requirements are not met", "run it again"},
		{preflight.Fail, 1, fault.PreflightFailed, "de", "1 Anforderung ist nicht erfüllt", "noch einmal ausführen"},
		{preflight.Fail, 1200, fault.PreflightFailed, "de", "1.200 Anforderungen sind nicht erfüllt", "noch einmal ausführen"},
		{preflight.Error, 1, fault.Unmeasured, "en", "1 thing could not be measured", "run it again"},
		{preflight.Error, 2, fault.Unmeasured, "de", "2 Punkte ließen sich nicht messen", "noch einmal ausführen"},
		{preflight.Warn, 1, fault.PreflightFailed, "en", "there is 1 warning", "--strict"},
		{preflight.Warn, 3, fault.PreflightFailed, "de", "es gibt 3 Warnungen", "--strict"},
	} {
		lang, err := words.All().Parse(c.lang)
		if err != nil {
			t.Fatal(err)
		}
		flaws := fault.All(preflightVerdict(&preflight.Verdict{Counts: map[preflight.Outcome]int{c.outcome: c.count}}, true, lang))
		if len(flaws) != 1 || flaws[0].Kind != c.kind || flaws[0].Error() != c.ends || !strings.Contains(flaws[0].Hint, c.remedies) {
			t.Errorf("%d × %s in %s: %+v", c.count, c.outcome, c.lang, flaws)
		}
	}
}

// TestMeasuringIsOnlyOnLinux: elsewhere it is refused, with what can be done there.
func TestMeasuringIsOnlyOnLinux(t *testing.T) {
	t.Parallel()
	if err := measurable("linux"); err != nil {
		t.Error(err)
	}
	flaws := fault.All(measurable("darwin"))
	if len(flaws) != 1 || flaws[0].Kind != fault.Usage || !strings.Contains(flaws[0].Hint, "--facts") {
		t.Errorf("elsewhere: %v", flaws)
	}
}

// TestFactsAreJudgedEverywhere holds what is built for other systems: what reads and
// judges saved facts is in it, and what measures is not.
func TestFactsAreJudgedEverywhere(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}", ".")
	cmd.Env = append(os.Environ(), "GOOS=darwin", "GOARCH=arm64", "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	linked := map[string]bool{}
	for _, name := range strings.Fields(string(out)) {
		if room, ok := strings.CutPrefix(name, "github.com/islandbundle/island/sizing/preflight"); ok {
			linked[room] = true
		}
	}
	for _, room := range []string{"", "/facts", "/inventory", "/present"} {
		if !linked[room] {
			t.Errorf("sizing/preflight%s is not linked", room)
		}
	}
	for _, room := range []string{"/probe", "/remote", "/survey"} {
		if linked[room] {
			t.Errorf("sizing/preflight%s is linked", room)
		}
	}
}

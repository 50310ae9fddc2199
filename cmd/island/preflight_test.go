package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

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
	if err := preflightVerdict(report, true); err != nil {
		t.Errorf("all warnings are waived: %v", err)
	}
	report.Findings[1].Waived = ""
	if err := preflightVerdict(report, true); fault.ExitCode(err) != int(fault.PreflightFailed) {
		t.Errorf("a warning is not waived: %v", err)
	}
	if err := preflightVerdict(report, false); err != nil {
		t.Errorf("without --strict: %v", err)
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

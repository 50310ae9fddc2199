package main

import (
	"testing"

	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing/preflight"
)

// TestStrictLeavesWaivedWarningsAlone: who waived them has decided already.
func TestStrictLeavesWaivedWarningsAlone(t *testing.T) {
	t.Parallel()
	report := &preflight.Report{
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

package sizing

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
)

// TestCallPorts wants what clients must reach in the report, and what other backends
// must where the site federates alone.
func TestCallPorts(t *testing.T) {
	hospital := someSite(t, 800, "3x12")
	ports := func() []string {
		r := calculate(t, hospital, "guide")
		var list []string
		for _, p := range r.CallPorts {
			list = append(list, fmt.Sprintf("%s %s %d %s", p.Protocol, p.Ports, p.NodePort, p.Source))
			if !words.English().Has(p.Purpose.Code) {
				t.Errorf("%s has no words", p.Purpose.Code)
			}
			named := func(s SourceRef) bool { return s.ID == p.Source && strings.Contains(english(s.Title), "wire-docs") }
			if !slices.ContainsFunc(r.Sources, named) {
				t.Errorf("source %s is not in the report's list", p.Source)
			}
		}
		return list
	}
	alone := []string{
		"tcp 443 31773 WD-ingress", "tcp 80 31772 WD-ingress", "udp 3478 0 WD-restund", "tcp 3478 0 WD-restund", "tcp 5349 0 WD-restund",
		"udp 32768-61000 0 WD-ports",
	}
	if got := ports(); !slices.Equal(got, alone) {
		t.Errorf("ports\n%q, want\n%q", got, alone)
	}
	hospital.Federation = true
	if got := ports(); !slices.Equal(got, append(alone, "tcp 443 0 WD-federation", "udp 9191 0 WD-federation")) {
		t.Errorf("ports of a federated site are %q", got)
	}
	hospital.Scenario = "custom-app-cloud"
	if got := ports(); got != nil {
		t.Errorf("ports of Wire's cloud are %q", got)
	}
}

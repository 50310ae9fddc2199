package preflight

import (
	"slices"
	"testing"
)

// TestLabelsOfChecks holds which checks may call upon the guide: it wants 1 GbE, an
// island that reaches nothing, push that suits it, and sign-on. Static addresses, node
// ports and the ports of TURN are not in it, but in wire-docs, as are networks to keep free (10.x)
// and virtual machines for all.
func TestLabelsOfChecks(t *testing.T) {
	t.Parallel()
	checks, err := AllChecks()
	if err != nil {
		t.Fatal(err)
	}
	ofGuide := []string{"net.speed", "net.island", "link.throughput", "site.push", "site.outside", "site.idp"}
	ofDocs := []string{
		"kernel.port-range", "net.static", "site.certificate-dates", "site.certificate-names", "site.certificate-chain",
		"site.certificate-key", "site.mail", "site.load-balancer", "site.turn", "net.overlap", "guest.container",
	}
	for _, check := range checks.Checks {
		if slices.Contains(ofGuide, check.ID) != (check.Source == "G") || slices.Contains(ofDocs, check.ID) != (check.Source == "WD") {
			t.Errorf("%s is labelled %s", check.ID, check.Source)
		}
	}
}

package manifests

import (
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
)

const someUpgrades = `apiVersion: island/v1
kind: Upgrades
skip:
  - {version: "2.1", reason: the whole series is broken}
  - {version: 3.0.1, reason: this one is broken}
upgrades:
  - {from: ">=1.0.0 <2.0.0", to: 2.0.0}
  - {from: ">=2.0.0 <2.1.0", to: 2.1.0}
  - {from: ">=2.0.0 <2.3.0", to: 2.2.0, notWhere: [federated]}
  - {from: ">=2.0.0 <3.0.0", to: 3.0.0, kubernetes: ">=1.27"}
  - {from: ">=2.2.0 <3.0.0", to: 3.0.0, order: [a, b], steps: {en: do it}}
  - {from: ">=3.0.0 <4.0.0", to: 4.0.0}
  - {from: ">=4.0.0 <4.0.1", to: 1.0.0}
`

func TestUpgradePath(t *testing.T) {
	t.Parallel()
	upgrades, err := ReadUpgrades("u.yaml", []byte(someUpgrades))
	if err != nil {
		t.Fatal(told(err))
	}
	yes, no := true, false
	for _, test := range []struct {
		name, from, to string
		site           SiteFacts
		want           string // hops with their conditions, or what is said
	}{
		{"one hop", "1.5.0", "2.0.0", SiteFacts{}, "1.5.0 to 2.0.0"},
		{"a later patch of the same series", "1.5.0", "2.0.7", SiteFacts{}, "1.5.0 to 2.0.7"},
		{"fewest hops", "1.0.0", "3.0.0", SiteFacts{Kubernetes: "1.29"}, "1.0.0 to 2.0.0, 2.0.0 to 3.0.0"},
		{"conditions that nobody judged", "2.0.0", "3.0.0", SiteFacts{}, "2.0.0 to 3.0.0 if Kubernetes >=1.27"},
		{"around a condition", "2.0.0", "3.0.0", SiteFacts{Kubernetes: "1.26", Federated: &no}, "2.0.0 to 2.2.0, 2.2.0 to 3.0.0"},
		{"around it, not judged", "2.0.0", "3.0.0", SiteFacts{Kubernetes: "1.26"}, "2.0.0 to 2.2.0 if the site is not federated, 2.2.0 to 3.0.0"},
		{"no way around", "2.0.0", "3.0.0", SiteFacts{Kubernetes: "v1.26.9", Federated: &yes},
			"no way from 2.0.0 to 3.0.0: 2.0.0 to 2.1.0: 2.1.0 is to be skipped: the whole series is broken; 2.0.0 to 2.2.0: not for a federated " +
				"site; 2.0.0 to 3.0.0: wants Kubernetes >=1.27, the site has \"v1.26.9\"; no known step leads on from 2.0.0; 3.0.0 is reached from " +
				">=2.0.0 <3.0.0; 3.0.0 is reached from >=2.2.0 <3.0.0"},
		{"Kubernetes of a pre-release", "2.0.0", "3.0.0", SiteFacts{Kubernetes: "1.28.0-rc.1"}, "2.0.0 to 3.0.0"},
		{"skipped series", "2.0.0", "2.1.4", SiteFacts{}, "2.1.4 is to be skipped: the whole series is broken"},
		{"skipped version", "2.0.0", "3.0.1", SiteFacts{}, "3.0.1 is to be skipped: this one is broken"},
		{"beside the skipped version", "2.2.0", "3.0.2", SiteFacts{}, "2.2.0 to 3.0.2"},
		{"further than is known", "2.0.0", "5.0.0", SiteFacts{}, "the known steps lead no further than 4.0.0"},
		{"nothing known", "0.1.0", "2.0.0", SiteFacts{}, "no known step leads on from 0.1.0"},
		{"back", "3.0.0", "2.0.0", SiteFacts{}, "never upgraded to one that is not later"},
		{"to itself", "3.0.0", "3.0.0", SiteFacts{}, "never upgraded to one that is not later"},
		{"no step leads back", "4.0.0", "4.0.1", SiteFacts{}, "no way from 4.0.0 to 4.0.1"},
		{"no version", "latest", "3.0.0", SiteFacts{}, `"latest" and "3.0.0"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			hops, err := upgrades.Path(test.from, test.to, test.site)
			var parts []string
			for _, hop := range hops {
				part := hop.From + " to " + hop.To
				if len(hop.Conditions) > 0 {
					part += " if " + strings.Join(hop.Conditions, " and ")
				}
				parts = append(parts, part)
			}
			got := strings.Join(parts, ", ")
			if err != nil {
				got = err.Error()
			}
			if (err == nil && got != test.want) || (err != nil && !strings.Contains(got, test.want)) {
				t.Errorf("got %q, not %q", got, test.want)
			}
		})
	}
	hops, err := upgrades.Path("2.2.0", "3.0.0", SiteFacts{Kubernetes: "1.20"})
	if err != nil || hops[0].Steps.En != "do it" || len(hops[0].Order) != 2 {
		t.Errorf("%+v, %v", hops, err)
	}
}

func TestReadUpgradesTellsFlaws(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ old, new, want string }{
		{"kind: Upgrades", "kind: Patch", "wants a document of kind Upgrades"},
		{`">=1.0.0 <2.0.0"`, `"soon"`, `u.yaml:7:12: upgrades[0].from: upgrade from: "soon" is not a range of versions`},
		{"to: 2.0.0", "to: x", `upgrades[0].to: upgrade to "x" is not a version`},
		{`">=1.27"`, `"new"`, `upgrades[3].kubernetes: Kubernetes "new" is not a range of versions`},
		{"federated", "isolated", `upgrades[2].notWhere[0]: "isolated" is not a known kind of site`},
		{"reason: this one is broken", `reason: ""`, "skip[1]: a version to skip wants a semantic version and a reason"},
	} {
		_, err := ReadUpgrades("u.yaml", []byte(strings.Replace(someUpgrades, test.old, test.new, 1)))
		if got := strings.Join(told(err), "\n"); !strings.Contains(got, test.want) || fault.ExitCode(err) != int(fault.Usage) {
			t.Errorf("it says %q, not %q", got, test.want)
		}
	}
}

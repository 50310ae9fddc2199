package manifests

import (
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
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
  - {from: ">=5.0.0 <5.0.2", to: 5.0.2, kubernetes: ">=1.30"}
  - {from: ">=6.0.3 <6.0.5", to: 6.0.5}
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
		{"further than is known", "2.0.0", "5.0.0", SiteFacts{}, "2.0.0 to 3.0.0 if Kubernetes >=1.27, 3.0.0 to 4.0.0, not known: the way from " +
			"2.0.0 to 5.0.0 is not known: 2.0.0 to 2.1.0: 2.1.0 is to be skipped: the whole series is broken; " +
			"the known steps lead no further than 4.0.0"},
		{"nothing known", "0.1.0", "2.0.0", SiteFacts{}, "not known: the way from 0.1.0 to 2.0.0 is not known: no known step leads on from " +
			"0.1.0; 2.0.0 is reached from >=1.0.0 <2.0.0"},
		{"back", "3.0.0", "2.0.0", SiteFacts{}, "never upgraded to one that is not later"},
		{"back within the series", "3.0.7", "3.0.2", SiteFacts{}, "never upgraded to one that is not later"},
		{"to itself", "3.0.0", "v3.0.0+acme", SiteFacts{}, ""},
		{"a later patch", "4.0.0", "4.0.1", SiteFacts{}, "4.0.0 to 4.0.1"},
		{"a later patch beyond all that is known", "7.3.1", "7.3.19", SiteFacts{}, "7.3.1 to 7.3.19"},
		{"a later patch of a skipped series", "2.1.0", "2.1.1", SiteFacts{}, "2.1.1 is to be skipped"},
		{"a later patch that a step leads to", "5.0.1", "5.0.9", SiteFacts{}, "5.0.1 to 5.0.9 if Kubernetes >=1.30"},
		{"a later patch that a step is blocked to", "5.0.1", "5.0.9", SiteFacts{Kubernetes: "1.29"}, "wants Kubernetes >=1.30"},
		{"a later patch behind a step for others", "6.0.1", "6.0.9", SiteFacts{}, "6.0.9 is reached from >=6.0.3 <6.0.5"},
		{"a later patch before that step", "6.0.1", "6.0.4", SiteFacts{}, "6.0.1 to 6.0.4"},
		{"blocked before what is not known", "2.2.0", "9.0.0", SiteFacts{}, "not known: the way from 2.2.0 to 9.0.0"},
		{"of another branch", "4.0.1-zulu.3", "4.0.1-7", SiteFacts{},
			"not known: the way from 4.0.1-zulu.3 to 4.0.1-7 is not known: which of the two is later"},
		{"no version", "latest", "3.0.0", SiteFacts{}, `"latest" and "3.0.0"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path, err := upgrades.Path(test.from, test.to, test.site)
			var parts []string
			for _, hop := range path.Hops {
				part := hop.From + " to " + hop.To
				if len(hop.Conditions) > 0 {
					part += " if " + strings.Join(hop.Conditions, " and ")
				}
				parts = append(parts, part)
			}
			if !path.Known() {
				parts = append(parts, "not known: "+words.English().Text(path.Unknown))
			}
			got := strings.Join(parts, ", ")
			if err != nil {
				got = err.Error()
			}
			plain := err == nil && path.Known()
			if (plain && got != test.want) || (!plain && !strings.Contains(got, test.want)) {
				t.Errorf("got %q, not %q", got, test.want)
			}
		})
	}
	path, err := upgrades.Path("2.2.0", "3.0.0", SiteFacts{Kubernetes: "1.20"})
	if err != nil || path.Hops[0].Steps.En != "do it" || len(path.Hops[0].Order) != 2 {
		t.Errorf("%+v, %v", path, err)
	}
}

// TestUpgradeOverRange holds that what a release says it can be installed over counts:
// it makes a way known, and nothing else leads to the release.
func TestUpgradeOverRange(t *testing.T) {
	t.Parallel()
	steps := []Upgrade{{From: ">=5.28.0 <5.30.0", To: "5.30.0"}}
	for _, test := range []struct{ over, from, to, want string }{ // the hops, or how the refusal ends
		{">=5.30.0 <5.33.0", "5.30.9", "5.32.0", "5.30.9 to 5.32.0"},
		{">=5.28.0 <5.33.0", "5.28.1", "5.32.0", "5.28.1 to 5.30.0, 5.30.0 to 5.32.0"},
		{">=5.31.0 <5.33.0", "5.30.9", "5.32.0", "it is installed over >=5.31.0 <5.33.0, and 5.30.9 is not in it"},
		{"<5.30.5", "5.30.9", "5.30.10", "it is installed over <5.30.5, and 5.30.9 is not in it"},
		{"", "5.30.9", "5.32.0", "not known"},
	} {
		u := Upgrades{Chart: "wire-server", Range: test.over, Steps: steps}
		path, err := u.Path(test.from, test.to, SiteFacts{})
		var parts []string
		for _, hop := range path.Hops {
			parts = append(parts, hop.From+" to "+hop.To)
		}
		got := strings.Join(parts, ", ")
		if !path.Known() {
			got = "not known"
		}
		if err != nil {
			got = err.Error()
		}
		if !strings.HasSuffix(got, test.want) {
			t.Errorf("over %q, from %s to %s: %q, not %q", test.over, test.from, test.to, got, test.want)
		}
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

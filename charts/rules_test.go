package charts

import (
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/islandbundle/island/manifests"
)

func find(image string, class Class, template, object, field string) ImageFind {
	return ImageFind{Image: image, Class: class, Origin: manifests.Origin{Chart: "app", Template: template, Object: object, Field: field}}
}

var (
	typedFind  = find("quay.io/island/app:1", Certain, "app/templates/x.yaml", "Deployment/app", "spec.template.spec.containers[0].image")
	shapedFind = find("quay.io/island/shaped:1", Likely, "app/templates/x.yaml", "Widget/app", "spec.image")
	textFind   = find("busybox:1.36", Candidate, "app/templates/x.yaml", "ConfigMap/app", `data["run.sh"]`)
	offFind    = find("quay.io/island/off:1", Candidate, "app/charts/off/values.yaml", "values", "off.image")
	emptyFind  = find("", Candidate, "app/templates/x.yaml", "Widget/app", "spec.other.image")
	allFinds   = []ImageFind{typedFind, shapedFind, textFind, offFind, emptyFind}
)

func names(finds []ImageFind) (all []string) {
	for _, find := range finds {
		all = append(all, find.Image)
	}
	return all
}

func TestDecide(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name      string
		rules     []Rule
		included  []string
		undecided []string
		unused    int
	}{
		{"no rules", nil, []string{"quay.io/island/app:1", "quay.io/island/shaped:1"}, []string{"busybox:1.36", "quay.io/island/off:1", ""}, 0},
		{"by complete reference", []Rule{{Image: "docker.io/library/busybox:*", Action: Include}},
			[]string{"quay.io/island/app:1", "quay.io/island/shaped:1", "busybox:1.36"}, []string{"quay.io/island/off:1", ""}, 0},
		{"a sure find is excluded", []Rule{{Image: "quay.io/island/app:1", Action: Exclude}},
			[]string{"quay.io/island/shaped:1"}, []string{"busybox:1.36", "quay.io/island/off:1", ""}, 0},
		{"by place", []Rule{{Where: "app/charts/off/*", Action: Exclude}, {Where: "*spec.other.image", Action: Exclude},
			{Image: "busybox:1.36", Where: "app", Action: Exclude}},
			[]string{"quay.io/island/app:1", "quay.io/island/shaped:1"}, nil, 0},
		{"the first rule decides, the second rots",
			[]Rule{{Image: "busybox:*", Action: Include}, {Image: "busybox:1.36", Action: Exclude}, {Image: "gone:1", Action: Exclude}},
			[]string{"quay.io/island/app:1", "quay.io/island/shaped:1", "busybox:1.36"}, []string{"quay.io/island/off:1", ""}, 2},
		{"a rule for another chart", []Rule{{Image: "busybox:*", Where: "other", Action: Include}},
			[]string{"quay.io/island/app:1", "quay.io/island/shaped:1"}, []string{"busybox:1.36", "quay.io/island/off:1", ""}, 1},
		{"include disabled", []Rule{IncludeDisabled()},
			[]string{"quay.io/island/app:1", "quay.io/island/shaped:1", "quay.io/island/off:1"}, []string{"busybox:1.36", ""}, 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			decision := Decide(Finds{Images: allFinds}, nil, test.rules)
			if got := names(decision.Included); !slices.Equal(got, test.included) {
				t.Errorf("included %q, want %q", got, test.included)
			}
			if got := names(decision.Undecided); !slices.Equal(got, test.undecided) {
				t.Errorf("undecided %q, want %q", got, test.undecided)
			}
			if len(decision.UnusedRules) != test.unused {
				t.Errorf("unused %+v, want %d", decision.UnusedRules, test.unused)
			}
			if len(decision.Included)+len(decision.Undecided)+len(decision.Excluded) != len(allFinds) {
				t.Errorf("a find got lost: %+v", decision)
			}
		})
	}
}

// TestRulesBringBack: what a built-in rule leaves out is carried if a rule of the
// release says so.
func TestRulesBringBack(t *testing.T) {
	t.Parallel()
	leftOut := []LeftOut{
		{find("quay.io/island/smoke:1", Certain, "app/templates/tests/t.yaml", "Pod/smoke", "spec.containers[0].image"), RuleTestHook},
		{find("quay.io/island/brig-integration:1", Certain, "app/templates/t.yaml", "Pod/b", "spec.containers[0].image"), RuleIntegration},
	}
	tests := []struct {
		name             string
		rules            []Rule
		included, remain string
		unused           int
	}{
		{"no rule", nil, "", "quay.io/island/smoke:1 quay.io/island/brig-integration:1", 0},
		{"an image", []Rule{{Image: "quay.io/island/smoke:*", Action: Include}},
			"quay.io/island/smoke:1", "quay.io/island/brig-integration:1", 0},
		{"a place", []Rule{{Where: "*Pod/b *", Action: Include}}, "quay.io/island/brig-integration:1", "quay.io/island/smoke:1", 0},
		{"all", []Rule{{Image: "*", Action: Include}}, "quay.io/island/smoke:1 quay.io/island/brig-integration:1", "", 0},
		{"a chart says nothing", []Rule{{Where: "app", Action: Include}}, "", "quay.io/island/smoke:1 quay.io/island/brig-integration:1", 1},
		{"excluded as well", []Rule{{Image: "*smoke*", Action: Exclude}}, "", "quay.io/island/smoke:1 quay.io/island/brig-integration:1", 1},
		{"all but one", []Rule{{Image: "*smoke*", Action: Exclude}, {Image: "*", Action: Include}},
			"quay.io/island/brig-integration:1", "quay.io/island/smoke:1", 0},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			decision := Decide(Finds{LeftOut: leftOut}, nil, test.rules)
			var remain []string
			for _, left := range decision.LeftOut {
				remain = append(remain, left.Image)
			}
			if got := strings.Join(names(decision.Included), " "); got != test.included {
				t.Errorf("included %q, want %q", got, test.included)
			}
			if got := strings.Join(remain, " "); got != test.remain {
				t.Errorf("left out %q, want %q", got, test.remain)
			}
			if len(decision.UnusedRules) != test.unused {
				t.Errorf("unused %+v, want %d", decision.UnusedRules, test.unused)
			}
		})
	}
}

// TestDecideNamedCharts: a chart that another one names waits for a rule, unless
// the release has it.
func TestDecideNamedCharts(t *testing.T) {
	t.Parallel()
	named := find("https://c.example.com/ldap:1.2.3", Named, "app/templates/x.yaml", "HelmChart/ldap", "spec.chart")
	named.Chart = NamedChart{Repository: "https://c.example.com", Name: "ldap", Version: "1.2.3"}
	has := func(c NamedChart) bool { return c.Name == "ldap" }
	tests := []struct {
		name                          string
		carried                       func(NamedChart) bool
		rules                         []Rule
		included, excluded, undecided int
	}{
		{"nobody says", nil, nil, 0, 0, 1},
		{"the release has it", has, nil, 1, 0, 0},
		{"a rule says so", nil, []Rule{{Image: "*/ldap:*", Action: Include}}, 1, 0, 0},
		{"a rule excludes it", has, []Rule{{Image: "https://c.example.com/*", Action: Exclude}}, 0, 1, 0},
		{"a rule by its place", nil, []Rule{{Where: "* HelmChart/ldap *", Action: Exclude}}, 0, 1, 0},
	}
	for _, test := range tests {
		decision := Decide(Finds{Images: []ImageFind{named}}, test.carried, test.rules)
		if len(decision.Included) != test.included || len(decision.Excluded) != test.excluded || len(decision.Undecided) != test.undecided {
			t.Errorf("%s: got %+v", test.name, decision)
		}
	}
	proposed := ProposeRules([]ImageFind{named})
	var rules []Rule
	if err := yaml.Unmarshal([]byte(proposed), &rules); err != nil || len(rules) != 1 || rules[0].Check() != nil || !rules[0].Matches(named) {
		t.Errorf("proposed %s: %+v, %v", proposed, rules, err)
	}
}

func TestRuleCheck(t *testing.T) {
	t.Parallel()
	tests := []struct {
		rule Rule
		want string
	}{
		{Rule{Image: "a:1", Action: Include, Reason: "needed"}, ""},
		{Rule{Action: Include, Reason: "needed"}, "would match every find"},
		{Rule{Image: "a:1", Action: "drop", Reason: "x"}, `action "drop" is not known`},
		{Rule{Image: "a:1", Action: Exclude, Reason: " "}, "has no reason"},
	}
	for _, test := range tests {
		err := test.rule.Check()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%+v: got %v, want %s", test.rule, err, test.want)
		}
	}
}

// TestProposedRulesDecideEverything holds that what is printed can be pasted: it
// is YAML, its rules are right, each of them is used, and nothing is left.
func TestProposedRulesDecideEverything(t *testing.T) {
	t.Parallel()
	finds := append(slices.Clone(allFinds),
		find("registry.example.com/a:1", Candidate, "app/Chart.yaml", "Chart/app", "annotations.images"),
		find("busybox:1.36", Candidate, "app/templates/y.yaml", "ConfigMap/b", `data["a\nb: c"]`),
		find("quay.io/x/untagged", Candidate, "app/templates/y.yaml", "Pod/b", "env"),
		find("{{inputs.image}}: \"x\" # '\x01", Candidate, "app/templates/y.yaml", "Workflow/b", "spec.image"))
	undecided := Decide(Finds{Images: finds}, nil, nil).Undecided
	text := ProposeRules(undecided)
	var rules []Rule
	if err := yaml.UnmarshalStrict([]byte(text), &rules); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	for _, rule := range rules {
		if err := rule.Check(); err != nil {
			t.Error(err)
		}
	}
	decision := Decide(Finds{Images: finds}, nil, rules)
	if len(decision.Undecided) > 0 || len(decision.UnusedRules) > 0 {
		t.Errorf("undecided %+v, unused %+v after\n%s", decision.Undecided, decision.UnusedRules, text)
	}
	if strings.Count(text, "image: busybox:1.36\n") != 1 {
		t.Errorf("one image, two rules:\n%s", text)
	}
}

func TestReclassify(t *testing.T) {
	t.Parallel()
	got := Reclassify(allFinds, map[string]string{shapedFind.Image: "quay.io has no such image", typedFind.Image: "quay.io has no such image"})
	if got[1].Class != Candidate || !strings.Contains(got[1].Reason, "quay.io has no such image") {
		t.Errorf("a likely find that does not exist is still %+v", got[1])
	}
	if got[0] != typedFind {
		t.Errorf("a certain find became %+v", got[0])
	}
	if allFinds[1] != shapedFind {
		t.Error("the argument was changed")
	}
}

func TestConflicts(t *testing.T) {
	t.Parallel()
	system, err := manifests.ParseImageRef("registry.k8s.io/ingress-nginx/controller:v1.12.1")
	if err != nil {
		t.Fatal(err)
	}
	finds := []ImageFind{
		find("registry.k8s.io/ingress-nginx/controller:v1.10.6", Certain, "ingress/templates/x.yaml", "DaemonSet/x", "image"),
		find("busybox:1.36", Certain, "a", "Pod/a", "image"), find("docker.io/library/busybox:1.36", Certain, "b", "Pod/b", "image"),
		find("busybox", Certain, "c", "Pod/c", "image"),
	}
	got := Conflicts(finds, map[manifests.ImageRef]manifests.Origin{system: {List: "images, group system"}})
	if len(got) != 1 || got[0].Name != "registry.k8s.io/ingress-nginx/controller" || len(got[0].Versions) != 2 {
		t.Fatalf("got %+v", got)
	}
	if v := got[0].Versions; !strings.HasSuffix(v[0].Image, ":v1.10.6") || v[0].From[0].Object != "DaemonSet/x" ||
		v[1].From[0].List != "images, group system" {
		t.Errorf("got %+v", v)
	}
}

func TestUnion(t *testing.T) {
	t.Parallel()
	inRendering := func(find ImageFind, name string, class Class) ImageFind {
		find.Rendering, find.Class = name, class
		return find
	}
	got := union(
		Finds{Images: []ImageFind{inRendering(typedFind, "production", Certain)},
			LeftOut: []LeftOut{{inRendering(textFind, "production", Certain), RuleTestHook}}},
		Finds{Images: []ImageFind{inRendering(typedFind, "demo", Certain), inRendering(shapedFind, "demo", Candidate)},
			LeftOut: []LeftOut{{inRendering(textFind, "demo", Certain), RuleTestHook}}},
		Finds{Images: []ImageFind{inRendering(shapedFind, "demo", Likely)}},
	)
	if len(got.Images) != 2 || len(got.LeftOut) != 1 {
		t.Fatalf("got %+v", got)
	}
	if names := got.Images[0].Renderings(); !slices.Equal(names, []string{"production", "demo"}) {
		t.Errorf("got renderings %q", names)
	}
	if got.Images[1].Class != Likely || !slices.Equal(got.Images[1].Renderings(), []string{"demo"}) {
		t.Errorf("got %+v, want the surer class and one rendering", got.Images[1])
	}
	if !slices.Equal(got.LeftOut[0].Renderings(), []string{"production", "demo"}) {
		t.Errorf("got %+v", got.LeftOut)
	}
}

func TestMatchPattern(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"*", "", true}, {"a*", "ab", true}, {"*b", "ab", true}, {"a*a", "a", false},
		{"a*c*e", "abcde", true}, {"a*x*e", "abcde", false}, {"a**b", "ab", true}, {"*b*", "abc", true}, {"a*b", "abc", false},
	}
	for _, test := range tests {
		if got := manifests.MatchPattern(test.pattern, test.text); got != test.want {
			t.Errorf("%q on %q: got %v", test.pattern, test.text, got)
		}
	}
}

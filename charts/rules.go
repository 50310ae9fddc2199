package charts

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Action is what a rule does.
type Action string

// The actions.
const (
	Include Action = "include"
	Exclude Action = "exclude"
)

// Rule decides about finds: for a candidate whether it is an image that the
// site needs, for a surer find that the site does not need it. The first rule
// that matches decides.
type Rule struct {
	// pattern on the whole reference, as found or complete; * stands for any
	// characters; empty means any
	Image  string `json:"image,omitempty" yaml:"image,omitempty"`
	Where  string `json:"where,omitempty" yaml:"where,omitempty"` // pattern on [ImageFind.Place], or the name of a chart; empty means anywhere
	Action Action `json:"action" yaml:"action"`
	Reason string `json:"reason" yaml:"reason"`
}

// Check refuses a rule that cannot be meant.
func (r Rule) Check() error {
	switch {
	case r.Image == "" && r.Where == "":
		return fault.New(fault.Usage, fault.Here, "discovery rule", "name an image, a place, or both", "rule would match every find")
	case r.Action != Include && r.Action != Exclude:
		return fault.New(fault.Usage, fault.Here, "discovery rule for "+or(r.Image, r.Where), "write include or exclude",
			"action %q is not known", r.Action)
	case strings.TrimSpace(r.Reason) == "":
		return fault.New(fault.Usage, fault.Here, "discovery rule for "+or(r.Image, r.Where),
			"say why; the reason travels in the lock and the report", "rule has no reason")
	}
	return nil
}

// Place returns where an image was found, as one text, for people and for
// [Rule.Where]: "wire-server/charts/brig/templates/deployment.yaml Deployment/brig spec.image".
func (f ImageFind) Place() string {
	parts := []string{or(f.Origin.Template, f.Origin.Chart), f.Origin.Object, f.Origin.Field, f.Origin.List}
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), " ")
}

// Matches reports whether the rule speaks of a find.
func (r Rule) Matches(find ImageFind) bool {
	if r.Where != "" && r.Where != find.Origin.Chart && !manifests.MatchPattern(r.Where, find.Place()) {
		return false
	}
	if r.Image == "" || manifests.MatchPattern(r.Image, find.Image) {
		return true
	}
	ref, err := find.Ref()
	return err == nil && manifests.MatchPattern(r.Image, ref.String())
}

// Decision says what becomes of every find.
type Decision struct {
	Included    []ImageFind // certain and likely ones, charts that the release has, and candidates that a rule includes
	Excluded    []Excluded
	LeftOut     []LeftOut   // by a rule that is built in
	Undecided   []ImageFind // candidates and named charts that no rule speaks of: strict discovery fails over them
	UnusedRules []Rule      // rules that decided nothing: an error, so that lists do not rot
}

// Excluded is a find and the rule that leaves it out.
type Excluded struct {
	ImageFind
	Rule Rule
}

// Decide applies rules to finds. The order of the finds is kept. carried, if not
// nil, says of a chart that another one names whether the release has that very
// chart.
//
// A rule that includes an image, or what is at a place, brings back what was left
// out by a rule that is built in.
func Decide(finds Finds, carried func(NamedChart) bool, rules []Rule) Decision {
	var decision Decision
	used := make([]bool, len(rules))
	for _, find := range finds.Images {
		i := slices.IndexFunc(rules, func(rule Rule) bool { return rule.Matches(find) })
		switch {
		case i >= 0 && rules[i].Action == Exclude:
			used[i] = true
			decision.Excluded = append(decision.Excluded, Excluded{find, rules[i]})
		case i >= 0:
			used[i] = true
			decision.Included = append(decision.Included, find)
		case find.Class == Named && carried != nil && carried(find.Chart):
			find.Reason = "the release has this chart"
			decision.Included = append(decision.Included, find)
		case find.Class == Candidate || find.Class == Named:
			decision.Undecided = append(decision.Undecided, find)
		default:
			decision.Included = append(decision.Included, find)
		}
	}
	for _, left := range finds.LeftOut {
		if broughtBack(left.ImageFind, rules, used) {
			decision.Included = append(decision.Included, left.ImageFind)
		} else {
			decision.LeftOut = append(decision.LeftOut, left)
		}
	}
	for i, rule := range rules {
		if !used[i] {
			decision.UnusedRules = append(decision.UnusedRules, rule)
		}
	}
	return decision
}

// broughtBack reports whether a rule brings back what was left out. One that names no
// more than a chart is about its candidates. One that excludes has a use only
// where it stands before one that includes.
func broughtBack(find ImageFind, rules []Rule, used []bool) bool {
	excluding := -1
	for i, rule := range rules {
		switch {
		case !rule.Matches(find):
		case rule.Action == Exclude && excluding < 0:
			excluding = i
		case rule.Action == Include && (rule.Image != "" || rule.Where != find.Origin.Chart):
			if excluding < 0 {
				used[i] = true
				return true
			}
			used[excluding] = true
			return false
		}
	}
	return false
}

// Reclassify makes candidates of likely finds whose image does not exist.
// absent tells of references as they were found why they do not: "quay.io says
// that there is no such image". Certain finds stay: that they do not exist is a
// failure of the build.
func Reclassify(finds []ImageFind, absent map[string]string) []ImageFind {
	all := slices.Clone(finds)
	for i, find := range all {
		if why, ok := absent[find.Image]; ok && find.Class == Likely {
			all[i].Class, all[i].Reason = Candidate, "has the form of an image, but "+why
		}
	}
	return all
}

// IncludeDisabled returns a rule that includes every image of features that are
// switched off.
func IncludeDisabled() Rule {
	return Rule{Where: "*/values.yaml values *", Action: Include, Reason: "features that are switched off are included"}
}

// ProposeRules writes undecided candidates as YAML that can be pasted as a list
// of rules. Each proposes what is the usual answer, to be read and corrected
// by a person: exclude what is switched off, include what a program is told.
// The same image at several places becomes one rule.
func ProposeRules(undecided []ImageFind) string {
	var order []string
	byImage := map[string][]ImageFind{}
	for _, find := range undecided {
		key := find.Image
		if key == "" {
			key = "\x00" + find.Place()
		}
		if byImage[key] == nil {
			order = append(order, key)
		}
		byImage[key] = append(byImage[key], find)
	}
	var out strings.Builder
	for _, key := range order {
		finds := byImage[key]
		for _, find := range finds {
			fmt.Fprintf(&out, "# %s: %s\n", oneLine(find.Place()), oneLine(find.Reason))
		}
		rule := propose(finds[0])
		separator := "- "
		if rule.Image != "" {
			fmt.Fprintf(&out, "- image: %s\n", quoteYAML(rule.Image))
			separator = "  "
		}
		if rule.Where != "" {
			fmt.Fprintf(&out, "%swhere: %s\n", separator, quoteYAML(rule.Where))
		}
		fmt.Fprintf(&out, "  action: %s\n  reason: %s\n", rule.Action, quoteYAML(rule.Reason))
	}
	return out.String()
}

func propose(find ImageFind) Rule {
	rule := Rule{Image: find.Image, Action: Include, Reason: "named in " + find.Origin.Object}
	_, err := find.Ref()
	switch {
	case find.Class == Named:
		rule.Action, rule.Reason = Exclude, "not installed on this island; if it is, the release has to have the chart, and include says so"
	case find.Image == "":
		rule = Rule{Where: find.Place(), Action: Exclude, Reason: "empty: the operator's default is carried by other means"}
	case err != nil:
		rule.Action, rule.Reason = Exclude, "not a complete image reference: "+find.Reason
	case strings.HasPrefix(find.Origin.Object, "Chart/") || find.Origin.Object == "values":
		rule.Action, rule.Reason = Exclude, "not used on this island: "+find.Reason
	}
	return rule
}

func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}

// quoteYAML writes a text as a YAML scalar. JSON's quoting is YAML's
// (YAML 1.2.2, 1.3).
func quoteYAML(text string) string {
	means := strings.ContainsAny(text, "#'\"{}[]*&!|>%@`,?\n\t\\") || strings.Contains(text, ": ") || strings.HasSuffix(text, ":") ||
		strings.HasPrefix(text, "-") // something else than itself, to YAML
	if text != "" && !means && text == strings.Trim(text, " ") && text == oneLine(text) && !startsLikeNumber(text) {
		return text
	}
	return strconv.QuoteToGraphic(text)
}

func startsLikeNumber(text string) bool {
	return strings.ContainsRune("0123456789.=:", rune(text[0])) || slices.Contains(noImages, strings.ToLower(text))
}

// Conflict is a repository that is wanted in more than one version.
type Conflict struct {
	Name     string    `json:"name"` // registry/repository
	Versions []Version `json:"versions"`
}

// Version is one of the tags or digests, and who wants it.
type Version struct {
	Image string             `json:"image"`
	From  []manifests.Origin `json:"from"`
}

// Conflicts returns the repositories that finds and further images want at
// more than one tag or digest, in the order of their names: ingress values pin
// one controller, say, and the list of system images ships another. What has
// no reference is passed over.
func Conflicts(finds []ImageFind, further map[manifests.ImageRef]manifests.Origin) []Conflict {
	versions := map[string]map[string][]manifests.Origin{}
	add := func(ref manifests.ImageRef, origin manifests.Origin) {
		if versions[ref.Name()] == nil {
			versions[ref.Name()] = map[string][]manifests.Origin{}
		}
		if origins := versions[ref.Name()][ref.String()]; !slices.Contains(origins, origin) {
			versions[ref.Name()][ref.String()] = append(origins, origin)
		}
	}
	for _, find := range finds {
		if ref, err := find.Ref(); err == nil && find.Class != Named {
			add(ref, find.Origin)
		}
	}
	for ref, origin := range further {
		add(ref, origin)
	}
	var all []Conflict
	for _, name := range sortedKeys(versions) {
		if len(versions[name]) < 2 {
			continue
		}
		conflict := Conflict{Name: name}
		for _, image := range sortedKeys(versions[name]) {
			conflict.Versions = append(conflict.Versions, Version{image, versions[name][image]})
		}
		all = append(all, conflict)
	}
	return all
}

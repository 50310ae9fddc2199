package charts

import (
	"maps"
	"path"
	"slices"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
)

// Switch is a subchart that no rendering switched on, and the values that
// would (Helm documentation, "Charts", "Tags and Condition fields in
// dependencies").
type Switch struct {
	Subchart string   `json:"subchart"`          // names joined by slashes: wire-server's legalhold, front/inner
	Chart    string   `json:"chart"`             // name and version
	On       []string `json:"on,omitempty"`      // values, each of which is enough: tags.legalhold=true, front.enabled=true
	Version  string   `json:"version,omitempty"` // the range in Chart.yaml
}

// scope is a chart or subchart with the values it would see, switched on or
// not.
type scope struct {
	chart    *chart.Chart
	values   map[string]any
	prefix   []string // names from the chart on the way down, which are keys of values as well
	template string   // full path of the chart in the names of templates
	declared *chart.Dependency
	around   map[string]any // values of the chart that declares it
}

func (s scope) name() string { return strings.Join(s.prefix, "/") }

// scopes returns a chart and all of its subcharts, each with the values that
// would reach it. A subchart that is declared under two aliases is there twice.
func scopes(root *chart.Chart, values map[string]any) []scope {
	top := scope{chart: root, values: mergeValues(root.Values, values), template: root.Name()}
	return append([]scope{top}, top.below()...)
}

// dependencies returns the charts that were loaded below one, by name: their
// order would be that of a map else.
func dependencies(parent *chart.Chart) []*chart.Chart {
	return slices.SortedFunc(slices.Values(parent.Dependencies()), func(a, b *chart.Chart) int {
		return strings.Compare(a.Name(), b.Name())
	})
}

func (s scope) below() []scope {
	var all []scope
	for _, sub := range dependencies(s.chart) {
		for _, declared := range declarations(s.chart, sub) {
			name := or(declared.Alias, sub.Name())
			given, _ := s.values[name].(map[string]any)
			one := scope{
				chart: sub, values: mergeValues(sub.Values, given), prefix: append(slices.Clone(s.prefix), name),
				template: path.Join(s.template, "charts", name), declared: declared, around: s.values,
			}
			all = append(all, one)
			all = append(all, one.below()...)
		}
	}
	return all
}

// declarations returns the entries of Chart.yaml that mean a subchart: none for
// one that merely lies in charts/, which is always on.
func declarations(parent, sub *chart.Chart) []*chart.Dependency {
	var all []*chart.Dependency
	for _, declared := range parent.Metadata.Dependencies {
		if declared != nil && declared.Name == sub.Name() {
			all = append(all, declared)
		}
	}
	if all == nil {
		all = []*chart.Dependency{{Name: sub.Name()}}
	}
	return all
}

// switchedOn returns the names of all subcharts that are left once conditions and
// tags have been worked out.
func switchedOn(parent *chart.Chart, below string) []string {
	var all []string
	for _, sub := range parent.Dependencies() {
		name := path.Join(below, sub.Name())
		all = append(all, name)
		all = append(all, switchedOn(sub, name)...)
	}
	slices.Sort(all)
	return all
}

// switches returns the subcharts that are off, but for those below another one
// that is off.
func switches(all []scope, on map[string]bool) []Switch {
	var off []Switch
	for _, s := range all {
		parent := path.Dir(s.name())
		if len(s.prefix) == 0 || on[s.name()] || parent != "." && !on[parent] || strings.EqualFold(s.chart.Metadata.Type, "library") {
			continue
		}
		off = append(off, Switch{
			Subchart: s.name(), Chart: s.chart.Name() + " " + s.chart.Metadata.Version,
			On: s.switchOn(), Version: s.declared.Version,
		})
	}
	return off
}

// switchOn returns the values that switch a subchart on. A condition that is set
// wins over tags; tags are looked up at the top.
func (s scope) switchOn() []string {
	var on []string
	parent := s.prefix[:len(s.prefix)-1]
	for condition := range strings.SplitSeq(s.declared.Condition, ",") {
		if condition = strings.TrimSpace(condition); condition != "" {
			on = append(on, strings.Join(append(slices.Clone(parent), condition), ".")+"=true")
		}
	}
	for _, tag := range s.declared.Tags {
		on = append(on, "tags."+tag+"=true")
	}
	return on
}

// switchedOnBy returns which of these values have switched a subchart on: the first
// condition that is set, else each tag that is true. Where none is set it is on by
// itself, and any of them says that it stays so.
func (s scope) switchedOnBy(top map[string]any) []string {
	parent := s.prefix[:len(s.prefix)-1]
	for condition := range strings.SplitSeq(s.declared.Condition, ",") {
		keys := strings.Split(strings.TrimSpace(condition), ".")
		path := append(slices.Clone(parent), keys...)
		value, there := lookUp(s.around, keys)
		if !there && keys[0] == "global" { // reaches every subchart
			path = keys
			value, _ = lookUp(top, keys)
		}
		if _, decides := value.(bool); decides {
			return []string{strings.Join(path, ".") + "=true"}
		}
	}
	var on []string
	for _, tag := range s.declared.Tags {
		if value, _ := lookUp(top, []string{"tags", tag}); value == true {
			on = append(on, "tags."+tag+"=true")
		}
	}
	if on == nil {
		return s.switchOn()
	}
	return on
}

func setOf(names []string) map[string]bool {
	set := map[string]bool{}
	for _, name := range names {
		set[name] = true
	}
	return set
}

func addAll(to map[string]bool, names []string) { maps.Copy(to, setOf(names)) }

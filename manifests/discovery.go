package manifests

import (
	"cmp"
	"fmt"
	"slices"
)

// Discovery says what a release knows about where images are, beyond what
// looking at its charts tells.
type Discovery struct {
	Rules []DiscoveryRule `yaml:"rules,omitempty"` // in order; the first that matches decides
	// IncludeDisabled carries the images of features that are switched off too.
	IncludeDisabled bool            `yaml:"includeDisabled,omitempty"`
	Objects         []KnownObject   `yaml:"objects,omitempty"`   // custom resources that hold images
	Arguments       []KnownArgument `yaml:"arguments,omitempty"` // flags and variables whose value is an image
}

// DiscoveryRule decides about finds: for a candidate whether it is an image that
// the site needs, for a surer find that the site does not need it.
type DiscoveryRule struct {
	// pattern on the reference, in which * stands for any characters; empty means any
	Image string `yaml:"image,omitempty" json:"image,omitempty"`
	// the name of a chart, or a pattern on the place of the find; empty means anywhere
	Where  string `yaml:"where,omitempty" json:"where,omitempty"`
	Action string `yaml:"action" json:"action"` // include or exclude
	Reason string `yaml:"reason" json:"reason"` // why; it travels in the lock
	// Optional lets the rule match nothing, as one that serves several releases
	// may. Any other rule that matches nothing is an error, so that lists do
	// not rot.
	Optional bool `yaml:"optional,omitempty" json:"optional,omitempty"`
}

// KnownObject tells of the objects of some kinds, at any version of their API
// group. A path names a field, such as spec.image; [] stands for every item of a
// list and * for every key of a map.
type KnownObject struct {
	Group    string   `yaml:"group"`              // such as k8ssandra.io
	Kinds    []string `yaml:"kinds"`              // such as K8ssandraCluster
	Images   []string `yaml:"images,omitempty"`   // fields that hold an image, as text or in parts
	PodSpecs []string `yaml:"podSpecs,omitempty"` // fields that hold a pod spec or an extract of one
	Source   string   `yaml:"source,omitempty"`   // where it is written
}

// KnownArgument is a flag, or an environment variable, whose value is an image.
type KnownArgument struct {
	Name   string `yaml:"name"` // --flag, or NAME of a variable
	Source string `yaml:"source,omitempty"`
}

// Rendering is a further way in which a chart is rendered, laid over the chart's
// own: a feature switched on, another version of Kubernetes. The images of all
// renderings are carried.
type Rendering struct {
	Name        string          `yaml:"name"`              // a profile chooses renderings by name; the chart's own is called default
	Values      []string        `yaml:"values,omitempty"`  // values files, relative to the document; not carried
	Secrets     []string        `yaml:"secrets,omitempty"` // values files, like Values
	Set         map[string]any  `yaml:"set,omitempty"`     // values given in place
	KubeVersion string          `yaml:"kubeVersion,omitempty"`
	APIVersions []string        `yaml:"apiVersions,omitempty"` // in addition to the chart's
	Tags        map[string]bool `yaml:"tags,omitempty"`        // subchart tags to switch on or off
	As          string          `yaml:"as,omitempty"`          // install or upgrade, as for the chart
}

// DefaultRendering is the name of the rendering with a chart's own values.
const DefaultRendering = "default"

// RenderingsOf returns the ways in which a chart is rendered, as charts with the
// values of each, by name: its own, and its further ones laid over that.
// Chosen names those that a profile wants; none means all. A chart that has none
// of the chosen is rendered with its own values. What patches set for a rendering is
// laid over what they set for all.
func (c Chart) RenderingsOf(chosen []string) (names []string, renderings []Chart) {
	add := func(name string, rendering Chart) {
		if len(chosen) == 0 || slices.Contains(chosen, name) {
			names, renderings = append(names, name), append(renderings, rendering)
		}
	}
	add(DefaultRendering, c)
	for _, r := range c.Renderings {
		rendering := c.rendered(r)
		rendering.Over = LayValues(c.Over, c.ValuesOver(r.Name))
		add(r.Name, rendering)
	}
	if len(names) == 0 {
		return []string{DefaultRendering}, []Chart{c}
	}
	return names, renderings
}

// rendered returns the chart with what a further rendering gives laid over it.
func (c Chart) rendered(r Rendering) Chart {
	return layChart(c, Chart{
		Values: r.Values, Secrets: r.Secrets, Set: r.Set, KubeVersion: r.KubeVersion, APIVersions: r.APIVersions, Tags: r.Tags, As: r.As,
	})
}

// renderingNamed returns a further rendering of the chart, which says nothing where there
// is none of the name.
func (c Chart) renderingNamed(name string) Rendering {
	at := slices.IndexFunc(c.Renderings, func(r Rendering) bool { return r.Name == name })
	if at < 0 {
		return Rendering{Name: name}
	}
	return c.Renderings[at]
}

// with returns a rendering with another of its name laid over it.
func (r Rendering) with(over Rendering) Rendering {
	return Rendering{
		Name:        r.Name,
		Values:      joined(r.Values, over.Values),
		Secrets:     joined(r.Secrets, over.Secrets),
		Set:         LayValues(r.Set, over.Set),
		KubeVersion: cmp.Or(over.KubeVersion, r.KubeVersion),
		APIVersions: joined(r.APIVersions, over.APIVersions),
		Tags:        layMap(r.Tags, over.Tags),
		As:          cmp.Or(over.As, r.As),
	}
}

func layDiscovery(under, over Discovery) Discovery {
	return Discovery{
		// The overlay's rules come first: the first that matches decides.
		Rules:           append(slices.Clone(over.Rules), under.Rules...),
		IncludeDisabled: under.IncludeDisabled || over.IncludeDisabled,
		Objects:         append(slices.Clone(under.Objects), over.Objects...),
		Arguments:       append(slices.Clone(under.Arguments), over.Arguments...),
	}
}

// layRenderings lays renderings over those of the same name.
func layRenderings(under, over []Rendering) []Rendering {
	result := slices.Clone(under)
	for _, r := range over {
		at := slices.IndexFunc(result, func(other Rendering) bool { return other.Name == r.Name })
		if at < 0 {
			result = append(result, r)
		} else {
			result[at] = r
		}
	}
	return result
}

func (c *checker) discovery(d Discovery) {
	for i, rule := range d.Rules {
		field := fmt.Sprintf("discovery.rules[%d]", i)
		c.want(rule.Image != "" || rule.Where != "", field, "name an image, a place, or both", "rule would match every find")
		c.want(rule.Action == "include" || rule.Action == "exclude", field+".action", "write include or exclude",
			"action %q is not known", rule.Action)
		c.want(rule.Reason != "", field, "say why; the reason travels in the lock", "rule has no reason")
	}
	for i, object := range d.Objects {
		field := fmt.Sprintf("discovery.objects[%d]", i)
		c.want(object.Group != "" && len(object.Kinds) > 0, field, "", "custom resource has no group or no kinds")
		c.want(len(object.Images)+len(object.PodSpecs) > 0, field, "name its fields under images or podSpecs", "custom resource names no field")
	}
	for i, argument := range d.Arguments {
		c.want(argument.Name != "", fmt.Sprintf("discovery.arguments[%d].name", i), "--flag, or the NAME of a variable", "argument has no name")
	}
}

// event checks what a chart is rendered as.
func (c *checker) event(chart *Chart, field, as string) {
	if as != "" && as != "install" && as != "upgrade" {
		c.flaws.Add(chart.Place(field), "write install or upgrade, or leave it out for both", "chart cannot be rendered as %q", as)
	}
}

func (c *checker) renderings(chart *Chart) {
	seen := map[string]bool{DefaultRendering: true}
	c.event(chart, ".as", chart.As)
	for i, r := range chart.Renderings {
		c.event(chart, fmt.Sprintf(".renderings[%d].as", i), r.As)
		if r.Name == "" || seen[r.Name] {
			c.flaws.Add(chart.Place(fmt.Sprintf(".renderings[%d].name", i)), "give each rendering a name of its own; default is the chart's own",
				"rendering has no name, or one that is taken: %q", r.Name)
		}
		seen[r.Name] = true
	}
}

package manifests

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/printable"
)

// PatchedValues are what a patch sets in a chart: what a site has to give to Helm, too.
// They are laid over everything that the release and its overlays say, as on a site
// they are given after all other values.
type PatchedValues struct {
	Patch     string          // id
	Rendering string          // that they are for; empty for all of the chart's
	Files     []string        // values files, laid over each other in order
	Set       map[string]any  // laid over them
	Tags      map[string]bool // laid over that
	// Values are all of it, as whoever reads the files has merged it.
	Values map[string]any
}

// PatchedValue is one value that a patch sets in a chart. The values of a patch are its
// leaves: what is an object has a value for each of its parts, unless it has none.
type PatchedValue struct {
	Chart     string `json:"chart"`
	Rendering string `json:"rendering,omitempty"` // that it is for; left out for all of the chart's
	Path      string `json:"path"`                // keys joined by dots, as helm --set has them; see JoinPath
	Value     any    `json:"value"`               // null takes away what a chart or a site sets
}

// takeValues moves what an entry of a patch sets to where it is laid over all else.
// Secrets stay where they are: they do not travel.
func (c Chart) takeValues(patch string) Chart {
	take := func(rendering string, files []string, set map[string]any, tags map[string]bool) {
		if len(files)+len(set)+len(tags) > 0 {
			c.Patched = append(c.Patched, PatchedValues{Patch: patch, Rendering: rendering, Files: files, Set: set, Tags: tags})
		}
	}
	take("", c.Values, c.Set, c.Tags)
	c.Values, c.Set, c.Tags = nil, nil, nil
	c.Renderings = slices.Clone(c.Renderings)
	for i, r := range c.Renderings {
		take(r.Name, r.Values, r.Set, r.Tags)
		c.Renderings[i].Values, c.Renderings[i].Set, c.Renderings[i].Tags = nil, nil, nil
	}
	return c
}

// ValuesOver returns the values of patches that are laid over all else in a rendering
// of a chart; the empty name is for what all renderings have.
func (c Chart) ValuesOver(rendering string) map[string]any {
	var over map[string]any
	for _, p := range c.Patched {
		if p.Rendering == rendering {
			over = LayValues(over, p.Values)
		}
	}
	return over
}

// TagsUnder returns the chart's tags without those that patches decide, since tags are
// laid over values.
func (c Chart) TagsUnder() map[string]bool {
	decided, _ := c.Over["tags"].(map[string]any)
	tags := maps.Clone(c.Tags)
	maps.DeleteFunc(tags, func(tag string, _ bool) bool { _, is := decided[tag]; return is })
	return tags
}

// WithTags returns values with tags in them, where Helm reads them.
func WithTags(values map[string]any, tags map[string]bool) map[string]any {
	if len(tags) == 0 {
		return values
	}
	tree := map[string]any{}
	for tag, on := range tags {
		tree[tag] = on
	}
	return LayValues(values, map[string]any{"tags": tree})
}

// Leaves returns the values of a tree one by one, sorted by path. Numbers are as Helm
// has them: 64-bit floats, here as whole numbers where they are exact.
func Leaves(chart, rendering string, tree map[string]any) []PatchedValue {
	var leaves []PatchedValue
	var walk func(path []string, tree map[string]any)
	walk = func(path []string, tree map[string]any) {
		for _, key := range sortedKeys(tree) {
			at := append(slices.Clone(path), key)
			if below, isObject := tree[key].(map[string]any); isObject && len(below) > 0 {
				walk(at, below)
				continue
			}
			leaves = append(leaves, PatchedValue{Chart: chart, Rendering: rendering, Path: JoinPath(at...), Value: plainNumbers(tree[key])})
		}
	}
	walk(nil, tree)
	return leaves
}

// maxExact is the first whole number that a float may stand for together with another.
const maxExact = 1 << 53

func plainNumbers(value any) any {
	switch v := value.(type) {
	case int:
		return int64(v)
	case uint64:
		return float64(v)
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < maxExact {
			return int64(v)
		}
	case map[string]any:
		plain := map[string]any{}
		for key, item := range v {
			plain[key] = plainNumbers(item)
		}
		return plain
	case []any:
		plain := make([]any, len(v))
		for i, item := range v {
			plain[i] = plainNumbers(item)
		}
		return plain
	}
	return value
}

// special are the characters that mean something in a path of helm --set
// (helm.sh/helm/v3/pkg/strvals).
const special = `\.,=[]{}`

// valuesPath is the path of a value: keys joined by dots, in which a backslash stands
// before what is special.
var valuesPath = regexp.MustCompile(`^([^\\.,=\[\]{}\x00-\x1f]|\\.)+(\.([^\\.,=\[\]{}\x00-\x1f]|\\.)+)*$`)

// JoinPath joins keys by dots, as paths of helm --set have them: a backslash stands
// before a dot within a key, and the like.
func JoinPath(keys ...string) string {
	var path strings.Builder
	for i, key := range keys {
		if i > 0 {
			path.WriteByte('.')
		}
		for _, c := range key {
			if strings.ContainsRune(special, c) {
				path.WriteByte('\\')
			}
			path.WriteRune(c)
		}
	}
	return path.String()
}

// SplitPath returns the keys of a path that [JoinPath] has joined. An index, as in
// a[0].b, is an error: Helm replaces lists whole.
func SplitPath(path string) ([]string, error) {
	if !valuesPath.MatchString(path) {
		if strings.ContainsAny(path, "[]") {
			return nil, errors.New(
				"an entry of a list cannot be set alone, since Helm replaces lists whole: give the list in set of the chart's entry",
			)
		}
		return nil, errors.New("it wants keys joined by dots, with a backslash before a dot within a key")
	}
	var keys []string
	var key strings.Builder
	escaped := false
	for _, c := range path {
		switch {
		case c == '\\' && !escaped:
			escaped = true
			continue
		case c == '.' && !escaped:
			keys = append(keys, key.String())
			key.Reset()
		default:
			key.WriteRune(c)
		}
		escaped = false
	}
	return append(keys, key.String()), nil
}

// nested returns a tree with one value; none if the path is no path.
func nested(path string, value any) map[string]any {
	keys, err := SplitPath(path)
	if err != nil {
		return nil
	}
	tree := map[string]any{keys[len(keys)-1]: value}
	for _, key := range slices.Backward(keys[:len(keys)-1]) {
		tree = map[string]any{key: tree}
	}
	return tree
}

// ValueAt returns what a tree has at a path, or on the way there: a value that is no
// object, which takes the place of all that is below it.
func ValueAt(tree map[string]any, path string) (value any, there bool) {
	keys, err := SplitPath(path)
	if err != nil {
		return nil, false
	}
	value = tree
	for _, key := range keys {
		below, isObject := value.(map[string]any)
		if !isObject {
			return value, true
		}
		if value, there = below[key]; !there {
			return nil, false
		}
	}
	return value, true
}

// checkValues reports what cannot be a value that a patch sets, or the chart that it is
// set in: commands for a shell are made of it.
func (p LockedPatch) checkValues() error {
	for _, v := range p.Set {
		if !chartName.MatchString(v.Chart) || (v.Rendering != "" && !chartName.MatchString(v.Rendering)) {
			return fmt.Errorf("patch %s sets values of %.80q, rendering %.80q, which are no names", p.ID, v.Chart, v.Rendering)
		}
		if keys, err := SplitPath(v.Path); err != nil || len(keys) > maxDocumentDepth {
			return fmt.Errorf("patch %s sets a value at %.80q, which is no path", p.ID, v.Path)
		}
	}
	for _, v := range p.Values {
		if keys, err := SplitPath(v.Path); err != nil || len(keys) > maxDocumentDepth || !chartName.MatchString(v.Chart) {
			return fmt.Errorf("patch %s sets a value of chart %.80q at %.80q, which is no path", p.ID, v.Chart, v.Path)
		}
	}
	return p.checkNames()
}

// checkNames reports charts and namespaces that could not be in commands.
func (p LockedPatch) checkNames() error {
	names, removed := slices.Concat(p.Charts, p.Added), map[string]bool{}
	for _, what := range p.Removed {
		if name, isChart := strings.CutPrefix(what, "chart "); isChart {
			names, removed[name] = append(names, name), true
		}
	}
	for _, name := range names {
		if !chartName.MatchString(name) {
			return fmt.Errorf("patch %s is about chart %.80q, which is no name", p.ID, name)
		}
	}
	for _, name := range sortedKeys(p.Namespaces) {
		if !removed[name] {
			return fmt.Errorf("patch %s names namespaces of chart %.80q, which it does not remove", p.ID, name)
		}
		for _, namespace := range p.Namespaces[name] {
			if !printable.IsLine(namespace) {
				return fmt.Errorf("patch %s removes chart %s from namespace %.80q, which is not one line of printable characters",
					p.ID, name, namespace)
			}
		}
	}
	return nil
}

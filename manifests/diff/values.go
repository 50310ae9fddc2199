package diff

import (
	"archive/tar"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/internal/plaintar"
	"github.com/islandbundle/island/internal/yamlmarks"
	"github.com/islandbundle/island/manifests"
)

// Limits on chart archives, which come from outside.
const (
	MaxChartArchive  = 32 << 20 // bytes, compressed
	maxUnpacked      = 256 << 20
	maxEntries       = 50_000
	maxValuesFile    = 4 << 20 // of all of a chart
	maxMergedValues  = 16 << 20
	maxValuesDepth   = 64
	maxValuesShown   = 80 // bytes of one value
	maxValuesChanges = 10_000
)

// ValuesChanges are the keys of one chart's values.yaml whose defaults differ:
// what somebody who sets values of that chart has to look at.
type ValuesChanges struct {
	Chart   string        `json:"chart"`
	Old     string        `json:"old"` // version
	New     string        `json:"new"`
	Added   []ValueChange `json:"added"`
	Removed []ValueChange `json:"removed"`
	Changed []ValueChange `json:"changed"`
}

// ValueChange is one key, with its defaults as JSON, cut to 80 bytes.
type ValueChange struct {
	Path string `json:"path"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

// IsEmpty reports whether no default differs.
func (c ValuesChanges) IsEmpty() bool { return len(c.Added)+len(c.Removed)+len(c.Changed) == 0 }

// Defaults reads the defaults of a chart archive as a site sees them: those of its
// values.yaml, over those of its subcharts, each below the name that the chart gives it.
// Subcharts that are archives within the archive are not gone into: helm package
// writes them as folders.
func Defaults(archive []byte) (map[string]any, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("chart archive is not gzip: %w", err)
	}
	entries := plaintar.NewReader(io.LimitReader(zipped, maxUnpacked))
	top, left := &folder{}, int64(maxValuesFile)
	for range maxEntries {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return top.merged()
		}
		if err != nil {
			return nil, fmt.Errorf("chart archive is not readable: %w", err)
		}
		at, file := top.holding(header.Name)
		if at == nil || header.Typeflag != tar.TypeReg {
			continue
		}
		if left -= header.Size; left < 0 {
			return nil, fmt.Errorf("values.yaml and Chart.yaml have more than %d bytes with those of subcharts", maxValuesFile)
		}
		if err := at.read(file, entries); err != nil {
			return nil, fmt.Errorf("%s: %w", header.Name, err)
		}
	}
	return nil, fmt.Errorf("chart archive has more than %d entries", maxEntries)
}

// folder is a chart within an archive: what is read of it, and its subcharts by folder.
type folder struct {
	values       map[string]any
	size         int64 // bytes, of what was read
	dependencies []dependency
	subcharts    map[string]*folder
}

// dependency is how a chart calls a subchart.
type dependency struct{ Name, Alias string }

// holding returns the chart that a file of an archive belongs to, and the file's name,
// if it is one that says something of defaults: CHART/values.yaml, CHART/charts/SUB/values.yaml.
func (f *folder) holding(name string) (*folder, string) {
	parts := strings.Split(strings.TrimPrefix(name, "./"), "/")
	file := parts[len(parts)-1]
	if len(parts) < 2 || len(parts)%2 != 0 || len(parts) > maxValuesDepth || parts[0] == "" || file != "values.yaml" && file != "Chart.yaml" {
		return nil, ""
	}
	for i := 1; i+1 < len(parts)-1; i += 2 {
		if parts[i] != "charts" || parts[i+1] == "" {
			return nil, ""
		}
	}
	for i := 2; i < len(parts)-1; i += 2 {
		f = f.subchart(parts[i])
	}
	return f, file
}

func (f *folder) subchart(name string) *folder {
	if f.subcharts == nil {
		f.subcharts = map[string]*folder{}
	}
	if f.subcharts[name] == nil {
		f.subcharts[name] = &folder{}
	}
	return f.subcharts[name]
}

func (f *folder) read(file string, from io.Reader) error {
	text, err := io.ReadAll(io.LimitReader(from, maxValuesFile))
	if err != nil {
		return err
	}
	if err := yamlmarks.Check(text, yamlmarks.Most); err != nil {
		return err
	}
	f.size += int64(len(text))
	if file == "values.yaml" {
		f.values = map[string]any{}
		return yaml.Unmarshal(text, &f.values)
	}
	var chart struct{ Dependencies []dependency }
	if yaml.Unmarshal(text, &chart) == nil { // whoever renders the chart says what is wrong with it
		f.dependencies = chart.Dependencies
	}
	return nil
}

// merged returns the defaults, unless subcharts under many names make them too large.
func (f *folder) merged() (map[string]any, error) {
	if f.weight() > maxMergedValues {
		return nil, fmt.Errorf("defaults have more than %d bytes with those of subcharts under all their names", maxMergedValues)
	}
	return f.defaults(), nil
}

// weight is how large the defaults are with those of subcharts, in bytes of YAML.
func (f *folder) weight() int64 {
	sum := f.size
	for name, sub := range f.subcharts {
		sum += int64(len(f.called(name))) * sub.weight()
	}
	return min(sum, maxMergedValues+1)
}

// defaults lays the values of a chart over those of its subcharts.
func (f *folder) defaults() map[string]any {
	below := map[string]any{}
	for name, sub := range f.subcharts {
		defaults := sub.defaults()
		if len(defaults) == 0 {
			continue
		}
		for _, called := range f.called(name) {
			below[called] = defaults
		}
	}
	if merged := manifests.LayValues(below, f.values); merged != nil {
		return merged
	}
	return map[string]any{}
}

// called returns the names under which a chart's values have those of a subchart.
func (f *folder) called(name string) []string {
	var names []string
	for _, d := range f.dependencies {
		if d.Name == name {
			names = append(names, cmp.Or(d.Alias, name))
		}
	}
	if names == nil {
		return []string{name}
	}
	return names
}

// CompareValues reports which keys of two trees of defaults differ. Objects are
// gone into; a list is one value.
func CompareValues(chart string, older, newer map[string]any) ValuesChanges {
	c := noChanges(chart)
	c.compare("", older, newer, 0)
	return c
}

func noChanges(chart string) ValuesChanges {
	return ValuesChanges{Chart: chart, Added: []ValueChange{}, Removed: []ValueChange{}, Changed: []ValueChange{}}
}

func (c *ValuesChanges) compare(above string, older, newer map[string]any, depth int) {
	for _, key := range union(older, newer) {
		if c.isFull() {
			return
		}
		path := strings.TrimPrefix(above+"."+quoted(key), ".")
		was, had := older[key]
		is, has := newer[key]
		wasTree, wasObject := was.(map[string]any)
		isTree, isObject := is.(map[string]any)
		if wasObject && isObject && depth < maxValuesDepth {
			c.compare(path, wasTree, isTree, depth+1)
			continue
		}
		c.note(path, was, had, is, has)
	}
}

// isFull reports whether more has been noted than anybody reads.
func (c *ValuesChanges) isFull() bool {
	return len(c.Added)+len(c.Removed)+len(c.Changed) >= maxValuesChanges
}

// note notes what became of one value. The whole values are compared, though only the
// beginning of them is shown.
func (c *ValuesChanges) note(path string, was any, had bool, is any, has bool) {
	switch {
	case !had:
		c.Added = append(c.Added, ValueChange{Path: path, New: shown(is)})
	case !has:
		c.Removed = append(c.Removed, ValueChange{Path: path, Old: shown(was)})
	case !reflect.DeepEqual(was, is):
		c.Changed = append(c.Changed, ValueChange{Path: path, Old: shown(was), New: shown(is)})
	}
}

// quoted sets a key that holds a dot apart from a path.
func quoted(key string) string {
	if strings.ContainsAny(key, ". \"") {
		return fmt.Sprintf("%q", key)
	}
	return key
}

func shown(value any) string {
	text, err := json.Marshal(value)
	if err != nil { // keys that are no strings
		text = fmt.Append(nil, value)
	}
	if len(text) > maxValuesShown {
		cut := maxValuesShown - 3
		for cut > 0 && text[cut]&0xc0 == 0x80 { // within a character
			cut--
		}
		text = append(slices.Clone(text[:cut]), "…"...)
	}
	return string(text)
}

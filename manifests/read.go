package manifests

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/manifests/fault"
)

// Read reads a release in either of its two formats, told apart by content: a
// Release document of this project, or Wire's own build.json (a top-level
// helmCharts). file only names the place in errors.
//
// What Read returns may still lack what a build.json does not say. Lay what is
// missing over it with [Lay], then call [Release.Check].
func Read(file string, data []byte) (*Release, error) {
	root, err := parseDocument(file, data)
	if err != nil {
		return nil, err
	}
	if isBuildJSON(root) {
		return readBuildJSON(file, data)
	}
	return readKind(file, data, KindRelease)
}

func isBuildJSON(root *yaml.Node) bool {
	return field(root, "helmCharts") != nil && field(root, "apiVersion") == nil
}

// ReadOverlay reads an Overlay document.
func ReadOverlay(file string, data []byte) (*Release, error) {
	return readKind(file, data, KindOverlay)
}

// ReadFile reads a file of at most [MaxDocumentBytes].
func ReadFile(name string) ([]byte, error) {
	data, err := ReadRegular(name, MaxDocumentBytes)
	return data, fault.Explain(err, fault.Usage, fault.Here, "", "give the path of a document")
}

// ReadRegular reads a regular file of at most limit bytes. What is read counts,
// not what the file's size is said to be, and what was opened, not what had its name
// before.
func ReadRegular(name string, limit Bytes) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	notRegular := fmt.Errorf("%s is not a regular file", name)
	if !info.Mode().IsRegular() { // opening a pipe would wait for its writer
		return nil, notRegular
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, cmp.Or(err, notRegular)
	}
	data, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	if err == nil && Bytes(len(data)) > limit {
		err = fmt.Errorf("%s is larger than %s", name, limit)
	}
	return data, err
}

// checkHead returns what is wrong with a document that was decoded with err. One
// of another version or kind is told as such, and not by the fields that it has
// and this one lacks.
func (d *document) checkHead(err error, version, kind, want string) error {
	if (err == nil || version != "") && version != APIVersion {
		return fault.At(d.place("apiVersion"), "this program reads "+APIVersion, "apiVersion is %q", version)
	}
	if (err == nil || kind != "") && kind != want {
		return fault.At(d.place("kind"), "kind: "+want, "wants a document of kind %s, got %q", want, kind)
	}
	return err
}

func readKind(file string, data []byte, kind string) (*Release, error) {
	var r Release
	doc, err := decodeStrict(file, data, &r)
	if doc == nil {
		return nil, err
	}
	if err := doc.checkHead(err, r.APIVersion, r.Kind, kind); err != nil {
		return nil, err
	}
	r.sources = documents{doc}
	for i := range r.Charts {
		r.Charts[i].entries = []entry{{doc, fmt.Sprintf("charts[%d]", i)}}
	}
	for i := range r.Files {
		r.Files[i].entry = entry{doc, fmt.Sprintf("files[%d]", i)}
	}
	for i := range r.Values {
		r.Values[i].entry = entry{doc, fmt.Sprintf("values[%d]", i)}
	}
	if err := r.checkParts(); err != nil {
		return nil, err
	}
	return &r, nil
}

// buildJSON is Wire's own release manifest (wireapp/wire-builds, build.json).
type buildJSON struct {
	Version    string                `yaml:"version"`    // the release's; the first build.json of all lacks it
	HelmCharts map[string]buildChart `yaml:"helmCharts"` // by the name of the chart
}

// buildChart is one chart of a build.json.
type buildChart struct {
	Repo    string         `yaml:"repo"`    // URL or alias of a chart repository
	Version string         `yaml:"version"` // an exact semantic version
	Meta    map[string]any `yaml:"meta"`    // informative: what Wire adds to it is no reason to refuse a release
}

func readBuildJSON(file string, data []byte) (*Release, error) {
	var build buildJSON
	doc, err := decodeStrict(file, data, &build)
	if err != nil {
		return nil, err
	}
	if len(build.HelmCharts) == 0 {
		return nil, fault.At(doc.place("helmCharts"), "was the download or the checkout cut short?", "no chart is named")
	}
	r := &Release{
		APIVersion: APIVersion,
		Kind:       KindRelease,
		Metadata:   Metadata{Version: build.Version},
		wireBuild:  true,
		sources:    documents{{file: file, places: map[string]fault.Place{"metadata.version": doc.place("version")}}},
	}
	for _, name := range sortedKeys(build.HelmCharts) {
		chart := build.HelmCharts[name]
		text := func(key string) string { s, _ := chart.Meta[key].(string); return s }
		r.Charts = append(r.Charts, Chart{
			Name: name, Repo: chart.Repo, Version: chart.Version,
			Meta:    ChartMeta{AppVersion: text("appVersion"), Commit: text("commit"), CommitURL: text("commitURL")},
			entries: []entry{{doc, below("helmCharts", "."+name)}},
		})
	}
	return r, nil
}

// field returns the value of a top-level field, or nil.
func field(root *yaml.Node, name string) *yaml.Node {
	if root.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == name {
			return root.Content[i+1]
		}
	}
	return nil
}

// Place returns where a field stands in the uppermost document that gives it.
func (r *Release) Place(field string) fault.Place { return r.sources.place(field) }

// ChartNamed returns the chart of a name, or nil.
func (r *Release) ChartNamed(name string) *Chart {
	i := slices.IndexFunc(r.Charts, func(c Chart) bool { return c.Name == name })
	if i < 0 {
		return nil
	}
	return &r.Charts[i]
}

// Place returns where a chart, or a field of it such as ".version", stands in the
// document that names it.
func (c *Chart) Place(sub string) fault.Place {
	for _, e := range c.entries {
		if e.source.has(e.field + sub) {
			return e.source.place(e.field + sub)
		}
	}
	if len(c.entries) == 0 {
		return fault.Place{Field: "chart " + c.Name + sub}
	}
	lowest := c.entries[len(c.entries)-1]
	return lowest.source.place(lowest.field + sub)
}

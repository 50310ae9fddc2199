// Package corpustest reads what a person wrote down about the charts of
// charts/testdata/corpus: a folder each, with the chart in chart/ and what has to
// be found in it in expected.yaml. The test of package charts holds all of it,
// benchdiscovery measures recall and precision.
package corpustest

import (
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// Chart is one chart, and what has to be found in it.
type Chart struct {
	Name   string `json:"-"` // of its folder, which says where the images hide
	Folder string `json:"-"` // of the chart itself

	Renderings []Rendering       `json:"renderings"` // none stands for one with the chart's own values
	Images     map[string]string `json:"images"`     // with their class
	Candidates []string          `json:"candidates"`
	Named      []string          `json:"named"` // charts that the chart names
	LeftOut    []string          `json:"leftOut"`
	Off        []string          `json:"switchedOff"`
	Stubbed    []string          `json:"stubbed"`
}

// Rendering is a charts.Rendering, as expected.yaml spells it.
type Rendering struct {
	Name         string         `json:"name"`
	Values       map[string]any `json:"values"`
	KubeVersion  string         `json:"kubeVersion"`
	StubRequired bool           `json:"stubRequired"`
}

// Read returns the charts of a corpus, in the order of their names. A field that
// is not known is an error, and so is a corpus without charts.
func Read(root string) ([]Chart, error) {
	files, err := filepath.Glob(filepath.Join(root, "*", "expected.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s holds no expected.yaml", root)
	}
	all := make([]Chart, len(files))
	for i, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		if err := yaml.UnmarshalStrict(data, &all[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		folder := filepath.Dir(file)
		all[i].Name, all[i].Folder = filepath.Base(folder), filepath.Join(folder, "chart")
	}
	return all, nil
}

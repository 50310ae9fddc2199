package charts

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"sigs.k8s.io/yaml"
)

// expectation is what a person wrote down about one chart of the corpus.
type expectation struct {
	Renderings []struct {
		Name         string         `json:"name"`
		Values       map[string]any `json:"values"`
		KubeVersion  string         `json:"kubeVersion"`
		StubRequired bool           `json:"stubRequired"`
	} `json:"renderings"`
	Images     map[string]Class `json:"images"`
	Candidates []string         `json:"candidates"`
	LeftOut    []string         `json:"leftOut"`
	Off        []string         `json:"switchedOff"`
	Stubbed    []string         `json:"stubbed"`
}

func (e expectation) options() DiscoverOptions {
	var options DiscoverOptions
	for _, r := range e.Renderings {
		options.Renderings = append(options.Renderings,
			Rendering{Name: r.Name, Set: r.Values, KubeVersion: r.KubeVersion, StubRequired: r.StubRequired})
	}
	return options
}

func corpus(t testing.TB) map[string]expectation {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "corpus", "*", "expected.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	all := map[string]expectation{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var expected expectation
		if err := yaml.UnmarshalStrict(data, &expected); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[filepath.Base(filepath.Dir(file))] = expected
	}
	return all
}

func corpusChart(t testing.TB, name string) *Chart {
	t.Helper()
	loaded, err := LoadFolder(filepath.Join("testdata", "corpus", name, "chart"))
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// TestCorpus holds what the whole package is for: every hiding place is found,
// in its class, and nothing else is.
func TestCorpus(t *testing.T) {
	t.Parallel()
	for name, expected := range corpus(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			discovery, err := corpusChart(t, name).Discover(t.Context(), expected.options())
			if err != nil {
				t.Fatal(err)
			}
			images, candidates, leftOut := map[string]bool{}, map[string]bool{}, map[string]bool{}
			for _, find := range discovery.Images {
				if find.Class == Candidate {
					candidates[find.Image] = true
				} else {
					images[string(find.Class)+" "+find.Image] = true
				}
				if find.Class == Candidate && find.Reason == "" {
					t.Errorf("candidate %s has no reason", find.Image)
				}
			}
			for _, left := range discovery.LeftOut {
				leftOut[left.Image] = true
			}
			var want, off, stubbed []string
			for image, class := range expected.Images {
				want = append(want, string(class)+" "+image)
			}
			for _, one := range discovery.Off {
				for _, by := range one.On {
					off = append(off, one.Subchart+" "+by)
				}
			}
			for _, one := range discovery.Stubbed {
				stubbed = append(stubbed, one.Path)
			}
			checkLines(t, "images", slices.Sorted(maps.Keys(images)), want)
			checkLines(t, "candidates", slices.Sorted(maps.Keys(candidates)), expected.Candidates)
			checkLines(t, "left out", slices.Sorted(maps.Keys(leftOut)), expected.LeftOut)
			checkLines(t, "switched off", off, expected.Off)
			checkLines(t, "stubbed", stubbed, expected.Stubbed)
		})
	}
}

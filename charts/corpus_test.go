package charts

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/islandbundle/island/charts/corpustest"
)

func optionsOf(chart corpustest.Chart) DiscoverOptions {
	var options DiscoverOptions
	for _, r := range chart.Renderings {
		options.Renderings = append(options.Renderings,
			Rendering{Name: r.Name, Set: r.Values, KubeVersion: r.KubeVersion, StubRequired: r.StubRequired})
	}
	return options
}

func readCorpus(t testing.TB) []corpustest.Chart {
	t.Helper()
	all, err := corpustest.Read(filepath.Join("testdata", "corpus"))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestCorpus holds what the whole package is for: every hiding place is found,
// in its class, and nothing else is.
func TestCorpus(t *testing.T) {
	t.Parallel()
	for _, expected := range readCorpus(t) {
		t.Run(expected.Name, func(t *testing.T) {
			t.Parallel()
			chart, err := LoadFolder(expected.Folder)
			if err != nil {
				t.Fatal(err)
			}
			discovery, err := chart.Discover(t.Context(), optionsOf(expected))
			if err != nil {
				t.Fatal(err)
			}
			images, candidates, named, leftOut := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
			for _, find := range discovery.Images {
				switch find.Class {
				case Candidate:
					candidates[find.Image] = true
				case Named:
					named[find.Image] = true
				default:
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
				want = append(want, class+" "+image)
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
			checkLines(t, "named charts", slices.Sorted(maps.Keys(named)), expected.Named)
			checkLines(t, "left out", slices.Sorted(maps.Keys(leftOut)), expected.LeftOut)
			checkLines(t, "switched off", off, expected.Off)
			checkLines(t, "stubbed", stubbed, expected.Stubbed)
		})
	}
}

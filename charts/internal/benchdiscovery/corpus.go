package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/islandbundle/island/charts"
)

// expected is the part of an expected.yaml that is measured.
type expected struct {
	Renderings []struct {
		Name         string         `json:"name"`
		Values       map[string]any `json:"values"`
		KubeVersion  string         `json:"kubeVersion"`
		StubRequired bool           `json:"stubRequired"`
	} `json:"renderings"`
	Images map[string]string `json:"images"`
}

// score counts what one way found.
type score struct{ right, wrong, missed int }

func (s *score) add(found, truth map[string]bool) score {
	missed := len(without(truth, found))
	one := score{right: len(truth) - missed, wrong: len(without(found, truth)), missed: missed}
	s.right, s.wrong, s.missed = s.right+one.right, s.wrong+one.wrong, s.missed+one.missed
	return one
}

func (s score) String() string { return fmt.Sprintf("%d/%d +%d", s.right, s.right+s.missed, s.wrong) }

func (s score) recall() float64 { return percent(s.right, s.right+s.missed) }

func (s score) precision() float64 { return percent(s.right, s.right+s.wrong) }

func percent(part, whole int) float64 {
	if whole == 0 {
		return 100
	}
	return 100 * float64(part) / float64(whole)
}

// corpus prints the table of recall and precision as Markdown.
func corpus(arguments []string) error {
	files, err := folders(arguments[0], "expected.yaml")
	if err != nil {
		return err
	}
	fmt.Println("| hiding place | needed | island | helm template, grep | helm template, yq | candidates listed by island |")
	fmt.Println("|---|---:|---:|---:|---:|---:|")
	var ours, grep, query score
	for _, file := range files {
		var want expected
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if err := yaml.Unmarshal(data, &want); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		truth := map[string]bool{}
		for image := range want.Images {
			truth[normal(image)] = true
		}
		chart := filepath.Join(filepath.Dir(file), "chart")
		found, candidates, err := want.discover(chart)
		if err != nil {
			return err
		}
		byLine, byKey := want.today(chart)
		fmt.Printf("| %s | %d | %s | %s | %s | %d |\n", filepath.Base(filepath.Dir(file)), len(truth),
			ours.add(found, truth), grep.add(byLine, truth), query.add(byKey, truth), candidates)
	}
	fmt.Printf("| **recall** | | **%.1f %%** | %.1f %% | %.1f %% | |\n", ours.recall(), grep.recall(), query.recall())
	fmt.Printf("| **precision** | | **%.1f %%** | %.1f %% | %.1f %% | |\n", ours.precision(), grep.precision(), query.precision())
	if ours.missed+ours.wrong > 0 {
		return fmt.Errorf("%d images of the corpus are missed and %d are wrong", ours.missed, ours.wrong)
	}
	return nil
}

func (e expected) renderings() []charts.Rendering {
	all := []charts.Rendering{}
	for _, r := range e.Renderings {
		all = append(all, charts.Rendering{Name: r.Name, Set: r.Values, KubeVersion: r.KubeVersion, StubRequired: r.StubRequired})
	}
	if len(all) == 0 {
		all = append(all, charts.Rendering{})
	}
	return all
}

func (e expected) discover(folder string) (included map[string]bool, candidates int, err error) {
	chart, err := charts.LoadFolder(folder)
	if err != nil {
		return nil, 0, err
	}
	discovery, err := chart.Discover(context.Background(), charts.DiscoverOptions{Renderings: e.renderings()})
	decision := charts.Decide(discovery.Images, nil)
	included = map[string]bool{}
	for _, find := range decision.Included {
		included[normal(find.Image)] = true
	}
	return included, len(decision.Undecided), err
}

// today returns what the two other ways find, over all renderings. A chart that
// does not render has no images for them.
func (e expected) today(chart string) (byLine, byKey map[string]bool) {
	byLine, byKey = map[string]bool{}, map[string]bool{}
	for _, how := range e.renderings() {
		text, err := helmTemplate(chart, how)
		if err != nil {
			continue
		}
		maps.Copy(byLine, byGrep(text))
		maps.Copy(byKey, byQuery(text))
	}
	return byLine, byKey
}

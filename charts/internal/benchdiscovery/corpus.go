package main

import (
	"context"
	"fmt"
	"maps"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/charts/corpustest"
)

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

// measure prints the table of recall and precision as Markdown.
func measure(arguments []string) error {
	all, err := corpustest.Read(arguments[0])
	if err != nil {
		return err
	}
	fmt.Println("| hiding place | needed | island | helm template, grep | helm template, yq | candidates listed by island |")
	fmt.Println("|---|---:|---:|---:|---:|---:|")
	var ours, grep, query score
	for _, chart := range all {
		truth := map[string]bool{}
		for image := range chart.Images {
			truth[normal(image)] = true
		}
		found, candidates, err := discover(chart)
		if err != nil {
			return err
		}
		byLine, byKey := today(chart)
		fmt.Printf("| %s | %d | %s | %s | %s | %d |\n", chart.Name, len(truth),
			ours.add(found, truth), grep.add(byLine, truth), query.add(byKey, truth), candidates)
	}
	fmt.Printf("| **recall** | | **%.1f %%** | %.1f %% | %.1f %% | |\n", ours.recall(), grep.recall(), query.recall())
	fmt.Printf("| **precision** | | **%.1f %%** | %.1f %% | %.1f %% | |\n", ours.precision(), grep.precision(), query.precision())
	if ours.missed+ours.wrong > 0 {
		return fmt.Errorf("%d images of the corpus are missed and %d are wrong", ours.missed, ours.wrong)
	}
	return nil
}

func renderings(chart corpustest.Chart) []charts.Rendering {
	all := []charts.Rendering{}
	for _, r := range chart.Renderings {
		all = append(all, charts.Rendering{Name: r.Name, Set: r.Values, KubeVersion: r.KubeVersion, StubRequired: r.StubRequired})
	}
	if len(all) == 0 {
		all = append(all, charts.Rendering{})
	}
	return all
}

func discover(chart corpustest.Chart) (included map[string]bool, candidates int, err error) {
	loaded, err := charts.LoadFolder(chart.Folder)
	if err != nil {
		return nil, 0, err
	}
	discovery, err := loaded.Discover(context.Background(), charts.DiscoverOptions{Renderings: renderings(chart)})
	decision := charts.Decide(discovery.Images, nil)
	included = map[string]bool{}
	for _, find := range decision.Included {
		included[normal(find.Image)] = true
	}
	return included, len(decision.Undecided), err
}

// today returns what the two other ways find, over all renderings. A chart that
// does not render has no images for them.
func today(chart corpustest.Chart) (byLine, byKey map[string]bool) {
	byLine, byKey = map[string]bool{}, map[string]bool{}
	for _, how := range renderings(chart) {
		text, err := helmTemplate(chart.Folder, how)
		if err != nil {
			continue
		}
		maps.Copy(byLine, byGrep(text))
		maps.Copy(byKey, byQuery(text))
	}
	return byLine, byKey
}

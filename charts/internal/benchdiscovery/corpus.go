package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

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
	head, rule := "| hiding place | needed | island |", "|---|---:|---:|"
	for _, way := range ways {
		head, rule = head+" "+way.name+" |", rule+"---:|"
	}
	fmt.Println(head + " candidates listed by island |")
	fmt.Println(rule + "---:|")
	scores := make([]score, 1+len(ways)) // ours first
	for _, chart := range all {
		truth := map[string]bool{}
		for image := range chart.Images {
			truth[normal(image)] = true
		}
		found, candidates, err := discover(chart)
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %d |", chart.Name, len(truth))
		for i, theirs := range slices.Insert(today(chart, truth), 0, found) {
			fmt.Printf(" %s |", scores[i].add(theirs, truth))
		}
		fmt.Printf(" %d |\n", candidates)
	}
	summary("recall", scores, score.recall)
	summary("precision", scores, score.precision)
	if ours := scores[0]; ours.missed+ours.wrong > 0 {
		return fmt.Errorf("%d images of the corpus are missed and %d are wrong", ours.missed, ours.wrong)
	}
	return nil
}

func summary(name string, scores []score, of func(score) float64) {
	fmt.Printf("| **%s** | | **%.1f %%** |", name, of(scores[0]))
	for _, theirs := range scores[1:] {
		fmt.Printf(" %.1f %% |", of(theirs))
	}
	fmt.Println(" |")
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
	decision := charts.Decide(discovery.Finds, nil, nil)
	included = map[string]bool{}
	for _, find := range decision.Included {
		included[normal(find.Image)] = true
	}
	return included, len(decision.Undecided), err
}

// today returns what each of the other ways finds, over all renderings. A chart
// that does not render has no images for them. Of what a way asks the registry
// about, the registry of this corpus has what is needed and nothing else. A chart
// that is to be fetched, which Zarf carries as well, is neither right nor wrong.
func today(chart corpustest.Chart, truth map[string]bool) []map[string]bool {
	all := make([]map[string]bool, len(ways))
	for i := range ways {
		all[i] = map[string]bool{}
	}
	fetched := map[string]bool{}
	for _, named := range chart.Named {
		fetched[normal(strings.TrimPrefix(named, "oci://"))] = true
	}
	for _, how := range renderings(chart) {
		output, err := helmPrints(chart.Folder, how)
		if err != nil {
			continue
		}
		for i, way := range ways {
			found, asked := way.find(output)
			maps.Copy(all[i], found)
			maps.DeleteFunc(asked, func(image string, _ bool) bool { return !truth[image] })
			maps.Copy(all[i], asked)
			maps.DeleteFunc(all[i], func(image string, _ bool) bool { return fetched[image] })
		}
	}
	return all
}

package charts

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests/fault"
)

// DiscoverOptions says how to look for the images of a chart.
type DiscoverOptions struct {
	Renderings []Rendering // in turn; none means one with the chart's own values
	Known      Known       // in addition to [BuiltinKnown]
}

// Discovery is everything that is known of a chart's images after all
// renderings.
type Discovery struct {
	Chart Metadata
	// Finds of all renderings, and then the candidates that no rendering showed:
	// images in values of features that are switched off, and images that the
	// chart's own metadata declare.
	Finds
	Off     []Switch     // subcharts that no rendering switched on
	Stubbed []StubbedFor // values that were made up, see [Rendering.StubRequired]
	Notices []string
}

// StubbedFor is a value that was made up for one rendering.
type StubbedFor struct {
	Rendering string `json:"rendering,omitempty"`
	Stub
}

// Discover renders the chart in all the ways that are asked for and finds its
// images. Errors of all renderings are joined; what was found in spite of them
// is returned with them.
func (c *Chart) Discover(ctx context.Context, options DiscoverOptions) (Discovery, error) {
	result := Discovery{Chart: c.metadata}
	if err := options.Known.Check(); err != nil {
		return result, err
	}
	renderings := options.Renderings
	if len(renderings) == 0 {
		renderings = []Rendering{{}}
	}
	var faults []error
	var found []Finds
	on, seen := map[string]bool{}, seenFinds{}
	for _, how := range renderings {
		how.withoutKeys = true
		rendered, err := c.Render(ctx, how)
		if err != nil {
			faults = append(faults, inRendering(err, how.Name))
			continue
		}
		finds, err := findSeen(rendered, options.Known, seen)
		faults = append(faults, inRendering(err, how.Name))
		found = append(found, finds)
		addAll(on, rendered.Subcharts)
		for _, stub := range rendered.Stubbed {
			result.Stubbed = append(result.Stubbed, StubbedFor{how.Name, stub})
		}
		for _, notice := range rendered.Notices {
			if !slices.Contains(result.Notices, notice) {
				result.Notices = append(result.Notices, notice)
			}
		}
	}
	result.Finds = union(found...)
	if !c.metadata.IsLibrary() && len(found) == len(renderings) {
		faults = append(faults, c.notRendered(&result, renderings, on))
	}
	return result, errors.Join(faults...)
}

// notRendered adds what stands in the chart and that no rendering showed.
func (c *Chart) notRendered(result *Discovery, renderings []Rendering, on map[string]bool) error {
	loaded, err := c.load()
	if err != nil {
		return explainLoad(err, fault.Upstream, c.object())
	}
	index := usedBy(result.Finds)
	var unused []Finds
	for i, how := range renderings {
		values, err := how.values()
		if err != nil {
			return err
		}
		all := scopes(loaded, values)
		unused = append(unused, Finds{Images: c.unusedValues(all, on, index, how.Name)})
		if i == 0 {
			result.Off = switches(all, on)
			unused = append(unused, Finds{Images: c.declared(all, on, usedOrHeld(index, unused))})
		}
	}
	result.Finds = union(append([]Finds{result.Finds}, unused...)...)
	return nil
}

// usedOrHeld adds candidates from values to what was used: what a chart
// declares of them says nothing new.
func usedOrHeld(index used, more []Finds) used {
	all := used{}
	for name, refs := range index {
		all[name] = slices.Clone(refs)
	}
	for _, finds := range more {
		for name, refs := range usedBy(finds) {
			all[name] = append(all[name], refs...)
		}
	}
	return all
}

// inRendering says in which of several renderings an error came up.
func inRendering(err error, name string) error {
	if err == nil || name == "" {
		return err
	}
	var all []error
	for _, explained := range fault.All(err) {
		told := *explained
		told.Object = strings.TrimSpace(told.Object + ", rendering " + name)
		all = append(all, &told)
	}
	if all == nil {
		return err
	}
	return errors.Join(all...)
}

// union returns the finds of several renderings, each once, with the names of all
// renderings that show it. A find of the same image at the same place is the
// same; the surer class is kept.
func union(renderings ...Finds) Finds {
	var all Finds
	images, leftOut := map[ImageFind]int{}, map[LeftOut]int{}
	for _, finds := range renderings {
		for _, find := range finds.Images {
			key := find
			key.Rendering, key.Class, key.Reason = "", "", ""
			if i, ok := images[key]; ok {
				all.Images[i] = mergeFinds(all.Images[i], find)
				continue
			}
			images[key] = len(all.Images)
			all.Images = append(all.Images, find)
		}
		for _, left := range finds.LeftOut {
			key := left
			key.Rendering, key.Class, key.Reason = "", "", ""
			if i, ok := leftOut[key]; ok {
				all.LeftOut[i].ImageFind = mergeFinds(all.LeftOut[i].ImageFind, left.ImageFind)
				continue
			}
			leftOut[key] = len(all.LeftOut)
			all.LeftOut = append(all.LeftOut, left)
		}
	}
	return all
}

func mergeFinds(a, b ImageFind) ImageFind {
	if b.Class.rank() < a.Class.rank() {
		a.Class, a.Reason = b.Class, b.Reason
	}
	names := a.Renderings()
	for _, name := range b.Renderings() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	a.Rendering = strings.Join(names, ",")
	return a
}

// Renderings returns the names of all renderings that show the find.
func (f ImageFind) Renderings() []string {
	if f.Rendering == "" {
		return nil
	}
	return strings.Split(f.Rendering, ",")
}

func (c Class) rank() int {
	switch c {
	case Certain:
		return 0
	case Likely:
		return 1
	default:
		return 2
	}
}

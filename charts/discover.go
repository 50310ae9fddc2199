package charts

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/islandbundle/island/manifests/fault"
)

// DiscoverOptions says how to look for the images of a chart.
type DiscoverOptions struct {
	Renderings []Rendering // in turn; none means one with the chart's own values
	Known      Known       // in addition to [BuiltinKnown]
	LoadOnly   bool        // render nothing: what the chart calls itself is all that is wanted
	// ForSite tells what a site wants to know of its own values, and repeats none of
	// them in errors and notices: they hold the site's secrets.
	ForSite bool
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
	Site    *SiteInsight // what [DiscoverOptions.ForSite] asks for
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
	if options.LoadOnly {
		return result, nil
	}
	if err := options.Known.Check(); err != nil {
		return result, err
	}
	renderings := options.Renderings
	if len(renderings) == 0 {
		renderings = []Rendering{{}}
	}
	l := looker{
		chart: c, known: options.Known, forSite: options.ForSite, result: &result,
		on: map[string]bool{}, seen: seenFinds{}, asked: map[string]asking{},
	}
	for _, how := range renderings {
		l.given = append(l.given, how.APIVersions...)
		l.hasVersion = l.hasVersion || how.KubeVersion != ""
	}
	for _, how := range renderings {
		l.look(ctx, how)
	}
	result.Finds = union(l.found...)
	result.Finds = withSources(result.Finds, l.sources)
	if !c.metadata.IsLibrary() && l.rendered == len(renderings) {
		l.faults = append(l.faults, c.notRendered(&result, renderings, l.on))
	}
	err := errors.Join(l.faults...)
	if options.ForSite {
		err = c.tellSite(&l, renderings, err)
	}
	return result, err
}

// tellSite adds what a site wants to know, and takes the site's values out of what
// is said.
func (c *Chart) tellSite(l *looker, renderings []Rendering, err error) error {
	result := l.result
	insight, insightErr := c.insight(renderings, l)
	if result.Site = &insight; err == nil {
		err = insightErr
	}
	if err == nil && len(result.Notices) == 0 {
		return nil // there is nothing to conceal values in
	}
	hide := c.concealer(renderings)
	for i, notice := range result.Notices {
		result.Notices[i] = hide.text(notice)
	}
	return hide.error(err)
}

// looker looks for the images of one chart in one rendering after the other.
type looker struct {
	chart  *Chart
	known  Known
	result *Discovery

	given      []string // API versions, in any rendering: what there is without them has been seen too
	hasVersion bool     // the version of Kubernetes was given

	rendered int // renderings that came to an end
	found    []Finds
	sources  []chartSource
	faults   []error
	on       map[string]bool
	seen     seenFinds
	asked    map[string]asking // what templates ask, by what they are
	forSite  bool
	files    []NamedFile // where it is for a site
}

// look renders the chart in one way. Unless that is one event alone, it is
// rendered as an upgrade too, where templates can tell the difference.
func (l *looker) look(ctx context.Context, how Rendering) {
	how.forImages = true
	how.TimeLimit = how.limit()
	begin := time.Now()
	rendered, err := l.chart.Render(ctx, how)
	if err != nil {
		l.faults = append(l.faults, inRendering(err, how.Name))
		return
	}
	l.rendered++
	finds := l.take(rendered)
	l.found = append(l.found, finds)
	asking := l.asks(rendered)
	for _, notice := range asking.notices() {
		l.note(notice)
	}
	if how.As == "" && len(asking.events) > 0 {
		how.TimeLimit = max(how.TimeLimit-time.Since(begin), 1) // both together are one rendering's time
		l.upgrade(ctx, how, rendered, asking.events, finds)
	}
}

// take looks at what was rendered.
func (l *looker) take(rendered *Rendered) Finds {
	finds, err := findSeen(rendered, l.known, l.seen)
	l.sources = append(l.sources, finds.sources...)
	l.faults = append(l.faults, inRendering(err, rendered.Rendering))
	addAll(l.on, rendered.Subcharts)
	if l.forSite {
		l.files = append(l.files, namedFiles(l.chart.metadata.Name, slices.Concat(rendered.Manifests, rendered.Hooks))...)
	}
	for _, stub := range rendered.Stubbed {
		l.result.Stubbed = append(l.result.Stubbed, StubbedFor{rendered.Rendering, stub})
	}
	for _, notice := range rendered.Notices {
		l.note(notice)
	}
	return finds
}

func (l *looker) note(notice string) {
	if !slices.Contains(l.result.Notices, notice) {
		l.result.Notices = append(l.result.Notices, notice)
	}
}

// asks reads the templates of a rendering, unless another one had the same.
func (l *looker) asks(rendered *Rendered) asking {
	parts := []string{strings.Join(rendered.Subcharts, ",")}
	for _, text := range rendered.texts {
		parts = append(parts, text.text)
	}
	key := strings.Join(parts, "\x00")
	known, ok := l.asked[key]
	if !ok {
		known = asks(rendered.templates, rendered.texts, slices.Concat(chartutil.DefaultVersionSet, l.given), l.hasVersion)
		l.asked[key] = known
	}
	return known
}

// upgrade renders the chart once more, as an upgrade. needed is what the
// installation needs.
func (l *looker) upgrade(ctx context.Context, how Rendering, installed *Rendered, events map[string]bool, needed Finds) {
	if how.Name != "" {
		how.Name += " (" + string(AsUpgrade) + ")"
	} else {
		how.Name = string(AsUpgrade)
	}
	rendered, err := l.chart.renderUpgrade(ctx, how, installed, events)
	cause := (*RenderError)(nil)
	switch {
	case errors.As(err, &cause):
		l.note("as an upgrade it does not render, and what only an upgrade needs is not known: " + oneLine(err.Error()))
	case err != nil: // it does not end, or is too large
		l.faults = append(l.faults, inRendering(err, how.Name))
	default:
		l.found = append(l.found, l.take(rendered).beyond(needed))
	}
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
		told.Object = strings.TrimPrefix(told.Object+", rendering "+name, ", ")
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

// beyond returns the finds that others are not: of other images, or at other
// places. The name of an object is no other place: it may hold the revision.
func (f Finds) beyond(others Finds) Finds {
	type spot struct {
		image, template, field string
		class                  Class
		rule                   string
	}
	spotOf := func(find ImageFind, rule string) spot {
		return spot{find.Image, find.Origin.Template, find.Origin.Field, find.Class, rule}
	}
	known := map[spot]bool{}
	for _, find := range others.Images {
		known[spotOf(find, "")] = true
	}
	for _, left := range others.LeftOut {
		known[spotOf(left.ImageFind, left.Rule)] = true
	}
	return Finds{
		Images:  slices.DeleteFunc(f.Images, func(find ImageFind) bool { return known[spotOf(find, "")] }),
		LeftOut: slices.DeleteFunc(f.LeftOut, func(left LeftOut) bool { return known[spotOf(left.ImageFind, left.Rule)] }),
	}
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

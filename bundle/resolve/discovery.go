package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Discover looks for the images of a chart archive in several renderings of it.
// charts/sandbox has one that hostile charts cannot harm.
type Discover func(ctx context.Context, archive []byte, options charts.DiscoverOptions) (charts.Discovery, error)

// inProcess discovers without a sandbox.
func inProcess(ctx context.Context, archive []byte, options charts.DiscoverOptions) (charts.Discovery, error) {
	chart, err := charts.Load(archive)
	if err != nil {
		return charts.Discovery{}, err
	}
	return chart.Discover(ctx, options)
}

// Found is what was found out about the images of a release's charts.
type Found struct {
	Charts    []charts.Discovery // in the order of the release
	Decision  charts.Decision
	Conflicts []charts.Conflict // repositories wanted in more than one version
	// NotLookedUp holds likely images of which no registry has said whether they
	// exist, as they were found: it could not be asked, or was not to be.
	NotLookedUp map[string]bool
}

// Find renders the charts of a release and decides about every image in them,
// as [Resolve] does before it pins them. Unlike Resolve it gives what it found
// along with the errors, and where the network is not to be asked, it is no
// error that an image is not looked up.
func Find(ctx context.Context, a *Assembled, world World, options Options) (*Found, error) {
	r := newResolver(a, world, options)
	chartsErr := r.resolveCharts(ctx)
	found := r.found()
	finds, unknown := r.confirm(ctx, found.finds())
	decision, rulesErr := r.decide(finds)
	found.Decision = decision
	if chartsErr != nil {
		rulesErr = nil // a rule may be for what could not be looked at
	}
	found.NotLookedUp = map[string]bool{}
	errs := []error{chartsErr, rulesErr}
	for _, one := range unknown {
		found.NotLookedUp[one.image] = true
		if !errors.Is(one.err, source.ErrOffline) {
			errs = append(errs, one.err)
		}
	}
	return found, errors.Join(errs...)
}

func (r *resolver) found() *Found {
	found := &Found{Charts: r.discoveries()}
	finds := slices.DeleteFunc(found.finds().Images, func(f charts.ImageFind) bool { return f.Class == charts.Candidate })
	further := map[manifests.ImageRef]manifests.Origin{}
	for _, image := range r.release.Images {
		if ref, err := manifests.ParseImageRef(image.Name); err == nil {
			further[ref] = manifests.Origin{List: "images of the release"}
		}
	}
	found.Conflicts = charts.Conflicts(finds, further)
	return found
}

// discoveries returns what was discovered, in the order of the release: charts are
// ready in any order.
func (r *resolver) discoveries() []charts.Discovery {
	var all []charts.Discovery
	for _, chart := range r.release.Charts {
		if d, ok := r.discovered[keyOf(chart)]; ok {
			all = append(all, d)
		}
	}
	return all
}

// keyOf tells the release's charts apart: two by path may leave their version out.
func keyOf(chart manifests.Chart) string {
	return strings.Join([]string{chart.Name, chart.Version, chart.Repo + chart.Path}, " ")
}

// loadedVersion returns the version of a chart of the release as its Chart.yaml
// has it; empty if it could not be loaded.
func (r *resolver) loadedVersion(chart manifests.Chart) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.discovered[keyOf(chart)].Chart.Version
}

// finds returns those of all charts.
func (f *Found) finds() charts.Finds {
	var finds charts.Finds
	for _, d := range f.Charts {
		finds.Images = append(finds.Images, d.Images...)
		finds.LeftOut = append(finds.LeftOut, d.LeftOut...)
	}
	return finds
}

// discover renders a chart in all the ways that the release wants.
func (r *resolver) discover(ctx context.Context, chart manifests.Chart, archive []byte) (charts.Discovery, error) {
	options := charts.DiscoverOptions{Known: knownOf(r.release.Discovery)}
	names, renderings := chart.RenderingsOf(r.release.ChosenRenderings())
	for i, rendering := range renderings {
		how, err := r.rendering(rendering)
		if err != nil {
			return charts.Discovery{}, err
		}
		if len(names) > 1 {
			how.Name = names[i]
		}
		options.Renderings = append(options.Renderings, how)
	}
	return r.look(ctx, archive, options)
}

func knownOf(d manifests.Discovery) charts.Known {
	var known charts.Known
	for _, o := range d.Objects {
		known.Objects = append(known.Objects, charts.KnownObject{
			Group: o.Group, Kinds: o.Kinds, Images: o.Images, PodSpecs: o.PodSpecs, Source: o.Source,
		})
	}
	for _, a := range d.Arguments {
		known.Arguments = append(known.Arguments, charts.KnownArgument(a))
	}
	return known
}

// decide applies the release's rules to everything that was found in charts.
// A rule that matches nothing is an error, unless it says that it may.
func (r *resolver) decide(finds charts.Finds) (charts.Decision, error) {
	rules, optional := r.rules()
	decision := charts.Decide(finds, r.carries, rules)
	var errs []error
	for _, rule := range decision.UnusedRules {
		if !optional[rule] {
			errs = append(errs, fault.New(fault.Usage, fault.Here, "discovery rule for "+strings.TrimSpace(rule.Image+" "+rule.Where),
				"remove it, or correct it", "rule matches nothing any more"))
		}
	}
	return decision, errors.Join(errs...)
}

// rules returns the release's rules, and which of them may match nothing.
func (r *resolver) rules() (rules []charts.Rule, optional map[charts.Rule]bool) {
	optional = map[charts.Rule]bool{}
	for _, rule := range r.release.Discovery.Rules {
		converted := charts.Rule{Image: rule.Image, Where: rule.Where, Action: charts.Action(rule.Action), Reason: rule.Reason}
		rules = append(rules, converted)
		optional[converted] = rule.Optional
	}
	if r.release.Discovery.IncludeDisabled {
		rules = append(rules, charts.IncludeDisabled())
		optional[charts.IncludeDisabled()] = true
	}
	return rules, optional
}

// carries reports whether the release has the very chart that another one names.
func (r *resolver) carries(named charts.NamedChart) bool {
	return slices.ContainsFunc(r.discoveries(), func(d charts.Discovery) bool {
		return d.Chart.Name == named.ChartName() && manifests.CompareChartVersions(d.Chart.Version, named.Version) == manifests.SameVersion
	})
}

// unknown is an image of which no registry said whether it exists.
type unknown struct {
	image string
	err   error
}

// confirm asks the registry for every image that is only likely to be one. One
// that does not exist becomes a candidate, with that as the reason. Nobody is asked
// about what a rule decides: a registry that only the island reaches could not be ruled
// out otherwise.
func (r *resolver) confirm(ctx context.Context, finds charts.Finds) (charts.Finds, []unknown) {
	rules, _ := r.rules()
	var likely []string
	for _, find := range finds.Images {
		isDecided := slices.ContainsFunc(rules, func(rule charts.Rule) bool { return rule.Matches(find) })
		if find.Class == charts.Likely && !isDecided && !slices.Contains(likely, find.Image) {
			likely = append(likely, find.Image)
		}
	}
	absent, failed := map[string]string{}, map[string]error{}
	err := each(ctx, r.parallel, likely, func(ctx context.Context, image string) error {
		ref, err := manifests.ParseImageRef(image)
		if err != nil {
			return nil // judged like every other reference, later
		}
		_, err = r.world.Manifest(ctx, ref)
		r.mu.Lock()
		defer r.mu.Unlock()
		switch {
		case errors.Is(err, source.ErrNotFound) && !errors.Is(err, source.ErrOffline): // a mirror that lacks it is not everybody
			absent[image] = ref.Registry + " has no such image"
		case err != nil:
			failed[image] = err
		}
		return nil
	})
	finds.Images = charts.Reclassify(finds.Images, absent)
	var all []unknown
	for _, image := range likely {
		if one := cmp.Or(failed[image], err); one != nil { // err: there was no time to ask all
			all = append(all, unknown{image, one})
		}
	}
	return finds, all
}

// takeDecision notes what is carried and what is not, and why.
func (r *resolver) takeDecision(decision charts.Decision) error {
	var errs []error
	for _, find := range decision.Included {
		if find.Class == charts.Named {
			errs = append(errs, r.wantChart(find))
			continue
		}
		errs = append(errs, r.want(find.Image, originOf(find)))
	}
	for _, left := range decision.LeftOut {
		r.leave(left.Image, left.Rule, originOf(left.ImageFind))
	}
	for _, excluded := range decision.Excluded {
		r.leave(excluded.Image, excluded.Rule.Reason, originOf(excluded.ImageFind))
	}
	for _, find := range decision.Undecided {
		r.undecided = append(r.undecided, manifests.Omission{What: find.Image, Reason: find.Reason, Origin: originOf(find)})
	}
	return errors.Join(errs...)
}

// wantChart makes sure that the release has a chart that another one names, as a
// rule says. In which version is for the rule to know: what is named is often a
// range.
func (r *resolver) wantChart(find charts.ImageFind) error {
	if slices.ContainsFunc(r.discoveries(), func(d charts.Discovery) bool { return d.Chart.Name == find.Chart.ChartName() }) {
		return nil
	}
	return fault.New(fault.Usage, fault.Here, "chart "+find.Image,
		"add it to the release's charts, or exclude it and say who brings it",
		"rule says that it is carried, and the release has no chart %s (%s)",
		find.Chart.ChartName(), find.Place())
}

func originOf(find charts.ImageFind) manifests.Origin {
	origin := find.Origin
	origin.Rendering = find.Rendering
	return origin
}

// note keeps what was discovered of a chart.
func (r *resolver) note(chart manifests.Chart, d charts.Discovery) {
	for _, off := range d.Off {
		reason := "switched off in the chart"
		if len(off.On) > 0 {
			reason = "switched off; " + strings.Join(off.On, " or ") + " switches it on"
		}
		r.leave(fmt.Sprintf("subchart %s (%s)", off.Subchart, off.Chart), reason, manifests.Origin{Chart: chart.Name})
	}
	for _, notice := range d.Notices {
		r.progress.Notice("chart " + chart.Name + ": " + notice)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.discovered[keyOf(chart)] = d
	for _, stub := range d.Stubbed {
		r.stubbed = append(r.stubbed, manifests.StubbedValue{Chart: chart.Name, Rendering: stub.Rendering, Path: stub.Path, Why: stub.Why})
	}
}

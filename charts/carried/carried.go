// Package carried says whether a bundle carries what charts ask for.
//
// The bundle's charts are rendered anew with a site's own values
// ([charts.Chart.Discover]). What they then ask for is compared with the lock that the
// bundle was made of: [Judge] is a pure function of both. What the release decided
// knowingly, it has decided for the site as well; what is only perhaps an image is told
// apart, and never said to be missing.
package carried

import (
	"path"
	"slices"
	"strings"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
)

// Kind is what is asked for.
type Kind string

// The kinds.
const (
	Image Kind = "image"
	Chart Kind = "chart" // that an object asks a controller for
	File  Kind = "file"  // that is fetched by its URL
)

// Why says what the bundle has in the place of what it lacks.
type Why string

// The reasons, of which the first that is true is told.
const (
	OtherVersion  Why = "other-version"  // the bundle has the image, or the chart, in other versions
	OtherRegistry Why = "other-registry" // the bundle has it under the name of another registry
	LikeNamed     Why = "like-named"     // the bundle has images whose last name is the same
	LeftOut       Why = "left-out"       // the release saw it and left it out
	Unknown       Why = "unknown"        // the release never met it
	Elsewhere     Why = "elsewhere"      // the bundle has the file, and what is asked for is where the internet has it
)

// Finding is something that a chart asks for and the bundle does not carry.
type Finding struct {
	Kind      Kind
	What      string // as it is asked for
	Class     charts.Class
	Chart     string
	Version   string // of the chart
	Subchart  string
	Rendering string // upgrade, where only an upgrade asks for it
	Origin    manifests.Origin
	Values    []string // that it is made of, from the top of a values file
	On        []string // what has switched its subchart on, each enough
	Why       Why
	Have      []string // what the bundle has in its place
	Reason    string   // of the release for leaving it out
	Floats    bool     // its tag means another image from time to time
}

// Report is what a bundle does not carry of what charts ask for.
type Report struct {
	Missing []Finding // pods will not start, or a controller waits for ever
	Unsure  []Finding // may be an image or a file that is needed
	Decided []Finding // that the release has left out at this very place, with its reason
}

// Judge compares what was discovered with a lock. registries are the site's own, each
// with or without a path, into which the bundle's images were pushed: what is asked of
// them is carried if an image of the same repository, tag or digest is.
func Judge(lock *manifests.Lock, found []charts.Discovery, registries []string) Report {
	s := newShelf(lock, registries)
	var report Report
	for _, d := range found {
		for _, find := range d.Images {
			s.judge(&report, d, find)
		}
		if d.Site != nil {
			for _, file := range d.Site.Files {
				s.file(&report, d, file)
			}
		}
	}
	return report
}

// shelf is what a bundle carries, by the names under which it is asked for.
type shelf struct {
	lock       *manifests.Lock
	byName     map[string][]manifests.LockedImage // registry/repository
	byPath     map[string][]manifests.LockedImage // repository, and registry/repository, below a registry of the site's own
	byLast     map[string][]manifests.LockedImage // last part of the repository
	registries []string
	left       map[string][]manifests.Omission // by what
	rules      []charts.Rule
}

func newShelf(lock *manifests.Lock, registries []string) *shelf {
	s := &shelf{
		lock: lock, byName: map[string][]manifests.LockedImage{}, byPath: map[string][]manifests.LockedImage{},
		byLast: map[string][]manifests.LockedImage{}, left: map[string][]manifests.Omission{},
	}
	for _, registry := range registries {
		s.registries = append(s.registries, strings.TrimSuffix(registry, "/")+"/")
	}
	for _, image := range lock.Images {
		name := image.Name.Name()
		s.byName[name] = append(s.byName[name], image)
		s.byLast[path.Base(name)] = append(s.byLast[path.Base(name)], image)
		paths := []string{name, image.Name.Repository, strings.TrimPrefix(image.Name.Repository, "library/")}
		for _, below := range slices.Compact(paths) { // each is the one before, or its end
			s.byPath[below] = append(s.byPath[below], image)
		}
	}
	for _, left := range slices.Concat(lock.LeftOut, lock.Undecided) {
		what := spelled(left.What)
		s.left[what] = append(s.left[what], left)
	}
	for _, rule := range lock.Rules {
		s.rules = append(s.rules, charts.Rule{
			Image: rule.Image, Where: rule.Where, Action: charts.Action(rule.Action), Reason: rule.Reason,
		})
	}
	return s
}

// spelled returns a reference in full, and anything else as it is.
func spelled(text string) string {
	if ref, err := manifests.ParseImageRef(text); err == nil {
		return ref.String()
	}
	return text
}

// notShown reports whether a place is one that no rendering showed: values of
// features that are off, and what the chart declares.
func notShown(origin manifests.Origin) bool {
	return origin.Object == "values" || strings.HasPrefix(origin.Object, "Chart/") || strings.HasSuffix(origin.Template, "/Images.lock")
}

func (s *shelf) judge(report *Report, d charts.Discovery, find charts.ImageFind) {
	if find.Class == charts.Candidate && notShown(find.Origin) {
		return
	}
	f := Finding{
		Kind: Image, What: find.Image, Class: find.Class, Chart: d.Chart.Name, Version: d.Chart.Version,
		Subchart: find.Subchart, Rendering: find.Rendering, Origin: find.Origin, Why: Unknown,
	}
	if find.Class == charts.Named {
		f.Kind = Chart
		if s.hasChart(&f, find) {
			return
		}
	} else if s.hasImage(&f, find) {
		return
	}
	s.explain(&f, d)
	reason, decided := s.decided(find)
	switch {
	case decided:
		f.Why, f.Reason = LeftOut, reason
		if find.Class != charts.Candidate {
			report.Decided = append(report.Decided, f)
		}
	case find.Class == charts.Candidate:
		report.Unsure = append(report.Unsure, f)
	default:
		report.Missing = append(report.Missing, f)
	}
}

// hasImage reports whether the bundle carries an image; if not, it notes what there
// is in its place.
func (s *shelf) hasImage(f *Finding, find charts.ImageFind) bool {
	ref, err := find.Ref()
	if ref == (manifests.ImageRef{}) {
		return find.Class == charts.Candidate // no reference at all: nothing that could be pulled
	}
	f.Floats = charts.CheckTag(ref) != nil || ref.Digest == "" && !strings.ContainsAny(ref.Tag, "0123456789")
	if err != nil { // no tag
		ref.Tag = "latest"
	}
	name := ref.Name()
	if slices.ContainsFunc(s.byName[name], func(i manifests.LockedImage) bool { return is(i, ref) }) {
		return true
	}
	for _, registry := range s.registries {
		rest, below := strings.CutPrefix(name, registry)
		if below && slices.ContainsFunc(s.byPath[rest], func(i manifests.LockedImage) bool { return is(i, ref) }) {
			return true
		}
	}
	if same := s.byName[name]; len(same) > 0 {
		f.Why = OtherVersion
		f.have(same)
		return false
	}
	// What redirects to another registry may keep the path or put it below its own.
	for below := ref.Repository; below != ""; {
		if same := slices.DeleteFunc(slices.Clone(s.byPath[below]), func(i manifests.LockedImage) bool { return !is(i, ref) }); len(same) > 0 {
			f.Why = OtherRegistry
			f.have(same)
			return false
		}
		_, below, _ = strings.Cut(below, "/")
	}
	return false
}

// is reports whether a carried image is the one of a tag or, whatever the tag, of a
// digest.
func is(image manifests.LockedImage, ref manifests.ImageRef) bool {
	if ref.Digest == "" {
		return image.Name.Tag == ref.Tag && image.Name.Digest == ""
	}
	return image.Digest == ref.Digest || slices.Contains(image.Indexes, ref.Digest) ||
		slices.ContainsFunc(image.Manifests, func(m manifests.LockedManifest) bool { return m.Digest == ref.Digest })
}

func (f *Finding) have(images []manifests.LockedImage) {
	for _, image := range images {
		f.Have = append(f.Have, image.Name.String())
	}
}

// hasChart reports whether the bundle has a chart that another one names.
func (s *shelf) hasChart(f *Finding, find charts.ImageFind) bool {
	for _, chart := range s.lock.Charts {
		if chart.Name != find.Chart.ChartName() {
			continue
		}
		if manifests.CompareChartVersions(chart.Version, find.Chart.Version) == manifests.SameVersion || s.includes(find) {
			return true
		}
		f.Why = OtherVersion
		f.Have = append(f.Have, chart.Name+" "+chart.Version)
	}
	return false
}

// includes reports whether a rule of the release says that it has what a find asks for.
func (s *shelf) includes(find charts.ImageFind) bool {
	rule, there := s.rule(find)
	return there && rule.Action == charts.Include
}

// rule returns the first of the release's rules that speaks of a find.
func (s *shelf) rule(find charts.ImageFind) (charts.Rule, bool) {
	i := slices.IndexFunc(s.rules, func(rule charts.Rule) bool { return rule.Matches(find) })
	if i < 0 {
		return charts.Rule{}, false
	}
	return s.rules[i], true
}

// decided returns why the release has left a find out knowingly. An image that is sure
// is decided where the release has seen it at the same place: one that it left out as
// a value of a feature that is off is missed where the feature is on. For a find that
// is less sure, a rule on its place will do, and for a candidate any rule.
func (s *shelf) decided(find charts.ImageFind) (reason string, ok bool) {
	for _, left := range s.left[spelled(find.Image)] {
		if atSamePlace(left.Origin, find.Origin) && !notShown(left.Origin) || find.Class == charts.Candidate {
			return left.Reason, true
		}
	}
	rule, there := s.rule(find)
	if !there || rule.Action != charts.Exclude || find.Class == charts.Certain {
		return "", false
	}
	onPlace := rule.Where != "" && !(charts.Rule{Where: rule.Where}).Matches(asValue(find))
	return rule.Reason, find.Class == charts.Candidate || onPlace
}

func atSamePlace(a, b manifests.Origin) bool {
	return a.Chart == b.Chart && a.Template == b.Template && a.Field == b.Field
}

// asValue is a find as it would be if its feature were off.
func asValue(find charts.ImageFind) charts.ImageFind {
	find.Origin.Template, find.Origin.Object, find.Origin.Field = find.Origin.Chart+"/values.yaml", "values", "image"
	return find
}

// explain says which values a missing thing is made of, and why the release does not
// have it.
func (s *shelf) explain(f *Finding, d charts.Discovery) {
	if d.Site != nil {
		f.Values = ownValues(d.Site.Held[f.What], f.Subchart)
		for _, on := range d.Site.On {
			if on.Subchart == f.Subchart || strings.HasPrefix(f.Subchart, on.Subchart+"/") {
				f.On = append(f.On, on.On...)
			}
		}
	}
	if f.Why != Unknown {
		return
	}
	if left := s.left[spelled(f.What)]; len(left) > 0 {
		f.Why, f.Reason = LeftOut, left[0].Reason
	} else if ref, _ := manifests.ParseImageRef(f.What); f.Kind == Image && len(s.byLast[path.Base(ref.Repository)]) > 0 {
		f.Why = LikeNamed
		f.have(s.byLast[path.Base(ref.Repository)])
	}
}

// ownValues leaves out the values of other subcharts, where a subchart has some of its
// own: aliases of one chart are alike.
func ownValues(paths []string, subchart string) []string {
	below := strings.ReplaceAll(subchart, "/", ".") + "."
	isOwn := func(path string) bool { return strings.HasPrefix(path, below) }
	if subchart == "" || !slices.ContainsFunc(paths, isOwn) {
		return paths
	}
	return slices.DeleteFunc(slices.Clone(paths), func(path string) bool { return !isOwn(path) && !strings.HasPrefix(path, "global.") })
}

// file judges a file that something in a chart names by its URL. Whether it is fetched
// is not known.
func (s *shelf) file(report *Report, d charts.Discovery, file charts.NamedFile) {
	f := Finding{
		Kind: File, What: file.URL, Class: charts.Candidate, Chart: d.Chart.Name, Version: d.Chart.Version, Origin: file.Origin, Why: Unknown,
	}
	for _, carried := range s.lock.Files {
		if manifests.BareURL(carried.Content.URL) == file.URL {
			f.Why, f.Have = Elsewhere, append(f.Have, string(carried.Path))
		}
	}
	report.Unsure = append(report.Unsure, f)
}

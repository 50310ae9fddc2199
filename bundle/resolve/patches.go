package resolve

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// patching is what becomes of the patches while a release is resolved.
type patching struct {
	*manifests.Patched
	overrides []override
	decided   map[string]string                    // image by full name → id of the patch that put it there
	expect    map[string]manifests.Digest          // image by full name → what its tag has to mean, as a patch says
	set       map[string][]manifests.PatchedValues // by chart
}

// override is an image override and what it met.
type override struct {
	manifests.ImageOverride
	swaps  []manifests.LockedSwap
	charts []string // those in which it replaced something
	void   []string // why it came to nothing in places that it is for
	seen   []string // images of its repository that it is not for
}

func newPatching(patched *manifests.Patched) *patching {
	if patched == nil {
		patched = &manifests.Patched{}
	}
	p := &patching{
		Patched: patched, decided: map[string]string{}, expect: map[string]manifests.Digest{}, set: map[string][]manifests.PatchedValues{},
	}
	for _, o := range patched.Overrides {
		p.overrides = append(p.overrides, override{ImageOverride: o})
	}
	return p
}

// swap is an image of a chart that an override replaces.
type swap struct {
	*override
	old    manifests.ImageRef
	target manifests.ImageRef
}

// patchChart applies image overrides to a chart of which images were found: it
// renders the chart once more, with the values that the overrides name, and
// makes sure that these values do what the patch says they do. A pod that would
// go on asking for the old image is an error.
func (r *resolver) patchChart(
	chart manifests.Chart, finds charts.Finds, render func(manifests.Chart) (charts.Finds, error),
) (charts.Finds, error) {
	if len(r.patches.overrides) == 0 {
		return finds, nil
	}
	swaps, err := r.swapsIn(chart, imagesIn(finds))
	if err != nil || len(swaps) == 0 {
		return finds, err
	}
	var values []manifests.ValuesPath
	for _, s := range swaps {
		set := s.ValuesFor(chart.Name)
		if len(set) == 0 {
			return finds, fault.At(s.Place(),
				"add {chart: "+chart.Name+", path: …} to its values; if no value sets the image, patch the chart itself",
				"chart %s asks for %s, and %s does not say which value of the chart sets it: pods would go on asking for the old image",
				chart.Name, s.old, s.ImageOverride)
		}
		if err := oneSets(chart, s, set); err != nil {
			return finds, err
		}
		values = append(values, set...)
	}
	chart.Over = manifests.SetValues(chart.Over, values)
	after, err := render(chart)
	if err != nil {
		return finds, err
	}
	if err := nothingElse(chart, swaps, imagesIn(finds), imagesIn(after)); err != nil {
		return finds, err
	}
	return after, r.proveSwaps(chart, swaps, imagesIn(after))
}

// oneSets makes sure that what an override sets in a chart is not what an entry of a patch
// sets to something else.
func oneSets(chart manifests.Chart, s swap, values []manifests.ValuesPath) error {
	for _, v := range values {
		for _, p := range chart.Patched {
			have, there := manifests.ValueAt(p.Values, v.Path)
			if there && have != any(v.Value) {
				return fault.At(s.Place(), "set it in one place; of two patches let one supersede the other, or leave one of them out",
					"%s sets %s of chart %s to %q, and the entry of the chart in patch %s sets it, too",
					s.ImageOverride, v.Path, chart.Name, v.Value, p.Patch)
			}
		}
	}
	return nil
}

// nothingElse makes sure that values which replace some images do not change
// others, as a tag that several images share does.
func nothingElse(chart manifests.Chart, swaps []swap, before, after []manifests.ImageRef) error {
	var errs []error
	for _, image := range after {
		meant := slices.ContainsFunc(swaps, func(s swap) bool { return s.Satisfied(image) })
		if !meant && !slices.Contains(before, image) {
			errs = append(errs, fault.At(swaps[0].Place(), "name that image in an override as well, or set a value that is of one image alone",
				"the values that %s sets in chart %s bring %s too, which nobody decided", swaps[0].ImageOverride, chart.Name, image))
		}
	}
	return errors.Join(errs...)
}

// imagesIn returns the images of finds that are taken for such.
func imagesIn(finds charts.Finds) []manifests.ImageRef {
	var refs []manifests.ImageRef
	for _, find := range finds.Images {
		if ref, err := find.Ref(); err == nil && find.Class != charts.Candidate && find.Class != charts.Named && !slices.Contains(refs, ref) {
			refs = append(refs, ref)
		}
	}
	return refs
}

// swapsIn returns which images of a chart are to be replaced, and notes which
// overrides come to nothing there.
func (r *resolver) swapsIn(chart manifests.Chart, images []manifests.ImageRef) ([]swap, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var swaps []swap
	var errs []error
	for i := range r.patches.overrides {
		o := &r.patches.overrides[i]
		for _, image := range images {
			switch replaces, err := r.replaces(o, chart, image); {
			case err != nil:
				errs = append(errs, err)
			case replaces:
				swaps = append(swaps, swap{o, image, o.Target(image)})
			}
		}
	}
	return swaps, errors.Join(errs...)
}

// replaces reports whether an override replaces an image of a chart. One that has
// been overtaken by a later patch of the chart does not, and that is reported.
func (r *resolver) replaces(o *override, chart manifests.Chart, image manifests.ImageRef) (bool, error) {
	if !o.Concerns(image) {
		return false, nil
	}
	by := r.patches.Charts[chart.Name]
	brings := fmt.Sprintf("chart %s %s names %s", chart.Name, chart.Version, image)
	if by != "" {
		brings = fmt.Sprintf("patch %s brings chart %s %s, which names %s", by, chart.Name, chart.Version, image)
	}
	switch {
	case o.Satisfied(image):
		o.void = append(o.void, brings+" already")
		return false, nil
	case !o.Matches(image):
		if o.seen = append(o.seen, brings); by != "" {
			o.void = append(o.void, brings)
		}
		return false, nil
	case by == "" || by == o.Patch() || !o.OfRepository() || !r.patches.Later(by, o.Patch()):
		return true, nil
	}
	// A later patch changed the chart: whether its image is newer than the
	// override's is for the tags to say, else for a person.
	overtaken, known := o.Overtaken(chart.Name, image)
	if !known {
		return false, fault.At(o.Place(), "let one patch supersede the other, or name the image to be replaced exactly",
			"%s and the later patch %s both decide the image, and their tags cannot be compared: %s", o.ImageOverride, by, brings)
	}
	if overtaken {
		o.void = append(o.void, brings)
	}
	return !overtaken, nil
}

// proveSwaps makes sure that a chart rendered with an override's values asks
// for the new images and no more for the old ones.
func (r *resolver) proveSwaps(chart manifests.Chart, swaps []swap, after []manifests.ImageRef) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, s := range swaps {
		var set []string
		for _, v := range s.ValuesFor(chart.Name) {
			set = append(set, v.Path+"="+v.Value)
		}
		reached := false
		for _, image := range after {
			if s.Satisfied(image) {
				reached = true
				r.patches.decided[image.String()] = s.Patch()
				if image.Digest == "" && s.Digest != "" {
					r.patches.expect[image.String()] = s.Digest
				}
			}
		}
		if !reached || slices.Contains(after, s.old) {
			errs = append(errs, fault.At(s.Place(), "look up in the chart's templates which value sets the image",
				"chart %s goes on asking for %s when %s is set, as %s has it", chart.Name, s.old, strings.Join(set, ", "), s.ImageOverride))
			continue
		}
		s.note(s.old, s.target, chart.Name)
		r.leftOut = append(r.leftOut, replaced(s.old, s.target, s.ImageOverride, manifests.Origin{Chart: chart.Name}))
	}
	return errors.Join(errs...)
}

func replaced(old, target manifests.ImageRef, o manifests.ImageOverride, origin manifests.Origin) manifests.Omission {
	return manifests.Omission{What: old.String(), Reason: fmt.Sprintf("patch %s puts %s in its place", o.Patch(), target), Origin: origin}
}

func (o *override) note(old, target manifests.ImageRef, chart string) {
	o.charts = append(o.charts, chart)
	if done := (manifests.LockedSwap{Old: old, New: target}); !slices.Contains(o.swaps, done) {
		o.swaps = append(o.swaps, done)
	}
}

// patchListed applies overrides to an image that a list of the release names,
// where no rendering can prove anything. listedBy is the patch that put it on the
// list, if one did.
func (r *resolver) patchListed(name, listedBy string, origin manifests.Origin) string {
	ref, err := manifests.ParseImageRef(name)
	if err != nil {
		return name // told when it is wanted
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if listedBy != "" {
		r.patches.decided[ref.String()] = listedBy
	}
	for i := range r.patches.overrides {
		o := &r.patches.overrides[i]
		switch {
		case !o.Concerns(ref):
		case o.Satisfied(ref):
			o.void = append(o.void, "the release names "+ref.String()+" already")
		case !o.Matches(ref):
			o.seen = append(o.seen, "the release names "+ref.String())
		default:
			target := o.Target(ref)
			o.note(ref, target, origin.Chart)
			r.leftOut = append(r.leftOut, replaced(ref, target, o.ImageOverride, origin))
			r.patches.decided[target.String()] = o.Patch()
			return target.String()
		}
	}
	return name
}

// overridesMatched reports which overrides matched nothing: that is an error,
// unless something that was decided elsewhere made them void.
func (r *resolver) overridesMatched() error {
	var errs []error
	for i := range r.patches.overrides {
		o := &r.patches.overrides[i]
		if o.void = append(o.void, r.excluded(o)...); len(o.swaps) == 0 && len(o.void) == 0 {
			hint := "island resolve without the patch, then island show --images, lists the images there are"
			if len(o.seen) > 0 {
				slices.Sort(o.seen)
				hint = o.seen[0]
			}
			errs = append(errs, fault.At(o.Place(), hint, "%s matches no image of the release", o.ImageOverride))
		}
		slices.Sort(o.void)
		o.void = slices.Compact(o.void)
		for _, why := range o.void {
			r.progress.Notice(fmt.Sprintf("%s is void: %s", o.ImageOverride, why))
		}
	}
	return errors.Join(errs...)
}

// excluded reports why an override is void in what a profile or an exclusion
// leaves out.
func (r *resolver) excluded(o *override) []string {
	var why []string
	for _, left := range r.leftOut {
		ref, err := manifests.ParseImageRef(left.What)
		if err == nil && o.Matches(ref) && len(o.swaps) == 0 {
			why = append(why, ref.String()+" is left out: "+left.Reason)
		}
	}
	for _, v := range o.Values {
		known := slices.ContainsFunc(r.patches.Release.Charts, func(c manifests.Chart) bool { return c.Name == v.Chart })
		if known && r.release.ChartNamed(v.Chart) == nil {
			why = append(why, "chart "+v.Chart+" is left out")
		}
	}
	return why
}

// decide tells in the lock which patch decided what.
func (p *patching) decide(lock *manifests.Lock) {
	for i := range lock.Charts {
		lock.Charts[i].DecidedBy = p.Charts[lock.Charts[i].Name]
	}
	for i := range lock.Files {
		if name, ok := strings.CutPrefix(string(lock.Files[i].Path), "files/"); ok {
			lock.Files[i].DecidedBy = p.Files[name]
		}
	}
	for i := range lock.Images {
		image := &lock.Images[i]
		image.DecidedBy = cmp.Or(p.decided[image.Name.String()], p.broughtBy(image.From))
	}
	for _, patch := range p.Applied {
		lock.Patches = append(lock.Patches, p.locked(patch, lock))
	}
}

// broughtBy returns the patch whose charts alone need an image; empty if
// something else does too.
func (p *patching) broughtBy(from []manifests.Origin) string {
	by := ""
	for _, origin := range from {
		id := p.Charts[origin.Chart]
		if id == "" || (by != "" && id != by) {
			return ""
		}
		by = id
	}
	return by
}

func (p *patching) locked(patch *manifests.Patch, lock *manifests.Lock) manifests.LockedPatch {
	locked := patch.Lock()
	for _, o := range p.overrides {
		if o.Patch() != patch.ID() {
			continue
		}
		locked.Images = append(locked.Images, o.swaps...)
		locked.Void = append(locked.Void, o.void...)
		for _, v := range o.Values {
			if slices.Contains(o.charts, v.Chart) {
				locked.Values = append(locked.Values, manifests.ValuesPath{Chart: v.Chart, Path: v.Path, Value: o.SetValue(v)})
			}
		}
	}
	p.lockValues(&locked, lock)
	p.lockNamespaces(&locked, patch)
	slices.SortFunc(locked.Images, func(a, b manifests.LockedSwap) int {
		return cmp.Or(cmp.Compare(a.Old.String(), b.Old.String()), cmp.Compare(a.New.String(), b.New.String()))
	})
	for _, file := range slices.Concat(patch.Changes.Files, patch.Changes.Add.Files) {
		at := manifests.EntryPath(path.Join("files", file.Destination))
		if slices.ContainsFunc(lock.Files, func(f manifests.LockedFile) bool { return f.Path == at }) {
			locked.Files = append(locked.Files, at)
		}
	}
	return locked
}

// lockValues tells in the lock what a patch sets.
func (p *patching) lockValues(locked *manifests.LockedPatch, lock *manifests.Lock) {
	for _, chart := range slices.Sorted(maps.Keys(p.set)) {
		isCarried := slices.ContainsFunc(lock.Charts, func(c manifests.LockedChart) bool { return c.Name == chart })
		for _, values := range p.set[chart] {
			if values.Patch == locked.ID && isCarried {
				locked.Set = append(locked.Set, manifests.Leaves(chart, values.Rendering, values.Values)...)
			}
		}
	}
}

// lockNamespaces tells in the lock where charts run that a patch removed.
func (p *patching) lockNamespaces(locked *manifests.LockedPatch, patch *manifests.Patch) {
	for _, chart := range patch.Changes.Remove.Charts {
		if namespaces := p.Namespaces[chart]; len(namespaces) > 0 {
			if locked.Namespaces == nil {
				locked.Namespaces = map[string][]string{}
			}
			locked.Namespaces[chart] = namespaces
		}
	}
}

package manifests

import (
	"cmp"
	"errors"
	"maps"
	"slices"

	"github.com/islandbundle/island/internal/nearest"
	"github.com/islandbundle/island/manifests/fault"
)

// Patched is a release with patches laid over it, and which patch decided what.
type Patched struct {
	Release    *Release
	Applied    []*Patch // in the order in which they were laid
	Superseded []Superseded
	Charts     map[string]string // chart → id of the patch that decided it
	Images     map[string]string // image of the release's own list, as it is named there → id
	Files      map[string]string // destination → id
	Overrides  []ImageOverride   // to be applied to what rendering finds, in order

	// Namespaces of charts that were taken out, by name, where an entry says one: those of
	// all entries. An empty one is that of an entry that says none.
	Namespaces map[string][]string

	// NumberedBy is the patch that says the sequence of the release; nil where it is
	// one more than that of the release before, or where nobody gave one.
	NumberedBy *Patch
	// NamedBy is the last patch that gives the release a version; nil where none does.
	NamedBy *Patch
}

// Later reports whether one patch was laid after another, both by id.
func (r *Patched) Later(id, than string) bool {
	at := func(id string) int { return slices.IndexFunc(r.Applied, func(q *Patch) bool { return q.ID() == id }) }
	return at(id) > at(than)
}

// LayPatches lays patches over a release, in the order that orderPatches
// gives. It is pure: neither the release nor the patches are changed, and the
// same arguments in any order give the same result.
//
// Usage errors, each with its place: a patch for another release or version; two
// patches that change the same thing without one superseding the other; a change
// or removal of what the release does not have; an addition of what it has.
// Whether an image override matches anything is known only when the charts have
// been rendered, and is not told here. A sequence above [MaxSequence], or a version
// that is too long, [Release.Check] tells.
func LayPatches(base *Release, patches []*Patch) (*Patched, error) {
	ordered, superseded, err := orderPatches(patches)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, p := range patches {
		if !p.AppliesTo.For(base.Metadata.Name, base.Metadata.Version) {
			errs = append(errs, fault.At(p.Place("appliesTo"), "leave the patch out, or take the release that it is for",
				"patch %s is for %s %s, not for %s %s", p.ID(), p.AppliesTo.Release, p.AppliesTo.Versions, base.Metadata.Name, base.Metadata.Version))
		}
	}
	if err := errors.Join(append(errs, oneDecides(ordered))...); err != nil {
		return nil, err
	}
	result := &Patched{
		Applied: ordered, Superseded: superseded,
		Charts: map[string]string{}, Images: map[string]string{}, Files: map[string]string{}, Namespaces: map[string][]string{},
	}
	release := base
	for _, p := range ordered {
		next, err := layPatch(release, p)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		result.note(p, release)
		release = next
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	result.Release = release
	result.identify(base.Metadata)
	return result, nil
}

// identify gives the patched release a version and a sequence that are not those
// of what was patched: it is another delivery. The version is the one that the last
// of the patches that gives one says, with the ids of those behind that. One that the
// base or a patch before it has already says nothing of what is laid here. The
// sequence is the highest of those that the patches say, and one more than the base
// has. Where neither says one, there is none.
func (r *Patched) identify(base Metadata) {
	m := &r.Release.Metadata
	had, unsaid := []string{base.Version}, []string(nil)
	m.Sequence = base.Sequence
	if base.Sequence > 0 {
		m.Sequence++
	}
	for _, p := range r.Applied {
		if said := p.Release.Version; said != "" && !slices.Contains(had, said) {
			had, unsaid, r.NamedBy = append(had, said), nil, p
		} else {
			unsaid = append(unsaid, p.ID())
		}
		if said := p.Release.Sequence; said > 0 && said >= m.Sequence {
			m.Sequence, r.NumberedBy = said, p
		}
	}
	m.Version = versionWith(had[len(had)-1], unsaid)
}

// claim is a thing that a patch changes.
type claim struct {
	what  string
	field string
}

// claims lists what a patch changes. Chart values that an override sets are
// among it: two overrides cannot both decide one value.
func claims(p *Patch) []claim {
	var list []claim
	values := map[ValuesPath]bool{}
	for _, charts := range [][]Chart{p.Changes.Charts, p.Changes.Add.Charts} {
		for _, c := range charts {
			list = append(list, claim{"chart " + c.Name, "changes.charts"})
		}
	}
	for _, name := range p.Changes.Remove.Charts {
		list = append(list, claim{"chart " + name, "changes.remove.charts"})
	}
	for _, o := range p.Changes.Images {
		ref, _, _ := o.ref()
		list = append(list, claim{"image " + ref.String(), "changes.images"})
		for _, v := range o.Values {
			// Several images may be set by one value, but only to one thing.
			set := v
			set.Value = o.SetValue(v)
			if !values[set] {
				values[set] = true
				list = append(list, claim{"value " + v.Path + " of chart " + v.Chart, "changes.images"})
			}
		}
	}
	for _, image := range p.Changes.Add.Images {
		list = append(list, claim{"listed image " + image.Name, "changes.add.images"})
	}
	for _, name := range p.Changes.Remove.Images {
		list = append(list, claim{"listed image " + name, "changes.remove.images"})
	}
	for _, files := range [][]File{p.Changes.Files, p.Changes.Add.Files} {
		for _, f := range files {
			list = append(list, claim{"file " + f.Destination, "changes.files"})
		}
	}
	for _, name := range p.Changes.Remove.Files {
		list = append(list, claim{"file " + name, "changes.remove.files"})
	}
	return list
}

func uniqueClaims(p *Patch) map[string]bool {
	unique := map[string]bool{}
	for _, c := range claims(p) {
		unique[c.what] = true
	}
	return unique
}

// oneDecides refuses patches that change the same thing.
func oneDecides(ordered []*Patch) error {
	var errs []error
	first := map[string]*Patch{}
	conflict := func(p, other *Patch, field, what string) {
		errs = append(errs, fault.At(p.Place(field), "let one supersede the other, or leave one of them out",
			"patches %s and %s both change %s", other.ID(), p.ID(), what))
	}
	covered := map[string]coverage{} // by patch
	for i, p := range ordered {
		for _, c := range claims(p) {
			if other := first[c.what]; other != nil && other != p {
				conflict(p, other, c.field, c.what)
			} else {
				first[c.what] = p
			}
		}
		// One repository as a whole and one exact reference in it overlap. The
		// same repository, or the same reference, twice is a claim like any other.
		own := newCoverage()
		for _, o := range p.Changes.Images {
			ref, whole, _ := o.ref()
			own.add(ref, whole)
			for _, other := range ordered[:i] {
				under := covered[other.ID()]
				if (whole && under.some[ref.Name()]) || (!whole && under.whole[ref.Name()]) {
					conflict(p, other, "changes.images", "images of "+ref.Name())
				}
			}
		}
		covered[p.ID()] = own
	}
	return errors.Join(errs...)
}

// layPatch returns a new release with one patch laid over it.
func layPatch(base *Release, p *Patch) (*Release, error) {
	if err := p.fits(base); err != nil {
		return nil, err
	}
	ch := p.Changes
	under := *base
	under.Charts = without(base.Charts, ch.Remove.Charts, func(c Chart) string { return c.Name })
	under.Images = without(base.Images, ch.Remove.Images, func(i Image) string { return i.Name })
	under.Files = without(base.Files, ch.Remove.Files, func(f File) string { return f.Destination })
	over := &Release{
		Charts: p.takenCharts(base),
		Images: ch.Add.Images,
		Files:  slices.Concat(ch.Files, ch.Add.Files),
	}
	release, err := Lay(&under, over, false)
	if err != nil {
		return nil, err
	}
	m := &release.Metadata
	m.Expires = cmp.Or(p.Release.Expires, m.Expires)
	if !m.Date.IsZero() && p.Metadata.Date.Time().After(m.Date.Time()) {
		m.Date = p.Metadata.Date // every time in the bundle is that of what was changed last
	}
	return release, nil
}

// takenCharts are the entries of charts, with what they set as what a patch sets. What
// they do not give of a rendering stays, too.
func (p *Patch) takenCharts(base *Release) []Chart {
	charts := slices.Concat(p.Changes.Charts, p.Changes.Add.Charts)
	for i, c := range charts {
		charts[i] = c.takeValues(p.ID())
		if under := base.ChartNamed(c.Name); under != nil {
			for j, r := range charts[i].Renderings {
				charts[i].Renderings[j] = under.renderingNamed(r.Name).with(r)
			}
		}
	}
	return charts
}

func without[T any](list []T, names []string, name func(T) string) []T {
	return slices.DeleteFunc(slices.Clone(list), func(item T) bool { return slices.Contains(names, name(item)) })
}

// fits reports whether the release has what the patch changes and removes, and
// lacks what it adds.
func (p *Patch) fits(r *Release) error {
	charts, images, files := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, c := range r.Charts {
		charts[c.Name] = true
	}
	for _, i := range r.Images {
		images[i.Name] = true
	}
	for _, f := range r.Files {
		files[f.Destination] = true
	}
	var errs []error
	want := func(has map[string]bool, wanted bool, what, name, field string) {
		switch {
		case has[name] == wanted:
		case wanted:
			hint := cmp.Or(nearest.DidYouMean("", name, slices.Sorted(maps.Keys(has))),
				"put what is new below changes.add; take out what is not in this release")
			errs = append(errs, fault.At(p.Place(field), hint,
				"patch %s changes %s %q, which the release does not have", p.ID(), what, name))
		default:
			errs = append(errs, fault.At(p.Place(field), "put what the release has already below changes, not changes.add",
				"patch %s adds %s %q, which the release has already", p.ID(), what, name))
		}
	}
	ch := p.Changes
	for _, c := range ch.Charts {
		want(charts, true, "chart", c.Name, "changes.charts")
	}
	for _, c := range ch.Add.Charts {
		want(charts, false, "chart", c.Name, "changes.add.charts")
	}
	for _, f := range ch.Files {
		want(files, true, "file", f.Destination, "changes.files")
	}
	for _, f := range ch.Add.Files {
		want(files, false, "file", f.Destination, "changes.add.files")
	}
	for _, i := range ch.Add.Images {
		want(images, false, "image", i.Name, "changes.add.images")
	}
	for _, removed := range []struct {
		has   map[string]bool
		what  string
		names []string
		field string
	}{
		{charts, "chart", ch.Remove.Charts, "changes.remove.charts"},
		{images, "image", ch.Remove.Images, "changes.remove.images"},
		{files, "file", ch.Remove.Files, "changes.remove.files"},
	} {
		for _, name := range removed.names {
			want(removed.has, true, removed.what, name, removed.field)
		}
	}
	return errors.Join(errs...)
}

// note records what a patch decided, and what became of the release under it.
func (r *Patched) note(p *Patch, under *Release) {
	for _, c := range slices.Concat(p.Changes.Charts, p.Changes.Add.Charts) {
		r.Charts[c.Name] = p.ID()
	}
	for _, i := range p.Changes.Add.Images {
		r.Images[i.Name] = p.ID()
	}
	for _, f := range slices.Concat(p.Changes.Files, p.Changes.Add.Files) {
		r.Files[f.Destination] = p.ID()
	}
	r.Overrides = append(r.Overrides, p.Changes.Images...)
	for _, name := range p.Changes.Remove.Charts {
		if namespaces := under.namespacesOf(name); !slices.Equal(namespaces, []string{""}) {
			r.Namespaces[name] = namespaces
		}
	}
}

// namespacesOf returns the namespaces of a chart's entries, each once.
func (r *Release) namespacesOf(chart string) []string {
	var namespaces []string
	for _, c := range r.Charts {
		if c.Name == chart {
			namespaces = append(namespaces, c.Namespace)
		}
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}

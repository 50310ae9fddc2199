// Package diff tells what differs between two deliveries, each of them a
// release, a lock or the inventory of a bundle: charts, images, files, and how
// many bytes have to be carried. It looks at names, digests and sizes only, and
// so answers at once whatever the size of what they stand for.
package diff

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
)

// Side is one of the two that are compared. Make one with [OfRelease] or
// [OfLock].
type Side struct {
	Name     string
	Release  string
	Version  string
	Sequence manifests.Sequence
	Patches  []string
	Pinned   bool // a lock: images are all that are carried, and everything has a digest

	charts map[string][]Part // by name
	images map[string]Part   // by full name
	files  map[string]Part   // by path
	bytes  map[manifests.Digest]int64
	set    map[string]map[string]any // by chart, or chart/rendering
}

// Part is a chart, an image or a file on one side.
type Part struct {
	Version   string           `json:"version,omitempty"` // of a chart; the tag of an image
	From      string           `json:"from,omitempty"`    // repository of a chart, URL of a file
	Digest    manifests.Digest `json:"digest,omitempty"`  // where it is known
	DecidedBy string           `json:"decidedBy,omitempty"`
}

// Change is one difference. Old is missing for what was added, New for what was
// removed.
type Change struct {
	Name string `json:"name"`
	Old  *Part  `json:"old,omitempty"`
	New  *Part  `json:"new,omitempty"`
}

// Kind returns what sort of change it is: "added", "removed" or "changed".
func (c Change) Kind() string {
	switch {
	case c.Old == nil:
		return "added"
	case c.New == nil:
		return "removed"
	default:
		return "changed"
	}
}

// Difference is everything that differs, each list sorted by name.
type Difference struct {
	Old     End             `json:"old"`
	New     End             `json:"new"`
	Charts  []Change        `json:"charts"`
	Images  []Change        `json:"images"`
	Files   []Change        `json:"files"`
	Values  []ValuesChanges `json:"values"`            // defaults of charts, where their archives are at hand
	Set     []ValuesChanges `json:"set"`               // what patches set in charts, where both sides are pinned
	Carry   *Carry          `json:"carry,omitempty"`   // where both sides are pinned
	Caveats []string        `json:"caveats,omitempty"` // what could not be compared
}

// End names a side.
type End struct {
	Name     string             `json:"name"`
	Release  string             `json:"release"`
	Version  string             `json:"version"`
	Sequence manifests.Sequence `json:"sequence"`
	Patches  []string           `json:"patches"`
}

// Carry is how much content the new side has that the old one lacks.
type Carry struct {
	Parts int   `json:"parts"`
	Bytes int64 `json:"bytes"`
	Of    int64 `json:"of"` // bytes of all content of the new side
}

// OfRelease makes a side of a release, which names charts, files and those
// images that no chart does.
func OfRelease(name string, r *manifests.Release) Side {
	s := newSide(name, r.Metadata.Name, r.Metadata.Version, r.Metadata.Sequence)
	for _, c := range r.Charts {
		s.charts[c.Name] = append(s.charts[c.Name], Part{Version: c.Version, From: manifests.BareURL(c.Repo + c.Path)})
	}
	for _, i := range r.Images {
		part := Part{}
		name := i.Name
		if chart := r.ChartNamed(i.TagFromChart); chart != nil && chart.Version != "" {
			name += ":" + manifests.ChartTag(chart.Version)
		}
		if ref, err := manifests.ParseImageRef(name); err == nil {
			name, part.Version = ref.String(), ref.Tag
		}
		s.images[name] = part
	}
	for _, f := range r.Files {
		s.files["files/"+f.Destination] = Part{From: manifests.BareURL(f.URL), Digest: manifests.Digest("sha256:" + f.SHA256)}
	}
	return s
}

// OfLock makes a side of a lock, which may be that of a bundle.
func OfLock(name string, l *manifests.Lock) Side {
	s := newSide(name, l.Release.Name, l.Release.Version, l.Release.Sequence)
	s.Pinned = true
	s.set = manifests.SiteTrees(l)
	for _, p := range l.Patches {
		s.Patches = append(s.Patches, p.ID)
	}
	for _, c := range l.Charts {
		s.charts[c.Name] = append(s.charts[c.Name], Part{
			Version: c.Version, From: manifests.BareURL(c.Repo), Digest: c.Content.Digest, DecidedBy: c.DecidedBy,
		})
		s.bytes[c.Content.Digest] = c.Content.Size
	}
	for _, i := range l.Images {
		s.images[i.Name.String()] = Part{Version: i.Name.Tag, Digest: i.Digest, DecidedBy: i.DecidedBy}
	}
	for _, f := range l.Files {
		s.files[string(f.Path)] = Part{From: manifests.BareURL(f.Content.URL), Digest: f.Content.Digest, DecidedBy: f.DecidedBy}
		s.bytes[f.Content.Digest] = f.Content.Size
	}
	for _, b := range l.Blobs {
		s.bytes[b.Digest] = b.Size
	}
	return s
}

func newSide(name, release, version string, sequence manifests.Sequence) Side {
	return Side{
		Name: name, Release: release, Version: version, Sequence: sequence, Patches: []string{},
		charts: map[string][]Part{}, images: map[string]Part{}, files: map[string]Part{}, bytes: map[manifests.Digest]int64{},
	}
}

func (s Side) end() End {
	return End{Name: s.Name, Release: s.Release, Version: s.Version, Sequence: s.Sequence, Patches: s.Patches}
}

// Compare reports what differs between two sides.
func Compare(older, newer Side) Difference {
	d := Difference{
		Old: older.end(), New: newer.end(),
		Charts: compareCharts(older.charts, newer.charts), Images: []Change{}, Files: compareParts(older.files, newer.files),
		Values: []ValuesChanges{}, Set: []ValuesChanges{},
	}
	switch {
	case older.Pinned && newer.Pinned:
		d.Images = pairTags(compareParts(older.images, newer.images))
		d.Carry = carry(older, newer)
		d.Set = compareSet(older.set, newer.set)
	case older.Pinned != newer.Pinned:
		d.Caveats = append(d.Caveats, "images are not compared: a release names only those that no chart does; resolve it to a lock first")
		d.Files = without(d.Files, "values/")
	default:
		d.Images = pairTags(compareParts(older.images, newer.images))
		d.Caveats = append(d.Caveats, "images that charts bring are not known before a release is resolved: compare locks to see them")
	}
	return d
}

// IsEmpty reports whether nothing differs.
func (d Difference) IsEmpty() bool {
	return len(d.Charts)+len(d.Images)+len(d.Files)+len(d.Values)+len(d.Set) == 0 && (d.Carry == nil || d.Carry.Parts == 0)
}

// same reports whether two parts are the same as far as both sides know.
func same(a, b Part) bool {
	if a.Digest != "" && b.Digest != "" {
		return a.Digest == b.Digest && a.Version == b.Version
	}
	return a.Version == b.Version && a.From == b.From
}

// compareParts compares what has unique names.
func compareParts(older, newer map[string]Part) []Change {
	changes := []Change{}
	for _, name := range union(older, newer) {
		was, had := older[name]
		is, has := newer[name]
		switch {
		case !had:
			changes = append(changes, Change{Name: name, New: &is})
		case !has:
			changes = append(changes, Change{Name: name, Old: &was})
		case !same(was, is):
			changes = append(changes, Change{Name: name, Old: &was, New: &is})
		}
	}
	return changes
}

// compareCharts compares charts, of which a release may have several versions.
func compareCharts(older, newer map[string][]Part) []Change {
	changes := []Change{}
	for _, name := range union(older, newer) {
		changes = append(changes, pair(name, beyond(older[name], newer[name]), beyond(newer[name], older[name]))...)
	}
	return changes
}

// beyond returns the parts that are not among others.
func beyond(parts, others []Part) []Part {
	byVersion := map[string][]Part{}
	for _, p := range others {
		byVersion[p.Version] = append(byVersion[p.Version], p)
	}
	return slices.DeleteFunc(slices.Clone(parts), func(p Part) bool {
		return slices.ContainsFunc(byVersion[p.Version], func(q Part) bool { return same(p, q) })
	})
}

// pair makes one change of what is the only one left on either side, and
// single ones of all else.
func pair(name string, olds, news []Part) []Change {
	if len(olds) == 1 && len(news) == 1 {
		return []Change{{Name: name, Old: &olds[0], New: &news[0]}}
	}
	var changes []Change
	for i := range olds {
		changes = append(changes, Change{Name: name, Old: &olds[i]})
	}
	for i := range news {
		changes = append(changes, Change{Name: name, New: &news[i]})
	}
	return changes
}

// pairTags makes one change of an image whose tag alone changed: one that is
// gone and one that is new, the only ones of their repository.
func pairTags(changes []Change) []Change {
	olds, news := map[string][]Part{}, map[string][]Part{}
	result := []Change{}
	for _, c := range changes {
		repository := repositoryOf(c.Name)
		switch {
		case c.Old != nil && c.New != nil:
			result = append(result, c)
		case c.Old != nil:
			c.Old.Version = strings.TrimPrefix(strings.TrimPrefix(c.Name, repository), ":")
			olds[repository] = append(olds[repository], *c.Old)
		default:
			c.New.Version = strings.TrimPrefix(strings.TrimPrefix(c.Name, repository), ":")
			news[repository] = append(news[repository], *c.New)
		}
	}
	for _, repository := range union(olds, news) {
		result = append(result, pair(repository, olds[repository], news[repository])...)
	}
	slices.SortStableFunc(result, func(a, b Change) int { return cmp.Compare(a.Name, b.Name) })
	return result
}

func repositoryOf(image string) string {
	if ref, err := manifests.ParseImageRef(image); err == nil {
		return ref.Name()
	}
	return image
}

func carry(older, newer Side) *Carry {
	c := &Carry{}
	for digest, size := range newer.bytes {
		c.Of += size
		if _, has := older.bytes[digest]; !has {
			c.Parts, c.Bytes = c.Parts+1, c.Bytes+size
		}
	}
	return c
}

func union[V any](a, b map[string]V) []string {
	names := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(names)
	return slices.Compact(names)
}

func without(changes []Change, prefix string) []Change {
	return slices.DeleteFunc(changes, func(c Change) bool { return strings.HasPrefix(c.Name, prefix) })
}

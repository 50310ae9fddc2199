package bundle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// KindDelta is the kind of a delta.json.
const KindDelta = "Delta"

// maxDeltaBytes bounds a delta.json.
const maxDeltaBytes = 32 << 20

// Delta is delta.json: what makes an archive a delta bundle. Such an archive
// begins with the inventory and signatures of a whole bundle, to the byte, and
// carries only those of its parts that the base bundle lacks. delta.json is
// signed like the inventory.
type Delta struct {
	APIVersion string                `json:"apiVersion"`
	Kind       string                `json:"kind"`
	Target     manifests.Digest      `json:"target"`  // of bundle.json in this archive
	Base       DeltaBase             `json:"base"`    // what it has to be applied to
	Entries    []manifests.EntryPath `json:"entries"` // the parts that are carried, in archive order
	// Deep are patches that stand behind them, for layers that are not carried.
	Deep []DeepPatch `json:"deep,omitempty"`
}

// DeltaBase is the bundle that a delta was made for.
type DeltaBase struct {
	Digest   manifests.Digest   `json:"digest"` // of its bundle.json
	Name     string             `json:"name"`
	Version  string             `json:"version"`
	Sequence manifests.Sequence `json:"sequence"`
}

// Base is a bundle of which only the inventory is needed: the sender of a
// delta need not have kept the archive.
type Base struct {
	Inventory *Inventory
	Digest    manifests.Digest
}

// ReadBase reads a base from its bundle.json.
func ReadBase(data []byte) (*Base, error) {
	inventory, err := decodeInventory(data)
	if err != nil {
		return nil, fault.New(fault.Usage, fault.Here, InventoryPath, "give the earlier bundle, or the bundle.json out of it", "%w", err)
	}
	return &Base{Inventory: inventory, Digest: manifests.DigestOf(data)}, nil
}

// Base returns the bundle as a base for a delta.
func (b *Bundle) Base() *Base { return &Base{Inventory: b.Inventory, Digest: b.Digest} }

// holds returns where each content of the inventory stands.
func (inv *Inventory) holds() map[manifests.Digest]int {
	index := map[manifests.Digest]int{}
	for i, entry := range inv.Entries {
		index[entry.Digest] = i
	}
	return index
}

// inArchive returns the parts that an archive has: all, or those of a delta and its
// patches.
func inArchive(inventory *Inventory, delta *Delta) []Entry {
	if delta == nil {
		return inventory.Entries
	}
	entries := delta.among(inventory)
	for _, patch := range delta.Deep {
		entries = append(entries, patch.entry())
	}
	return entries
}

// among returns the parts of the inventory that a delta carries.
func (d *Delta) among(inventory *Inventory) []Entry {
	named := map[manifests.EntryPath]bool{}
	for _, path := range d.Entries {
		named[path] = true
	}
	var entries []Entry
	for _, entry := range inventory.Entries {
		if named[entry.Path] {
			entries = append(entries, entry)
		}
	}
	return entries
}

// Delta returns the plan of a delta bundle: of this whole bundle, what the base
// lacks. The plan has to be signed anew. A base of the same release that is not older
// is a Usage error: no site that has it would take what the delta makes. So is one whose
// version something with patches has, too: nobody could tell the two apart.
func (p *Plan) Delta(base *Base) (*Plan, error) { return p.deltaWith(base, nil) }

func (p *Plan) deltaWith(base *Base, patches []storedPatch) (*Plan, error) {
	if base.Digest == p.Digest() {
		return nil, fault.New(fault.Usage, fault.Here, "base", "", "the base is this very bundle: there is nothing to carry")
	}
	release := base.Inventory.Lock.Release
	if err := follows(&p.Inventory.Lock, release); err != nil {
		return nil, err
	}
	delta := &Delta{
		APIVersion: manifests.APIVersion, Kind: KindDelta, Target: p.Digest(), Entries: []manifests.EntryPath{},
		Base: DeltaBase{Digest: base.Digest, Name: release.Name, Version: release.Version, Sequence: release.Sequence},
	}
	there := base.Inventory.holds()
	result := &Plan{Inventory: p.Inventory, encoded: p.encoded, slots: slices.Clone(p.slots), delta: delta}
	patched := map[manifests.EntryPath]bool{}
	for _, patch := range patches {
		delta.Deep = append(delta.Deep, patch.DeepPatch)
		patched[blobPath(patch.Target)] = true
	}
	for _, part := range p.parts {
		if patched[part.entry.Path] {
			continue
		}
		if at, ok := there[part.entry.Digest]; !ok || base.Inventory.Entries[at].Size != part.entry.Size {
			delta.Entries = append(delta.Entries, part.entry.Path)
			result.parts = append(result.parts, part)
		}
	}
	for _, patch := range patches {
		result.parts = append(result.parts, patch.part())
	}
	encoded, err := manifests.EncodeJSON(delta)
	if err != nil {
		return nil, err
	}
	result.encodedDelta = encoded
	result.layout = layOut(p.Inventory, int64(len(p.encoded)), delta, int64(len(encoded)))
	for range p.slots {
		result.deltaSlots = append(result.deltaSlots, blankSlot())
	}
	return result, nil
}

// follows makes sure that one delivery comes after another, as far as both are of
// one release, and that one with patches has another version.
func follows(lock *manifests.Lock, base manifests.LockedRelease) error {
	release := lock.Release
	switch {
	case release.Name != base.Name:
		return nil
	case release.Sequence > base.Sequence && len(lock.Patches) > 0 && release.Version == base.Version:
		return fault.New(fault.Usage, fault.Here, "base", "resolve again with another --release-version",
			"the base has the version %s, too, and this delivery has patches: it is another", base.Version)
	case release.Sequence > base.Sequence:
		return nil
	}
	why := fmt.Sprintf("the base, %s %s, has sequence %d, and this delivery, %s, has %d: it does not come after it",
		base.Name, base.Version, base.Sequence, release.Version, release.Sequence)
	if release.Sequence == 0 && base.Sequence == 0 {
		why = fmt.Sprintf("neither the base, %s %s, nor this delivery, %s, has a sequence: nobody could tell which is newer",
			base.Name, base.Version, release.Version)
	}
	return fault.New(fault.Usage, fault.Here, "base", "resolve again with --after BASE, or with a higher --sequence", "%s", why)
}

// decodeDelta reads a signed delta.json and checks it against the inventory
// that stands before it.
func decodeDelta(data []byte, inventory *Inventory, target manifests.Digest) (*Delta, error) {
	var delta Delta
	if err := manifests.DecodeJSON(data, &delta); err != nil {
		return nil, fmt.Errorf("delta is not readable: %w", err)
	}
	switch {
	case delta.APIVersion != manifests.APIVersion || delta.Kind != KindDelta:
		return nil, fmt.Errorf("delta is a %q of %q", delta.Kind, delta.APIVersion)
	case delta.Target != target:
		return nil, fmt.Errorf("delta is for the bundle %s, this one is %s", delta.Target, target)
	case delta.Base.Digest == "" || delta.Base.Digest == target:
		return nil, errors.New("delta names no base")
	case len(delta.Entries) > len(inventory.Entries):
		return nil, errors.New("delta lists more entries than the inventory")
	}
	var paths []manifests.EntryPath
	for _, entry := range delta.among(inventory) {
		paths = append(paths, entry.Path)
	}
	if !slices.Equal(paths, delta.Entries) {
		return nil, errors.New("delta lists an entry that the inventory does not, or in another order")
	}
	return &delta, delta.checkDeep(inventory)
}

// Apply plans the whole bundle that a delta makes of its base, and gives the
// source that fills it: to the byte what the sender would have built in full,
// with the same signatures. It refuses a wrong base before any work is done.
// [Fill] checks every digest, whether content comes from the base or the delta.
func Apply(base, delta *Bundle) (*Plan, Source, error) {
	if delta.Delta == nil {
		return nil, nil, fault.New(fault.Usage, fault.Here, "delta", "it can be used as it is", "this is a whole bundle, not a delta")
	}
	if base.Delta != nil {
		return nil, nil, fault.New(fault.Usage, fault.Here, "base", "apply that delta to its own base first", "the base is a delta itself")
	}
	if want := delta.Delta.Base; base.Digest != want.Digest {
		have := base.Inventory.Lock.Release
		return nil, nil, fault.New(fault.Refused, fault.Site, "base", "find the bundle whose identity is "+string(want.Digest),
			"the delta is for %s %s (%s), the base given is %s %s (%s)",
			want.Name, want.Version, want.Digest.Short(), have.Name, have.Version, base.Digest.Short())
	}
	plan := &Plan{
		Inventory: delta.Inventory, encoded: delta.text, slots: delta.slots,
		layout: layOut(delta.Inventory, int64(len(delta.text)), nil, 0),
	}
	source := NewReuse(nil, delta, base)
	rebuilt, err := rebuilds(base, delta)
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range delta.Inventory.Entries {
		made := rebuilt[entry.Digest]
		if made == nil && !source.Has(entry.Digest) {
			return nil, nil, refused(string(entry.Path), "it is neither in the delta nor in the base")
		}
		plan.parts = append(plan.parts, part{entry: entry, rebuilt: made, content: manifests.Content{
			Digest: entry.Digest, Size: entry.Size, URL: string(entry.Path),
		}})
	}
	return plan, source, nil
}

// Reuse is a source that takes content from bundles that are at hand, and only
// what they lack from another source.
type Reuse struct {
	next    Source
	bundles []*Bundle
}

// section is a stretch of an open file.
type section struct {
	reader       io.ReaderAt
	offset, size int64
}

// NewReuse makes a source of open bundles, of which the first that has a content
// gives it, and of what stands in for them. Next may be nil. The bundles must
// stay open while the source is used. What they give is checked on its way, as
// [Bundle.OpenEntry] checks it.
func NewReuse(next Source, bundles ...*Bundle) *Reuse {
	return &Reuse{next: next, bundles: bundles}
}

// find opens the content where one of the bundles has it, else nothing.
func (r *Reuse) find(digest manifests.Digest) *checkedReader {
	for _, b := range r.bundles {
		if at, ok := b.contents.byDigest[digest]; ok && b.unverified != nil {
			return b.checked(at)
		}
	}
	return nil
}

// Has reports whether one of the bundles has the content.
func (r *Reuse) Has(digest manifests.Digest) bool { return r.find(digest) != nil }

// Open implements [Source].
func (r *Reuse) Open(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	found := r.find(content.Digest)
	switch {
	case found != nil && found.entry.Size == content.Size:
		_, err := io.CopyN(io.Discard, found, offset) // what was not read cannot be checked
		return found, err
	case r.next == nil:
		return nil, fault.New(fault.Failure, fault.Here, cmp.Or(content.URL, string(content.Digest)), "", "content is not in the bundles given")
	default:
		return r.next.Open(ctx, content, offset)
	}
}

// where returns where content stands in an open file, if nothing was read of it.
// [Fill] lets the kernel copy it from there, and compares what has arrived.
func (r *checkedReader) where() (section, bool) { return r.section.section, r.left == r.entry.Size }

func (r *sectionReader) where() (section, bool) { return r.section, r.at == 0 }

// sectionReader reads a section.
type sectionReader struct {
	section
	at int64
}

func (r *sectionReader) Read(p []byte) (int, error) {
	if r.at >= r.size {
		return 0, io.EOF
	}
	n, err := r.reader.ReadAt(p[:min(int64(len(p)), r.size-r.at)], r.offset+r.at)
	r.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (r *sectionReader) Close() error { return nil }

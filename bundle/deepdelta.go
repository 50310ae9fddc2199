package bundle

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"slices"

	"github.com/islandbundle/island/bundle/deep"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// DeepFolder holds the patches of a deep delta, by the digest of what they make.
const DeepFolder = "deep/sha256/"

const (
	// minDeepBlob is the size of a layer below which a patch is not worth it.
	minDeepBlob = 64 << 10
	// worthwhile is how many times smaller than its layer a patch has to be, to be
	// worth the time that rebuilding takes on the island.
	worthwhile = 2
)

// DeepPatch is a layer that a delta does not carry, but what makes it of a layer
// of the base.
type DeepPatch struct {
	Target manifests.Digest `json:"target"` // the layer's blob
	Base   manifests.Digest `json:"base"`   // the blob of the base bundle that it is made of
	Patch  manifests.Digest `json:"patch"`  // of the entry below deep/
	Size   int64            `json:"size"`   // of that entry, bytes
	Recipe deep.Recipe      `json:"recipe"`
}

func (d DeepPatch) path() manifests.EntryPath {
	return manifests.EntryPath(DeepFolder + d.Target.Hex())
}

func (d DeepPatch) entry() Entry { return Entry{Path: d.path(), Size: d.Size, Digest: d.Patch} }

// DeepOptions say how a deep delta is made.
type DeepOptions struct {
	// Folder is for patches, which stay until the plan is closed, and for what
	// layers hold while they are compared, all in files without a name. Empty
	// means the system's folder for temporary files.
	Folder   string
	Progress Progress // told in bytes of the layers that are compared
}

// DeepDelta is [Plan.Delta] that looks into changed layers: of those of which a
// patch is less than half and was proven to make the same bytes, it carries the
// patch. The base has to be open, and is read; the layers are fetched from the
// source, those that are carried whole once more when the delta is filled. The
// plan keeps the patches, and has to be closed.
func (p *Plan) DeepDelta(ctx context.Context, base *Bundle, source Source, options DeepOptions) (*Plan, error) {
	if base.Delta != nil || base.unverified == nil {
		return nil, fault.New(fault.Usage, fault.Here, "base", "give the whole earlier bundle", "the base is no whole bundle at hand")
	}
	shallow, err := p.Delta(base.Base())
	if err != nil {
		return nil, err
	}
	type job struct {
		part part
		from manifests.Content
	}
	var jobs []job
	total := int64(0)
	pairs := pairLayers(&base.Inventory.Lock, &p.Inventory.Lock)
	for _, part := range shallow.parts {
		from, ok := pairs[part.entry.Digest]
		if ok && part.entry.Size >= minDeepBlob && part.entry.Path == blobPath(part.entry.Digest) {
			jobs = append(jobs, job{part, from})
			total += part.entry.Size
		}
	}
	progress := orSilent(options.Progress)
	progress.Total(total)
	store, err := deep.Scratch(options.Folder)
	if err != nil {
		return nil, err
	}
	patching := patcher{base: NewReuse(nil, base), source: source, folder: options.Folder, store: store}
	var patches []storedPatch
	// One after the other: what a layer holds may be large.
	for _, job := range jobs {
		patch, err := patching.patch(ctx, job.part, job.from)
		switch {
		case err == nil:
			patches = append(patches, *patch)
		case !errors.Is(err, deep.ErrNoPatch):
			store.Close()
			return nil, fmt.Errorf("%s: %w", job.part.entry.Path, err)
		}
		progress.Done(job.part.entry.Size)
	}
	delta, err := p.deltaWith(base.Base(), patches)
	if err != nil {
		store.Close()
		return nil, err
	}
	delta.patches = store
	return delta, nil
}

// DeepPatches returns the patches that a planned delta carries.
func (p *Plan) DeepPatches() []DeepPatch {
	if p.delta == nil {
		return nil
	}
	return p.delta.Deep
}

// storedPatch is a patch and where it is until it is carried.
type storedPatch struct {
	DeepPatch
	at section
}

// patcher makes patches of layers.
type patcher struct {
	base, source Source
	folder       string   // for what is needed in between
	store        *os.File // to which patches are added
}

// patch makes and proves the patch of one layer, and adds it to the store. The
// error is [deep.ErrNoPatch] where there is none, or none worth while.
func (p *patcher) patch(ctx context.Context, target part, from manifests.Content) (*storedPatch, error) {
	old, err := openPinned(ctx, p.base, from)
	if err != nil {
		return nil, err
	}
	defer old.Close()
	new, err := openPinned(ctx, p.source, target.content)
	if err != nil {
		return nil, err
	}
	defer new.Close()
	file, err := deep.Scratch(p.folder)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	recipe, err := deep.Make(ctx, p.folder, old, new, file)
	if err != nil {
		return nil, err
	}
	size, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if size > target.entry.Size/worthwhile {
		return nil, fmt.Errorf("%w: it would have %d bytes, the layer %d", deep.ErrNoPatch, size, target.entry.Size)
	}
	at, digest, err := appendTo(p.store, io.NewSectionReader(file, 0, size))
	if err != nil {
		return nil, err
	}
	patch := DeepPatch{Target: target.entry.Digest, Base: from.Digest, Patch: digest, Size: size, Recipe: recipe}
	return &storedPatch{patch, at}, nil
}

// appendTo adds content to a file, and gives where it stands and its digest.
func appendTo(file *os.File, content io.Reader) (section, manifests.Digest, error) {
	offset, err := file.Seek(0, io.SeekEnd)
	if err != nil {
		return section{}, "", err
	}
	sum := sha256.New()
	size, err := io.Copy(io.MultiWriter(file, sum), content)
	return section{file, offset, size}, manifests.DigestFromSum(sum.Sum(nil)), err
}

func (p *storedPatch) part() part { return part{entry: p.entry(), stretch: &p.at} }

// openPinned opens content that ends with an error unless it is what is pinned.
func openPinned(ctx context.Context, source Source, content manifests.Content) (io.ReadCloser, error) {
	reader, err := source.Open(ctx, content, 0)
	if err != nil {
		return nil, err
	}
	return &pinnedReader{ReadCloser: reader, content: content, sum: sha256.New()}, nil
}

type pinnedReader struct {
	io.ReadCloser
	content manifests.Content
	sum     hash.Hash
}

func (r *pinnedReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.sum.Write(p[:n])
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	if digest := manifests.DigestFromSum(r.sum.Sum(nil)); digest != r.content.Digest {
		return n, fault.New(fault.Failure, fault.Upstream, cmp.Or(r.content.Repository, r.content.URL), "",
			"content has digest %s, pinned is %s", digest, r.content.Digest)
	}
	return n, err
}

// pairLayers finds for each layer that the base lacks the layer of the base that
// it is likely a new version of: of the same image for the same platform, the
// one at its place or, if that is of quite another size, the one nearest in size.
func pairLayers(base, target *manifests.Lock) map[manifests.Digest]manifests.Content {
	there, sizes := blobsOf(base), blobsOf(target)
	pairs := map[manifests.Digest]manifests.Content{}
	for _, image := range target.Images {
		for at, manifest := range image.Manifests {
			old := layersOf(base, image, at)
			for i, layer := range manifest.Layers {
				_, unchanged := there[layer]
				if _, paired := pairs[layer]; unchanged || paired || len(old) == 0 {
					continue
				}
				pairs[layer] = there[likeliest(old, there, i, sizes[layer].Size)]
			}
		}
	}
	return pairs
}

func blobsOf(lock *manifests.Lock) map[manifests.Digest]manifests.Content {
	blobs := map[manifests.Digest]manifests.Content{}
	for _, blob := range lock.Blobs {
		blobs[blob.Digest] = blob
	}
	return blobs
}

// layersOf returns the layers of the manifest of a base that one of an image is
// likely a new version of: of the same image for the same platform and, of several
// of those, the one in the same place among them.
func layersOf(base *manifests.Lock, image manifests.LockedImage, at int) []manifests.Digest {
	platform := image.Manifests[at].Platform
	place := len(manifestsFor(image.Manifests[:at], platform))
	for _, old := range base.Images {
		if list := manifestsFor(old.Manifests, platform); old.Name.Name() == image.Name.Name() && len(list) > 0 {
			return list[min(place, len(list)-1)].Layers
		}
	}
	return nil
}

func manifestsFor(list []manifests.LockedManifest, platform manifests.Platform) []manifests.LockedManifest {
	return slices.DeleteFunc(slices.Clone(list), func(m manifests.LockedManifest) bool { return m.Platform != platform })
}

func likeliest(old []manifests.Digest, there map[manifests.Digest]manifests.Content, place int, size int64) manifests.Digest {
	distance := func(d manifests.Digest) int64 { return max(size-there[d].Size, there[d].Size-size) }
	if place < len(old) && distance(old[place]) <= size/4 {
		return old[place]
	}
	return slices.MinFunc(old, func(a, b manifests.Digest) int { return cmp.Compare(distance(a), distance(b)) })
}

// checkDeep makes sure that the patches of a signed delta.json are of layers
// that the bundle has and the delta lacks, and within limits.
func (d *Delta) checkDeep(inventory *Inventory) error {
	if len(d.Deep) > len(inventory.Entries) {
		return errors.New("delta lists more patches than the inventory has entries")
	}
	blobs := map[manifests.EntryPath]int64{}
	for _, entry := range inventory.Entries {
		blobs[entry.Path] = entry.Size
	}
	for _, path := range d.Entries {
		delete(blobs, path)
	}
	for _, patch := range d.Deep {
		path := blobPath(patch.Target)
		size, lacks := blobs[path]
		switch {
		case patch.Target == "" || !lacks:
			return fmt.Errorf("patch for %.80q is for no blob of the bundle that the delta lacks", patch.Target)
		case patch.Base == "" || patch.Base == patch.Target || patch.Patch == "":
			return fmt.Errorf("patch for %q names no base or no content", path)
		case patch.Size < 1 || patch.Size > size:
			return fmt.Errorf("patch for %q has %d bytes, the blob %d", path, patch.Size, size)
		}
		if err := patch.Recipe.Check(); err != nil {
			return fmt.Errorf("patch for %q: %w", path, err)
		}
		delete(blobs, path) // once
	}
	return nil
}

// rebuilt is content that is made of a layer of the base and a patch.
type rebuilt struct {
	base   manifests.Content
	patch  manifests.Content
	recipe deep.Recipe
}

// rebuilds returns how each layer that a delta has a patch for is made. It refuses
// what cannot work before any work is done.
func rebuilds(base, delta *Bundle) (map[manifests.Digest]*rebuilt, error) {
	there := base.Inventory.holds()
	result := map[manifests.Digest]*rebuilt{}
	for _, patch := range delta.Delta.Deep {
		at, ok := there[patch.Base]
		if !ok {
			return nil, refused(string(patch.path()), "the patch is for %s, which the base does not have", patch.Base)
		}
		if !patch.Recipe.Gzip.Same() {
			return nil, fault.New(fault.Failure, fault.Here, string(patch.path()),
				"use the island program that the sender used; a delta carries it below tools/ if it is new",
				"this program compresses in another way than the one that made the patch")
		}
		result[patch.Target] = &rebuilt{
			base:   manifests.Content{Digest: patch.Base, Size: base.Inventory.Entries[at].Size},
			patch:  manifests.Content{Digest: patch.Patch, Size: patch.Size, URL: string(patch.path())},
			recipe: patch.Recipe,
		}
	}
	return result, nil
}

// open makes the content again; files without names are made in the folder.
func (r *rebuilt) open(ctx context.Context, source Source, folder string) (io.ReadCloser, error) {
	base, err := source.Open(ctx, r.base, 0)
	if err != nil {
		return nil, err
	}
	patch, err := source.Open(ctx, r.patch, 0)
	if err != nil {
		base.Close()
		return nil, err
	}
	return r.recipe.Open(ctx, folder, base, patch), nil
}

// explain words what goes wrong on the way, in which nothing comes from upstream.
func (r *rebuilt) explain(err error) error {
	if errors.Is(err, deep.ErrDamaged) {
		return refused(r.patch.URL, "%w", err)
	}
	return err
}

// scratchRoom returns how much disk rebuilding takes besides the bundle, when so
// many parts are filled at once.
func (p *Plan) scratchRoom(parallel int) int64 {
	var sizes []int64
	for _, part := range p.parts {
		if part.rebuilt != nil {
			sizes = append(sizes, part.rebuilt.recipe.BaseSize)
		}
	}
	slices.SortFunc(sizes, func(a, b int64) int { return cmp.Compare(b, a) })
	room := int64(0)
	for _, size := range sizes[:min(parallel, len(sizes))] {
		room += size
	}
	return room
}

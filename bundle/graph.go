package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/islandbundle/island/manifests"
)

// graph checks, in one pass over the archive, that every image is whole: what
// index.json, an index or a manifest names is in the archive with the size it
// is said to have. It does so as the format of the bundle says (docs/format.md,
// section 7).
//
// In format 1, bundle order puts what names before what is named, and only what was
// named is looked into. In format 2 an index can stand before the one that names
// it; every index and manifest of the lock is looked into, and at the end each that
// an image needs must have been named.
type graph struct {
	format int
	lock   *manifests.Lock
	blobs  map[manifests.Digest]manifests.Content // in the archive
	whole  map[manifests.Digest]bool              // indexes of artifacts, of which everything is carried
	expect map[manifests.Digest]string            // media type under which a manifest was named
	seen   map[manifests.Digest]bool              // manifests that were looked into
}

func newGraph(inventory *Inventory) *graph {
	g := &graph{
		format: inventory.Format,
		lock:   &inventory.Lock,
		blobs:  blobsOf(&inventory.Lock),
		whole:  map[manifests.Digest]bool{},
		expect: map[manifests.Digest]string{},
		seen:   map[manifests.Digest]bool{},
	}
	for _, image := range g.lock.Images {
		for _, digest := range append([]manifests.Digest{image.Digest}, image.Indexes...) {
			g.whole[digest] = g.whole[digest] || image.Artifact
		}
	}
	return g
}

// wants reports whether the content of an entry has to be shown to add.
func (g *graph) wants(entry Entry) bool {
	return g.isIndexOfLock(entry.Path) || entry.Path == blobPath(entry.Digest) && g.typeOf(entry.Digest) != ""
}

// isIndexOfLock reports whether an entry says to other programs what the lock says.
func (g *graph) isIndexOfLock(path manifests.EntryPath) bool {
	return path == OCILayoutPath || path == OCIIndexPath || path == DockerPath || path == ChartIndexPath
}

// typeOf returns the media type of an index or manifest that is looked into;
// nothing for other blobs.
func (g *graph) typeOf(digest manifests.Digest) string {
	if g.format == 1 {
		return g.expect[digest]
	}
	if mediaType := g.blobs[digest].MediaType; manifests.IsIndex(mediaType) || manifests.IsManifest(mediaType) {
		return mediaType
	}
	return ""
}

// limit returns the most bytes that the content of an entry to add may have.
func (g *graph) limit(entry Entry) int64 {
	if g.isIndexOfLock(entry.Path) {
		return MaxInventoryBytes // it says less than the inventory does
	}
	return maxManifestBytes
}

// add takes the content of index.json, of an index or of a manifest, whose
// digest has been checked.
func (g *graph) add(entry Entry, content []byte) error {
	switch entry.Path {
	case OCILayoutPath:
		if string(content) != ociLayout {
			return errors.New("it is not " + ociLayout + ", without which clients read no image")
		}
		return nil
	case OCIIndexPath:
		return g.addLayout(content)
	case DockerPath:
		return g.addDocker(content)
	case ChartIndexPath:
		return g.addCharts(content)
	}
	g.seen[entry.Digest] = true
	if !manifests.IsIndex(g.typeOf(entry.Digest)) {
		return g.addManifest(content)
	}
	index, err := manifests.ParseImageIndex(content)
	if err != nil {
		return err
	}
	if g.format == 1 {
		return g.addFirsts(index)
	}
	return g.addCarried(index, g.whole[entry.Digest])
}

func (g *graph) addLayout(content []byte) error {
	var index ociIndex
	if err := manifests.DecodeJSON(content, &index); err != nil {
		return fmt.Errorf("not an OCI index: %w", err)
	}
	for _, d := range index.Manifests {
		if err := g.name(d); err != nil {
			return err
		}
	}
	want := layoutIndex(g.lock)
	index.MediaType = want.MediaType // it may be left out (image-spec, image-index.md)
	for i, image := range g.lock.Images {
		if i >= len(index.Manifests) || !reflect.DeepEqual(index.Manifests[i], want.Manifests[i]) {
			return fmt.Errorf("it does not name image %s as the lock does", image.Name)
		}
	}
	if !reflect.DeepEqual(index, want) {
		return errors.New("it names more than the images of the lock")
	}
	return nil
}

// addDocker checks Docker's index of the same images.
func (g *graph) addDocker(content []byte) error {
	var have []dockerImage
	if err := manifests.DecodeJSON(content, &have); err != nil {
		return fmt.Errorf("not the index of a Docker archive: %w", err)
	}
	if !reflect.DeepEqual(have, dockerIndex(g.lock)) {
		return errors.New("it does not name the images as the lock does")
	}
	return nil
}

// addCharts checks the index of the charts.
func (g *graph) addCharts(content []byte) error {
	want, err := chartIndex(g.lock)
	if err != nil || bytes.Equal(content, want) {
		return err
	}
	have, expected := chartIndexFile{}, chartIndexFile{}
	if err := manifests.DecodeStrict(ChartIndexPath, content, &have); err != nil {
		return err
	}
	if err := manifests.DecodeStrict(ChartIndexPath, want, &expected); err != nil {
		return err
	}
	if !reflect.DeepEqual(have, expected) {
		return errors.New("it does not name the charts as the lock does")
	}
	return nil
}

// addFirsts checks an index as format 1 has it: for each platform the first image is
// there, and at least one is.
func (g *graph) addFirsts(index manifests.ImageIndex) error {
	found := false
	for _, entry := range index.Manifests {
		if _, here := g.blobs[entry.Digest]; !here {
			continue // another platform's, left upstream
		}
		found = true
		if err := g.name(described(entry)); err != nil {
			return err
		}
	}
	for _, platform := range g.lock.Release.Platforms {
		if entry, ok := index.First(platform); ok {
			if _, here := g.blobs[entry.Digest]; !here {
				return fmt.Errorf("its image %s for %s is not in the archive", entry.Digest, platform)
			}
		}
	}
	if !found {
		return fmt.Errorf("none of its images is in the archive")
	}
	return nil
}

// addCarried checks an index as format 2 has it: everything is there that a client
// looks for, and of an artifact all that it names.
func (g *graph) addCarried(index manifests.ImageIndex, whole bool) error {
	carried := map[manifests.Digest]bool{}
	for _, entry := range index.Carried(g.lock.Release.Platforms) {
		carried[entry.Digest] = true
	}
	for _, entry := range index.Manifests {
		_, here := g.blobs[entry.Digest]
		switch {
		case entry.IsFollowed() && (here || whole || carried[entry.Digest]):
			if err := g.name(described(entry)); err != nil {
				return err
			}
		case whole:
			if err := g.present(described(entry)); err != nil {
				return err
			}
		}
	}
	return nil
}

func described(entry manifests.IndexEntry) descriptor {
	return descriptor{MediaType: entry.MediaType, Digest: entry.Digest, Size: entry.Size}
}

func (g *graph) addManifest(content []byte) error {
	var manifest imageManifest
	if err := manifests.DecodeImageJSON(content, &manifest); err != nil {
		return fmt.Errorf("not an image manifest: %w", err)
	}
	for _, d := range append([]descriptor{manifest.Config}, manifest.Layers...) {
		if err := g.present(d); err != nil {
			return err
		}
	}
	return nil
}

// name notes a manifest or index that is named, and so has to be looked into.
func (g *graph) name(d descriptor) error {
	if !manifests.IsIndex(d.MediaType) && !manifests.IsManifest(d.MediaType) {
		return fmt.Errorf("it names %s of unknown type %.80q", d.Digest, d.MediaType)
	}
	if err := g.present(d); err != nil {
		return err
	}
	if have := g.blobs[d.Digest].MediaType; g.format > 1 && manifests.IsIndex(have) != manifests.IsIndex(d.MediaType) {
		return fmt.Errorf("it names %s as %s, and it is %.80q", d.Digest, d.MediaType, have)
	}
	g.expect[d.Digest] = d.MediaType
	return nil
}

func (g *graph) present(d descriptor) error {
	blob, ok := g.blobs[d.Digest]
	if !ok {
		return fmt.Errorf("it names blob %s, which is not in the archive", d.Digest)
	}
	if blob.Size != d.Size {
		return fmt.Errorf("it names blob %s with %d bytes, the archive has %d", d.Digest, d.Size, blob.Size)
	}
	return nil
}

// complete tells, at the end of the archive, whether every manifest that was
// named has been looked into, and every one that an image needs was named.
func (g *graph) complete() error {
	for _, digest := range slices.Sorted(maps.Keys(g.expect)) {
		if !g.seen[digest] {
			return refused(string(blobPath(digest)), "the manifest stands before what names it")
		}
	}
	if g.format == 1 {
		return nil
	}
	for _, image := range g.lock.Images {
		needed := slices.Clone(image.Indexes)
		for _, m := range image.Manifests {
			needed = append(needed, m.Digest)
		}
		for _, digest := range needed {
			if g.expect[digest] == "" {
				return refused(string(blobPath(digest)), "no index names it, and it is of image %s", image.Name)
			}
		}
	}
	return nil
}

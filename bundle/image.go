package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/islandbundle/island/manifests"
)

// descriptor is an OCI content descriptor (image-spec, descriptor.md), as far
// as it is written and read here.
type descriptor struct {
	MediaType   string              `json:"mediaType"`
	Digest      manifests.Digest    `json:"digest"`
	Size        int64               `json:"size"`
	Platform    *descriptorPlatform `json:"platform,omitempty"`
	Annotations map[string]string   `json:"annotations,omitempty"`
}

type descriptorPlatform struct {
	OS           string `json:"os"`
	Architecture string `json:"architecture"`
	Variant      string `json:"variant,omitempty"`
}

// ociIndex is an OCI image index (image-spec, image-index.md); Docker's
// manifest list has the same members.
type ociIndex struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType,omitempty"`
	Manifests     []descriptor `json:"manifests"`
}

// imageManifest is an OCI image manifest (image-spec, manifest.md); Docker's
// schema 2 has the same members.
type imageManifest struct {
	SchemaVersion int          `json:"schemaVersion"`
	MediaType     string       `json:"mediaType,omitempty"`
	Config        descriptor   `json:"config"`
	Layers        []descriptor `json:"layers"`
}

// dockerImage is one element of the manifest.json of a Docker archive
// ("docker save", Docker Image Specification v1.2.0).
type dockerImage struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// The annotations by which clients find a name in an OCI layout.
const (
	refNameAnnotation    = "org.opencontainers.image.ref.name" // image-spec, annotations.md; skopeo
	containerdAnnotation = "io.containerd.image.name"          // containerd's importer
)

// imageParts returns the OCI image layout (image-spec, image-layout.md) at the
// root of the archive, with Docker's manifest.json pointing into it.
func imageParts(lock *manifests.Lock) ([]part, error) {
	index := ociIndex{SchemaVersion: 2, MediaType: manifests.OCIIndex, Manifests: []descriptor{}}
	docker := []dockerImage{}
	tagged := map[string]bool{}
	for _, image := range lock.Images {
		name := image.Name.String()
		index.Manifests = append(index.Manifests, descriptor{
			MediaType: image.MediaType, Digest: image.Digest, Size: image.Size,
			Annotations: map[string]string{refNameAnnotation: name, containerdAnnotation: kubeletName(image.Name)},
		})
		docker = append(docker, dockerArchive(image, tagged)...)
	}
	indexJSON, err := json.Marshal(index)
	if err != nil {
		return nil, err
	}
	dockerJSON, err := json.Marshal(docker)
	if err != nil {
		return nil, err
	}
	parts := []part{
		textPart(OCILayoutPath, []byte(`{"imageLayoutVersion":"1.0.0"}`)),
		textPart(OCIIndexPath, indexJSON),
		textPart(DockerPath, dockerJSON),
	}
	// Bundle order, whatever order the lock has: a stream is checked by it.
	blobs := slices.Clone(lock.Blobs)
	manifests.SortBlobs(blobs)
	for _, blob := range blobs {
		parts = append(parts, contentPart(blobPath(blob.Digest), 0, blob))
	}
	return parts, nil
}

// kubeletName returns the name by which containerd looks an image up for a pod
// that says name: with a digest the tag is dropped (distribution/reference,
// ParseDockerRef). An image that is kept under both is never found.
func kubeletName(name manifests.ImageRef) string {
	if name.Digest != "" {
		name.Tag = ""
	}
	return name.String()
}

// dockerArchive describes an image to clients that read Docker archives. Such
// an archive knows no platforms, so only the image for the release's first
// platform gets the tag; and it knows no digests, so an image that has no tag
// gets none. A tag is given once: of two images that a release names by the same
// tag and different digests, the first keeps it.
func dockerArchive(image manifests.LockedImage, tagged map[string]bool) []dockerImage {
	var result []dockerImage
	for i, manifest := range image.Manifests {
		entry := dockerImage{Config: string(blobPath(manifest.Config)), RepoTags: []string{}, Layers: []string{}}
		if name := image.Name.Name() + ":" + image.Name.Tag; i == 0 && image.Name.Tag != "" && !tagged[name] {
			tagged[name] = true
			entry.RepoTags = append(entry.RepoTags, name)
		}
		for _, layer := range manifest.Layers {
			entry.Layers = append(entry.Layers, string(blobPath(layer)))
		}
		result = append(result, entry)
	}
	return result
}

// graph checks, in one pass over the archive, that every image is whole: what
// index.json, an index or a manifest names is in the archive with the size it
// is said to have. Bundle order puts what names before what is named, so that
// a pipe can be checked with nothing held back.
type graph struct {
	sizes     map[manifests.Digest]int64 // of the blobs in the archive
	images    []manifests.LockedImage
	platforms []manifests.Platform
	expect    map[manifests.Digest]string // media type under which a manifest was named
	seen      map[manifests.Digest]bool   // manifests that were looked into
}

func newGraph(inventory *Inventory) *graph {
	g := &graph{
		sizes:     map[manifests.Digest]int64{},
		images:    inventory.Lock.Images,
		platforms: inventory.Lock.Release.Platforms,
		expect:    map[manifests.Digest]string{},
		seen:      map[manifests.Digest]bool{},
	}
	for _, blob := range inventory.Lock.Blobs {
		g.sizes[blob.Digest] = blob.Size
	}
	return g
}

// wants reports whether the content of an entry has to be shown to add.
func (g *graph) wants(entry Entry) bool {
	return entry.Path == OCIIndexPath || entry.Path == blobPath(entry.Digest) && g.expect[entry.Digest] != ""
}

// limit returns the most bytes that the content of an entry to add may have.
func (g *graph) limit(entry Entry) int64 {
	if entry.Path == OCIIndexPath {
		return MaxInventoryBytes // it says less than the inventory does
	}
	return maxManifestBytes
}

// add takes the content of index.json, of an index or of a manifest, whose
// digest has been checked.
func (g *graph) add(entry Entry, content []byte) error {
	if entry.Path == OCIIndexPath {
		var index ociIndex
		if err := json.Unmarshal(content, &index); err != nil {
			return fmt.Errorf("not an OCI index: %w", err)
		}
		for _, d := range index.Manifests {
			if err := g.name(d); err != nil {
				return err
			}
		}
		for _, image := range g.images {
			if g.expect[image.Digest] != image.MediaType {
				return fmt.Errorf("it does not name image %s as the lock does", image.Name)
			}
		}
		return nil
	}
	g.seen[entry.Digest] = true
	if manifests.IsIndex(g.expect[entry.Digest]) {
		return g.addIndex(content)
	}
	return g.addManifest(content)
}

func (g *graph) addIndex(content []byte) error {
	var index ociIndex
	if err := json.Unmarshal(content, &index); err != nil {
		return fmt.Errorf("not an image index: %w", err)
	}
	found := false
	for _, d := range index.Manifests {
		if _, here := g.sizes[d.Digest]; !here {
			continue // another platform's, left upstream
		}
		found = true
		if err := g.name(d); err != nil {
			return err
		}
	}
	for _, platform := range g.platforms {
		if d := choose(index.Manifests, platform); d != nil {
			if _, here := g.sizes[d.Digest]; !here {
				return fmt.Errorf("its image %s for %s is not in the archive", d.Digest, platform)
			}
		}
	}
	if !found {
		return fmt.Errorf("none of its images is in the archive")
	}
	return nil
}

// choose returns the first manifest of an index that runs on a platform.
func choose(list []descriptor, platform manifests.Platform) *descriptor {
	for i, d := range list {
		if p := d.Platform; p != nil && platform.Matches(manifests.Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}) {
			return &list[i]
		}
	}
	return nil
}

func (g *graph) addManifest(content []byte) error {
	var manifest imageManifest
	if err := json.Unmarshal(content, &manifest); err != nil {
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
	g.expect[d.Digest] = d.MediaType
	return g.present(d)
}

func (g *graph) present(d descriptor) error {
	size, ok := g.sizes[d.Digest]
	if !ok {
		return fmt.Errorf("it names blob %s, which is not in the archive", d.Digest)
	}
	if size != d.Size {
		return fmt.Errorf("it names blob %s with %d bytes, the archive has %d", d.Digest, d.Size, size)
	}
	return nil
}

// complete tells, at the end of the archive, whether every manifest that was
// named has been looked into.
func (g *graph) complete() error {
	for _, digest := range slices.Sorted(maps.Keys(g.expect)) {
		if !g.seen[digest] {
			return refused(string(blobPath(digest)), "the manifest stands before what names it")
		}
	}
	return nil
}

// isBlank reports whether bytes are all zero.
func isBlank(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

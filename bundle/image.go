package bundle

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/islandbundle/island/manifests"
)

// descriptor is an OCI content descriptor (image-spec, descriptor.md), as far
// as it is written and read here.
type descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      manifests.Digest  `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// ociIndex is index.json (OCI image-spec, image-layout.md).
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
	indexJSON, err := json.Marshal(layoutIndex(lock))
	if err != nil {
		return nil, err
	}
	dockerJSON, err := json.Marshal(dockerIndex(lock))
	if err != nil {
		return nil, err
	}
	parts := []part{
		textPart(OCILayoutPath, []byte(ociLayout)),
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

// ociLayout is the content of oci-layout (image-spec, image-layout.md).
const ociLayout = `{"imageLayoutVersion":"1.0.0"}`

// layoutIndex returns what index.json says. The planner and the verifier share it.
func layoutIndex(lock *manifests.Lock) ociIndex {
	index := ociIndex{SchemaVersion: 2, MediaType: manifests.OCIIndex, Manifests: []descriptor{}}
	for _, image := range lock.Images {
		index.Manifests = append(index.Manifests, descriptor{
			MediaType: image.MediaType, Digest: image.Digest, Size: image.Size, Annotations: annotations(image),
		})
	}
	return index
}

// dockerIndex returns what manifest.json says, likewise.
func dockerIndex(lock *manifests.Lock) []dockerImage {
	docker := []dockerImage{}
	tagged := map[string]bool{}
	for _, image := range lock.Images {
		docker = append(docker, dockerArchive(image, tagged)...)
	}
	return docker
}

// annotations name an image to clients. An artifact has no name for a kubelet.
func annotations(image manifests.LockedImage) map[string]string {
	named := map[string]string{refNameAnnotation: image.Name.String()}
	if !image.Artifact {
		named[containerdAnnotation] = kubeletName(image.Name)
	}
	return named
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
		if !image.Runs(manifest) {
			continue // the first does, unless none does
		}
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

// isBlank reports whether bytes are all zero.
func isBlank(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

package manifests

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/exactjson"
	"github.com/islandbundle/island/internal/jsonweight"
)

// ImageIndex is what is read of an image index (OCI image-spec, image-index.md;
// Docker's manifest list has the same members).
type ImageIndex struct {
	ArtifactType string       `json:"artifactType"`
	Manifests    []IndexEntry `json:"manifests"`
}

// IndexEntry is what an index says of one manifest, or of one index within it.
type IndexEntry struct {
	MediaType    string         `json:"mediaType"`
	Digest       Digest         `json:"digest"`
	Size         int64          `json:"size"` // bytes
	ArtifactType string         `json:"artifactType"`
	Platform     *EntryPlatform `json:"platform"`
}

// EntryPlatform is the platform that an index or an image's configuration says.
// It is not checked.
type EntryPlatform struct {
	OS           string   `json:"os"`
	Architecture string   `json:"architecture"`
	Variant      string   `json:"variant"`
	OSVersion    string   `json:"os.version"`
	OSFeatures   []string `json:"os.features"`
}

// Platform returns the platform without its features. The version is dropped of all
// that is not Windows: it says nothing there.
func (p EntryPlatform) Platform() Platform {
	platform := Platform{OS: p.OS, Architecture: p.Architecture, Variant: p.Variant}
	if platform.normal().OS == "windows" {
		platform.OSVersion = p.OSVersion
	}
	return platform
}

// ParseImageIndex reads an index. What it names is not checked.
func ParseImageIndex(data []byte) (ImageIndex, error) {
	var index ImageIndex
	if err := DecodeImageJSON(data, &index); err != nil {
		return ImageIndex{}, fmt.Errorf("not an image index: %w", err)
	}
	return index, nil
}

// DecodeImageJSON reads an index or a manifest, and refuses one in which clients would
// find other digests than others do: with a member twice or in other letters, of
// which encoding/json (containerd, skopeo, podman) takes the last and stricter readers
// the first or none; or that is an index and a manifest at once (CVE-2021-41190),
// which containerd and skopeo refuse.
func DecodeImageJSON(data []byte, into any) error {
	if err := jsonweight.Unmarshal(data, into); err != nil {
		return err
	}
	if err := exactjson.Members(data, into); err != nil {
		return err
	}
	var both struct {
		Manifests json.RawMessage `json:"manifests"`
		Config    json.RawMessage `json:"config"`
		Layers    json.RawMessage `json:"layers"`
		FSLayers  json.RawMessage `json:"fsLayers"`
	}
	if err := json.Unmarshal(data, &both); err != nil {
		return err
	}
	if err := exactjson.Members(data, &both); err != nil {
		return err
	}
	if both.Manifests != nil && (both.Config != nil || both.Layers != nil || both.FSLayers != nil) {
		return errors.New("it is an index and a manifest at once: clients do not agree which")
	}
	return nil
}

// Carried returns the entries of an index that a bundle for some platforms has to
// have, in the index's order: all those for the variant of a platform that
// suits best, whatever else is said of them (features, a build of Windows, the type
// of an artifact), and all those of which no platform is said. A client that imports
// images looks for each of them (containerd, images.FilterPlatforms), and fails if one
// is missing. An entry that is neither an index nor a manifest has no parts to follow;
// clients pass it over.
//
// Resolving and verifying both ask here, so that they cannot disagree.
func (x ImageIndex) Carried(platforms []Platform) []IndexEntry {
	best := make([]int, len(platforms))
	for i, platform := range platforms {
		best[i] = x.best(platform)
	}
	suits := func(have Platform) bool {
		for i, platform := range platforms {
			if rank, ok := platform.Rank(have); ok && rank == best[i] {
				return true
			}
		}
		return false
	}
	var carried []IndexEntry
	for _, entry := range x.Manifests {
		if entry.IsFollowed() && (entry.Platform == nil || suits(entry.Platform.Platform())) {
			carried = append(carried, entry)
		}
	}
	return carried
}

// best returns the rank of the variant that suits a platform best.
func (x ImageIndex) best(platform Platform) int {
	best := -1
	for _, entry := range x.Manifests {
		if entry.Platform == nil || !entry.IsFollowed() {
			continue
		}
		if rank, ok := platform.Rank(entry.Platform.Platform()); ok && (best < 0 || rank < best) {
			best = rank
		}
	}
	return best
}

// First returns the first entry for a platform, where one without a variant takes
// any: the one that bundles of format 1 have, and that alone (docs/format.md,
// section 7).
func (x ImageIndex) First(platform Platform) (IndexEntry, bool) {
	for _, entry := range x.Manifests {
		if entry.Platform != nil && platform.isFirstMet(entry.Platform) {
			return entry, true
		}
	}
	return IndexEntry{}, false
}

func (p Platform) isFirstMet(have *EntryPlatform) bool {
	if p.OS != have.OS || p.Architecture != have.Architecture {
		return false
	}
	if p.Architecture == "arm64" {
		return cmp.Or(p.Variant, "v8") == cmp.Or(have.Variant, "v8")
	}
	return p.Variant == "" || p.Variant == have.Variant
}

// FormatFor returns the least format of bundles in which the index can be carried
// for some platforms: 1 if all that is carried are the entries that format 1
// carries, and none of them is an index.
func (x ImageIndex) FormatFor(platforms []Platform) int {
	firsts := map[Digest]bool{}
	for _, platform := range platforms {
		if entry, ok := x.First(platform); ok {
			firsts[entry.Digest] = true
		}
	}
	carried := x.Carried(platforms)
	for _, entry := range carried {
		if !firsts[entry.Digest] || IsIndex(entry.MediaType) {
			return 2
		}
	}
	for digest := range firsts {
		if !slices.ContainsFunc(carried, func(e IndexEntry) bool { return e.Digest == digest }) {
			return 2
		}
	}
	return 1
}

// IsFollowed reports whether the entry is an index or a manifest, which name further
// parts of the image.
func (e IndexEntry) IsFollowed() bool { return IsIndex(e.MediaType) || IsManifest(e.MediaType) }

// The media types of an image's configuration (OCI image-spec, media-types.md;
// Docker Image Manifest V2, Schema 2).
const (
	OCIConfig    = "application/vnd.oci.image.config.v1+json"
	DockerConfig = "application/vnd.docker.container.image.v1+json"
)

// IsImageLayer reports whether a media type is that of an image's layer, whatever its
// compression (OCI image-spec, media-types.md; Docker Image Manifest V2, Schema 2).
// Nothing else is unpacked by containerd (images.DiffCompression). What does not say
// its type may be one.
func IsImageLayer(mediaType string) bool {
	return mediaType == "" || mediaType == "application/octet-stream" ||
		strings.HasPrefix(mediaType, "application/vnd.oci.image.layer.") || strings.HasPrefix(mediaType, "application/vnd.docker.image.rootfs.")
}

// IsImageConfig reports whether a media type is that of an image's configuration,
// rather than that of an artifact. Old Docker clients pushed it under general types (moby,
// distribution/pull_v2.go).
func IsImageConfig(mediaType string) bool {
	switch mediaType {
	case OCIConfig, DockerConfig, "", "application/octet-stream", "application/json", "text/html":
		return true
	default:
		return false
	}
}

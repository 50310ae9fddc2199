package source

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/internal/jsonweight"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// maxManifestBytes is how large a manifest may be (OCI distribution-spec,
// "Pushing Manifests": at least 4 MiB should be supported).
const maxManifestBytes = 4 << 20

// manifestTypes are the media types of manifests and indices that are fetched.
var manifestTypes = map[string]struct{}{
	string(types.OCIManifestSchema1):    {},
	string(types.OCIImageIndex):         {},
	string(types.DockerManifestSchema2): {},
	string(types.DockerManifestList):    {},
}

var acceptManifests = strings.Join([]string{
	string(types.OCIImageIndex), string(types.OCIManifestSchema1),
	string(types.DockerManifestList), string(types.DockerManifestSchema2),
}, ", ")

// Manifest is an image manifest or index, byte for byte as upstream has it.
type Manifest struct {
	Bytes      []byte
	MediaType  string // OCI image-spec, media-types.md, or Docker's schema 2
	Digest     manifests.Digest
	Repository string // registry and repository of the name, for Content.Repository
}

// images are manifests and indices by name: out of registries, image layouts and
// the cache.
type images struct {
	*common
}

// Manifest fetches what an image name means. If the name has a digest, that
// decides and the tag is not asked for. Manifests and indices of OCI and of
// Docker's schema 2 are accepted, up to 4 MiB; bytes with another digest are an
// error.
func (im *images) Manifest(ctx context.Context, ref manifests.ImageRef) (Manifest, error) {
	object := ref.String()
	locations, err := im.locator.repository(ref.Name())
	if err != nil {
		return Manifest{}, err
	}
	return im.manifest(ctx, object, ref.Name(), cmp.Or(string(ref.Digest), ref.Tag), locations)
}

// manifest fetches the manifest of a tag or digest.
func (im *images) manifest(ctx context.Context, object, name, reference string, locations []location) (Manifest, error) {
	m := Manifest{Repository: name}
	digest, err := manifests.ParseDigest(reference)
	pinned := err == nil
	if pinned {
		m.Digest = digest
		if data, ok := im.cache.read(digest, maxManifestBytes); ok {
			m.Bytes, err = data, inspect(&m, data, "")
			return m, fault.Explain(err, fault.Failure, fault.Upstream, object, "")
		}
	}
	tag := tagRecord(name, reference)
	err = im.each(ctx, object, locations, func(l location) error {
		found := Manifest{Repository: name, Digest: m.Digest}
		if err := im.fetchManifest(ctx, l, reference, &found); err != nil {
			return err
		}
		m = found
		return nil
	})
	if err != nil {
		if !pinned && errors.Is(err, ErrOffline) {
			return im.lastManifest(object, tag, m, err)
		}
		return Manifest{}, err
	}
	if err := im.cache.write(m.Digest, m.Bytes); err != nil {
		return Manifest{}, err
	}
	if !pinned {
		err = im.cache.remember(tag, record{Digest: m.Digest})
	}
	return m, err
}

// tagRecord is under what name the cache keeps what a tag means.
func tagRecord(name, tag string) string { return "tag " + name + ":" + tag }

// lastManifest returns what a tag was when it was last asked for.
func (im *images) lastManifest(object, tag string, m Manifest, offline error) (Manifest, error) {
	last, ok := im.cache.recall(tag)
	if !ok {
		return Manifest{}, offline
	}
	data, ok := im.cache.read(last.Digest, maxManifestBytes)
	if !ok {
		return Manifest{}, offline
	}
	m.Bytes, m.Digest = data, last.Digest
	return m, fault.Explain(inspect(&m, data, ""), fault.Failure, fault.Upstream, object, "")
}

// fetchManifest fetches a manifest from one location and checks it.
func (im *images) fetchManifest(ctx context.Context, l location, reference string, m *Manifest) error {
	var data []byte
	var contentType, said string
	var err error
	if l.kind == folderKind {
		data, err = layoutManifest(l, reference)
	} else {
		data, contentType, said, err = im.getManifest(ctx, l, reference)
	}
	if err != nil {
		return err
	}
	digest := manifests.DigestOf(data)
	switch {
	case m.Digest != "" && digest != m.Digest:
		return registry.Refuse("manifest has digest %s, wanted %s", digest, m.Digest)
	case m.Digest == "" && strings.HasPrefix(said, "sha256:") && said != string(digest) && !isSchema1(contentType):
		return registry.Refuse("registry says digest %.80q of a manifest with digest %s", said, digest)
	}
	m.Bytes, m.Digest = data, digest
	return inspect(m, data, contentType)
}

func (im *images) getManifest(ctx context.Context, l location, reference string) (data []byte, contentType, digest string, err error) {
	session, err := l.session(ctx, im.client)
	if err != nil {
		return nil, "", "", err
	}
	data, said, err := session.Read(ctx, "/manifests/"+reference, http.Header{"Accept": {acceptManifests}}, maxManifestBytes)
	return data, contentTypeOf(said), said.Get("Docker-Content-Digest"), err
}

// contentTypeOf returns the media type that an answer says, without parameters.
func contentTypeOf(said http.Header) string {
	contentType, _, _ := strings.Cut(said.Get("Content-Type"), ";")
	return strings.TrimSpace(contentType)
}

func isManifest(mediaType string) bool {
	_, ok := manifestTypes[mediaType]
	return ok
}

func isSchema1(mediaType string) bool { return types.MediaType(mediaType).IsSchema1() }

// inspect finds out the media type of a manifest. Its own mediaType decides;
// OCI lets it be left out, and then its fields do (image-spec, manifest.md and
// image-index.md, "mediaType"). One that could be read as both a manifest and
// an index, or that travels as another type than it says, is refused
// (CVE-2021-41190).
func inspect(m *Manifest, data []byte, contentType string) error {
	var doc struct {
		SchemaVersion int             `json:"schemaVersion"`
		MediaType     string          `json:"mediaType"`
		Manifests     json.RawMessage `json:"manifests"`
		Config        json.RawMessage `json:"config"`
		Layers        json.RawMessage `json:"layers"`
	}
	if err := jsonweight.Unmarshal(data, &doc); err != nil {
		return registry.Refuse("manifest is not valid JSON: %w", err)
	}
	if doc.SchemaVersion == 1 || isSchema1(contentType) || isSchema1(doc.MediaType) {
		return fault.New(fault.Failure, fault.Upstream, "", "push it again with a tool of this decade",
			"image is in Docker's schema 1, which has no digests for its layers and is not supported")
	}
	index, image := doc.Manifests != nil, doc.Config != nil || doc.Layers != nil
	mediaType := doc.MediaType
	switch {
	case doc.SchemaVersion != 2:
		return registry.Refuse("manifest has schemaVersion %d, wanted 2", doc.SchemaVersion)
	case index == image:
		return registry.Refuse("manifest is not clearly either an image or an index")
	case mediaType == "" && index:
		mediaType = string(types.OCIImageIndex)
	case mediaType == "":
		mediaType = string(types.OCIManifestSchema1)
	}
	if !isManifest(mediaType) || types.MediaType(mediaType).IsIndex() != index {
		return registry.Refuse("manifest has the unsupported media type %.80q", mediaType)
	}
	if isManifest(contentType) && contentType != mediaType {
		return registry.Refuse("manifest says media type %s and was sent as %s", mediaType, contentType)
	}
	m.MediaType = mediaType
	return nil
}

// open opens a manifest as content.
func (im *images) open(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	locations, err := im.locator.repository(content.Repository)
	if err != nil {
		return nil, err
	}
	object := describe(content)
	m, err := im.manifest(ctx, object, content.Repository, string(content.Digest), locations)
	if err != nil {
		return nil, err
	}
	if int64(len(m.Bytes)) != content.Size {
		return nil, fault.New(fault.Failure, fault.Upstream, object, "", "manifest has %d bytes, not %d", len(m.Bytes), content.Size)
	}
	return io.NopCloser(bytes.NewReader(m.Bytes[offset:])), nil
}

// tags returns up to a thousand tags of the first of some locations that lists
// any (distribution-spec, "Listing Tags").
func (im *images) tags(ctx context.Context, locations []location) []string {
	for _, l := range locations {
		if l.kind != registryKind {
			continue
		}
		if list, err := im.tagsAt(ctx, l); err == nil && len(list) > 0 {
			return list
		}
	}
	return nil
}

func (im *images) tagsAt(ctx context.Context, l location) ([]string, error) {
	session, err := l.session(ctx, im.client)
	if err != nil {
		return nil, err
	}
	response, err := session.Do(ctx, http.MethodGet, "/tags/list?n=1000", nil, http.StatusOK)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	data, err := registry.ReadBounded(response.Body, maxManifestBytes)
	if err != nil {
		return nil, err
	}
	var list struct{ Tags []string }
	err = jsonweight.Unmarshal(data, &list)
	return list.Tags, err
}

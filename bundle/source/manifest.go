package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// manifestTypes are the media types of manifests and indices that are carried.
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

// Manifest fetches what an image name means. If the name has a digest, that
// decides and the tag is not asked for. Manifests and indices of OCI and of
// Docker's schema 2 are accepted, up to [MaxManifestBytes]; bytes with another
// digest are an error.
func (u *Upstream) Manifest(ctx context.Context, ref manifests.ImageRef) (Manifest, error) {
	object := ref.String()
	locations, err := u.locateRepository(ref.Name())
	if err != nil {
		return Manifest{}, err
	}
	return u.manifest(ctx, object, ref.Name(), or(string(ref.Digest), ref.Tag), locations)
}

// manifest fetches the manifest of a tag or digest.
func (u *Upstream) manifest(ctx context.Context, object, name, reference string, locations []location) (Manifest, error) {
	m := Manifest{Repository: name}
	digest, err := manifests.ParseDigest(reference)
	pinned := err == nil
	if pinned {
		m.Digest = digest
		if data, ok := u.cache.read(digest, MaxManifestBytes); ok {
			m.Bytes, err = data, inspect(&m, data, "")
			return m, fault.Explain(err, fault.Failure, fault.Upstream, object, "")
		}
	}
	tag := "tag " + name + ":" + reference
	err = u.each(ctx, object, locations, func(l location) error {
		found := Manifest{Repository: name, Digest: m.Digest}
		if err := u.fetchManifest(ctx, l, reference, &found); err != nil {
			return err
		}
		m = found
		return nil
	})
	if err != nil {
		if !pinned && errors.Is(err, ErrOffline) {
			return u.lastManifest(object, tag, m, err)
		}
		return Manifest{}, err
	}
	if err := u.cache.write(m.Digest, m.Bytes); err != nil {
		return Manifest{}, err
	}
	if !pinned {
		err = u.cache.remember(tag, record{Digest: m.Digest})
	}
	return m, err
}

// lastManifest returns what a tag was when it was last asked for.
func (u *Upstream) lastManifest(object, tag string, m Manifest, offline error) (Manifest, error) {
	last, ok := u.cache.recall(tag)
	if !ok {
		return Manifest{}, offline
	}
	data, ok := u.cache.read(last.Digest, MaxManifestBytes)
	if !ok {
		return Manifest{}, offline
	}
	m.Bytes, m.Digest = data, last.Digest
	return m, fault.Explain(inspect(&m, data, ""), fault.Failure, fault.Upstream, object, "")
}

// fetchManifest fetches a manifest from one location and checks it.
func (u *Upstream) fetchManifest(ctx context.Context, l location, reference string, m *Manifest) error {
	var data []byte
	var contentType, said string
	var err error
	if l.kind == folderKind {
		data, err = layoutManifest(l, reference)
	} else {
		data, contentType, said, err = u.getManifest(ctx, l, reference)
	}
	if err != nil {
		return err
	}
	digest := manifests.DigestOf(data)
	switch {
	case m.Digest != "" && digest != m.Digest:
		return refusal{fmt.Errorf("manifest has digest %s, wanted %s", digest, m.Digest)}
	case m.Digest == "" && strings.HasPrefix(said, "sha256:") && said != string(digest) && !isSchema1(contentType):
		return refusal{fmt.Errorf("registry says digest %.80q of a manifest with digest %s", said, digest)}
	}
	m.Bytes, m.Digest = data, digest
	return inspect(m, data, contentType)
}

func (u *Upstream) getManifest(ctx context.Context, l location, reference string) (data []byte, contentType, digest string, err error) {
	s, err := u.session(ctx, l)
	if err != nil {
		return nil, "", "", err
	}
	header := http.Header{"Accept": {acceptManifests}}
	err = u.again(ctx, l.String(), func() error {
		response, err := get(ctx, s.client, http.MethodGet, s.base+"/manifests/"+reference, header, http.StatusOK)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		contentType, _, _ = strings.Cut(response.Header.Get("Content-Type"), ";")
		digest = response.Header.Get("Docker-Content-Digest")
		data, err = readBounded(response.Body, MaxManifestBytes)
		return err
	})
	return data, strings.TrimSpace(contentType), digest, err
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
	if err := json.Unmarshal(data, &doc); err != nil {
		return refusal{fmt.Errorf("manifest is not valid JSON: %w", err)}
	}
	if doc.SchemaVersion == 1 || isSchema1(contentType) || isSchema1(doc.MediaType) {
		return fault.New(fault.Failure, fault.Upstream, "", "push it again with a tool of this decade", "image is in Docker's schema 1, which has no digests for its layers and is not supported")
	}
	index, image := doc.Manifests != nil, doc.Config != nil || doc.Layers != nil
	mediaType := doc.MediaType
	switch {
	case doc.SchemaVersion != 2:
		return refusal{fmt.Errorf("manifest has schemaVersion %d, wanted 2", doc.SchemaVersion)}
	case index == image:
		return refusal{errors.New("manifest is not clearly either an image or an index")}
	case mediaType == "" && index:
		mediaType = string(types.OCIImageIndex)
	case mediaType == "":
		mediaType = string(types.OCIManifestSchema1)
	}
	if !isManifest(mediaType) || types.MediaType(mediaType).IsIndex() != index {
		return refusal{fmt.Errorf("manifest has the unsupported media type %.80q", mediaType)}
	}
	if isManifest(contentType) && contentType != mediaType {
		return refusal{fmt.Errorf("manifest says media type %s and was sent as %s", mediaType, contentType)}
	}
	m.MediaType = mediaType
	return nil
}

// openManifest opens a manifest as content.
func (u *Upstream) openManifest(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	locations, err := u.locateRepository(content.Repository)
	if err != nil {
		return nil, err
	}
	object := describe(content)
	m, err := u.manifest(ctx, object, content.Repository, string(content.Digest), locations)
	if err != nil {
		return nil, err
	}
	if int64(len(m.Bytes)) != content.Size {
		return nil, fault.New(fault.Failure, fault.Upstream, object, "", "manifest has %d bytes, not %d", len(m.Bytes), content.Size)
	}
	return io.NopCloser(bytes.NewReader(m.Bytes[offset:])), nil
}

package source

import (
	"context"
	"errors"
	"net/http"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Referrers returns the index of what refers to a manifest by digest, such as
// signatures and bills of materials: from the registry's own list
// (distribution-spec, "Listing Referrers"), or else from the tag that stands for
// it ("Referrers Tag Schema"). Where there is neither, the error wraps
// [ErrNotFound].
func (im *images) Referrers(ctx context.Context, ref manifests.ImageRef) (Manifest, error) {
	if ref.Digest == "" {
		return Manifest{}, fault.New(fault.Usage, fault.Here, ref.String(), "", "referrers are listed by digest, and the name has none")
	}
	object := "referrers of " + ref.Name() + "@" + string(ref.Digest)
	locations, err := im.locator.repository(ref.Name())
	if err != nil {
		return Manifest{}, err
	}
	var list Manifest
	err = im.each(ctx, object, locations, func(l location) error {
		list = Manifest{Repository: ref.Name()}
		return im.fetchReferrers(ctx, l, ref.Digest, &list)
	})
	switch {
	case err == nil:
		if err = im.cache.write(list.Digest, list.Bytes); err == nil {
			err = im.cache.remember(object, record{Digest: list.Digest})
		}
		return list, err
	case errors.Is(err, ErrOffline):
		return im.lastManifest(object, object, Manifest{Repository: ref.Name()}, err)
	case !errors.Is(err, ErrNotFound):
		return Manifest{}, err
	}
	fallback := manifests.ImageRef{Registry: ref.Registry, Repository: ref.Repository, Tag: "sha256-" + ref.Digest.Hex()}
	list, err = im.Manifest(ctx, fallback)
	if err == nil && list.MediaType != manifests.OCIIndex {
		err = fault.New(fault.Failure, fault.Upstream, fallback.String(), "", "tag stands for a list of referrers, and is a %s", list.MediaType)
	}
	return list, err
}

func (im *images) fetchReferrers(ctx context.Context, l location, digest manifests.Digest, list *Manifest) error {
	if l.kind == folderKind {
		return ErrNotFound // an image layout lists none but by tag
	}
	session, err := l.session(ctx, im.client)
	if err != nil {
		return err
	}
	var said http.Header
	accept := http.Header{"Accept": {string(types.OCIImageIndex)}}
	list.Bytes, said, err = session.Read(ctx, "/referrers/"+string(digest), accept, maxManifestBytes)
	if err != nil {
		return err
	}
	contentType := contentTypeOf(said)
	if contentType != manifests.OCIIndex {
		return ErrNotFound // a registry that does not know the list may answer anything (distribution-spec, the same place)
	}
	list.Digest = manifests.DigestOf(list.Bytes)
	return inspect(list, list.Bytes, contentType)
}

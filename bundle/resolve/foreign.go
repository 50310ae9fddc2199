package resolve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/manifests"
)

// Limits on layers that registries need not hold.
const (
	maxForeignURLs = 8
	// maxHashedForeign is how large, in bytes, such a layer may be to be hashed when
	// it is resolved. Of larger ones only the size is known before they are built.
	maxHashedForeign = 64 << 20
)

// layer is a layer as a manifest describes it.
type layer struct {
	manifests.Content
	URLs []string `json:"urls"`
}

// isForeign reports whether a registry need not hold the layer: it is not to be
// distributed, by its media type, or has URLs of its own (OCI image-spec,
// descriptor.md, "urls", and layer.md, "Non-Distributable Layers"; Docker's schema
// 2, "foreign").
func (l layer) isForeign() bool {
	return len(l.URLs) > 0 || strings.Contains(l.MediaType, ".layer.nondistributable.") || strings.Contains(l.MediaType, ".rootfs.foreign.")
}

// findForeign returns from where a layer is taken that its registry need not hold:
// the registry if it does all the same, or else the first of its URLs that gives it.
// A layer that is nowhere is an error here, and not when the bundle is built.
func (r *resolver) findForeign(ctx context.Context, ref manifests.ImageRef, l layer, content manifests.Content) (manifests.Content, error) {
	missing := r.probe(ctx, content)
	if missing == nil || !isRefusal(missing) {
		return content, missing
	}
	told := []string{missing.Error()}
	for _, url := range l.URLs[:min(len(l.URLs), maxForeignURLs)] {
		at := manifests.Content{Digest: content.Digest, Size: content.Size, MediaType: content.MediaType, URL: url}
		err := checkForeign(at)
		if err == nil {
			err = r.probe(ctx, at)
		}
		if err == nil {
			at.URL = r.secrets.File(url)
			r.progress.Notice(fmt.Sprintf("image %s: layer %s is not in the registry, and taken from %s",
				ref, content.Digest.Short(), manifests.RedactURLs(at.URL)))
			if r.secrets.Has(at.URL) {
				r.progress.Notice(fmt.Sprintf("image %s: its manifest, which the bundle carries as it is, holds what may be a secret "+
					"in that URL; the lock does not: %s", ref, source.HintSecrets))
			}
			return at, nil
		}
		if ctx.Err() != nil {
			return content, context.Cause(ctx)
		}
		told = append(told, manifests.RedactURLs(fmt.Sprintf("%.200s: %v", url, err)))
	}
	if more := len(l.URLs) - maxForeignURLs; more > 0 {
		told = append(told, fmt.Sprintf("%d of its URLs not asked", more))
	}
	return content, upstreamFault(ref,
		"use an image whose registry holds all of it; or name in the mirrors file what has the layer for its URL or repository",
		"layer %s of type %.80q is where it can be had neither from the registry nor by URL: %s",
		content.Digest, content.MediaType, strings.Join(told, "; "))
}

// checkForeign makes sure of a layer's URL that it is one of the web, and that nobody
// takes it for one that the release names, which is asked with the user's credentials.
func checkForeign(content manifests.Content) error {
	if scheme, _, _ := strings.Cut(strings.ToLower(content.URL), "://"); scheme != "http" && scheme != "https" {
		return errors.New("is no http or https URL")
	}
	if !content.IsLayerByURL() {
		return errors.New("is not asked: the manifest does not say that it is a layer's")
	}
	return nil
}

// isRefusal reports whether a place answers that it does not give something, rather
// than being out of order.
func isRefusal(err error) bool {
	var status *registry.StatusError
	return errors.Is(err, source.ErrNotFound) || errors.As(err, &status) && status.IsFinal()
}

// probe makes sure that content can be had where it is said to be: by its size, and
// by its digest if it is not large.
func (r *resolver) probe(ctx context.Context, content manifests.Content) error {
	reader, err := r.world.Open(ctx, content, 0)
	if err != nil {
		return err
	}
	defer reader.Close()
	if content.Size > maxHashedForeign || content.Repository != "" {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(reader, content.Size+1))
	if err == nil && manifests.DigestOf(data) != content.Digest {
		err = errors.New("what is there has another digest")
	}
	return err
}

package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// maxConfigBytes is how large a configuration may be to be kept; larger ones are
// fetched each time.
const maxConfigBytes = 1 << 20

// contents are what locks pin: blobs, charts and files.
type contents struct {
	*common
	images *images
}

// Open opens pinned content from offset on; it implements bundle.Source. The
// first connection is made before it returns. Content with a Repository is a
// manifest if its media type is that of a manifest or index, else a blob;
// content with a URL is an http(s) URL, an oci:// chart repository (Digest
// being the chart's layer), a file:// URL, or a path relative to
// [Options.BaseDir]. Size must be the content's exact size.
//
// The reader gives an error instead of io.EOF if the upstream's content is
// shorter or longer than Size; it does not check the digest. Its connection
// counts against the limits until it is at its end or closed.
func (c *contents) Open(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	if content.Size < 0 || offset < 0 || offset > content.Size {
		return nil, fault.New(fault.Failure, fault.Here, describe(content), "", "offset %d is outside of its %d bytes", offset, content.Size)
	}
	if content.Digest != "" {
		if r, ok := c.cache.open(content.Digest, content.Size, offset); ok {
			return r, nil
		}
	}
	if content.Repository != "" && isManifest(content.MediaType) {
		return c.images.open(ctx, content, offset)
	}
	if content.Repository != "" && isConfig(content.MediaType) && content.Size <= maxConfigBytes {
		return c.openConfig(ctx, content, offset)
	}
	return c.fetch(ctx, content, offset)
}

func isConfig(mediaType string) bool {
	return mediaType == string(types.OCIConfigJSON) || mediaType == string(types.DockerConfigJSON)
}

// describe names content to people.
func describe(content manifests.Content) string {
	if content.Repository != "" {
		return content.Repository + "@" + string(content.Digest)
	}
	return registry.Redact(content.URL)
}

// openConfig opens an image's configuration, and keeps it in the cache: a
// release cannot be resolved without it, since it says what platform an image
// without index is for.
func (c *contents) openConfig(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	reader, err := c.fetch(ctx, content, 0)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	data, err := registry.ReadBounded(reader, maxConfigBytes)
	if err != nil {
		return nil, err
	}
	// What has another digest is not kept; whoever opened it finds that out too.
	if manifests.DigestOf(data) == content.Digest {
		if err := c.cache.write(content.Digest, data); err != nil {
			return nil, err
		}
	}
	return io.NopCloser(bytes.NewReader(data[min(offset, int64(len(data))):])), nil
}

// fetch opens what is neither in the cache nor kept there.
func (c *contents) fetch(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	locations, err := c.locator.content(content)
	if err != nil {
		return nil, err
	}
	return c.fetchFrom(ctx, content, offset, locations)
}

// fetchFrom opens content of which the locations are known.
func (c *contents) fetchFrom(ctx context.Context, content manifests.Content, offset int64, locations []location) (io.ReadCloser, error) {
	r := &reader{
		ctx: ctx, walk: c.walk(describe(content), locations), client: c.client,
		dial: func(l location, offset int64) (io.ReadCloser, error) { return c.openAt(ctx, l, content, offset) },
		at:   offset, safe: offset, size: content.Size,
	}
	if err := r.connect(); err != nil {
		return nil, c.maybeSecret(err, content)
	}
	return r, nil
}

// maybeSecret adds to an error about content that a server does not give to
// everybody, that a secret may be missing: a lock says nothing of them.
func (c *contents) maybeSecret(err error, content manifests.Content) error {
	var status *registry.StatusError
	var explained *fault.Error
	isWeb := hasAnyPrefix(content.URL, "http://", "https://") && !c.locator.secrets.Has(content.URL)
	if !isWeb || !errors.As(err, &status) || !errors.As(err, &explained) {
		return err
	}
	switch status.Code {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound:
		explained.Hint = "a lock holds no user, token or query of a URL; if the release has one, " + HintSecrets +
			strings.TrimSuffix("; "+explained.Hint, "; ")
	}
	return err
}

// openAt opens content at one location: a blob of a registry or of an image
// layout, or a file on a web server or on this machine.
func (c *contents) openAt(ctx context.Context, l location, content manifests.Content, offset int64) (io.ReadCloser, error) {
	isBlob := content.Repository != "" || strings.HasPrefix(content.URL, "oci://")
	if isBlob {
		if _, err := manifests.ParseDigest(string(content.Digest)); err != nil {
			return nil, registry.Refuse("%w", err)
		}
	}
	switch {
	case l.kind == folderKind && isBlob:
		return openLocal(layoutBlob(l, content.Digest), content.Size, offset)
	case l.kind == folderKind:
		return openLocal(l.path, content.Size, offset)
	}
	session, err := l.session(ctx, c.client)
	if err != nil {
		return nil, err
	}
	below := ""
	if isBlob {
		below = "/blobs/" + string(content.Digest)
	}
	return session.Open(ctx, below, content.Size, offset)
}

// Stat returns the size in bytes of what a URL or a path relative to
// [Options.BaseDir] names. A server is asked by HEAD, and by a GET that is not
// read if it does not answer that or not with a size.
func (c *contents) Stat(ctx context.Context, url string) (int64, error) {
	locations, err := c.locator.url(url)
	if err != nil {
		return 0, err
	}
	var size int64
	err = c.each(ctx, registry.Redact(url), locations, func(l location) (err error) {
		switch l.kind {
		case registryKind:
			return registry.Refuse("a registry has no files")
		case webKind:
			size, err = c.statWeb(ctx, l)
		default:
			size, err = statLocal(l.path)
		}
		return err
	})
	return size, err
}

func (c *contents) statWeb(ctx context.Context, l location) (int64, error) {
	session, err := l.session(ctx, c.client)
	if err != nil {
		return 0, err
	}
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		response, err := session.Do(ctx, method, "", nil, http.StatusOK)
		if status := (*registry.StatusError)(nil); errors.As(err, &status) && method == http.MethodHead && !fallsBack(status) {
			continue // some servers, and all URLs that are signed for GET, refuse HEAD
		}
		if err != nil {
			return 0, err
		}
		_ = response.Body.Close()
		if response.ContentLength >= 0 {
			return response.ContentLength, nil
		}
	}
	return 0, fault.New(fault.Failure, fault.Upstream, "", "give the file's size in the release", "server does not tell the size")
}

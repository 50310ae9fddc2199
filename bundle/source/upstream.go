package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Limits on what is read from outside, in bytes.
const (
	MaxManifestBytes = 4 << 20  // OCI distribution-spec, "Pushing Manifests": at least 4 MiB should be supported
	MaxChartBytes    = 64 << 20 // one chart archive
	MaxIndexBytes    = 64 << 20 // index.yaml of a chart repository
	maxConfigBytes   = 1 << 20  // configurations that are kept; larger ones are fetched each time
	maxErrorBytes    = 8 << 10  // the body of an error answer
)

// Options say how the world is reached. The zero value is a usable default:
// no mirrors, no lasting cache, credentials of Docker and Podman.
type Options struct {
	// Mirrors rewrites names to locations; nil asks every origin itself.
	Mirrors *Mirrors
	// CacheDir is the folder of the cache, made if it does not exist. If it is
	// empty, a temporary folder is used and removed by Close.
	CacheDir string
	// Offline forbids every network request: names are answered from the
	// cache and from folders.
	Offline bool
	// Keychain gives the credentials for a registry or host; nil means
	// DefaultKeychain().
	Keychain authn.Keychain
	// PerHost and Total limit how many answers are read at one time, from one
	// host and in all; 0 means 4 and 8. An answer counts from its request
	// until it is read to its end or closed.
	PerHost, Total int
	// BaseDir is what relative paths in a release are relative to: the folder
	// of the release document. Empty means the current folder. A path may lead
	// out of it by "..": whoever wrote the release chose its files, and the
	// lock pins them.
	BaseDir string
	// Stall is how long a connection may be silent, before an answer or
	// within it, until it is given up and tried again; 0 means 1 minute.
	Stall time.Duration
	// UserAgent is sent with every request; empty means "island".
	UserAgent string
	// Log is told about retries and fallbacks, in a sentence without secrets;
	// nil means nobody is. It is called from several goroutines.
	Log func(message string)
	// Wait pauses between retries; nil means by the clock. It returns early
	// with the context's error.
	Wait func(ctx context.Context, pause time.Duration) error
}

// Upstream is everything that content can come from. It is safe for use by
// several goroutines, and is a bundle.Source.
type Upstream struct {
	mirrors  *Mirrors
	cache    *cache
	offline  bool
	keychain authn.Keychain
	baseDir  string
	log      func(string)
	wait     func(context.Context, time.Duration) error
	jitter   func(time.Duration) time.Duration
	agent    string
	stall    time.Duration
	limits   *limits

	wires    memo[*wire] // by CA file
	pings    memo[*transport.Challenge]
	sessions memo[*session]
	logins   memo[*authn.AuthConfig] // of web servers, by host
	indices  memo[string]            // by location: the file that holds the index
}

// New makes an Upstream. Nothing is asked of the network yet. It fails if a
// limit is negative.
func New(options Options) (*Upstream, error) {
	if options.PerHost < 0 || options.Total < 0 || options.Stall < 0 {
		return nil, fault.New(fault.Usage, fault.Here, "", "", "a limit on connections is negative")
	}
	u := &Upstream{
		mirrors:  options.Mirrors,
		cache:    &cache{dir: options.CacheDir},
		offline:  options.Offline,
		keychain: options.Keychain,
		baseDir:  options.BaseDir,
		log:      options.Log,
		wait:     options.Wait,
		jitter:   func(d time.Duration) time.Duration { return d/2 + rand.N(d/2+1) },
		agent:    or(options.UserAgent, "island"),
		stall:    or(options.Stall, time.Minute),
		limits:   newLimits(or(options.PerHost, 4), or(options.Total, 8)),
	}
	if u.mirrors == nil {
		u.mirrors = &Mirrors{}
	}
	if u.keychain == nil {
		u.keychain = DefaultKeychain()
	}
	if u.log == nil {
		u.log = func(string) {}
	}
	if u.wait == nil {
		u.wait = pause
	}
	return u, nil
}

func or[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}

// Close ends idle connections and removes a temporary cache.
func (u *Upstream) Close() error {
	for _, w := range u.wires.values() {
		w.base.CloseIdleConnections()
	}
	return u.cache.close()
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
func (u *Upstream) Open(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	object := describe(content)
	if content.Size < 0 || offset < 0 || offset > content.Size {
		return nil, fault.New(fault.Failure, fault.Here, object, "", "offset %d is outside of its %d bytes", offset, content.Size)
	}
	if content.Digest != "" {
		if r, ok := u.cache.open(content.Digest, content.Size, offset); ok {
			return r, nil
		}
	}
	if content.Repository != "" && isManifest(content.MediaType) {
		return u.openManifest(ctx, content, offset)
	}
	if content.Repository != "" && isConfig(content.MediaType) && content.Size <= maxConfigBytes {
		return u.openConfig(ctx, content, offset)
	}
	return u.openContent(ctx, content, offset)
}

// openConfig opens an image's configuration, and keeps it in the cache: a
// release cannot be resolved without it, since it says what platform an image
// without index is for.
func (u *Upstream) openConfig(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	reader, err := u.openContent(ctx, content, 0)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	data, err := readBounded(reader, maxConfigBytes)
	if err != nil {
		return nil, err
	}
	// What has another digest is not kept; whoever opened it finds that out too.
	if manifests.DigestOf(data) == content.Digest {
		if err := u.cache.write(content.Digest, data); err != nil {
			return nil, err
		}
	}
	return io.NopCloser(bytes.NewReader(data[min(offset, int64(len(data))):])), nil
}

// openContent opens what is neither in the cache nor kept there.
func (u *Upstream) openContent(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	object := describe(content)
	locations, err := u.locateContent(content)
	if err != nil {
		return nil, err
	}
	inRegistry := content.Repository != "" || strings.HasPrefix(content.URL, "oci://")
	r := &reader{
		ctx: ctx, up: u, object: object, locations: locations, at: offset, safe: offset, size: content.Size,
		dial: func(l location, offset int64) (io.ReadCloser, error) {
			if inRegistry {
				return u.openBlob(ctx, l, content.Digest, content.Size, offset)
			}
			return u.openFile(ctx, l, content.Size, offset)
		},
	}
	if err := r.connect(); err != nil {
		return nil, err
	}
	return r, nil
}

func (u *Upstream) locateContent(content manifests.Content) ([]location, error) {
	if content.Repository != "" {
		return u.locateRepository(content.Repository)
	}
	return u.locateURL(content.URL)
}

func describe(content manifests.Content) string {
	if content.Repository != "" {
		return content.Repository + "@" + string(content.Digest)
	}
	return redact(content.URL)
}

// each asks one location after the other until one has the content.
func (u *Upstream) each(ctx context.Context, object string, locations []location, ask func(location) error) error {
	var failed []attempt
	for i, l := range locations {
		err := ask(l)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		failed = append(failed, attempt{l.String(), err})
		if !fallsBack(err) {
			break
		}
		if i+1 < len(locations) {
			u.log(object + ": " + failed[i].Error() + "; asking " + locations[i+1].String())
		}
	}
	return explain(object, failed)
}

// memo computes a value once for each key. A failure is not kept.
type memo[V any] struct {
	mu      sync.Mutex
	entries map[string]*memoEntry[V]
}

type memoEntry[V any] struct {
	done  chan struct{}
	value V
	err   error
}

func (m *memo[V]) get(ctx context.Context, key string, compute func() (V, error)) (V, error) {
	for {
		m.mu.Lock()
		if m.entries == nil {
			m.entries = map[string]*memoEntry[V]{}
		}
		entry, known := m.entries[key]
		if !known {
			entry = &memoEntry[V]{done: make(chan struct{})}
			m.entries[key] = entry
		}
		m.mu.Unlock()
		if !known {
			entry.value, entry.err = compute()
			if entry.err != nil {
				m.mu.Lock()
				delete(m.entries, key)
				m.mu.Unlock()
			}
			close(entry.done)
			return entry.value, entry.err
		}
		select {
		case <-entry.done:
		case <-ctx.Done():
			var zero V
			return zero, context.Cause(ctx)
		}
		// Whoever computed it may have been cancelled; we were not.
		if entry.err == nil || !errors.Is(entry.err, context.Canceled) && !errors.Is(entry.err, context.DeadlineExceeded) {
			return entry.value, entry.err
		}
	}
}

func (m *memo[V]) values() []V {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []V
	for _, entry := range m.entries {
		select {
		case <-entry.done:
			all = append(all, entry.value)
		default:
		}
	}
	return all
}

func isManifest(mediaType string) bool {
	_, ok := manifestTypes[mediaType]
	return ok
}

func isConfig(mediaType string) bool {
	return mediaType == string(types.OCIConfigJSON) || mediaType == string(types.DockerConfigJSON)
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

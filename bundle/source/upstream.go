package source

import (
	"context"

	"github.com/islandbundle/island/bundle/registry"
)

// Options say where content comes from. The zero value is a usable default: no
// mirrors, no lasting cache, credentials of Docker and Podman.
type Options struct {
	// Network says how registries and servers are asked. Offline answers names
	// from the cache and from folders.
	Network registry.Options
	// Mirrors rewrites names to locations; nil asks every origin itself.
	Mirrors *Mirrors
	// Secrets are those of the release's URLs, which the names in it and in its lock
	// do not hold. Names with secrets in them are taken, too.
	Secrets *Secrets
	// CacheDir is the folder of the cache, made if it does not exist. If it is
	// empty, a temporary folder is used and removed by Close.
	CacheDir string
	// BaseDir is what relative paths in a release are relative to: the folder
	// of the release document. Empty means the current folder. A path may lead
	// out of it by "..": whoever wrote the release chose its files, and the
	// lock pins them.
	BaseDir string
}

// Upstream is everything that content can come from: images, chart repositories,
// and pinned content of any kind. It is safe for use by several goroutines, and
// is a bundle.Source.
type Upstream struct {
	*images
	*chartRepositories
	*contents

	common *common
}

// common is what images, charts and files are all fetched with.
type common struct {
	locator *locator
	client  *registry.Client
	cache   *cache
	offline bool
}

// New makes an Upstream. Nothing is asked of the network yet. It fails if a
// limit is negative.
func New(options Options) (*Upstream, error) {
	if options.Mirrors != nil {
		options.Network.Named = append(options.Mirrors.hosts(), options.Network.Named...)
	}
	client, err := registry.New(options.Network)
	if err != nil {
		return nil, err
	}
	c := &common{
		locator: &locator{mirrors: options.Mirrors, secrets: options.Secrets, baseDir: options.BaseDir},
		client:  client,
		cache:   &cache{dir: options.CacheDir},
		offline: options.Network.Offline,
	}
	if c.locator.mirrors == nil {
		c.locator.mirrors = &Mirrors{}
	}
	if c.locator.secrets == nil {
		c.locator.secrets = &Secrets{}
	}
	u := &Upstream{common: c, images: &images{common: c}}
	u.contents = &contents{common: c, images: u.images}
	u.chartRepositories = &chartRepositories{common: c, images: u.images, contents: u.contents}
	return u, nil
}

// Close ends idle connections and removes a temporary cache.
func (u *Upstream) Close() error {
	u.common.client.Close()
	return u.common.cache.close()
}

// walk begins to ask the locations of an object.
func (c *common) walk(object string, locations []location) *walk {
	return &walk{object: object, left: locations, log: c.client.Log}
}

// each asks one location after the other until one has the object.
func (c *common) each(ctx context.Context, object string, locations []location, ask func(location) error) error {
	return c.walk(object, locations).ask(ctx, ask)
}

package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// find looks a chart up in the index of one location.
func (c *chartRepositories) find(ctx context.Context, l location, name, version string) (*chartEntry, error) {
	file := filepath.Join(l.path, "index.yaml")
	if l.kind == webKind {
		var err error
		if file, err = c.index(ctx, l.below("index.yaml")); err != nil {
			return nil, err
		}
	}
	f, err := openBelow(file)
	if l.kind == folderKind && errors.Is(err, fs.ErrNotExist) {
		return looseArchive(l, name, version)
	}
	if err != nil {
		return nil, local(err)
	}
	defer f.Close()
	seekable, err := seekable(f, maxIndexBytes)
	if err != nil {
		return nil, local(err)
	}
	s := search{name: name, version: version}
	if err := s.scan(seekable); err != nil {
		return nil, err
	}
	return s.choose()
}

// looseArchive finds a chart by the name of its archive, in a folder without an
// index: helm package calls it NAME-VERSION.tgz.
func looseArchive(l location, name, version string) (*chartEntry, error) {
	s := search{name: name, version: version, known: true}
	exact := name + "-" + version + ".tgz"
	if _, err := statLocal(filepath.Join(l.path, exact)); err == nil {
		return &chartEntry{Name: name, Version: version, URLs: []string{url.PathEscape(exact)}}, nil
	}
	files, err := os.ReadDir(l.path) // not of an archive, in which only the exact name is looked for
	if err != nil {
		files = nil
	}
	for _, file := range files {
		rest, of := strings.CutPrefix(file.Name(), name+"-")
		rest, packed := strings.CutSuffix(rest, ".tgz")
		if of && packed {
			if err := s.consider(chartEntry{Name: name, Version: rest, URLs: []string{url.PathEscape(file.Name())}}); err != nil {
				return nil, err
			}
		}
	}
	if len(s.found) == 0 {
		return nil, fmt.Errorf("neither index.yaml nor %s is there: %w", exact, ErrNotFound)
	}
	return s.choose()
}

// index returns the file that holds the current index of a chart repository on
// a web server. It is asked for once; the cached one is used if the server
// says that it is still the same.
func (c *chartRepositories) index(ctx context.Context, l location) (string, error) {
	return c.indices.Get(ctx, l.url+" "+l.security.CAFile, func() (string, error) {
		name := "index " + l.url
		last, known := c.lastIndex(name)
		if c.offline {
			if !known {
				return "", fmt.Errorf("index of the chart repository is %w", ErrOffline)
			}
			return c.cache.blob(last.Digest), nil
		}
		current, err := c.currentIndex(ctx, l, last)
		if err == nil {
			err = c.cache.remember(name, current)
		}
		if err != nil {
			return "", fmt.Errorf("index.yaml: %w", err)
		}
		return c.cache.blob(current.Digest), nil
	})
}

// lastIndex returns what is known of an index whose content is in the cache.
func (c *chartRepositories) lastIndex(name string) (record, bool) {
	last, known := c.cache.recall(name)
	if !known {
		return record{}, false
	}
	f, _, intact := c.cache.check(last.Digest)
	if !intact {
		return record{}, false
	}
	_ = f.Close()
	return last, true
}

// currentIndex returns the last index if the server says that it is still
// current, or else fetches the new one into the cache.
func (c *chartRepositories) currentIndex(ctx context.Context, l location, last record) (current record, err error) {
	session, err := l.session(ctx, c.client)
	if err != nil {
		return record{}, err
	}
	header := http.Header{}
	if last.ETag != "" {
		header.Set("If-None-Match", last.ETag)
	}
	if last.LastModified != "" {
		header.Set("If-Modified-Since", last.LastModified)
	}
	err = session.Again(ctx, func() error {
		response, err := session.Do(ctx, http.MethodGet, "", header, http.StatusOK, http.StatusNotModified)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode == http.StatusOK {
			current, err = c.keepIndex(response)
			return err
		}
		if last == (record{}) {
			return registry.Refuse("server says not modified of an index that it never sent")
		}
		current = last
		return nil
	})
	return current, err
}

// keepIndex reads an index into the cache.
func (c *chartRepositories) keepIndex(response *http.Response) (record, error) {
	e, err := c.cache.begin()
	if err != nil {
		return record{}, err
	}
	defer e.drop()
	n, err := io.Copy(e, io.LimitReader(response.Body, maxIndexBytes+1))
	if n > maxIndexBytes {
		return record{}, registry.Refuse("index is larger than %s", manifests.Bytes(maxIndexBytes))
	}
	if err != nil {
		if explained := (*fault.Error)(nil); errors.As(err, &explained) {
			return record{}, err
		}
		return record{}, registry.CutShort(err)
	}
	if err := e.commit(); err != nil {
		return record{}, err
	}
	return record{Digest: e.digest(), Size: n, ETag: response.Header.Get("ETag"), LastModified: response.Header.Get("Last-Modified")}, nil
}

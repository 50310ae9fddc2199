package source

import (
	"bufio"
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
	index := indexFile{path: filepath.Join(l.path, "index.yaml")}
	if l.kind == webKind {
		var err error
		if index, err = c.index(ctx, l.below("index.yaml")); err != nil {
			return nil, err
		}
	}
	f, err := openBelow(index.path)
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
	chosen, err := s.choose()
	if err == nil {
		chosen.URLs[0] = index.whole(chosen.URLs[0])
	}
	return chosen, err
}

// indexFile is an index in a file, out of which secrets were taken.
type indexFile struct {
	path    string
	secrets map[string]string // what stands there → what stood there
}

// whole returns a URL of the index with its secrets.
func (f indexFile) whole(reference string) string {
	if full, ok := f.secrets[reference]; ok {
		return full
	}
	return reference
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

// index returns the current index of a chart repository on a web server. It is
// asked for once; the cached one is used if the server says that it is still the
// same.
func (c *chartRepositories) index(ctx context.Context, l location) (indexFile, error) {
	return c.indices.Get(ctx, fmt.Sprint(l.url, " ", l.security.CAFile, " ", l.secret), func() (indexFile, error) {
		name := "index " + l.url
		last, known := c.lastIndex(name)
		if c.offline {
			if !known {
				return indexFile{}, fmt.Errorf("index of the chart repository is %w", ErrOffline)
			}
			return indexFile{path: c.cache.blob(last.Digest)}, nil
		}
		current, secrets, err := c.currentIndex(ctx, l, last)
		if err == nil {
			err = c.cache.remember(name, current)
		}
		if err != nil {
			return indexFile{}, fmt.Errorf("index.yaml: %w", err)
		}
		return indexFile{c.cache.blob(current.Digest), secrets}, nil
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
func (c *chartRepositories) currentIndex(
	ctx context.Context, l location, last record,
) (current record, secrets map[string]string, err error) {
	session, err := l.session(ctx, c.client)
	if err != nil {
		return record{}, nil, err
	}
	header := http.Header{}
	if last.ETag != "" && !last.Cleaned {
		header.Set("If-None-Match", last.ETag)
	}
	if last.LastModified != "" && !last.Cleaned {
		header.Set("If-Modified-Since", last.LastModified)
	}
	err = session.Again(ctx, func() error {
		response, err := session.Do(ctx, http.MethodGet, "", header, http.StatusOK, http.StatusNotModified)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		if response.StatusCode == http.StatusOK {
			current, secrets, err = c.keepIndex(response, l.secret != (secret{}))
			return err
		}
		if last == (record{}) {
			return registry.Refuse("server says not modified of an index that it never sent")
		}
		current = last
		return nil
	})
	return current, secrets, err
}

// keepIndex reads an index into the cache, without its secrets, which it returns, and
// without those that the server was sent and may say again.
func (c *chartRepositories) keepIndex(response *http.Response, sent bool) (record, map[string]string, error) {
	e, err := c.cache.begin()
	if err != nil {
		return record{}, nil, err
	}
	defer e.drop()
	out := bufio.NewWriterSize(e, 64<<10) // it is cleaned word by word
	clean := &cleaner{to: out}
	if sent {
		clean.hide = c.client.Hide
	}
	n, err := io.Copy(clean, io.LimitReader(response.Body, maxIndexBytes+1))
	if n > maxIndexBytes {
		return record{}, nil, registry.Refuse("index is larger than %s", manifests.Bytes(maxIndexBytes))
	}
	if err == nil {
		err = errors.Join(clean.end(), out.Flush())
	}
	if err != nil {
		if explained := (*fault.Error)(nil); errors.As(err, &explained) || errors.Is(err, errLongWord) {
			return record{}, nil, err
		}
		return record{}, nil, registry.CutShort(err)
	}
	if err := e.commit(); err != nil {
		return record{}, nil, err
	}
	return record{
		Digest: e.digest(), Size: clean.written, Cleaned: len(clean.secrets) > 0,
		ETag: c.client.Hide(response.Header.Get("ETag")), LastModified: c.client.Hide(response.Header.Get("Last-Modified")),
	}, clean.secrets, nil
}

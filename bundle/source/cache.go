package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sync"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// cache keeps what was fetched: blobs/sha256/HEX is content by digest, and
// names/HEX is what a name meant last, HEX being the hash of the name. Files
// are written aside and renamed, and never believed when read: an entry that
// does not have its digest is removed. Several processes can share it.
type cache struct {
	mu        sync.Mutex
	dir       string
	temporary bool
}

// record is what a name meant when it was last asked for.
type record struct {
	Name         string           `json:"name"`
	Digest       manifests.Digest `json:"digest"`
	Size         int64            `json:"size,omitempty"`
	URL          string           `json:"url,omitempty"`
	ETag         string           `json:"etag,omitempty"`
	LastModified string           `json:"lastModified,omitempty"`
	Cleaned      bool             `json:"cleaned,omitempty"` // secrets were taken out of it
}

const maxRecordBytes = 16 << 10

// The folders of a cache: content by its digest, and what names mean.
const (
	blobsFolder = "blobs/sha256"
	namesFolder = "names"
)

// folder returns a folder of the cache, and makes a temporary cache if there is
// none. Charts may be private: only the user can read them.
func (c *cache) folder(name string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dir == "" {
		dir, err := os.MkdirTemp("", "island-")
		if err != nil {
			return "", cacheFault(err)
		}
		c.dir, c.temporary = dir, true
	}
	dir := filepath.Join(c.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", cacheFault(err)
	}
	return dir, nil
}

func (c *cache) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.temporary {
		return nil
	}
	dir := c.dir
	c.dir, c.temporary = "", false
	return os.RemoveAll(dir)
}

func cacheFault(err error) error {
	return fault.New(fault.Failure, fault.Here, "cache", "name another folder for the cache, or set XDG_CACHE_HOME", "%w", err)
}

func (c *cache) blob(digest manifests.Digest) string {
	return filepath.Join(c.dir, blobsFolder, digest.Hex())
}

// check opens an entry whose content has its digest, and gives its size.
func (c *cache) check(digest manifests.Digest) (*os.File, int64, bool) {
	c.mu.Lock()
	none, path := c.dir == "", c.blob(digest)
	c.mu.Unlock()
	if none {
		return nil, 0, false
	}
	if _, err := manifests.ParseDigest(string(digest)); err != nil {
		return nil, 0, false
	}
	f, err := openRegular(path)
	if err != nil {
		return nil, 0, false
	}
	h := sha256.New()
	size, err := io.Copy(h, f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil || manifests.DigestFromSum(h.Sum(nil)) != digest {
		_ = f.Close()
		_ = os.Remove(path)
		return nil, 0, false
	}
	return f, size, true
}

// open opens an entry of a known size from an offset on.
func (c *cache) open(digest manifests.Digest, size, offset int64) (io.ReadCloser, bool) {
	f, have, ok := c.check(digest)
	if !ok {
		return nil, false
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil || have != size {
		_ = f.Close()
		return nil, false
	}
	return f, true
}

// read reads an entry of at most limit bytes into memory.
func (c *cache) read(digest manifests.Digest, limit int64) ([]byte, bool) {
	f, size, ok := c.check(digest)
	if !ok {
		return nil, false
	}
	defer f.Close()
	if size > limit {
		return nil, false
	}
	data, err := registry.ReadBounded(f, limit)
	return data, err == nil && manifests.DigestOf(data) == digest
}

// write keeps content that has its digest.
func (c *cache) write(digest manifests.Digest, data []byte) error {
	if f, _, ok := c.check(digest); ok {
		return f.Close()
	}
	e, err := c.begin()
	if err != nil {
		return err
	}
	defer e.drop()
	if _, err := e.Write(data); err != nil {
		return err
	}
	if e.digest() != digest {
		return fault.New(fault.Failure, fault.Here, "cache", "", "content does not have its digest %s", digest)
	}
	return e.commit()
}

// entry is content on its way into the cache.
type entry struct {
	cache *cache
	file  *os.File
	hash  hash.Hash
}

func (c *cache) begin() (*entry, error) {
	dir, err := c.folder("tmp")
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, "")
	if err != nil {
		return nil, cacheFault(err)
	}
	return &entry{cache: c, file: f, hash: sha256.New()}, nil
}

func (e *entry) Write(p []byte) (int, error) {
	n, err := e.file.Write(p)
	e.hash.Write(p[:n])
	if err != nil {
		err = cacheFault(err)
	}
	return n, err
}

func (e *entry) digest() manifests.Digest { return manifests.DigestFromSum(e.hash.Sum(nil)) }

// commit puts the content under its digest.
func (e *entry) commit() error { return e.moveTo(blobsFolder, e.digest().Hex()) }

// moveTo puts the content under its name in a folder of the cache. What is
// renamed is on disk first, so that a power cut leaves no half an entry under a
// whole one's name.
func (e *entry) moveTo(folder, name string) error {
	folder, err := e.cache.folder(folder)
	if err != nil {
		return err
	}
	if err := e.file.Sync(); err != nil {
		return cacheFault(err)
	}
	if err := os.Rename(e.file.Name(), filepath.Join(folder, name)); err != nil {
		return cacheFault(err)
	}
	return nil
}

// drop closes the file and removes it if it was not committed.
func (e *entry) drop() {
	_ = e.file.Close()
	_ = os.Remove(e.file.Name())
}

func recordName(name string) string { return manifests.DigestOf([]byte(name)).Hex() }

// remember keeps what a name means.
func (c *cache) remember(name string, r record) error {
	r.Name = name
	if last, ok := c.recall(name); ok && last == r {
		return nil
	}
	data, err := json.Marshal(r)
	if err != nil {
		return cacheFault(err)
	}
	e, err := c.begin()
	if err != nil {
		return err
	}
	defer e.drop()
	if _, err := e.Write(data); err != nil {
		return err
	}
	return e.moveTo(namesFolder, recordName(name))
}

// recall returns what a name meant.
func (c *cache) recall(name string) (record, bool) {
	c.mu.Lock()
	dir := c.dir
	c.mu.Unlock()
	if dir == "" {
		return record{}, false
	}
	data, err := readLocal(filepath.Join(dir, namesFolder, recordName(name)), maxRecordBytes)
	if err != nil {
		return record{}, false
	}
	var r record
	if err := json.NewDecoder(bytes.NewReader(data)).Decode(&r); err != nil || r.Name != name {
		return record{}, false
	}
	return r, true
}

package bundle

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"io/fs"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// contents are the entries that an archive has, and where each is among them.
// In a delta they are those of the inventory that it has, and its patches.
type contents struct {
	entries  []Entry // in the order of the archive, as the entries of its layout
	byPath   map[manifests.EntryPath]int
	byDigest map[manifests.Digest]int // the first with that content
}

func newContents(inventory *Inventory, delta *Delta) contents {
	c := contents{entries: inArchive(inventory, delta)}
	c.byPath = make(map[manifests.EntryPath]int, len(c.entries))
	c.byDigest = make(map[manifests.Digest]int, len(c.entries))
	for i, entry := range c.entries {
		c.byPath[entry.Path] = i
		if _, there := c.byDigest[entry.Digest]; !there {
			c.byDigest[entry.Digest] = i
		}
	}
	return c
}

// Entry returns the record of a path, if the archive has it. A delta has only
// what its base lacks; bundle.json and its signatures are no entries.
func (b *Bundle) Entry(path manifests.EntryPath) (Entry, bool) {
	i, ok := b.contents.byPath[path]
	if !ok {
		return Entry{}, false
	}
	return b.contents.entries[i], true
}

// EntryWith returns the record of the first entry that has a content, such as the
// blob of that digest.
func (b *Bundle) EntryWith(digest manifests.Digest) (Entry, bool) {
	i, ok := b.contents.byDigest[digest]
	if !ok {
		return Entry{}, false
	}
	return b.contents.entries[i], true
}

// OpenEntry opens an entry for reading from its start. What is read is checked on
// its way, whether the bundle was verified before or not: where it has not the
// size and the digest that the inventory says, reading ends with a Refused error,
// and the last bytes are held back, so that no way of reading takes bad content
// for good. It takes little memory, however large the entry is.
//
// An entry that the archive does not have is an error that wraps
// [fs.ErrNotExist]. The reader does not outlive what the bundle was opened on.
func (b *Bundle) OpenEntry(path manifests.EntryPath) (io.ReadCloser, error) {
	entry, ok := b.Entry(path)
	if !ok {
		return nil, fault.New(fault.Failure, fault.Here, string(path), "island show lists what a bundle holds",
			"not in the bundle: %w", fs.ErrNotExist)
	}
	if b.unverified == nil {
		return nil, fault.New(fault.Failure, fault.Here, string(path), "give the bundle as a file",
			"the bundle was read from a stream, which is gone")
	}
	return b.checked(b.contents.byPath[entry.Path]), nil
}

// checked opens the entry at a place in the archive. Whatever leaves a bundle does so
// through this reader, but for what is verified and what is copied by [Fill], which
// compare digests themselves; a test holds that nothing else reads the archive.
func (b *Bundle) checked(at int) *checkedReader {
	span, entry := b.layout.entries[at], b.contents.entries[at]
	return &checkedReader{
		section: &sectionReader{section: section{b.unverified, span.content(), span.size}}, entry: entry, sum: sha256.New(), left: entry.Size,
	}
}

// ReadEntry returns the whole content of an entry, checked as [Bundle.OpenEntry]
// checks it. More than limit bytes are an error.
func (b *Bundle) ReadEntry(path manifests.EntryPath, limit int64) ([]byte, error) {
	if entry, ok := b.Entry(path); ok && entry.Size > limit {
		return nil, fault.New(fault.Failure, fault.Here, string(path), "", "entry is larger than %s", manifests.Bytes(limit))
	}
	reader, err := b.OpenEntry(path)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	return io.ReadAll(reader)
}

// checkedReader reads an entry and holds the end of it back until its digest is
// known to be right.
type checkedReader struct {
	section *sectionReader
	entry   Entry
	sum     hash.Hash
	left    int64
	end     error // what reading has ended with
}

func (r *checkedReader) Read(p []byte) (int, error) {
	if r.end != nil {
		return 0, r.end
	}
	if len(p) == 0 && r.left > 0 {
		return 0, nil
	}
	n, err := r.section.Read(p)
	r.sum.Write(p[:n])
	r.left -= int64(n)
	switch {
	case r.left == 0:
		r.end = r.verdict()
	case err != nil:
		r.end = asRefusal(string(r.entry.Path), err)
	}
	if r.end != nil && !errors.Is(r.end, io.EOF) {
		clear(p[:n])
		return 0, r.end
	}
	if n == 0 {
		return 0, r.end
	}
	return n, nil
}

// verdict returns io.EOF if what was read is the content.
func (r *checkedReader) verdict() error {
	digest := manifests.DigestFromSum(r.sum.Sum(nil))
	if digest != r.entry.Digest {
		return refused(string(r.entry.Path), "content has digest %s, the inventory says %s", digest, r.entry.Digest)
	}
	return io.EOF
}

// Close ends reading. It leaves open what the bundle was opened on.
func (r *checkedReader) Close() error {
	r.end = fs.ErrClosed
	return nil
}

package plaintar

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/islandbundle/island/internal/plaintar/sparsetest"
)

func TestHolesAreRefused(t *testing.T) {
	t.Parallel()
	for name, hole := range sparsetest.Holes("disk.img", 1<<30) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			archive := sparsetest.Archive(sparsetest.File("a", "abc"), hole)
			entries := NewReader(bytes.NewReader(archive))
			if header, err := entries.Next(); err != nil || header.Name != "a" {
				t.Fatalf("the first entry: %v", err)
			}
			if _, err := entries.Next(); !errors.Is(err, ErrSparse) {
				t.Errorf("got %v, want %v", err, ErrSparse)
			}
		})
	}
}

// TestHolesAreHoles holds that the entries of the tests are what they are to be
// for package tar: a gigabyte out of nothing.
func TestHolesAreHoles(t *testing.T) {
	t.Parallel()
	for name, hole := range sparsetest.Holes("disk.img", 1<<30) {
		entries := tar.NewReader(bytes.NewReader(sparsetest.Archive(hole)))
		header, err := entries.Next()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		n, err := io.Copy(io.Discard, io.LimitReader(entries, 1<<20))
		if name != "of a version that is not known" && (err != nil || n != 1<<20 || header.Size != 1<<30) {
			t.Errorf("%s: header says %d, %d bytes were read, %v", name, header.Size, n, err)
		}
	}
}

func TestPlainEntriesAreRead(t *testing.T) {
	t.Parallel()
	archive := sparsetest.Archive(sparsetest.Records("comment=GNU.sparse.size=9", "mtime=1"), sparsetest.File("a", "abc"))
	entries := NewReader(bytes.NewReader(archive))
	if _, err := entries.Next(); err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(entries); err != nil || string(data) != "abc" {
		t.Errorf("got %q, %v", data, err)
	}
	if _, err := entries.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end", err)
	}
}

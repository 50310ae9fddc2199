package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/mholt/archives"

	"github.com/islandbundle/island/internal/plaintar"
	"github.com/islandbundle/island/internal/plaintar/sparsetest"
)

// compressions are the ways in which a tar archive may be packed.
var compressions = map[string]archives.Compressor{
	"x.tar": nil, "x.tgz": archives.Gz{}, "x.tar.zst": archives.Zstd{}, "x.tar.xz": archives.Xz{}, "x.tar.bz2": archives.Bz2{},
}

func packedAs(t *testing.T, by archives.Compressor, content []byte) []byte {
	t.Helper()
	if by == nil {
		return content
	}
	var out bytes.Buffer
	w, err := by.OpenWriter(&out)
	if err == nil {
		_, err = w.Write(content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readMember(t *testing.T, name string, content []byte, inside string) ([]byte, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return readLocal(filepath.Join(file, inside), 1<<20)
}

// TestSparseMembersAreRefused: in every form, however it is packed, and whatever
// the archive is called.
func TestSparseMembersAreRefused(t *testing.T) {
	t.Parallel()
	for name, by := range compressions {
		plain := sparsetest.Archive(sparsetest.File("charts/a", "abc"))
		for _, called := range []string{name, "x.zip"} {
			if data, err := readMember(t, called, packedAs(t, by, plain), "charts/a"); err != nil || string(data) != "abc" {
				t.Errorf("%s called %s: %q, %v", name, called, data, err)
			}
		}
		for form, hole := range sparsetest.Holes("charts/hole", 100) {
			hostile := packedAs(t, by, sparsetest.Archive(sparsetest.File("charts/a", "abc"), hole))
			if data, err := readMember(t, name, hostile, "charts/hole"); !errors.Is(err, plaintar.ErrSparse) {
				t.Errorf("%s in %s gives %d bytes, %v; want %v", form, name, len(data), err, plaintar.ErrSparse)
			}
		}
	}
}

// TestBombsAreNotUnpacked: what stands before a member has to be unpacked to
// reach it, and is not for ever.
func TestBombsAreNotUnpacked(t *testing.T) {
	t.Parallel()
	var bomb bytes.Buffer
	packed, _ := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	w := tar.NewWriter(packed)
	if err := w.WriteHeader(&tar.Header{Name: "first", Size: 2 * bombBytes, Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	for range 2 * bombBytes / len(zeros) {
		if _, err := w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteHeader(&tar.Header{Name: "second", Size: 3, Mode: 0o600}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "abc"); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), packed.Close()); err != nil {
		t.Fatal(err)
	}
	if data, err := readMember(t, "bomb.tgz", bomb.Bytes(), "second"); !errors.Is(err, errBomb) {
		t.Errorf("got %q, %v; want %v", data, err, errBomb)
	}
}

// TestWindowsAreBounded: a frame of zstd says how much a reader has to keep.
func TestWindowsAreBounded(t *testing.T) {
	t.Parallel()
	plain := sparsetest.Archive(sparsetest.File("a", "abc"))
	for _, test := range []struct {
		name    string
		content []byte
		want    error
	}{
		// Magic, a descriptor without checksum and size, a window of 2^(10+27), and
		// a raw last block (RFC 8878, 3.1.1).
		{"x.tar.zst", append([]byte("\x28\xb5\x2f\xfd\x00\xd8"), rawBlock(plain)...), zstd.ErrWindowSizeExceeded},
		{"y.tar.zst", append([]byte("\x28\xb5\x2f\xfd\x00\x70"), rawBlock(plain)...), nil}, // 2^(10+14)
	} {
		if data, err := readMember(t, test.name, test.content, "a"); !errors.Is(err, test.want) {
			t.Errorf("%s: got %q, %v; want %v", test.name, data, err, test.want)
		}
	}
}

func rawBlock(content []byte) []byte {
	head := binary.LittleEndian.AppendUint32(nil, uint32(len(content))<<3|1)
	return append(head[:3], content...)
}

// TestZipDirectoryIsBounded: all of it goes into memory, and a count of entries
// at its end is only a claim.
func TestZipDirectoryIsBounded(t *testing.T) {
	t.Parallel()
	many := func(entries int) []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		for i := range entries {
			name := "long/" + strings.Repeat("n", 1000) + strconv.Itoa(i)
			if i == 0 {
				name = "a"
			}
			f, err := w.CreateRaw(&zip.FileHeader{Name: name})
			if err == nil && i == 0 {
				_, err = f.Write(nil)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	if _, err := readMember(t, "x.zip", many(1000), "a"); err != nil {
		t.Errorf("a thousand entries: %v", err)
	}
	if _, err := readMember(t, "x.zip", many(20_000), "a"); err == nil || !strings.Contains(err.Error(), "directory of the zip archive") {
		t.Errorf("twenty thousand long names: got %v", err)
	}
}

// TestOtherMethodsOfZip: a method that is not read is an error and no panic.
func TestOtherMethodsOfZip(t *testing.T) {
	t.Parallel()
	for _, method := range []uint16{9, 12, 14, 93, 95, 99} {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		f, err := w.CreateRaw(&zip.FileHeader{Name: "a", Method: method, CompressedSize64: 3, UncompressedSize64: 3})
		if err == nil {
			_, err = f.Write([]byte("abc"))
		}
		link := &zip.FileHeader{Name: "link", Method: method}
		link.SetMode(fs.ModeSymlink)
		if _, linkErr := w.CreateRaw(link); linkErr != nil || err != nil {
			t.Fatal(err, linkErr)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := readMember(t, "x.zip", out.Bytes(), "a"); !errors.Is(err, zip.ErrAlgorithm) {
			t.Errorf("method %d: got %v", method, err)
		}
	}
}

package bundle_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"testing/fstest"
	"testing/iotest"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// oneFile is a bundle with one more file, and where that stands in it.
func oneFile(t testing.TB, content []byte) (archive []byte, at entrySpan) {
	t.Helper()
	w := tinyWorld()
	w.file("files/one", 0o644, content)
	archive = build(t, w.plan(t, options(t)), w.source())
	for _, span := range spans(t, archive) {
		if span.path == "files/one" {
			return archive, span
		}
	}
	t.Fatal("files/one is not in the archive")
	return nil, entrySpan{}
}

func TestEntriesAreFoundByPathAndContent(t *testing.T) {
	t.Parallel()
	w := richWorld()
	w.file("files/twin", 0o644, w.content[w.lock.Files[0].Content.Digest])
	b := open(t, build(t, w.plan(t, options(t)), w.source()))
	first := map[manifests.Digest]manifests.EntryPath{}
	for _, want := range b.Inventory.Entries {
		if got, ok := b.Entry(want.Path); !ok || got != want {
			t.Errorf("%s is found as %+v, %t", want.Path, got, ok)
		}
		if _, there := first[want.Digest]; !there {
			first[want.Digest] = want.Path
		}
		if got, ok := b.EntryWith(want.Digest); !ok || got.Digest != want.Digest || got.Path != first[want.Digest] {
			t.Errorf("content of %s is found as %+v, %t", want.Path, got, ok)
		}
	}
	if len(first) == len(b.Inventory.Entries) {
		t.Error("no content stands twice")
	}
	for _, path := range []manifests.EntryPath{"", "files", "files/", "bundle.json", "bundle.sigstore.json", "nothing"} {
		if entry, ok := b.Entry(path); ok {
			t.Errorf("%q is found as %+v", path, entry)
		}
		if _, err := b.OpenEntry(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q is opened: %v", path, err)
		}
	}
	if entry, ok := b.EntryWith(manifests.DigestOf([]byte("nothing"))); ok {
		t.Errorf("content of nothing is found as %+v", entry)
	}
}

// A delta has what it carries, its patches, and nothing else.
func TestEntriesOfADelta(t *testing.T) {
	t.Parallel()
	base := tinyWorld()
	target := tinyWorld()
	target.next("2026.2")
	target.file("files/new", 0o644, []byte("new\n"))
	plan, err := target.plan(t, options(t)).Delta(open(t, build(t, base.plan(t, options(t)), base.source())).Base())
	if err != nil {
		t.Fatal(err)
	}
	private, _ := testKey(t, "sender")
	if err := plan.Sign(bundle.Signer{Key: private}); err != nil {
		t.Fatal(err)
	}
	b := open(t, build(t, plan, target.source()))
	if content, err := b.ReadEntry("files/new", 100); err != nil || string(content) != "new\n" {
		t.Errorf("files/new reads %q, %v", content, err)
	}
	if _, ok := b.Entry("files/kubectl"); ok {
		t.Error("what the base has is found in the delta")
	}
	if _, ok := b.EntryWith(target.lock.Blobs[0].Digest); ok {
		t.Error("a blob of the base is found in the delta")
	}
}

// However content is read, what was altered or cut short is an error before its
// last byte.
func TestReadersCheck(t *testing.T) {
	t.Parallel()
	content := noise(7, 100_000)
	archive, at := oneFile(t, content)
	spoil := func(offset int64) []byte {
		spoilt := bytes.Clone(archive)
		spoilt[offset] ^= 1
		return spoilt
	}
	disks := map[string]struct {
		archive []byte
		text    string // of the refusal, "" where there is none
	}{
		"sound":              {archive, ""},
		"first byte altered": {spoil(at.content), "content has digest"},
		"in the middle":      {spoil(at.content + at.size/2), "content has digest"},
		"last byte altered":  {spoil(at.end() - 1), "content has digest"},
		"cut short":          {archive[:at.end()-1], "cut short"},
		"cut before it":      {archive[:at.content], "cut short"},
		"altered behind it":  {spoil(at.end()), ""},
	}
	readers := map[string]func(io.Reader) ([]byte, error){
		"all":          io.ReadAll,
		"one byte":     func(r io.Reader) ([]byte, error) { return io.ReadAll(iotest.OneByteReader(r)) },
		"with the end": func(r io.Reader) ([]byte, error) { return io.ReadAll(iotest.DataErrReader(r)) },
		"just the size": func(r io.Reader) ([]byte, error) {
			data := make([]byte, at.size)
			n, err := io.ReadFull(r, data)
			return data[:n], err
		},
		"limited": func(r io.Reader) ([]byte, error) { return io.ReadAll(io.LimitReader(r, at.size)) },
		"copied": func(r io.Reader) ([]byte, error) {
			var data bytes.Buffer
			_, err := io.CopyN(&data, r, at.size)
			return data.Bytes(), err
		},
	}
	for disk, d := range disks {
		b, err := bundle.Open(bytes.NewReader(d.archive), int64(len(archive)), trust(t, "sender"))
		if err != nil {
			t.Fatal(err)
		}
		for way, read := range readers {
			t.Run(disk+", "+way, func(t *testing.T) {
				t.Parallel()
				r, err := b.OpenEntry("files/one")
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				data, err := read(r)
				if d.text == "" {
					if err != nil || !bytes.Equal(data, content) {
						t.Errorf("%d bytes, %v", len(data), err)
					}
					return
				}
				wantFault(t, err, fault.Refused, fault.Site, "files/one", d.text)
				if int64(len(data)) >= at.size {
					t.Error("the last byte of bad content was given")
				}
				if _, again := r.Read(make([]byte, 1)); again == nil || errors.Is(again, io.EOF) {
					t.Errorf("reading on gives %v", again)
				}
			})
		}
	}
}

// What was verified may be altered later: a bundle lies on a disk.
func TestReadersCheckWhatChangedSinceItWasVerified(t *testing.T) {
	t.Parallel()
	archive, at := oneFile(t, []byte("as it was signed\n"))
	file := filepath.Join(t.TempDir(), "b.tar")
	if err := os.WriteFile(file, archive, 0o644); err != nil {
		t.Fatal(err)
	}
	disk, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	b, err := bundle.Open(disk, int64(len(archive)), trust(t, "sender"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Verify(t.Context(), bundle.VerifyOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := disk.WriteAt([]byte("AS"), at.content); err != nil {
		t.Fatal(err)
	}
	_, err = b.ReadEntry("files/one", 100)
	wantFault(t, err, fault.Refused, fault.Site, "files/one", "content has digest")
	_, err = fs.ReadFile(b.FS(), "files/one")
	wantFault(t, err, fault.Refused, fault.Site, "files/one", "content has digest")
	if err := disk.Truncate(at.content + 2); err != nil {
		t.Fatal(err)
	}
	_, err = fs.ReadFile(b.FS(), "files/one")
	wantFault(t, err, fault.Refused, fault.Site, "files/one", "cut short")
}

func TestReadEntry(t *testing.T) {
	t.Parallel()
	archive, _ := oneFile(t, []byte("twelve bytes"))
	b := open(t, archive)
	if content, err := b.ReadEntry("files/one", 12); err != nil || string(content) != "twelve bytes" {
		t.Errorf("reads %q, %v", content, err)
	}
	_, err := b.ReadEntry("files/one", 11)
	wantFault(t, err, fault.Failure, fault.Here, "files/one", "larger than")
	_, err = b.ReadEntry("files/two", 11)
	wantFault(t, err, fault.Failure, fault.Here, "files/two", "not in the bundle")
}

func TestReaderThatIsClosed(t *testing.T) {
	t.Parallel()
	archive, _ := oneFile(t, []byte("twelve bytes"))
	r, err := open(t, archive).OpenEntry("files/one")
	if err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(nil); n != 0 || err != nil {
		t.Errorf("reading nothing gives %d, %v", n, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("reading on gives %v", err)
	}
}

// A disk that fails says nothing about the content.
func TestReaderOnAFailingDisk(t *testing.T) {
	t.Parallel()
	archive, at := oneFile(t, noise(8, 100_000))
	failing := &disk{archive, int64(len(archive)), syscall.EIO}
	b, err := bundle.Open(failing, int64(len(archive)), trust(t, "sender"))
	if err != nil {
		t.Fatal(err)
	}
	failing.good = at.content + 50_000
	_, err = b.ReadEntry("files/one", at.size)
	wantFault(t, err, fault.Failure, fault.Here, "files/one", syscall.EIO.Error())
}

func TestFileSystem(t *testing.T) {
	t.Parallel()
	w := richWorld()
	b := open(t, build(t, w.plan(t, options(t)), w.source()))
	var want []string
	for _, entry := range b.Inventory.Entries {
		want = append(want, string(entry.Path))
	}
	if err := fstest.TestFS(b.FS(), want...); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := fs.WalkDir(b.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		got = append(got, path)
		info, err := d.Info()
		if err != nil {
			return err
		}
		entry, _ := b.Entry(manifests.EntryPath(path))
		mode := entry.Mode
		if mode == 0 {
			mode = 0o644
		}
		dated := info.ModTime().Equal(date("2026-03-31").Time())
		if info.Size() != entry.Size || info.Mode() != fs.FileMode(mode) || info.Sys() != any(entry) || !dated {
			t.Errorf("%s is %v of %v", path, fs.FormatFileInfo(info), info.Sys())
		}
		return nil
	})
	slices.Sort(want)
	slices.Sort(got)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("files are %q (%v), want %q", got, err, want)
	}
}

// Reading takes no more memory for a larger entry. Not in parallel with other
// tests: it measures the whole program.
func TestCheckedReaderTakesLittleMemory(t *testing.T) {
	archive, at := oneFile(t, make([]byte, 8<<20))
	r, err := open(t, archive).OpenEntry("files/one")
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	n, err := io.Copy(io.Discard, r)
	runtime.ReadMemStats(&after)
	if n != at.size || err != nil {
		t.Fatal(n, err)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 128<<10 {
		t.Errorf("reading %s allocated %s", manifests.Bytes(at.size), manifests.Bytes(allocated))
	}
}

// manyEntries is a bundle with 20,000 files of which nobody reads the content.
func manyEntries(b *testing.B) (*bundle.Bundle, []bundle.Entry) {
	b.Helper()
	w := newWorld("many")
	for i := range 20_000 {
		w.file(fmt.Sprintf("files/%05d", i), 0o644, fmt.Append(nil, i))
	}
	archive := build(b, w.plan(b, bundle.PlanOptions{}), w.source())
	opened := open(b, archive)
	return opened, opened.Inventory.Entries
}

func BenchmarkEntry(b *testing.B) {
	opened, entries := manyEntries(b)
	b.Run("by path", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, ok := opened.Entry(entries[i%len(entries)].Path); !ok {
				b.Fatal("not found")
			}
		}
	})
	b.Run("by digest", func(b *testing.B) {
		for i := 0; b.Loop(); i++ {
			if _, ok := opened.EntryWith(entries[i%len(entries)].Digest); !ok {
				b.Fatal("not found")
			}
		}
	})
}

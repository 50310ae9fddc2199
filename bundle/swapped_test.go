package bundle_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// turncoat is an archive that somebody replaces after it was verified: from then on
// every content has another byte.
type turncoat struct {
	*bytes.Reader
	altered []byte
	turned  atomic.Bool
}

func newTurncoat(t *testing.T, archive []byte) *turncoat {
	t.Helper()
	altered := bytes.Clone(archive)
	for _, span := range spans(t, archive)[2:] {
		if span.size > 0 {
			altered[span.content] ^= 1
		}
	}
	return &turncoat{Reader: bytes.NewReader(archive), altered: altered}
}

func (r *turncoat) ReadAt(p []byte, offset int64) (int, error) {
	if r.turned.Load() {
		return bytes.NewReader(r.altered).ReadAt(p, offset)
	}
	return r.Reader.ReadAt(p, offset)
}

// verified opens and verifies the archive, and then replaces it.
func (r *turncoat) verified(t *testing.T) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Open(r, r.Size(), trust(t, "sender"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Verify(t.Context(), bundle.VerifyOptions{}); err != nil {
		t.Fatal(err)
	}
	r.turned.Store(true)
	return b
}

// A content that was replaced after the bundle was verified never leaves it as good,
// whichever way it leaves.
func TestReplacedAfterVerifying(t *testing.T) {
	t.Parallel()
	w := richWorld()
	b := newTurncoat(t, build(t, w.plan(t, options(t)), w.source())).verified(t)
	reuse := bundle.NewReuse(nil, b)
	for _, entry := range b.Inventory.Entries {
		if entry.Size == 0 {
			continue
		}
		pinned := manifests.Content{Digest: entry.Digest, Size: entry.Size, URL: string(entry.Path)}
		for way, read := range map[string]func() ([]byte, error){
			"ReadEntry": func() ([]byte, error) { return b.ReadEntry(entry.Path, entry.Size) },
			"FS":        func() ([]byte, error) { return fs.ReadFile(b.FS(), string(entry.Path)) },
			"Reuse":     func() ([]byte, error) { return readAll(reuse.Open(t.Context(), pinned, 0)) },
			"Reuse from an offset": func() ([]byte, error) {
				return readAll(reuse.Open(t.Context(), pinned, entry.Size/2))
			},
		} {
			data, err := read()
			if err == nil || fault.ExitCode(err) != int(fault.Refused) || len(data) == int(entry.Size) {
				t.Errorf("%s of %s gives %d of %d bytes, %v", way, entry.Path, len(data), entry.Size, err)
			}
		}
	}
}

func readAll(r io.ReadCloser, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// What builds take from earlier bundles, and what deltas are made of and applied to,
// is refused where it was replaced after the bundle was opened.
func TestReplacedWhileItIsUsed(t *testing.T) {
	t.Parallel()
	older, newer := richWorld(), richWorld()
	newer.next("2026.2")
	base, changed := noise(77, 200_000), slices.Concat(noise(77, 150_000), []byte("changed"), noise(77, 200_000)[150_000:])
	older.file("files/changed.bin", 0o644, base)
	newer.file("files/changed.bin", 0o644, changed)
	archive := build(t, older.plan(t, options(t)), older.source())
	delta, err := newer.plan(t, options(t)).Delta(open(t, archive).Base())
	if err != nil {
		t.Fatal(err)
	}
	private, _ := testKey(t, "sender")
	if err := delta.Sign(bundle.Signer{Key: private}); err != nil {
		t.Fatal(err)
	}
	carried := build(t, delta, newer.source())
	deepBase, deep := deepPair(t)
	apply := func(base, delta *bundle.Bundle, out string) error {
		plan, source, err := bundle.Apply(base, delta)
		if err != nil {
			return err
		}
		return bundle.Fill(t.Context(), plan, source, out, bundle.FillOptions{})
	}
	for name, fill := range map[string]func(out string) error{
		"base of a deep delta": func(out string) error { return apply(newTurncoat(t, deepBase).verified(t), open(t, deep), out) },
		"deep delta":           func(out string) error { return apply(open(t, deepBase), newTurncoat(t, deep).verified(t), out) },
		"reuse": func(out string) error {
			source := bundle.NewReuse(newer.source(), newTurncoat(t, archive).verified(t))
			return bundle.Fill(t.Context(), newer.plan(t, options(t)), source, out, bundle.FillOptions{})
		},
		"base of a delta": func(out string) error { return apply(newTurncoat(t, archive).verified(t), open(t, carried), out) },
		"delta":           func(out string) error { return apply(open(t, archive), newTurncoat(t, carried).verified(t), out) },
		"file": func(out string) error { // from which the kernel copies
			file := filepath.Join(t.TempDir(), "base.tar")
			if err := os.WriteFile(file, archive, 0o600); err != nil {
				return err
			}
			opened, err := os.Open(file)
			if err != nil {
				return err
			}
			defer opened.Close()
			b, err := bundle.Open(opened, int64(len(archive)), trust(t, "sender"))
			if err != nil {
				return err
			}
			altered := bytes.Clone(archive)
			offset, _ := bundle.PlaceOf(b, "files/asset.bin") // no manifest, which would be read once more
			altered[offset] ^= 1
			if err := os.WriteFile(file, altered, 0o600); err != nil {
				return err
			}
			return bundle.Fill(t.Context(), newer.plan(t, options(t)), bundle.NewReuse(newer.source(), b), out, bundle.FillOptions{})
		},
	} {
		out := filepath.Join(t.TempDir(), "out.tar")
		err := fill(out)
		if err == nil || fault.ExitCode(err) != int(fault.Refused) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%s: there is a bundle", name)
		}
	}
}

// A tool that changes between being hashed and being written is an error, longer,
// shorter or as long.
func TestToolThatChanges(t *testing.T) {
	t.Parallel()
	for _, other := range []string{"A tool", "a tool!", "a", ""} {
		carried := tool(t, "a tool")
		w := tinyWorld()
		plan := w.plan(t, bundle.PlanOptions{Tools: []bundle.Tool{carried}})
		if err := os.WriteFile(carried.File, []byte(other), 0o755); err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "out.tar")
		err := bundle.Fill(t.Context(), plan, w.source(), out, bundle.FillOptions{})
		wantFault(t, err, fault.Failure, fault.Here, "tools/linux-amd64/island", carried.File)
		if _, err := os.Stat(out); err == nil {
			t.Errorf("%q: there is a bundle", other)
		}
	}
}

// readers are the functions of this package that may look at the bytes of an archive
// themselves. All compare what they read with its digest, but for checked, which gives
// them to the reader that does; whatever else wants content asks that reader.
var readers = []string{"Open", "Verify", "verifyParts", "verifyGraph", "checked", "OpenEntry", "filled", "DeepDelta", "find"}

func TestNothingElseReadsTheArchive(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, declared := range file.Decls {
			function, ok := declared.(*ast.FuncDecl)
			if !ok {
				continue
			}
			ast.Inspect(function, func(node ast.Node) bool {
				named, ok := node.(*ast.Ident)
				if !ok || named.Name != "unverified" {
					return true
				}
				used[function.Name.Name] = true
				if !slices.Contains(readers, function.Name.Name) {
					t.Errorf("%s: %s reads an archive past its digests: use OpenEntry", set.Position(named.Pos()), function.Name.Name)
				}
				return true
			})
		}
	}
	for _, name := range readers {
		if !used[name] {
			t.Errorf("%s reads no archive", name)
		}
	}
}

package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// finished returns the digests of the contents that a partial file holds whole,
// by comparison with the archive that it is to become.
func finished(t testing.TB, partial, archive []byte) map[manifests.Digest]bool {
	t.Helper()
	done := map[manifests.Digest]bool{}
	for _, span := range spans(t, archive) {
		if int64(len(partial)) >= span.next() && bytes.Equal(partial[span.start:span.next()], archive[span.start:span.next()]) {
			done[manifests.DigestOf(archive[span.content:span.end()])] = true
		}
	}
	return done
}

// stopAfter makes a source fail by cancelling once it has given some bytes.
func (m *memory) stopAfter(bytes int64, cancel func()) {
	var given atomic.Int64
	m.before = func(manifests.Digest, int64) error {
		if given.Add(int64(m.chunk)) > bytes {
			cancel()
		}
		return nil
	}
}

// A build that is cancelled after any number of bytes goes on where it stopped:
// it returns the bytes of an uninterrupted one, and opens nothing that it has.
func TestFillGoesOnAfterCancellation(t *testing.T) {
	t.Parallel()
	w := richWorld()
	plan := w.plan(t, options(t))
	want := build(t, plan, w.source())
	upstream := int64(0)
	for _, content := range w.content {
		upstream += int64(len(content))
	}
	random := rand.New(rand.NewPCG(3, 4))
	kept := 0
	for range 60 {
		out := filepath.Join(t.TempDir(), "out.tar")
		reused := int64(0)
		// Up to three cancellations, then a run to the end.
		for left := 1 + random.IntN(3); left >= 0; left-- {
			done := map[manifests.Digest]bool{}
			if partial, err := os.ReadFile(out + bundle.PartialSuffix); err == nil {
				done = finished(t, partial, want)
			}
			source := w.source()
			source.chunk = 8 << 10
			ctx, cancel := context.WithCancel(t.Context())
			if left > 0 {
				source.stopAfter(random.Int64N(upstream), cancel)
			}
			var progress meter
			err := bundle.Fill(ctx, plan, source, out, bundle.FillOptions{Parallel: 1 + random.IntN(4), Progress: &progress})
			cancel()
			for digest, opens := range source.opens {
				if done[digest] || opens > 1 {
					t.Errorf("content %s was whole (%t) and opened %d times", digest, done[digest], opens)
				}
			}
			reused += progress.reused.Load()
			if err == nil {
				progress.want(t, len(want))
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
				t.Fatalf("an interrupted build left a final file (%v)", err)
			}
		}
		if !bytes.Equal(read(t, out), want) {
			t.Fatal("a resumed build gave other bytes than an uninterrupted one")
		}
		if _, err := os.Stat(out + bundle.PartialSuffix); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a finished build left its partial file (%v)", err)
		}
		if reused > 0 {
			kept++
		}
	}
	if kept < 20 {
		t.Errorf("only %d of 60 builds had anything to reuse: the test tests nothing", kept)
	}
}

// partialWith starts a build, stops it when one content is reached, and gives
// the path of the bundle.
func partialWith(t *testing.T, w *world, plan *bundle.Plan, last manifests.Digest) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.tar")
	source := w.source()
	stop := errors.New("stop")
	source.before = func(digest manifests.Digest, _ int64) error {
		if digest == last {
			return stop
		}
		return nil
	}
	if err := bundle.Fill(t.Context(), plan, source, out, bundle.FillOptions{Parallel: 1}); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	return out
}

// smallest is the content that is fetched last.
func smallest(w *world) manifests.Digest {
	var found manifests.Digest
	for digest, content := range w.content {
		if len(content) > 0 && (found == "" || len(content) < len(w.content[found])) {
			found = digest
		}
	}
	return found
}

func TestDamagedPartialIsFetchedAgain(t *testing.T) {
	t.Parallel()
	w := richWorld()
	plan := w.plan(t, options(t))
	want := build(t, plan, w.source())
	var blob entrySpan
	for _, span := range spans(t, want) {
		if span.path == longPath { // its content ends within a block
			blob = span
		}
	}
	whole := len(w.source().content)
	tests := []struct {
		name   string
		damage func(partial []byte) []byte
		again  string // "blob", "all" or "little": what is fetched by the second run
	}{
		{"nothing", func(p []byte) []byte { return p }, "little"},
		{"content", func(p []byte) []byte { p[blob.content+7] ^= 1; return p }, "blob"},
		{"last byte of content", func(p []byte) []byte { p[blob.end()-1] ^= 1; return p }, "blob"},
		{"header", func(p []byte) []byte { p[blob.start+100] ^= 1; return p }, "blob"},
		{"no header", func(p []byte) []byte { clear(p[blob.start:blob.content]); return p }, "blob"},
		{"padding", func(p []byte) []byte { p[blob.end()] = 1; return p }, "blob"},
		{"cut within the blob", func(p []byte) []byte { return p[:blob.content+100] }, "blob"},
		{"signature", func(p []byte) []byte { p[spans(t, want)[1].content] ^= 1; return p }, "little"},
		{"bytes appended", func(p []byte) []byte { return append(p, "more"...) }, "little"},
		{"inventory", func(p []byte) []byte { p[600] ^= 1; return p }, "all"},
		{"empty", func([]byte) []byte { return nil }, "all"},
		{"something else of that name", func([]byte) []byte { return noise(9, 100_000) }, "all"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			out := partialWith(t, w, plan, smallest(w))
			partial := test.damage(read(t, out+bundle.PartialSuffix))
			if err := os.WriteFile(out+bundle.PartialSuffix, partial, 0o644); err != nil {
				t.Fatal(err)
			}
			source := w.source()
			if err := bundle.Fill(t.Context(), plan, source, out, bundle.FillOptions{}); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(read(t, out), want) {
				t.Error("the bundle has other bytes than an uninterrupted build's")
			}
			digest := manifests.DigestOf(want[blob.content:blob.end()])
			fetchedBlob, count := source.opens[digest] > 0, len(source.opens)
			switch test.again {
			case "little":
				if fetchedBlob || count > 2 {
					t.Errorf("%d contents were fetched again", count)
				}
			case "blob":
				if !fetchedBlob {
					t.Error("the damaged blob was not fetched again")
				}
			case "all":
				if count < whole-2 { // empty content is never fetched
					t.Errorf("%d contents were fetched, want %d: the partial file is for another plan", count, whole)
				}
			}
		})
	}
}

func TestPartialOfAnotherPlanIsStartedOver(t *testing.T) {
	t.Parallel()
	old := richWorld()
	out := partialWith(t, old, old.plan(t, options(t)), smallest(old))
	w := tinyWorld()
	plan := w.plan(t, options(t))
	if err := bundle.Fill(t.Context(), plan, w.source(), out, bundle.FillOptions{}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, out), build(t, plan, w.source())) {
		t.Error("something of the other plan is left")
	}
}

// Signing with another key keeps what is there: no other byte moves.
func TestPartialIsKeptWhenSignedAgain(t *testing.T) {
	t.Parallel()
	w := richWorld()
	unsigned, err := bundle.NewPlan(w.lock, options(t))
	if err != nil {
		t.Fatal(err)
	}
	out := partialWith(t, w, unsigned, smallest(w))
	source := w.source()
	plan := w.plan(t, options(t))
	if err := bundle.Fill(t.Context(), plan, source, out, bundle.FillOptions{}); err != nil {
		t.Fatal(err)
	}
	if len(source.opens) > 2 {
		t.Errorf("%d contents were fetched again", len(source.opens))
	}
	wantAccepted(t, read(t, out), trust(t, "sender"))
}

func TestSecondBuildIsRefused(t *testing.T) {
	t.Parallel()
	w := tinyWorld()
	plan := w.plan(t, options(t))
	out := filepath.Join(t.TempDir(), "out.tar")
	started, proceed := make(chan struct{}), make(chan struct{})
	source := w.source()
	var once sync.Once
	source.before = func(manifests.Digest, int64) error {
		once.Do(func() { close(started) })
		<-proceed
		return nil
	}
	first := make(chan error)
	go func() { first <- bundle.Fill(t.Context(), plan, source, out, bundle.FillOptions{}) }()
	<-started
	err := bundle.Fill(t.Context(), plan, w.source(), out, bundle.FillOptions{})
	wantFault(t, err, fault.Failure, fault.Here, "another build", out+bundle.PartialSuffix)
	close(proceed)
	if err := <-first; err != nil {
		t.Errorf("the first build was disturbed: %v", err)
	}
	wantAccepted(t, read(t, out), trust(t, "sender"))
}

func TestExistingOutput(t *testing.T) {
	t.Parallel()
	w := tinyWorld()
	plan := w.plan(t, options(t))
	fill := func(out string, replace bool) (*memory, error) {
		source := w.source()
		return source, bundle.Fill(t.Context(), plan, source, out, bundle.FillOptions{Replace: replace})
	}
	folder := t.TempDir()
	out := filepath.Join(folder, "out.tar")
	if err := os.WriteFile(out, []byte("precious"), 0o644); err != nil {
		t.Fatal(err)
	}
	source, err := fill(out, false)
	wantFault(t, err, fault.Usage, fault.Here, out, "exists")
	if len(source.opens) > 0 || string(read(t, out)) != "precious" {
		t.Error("a file that exists was touched, or something fetched for it")
	}
	if _, err := os.Stat(out + bundle.PartialSuffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a refused build left a partial file (%v)", err)
	}
	if _, err := fill(out, true); err != nil {
		t.Errorf("replace: %v", err)
	}
	wantAccepted(t, read(t, out), trust(t, "sender"))

	for name, make := range map[string]func(string) error{
		"a folder": func(path string) error { return os.Mkdir(path, 0o755) },
		"a link":   func(path string) error { return os.Symlink(out, path) },
	} {
		path := filepath.Join(folder, strings.ReplaceAll(name, " ", "-"))
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		_, err := fill(path, true)
		wantFault(t, err, fault.Usage, fault.Here, path, "not a regular file")
	}

	// A link in the place of the partial file is not followed.
	victim, linked := filepath.Join(folder, "victim"), filepath.Join(folder, "linked.tar")
	if err := errors.Join(os.WriteFile(victim, []byte("precious"), 0o644), os.Symlink(victim, linked+bundle.PartialSuffix)); err != nil {
		t.Fatal(err)
	}
	_, err = fill(linked, false)
	wantFault(t, err, fault.Failure, fault.Here, linked)
	if string(read(t, victim)) != "precious" {
		t.Error("a link was followed")
	}
	_, err = fill(filepath.Join(folder, "nowhere", "out.tar"), false)
	wantFault(t, err, fault.Failure, fault.Here, "nowhere")
}

// A file of the final name that appears while the bundle is filled is kept.
func TestOutputThatAppearsMeanwhile(t *testing.T) {
	t.Parallel()
	w := tinyWorld()
	out := filepath.Join(t.TempDir(), "out.tar")
	source := w.source()
	source.before = func(manifests.Digest, int64) error { return os.WriteFile(out, []byte("precious"), 0o644) }
	err := bundle.Fill(t.Context(), w.plan(t, options(t)), source, out, bundle.FillOptions{})
	wantFault(t, err, fault.Usage, fault.Here, out, "exists")
	if string(read(t, out)) != "precious" {
		t.Error("the file was replaced")
	}
}

func TestContentThatChangedUpstream(t *testing.T) {
	t.Parallel()
	w := richWorld()
	image := w.lock.Images[0].Manifests[0]
	layer, file := image.Layers[1], w.lock.Files[0].Content
	tests := []struct {
		name   string
		digest manifests.Digest
		change func([]byte) []byte
		texts  []string
	}{
		{"other bytes", layer, func(b []byte) []byte { b = bytes.Clone(b); b[len(b)-1] ^= 1; return b },
			[]string{layer.Hex(), "registry.example/wire", "digest"}},
		{"too short", layer, func(b []byte) []byte { return b[:len(b)-1] }, []string{layer.Hex(), "registry.example/wire", "ends after"}},
		{"nothing", layer, func([]byte) []byte { return nil }, []string{layer.Hex(), "registry.example/wire", "ends after 0 bytes"}},
		{"one byte too long", layer, func(b []byte) []byte { return append(bytes.Clone(b), 0) },
			[]string{layer.Hex(), "registry.example/wire", "longer"}},
		{"much too long", layer, func(b []byte) []byte { return append(bytes.Clone(b), make([]byte, 1<<20)...) },
			[]string{layer.Hex(), "registry.example/wire", "longer"}},
		{"file with other bytes", file.Digest, func(b []byte) []byte { b = bytes.Clone(b); b[0] ^= 1; return b },
			[]string{"files/asset.bin", file.URL, "digest"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			plan := w.plan(t, options(t))
			out := filepath.Join(t.TempDir(), "out.tar")
			source := w.source()
			source.content[test.digest] = test.change(source.content[test.digest])
			err := bundle.Fill(t.Context(), plan, source, out, bundle.FillOptions{})
			wantFault(t, err, fault.Failure, fault.Upstream, test.texts...)
			if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("there is a final file (%v)", err)
			}
			// What was written of it counts as nothing, and nothing of it as whole.
			if err := bundle.Fill(t.Context(), plan, w.source(), out, bundle.FillOptions{}); err != nil {
				t.Fatal(err)
			}
			wantAccepted(t, read(t, out), trust(t, "sender"))
		})
	}
}

func TestEmptyContentWithAnotherDigest(t *testing.T) {
	t.Parallel()
	w := tinyWorld()
	w.file(emptyPath, 0o644, nil)
	w.lock.Files[1].Content.Digest = manifests.DigestOf([]byte("not empty"))
	out := filepath.Join(t.TempDir(), "out.tar")
	err := bundle.Fill(t.Context(), w.plan(t, options(t)), w.source(), out, bundle.FillOptions{})
	wantFault(t, err, fault.Failure, fault.Upstream, emptyPath, "empty")
}

// A tool that is rebuilt between plan and fill is this machine's matter.
func TestToolThatChanged(t *testing.T) {
	t.Parallel()
	w := tinyWorld()
	o := options(t)
	plan := w.plan(t, o)
	if err := os.WriteFile(o.Tools[0].File, []byte("a t00l"), 0o755); err != nil {
		t.Fatal(err)
	}
	err := bundle.Fill(t.Context(), plan, w.source(), filepath.Join(t.TempDir(), "out.tar"), bundle.FillOptions{})
	wantFault(t, err, fault.Failure, fault.Here, o.Tools[0].File, "digest")
}

func TestSourceThatFails(t *testing.T) {
	t.Parallel()
	w := richWorld()
	gone := w.lock.Images[2].Manifests[0].Layers[1]
	broken := fault.New(fault.Failure, fault.Upstream, "registry.example", "", "connection reset")
	for name, spoil := range map[string]func(*memory) string{
		"does not open": func(m *memory) string { delete(m.content, gone); return "is not there" },
		"breaks off": func(m *memory) string {
			m.chunk = 1000
			m.before = func(digest manifests.Digest, at int64) error {
				if digest == gone && at > 5000 {
					return broken
				}
				return nil
			}
			return "connection reset"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out.tar")
			source := w.source()
			text := spoil(source)
			err := bundle.Fill(t.Context(), w.plan(t, options(t)), source, out, bundle.FillOptions{})
			wantFault(t, err, fault.Failure, fault.Upstream, gone.Hex(), text)
			if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("there is a final file (%v)", err)
			}
		})
	}
}

func TestFillTellsProgress(t *testing.T) {
	t.Parallel()
	w := richWorld()
	plan := w.plan(t, options(t))
	var progress meter
	err := bundle.Fill(t.Context(), plan, w.source(), filepath.Join(t.TempDir(), "out.tar"), bundle.FillOptions{Progress: &progress})
	if err != nil {
		t.Fatal(err)
	}
	progress.want(t, int(plan.Size()))
}

// mountTmpfs returns a folder on a file system of a size.
func mountTmpfs(t *testing.T, size string) string {
	t.Helper()
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		unavailable(t, "a file system of %s needs Linux and root", size)
	}
	folder := t.TempDir()
	if err := mount(folder, size); err != nil {
		unavailable(t, "mount a tmpfs: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return folder
}

func TestDiskWithTooLittleRoom(t *testing.T) {
	t.Parallel()
	folder := mountTmpfs(t, "256k")
	w := richWorld()
	plan := w.plan(t, options(t))
	source := w.source()
	out := filepath.Join(folder, "out.tar")
	err := bundle.Fill(t.Context(), plan, source, out, bundle.FillOptions{})
	wantFault(t, err, fault.Failure, fault.Here, out, "too little room", manifests.Bytes(plan.Size()).String(),
		"262144 bytes (256 KiB) are free")
	if len(source.opens) > 0 {
		t.Errorf("%d contents were fetched for a disk that is too small", len(source.opens))
	}
}

// The room is taken before the first byte, so that nobody else can have it.
func TestDiskThatOthersFill(t *testing.T) {
	t.Parallel()
	folder := mountTmpfs(t, "2m")
	w := richWorld()
	source := w.source()
	var once sync.Once
	var filled error
	source.before = func(manifests.Digest, int64) error {
		once.Do(func() { filled = os.WriteFile(filepath.Join(folder, "greedy"), noise(1, 4<<20), 0o644) })
		return nil
	}
	out := filepath.Join(folder, "out.tar")
	if err := bundle.Fill(t.Context(), w.plan(t, options(t)), source, out, bundle.FillOptions{}); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(filled, syscall.ENOSPC) {
		t.Errorf("the disk did not become full: %v", filled)
	}
	wantAccepted(t, read(t, out), trust(t, "sender"))
}

// On a resumed build the room that the partial file has already is not needed
// a second time.
func TestResumeOnAFullDisk(t *testing.T) {
	t.Parallel()
	folder := mountTmpfs(t, "1m")
	w := richWorld()
	plan := w.plan(t, options(t))
	if plan.Size() < 520<<10 || plan.Size() > 1<<20 {
		t.Fatalf("the bundle has %d bytes: it has to fit once and not twice", plan.Size())
	}
	out := filepath.Join(folder, "out.tar")
	stop := errors.New("stop")
	source := w.source()
	source.before = func(manifests.Digest, int64) error { return stop }
	if err := bundle.Fill(t.Context(), plan, source, out, bundle.FillOptions{}); !errors.Is(err, stop) {
		t.Fatal(err)
	}
	if err := bundle.Fill(t.Context(), plan, w.source(), out, bundle.FillOptions{}); err != nil {
		t.Fatal(err)
	}
	wantAccepted(t, read(t, out), trust(t, "sender"))
}

package deep_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/islandbundle/island/bundle/deep"
)

// program is content that looks like a layer: text with repetitions.
func program(seed uint64, size int) []byte {
	rng := rand.New(rand.NewPCG(seed, 9))
	b := make([]byte, 0, size+64)
	for len(b) < size {
		if len(b) > 1000 && rng.IntN(3) > 0 {
			at := rng.IntN(len(b) - 64)
			b = append(b, b[at:at+4+rng.IntN(60)]...)
			continue
		}
		for range 1 + rng.IntN(30) {
			b = append(b, byte(rng.IntN(96)))
		}
	}
	return b[:size]
}

// edited changes content as another build of it does: stretches are replaced,
// put in, left out and moved, and addresses in a part are shifted.
func edited(rng *rand.Rand, old []byte) []byte {
	b := bytes.Clone(old)
	for range 1 + rng.IntN(6) {
		if len(b) < 4 {
			return append(b, byte(rng.IntN(256)))
		}
		from := rng.IntN(len(b))
		to := from + rng.IntN(min(len(b)-from, 5000)+1)
		switch rng.IntN(5) {
		case 0:
			b = append(b[:from:from], b[to:]...)
		case 1:
			b = append(append(b[:from:from], program(rng.Uint64(), rng.IntN(3000))...), b[from:]...)
		case 2:
			b = append(append(b[to:len(b):len(b)], b[from:to]...), b[:from]...)
		case 3:
			for i := from; i < to; i += 8 {
				b[i] += 3
			}
		default:
			copy(b[from:to], program(rng.Uint64(), to-from))
		}
	}
	return b
}

// TestDiffProperty: for random pairs, the patch makes the target of the base,
// and is not larger than what differs.
func TestDiffProperty(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 4))
	for pair := range 100 {
		base := program(uint64(pair), rng.IntN(60_000))
		target := edited(rng, base)
		switch pair % 20 {
		case 0:
			base = nil
		case 1:
			target = nil
		case 2:
			target = program(1_000_000, 10_000)
		case 3:
			target = bytes.Clone(base)
		}
		patch := diff(t, base, target)
		if got := apply(t, patch, base, len(target)); !bytes.Equal(got, target) {
			t.Fatalf("pair %d: another target came out", pair)
		}
		if pair%20 == 3 && len(patch) > 200 {
			t.Errorf("pair %d: %d bytes of patch for no difference in %d", pair, len(patch), len(base))
		}
	}
}

func diff(t testing.TB, base, target []byte) []byte {
	t.Helper()
	var patch bytes.Buffer
	if err := deep.Diff(&patch, base, target); err != nil {
		t.Fatal(err)
	}
	return patch.Bytes()
}

func apply(t testing.TB, patch, base []byte, size int) []byte {
	t.Helper()
	r, err := deep.NewReader(bytes.NewReader(patch), bytes.NewReader(base), int64(len(base)), int64(size))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	target, err := io.ReadAll(iotest.OneByteReader(r))
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// pack makes a patch of steps that no writer writes.
func pack(t testing.TB, steps ...byte) []byte {
	t.Helper()
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	return encoder.EncodeAll(steps, nil)
}

// TestHostilePatches: what does not make the target exactly is an error, and
// none goes on for ever or reads outside of the base.
func TestHostilePatches(t *testing.T) {
	t.Parallel()
	base := []byte("0123456789")
	for name, patch := range map[string][]byte{
		"no zstd":                  []byte("nothing of the kind"),
		"nothing":                  {},
		"no steps":                 pack(t),
		"steps that make nothing":  pack(t, make([]byte, 1000)...),
		"too many new bytes":       pack(t, 6, 'a', 'b', 'c', 'd', 'e', 'f', 0, 0),
		"new bytes end early":      pack(t, 5, 'a'),
		"number without an end":    pack(t, 0xff, 0xff),
		"number of 70 bits":        pack(t, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f),
		"too many like the base's": pack(t, 0, 6, 0, 0, 0, 0, 0, 0, 0),
		"before the base":          pack(t, 0, 5, 1, 0, 0, 0, 0, 0),
		"behind the base":          pack(t, 0, 5, 12, 0, 0, 0, 0, 0),
		"far behind the base":      pack(t, 0, 5, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01),
		"less than the target":     pack(t, 0, 4, 0, 0, 0, 0, 0),
		"differences end early":    pack(t, 0, 5, 0, 0, 0),
		"something follows":        pack(t, 0, 5, 0, 0, 0, 0, 0, 0, 1),
		"cut short":                diff(t, base, []byte("01x34"))[:10],
	} {
		r, err := deep.NewReader(bytes.NewReader(patch), bytes.NewReader(base), int64(len(base)), 5)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); !errors.Is(err, deep.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		r.Close()
	}
	if got := apply(t, pack(t, 2, 'a', 'b', 3, 4, 0, 1, 0xff), base, 5); string(got) != "ab243" {
		t.Errorf("a patch written by hand makes %q", got)
	}
}

// TestPatchWindow: a patch cannot make the reader hold more than its window.
func TestPatchWindow(t *testing.T) {
	t.Parallel()
	var patch bytes.Buffer
	w, err := zstd.NewWriter(&patch, zstd.WithWindowSize(64<<20))
	if err != nil {
		t.Fatal(err)
	}
	size := 20 << 20
	steps := append([]byte{0x80, 0x80, 0x80, 0x0a}, make([]byte, size)...)
	for range 4 { // in parts, so that it cannot be one segment
		n := len(steps) / 4
		if _, err := w.Write(steps[:n]); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := deep.NewReader(&patch, bytes.NewReader(nil), 0, int64(size))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, zstd.ErrWindowSizeExceeded) {
		t.Errorf("a window of 64 MiB: %v", err)
	}
}

// FuzzReader: whatever a patch says, it makes what it should or is an error.
func FuzzReader(f *testing.F) {
	base := program(1, 3000)
	f.Add(diff(f, base, program(2, 2000)), uint16(2000))
	f.Add(diff(f, base, edited(rand.New(rand.NewPCG(1, 1)), base)), uint16(3000))
	f.Fuzz(func(t *testing.T, patch []byte, size uint16) {
		r, err := deep.NewReader(bytes.NewReader(patch), bytes.NewReader(base), int64(len(base)), int64(size))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		wantBounded(t, r, int(size))
	})
}

// FuzzSteps is FuzzReader without the compression, which keeps a fuzzer busy.
func FuzzSteps(f *testing.F) {
	base := program(1, 3000)
	f.Add([]byte{2, 'a', 'b', 3, 4, 0, 1, 0xff}, uint16(5))
	f.Add([]byte{0, 5, 12, 0, 0, 0, 0, 0}, uint16(5))
	f.Add([]byte{0, 0, 0, 1, 'a', 0, 0}, uint16(1))
	f.Fuzz(func(t *testing.T, steps []byte, size uint16) {
		wantBounded(t, deep.NewStepReader(bytes.NewReader(steps), bytes.NewReader(base), int64(len(base)), int64(size)), int(size))
	})
}

func wantBounded(t *testing.T, r io.Reader, size int) {
	t.Helper()
	made, err := io.ReadAll(r)
	if len(made) > size || err == nil && len(made) != size {
		t.Fatalf("%d bytes of %d: %v", len(made), size, err)
	}
	if err != nil && !errors.Is(err, deep.ErrDamaged) {
		t.Fatalf("not told from an error of reading: %v", err)
	}
}

func compressed(t testing.TB, content []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	write(t, w, content, 1<<20)
	return b.Bytes()
}

// patchOf makes a patch in a folder of its own, and checks that nothing is left
// there.
func patchOf(t testing.TB, base, layer []byte) ([]byte, deep.Recipe, error) {
	t.Helper()
	folder := t.TempDir()
	file, err := os.CreateTemp(t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	recipe, failed := deep.Make(t.Context(), folder, bytes.NewReader(base), bytes.NewReader(layer), file)
	wantEmpty(t, folder)
	patch, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return patch, recipe, failed
}

func wantEmpty(t testing.TB, folder string) {
	t.Helper()
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

func open(t testing.TB, recipe deep.Recipe, base, patch []byte) ([]byte, error) {
	t.Helper()
	folder := t.TempDir()
	r := recipe.Open(t.Context(), folder, io.NopCloser(bytes.NewReader(base)), io.NopCloser(bytes.NewReader(patch)))
	layer, err := io.ReadAll(r)
	r.Close()
	wantEmpty(t, folder)
	return layer, err
}

// TestMake: of layers by each compressor, the recipe makes the very bytes.
func TestMake(t *testing.T) {
	t.Parallel()
	old := program(7, 1_200_000)
	new := edited(rand.New(rand.NewPCG(7, 7)), old)
	base := compressed(t, old, 6)
	recipes := []deep.Gzip{
		{Encoder: deep.EncoderGo, Level: 6}, {Encoder: deep.EncoderGo, Level: 1}, {Encoder: deep.EncoderGo, Level: 9},
		{Encoder: deep.EncoderKlauspost, Level: 5},
		{Encoder: deep.EncoderPgzip, Level: 5, Block: 1 << 20},
	}
	for _, want := range recipes {
		want.Header = headerOf(want.Encoder, want.Level)
		var layer bytes.Buffer
		write(t, want.Writer(&layer), new, 1<<20)
		patch, recipe, err := patchOf(t, base, layer.Bytes())
		if err != nil {
			t.Errorf("%s %d: %v", want.Encoder, want.Level, err)
			continue
		}
		if recipe.Gzip.Encoder != want.Encoder || recipe.Gzip.Level != want.Level || !recipe.Gzip.Same() {
			t.Errorf("%s %d was taken for %+v", want.Encoder, want.Level, recipe.Gzip)
		}
		if len(patch) > layer.Len()/10 {
			t.Errorf("%s %d: patch has %d bytes, layer %d", want.Encoder, want.Level, len(patch), layer.Len())
		}
		if got, err := open(t, recipe, base, patch); err != nil || !bytes.Equal(got, layer.Bytes()) {
			t.Errorf("%s %d: another layer came out: %v", want.Encoder, want.Level, err)
		}
	}
}

// BenchmarkMake makes the patch of a layer of yours, and the layer again:
//
//	ISLAND_LAYERS="old.tar.gz new.tar.gz" go test -run - -bench Make -benchtime 1x ./bundle/deep
func BenchmarkMake(b *testing.B) {
	names := strings.Fields(os.Getenv("ISLAND_LAYERS"))
	if len(names) != 2 {
		b.Skip("ISLAND_LAYERS does not name two layers")
	}
	base, err := os.ReadFile(names[0])
	if err != nil {
		b.Fatal(err)
	}
	layer, err := os.ReadFile(names[1])
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		start := time.Now()
		patch, recipe, err := patchOf(b, base, layer)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s/make")
		start = time.Now()
		if got, err := open(b, recipe, base, patch); err != nil || !bytes.Equal(got, layer) {
			b.Fatalf("another layer came out: %v", err)
		}
		b.ReportMetric(time.Since(start).Seconds(), "s/rebuild")
		b.ReportMetric(float64(len(patch)), "patch-bytes")
		b.ReportMetric(float64(len(layer)), "layer-bytes")
	}
}

// TestNoPatch: what cannot be made again is said to be, and not guessed.
func TestNoPatch(t *testing.T) {
	t.Parallel()
	content := program(8, 400_000)
	base := compressed(t, content, 6)
	two := append(bytes.Clone(base), compressed(t, content, 6)...)
	// Flushed on the way, as no compressor does by itself.
	var flushed bytes.Buffer
	w := gzip.NewWriter(&flushed)
	if _, err := w.Write(content[:300_000]); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	write(t, w, content[300_000:], 1<<20)
	for name, pair := range map[string][2][]byte{
		"layer is plain tar":       {base, content},
		"layer of two members":     {base, two},
		"layer with a tail":        {base, append(bytes.Clone(base), 0)},
		"layer cut short":          {base, base[:len(base)/2]},
		"layer with a wrong sum":   {base, append(bytes.Clone(base[:len(base)-8]), make([]byte, 8)...)},
		"layer by an unknown hand": {base, flushed.Bytes()},
		"layer of nothing":         {base, compressed(t, nil, 6)},
		"base is plain tar":        {content, base},
		"base of nothing":          {compressed(t, nil, 6), base},
		"base cut short":           {base[:1000], base},
	} {
		if _, _, err := patchOf(t, pair[0], pair[1]); !errors.Is(err, deep.ErrNoPatch) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A base of several members is as good as any.
	if _, _, err := patchOf(t, two, base); err != nil {
		t.Errorf("base of two members: %v", err)
	}
}

// TestOpenDamaged: another base or patch is an error or gives other bytes,
// which the digest tells; sizes are bounded by the recipe.
func TestOpenDamaged(t *testing.T) {
	t.Parallel()
	old := program(9, 300_000)
	new := edited(rand.New(rand.NewPCG(9, 9)), old)
	base, layer := compressed(t, old, 6), compressed(t, new, 6)
	patch, recipe, err := patchOf(t, base, layer)
	if err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() ([]byte, error){
		"larger base":     func() ([]byte, error) { return open(t, recipe, compressed(t, append(old, 0), 6), patch) },
		"smaller base":    func() ([]byte, error) { return open(t, recipe, compressed(t, old[1:], 6), patch) },
		"huge base":       func() ([]byte, error) { return open(t, recipe, compressed(t, make([]byte, 50<<20), 1), patch) },
		"base cut short":  func() ([]byte, error) { return open(t, recipe, base[:len(base)-20], patch) },
		"patch cut short": func() ([]byte, error) { return open(t, recipe, base, patch[:len(patch)-5]) },
		"smaller size":    func() ([]byte, error) { r := recipe; r.Size--; return open(t, r, base, patch) },
		"larger size":     func() ([]byte, error) { r := recipe; r.Size++; return open(t, r, base, patch) },
		"no level":        func() ([]byte, error) { r := recipe; r.Gzip.Level = 0; return open(t, r, base, patch) },
	} {
		if _, err := open(); !errors.Is(err, deep.ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for at := 0; at < len(patch); at += 1 + len(patch)/40 {
		altered := bytes.Clone(patch)
		altered[at] ^= 0x10
		if got, err := open(t, recipe, base, altered); err == nil && bytes.Equal(got, layer) && at > 8 {
			t.Errorf("byte %d of the patch says nothing", at)
		}
	}
}

// TestOpenEnds: who stops reading, or is cancelled, leaves nothing behind.
func TestOpenEnds(t *testing.T) {
	t.Parallel()
	base, layer := compressed(t, program(10, 300_000), 6), compressed(t, program(10, 290_000), 6)
	patch, recipe, err := patchOf(t, base, layer)
	if err != nil {
		t.Fatal(err)
	}
	closed := 0
	counted := func(b []byte) io.ReadCloser { return &closing{Reader: bytes.NewReader(b), closed: &closed} }
	folder := t.TempDir()
	r := recipe.Open(t.Context(), folder, counted(base), counted(patch))
	if _, err := io.ReadFull(r, make([]byte, 100)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r = recipe.Open(ctx, folder, counted(base), counted(patch))
	if _, err := io.ReadAll(r); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	r.Close()
	broken := errors.New("disk is broken")
	r = recipe.Open(t.Context(), folder, io.NopCloser(iotest.ErrReader(broken)), counted(patch))
	if _, err := io.ReadAll(r); !errors.Is(err, broken) || errors.Is(err, deep.ErrDamaged) {
		t.Errorf("broken disk: %v", err)
	}
	r.Close()
	r = recipe.Open(t.Context(), folder, counted(base), io.NopCloser(io.MultiReader(bytes.NewReader(patch[:20]), iotest.ErrReader(broken))))
	if _, err := io.ReadAll(r); !errors.Is(err, broken) || errors.Is(err, deep.ErrDamaged) {
		t.Errorf("broken disk under the patch: %v", err)
	}
	r.Close()
	if closed != 6 {
		t.Errorf("%d readers of 6 were closed", closed)
	}
	wantEmpty(t, folder)
}

type closing struct {
	io.Reader
	closed *int
}

func (c *closing) Close() error {
	*c.closed++
	return nil
}

package bundle_test

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
)

// largeWorld has layers of zeros that are held nowhere; each has one byte of
// its own in front. Sizes are in bytes.
func largeWorld(layers int, size int64) (*world, bundle.Source) {
	w := newWorld("large")
	var locked manifests.LockedManifest
	var blobs []descriptor
	source := zeros{world: w, marks: map[manifests.Digest]byte{}}
	for i := range layers {
		sum := sha256.New()
		if _, err := io.Copy(sum, zeroReader(byte(i+1), size, 0)); err != nil {
			panic(err)
		}
		blob := manifests.Content{
			Digest: manifests.DigestFromSum(sum.Sum(nil)), Size: size, MediaType: layerType, Repository: "registry.example/large",
		}
		source.marks[blob.Digest] = byte(i + 1)
		w.lock.Blobs = append(w.lock.Blobs, blob)
		blobs = append(blobs, describe(blob))
		locked.Layers = append(locked.Layers, blob.Digest)
	}
	config := w.blob(configType, []byte(`{"os":"linux","architecture":"amd64"}`))
	manifest := w.blob(manifests.OCIManifest, toJSON(map[string]any{"schemaVersion": 2, "config": describe(config), "layers": blobs}))
	locked.Platform, locked.Config, locked.Digest = w.lock.Release.Platforms[0], config.Digest, manifest.Digest
	w.image("quay.io/wire/large:1", manifest, locked)
	return w, source
}

type zeros struct {
	world *world
	marks map[manifests.Digest]byte
}

func (z zeros) Open(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	if mark, ok := z.marks[content.Digest]; ok {
		return io.NopCloser(zeroReader(mark, content.Size, offset)), nil
	}
	return z.world.source().Open(ctx, content, offset)
}

func zeroReader(mark byte, size, offset int64) io.Reader {
	return io.NewSectionReader(marked(mark), offset, size-offset)
}

// marked is zeros without an end, but for the first byte.
type marked byte

func (m marked) ReadAt(p []byte, at int64) (int, error) {
	clear(p)
	if at == 0 && len(p) > 0 {
		p[0] = byte(m)
	}
	return len(p), nil
}

// What fill and verify allocate does not grow with the bundle. Not in parallel
// with other tests: it measures the whole program.
func TestMemoryIsBounded(t *testing.T) {
	const layers, size, limit = 4, 16 << 20, 8 << 20
	w, source := largeWorld(layers, size)
	plan := w.plan(t, bundle.PlanOptions{})
	out := filepath.Join(t.TempDir(), "out.tar")
	measure := func(name string, job func() error) {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := job()
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		// All that was allocated, so that it does not matter when it was freed.
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > limit {
			t.Errorf("%s of %s allocated %s, want at most %s", name, manifests.Bytes(plan.Size()), manifests.Bytes(allocated),
				manifests.Bytes(limit))
		}
	}
	measure("fill", func() error { return bundle.Fill(t.Context(), plan, source, out, bundle.FillOptions{Parallel: 8}) })
	file, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	measure("verify from a file", func() error {
		b, err := bundle.Open(file, plan.Size(), trust(t, "sender"))
		if err != nil {
			return err
		}
		return b.Verify(t.Context(), bundle.VerifyOptions{Parallel: 8})
	})
	measure("verify from a stream", func() error {
		_, err := bundle.VerifyStream(t.Context(), file, trust(t, "sender"), bundle.VerifyOptions{})
		return err
	})
}

const benchLayers, benchSize = 8, 32 << 20

// BenchmarkFill writes a bundle of 256 MiB; its floor hashes and writes the same
// bytes once, on as many workers, and makes them durable.
func BenchmarkFill(b *testing.B) {
	w, source := largeWorld(benchLayers, benchSize)
	plan := w.plan(b, bundle.PlanOptions{})
	out := filepath.Join(b.TempDir(), "out.tar")
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(benchLayers * benchSize)
		for b.Loop() {
			file, err := os.Create(out)
			if err != nil {
				b.Fatal(err)
			}
			parallel(benchLayers, func(i int) {
				sum := sha256.New()
				at := io.NewOffsetWriter(file, int64(i)*benchSize)
				from := struct{ io.Reader }{zeroReader(byte(i+1), benchSize, 0)}
				to := struct{ io.Writer }{io.MultiWriter(at, sum)}
				if _, err := io.CopyBuffer(to, from, make([]byte, 256<<10)); err != nil {
					b.Error(err)
				}
			})
			if err := file.Sync(); err != nil {
				b.Fatal(err)
			}
			file.Close()
			os.Remove(out)
		}
	})
	b.Run("fill", func(b *testing.B) {
		b.SetBytes(plan.Size())
		b.ReportAllocs()
		for b.Loop() {
			if err := bundle.Fill(b.Context(), plan, source, out, bundle.FillOptions{Parallel: benchLayers}); err != nil {
				b.Fatal(err)
			}
			os.Remove(out)
		}
	})
}

// BenchmarkVerify verifies a bundle of 256 MiB in a file; its floor hashes the
// same bytes on all processors.
func BenchmarkVerify(b *testing.B) {
	w, source := largeWorld(benchLayers, benchSize)
	plan := w.plan(b, bundle.PlanOptions{})
	out := filepath.Join(b.TempDir(), "out.tar")
	if err := bundle.Fill(b.Context(), plan, source, out, bundle.FillOptions{}); err != nil {
		b.Fatal(err)
	}
	file, err := os.Open(out)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	b.Run("floor", func(b *testing.B) {
		b.SetBytes(benchLayers * benchSize)
		for b.Loop() {
			parallel(runtime.GOMAXPROCS(0), func(worker int) {
				for i := worker; i < benchLayers; i += runtime.GOMAXPROCS(0) {
					section := io.NewSectionReader(file, int64(i)*benchSize, benchSize)
					if _, err := io.CopyBuffer(sha256.New(), section, make([]byte, 256<<10)); err != nil {
						b.Error(err)
					}
				}
			})
		}
	})
	b.Run("file", func(b *testing.B) {
		b.SetBytes(plan.Size())
		b.ReportAllocs()
		for b.Loop() {
			opened, err := bundle.Open(file, plan.Size(), trust(b, "sender"))
			if err != nil {
				b.Fatal(err)
			}
			if err := opened.Verify(b.Context(), bundle.VerifyOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("stream", func(b *testing.B) {
		b.SetBytes(plan.Size())
		b.ReportAllocs()
		for b.Loop() {
			stream := io.NewSectionReader(file, 0, plan.Size())
			if _, err := bundle.VerifyStream(b.Context(), stream, trust(b, "sender"), bundle.VerifyOptions{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func parallel(workers int, job func(i int)) {
	done := make(chan struct{})
	for i := range workers {
		go func() { job(i); done <- struct{}{} }()
	}
	for range workers {
		<-done
	}
}

// BenchmarkPlan plans a release of the size of a real one.
func BenchmarkPlan(b *testing.B) {
	w := newWorld("wire")
	for i := range 100 {
		manifest, locked := w.manifest("amd64", noise(uint64(i), 64), noise(uint64(i+1), 64), noise(uint64(i+2), 64))
		w.image("quay.io/wire/image"+string(rune('a'+i%26))+string(rune('a'+i/26))+":1", manifest, locked)
	}
	for b.Loop() {
		if _, err := bundle.NewPlan(w.lock, bundle.PlanOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

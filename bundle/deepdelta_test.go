package bundle_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// packed is a layer as a registry has it.
func packed(layer []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if err := errors.Join(second(w.Write(layer)), w.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// flushed is a layer by a compressor that nobody knows.
func flushed(layer []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if err := errors.Join(second(w.Write(layer[:2000])), w.Flush(), second(w.Write(layer[2000:])), w.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// code is content of which a change changes a little.
func code(seed uint64, revision int) []byte {
	b := noise(seed, 110_000)
	if revision > 0 {
		copy(b[60_000:], fmt.Sprintf("revision %d", revision))
		b = append(b[:90_000:90_000], append([]byte("a new function"), b[90_000:]...)...)
	}
	return b
}

// deepWorld has images whose layers differ in little between releases.
func deepWorld(rng *rand.Rand, version string) *world {
	w := newWorld("deep")
	w.lock.Release.Version = version
	if version == "2" {
		w.lock.Release.Sequence = 2
	}
	w.chart("chart", version, noise(rng.Uint64(), 3000))
	for i := range 1 + rng.IntN(3) {
		seed := uint64(100 * (i + 1))
		layers := [][]byte{packed(layer("base", code(seed, rng.IntN(2))))}
		if rng.IntN(2) == 0 {
			layers = append(layers, packed(layer("app", code(seed+1, rng.IntN(3)))))
		}
		switch rng.IntN(3) {
		case 0:
			layers = append(layers, flushed(layer("strange", code(seed+2, rng.IntN(2)))))
		case 1:
			layers = append(layers, layer("plain", code(seed+3, rng.IntN(2))))
		}
		manifest, locked := w.manifest("amd64", layers...)
		w.image(fmt.Sprintf("quay.io/test/app-%d:%s", i, version), manifest, locked)
	}
	return w
}

// deepDelta builds the deep delta of a plan for a base.
func deepDelta(t testing.TB, plan *bundle.Plan, source bundle.Source, base *bundle.Bundle) []byte {
	t.Helper()
	folder := t.TempDir()
	delta, err := plan.DeepDelta(t.Context(), base, source, bundle.DeepOptions{Folder: folder})
	if err != nil {
		t.Fatal(err)
	}
	defer delta.Close()
	if left, err := os.ReadDir(folder); err != nil || len(left) > 0 { // a killed program leaves them
		t.Errorf("patches have names: %v, %v", left, err)
	}
	if err := delta.Sign(bundle.Signer{Key: first(testKey(t, "sender"))}); err != nil {
		t.Fatal(err)
	}
	return build(t, delta, source)
}

// TestDeepDeltaProperty: for random pairs of releases, base + deep delta is byte
// for byte the full build, however often applying is interrupted; the same again
// gives the same delta, and it is never larger than one of whole layers by more
// than what names the patches.
func TestDeepDeltaProperty(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 5))
	patches, whole := 0, 0
	for pair := range 20 {
		old, new := deepWorld(rng, "1"), deepWorld(rng, "2")
		base := open(t, build(t, old.plan(t, options(t)), old.source()))
		plan := new.plan(t, options(t))
		full := build(t, plan, new.source())
		archive := deepDelta(t, plan, new.source(), base)
		wantAccepted(t, archive, trust(t, "sender"))
		if pair%5 == 0 && !bytes.Equal(archive, deepDelta(t, plan, new.source(), base)) {
			t.Fatalf("pair %d: the same delta has other bytes", pair)
		}
		delta := open(t, archive)
		if got := apply(t, base, delta, pair%4, rng); !bytes.Equal(got, full) {
			t.Fatalf("pair %d: applying gives other bytes than the full build", pair)
		}
		shallow := deltaOf(t, plan, new.source(), base.Base())
		saved := int64(0)
		for _, patch := range delta.Delta.Deep {
			saved += 50_000 // a layer of 110 kB against a patch of at most half
			if patch.Size > 5_000 {
				t.Errorf("pair %d: patch for little has %d bytes", pair, patch.Size)
			}
		}
		if int64(len(archive)) > int64(len(shallow))-saved {
			t.Errorf("pair %d: deep %d, whole layers %d, %d patches", pair, len(archive), len(shallow), len(delta.Delta.Deep))
		}
		patches += len(delta.Delta.Deep)
		for _, entry := range delta.Inventory.Entries {
			if entry.Size > 100_000 && slices.Contains(delta.Delta.Entries, entry.Path) {
				whole++
			}
		}
	}
	if patches < 10 || whole == 0 {
		t.Errorf("%d patches and %d layers that cannot be patched: the test does not test", patches, whole)
	}
}

// deepPair is a base and a deep delta with one patch.
func deepPair(t testing.TB) (oldArchive, deltaArchive []byte) {
	t.Helper()
	old, new := newWorld("deep"), newWorld("deep")
	new.next("2026.2")
	for revision, w := range []*world{old, new} {
		manifest, locked := w.manifest("amd64", packed(layer("app", code(1, revision))))
		w.image("quay.io/test/app:1", manifest, locked)
	}
	oldArchive = build(t, old.plan(t, options(t)), old.source())
	deltaArchive = deepDelta(t, new.plan(t, options(t)), new.source(), open(t, oldArchive))
	if n := len(open(t, deltaArchive).Delta.Deep); n != 1 {
		t.Fatalf("%d patches, want 1", n)
	}
	return oldArchive, deltaArchive
}

// redelta alters delta.json; nobody has signed the result.
func redelta(t testing.TB, archive []byte, alter func(*bundle.Delta)) (*bundle.Bundle, error) {
	t.Helper()
	delta := *open(t, archive).Delta
	delta.Deep = append([]bundle.DeepPatch{}, delta.Deep...)
	alter(&delta)
	text, err := manifests.EncodeJSON(delta)
	if err != nil {
		t.Fatal(err)
	}
	for _, span := range spans(t, archive) {
		if span.path != "delta.json" {
			continue
		}
		header := bytes.Clone(archive[span.content-512 : span.content])
		copy(header[124:], fmt.Sprintf("%011o", len(text)))
		resum(header)
		altered := append(bytes.Clone(archive[:span.content-512]), header...)
		altered = append(append(altered, text...), make([]byte, (512-len(text)%512)%512)...)
		altered = append(altered, archive[span.next():]...)
		return bundle.Open(bytes.NewReader(altered), int64(len(altered)), bundle.Trust{WithoutAnyCheck: true})
	}
	t.Fatal("no delta.json")
	return nil, nil
}

// resum sets the checksum of a tar header.
func resum(header []byte) {
	copy(header[148:], "        ")
	sum := 0
	for _, b := range header {
		sum += int(b)
	}
	copy(header[148:], fmt.Sprintf("%06o\x00 ", sum))
}

// TestDeepDeltaHostile: a delta.json that was signed and makes no sense is
// refused, before anything is unpacked.
func TestDeepDeltaHostile(t *testing.T) {
	t.Parallel()
	_, archive := deepPair(t)
	if _, err := redelta(t, archive, func(*bundle.Delta) {}); err != nil {
		t.Fatal(err)
	}
	other := manifests.DigestOf([]byte("other"))
	for name, alter := range map[string]func(d *bundle.Delta){
		"patch for another blob":      func(d *bundle.Delta) { d.Deep[0].Target = other },
		"patch for no blob":           func(d *bundle.Delta) { d.Deep[0].Target = "" },
		"patch for a blob carried":    func(d *bundle.Delta) { d.Deep[0].Target = carriedBlob(t, d) },
		"two patches for one blob":    func(d *bundle.Delta) { d.Deep = append(d.Deep, d.Deep[0]) },
		"patch of itself":             func(d *bundle.Delta) { d.Deep[0].Base = d.Deep[0].Target },
		"no base":                     func(d *bundle.Delta) { d.Deep[0].Base = "" },
		"no digest":                   func(d *bundle.Delta) { d.Deep[0].Patch = "" },
		"no size":                     func(d *bundle.Delta) { d.Deep[0].Size = 0 },
		"patch larger than its layer": func(d *bundle.Delta) { d.Deep[0].Size = 1 << 30 },
		"negative size":               func(d *bundle.Delta) { d.Deep[0].Size = -1 },
		"layer of exabytes":           func(d *bundle.Delta) { d.Deep[0].Recipe.Size = 1 << 60 },
		"base of exabytes":            func(d *bundle.Delta) { d.Deep[0].Recipe.BaseSize = 1 << 60 },
		"unknown encoder":             func(d *bundle.Delta) { d.Deep[0].Recipe.Gzip.Encoder = "zopfli" },
		"too many patches":            func(d *bundle.Delta) { d.Deep = make([]bundle.DeepPatch, 1000) },
	} {
		if _, err := redelta(t, archive, alter); err == nil {
			t.Errorf("%s was taken", name)
		} else {
			wantFault(t, err, fault.Refused, fault.Site)
		}
	}
}

// carriedBlob returns the digest of a blob that the delta carries whole.
func carriedBlob(t testing.TB, d *bundle.Delta) manifests.Digest {
	t.Helper()
	for _, path := range d.Entries {
		if hex, ok := strings.CutPrefix(string(path), bundle.BlobsFolder); ok {
			return manifests.Digest("sha256:" + hex)
		}
	}
	t.Fatal("no blob is carried")
	return ""
}

// TestDeepDeltaRefused: what does not rebuild to the digest never gets the
// bundle's name, and what cannot be rebuilt is refused before work starts.
func TestDeepDeltaRefused(t *testing.T) {
	t.Parallel()
	oldArchive, deltaArchive := deepPair(t)

	t.Run("every altered byte of a patch", func(t *testing.T) {
		for _, span := range spans(t, deltaArchive) {
			if !strings.HasPrefix(span.path, bundle.DeepFolder) {
				continue
			}
			for at := span.content - 512; at < span.next(); at += 41 {
				altered := bytes.Clone(deltaArchive)
				altered[at] ^= 0x21
				wantRefused(t, altered, trust(t, "sender"), span.path)
			}
			// Nobody has to verify before applying.
			altered := bytes.Clone(deltaArchive)
			altered[span.content+span.size/2] ^= 0x21
			wantNotApplied(t, oldArchive, open(t, altered))
		}
	})
	t.Run("an altered base", func(t *testing.T) {
		altered := bytes.Clone(oldArchive)
		for _, span := range spans(t, oldArchive) {
			if span.size > 100_000 {
				altered[span.content+span.size/2] ^= 1
			}
		}
		wantNotApplied(t, altered, open(t, deltaArchive))
	})
	for name, alter := range map[string]func(d *bundle.Delta){
		"another level":     func(d *bundle.Delta) { d.Deep[0].Recipe.Gzip.Level = 9 },
		"another encoder":   func(d *bundle.Delta) { d.Deep[0].Recipe.Gzip.Encoder = "klauspost" },
		"another probe":     func(d *bundle.Delta) { d.Deep[0].Recipe.Gzip.Probe = "0123456789abcdef" },
		"another base blob": func(d *bundle.Delta) { d.Deep[0].Base = manifests.DigestOf([]byte("other")) },
	} {
		t.Run(name, func(t *testing.T) {
			delta, err := redelta(t, deltaArchive, alter)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := bundle.Apply(open(t, oldArchive), delta); err == nil {
				t.Error("it was not refused before work starts")
			}
		})
	}
	for name, alter := range map[string]func(d *bundle.Delta){
		"a wrong header":    func(d *bundle.Delta) { d.Deep[0].Recipe.Gzip.Header[4] = 1 },
		"a wrong base size": func(d *bundle.Delta) { d.Deep[0].Recipe.BaseSize++ },
		"a wrong size":      func(d *bundle.Delta) { d.Deep[0].Recipe.Size-- },
	} {
		t.Run(name, func(t *testing.T) {
			delta, err := redelta(t, deltaArchive, alter)
			if err != nil {
				t.Fatal(err)
			}
			wantNotApplied(t, oldArchive, delta)
		})
	}
}

// wantNotApplied: applying is refused, and leaves nothing but a partial bundle.
func wantNotApplied(t *testing.T, oldArchive []byte, delta *bundle.Bundle) {
	t.Helper()
	plan, source, err := bundle.Apply(open(t, oldArchive), delta)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	out := filepath.Join(folder, "new.tar")
	err = bundle.Fill(t.Context(), plan, source, out, bundle.FillOptions{})
	wantFault(t, err, fault.Refused, fault.Site)
	left, err := os.ReadDir(folder)
	if err != nil || len(left) != 1 || left[0].Name() != "new.tar"+bundle.PartialSuffix {
		t.Errorf("left: %v, %v", left, err)
	}
}

// TestDeepDeltaMade: making a deep delta ends well or not at all.
func TestDeepDeltaMade(t *testing.T) {
	t.Parallel()
	oldArchive, deltaArchive := deepPair(t)
	new := newWorld("deep")
	new.next("2026.2")
	manifest, locked := new.manifest("amd64", packed(layer("app", code(1, 1))))
	new.image("quay.io/test/app:1", manifest, locked)
	plan := new.plan(t, options(t))

	t.Run("a delta as base", func(t *testing.T) {
		_, err := plan.DeepDelta(t.Context(), open(t, deltaArchive), new.source(), bundle.DeepOptions{})
		wantFault(t, err, fault.Usage, fault.Here, "no whole bundle")
	})
	t.Run("a base whose layer was altered", func(t *testing.T) {
		altered := bytes.Clone(oldArchive)
		for _, span := range spans(t, oldArchive) {
			if span.size > 100_000 {
				altered[span.content+10] ^= 1 // no part of the gzip member's sum
			}
		}
		folder := t.TempDir()
		delta, err := plan.DeepDelta(t.Context(), open(t, altered), new.source(), bundle.DeepOptions{Folder: folder})
		if err == nil {
			defer delta.Close()
			if len(delta.DeepPatches()) > 0 {
				t.Error("a patch of an altered layer was made")
			}
		}
		if left, _ := os.ReadDir(folder); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		folder := t.TempDir()
		_, err := plan.DeepDelta(ctx, open(t, oldArchive), new.source(), bundle.DeepOptions{Folder: folder})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
		if left, _ := os.ReadDir(folder); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
	})
	t.Run("a shallow delta says nothing of it", func(t *testing.T) {
		text, err := json.Marshal(open(t, deltaOf(t, plan, new.source(), open(t, oldArchive).Base())).Delta)
		if err != nil || strings.Contains(string(text), `"deep":[`) {
			t.Errorf("%s, %v", text, err)
		}
	})
}

// Of several manifests for a platform, the layers of each are compared with those of
// the one in its place.
func TestLayersOfSeveralForAPlatformArePaired(t *testing.T) {
	t.Parallel()
	several := func(version string, count int) *world {
		w := newWorld("several")
		var locked []manifests.LockedManifest
		var entries []descriptor
		for i := range count {
			manifest, one := w.manifest("amd64", layer("a", []byte(fmt.Sprint(version, i))))
			locked, entries = append(locked, one), append(entries, entry(manifest, "linux/amd64"))
		}
		w.image("quay.io/wire/brig:"+version, w.oddIndex("", entries...), locked...)
		return w
	}
	base, target := several("1", 2), several("2", 3)
	pairs := bundle.PairLayers(base.lock, target.lock)
	for i, want := range []int{0, 1, 1} {
		is := pairs[target.lock.Images[0].Manifests[i].Layers[0]].Digest
		if is != base.lock.Images[0].Manifests[want].Layers[0] {
			t.Errorf("manifest %d is compared with another than %d", i, want)
		}
	}
}

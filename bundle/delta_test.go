package bundle_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// randomWorld is one of many releases that share some of their content: a
// chart, file or layer of a number has the same bytes in all of them.
func randomWorld(rng *rand.Rand, name string) *world {
	w := newWorld(name)
	for i := range 1 + rng.IntN(6) {
		revision := uint64(rng.IntN(2))
		w.chart(fmt.Sprintf("chart-%d", i), fmt.Sprintf("1.0.%d", revision), noise(uint64(i)*10+revision, 3000))
	}
	for i := range rng.IntN(4) {
		if rng.IntN(3) > 0 {
			w.file(fmt.Sprintf("files/f%d", i), 0o644, noise(1000+uint64(i)*10+uint64(rng.IntN(2)), rng.IntN(2)*5000))
		}
	}
	for i := range 1 + rng.IntN(5) {
		base := layer("base", noise(2000, 20_000))
		top := layer("top", noise(3000+uint64(i)*10+uint64(rng.IntN(2)), 10_000+i))
		manifest, locked := w.manifest("amd64", base, top)
		w.image(fmt.Sprintf("quay.io/test/app-%d:%d", i, rng.IntN(2)), manifest, locked)
	}
	return w
}

// open opens an archive that is held in a file.
func open(t testing.TB, archive []byte) *bundle.Bundle {
	t.Helper()
	return openAs(t, archive, trust(t, "sender"))
}

func openAs(t testing.TB, archive []byte, trust bundle.Trust) *bundle.Bundle {
	t.Helper()
	name := filepath.Join(t.TempDir(), "archive.tar")
	if err := os.WriteFile(name, archive, 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	b, err := bundle.Open(file, int64(len(archive)), trust)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// deltaOf builds the delta of a plan for a base.
func deltaOf(t testing.TB, plan *bundle.Plan, source bundle.Source, base *bundle.Base) []byte {
	t.Helper()
	delta, err := plan.Delta(base)
	if err != nil {
		t.Fatal(err)
	}
	if err := delta.Sign(bundle.Signer{Key: first(testKey(t, "sender"))}); err != nil {
		t.Fatal(err)
	}
	return build(t, delta, source)
}

func first[A, B any](a A, _ B) A { return a }

// apply makes the whole bundle, interrupted some times on the way if asked to.
func apply(t testing.TB, base, delta *bundle.Bundle, interruptions int, rng *rand.Rand) []byte {
	t.Helper()
	plan, source, err := bundle.Apply(base, delta)
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "new.tar")
	for range interruptions {
		ctx, cancel := context.WithCancel(context.Background())
		broken := &breaking{Source: source, cancel: cancel}
		broken.left.Store(rng.Int64N(40))
		if err := bundle.Fill(ctx, plan, broken, out, bundle.FillOptions{Parallel: 2}); err == nil {
			return read(t, out)
		} else if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
	}
	if err := bundle.Fill(context.Background(), plan, source, out, bundle.FillOptions{}); err != nil {
		t.Fatal(err)
	}
	return read(t, out)
}

// breaking cancels the work after a number of parts.
type breaking struct {
	bundle.Source
	left   atomic.Int64
	cancel func()
}

func (b *breaking) Open(ctx context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	if b.left.Add(-1) < 0 {
		b.cancel()
	}
	return b.Source.Open(ctx, content, offset)
}

// TestDeltaProperty: for random pairs of releases, base + delta is byte for
// byte the full build, however often applying is interrupted; the delta carries
// what differs and little more; and a delta on a delta's result works too.
func TestDeltaProperty(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(4, 2))
	carried := 0
	for pair := range 24 {
		old, new := randomWorld(rng, "old"), randomWorld(rng, "new")
		old.lock.Release.Version, new.lock.Release.Version = "1", "2"
		oldArchive := build(t, old.plan(t, options(t)), old.source())
		plan := new.plan(t, options(t))
		full := build(t, plan, new.source())
		base := open(t, oldArchive)
		source := new.source()
		deltaArchive := deltaOf(t, plan, source, base.Base())
		wantAccepted(t, deltaArchive, trust(t, "sender"))
		delta := open(t, deltaArchive)
		if delta.Delta == nil || delta.Delta.Base.Digest != base.Digest {
			t.Fatalf("pair %d: delta does not name its base", pair)
		}
		for digest, opens := range source.opens {
			if opens > 0 && bytes.Contains(oldArchive, source.content[digest]) && len(source.content[digest]) > 0 {
				t.Errorf("pair %d: %s was fetched though the base has it", pair, digest)
			}
		}
		if got := apply(t, base, delta, pair%4, rng); !bytes.Equal(got, full) {
			t.Fatalf("pair %d: applying gives other bytes than the full build", pair)
		}
		carried += len(delta.Delta.Entries)

		// A chain: the next release on the result.
		next := randomWorld(rng, "next")
		next.lock.Release.Version = "3"
		nextPlan := next.plan(t, options(t))
		second := open(t, deltaOf(t, nextPlan, next.source(), open(t, full).Base()))
		if got := apply(t, open(t, full), second, 0, rng); !bytes.Equal(got, build(t, nextPlan, next.source())) {
			t.Fatalf("pair %d: the chained delta gives other bytes than the full build", pair)
		}
	}
	if carried == 0 {
		t.Error("no delta carried anything")
	}
}

// TestDeltaFromInventoryAlone: the sender need not have kept the old archive.
func TestDeltaFromInventoryAlone(t *testing.T) {
	t.Parallel()
	old, new := tinyWorld(), richWorld()
	oldArchive := build(t, old.plan(t, options(t)), old.source())
	plan := new.plan(t, options(t))
	inventory, reader, _ := inventoryOf(t, oldArchive)
	base, err := bundle.ReadBase(inventory)
	if err != nil {
		t.Fatal(err)
	}
	if base.Digest != reader.Digest {
		t.Fatalf("base has digest %s, the bundle %s", base.Digest, reader.Digest)
	}
	want := deltaOf(t, plan, new.source(), reader.Base())
	if got := deltaOf(t, plan, new.source(), base); !bytes.Equal(got, want) {
		t.Error("a delta made from bundle.json differs from one made from the bundle")
	}
}

// inventoryOf returns bundle.json out of an archive.
func inventoryOf(t testing.TB, archive []byte) ([]byte, *bundle.Bundle, error) {
	t.Helper()
	for _, span := range spans(t, archive) {
		if span.path == "bundle.json" {
			return archive[span.content:span.end()], open(t, archive), nil
		}
	}
	t.Fatal("no bundle.json")
	return nil, nil, nil
}

// A delta leads forward: what it makes has to come after its base, or no site takes it.
func TestDeltaOfWhatIsNotLater(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		base, target manifests.Sequence
		name, want   string
	}{
		{7, 8, "tiny", ""}, {0, 1, "tiny", ""}, {7, 7, "other", ""}, {7, 0, "other", ""},
		{7, 7, "tiny", "the base, tiny 2026.1, has sequence 7, and this delivery, 2026.1+FIX-1, has 7"},
		{8, 7, "tiny", "the base, tiny 2026.1, has sequence 8, and this delivery, 2026.1+FIX-1, has 7"},
		{3, 0, "tiny", "has sequence 3, and this delivery, 2026.1+FIX-1, has 0"},
		{0, 0, "tiny", "neither the base, tiny 2026.1, nor this delivery, 2026.1+FIX-1, has a sequence"},
	} {
		old, new := tinyWorld(), tinyWorld()
		old.lock.Release.Sequence, new.lock.Release.Sequence = test.base, test.target
		new.lock.Release.Name, new.lock.Release.Version = test.name, "2026.1+FIX-1"
		new.file("files/new", 0o644, []byte("new\n"))
		base := open(t, build(t, old.plan(t, options(t)), old.source()))
		plan := new.plan(t, options(t))
		_, err := plan.Delta(base.Base())
		_, deepErr := plan.DeepDelta(t.Context(), base, new.source(), bundle.DeepOptions{Folder: t.TempDir()})
		if test.want == "" {
			if err != nil || deepErr != nil {
				t.Errorf("%+v: %v, %v", test, err, deepErr)
			}
			continue
		}
		wantFault(t, err, fault.Usage, fault.Here, test.want)
		wantFault(t, deepErr, fault.Usage, fault.Here, test.want)
	}
}

// What has patches has a version of its own, and so a name; what has none may keep the
// version, as Wire's own releases do.
func TestDeltaOfTheSameVersion(t *testing.T) {
	t.Parallel()
	for patches, want := range map[string]string{"": "", "FIX-1": "the base has the version 2026.1, too, and this delivery has patches"} {
		old, new := tinyWorld(), tinyWorld()
		old.lock.Release.Sequence, new.lock.Release.Sequence = 1, 2
		new.file("files/new", 0o644, []byte("new\n"))
		if patches != "" {
			new.lock.Patches = []manifests.LockedPatch{{ID: patches, Date: date("2026-04-20"), Severity: "low", Digest: manifests.DigestOf(nil)}}
		}
		base := open(t, build(t, old.plan(t, options(t)), old.source()))
		_, err := new.plan(t, options(t)).Delta(base.Base())
		if want == "" && err == nil {
			continue
		}
		wantFault(t, err, fault.Usage, fault.Here, want)
	}
}

// TestDeltaRefused: what is not the delta's base, or not what was signed, is
// refused before any work starts.
func TestDeltaRefused(t *testing.T) {
	t.Parallel()
	old, other, new := tinyWorld(), tinyWorld(), richWorld()
	other.lock.Release.Version = "0.0.9"
	oldArchive := build(t, old.plan(t, options(t)), old.source())
	otherArchive := build(t, other.plan(t, options(t)), other.source())
	plan := new.plan(t, options(t))
	full := build(t, plan, new.source())
	deltaArchive := deltaOf(t, plan, new.source(), open(t, oldArchive).Base())
	delta := open(t, deltaArchive)

	t.Run("another base", func(t *testing.T) {
		_, _, err := bundle.Apply(open(t, otherArchive), delta)
		wantFault(t, err, fault.Refused, fault.Site, "the delta is for", "0.0.9")
	})
	t.Run("a whole bundle as delta", func(t *testing.T) {
		_, _, err := bundle.Apply(open(t, oldArchive), open(t, full))
		wantFault(t, err, fault.Usage, fault.Here, "whole bundle, not a delta")
	})
	t.Run("a delta as base", func(t *testing.T) {
		_, _, err := bundle.Apply(delta, delta)
		wantFault(t, err, fault.Usage, fault.Here, "the base is a delta itself")
	})
	t.Run("the bundle itself as base", func(t *testing.T) {
		_, err := plan.Delta(open(t, full).Base())
		wantFault(t, err, fault.Usage, fault.Here, "nothing to carry")
	})
	t.Run("a base whose content was altered", func(t *testing.T) {
		altered := bytes.Clone(oldArchive)
		for _, span := range spans(t, oldArchive) {
			if span.size > 0 && span.path != "bundle.json" && span.path != "bundle.sigstore.json" {
				altered[span.content] ^= 1
			}
		}
		base := open(t, altered) // its front is as it was
		plan, source, err := bundle.Apply(base, delta)
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "new.tar")
		if err := bundle.Fill(t.Context(), plan, source, out, bundle.FillOptions{}); err == nil {
			t.Fatal("an altered base was taken")
		}
		if _, err := os.Lstat(out); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("something is left under the final name: %v", err)
		}
	})
	t.Run("flipped bytes", func(t *testing.T) {
		// All of tar and JSON in front, and a sample of the contents.
		for at := 0; at < len(deltaArchive); at += max(97, at/200) {
			altered := bytes.Clone(deltaArchive)
			altered[at] ^= 0x21
			wantRefused(t, altered, trust(t, "sender"))
		}
	})
	t.Run("a forged base in delta.json", func(t *testing.T) {
		forged := bytes.Replace(deltaArchive, []byte(open(t, oldArchive).Digest), []byte(open(t, otherArchive).Digest), 1)
		wantRefused(t, forged, trust(t, "sender"), "delta.sigstore.json")
	})
	t.Run("cut short and longer", func(t *testing.T) {
		wantRefused(t, deltaArchive[:len(deltaArchive)-512], trust(t, "sender"))
		wantRefused(t, append(bytes.Clone(deltaArchive), 0), trust(t, "sender"))
	})
	t.Run("revoked key", func(t *testing.T) {
		both := trust(t, "sender", "auditor")
		both.Revoked = []string{both.Keys[0].ID()}
		wantRefused(t, deltaArchive, both)
		wantRefused(t, full, both)
	})
}

// A delta leads from a release of format 1 to one of format 2, and back.
func TestDeltaAcrossFormats(t *testing.T) {
	t.Parallel()
	usual, odd := tinyWorld(), oddWorld()
	for _, way := range [][2]*world{{usual, odd}, {odd, usual}} {
		plan := way[1].plan(t, options(t))
		base := open(t, build(t, way[0].plan(t, options(t)), way[0].source()))
		deltaArchive := deltaOf(t, plan, way[1].source(), base.Base())
		wantAccepted(t, deltaArchive, trust(t, "sender"))
		if got := apply(t, base, open(t, deltaArchive), 0, nil); !bytes.Equal(got, build(t, plan, way[1].source())) {
			t.Errorf("from format %d to %d other bytes are made", base.Inventory.Format, plan.Inventory.Format)
		}
	}
}

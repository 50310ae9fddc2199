package bundle_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
)

func TestFormatIsTheLeastThatWillDo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		world  *world
		format int
	}{"usual images": {richWorld(), 1}, "odd images": {oddWorld(), 2}} {
		plan := test.world.plan(t, bundle.PlanOptions{})
		if plan.Inventory.Format != test.format {
			t.Errorf("%s: format %d, want %d", name, plan.Inventory.Format, test.format)
		}
		wantAccepted(t, build(t, plan, test.world.source()), trust(t, "sender"))
	}
}

// with makes a bundle of another lock, and of no more than its blobs.
func (f *forged) with(w *world) *forged {
	f.inventory.Lock, f.inventory.Format = *w.lock, w.lock.BundleFormat()
	for _, e := range slices.Clone(f.entries) {
		if strings.HasPrefix(e.header.Name, bundle.BlobsFolder) {
			f.remove(e.header.Name)
		}
	}
	for _, blob := range w.lock.Blobs {
		f.add(bundle.BlobsFolder+blob.Digest.Hex(), w.content[blob.Digest])
	}
	return f
}

// A bundle without what a client looks for is refused, and so is one that has more
// than its indexes name.
func TestOddImagesAreWhole(t *testing.T) {
	t.Parallel()
	none := newWorld("odd")
	base := build(t, none.plan(t, bundle.PlanOptions{}), none.source())
	drop := func(w *world, digests ...manifests.Digest) {
		w.lock.Blobs = slices.DeleteFunc(w.lock.Blobs, func(b manifests.Content) bool { return slices.Contains(digests, b.Digest) })
		for i := range w.lock.Images {
			image := &w.lock.Images[i]
			image.Manifests = slices.DeleteFunc(image.Manifests, func(m manifests.LockedManifest) bool { return slices.Contains(digests, m.Digest) })
			image.Indexes = slices.DeleteFunc(image.Indexes, func(d manifests.Digest) bool { return slices.Contains(digests, d) })
		}
	}
	windows := func(w *world, take ...int) {
		var entries []descriptor
		var locked []manifests.LockedManifest
		for i, version := range []string{"10.0.17763.1", "10.0.20348.1", "10.0.20348.2"} {
			manifest, one := w.manifest("amd64", layer("w", []byte(version)))
			one.Platform = manifests.Platform{OS: "windows", Architecture: "amd64", OSVersion: version}
			entries = append(entries, entry(manifest, one.Platform.String()))
			if slices.Contains(take, i) {
				locked = append(locked, one)
			} else {
				drop(w, manifest.Digest)
			}
		}
		w.image("quay.io/wire/win:1", w.oddIndex("", entries...), locked...)
	}
	wanted := func(w *world, platform string) {
		p, err := manifests.ParsePlatform(platform)
		if err != nil {
			t.Error(err)
		}
		w.lock.Release.Platforms = append(w.lock.Release.Platforms, p)
		w.lock.Images = nil
	}
	for _, test := range []struct {
		name   string
		change func(w *world)
		want   string // empty: accepted
	}{
		{"another entry of the platform", func(w *world) { drop(w, w.lock.Images[0].Manifests[1].Digest) }, "not in the archive"},
		{"an artifact of the platform", func(w *world) { drop(w, w.lock.Images[0].Manifests[2].Digest) }, "not in the archive"},
		{"an entry without platform", func(w *world) { drop(w, w.lock.Images[0].Manifests[3].Digest) }, "not in the archive"},
		{"an index in the index", func(w *world) { drop(w, w.lock.Images[0].Indexes[0]) }, "not in the archive"},
		{"an artifact's file", func(w *world) {
			m := &w.lock.Images[1].Manifests[0]
			drop(w, m.Layers[0])
			m.Layers = m.Layers[1:]
		}, "not in the archive"},
		{"an artifact's empty file", func(w *world) {
			for i := range w.lock.Images {
				for j := range w.lock.Images[i].Manifests {
					m := &w.lock.Images[i].Manifests[j]
					m.Layers = slices.DeleteFunc(m.Layers, func(d manifests.Digest) bool { return d == manifests.EmptyDigest })
				}
			}
			drop(w, manifests.EmptyDigest)
		}, "not in the archive"},
		{"an entry of an artifact's index", func(w *world) {
			_, locked := w.artifact("application/vnd.example.a", []byte("a"))
			w.image("quay.io/wire/a:1", w.oddIndex("", entry(w.blob(manifests.OCIManifest, w.content[locked.Digest]), "linux/s390x"),
				upstreamOnly("linux/riscv64")), locked)
			w.lock.Images[2].Artifact = true
		}, "not in the archive"},
		{"a blob that an artifact's index names", func(w *world) {
			blob := manifests.Content{MediaType: "application/vnd.example.cache", Digest: manifests.DigestOf([]byte("x")), Size: 1}
			w.image("quay.io/wire/a:1", w.oddIndex("", entry(blob, "")))
			w.lock.Images[2].Artifact = true
		}, "not in the archive"},
		{"nothing of an artifact's index", func(w *world) {
			blob := w.blob("application/vnd.example.cache", []byte("x"))
			w.image("quay.io/wire/a:1", w.oddIndex("", entry(blob, "")))
			w.lock.Images[2].Artifact = true
		}, ""},
		{"an entry of no known type", func(w *world) {
			_, locked := w.manifest("amd64", layer("a", []byte("b")))
			image := manifests.Content{MediaType: manifests.OCIManifest, Digest: locked.Digest, Size: int64(len(w.content[locked.Digest]))}
			unknown := manifests.Content{MediaType: "application/vnd.example", Digest: manifests.DigestOf([]byte("x")), Size: 1}
			w.image("quay.io/wire/a:1", w.oddIndex("", entry(unknown, "linux/amd64"), entry(image, "linux/amd64")), locked)
		}, ""},
		{"a manifest that no index names", func(w *world) {
			_, locked := w.manifest("amd64", layer("a", []byte("stranger")))
			w.lock.Images[0].Manifests = append(w.lock.Images[0].Manifests, locked)
		}, "no index names it"},
		{"an index that no index names", func(w *world) {
			w.lock.Images[0].Indexes = append(w.lock.Images[0].Indexes, w.oddIndex("", upstreamOnly("linux/386")).Digest)
		}, "no index names it"},
		{"an index named as a manifest", func(w *world) {
			inner := w.oddIndex("", upstreamOnly("linux/386"))
			inner.MediaType = manifests.OCIManifest
			_, locked := w.manifest("amd64", layer("a", []byte("b")))
			image := manifests.Content{MediaType: manifests.OCIManifest, Digest: locked.Digest, Size: int64(len(w.content[locked.Digest]))}
			w.image("quay.io/wire/a:1", w.oddIndex("", entry(image, "linux/amd64"), entry(inner, "")), locked)
		}, "it names"},
		{"one of several versions of Windows", func(w *world) { wanted(w, "windows/amd64"); windows(w, 0, 2) }, "not in the archive"},
		{"no version of Windows", func(w *world) { wanted(w, "windows/amd64"); windows(w, 0, 1, 2) }, ""},
		{"an older build than is wanted", func(w *world) { wanted(w, "windows/amd64:10.0.20348.1"); windows(w, 1, 2) }, ""},
		{"another revision of the build", func(w *world) { wanted(w, "windows/amd64:10.0.20348.1"); windows(w, 1) }, "not in the archive"},
	} {
		t.Run(strings.ReplaceAll(test.name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			w := oddWorld()
			test.change(w)
			archive := forge(t, base).with(w).seal(t)
			if test.want == "" {
				wantAccepted(t, archive, trust(t, "sender"))
				return
			}
			wantRefused(t, archive, trust(t, "sender"), "blobs/sha256/", test.want)
		})
	}
}

// Bundles of format 1 have the first image for a platform, whatever its variant, and
// need no other.
func TestFormat1IsReadAsItWasWritten(t *testing.T) {
	t.Parallel()
	for _, others := range [][]string{
		{"linux/amd64/v3", "linux/amd64"}, {"linux/amd64", "linux/amd64"}, {"linux/amd64/v2", "linux/386", "linux/amd64/v3"},
	} {
		w := newWorld("odd")
		manifest, locked := w.manifest("amd64", layer("a", []byte(others[0])))
		entries := []descriptor{entry(manifest, others[0])}
		for _, platform := range others[1:] {
			entries = append(entries, upstreamOnly(platform))
		}
		w.image("quay.io/wire/brig:1", w.oddIndex("", entries...), locked)
		wantAccepted(t, build(t, w.plan(t, bundle.PlanOptions{}), w.source()), trust(t, "sender"))
	}
}

// Clients that run images do not take an artifact for one.
func TestArtifactsAreNoImagesToClients(t *testing.T) {
	t.Parallel()
	w := oddWorld()
	archive := build(t, w.plan(t, bundle.PlanOptions{}), w.source())
	text := func(path string) string {
		for _, span := range spans(t, archive) {
			if span.path == path {
				return string(archive[span.content:span.end()])
			}
		}
		t.Fatalf("no %s", path)
		return ""
	}
	index, docker, locked := text(bundle.OCIIndexPath), text(bundle.DockerPath), w.lock.Images
	if !strings.Contains(index, string(locked[1].Digest)) || strings.Count(index, "policy:1") != 1 {
		t.Errorf("index.json does not have the artifact by one name: %s", index)
	}
	readme := text(bundle.ReadmePath)
	for _, command := range []string{
		"ctr -n k8s.io images import --no-unpack --platform linux/amd64", "oras copy --from-oci-layout odd-2026.1-amd64.tar@DIGEST",
	} {
		if !strings.Contains(readme, command) {
			t.Errorf("README.txt does not say %s: %s", command, readme)
		}
	}
	for i, want := range []bool{true, true, false, true} {
		if strings.Contains(docker, locked[0].Manifests[i].Layers[0].Hex()) != want {
			t.Errorf("manifest.json has manifest %d: it is not %v: %s", i, want, docker)
		}
	}
	if strings.Count(docker, "brig:1") != 1 || strings.Contains(docker, locked[1].Manifests[0].Layers[0].Hex()) {
		t.Errorf("manifest.json is %s", docker)
	}
	if layer := locked[0].Manifests[0].Layers[0]; strings.Count(docker, layer.Hex()) != 2 {
		t.Errorf("a layer that is there twice is not in manifest.json twice: %s", docker)
	}
}

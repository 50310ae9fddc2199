// Package sizingtest makes what tests of sizing and of what prints it have in common.
package sizingtest

import (
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests"
)

// WithFactors returns a table's file with factors of a customer's own, where it
// has none.
func WithFactors(table []byte) []byte {
	return []byte(strings.Replace(string(table), "factors: []", `factors:
    - {id: storage-mb-per-user-month, role: minio, value: 4, basis: {en: measured, de: gemessen}}
    - {id: storage-mb-per-user-month, role: cassandra, value: 0.25, basis: {en: measured, de: gemessen}}
    - {id: storage-mb-per-user-month, role: elasticsearch, value: 0.5, basis: {en: measured, de: gemessen}}
    - {id: sft-memory-mb-per-participant, value: 2.5, basis: {en: measured, de: gemessen}}
    - {id: unpacked-percent-of-compressed, value: 250, basis: {en: measured, de: gemessen}}`, 1))
}

// Lock returns a release with two charts that share a layer of that many bytes,
// and a list.
func Lock(t testing.TB, layer int64) *manifests.Lock {
	t.Helper()
	platform, err := manifests.ParsePlatform("linux/amd64")
	if err != nil {
		t.Fatal(err)
	}
	date, err := manifests.ParseDate("2026-03-31")
	if err != nil {
		t.Fatal(err)
	}
	lock := &manifests.Lock{APIVersion: manifests.APIVersion, Kind: manifests.KindLock,
		Release: manifests.LockedRelease{Name: "wire", Version: "2026.1", Date: date, Platforms: []manifests.Platform{platform}}}
	digest := func(name string) manifests.Digest { return manifests.DigestOf([]byte(name)) }
	seen := map[manifests.Digest]bool{}
	blob := func(name string, size int64, mediaType string) manifests.Digest {
		d := digest(name)
		if !seen[d] {
			seen[d] = true
			lock.Blobs = append(lock.Blobs, manifests.Content{Digest: d, Size: size, MediaType: mediaType, Repository: "quay.io/wire/" + name})
		}
		return d
	}
	for _, image := range []struct{ name, chart, list string }{
		{"brig", "wire-server", ""}, {"galley", "wire-server", ""}, {"webapp", "webapp", ""}, {"pause", "", "images, group system"},
	} {
		ref, err := manifests.ParseImageRef("quay.io/wire/" + image.name + ":1")
		if err != nil {
			t.Fatal(err)
		}
		m := manifests.LockedManifest{
			Platform: platform, Digest: blob(image.name, 1000, manifests.OCIManifest), Config: blob(image.name+"-config", 500, ""),
			Layers: []manifests.Digest{blob("base", layer, ""), blob(image.name+"-layer", layer, "")},
		}
		lock.Images = append(lock.Images, manifests.LockedImage{
			Name: ref, Digest: m.Digest, MediaType: manifests.OCIManifest, Size: 1000, Manifests: []manifests.LockedManifest{m},
			From: []manifests.Origin{{Chart: image.chart, List: image.list}},
		})
	}
	lock.Charts = []manifests.LockedChart{{Name: "wire-server", Version: "5.30.9", Path: "charts/wire-server-5.30.9.tgz",
		Content: manifests.Content{Digest: digest("chart"), Size: 7, URL: "charts/wire-server.tgz"}}}
	lock.Sort()
	if err := lock.Check(); err != nil {
		t.Fatal(err)
	}
	return lock
}

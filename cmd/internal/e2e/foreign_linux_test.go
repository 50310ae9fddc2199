package e2e

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/fixture"
)

// TestLayersByURL builds bundles of images with a layer that their registry does not
// hold, of the lock alone, and gives them to clients that cannot ask anybody for it.
func TestLayersByURL(t *testing.T) {
	t.Parallel()
	for name, docker := range map[string]bool{"oci": false, "docker": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world, err := fixture.Empty(fixture.Options{})
			if err != nil {
				t.Fatal(err)
			}
			const image = "quay.io/wire/vendored:1"
			_, err = world.AddOddImage(t.Context(), image, fixture.OddEntry{
				Foreign: "http://vendor.invalid/base.tar.gz", Docker: docker, Prints: "works",
			})
			if err != nil {
				t.Fatal(err)
			}
			folder := t.TempDir()
			serve(t, world, folder)
			write(t, filepath.Join(folder, "release.yaml"), []byte("apiVersion: island/v1\nkind: Release\n"+
				"metadata: {name: vendored, version: 1.0.0, date: 2026-03-31}\nplatforms: [linux/amd64]\nimages: [{name: '"+image+"'}]\n"))
			upstream := []string{"--mirrors", "mirrors.yaml", "--cache-dir", "cache"}
			run(t, folder, island, append([]string{"resolve", "-f", "release.yaml"}, upstream...)...)
			if lock := run(t, folder, "cat", "island.lock.json"); !strings.Contains(lock, `"url": "http://vendor.invalid/base.tar.gz"`) {
				t.Fatalf("lock is\n%s", lock)
			}
			run(t, folder, island, append([]string{"build", "island.lock.json", "--unsigned", "--without-tools", "-o", "b.tar"}, upstream...)...)
			run(t, folder, island, "verify", "b.tar", "--allow-unsigned")
			t.Run("skopeo", func(t *testing.T) {
				// Out of an OCI layout, it would ask the layer's URL though the blob is there.
				run(t, folder, tool(t, "skopeo"), "copy", "--insecure-policy", "docker-archive:b.tar:"+image, "dir:copied")
			})
			t.Run("podman", func(t *testing.T) {
				asRoot(t)
				stores := []string{"--root", t.TempDir(), "--runroot", t.TempDir(), "--storage-driver", "vfs"}
				podman := func(args ...string) string { return run(t, folder, tool(t, "podman"), append(stores, args...)...) }
				podman("load", "-i", "b.tar")
				if names := podman("images", "--format", "{{.Repository}}:{{.Tag}}"); !strings.Contains(names, image) {
					t.Errorf("podman has %q", names)
				}
			})
		})
	}
}

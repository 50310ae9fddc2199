package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/fixture"
	"github.com/islandbundle/island/manifests/wireapp"
)

// wireBuilds is where real release manifests lie beside a checkout of the
// project. They are Wire's, and not part of it.
const wireBuilds = "../../../../shared/wire-builds"

// siteOverlay leaves the binaries out: their sums are fixed, and no made-up
// file has them.
const siteOverlay = `apiVersion: island/v1
kind: Overlay
profiles:
  site:
    description: everything but the binaries
    without: [binaries]
`

// TestRealManifests resolves, builds and verifies Wire's own release manifests,
// as they are, on a made-up upstream under the real names.
func TestRealManifests(t *testing.T) {
	t.Parallel()
	folder, files, builds := wireUpstream(t)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			absolute, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			out, lock := filepath.Join(t.TempDir(), name+".tar"), filepath.Join(t.TempDir(), "island.lock.json")
			run(t, folder, island, "resolve", "-f", absolute, "--overlay", "site.yaml", "--profile", "site", "--date", "2026-11-23",
				"--mirrors", "mirrors.yaml", "--cache-dir", "cache", "-o", lock)
			charts, images := show[chart](t, lock, "charts"), show[image](t, lock, "images")
			if len(charts) != len(builds[file]) {
				t.Errorf("the lock has %d charts, the manifest %d", len(charts), len(builds[file]))
			}
			for _, have := range charts {
				if want := builds[file][have.Name]; have.Version != want.Version {
					t.Errorf("chart %s is %s in the lock and %s in the manifest", have.Name, have.Version, want.Version)
				}
			}
			for _, want := range []string{
				"registry.k8s.io/pause:3.9", "quay.io/wire/zauth:" + builds[file]["wire-server"].Version,
				"quay.io/wire/brig:" + builds[file]["wire-server"].Version,
			} {
				if !slices.ContainsFunc(images, func(i image) bool { return i.Name == want }) {
					t.Errorf("the lock does not have the image %s", want)
				}
			}
			run(
				t,
				folder,
				island,
				"build",
				lock,
				"--mirrors",
				"mirrors.yaml",
				"--cache-dir",
				"cache",
				"--unsigned",
				"--without-tools",
				anyDiscovery,
				"-o",
				out,
			)
			run(t, folder, island, "verify", out, "--allow-unsigned")
			t.Logf("%d charts, %d images", len(charts), len(images))
		})
	}
}

// anyDiscovery builds though candidates are undecided. The fixture's charts have
// the names of Wire's, and use none of the values that the built-in overlay has
// for those: images in these values are candidates here.
const anyDiscovery = "--strict-discovery=false"

type wireCharts = map[string]struct{ Repo, Version string }

// wireUpstream serves everything that the real manifests name, and gives a
// folder with mirrors.yaml and site.yaml for it.
func wireUpstream(t *testing.T) (folder string, files []string, builds map[string]wireCharts) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(wireBuilds, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no real manifests in " + wireBuilds)
	}
	world, err := fixture.Empty(fixture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	builds = map[string]wireCharts{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := world.AddBuildJSON(t.Context(), data); err != nil {
			t.Fatal(err)
		}
		builds[file] = chartsOfBuild(t, data)
	}
	addWireImages(t, world, builds)
	folder = t.TempDir()
	serve(t, world, folder)
	write(t, filepath.Join(folder, "site.yaml"), []byte(siteOverlay))
	return folder, files, builds
}

func chartsOfBuild(t *testing.T, data []byte) wireCharts {
	t.Helper()
	var build struct{ HelmCharts wireCharts }
	if err := json.Unmarshal(data, &build); err != nil {
		t.Fatal(err)
	}
	return build.HelmCharts
}

// addWireImages adds the images that no chart of a build.json shows: those that
// the built-in overlay names.
func addWireImages(t *testing.T, world *fixture.World, builds map[string]wireCharts) {
	t.Helper()
	overlay, err := wireapp.Overlay()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, image := range overlay.Images {
		if image.TagFromChart == "" {
			names = append(names, image.Name)
			continue
		}
		for _, charts := range builds {
			if chart, ok := charts[image.TagFromChart]; ok {
				names = append(names, image.Name+":"+chart.Version)
			}
		}
	}
	for _, chart := range overlay.Charts {
		names = append(names, chart.Images...)
	}
	for _, name := range names {
		if _, err := world.Image(name); err == nil {
			continue
		}
		if _, err := world.AddImage(t.Context(), name, fixture.ImageSpec{}); err != nil {
			t.Fatal(err)
		}
	}
}

// TestTwoPlatforms builds one bundle for both processor architectures.
func TestTwoPlatforms(t *testing.T) {
	t.Parallel()
	world, err := fixture.New(t.Context(), fixture.Options{Bytes: 2 << 20, EveryPlatform: true})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	serve(t, world, folder)
	write(t, filepath.Join(folder, "release.yaml"), world.ReleaseYAML())
	run(t, folder, island, "build", "-f", "release.yaml", "--mirrors", "mirrors.yaml", "--cache-dir", "cache", "--unsigned", "--without-tools")
	const bundle = "fixture-2026.1.0-multi.tar"
	run(t, folder, island, "verify", bundle, "--allow-unsigned")
	images := show[image](t, filepath.Join(folder, bundle), "images")
	for _, image := range images {
		var platforms []string
		for _, manifest := range image.Manifests {
			platforms = append(platforms, manifest.Platform)
		}
		if !slices.Equal(platforms, []string{"linux/amd64", "linux/arm64"}) {
			t.Errorf("%s is for %q", image.Name, platforms)
		}
		upstream, err := world.Image(image.Name)
		if err == nil && upstream.Digest != image.Digest {
			t.Errorf("%s has digest %s, upstream has %s", image.Name, image.Digest, upstream.Digest)
		}
	}
	t.Logf("%d images, each for two platforms", len(images))
}

package e2e

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/fixture"
)

// armShapes are images for other machines than amd64, among others.
func armShapes(string) []shape {
	entries := func(platforms ...string) fixture.OddEntry {
		index := fixture.OddEntry{}
		for _, platform := range platforms {
			index.Index = append(index.Index, fixture.OddEntry{Platform: platform, Prints: platform})
		}
		return index
	}
	return []shape{
		{name: "all-arms", entry: entries("linux/arm/v5", "linux/arm/v7", "linux/arm64/v8", "linux/amd64", "linux/386")},
		{name: "arm64-without-variant", entry: entries("linux/arm/v6", "linux/arm/v7", "linux/amd64/v2", "linux/amd64", "linux/arm64")},
	}
}

// windowsShapes are images for several releases of Windows, whose base the vendor
// gives out by himself.
func windowsShapes(vendor string) []shape {
	build := func(version string) fixture.OddEntry {
		return fixture.OddEntry{
			Platform: "windows/amd64", OSVersion: version, Prints: version, Docker: true, Foreign: vendor + "/base-" + version,
		}
	}
	return []shape{
		{name: "builds", entry: fixture.OddEntry{Docker: true, Index: []fixture.OddEntry{
			build("10.0.17763.6532"), build("10.0.20348.2849"), build("10.0.26100.2314"), {Platform: "linux/amd64", Docker: true},
		}}},
		{name: "one-build", entry: fixture.OddEntry{Index: []fixture.OddEntry{
			{Platform: "windows/amd64", OSVersion: "10.0.20348.2849", Prints: "one"},
		}}},
	}
}

// TestEveryPlatformIsCarried compares what containerd and skopeo get for the
// platforms of a bundle from the registry and out of the bundle. This machine
// cannot run all of them.
func TestEveryPlatformIsCarried(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, platforms string
		shapes          func(string) []shape
	}{
		{"arm", "linux/amd64, linux/arm64, linux/arm/v7", armShapes},
		{"windows", "windows/amd64", windowsShapes},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			d := deliverOdd(t, test.platforms, test.shapes)
			for platform := range strings.SplitSeq(test.platforms, ", ") {
				for version := range containerds {
					t.Run(platform+" with "+version, func(t *testing.T) { containerdHasAll(t, d, version, platform) })
				}
				t.Run(platform+" with skopeo", func(t *testing.T) { skopeoHasAll(t, d, platform) })
			}
		})
	}
}

// containerdHasAll compares the blobs that a containerd has of every image for a
// platform, pulled and imported.
func containerdHasAll(t *testing.T, d oddDelivery, version, platform string) {
	registries := map[string]string{oddHost: "http://" + d.address + "/v2/" + oddHost}
	upstream, island := startNode(t, version, pause.image(), registries), startNode(t, version, pause.image(), nil)
	island.ctr(t, "images", "import", "--no-unpack", "--platform", platform, d.bundle)
	for _, s := range d.shapes {
		upstream.ctr(t, "content", "fetch", "--platform", platform, "--hosts-dir", filepath.Join(upstream.home, "registries"), s.image())
		want, got := upstream.blobs(t, s.image(), platform), island.blobs(t, s.image(), platform)
		if len(want) < 4 || !slices.Equal(got, want) { // an index, a manifest, a configuration and a layer
			t.Errorf("%s: from the registry containerd has\n%s\nout of the bundle\n%s", s.name, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
}

// ctr runs ctr as a kubelet's containerd is talked to.
func (n node) ctr(t *testing.T, args ...string) string {
	t.Helper()
	return run(t, n.home, n.client, append([]string{"--address", n.socket, "-n", "k8s.io"}, args...)...)
}

// blobs returns the blobs of an image for a platform: containerd must have all of
// them, or it cannot export the image.
func (n node) blobs(t *testing.T, image, platform string) []string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "exported.tar")
	n.ctr(t, slices.Concat([]string{"images", "export", "--platform", platform}, n.export, []string{file, image})...)
	var blobs []string
	for name := range strings.FieldsSeq(run(t, n.home, "tar", "-tf", file)) {
		if strings.HasPrefix(name, "blobs/sha256/") && !strings.HasSuffix(name, "/") {
			blobs = append(blobs, name)
		}
	}
	slices.Sort(blobs)
	return blobs
}

func skopeoHasAll(t *testing.T, d oddDelivery, platform string) {
	parts := append(strings.Split(platform, "/"), "")
	for _, s := range d.shapes {
		want, err := skopeoCopied(t, parts, "--src-tls-verify=false", "docker://"+d.address+"/"+s.image())
		if err != nil {
			t.Errorf("%s from the registry: %v", s.name, err)
			continue
		}
		for _, image := range d.images {
			if image.Name != s.image() || !strings.HasPrefix(image.MediaType, "application/vnd.oci.") {
				continue
			}
			if got, err := skopeoCopied(t, parts, "oci-archive:"+d.bundle+":"+image.Name); err != nil || got != want {
				t.Errorf("%s: from the registry skopeo has %s, out of the bundle %s, %v", s.name, want, got, err)
			}
		}
	}
}

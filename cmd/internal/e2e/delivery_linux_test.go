package e2e

import (
	"path/filepath"
	"testing"

	"github.com/islandbundle/island/internal/fixture"
)

// delivery is a bundle, and what the sender gives beside it.
type delivery struct {
	folder, bundle, key string
	images              []image
	charts              []chart
}

// deliver does the main job on the fixture's release.
func deliver(t *testing.T, options fixture.Options) delivery {
	t.Helper()
	world, err := fixture.New(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	d := delivery{folder: t.TempDir()}
	serve(t, world, d.folder)
	write(t, filepath.Join(d.folder, "release.yaml"), world.ReleaseYAML())
	run(t, d.folder, island, "keygen")
	run(t, d.folder, island, "build", "-f", "release.yaml", "--mirrors", "mirrors.yaml", "--cache-dir", "cache",
		"--key", "island.key", "-o", "fixture.tar")
	d.bundle, d.key = filepath.Join(d.folder, "fixture.tar"), filepath.Join(d.folder, "island.pub")
	run(t, d.folder, island, "verify", "fixture.tar", "--key", "island.pub")
	d.images, d.charts = show[image](t, d.bundle, "images"), show[chart](t, d.bundle, "charts")
	return d
}

// TestClientsReadTheBundle hands one bundle, as it is, to every client that may
// have to read it on a site.
func TestClientsReadTheBundle(t *testing.T) {
	t.Parallel()
	d := deliver(t, fixture.Options{Bytes: 8 << 20})
	for name, test := range map[string]func(*testing.T, delivery){
		"skopeo inspect": skopeoInspects,
		"skopeo copy":    skopeoCopies,
		"podman load":    podmanLoads,
		"ctr import":     containerdImports,
		"helm template":  helmRenders,
		"helm pull":      helmPulls,
		"openssl":        opensslVerifies,
		"cosign-v2":      cosignVerifies,
		"cosign-v3":      cosignVerifies,
		"tar":            tarUnpacks,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, d)
		})
	}
}

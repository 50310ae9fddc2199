package source

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// layer is a layer of a chart's manifest.
type layer struct {
	mediaType string
	data      []byte
}

// chartManifestOf makes a manifest of layers under a configuration that names a
// chart.
func chartManifestOf(t *testing.T, configType string, layers ...layer) v1.Image {
	t.Helper()
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.MediaType(configType))
	for _, l := range layers {
		var err error
		if image, err = mutate.AppendLayers(image, static.NewLayer(l.data, types.MediaType(l.mediaType))); err != nil {
			t.Fatal(err)
		}
	}
	return image
}

func indexOf(parts ...mutate.Appendable) v1.ImageIndex {
	var addenda []mutate.IndexAddendum
	for i, part := range parts {
		addenda = append(addenda, mutate.IndexAddendum{Add: part, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: "linux", Architecture: []string{"arm64", "s390x", "amd64"}[i%3]},
		}})
	}
	return mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), addenda...)
}

func pushPart(t *testing.T, reference string, part any) {
	t.Helper()
	ref, err := name.ParseReference(reference, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	switch part := part.(type) {
	case v1.ImageIndex:
		err = remote.WriteIndex(ref, part)
	case v1.Image:
		err = remote.Write(ref, part)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestOCIChartsAreReadAsHelmReadsThem pulls charts of every shape here and with helm.
func TestOCIChartsAreReadAsHelmReadsThem(t *testing.T) {
	t.Parallel()
	needsTool(t, "helm")
	hub := host(serve(t, memoryRegistry()))
	archive := func(n string) layer { return layer{chartMediaType, chartArchive(t, n, "1.3.0")} }
	legacy := func(n string) layer { return layer{legacyChartMediaType, chartArchive(t, n, "1.3.0")} }
	provenance := layer{"application/vnd.cncf.helm.chart.provenance.v1.prov", []byte("-----BEGIN PGP SIGNED MESSAGE-----")}
	signature := chartManifestOf(t, string(types.OCIConfigJSON), layer{"application/vnd.dev.cosign.simplesigning.v1+json", []byte("{}")})
	tarball := chartManifestOf(t, "application/vnd.oci.empty.v1+json", layer{legacyChartMediaType, []byte("\x1f\x8bno chart")})
	manifest := func(layers ...layer) v1.Image { return chartManifestOf(t, chartConfigMediaType, layers...) }
	for n, test := range map[string]struct {
		part  any
		taken bool
	}{
		"plain":                {manifest(archive("plain")), true},
		"legacy":               {manifest(legacy("legacy")), true},
		"provenance-first":     {manifest(provenance, archive("provenance-first")), true},
		"legacy-provenance":    {manifest(provenance, legacy("legacy-provenance")), true},
		"index":                {indexOf(manifest(archive("index"))), true},
		"index-signature":      {indexOf(signature, manifest(legacy("index-signature"))), true},
		"index-platforms":      {indexOf(manifest(archive("index-platforms")), manifest(provenance, archive("index-platforms"))), true},
		"index-nested":         {indexOf(signature, indexOf(indexOf(manifest(archive("index-nested"))))), true},
		"provenance-alone":     {manifest(provenance), false},
		"legacy-without-chart": {tarball, false},
		"index-without-chart":  {indexOf(signature), false},
	} {
		t.Run(n, func(t *testing.T) {
			t.Parallel()
			pushPart(t, hub+"/charts/"+n+":1.3.0", test.part)
			chart, err := newUpstream(t, Options{}).Chart(t.Context(), "oci://"+hub+"/charts", n, "1.3.0")
			folder := t.TempDir()
			pull := exec.Command("helm", "pull", "oci://"+hub+"/charts/"+n, "--version", "1.3.0", "--plain-http", "-d", folder)
			pull.Env = append(os.Environ(), "HOME="+folder)
			said, theirs := pull.CombinedOutput()
			if (err == nil) != test.taken || (theirs == nil) != test.taken {
				t.Fatalf("here: %v; helm: %v\n%s", err, theirs, said)
			}
			if !test.taken {
				wantError(t, err, "is no Helm chart")
				return
			}
			pulled, err := os.ReadFile(filepath.Join(folder, n+"-1.3.0.tgz"))
			if err != nil || !bytes.Equal(pulled, chart.Bytes) {
				t.Errorf("helm pulled %d bytes, here are %d: %v", len(pulled), len(chart.Bytes), err)
			}
			if chart.Content.MediaType != chartMediaType || chart.Content.URL != "oci://"+hub+"/charts/"+n {
				t.Errorf("content is %+v", chart.Content)
			}
		})
	}
}

// TestOCIChartFaults checks what Helm decides by chance, and what never ends.
func TestOCIChartFaults(t *testing.T) {
	t.Parallel()
	hub := host(serve(t, memoryRegistry()))
	manifest := func(n string) v1.Image {
		return chartManifestOf(t, chartConfigMediaType, layer{chartMediaType, chartArchive(t, n, "1.0.0")})
	}
	both := chartManifestOf(t, chartConfigMediaType,
		layer{legacyChartMediaType, chartArchive(t, "a", "1.0.0")}, layer{chartMediaType, chartArchive(t, "b", "1.0.0")})
	deep := indexOf(manifest("deep"))
	for range maxChartDepth {
		deep = indexOf(deep)
	}
	var many []mutate.Appendable
	for i := range maxChartManifests {
		many = append(many, manifest(fmt.Sprint("many", i)))
	}
	for n, test := range map[string]struct {
		part any
		says string
	}{
		"two":  {indexOf(manifest("one"), manifest("other")), "there are 2 charts behind one name"},
		"both": {both, "there are 2 charts behind one name"},
		"deep": {deep, "indexes inside of each other"},
		"many": {indexOf(many...), "more than 64 manifests"},
	} {
		t.Run(n, func(t *testing.T) {
			t.Parallel()
			pushPart(t, hub+"/charts/"+n+":1.0.0", test.part)
			_, err := newUpstream(t, Options{}).Chart(t.Context(), "oci://"+hub+"/charts", n, "1.0.0")
			wantError(t, err, "chart "+n+" 1.0.0 from oci://"+hub+"/charts", test.says)
		})
	}
}

// TestIndexDigestIsComparedForOCI checks that what an index says of an archive counts
// for one in a registry too, whatever the cache has.
func TestIndexDigestIsComparedForOCI(t *testing.T) {
	t.Parallel()
	hub := host(serve(t, memoryRegistry()))
	archive := chartArchive(t, "brig", "1.3.0")
	pushChart(t, hub+"/charts/brig:1.3.0", archive, chartMediaType)
	pushChart(t, hub+"/charts/brig:2.0.0_7", archive, legacyChartMediaType)
	image, err := remote.Head(mustTag(t, hub+"/charts/brig:1.3.0"))
	if err != nil {
		t.Fatal(err)
	}
	other := manifests.DigestOf([]byte("another"))
	for n, test := range map[string]struct {
		reference string
		digest    manifests.Digest
		taken     bool
	}{
		"right":             {":1.3.0", manifests.DigestOf(archive), true},
		"none":              {":1.3.0", "", true},
		"wrong":             {":1.3.0", other, false},
		"legacy, wrong":     {":2.0.0_7", other, false},
		"build metadata":    {":2.0.0+7", manifests.DigestOf(archive), true},
		"by digest":         {"@" + image.Digest.String(), manifests.DigestOf(archive), true},
		"by both":           {":gone@" + image.Digest.String(), "", true},
		"by digest, wrong":  {"@" + image.Digest.String(), other, false},
		"without reference": {"", "", false},
	} {
		t.Run(n, func(t *testing.T) {
			t.Parallel()
			index := "entries:\n  brig:\n  - version: 1.3.0\n    urls: ['oci://" + hub + "/charts/brig" + test.reference + "']\n"
			if test.digest != "" {
				index += "    digest: " + test.digest.Hex() + "\n"
			}
			server := serve(t, text(index))
			dir := t.TempDir()
			for range 2 { // the second time out of the cache
				options := naming(hub)
				options.CacheDir = dir
				chart, err := newUpstream(t, options).Chart(t.Context(), server.URL, "brig", "1.3.0")
				switch {
				case (err == nil) != test.taken:
					t.Errorf("error is %v", err)
				case test.taken && chart.Content.URL != "oci://"+hub+"/charts/brig":
					t.Errorf("content is %+v", chart.Content)
				case !test.taken && test.digest != "":
					wantError(t, err, "its index says "+string(other))
				}
			}
		})
	}
}

func mustTag(t *testing.T, reference string) name.Reference {
	t.Helper()
	ref, err := name.ParseReference(reference, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

// TestChartVersionsAreComparedInOneWay asks every kind of repository for versions
// that are spelled otherwise there.
func TestChartVersionsAreComparedInOneWay(t *testing.T) {
	t.Parallel()
	handler := memoryRegistry()
	hub := host(serve(t, handler))
	folder := t.TempDir()
	index := "entries:\n  brig:\n"
	for _, version := range []string{"v1.3.0", "2.0.0+git.77", "3.0.0-rc.1", "4.0.0+a", "4.0.0+b", "v5.1.0+x"} {
		archive := chartArchive(t, "brig", version)
		pushChart(t, hub+"/charts/brig:"+manifests.ChartTag(version), archive, chartMediaType)
		file := "brig-" + version + ".tgz"
		if err := os.WriteFile(filepath.Join(folder, file), archive, 0o600); err != nil {
			t.Fatal(err)
		}
		index += fmt.Sprintf("  - {name: brig, version: %s, urls: ['%s']}\n", version, file)
	}
	files := http.FileServer(http.Dir(folder))
	web := serve(t, replacing(files, "/index.yaml", text(index)))
	dir := t.TempDir()
	for kind, repo := range map[string]string{"OCI": "oci://" + hub + "/charts", "web": web.URL, "folder": "file://" + folder} {
		for wanted, have := range map[string]string{
			"1.3.0": "v1.3.0", "v1.3.0": "v1.3.0", "v2.0.0": "2.0.0+git.77", "2.0.0": "2.0.0+git.77", "2.0.0+git.77": "2.0.0+git.77",
			"v3.0.0-rc.1": "3.0.0-rc.1", "3.0.0-rc.1+9": "3.0.0-rc.1", "4.0.0+b": "4.0.0+b", "5.1.0": "v5.1.0+x",
		} {
			u := newUpstream(t, Options{CacheDir: dir})
			chart, err := u.Chart(t.Context(), repo, "brig", wanted)
			if err != nil || !bytes.Equal(chart.Bytes, chartArchive(t, "brig", have)) {
				t.Errorf("%s, %s: %d bytes, error %v", kind, wanted, len(chart.Bytes), err)
			}
			offline := newUpstream(t, Options{CacheDir: dir, Network: registry.Options{Offline: true}})
			if again, err := offline.Chart(t.Context(), repo, "brig", wanted); err != nil || again.Content != chart.Content {
				t.Errorf("%s, %s, offline: %+v, error %v", kind, wanted, again.Content, err)
			}
		}
		_, err := newUpstream(t, Options{}).Chart(t.Context(), repo, "brig", "4.0.0")
		wantError(t, err, "version 4.0.0 could be any of 4.0.0+a, 4.0.0+b")
		if explained := (*fault.Error)(nil); !errors.As(err, &explained) || explained.Hint != "name one of them" {
			t.Errorf("%s: hint of %+v", kind, explained)
		}
		_, err = newUpstream(t, Options{}).Chart(t.Context(), repo, "brig", "2.0.0+git.78")
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: error is %v, wanted ErrNotFound", kind, err)
		}
	}
}

package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// chartRepository is a folder with the charts brig 1.0.0 to 1.9.0 and an
// index in Helm's style, whose URLs begin with base.
func chartRepository(t testing.TB, base string) string {
	t.Helper()
	dir := t.TempDir()
	index := "apiVersion: v1\nentries:\n  a-first:\n  - name: a-first\n    version: 1.5.0\n    urls: [a.tgz]\n  brig:\n"
	for minor := range 10 {
		version := fmt.Sprintf("1.%d.0", minor)
		archive := chartArchive(t, "brig", version)
		file := "brig-" + version + ".tgz"
		if err := os.WriteFile(filepath.Join(dir, file), archive, 0o600); err != nil {
			t.Fatal(err)
		}
		index += fmt.Sprintf("  - apiVersion: v2\n    digest: %s\n    name: brig\n    urls:\n    - %s%s\n    version: %s\n",
			manifests.DigestOf(archive).Hex(), base, file, version)
	}
	if err := os.WriteFile(filepath.Join(dir, "index.yaml"), []byte(index+"generated: \"2026-01-01T00:00:00Z\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func checkChart(t *testing.T, u *Upstream, repo, wantURL string) {
	t.Helper()
	chart, err := u.Chart(t.Context(), repo, "brig", "1.3.0")
	if err != nil {
		t.Fatal(err)
	}
	want := chartArchive(t, "brig", "1.3.0")
	content := manifests.Content{Digest: manifests.DigestOf(want), Size: int64(len(want)), MediaType: chartMediaType, URL: wantURL}
	if !bytes.Equal(chart.Bytes, want) || chart.Content != content {
		t.Errorf("chart is %+v of %d bytes, wanted %+v", chart.Content, len(chart.Bytes), content)
	}
	got, err := readAll(t, u, chart.Content, 5)
	if err != nil || !bytes.Equal(got, want[5:]) {
		t.Errorf("as content: %d bytes, error %v", len(got), err)
	}
}

func TestChartSources(t *testing.T) {
	t.Parallel()
	folder := chartRepository(t, "")
	server := serve(t, http.FileServer(http.Dir(folder)))
	t.Run("HTTP", func(t *testing.T) {
		checkChart(t, newUpstream(t, Options{}).Upstream, server.URL, server.URL+"/brig-1.3.0.tgz")
	})
	t.Run("HTTP with a slash", func(t *testing.T) {
		checkChart(t, newUpstream(t, Options{}).Upstream, server.URL+"/", server.URL+"/brig-1.3.0.tgz")
	})
	t.Run("absolute URLs", func(t *testing.T) {
		absolute := serve(t, http.FileServer(http.Dir(chartRepository(t, server.URL+"/"))))
		checkChart(t, newUpstream(t, naming(host(server))).Upstream, absolute.URL, server.URL+"/brig-1.3.0.tgz")
	})
	t.Run("HTTP mirror", func(t *testing.T) {
		u := newUpstream(t, withOnlyMirror(t, "https://charts.example.com/s", server.URL))
		checkChart(t, u.Upstream, "https://charts.example.com/s", "https://charts.example.com/s/brig-1.3.0.tgz")
	})
	t.Run("mirror that names itself", func(t *testing.T) {
		var handler http.Handler
		mirror := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
		handler = http.FileServer(http.Dir(chartRepository(t, mirror.URL+"/")))
		u := newUpstream(t, withOnlyMirror(t, "https://charts.example.com/s", mirror.URL))
		checkChart(t, u.Upstream, "https://charts.example.com/s", "https://charts.example.com/s/brig-1.3.0.tgz")
	})
	t.Run("folder mirror", func(t *testing.T) {
		u := newUpstream(t, withOnlyMirror(t, "https://charts.example.com", filepath.Dir(folder)))
		base := "https://charts.example.com/" + filepath.Base(folder)
		checkChart(t, u.Upstream, base, base+"/brig-1.3.0.tgz")
	})
	t.Run("folder", func(t *testing.T) {
		u := newUpstream(t, Options{Network: registry.Options{Offline: true}})
		checkChart(t, u.Upstream, "file://"+folder, "file://"+folder+"/brig-1.3.0.tgz")
	})
	t.Run("folder beside the release", func(t *testing.T) {
		u := newUpstream(t, Options{BaseDir: filepath.Join(folder, "x")})
		checkChart(t, u.Upstream, "../../"+filepath.Base(folder), "../../"+filepath.Base(folder)+"/brig-1.3.0.tgz")
	})
	t.Run("folder without index", func(t *testing.T) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "brig-1.3.0.tgz"), chartArchive(t, "brig", "1.3.0"), 0o600); err != nil {
			t.Fatal(err)
		}
		u := newUpstream(t, Options{BaseDir: dir})
		checkChart(t, u.Upstream, ".", "./brig-1.3.0.tgz")
		_, err := u.Chart(t.Context(), ".", "brig", "2.0.0")
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("error is %v, wanted ErrNotFound", err)
		}
	})
}

func TestChartIndexIsCached(t *testing.T) {
	t.Parallel()
	files := counting(http.FileServer(http.Dir(chartRepository(t, ""))))
	var unchanged atomic.Int32
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "index.yaml") {
			w.Header().Set("ETag", `"v1"`)
			if r.Header.Get("If-None-Match") == `"v1"` {
				unchanged.Add(1)
			}
		}
		files.ServeHTTP(w, r)
	}))
	dir := t.TempDir()
	for range 2 {
		u := newUpstream(t, Options{CacheDir: dir})
		for range 3 {
			checkChart(t, u.Upstream, server.URL, server.URL+"/brig-1.3.0.tgz")
		}
	}
	if n := files.of("GET /index.yaml"); n != 2 || unchanged.Load() != 1 {
		t.Errorf("index was asked for %d times, %d of them by its ETag, wanted 2 and 1", n, unchanged.Load())
	}
	if n := files.of("GET /brig-1.3.0.tgz"); n != 1 {
		t.Errorf("chart was fetched %d times, wanted once", n)
	}
	before := files.total()
	u := newUpstream(t, Options{CacheDir: dir, Network: registry.Options{Offline: true}})
	checkChart(t, u.Upstream, server.URL, server.URL+"/brig-1.3.0.tgz")
	_, err := u.Chart(t.Context(), server.URL, "brig", "1.4.0") // in the cached index, but never fetched
	wantError(t, err, "not in the cache")
	_, err = u.Chart(t.Context(), "https://other.example.com", "brig", "1.3.0")
	wantError(t, err, "chart brig 1.3.0 from https://other.example.com", "not in the cache")
	if files.total() != before {
		t.Error("the network was asked")
	}
}

// replacing is a handler that gives another answer for one path.
func replacing(good http.Handler, path string, with http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == path {
			with(w, r)
			return
		}
		good.ServeHTTP(w, r)
	})
}

func text(s string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, s) }
}

// entryOf is an index with one version of brig.
func entryOf(rest string) http.HandlerFunc {
	return text("entries:\n  brig:\n  - name: brig\n    version: 1.3.0\n" + rest)
}

func TestChartFaults(t *testing.T) {
	t.Parallel()
	good := http.FileServer(http.Dir(chartRepository(t, "")))
	replace := func(path string, with http.HandlerFunc) http.Handler { return replacing(good, path, with) }
	for name, test := range map[string]struct {
		handler       http.Handler
		chart         string
		version, says string
		hint          string
	}{
		"missing version": {
			good, "brig", "1.5.1", "version 1.5.1 of chart brig is not found", "near versions are 1.4.0, 1.5.0, 1.6.0, 1.7.0, 1.8.0",
		},
		"missing chart":           {good, "galley", "1.0.0", "chart galley is not found", "check the chart's name"},
		"mistyped chart":          {good, "birg", "1.0.0", "chart birg is not found", `did you mean "brig"?`},
		"empty version":           {good, "brig", "", "not an exact version", ""},
		"version range":           {good, "brig", ">=1.0.0", "not an exact version", ""},
		"name with a path":        {good, "../brig", "1.0.0", "not a chart's name", ""},
		"no index":                {http.NotFoundHandler(), "brig", "1.3.0", "404 Not Found", "check the name"},
		"repository is forbidden": {newAlways(status(403)), "brig", "1.3.0", "403 Forbidden", "docker login"},
		"archive is missing":      {replace("/brig-1.3.0.tgz", http.NotFound), "brig", "1.3.0", "404 Not Found", ""},
		"archive of another kind": {replace("/index.yaml", entryOf("    urls: [/x]\n")), "brig", "1.3.0", "404", ""},
		"wrong digest":            {replace("/brig-1.3.0.tgz", text("\x1f\x8bother")), "brig", "1.3.0", "archive has digest", ""},
		"login page":              {replace("/index.yaml", entryOf("    urls: [index.yaml]\n")), "brig", "1.3.0", "not a gzip archive", ""},
		"index is a login page": {
			replace("/index.yaml", text("<html>log in</html>")), "brig", "1.3.0", "index of the chart repository is not valid", "",
		},
		"index is empty": {replace("/index.yaml", text("")), "brig", "1.3.0", "empty", ""},
		"no URL":         {replace("/index.yaml", entryOf("")), "brig", "1.3.0", "no URL", ""},
		"local URL": {
			replace("/index.yaml", entryOf("    urls: ['file:///etc/passwd']\n")), "brig", "1.3.0", "cannot be fetched", "",
		},
		"URL with credentials of another scheme": {
			replace("/index.yaml", entryOf("    urls: ['ftp://u:s3cret@h/x?s3cret=1']\n")), "brig", "1.3.0", "cannot be fetched", "",
		},
		"URL with broken credentials": {
			replace("/index.yaml", entryOf("    urls: ['https://u:s3cret%zz@h/x']\n")), "brig", "1.3.0", "which is no URL", "",
		},
		"no SHA-256": {replace("/index.yaml", entryOf("    digest: abc\n    urls: [x]\n")), "brig", "1.3.0", "no SHA-256 digest", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, Options{})
			_, err := u.Chart(t.Context(), serve(t, test.handler).URL, test.chart, test.version)
			wantError(t, err, test.says)
			var explained *fault.Error
			if !errors.As(err, &explained) || !strings.Contains(explained.Hint, test.hint) {
				t.Errorf("hint of %#v does not say %q", explained, test.hint)
			}
			if len(u.clock.pauses) > 0 || strings.Contains(fmt.Sprint(err), "s3cret") {
				t.Errorf("tried again %d times; error %v", len(u.clock.pauses), err)
			}
		})
	}
}

func TestChartSurvivesCuts(t *testing.T) {
	t.Parallel()
	folder := chartRepository(t, "")
	var asked atomic.Int32
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := asked.Add(1); n == 1 || n == 3 { // the index and then the chart
			data, _ := os.ReadFile(filepath.Join(folder, r.URL.Path))
			partly(w, r, data, 20)
			panic(http.ErrAbortHandler)
		}
		http.FileServer(http.Dir(folder)).ServeHTTP(w, r)
	}))
	u := newUpstream(t, Options{})
	checkChart(t, u.Upstream, server.URL, server.URL+"/brig-1.3.0.tgz")
	if len(u.clock.pauses) != 2 {
		t.Errorf("%d pauses, wanted 2", len(u.clock.pauses))
	}
}

func TestChartFallsBack(t *testing.T) {
	t.Parallel()
	origin := serve(t, http.FileServer(http.Dir(chartRepository(t, ""))))
	index := func(text string) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/index.yaml" {
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = io.WriteString(w, text)
		})
	}
	for name, mirror := range map[string]http.Handler{
		"no index":            http.NotFoundHandler(),
		"down":                newAlways(status(502)),
		"without the version": index("entries:\n  brig: []\n"),
		"without the chart":   index("entries: {}\n"),
		"without the archive": index("entries:\n  brig:\n  - {name: brig, version: 1.3.0, urls: [brig-1.3.0.tgz]}\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, withMirror(t, origin.URL, serve(t, mirror).URL))
			checkChart(t, u.Upstream, origin.URL, origin.URL+"/brig-1.3.0.tgz")
		})
	}
}

// pushChart puts a chart into a registry as helm push does.
func pushChart(t *testing.T, reference string, archive []byte, mediaType string) {
	t.Helper()
	ref, err := name.ParseReference(reference, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), "application/vnd.cncf.helm.config.v1+json")
	if image, err = mutate.AppendLayers(image, static.NewLayer(archive, types.MediaType(mediaType))); err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		t.Fatal(err)
	}
}

func TestOCIChart(t *testing.T) {
	t.Parallel()
	handler := counting(memoryRegistry())
	hub := host(serve(t, handler))
	archive := chartArchive(t, "brig", "1.3.0")
	pushChart(t, hub+"/charts/brig:1.3.0", archive, chartMediaType)
	pushChart(t, hub+"/charts/brig:v2.0.0_build.7", chartArchive(t, "brig", "v2.0.0+build.7"), chartMediaType)
	pushChart(t, hub+"/charts/image:1.0.0", archive, string(types.OCILayer))
	repo := "oci://" + hub + "/charts"
	dir := t.TempDir()
	u := newUpstream(t, Options{CacheDir: dir})
	checkChart(t, u.Upstream, repo, repo+"/brig")
	for _, version := range []string{"2.0.0+build.7", "v2.0.0+build.7", "v1.3.0"} {
		if _, err := u.Chart(t.Context(), repo, "brig", version); err != nil {
			t.Error(err)
		}
	}
	_, err := u.Chart(t.Context(), repo, "brig", "1.9.0")
	var explained *fault.Error
	if !errors.Is(err, ErrNotFound) || !errors.As(err, &explained) || explained.Hint != "near versions are 1.3.0, v2.0.0+build.7" {
		t.Errorf("missing version: %v, %+v", err, explained)
	}
	_, err = u.Chart(t.Context(), repo, "image", "1.0.0")
	wantError(t, err, "is no Helm chart")

	before := handler.total()
	checkChart(t, newUpstream(t, Options{CacheDir: dir, Network: registry.Options{Offline: true}}).Upstream, repo, repo+"/brig")
	if handler.total() != before {
		t.Error("the network was asked")
	}
	content := manifests.Content{Digest: manifests.DigestOf(archive), Size: int64(len(archive)), URL: repo + "/brig"}
	if got, err := readAll(t, newUpstream(t, Options{}).Upstream, content, 3); err != nil || !bytes.Equal(got, archive[3:]) {
		t.Errorf("as content, without cache: %d bytes, error %v", len(got), err)
	}
	mirrored := newUpstream(t, withOnlyMirror(t, "oci://ghcr.io/x", repo))
	checkChart(t, mirrored.Upstream, "oci://ghcr.io/x", "oci://ghcr.io/x/brig")
	index := fmt.Sprintf("entries:\n  brig:\n  - version: 1.3.0\n    urls: ['oci://%s/charts/brig:1.3.0']\n", hub)
	byIndex := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, index) }))
	checkChart(t, newUpstream(t, naming(hub)).Upstream, byIndex.URL, repo+"/brig")
}

package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/bundle/registry/registrytest"
	"github.com/islandbundle/island/manifests"
)

// checkPull pulls an image by tag and by digest, and a layer from several
// offsets.
func checkPull(t *testing.T, u *Upstream, reference string, digest manifests.Digest, layer manifests.Content, data []byte) {
	t.Helper()
	ref := imageRef(t, reference)
	byTag, err := u.Manifest(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if byTag.Digest != digest || manifests.DigestOf(byTag.Bytes) != digest || byTag.Repository != ref.Name() || !isManifest(byTag.MediaType) {
		t.Errorf("manifest is %s %s of %s, wanted %s", byTag.MediaType, byTag.Digest, byTag.Repository, digest)
	}
	ref.Tag, ref.Digest = "no-such-tag", digest // the digest decides
	byDigest, err := u.Manifest(t.Context(), ref)
	if err != nil || !bytes.Equal(byDigest.Bytes, byTag.Bytes) {
		t.Errorf("by digest: %d bytes, error %v", len(byDigest.Bytes), err)
	}
	for _, offset := range []int64{0, 1, 50_000, layer.Size - 1, layer.Size} {
		got, err := readAll(t, u, layer, offset)
		if err != nil || !bytes.Equal(got, data[offset:]) {
			t.Errorf("layer from %d: %d bytes, error %v", offset, len(got), err)
		}
	}
	content := manifests.Content{Digest: digest, Size: int64(len(byTag.Bytes)), MediaType: byTag.MediaType, Repository: ref.Name()}
	if got, err := readAll(t, u, content, 3); err != nil || !bytes.Equal(got, byTag.Bytes[3:]) {
		t.Errorf("manifest as content: %d bytes, error %v", len(got), err)
	}
	ref.Tag, ref.Digest = "no-such-tag", ""
	if _, err := u.Manifest(t.Context(), ref); !errors.Is(err, ErrNotFound) {
		t.Errorf("a tag that is not there: error is %v", err)
	}
}

// served is a registry that counts requests and has the image wire/brig:5.30.9.
type served struct {
	handler   *requests
	host      string
	reference string
	image     v1.Image
	layer     manifests.Content // the image's first
	data      []byte
}

func serveImage(t *testing.T) served {
	t.Helper()
	handler := counting(memoryRegistry())
	s := served{handler: handler, host: host(serve(t, handler))}
	s.reference = s.host + "/wire/brig:5.30.9"
	s.image = push(t, s.reference)
	s.layer, s.data = layerOf(t, s.image, s.host+"/wire/brig")
	return s
}

func TestMemoryRegistry(t *testing.T) {
	t.Parallel()
	s := serveImage(t)
	checkPull(t, newUpstream(t, Options{}).Upstream, s.reference, digestOf(t, s.image), s.layer, s.data)

	u := newUpstream(t, Options{})
	before, pings := s.handler.total(), s.handler.of("GET /v2/")
	for range 5 {
		if _, err := readAll(t, u.Upstream, s.layer, 0); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.handler.total() - before; n != 6 || s.handler.of("GET /v2/")-pings != 1 {
		t.Errorf("5 blobs took %d requests, %d of them pings, wanted 6 and 1", n, s.handler.of("GET /v2/")-pings)
	}
}

func TestRegistryMirror(t *testing.T) {
	t.Parallel()
	s := serveImage(t)
	u := newUpstream(t, withMirror(t, "quay.io", s.host))
	s.layer.Repository = "quay.io/wire/brig"
	checkPull(t, u.Upstream, "quay.io/wire/brig:5.30.9", digestOf(t, s.image), s.layer, s.data)

	u = newUpstream(t, withMirror(t, "docker.io/library", s.host+"/wire"))
	m, err := u.Manifest(t.Context(), imageRef(t, "brig:5.30.9"))
	if err != nil || m.Digest != digestOf(t, s.image) || m.Repository != "docker.io/library/brig" {
		t.Errorf("manifest is %s of %s, error %v", m.Digest, m.Repository, err)
	}
}

func TestImagesOffline(t *testing.T) {
	t.Parallel()
	s := serveImage(t)
	dir := t.TempDir()
	ref := imageRef(t, s.reference)
	if _, err := newUpstream(t, Options{CacheDir: dir}).Manifest(t.Context(), ref); err != nil {
		t.Fatal(err)
	}
	u := newUpstream(t, Options{Network: registry.Options{Offline: true}, CacheDir: dir})
	before := s.handler.total()
	m, err := u.Manifest(t.Context(), ref)
	if err != nil || m.Digest != digestOf(t, s.image) || m.MediaType == "" {
		t.Errorf("from the cache: %s, error %v", m.Digest, err)
	}
	ref.Tag = "other"
	_, err = u.Manifest(t.Context(), ref)
	wantError(t, err, ref.String(), "not in the cache")
	_, err = u.Open(t.Context(), s.layer, 0)
	wantError(t, err, s.layer.Repository, "not in the cache")
	if s.handler.total() != before {
		t.Error("the network was asked")
	}
}

func TestCorruptCache(t *testing.T) {
	t.Parallel()
	s := serveImage(t)
	u := newUpstream(t, Options{CacheDir: t.TempDir()})
	ref := imageRef(t, s.reference)
	ref.Digest = digestOf(t, s.image)
	first, err := u.Manifest(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(u.common.cache.blob(ref.Digest), []byte("rotten"), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := u.Manifest(t.Context(), ref)
	if err != nil || !bytes.Equal(again.Bytes, first.Bytes) {
		t.Errorf("after corruption: %d bytes, error %v", len(again.Bytes), err)
	}
	if kept, ok := u.common.cache.read(ref.Digest, maxManifestBytes); !ok || !bytes.Equal(kept, first.Bytes) {
		t.Error("the corrupt entry was not replaced")
	}
}

// tokenRegistry puts token authentication (distribution's token specification)
// in front of a registry.
func tokenRegistry(t *testing.T, next http.Handler, user, password string) (server *httptest.Server, tokens *atomic.Int32) {
	tokens = new(atomic.Int32)
	server = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		self := "http://" + r.Host
		if r.URL.Path == "/token" {
			tokens.Add(1)
			if u, p, _ := r.BasicAuth(); u != user || p != password {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"access_token": "T-" + r.URL.Query().Get("scope")})
			return
		}
		repository := strings.TrimPrefix(r.URL.Path, "/v2/")
		if i := strings.LastIndex(repository, "/"); i > 0 {
			repository = repository[:strings.LastIndex(repository[:i], "/")]
		}
		scope := "repository:" + repository + ":pull"
		granted := r.Header.Get("Authorization")
		if granted != "Bearer T-"+scope && (r.URL.Path != "/v2/" || !strings.HasPrefix(granted, "Bearer T-")) {
			w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="%s/token",service="test",scope="%s"`, self, scope))
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	}))
	return server, tokens
}

func TestTokenRegistry(t *testing.T) {
	t.Parallel()
	backend := memoryRegistry()
	open := serve(t, backend)
	image := push(t, host(open)+"/wire/brig:1")
	server, tokens := tokenRegistry(t, backend, "me", "s3cret")
	layer, data := layerOf(t, image, host(server)+"/wire/brig")
	u := newUpstream(t, loggedIn(server, "me", "s3cret"))
	checkPull(t, u.Upstream, host(server)+"/wire/brig:1", digestOf(t, image), layer, data)
	if tokens.Load() != 1 {
		t.Errorf("%d tokens for one repository, wanted 1", tokens.Load())
	}
	bad := newUpstream(t, loggedIn(server, "me", "wr0ng"))
	before := tokens.Load()
	_, err := bad.Manifest(t.Context(), imageRef(t, host(server)+"/wire/brig:1"))
	wantError(t, err, "401 Unauthorized")
	if strings.Contains(err.Error(), "wr0ng") || len(bad.clock.pauses) > 0 || tokens.Load()-before != 1 {
		t.Errorf("a wrong password was told or tried again: %v, %d tries", err, tokens.Load()-before)
	}
}

func TestRegistryRedirect(t *testing.T) {
	t.Parallel()
	backend := memoryRegistry()
	image := push(t, host(serve(t, backend))+"/wire/brig:1")
	var leaks atomic.Int32
	storage := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "" {
			leaks.Add(1)
		}
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/storage")
		backend.ServeHTTP(w, r)
	}))
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "me" || password != "s3cret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if strings.Contains(r.URL.Path, "/blobs/") {
			http.Redirect(w, r, storage.URL+"/storage"+r.URL.Path+"?X-Signature=s3cret", http.StatusTemporaryRedirect)
			return
		}
		backend.ServeHTTP(w, r)
	}))
	layer, data := layerOf(t, image, host(server)+"/wire/brig")
	u := newUpstream(t, loggedIn(server, "me", "s3cret"))
	checkPull(t, u.Upstream, host(server)+"/wire/brig:1", digestOf(t, image), layer, data)
	if leaks.Load() > 0 {
		t.Errorf("credentials went to the storage %d times", leaks.Load())
	}
	storage.Close()
	_, err := readAll(t, u.Upstream, layer, 0)
	wantError(t, err, layer.Repository, "connection refused")
	if strings.Contains(err.Error()+u.notes.String(), "s3cret") {
		t.Errorf("a secret is told: %v\n%s", err, u.notes)
	}
}

// answering is a registry that gives one manifest for everything.
func answering(t *testing.T, mediaType, manifest string, header ...string) *httptest.Server {
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/v2/" {
			return
		}
		w.Header().Set("Content-Type", mediaType)
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		_, _ = io.WriteString(w, manifest)
	}))
}

func TestManifestFaults(t *testing.T) {
	t.Parallel()
	const oci, index = string(types.OCIManifestSchema1), string(types.OCIImageIndex)
	image := `{"schemaVersion":2,"config":{},"layers":[]}`
	for name, test := range map[string]struct{ mediaType, manifest, reference, says string }{
		"schema 1":               {string(types.DockerManifestSchema1Signed), `{"schemaVersion":1,"fsLayers":[]}`, ":1", "schema 1"},
		"schema 1 as JSON":       {"application/json", `{"schemaVersion":1}`, ":1", "schema 1"},
		"not JSON":               {oci, `<html>`, ":1", "not valid JSON"},
		"both image and index":   {oci, `{"schemaVersion":2,"config":{},"manifests":[]}`, ":1", "not clearly"},
		"neither":                {oci, `{"schemaVersion":2}`, ":1", "not clearly"},
		"index sent as an image": {oci, `{"schemaVersion":2,"mediaType":"` + index + `","manifests":[]}`, ":1", "was sent as"},
		"image that says index": {
			index, `{"schemaVersion":2,"mediaType":"` + index + `","config":{},"layers":[]}`, ":1", "unsupported media type",
		},
		"unknown media type":       {"x/y", `{"schemaVersion":2,"mediaType":"x/y","config":{}}`, ":1", "unsupported media type"},
		"no schema version":        {oci, `{"config":{}}`, ":1", "schemaVersion 0"},
		"too large":                {oci, strings.Repeat(" ", maxManifestBytes) + image, ":1", "larger than"},
		"wrong digest":             {oci, image, "@" + string(manifests.DigestOf([]byte("other"))), "manifest has digest"},
		"another digest than said": {oci, image, ":said", "registry says digest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var header []string
			if test.reference == ":said" {
				header = []string{"Docker-Content-Digest", string(manifests.DigestOf([]byte("other")))}
			}
			u := newUpstream(t, Options{})
			reference := host(answering(t, test.mediaType, test.manifest, header...)) + "/x/y" + test.reference
			_, err := u.Manifest(t.Context(), imageRef(t, reference))
			wantError(t, err, reference, test.says)
			if len(u.clock.pauses) > 0 {
				t.Errorf("tried again %d times", len(u.clock.pauses))
			}
		})
	}
	u := newUpstream(t, Options{})
	m, err := u.Manifest(t.Context(), imageRef(t, host(answering(t, "text/plain", image))+"/x/y:1"))
	if err != nil || m.MediaType != oci {
		t.Errorf("manifest without a media type is %q, error %v", m.MediaType, err)
	}
}

func TestManifestCutShort(t *testing.T) {
	t.Parallel()
	manifest := `{"schemaVersion":2,"config":{},"layers":[]}`
	var asked atomic.Int32
	server := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v2/" && asked.Add(1) == 1 {
			partly(w, r, []byte(manifest), 10)
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, manifest)
	}))
	u := newUpstream(t, Options{})
	if _, err := u.Manifest(t.Context(), imageRef(t, host(server)+"/x/y:1")); err != nil || asked.Load() != 2 {
		t.Errorf("error %v after %d requests", err, asked.Load())
	}
}

func TestRegistryFallback(t *testing.T) {
	t.Parallel()
	good := serve(t, memoryRegistry())
	image := push(t, host(good)+"/wire/brig:1")
	for name, test := range map[string]struct {
		mirror http.Handler
		says   string
	}{
		"404":          {memoryRegistry(), ""},
		"503":          {newAlways(status(503)), ""},
		"403":          {newAlways(status(403)), "403 Forbidden"},
		"wrong digest": {answering(t, string(types.OCIManifestSchema1), `{"schemaVersion":2,"config":{}}`).Config.Handler, "manifest has digest"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUpstream(t, withMirror(t, host(good), host(serve(t, test.mirror))))
			ref := imageRef(t, host(good)+"/wire/brig:1")
			ref.Digest = digestOf(t, image)
			_, err := u.Manifest(t.Context(), ref)
			if test.says != "" {
				wantError(t, err, test.says)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

func TestPlainHTTPRegistry(t *testing.T) {
	t.Parallel()
	handler := counting(memoryRegistry())
	server := serve(t, handler)
	_, port, _ := net.SplitHostPort(host(server))
	// Host names that are not loopback, but lead here.
	dial := func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, host(server))
	}
	push(t, host(server)+"/x/y:1")
	reference := "registry.example.com:" + port + "/x/y:1"
	before := handler.total()
	for _, name := range []string{reference, "10.1.2.3:" + port + "/x/y:1"} {
		u := newUpstream(t, Options{Network: registry.Options{Dial: dial}})
		if _, err := u.Manifest(t.Context(), imageRef(t, name)); err == nil {
			t.Errorf("%s was talked to over plain HTTP", name)
		}
	}
	if handler.total() != before {
		t.Error("a request was sent over plain HTTP")
	}
	options := withMirror(t, "quay.io", "registry.example.com:"+port)
	options.Mirrors.Rules[0].Mirrors[0].Insecure = true
	options.Network.Dial = dial
	u := newUpstream(t, options)
	if _, err := u.Manifest(t.Context(), imageRef(t, "quay.io/x/y:1")); err != nil {
		t.Errorf("insecure mirror: %v", err)
	}
}

func TestTLSRegistry(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(memoryRegistry())
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	ref, err := name.ParseReference(host(server) + "/x/y:1")
	if err != nil {
		t.Fatal(err)
	}
	image := mutate.MediaType(empty.Image, types.OCIManifestSchema1)
	if err := remote.Write(ref, image, remote.WithTransport(server.Client().Transport)); err != nil {
		t.Fatal(err)
	}
	rule := fmt.Sprintf("- prefix: quay.io\n  onlyMirrors: true\n  mirrors: [{location: '%s'", host(server))
	u := newUpstream(t, Options{Mirrors: mirrorsOf(t, rule+", caFile: '"+caFile(t, server)+"'}]\n")})
	if m, err := u.Manifest(t.Context(), imageRef(t, "quay.io/x/y:1")); err != nil || m.Digest != digestOf(t, image) {
		t.Errorf("with the CA file: %s, error %v", m.Digest, err)
	}
	u = newUpstream(t, Options{Mirrors: mirrorsOf(t, rule+", caFile: /none.pem}]\n")})
	_, err = u.Manifest(t.Context(), imageRef(t, "quay.io/x/y:1"))
	wantError(t, err, "/none.pem")
	u = newUpstream(t, Options{Mirrors: mirrorsOf(t, rule+"}]\n")})
	_, err = u.Manifest(t.Context(), imageRef(t, "quay.io/x/y:1"))
	wantError(t, err, "certificate")
	if len(u.clock.pauses) > 0 {
		t.Errorf("an untrusted certificate was tried again %d times", len(u.clock.pauses))
	}
}

func TestImageLayoutMirror(t *testing.T) {
	t.Parallel()
	image := push(t, host(serve(t, memoryRegistry()))+"/wire/brig:1")
	for _, annotation := range nameAnnotations {
		dir := t.TempDir()
		path, err := layout.Write(dir, empty.Index)
		if err != nil {
			t.Fatal(err)
		}
		if err := path.AppendImage(image, layout.WithAnnotations(map[string]string{annotation: "quay.io/wire/brig:1"})); err != nil {
			t.Fatal(err)
		}
		options := withOnlyMirror(t, "quay.io", dir)
		options.Network.Offline = true
		u := newUpstream(t, options)
		layer, data := layerOf(t, image, "quay.io/wire/brig")
		checkPull(t, u.Upstream, "quay.io/wire/brig:1", digestOf(t, image), layer, data)
	}
}

// TestImageLayoutIsReadInOneWay: clients that take another of two members would find
// another image under the same name.
func TestImageLayoutIsReadInOneWay(t *testing.T) {
	t.Parallel()
	entry := func(letter string) string {
		return `{"digest": "sha256:` + strings.Repeat(letter, 64) + `", "annotations": {"` + nameAnnotations[0] + `": "quay.io/wire/brig:1"}}`
	}
	for _, index := range []string{
		`{"manifests": [` + entry("a") + `], "manifests": [` + entry("b") + `]}`,
		`{"manifests": [` + entry("a") + `], "Manifests": [` + entry("b") + `]}`,
		`{"manifests": [{"Digest": "sha256:` + strings.Repeat("c", 64) + `", ` + entry("a")[1:] + `]}`,
		`{"manifests": [` + entry("a") + `], "layers": []}`,
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "index.json"), []byte(index), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "oci-layout"), []byte(`{"imageLayoutVersion": "1.0.0"}`), 0o600); err != nil {
			t.Fatal(err)
		}
		options := withOnlyMirror(t, "quay.io", dir)
		options.Network.Offline = true
		_, err := newUpstream(t, options).Manifest(t.Context(), imageRef(t, "quay.io/wire/brig:1"))
		wantError(t, err, "index.json of the layout is not valid")
	}
}

// TestDebianRegistry pulls from Debian's docker-registry, a real one.
func TestDebianRegistry(t *testing.T) {
	t.Parallel()
	address := registrytest.Debian(t, "")
	image := push(t, address+"/wire/brig:1")
	layer, data := layerOf(t, image, address+"/wire/brig")
	checkPull(t, newUpstream(t, Options{}).Upstream, address+"/wire/brig:1", digestOf(t, image), layer, data)
}

// TestPodmanLogin pulls with what the real podman login left behind.
func TestPodmanLogin(t *testing.T) {
	needsTool(t, "podman")
	backend := memoryRegistry()
	image := push(t, host(serve(t, backend))+"/wire/brig:1")
	server, _ := tokenRegistry(t, backend, "me", "s3cret")
	home := t.TempDir()
	for _, variable := range []string{"DOCKER_CONFIG", "XDG_CONFIG_HOME", "REGISTRY_AUTH_FILE"} {
		t.Setenv(variable, "")
	}
	t.Setenv("HOME", home)
	t.Setenv("XDG_RUNTIME_DIR", home)
	login := exec.Command("podman", "login", "--tls-verify=false", "--username=me", "--password-stdin", host(server))
	login.Stdin = strings.NewReader("s3cret")
	if out, err := login.CombinedOutput(); err != nil {
		t.Fatalf("podman login: %v\n%s", err, out)
	}
	u := newUpstream(t, Options{Network: registry.Options{Keychain: registry.DefaultKeychain()}})
	if m, err := u.Manifest(t.Context(), imageRef(t, host(server)+"/wire/brig:1")); err != nil || m.Digest != digestOf(t, image) {
		t.Errorf("manifest is %s, error %v", m.Digest, err)
	}
}

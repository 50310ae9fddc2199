package source

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	memory "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
)

// clock counts pauses instead of waiting.
type clock struct {
	mu     sync.Mutex
	pauses []time.Duration
}

func (c *clock) wait(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pauses = append(c.pauses, d)
	return ctx.Err()
}

// notes keeps what was logged.
type notes struct {
	mu    sync.Mutex
	lines []string
}

func (n *notes) log(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
}

func (n *notes) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.lines, "\n")
}

type testUpstream struct {
	*Upstream
	clock *clock
	notes *notes
}

// anonymous is a keychain without credentials, whatever this machine has.
type anonymous struct{}

func (anonymous) Resolve(authn.Resource) (authn.Authenticator, error) { return authn.Anonymous, nil }

// logins is a keychain by host.
type logins map[string]authn.AuthConfig

func (l logins) Resolve(target authn.Resource) (authn.Authenticator, error) {
	if login, ok := l[target.RegistryStr()]; ok {
		return authn.FromConfig(login), nil
	}
	return authn.Anonymous, nil
}

// loggedIn are options with credentials for one server.
func loggedIn(server *httptest.Server, user, password string) Options {
	keychain := logins{host(server): authn.AuthConfig{Username: user, Password: password}}
	return Options{Network: registry.Options{Keychain: keychain}}
}

// naming are options of a user who named some hosts besides.
func naming(hosts ...string) Options { return Options{Network: registry.Options{Named: hosts}} }

func newUpstream(t testing.TB, options Options) testUpstream {
	t.Helper()
	u := testUpstream{clock: &clock{}, notes: &notes{}}
	options.Network.Wait, options.Network.Log = u.clock.wait, u.notes.log
	if options.Network.Keychain == nil {
		options.Network.Keychain = anonymous{}
	}
	var err error
	if u.Upstream, err = New(options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := u.Close(); err != nil {
			t.Error(err)
		}
	})
	return u
}

// serve starts a server that says nothing on standard error.
func serve(t testing.TB, handler http.Handler) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func host(server *httptest.Server) string {
	u, _ := url.Parse(server.URL)
	return u.Host
}

// requests counts requests by "METHOD path".
type requests struct {
	mu    sync.Mutex
	count map[string]int
	next  http.Handler
}

func counting(next http.Handler) *requests {
	return &requests{count: map[string]int{}, next: next}
}

func (r *requests) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	r.count[request.Method+" "+request.URL.Path]++
	r.mu.Unlock()
	r.next.ServeHTTP(w, request)
}

func (r *requests) of(what string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.count[what]
}

func (r *requests) total() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, count := range r.count {
		n += count
	}
	return n
}

func noise(seed uint64, size int) []byte {
	data := make([]byte, size)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	_, _ = r.Read(data)
	return data
}

func contentOf(url string, data []byte) manifests.Content {
	return manifests.Content{Digest: manifests.DigestOf(data), Size: int64(len(data)), URL: url}
}

// readAll opens content and reads it to its end.
func readAll(t testing.TB, u *Upstream, content manifests.Content, offset int64) ([]byte, error) {
	t.Helper()
	r, err := u.Open(t.Context(), content, offset)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// memoryRegistry is go-containerregistry's in-memory registry.
func memoryRegistry() http.Handler {
	return memory.New(memory.Logger(log.New(io.Discard, "", 0)))
}

// push puts a random image of two layers into a registry.
func push(t testing.TB, reference string) v1.Image {
	t.Helper()
	image, err := random.Image(100_000, 2)
	if err != nil {
		t.Fatal(err)
	}
	ref, err := name.ParseReference(reference, name.Insecure)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		t.Fatal(err)
	}
	return image
}

func digestOf(t testing.TB, image v1.Image) manifests.Digest {
	t.Helper()
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return manifests.Digest(digest.String())
}

// layerOf returns the first layer of an image as content of a repository.
func layerOf(t testing.TB, image v1.Image, repository string) (manifests.Content, []byte) {
	t.Helper()
	layers, err := image.Layers()
	if err != nil {
		t.Fatal(err)
	}
	r, err := layers[0].Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return manifests.Content{Digest: manifests.DigestOf(data), Size: int64(len(data)), Repository: repository}, data
}

func imageRef(t testing.TB, s string) manifests.ImageRef {
	t.Helper()
	ref, err := manifests.ParseImageRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func mirrorsOf(t testing.TB, document string) *Mirrors {
	t.Helper()
	m, err := ParseMirrors("mirrors.yaml", []byte("apiVersion: island/v1\nkind: Mirrors\nrules:\n"+document))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// withMirror are options by which a location stands for a prefix.
func withMirror(t testing.TB, prefix, location string) Options {
	t.Helper()
	return Options{Mirrors: mirrorsOf(t, fmt.Sprintf("- prefix: '%s'\n  mirrors: [{location: '%s'}]\n", prefix, location))}
}

// withOnlyMirror are options by which a location stands for a prefix, and the origin
// is not asked.
func withOnlyMirror(t testing.TB, prefix, location string) Options {
	t.Helper()
	options := withMirror(t, prefix, location)
	options.Mirrors.Rules[0].OnlyMirrors = true
	return options
}

// chartArchive makes a small chart.
func chartArchive(t testing.TB, name, version string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	w := tar.NewWriter(z)
	body := fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", name, version)
	if err := w.WriteHeader(&tar.Header{Name: name + "/Chart.yaml", Mode: 0o644, Size: int64(len(body))}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, body); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// needsTool skips a test whose program is not there, unless all are required.
func needsTool(t testing.TB, program string) {
	t.Helper()
	if _, err := exec.LookPath(program); err == nil {
		return
	}
	if os.Getenv("ISLAND_REQUIRE_TOOLS") == "1" {
		t.Fatalf("%s is not in PATH", program)
	}
	t.Skipf("%s is not in PATH", program)
}

// wantError fails unless an error says all of some words.
func wantError(t testing.TB, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, wanted one with %q", words)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("error is %q, wanted it to say %q", err, word)
		}
	}
}

// caFile writes the certificate of a TLS server to a file.
func caFile(t testing.TB, server *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

package bundle_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// world is a release as upstream has it: a lock, and the content behind it.
type world struct {
	lock    *manifests.Lock
	content map[manifests.Digest][]byte
}

const (
	layerType  = "application/vnd.oci.image.layer.v1.tar"
	configType = "application/vnd.oci.image.config.v1+json"
)

func date(s string) manifests.Date {
	d, err := manifests.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func newWorld(name string) *world {
	return &world{
		content: map[manifests.Digest][]byte{},
		lock: &manifests.Lock{
			APIVersion: manifests.APIVersion, Kind: manifests.KindLock,
			Release: manifests.LockedRelease{
				Name: name, Version: "2026.1", Date: date("2026-03-31"), Sequence: 1,
				Platforms: []manifests.Platform{{OS: "linux", Architecture: "amd64"}},
			},
			Charts: []manifests.LockedChart{}, Images: []manifests.LockedImage{}, Blobs: []manifests.Content{},
			Files: []manifests.LockedFile{}, LeftOut: []manifests.Omission{},
		},
	}
}

// next makes a later delivery of it.
func (w *world) next(version string) {
	w.lock.Release.Version = version
	w.lock.Release.Sequence++
}

func (w *world) keep(content []byte) manifests.Digest {
	digest := manifests.DigestOf(content)
	w.content[digest] = content
	return digest
}

func (w *world) blob(mediaType string, content []byte) manifests.Content {
	blob := manifests.Content{
		Digest: w.keep(content), Size: int64(len(content)), MediaType: mediaType, Repository: "registry.example/wire",
	}
	for _, known := range w.lock.Blobs {
		if known.Digest == blob.Digest {
			return blob
		}
	}
	w.lock.Blobs = append(w.lock.Blobs, blob)
	manifests.SortBlobs(w.lock.Blobs)
	return blob
}

func (w *world) chart(name, version string, content []byte) {
	w.lock.Charts = append(w.lock.Charts, manifests.LockedChart{
		Name: name, Version: version, Path: manifests.EntryPath("charts/" + name + "-" + version + ".tgz"),
		Content: manifests.Content{Digest: w.keep(content), Size: int64(len(content)), URL: "https://charts.example/" + name + ".tgz"},
	})
}

func (w *world) file(path string, mode uint32, content []byte) {
	w.lock.Files = append(w.lock.Files, manifests.LockedFile{
		Path: manifests.EntryPath(path), Mode: mode,
		Content: manifests.Content{Digest: w.keep(content), Size: int64(len(content)), URL: "https://files.example/" + path},
	})
}

type descriptor struct {
	MediaType    string            `json:"mediaType"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Digest       manifests.Digest  `json:"digest"`
	Size         int64             `json:"size"`
	Platform     map[string]string `json:"platform,omitempty"`
}

func describe(c manifests.Content) descriptor {
	return descriptor{MediaType: c.MediaType, Digest: c.Digest, Size: c.Size}
}

func toJSON(v any) []byte {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return encoded
}

// manifest adds an image manifest with its config and layers.
func (w *world) manifest(arch string, layers ...[]byte) (manifests.Content, manifests.LockedManifest) {
	var diffs []manifests.Digest
	var blobs []descriptor
	locked := manifests.LockedManifest{Platform: manifests.Platform{OS: "linux", Architecture: arch}}
	for _, layer := range layers {
		blob := w.blob(layerType, layer)
		diffs = append(diffs, blob.Digest)
		blobs = append(blobs, describe(blob))
		locked.Layers = append(locked.Layers, blob.Digest)
	}
	config := w.blob(configType, toJSON(map[string]any{
		"os": "linux", "architecture": arch, "config": map[string]any{},
		"rootfs": map[string]any{"type": "layers", "diff_ids": diffs},
	}))
	locked.Config = config.Digest
	manifest := w.blob(manifests.OCIManifest, toJSON(map[string]any{
		"schemaVersion": 2, "mediaType": manifests.OCIManifest, "config": describe(config), "layers": blobs,
	}))
	locked.Digest = manifest.Digest
	return manifest, locked
}

func (w *world) image(name string, top manifests.Content, locked ...manifests.LockedManifest) {
	ref, err := manifests.ParseImageRef(name)
	if err != nil {
		panic(err)
	}
	w.lock.Images = append(w.lock.Images, manifests.LockedImage{
		Name: ref, Digest: top.Digest, MediaType: top.MediaType, Size: top.Size, Manifests: locked,
		From: []manifests.Origin{{List: "images"}},
	})
}

// index adds an image index of one carried manifest and one of a platform that
// was left upstream.
func (w *world) index(carried manifests.Content) manifests.Content {
	here, elsewhere := describe(carried), descriptor{MediaType: manifests.OCIManifest, Digest: manifests.DigestOf([]byte("riscv")), Size: 77}
	here.Platform = map[string]string{"os": "linux", "architecture": "amd64"}
	elsewhere.Platform = map[string]string{"os": "linux", "architecture": "riscv64"}
	return w.blob(manifests.OCIIndex, toJSON(map[string]any{
		"schemaVersion": 2, "mediaType": manifests.OCIIndex, "manifests": []descriptor{here, elsewhere},
	}))
}

// artifact adds the manifest of what is no image, with a file and an empty one.
func (w *world) artifact(kind string, content []byte) (manifests.Content, manifests.LockedManifest) {
	config := w.blob("application/vnd.oci.empty.v1+json", []byte("{}"))
	file, none := w.blob("text/plain", content), w.blob("text/plain", nil)
	manifest := w.blob(manifests.OCIManifest, toJSON(map[string]any{
		"schemaVersion": 2, "mediaType": manifests.OCIManifest, "artifactType": kind, "config": describe(config),
		"layers": []descriptor{describe(file), describe(none)},
	}))
	return manifest, manifests.LockedManifest{
		ArtifactType: kind, Digest: manifest.Digest, Config: config.Digest, Layers: []manifests.Digest{file.Digest, none.Digest},
	}
}

// entry describes content in an index, for a platform if one is given.
func entry(c manifests.Content, platform string) descriptor {
	d := describe(c)
	if platform != "" {
		p, err := manifests.ParsePlatform(platform)
		if err != nil {
			panic(err)
		}
		d.Platform = map[string]string{"os": p.OS, "architecture": p.Architecture}
		for key, value := range map[string]string{"variant": p.Variant, "os.version": p.OSVersion} {
			if value != "" {
				d.Platform[key] = value
			}
		}
	}
	return d
}

// upstreamOnly describes a manifest that is not carried.
func upstreamOnly(platform string) descriptor {
	content := manifests.Content{MediaType: manifests.OCIManifest, Digest: manifests.DigestOf([]byte(platform)), Size: 77}
	return entry(content, platform)
}

// oddIndex adds an index of any entries. Its digest comes before, or behind, that
// of others that are given: bundle order says nothing of which names which.
func (w *world) oddIndex(behind manifests.Digest, entries ...descriptor) manifests.Content {
	for salt := 0; ; salt++ {
		text := toJSON(map[string]any{
			"schemaVersion": 2, "mediaType": manifests.OCIIndex, "manifests": entries, "annotations": map[string]string{"salt": fmt.Sprint(salt)},
		})
		if manifests.DigestOf(text) > behind {
			return w.blob(manifests.OCIIndex, text)
		}
	}
}

// oddWorld has what only format 2 can carry: of an index several entries for a platform, and
// those without one; an index in another that stands before it; an artifact; and a
// blob without a byte.
func oddWorld() *world {
	w := newWorld("odd")
	w.lock.Format = 2
	image, locked := w.manifest("amd64", layer("a", []byte("image\n")), layer("a", []byte("image\n")))
	features, lockedFeatures := w.manifest("amd64", layer("a", []byte("features\n")))
	bare, lockedBare := w.manifest("arm64", layer("a", []byte("of no platform\n")))
	soci, lockedSoci := w.artifact("application/vnd.example.index", []byte("of the image\n"))
	lockedSoci.Platform = locked.Platform
	inner := w.oddIndex("", entry(features, "linux/amd64"), upstreamOnly("linux/386"), entry(soci, "linux/amd64"))
	top := w.oddIndex(inner.Digest, upstreamOnly("linux/amd64/v2"), entry(image, "linux/amd64"), entry(bare, ""), entry(inner, "linux/amd64"))
	w.image("quay.io/wire/brig:1", top, locked, lockedFeatures, lockedSoci, lockedBare)
	w.lock.Images[0].Indexes = []manifests.Digest{inner.Digest}
	policy, lockedPolicy := w.artifact("application/vnd.example.policy", []byte("allow\n"))
	w.image("quay.io/wire/policy:1", policy, lockedPolicy)
	w.lock.Images[1].Artifact = true
	return w
}

// layer is a tar archive with one file, as a layer has to be.
func layer(name string, content []byte) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(content)), Format: tar.FormatUSTAR}
	if err := errors.Join(w.WriteHeader(header), second(w.Write(content)), w.Close()); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func second[T any](_ T, err error) error { return err }

// noise is content that depends on a seed alone and does not repeat.
func noise(seed uint64, size int) []byte {
	b := make([]byte, size)
	key := [32]byte{byte(seed), byte(seed >> 8), 'n'}
	_, _ = rand.NewChaCha8(key).Read(b)
	return b
}

// tinyWorld has one entry of each kind and not much more.
func tinyWorld() *world {
	w := newWorld("tiny")
	w.chart("nginz", "1.0.0", []byte("no chart, but pinned"))
	w.file("files/kubectl", 0o755, []byte("#!/bin/sh\n"))
	manifest, locked := w.manifest("amd64", layer("etc/hostname", []byte("island\n")))
	w.image("quay.io/wire/brig:5.30.9", w.index(manifest), locked)
	return w
}

const (
	longPath  = "files/deep/" + dirs10 + dirs10 + "name.bin"                                        // needs a prefix
	paxPath   = "files/" + dirs10 + "a-name-that-is-longer-than-a-hundred-bytes-" + x40 + x40 + x40 // fits in no USTAR header
	dirs10    = "d0/d1/d2/d3/d4/d5/d6/d7/d8/d9/e0/e1/e2/e3/e4/e5/e6/e7/e8/e9/"
	x40       = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	emptyPath = "values/empty.yaml"
)

// richWorld has what a real release has in small: images that share a layer,
// one with an index and one pinned by digest, empty files and long paths.
func richWorld() *world {
	w := newWorld("rich")
	for i, name := range []string{"brig", "cargohold", "galley"} {
		w.chart(name, "5.30.9", noise(uint64(100+i), 700*i+1))
	}
	w.file("files/asset.bin", 0o644, noise(1, 3*512))
	w.file(longPath, 0o600, noise(2, 513))
	w.file(paxPath, 0o755, noise(3, 511))
	w.file("values/a.yaml", 0o644, []byte("a: 1\n"))
	w.file(emptyPath, 0o644, nil)
	base := layer("base", noise(4, 300_000))
	for i, name := range []string{"quay.io/wire/brig:5.30.9", "quay.io/wire/galley:5.30.9", "quay.io/wire/cargohold:5.30.9"} {
		manifest, locked := w.manifest("amd64", base, layer(name, noise(uint64(10+i), 40_000*(i+1))))
		if i == 0 {
			manifest = w.index(manifest)
		}
		w.image(name, manifest, locked)
	}
	manifest, locked := w.manifest("amd64", base)
	w.image("docker.io/library/pinned@"+string(manifest.Digest), manifest, locked)
	return w
}

// testKey is a private key that everybody can compute: nothing that it signed
// is worth believing.
func testKey(t testing.TB, name string) (*ecdsa.PrivateKey, signature.PublicKey) {
	t.Helper()
	sum := sha256.Sum256([]byte("island test key " + name))
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), sum[:])
	if err != nil {
		t.Fatal(err)
	}
	public, err := signature.NewPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return private, public
}

func trust(t testing.TB, names ...string) bundle.Trust {
	t.Helper()
	var result bundle.Trust
	for _, name := range names {
		_, public := testKey(t, name)
		result.Keys = append(result.Keys, public)
	}
	return result
}

// plan plans a world's bundle, signed with the key "sender".
func (w *world) plan(t testing.TB, options bundle.PlanOptions) *bundle.Plan {
	t.Helper()
	plan, err := bundle.NewPlan(w.lock, options)
	if err != nil {
		t.Fatal(err)
	}
	private, _ := testKey(t, "sender")
	if err := plan.Sign(bundle.Signer{Key: private}); err != nil {
		t.Fatal(err)
	}
	return plan
}

// tool writes an executable to be carried.
func tool(t testing.TB, content string) bundle.Tool {
	t.Helper()
	file := filepath.Join(t.TempDir(), "island")
	if err := os.WriteFile(file, []byte(content), 0o755); err != nil {
		t.Fatal(err)
	}
	return bundle.Tool{Path: "linux-amd64/island", File: file}
}

// options are those of every bundle here, so that its bytes are the same.
func options(t testing.TB) bundle.PlanOptions {
	t.Helper()
	return bundle.PlanOptions{Tool: "island test", Tools: []bundle.Tool{tool(t, "a tool")}}
}

// build fills a plan and gives the archive.
func build(t testing.TB, plan *bundle.Plan, source bundle.Source) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "out.tar")
	if err := bundle.Fill(t.Context(), plan, source, out, bundle.FillOptions{}); err != nil {
		t.Fatal(err)
	}
	return read(t, out)
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// memory is a Source that counts how often each content is opened, and can be
// made to give something else.
type memory struct {
	content map[manifests.Digest][]byte
	chunk   int // most bytes that one Read gives, 0 for no limit
	before  func(digest manifests.Digest, offset int64) error

	mu    sync.Mutex
	opens map[manifests.Digest]int
}

func (w *world) source() *memory {
	return &memory{content: maps.Clone(w.content), opens: map[manifests.Digest]int{}}
}

func (m *memory) Open(_ context.Context, content manifests.Content, offset int64) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opens[content.Digest]++
	data, ok := m.content[content.Digest]
	if !ok {
		return nil, fault.New(fault.Failure, fault.Upstream, content.Repository+content.URL, "", "%s is not there", content.Digest)
	}
	return &memoryReader{source: m, digest: content.Digest, data: data, at: offset}, nil
}

type memoryReader struct {
	source *memory
	digest manifests.Digest
	data   []byte
	at     int64
}

func (r *memoryReader) Read(p []byte) (int, error) {
	if r.source.before != nil {
		if err := r.source.before(r.digest, r.at); err != nil {
			return 0, err
		}
	}
	if r.source.chunk > 0 {
		p = p[:min(len(p), r.source.chunk)]
	}
	n := copy(p, r.data[r.at:])
	r.at += int64(n)
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (r *memoryReader) Close() error { return nil }

// wantFault demands an error of a kind, on a side, with all of some texts in it.
func wantFault(t testing.TB, err error, kind fault.Kind, side fault.Side, texts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, want exit code %d with %q", kind, texts)
		return
	}
	if fault.ExitCode(err) != int(kind) {
		t.Errorf("exit code %d, want %d: %v", fault.ExitCode(err), kind, err)
	}
	var explained *fault.Error
	if !errors.As(err, &explained) || explained.Side != side {
		t.Errorf("error is not on side %q: %v", side, err)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error does not say %q: %v", text, err)
		}
	}
}

// ways are the two ways to verify, which must always agree.
var ways = map[string]func(context.Context, []byte, bundle.Trust) error{
	"file": func(ctx context.Context, archive []byte, trust bundle.Trust) error {
		b, err := bundle.Open(bytes.NewReader(archive), int64(len(archive)), trust)
		if err != nil {
			return err
		}
		return b.Verify(ctx, bundle.VerifyOptions{})
	},
	"stream": func(ctx context.Context, archive []byte, trust bundle.Trust) error {
		_, err := bundle.VerifyStream(ctx, bytes.NewReader(archive), trust, bundle.VerifyOptions{})
		return err
	},
}

// wantRefused demands that both ways refuse an archive and say all of the texts.
func wantRefused(t testing.TB, archive []byte, trust bundle.Trust, texts ...string) {
	t.Helper()
	for way, verify := range ways {
		err := verify(t.Context(), archive, trust)
		if err == nil {
			t.Errorf("%s: accepted, want a refusal with %q", way, texts)
			continue
		}
		wantFault(t, fmt.Errorf("%s: %w", way, err), fault.Refused, fault.Site, texts...)
	}
}

func wantAccepted(t testing.TB, archive []byte, trust bundle.Trust) {
	t.Helper()
	for way, verify := range ways {
		if err := verify(t.Context(), archive, trust); err != nil {
			t.Errorf("%s: %v", way, err)
		}
	}
}

// requireTool returns the path of an outside program. Without it the test is
// skipped, or fails where ISLAND_REQUIRE_TOOLS=1 says that all of them are there.
func requireTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		unavailable(t, "%s is not in PATH", name)
	}
	return path
}

// unavailable skips a test for lack of something outside the project.
func unavailable(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("ISLAND_REQUIRE_TOOLS") == "1" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// entrySpan is where an entry stands, as an independent reader of tar archives
// finds it.
type entrySpan struct {
	path                 string
	start, content, size int64 // of the header, of the content, of the content
}

func (s entrySpan) end() int64  { return s.content + s.size }
func (s entrySpan) next() int64 { return (s.end() + 511) / 512 * 512 }

// spans lists the entries of an archive by archive/tar.
func spans(t testing.TB, archive []byte) []entrySpan {
	t.Helper()
	r := bytes.NewReader(archive)
	entries := tar.NewReader(r)
	var found []entrySpan
	start := int64(0)
	for {
		header, err := entries.Next()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		// archive/tar reads whole blocks of the header and nothing of the content.
		at := int64(len(archive)) - int64(r.Len())
		span := entrySpan{path: header.Name, start: start, content: at, size: header.Size}
		found = append(found, span)
		start = span.next()
	}
}

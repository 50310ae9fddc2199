package resolve_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// signers is a folder of documents, and a key that signs them.
type signers struct {
	*upstream
	key    *ecdsa.PrivateKey
	public signature.PublicKey
}

func newSigners(t *testing.T) *signers {
	t.Helper()
	s := &signers{upstream: newUpstream(t)}
	var err error
	s.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	s.check(err)
	s.public, err = signature.NewPublicKey(&s.key.PublicKey)
	s.check(err)
	return s
}

func (s *signers) at(file string) string { return filepath.Join(s.folder, filepath.FromSlash(file)) }

// sign does to a document what island sign does.
func (s *signers) sign(file string, named interface{ LocalPaths() []manifests.LocalPath }) {
	s.t.Helper()
	data, err := os.ReadFile(s.at(file))
	s.check(err)
	bindings, err := resolve.Bind(s.at(file), data, named.LocalPaths())
	s.check(err)
	if bindings != nil {
		encoded, err := manifests.EncodeJSON(bindings)
		s.check(err)
		s.write(file+resolve.BindingsSuffix, string(encoded))
		s.signFile(file + resolve.BindingsSuffix)
	}
	s.signFile(file)
}

func (s *signers) signFile(file string) {
	s.t.Helper()
	data, err := os.ReadFile(s.at(file))
	s.check(err)
	signed, err := signature.Sign(s.key, sha256.Sum256(data))
	s.check(err)
	s.write(file+resolve.SignatureSuffix, string(signed))
}

// The documents of the tests below, in three folders.
const (
	boundRelease = `apiVersion: island/v1
kind: Release
metadata: {name: wire, version: 1.0.0, sequence: 1, date: 2026-03-31}
platforms: [linux/amd64]
charts:
  - name: brig
    path: charts/brig
    values: [values/brig.yaml]
    secrets: [secret/brig.yaml]
    renderings: [{name: ha, values: [values/ha.yaml]}]
  - {name: galley, path: charts/galley.tgz}
values: [{path: more, destination: more}]
attachments: {verify: [{images: "quay.io/wire/none", key: keys/wire.pub}]}
policy: {keys: [keys/wire.pub]}
`
	boundOverlay = `apiVersion: island/v1
kind: Overlay
charts: [{name: galley, values: [galley.yaml]}]
`
	boundPatch = `apiVersion: island/v1
kind: Patch
metadata: {id: A, date: 2026-04-15, severity: high, summary: {en: a}}
appliesTo: {release: wire, versions: 1.0.0}
changes:
  charts: [{name: brig, values: [../values/patched.yaml]}]
`
)

// bound writes and signs them.
func bound(t *testing.T) (*signers, resolve.Input) {
	t.Helper()
	s := newSigners(t)
	s.writeChart("charts/brig", "brig", "1.0.0")
	s.write("charts/brig/templates/x.yaml", "a: {{ .Values }}\n")
	s.writeChart("unpacked", "galley", "2.0.0")
	s.write("charts/galley.tgz", string(s.packChart("unpacked")))
	for _, file := range []string{"values/brig.yaml", "values/ha.yaml", "values/patched.yaml", "secret/brig.yaml", "more/a.yaml",
		"more/sub/b.yaml", "ours/galley.yaml"} {
		s.write(file, "from: "+file+"\n")
	}
	s.write("keys/wire.pub", string(s.public.PEM()))
	s.write("release.yaml", boundRelease)
	s.write("ours/overlay.yaml", boundOverlay)
	s.write("patches/A.yaml", boundPatch)
	release, err := manifests.Read("release.yaml", []byte(boundRelease))
	s.check(err)
	s.sign("release.yaml", release)
	overlay, err := manifests.ReadOverlay("overlay.yaml", []byte(boundOverlay))
	s.check(err)
	s.sign("ours/overlay.yaml", overlay)
	patch, err := manifests.ReadPatch("A.yaml", []byte(boundPatch))
	s.check(err)
	s.sign("patches/A.yaml", patch)
	return s, resolve.Input{
		File: s.at("release.yaml"), Overlays: []string{s.at("ours/overlay.yaml")}, Patches: []string{s.at("patches/A.yaml")},
		Policy: resolve.Policy{RequireSigned: true, Keys: []signature.PublicKey{s.public}},
	}
}

func (s *signers) wantRefused(what string, err error, texts ...string) {
	s.t.Helper()
	if err == nil || fault.ExitCode(err) != int(fault.Refused) {
		s.t.Errorf("%s: %v, want a refusal with %q", what, err, texts)
		return
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			s.t.Errorf("%s: %v\nwant %q in it", what, err, text)
		}
	}
}

// What a signed document names by path is what was signed with it, or it is refused
// where the document names it. Nobody who demands no signatures notices.
func TestBoundFiles(t *testing.T) {
	t.Parallel()
	s, input := bound(t)
	if _, err := resolve.Assemble(input); err != nil {
		t.Fatal(err)
	}
	replaced := func(file, content string) func() {
		was, err := os.ReadFile(s.at(file))
		s.check(err)
		s.write(file, content)
		return func() { s.write(file, string(was)) }
	}
	moved := func(file string) func() {
		s.check(os.Rename(s.at(file), s.at("away")))
		return func() { s.check(os.Rename(s.at("away"), s.at(file))) }
	}
	added := func(file string) func() {
		s.write(file, "new: 1\n")
		return func() { s.check(os.Remove(s.at(file))) }
	}
	linked := func(file, to string) func() {
		back := moved(file)
		s.check(os.Symlink(s.at(to), s.at(file)))
		return func() { s.check(os.Remove(s.at(file))); back() }
	}
	for _, test := range []struct {
		name   string
		change func() func()
		want   []string
	}{
		{"values of a chart", func() func() { return replaced("values/brig.yaml", "other: 1\n") },
			[]string{"release.yaml:8:14: charts[0].values[0]: values/brig.yaml: it has digest sha256:", "was signed"}},
		{"values of a rendering", func() func() { return replaced("values/ha.yaml", "") }, []string{"charts[0].renderings[0].values[0]"}},
		{"values that are a link to others", func() func() { return linked("values/brig.yaml", "values/ha.yaml") },
			[]string{"charts[0].values[0]"}},
		{"secrets", func() func() { return replaced("secret/brig.yaml", "other: 1\n") },
			[]string{"release.yaml:9:15: charts[0].secrets[0]: secret/brig.yaml: it is not what was signed"}},
		{"salt of the secrets", func() func() { return replaced("secret/brig.yaml.salt", strings.Repeat("0", 64)+"\n") },
			[]string{"charts[0].secrets[0]", "not its salt"}},
		{"salt that is gone", func() func() { return moved("secret/brig.yaml.salt") }, []string{"charts[0].secrets[0]", "its salt is not there"}},
		{"template of a chart folder", func() func() { return replaced("charts/brig/templates/x.yaml", "b: 1\n") },
			[]string{"release.yaml:7:11: charts[0].path: charts/brig: its file \"templates/x.yaml\" has digest"}},
		{"template too many", func() func() { return added("charts/brig/templates/y.yaml") },
			[]string{"charts[0].path", `"templates/y.yaml" was not there`}},
		{"template that is gone", func() func() { return moved("charts/brig/templates/x.yaml") },
			[]string{"charts[0].path", `"templates/x.yaml", which was signed, is not there`}},
		{"rule that leaves out a template", func() func() {
			s.write("charts/brig/.helmignore", "x.yaml\n")
			return func() { s.check(os.Remove(s.at("charts/brig/.helmignore"))) }
		},
			[]string{"charts[0].path"}},
		{"chart archive", func() func() { return replaced("charts/galley.tgz", string(s.packChart("charts/brig"))) },
			[]string{"release.yaml:11:26: charts[1].path"}},
		{"chart archive that has become a folder", func() func() {
			back := moved("charts/galley.tgz")
			s.writeChart("charts/galley.tgz", "galley", "2.0.0")
			return func() { s.check(os.RemoveAll(s.at("charts/galley.tgz"))); back() }
		}, []string{"charts[1].path", "another kind of thing"}},
		{"file of a values folder", func() func() { return replaced("more/sub/b.yaml", "x: 1\n") },
			[]string{"release.yaml:12:17: values[0].path: more: its file \"sub/b.yaml\" has digest"}},
		{"file too many in it", func() func() { return added("more/c.yaml") }, []string{"values[0].path", "was not there"}},
		{"key", func() func() { return replaced("keys/wire.pub", string(newSigners(t).public.PEM())) }, []string{"keys/wire.pub: it has digest"}},
		{"values of an overlay elsewhere", func() func() { return replaced("ours/galley.yaml", "x: 1\n") },
			[]string{"overlay.yaml:3:34: charts[0].values[0]: galley.yaml: it has digest"}},
		{"values of a patch elsewhere", func() func() { return replaced("values/patched.yaml", "x: 1\n") },
			[]string{"A.yaml:6:34: changes.charts[0].values[0]: ../values/patched.yaml: it has digest"}},
		{"bindings of another document", func() func() {
			back, backSig := replaced("ours/overlay.yaml.binds.json", s.text("patches/A.yaml.binds.json")),
				replaced("ours/overlay.yaml.binds.json.sigstore.json", s.text("patches/A.yaml.binds.json.sigstore.json"))
			return func() { back(); backSig() }
		}, []string{"overlay.yaml.binds.json", "it is of a document with digest"}},
		{"bindings that are gone", func() func() { return moved("ours/overlay.yaml.binds.json") },
			[]string{"overlay.yaml:3:34: charts[0].values[0]: galley.yaml: it was not signed along"}},
		{"bindings that nobody signed", func() func() { return moved("ours/overlay.yaml.binds.json.sigstore.json") },
			[]string{"overlay.yaml.binds.json: document is not signed"}},
		{"bindings that were altered", func() func() {
			digest := string(manifests.DigestOf([]byte("x: 1\n")))
			text := s.text("ours/overlay.yaml.binds.json")
			back := replaced("ours/galley.yaml", "x: 1\n")
			backBindings := replaced("ours/overlay.yaml.binds.json",
				strings.Replace(text, string(manifests.DigestOf([]byte("from: ours/galley.yaml\n"))), digest, 1))
			return func() { back(); backBindings() }
		}, []string{"overlay.yaml.binds.json.sigstore.json", "content or signature altered"}},
		{"bindings without one of the files", func() func() {
			back, backSig := replaced("ours/overlay.yaml.binds.json", `{"apiVersion": "island/v1", "kind": "Bindings", "document": "`+
				string(manifests.DigestOf([]byte(boundOverlay)))+`", "bound": []}`), replaced("ours/overlay.yaml.binds.json.sigstore.json", "")
			s.signFile("ours/overlay.yaml.binds.json")
			return func() { back(); backSig() }
		}, []string{"overlay.yaml:3:34: charts[0].values[0]: galley.yaml: it was not signed along"}},
	} {
		back := test.change()
		_, err := resolve.Assemble(input)
		s.wantRefused(test.name, err, test.want...)
		unsigned := input
		unsigned.Policy = resolve.Policy{} // a key without a demand would do nothing, and is refused
		if _, err := resolve.Assemble(unsigned); err != nil {
			t.Errorf("%s: without a demand %v", test.name, err)
		}
		back()
		if _, err := resolve.Assemble(input); err != nil {
			t.Fatalf("after %s: %v", test.name, err)
		}
	}
}

func (s *signers) text(file string) string {
	s.t.Helper()
	data, err := os.ReadFile(s.at(file))
	s.check(err)
	return string(data)
}

// The policies in documents bind as the flag does.
func TestPolicyBindsFiles(t *testing.T) {
	t.Parallel()
	s, input := bound(t)
	s.write("policy/policy.yaml", "apiVersion: island/v1\nkind: Overlay\npolicy: {requireSignedPatches: true, keys: [../keys/wire.pub]}\n")
	input.Policy = resolve.Policy{}
	input.Overlays = append(input.Overlays, s.at("policy/policy.yaml"))
	if _, err := resolve.Assemble(input); err != nil {
		t.Fatal(err)
	}
	s.write("values/brig.yaml", "the release has not to be signed: 1\n")
	if _, err := resolve.Assemble(input); err != nil {
		t.Fatal(err)
	}
	s.write("values/patched.yaml", "other: 1\n")
	_, err := resolve.Assemble(input)
	s.wantRefused("patch", err, "changes.charts[0].values[0]")
	s.write("policy/policy.yaml", "apiVersion: island/v1\nkind: Overlay\npolicy: {requireSignedRelease: true, keys: [../keys/wire.pub]}\n")
	_, err = resolve.Assemble(input)
	s.wantRefused("release", err, "release.yaml:8:14: charts[0].values[0]")
}

// An overlay that has to be signed cannot bring the key that it is signed with.
func TestOverlayCannotVouchForItself(t *testing.T) {
	t.Parallel()
	s, input := bound(t)
	stranger := newSigners(t)
	text := "apiVersion: island/v1\nkind: Overlay\npolicy: {keys: [stranger.pub]}\n"
	s.write("strange/overlay.yaml", text)
	s.write("strange/stranger.pub", string(stranger.public.PEM()))
	overlay, err := manifests.ReadOverlay("overlay.yaml", []byte(text))
	s.check(err)
	own := s.key
	s.key = stranger.key
	s.sign("strange/overlay.yaml", overlay)
	s.key = own
	input.Overlays = append(input.Overlays, s.at("strange/overlay.yaml"))
	_, err = resolve.Assemble(input)
	s.wantRefused("overlay", err, "overlay.yaml.sigstore.json: signed with another key")
}

// What was checked is what is used: a file that changes between is refused, or is used
// as it was.
func TestBoundFilesThatChangeAfterTheCheck(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"charts/brig/templates/x.yaml": "charts[0].path",
		"charts/galley.tgz":            "charts[1].path",
		"more/a.yaml":                  "values[0].path",
		"values/brig.yaml":             "",
		"secret/brig.yaml":             "",
	} {
		s, input := bound(t)
		assembled, err := resolve.Assemble(input)
		s.check(err)
		was := s.text(file)
		s.write(file, "changed: 1\n")
		var seen []string
		lock, err := resolve.Resolve(context.Background(), assembled, newShelf(), resolve.Options{
			Discover: func(ctx context.Context, archive []byte, options charts.DiscoverOptions) (charts.Discovery, error) {
				for _, rendering := range options.Renderings {
					for _, values := range rendering.Values {
						seen = append(seen, string(values.Data))
					}
				}
				chart, err := charts.Load(archive)
				s.check(err)
				return charts.Discovery{Chart: chart.Metadata()}, nil
			},
		})
		if want != "" {
			s.wantRefused(file, err, want)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if all := strings.Join(seen, ""); !strings.Contains(all, was) || strings.Contains(all, "changed") {
			t.Errorf("%s: rendered with %q", file, seen)
		}
		for _, locked := range lock.Files {
			if locked.Content.Digest == manifests.DigestOf([]byte("changed: 1\n")) {
				t.Errorf("%s: %s is what nobody signed", file, locked.Path)
			}
		}
	}
}

// Values that are rendered are those that are carried, whoever changes the file in
// between.
func TestValuesAreReadOnce(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.writeChart("brig", "brig", "1.0.0")
	u.write("values.yaml", "first: 1\n")
	u.write("release.yaml", "apiVersion: island/v1\nkind: Release\nmetadata: {name: wire, version: 1.0.0, date: 2026-03-31}\n"+
		"platforms: [linux/amd64]\ncharts: [{name: brig, path: brig, values: [values.yaml]}]\n")
	assembled, err := resolve.Assemble(resolve.Input{File: filepath.Join(u.folder, "release.yaml")})
	u.check(err)
	rendered := ""
	lock, err := resolve.Resolve(context.Background(), assembled, newShelf(), resolve.Options{
		Discover: func(_ context.Context, archive []byte, options charts.DiscoverOptions) (charts.Discovery, error) {
			if !options.LoadOnly {
				rendered = string(options.Renderings[0].Values[0].Data)
				u.write("values.yaml", "second: 2\n")
			}
			chart, err := charts.Load(archive)
			u.check(err)
			return charts.Discovery{Chart: chart.Metadata()}, nil
		},
	})
	u.check(err)
	if got := lock.Files[0].Content.Digest; got != manifests.DigestOf([]byte(rendered)) {
		t.Errorf("%q was rendered, and the lock pins %s", rendered, got)
	}
	// What stands there now is not what is pinned: a build refuses it.
	reader, err := (resolve.Source{World: mustWorld(u), BaseDir: u.folder}).Open(context.Background(), lock.Files[0].Content, 0)
	if err == nil {
		_ = reader.Close()
		t.Error("another file of another size was opened for what is pinned")
	}
}

func mustWorld(u *upstream) *source.Upstream {
	u.t.Helper()
	world, err := source.New(source.Options{CacheDir: u.t.TempDir(), BaseDir: u.folder})
	u.check(err)
	u.t.Cleanup(func() { _ = world.Close() })
	return world
}

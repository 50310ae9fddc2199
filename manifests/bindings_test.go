package manifests

import (
	"strings"
	"testing"
)

func TestReadBindings(t *testing.T) {
	t.Parallel()
	digest := string(DigestOf(nil))
	head := `{"apiVersion": "island/v1", "kind": "Bindings", "document": "` + digest + `", `
	for _, test := range []struct {
		name, text string
		want       []string
	}{
		{"good", head + `"bound": [{"path": "a", "digest": "` + digest + `"}, {"path": "b", "salted": "` + digest + `"},
			{"path": "c", "files": {}}, {"path": "d", "files": {"x": "` + digest + `"}}]}`, nil},
		{"nothing bound", head + `"bound": []}`, nil},
		{"two digests", head + `"bound": [{"path": "a", "digest": "` + digest + `", "salted": "` + digest + `"}]}`,
			[]string{"b.json:1:146: bound[0]: wants a path and one of digest, salted and files"}},
		{"no digest", head + `"bound": [{"path": "a"}]}`, []string{"b.json:1:146: bound[0]: wants a path and one of digest, salted and files"}},
		{"no path", head + `"bound": [{"files": {}}]}`, []string{"b.json:1:146: bound[0]: wants a path and one of digest, salted and files"}},
		{"member twice", head + `"kind": "Bindings", "bound": []}`, []string{"b.json:1:136: kind: duplicate key, first given on line 1"}},
		{"member in capitals", head + `"Bound": []}`, []string{"b.json:1:136: Bound: unknown field"}},
		{"of no document", `{"apiVersion": "island/v1", "kind": "Bindings", "bound": []}`,
			[]string{"b.json: document: bindings do not say of which document they are"}},
		{"another kind", strings.Replace(head, "Bindings", "Lock", 1) + `"bound": []}`,
			[]string{`b.json:1:37: kind: wants a document of kind Bindings, got "Lock" | kind: Bindings`}},
	} {
		_, err := ReadBindings("b.json", []byte(test.text))
		if test.name == "member in capitals" {
			if err == nil || !strings.HasPrefix(told(err)[0], test.want[0]) {
				t.Errorf("%s: %v", test.name, err)
			}
			continue
		}
		expect(t, err, test.want...)
	}
}

// What a document is, its strict reader tells, however the kind is written; what is not
// one of these documents names nothing that could be signed along, and is not signed.
func TestReadSignable(t *testing.T) {
	t.Parallel()
	const (
		others  = ` | say its kind, such as kind: Release; no other document is signed`
		release = "metadata: {name: a, version: \"1\", date: 2026-04-15}\nplatforms: [linux/amd64]\ncharts: [{name: a, path: a.tgz}]\n"
		overlay = "charts: [{name: a, values: [a.yaml]}]\n"
		patch   = "metadata: {id: A, date: 2026-04-15, severity: high, summary: {en: a}}\n" +
			"appliesTo: {release: a, versions: \"1\"}\nchanges: {add: {charts: [{name: a, path: a.tgz}]}}\n"
	)
	for _, test := range []struct {
		name, text string
		paths      string
		want       []string
	}{
		{"release", "kind: Release\n" + release, "a.tgz", nil},
		{"overlay", "kind: Overlay\n" + overlay, "a.yaml", nil},
		{"patch", "kind: Patch\n" + patch, "a.tgz", nil},
		{"key in quotes", "\"kind\": Overlay\n" + overlay, "a.yaml", nil},
		{"patch's key in quotes", "'kind': Patch\n" + patch, "a.tgz", nil},
		{"blank before the colon", "kind : Overlay\n" + overlay, "a.yaml", nil},
		{"tag", "kind: !!str Overlay\n" + overlay, "a.yaml", nil},
		{"folded", "kind: >-\n Overlay\n" + overlay, "a.yaml", nil},
		{"on a line of its own", "kind:\n  Patch\n" + patch, "a.tgz", nil},
		{"explicit key", "? kind\n: Overlay\n" + overlay, "a.yaml", nil},
		{"another kind", "kind: Patches\n" + patch, "",
			[]string{`s.yaml:2:7: kind: wants a document of kind Release, Overlay or Patch, got "Patches"` + others}},
		{"no kind", overlay, "", []string{`s.yaml:1:1: kind: wants a document of kind Release, Overlay or Patch, got ""` + others}},
		{"two kinds", "kind: Overlay\nkind: Patch\n" + overlay, "", []string{"s.yaml:3:1: kind: duplicate key, first given on line 2"}},
		{"flaw", "kind: Overlay\ncharts: 1\n", "", []string{"s.yaml:3:9: charts: wants a list, got a number"}},
		{"no YAML", "kind: [", "", []string{"s.yaml:3: not valid YAML: did not find expected node content"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			document, err := ReadSignable("s.yaml", []byte("apiVersion: island/v1\n"+test.text))
			expect(t, err, test.want...)
			if (document == nil) != (err != nil) {
				t.Fatalf("document is %v", document)
			}
			if err == nil && (len(document.LocalPaths()) != 1 || document.LocalPaths()[0].Path != test.paths) {
				t.Errorf("names %v, want %s", document.LocalPaths(), test.paths)
			}
		})
	}
	document, err := ReadSignable("build.json", []byte(`{"version": "1", "helmCharts": {"a": {"repo": "https://a.example", "version": "1"}}}`))
	if err != nil || len(document.LocalPaths()) > 0 {
		t.Errorf("build.json: %v, %v", document, err)
	}
	_, err = ReadSignable("s.yaml", []byte("Overlay\n"))
	expect(t, err, `s.yaml:1:1: kind: wants a document of kind Release, Overlay or Patch, got ""`+others)
}

// A salt has one length, so that no byte of it can pass for one of the content.
func TestSaltedDigest(t *testing.T) {
	t.Parallel()
	salt := strings.Repeat("0123456789abcdef", 4) + "\n"
	one, err := SaltedDigest([]byte(salt), []byte("password: a\n"))
	if err != nil {
		t.Fatal(err)
	}
	if one != DigestOf([]byte(salt+"password: a\n")) {
		t.Errorf("it is %s", one)
	}
	for _, bad := range []string{"", salt[:64], salt[1:], salt + "p", strings.ToUpper(salt), strings.Repeat("0", 65)} {
		if digest, err := SaltedDigest([]byte(bad), []byte("assword: a\n")); err == nil {
			t.Errorf("%q was taken: %s", bad, digest)
		}
	}
}

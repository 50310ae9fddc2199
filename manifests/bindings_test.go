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

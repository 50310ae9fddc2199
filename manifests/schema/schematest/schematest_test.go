package schematest

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/schema"
)

// told is a test that keeps what it is told.
type told struct {
	testing.TB
	errors []string
}

func (t *told) Helper() {}

func (t *told) Errorf(format string, args ...any) {
	t.errors = append(t.errors, fmt.Sprintf(format, args...))
}

func (t *told) want(test *testing.T, parts ...string) {
	test.Helper()
	if len(t.errors) != len(parts) {
		test.Fatalf("%d errors, want %d: %q", len(t.errors), len(parts), t.errors)
	}
	for i, part := range parts {
		if !strings.Contains(t.errors[i], part) {
			test.Errorf("%q does not say %q", t.errors[i], part)
		}
	}
	t.errors = nil
}

type site struct {
	Since string `json:"since"`
}

func made(rules map[string]schema.Object) schema.Object {
	w := &schema.Writer{Written: true, Rules: rules}
	return w.Document("site.schema.json", "Site <A&B>", "", w.Of(reflect.TypeFor[site]()))
}

// TestPublished sets -update, and so does not run beside others.
func TestPublished(t *testing.T) {
	file := filepath.Join(t.TempDir(), "site.schema.json")
	test := &told{TB: t}
	Published(test, file, made(nil))
	test.want(t, "docs/site.schema.json is not what the code says (open ")
	*update = true
	Published(test, file, made(nil))
	*update = false
	test.want(t)
	Published(test, file, made(nil))
	test.want(t)
	text, err := os.ReadFile(file)
	if err != nil || !strings.HasPrefix(string(text), "{\n  \"$defs\": {") ||
		!strings.HasSuffix(string(text), "\"title\": \"Site <A&B>\"\n}\n") {
		t.Errorf("%v, %s", err, text)
	}
	Published(test, file, made(map[string]schema.Object{"site": {"minProperties": 1}}))
	test.want(t, "go test -run '^TestPublished$' -update")
}

func TestRulesUsed(t *testing.T) {
	t.Parallel()
	test := &told{TB: t}
	known := map[string]schema.Object{"site": {}, "site.since": {}}
	RulesUsed(test, known, map[string][]string{"site": {"since"}}, made(nil))
	test.want(t)
	RulesUsed(test, map[string]schema.Object{"site.until": {}}, map[string][]string{"site": {"since", "until"}, "plot": {"since"}}, made(nil))
	if len(test.errors) != 3 {
		t.Errorf("%q", test.errors)
	}
}

func TestCompile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "site.schema.json")
	text := encode(t, made(map[string]schema.Object{"site.since": {"format": "date"}}))
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	compiled := Compile(t, file)
	for document, valid := range map[string]bool{
		`{"since": "2026-03-31"}`: true, `{"since": "2026-02-31"}`: false, `{}`: false, `{"since": "2026-03-31", "a": 1}`: false,
	} {
		if err := compiled.Validate(Parse(t, []byte(document))); (err == nil) != valid {
			t.Errorf("%s: %v", document, err)
		}
	}
}

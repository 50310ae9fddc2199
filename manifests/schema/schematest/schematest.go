// Package schematest holds the schemas that are published in docs/ to the code
// that they are made from, and documents to the schemas.
//
// It brings the flag -update to the tests that import it: with it they write
// the schemas anew.
package schematest

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/islandbundle/island/manifests/schema"
)

var update = flag.Bool("update", false, "write the schemas in docs/ anew from the code")

// Published holds the file of a schema to what the code makes.
func Published(t testing.TB, file string, made schema.Object) {
	t.Helper()
	want := encode(t, made)
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/%s is not what the code says (%v): go test -run '^%s$' -update, in this folder", filepath.Base(file), err, t.Name())
	}
}

// encode writes a schema as package manifests writes documents. It cannot ask
// that package, whose own tests are among those that come here.
func encode(t testing.TB, made schema.Object) []byte {
	t.Helper()
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(made); err != nil {
		t.Fatal(err)
	}
	return text.Bytes()
}

// LanguageTag is the pattern of a language tag (BCP 47, without extensions):
// published schemas take every language, so that a further one changes none.
const LanguageTag = "^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$"

// RulesUsed wants every rule, and every field that is required, to be for
// something that the schemas define: a rule for a field that is gone would go
// unnoticed otherwise. See the fields of [schema.Writer].
func RulesUsed(t testing.TB, rules map[string]schema.Object, required map[string][]string, made ...schema.Object) {
	t.Helper()
	known := map[string]bool{}
	for _, document := range made {
		for typ, definition := range document["$defs"].(schema.Object) {
			known[typ] = true
			properties, _ := definition.(schema.Object)["properties"].(schema.Object)
			for field := range properties {
				known[typ+"."+field] = true
			}
		}
	}
	for name := range rules {
		if !known[name] {
			t.Errorf("rule for %s, which is not there", name)
		}
	}
	for typ, fields := range required {
		for _, field := range fields {
			if !known[typ+"."+field] {
				t.Errorf("%s.%s is required and not there", typ, field)
			}
		}
	}
}

// Compiler knows published schemas by their addresses, so that they can refer
// to each other. It takes the formats that they name seriously.
func Compiler(t testing.TB, files ...string) *jsonschema.Compiler {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := compiler.AddResource(schema.Home+filepath.Base(file), Parse(t, text)); err != nil {
			t.Fatal(err)
		}
	}
	return compiler
}

// Compile makes a published schema ready to validate.
func Compile(t testing.TB, file string) *jsonschema.Schema {
	t.Helper()
	compiled, err := Compiler(t, file).Compile(schema.Home + filepath.Base(file))
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// Parse reads JSON as schemas want it: with numbers as they are written.
func Parse(t testing.TB, text []byte) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return value
}

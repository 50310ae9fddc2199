package schema_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/islandbundle/island/manifests/schema"
)

// Tree is a type that holds itself, and fields of every kind.
type Tree struct {
	base
	*Extra
	Name     string         `json:"name"`
	Children []Tree         `json:"children"`
	Parent   *Tree          `json:"parent,omitempty"`
	When     time.Time      `json:"when,omitzero"`
	Counts   map[string]int `json:"counts,omitempty"`
	Share    float64        `yaml:"share,omitempty"`
	Free     any            `json:"free,omitempty"`
	Hidden   bool           `json:"-"`
	Untagged bool
}

type base struct {
	Size uint32 `json:"size"`
}

type Extra struct {
	Sum uint64 `json:"sum,omitempty"`
}

func made(t *testing.T, w *schema.Writer) (reference, definitions string) {
	t.Helper()
	of, err := json.Marshal(w.Of(reflect.TypeFor[Tree]()))
	if err != nil {
		t.Fatal(err)
	}
	defs, err := json.Marshal(w.Defs)
	if err != nil {
		t.Fatal(err)
	}
	return string(of), string(defs)
}

func TestWriter(t *testing.T) {
	t.Parallel()
	const head = `{"Tree":{"additionalProperties":false,"properties":{`
	common := func(children, untagged string) string {
		return untagged + children + `"counts":{"additionalProperties":{"type":"integer"},"type":"object"},"free":{},` +
			`"name":{"type":"string"},"parent":{"$ref":"#/$defs/Tree"},"share":{"type":"number"},` +
			`"size":{"maximum":4294967295,"minimum":0,"type":"integer"},` +
			`"sum":{"maximum":18446744073709551615,"minimum":0,"type":"integer"},"when":{"type":"string"}}`
	}
	const list = `"children":{"items":{"$ref":"#/$defs/Tree"},"type":"array"},`
	for _, test := range []struct {
		name   string
		writer schema.Writer
		want   string
	}{
		{"of people", schema.Writer{}, head + common(list, "") + `,"type":"object"}}`},
		{"of people, with required fields", schema.Writer{Required: map[string][]string{"Tree": {"name"}}},
			head + common(list, "") + `,"required":["name"],"type":"object"}}`},
		{"written", schema.Writer{Written: true},
			head + common(list, `"Untagged":{"type":"boolean"},`) + `,"required":["size","name","children","Untagged"],"type":"object"}}`},
		{"written, with null", schema.Writer{Written: true, NullLists: true},
			head + common(strings.Replace(list, `"array"`, `["array","null"]`, 1), `"Untagged":{"type":"boolean"},`) +
				`,"required":["size","name","children","Untagged"],"type":"object"}}`},
		{"with rules", schema.Writer{Rules: map[string]schema.Object{"Tree.children": {"minItems": 1}, "Tree": {"minProperties": 2}}},
			strings.Replace(head, `"properties"`, `"minProperties":2,"properties"`, 1) +
				common(strings.Replace(list, `,"type"`, `,"minItems":1,"type"`, 1), "") + `,"type":"object"}}`},
	} {
		reference, got := made(t, &test.writer)
		if reference != `{"$ref":"#/$defs/Tree"}` {
			t.Errorf("%s: reference %s", test.name, reference)
		}
		if got != test.want {
			t.Errorf("%s:\n have %s\n want %s", test.name, got, test.want)
		}
	}
}

func TestTypesThatAreNotWhatTheyLook(t *testing.T) {
	t.Parallel()
	w := &schema.Writer{
		Inline: func(t reflect.Type) schema.Object {
			if t.Kind() == reflect.Int {
				return schema.Object{"type": "integer", "minimum": 1}
			}
			return nil
		},
		Named: map[reflect.Type]schema.Object{reflect.TypeFor[time.Time](): {"type": "string", "format": "date-time"}},
		Name:  func(t reflect.Type) string { return "the" + t.Name() },
	}
	_, defs := made(t, w)
	for _, want := range []string{
		`"theTree":{`, `"theTime":{"format":"date-time","type":"string"}`, `"when":{"$ref":"#/$defs/theTime"}`,
		`"counts":{"additionalProperties":{"minimum":1,"type":"integer"},"type":"object"}`,
	} {
		if !strings.Contains(defs, want) {
			t.Errorf("no %s in %s", want, defs)
		}
	}
}

// Pair is a generic type.
type Pair[T any] struct {
	One T `json:"one"`
}

func TestGenericTypes(t *testing.T) {
	t.Parallel()
	type both struct {
		Names  Pair[string]  `json:"names"`
		Extras Pair[[]Extra] `json:"extras"`
	}
	comments := schema.Comments{}
	if err := comments.Read(reflect.TypeFor[Extra](),
		source(t, "// Pair is twice one.\ntype Pair[T any] struct {\n\tOne T // of them\n}\n")); err != nil {
		t.Fatal(err)
	}
	w := &schema.Writer{Comments: comments}
	w.Of(reflect.TypeFor[both]())
	defs, err := json.Marshal(w.Defs)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"names":{"$ref":"#/$defs/Pair-string"}`, `"extras":{"$ref":"#/$defs/Pair-list-Extra"}`,
		`"Pair-string":{"additionalProperties":false,"description":"Pair is twice one.","properties":{"one":{"description":"of ` +
			`them","type":"string"}}`,
		`"Pair-list-Extra":{"additionalProperties":false,"description":"Pair is twice one.","properties":{"one":{"description":"of ` +
			`them","items":{"$ref":"#/$defs/Extra"}`,
	} {
		if !strings.Contains(string(defs), want) {
			t.Errorf("no %s in %s", want, defs)
		}
	}
}

func TestDocument(t *testing.T) {
	t.Parallel()
	w := &schema.Writer{}
	made, err := json.Marshal(w.Document("extra.schema.json", "An extra", "More.", w.Of(reflect.TypeFor[Extra]())))
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"$defs":{"Extra":{"additionalProperties":false,"properties":` +
		`{"sum":{"maximum":18446744073709551615,"minimum":0,"type":"integer"}},"type":"object"}},` +
		`"$id":"https://github.com/islandbundle/island/docs/extra.schema.json","$ref":"#/$defs/Extra",` +
		`"$schema":"https://json-schema.org/draft/2020-12/schema","description":"More.","title":"An extra"}`
	if string(made) != want {
		t.Errorf("\n have %s\n want %s", made, want)
	}
}

func TestWriterPanics(t *testing.T) {
	t.Parallel()
	for name, of := range map[string]struct {
		writer schema.Writer
		t      reflect.Type
	}{
		"no schema for chan int": {t: reflect.TypeFor[chan int]()},
		"two types are called One": {schema.Writer{Name: func(reflect.Type) string { return "One" }},
			reflect.TypeFor[struct{ A struct{ Tree } }]()},
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.HasPrefix(got, name) {
					t.Errorf("panic %q, want %q", got, name)
				}
			}()
			of.writer.Written = true
			of.writer.Of(of.t)
		}()
	}
}

// source makes a folder with a package of these declarations, and a test in it.
func source(t *testing.T, declarations string) string {
	t.Helper()
	folder := t.TempDir()
	for name, text := range map[string]string{"a.go": declarations, "a_test.go": "// Tree is wrong.\ntype Tree struct{}\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("package x\n\n"+text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestComments(t *testing.T) {
	t.Parallel()
	folder := source(t, "// Tree is\n// a [Tree.Name].\ntype Tree struct {\n\t// above\n\tName string\n\tFree any // beside\n}\n")
	comments := schema.Comments{}
	if err := comments.Read(reflect.TypeFor[Tree](), folder); err != nil {
		t.Fatal(err)
	}
	_, defs := made(t, &schema.Writer{Comments: comments})
	for _, want := range []string{`"description":"Tree is a Tree.Name."`, `"name":{"description":"above","type":"string"}`,
		`"free":{"description":"beside"}`} {
		if !strings.Contains(defs, want) {
			t.Errorf("no %s in %s", want, defs)
		}
	}
	other := schema.Comments{}
	if err := other.Read(reflect.TypeFor[time.Time](), folder); err != nil { // another package's Tree
		t.Fatal(err)
	}
	if _, defs := made(t, &schema.Writer{Comments: other}); strings.Contains(defs, "description") {
		t.Errorf("a comment of another package's type: %s", defs)
	}
	if err := comments.Read(reflect.TypeFor[Tree](), t.TempDir()); err == nil {
		t.Error("a folder without source has comments")
	}
}

package source

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"testing"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/schema"
	"github.com/islandbundle/island/manifests/schema/schematest"
)

const mirrorsSchema = "mirrors.schema.json"

var mirrorsSchemaFile = filepath.Join("..", "..", "docs", mirrorsSchema)

// Patterns of what the code checks by other means; the tests below hold them to it.
const (
	folderPattern = `^(file:///|/|\./|\.\./|\.$|\.\.$)`
	prefixPattern = `^((https?|oci)://[^/@?#\s]+|[^/@?#\s]*[^/:@?#\s])(/[^@?#\s]*)?$`
)

// mirrorsRules are what the types alone do not say.
var mirrorsRules = map[string]schema.Object{
	"Mirrors.apiVersion": {"const": manifests.APIVersion},
	"Mirrors.kind":       {"const": kindMirrors},
	"Rule.prefix":        {"pattern": prefixPattern},
	"Rule.mirrors":       {"minItems": 1},
	"Mirror.location":    {"minLength": 1},
	"Mirror": {
		"if":   schema.Object{"properties": schema.Object{"location": schema.Object{"pattern": folderPattern}}},
		"then": schema.Object{"not": schema.Object{"anyOf": []schema.Object{{"required": []string{"caFile"}}, insecurely}}},
	},
	"Rule": {
		"if":   schema.Object{"properties": schema.Object{"prefix": schema.Object{"pattern": `^https?://`}}},
		"then": locations(schema.Object{"pattern": `^(https?://|file:///|/|\./|\.\./|\.$|\.\.$)`}),
		"else": locations(schema.Object{"not": schema.Object{"pattern": `^https?://`}}),
	},
}

// insecurely is a mirror that says insecure: true.
var insecurely = schema.Object{
	"required": []string{"insecure"}, "properties": schema.Object{"insecure": schema.Object{"const": true}},
}

// locations holds the location of every mirror of a rule.
func locations(held schema.Object) schema.Object {
	location := schema.Object{"properties": schema.Object{"location": held}}
	return schema.Object{"properties": schema.Object{"mirrors": schema.Object{"items": location}}}
}

var mirrorsRequired = map[string][]string{
	"Mirrors": {"apiVersion", "kind", "rules"}, "Rule": {"prefix", "mirrors"}, "Mirror": {"location"},
}

func TestMirrorsSchemaIsThatOfTheCode(t *testing.T) {
	comments := schema.Comments{}
	if err := comments.Read(reflect.TypeFor[Mirrors](), "."); err != nil {
		t.Fatal(err)
	}
	w := &schema.Writer{Comments: comments, Rules: mirrorsRules, Required: mirrorsRequired}
	made := w.Document(mirrorsSchema, "A mirrors file of island",
		"Made from the types in package bundle/source; docs/mirrors.md explains each field. null is not accepted here: leave the field out.",
		w.Of(reflect.TypeFor[Mirrors]()))
	schematest.Published(t, mirrorsSchemaFile, made)
	schematest.RulesUsed(t, mirrorsRules, mirrorsRequired, made)
}

// TestMirrorsSchemaAgreesWithTheCode holds both against files that are right and wrong.
func TestMirrorsSchemaAgreesWithTheCode(t *testing.T) {
	t.Parallel()
	compiled := schematest.Compile(t, mirrorsSchemaFile)
	head := "apiVersion: island/v1\nkind: Mirrors\nrules:\n"
	documents := map[string]bool{ // whether it is right
		head + "- prefix: quay.io\n  mirrors: [{location: 'reg.local:5000/x', insecure: true, caFile: ca.pem}]\n":  true,
		head + "- prefix: oci://quay.io/charts\n  onlyMirrors: true\n  mirrors: [{location: oci://reg.local/x}]\n": true,
		head + "- prefix: https://h/x\n  mirrors: [{location: 'https://u:p@h/x?token=1'}, {location: ./x}]\n":      true,
		head + "- prefix: http://h\n  mirrors: [{location: file:///srv}, {location: /srv}, {location: ..}]\n":      true,
		head + "- prefix: localhost/x\n  mirrors: [{location: 'me:s3cret@reg.local/x'}]\n":                         true,
		head + "- prefix: quay.io\n  mirrors: [{location: ./x, insecure: false}]\n":                                true,
		head + "- prefix: quay.io\n  mirrors: []\n":                                                                false,
		head + "- prefix: quay.io\n":                                                                     false,
		head + "- mirrors: [{location: ./x}]\n":                                                          false,
		head + "- prefix: quay.io\n  mirrors: [{insecure: true}]\n":                                      false,
		head + "- prefix: quay.io\n  mirrors: [{location: ''}]\n":                                        false,
		head + "- prefix: quay.io\n  mirrors: [{location: 'https://h'}]\n":                               false,
		head + "- prefix: https://h\n  mirrors: [{location: reg.local/x}]\n":                             false,
		head + "- prefix: https://h\n  mirrors: [{location: ./x, caFile: ca.pem}]\n":                     false,
		head + "- prefix: quay.io\n  mirrors: [{location: ./x, insecure: true}]\n":                       false,
		head + "- prefix: 'https://u:p@h'\n  mirrors: [{location: ./x}]\n":                               false,
		head + "- prefix: quay.io\n  mirror: []\n  mirrors: [{location: ./x}]\n":                         false,
		head + "- prefix: quay.io\n  onlyMirrors: maybe\n  mirrors: [{location: ./x}]\n":                 false,
		"apiVersion: island/v2\nkind: Mirrors\nrules: [{prefix: quay.io, mirrors: [{location: ./x}]}]\n": false,
		"apiVersion: island/v1\nkind: Mirror\nrules: [{prefix: quay.io, mirrors: [{location: ./x}]}]\n":  false,
		head + "- prefix: 's3://bucket/x'\n  mirrors: [{location: ./x}]\n":                               false,
	}
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "mirrors.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, example := range regexp.MustCompile("(?s)```yaml\n(apiVersion:.*?)```").FindAllSubmatch(page, -1) {
		documents[string(example[1])] = true
	}
	if len(documents) < 25 {
		t.Errorf("%d documents", len(documents))
	}
	for document, right := range documents {
		var value any
		if err := manifests.DecodeStrict("m.yaml", []byte(document), &value); err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(value); (err == nil) != right {
			t.Errorf("the schema says %v of\n%s", err, document)
		}
		if _, err := ParseMirrors("m.yaml", []byte(document)); (err == nil) != right {
			t.Errorf("the code says %v of\n%s", err, document)
		}
	}
}

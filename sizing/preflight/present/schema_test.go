package present

import (
	"encoding/json"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/schema"
	"github.com/islandbundle/island/manifests/schema/schematest"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
)

func makeSchema(t *testing.T, name string) schema.Object {
	t.Helper()
	comments := schema.Comments{}
	if err := comments.Read(reflect.TypeFor[Document](), "."); err != nil {
		t.Fatal(err)
	}
	rules := map[string]schema.Object{"Document.apiVersion": {"const": manifests.APIVersion}, "Document.kind": {"const": "PreflightReport"}}
	w := &schema.Writer{
		Comments: comments, Rules: rules, Written: true,
		Inline: func(t reflect.Type) schema.Object {
			if t == reflect.TypeFor[preflight.Outcome]() {
				return schema.Object{"enum": []preflight.Outcome{preflight.Pass, preflight.Skipped, preflight.Warn, preflight.Error, preflight.Fail}}
			}
			return nil
		},
		Named: map[reflect.Type]schema.Object{reflect.TypeFor[Words](): wordsSchema(), reflect.TypeFor[message.Text](): factstest.Text()},
	}
	made := w.Document(name, "Report of island preflight --output json",
		"Made from the types in package present; docs/preflight.md explains each check.", w.Of(reflect.TypeFor[Document]()))
	schematest.RulesUsed(t, rules, nil, made)
	return made
}

// wordsSchema is of a text in every language that the program brings. A further
// one is no new schema.
func wordsSchema() schema.Object {
	text := schema.Object{"type": "string"}
	return schema.Object{
		"type": "object", "required": []string{"en"}, "additionalProperties": false,
		"properties":        schema.Object{"code": factstest.Code(), "args": factstest.Args(), "en": text},
		"patternProperties": schema.Object{schematest.LanguageTag: text},
	}
}

// TestReportSchema holds the published schema, the types, and a report together.
func TestReportSchema(t *testing.T) {
	const name = "preflight-report.schema.json"
	file := filepath.Join("..", "..", "..", "docs", name)
	schematest.Published(t, file, makeSchema(t, name))
	data, err := json.Marshal(NewDocument(faultySite(t)))
	if err != nil {
		t.Fatal(err)
	}
	if err := schematest.Compile(t, file).Validate(schematest.Parse(t, data)); err != nil {
		t.Errorf("report is not valid: %v", err)
	}
}

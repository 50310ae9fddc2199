package factstest_test

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests/schema"
	"github.com/islandbundle/island/manifests/schema/schematest"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
)

const schemaName = "facts.schema.json"

var schemaFile = filepath.Join("..", "..", "..", "..", "docs", schemaName)

// TestSchema holds the published schema and the types together.
func TestSchema(t *testing.T) {
	comments := schema.Comments{}
	if err := comments.Read(reflect.TypeFor[facts.Facts](), "../../facts"); err != nil {
		t.Fatal(err)
	}
	rules := map[string]schema.Object{"Facts.apiVersion": {"const": facts.APIVersion}, "Facts.kind": {"const": facts.Kind}}
	w := &schema.Writer{
		Comments: comments, Rules: rules, Written: true,
		Inline: func(t reflect.Type) schema.Object {
			if t == reflect.TypeFor[time.Time]() {
				return schema.Object{"type": "string", "format": "date-time"}
			}
			return nil
		},
		Named: map[reflect.Type]schema.Object{reflect.TypeFor[message.Text](): factstest.Text()},
	}
	made := w.Document(schemaName, "Facts of one host, as island-probe collects them",
		"Made from the types in package facts; docs/preflight.md explains how they are collected.", w.Of(reflect.TypeFor[facts.Facts]()))
	schematest.Published(t, schemaFile, made)
	schematest.RulesUsed(t, rules, nil, made)
}

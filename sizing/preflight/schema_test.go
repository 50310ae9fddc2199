package preflight

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/schema"
	"github.com/islandbundle/island/manifests/schema/schematest"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

func makeSchema(t *testing.T, name string) schema.Object {
	t.Helper()
	comments := schema.Comments{}
	if err := errors.Join(comments.Read(reflect.TypeFor[Report](), "."), comments.Read(reflect.TypeFor[page.Text](), "../../internal/page")); err != nil {
		t.Fatal(err)
	}
	rules := map[string]schema.Object{"Report.apiVersion": {"const": manifests.APIVersion}, "Report.kind": {"const": "PreflightReport"}}
	w := &schema.Writer{
		Comments: comments, Rules: rules, Written: true,
		Inline: func(t reflect.Type) schema.Object {
			if t == reflect.TypeFor[Outcome]() {
				return schema.Object{"enum": []Outcome{Pass, Skipped, Warn, Error, Fail}}
			}
			return nil
		},
	}
	made := w.Document(name, "Report of island preflight --output json",
		"Made from the types in package preflight; docs/preflight.md explains each check.", w.Of(reflect.TypeFor[Report]()))
	schematest.RulesUsed(t, rules, nil, made)
	return made
}

// TestReportSchema holds the published schema, the types, and a report together.
func TestReportSchema(t *testing.T) {
	const name = "preflight-report.schema.json"
	file := filepath.Join("..", "..", "docs", name)
	schematest.Published(t, file, makeSchema(t, name))
	s := goodSurvey()
	s.Links[0].Outcome = facts.TimedOut
	data, err := json.Marshal(judge(t, s, nil))
	if err != nil {
		t.Fatal(err)
	}
	if err := schematest.Compile(t, file).Validate(schematest.Parse(t, data)); err != nil {
		t.Errorf("report is not valid: %v", err)
	}
}

package preflight

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/schema"
)

var update = flag.Bool("update", false, "write the schema anew")

// TestReportSchema holds the published schema, the types, and a report together.
func TestReportSchema(t *testing.T) {
	const file = "../../docs/preflight-report.schema.json"
	want, err := schema.Document{
		ID: "https://github.com/islandbundle/island/docs/preflight-report.schema.json", Title: "Report of island preflight --output json",
		Type: reflect.TypeFor[Report](), Fixed: map[string]string{"apiVersion": manifests.APIVersion, "kind": "PreflightReport"},
		Enums: map[reflect.Type][]string{reflect.TypeFor[Outcome](): {"pass", "skipped", "warn", "error", "fail"}},
	}.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("docs/preflight-report.schema.json is not what the types say (%v); run the test with -update", err)
	}
	s := goodSurvey()
	s.Links[0].Outcome = facts.TimedOut
	data, err := json.Marshal(judge(t, s, nil))
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := jsonschema.NewCompiler().Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(instance); err != nil {
		t.Errorf("report is not valid: %v", err)
	}
}

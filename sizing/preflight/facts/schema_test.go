package facts_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/schema"
	"github.com/islandbundle/island/sizing/preflight/probe"
)

var update = flag.Bool("update", false, "write the schema anew")

const schemaFile = "../../../docs/facts.schema.json"

// TestSchema holds the published schema and the types together.
func TestSchema(t *testing.T) {
	want, err := schema.Document{
		ID: "https://github.com/islandbundle/island/docs/facts.schema.json", Title: "Facts of one host, as island-probe collects them",
		Type: reflect.TypeFor[facts.Facts](), Fixed: map[string]string{"apiVersion": facts.APIVersion, "kind": facts.Kind},
	}.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(schemaFile, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/facts.schema.json is not what the types say; run the test with -update")
	}
}

// TestCollectedFactsAreValid holds what the probe says of this very machine to
// the schema and to the strict reader.
func TestCollectedFactsAreValid(t *testing.T) {
	t.Parallel()
	document, err := probe.Collect(context.Background(), probe.System{Version: "test"}, probe.Request{Sample: 1, NoFsync: true})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	compiled, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := compiled.Validate(instance); err != nil {
		t.Errorf("facts are not valid: %v", err)
	}
	back, err := facts.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(back)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, again) {
		t.Errorf("facts change when they are read:\n%s\n%s", data, again)
	}
}

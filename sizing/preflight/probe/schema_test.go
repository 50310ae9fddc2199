//go:build linux

package probe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/islandbundle/island/manifests/schema/schematest"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/probe"
)

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
	if err := schematest.Compile(t, "../../../docs/facts.schema.json").Validate(schematest.Parse(t, data)); err != nil {
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

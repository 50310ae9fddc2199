package manifests

import (
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/internal/printable"
)

// TestYAMLHasTheSameValueAndNothingThatSteers: in keys, in lists, and beside line breaks.
func TestYAMLHasTheSameValueAndNothingThatSteers(t *testing.T) {
	t.Parallel()
	const text = "a\u202eb\u009b\x1b\u200b\ufe0f\U000e0041\u2028\n\tc \\ \"d\" Ü"
	want := map[string]any{"k" + text: []any{text, "plain", "two\nlines\n"}, "n": 1}
	encoded, err := EncodeYAML(want, 2)
	if err != nil {
		t.Fatal(err)
	}
	if printable.Text(string(encoded)) != string(encoded) {
		t.Errorf("something steers in %q", encoded)
	}
	var got map[string]any
	if err := yaml.Unmarshal(encoded, &got); err != nil {
		t.Fatalf("%v in %s", err, encoded)
	}
	list, _ := got["k"+text].([]any)
	if len(got) != 2 || len(list) != 3 || list[0] != text || list[2] != "two\nlines\n" {
		t.Errorf("became %q", got)
	}
}

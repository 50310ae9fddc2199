package charts

import (
	"reflect"
	"testing"

	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/strvals"

	"github.com/islandbundle/island/manifests"
)

// TestPatchedValuesKeepTheirTypes holds that Helm reads out of the file for a site what
// a patch has set: texts that look like numbers, dates or truth values stay texts, and
// what is none stays none.
func TestPatchedValuesKeepTheirTypes(t *testing.T) {
	t.Parallel()
	texts := []any{}
	for _, text := range []string{
		"5.30", "6.2.17", "007", "0o17", "0x1f", "1e3", "1_000", "+1", ".5", "-", "~", "null", "", " a ", "yes", "n", "on", "Off", "true",
		"2026-01-02", "12:30:45", "2026-01-02T03:04:05Z", "a: b", "# no", "a\nb\n", "\ta", "{}", "[a]", "*a", "&a", "!a",
		"%a", "@a", "`a", "'", `"`, `\`,
		"=", "<<", "ä", "\u202e", "- a", "? a", "1.", "0b11", "NaN", ".inf", "0777", "190:20:30",
	} {
		texts = append(texts, text)
	}
	tree := map[string]any{
		"texts": texts, "whole": 3.0, "large": 12345678901.0, "half": 0.5, "tiny": 1e-9, "huge": 1e19,
		"negative": -7.0, "no": false, "nothing": nil,
		"none": map[string]any{}, "empty": []any{},
		"list":                   []any{map[string]any{"name": "a", "n": 1.0}, nil, []any{true}},
		"app.kubernetes.io/name": map[string]any{"a,b": "c", `x\y`: 1.0, "k[0]": "v", "a=b": "c"},
		"on":                     "key", "1": map[string]any{"2": "3"},
	}
	lock := &manifests.Lock{Patches: []manifests.LockedPatch{{ID: "P", Set: manifests.Leaves("portal", "", tree)}}}
	files, err := manifests.SiteValues(lock)
	if err != nil {
		t.Fatal(err)
	}
	read, err := chartutil.ReadValues(files["portal"])
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(read.AsMap(), tree) {
		t.Errorf("Helm reads\n%#v\nof\n%s\nnot\n%#v", read.AsMap(), files["portal"], tree)
	}
}

// TestPathsAreHelms holds paths of values to what helm --set makes of them.
func TestPathsAreHelms(t *testing.T) {
	t.Parallel()
	for _, keys := range [][]string{
		{"brig", "image", "tag"}, {"app.kubernetes.io/name", "x"}, {"a,b", "c=d"}, {`back\slash`, "e"}, {"k[0]", "{x}"}, {"ä ö"},
	} {
		path := manifests.JoinPath(keys...)
		split, err := manifests.SplitPath(path)
		if err != nil || !reflect.DeepEqual(split, keys) {
			t.Errorf("%q is split into %q, %v", path, split, err)
		}
		set, err := strvals.ParseString(path + "=5")
		if err != nil {
			t.Errorf("Helm refuses %s: %v", path, err)
			continue
		}
		want := manifests.SetValues(nil, []manifests.ValuesPath{{Path: path, Value: "5"}})
		if !reflect.DeepEqual(set, want) {
			t.Errorf("Helm makes %#v of %s, not %#v", set, path, want)
		}
	}
	for _, path := range []string{"", ".a", "a.", "a..b", "a[0]", "a[0].b", "a=b", "a,b", "{a}", "a\nb", `a\`} {
		if keys, err := manifests.SplitPath(path); err == nil {
			t.Errorf("%q is taken for %q", path, keys)
		}
	}
}

package diff_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/diff"
)

func digest(name string) manifests.Digest { return manifests.DigestOf([]byte(name)) }

func content(name string, size int64) manifests.Content {
	return manifests.Content{Digest: digest(name), Size: size, URL: "https://example.com/" + name}
}

func image(t testing.TB, name, is string) manifests.LockedImage {
	t.Helper()
	ref, err := manifests.ParseImageRef(name)
	if err != nil {
		t.Fatal(err)
	}
	return manifests.LockedImage{Name: ref, Digest: digest(is)}
}

func someLocks(t testing.TB) (older, newer *manifests.Lock) {
	older = &manifests.Lock{
		Release: manifests.LockedRelease{Name: "wire", Version: "1", Sequence: 1},
		Charts: []manifests.LockedChart{
			{Name: "brig", Version: "1.0.0", Content: content("brig1", 10)},
			{Name: "galley", Version: "1.0.0", Content: content("galley1", 10)},
			{Name: "reaper", Version: "1.0.0", Content: content("reaper1", 10)},
		},
		Images: []manifests.LockedImage{
			image(t, "quay.io/w/brig:1", "b1"), image(t, "quay.io/w/same:1", "s"), image(t, "quay.io/w/moved:1", "m1"),
			image(t, "quay.io/w/many:1", "x"), image(t, "quay.io/w/many:2", "y"),
		},
		Files: []manifests.LockedFile{{Path: "files/kubelet", Content: content("k1", 100)}},
		Blobs: []manifests.Content{content("l1", 1000), content("l2", 2000)},
	}
	newer = &manifests.Lock{
		Release: manifests.LockedRelease{Name: "wire", Version: "2", Sequence: 2},
		Patches: []manifests.LockedPatch{{ID: "A"}},
		Charts: []manifests.LockedChart{
			{Name: "brig", Version: "1.1.0", Content: content("brig2", 20), DecidedBy: "A"},
			{Name: "galley", Version: "1.0.0", Content: content("galley1 again", 20)}, // another archive under the same name
			{Name: "cannon", Version: "1.0.0", Content: content("cannon", 20)},
		},
		Images: []manifests.LockedImage{
			image(t, "quay.io/w/brig:2", "b2"), image(t, "quay.io/w/same:1", "s"), image(t, "quay.io/w/moved:1", "m2"),
			image(t, "quay.io/w/many:3", "z"),
		},
		Files: []manifests.LockedFile{{Path: "files/kubelet", Content: content("k2", 100)}},
		Blobs: []manifests.Content{content("l2", 2000), content("l3", 4000)},
	}
	return older, newer
}

func told(changes []diff.Change) string {
	var lines []string
	for _, c := range changes {
		line := c.Kind() + " " + c.Name
		if c.Old != nil {
			line += " from " + c.Old.Version
		}
		if c.New != nil {
			line += " to " + c.New.Version
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, "; ")
}

func TestCompareLocks(t *testing.T) {
	t.Parallel()
	older, newer := someLocks(t)
	d := diff.Compare(diff.OfLock("old", older), diff.OfLock("new", newer))
	for _, list := range []struct {
		what      string
		got, want string
	}{
		{"charts", told(d.Charts),
			"changed brig from 1.0.0 to 1.1.0; added cannon to 1.0.0; changed galley from 1.0.0 to 1.0.0; removed reaper from 1.0.0"},
		{"images", told(d.Images),
			"changed quay.io/w/brig from 1 to 2; removed quay.io/w/many from 1; removed quay.io/w/many from 2; " +
				"added quay.io/w/many to 3; changed quay.io/w/moved:1 from 1 to 1"},
		{"files", told(d.Files), "changed files/kubelet from  to"},
		{"carry", fmt.Sprint(*d.Carry), "{5 4160 6160}"}, // brig, galley, cannon, kubelet, l3
		{"patches", fmt.Sprint(d.Old.Patches, d.New.Patches), "[] [A]"},
	} {
		if list.got != list.want {
			t.Errorf("%s:\n%s\nnot\n%s", list.what, list.got, list.want)
		}
	}
	if d.Charts[0].New.DecidedBy != "A" || d.IsEmpty() || len(d.Caveats) != 0 {
		t.Errorf("%+v", d)
	}
	if same := diff.Compare(diff.OfLock("a", older), diff.OfLock("b", older)); !same.IsEmpty() {
		t.Errorf("a lock differs from itself: %+v", same)
	}
	text, err := json.Marshal(diff.Compare(diff.OfLock("a", older), diff.OfLock("b", older)))
	if err != nil || strings.Contains(string(text), "null") {
		t.Errorf("empty lists are written as null: %s", text)
	}
}

func TestCompareReleaseAndLock(t *testing.T) {
	t.Parallel()
	release, err := manifests.Read("r.yaml", []byte(`
apiVersion: island/v1
kind: Release
charts: [{name: brig, repo: "https://example.com", version: 1.0.0}]
images: [{name: quay.io/wire/zauth, tagFromChart: brig}, {name: "registry.k8s.io/pause:3.9"}]
`))
	if err != nil {
		t.Fatal(err)
	}
	later := *release
	later.Charts = []manifests.Chart{{Name: "brig", Repo: "https://example.com", Version: "1.1.0"}}
	d := diff.Compare(diff.OfRelease("a", release), diff.OfRelease("b", &later))
	if got := told(d.Images); got != "changed quay.io/wire/zauth from 1.0.0 to 1.1.0" || d.Carry != nil {
		t.Errorf("images: %s, carry %v", got, d.Carry)
	}
	older, _ := someLocks(t)
	d = diff.Compare(diff.OfRelease("a", release), diff.OfLock("b", older))
	if len(d.Images) != 0 || len(d.Caveats) != 1 || !strings.HasPrefix(d.Caveats[0], "images are not compared") {
		t.Errorf("%+v", d)
	}
}

func TestCompareRealBuilds(t *testing.T) {
	t.Parallel()
	var sides []diff.Side
	for _, name := range []string{"2026-q1.json", "2026-q2.json"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "wire-builds", name))
		if err != nil {
			t.Skip("the real manifests are not at hand")
		}
		release, err := manifests.Read(name, data)
		if err != nil {
			t.Fatal(err)
		}
		sides = append(sides, diff.OfRelease(name, release))
	}
	want := "changed team-settings from 0.12.0-pre.133 to 0.16.0; changed webapp from 0.8.0-pre.2525 to 0.8.0-pre.3297; " +
		"changed wire-server from 5.30.9 to 5.32.0"
	if got := told(diff.Compare(sides[0], sides[1]).Charts); got != want {
		t.Errorf("got %s", got)
	}
}

// archiveOf makes a chart archive of names and texts, in turn.
func archiveOf(t testing.TB, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	w := tar.NewWriter(zipped)
	for i := 0; i < len(files); i += 2 {
		if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: files[i], Size: int64(len(files[i+1])), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	good := archiveOf(t, "brig/Chart.yaml", "name: brig", "brig/files/sub/values.yaml", "wrong: true", "brig/values.yaml", "image: {tag: 1}")
	got, err := diff.Defaults(good)
	if err != nil || !reflect.DeepEqual(got, map[string]any{"image": map[string]any{"tag": 1}}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := diff.Defaults(archiveOf(t, "brig/Chart.yaml", "name: brig")); err != nil || len(got) != 0 {
		t.Errorf("a chart without values: %v, %v", got, err)
	}
	for name, archive := range map[string][]byte{
		"no archive":    []byte("<html>"),
		"cut short":     good[:len(good)-30],
		"no YAML":       archiveOf(t, "brig/values.yaml", "a: [b"),
		"a list":        archiveOf(t, "brig/values.yaml", "[a]"),
		"far too large": archiveOf(t, "brig/values.yaml", "a: "+strings.Repeat("x", 5<<20)),
	} {
		if _, err := diff.Defaults(archive); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A chart's defaults are those of its subcharts too, below the names that it gives them,
// as helm show values and a rendering have them.
func TestDefaultsOfSubcharts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files []string
		want  map[string]any
	}{
		"the chart above decides": {
			[]string{"w/values.yaml", "brig: {tag: 2, own: x}", "w/charts/brig/values.yaml", "tag: 1\nport: 80"},
			map[string]any{"brig": map[string]any{"tag": 2, "own": "x", "port": 80}},
		},
		"two levels, and no values of its own": {
			[]string{"./w/charts/a/charts/b/values.yaml", "deep: true", "./w/charts/a/Chart.yaml", "name: a"},
			map[string]any{"a": map[string]any{"b": map[string]any{"deep": true}}},
		},
		"one under two names": {
			[]string{
				"w/charts/redis/values.yaml", "port: 6379", "w/values.yaml", "cache: {port: 1}",
				"w/Chart.yaml", "dependencies: [{name: redis, alias: cache}, {name: redis, alias: queue}]",
			},
			map[string]any{"cache": map[string]any{"port": 1}, "queue": map[string]any{"port": 6379}},
		},
		"what is no chart": {
			[]string{"w/charts/values.yaml", "a: 1", "w/templates/x/values.yaml", "b: 1", "w/charts//values.yaml", "c: 1", "values.yaml", "d: 1"},
			map[string]any{},
		},
	} {
		got, err := diff.Defaults(archiveOf(t, c.files...))
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}

// A few bytes of aliases would else make a tree that nobody can walk.
func TestDefaultsUnderManyNames(t *testing.T) {
	t.Parallel()
	var files []string
	at := "w/"
	for range 25 {
		files = append(files, at+"Chart.yaml", "dependencies: ["+strings.Repeat("{name: s, alias: a}, {name: s, alias: b}, ", 20)+"]")
		at += "charts/s/"
	}
	if got, err := diff.Defaults(archiveOf(t, append(files, at+"values.yaml", "a: 1")...)); err == nil {
		t.Errorf("no error, but %d keys", len(got))
	}
	files = []string{}
	for i := range 40 {
		files = append(files, fmt.Sprintf("w/charts/s%d/values.yaml", i), "a: "+strings.Repeat("x", 200<<10))
	}
	if _, err := diff.Defaults(archiveOf(t, files...)); err == nil {
		t.Error("8 MB of values are no error")
	}
}

func TestCompareValues(t *testing.T) {
	t.Parallel()
	got := diff.CompareValues("brig",
		map[string]any{"same": 1, "gone": true, "image": map[string]any{"tag": "1", "list": []any{1}}, "was.tree": map[string]any{"a": 1},
			"long": "x"},
		map[string]any{"same": 1, "new": nil, "image": map[string]any{"tag": "2", "list": []any{1, 2}}, "was.tree": "leaf",
			"long": strings.Repeat("ä", 100)})
	want := diff.ValuesChanges{
		Chart:   "brig",
		Added:   []diff.ValueChange{{Path: "new", New: "null"}},
		Removed: []diff.ValueChange{{Path: "gone", Old: "true"}},
		Changed: []diff.ValueChange{
			{Path: "image.list", Old: "[1]", New: "[1,2]"}, {Path: "image.tag", Old: `"1"`, New: `"2"`},
			{Path: "long", Old: `"x"`, New: `"` + strings.Repeat("ä", 38) + "…"}, {Path: `"was.tree"`, Old: `{"a":1}`, New: `"leaf"`},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

// What patches set is compared whole, though only its beginning is shown.
func TestCompareWhatPatchesSet(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 90)
	sets := func(values ...any) diff.Side {
		lock := &manifests.Lock{Patches: []manifests.LockedPatch{{ID: "P"}}}
		for i, value := range values {
			set := manifests.PatchedValue{Chart: "brig", Path: fmt.Sprint("v", i), Value: value}
			lock.Patches[0].Set = append(lock.Patches[0].Set, set)
		}
		return diff.OfLock("lock", lock)
	}
	older := sets(long+"1", []any{long, "1"}, true, long, int64(3))
	got := diff.Compare(older, sets(long+"2", []any{long, "2"}, true, long, "3")).Set
	want := []diff.ValuesChanges{{
		Chart: "brig", Added: []diff.ValueChange{}, Removed: []diff.ValueChange{},
		Changed: []diff.ValueChange{
			{Path: "v0", Old: `"` + long[:76] + "…", New: `"` + long[:76] + "…"},
			{Path: "v1", Old: `["` + long[:75] + "…", New: `["` + long[:75] + "…"}, {Path: "v4", Old: "3", New: `"3"`},
		},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	if d := diff.Compare(older, sets(long+"1", []any{long, "1"}, true, long, 3.0)); !d.IsEmpty() {
		t.Errorf("of the same values %+v", d)
	}
	many := make([]any, 20_000)
	if got := diff.Compare(sets(), sets(many...)).Set; len(got) != 1 || len(got[0].Added) != 10_000 {
		t.Errorf("of very many, %d charts", len(got))
	}
}

// A bundle of 10 GB has some thousand blobs: two of them are compared at once.
func TestCompareIsQuick(t *testing.T) {
	t.Parallel()
	older, newer := someLocks(t)
	for i := range 200_000 {
		c := content(fmt.Sprint("blob", i), 500_000)
		older.Blobs = append(older.Blobs, c)
		newer.Blobs = append(newer.Blobs, content(fmt.Sprint("blob", i+100), 500_000))
	}
	start := time.Now()
	d := diff.Compare(diff.OfLock("a", older), diff.OfLock("b", newer))
	if took := time.Since(start); took > time.Minute || d.Carry.Parts != 105 {
		t.Errorf("%v, %+v", took, d.Carry)
	}
}

func FuzzDefaults(f *testing.F) {
	f.Add(archiveOf(f, "brig/values.yaml", "image: {tag: 1}"))
	f.Add([]byte{0x1f, 0x8b})
	f.Fuzz(func(t *testing.T, data []byte) {
		if values, err := diff.Defaults(data); err == nil {
			diff.CompareValues("c", values, map[string]any{"a": 1})
		}
	})
}

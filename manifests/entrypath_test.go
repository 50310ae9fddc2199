package manifests

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// A path is that of one file wherever an archive is unpacked.
func TestEntryPathIsOneFileEverywhere(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		"files/kubectl", "charts/a-1.0.0+b.1.tgz", "files/connect/console", "files/com10", "files/lpt", "files/.hidden", "files/a.b.c",
		"files/nullable.yaml", "files/x-aux", "files/~a", "files/@", strings.Repeat("x", MaxEntryPath),
	} {
		if got, err := ParseEntryPath(good); err != nil || string(got) != good {
			t.Errorf("%q: %q, %v", good, got, err)
		}
	}
	for bad, want := range map[string]string{
		"":                            "empty",
		"/etc/passwd":                 "clean relative path",
		"a//b":                        "clean relative path",
		"a/../../b":                   "clean relative path",
		strings.Repeat("x", 256):      "longer than 255",
		"files/br\u00fccke":           "not printable ASCII",
		"files/bru\u0308cke":          "not printable ASCII", // the same in NFD
		"files/\ufb01le":              "not printable ASCII", // a ligature, which NFKC makes fi
		"files/\u212aubectl":          "not printable ASCII", // the Kelvin sign, which folds to k
		"files/a\u200bb":              "not printable ASCII",
		"files/a\x1bb":                "not printable ASCII",
		"files/a\x7fb":                "not printable ASCII",
		"files/a b":                   "space",
		"files/a ":                    "space",
		`files\a`:                     "backslash",
		"files/con":                   `"con", which is a device`,
		"files/Nul.tar.gz":            `"Nul.tar.gz", which is a device`,
		"files/aux/brig.yaml":         `"aux", which is a device`,
		"values/COM7":                 "device",
		"values/lpt0.yaml":            "device",
		"files/CONOUT$":               "device",
		"files/a.":                    "ends with a dot",
		"files/bin./kubectl":          `"bin.", which ends with a dot`,
		"files/kubectl:stream":        "which no name has on Windows",
		"files/C:":                    "which no name has on Windows",
		"files/what?":                 "which no name has on Windows",
		"files/*":                     "which no name has on Windows",
		"files/\"quoted\"":            "which no name has on Windows",
		"files/a|b/c":                 "which no name has on Windows",
		"files/<a>":                   "which no name has on Windows",
		"files/" + string(rune(0x80)): "not printable ASCII",
	} {
		if got, err := ParseEntryPath(bad); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v, want an error with %q", bad, got, err, want)
		}
	}
}

func TestPathClashes(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		paths []EntryPath
		want  string // the first clash; nothing if there is none
	}{
		{"none", []EntryPath{"a", "b/c", "b/d", "bb", "b-c", "b.c", "b0"}, ""},
		{"one within the name of another", []EntryPath{"files/a", "files/ab", "files/a-b/c", "files/a.b/c"}, ""},
		{"nothing", nil, ""},
		{"twice", []EntryPath{"files/a", "files/b", "files/a"}, `"files/a" is listed twice`},
		{"file and folder", []EntryPath{"files/a/b", "files/a"}, `"files/a" and "files/a/b": one is a file, and a folder in the other`},
		{"file and folder far below", []EntryPath{"files/a", "files/a-1", "files/a.b", "files/a!x", "files/a/b/c/d"},
			`"files/a" and "files/a/b/c/d": one is a file`},
		{"upper and lower case", []EntryPath{"files/Brig", "files/cannon", "files/brig"}, `"files/Brig" and "files/brig": they differ`},
		{"folders in upper and lower case", []EntryPath{"values/Brig/a", "values/brig/b"}, `"values/Brig/a" and "values/brig/b": they differ`},
		{"folder and file in another case", []EntryPath{"files/BIN", "files/bin/kubectl"}, `"files/BIN" and "files/bin/kubectl": they differ`},
		{"far from each other", []EntryPath{"a/Z/1", "a/b", "a/z/2", "a/c"}, `"a/Z/1" and "a/z/2": they differ`},
		// What nobody has checked: letters whose small ones have more bytes, or fewer, and what is no Unicode.
		{"letters that grow", []EntryPath{EntryPath(strings.Repeat("Ⱥ", 30) + "/a"), EntryPath(strings.Repeat("Ⱥ", 30) + "/b")}, ""},
		{"letters that shrink", []EntryPath{EntryPath(strings.Repeat("\u212a", 30) + "/A"), EntryPath(strings.Repeat("\u212a", 30) + "/a/b")},
			`"` + strings.Repeat("\u212a", 30) + `/A" and "` + strings.Repeat("\u212a", 30) + `/a/b": they differ`},
		{"bytes that are no letters", []EntryPath{"\xff\xff/x", "\xff\xff/x/y"}, `"\xff\xff/x" and "\xff\xff/x/y": one is a file`},
	} {
		clashes := PathClashes(test.paths)
		got := ""
		if len(clashes) > 0 {
			got = clashes[0].Error()
		}
		if (test.want == "") != (got == "") || !strings.HasPrefix(got, test.want) {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
		slices.Reverse(test.paths)
		if again := PathClashes(test.paths); len(again) != len(clashes) {
			t.Errorf("%s: in another order %v", test.name, again)
		}
	}
}

// Clashes are looked for by sorting, so that a hostile list of deep paths costs little
// more than its text. Not in parallel with other tests: it measures the whole program.
func TestPathClashesOfManyDeepPaths(t *testing.T) {
	deep := strings.Repeat("d/", 100)
	var paths []EntryPath
	for i := range 50_000 {
		paths = append(paths, EntryPath(fmt.Sprintf("%x/%s%d", i, deep, i)))
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	clashes := PathClashes(paths)
	runtime.ReadMemStats(&after)
	if len(clashes) > 0 {
		t.Error(clashes[0])
	}
	if got, most := Bytes(after.TotalAlloc-before.TotalAlloc), Bytes(60<<20); got > most {
		t.Errorf("%s are allocated, at most %s are wanted", got, most)
	}
}

// Package island holds no code: it is the place of the tests that look at all of
// it, on its layers and on its words.
package island

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/islandbundle/island/"

// storeys is the house from the roof to the cellar (docs/design.md). A room may
// import what stands in a lower storey, or to its right in its own; a room named
// with /... stands for all below it that no longer pattern names. Tests are held
// to it as well.
var storeys = [][]string{
	{"cmd/..."},
	{"bundle/resolve/..."},
	{"sizing/preflight/...", "sizing/present/...", "sizing/...", "sizing/site/..."},
	{"bundle/source/...", "bundle/registry/...", "bundle/...", "bundle/trust/...|bundle/deep/..."},
	{"charts/..."},
	{
		"manifests/diff/...|manifests/sbom/...|manifests/vex/...|manifests/wireapp/...",
		"manifests/...",
		"manifests/schema/...|manifests/fault/...",
	},
	{"internal/..."},
}

// strangers are houses that do not know each other although one stands above
// the other: what one needs of the other, cmd hands in.
var strangers = []struct{ house, but, never string }{
	{"bundle/...", "bundle/resolve/...", "charts/..."},
	{"bundle/...", "", "sizing/..."},
	{"sizing/...", "", "bundle/..."},
	{"sizing/...", "", "charts/..."},
}

// A room's place: how far down it stands, how far to the right, and the pattern
// that says so.
type place struct {
	storey, door int
	pattern      string
}

// covers reports whether a pattern such as charts/... names a room.
func covers(pattern, room string) bool {
	house := strings.TrimSuffix(pattern, "/...")
	return room == house || strings.HasPrefix(room, house+"/")
}

// placeOf returns a room's place, by the longest pattern that names it.
func placeOf(room string) (found place, ok bool) {
	for storey, doors := range storeys {
		for door, patterns := range doors {
			for _, pattern := range strings.Split(patterns, "|") {
				if covers(pattern, room) && len(pattern) > len(found.pattern) {
					found, ok = place{storey, door, pattern}, true
				}
			}
		}
	}
	return found, ok
}

// forbidden says why one room may not import another, or nothing.
func forbidden(from, to string) string {
	a, known := placeOf(from)
	b, known2 := placeOf(to)
	switch {
	case !known || !known2:
		return "has no place in the house"
	case a.storey > b.storey:
		return "looks up"
	case a.storey == b.storey && a.door > b.door:
		return "looks back"
	case a.storey == b.storey && a.door == b.door && a.pattern != b.pattern:
		return "looks into a room beside it"
	}
	for _, s := range strangers {
		if covers(s.house, from) && covers(s.never, to) && (s.but == "" || !covers(s.but, from)) {
			return "does not know that house"
		}
	}
	return ""
}

// room is a package as `go list -json` tells of it.
type room struct {
	ImportPath                         string
	Imports, TestImports, XTestImports []string
}

// rooms returns every package of the module with what it and its tests import of the module.
func rooms(t *testing.T) map[string][]string {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,TestImports,XTestImports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	all := map[string][]string{}
	for decoder := json.NewDecoder(strings.NewReader(string(out))); ; {
		var r room
		if err := decoder.Decode(&r); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		name, inside := strings.CutPrefix(r.ImportPath, module)
		if !inside {
			continue
		}
		all[name] = []string{}
		for _, imported := range slices.Concat(r.Imports, r.TestImports, r.XTestImports) {
			if other, ok := strings.CutPrefix(imported, module); ok && other != name && !slices.Contains(all[name], other) {
				all[name] = append(all[name], other)
			}
		}
	}
}

// TestImportsGoDown holds every import, those of tests included, to the picture
// of the house.
func TestImportsGoDown(t *testing.T) {
	for from, imports := range rooms(t) {
		for _, to := range imports {
			if why := forbidden(from, to); why != "" {
				t.Errorf("%s imports %s: it %s", from, to, why)
			}
		}
	}
}

// TestNoCircleOfFolders holds that folders, with all that lies below them, make
// no circle: neither packages, which Go forbids but for tests, nor folders that
// lie side by side.
func TestNoCircleOfFolders(t *testing.T) {
	all := rooms(t)
	folders := map[string]bool{"": true}
	for name := range all {
		for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
			folders[folder] = true
		}
	}
	for folder := range folders {
		arrows := map[string][]string{}
		for from, imports := range all {
			for _, to := range imports {
				a, inA := childOf(folder, from)
				b, inB := childOf(folder, to)
				if inA && inB && a != b {
					arrows[a] = append(arrows[a], b)
				}
			}
		}
		if circle := circleIn(arrows); circle != nil {
			t.Errorf("folders of %q go round: %s", folder, strings.Join(circle, " → "))
		}
	}
}

// childOf returns the name of the folder or package directly in folder that
// holds a room; "." is the package in the folder itself.
func childOf(folder, room string) (string, bool) {
	if room == folder {
		return ".", true
	}
	if folder != "" {
		var below bool
		if room, below = strings.CutPrefix(room, folder+"/"); !below {
			return "", false
		}
	}
	child, _, _ := strings.Cut(room, "/")
	return child, true
}

// circleIn returns one way that leads back to where it began, or nil.
func circleIn(arrows map[string][]string) []string {
	const walking, done = 1, 2
	state := map[string]int{}
	var way []string
	var walk func(string) []string
	walk = func(at string) []string {
		way = append(way, at)
		state[at] = walking
		for _, next := range arrows[at] {
			if state[next] == walking {
				return append(slices.Clone(way[slices.Index(way, next):]), next)
			}
			if state[next] != done {
				if circle := walk(next); circle != nil {
					return circle
				}
			}
		}
		way = way[:len(way)-1]
		state[at] = done
		return nil
	}
	for at := range arrows {
		if state[at] == 0 {
			if circle := walk(at); circle != nil {
				return circle
			}
		}
	}
	return nil
}

// TestDesignNamesEveryRoom holds docs/design.md to the rooms that there are, and
// these to it. Rooms for tests alone are told of with the room that they serve.
func TestDesignNamesEveryRoom(t *testing.T) {
	design, err := os.ReadFile("docs/design.md")
	if err != nil {
		t.Fatal(err)
	}
	all := rooms(t)
	for name := range all {
		own := strings.HasPrefix(name, "cmd/internal/") || strings.HasPrefix(name, "internal/") && strings.Count(name, "/") == 1
		aside := strings.Contains(name, "internal/") || strings.HasSuffix(name, "test")
		if (own || !aside) && !bytes.Contains(design, []byte("`"+name+"`")) {
			t.Errorf("docs/design.md has no row for %s", name)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\| \\**`([a-z/0-9-]+)`").FindAllSubmatch(design, -1) {
		if _, there := all[string(row[1])]; !there {
			t.Errorf("docs/design.md has a row for %s, which is no room", row[1])
		}
	}
}

// TestLinked holds what is really linked: what runs on the site is small, and
// what reads documents has no network.
func TestLinked(t *testing.T) {
	for _, layer := range []struct {
		packages string
		never    []string
	}{
		{"./manifests/...", []string{"net/http", "helm.sh/helm"}},
		{"./manifests/fault", []string{module + "bundle", module + "internal", "net"}},
		{"./bundle", []string{"net/http", "github.com/google/go-containerregistry", "golang.org/x/crypto"}},
		{"./bundle/...", []string{module + "charts", module + "manifests/wireapp", "helm.sh/helm", "k8s.io/"}}, // but for bundle/resolve
		{"./charts", []string{"helm.sh/helm/v3/pkg/action"}},
		{"./sizing/...", []string{"helm.sh/helm", "k8s.io/"}},
		{"./cmd/...", []string{"testing"}}, // helpers of tests stay out
		{"./cmd/island-probe", []string{
			module + "bundle", module + "charts", module + "manifests", "gopkg.in/yaml", "golang.org/x/text", "k8s.io/",
		}},
	} {
		t.Run(layer.packages, func(t *testing.T) {
			t.Parallel()
			for _, linked := range linkedBy(t, layer.packages) {
				for _, never := range layer.never {
					if linked != strings.TrimPrefix(layer.packages, "./") && strings.HasPrefix(linked, never) {
						t.Errorf("%s links %s", layer.packages, linked)
					}
				}
			}
		})
	}
}

// linkedBy returns all packages that the packages of a pattern link, but for
// those of bundle/resolve, the one room of its house that knows charts.
func linkedBy(t *testing.T, pattern string) []string {
	t.Helper()
	listed, err := exec.Command("go", "list", pattern).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := slices.DeleteFunc(strings.Fields(string(listed)), func(p string) bool {
		return covers("bundle/resolve/...", strings.TrimPrefix(p, module))
	})
	out, err := exec.Command("go", append([]string{"list", "-deps"}, packages...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	return strings.Fields(string(out))
}

// TestChildrenHaveAnEnvironmentOfTheirOwn holds that whatever starts a program says
// which variables it gets: by default a child has all, secrets included.
func TestChildrenHaveAnEnvironmentOfTheirOwn(t *testing.T) {
	listed, err := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "*.go").Output()
	if err != nil {
		t.Skip("not in a checkout")
	}
	starts := regexp.MustCompile(`exec\.Command(Context)?\(|os\.StartProcess\(|syscall\.(Exec|ForkExec)\(`)
	says := regexp.MustCompile(`\.Env = (children\.Environment\(|\[\]string\{\})`)
	found := 0
	for file := range strings.FieldsSeq(string(listed)) {
		helps := strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "cmd/internal/") || strings.HasPrefix(file, "cmd/island-demo/") ||
			strings.HasPrefix(file, "internal/") || strings.Contains(file, "test/") || strings.Contains(file, "/internal/benchdiscovery/")
		text, err := os.ReadFile(file)
		if helps || err != nil {
			continue
		}
		started := len(starts.FindAll(text, -1))
		found += started
		if said := len(says.FindAll(text, -1)); said != started {
			t.Errorf("%s starts %d programs, and says of %d what environment they get", file, started, said)
		}
	}
	if found < 3 {
		t.Errorf("found %d places where programs are started", found)
	}
}

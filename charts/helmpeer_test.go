package charts

import (
	"archive/tar"
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"helm.sh/helm/v3/pkg/chart/loader"
)

// TestLimitsAreHelms holds the limits to those of the Helm that is linked, which
// is the one that docs and .ci/run name.
func TestLimitsAreHelms(t *testing.T) {
	t.Parallel()
	if MaxFile != loader.MaxDecompressedFileSize || MaxUnpacked != loader.MaxDecompressedChartSize {
		t.Errorf("Helm's are %d and %d", loader.MaxDecompressedFileSize, loader.MaxDecompressedChartSize)
	}
}

// TestWhatHelmRefusesIsRefused loads charts here and with helm: what one takes,
// so does the other.
func TestWhatHelmRefusesIsRefused(t *testing.T) {
	t.Parallel()
	helm := tool(t, "helm")
	const sub = "apiVersion: v2\nname: sub\nversion: 1.0.0\n"
	full := strings.Repeat("\x00", MaxFile)
	noise := make([]byte, MaxFile)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise)
	many := func(last int) []string { // with Chart.yaml, 20 files of 100 MiB less 5 MiB, and a last one
		files := []string{"app/Chart.yaml", chartFiles(nil)["Chart.yaml"]}
		for i := range 19 {
			files = append(files, "app/files/"+string(rune('a'+i)), full)
		}
		return append(files, "app/last", full[:last-len(files[1])])
	}
	chartOf := func(more ...string) []string {
		return append([]string{"app/Chart.yaml", chartFiles(nil)["Chart.yaml"]}, more...)
	}
	described := func(lines string) []string { return []string{"app/Chart.yaml", lines} }
	subchart := func(files map[string]string) string {
		files["Chart.yaml"] = sub
		return string(archive(t, files))
	}
	for name, files := range map[string][]string{
		"crd at the limit":           chartOf("app/crds/a.yaml", full),
		"crd over the limit":         chartOf("app/crds/a.yaml", full+"\x00"),
		"picture over the limit":     chartOf("app/docs/logo.svg", full+"\x00\x00"),
		"subchart over the limit":    chartOf("app/charts/sub-1.0.0.tgz", subchart(map[string]string{"a": string(noise), "b": "more"})),
		"file of a subchart's":       chartOf("app/charts/sub-1.0.0.tgz", subchart(map[string]string{"files/a": full + "x"})),
		"file of a subchart, within": chartOf("app/charts/sub-1.0.0.tgz", subchart(map[string]string{"files/a": full})),
		"all together at the limit":  many(MaxFile),
		"all together within":        many(MaxFile - 1),
		"no folder but a dot":        {"./Chart.yaml", chartFiles(nil)["Chart.yaml"], "./templates/a.yaml", "kind: A\n"},
		"a dot before the folder":    {"./app/Chart.yaml", chartFiles(nil)["Chart.yaml"]},
		"no folder":                  {"Chart.yaml", chartFiles(nil)["Chart.yaml"]},
		"two slashes":                chartOf("app//values.yaml", "a: 1\n"),
		"two dots begin a name":      chartOf("app/..data", "a"),
		"a folder named Chart.yaml":  chartOf("Chart.yaml/x", "a"),
		"written on Windows":         {`app\Chart.yaml`, chartFiles(nil)["Chart.yaml"], `app\templates\a.yaml`, "kind: A\n"},
		"half on Windows":            chartOf(`app/templates\a.yaml`, "{{ fail `never` }}"),
		"folder that ends in tgz":    chartOf("app/charts/sub.tgz/Chart.yaml", sub),
		"subchart without its chart": chartOf("app/charts/sub/values.yaml", "a: 1\n"),
		"hidden subchart":            chartOf("app/charts/_sub/values.yaml", "a: 1\n", "app/charts/.x.tgz", "no archive"),
		"no version of the API":      described("name: app\nversion: 1.0.0\n"),
		"no version":                 described("apiVersion: v2\nname: app\n"),
		"half a version":             described("apiVersion: v2\nname: app\nversion: \"1\"\n"),
		"no semantic version":        described("apiVersion: v2\nname: app\nversion: main\n"),
		"path for a name":            described("apiVersion: v2\nname: a/pp\nversion: 1.0.0\n"),
		"unknown type":               described("apiVersion: v2\nname: app\nversion: 1.0.0\ntype: Library\n"),
		"nobody maintains it":        described("apiVersion: v2\nname: app\nversion: 1.0.0\nmaintainers: [null]\n"),
		"two dependencies, one name": append(described("apiVersion: v2\nname: app\nversion: 1.0.0\n"+
			"dependencies: [{name: sub, version: 1.x}, {name: other, version: 1.x, alias: sub}]\n"), "app/charts/sub/Chart.yaml", sub),
		"alias of strange letters": append(described("apiVersion: v2\nname: app\nversion: 1.0.0\n"+
			"dependencies: [{name: sub, version: 1.x, alias: s.b}]\n"), "app/charts/sub/Chart.yaml", sub),
		"dependency that is not there": described("apiVersion: v2\nname: app\nversion: 1.0.0\n" +
			"dependencies: [{name: sub, version: 1.x, condition: sub.enabled}]\n"),
		"requirements of version 1": append(described("apiVersion: v1\nname: app\nversion: 1.0.0\n"),
			"app/requirements.yaml", "dependencies: [{name: gone, version: 1.x}]\n"),
		"values that are a list": chartOf("app/values.yaml", "- a\n"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var entries []tar.Header
			var bodies []string
			for i := 0; i < len(files); i += 2 {
				entries, bodies = append(entries, tar.Header{Name: files[i], Mode: 0o644}), append(bodies, files[i+1])
			}
			comparePeers(t, helm, pack(t, entries, bodies))
		})
	}
}

// comparePeers loads and renders an archive here and with helm.
func comparePeers(t *testing.T, helm string, data []byte) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "app.tgz")
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	said, theirs := exec.Command(helm, "template", "r", file).CombinedOutput()
	_, shown := exec.Command(helm, "show", "values", file).CombinedOutput()
	c, ours := Load(data)
	if (ours == nil) != (shown == nil) {
		t.Errorf("loaded here: %v; helm show: %v", ours, shown)
	}
	if ours == nil {
		_, ours = c.Render(t.Context(), Rendering{ReleaseName: "r"})
	}
	if (ours == nil) != (theirs == nil) {
		t.Errorf("here: %v; helm template: %v\n%.400s", ours, theirs, said)
	}
}

// TestFolderLimits checks that a folder is held to what its archive will be.
func TestFolderLimits(t *testing.T) {
	t.Parallel()
	helm := tool(t, "helm")
	big := bytes.Repeat([]byte("#"), MaxFile+1)
	for name, test := range map[string]struct {
		ignored string
		taken   bool
	}{
		"carried":     {"", false},
		"ignored":     {"*.bin\n", true},
		"other files": {"*.txt\n", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := filepath.Join(t.TempDir(), "app")
			for file, data := range map[string][]byte{
				"Chart.yaml": []byte(chartFiles(nil)["Chart.yaml"]), "model.bin": big, ".helmignore": []byte(test.ignored),
			} {
				if err := os.MkdirAll(folder, 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(folder, file), data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := LoadFolder(folder)
			theirs := exec.Command(helm, "template", "r", folder).Run()
			if (err == nil) != test.taken || (theirs == nil) != test.taken {
				t.Errorf("here: %v; helm: %v", err, theirs)
			}
			if !test.taken && !strings.Contains(err.Error(), `"model.bin" has 5242881 bytes`) {
				t.Errorf("error does not name the file and its size: %v", err)
			}
		})
	}
}

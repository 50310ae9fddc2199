package charts

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// tool returns a program that a test needs. Without it the test is skipped,
// unless ISLAND_REQUIRE_TOOLS=1 says that all of them have to be there.
func tool(t *testing.T, name string) string {
	t.Helper()
	program, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("ISLAND_REQUIRE_TOOLS") == "1" {
			t.Fatalf("%s is not in PATH", name)
		}
		t.Skipf("%s is not in PATH", name)
	}
	return program
}

// chartFiles completes the files of a small chart called "app".
func chartFiles(files map[string]string) map[string]string {
	all := map[string]string{"Chart.yaml": "apiVersion: v2\nname: app\nversion: 1.0.0\n"}
	maps.Copy(all, files)
	return all
}

// archive packs files as helm package would.
func archive(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var entries []tar.Header
	var bodies []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		entries = append(entries, tar.Header{Name: "app/" + name, Mode: 0o644})
		bodies = append(bodies, files[name])
	}
	return pack(t, entries, bodies)
}

// pack writes tar entries as they are given, forbidden ones included.
func pack(t testing.TB, entries []tar.Header, bodies []string) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped := gzip.NewWriter(&out)
	writer := tar.NewWriter(zipped)
	for i, entry := range entries {
		if entry.Typeflag == 0 {
			entry.Typeflag = tar.TypeReg
		}
		if entry.Typeflag == tar.TypeReg {
			entry.Size = int64(len(bodies[i]))
		}
		if err := writer.WriteHeader(&entry); err != nil {
			t.Fatal(err)
		}
		if entry.Typeflag == tar.TypeReg {
			if _, err := writer.Write([]byte(bodies[i])); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zipped.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func mustLoad(t testing.TB, files map[string]string) *Chart {
	t.Helper()
	loaded, err := Load(archive(t, chartFiles(files)))
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func mustLoadFolder(t testing.TB, name string) *Chart {
	t.Helper()
	loaded, err := LoadFolder(filepath.Join("testdata", "charts", name))
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func mustRender(t testing.TB, c *Chart, how Rendering) *Rendered {
	t.Helper()
	rendered, err := c.Render(t.Context(), how)
	if err != nil {
		t.Fatal(err)
	}
	return rendered
}

const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: {name: main}
spec: {template: {spec: {containers: [{name: c, image: "%s"}]}}}
`

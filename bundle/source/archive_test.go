package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
)

// delivery is a folder as a mirror can be one: files by their paths.
func delivery(t *testing.T) map[string]string {
	return map[string]string{
		"charts/index.yaml":     "apiVersion: v1\nentries:\n  brig:\n  - name: brig\n    version: 1.0.0\n    urls: [brig-1.0.0.tgz]\n",
		"charts/brig-1.0.0.tgz": string(chartArchive(t, "brig", "1.0.0")),
		"files/kubectl":         "0123456789",
	}
}

func zipped(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, content := range delivery(t) {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tarred(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for name, content := range delivery(t) {
		err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))})
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestArchiveAsFolder: what was delivered as an archive need not be unpacked.
func TestArchiveAsFolder(t *testing.T) {
	t.Parallel()
	for name, content := range map[string][]byte{"delivery.zip": zipped(t), "delivery.tgz": tarred(t)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
			mirrors, err := ParseMirrors(filepath.Join(folder, "mirrors.yaml"), []byte(`apiVersion: island/v1
kind: Mirrors
rules:
- prefix: https://charts.example.com
  onlyMirrors: true
  mirrors: [{location: ./`+name+`/charts}]
- prefix: https://files.example.com
  onlyMirrors: true
  mirrors: [{location: ./`+name+`/files}]
`))
			if err != nil {
				t.Fatal(err)
			}
			u, err := New(Options{Mirrors: mirrors, CacheDir: t.TempDir(), Network: registry.Options{Offline: true}})
			if err != nil {
				t.Fatal(err)
			}
			defer u.Close()
			chart, err := u.Chart(t.Context(), "https://charts.example.com", "brig", "1.0.0")
			if err != nil || string(chart.Bytes) != delivery(t)["charts/brig-1.0.0.tgz"] {
				t.Errorf("chart has %d bytes, %v", len(chart.Bytes), err)
			}
			size, err := u.Stat(t.Context(), "https://files.example.com/kubectl")
			if err != nil || size != 10 {
				t.Errorf("size is %d, %v", size, err)
			}
			reader, err := u.Open(t.Context(), manifests.Content{
				Digest: manifests.DigestOf([]byte("0123456789")), Size: 10, URL: "https://files.example.com/kubectl",
			}, 4)
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			if rest, err := io.ReadAll(reader); err != nil || string(rest) != "456789" {
				t.Errorf("from offset 4 it has %q, %v", rest, err)
			}
			for _, absent := range []string{"https://files.example.com/nothing", "https://files.example.com/..%2Fcharts"} {
				if _, err := u.Stat(t.Context(), absent); err == nil {
					t.Errorf("%s was found", absent)
				}
			}
		})
	}
}

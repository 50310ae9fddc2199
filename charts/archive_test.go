package charts

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
)

func TestLoadReadsWhatChartYAMLSays(t *testing.T) {
	t.Parallel()
	c := mustLoad(t, map[string]string{"Chart.yaml": `apiVersion: v2
name: app
version: 1.0.0-rc.1
appVersion: "7"
description: An application
kubeVersion: ">=1.29"
`})
	want := Metadata{Name: "app", Version: "1.0.0-rc.1", APIVersion: "v2", AppVersion: "7", Description: "An application",
		KubeVersion: ">=1.29"}
	if c.Metadata() != want {
		t.Errorf("got %+v, want %+v", c.Metadata(), want)
	}
	if err := c.Verify("app", "1.0.0-rc.1"); err != nil {
		t.Error(err)
	}
	for _, other := range [][2]string{{"app", "1.0.0"}, {"application", "1.0.0-rc.1"}} {
		if err := c.Verify(other[0], other[1]); err == nil || !strings.Contains(err.Error(), "the archive holds app 1.0.0-rc.1") {
			t.Errorf("asked for %v: got error %v", other, err)
		}
	}
}

func TestLoadRefusesHostileArchives(t *testing.T) {
	t.Parallel()
	chartYAML := "apiVersion: v2\nname: app\nversion: 1.0.0\n"
	inner := pack(t, []tar.Header{{Name: "sub/Chart.yaml"}, {Name: "sub/../../x"}},
		[]string{"apiVersion: v2\nname: sub\nversion: 1.0.0\n", ""})
	tests := []struct {
		name    string
		entry   tar.Header
		body    string
		want    error
		message string
	}{
		{"parent", tar.Header{Name: "app/../../etc/passwd"}, "", ErrForbidden, "leaves the chart's folder"},
		{"parent with backslashes", tar.Header{Name: `app\..\..\x`}, "", ErrForbidden, "leaves the chart's folder"},
		{"absolute", tar.Header{Name: "/etc/passwd"}, "", ErrForbidden, "is absolute"},
		{"drive", tar.Header{Name: `c:\x`}, "", ErrForbidden, "is absolute"},
		{"drive inside", tar.Header{Name: "app/c:/x"}, "", ErrForbidden, "leaves the chart's folder"},
		{"outside of the folder", tar.Header{Name: "values.yaml"}, "", ErrForbidden, "outside of the chart's folder"},
		{"symbolic link", tar.Header{Name: "app/Chart.lock", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}, "", ErrForbidden,
			"symbolic link"},
		{"hard link", tar.Header{Name: "app/x", Typeflag: tar.TypeLink, Linkname: "app/Chart.yaml"}, "", ErrForbidden, "hard link"},
		{"device", tar.Header{Name: "app/x", Typeflag: tar.TypeChar}, "", ErrForbidden, "device"},
		{"pipe", tar.Header{Name: "app/x", Typeflag: tar.TypeFifo}, "", ErrForbidden, "named pipe"},
		{"twice", tar.Header{Name: "app/Chart.yaml"}, chartYAML, ErrForbidden, "twice"},
		{"twice, written otherwise", tar.Header{Name: "app/./Chart.yaml"}, chartYAML, ErrForbidden, "twice"},
		{"control character", tar.Header{Name: "app/a\nb"}, "", ErrForbidden, "control character"},
		{"long name", tar.Header{Name: "app/" + strings.Repeat("n", MaxNameBytes)}, "", ErrTooLarge, "longer than 1024 bytes"},
		{"large file", tar.Header{Name: "app/x"}, strings.Repeat("\x00", MaxFile+1), ErrTooLarge, "has 5242881 bytes, more than 5.00 MiB"},
		{"hostile subchart", tar.Header{Name: "app/charts/sub-1.0.0.tgz"}, string(inner), ErrForbidden, "subchart charts/sub-1.0.0.tgz"},
		{"subchart that is no archive", tar.Header{Name: "app/charts/sub-1.0.0.tgz"}, "<html>", ErrNotArchive, "subchart charts/sub-1.0.0.tgz"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			data := pack(t, []tar.Header{{Name: "app/Chart.yaml"}, test.entry}, []string{chartYAML, test.body})
			checkLoadFault(t, data, test.want, test.message)
		})
	}
}

func checkLoadFault(t *testing.T, data []byte, want error, message string) {
	t.Helper()
	_, err := Load(data)
	if !errors.Is(err, want) || !strings.Contains(err.Error(), message) {
		t.Fatalf("got error %v, want one of %q that says %q", err, want, message)
	}
	explained := (*fault.Error)(nil)
	if !errors.As(err, &explained) || explained.Side != fault.Upstream || explained.Hint == "" {
		t.Errorf("error is not explained: %#v", err)
	}
}

func TestLoadRefusesWhatIsNoArchive(t *testing.T) {
	t.Parallel()
	whole := archive(t, chartFiles(map[string]string{"README.md": strings.Repeat("text ", 10_000)}))
	for name, data := range map[string][]byte{
		"empty":     nil,
		"page":      []byte("<!DOCTYPE html><title>502 Bad Gateway</title>"),
		"truncated": whole[:len(whole)/2],
		"no files":  pack(t, nil, nil),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkLoadFault(t, data, ErrNotArchive, "")
		})
	}
}

func TestLoadStopsBombs(t *testing.T) {
	t.Parallel()
	t.Run("bytes", func(t *testing.T) {
		t.Parallel()
		// 20 files of 5 MiB that compress a thousandfold, within the limit of each.
		var out bytes.Buffer
		zipped, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
		writer := tar.NewWriter(zipped)
		for i := range 20 {
			if err := writer.WriteHeader(&tar.Header{Name: "app/" + strconv.Itoa(i), Size: MaxFile, Mode: 0o644}); err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyN(writer, zeroes{}, MaxFile); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(writer.Close(), zipped.Close()); err != nil {
			t.Fatal(err)
		}
		checkLoadFault(t, out.Bytes(), ErrTooLarge, "100 MiB or more")
	})
	t.Run("files", func(t *testing.T) {
		t.Parallel()
		entries := make([]tar.Header, MaxFiles+1)
		for i := range entries {
			entries[i] = tar.Header{Name: "app/" + strconv.Itoa(i)}
		}
		checkLoadFault(t, pack(t, entries, make([]string, len(entries))), ErrTooLarge, "more than 20000 files")
	})
	t.Run("nesting", func(t *testing.T) {
		t.Parallel()
		data := archive(t, chartFiles(nil))
		for range MaxNesting + 1 {
			data = archive(t, chartFiles(map[string]string{"charts/app-1.0.0.tgz": string(data)}))
		}
		checkLoadFault(t, data, ErrTooLarge, "nested more than 16 archives deep")
	})
	t.Run("compressed", func(t *testing.T) {
		t.Parallel()
		checkLoadFault(t, make([]byte, MaxArchive+1), ErrTooLarge, "larger than 64.0 MiB")
	})
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestLoadExpandsArchivedSubcharts(t *testing.T) {
	t.Parallel()
	leaf := archive(t, map[string]string{
		"Chart.yaml":         "apiVersion: v2\nname: leaf\nversion: 1.0.0\n",
		"templates/pod.yaml": "kind: Pod\nmetadata: {name: leaf}\nspec: {containers: [{image: \"leaf:1\"}]}\n",
	})
	middle := archive(t, map[string]string{
		"Chart.yaml":            "apiVersion: v2\nname: middle\nversion: 1.0.0\n",
		"charts/leaf-1.0.0.tgz": string(leaf),
	})
	c := mustLoad(t, map[string]string{
		"charts/middle-1.0.0.tgz":    string(middle),
		"charts/folder/Chart.yaml":   "apiVersion: v2\nname: folder\nversion: 1.0.0\n",
		"charts/folder/charts/x.tgz": string(leaf),
		"charts/_off.tgz":            "not read",
	})
	var templates []string
	for _, document := range mustRender(t, c, Rendering{}).Manifests {
		templates = append(templates, document.Template)
	}
	want := "app/charts/folder/charts/leaf/templates/pod.yaml app/charts/middle/charts/leaf/templates/pod.yaml"
	if got := strings.Join(templates, " "); got != want {
		t.Errorf("rendered %s, want %s", got, want)
	}
}

func TestPackageIsDeterministicAndComplete(t *testing.T) {
	t.Parallel()
	folder := mustLoadFolder(t, "umbrella")
	first, err := folder.Package()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Load(first)
	if err != nil {
		t.Fatal(err)
	}
	second, err := again.Package()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("the archive of an archive's chart differs from it")
	}
	want, got := mustRender(t, folder, Rendering{}).Text(), mustRender(t, again, Rendering{}).Text()
	if got != want {
		t.Errorf("the archive renders to\n%s\nthe folder to\n%s", got, want)
	}
}

func TestLoadFolder(t *testing.T) {
	t.Parallel()
	write := func(t *testing.T, files map[string]string) string {
		folder := filepath.Join(t.TempDir(), "app")
		for name, body := range chartFiles(files) {
			name = filepath.Join(folder, filepath.FromSlash(name))
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, []byte(body), 0o644)); err != nil {
				t.Fatal(err)
			}
		}
		return folder
	}
	t.Run("helmignore", func(t *testing.T) {
		t.Parallel()
		c, err := LoadFolder(write(t, map[string]string{
			".helmignore": "*.bak\n", "templates/a.yaml.bak": "{{ fail }}", "templates/.hidden": "{{ fail }}",
		}))
		if err != nil {
			t.Fatal(err)
		}
		mustRender(t, c, Rendering{})
	})
	t.Run("link inside", func(t *testing.T) {
		t.Parallel()
		folder := write(t, map[string]string{"shared/a.yaml": "kind: A\n"})
		if err := os.Symlink("shared", filepath.Join(folder, "templates")); err != nil {
			t.Fatal(err)
		}
		c, err := LoadFolder(folder)
		if err != nil {
			t.Fatal(err)
		}
		if got := mustRender(t, c, Rendering{}).Manifests; len(got) != 1 || got[0].Kind != "A" {
			t.Errorf("got %v", got)
		}
	})
	for name, target := range map[string]string{"Chart.lock": "/etc/passwd", "templates": "..", "x": "../../y", "loop": "loop"} {
		t.Run("link outside "+name, func(t *testing.T) {
			t.Parallel()
			folder := write(t, nil)
			if err := os.Symlink(target, filepath.Join(folder, name)); err != nil {
				t.Fatal(err)
			}
			if _, err := LoadFolder(folder); !errors.Is(err, ErrForbidden) || !strings.Contains(err.Error(), "symbolic link") {
				t.Errorf("link to %s: got error %v", target, err)
			}
		})
	}
	t.Run("link that never ends", func(t *testing.T) {
		t.Parallel()
		folder := write(t, map[string]string{"a/b": ""})
		if err := os.Symlink(".", filepath.Join(folder, "a", "self")); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadFolder(folder); err == nil {
			t.Error("a folder that holds itself was read")
		}
	})
	t.Run("large", func(t *testing.T) {
		t.Parallel()
		folder := write(t, nil)
		if err := os.Truncate(filepath.Join(folder, "Chart.yaml"), MaxFile+1); err != nil {
			t.Fatal(err)
		}
		if _, err := LoadFolder(folder); !errors.Is(err, ErrTooLarge) {
			t.Errorf("got error %v", err)
		}
	})
}

func FuzzLoad(f *testing.F) {
	f.Add(archive(f, chartFiles(map[string]string{"values.yaml": "a: 1", "templates/x.yaml": "a: {{ .Values.a }}"})))
	f.Add(pack(f, []tar.Header{{Name: "app/Chart.yaml"}, {Name: "app/x", Typeflag: tar.TypeSymlink, Linkname: "/"}},
		[]string{"name: app", ""}))
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Load(data)
		if err != nil {
			if c != nil {
				t.Fatal("a chart was given together with an error")
			}
			return
		}
		for _, file := range c.files {
			if name, err := checkName(file.Name); err != nil || name != file.Name {
				t.Fatalf("name %q was accepted: %v", file.Name, err)
			}
		}
	})
}

func FuzzCheckName(f *testing.F) {
	for _, name := range []string{"app/x", "/x", "../x", `a\..\b`, "c:/x", "a//b", "a/./b", ""} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		clean, err := checkName(name)
		if err == nil && clean != "." && !filepath.IsLocal(filepath.FromSlash(clean)) {
			t.Fatalf("%q was accepted as %q", name, clean)
		}
	})
}

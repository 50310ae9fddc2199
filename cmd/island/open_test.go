package main

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests/fault"
)

// taker is a command that takes a file, and the forms of files that it takes.
type taker struct {
	name  string
	takes []form
	args  func(file string) []string
}

// takers are the commands that look at what a file is. Where they want more than
// the file they are given good ones.
func takers() []taker {
	good := filepath.Join("..", "..", "testdata", "vectors", "good.tar")
	key := filepath.Join("..", "..", "testdata", "vectors", "sender.pub")
	all := []form{aBundle, aLock, aRelease}
	list := []taker{
		{"verify", []form{aBundle}, func(f string) []string { return []string{"verify", f, "--key", key} }},
		{"show", []form{aBundle, aLock}, func(f string) []string { return []string{"show", f} }},
		{"diff OLD", all, func(f string) []string { return []string{"diff", f, good} }},
		{"diff NEW", all, func(f string) []string { return []string{"diff", good, f} }},
		{"apply BASE", []form{aBundle}, func(f string) []string { return []string{"apply", f, good, "--key", key, "-o", f + ".out"} }},
		{"apply DELTA", []form{aBundle}, func(f string) []string { return []string{"apply", good, f, "--key", key, "-o", f + ".out"} }},
		{"status", all, func(f string) []string { return []string{"status", f} }},
		{"upgrade-path", all, func(f string) []string { return []string{"upgrade-path", "--from", "1.0.0", "--to", "1.1.0", "-f", f} }},
		{"values check", []form{aBundle}, func(f string) []string { return []string{"values", "check", f, "--key", key} }},
		{"size", []form{aLock}, func(f string) []string {
			return []string{"size", "--users", "100", "--conferences", "none", "--lock", f}
		}},
		{"build", []form{aLock}, func(f string) []string {
			return []string{"build", f, "--unsigned", "--without-tools", "-o", f + ".out"}
		}},
	}
	if runtime.GOOS == "linux" {
		list = append(list, taker{"preflight", []form{aBundle}, func(f string) []string {
			return []string{"preflight", "--local", "--bundle", f, "--key", key}
		}})
	}
	return list
}

// run runs a command, and returns all that a person would see of it, and its
// error.
func (c taker) run(file string) (string, error) {
	var seen bytes.Buffer
	app := newApp(&seen, &seen, nil)
	err := app.run(context.Background(), c.args(file))
	if err != nil {
		printError(app.err, err)
	}
	return seen.String(), err
}

func writeFile(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestEveryCommandSaysWhatAFileIs: a file that was recognised and is not wanted
// is a mistake in usage, told with its form and what to do with it.
func TestEveryCommandSaysWhatAFileIs(t *testing.T) {
	t.Parallel()
	for _, c := range takers() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, test := range known {
				if slices.Contains(c.takes, test.form) {
					continue
				}
				file := writeFile(t, test.file, []byte(test.content))
				seen, err := c.run(file)
				want := file + " is " + string(test.form) + ", not " + anyOf(c.takes)
				if test.form == nothing {
					want = file + " is empty"
				}
				if fault.ExitCode(err) != int(fault.Usage) || err.Error() != want {
					t.Errorf("%s: exit code %d: %v, want %q", test.file, fault.ExitCode(err), err, want)
				}
				if !strings.Contains(seen, "\n  hint: ") || strings.Contains(seen, "do not use this one") {
					t.Errorf("%s: says\n%s", test.file, seen)
				}
				if strings.Contains(seen, secret[:8]) {
					t.Errorf("%s: shows what is in it:\n%s", test.file, seen)
				}
			}
		})
	}
}

// TestEveryCommandRefusesWhatMayBeABundle: what begins as a bundle, or as
// nothing that is known, is refused by each command that takes bundles.
func TestEveryCommandRefusesWhatMayBeABundle(t *testing.T) {
	t.Parallel()
	good := goodBundle(t)
	files := unknown(t)
	for name, n := range map[string]int{"cut-1": 1, "cut-5": 5, "cut-12": 12, "cut-200": 200, "cut-512": 512, "cut-2000": 2000} {
		files[name] = good[:n]
	}
	altered := bytes.Clone(good)
	altered[110] ^= 1 // in the first header
	files["altered"] = altered
	files["long-front-lost"] = longInventory(t)[512:]
	files["long-front-lost-cut"] = longInventory(t)[512:3000]
	files["packed-anew"] = packedAnew(t, good)
	files["bundle-and-lock"] = []byte(bundleStart + `{"kind": "Lock"}`)
	for _, c := range takers() {
		if !slices.Contains(c.takes, aBundle) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for name, content := range files {
				seen, err := c.run(writeFile(t, name, content))
				if fault.ExitCode(err) != int(fault.Refused) {
					t.Errorf("%s: exit code %d, want %d:\n%s", name, fault.ExitCode(err), fault.Refused, seen)
				}
			}
		})
	}
}

// longInventory returns the start of a bundle whose bundle.json is longer than
// what is looked at of a file.
func longInventory(t *testing.T) []byte {
	text := `{"apiVersion":"island/v1","kind":"Bundle","tool":"` + strings.Repeat("x", 2*headBytes) + `"}`
	return archiveOf(t, map[string]string{bundle.InventoryPath: text}, bundle.InventoryPath)
}

// packedAnew returns what tar makes of an unpacked bundle if it is given the
// entries in an order of its own.
func packedAnew(t *testing.T, good []byte) []byte {
	contents, names := map[string]string{}, []string{}
	for archive := tar.NewReader(bytes.NewReader(good)); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		content, readErr := io.ReadAll(archive)
		if err := cmp.Or(err, readErr); err != nil {
			t.Fatal(err)
		}
		contents["./"+header.Name], names = string(content), append(names, "./"+header.Name)
	}
	slices.SortFunc(names, func(a, b string) int { return strings.Compare(b, a) }) // oci-layout, index.json, bundle.json
	return archiveOf(t, contents, names[slices.Index(names, "./oci-layout"):]...)
}

func archiveOf(t *testing.T, contents map[string]string, order ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, name := range order {
		header := &tar.Header{Name: name, Mode: 0o644, Size: int64(len(contents[name]))}
		if err := archive.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(contents[name])); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestKindMayStandFarBehind: of a lock whose fields somebody has sorted, too.
func TestKindMayStandFarBehind(t *testing.T) {
	t.Parallel()
	long := `{"blobs": "` + strings.Repeat("x", 2*headBytes) + `", "kind": "`
	for kind, want := range map[string]form{"Lock": aLock, "Release": aRelease, "Other": aRelease} {
		file, err := open(writeFile(t, "long.json", []byte(long+kind+`"}`)), aLock, aRelease)
		if err != nil || file.form != want {
			t.Errorf("%s: %v, %v", kind, file, err)
		}
		file.Close()
	}
	if _, err := open(writeFile(t, "long.json", []byte(long+`Lock"}`))); fault.ExitCode(err) != int(fault.Usage) {
		t.Errorf("in place of a bundle: %v", err)
	}
}

// TestNameOfAPartGivesTheHint: of a part, and of what an interrupted build has
// left, the content decides that it is refused, and the name what to do.
func TestNameOfAPartGivesTheHint(t *testing.T) {
	t.Parallel()
	good := goodBundle(t)
	for name, hint := range map[string]string{
		"b.tar.part-000": "cat DIR/b.tar.part-* > DIR/b.tar",
		"b.tar.001":      "cat DIR/b.tar.* > DIR/b.tar",
		"b.tar.aa":       "cat DIR/b.tar.* > DIR/b.tar",
		"b.tar.partial":  "run the same island build again",
		"b.tar":          "get the bundle again from its sender; do not use this one",
		"b.part-000":     "get the bundle again from its sender; do not use this one",
	} {
		for _, content := range [][]byte{good[:len(good)-2048], good[len(good)/2:]} {
			file := writeFile(t, name, content)
			seen, err := takers()[0].run(file)
			want := strings.ReplaceAll(hint, "DIR", filepath.Dir(file))
			if fault.ExitCode(err) != int(fault.Refused) || !strings.Contains(seen, want) {
				t.Errorf("%s: exit code %d, and no %q in\n%s", name, fault.ExitCode(err), want, seen)
			}
		}
	}
}

// TestWhatLiesInPlaceOfAFile: a name that stands for no file, or for a folder.
func TestWhatLiesInPlaceOfAFile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		there, given string // below a folder
		want, hint   string
	}{
		{"other", "b.tar", "no such file", "give the path of a bundle"},
		{"b.tar.partial", "b.tar", "no such file", "run the same island build again"},
		{"b.tar.part-000", "b.tar", "no such file", "cat DIR/b.tar.part-* > DIR/b.tar"},
		{"f/other", "f", "DIR/f is a folder, not a bundle", "give the path of a bundle"},
		{"f/bundle.json", "f", "DIR/f is a folder with what was in a bundle, not a bundle", "give the archive as it was sent"},
		{"f/oci-layout", "f", "DIR/f is a folder with an OCI image layout, not a bundle", "name its images in a release"},
		{"f/b.tar", "f", "DIR/f is a folder, not a bundle", "give a file in it, such as DIR/f/b.tar"},
		{"f/b.tar.part-001", "f", "DIR/f is a folder with parts of a bundle", "cat DIR/f/b.tar.part-* > DIR/f/b.tar"},
		{"f/Chart.yaml", "f", "DIR/f is a chart's folder, not a bundle", "island discover DIR/f"},
	} {
		folder := t.TempDir()
		if err := os.MkdirAll(filepath.Join(folder, filepath.Dir(test.there)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, test.there), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		seen, err := takers()[0].run(filepath.Join(folder, test.given))
		want, hint := strings.ReplaceAll(test.want, "DIR", folder), strings.ReplaceAll(test.hint, "DIR", folder)
		if fault.ExitCode(err) != int(fault.Usage) || !strings.Contains(seen, want) || !strings.Contains(seen, hint) {
			t.Errorf("%s, given %s: exit code %d, and no %q and %q in\n%s", test.there, test.given, fault.ExitCode(err), want, hint, seen)
		}
	}
}

// TestLinksAreFollowedAndDevicesAreNot: what is read at any offset is a regular
// file.
func TestLinksAreFollowedAndDevicesAreNot(t *testing.T) {
	t.Parallel()
	link := filepath.Join(t.TempDir(), "link.tar")
	target, err := filepath.Abs(filepath.Join("..", "..", "testdata", "vectors", "good.tar"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if seen, err := takers()[0].run(link); err != nil {
		t.Errorf("a link to a bundle: %v\n%s", err, seen)
	}
	seen, err := takers()[0].run(os.DevNull)
	if fault.ExitCode(err) != int(fault.Usage) || !strings.Contains(seen, "is not a regular file") || !strings.Contains(seen, "named -") {
		t.Errorf("a device: exit code %d:\n%s", fault.ExitCode(err), seen)
	}
}

// TestStreamIsRecognisedAndLosesNothing: the bytes that were looked at are read
// again, however few come at once.
func TestStreamIsRecognisedAndLosesNothing(t *testing.T) {
	t.Parallel()
	for _, size := range []int{1, 11, 512, headBytes - 1, headBytes, headBytes + 1, 3*headBytes + 7} {
		content := bytes.Repeat([]byte(bundleStart), size/len(bundleStart)+1)[:size]
		for _, reader := range []io.Reader{bytes.NewReader(content), iotest.DataErrReader(iotest.HalfReader(bytes.NewReader(content)))} {
			stream, err := openStream(reader)
			if err != nil {
				t.Fatalf("%d bytes: %v", size, err)
			}
			if have, err := io.ReadAll(stream); err != nil || !bytes.Equal(have, content) {
				t.Errorf("%d bytes: %d came out, with %v", size, len(have), err)
			}
		}
	}
	for _, test := range known {
		_, err := openStream(strings.NewReader(test.content))
		if fault.ExitCode(err) != int(fault.Usage) || !strings.HasPrefix(err.Error(), "standard input is "+string(test.form)) {
			t.Errorf("%s: %v", test.file, err)
		}
	}
	for name, content := range unknown(t) {
		if _, err := openStream(bytes.NewReader(content)); err != nil {
			t.Errorf("%s: is left to who verifies it, but: %v", name, err)
		}
	}
	if _, err := openStream(bytes.NewReader(longInventory(t)[512:])); err != nil {
		t.Errorf("a bundle without its first block is left to who verifies it, but: %v", err)
	}
	broken := errors.New("the cable is out")
	if _, err := openStream(iotest.ErrReader(broken)); !errors.Is(err, broken) || fault.ExitCode(err) != int(fault.Failure) {
		t.Errorf("a stream that fails: %v", err)
	}
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/internal/plaintar/sparsetest"
	"github.com/islandbundle/island/manifests"
)

// memoryBound is what no command takes more of, whatever it is given to read, in
// bytes (SECURITY.md). Those that it starts for charts have a limit of their own.
const memoryBound = 3 << 29

// many is a text of about so many bytes with one element over and over.
func many(open, element, end string, size int) string {
	return open + strings.Repeat(element, size/len(element)) + end
}

// unsigned is an archive as a bundle begins, with a text in the place of its
// inventory.
func unsigned(inventory string) string {
	slot := strings.Repeat(" ", bundle.SignatureSize-1) + "\n"
	return string(sparsetest.Archive(sparsetest.File(bundle.InventoryPath, inventory), sparsetest.File(bundle.SignaturePath, slot)))
}

// worstInputs are files of few bytes, or of as many as are read, that became much
// in memory.
func worstInputs(t *testing.T) map[string]string {
	t.Helper()
	const mib = 1 << 20
	kind := func(name string) string { return `{"apiVersion":"island/v1","kind":"` + name + `",` }
	chart := sparsetest.File("app/Chart.yaml", "apiVersion: v2\nname: app\nversion: 1.0.0\n")
	parts := [][]byte{chart}
	for i := range 40 {
		for _, hole := range sparsetest.Holes(fmt.Sprint("app/hole", i), 5*mib-1) {
			parts = append(parts, hole)
		}
	}
	inner := string(sparsetest.Gzip(t, sparsetest.Archive(parts...)))
	nested := [][]byte{chart}
	for i := range 40 {
		nested = append(nested, sparsetest.File(fmt.Sprintf("app/charts/sub%d.tgz", i), inner))
	}
	return map[string]string{
		"sparse.tgz":   inner,
		"nested.tgz":   string(sparsetest.Gzip(t, sparsetest.Archive(nested...))),
		"images.tar":   unsigned(many(`{"lock":{"images":[`, "{},", "{}]}}", 11*mib/2)),
		"leftout.tar":  unsigned(many(kind("Bundle")+`"lock":{"leftOut":[`, `{"what":"`+strings.Repeat("x", 40)+`"},`, "{}]}}", 50*mib)),
		"string.tar":   unsigned(`{"tool":"` + strings.Repeat("x", bundle.MaxInventoryBytes-20) + `"}`),
		"lock.json":    many(kind("Lock")+`"blobs":[`, `{"size":1},`, "{}]}", 24*mib),
		"unknown.json": many(kind("Lock")+`"x":[`, "0,", "0]}", manifests.MaxLockBytes-mib),
		"release.json": many(kind("Release")+`"images":[`, "{},", "{}]}", 3*mib),
		"flow.yaml":    many("apiVersion: island/v1\nkind: Release\nx: [", "a,", "]\n", 3*mib),
		"keys.yaml":    many("apiVersion: island/v1\nkind: Release\nx: {", "?,", "}\n", 3*mib),
		"site.yaml":    many("apiVersion: island/v1\nkind: Site\nservers: [", "{},", "]\n", 3*mib),
		"survey.json":  many(`{"apiVersion":"island/v1","kind":"Survey","hosts":[`, "{},", "{}]}", 30*mib),
	}
}

// TestMemoryIsBounded holds every command that reads what somebody else made to
// the bound: the real program, ended by a limit on its data beyond it.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it reads large files")
	}
	folder := t.TempDir()
	for name, content := range worstInputs(t) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range []string{
		"discover --offline sparse.tgz", "discover --offline nested.tgz",
		"show images.tar", "verify --allow-unsigned images.tar", "show leftout.tar", "diff string.tar images.tar", "verify --allow-unsigned - < images.tar",
		"show lock.json", "build --unsigned lock.json", "diff unknown.json lock.json",
		"discover --offline -f release.json", "resolve --offline -f flow.yaml", "resolve --offline -f keys.yaml", "patches -f flow.yaml -p keys.yaml",
		"size --site site.yaml", "preflight --facts survey.json", "preflight --site site.yaml --facts survey.json", "status images.tar", "apply images.tar leftout.tar",
	} {
		t.Run(strings.ReplaceAll(command, " ", "_"), func(t *testing.T) {
			t.Parallel()
			said := failure(t, folder, command)
			if strings.Contains(said, "out of memory") || strings.Contains(said, "cannot allocate") || strings.Contains(said, "goroutine ") {
				t.Errorf("it was ended: %.300s", said)
			}
		})
	}
}

// failure runs a command of island's with a limit on its data (getrlimit(2),
// RLIMIT_DATA), and returns what it says. It has to fail by itself.
func failure(t *testing.T, folder, command string) string {
	t.Helper()
	run := exec.Command("sh", "-c", "ulimit -S -d "+strconv.Itoa(memoryBound>>10)+"; exec island "+command)
	run.Dir = folder
	run.Env = append(os.Environ(), "HOME="+folder)
	var said bytes.Buffer
	run.Stdout, run.Stderr = &said, &said
	err := run.Run()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) || exit.ExitCode() < 1 || exit.ExitCode() > 5 {
		t.Errorf("island %s: %v: %.300s", command, err, said.String())
	}
	t.Logf("%.200s", said.String())
	return said.String()
}

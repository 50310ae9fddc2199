package main

import (
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

// utf16 is an ASCII text in UTF-16, with its mark.
func utf16(text string) string {
	return "\xff\xfe" + strings.Join(strings.Split(text, ""), "\x00") + "\x00"
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
	inventory := kind("Bundle") + `"format":1,`
	chart := "apiVersion: v2\nname: app\nversion: 1.0.0\n"
	parts := [][]byte{sparsetest.File("app/Chart.yaml", chart)}
	for i := range 40 {
		for _, hole := range sparsetest.Holes(fmt.Sprint("app/hole", i), 5*mib-1) {
			parts = append(parts, hole)
		}
	}
	inner := string(sparsetest.Gzip(t, sparsetest.Archive(parts...)))
	nested := parts[:1:1]
	for i := range 40 {
		nested = append(nested, sparsetest.File(fmt.Sprintf("app/charts/sub%d.tgz", i), inner))
	}
	return map[string]string{
		"sparse.tgz":  inner,
		"nested.tgz":  string(sparsetest.Gzip(t, sparsetest.Archive(nested...))),
		"images.tar":  unsigned(many(inventory+`"lock":{"images":[`, "{},", "{}]}}", 11*mib/2)),
		"leftout.tar": unsigned(many(inventory+`"lock":{"leftOut":[`, `{"what":""},`, "{}]}}", 20*mib)),
		"string.tar":  unsigned(inventory + `"tool":"` + strings.Repeat("x", bundle.MaxInventoryBytes-200) + `"}`),
		"lock.json":   many(kind("Lock")+`"blobs":[`, `{"size":1},`, "{}]}", 24*mib),
		"other.json":  many(kind("Lock")+`"x":[`, "0,", "0]}", manifests.MaxLockBytes-mib),
		"list.json":   many(kind("Release")+`"images":[`, "{},", "{}]}", 3*mib),
		"wire.json":   many(`{"helmCharts":{"a":{"x":[`, "0,", "0]}}}", 3*mib),
		"flow.yaml":   many("apiVersion: island/v1\nkind: Release\nx: [", "a,", "]\n", 3*mib),
		"keys.yaml":   many("apiVersion: island/v1\nkind: Patch\nx: {", "?,", "}\n", 3*mib),
		"over.yaml":   many("apiVersion: island/v1\nkind: Overlay\nx:\n", "- - - -\n", "\n", 3*mib),
		"mirror.yaml": many("apiVersion: island/v1\nkind: Mirrors\nmirrors: [", "{},", "]\n", 3*mib),
		"site.yaml":   many("apiVersion: island/v1\nkind: Site\nservers: [", "{},", "]\n", 3*mib),
		"cr.yaml":     many("apiVersion: island/v1\nkind: Overlay\nx:\n", "-\r", "\n", 3*mib),
		"nel.yaml":    many("x:\n", "-\u0085", "\n", 15*mib),
		"wide.yaml":   utf16(many("x:\n", strings.Repeat("- ", 60)+"a\n", "\n", 7*mib)),
		"values.yaml": many("x: [", "a,", "]\n", 15*mib),
		"hosts.yaml":  many("all: {hosts: {a: {}}, vars: {x: [", "a,", "]}}\n", 3*mib),
		"hosts.ini":   many("[all]\n", "a[1:1000]\n", "\n", 3*mib),
		"survey.json": many(kind("Survey")+`"hosts":[`, "{},", "{}]}", 30*mib),
		"state.json":  many(kind("State")+`"format":2,"accepted":{"a":[`, "{},", "{}]}}", 3*mib),
		"small.yaml": "apiVersion: island/v1\nkind: Release\nmetadata: {name: a, version: 1.0.0}\nplatforms: [linux/amd64]\n" +
			"charts: [{name: app, path: app}]\n",
		"app/Chart.yaml": chart,
	}
}

// hostileReads are commands, each with what it says of the hostile file that it
// reads: the words of the guard that kept it from memory, so that a command which
// never comes to read it is told.
func hostileReads() map[string][]string {
	const weighed, marks, nodes = "takes more memory than a document of its size may", "places where one may begin", "fields and values"
	return map[string][]string{
		"sparse": {"discover --offline sparse.tgz", "discover --offline nested.tgz"},
		weighed: {
			"show images.tar", "show leftout.tar", "verify --allow-unsigned images.tar", "verify --allow-unsigned - < images.tar",
			"verify --allow-unsigned leftout.tar --state new-state.json", "diff --allow-unsigned images.tar leftout.tar",
			"apply --allow-unsigned images.tar leftout.tar", "apply --allow-unsigned good.tar images.tar", "status --allow-unsigned images.tar",
			"values check images.tar --allow-unsigned -f values.yaml", "preflight -i hosts.yaml --bundle images.tar --allow-unsigned",
			"resolve -f small.yaml --after images.tar", "resolve -f small.yaml --after state.json",
			"build -f small.yaml --unsigned --base images.tar", "build -f small.yaml --unsigned --reuse images.tar",
			"upgrade-path --from 5.25.0 -f images.tar", "verify --allow-unsigned good.tar --state state.json",
		},
		"lists 0 entries": {"show string.tar"}, // 64 MiB of one text
		nodes: {
			"show lock.json", "build --unsigned lock.json", "diff other.json lock.json", "upgrade-path --from 5.25.0 -f lock.json",
			"size --users 10 --conferences none --lock lock.json",
		},
		marks: {
			"discover --offline -f list.json", "resolve --offline -f flow.yaml", "build --unsigned -f wire.json",
			"patches -f flow.yaml -p keys.yaml",
			"patches -f small.yaml -p keys.yaml", "resolve -f small.yaml --overlay over.yaml", "resolve -f small.yaml --mirrors mirror.yaml",
			"resolve -f small.yaml --overlay cr.yaml",
			"status small.yaml -p keys.yaml", "patch from wire.json small.yaml --id A-1 --severity high", "sign keys.yaml --key island.key",
			"sign keys.yaml --check --doc-key island.pub", "size --site site.yaml", "preflight --site site.yaml -i hosts.ini",
			"preflight -i hosts.yaml",
			"size --users 10 --conferences none --against site.yaml",
			"values check good.tar --allow-unsigned -f values.yaml", "values check good.tar --allow-unsigned -f nel.yaml",
			"values check good.tar --allow-unsigned -f wide.yaml",
		},
		"larger than":    {"preflight --facts survey.json"},
		"more than 1000": {"preflight -i hosts.ini"},
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
	if err := os.Mkdir(filepath.Join(folder, "app"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range worstInputs(t) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeKeys(folder); err != nil {
		t.Fatal(err)
	}
	if exit, said := bounded(t, folder, "build -f small.yaml --unsigned --sequence 1 -o good.tar"); exit != 0 {
		t.Fatal(said)
	}
	for says, commands := range hostileReads() {
		for _, command := range commands {
			t.Run(strings.ReplaceAll(command, " ", "_"), func(t *testing.T) {
				t.Parallel()
				exit, said := bounded(t, folder, command)
				if exit < 1 || exit > 5 || !strings.Contains(said, says) {
					t.Errorf("exit %d, want one of a failure that says %q: %.300s", exit, says, said)
				}
			})
		}
	}
}

// bounded runs a command of island's with a limit on its data (getrlimit(2),
// RLIMIT_DATA), and returns its exit code and what it says.
func bounded(t *testing.T, folder, command string) (exit int, said string) {
	t.Helper()
	run := exec.Command("sh", "-c", "ulimit -S -d "+strconv.Itoa(memoryBound>>10)+"; exec island "+command)
	run.Dir = folder
	run.Env = append(os.Environ(), "HOME="+folder, "COSIGN_PASSWORD=")
	output, err := run.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return run.ProcessState.ExitCode(), string(output)
}

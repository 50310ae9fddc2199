package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestTutorialOfPatches does what docs/patches.md tells to, from the page itself: every
// command as it stands there, in order, by a shell. What a command ends with, and the
// text that the page says is printed, have to be so.
func TestTutorialOfPatches(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]struct {
		cosign string
		byHand bool
		values string // that the chart is run with, at the end
	}{
		"patch from": {"cosign-v2", false, `{"nginz":{"replicas":2},"own":"kept"}`},
		"by hand":    {"cosign-v3", true, `{"nginz":{"replicas":2},"own":"kept"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			blocks := blocksOf(t, "docs/patches.md", "## From advisory to delivery\n")
			r := newReader(t, way.cosign)
			for _, b := range blocks {
				if b.language != "yaml" || way.byHand {
					r.follow(t, b)
				}
			}
			if r.commands < 15 || r.texts < 2 || !r.served {
				t.Errorf("the page has %d commands and %d texts for the test, served: %v", r.commands, r.texts, r.served)
			}
			if !slices.Contains(r.lacks, "helm") {
				wantUpgraded(t, r.said, way.values)
			}
		})
	}
}

// fenced is a block of a page, with the paragraph above it.
type fenced struct{ above, language, text string }

// blocksOf returns the fenced blocks of one section of a page.
func blocksOf(t *testing.T, page, heading string) []fenced {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", filepath.FromSlash(page)))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(text), heading)
	if !found {
		t.Fatalf("%s has no %q", page, heading)
	}
	var blocks []fenced
	inside, above := false, ""
	for line := range strings.Lines(section) {
		language, fence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case fence && inside:
			inside, above = false, ""
		case fence:
			inside = true
			blocks = append(blocks, fenced{above: above, language: language})
		case inside:
			blocks[len(blocks)-1].text += line
		case strings.HasPrefix(line, "## "):
			return blocks
		case line != "\n":
			above += line
		}
	}
	return blocks
}

// A reader is somebody who has a page before them, and types.
type reader struct {
	folder          string // where they stand
	environment     []string
	said            string // by the commands of the last block
	commands, texts int
	served          bool
	lacks           []string // programs
}

// newReader gives the reader a home, island, and cosign if there is one.
func newReader(t *testing.T, cosign string) *reader {
	t.Helper()
	home, bin := t.TempDir(), t.TempDir()
	r := &reader{folder: filepath.Join(home, "delivery")}
	links := map[string]string{"island": island}
	for name, program := range map[string]string{"cosign": cosign, "helm": "helm"} {
		found, err := exec.LookPath(program)
		if err == nil {
			links[name] = found
			continue
		}
		if r.lacks = append(r.lacks, name); os.Getenv("ISLAND_REQUIRE_TOOLS") == "1" {
			t.Fatal(err)
		}
	}
	for name, program := range links {
		if err := os.Symlink(program, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	write(t, filepath.Join(home, "installed.yaml"), []byte(installed))
	r.environment = append(os.Environ(), "HOME="+home, "COSIGN_PASSWORD=correct horse", "SIGSTORE_NO_CACHE=1",
		"HELM_DRIVER=memory", "HELM_MEMORY_DRIVER_DATA="+filepath.Join(home, "installed.yaml"), "HELM_KUBEAPISERVER="+cluster(t),
		"PATH="+bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
	return r
}

// file is what a paragraph calls the document that stands below it.
var file = regexp.MustCompile("`([A-Za-z0-9.-]+\\.yaml)`")

// follow does what a block is there for.
func (r *reader) follow(t *testing.T, b fenced) {
	t.Helper()
	switch b.language {
	case "text": // what has been printed, line by line
		r.texts++
		for line := range strings.Lines(b.text) {
			if !slices.Contains(strings.SplitAfter(r.said, "\n"), line) {
				t.Errorf("the page says that this is printed: %sbut this is:\n%s", line, r.said)
			}
		}
	case "yaml":
		name := file.FindStringSubmatch(b.above)
		if name == nil {
			t.Fatalf("what is the name of the file below %q?", b.above)
		}
		write(t, filepath.Join(r.folder, name[1]), []byte(b.text))
	case "":
		r.said = ""
		for command := range strings.Lines(strings.ReplaceAll(b.text, "\\\n", " ")) {
			r.commands++
			r.typed(t, strings.TrimSuffix(command, "\n"))
		}
	default:
		t.Fatalf("what is to be done with %s below %q?", b.language, b.above)
	}
}

// exitCode is what the page says of a command beside it.
var exitCode = regexp.MustCompile(`# exit code ([0-9]+)$`)

// typed runs a command as the page has it.
func (r *reader) typed(t *testing.T, command string) {
	t.Helper()
	if strings.HasPrefix(command, "go run ") {
		r.serve(t, command)
		return
	}
	if program, _, _ := strings.Cut(command, " "); slices.Contains(r.lacks, program) {
		t.Logf("not run, there is no %s: %s", program, command)
		return
	}
	if strings.HasPrefix(command, "helm upgrade ") { // as far as that goes without what runs pods
		command += " --dry-run=client --output json"
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", command)
	cmd.Dir, cmd.Env = r.folder, r.environment
	out, err := cmd.CombinedOutput()
	r.said += string(out)
	want := "0"
	if match := exitCode.FindStringSubmatch(command); match != nil {
		want = match[1]
	}
	ended := "0"
	if failure := (&exec.ExitError{}); errors.As(err, &failure) {
		ended = strings.TrimPrefix(failure.Error(), "exit status ")
	} else if err != nil {
		t.Fatal(err)
	}
	if ended != want {
		t.Fatalf("the command ended with %s, not %s: %s\n%s", ended, want, command, out)
	}
}

// serve runs the command of the other terminal, until the test ends.
func (r *reader) serve(t *testing.T, command string) {
	t.Helper()
	caches, err := exec.CommandContext(t.Context(), "go", "env", "GOCACHE", "GOMODCACHE", "GOPATH").Output()
	if err != nil {
		t.Fatal(err)
	}
	folders := strings.Split(string(caches), "\n")
	cmd := exec.Command("sh", "-c", command) //nolint:noctx // it is interrupted below, with what it has started
	cmd.Dir = filepath.Join("..", "..", "..")
	cmd.Env = append(slices.Clone(r.environment), "GOCACHE="+folders[0], "GOMODCACHE="+folders[1], "GOPATH="+folders[2])
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
	})
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil { // its URL
		t.Fatalf("%s: %v", command, err)
	}
	r.served = true
}

// installed is what runs on the site before, with values of its own, in the form in which
// Helm keeps it.
const installed = `- name: wire-server
  version: 1
  namespace: default
  info: {status: deployed}
  chart: {metadata: {apiVersion: v2, name: wire-server, version: 5.30.9}}
  config: {nginz: {replicas: 7}, own: kept}
`

// cluster serves what Helm asks of a cluster before it installs something: its version,
// and the kinds that there are.
func cluster(t *testing.T) string {
	t.Helper()
	kinds := func(group, kind string) string {
		return fmt.Sprintf(`{"kind": "APIResourceList", "groupVersion": %q, "resources": [
			{"name": %q, "kind": %q, "namespaced": true, "verbs": ["get"]}]}`, group, strings.ToLower(kind)+"s", kind)
	}
	group := func(name string) string {
		return fmt.Sprintf(`{"name": %q, "versions": [{"groupVersion": "%[1]s/v1", "version": "v1"}]}`, name)
	}
	answers := map[string]string{
		"/version":       `{"major": "1", "minor": "29", "gitVersion": "v1.29.10"}`,
		"/api":           `{"kind": "APIVersions", "versions": ["v1"]}`,
		"/apis":          `{"kind": "APIGroupList", "apiVersion": "v1", "groups": [` + group("apps") + ", " + group("batch") + `]}`,
		"/api/v1":        kinds("v1", "Pod"),
		"/apis/batch/v1": kinds("batch/v1", "Job"),
		"/apis/apps/v1": `{"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": [
			{"name": "deployments", "kind": "Deployment", "namespaced": true, "verbs": ["get"]},
			{"name": "statefulsets", "kind": "StatefulSet", "namespaced": true, "verbs": ["get"]}]}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, known := answers[r.URL.Path]
		w.Header().Set("Content-Type", "application/json")
		if !known {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// wantUpgraded looks at what Helm would install.
func wantUpgraded(t *testing.T, said, values string) {
	t.Helper()
	var release struct {
		Config json.RawMessage
		Chart  struct{ Metadata struct{ Version string } }
	}
	if err := json.Unmarshal([]byte(said), &release); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	if string(release.Config) != values || release.Chart.Metadata.Version != "5.30.10" {
		t.Errorf("helm would run %s with %s, not with %s", release.Chart.Metadata.Version, release.Config, values)
	}
}

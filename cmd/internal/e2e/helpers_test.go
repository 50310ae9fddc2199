package e2e

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/islandbundle/island/cmd/internal/programs"
	"github.com/islandbundle/island/internal/fixture"
)

// island is the program under test, as a release has it; islandWithToy the same
// with one catalogue more.
var island, islandWithToy string

func TestMain(m *testing.M) {
	var err error
	if island, err = programs.Path("island", programs.Here); err == nil {
		islandWithToy, err = buildWithToy()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(filepath.Dir(islandWithToy))
	os.Exit(code)
}

// tool returns the path of a program that is not part of the project.
func tool(t *testing.T, name string) string {
	t.Helper()
	found, err := exec.LookPath(name)
	if err == nil {
		return found
	}
	if os.Getenv("ISLAND_REQUIRE_TOOLS") == "1" {
		t.Fatalf("%s is not in PATH, and ISLAND_REQUIRE_TOOLS=1 is set", name)
	}
	t.Skipf("%s is not in PATH", name)
	return ""
}

// asRoot skips a test of a client that has to mount what it unpacks.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() == 0 {
		return
	}
	if os.Getenv("ISLAND_REQUIRE_TOOLS") == "1" {
		t.Fatal("not root, and ISLAND_REQUIRE_TOOLS=1 is set")
	}
	t.Skip("not root")
}

// run runs a program in a folder and gives its stdout. It must succeed.
func run(t *testing.T, folder, name string, args ...string) string {
	t.Helper()
	stdout, stderr, err := try(t, folder, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, stderr)
	}
	return stdout
}

// patience ends a program that hangs. It measures nothing: a machine may be slow.
const patience = 15 * time.Minute

// try runs a program in a folder.
func try(t *testing.T, folder, name string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, diagnostics bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, &out, &diagnostics
	cmd.Env = append(os.Environ(), "COSIGN_PASSWORD=correct horse")
	err = cmd.Run()
	return out.String(), diagnostics.String(), err
}

// serve serves a world for as long as the test runs, and writes its mirrors
// file to a folder.
func serve(t *testing.T, world *fixture.World, folder string) *fixture.Server {
	t.Helper()
	server, err := world.Serve(context.Background(), fixture.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	write(t, filepath.Join(folder, "mirrors.yaml"), world.MirrorsYAML(server.Addr()))
	return server
}

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

func digestOf(data []byte) string { return fmt.Sprintf("sha256:%x", sha256.Sum256(data)) }

// image and chart are what the tests read of "island show --output json".
type image struct {
	Name      string
	Digest    string
	MediaType string
	Manifests []struct{ Digest, Config, Platform string }
}

type chart struct{ Name, Version, Path string }

// show returns what island says is in a bundle or lock.
func show[T any](t *testing.T, file, what string) []T {
	t.Helper()
	var list []T
	if err := json.Unmarshal([]byte(run(t, "", island, "show", file, "--"+what, "--output", "json")), &list); err != nil {
		t.Fatal(err)
	}
	if len(list) == 0 {
		t.Fatalf("%s has no %s", file, what)
	}
	return list
}

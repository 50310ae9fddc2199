// Package programs gives tests the programs of this project as a release has
// them: static and stripped.
//
// They are built once for all tests, and before them: what a build takes with an
// empty cache on a busy machine would otherwise use up the limit of whichever
// test came first. `make test` builds them and names their folder in
// ISLAND_PROGRAMS. Where nobody has, as in a plain `go test ./cmd/...`, Path
// builds what it is asked for into the same folder, and a later run finds it
// there. That time counts for -timeout of the package, which go test measures
// from the start of its process, TestMain included; with an empty cache, say
// -timeout 40m as make does.
package programs

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// Variable names the folder of programs that are built already. It is laid out
// as dist/ is: OS-ARCH/PROGRAM.
const Variable = "ISLAND_PROGRAMS"

// Here is the platform of this machine, such as linux-amd64.
const Here = runtime.GOOS + "-" + runtime.GOARCH

// Path returns where the program of cmd/ with this name is, built for a platform
// such as linux-arm64. What stands beside it is for that platform too.
func Path(name, platform string) (string, error) {
	inside := filepath.Join(platform, name)
	if folder := os.Getenv(Variable); folder != "" {
		file := filepath.Join(folder, inside)
		if _, err := os.Stat(file); err != nil {
			return "", fmt.Errorf("%w\n%s must name the folder that `make programs` fills", err, Variable)
		}
		return file, nil
	}
	root, err := moduleRoot()
	if err != nil {
		return "", err
	}
	file := filepath.Join(root, "bin", "test", inside)
	if err := build(root, name, platform, file); err != nil {
		return "", err
	}
	return file, look(root, name)
}

// moduleRoot returns the folder of go.mod.
func moduleRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOMOD: %w", err)
	}
	return filepath.Dir(string(bytes.TrimSpace(out))), nil
}

// build builds a program, unless what stands there is of these very sources: go
// build sees that by itself. Packages are tested side by side, so one waits for
// the other.
func build(root, name, platform, file string) error {
	system, architecture, _ := strings.Cut(platform, "-")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	unlock, err := lockedfile.MutexAt(file + ".lock").Lock()
	if err != nil {
		return err
	}
	defer unlock()
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", file, "./cmd/"+name)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+architecture)
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s for %s: %w\n%s", name, platform, err, said)
	}
	return nil
}

// look looks at every file that a program is made of. go test gives a result a
// second time unless a file has changed that the test looked at, and knows of no
// other ways in which a test depends on one.
func look(root, name string) error {
	const files = "{{if .Module}}{{if .Module.Main}}" +
		"{{range .GoFiles}}{{$.Dir}}/{{.}}\n{{end}}{{range .EmbedFiles}}{{$.Dir}}/{{.}}\n{{end}}" +
		"{{end}}{{end}}"
	list := exec.Command("go", "list", "-deps", "-f", files, "./cmd/"+name)
	list.Dir = root
	out, err := list.Output()
	if err != nil {
		return fmt.Errorf("go list ./cmd/%s: %w", name, err)
	}
	for file := range strings.FieldsFuncSeq(string(out), func(r rune) bool { return r == '\n' }) {
		if _, err := os.Stat(file); err != nil {
			return err
		}
	}
	return nil
}

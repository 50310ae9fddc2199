//go:build linux

package main

import (
	"bytes"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/islandbundle/island/cmd/internal/programs"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

const (
	maxSize = 8 << 20  // bytes of the stripped program
	maxRSS  = 30 << 10 // KiB of memory while it collects
)

// TestSmallAndStatic looks at the probe for both architectures as it is released.
func TestSmallAndStatic(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("wants the program built twice")
	}
	for _, architecture := range []string{"amd64", "arm64"} {
		platform := "linux-" + architecture
		file, err := programs.Path("island-probe", platform)
		if err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if info.Size() > maxSize {
			t.Errorf("%s: probe has %d bytes, at most %d", architecture, info.Size(), maxSize)
		}
		program, err := elf.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, header := range program.Progs {
			if header.Type == elf.PT_INTERP {
				t.Errorf("%s: probe is not static", architecture)
			}
		}
		program.Close()
		if platform == programs.Here {
			collectWith(t, file)
		}
	}
}

func collectWith(t *testing.T, file string) {
	t.Helper()
	cmd := exec.Command(file, "collect", "--name", "h1", "--path", t.TempDir())
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if f, err := facts.Read(bytes.NewReader(out)); err != nil || f.Name != "h1" || !f.Paths[0].Fsync.Known() {
		t.Errorf("facts are %+v, %v", f, err)
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok || usage.Maxrss > maxRSS {
		t.Errorf("probe took %d KiB, at most %d", usage.Maxrss, maxRSS)
	}
	t.Logf("probe took %d KiB", usage.Maxrss)
}

func TestWrongUsage(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		nil, {"unknown"}, {"collect", "--nonsense"}, {"collect", "more"}, {"collect", "--path", "relative"}, {"listen", "tcp:80"},
		{"listen", "--token", "x"}, {"listen", "--token", "x", "tcp:0x"}, {"listen", "--token", "x", "sctp:1"},
		{"dial", "host"}, {"session", "more"},
	} {
		if err := run(context.Background(), args, strings.NewReader(""), new(bytes.Buffer)); err != errUsage {
			t.Errorf("%q: error is %v", args, err)
		}
	}
}

// TestRemoveSelfRemovesNothingElse: --remove is for the folder that was made
// for the probe.
func TestRemoveSelfRemovesNothingElse(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "keep")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := run(context.Background(), []string{"session", "--remove", folder}, strings.NewReader(""), new(bytes.Buffer))
	if err == nil {
		t.Error("a folder that is not the probe's was taken")
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

// TestSessionEndsWithItsInput: a probe never outlives its connection.
func TestSessionEndsWithItsInput(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	done := make(chan error, 1)
	go func() {
		done <- run(context.Background(), []string{"session"}, strings.NewReader("{\"op\":\"clock\"}\nnonsense\n"), &out)
	}()
	select {
	case <-done:
	case <-time.After(5 * time.Minute): // hangs
		t.Fatal("session goes on without input")
	}
}

func TestCollectDoesNotOverwrite(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "facts.json")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := run(context.Background(), []string{"collect", "--no-fsync", "--path", "/", "--out", file}, strings.NewReader(""), new(bytes.Buffer))
	if data, _ := os.ReadFile(file); err == nil || string(data) != "mine" {
		t.Errorf("file is %q, %v", data, err)
	}
}

// TestCollectLeavesNoHalfFile lets the disk be full, as far as the probe sees: what
// it may write of a file is less than the facts take.
func TestCollectLeavesNoHalfFile(t *testing.T) {
	t.Parallel()
	probe, err := programs.Path("island-probe", programs.Here)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "facts.json")
	limited := `ulimit -f 1; exec "$0" "$@"` // one block of 512 bytes
	out, err := exec.Command("sh", "-c", limited, probe, "collect", "--no-fsync", "--path", "/", "--out", file).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), file) {
		t.Errorf("it ends with %v: %s", err, out)
	}
	left, err := os.ReadDir(folder)
	if err != nil || len(left) > 0 {
		t.Errorf("it left %v, %v", left, err)
	}
	if out, err := exec.Command(probe, "collect", "--no-fsync", "--path", "/", "--out", file).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if data, err := os.ReadFile(file); err != nil || !json.Valid(data) {
		t.Errorf("the facts are %q, %v", data, err)
	}
}

package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// tinyBundles builds bundles of releases that are called tools-0, tools-1 and so on.
func tinyBundles(t *testing.T, folder string, count int) {
	t.Helper()
	if err := os.Mkdir(filepath.Join(folder, "chart"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "chart", "Chart.yaml"), []byte("apiVersion: v2\nname: notes\nversion: 1.0.0\n"))
	write(t, filepath.Join(folder, "release.yaml"), []byte("apiVersion: island/v1\nkind: Release\n"+
		"metadata: {name: tools, version: 1.0.0, date: 2026-03-31, sequence: 5}\nplatforms: [linux/amd64]\n"+
		"charts: [{name: notes, path: chart}]\n"))
	for n := range count {
		run(t, folder, island, "build", "-f", "release.yaml", "--name", fmt.Sprintf("tools-%d", n), "--unsigned", "--without-tools",
			"--cache-dir", "cache", "-o", fmt.Sprintf("%d.tar", n))
	}
}

// sequencesIn reads what a site remembers, with other means than ours.
func sequencesIn(t *testing.T, file string) map[string]int {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var state struct {
		Accepted map[string][]struct{ Sequence int }
	}
	if err := json.Unmarshal(data, &state); err != nil {
		t.Fatal(err)
	}
	sequences := map[string]int{}
	for name, list := range state.Accepted {
		sequences[name] = list[len(list)-1].Sequence
	}
	return sequences
}

// However many programs verify at once, a site remembers what each of them has
// accepted.
func TestStateOfManyAtOnce(t *testing.T) {
	t.Parallel()
	const together = 30
	folder := t.TempDir()
	tinyBundles(t, folder, together)
	// Two names of one file have one lock.
	if err := os.Symlink("site.json", filepath.Join(folder, "link.json")); err != nil {
		t.Fatal(err)
	}
	run(t, folder, island, "verify", "0.tar", "--allow-unsigned", "--state", "site.json")
	var all sync.WaitGroup
	for n := range together {
		name := []string{"site.json", "link.json", filepath.Join(folder, "site.json")}[n%3]
		all.Go(func() {
			if _, said, err := try(t, folder, island, "verify", fmt.Sprintf("%d.tar", n), "--allow-unsigned", "--state", name); err != nil {
				t.Errorf("bundle %d: %v\n%s", n, err, said)
			}
		})
	}
	all.Wait()
	got := sequencesIn(t, filepath.Join(folder, "site.json"))
	if len(got) != together {
		t.Errorf("of %d releases %d are remembered: %v", together, len(got), got)
	}
	if info, err := os.Lstat(filepath.Join(folder, "link.json")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link became %v, %v", info, err)
	}
}

// waiting starts to verify a bundle with a state that another program holds, and
// returns once it has said for whom it waits.
func waiting(t *testing.T, folder string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(island, "verify", "0.tar", "--allow-unsigned", "--state", "site.json")
	cmd.Dir = folder
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "waiting for ") {
			go func() { // so that it can go on talking
				for lines.Scan() {
					continue
				}
			}()
			return cmd, lines.Text()
		}
	}
	t.Fatal("it ended, and said nothing of waiting")
	return nil, ""
}

// Who waits for a state says for whom, and can be interrupted; nothing is written.
func TestStateIsWaitedFor(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	tinyBundles(t, folder, 1)
	file, err := os.Create(filepath.Join(folder, "site.json.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if _, err := file.WriteString("process 4711 on \x1b[31masset-host\n"); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	cmd, line := waiting(t, folder)
	if !strings.HasSuffix(line, "asset-host, which is changing site.json") || !strings.Contains(line, "process 4711 on ") ||
		strings.Contains(line, "\x1b") {
		t.Errorf("it says %q", line)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var ended *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &ended) || ended.ExitCode() != 1 {
		t.Errorf("interrupted, it ended with %v", err)
	}
	if _, err := os.Stat(filepath.Join(folder, "site.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("interrupted, it wrote the state: %v", err)
	}
}

// A program that is killed while it holds the state holds up nobody.
func TestStateOfKilledProgram(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	tinyBundles(t, folder, 1)
	holder := exec.Command(tool(t, "flock"), "--no-fork", "site.json.lock", "sh", "-c", "echo held; exec cat")
	holder.Dir = folder
	pipe, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	stdout, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(stdout).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	cmd, line := waiting(t, folder)
	if !strings.Contains(line, "waiting for another program, which is changing site.json") {
		t.Errorf("it says %q", line)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait() // it was killed
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	if got := sequencesIn(t, filepath.Join(folder, "site.json")); got["tools-0"] != 5 {
		t.Errorf("it remembers %v", got)
	}
}

// Where a state cannot be kept, that is said before the bundle is read.
func TestStateThatCannotBeKept(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	tinyBundles(t, folder, 1)
	at := func(name string) string { return filepath.Join(folder, name) }
	if err := syscall.Mkfifo(at("fifo.json.lock"), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, at("elsewhere"), []byte("precious"))
	if err := os.Symlink("elsewhere", at("led.json.lock")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"/sys/site.json":            "/sys/site.json.lock: permission denied", // nobody may create a file there
		at("nowhere/site.json"):     "no such file or directory",
		at("fifo.json"):             "fifo.json.lock: this is no regular file, and so is no lock of a state file",
		at("led.json"):              "led.json.lock: too many levels of symbolic links",
		at("release.yaml/any.json"): "not a directory",
	} {
		_, said, err := try(t, folder, island, "verify", "0.tar", "--allow-unsigned", "--state", name)
		if err == nil || !strings.Contains(said, want) || !strings.Contains(said, "  hint: ") {
			t.Errorf("with %s: %v\n%s", name, err, said)
		}
	}
	if text, err := os.ReadFile(at("elsewhere")); err != nil || string(text) != "precious" {
		t.Errorf("what a link leads to is %q, %v", text, err)
	}
}

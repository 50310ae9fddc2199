package testsite

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/islandbundle/island/cmd/internal/programs"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/probe"
)

// TestMachinesThatThisKernelHasNot: the probe reads what /proc and /sys show on
// machines with LVM, RAID, ZFS, btrfs, NFS, bonds and VLANs, and the program judges
// what was saved of them. They are good, so that it finds nothing.
func TestMachinesThatThisKernelHasNot(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	archives, err := filepath.Glob("testdata/machines/*.txtar")
	if err != nil || len(archives) != 8 {
		t.Fatalf("%d machines, %v", len(archives), err)
	}
	for _, archive := range archives {
		name := strings.TrimSuffix(filepath.Base(archive), ".txtar")
		system := newMachine(t, "testdata/machine.txtar", archive).system()
		f, err := probe.Collect(t.Context(), system, probe.Request{Name: name, Sample: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		f.Network.Routes.Value = []facts.Route{} // those of the kernel that runs the test are no machine's
		data, err := json.Marshal(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+".json"), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r := judgedFacts(t, "--facts", folder, "--table", "table.yaml")
	if len(r.findings) > 0 || r.code != 0 || r.count("disk.size", "pass") != 8 {
		t.Errorf("findings are %q, exit code %d\n%s", r.findings, r.code, r.explain())
	}
	if r := judgedFacts(t, "--facts", folder, "--table", "guide"); r.code != 4 {
		t.Errorf("the guide, which wants three machines of each role, ends with exit code %d", r.code)
	}
}

// A machine is a tree of files, and what its kernel answers.
type machine struct {
	root      string
	sizes     map[string]syscall.Statfs_t // by mount
	addresses map[int][]facts.Address     // by index of the interface
}

// newMachine writes the tree that archives describe, the later ones over the
// earlier.
func newMachine(t *testing.T, archives ...string) *machine {
	t.Helper()
	m := &machine{root: t.TempDir(), sizes: map[string]syscall.Statfs_t{}, addresses: map[int][]facts.Address{}}
	for _, archive := range archives {
		parsed, err := txtar.ParseFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range parsed.Files {
			if err := m.add(file.Name, string(file.Data)); err != nil {
				t.Fatalf("%s: %s: %v", archive, file.Name, err)
			}
		}
	}
	return m
}

// add writes a file of the tree, or takes lines of what is none.
func (m *machine) add(name, text string) error {
	take, ok := map[string]func(first, rest string) error{
		"values":    func(name, value string) error { return m.write(name, value+"\n") }, // files of one line
		"links":     m.link,
		"statfs":    m.size,    // of what is mounted there: bytes, those that are free, inodes, those that are free
		"addresses": m.address, // by the index of the interface: prefix, permanent or dynamic
	}[name]
	if !ok {
		return m.write(name, text)
	}
	var flaws []error
	for line := range strings.Lines(text) {
		first, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		flaws = append(flaws, take(first, rest))
	}
	return errors.Join(flaws...)
}

func (m *machine) write(name, text string) error {
	path := filepath.Join(m.root, name)
	mode := os.FileMode(0o644)
	if strings.HasPrefix(name, "usr/bin/") {
		mode = 0o755
	}
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), mode))
}

func (m *machine) link(name, target string) error {
	path := filepath.Join(m.root, name)
	return errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(target, path))
}

func (m *machine) size(mount, numbers string) error {
	stat := syscall.Statfs_t{Bsize: 4096, Frsize: 4096}
	_, err := fmt.Sscan(numbers, &stat.Blocks, &stat.Bavail, &stat.Files, &stat.Ffree)
	stat.Blocks, stat.Bavail = stat.Blocks/4096, stat.Bavail/4096
	stat.Bfree = stat.Bavail
	m.sizes[mount] = stat
	// A mount is a folder.
	return errors.Join(err, os.MkdirAll(filepath.Join(m.root, mount), 0o755))
}

func (m *machine) address(index, text string) error {
	n, err := strconv.Atoi(index)
	prefix, life, _ := strings.Cut(text, " ")
	m.addresses[n] = append(m.addresses[n], facts.Address{Prefix: prefix, Dynamic: life != "permanent"})
	return err
}

// system is the machine as the probe sees it.
func (m *machine) system() probe.System {
	return probe.System{
		Root:     m.root,
		Version:  "test",
		Affinity: func() (int, error) { return 8, nil },
		StatFS: func(name string) (syscall.Statfs_t, error) {
			for ; ; name = filepath.Dir(name) {
				if stat, ok := m.sizes[name]; ok || name == "/" {
					return stat, nil
				}
			}
		},
		Fsync: func(context.Context, string, bool) (facts.Fsync, error) {
			return facts.Fsync{Runs: 5, Writes: 500, Bytes: 2300, Median: 0.4, MedianP99: 1.1, WorstP99: 1.9}, nil
		},
		ClockSync: func() (bool, float64, error) { return true, 0.004, nil },
		Addresses: func() (map[int][]facts.Address, error) { return m.addresses, nil },
		NFTables:  func() (int, error) { return 0, nil },
	}
}

// judgedFacts runs preflight on facts of the machines, which are on an island.
func judgedFacts(t *testing.T, args ...string) result {
	t.Helper()
	program, err := programs.Path("island", programs.Here)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, append([]string{"preflight", "--inventory", "testdata/machines/hosts.ini",
		"--site", "testdata/machines/site.yaml", "--output", "json", "--quiet"}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run()
	r := result{code: cmd.ProcessState.ExitCode(), stderr: stderr.String()}
	r.read(t, stdout.Bytes(), "")
	return r
}

package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/islandbundle/island/cmd/internal/programs"
)

var imageCount = regexp.MustCompile(`What happened\n  12 charts, (\d+) images, 3 files`)

// The demo is played wholly, with the program as it is released.
func TestDemo(t *testing.T) {
	island := program(t, "island")
	program(t, "island-probe") // preflight looks for it beside island
	dir := filepath.Join(t.TempDir(), "demo")
	for _, time := range []string{"first", "second"} {
		var out bytes.Buffer
		if err := demo(t.Context(), island, dir, &out); err != nil {
			t.Fatalf("%s time: %v\n%s", time, err, out.String())
		}
		told := out.String()
		for _, want := range []string{
			"$ export COSIGN_PASSWORD=demo\n",
			"$ island keygen\n",
			"$ island resolve -f release.yaml --mirrors mirrors.yaml\n",
			"$ island build island.lock.json --mirrors mirrors.yaml --key island.key --table demo\n",
			"$ island verify fixture-2026.1.0-amd64.tar --key island.pub\n",
			"needed by chart wire-server, Deployment/brig",
			"$ island verify tampered.tar --key island.pub\n",
			"# exit status 3",
			"$ island preflight -q --local --group demo --bundle fixture-2026.1.1-amd64.tar --key island.pub --html preflight.html\n",
			"table demo",
			"island: blobs/sha256/",
			"$ skopeo inspect oci-archive:" + dir + "/fixture-2026.1.0-amd64.tar:quay.io/wire/brig:5.30.9\n",
		} {
			if !strings.Contains(told, want) {
				t.Errorf("%s time: %q is not told in\n%s", time, want, told)
			}
		}
		if counted := imageCount.FindStringSubmatch(told); counted == nil || len(counted[1]) != 2 || counted[1] < "25" {
			t.Errorf("%s time: no release of 12 charts and 25 images or more in\n%s", time, told)
		}
		if strings.ContainsRune(told, '\x1b') {
			t.Errorf("%s time: colour where there is no terminal", time)
		}
	}
	try(t, recommended(t, island, dir))
}

// program returns where a program of the project is, built for this machine.
func program(t *testing.T, name string) string {
	t.Helper()
	file, err := programs.Path(name, programs.Here)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// recommended returns the commands of island that are recommended at the end.
func recommended(t *testing.T, island, dir string) []string {
	t.Helper()
	var out bytes.Buffer
	s := &stage{dir: dir, island: island, out: &out}
	if err := s.finale(); err != nil {
		t.Fatal(err)
	}
	var commands []string
	for line := range strings.Lines(out.String()) {
		if command, ok := strings.CutPrefix(line, "$ "); ok && strings.HasPrefix(command, island) {
			commands = append(commands, command)
		}
	}
	return commands
}

// try runs commands as a person would who copies them to a shell.
func try(t *testing.T, commands []string) {
	t.Helper()
	if len(commands) < 3 {
		t.Fatalf("%d commands of island are recommended, expected 3", len(commands))
	}
	for _, command := range commands {
		words := strings.Fields(command)
		if said, err := exec.CommandContext(t.Context(), words[0], words[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command, err, said)
		}
	}
}

func TestDemoFails(t *testing.T) {
	t.Parallel()
	script := func(body string) string {
		file := filepath.Join(t.TempDir(), "island")
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
		return file
	}
	for _, test := range []struct {
		fault, island, want string
	}{
		{"no such program", filepath.Join(t.TempDir(), "none"), "run make build first"},
		{"a command fails", script("exit 1"), "A key pair: island keygen: exit status 1, expected 0"},
		{"a later command fails", script(`test "$1" != resolve`), "island resolve: exit status 1, expected 0"},
		{"a bad archive is accepted", script("test $1 = build && echo archive > " + bundleFile + "; exit 0"),
			"island verify: exit status 0, expected 3"},
	} {
		t.Run(test.fault, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			err := demo(t.Context(), test.island, filepath.Join(t.TempDir(), "demo"), &out)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, expected %q", err, test.want)
			}
		})
	}
}

func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := demo(ctx, "/bin/true", filepath.Join(t.TempDir(), "demo"), new(bytes.Buffer)); err == nil {
		t.Error("an interrupted demo says that it went well")
	}
}

// A folder of somebody else's is left alone; one of the demo's is emptied.
func TestPrepare(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	precious := filepath.Join(dir, "precious")
	if err := os.WriteFile(precious, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := prepare(dir); err == nil {
		t.Error("a folder with somebody else's files was taken")
	}
	if _, err := os.Stat(precious); err != nil {
		t.Errorf("somebody else's file: %v", err)
	}

	dir = filepath.Join(dir, "new", "demo")
	if err := prepare(dir); err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(dir, "cache", "left")
	if err := os.MkdirAll(left, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := prepare(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != marker {
		t.Errorf("folder holds %v (%v), expected the marker alone", entries, err)
	}
}

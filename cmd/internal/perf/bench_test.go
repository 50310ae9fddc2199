//go:build linux

package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// What the kernel counts of a child is taken after its last byte.
func TestRunChild(t *testing.T) {
	t.Parallel()
	const count = 3 << 20
	file := filepath.Join(t.TempDir(), "file")
	shell := func(script string) command {
		return command{path: "/bin/sh", args: []string{"-c", script}, env: []string{"FILE=" + file}}
	}
	r, err := runChild(t.Context(), shell("head -c 3145728 /dev/zero > $FILE; echo done"))
	if err != nil {
		t.Fatal(err)
	}
	// The shell's own children count too, and little else is written.
	if r.written < count || r.written > count+4096 || r.read < count {
		t.Errorf("read %d and wrote %d bytes, expected %d each", r.read, r.written, count)
	}
	if string(r.stdout) != "done\n" || r.wall <= 0 || r.peak <= 0 {
		t.Errorf("result %+v", r)
	}
	if _, err := runChild(t.Context(), shell("echo why >&2; exit 4")); err == nil || !strings.Contains(err.Error(), "exit status 4: why") {
		t.Errorf("a child that fails: %v", err)
	}
}

func TestByteSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int64{"0": 0, "7": 7, "64KiB": 64 << 10, "512MiB": 512 << 20, "0.5GiB": 512 << 20, "2GiB": 2 << 30} {
		var b byteSize
		if err := b.Set(text); err != nil || int64(b) != want {
			t.Errorf("%q is %d (%v), expected %d", text, b, err, want)
		}
	}
	for _, text := range []string{"", "GiB", "-1", "2GB", "1e9GiB", "NaN"} {
		if err := new(byteSize).Set(text); err == nil {
			t.Errorf("%q was taken for a size", text)
		}
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	s := series{{wall: 9, peak: 1, written: 5}, {wall: 2, peak: 7, written: 4}, {wall: 4, peak: 3, written: 4}}
	if m := s.median(); m.wall != 4 || m.peak != 7 || m.written != 5 {
		t.Errorf("median %+v", m)
	}
	if fastest, slowest := s.extremes(); fastest != 2 || slowest != 9 {
		t.Errorf("extremes %v and %v", fastest, slowest)
	}
	if m := middle(s[:2], func(u usage) time.Duration { return u.wall }); m != 5 {
		t.Errorf("median of two %v", m)
	}
}

// A limit that is missed is said to be missed.
func TestReach(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		have, limit float64
		want        string
	}{
		{1.3, 1.3, "PASS"}, {1.31, 1.3, "MISS"}, {0.8, -0.8, "PASS"}, {0.79, -0.8, "MISS"},
	} {
		var out bytes.Buffer
		reach(&out, test.have, test.limit, "what")
		if !strings.HasPrefix(out.String(), test.want) {
			t.Errorf("%v against %v: %s", test.have, test.limit, out.String())
		}
	}
}

func TestRegistryName(t *testing.T) {
	t.Parallel()
	digest := "@sha256:" + strings.Repeat("0", 64)
	for name, want := range map[string]string{
		"quay.io/wire/brig:5.30.9":       "quay.io/wire/brig:5.30.9",
		"localhost:5000/a:1":             "localhost-5000/a:1",
		"quay.io/a/b:v1" + digest:        "quay.io/a/b" + digest,
		"docker.io/untergeek/x" + digest: "docker.io/untergeek/x" + digest,
	} {
		if have := registryName(name); have != want {
			t.Errorf("%s is asked for as %s, expected %s", name, have, want)
		}
	}
}

func TestEachInParallel(t *testing.T) {
	t.Parallel()
	done := make([]int, 100)
	if err := eachInParallel(3, len(done), func(i int, _ []byte) error { done[i]++; return nil }); err != nil {
		t.Fatal(err)
	}
	if slices.Min(done) != 1 || slices.Max(done) != 1 {
		t.Errorf("jobs were done %v times", done)
	}
	if err := eachInParallel(3, 9, func(i int, _ []byte) error {
		if i == 4 {
			return os.ErrInvalid
		}
		return nil
	}); err == nil {
		t.Error("an error of one job is lost")
	}
}

// hashMain has to fail where it cannot read: else it would be a fast floor.
func TestHashMain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, make([]byte, 9<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := hashMain(t.Context(), []string{file}); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for fault, err := range map[string]error{
		"interrupted": hashMain(ctx, []string{file}),
		"no file":     hashMain(t.Context(), []string{file + "x"}),
		"a folder":    hashMain(t.Context(), []string{filepath.Dir(file)}),
	} {
		if err == nil {
			t.Errorf("%s: no error", fault)
		}
	}
}

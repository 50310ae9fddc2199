//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// world is a fixture behind a server in a process of its own. Its layers are
// files, which the kernel sends (sendfile), so that serving costs little.
type world struct {
	dir    string
	url    string
	server *exec.Cmd
}

func (b *bench) startWorld(ctx context.Context, bytes int64, charts, images int) (*world, error) {
	w := &world{dir: filepath.Join(b.dir, fmt.Sprintf("world-%d", bytes))}
	if err := os.MkdirAll(w.dir, 0o755); err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "bench: making a world of %s in %d images\n", size(bytes), images)
	w.server = exec.CommandContext(ctx, b.server, "-out", w.dir, "-dir", filepath.Join(w.dir, "layers"),
		"-bytes", fmt.Sprint(bytes), "-charts", fmt.Sprint(charts), "-images", fmt.Sprint(images))
	w.server.Stderr = os.Stderr
	stdout, err := w.server.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.server.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		w.stop()
		return nil, fmt.Errorf("the fixture's server said no address: %w", err)
	}
	w.url = strings.TrimSpace(line)
	return w, nil
}

// stop ends the server and removes everything of the world.
func (w *world) stop() {
	_ = w.server.Process.Signal(os.Interrupt)
	_ = w.server.Wait() // it ends by a signal, or has ended
	_ = os.RemoveAll(w.dir)
}

func (w *world) lock() string    { return filepath.Join(w.dir, "island.lock.json") }
func (w *world) mirrors() string { return filepath.Join(w.dir, "mirrors.yaml") }
func (w *world) bundle() string  { return filepath.Join(w.dir, "bundle.tar") }

// contents are the counts that island itself tells of a lock.
type contents struct {
	Charts int   `json:"charts"`
	Images int   `json:"images"`
	Blobs  int   `json:"blobs"`
	Bytes  int64 `json:"bytes"`
}

// resolve makes the lock. The cache is emptied first if it is to be cold.
func (b *bench) resolve(ctx context.Context, w *world, cold bool) (usage, contents, error) {
	if cold {
		if err := os.RemoveAll(filepath.Join(b.dir, "cache")); err != nil {
			return usage{}, contents{}, err
		}
	}
	r, err := runChild(ctx, b.islandCommand("resolve", "-f", filepath.Join(w.dir, "release.yaml"),
		"--mirrors", w.mirrors(), "-o", w.lock(), "--output", "json"))
	if err != nil {
		return usage{}, contents{}, err
	}
	var c contents
	err = json.Unmarshal(r.stdout, &c)
	return r.usage, c, err
}

// build builds the bundle, from a lock and onto no older file.
func (b *bench) build(ctx context.Context, w *world) (usage, error) {
	if err := settle(w.bundle()); err != nil {
		return usage{}, err
	}
	r, err := runChild(ctx, b.islandCommand("build", w.lock(), "--mirrors", w.mirrors(), "--key", b.key+".key", "-o", w.bundle()))
	return r.usage, err
}

func (b *bench) verify(ctx context.Context, w *world) (usage, error) {
	r, err := runChild(ctx, b.islandCommand("verify", w.bundle(), "--key", b.key+".pub"))
	return r.usage, err
}

func (b *bench) floor(ctx context.Context, w *world) (usage, error) {
	out := filepath.Join(w.dir, "floor.bin")
	if err := settle(out); err != nil {
		return usage{}, err
	}
	r, err := runChild(ctx, command{path: b.self, args: []string{floorCommand, "-lock", w.lock(), "-registry", w.url, "-out", out}})
	if err != nil {
		return usage{}, err
	}
	return r.usage, os.Remove(out)
}

func (b *bench) hash(ctx context.Context, w *world) (usage, error) {
	r, err := runChild(ctx, command{path: b.self, args: []string{hashCommand, w.bundle()}})
	return r.usage, err
}

// settle removes what an earlier run wrote and lets the disk come to rest, so
// that no run pays for another's.
func settle(file string) error {
	if err := os.RemoveAll(file); err != nil {
		return err
	}
	syscall.Sync()
	return nil
}

//go:build linux

// Command bench measures island against the least that the machine could do,
// and against today's way.
//
//	go run ./cmd/internal/perf [-island bin/island] [-bytes 2GiB] [-repeat 3] [-today 512MiB] [-dir DIR]
//
// It makes worlds of package fixture, serves each from a process of its own,
// and runs the real binary. What is measured is always one child process: its
// wall time, processor time, peak memory, and what the kernel says it read and
// wrote. docs/benchmarks.md explains each figure.
//
// It prints what was reached and what was missed, and exits with 0 for both: a
// timed result depends on the machine, so it fails no build.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
)

// connections is island's own default for one host. The floor gets as many.
const connections = 4

// settings are what the command line says.
type settings struct {
	island string // the binary that is measured
	dir    string // where worlds and bundles are made
	bytes  int64  // of the world that is measured in full
	small  int64  // of the smaller and the larger world, for peak memory
	large  int64
	today  int64 // of the world that today's way is tried on, 0 to leave it out
	repeat int
	charts int
	images int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	// The floors are run as children of this same binary, to be measured in
	// the same way.
	if len(args) > 0 {
		switch args[0] {
		case floorCommand:
			return floorMain(ctx, args[1:])
		case hashCommand:
			return hashMain(ctx, args[1:])
		}
	}
	s := settings{bytes: 2 << 30, small: 512 << 20, large: 4 << 30, today: 512 << 20}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.StringVar(&s.island, "island", "bin/island", "the binary to measure")
	flags.StringVar(&s.dir, "dir", "", "folder to work in (default: a temporary one, removed at the end)")
	flags.Var((*byteSize)(&s.bytes), "bytes", "size of the world that is measured in full")
	flags.Var((*byteSize)(&s.small), "small", "size of a smaller world, to compare peak memory; 0 for none")
	flags.Var((*byteSize)(&s.large), "large", "size of a larger world, to compare peak memory; 0 for none")
	flags.Var((*byteSize)(&s.today), "today", "size of the world that skopeo, tar and gzip are tried on; 0 for none")
	flags.IntVar(&s.repeat, "repeat", 3, "repetitions, of which medians are taken")
	flags.IntVar(&s.charts, "charts", 50, "charts of each world")
	flags.IntVar(&s.images, "images", 150, "images of each world")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return err
	}
	if s.repeat < 1 || s.bytes <= 0 || flags.NArg() > 0 {
		return errors.New("wants -bytes and -repeat above 0, and no further arguments")
	}
	return s.bench(ctx)
}

func (s settings) bench(ctx context.Context) error {
	island, err := filepath.Abs(s.island)
	if err != nil {
		return err
	}
	if _, err := os.Stat(island); err != nil {
		return fmt.Errorf("%w; run make build first, or say -island", err)
	}
	s.island = island
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "island-bench-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		s.dir = dir
	}
	if s.dir, err = filepath.Abs(s.dir); err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return err
	}
	b := &bench{settings: s}
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	if err := b.prepare(ctx); err != nil {
		return err
	}
	if err := b.measure(ctx); err != nil {
		return err
	}
	b.report(os.Stdout)
	return nil
}

// prepare builds the server and makes a key pair.
func (b *bench) prepare(ctx context.Context) error {
	b.server = filepath.Join(b.dir, "serve")
	build := exec.CommandContext(ctx, "go", "build", "-o", b.server, "github.com/islandbundle/island/internal/fixture/serve")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the fixture's server: %w", err)
	}
	b.key = filepath.Join(b.dir, "bench")
	if _, err := os.Stat(b.key + ".key"); err == nil {
		return nil
	}
	_, err := runChild(ctx, b.islandCommand("keygen", "--key-name", b.key))
	return err
}

// islandCommand is a run of the measured binary, as a user would do it.
func (b *bench) islandCommand(args ...string) command {
	return command{
		path: b.island, args: append(args, "--quiet"),
		env: []string{"COSIGN_PASSWORD=bench", "XDG_CACHE_HOME=" + filepath.Join(b.dir, "cache")},
	}
}

// byteSize is a flag such as 512MiB or 2GiB.
type byteSize int64

func (b *byteSize) String() string { return fmt.Sprint(int64(*b)) }

func (b *byteSize) Set(text string) error {
	number, shift := text, 0
	for i, unit := range []string{"KiB", "MiB", "GiB"} {
		if rest, ok := strings.CutSuffix(text, unit); ok {
			number, shift = rest, 10*(i+1)
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	n *= float64(int64(1) << shift)
	if err != nil || !(n >= 0 && n <= 1<<50) { // neither is true of what is no number
		return fmt.Errorf("%q is not a size such as 512MiB", text)
	}
	*b = byteSize(n)
	return nil
}

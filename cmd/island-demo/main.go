// Command island-demo plays what a release engineer and a site do with island,
// on a small release that it makes itself and serves on this machine. It needs
// no network and no account, and runs the real program as a person would:
//
//	go run ./cmd/island-demo [--island bin/island] [--dir demo]
//
// What it makes stays in the folder, to go on from by hand. It exits with 1 if
// anything did not go as it should.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
)

// acts are what is played, in this order. Each is in a file of its name.
var acts = []act{keygen, resolve, build, verify, show, tamper, patch, preflight}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	island := flag.String("island", "bin/island", "the program to show")
	dir := flag.String("dir", "demo", "folder to play in; what an earlier demo left there is removed")
	flag.Parse()
	if err := demo(ctx, *island, *dir, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "island-demo:", err)
		stop()
		os.Exit(1)
	}
}

// demo plays all acts in a folder.
func demo(ctx context.Context, island, dir string, out io.Writer) error {
	binary, err := filepath.Abs(island)
	if err != nil {
		return err
	}
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("%w; run make build first, or say --island", err)
	}
	if !strings.ContainsRune(island, filepath.Separator) {
		island = "./" + island // as a shell wants it, in the commands that are told
	}
	if err := prepare(dir); err != nil {
		return err
	}
	s := &stage{dir: dir, island: island, binary: binary, out: out, style: styleFor(out)}
	if err := s.raise(ctx); err != nil {
		return err
	}
	for i, act := range acts {
		s.heading(i+1, len(acts), act)
		if err := act.play(ctx, s); err != nil {
			s.server.Close()
			return fmt.Errorf("%s: %w", act.title, err)
		}
	}
	if err := s.server.Close(); err != nil {
		return err
	}
	return s.finale()
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/islandbundle/island/internal/fixture"
)

// The files of the demo, in its folder.
const (
	releaseFile = "release.yaml"
	mirrorsFile = "mirrors.yaml"
	lockFile    = "island.lock.json"
	bundleFile  = "fixture-2026.1.0-amd64.tar" // as island names it by itself
	publicKey   = "island.pub"
	privateKey  = "island.key"
	marker      = ".island-demo" // tells a folder of the demo from any other
)

// passphrase of the demo's key. It is told to whoever watches.
const passphrase = "demo"

// act is one thing that a person does with island.
type act struct {
	title string
	why   string // a sentence or two
	play  func(context.Context, *stage) error
}

// stage is where acts are played: a folder, a world upstream, and a terminal
// or a file that they are told to.
type stage struct {
	dir    string // as the user said it
	island string // likewise
	binary string // absolute path of island
	out    io.Writer
	style  style
	server *fixture.Server
	took   map[string]time.Duration // by subcommand, of those that went well
}

// prepare makes an empty folder for the demo. It removes nothing but what a demo
// has made.
func prepare(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	case len(entries) > 0:
		if _, err := os.Lstat(filepath.Join(dir, marker)); err != nil {
			return fmt.Errorf("folder %s has files that are not the demo's; choose another with --dir", dir)
		}
		for _, entry := range entries {
			if entry.Name() == marker {
				continue // last, so that a clearing cut short can be done again
			}
			if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
				return err
			}
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, marker),
		[]byte("made by island-demo, which removes this folder's files when it runs again\n"), 0o644)
}

// release puts a release of the fixture upstream, in the place of the one that
// was there, and says in the mirrors file where it is.
func (s *stage) release(ctx context.Context, options fixture.Options) (*fixture.World, error) {
	world, err := fixture.New(ctx, options)
	if err != nil {
		return nil, err
	}
	server, err := world.Serve(ctx, fixture.ServeOptions{})
	if err != nil {
		return nil, err
	}
	if s.server != nil {
		s.server.Close()
	}
	s.server = server
	return world, os.WriteFile(s.path(mirrorsFile), world.MirrorsYAML(server.Addr()), 0o644)
}

// raise makes the world upstream and the two files that a release engineer
// would have written.
func (s *stage) raise(ctx context.Context) error {
	s.took = map[string]time.Duration{}
	world, err := s.release(ctx, fixture.Options{})
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.path(releaseFile), world.ReleaseYAML(), 0o644); err != nil {
		return err
	}
	s.say("%s", s.style.bold("island: a release in, one signed archive out, checked on the other side of the air gap"))
	s.say("")
	s.say("The internet is played by %s on this machine: registries, chart", s.server.URL())
	s.say("repositories and a file server. %s leads there, and nothing else is asked.", mirrorsFile)
	s.say("Every command is run in the folder %s, where its files stay.", s.dir)
	return nil
}

// path returns a file of the demo's folder.
func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

func (s *stage) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

func (s *stage) heading(number, of int, a act) {
	s.say("")
	s.say("%s", s.style.heading(fmt.Sprintf("%d/%d  %s", number, of, a.title)))
	s.say("%s", s.style.dim(a.why))
	s.say("")
}

// prompt shows a command line as a shell has it.
func (s *stage) prompt(words ...string) {
	line := strings.Join(words, " ")
	s.say("%s %s", s.style.prompt("$"), s.style.bold(line))
}

// comment shows a remark as a shell has it.
func (s *stage) comment(format string, args ...any) {
	s.say("%s", s.style.dim("# "+fmt.Sprintf(format, args...)))
}

// run runs island in the demo's folder, shows its command line and its output,
// and fails if it does not exit as expected.
func (s *stage) run(ctx context.Context, exit int, args ...string) error {
	_, err := s.runFor(ctx, []int{exit}, args...)
	return err
}

// runFor is run for a command that may exit in several ways, and tells how it
// did.
func (s *stage) runFor(ctx context.Context, exits []int, args ...string) (int, error) {
	s.prompt(append([]string{"island"}, args...)...)
	cmd := exec.CommandContext(ctx, s.binary, args...)
	// Ctrl-C reaches the program by itself; give it the time to clean up.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "COSIGN_PASSWORD="+passphrase, "XDG_CACHE_HOME="+s.absolute("cache"))
	// Both to one place: in order, and with progress bars if that is a terminal.
	cmd.Stdout, cmd.Stderr = s.out, s.out
	start := time.Now()
	err := cmd.Run()
	if ctx.Err() != nil {
		return 0, errors.New("interrupted")
	}
	if failed := (*exec.ExitError)(nil); err != nil && !errors.As(err, &failed) {
		return 0, err
	}
	have := cmd.ProcessState.ExitCode()
	if !slices.Contains(exits, have) {
		return have, fmt.Errorf("island %s: exit status %d, expected %d", args[0], have, exits[0])
	}
	if _, before := s.took[args[0]]; have == 0 && !before {
		s.took[args[0]] = time.Since(start)
	}
	return have, nil
}

func (s *stage) absolute(name string) string {
	path, err := filepath.Abs(s.path(name))
	if err != nil {
		return s.path(name)
	}
	return path
}

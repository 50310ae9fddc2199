//go:build linux

// Command island-probe reads facts off the host it runs on, and lets hosts try
// to speak to each other. It needs no root, changes nothing and judges
// nothing; `island preflight` sends it along, and where there is no SSH it is
// carried by hand.
package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/whole"
	"github.com/islandbundle/island/sizing/preflight/probe"
)

// version is set by the linker (make build).
var version = "dev"

// The heap of the probe is small; a limit keeps the collector from letting it
// grow beyond what docs/preflight.md promises.
const memoryLimit = 20 << 20

const help = `usage:
  island-probe collect [--name NAME] [--path PATH]... [--no-fsync] [--out FILE]
      read this host's facts and write them as JSON
  island-probe listen --token TOKEN [--address ADDRESS] [--for 1m] tcp:7000 udp:3478 ...
      open ports and answer everyone with the token
  island-probe dial --token TOKEN ADDRESS tcp:7000 udp:3478 ...
      try ports of another host where island-probe listens
  island-probe mtu ADDRESS ...
      measure the largest packet that passes
  island-probe session
      do what island preflight says on standard input
  island-probe version

Facts are read without root; run it with sudo to read the rest.
`

var errUsage = errors.New("wrong usage")

func main() {
	debug.SetMemoryLimit(memoryLimit)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout)
	stop()
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprint(os.Stderr, help)
		os.Exit(2)
	case err != nil:
		fmt.Fprintf(os.Stderr, "island-probe: %s\n", printable.Line(err.Error()))
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	system := probe.System{Version: "island-probe " + version}
	switch args[0] {
	case "collect":
		return collect(ctx, system, args[1:], out)
	case "listen":
		return listen(ctx, args[1:], out)
	case "dial":
		return dial(ctx, args[1:], out)
	case "mtu":
		return printJSON(out, probe.PathMTU(ctx, largestMTU(ctx, system), args[1:]))
	case "session":
		return session(ctx, system, args[1:], in, out)
	case "version", "--version":
		_, err := fmt.Fprintln(out, system.Version)
		return err
	case "help", "--help", "-h":
		_, err := io.WriteString(out, help)
		return err
	}
	return errUsage
}

func flags(name string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	return set
}

func collect(ctx context.Context, system probe.System, args []string, out io.Writer) error {
	var request probe.Request
	var file string
	set := flags("collect")
	set.StringVar(&request.Name, "name", "", "")
	set.StringVar(&file, "out", "", "")
	set.BoolVar(&request.NoFsync, "no-fsync", false, "")
	set.Func("path", "", func(path string) error {
		if !filepath.IsAbs(path) {
			return errUsage
		}
		request.Paths, request.Fsync = append(request.Paths, path), append(request.Fsync, path)
		return nil
	})
	if set.Parse(args) != nil || set.NArg() > 0 {
		return errUsage
	}
	document, err := probe.Collect(ctx, system, request)
	if err != nil {
		return err
	}
	if file == "" {
		return printJSON(out, document)
	}
	var text bytes.Buffer
	if err := printJSON(&text, document); err != nil {
		return err
	}
	return whole.Create(file, text.Bytes(), 0o644)
}

func listen(ctx context.Context, args []string, out io.Writer) error {
	set := flags("listen")
	token := set.String("token", "", "")
	address := set.String("address", "", "")
	duration := set.Duration("for", time.Minute, "")
	if set.Parse(args) != nil || *token == "" {
		return errUsage
	}
	ports, err := parsePorts(set.Args())
	if err != nil {
		return err
	}
	listeners, states := probe.Listen(*address, *token, ports)
	defer listeners.Close()
	if err := printJSON(out, states); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, min(*duration, time.Hour))
	defer cancel()
	<-ctx.Done()
	return nil
}

func dial(ctx context.Context, args []string, out io.Writer) error {
	set := flags("dial")
	token := set.String("token", "", "")
	if set.Parse(args) != nil || set.NArg() < 2 {
		return errUsage
	}
	ports, err := parsePorts(set.Args()[1:])
	if err != nil {
		return err
	}
	var targets []probe.Target
	for _, port := range ports {
		targets = append(targets, probe.Target{Port: port, Address: set.Arg(0), Token: *token})
	}
	return printJSON(out, probe.Dial(ctx, targets))
}

func parsePorts(args []string) ([]probe.Port, error) {
	var ports []probe.Port
	for _, arg := range args {
		protocol, number, ok := strings.Cut(arg, ":")
		port, err := strconv.ParseUint(number, 10, 16)
		if !ok || err != nil || protocol != "tcp" && protocol != "udp" {
			return nil, errUsage
		}
		ports = append(ports, probe.Port{Protocol: protocol, Port: int(port)})
	}
	if len(ports) == 0 {
		return nil, errUsage
	}
	return ports, nil
}

// largestMTU returns the largest of this host's interfaces; the kernel tells of
// a smaller one on the way out by itself.
func largestMTU(ctx context.Context, system probe.System) int {
	largest := 1500
	document, err := probe.Collect(ctx, system, probe.Request{Paths: []string{}, Sample: 1})
	if err == nil {
		for _, nic := range document.Network.Interfaces.Value {
			largest = max(largest, nic.MTU)
		}
	}
	return largest
}

// session serves the admin host. With --remove FOLDER the probe first takes
// itself off the disk, so that nothing stays behind even if it is killed.
func session(ctx context.Context, system probe.System, args []string, in io.Reader, out io.Writer) error {
	set := flags("session")
	folder := set.String("remove", "", "")
	since := set.String("since", "", "")
	if set.Parse(args) != nil || set.NArg() > 0 {
		return errUsage
	}
	if *folder != "" {
		if err := removeSelf(*folder); err != nil {
			return err
		}
	}
	system.Since = probe.ParseSince(*since)
	buffered := bufio.NewWriter(out)
	return probe.Serve(ctx, system, in, flusher{buffered})
}

// removeSelf removes the folder that was made for the probe, and nothing else:
// it must hold this very program and no other file.
func removeSelf(folder string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if filepath.Dir(self) != filepath.Clean(folder) {
		return fmt.Errorf("%s is not where this program stands", folder)
	}
	return errors.Join(os.Remove(self), os.Remove(folder))
}

type flusher struct{ *bufio.Writer }

func (f flusher) Write(data []byte) (int, error) {
	n, err := f.Writer.Write(data)
	return n, errors.Join(err, f.Flush())
}

func printJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}

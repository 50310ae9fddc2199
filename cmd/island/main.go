// Command island builds and checks signed, air-gapped bundles for installations
// without internet. `island help` lists the commands.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/islandbundle/island/charts/sandbox"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests/fault"
)

// softMemory is from how many bytes on Go collects garbage more often than it
// would: what hostile documents leave behind does not pile up on what is kept.
const softMemory = 512 << 20

func main() {
	sandbox.Main() // before all else: this process may be a worker that looks into a chart
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(softMemory)
	}
	os.Exit(run())
}

// run does one command and gives the exit code. Ctrl-C, SIGTERM and the end of the
// terminal cancel the work, which then cleans up after itself; a second signal ends
// the process.
func run() int {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as it is below nohup
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	defer stop()
	context.AfterFunc(ctx, stop)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	writeErrors()
	failed := func(err error) {
		if isBrokenPipe(err) {
			cancel() // nobody waits for the rest
		}
	}
	app := newApp(os.Stdout, os.Stderr, failed)
	err := app.run(ctx, os.Args[1:])
	if isBrokenPipe(err) {
		app.endByBrokenPipe()
	}
	if err != nil {
		printError(app.err, err)
	}
	return fault.ExitCode(err)
}

// cleanup is how long the work may take to clean up after Ctrl-C. What takes longer
// waits for what cannot be told to stop, such as opening a pipe that nobody writes
// to, or reading from a server that is gone; nothing is lost by leaving it. Where
// hosts have to be cleaned up, too, a command takes longer (see [app.allowCleanup]).
const cleanup = 2 * time.Second

// allowCleanup gives what runs from now on so much time to clean up.
func (a *app) allowCleanup(time time.Duration) { a.cleanup.Store(int64(time)) }

// run does the command that some arguments name, and reports also what it could not
// print.
func (a *app) run(ctx context.Context, args []string) error {
	a.allowCleanup(cleanup)
	if err := dashesOfTexts(args); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		command := a.command()
		helpSaysWhatThereIs(command)
		command.SetArgs(args)
		done <- command.ExecuteContext(ctx)
	}()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		select {
		case err = <-done:
		case <-time.After(time.Duration(a.cleanup.Load())):
			err = ctx.Err()
		}
	}
	lost := a.lost()
	switch {
	case lost == nil:
		return err
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, a.out.Err()), errors.Is(err, a.err.Err()):
		return lost
	}
	return err // which weighs more than that not all of it was told
}

// maxTold is how many errors a person is told of: a document of some kilobytes can
// bring hundreds of thousands.
const maxTold = 1000

// printError tells a person everything that is wrong: each error a lowercase
// sentence, its hint on a line of its own. What stands in several lines stands
// behind an indent, so that no text from outside looks like another message.
func printError(w *printable.Printer, err error) {
	if errors.Is(err, context.Canceled) {
		w.Printf("island: interrupted\n")
		return
	}
	flaws := fault.All(err)
	// What an upper layer wrapped around a single error says where it happened.
	if len(flaws) < 2 {
		w.Block("island: ", fault.Plain(err.Error()), "    ")
		for _, flaw := range flaws {
			printHint(w, flaw)
		}
		return
	}
	for _, flaw := range flaws[:min(len(flaws), maxTold)] {
		w.Block("island: ", flaw.Error(), "    ")
		printHint(w, flaw)
	}
	if len(flaws) > maxTold {
		w.Printf("island: %d errors, of which the first %d are told\n", len(flaws), maxTold)
		return
	}
	w.Printf("island: %d errors\n", len(flaws))
}

func printHint(w *printable.Printer, flaw *fault.Error) {
	if flaw.Hint != "" {
		w.Block("  hint: ", flaw.Hint, "    ")
	}
}

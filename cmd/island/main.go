// Command island builds and checks signed, air-gapped bundles for installations
// without internet. `island help` lists the commands.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/islandbundle/island/charts/sandbox"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests/fault"
)

func main() {
	sandbox.Main() // before all else: this process may be a worker that looks into a chart
	os.Exit(run())
}

// run does one command and gives the exit code. Ctrl-C and SIGTERM cancel the
// work, which then cleans up after itself; a second one ends the process.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	app := &app{out: os.Stdout, err: os.Stderr}
	root := app.command()
	helpSaysWhatThereIs(root)
	err := root.ExecuteContext(ctx)
	if err != nil {
		printError(os.Stderr, err)
	}
	return fault.ExitCode(err)
}

// printError tells a person everything that is wrong: each error a lowercase
// sentence, its hint on a line of its own.
func printError(w io.Writer, err error) {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(w, "island: interrupted")
		return
	}
	flaws := fault.All(err)
	if len(flaws) == 0 {
		fmt.Fprintf(w, "island: %s\n", printable.Text(err.Error()))
		return
	}
	// What an upper layer wrapped around a single error says where it happened.
	if len(flaws) == 1 {
		fmt.Fprintf(w, "island: %s\n", printable.Text(err.Error()))
		printHint(w, flaws[0])
		return
	}
	for _, flaw := range flaws {
		fmt.Fprintf(w, "island: %s\n", printable.Text(flaw.Error()))
		printHint(w, flaw)
	}
	fmt.Fprintf(w, "island: %d errors\n", len(flaws))
}

func printHint(w io.Writer, flaw *fault.Error) {
	if flaw.Hint != "" {
		fmt.Fprintf(w, "  hint: %s\n", printable.Text(flaw.Hint))
	}
}

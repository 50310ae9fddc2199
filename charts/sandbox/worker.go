package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strconv"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests/fault"
)

// workerArgument makes a program that calls [Main] a worker. No command line
// that a person would type has it.
const workerArgument = "island-sandbox-worker\x01"

// maxStack bounds the stack of one goroutine in a worker, in bytes: a template
// that calls itself ends there rather than at Go's own bound of 1 GB.
const maxStack = 64 << 20

// Main makes the process a worker and does not return, if a [Pool] started it;
// else it does nothing. Call it before anything else, flags included.
func Main() { mainWith(reply) }

// mainWith is [Main] with another way to reply, which tests have.
func mainWith(reply func(request, *bufio.Writer) (spent bool, err error)) {
	if len(os.Args) != 4 || os.Args[1] != workerArgument {
		return
	}
	memory, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil {
		os.Exit(2)
	}
	os.Clearenv()
	debug.SetMaxStack(maxStack)
	// Rendering makes much garbage and keeps little: collecting less often saves
	// time. The soft limit makes the collector work harder before the hard one ends
	// the process.
	debug.SetGCPercent(400)
	debug.SetMemoryLimit(memory / 4 * 3)
	lacks, err := confine(split(os.Args[3]), uint64(memory))
	if err != nil {
		fmt.Fprintln(os.Stderr, "sandbox: limits cannot be set:", err)
		os.Exit(1)
	}
	// Only now may a byte of a chart be read.
	if err := serve(os.Stdin, os.Stdout, os.Exit, lacks, reply); err != nil {
		fmt.Fprintln(os.Stderr, "sandbox:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// serve answers requests. When there are no more, the parent has ended, whether
// it could say so or not: exit is called even while a template is running.
func serve(
	from io.Reader, to io.Writer, exit func(int), lacks missing, reply func(request, *bufio.Writer) (bool, error),
) error {
	in, out := bufio.NewReaderSize(from, 1<<16), bufio.NewWriterSize(to, 1<<16)
	if err := errors.Join(send(out, ready{lacks}, maxAnswer), out.Flush()); err != nil {
		return err
	}
	requests := make(chan request)
	go func() {
		for {
			var asked request
			if err := receive(in, &asked, maxRequest); errors.Is(err, io.EOF) {
				exit(0)
			} else if err != nil {
				fmt.Fprintln(os.Stderr, "sandbox:", err)
				exit(1)
			}
			requests <- asked
		}
	}()
	for asked := range requests {
		spent, err := reply(asked, out)
		if err != nil {
			return err
		}
		if spent {
			return nil // a template is still running, and Go cannot stop it
		}
	}
	return nil
}

// reply does the work on one chart. It reports whether the worker is of no more
// use.
func reply(asked request, out *bufio.Writer) (spent bool, err error) {
	var hello greeting
	chart, loadErr := charts.Load(asked.Archive)
	if loadErr == nil {
		hello.Chart = chart.Metadata()
	}
	if err := errors.Join(send(out, hello, maxAnswer), out.Flush()); err != nil {
		return false, err
	}
	said := answer{}
	if loadErr != nil {
		encodeError(loadErr, &said)
	} else {
		said = look(chart, asked.Options)
	}
	err = send(out, said, maxAnswer)
	if errors.Is(err, errMuch) {
		short := answer{Discovery: charts.Discovery{Chart: hello.Chart}, Spent: said.Spent}
		encodeError(fault.New(fault.Failure, fault.Upstream, "chart "+hello.Chart.String(),
			"no real chart comes near: a template of this one makes objects in a loop", "%w", err), &short)
		err = send(out, short, maxAnswer)
	}
	return said.Spent, errors.Join(err, out.Flush())
}

func look(chart *charts.Chart, options charts.DiscoverOptions) answer {
	var said answer
	var err error
	said.Discovery, err = chart.Discover(context.Background(), options)
	encodeError(err, &said)
	said.Spent = errors.Is(err, charts.ErrRenderTime)
	return said
}

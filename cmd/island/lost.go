package main

import (
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests/fault"
)

// lost returns an error for what could not be printed, if anything could not: a
// result that has not arrived is no success.
func (a *app) lost() error {
	var errs []error
	for _, stream := range []struct {
		name string
		err  error
	}{{"standard output", a.out.Close()}, {"standard error", a.err.Close()}} {
		errs = append(errs, fault.OnDisk(stream.err, stream.name, "what was printed is not whole; print it elsewhere"))
	}
	return errors.Join(errs...)
}

// writeErrors lets writing report errors for which the system would end the process
// as it stands: a pipe whose reader has gone, and a file that is larger than the user
// may write (ulimit -f). Programs that are started get both signals as ever.
func writeErrors() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE, syscall.SIGXFSZ) }

// endByBrokenPipe ends the process as tools end whose reader has read enough, such as
// head: quietly, by SIGPIPE, if one of the streams has lost its reader. By now the
// work has been cleaned up.
func (a *app) endByBrokenPipe() {
	signal.Reset(syscall.SIGPIPE)
	for _, stream := range []*printable.Printer{a.out, a.err} {
		if file, ok := stream.File(); ok && isBrokenPipe(stream.Err()) {
			_, _ = file.WriteString("\n") // at which the runtime raises the signal (package os/signal, SIGPIPE)
		}
	}
}

// isBrokenPipe reports whether whoever reads what is printed has gone.
func isBrokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

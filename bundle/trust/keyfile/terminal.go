package keyfile

import (
	"context"
	"errors"
	"fmt"
	"os"

	"golang.org/x/term"
)

// ErrNoTerminal means that the process has no terminal to ask a person on.
var ErrNoTerminal = errors.New("no controlling terminal")

// AskTerminal asks on the controlling terminal, whatever standard input and
// output are, and does not show what is typed. When ctx ends it gives the
// terminal back as it was and returns ctx's error; the line being typed is then
// lost. Without a terminal the error wraps [ErrNoTerminal].
func AskTerminal(ctx context.Context, question string) ([]byte, error) {
	tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoTerminal, err)
	}
	fd := int(tty.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		tty.Close()
		return nil, fmt.Errorf("%w: %w", ErrNoTerminal, err)
	}
	fmt.Fprint(tty, question)

	type answer struct {
		line []byte
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		line, err := term.ReadPassword(fd)
		done <- answer{line, err}
	}()
	select {
	case got := <-done:
		fmt.Fprintln(tty) // the person's own line break was not shown
		tty.Close()
		return got.line, got.err
	case <-ctx.Done():
		// The read cannot be ended, so the file stays open for it.
		_ = term.Restore(fd, before)
		fmt.Fprintln(tty)
		return nil, ctx.Err()
	}
}

package printable

import (
	"fmt"
	"io"
	"os"
	"sync"
	"unicode/utf8"
)

// A Printer writes lines of a program to a person or another program. Nothing that
// it is given reaches a terminal as anything but text, and what is put into a line
// stays in that line. It remembers the first write that failed, so that no caller
// need ask each time: what was printed has arrived if [Printer.Close] says so.
//
// It is safe for use by several goroutines.
type Printer struct {
	mu     sync.Mutex
	w      io.Writer
	rest   []byte // the start of a character whose end was not written yet
	err    error
	failed func(error) // told of the first error, while mu is held
}

// NewPrinter returns a Printer on w. failed, unless it is nil, is told of the first
// write that fails, since whatever is still to be printed is then lost.
func NewPrinter(w io.Writer, failed func(error)) *Printer { return &Printer{w: w, failed: failed} }

// Printf prints as [fmt.Printf] does, but that each argument is one line of
// printable characters, whatever its type. Line breaks are those of the format.
func (p *Printer) Printf(format string, args ...any) {
	for i := range args {
		args[i] = argument{args[i]}
	}
	fmt.Fprintf(p, format, args...)
}

// Block prints a text of several lines, each but the first behind an indent (see
// [Block]), and a line break.
func (p *Printer) Block(head, text, indent string) {
	fmt.Fprint(p, head, Block(text, indent), "\n")
}

// Write prints the program's own text of several lines, as [Text] makes it. After an
// error it prints nothing more, and returns that error.
func (p *Printer) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := append(p.rest, data...)
	whole := len(text) - len(openEnd(text))
	p.rest = append([]byte(nil), text[whole:]...)
	p.write(text[:whole])
	if p.err != nil {
		return 0, p.err
	}
	return len(data), nil
}

func (p *Printer) write(text []byte) {
	if p.err != nil || len(text) == 0 {
		return
	}
	if _, p.err = io.WriteString(p.w, Text(string(text))); p.err != nil && p.failed != nil {
		p.failed(p.err)
	}
}

// Close prints what is left, and returns the first error of all. What the Printer
// prints on stays open.
func (p *Printer) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write(p.rest)
	p.rest = nil
	return p.err
}

// Err returns the first error of all so far.
func (p *Printer) Err() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.err
}

// File returns the file that is printed on, if it is one: for what draws on a terminal
// with codes of its own, which has to make what it draws printable by itself.
func (p *Printer) File() (*os.File, bool) {
	file, ok := p.w.(*os.File)
	return file, ok
}

// openEnd returns the last bytes of a text if they start a character and more of it
// is to come.
func openEnd(text []byte) []byte {
	for n := 1; n <= min(utf8.UTFMax-1, len(text)); n++ {
		if end := text[len(text)-n:]; utf8.RuneStart(end[0]) {
			if !utf8.FullRune(end) {
				return end
			}
			return nil
		}
	}
	return nil
}

// argument is formatted as its value is, and then made one line.
type argument struct{ value any }

func (a argument) Format(f fmt.State, verb rune) {
	io.WriteString(f, Line(fmt.Sprintf(fmt.FormatString(f, verb), a.value))) //nolint:errcheck // it goes to memory
}

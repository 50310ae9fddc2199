// Package fault holds the one error type that reaches people.
//
// Everything that can go wrong is told in the same shape: what went wrong, on
// which side of the air gap the cause lies, where in which file, and what to
// do next. The exit code of the process follows from the error's [Kind] and
// from nothing else.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what an error means to whoever called the program. Its numeric
// value is the exit code, a documented contract.
type Kind int

// The exit codes. 0 is success.
const (
	Failure         Kind = 1 // the work could not be done
	Usage           Kind = 2 // the command line, or a document given on it, is wrong
	Refused         Kind = 3 // a signature, digest or policy refused the content
	PreflightFailed Kind = 4 // a machine does not meet the requirements
	Unmeasured      Kind = 5 // preflight could not measure something
)

// Side says where the cause lies, so that a person knows whom to ask.
type Side string

// The sides an error can be on.
const (
	Here     Side = "this machine" // disk, memory, permissions, flags, documents
	Upstream Side = "upstream"     // a registry, chart repository or file server
	Site     Side = "site"         // the island: its machines and its bundle
)

// Place is a position in a document. Line and Column count from 1; 0 means
// unknown.
type Place struct {
	File   string
	Line   int
	Column int
	Field  string // path in the document, such as charts[3].version
}

// String returns "file:line:column: field", leaving out what is not known.
func (p Place) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
		if p.Column > 0 {
			fmt.Fprintf(&b, ":%d", p.Column)
		}
	}
	if p.Field != "" {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(p.Field)
	}
	return b.String()
}

// Error is an error with its kind, side, place and a hint. Err is a lowercase
// sentence without a full stop; Hint, if any, says what to do next.
type Error struct {
	Kind   Kind
	Side   Side
	Place  Place
	Object string // the chart, image, blob, host … concerned
	Err    error
	Hint   string
}

// Error returns "place: object: cause", without the hint, and as [Plain] has it.
func (e *Error) Error() string {
	var parts []string
	if s := e.Place.String(); s != "" {
		parts = append(parts, s)
	}
	if e.Object != "" {
		parts = append(parts, e.Object)
	}
	if e.Err != nil {
		parts = append(parts, Plain(e.Err.Error()))
	}
	return strings.Join(parts, ": ")
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes an error of a kind on a side about an object.
func New(kind Kind, side Side, object, hint, format string, args ...any) *Error {
	return &Error{Kind: kind, Side: side, Object: object, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// At makes a Usage error about a place in a document.
func At(place Place, hint, format string, args ...any) *Error {
	return &Error{Kind: Usage, Side: Here, Place: place, Hint: hint, Err: fmt.Errorf(format, args...)}
}

// Counted returns a number with the words for it: "1 file", "2 files".
func Counted[N int | int64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// Explain adds an object and a hint to an error that has none of its own, and
// leaves one that is already explained as it is.
func Explain(err error, kind Kind, side Side, object, hint string) error {
	if err == nil {
		return nil
	}
	if explained := (*Error)(nil); errors.As(err, &explained) {
		return err
	}
	return &Error{Kind: kind, Side: side, Object: object, Hint: hint, Err: err}
}

// ExitCode returns the exit code for an error. Of several joined errors the
// gravest decides: a refusal before a failure, a failure before usage.
func ExitCode(err error) int {
	if err == nil {
		return 0
	}
	worst := Kind(0)
	for _, e := range All(err) {
		if rank(e.Kind) > rank(worst) {
			worst = e.Kind
		}
	}
	if worst == 0 {
		worst = Failure
	}
	return int(worst)
}

func rank(k Kind) int {
	switch k {
	case Refused:
		return 5
	case Failure:
		return 4
	case PreflightFailed:
		return 3
	case Unmeasured:
		return 2
	case Usage:
		return 1
	default:
		return 0
	}
}

// All returns every explained error in a tree of joined and wrapped errors, in
// order. Causes below an explained error are not looked at. Of several joined
// errors, one that nobody explained counts as a failure on this machine, so
// that it is not lost among the others.
func All(err error) []*Error {
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case nil:
		return nil
	case *Error:
		return []*Error{e}
	case interface{ Unwrap() []error }:
		var all []*Error
		for _, sub := range e.Unwrap() {
			explained := All(sub)
			if explained == nil {
				explained = []*Error{{Kind: Failure, Side: Here, Err: sub}}
			}
			all = append(all, explained...)
		}
		return all
	case interface{ Unwrap() error }:
		return All(e.Unwrap())
	default:
		return nil
	}
}

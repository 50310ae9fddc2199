package fault

import "errors"

// Flaws collects what is wrong with a document, so that whoever wrote it is told
// all of it at once. The zero value names no file and keeps every flaw.
type Flaws struct {
	File string // that [Flaws.Want] names
	Most int    // flaws that are kept; all if 0

	list []error
}

// Add keeps a flaw, a Usage error, of a place.
func (f *Flaws) Add(place Place, hint, format string, args ...any) {
	if !f.Full() {
		f.list = append(f.list, At(place, hint, format, args...))
	}
}

// Full reports whether no more flaws are kept.
func (f *Flaws) Full() bool { return f.Most != 0 && len(f.list) >= f.Most }

// Want keeps a flaw of a field of the file, unless what it says is so.
func (f *Flaws) Want(ok bool, field, hint, format string, args ...any) {
	if !ok {
		f.Add(Place{File: f.File, Field: field}, hint, format, args...)
	}
}

// Any reports whether there is a flaw.
func (f *Flaws) Any() bool { return len(f.list) > 0 }

// Err returns all flaws as one error, nil if there is none. [All] lists them.
func (f *Flaws) Err() error { return errors.Join(f.list...) }

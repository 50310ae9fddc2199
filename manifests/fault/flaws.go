package fault

import (
	"cmp"
	"errors"
	"slices"
)

// MaxFlaws is how many flaws of a document are told, unless a collector says less. A
// small text can have hundreds of thousands, which nobody reads.
const MaxFlaws = 100

// Flaws collects what is wrong with a document, so that whoever wrote it is told
// all of it at once. The zero value names no file, keeps [MaxFlaws] and tells how
// many more there are.
type Flaws struct {
	File string // that [Flaws.Want] names
	Most int    // flaws that are kept, without a word on others; [MaxFlaws] if 0

	list []error
	more int
}

// Add keeps a flaw, a Usage error, of a place.
func (f *Flaws) Add(place Place, hint, format string, args ...any) {
	if f.Full() {
		f.more++
		return
	}
	f.list = append(f.list, At(place, hint, format, args...))
}

// Full reports whether no more flaws are kept.
func (f *Flaws) Full() bool { return len(f.list) >= cmp.Or(f.Most, MaxFlaws) }

// Want keeps a flaw of a field of the file, unless what it says is so.
func (f *Flaws) Want(ok bool, field, hint, format string, args ...any) {
	if !ok {
		f.Add(Place{File: f.File, Field: field}, hint, format, args...)
	}
}

// Any reports whether there is a flaw.
func (f *Flaws) Any() bool { return len(f.list) > 0 }

// Err returns all flaws that were kept as one error, nil if there is none. [All]
// lists them, and last how many more there are.
func (f *Flaws) Err() error {
	if f.Most != 0 || f.more == 0 {
		return errors.Join(f.list...)
	}
	place := Place{File: All(f.list[0])[0].Place.File}
	more := At(place, "mend these first", "%s not listed", Counted(f.more, "more flaw is", "more flaws are"))
	return errors.Join(append(slices.Clip(f.list), more)...)
}

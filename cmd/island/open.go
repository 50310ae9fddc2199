package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// opened is a file that can be read at any offset, and what it is. Every command
// that is given a bundle, or what may be given in place of one, opens it here.
type opened struct {
	*os.File
	name string
	size int64
	form form // one of those that were wanted

	unlike bool // nothing in it is like a bundle, though that may be damage
}

// open opens a file that has to be a bundle, or of one of the other forms that
// are taken in its place. If it is recognised as something else, the error says
// as what, and what to do with it: that is a mistake in usage. What is not
// recognised is taken for what it is most like, and refused by what reads that.
func open(name string, others ...form) (*opened, error) {
	wanted := append([]form{aBundle}, others...)
	file, size, err := openRegular(name, wanted)
	if err != nil {
		return nil, err
	}
	f := &opened{File: file, name: name, size: size}
	if err := f.recognise(wanted); err != nil {
		file.Close()
		return nil, err
	}
	return f, nil
}

func (f *opened) recognise(wanted []form) error {
	head, err := readHead(io.NewSectionReader(f.File, 0, f.size))
	if err != nil {
		return fault.Explain(err, fault.Failure, fault.Here, f.name, "")
	}
	f.form = recognise(head)
	if f.form == notRecognised && isObject(head) { // its fields may be sorted, and the kind far behind
		f.form = formOfJSON(io.NewSectionReader(f.File, 0, min(f.size, manifests.MaxLockBytes)))
	}
	if !slices.Contains(wanted, f.form) && f.isLeftOfBundle() {
		f.form = aBundle
	}
	if f.form == notRecognised {
		f.form = f.mostLike(head, wanted)
		f.unlike = !hasSignOfBundle(head)
	}
	return f.form.check(f.name, wanted...)
}

// isLeftOfBundle reports whether what was recognised by its start may be what is
// left of a bundle: one that has lost its first block starts with its bundle.json, and
// one that was packed anew may start with its image layout.
func (f *opened) isLeftOfBundle() bool {
	all := io.NewSectionReader(f.File, 0, f.size)
	if f.form == anImages {
		return hasEntry(all, bundle.InventoryPath)
	}
	return !f.form.isAllOf(io.LimitReader(all, bundle.MaxInventoryBytes))
}

// mostLike says what to take a file for that was not recognised. In doubt it is
// a bundle, which is then refused, for it may have been one.
func (f *opened) mostLike(head []byte, wanted []form) form {
	for _, like := range []form{aRelease, aLock, anInventory} {
		if slices.Contains(wanted, like) && (isObject(head) || like == aRelease && isText(head)) {
			return like
		}
	}
	switch {
	case isObject(head) && isJSON(io.NewSectionReader(f.File, 0, min(f.size, manifests.MaxLockBytes))):
		return aJSON
	case isText(head) && !isObject(head):
		return aText
	}
	return aBundle
}

// isObject reports whether a file starts as a JSON object does.
func isObject(head []byte) bool { return isText(head) && bytes.HasPrefix(head, []byte("{")) }

// readHead reads what is needed to recognise a file.
func readHead(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, headBytes))
}

// bundle opens the file as a bundle. It has to be closed after the bundle's last
// use.
func (f *opened) bundle(trust bundle.Trust) (*bundle.Bundle, error) {
	b, err := bundle.Open(f.File, f.size, trust)
	return b, f.explain(err)
}

// explain gives a refusal a better hint than to get the bundle again, where the
// file's name has one.
func (f *opened) explain(err error) error {
	hint := hintOfName(f.name)
	if hint == "" && f.unlike {
		hint = "nothing in it is like a bundle: was another file meant? if it is the right one, it was damaged on the way"
	}
	refusal := (*fault.Error)(nil)
	if hint == "" || !errors.As(err, &refusal) || refusal.Kind != fault.Refused {
		return err
	}
	return &fault.Error{Kind: refusal.Kind, Side: refusal.Side, Err: err, Hint: hint}
}

// lock reads the file as a lock.
func (f *opened) lock() (*manifests.Lock, error) {
	data, err := f.content(manifests.MaxLockBytes)
	if err != nil {
		return nil, err
	}
	return manifests.ReadLock(f.name, data)
}

// release reads the file as a release or a Wire build.json.
func (f *opened) release() (*manifests.Release, error) {
	data, err := f.content(manifests.MaxLockBytes)
	if err != nil {
		return nil, err
	}
	return manifests.Read(f.name, data)
}

// base reads the file as the bundle.json out of a bundle; errors name the file.
func (f *opened) base() (*bundle.Base, error) {
	data, err := f.content(bundle.MaxInventoryBytes)
	if err != nil {
		return nil, err
	}
	base, err := bundle.ReadBase(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return base, nil
}

// content reads the whole file, of at most limit bytes.
func (f *opened) content(limit int64) ([]byte, error) {
	return readAtMost(io.NewSectionReader(f.File, 0, f.size), f.name, limit)
}

// openBundle opens a bundle, one of several that a command is given: errors
// name the file.
func openBundle(name string, trust bundle.Trust) (*bundle.Bundle, func() error, error) {
	file, err := open(name)
	if err != nil {
		return nil, nil, err
	}
	return file.opened(trust)
}

// opened opens the file as a bundle; errors name the file. What closes it is given
// with the bundle.
func (f *opened) opened(trust bundle.Trust) (*bundle.Bundle, func() error, error) {
	b, err := f.bundle(trust)
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("%s: %w", f.name, err)
	}
	return b, f.Close, nil
}

// openStream looks at the start of a stream that has to be a bundle, and returns
// all of it.
func openStream(r io.Reader) (io.Reader, error) {
	head, err := readHead(r)
	if err != nil {
		return nil, fault.Explain(err, fault.Failure, fault.Here, "standard input", "")
	}
	switch f := recognise(head); {
	case f == notRecognised && isText(head) && !isObject(head):
		return nil, aText.check("standard input", aBundle)
	case f == aBundle, f == notRecognised, !f.isAllOf(bytes.NewReader(head)):
	case f == nothing:
		return nil, usage("did the command before the pipe fail?", "standard input is empty")
	default:
		return nil, usage("what is piped in has to be the bundle itself, not packed", "standard input is %s, not %s", f, aBundle)
	}
	if len(head) < headBytes {
		return bytes.NewReader(head), nil // it has ended, and a terminal would be asked once more
	}
	return io.MultiReader(bytes.NewReader(head), r), nil
}

// checkForm refuses a file that is recognised as something else than what is
// wanted, before whoever reads it finds faults of another form in it. All else
// that may be wrong with it, the reader tells.
func checkForm(name string, wanted form) error {
	file, _, err := openRegular(name, []form{wanted})
	if err != nil {
		return err
	}
	defer file.Close()
	head, err := readHead(file)
	if err != nil {
		return nil
	}
	return recogniseFor([]form{wanted}, head).check(name, wanted)
}

// readDocument reads a file of at most limit bytes, such as a lock. If it is
// recognised, it has to be of one of the forms that are wanted. It need not be a
// regular file.
func readDocument(name string, limit int64, wanted ...form) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, explainMissing(name, err, wanted)
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, explainFolder(name, wanted)
	}
	head, err := readHead(file)
	if err != nil {
		return nil, fault.Explain(err, fault.Usage, fault.Here, name, "")
	}
	if err := recogniseFor(wanted, head).check(name, wanted...); err != nil {
		return nil, err
	}
	return readAtMost(io.MultiReader(bytes.NewReader(head), file), name, limit)
}

// readLock reads a lock file.
func readLock(name string) (*manifests.Lock, error) {
	data, err := readDocument(name, manifests.MaxLockBytes, aLock)
	if err != nil {
		return nil, err
	}
	return manifests.ReadLock(name, data)
}

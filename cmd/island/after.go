package main

import (
	"fmt"
	"strconv"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/bundle/trust/state"
	"github.com/islandbundle/island/manifests"
)

// readEarlier reads after which delivery another one comes: a bundle or the
// bundle.json out of it, a lock, or what a site has accepted. As with --base it is
// the sender's own, so that no key is asked for: a wrong one makes a delivery that a
// site refuses.
func readEarlier(name string) (*resolve.Earlier, error) {
	file, err := open(name, anInventory, aLock, aState)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	earlier := &resolve.Earlier{File: name, Sequences: map[string]manifests.Sequence{}, Versions: map[string]string{}}
	var lock *manifests.Lock
	switch file.form {
	case aState:
		return earlier, file.accepted(earlier)
	case aLock:
		lock, err = file.lock()
	case anInventory:
		var base *bundle.Base
		if base, err = file.base(); err == nil {
			lock = &base.Inventory.Lock
		}
	default:
		b, err := file.bundle(bundle.Trust{WithoutAnyCheck: true})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		lock = &b.Inventory.Lock
	}
	if err != nil {
		return nil, err
	}
	note(earlier, lock.Release.Name, lock.Release.Sequence, lock.Release.Version)
	return earlier, nil
}

func note(earlier *resolve.Earlier, release string, sequence manifests.Sequence, version string) {
	earlier.Sequences[release], earlier.Versions[release] = sequence, version
}

// accepted reads the file as a site's state, and takes of each release the delivery
// that counts there.
func (f *opened) accepted(into *resolve.Earlier) error {
	data, err := f.content(state.MaxBytes)
	if err != nil {
		return err
	}
	site, err := state.Read(f.name, data)
	if err != nil {
		return err
	}
	for release := range site.Accepted {
		if last, ok := site.Last(release); ok {
			note(into, release, last.Sequence, last.Version)
		}
	}
	return nil
}

const sequenceType = "sequence"

// sequenceFlag is the value of --sequence.
type sequenceFlag manifests.Sequence

func (f *sequenceFlag) Set(text string) error {
	sequence, err := manifests.ParseSequence(text)
	*f = sequenceFlag(sequence)
	return err
}

func (f *sequenceFlag) Type() string { return sequenceType }

func (f *sequenceFlag) String() string {
	if *f == 0 {
		return ""
	}
	return strconv.FormatUint(uint64(*f), 10)
}

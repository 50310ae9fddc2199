package main

import (
	"fmt"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
)

// subject is a release, a lock or a bundle, told apart by content, as far as
// its inventory goes.
type subject struct {
	name    string
	release *manifests.Release // nil for a lock and a bundle
	lock    *manifests.Lock    // nil for a release
	bundle  *bundle.Bundle     // nil but for a bundle
	file    *opened
}

// openSubject opens a bundle, or one of the other forms that are taken. A bundle
// is looked at, not trusted: what is told of it is told as whoever made it wrote
// it, unless keys are given. Errors name the file: a command may be given two.
func openSubject(name string, flags trustFlags, others ...form) (*subject, error) {
	file, err := open(name, others...)
	if err != nil {
		return nil, err
	}
	s := &subject{name: name, file: file}
	if err := s.read(flags); err != nil {
		file.Close()
		return nil, err
	}
	return s, nil
}

func (s *subject) read(flags trustFlags) error {
	var err error
	switch s.file.form {
	case aRelease:
		s.release, err = s.file.release()
	case aLock:
		s.lock, err = s.file.lock()
	default:
		var trust bundle.Trust
		if trust, err = flags.lookingTrust(); err != nil {
			return err
		}
		if s.bundle, err = s.file.bundle(trust); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		s.lock = &s.bundle.Inventory.Lock
	}
	return err
}

func (s *subject) close() { s.file.Close() }

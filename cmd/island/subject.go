package main

import (
	"encoding/json"
	"os"

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
	file    *os.File           // likewise
}

// openSubject opens one of the three. A bundle is looked at, not trusted: what
// is told of it is told as whoever made it wrote it, unless keys are given.
func openSubject(name string, flags trustFlags) (*subject, error) {
	file, size, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	magic := make([]byte, 5)
	if _, err := file.ReadAt(magic, 257); err == nil && string(magic) == "ustar" { // POSIX ustar, header block
		return openBundleSubject(name, file, size, flags)
	}
	file.Close()
	data, err := readBounded(name, manifests.MaxLockBytes)
	if err != nil {
		return nil, err
	}
	var kind struct {
		Kind string `json:"kind"`
	}
	if err := json.Unmarshal(data, &kind); err == nil && kind.Kind == manifests.KindLock {
		lock, err := manifests.ReadLock(name, data)
		return &subject{name: name, lock: lock}, err
	}
	release, err := manifests.Read(name, data)
	return &subject{name: name, release: release}, err
}

func openBundleSubject(name string, file *os.File, size int64, flags trustFlags) (*subject, error) {
	trust, err := flags.lookingTrust()
	if err != nil {
		file.Close()
		return nil, err
	}
	b, err := bundle.Open(file, size, trust)
	if err != nil {
		file.Close()
		return nil, err
	}
	return &subject{name: name, lock: &b.Inventory.Lock, bundle: b, file: file}, nil
}

func (s *subject) close() {
	if s.file != nil {
		s.file.Close()
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/islandbundle/island/bundle/trust/state"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// siteState is the file in which a site remembers what it has accepted. Several
// programs may write it at once: each reads, changes and writes it under a lock.
//
// The lock is on a file beside it, NAME.lock, since the state itself is replaced by
// another file with every change. The kernel gives it back when a program ends,
// however it ends. The file stays: whoever removed it could not know who is about to
// lock it.
type siteState struct {
	name string
	lock *os.File
	note func(format string, args ...any)
}

const (
	lockSuffix     = ".lock"
	lockAgain      = 50 * time.Millisecond // between two tries
	lockNoticed    = time.Second           // a wait that is longer is told
	maxHolderBytes = 200
	holderBegin    = "process " // what the text of a lock that is held begins with
)

// openSiteState finds out whether the state can be written, before a bundle is read
// for that. Of a symbolic link, the file that it names is meant.
func openSiteState(name string, note func(format string, args ...any)) (*siteState, error) {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	lock, err := openLock(name + lockSuffix)
	if err != nil {
		return nil, fault.Explain(err, fault.Failure, fault.Site, "",
			"the state and its lock need a folder that can be written to: choose another one, or say who may write there")
	}
	if why := noLock(lock); why != "" {
		lock.Close()
		return nil, fault.New(fault.Failure, fault.Site, name+lockSuffix, "remove it, or choose another folder for the state",
			"this %s, and so is no lock of a state file", why)
	}
	return &siteState{name: name, lock: lock, note: note}, nil
}

// noLock says why a file is something else than a lock that a program like this one has
// left, nothing if it is one. It will be written over: another's file is not, nor one
// that has its name by chance, nor one that somebody has linked to it in a shared folder.
func noLock(file *os.File) string {
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return "is no regular file"
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Nlink > 1 {
		return "has other names, too (hard links)"
	}
	begin := make([]byte, len(holderBegin))
	if n, _ := file.ReadAt(begin, 0); n > 0 && string(begin[:n]) != holderBegin {
		return "has text of its own"
	}
	return ""
}

// openLock opens a lock file, and makes it. One that another user has made need not be
// writable: then it does not say who holds it.
func openLock(name string) (*os.File, error) {
	const flags = syscall.O_NOFOLLOW | syscall.O_NONBLOCK // a FIFO is not waited for
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|flags, 0o644)
	if errors.Is(err, os.ErrPermission) {
		if readable, readErr := os.OpenFile(name, os.O_RDONLY|flags, 0); readErr == nil {
			return readable, nil
		}
	}
	return file, err
}

func (s *siteState) Close() { s.lock.Close() }

// read reads the state as it is now; a new one, if there is no file.
func (s *siteState) read() (*state.State, error) {
	if _, err := os.Lstat(s.name); errors.Is(err, os.ErrNotExist) {
		return state.New(), nil
	}
	data, err := readDocument(s.name, state.MaxBytes, aState)
	if err != nil {
		return nil, err
	}
	return state.Read(s.name, data)
}

// update changes the state, if the change is no error. Nobody else changes it
// meanwhile.
func (s *siteState) update(ctx context.Context, change func(*state.State) error) error {
	if err := s.hold(ctx); err != nil {
		return err
	}
	defer s.release()
	known, err := s.read()
	if err != nil {
		return err
	}
	if err := change(known); err != nil {
		return err
	}
	encoded, err := manifests.EncodeJSON(known)
	if err != nil {
		return err
	}
	return writeWhole(s.name, encoded, 0o644)
}

// hold waits for the lock. Trying again and again, it can be interrupted.
func (s *siteState) hold(ctx context.Context) error {
	told := time.After(lockNoticed)
	for {
		err := syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			s.sign()
			return nil
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			return fault.New(fault.Failure, fault.Site, s.lock.Name(), "keep the state on a file system that knows locks, such as a local one",
				"the state cannot be locked: %w", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-told:
			s.note("waiting for %s, which is changing %s", s.holder(), s.name)
		case <-time.After(lockAgain):
		}
	}
}

// sign tells others who holds the lock. That it cannot be written is no reason not to
// go on.
func (s *siteState) sign() {
	host, _ := os.Hostname()
	_ = s.lock.Truncate(0)
	_, _ = s.lock.WriteAt(fmt.Appendf(nil, holderBegin+"%d on %s\n", os.Getpid(), host), 0)
}

func (s *siteState) holder() string {
	text, err := io.ReadAll(io.NewSectionReader(s.lock, 0, maxHolderBytes))
	if who := strings.TrimSpace(string(text)); err == nil && who != "" {
		return who
	}
	return "another program"
}

// release gives the lock back. Closing the file alone would leave it with a program
// that is just being started and has a copy of it until its exec.
func (s *siteState) release() {
	_ = s.lock.Truncate(0)
	_ = syscall.Flock(int(s.lock.Fd()), syscall.LOCK_UN)
}

// Package whole writes files that are there whole or not at all.
//
// A file is written under a name of its own in the folder where it belongs, made
// durable and only then given its name, so that neither a full disk, nor Ctrl-C, nor
// a power cut leaves half of it under that name. What is no regular file, such as
// /dev/null, a pipe or /dev/stdout, is never replaced by one: it is written to. A
// symbolic link stays, and what it leads to is replaced, as a shell's > would do.
//
// In a folder where others may write, such as /tmp, nothing is followed, replaced or
// written to that belongs to another user: it may have been put there for us.
package whole

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// maxLinks bounds how many symbolic links are followed, as Linux does.
const maxLinks = 40

// Refusal says why a file is not written, though it could be.
type Refusal struct {
	Name string // of what is in the way
	What string // what is wrong with it, in lowercase
	Hint string // what to do
}

func (r *Refusal) Error() string { return r.Name + " " + r.What }

// Write writes a file, in place of one that there may be. A new one has the mode, as
// far as the user's umask allows it; one that is replaced keeps its own. What is no
// regular file is written to.
func Write(name string, data []byte, mode fs.FileMode) error {
	target, stream, err := follow(name)
	if err != nil {
		return err
	}
	if stream != nil {
		_, err := stream.Write(data)
		return errors.Join(err, stream.Close())
	}
	info, err := os.Lstat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return put(target, data, mode, func(temporary *os.File) error { return os.Rename(temporary.Name(), target) })
	case err != nil:
		return err
	case info.IsDir():
		return &Refusal{target, "is a folder", "choose the name of a file in it"}
	}
	if err := ours(target, info); err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return writeThrough(target, data)
	}
	return put(target, data, 0o600, func(temporary *os.File) error {
		if err := temporary.Chmod(info.Mode().Perm()); err != nil {
			return err
		}
		return os.Rename(temporary.Name(), target)
	})
}

// Create writes a file that must not be there yet under any form; then the error is
// [fs.ErrExist]. It has the mode, as far as the user's umask allows it, from its first
// byte on.
func Create(name string, data []byte, mode fs.FileMode) error {
	switch _, err := os.Lstat(name); {
	case err == nil:
		return &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	return put(name, data, mode, func(temporary *os.File) error { return renameNew(temporary.Name(), name) })
}

// put writes a file under a name of its own, and lets it be published when it is
// whole and on the disk.
func put(target string, data []byte, mode fs.FileMode, publish func(temporary *os.File) error) error {
	folder, base := split(target)
	if base == "" {
		return &Refusal{target, "is a folder", "choose the name of a file in it"}
	}
	// The name is short whatever the target's is, and nobody can have made it before.
	temporary, err := os.OpenFile(folder+".island-"+rand.Text()[:12], os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return placed(err, target)
	}
	if _, err = temporary.Write(data); err == nil {
		err = temporary.Sync()
	}
	if err == nil {
		err = publish(temporary)
	}
	if err != nil {
		temporary.Close()
		os.Remove(temporary.Name())
		return placed(err, target)
	}
	return placed(errors.Join(temporary.Close(), syncFolder(folder)), target)
}

// renameNew renames a file to a name that nothing has, or fails with [fs.ErrExist].
// Where there are no hard links the name is taken first.
func renameNew(from, to string) error {
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return errors.Join(err, os.Remove(from))
	}
	taken, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(taken.Close(), os.Rename(from, to))
}

// syncFolder makes a new name in a folder durable, where the file system can.
func syncFolder(name string) error {
	folder, err := os.Open(name)
	if err != nil {
		return nil // it may be written to and not read; the file itself is on the disk
	}
	defer folder.Close()
	err = folder.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil
	}
	return err
}

// writeThrough writes to what is no regular file and no disk.
func writeThrough(name string, data []byte) error {
	file, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NOFOLLOW|syscall.O_NOCTTY, 0)
	if err != nil {
		return err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if !isStream(info.Mode()) {
		return &Refusal{name, "is neither a file, nor a pipe or a terminal", "choose the name of a file"}
	}
	if _, err := file.Write(data); err != nil {
		return err
	}
	return file.Close()
}

func isStream(mode fs.FileMode) bool {
	return mode&fs.ModeNamedPipe != 0 || mode&fs.ModeCharDevice != 0
}

// follow follows symbolic links, to what is not one or is not there yet. One that
// leads to a file that this process has open, as /dev/stdout does, gives that one.
func follow(name string) (target string, stream *os.File, err error) {
	target = name
	for range maxLinks {
		if number, ok := descriptor(target); ok {
			stream, err = duplicate(number, name)
			return name, stream, err
		}
		info, err := os.Lstat(target)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			return target, nil, nil //nolint:nilerr // whoever writes it meets the error, with what it means there
		}
		if err := ours(target, info); err != nil {
			return "", nil, err
		}
		to, err := os.Readlink(target)
		if err != nil {
			return "", nil, err
		}
		if folder, _ := split(target); !filepath.IsAbs(to) {
			to = folder + to // as it is: what .. means is only known where the links are
		}
		target = to
	}
	return "", nil, &fs.PathError{Op: "write", Path: name, Err: syscall.ELOOP}
}

// descriptor returns the number of an open file of this process that a path stands
// for (proc(5), /proc/pid/fd).
func descriptor(name string) (int, bool) {
	folder, base := split(name)
	number, err := strconv.Atoi(base)
	if err != nil || number < 0 {
		return 0, false
	}
	real, err := filepath.EvalSymlinks(folder)
	return number, err == nil && (real == "/dev/fd" || real == fmt.Sprintf("/proc/%d/fd", os.Getpid()))
}

func duplicate(number int, name string) (*os.File, error) {
	copied, err := syscall.Dup(number)
	if err != nil {
		return nil, &fs.PathError{Op: "write", Path: name, Err: err}
	}
	syscall.CloseOnExec(copied)
	return os.NewFile(uintptr(copied), name), nil
}

// split returns the folder of a name, with the slash behind it, and what it is called
// there. The folder is not cleaned, which would pass over links in it.
func split(name string) (folder, base string) {
	folder, base = filepath.Split(name)
	if folder == "" {
		folder = "./"
	}
	return folder, base
}

// ours refuses what another user has put into a folder where everybody may write, as
// Linux does with fs.protected_regular: only what belongs to this user, or to whom the
// folder belongs, was not put there for us.
func ours(name string, info fs.FileInfo) error {
	folder, _ := split(name)
	around, err := os.Stat(folder)
	if err != nil {
		return err
	}
	const everybody = 0o002
	if around.Mode()&everybody == 0 {
		return nil
	}
	if owner := ownerOf(info); owner == os.Geteuid() || owner == ownerOf(around) {
		return nil
	}
	return &Refusal{
		name, "belongs to another user, in a folder where everybody may write",
		"choose a folder of your own; whoever put it there may read or change what is written",
	}
}

func ownerOf(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

// placed lets an error name the file that was asked for, not the one that stands for
// it until it is whole.
func placed(err error, target string) error {
	number := syscall.Errno(0)
	if !errors.As(err, &number) {
		return err
	}
	return &fs.PathError{Op: "write", Path: target, Err: number}
}

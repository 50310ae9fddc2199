package bundle

import (
	"errors"
	"os"
	"syscall"

	"github.com/islandbundle/island/manifests/fault"
)

// openPartial opens or creates the file that a build fills, and locks it
// against a second build.
func openPartial(name string) (*os.File, error) {
	for {
		file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o644)
		if err != nil {
			return nil, fault.Explain(err, fault.Failure, fault.Here, "", "choose a folder that can be written to with -o")
		}
		if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			file.Close()
			return nil, fault.New(fault.Failure, fault.Here, name, "wait until it is done, or choose another name with -o",
				"another build is writing this file")
		}
		// Between opening and locking, the other build may have finished and
		// renamed the file away; what is locked must be what has the name.
		if same, err := isAt(file, name); err != nil || same {
			return file, err
		}
		file.Close()
	}
}

// closePartial unlocks the file and closes it. Closing alone would leave the lock
// with a program that is just being started, such as a credential helper: it
// has a copy of every open file until its exec.
func closePartial(file *os.File) {
	_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
	file.Close()
}

func isAt(file *os.File, name string) (bool, error) {
	opened, err := file.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Lstat(name)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(opened, named), err
}

// diskRoom returns how many bytes the file has already and how many more its
// file system can take.
func diskRoom(file *os.File) (have, free int64, err error) {
	var fs syscall.Statfs_t
	if err := syscall.Fstatfs(int(file.Fd()), &fs); err != nil {
		return 0, 0, err
	}
	var info syscall.Stat_t
	if err := syscall.Fstat(int(file.Fd()), &info); err != nil {
		return 0, 0, err
	}
	return info.Blocks * 512, int64(fs.Bavail) * int64(fs.Bsize), nil //nolint:unconvert // Bsize is a uint32 on macOS
}

// onDisk explains errors of the disk under a file.
func onDisk(err error, name string) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fault.New(fault.Failure, fault.Here, name,
			"free some and run the same command again: it goes on where it stopped", "disk is full: %w", err)
	}
	return err
}

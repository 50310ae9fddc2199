package bundle

import (
	"errors"
	"math"
	"os"
	"syscall"

	"github.com/islandbundle/island/manifests/fault"
)

// openPartial opens or creates the file that a build fills, and locks it
// against a second build.
func openPartial(name string) (*os.File, error) {
	for {
		file, err := createOrOpen(name)
		if err != nil {
			return nil, err
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

// createOrOpen creates the file, or opens one that an earlier run has left. What
// somebody else may have put there is refused: its owner could write to it while it
// is filled, and after it has its final name.
func createOrOpen(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if !errors.Is(err, os.ErrExist) {
		return file, fault.OnDisk(err, name, "")
	}
	// Without O_NONBLOCK a pipe would wait for whoever reads it.
	file, err = os.OpenFile(name, os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, os.ErrNotExist) {
		return createOrOpen(name) // another build has just finished
	}
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EISDIR) || errors.Is(err, syscall.ENXIO) {
		return nil, notOurs(name, "is not a regular file")
	}
	if err != nil {
		return nil, fault.OnDisk(err, name, "")
	}
	if err := checkPartial(file, name); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// checkPartial refuses a file that is not one that a build of this user has left.
func checkPartial(file *os.File, name string) error {
	info, err := file.Stat()
	if err != nil {
		return fault.OnDisk(err, name, "")
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	const groupOrOthers = 0o022
	switch {
	case !ok || !info.Mode().IsRegular():
		return notOurs(name, "is not a regular file")
	case int(stat.Uid) != os.Geteuid():
		return notOurs(name, "belongs to another user")
	case stat.Nlink != 1:
		return notOurs(name, "has other names, too (hard links)")
	case info.Mode().Perm()&groupOrOthers != 0:
		return notOurs(name, "may be written to by others")
	}
	return nil
}

func notOurs(name, what string) error {
	return fault.New(fault.Failure, fault.Here, name, "remove it, or choose a name in a folder of your own with -o",
		"what an interrupted build may have left %s, so that it is not gone on with", what)
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

// fileLimit is how large a file may be, whose limit that is, and what to do about it.
type fileLimit struct {
	bytes       int64
	whose, hint string
}

// largestFile returns the limit of the file system that a file is on (see
// [limitOfDisk]), or of this process (setrlimit(2), RLIMIT_FSIZE): the lower one.
func largestFile(file *os.File) fileLimit {
	limit := fileLimit{math.MaxInt64, "every file system", ""}
	if known, ok := limitOfDisk(file); ok {
		limit = known
	}
	var process syscall.Rlimit
	err := syscall.Getrlimit(rlimitFileSize, &process)
	if err == nil && uint64(process.Cur) < uint64(limit.bytes) { //nolint:unconvert // it is an int64 on some systems
		limit = fileLimit{int64(process.Cur), "a limit of this user (ulimit -f)", "allow more with ulimit -f"}
	}
	return limit
}

// rlimitFileSize is RLIMIT_FSIZE, which has this number on every Unix.
const rlimitFileSize = 1

// onDisk explains errors of writing a file, and leaves others as they are, such as
// those of what it is filled from.
func onDisk(err error, name string) error {
	inPath, inNames := (*os.PathError)(nil), (*os.LinkError)(nil)
	switch {
	case errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT):
		return fault.OnDisk(err, name, "free some and run the same command again: it goes on where it stopped")
	case errors.Is(err, syscall.EFBIG), errors.As(err, &inPath) && inPath.Path == name, errors.As(err, &inNames):
		return fault.OnDisk(err, name, "")
	}
	return err
}

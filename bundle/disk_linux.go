package bundle

import (
	"errors"
	"math"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// allocate reserves the file's whole size on the disk, so that it cannot fill
// up later, and sets the size.
func allocate(file *os.File, size int64) error {
	err := syscall.Fallocate(int(file.Fd()), 0, 0, size)
	if errors.Is(err, syscall.EOPNOTSUPP) || errors.Is(err, syscall.ENOSYS) {
		err = nil // this file system cannot: the room was measured at least
	}
	if err != nil {
		return err
	}
	return file.Truncate(size)
}

// limitOfDisk returns how large a file may be where that is less than any bundle
// could be.
func limitOfDisk(file *os.File) (fileLimit, bool) {
	var system unix.Statfs_t
	if err := unix.Fstatfs(int(file.Fd()), &system); err != nil {
		return fileLimit{}, false
	}
	return limitOfType(int64(system.Type)) //nolint:unconvert // it is an int32 on some architectures
}

// limitOfType knows FAT, which many sticks have: its directories have 32 bits for a
// size (Microsoft FAT Specification, section 6).
func limitOfType(magic int64) (fileLimit, bool) {
	if magic != unix.MSDOS_SUPER_MAGIC {
		return fileLimit{}, false
	}
	return fileLimit{math.MaxUint32, "a FAT file system", "use a disk with exFAT, ext4 or xfs"}, true
}

// startWriteback asks the kernel to begin writing a finished part to the disk,
// so that the final fsync has little left to do. It is advice: errors are not
// reported, fsync will meet them again.
func startWriteback(file *os.File, offset, size int64) {
	const syncFileRangeWrite = 2 // SYNC_FILE_RANGE_WRITE, sync_file_range(2)
	_ = syscall.SyncFileRange(int(file.Fd()), offset, size, syncFileRangeWrite)
}

// copyRange copies bytes from one file to another within the kernel, which on
// some file systems shares them instead (copy_file_range(2)). It tells whether
// all were copied; if not, they have to be copied in another way.
func copyRange(to *os.File, toOffset int64, from *os.File, fromOffset, size int64) bool {
	for size > 0 {
		n, err := unix.CopyFileRange(int(from.Fd()), &fromOffset, int(to.Fd()), &toOffset, int(min(size, 1<<30)), 0)
		if err != nil || n <= 0 {
			return false
		}
		size -= int64(n)
	}
	return true
}

package fault

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// diskErrors are what file systems answer, in words, and what to do about it.
var diskErrors = []struct {
	number     syscall.Errno
	kind       Kind
	what, hint string
}{
	{syscall.ENOSPC, Failure, "disk is full", "free some, or write to another disk"},
	{syscall.EDQUOT, Failure, "quota of this user on the disk is used up", "free some, or write to another disk"},
	{
		syscall.EFBIG, Failure, "file is larger than the file system or a limit of this user allows",
		"FAT32 takes at most 4 GiB less one byte a file: use exFAT, ext4 or xfs; ulimit -f says what this user may write",
	},
	{syscall.EROFS, Failure, "file system can only be read", "write to another folder, or mount it for writing"},
	{syscall.EIO, Failure, "disk reports an error", "the kernel's log says more (dmesg); use another disk"},
	{syscall.EBUSY, Failure, "file is held by the system", "if it is mounted by itself, mount its folder instead"},
	{syscall.ETXTBSY, Failure, "file is a program that is running", "end it, or choose another name"},
	{syscall.EMFILE, Failure, "too many files are open", "allow more with ulimit -n, or lower --connections"},
	{syscall.ENFILE, Failure, "too many files are open on this machine", "end what has them open, or raise fs.file-max"},
	{syscall.EACCES, Failure, "", "choose a folder that can be written to"},
	{syscall.EPERM, Failure, "", "choose a folder that can be written to"},
	{syscall.ENAMETOOLONG, Usage, "", "choose a shorter name"},
	{syscall.ENOENT, Failure, "", "make the folder first, or choose another"},
	{syscall.ENOTDIR, Failure, "", "choose a name below a folder"},
	{syscall.EISDIR, Usage, "", "choose the name of a file in it"},
}

// OnDisk explains an error of writing a file: it names the file, and says what to do
// about what the file system answers; hint says it better, unless it is empty. An
// error that is explained already stays as it is, and so does nil.
func OnDisk(err error, name, hint string) error {
	if explained := (*Error)(nil); err == nil || errors.As(err, &explained) {
		return err
	}
	explained := &Error{Kind: Failure, Side: Here, Object: name, Err: err, Hint: hint}
	// The system's error names the file, too; once is enough.
	if inner := (*fs.PathError)(nil); errors.As(err, &inner) && (inner.Path == name || inner == err) { //nolint:errorlint // err itself
		explained.Object, explained.Err = cmp.Or(name, inner.Path), inner.Err
	}
	for _, known := range diskErrors {
		if errors.Is(err, known.number) {
			explained.Kind, explained.Hint = known.kind, cmp.Or(hint, known.hint)
			if known.what != "" {
				explained.Err = fmt.Errorf("%s: %w", known.what, explained.Err)
			}
			break
		}
	}
	return explained
}

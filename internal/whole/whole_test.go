package whole

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// names returns what is in a folder: nothing of ours may be left there.
func names(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, entry := range entries {
		list = append(list, entry.Name())
	}
	return strings.Join(list, " ")
}

func TestFilesKeepTheirModeAndNewOnesFollowTheUmask(t *testing.T) {
	folder := t.TempDir()
	old, fresh, private := filepath.Join(folder, "old"), filepath.Join(folder, "fresh"), filepath.Join(folder, "private")
	if err := os.WriteFile(old, []byte("before"), 0o640); err != nil {
		t.Fatal(err)
	}
	before := syscall.Umask(0o077)
	defer syscall.Umask(before)
	for _, name := range []string{old, fresh} {
		if err := Write(name, []byte("after"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Create(private, []byte("key"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]fs.FileMode{old: 0o640, fresh: 0o600, private: 0o600} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v (%v), want %v", name, info.Mode(), err, want)
		}
	}
	if got := names(t, folder); got != "fresh old private" || read(t, old) != "after" {
		t.Errorf("the folder has %s, and old has %q", got, read(t, old))
	}
}

// TestWhatIsNoFileIsWrittenTo: a device or a pipe stays what it is.
func TestWhatIsNoFileIsWrittenTo(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	pipe := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	null, full := device(t, folder, "null", 3), device(t, folder, "full", 7)
	link := filepath.Join(folder, "link")
	if err := os.Symlink(null, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{null, link} {
		if err := Write(name, []byte("lost"), 0o644); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := Write(full, []byte("lost"), 0o644); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full device: %v", err)
	}
	arrived := make(chan string, 1)
	go func() {
		data, _ := os.ReadFile(pipe)
		arrived <- string(data)
	}()
	if err := Write(pipe, []byte("through"), 0o644); err != nil || <-arrived != "through" {
		t.Errorf("the pipe got nothing: %v", err)
	}
	for name, want := range map[string]fs.FileMode{null: fs.ModeCharDevice, pipe: fs.ModeNamedPipe, link: fs.ModeSymlink} {
		if info, err := os.Lstat(name); err != nil || info.Mode()&want == 0 {
			t.Fatalf("%s is no %v any more (%v)", name, want, err)
		}
	}
}

// device returns a memory device (null(4)). Root gets one of its own: a mistake in the
// code would take that of the machine away.
func device(t *testing.T, folder, name string, minor int) string {
	t.Helper()
	if os.Geteuid() != 0 {
		return "/dev/" + name
	}
	const memory = 1
	own := filepath.Join(folder, name)
	if err := exec.Command("mknod", own, "c", strconv.Itoa(memory), strconv.Itoa(minor)).Run(); err != nil {
		t.Skipf("no device can be made here: %v", err)
	}
	return own
}

// TestOpenFilesAreWrittenTo: /dev/stdout and the like are what the process has open,
// even where that is a file, which is gone on with and not replaced.
func TestOpenFilesAreWrittenTo(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	link := filepath.Join(t.TempDir(), "out")
	if err := os.Symlink("/dev/fd/"+itoa(file.Fd()), link); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{"/dev/fd/" + itoa(file.Fd()), "/proc/self/fd/" + itoa(file.Fd()), link} {
		if _, err := file.WriteString("[ "); err != nil {
			t.Fatal(err)
		}
		if err := Write(to, []byte("x"), 0o644); err != nil {
			t.Errorf("%s: %v", to, err)
		}
		if _, err := file.WriteString(" ]"); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, name); got != "[ x ][ x ][ x ]" {
		t.Errorf("the file has %q", got)
	}
	if err := Write("/dev/fd/999", []byte("x"), 0o644); !errors.Is(err, syscall.EBADF) {
		t.Errorf("a file that is not open: %v", err)
	}
}

func itoa(fd uintptr) string { return strconv.Itoa(int(fd)) }

// TestLinksStay: what they lead to is replaced, whole, where it is.
func TestLinksStay(t *testing.T) {
	t.Parallel()
	folder, elsewhere := t.TempDir(), t.TempDir()
	if err := os.Mkdir(filepath.Join(elsewhere, "below"), 0o700); err != nil {
		t.Fatal(err)
	}
	// What .. means is only known where the link is: below elsewhere, not below folder.
	for from, to := range map[string]string{
		"a": "b", "b": "way/../target", "way": filepath.Join(elsewhere, "below"), "new": elsewhere + "/made",
	} {
		if err := os.Symlink(to, filepath.Join(folder, from)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"a", "new"} {
		if err := Write(filepath.Join(folder, name), []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := names(t, elsewhere); got != "below made target" {
		t.Errorf("what the links lead to has %s", got)
	}
	if got := names(t, folder); got != "a b new way" {
		t.Errorf("the folder of the links has %s", got)
	}
	loop := filepath.Join(folder, "loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	if err := Write(loop, nil, 0o644); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a link to itself: %v", err)
	}
}

func TestNothingIsLeftOfWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	refusal := (*Refusal)(nil)
	for _, name := range []string{folder, folder + "/", folder + "/none/"} {
		if err := Write(name, []byte("x"), 0o644); !errors.As(err, &refusal) && !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	long := filepath.Join(folder, strings.Repeat("n", 300))
	inner := (*fs.PathError)(nil)
	if err := Write(long, []byte("x"), 0o644); !errors.Is(err, syscall.ENAMETOOLONG) || !errors.As(err, &inner) || inner.Path != long {
		t.Errorf("a long name: %v", err)
	}
	if err := Write(filepath.Join(folder, strings.Repeat("n", 250)), []byte("x"), 0o644); err != nil {
		t.Errorf("a name that is just not too long: %v", err)
	}
	if got := names(t, folder); got != strings.Repeat("n", 250) {
		t.Errorf("the folder has %s", got)
	}
}

// TestNothingIsLeftOfWhatFailsAtTheEnd: what was written under a name of its own goes
// when it cannot have the name that it is for.
func TestNothingIsLeftOfWhatFailsAtTheEnd(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	written := ""
	err := put(filepath.Join(folder, "file"), []byte("text"), 0o600, func(temporary *os.File) error {
		written = read(t, temporary.Name())
		return &fs.PathError{Op: "rename", Path: temporary.Name(), Err: syscall.EDQUOT}
	})
	inner := (*fs.PathError)(nil)
	if !errors.Is(err, syscall.EDQUOT) || !errors.As(err, &inner) || inner.Path != filepath.Join(folder, "file") || written != "text" {
		t.Errorf("%q was written: %v", written, err)
	}
	if got := names(t, folder); got != "" {
		t.Errorf("the folder has %s", got)
	}
}

func TestWhatThereIsIsNotCreatedAgain(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	for _, name := range []string{"link", "file"} {
		if err := os.Symlink("target", filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
		if err := Create(filepath.Join(folder, name), []byte("x"), 0o600); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Between looking and giving the name it may have come to be.
	temporary := filepath.Join(folder, "temporary")
	if err := os.WriteFile(temporary, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := renameNew(temporary, filepath.Join(folder, "file")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a link that has just come: %v", err)
	}
	if got := names(t, folder); got != "file link" {
		t.Errorf("the folder has %s", got)
	}
}

// TestWhatOthersPutThereIsRefused: in a folder where everybody may write, another
// user's file, pipe and link may be there for us.
func TestWhatOthersPutThereIsRefused(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("only root can make files of another user")
	}
	const nobody = 65534
	shared, own := t.TempDir(), t.TempDir()
	if err := os.Chmod(shared, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]func(name string) error{
		"file": func(name string) error { return os.WriteFile(name, []byte("theirs"), 0o666) },
		"pipe": func(name string) error { return syscall.Mkfifo(name, 0o666) },
		"link": func(name string) error { return os.Symlink(filepath.Join(own, "passwd"), name) },
	}
	for what, put := range kinds {
		name := filepath.Join(shared, what)
		if err := errors.Join(put(name), os.Lchown(name, nobody, nobody)); err != nil {
			t.Fatal(err)
		}
		refusal := (*Refusal)(nil)
		if err := Write(name, []byte("ours"), 0o644); !errors.As(err, &refusal) || !strings.Contains(refusal.What, "another user") {
			t.Errorf("another user's %s: %v", what, err)
		}
	}
	if got := names(t, own); got != "" {
		t.Errorf("another user's link was followed to %s", got)
	}
	// What is ours there, and theirs where only they may write, is as ever.
	mine := filepath.Join(shared, "mine")
	if err := errors.Join(os.WriteFile(mine, nil, 0o600), Write(mine, []byte("x"), 0o600)); err != nil {
		t.Error(err)
	}
	theirs := filepath.Join(own, "theirs")
	if err := errors.Join(os.WriteFile(theirs, nil, 0o600), os.Chown(theirs, nobody, nobody), Write(theirs, []byte("x"), 0o600)); err != nil {
		t.Error(err)
	}
}

// TestDisksAreNotOverwritten: a block device is no place for a document.
func TestDisksAreNotOverwritten(t *testing.T) {
	t.Parallel()
	if isStream(fs.ModeDevice) || !isStream(fs.ModeDevice|fs.ModeCharDevice) {
		t.Error("a disk is taken for a stream, or a terminal is not")
	}
}

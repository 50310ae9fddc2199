package bundle_test

import (
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests/fault"
)

// TestPartialThatOthersMadeIsRefused: whoever owns the file, or has it under another
// name, could write to it when it is whole.
func TestPartialThatOthersMadeIsRefused(t *testing.T) {
	t.Parallel()
	shared := t.TempDir()
	if err := os.Chmod(shared, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	write := func(mode os.FileMode) func(string) error {
		return func(name string) error { return errors.Join(os.WriteFile(name, nil, 0o600), os.Chmod(name, mode)) }
	}
	for what, test := range map[string]struct {
		make func(name string) error
		text string
	}{
		"group":  {write(0o664), "may be written to by others"},
		"world":  {write(0o646), "may be written to by others"},
		"linked": {func(name string) error { return errors.Join(write(0o644)(name), os.Link(name, name+".too")) }, "hard links"},
		"link":   {func(name string) error { return os.Symlink(name+".target", name) }, "not a regular file"},
		"pipe":   {func(name string) error { return syscall.Mkfifo(name, 0o600) }, "not a regular file"},
		"folder": {func(name string) error { return os.Mkdir(name, 0o700) }, "not a regular file"},
		"foreign": {func(name string) error {
			if os.Geteuid() != 0 {
				return errors.ErrUnsupported
			}
			return errors.Join(write(0o644)(name), os.Chown(name, 65534, 65534))
		}, "belongs to another user"},
	} {
		out := filepath.Join(shared, what+".tar")
		if err := test.make(out + bundle.PartialSuffix); errors.Is(err, errors.ErrUnsupported) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		before, err := os.Lstat(out + bundle.PartialSuffix)
		if err != nil {
			t.Fatal(err)
		}
		w := tinyWorld()
		source := w.source()
		err = bundle.Fill(t.Context(), w.plan(t, options(t)), source, out, bundle.FillOptions{})
		wantFault(t, err, fault.Failure, fault.Here, out+bundle.PartialSuffix, test.text)
		after, err := os.Lstat(out + bundle.PartialSuffix)
		if err != nil || before.ModTime() != after.ModTime() || before.Size() != after.Size() || len(source.opens) > 0 {
			t.Errorf("%s: it was touched, or something fetched (%v)", what, err)
		}
	}
}

// TestBundleThatAFileSystemCannotTake: that is told before anything is fetched.
func TestBundleThatAFileSystemCannotTake(t *testing.T) {
	t.Parallel()
	if limit := bundle.LimitOfType(0x4d44); limit != 4<<30-1 { // MSDOS_SUPER_MAGIC, statfs(2)
		t.Errorf("FAT takes %d bytes a file", limit)
	}
	if limit := bundle.LimitOfType(0xef53); limit != 0 { // ext4
		t.Errorf("ext4 takes %d bytes a file", limit)
	}
	folder := mountFAT(t)
	w := tinyWorld()
	w.file("files/large", 0o644, []byte("large"))
	w.lock.Files[len(w.lock.Files)-1].Content.Size = 5 << 30
	source, out := w.source(), filepath.Join(folder, "out.tar")
	err := bundle.Fill(t.Context(), w.plan(t, options(t)), source, out, bundle.FillOptions{})
	wantFault(t, err, fault.Failure, fault.Here, out, "a FAT file system takes at most 4294967295 bytes a file")
	if len(source.opens) > 0 {
		t.Errorf("%d contents were fetched before", len(source.opens))
	}
}

// mountFAT returns a folder on a FAT16 file system of 8 MiB, as the specification
// lays it out: a boot sector, two tables of 32 sectors, and a root folder.
func mountFAT(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		unavailable(t, "a FAT file system needs root")
	}
	image := make([]byte, 8<<20)
	copy(image, "\xeb\x3c\x90ISLAND  ")
	for at, value := range map[int]uint16{11: 512, 14: 1, 17: 512, 19: 8 << 20 / 512, 22: 32, 24: 32, 26: 2} {
		binary.LittleEndian.PutUint16(image[at:], value)
	}
	image[13], image[16], image[21] = 4, 2, 0xf8
	copy(image[36:], "\x80\x00\x291234NO NAME    FAT16   ")
	copy(image[510:], "\x55\xaa")
	for table := range 2 {
		copy(image[512*(1+32*table):], "\xf8\xff\xff\xff")
	}
	file, folder := filepath.Join(t.TempDir(), "fat.img"), t.TempDir()
	if err := os.WriteFile(file, image, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "vfat", "-o", "loop", file, folder).CombinedOutput(); err != nil {
		t.Skipf("no FAT file system can be mounted here: %s", out)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(folder, 0); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return folder
}

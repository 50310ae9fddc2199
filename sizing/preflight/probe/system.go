//go:build linux

package probe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// System is the host that is looked at. The zero value is the one the probe
// runs on.
type System struct {
	Root    string   // before every path that is read; default /
	Version string   // of the probe
	Since   CPUTimes // when the host was reached; the zero value if that is not known

	// Asked of the kernel when nil.
	Affinity  func() (int, error)
	StatFS    func(path string) (syscall.Statfs_t, error)
	Fsync     func(ctx context.Context, folder string, keepName bool) (facts.Fsync, error)
	ClockSync func() (synchronised bool, maxError float64, err error)
	Addresses func() (map[int][]facts.Address, error) // by index of the interface
	Routes    func() ([]kernelRoute, error)
	NFTables  func() (tables int, err error)
}

// maxFile bounds every file that is read. /proc/cpuinfo of 512 processors and
// the mounts of a busy node stay below it.
const maxFile = 4 << 20

func (s System) path(name string) string {
	if s.Root == "" {
		return name
	}
	return filepath.Join(s.Root, name)
}

// read returns a file's text. It opens without waiting, so that a pipe or a
// device put in a file's place stops nothing.
func (s System) read(name string) (string, error) {
	file, err := os.OpenFile(s.path(name), os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", message.NewProblem("facts.unread.no-file", message.Args{"path": name})
	}
	data, err := io.ReadAll(io.LimitReader(file, maxFile))
	return string(bytes.ToValidUTF8(data, []byte("?"))), err
}

func (s System) readWord(name string) (string, error) {
	text, err := s.read(name)
	return strings.TrimSpace(text), err
}

func (s System) readInt(name string) (int64, error) {
	text, err := s.readWord(name)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(text, 10, 64)
}

func (s System) exists(name string) bool {
	_, err := os.Lstat(s.path(name))
	return err == nil
}

// names lists a folder, at most [facts.MaxList] names of it.
func (s System) names(folder string) ([]string, error) {
	file, err := os.Open(s.path(folder))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	names, err := file.Readdirnames(1 << 16)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return names, err
}

// known makes a value that was read, or says why it was not.
func known[T any](value T, err error, method message.Text, source string) facts.Value[T] {
	v := facts.Value[T]{Method: method, Source: source}
	if err != nil {
		v.Unread = reason(err)
		return v
	}
	v.Value = value
	return v
}

// reason says of an error what someone needs to know who has never seen the
// probe's code.
func reason(err error) message.Text {
	var path *fs.PathError
	switch {
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0:
		return message.Of(facts.NoRoot, nil)
	case errors.Is(err, fs.ErrNotExist):
		return message.Of("facts.unread.not-there", nil)
	case errors.Is(err, syscall.ENOSPC):
		return message.Of(facts.NoSpace, nil)
	case errors.Is(err, context.DeadlineExceeded):
		return message.Of("facts.unread.late", nil)
	case errors.As(err, &path):
		return facts.Reason(path.Err)
	}
	return facts.Reason(err)
}

// processes returns the names of all running programs that the probe may see.
func (s System) processes() (map[string]bool, error) {
	entries, err := s.names("/proc")
	if err != nil {
		return nil, err
	}
	running := map[string]bool{}
	for _, entry := range entries {
		if entry[0] < '0' || entry[0] > '9' {
			continue
		}
		if name, err := s.readWord("/proc/" + entry + "/comm"); err == nil {
			running[name] = true
		}
	}
	return running, nil
}

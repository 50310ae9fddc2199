package source

import (
	"io"
	"os"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests/fault"
)

// openLocal opens a regular file of a known size from an offset on.
func openLocal(path string, size, offset int64) (io.ReadCloser, error) {
	f, err := openBelow(path)
	if err != nil {
		return nil, local(err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() != size {
		err = fault.New(fault.Failure, fault.Here, "", "it changed since the lock was made: resolve again",
			"file has %d bytes, not %d", info.Size(), size)
	}
	if err == nil {
		err = skip(f, offset)
	}
	if err != nil {
		_ = f.Close()
		return nil, local(err)
	}
	return f, nil
}

func statLocal(path string) (int64, error) {
	f, err := openBelow(path)
	if err != nil {
		return 0, local(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, local(err)
	}
	return info.Size(), nil
}

func readLocal(path string, limit int64) ([]byte, error) {
	f, err := openBelow(path)
	if err != nil {
		return nil, local(err)
	}
	defer f.Close()
	return registry.ReadBounded(f, limit)
}

// local is a failure of this machine's files. A missing file is found again by
// errors.Is(err, os.ErrNotExist), so that another location can be asked.
func local(err error) error {
	return fault.Explain(registry.Bare(err), fault.Failure, fault.Here, "", "")
}

// openRegular opens a regular file: neither a folder nor something that would
// block.
func openRegular(file string) (*os.File, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "open", Path: file, Err: errNotRegular}
	}
	return os.Open(file)
}

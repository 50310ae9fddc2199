package main

import (
	"fmt"
	"io"
	"os"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// openRegular opens a file that can be read at any offset, and returns its size.
// What else the name may stand for is not opened: a pipe would wait for a writer.
func openRegular(name string, wanted []form) (*os.File, int64, error) {
	if info, err := os.Stat(name); err == nil {
		if err := wantRegular(name, info, wanted); err != nil {
			return nil, 0, err
		}
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, explainMissing(name, err, wanted)
	}
	// Between the two it may have become another.
	info, err := file.Stat()
	if err == nil {
		err = wantRegular(name, info, wanted)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

func wantRegular(name string, info os.FileInfo, wanted []form) error {
	switch {
	case info.Mode().IsRegular():
		return nil
	case info.IsDir():
		return explainFolder(name, wanted)
	}
	return notRegular(name, "save it to a file")
}

func notRegular(name, hint string) error { return usage(hint, "%s is not a regular file", name) }

// readBounded reads a file of at most limit bytes.
func readBounded(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fault.Explain(err, fault.Usage, fault.Here, "", "")
	}
	defer file.Close()
	return readAtMost(file, name, limit)
}

// readAtMost reads what is left of a file, of at most limit bytes.
func readAtMost(r io.Reader, name string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("file is larger than %s", manifests.Bytes(limit))
	}
	return data, fault.Explain(err, fault.Usage, fault.Here, name, "")
}

package main

import (
	"fmt"
	"io"
	"os"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// openRegular opens a file that can be read at any offset.
func openRegular(name string) (*os.File, int64, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, fault.Explain(err, fault.Usage, fault.Here, "", "give the path of a bundle, or - for standard input")
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = usage("pipe it in and name it -", "%s is not a regular file", name)
	}
	if err != nil {
		file.Close()
		return nil, 0, err
	}
	return file, info.Size(), nil
}

// readBounded reads a file of at most limit bytes.
func readBounded(name string, limit int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fault.Explain(err, fault.Usage, fault.Here, "", "")
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("file is larger than %s", manifests.Bytes(limit))
	}
	return data, fault.Explain(err, fault.Usage, fault.Here, name, "")
}

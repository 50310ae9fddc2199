package source

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/islandbundle/island/bundle/registry"
)

// archiveSuffixes are the archives that stand for a folder, by their names:
// what is delivered on a disk need not be unpacked.
var archiveSuffixes = []string{".tar", ".tgz", ".tar.gz", ".tar.zst", ".tar.xz", ".tar.bz2", ".zip"}

// openBelow opens a regular file by a path that may lead through an archive, as
// in delivery.zip/charts/index.yaml.
func openBelow(path string) (fs.File, error) {
	file, err := openRegular(path)
	if err == nil {
		return file, nil
	}
	if !errors.Is(err, syscall.ENOTDIR) {
		return nil, err
	}
	archive, inside, ok := splitArchive(path)
	if !ok {
		return nil, err
	}
	content, err := archiveFS(archive)
	if err != nil {
		return nil, err
	}
	member, err := content.Open(inside)
	if err != nil {
		return nil, err
	}
	info, err := member.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "open", Path: path, Err: errNotRegular}
	}
	if err != nil {
		_ = member.Close()
		return nil, err
	}
	return member, nil
}

// splitArchive cuts a path behind the archive that it leads through.
func splitArchive(path string) (archive, inside string, ok bool) {
	for folder := filepath.Dir(path); folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		info, err := os.Stat(folder)
		if err != nil {
			continue // not there: an ancestor is the archive
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil || !info.Mode().IsRegular() || !isArchive(folder) {
			return "", "", false
		}
		return folder, filepath.ToSlash(relative), true
	}
	return "", "", false
}

func isArchive(name string) bool {
	for _, suffix := range archiveSuffixes {
		if strings.HasSuffix(strings.ToLower(name), suffix) {
			return true
		}
	}
	return false
}

// seekable returns a file that can be read again from its start. A member of an
// archive is read into memory for that, up to a limit.
func seekable(file fs.File, limit int64) (io.ReadSeeker, error) {
	if seeker, ok := file.(io.ReadSeeker); ok {
		return seeker, nil
	}
	data, err := registry.ReadBounded(file, limit)
	return bytes.NewReader(data), err
}

// skip goes on to an offset in a file: at once where it can be, else by reading.
func skip(file fs.File, offset int64) error {
	if seeker, ok := file.(io.Seeker); ok {
		_, err := seeker.Seek(offset, io.SeekStart)
		return err
	}
	_, err := io.CopyN(io.Discard, file, offset)
	return err
}

// Package plaintar reads tar archives that somebody else made, and takes none
// with holes in its files.
//
// A sparse entry has few bytes in the archive and any number when it is read: a
// hole is read as zeros that no decompressor gave and no limit on the archive
// counts. Nothing that this program reads needs one, so each is refused before
// its content is read: the old GNU type, and the records GNU.sparse.* of PAX in
// all their versions, those included that package tar takes no notice of, since
// other readers do (GNU tar manual, "Storing Sparse Files").
package plaintar

import (
	"archive/tar"
	"errors"
	"io"
	"strings"
)

// ErrSparse says that an archive has an entry with holes.
var ErrSparse = errors.New("sparse file, which an archive from outside may not hold")

// Reader is a [tar.Reader] that refuses sparse entries.
type Reader struct{ *tar.Reader }

// NewReader returns a reader of the archive that r gives.
func NewReader(r io.Reader) *Reader { return &Reader{tar.NewReader(r)} }

// Next goes on to the next entry. A sparse one is [ErrSparse].
func (r *Reader) Next() (*tar.Header, error) {
	header, err := r.Reader.Next()
	if err == nil && IsSparse(header) {
		err = ErrSparse
	}
	return header, err
}

// IsSparse reports whether a header says that its file has holes, in any form.
func IsSparse(header *tar.Header) bool {
	if header.Typeflag == tar.TypeGNUSparse {
		return true
	}
	for name := range header.PAXRecords {
		if strings.HasPrefix(name, "GNU.sparse.") {
			return true
		}
	}
	return false
}

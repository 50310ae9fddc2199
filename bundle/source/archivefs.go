package source

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/klauspost/compress/zstd"
	"github.com/mholt/archives"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/internal/plaintar"
	"github.com/islandbundle/island/manifests"
)

// The limits on an archive that stands for a folder. It may be of any size, and
// so may what is in it: what is taken out has a size that is known, and is counted
// as it is read.
const (
	maxZstdWindow   = 128 << 20 // bytes; what zstd itself reads without being told to read more
	maxZipDirectory = 16 << 20  // bytes, of the names of some hundred thousand files
	// An archive is a bomb where it has unpacked to this many bytes, and to this many
	// times what was read of it. Disk images of zeros stay below, gzip reaches 1030.
	bombBytes = 1 << 30
	bombTimes = 250
)

// errBomb says that an archive unpacks to more than any that was delivered.
var errBomb = fmt.Errorf("archive unpacks to more than %d times its bytes", bombTimes)

// archiveFS opens an archive as a folder. Its content tells what it is, not its
// name, and it is one of few formats: no other that the library knows is asked.
func archiveFS(name string) (fs.FS, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	head := make([]byte, 6)
	n, err := io.ReadFull(file, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("archive %s: %w", name, registry.Bare(err))
	}
	if bytes.HasPrefix(head, []byte("PK")) { // APPNOTE.TXT, 4.3
		return zipFS(name), nil
	}
	return archives.ArchiveFS{Path: name, Format: formatOf(head[:n]), Context: context.Background()}, nil
}

// formatOf goes by how archives begin (RFC 1952, RFC 8878, the .xz file format
// 2.1.1.1, bzip2's). What is none of them is a tar or nothing.
func formatOf(head []byte) archives.Extractor {
	packed := func(by archives.Compression) archives.Extractor {
		return archives.CompressedArchive{Compression: unpacking{by}, Extraction: plainTar{}}
	}
	switch {
	case bytes.HasPrefix(head, []byte("\x1f\x8b")):
		return packed(archives.Gz{})
	case bytes.HasPrefix(head, []byte("\x28\xb5\x2f\xfd")):
		return packed(archives.Zstd{DecoderOptions: []zstd.DOption{
			zstd.WithDecoderMaxWindow(maxZstdWindow), zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		}})
	case bytes.HasPrefix(head, []byte("\xfd7zXZ\x00")):
		return packed(archives.Xz{}) // whose dictionary has at most 64 MiB
	case bytes.HasPrefix(head, []byte("BZh")):
		return packed(archives.Bz2{})
	}
	return plainTar{}
}

// plainTar is a tar archive without holes in its files.
type plainTar struct{ archives.Tar }

func (plainTar) Extract(ctx context.Context, from io.Reader, handle archives.FileHandler) error {
	return archives.Tar{}.Extract(ctx, from, func(ctx context.Context, file archives.FileInfo) error {
		if header, ok := file.Header.(*tar.Header); ok && plaintar.IsSparse(header) {
			return fmt.Errorf("%.200q is a %w", file.NameInArchive, plaintar.ErrSparse)
		}
		return handle(ctx, file)
	})
}

// unpacking is a compression that gives up on a bomb.
type unpacking struct{ archives.Compression }

func (u unpacking) OpenReader(from io.Reader) (io.ReadCloser, error) {
	packed := &counted{from: from}
	unpacked, err := u.Compression.OpenReader(packed)
	if err != nil {
		return nil, err
	}
	return &defused{ReadCloser: unpacked, packed: packed}, nil
}

type counted struct {
	from io.Reader
	n    int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.from.Read(p)
	c.n += int64(n)
	return n, err
}

type defused struct {
	io.ReadCloser
	packed *counted
	n      int64
}

func (d *defused) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if d.n += int64(n); d.n > bombBytes && d.n/bombTimes > d.packed.n {
		return 0, errBomb
	}
	return n, err
}

// zipFS is the name of a zip archive: package zip reads what is stored or
// deflated, as all but every archive is, and no method whose window has no limit.
type zipFS string

func (z zipFS) Open(inside string) (fs.File, error) {
	archive, err := os.Open(string(z))
	if err != nil {
		return nil, err
	}
	member, err := openMember(archive, inside)
	if err != nil {
		_ = archive.Close()
		return nil, &fs.PathError{Op: "open", Path: inside, Err: err}
	}
	return member, nil
}

func openMember(archive *os.File, inside string) (fs.File, error) {
	info, err := archive.Stat()
	if err != nil {
		return nil, err
	}
	directory := &directoryReader{ReaderAt: archive, left: maxZipDirectory}
	content, err := zip.NewReader(directory, info.Size())
	if err != nil {
		return nil, err
	}
	directory.read = true
	for _, file := range content.File {
		if path.Clean(file.Name) != inside {
			continue
		}
		unpacked, err := file.Open()
		if err != nil {
			return nil, err
		}
		return zipMember{unpacked, file, archive}, nil
	}
	return nil, fs.ErrNotExist
}

type zipMember struct {
	io.ReadCloser
	file    *zip.File
	archive io.Closer
}

func (m zipMember) Stat() (fs.FileInfo, error) { return m.file.FileInfo(), nil }

func (m zipMember) Close() error { return errors.Join(m.ReadCloser.Close(), m.archive.Close()) }

// directoryReader reads a zip archive's directory within a limit: all of it goes
// into memory. What is read once that is done is not counted.
type directoryReader struct {
	io.ReaderAt
	read bool
	left int64
}

func (d *directoryReader) ReadAt(p []byte, offset int64) (int, error) {
	if !d.read {
		if d.left -= int64(len(p)); d.left < 0 {
			return 0, fmt.Errorf("directory of the zip archive is larger than %s", manifests.Bytes(maxZipDirectory))
		}
	}
	return d.ReaderAt.ReadAt(p, offset)
}

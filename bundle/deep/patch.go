package deep

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// openPatch returns what a patch makes of a base, streaming. It takes 32 MiB of
// memory at most, whatever the patch says, and ends with an error unless the
// patch makes exactly size bytes and nothing follows. The caller has to
// close it.
func openPatch(patch io.Reader, base io.ReaderAt, baseSize, size int64) (io.ReadCloser, error) {
	unpacked, err := zstd.NewReader(patch, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(window))
	if err != nil {
		return nil, err
	}
	return &unpackedReader{reader: newReader(unpacked, base, baseSize, size), unpacked: unpacked}, nil
}

// unpackedReader gives back what unpacking takes.
type unpackedReader struct {
	*reader
	unpacked *zstd.Decoder
}

func (r *unpackedReader) Close() error {
	r.unpacked.Close()
	return nil
}

func newReader(steps io.Reader, base io.ReaderAt, baseSize, size int64) *reader {
	return &reader{
		steps: bufio.NewReaderSize(steps, 64<<10),
		base:  base, baseSize: baseSize, left: size, buffer: make([]byte, 64<<10),
	}
}

type reader struct {
	steps    *bufio.Reader
	base     io.ReaderAt
	baseSize int64
	at       int64 // in the base
	left     int64 // of the target
	fresh    int64 // bytes of this step that are new
	like     int64 // bytes of this step that are like the base's
	inStep   bool  // the second half of this step was not read yet
	empty    bool  // its first half made nothing
	buffer   []byte
	err      error
}

func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	n, err := r.read(p)
	r.left -= int64(n)
	r.err = err
	return n, err
}

func (r *reader) read(p []byte) (int, error) {
	for r.fresh == 0 && r.like == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	if r.fresh > 0 {
		n, err := io.ReadFull(r.steps, p[:min(int64(len(p)), r.fresh)])
		r.fresh -= int64(n)
		return n, damaged(err)
	}
	return r.add(p[:min(len(p), len(r.buffer), int(min(r.like, 1<<30)))])
}

// next reads the numbers of the next step, or of the second half of this one.
func (r *reader) next() error {
	if !r.inStep {
		if r.left == 0 {
			return r.end()
		}
		fresh, err := r.number()
		r.fresh, r.inStep, r.empty = fresh, true, fresh == 0
		return err
	}
	like, err := r.number()
	if err != nil {
		return err
	}
	move, err := binary.ReadVarint(r.steps)
	if err != nil {
		return damaged(err)
	}
	// All are at most 2^62 or so: no sum can overflow.
	if move < -r.at || move > r.baseSize-r.at || like > r.baseSize-r.at-move {
		return fmt.Errorf("%w: it reads outside of the base", ErrDamaged)
	}
	if r.empty && like == 0 {
		return fmt.Errorf("%w: a step makes nothing", ErrDamaged) // or it could go on for ever
	}
	r.at, r.like, r.inStep = r.at+move, like, false
	return nil
}

// number reads how many bytes follow, which are no more than are left.
func (r *reader) number() (int64, error) {
	n, err := binary.ReadUvarint(r.steps)
	if err != nil {
		return 0, damaged(err)
	}
	if n > uint64(r.left) {
		return 0, fmt.Errorf("%w: it makes more than it should", ErrDamaged)
	}
	return int64(n), nil
}

// end makes sure that nothing follows the last step.
func (r *reader) end() error {
	switch _, err := r.steps.ReadByte(); {
	case errors.Is(err, io.EOF):
		return io.EOF
	case err != nil:
		return damaged(err)
	default:
		return fmt.Errorf("%w: something follows its end", ErrDamaged)
	}
}

// add returns bytes of the base with the differences added.
func (r *reader) add(p []byte) (int, error) {
	n, err := io.ReadFull(r.steps, p)
	if err != nil {
		return 0, damaged(err)
	}
	base := r.buffer[:n]
	if _, err := r.base.ReadAt(base, r.at); err != nil {
		return 0, fmt.Errorf("base at %d: %w", r.at, err)
	}
	for i := range p {
		p[i] += base[i]
	}
	r.at += int64(n)
	r.like -= int64(n)
	return n, nil
}

// damaged words what goes wrong when a patch is unpacked.
func damaged(err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

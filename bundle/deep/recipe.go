package deep

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// maxUnpacked bounds what a layer may hold, in bytes.
const maxUnpacked = 16 << 30

// ErrNoPatch tells that a layer cannot be rebuilt from a patch and has to be
// carried whole: it is not one gzip member, or no compressor here makes it again.
var ErrNoPatch = errors.New("layer cannot be rebuilt from a patch")

// ErrDamaged tells that what was to be rebuilt from is not what the patch was
// made with.
var ErrDamaged = errors.New("patch does not fit")

// Recipe is what has to be known to rebuild a layer from a base layer and a
// patch.
type Recipe struct {
	BaseSize int64 `json:"baseSize"` // of the archive in the base layer, bytes
	Size     int64 `json:"size"`     // of the archive in the layer, bytes
	Gzip     Gzip  `json:"gzip"`     // how it is compressed
}

// Check reports whether the recipe is within its limits.
func (r Recipe) Check() error {
	if r.BaseSize < 1 || r.BaseSize > maxUnpacked || r.Size < 1 || r.Size > maxUnpacked {
		return fmt.Errorf("layers of %d and %d bytes are not 1 to %d", r.BaseSize, r.Size, int64(maxUnpacked))
	}
	return r.Gzip.Check()
}

// Make writes a patch that makes a layer of a base layer, both as registries
// have them, and gives the recipe. It proves that the layer comes out to the
// byte. The error is [ErrNoPatch] if it does not.
//
// Both archives are unpacked into files in the folder, which have no names and
// are gone when Make returns, however it returns.
func Make(ctx context.Context, folder string, base, layer io.Reader, patch io.ReadWriteSeeker) (Recipe, error) {
	sum, start := sha256.New(), &prefix{limit: pgzipBlock}
	target, err := unpack(ctx, folder, io.TeeReader(layer, io.MultiWriter(sum, start)), true)
	if err != nil {
		return Recipe{}, asNoPatch(err)
	}
	defer target.close()
	candidates := candidates(start.bytes, target.bytes)
	if len(candidates) == 0 {
		return Recipe{}, fmt.Errorf("%w: no known compressor makes it again", ErrNoPatch)
	}
	from, err := unpack(ctx, folder, base, false)
	if err != nil {
		return Recipe{}, asNoPatch(err)
	}
	defer from.close()
	if err := writePatch(patch, from.bytes, target.bytes); err != nil {
		return Recipe{}, err
	}
	for _, candidate := range candidates {
		recipe := Recipe{BaseSize: int64(len(from.bytes)), Size: int64(len(target.bytes)), Gzip: candidate}
		if _, err := patch.Seek(0, io.SeekStart); err != nil {
			return Recipe{}, err
		}
		again := sha256.New()
		if err := recipe.rebuild(ctx, again, from.file, patch); err != nil {
			return Recipe{}, err
		}
		if bytes.Equal(again.Sum(nil), sum.Sum(nil)) {
			recipe.Gzip.Probe = candidate.probe()
			return recipe, recipe.Check()
		}
	}
	return Recipe{}, fmt.Errorf("%w: no known compressor makes it again to the end", ErrNoPatch)
}

// probeBytes is how much of a layer is compressed to find the compressors that
// may have made it; of pgzip it is a block.
const probeBytes = 256 << 10

// candidates returns the compressors that make the start of a layer. Which of them
// makes all of it has to be found by going through to the end.
func candidates(start, archive []byte) []Gzip {
	size, err := headerSize(start)
	if err != nil {
		return nil
	}
	var found []Gzip
	for _, encoder := range []string{EncoderGo, EncoderPgzip, EncoderKlauspost} {
		for _, level := range likelyLevels(start[8]) {
			g, probe := Gzip{Encoder: encoder, Level: level, Header: start[:size]}, probeBytes
			if encoder == EncoderPgzip {
				g.Block, probe = pgzipBlock, pgzipBlock
			}
			var made bytes.Buffer
			_, _ = g.Writer(&made).Write(archive[:min(len(archive), probe)])
			if n := min(made.Len(), len(start)); bytes.Equal(made.Bytes()[:n], start[:n]) {
				found = append(found, g)
			}
		}
	}
	return found
}

// likelyLevels returns the levels that the compressors mark so in the header's
// byte XFL (RFC 1952, 2.3.1), the likeliest first.
func likelyLevels(mark byte) []int {
	switch mark {
	case 0:
		return []int{6, 5, 4, 3, 2, 7, 8}
	case 2:
		return []int{9}
	case 4:
		return []int{1}
	default:
		return nil
	}
}

// Open returns the layer that the recipe makes of a base layer and a patch. The
// digest of what it gives has to be checked. The base is unpacked into a file
// of [Recipe.BaseSize] bytes in the folder, which has no name and is gone when the
// reader is closed or the program ends. Open closes what it is given.
//
// Errors that are [ErrDamaged] are about base and patch; others are about
// reading them, or the folder.
func (r Recipe) Open(ctx context.Context, folder string, base, patch io.ReadCloser) io.ReadCloser {
	reader, writer := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer base.Close()
		defer patch.Close()
		writer.CloseWithError(r.fromLayer(ctx, folder, base, patch, writer))
	}()
	return &pipe{PipeReader: reader, done: done}
}

// pipe ends what writes into it when it is closed.
type pipe struct {
	*io.PipeReader
	done chan struct{}
}

func (p *pipe) Close() error {
	err := p.PipeReader.Close()
	<-p.done
	return err
}

func (r Recipe) fromLayer(ctx context.Context, folder string, base, patch io.Reader, w io.Writer) error {
	if err := r.Check(); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	file, err := Scratch(folder)
	if err != nil {
		return err
	}
	defer file.Close()
	size, err := inflate(ctx, file, base, r.BaseSize, false)
	if err != nil {
		return err
	}
	if size != r.BaseSize {
		return fmt.Errorf("%w: the base holds %d bytes, not %d", ErrDamaged, size, r.BaseSize)
	}
	read := &failing{r: bufio.NewReaderSize(patch, 64<<10)}
	err = r.rebuild(ctx, w, file, read)
	if read.err != nil {
		return read.err // the patch is not damaged, it cannot be read
	}
	return err
}

func (r Recipe) rebuild(ctx context.Context, w io.Writer, base io.ReaderAt, patch io.Reader) error {
	archive, err := openPatch(patch, base, r.BaseSize, r.Size)
	if err != nil {
		return err
	}
	defer archive.Close()
	packed := r.Gzip.Writer(w)
	if _, err := copyContext(ctx, packed, archive); err != nil {
		return err
	}
	return packed.Close()
}

// unpacked is what a layer holds, in a file without a name that is mapped into
// memory: the system takes the pages back when it needs them.
type unpacked struct {
	file  *os.File
	bytes []byte
}

func (u *unpacked) close() {
	_ = unix.Munmap(u.bytes)
	u.file.Close()
}

// unpack reads a layer to its end.
func unpack(ctx context.Context, folder string, layer io.Reader, single bool) (*unpacked, error) {
	file, err := Scratch(folder)
	if err != nil {
		return nil, err
	}
	size, err := inflate(ctx, file, layer, maxUnpacked, single)
	if err == nil && size == 0 {
		err = fmt.Errorf("%w: it is empty", ErrDamaged)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	mapped, err := unix.Mmap(int(file.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		file.Close()
		return nil, err
	}
	return &unpacked{file: file, bytes: mapped}, nil
}

// Scratch makes a file without a name: nobody else sees it, and it is gone when
// it is closed or the program ends, however it ends.
func Scratch(folder string) (*os.File, error) {
	file, err := os.CreateTemp(folder, ".island-*")
	if err != nil {
		return nil, err
	}
	if err := os.Remove(file.Name()); err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// inflate decompresses a layer, up to a limit, and reads it to its end: who gives
// it may check a digest there. With single it takes one gzip member alone.
func inflate(ctx context.Context, w io.Writer, layer io.Reader, limit int64, single bool) (int64, error) {
	source := &failing{r: bufio.NewReaderSize(layer, 64<<10)}
	size, err := source.inflate(ctx, w, limit, single)
	if source.err != nil {
		return size, source.err // the layer is not damaged, it cannot be read
	}
	return size, err
}

// failing keeps the error of reading apart from those of what was read.
type failing struct {
	r   *bufio.Reader
	err error
}

func (f *failing) keep(err error) {
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.r.Read(p)
	f.keep(err)
	return n, err
}

// ReadByte keeps package gzip from reading ahead.
func (f *failing) ReadByte() (byte, error) {
	b, err := f.r.ReadByte()
	f.keep(err)
	return b, err
}

func (f *failing) inflate(ctx context.Context, w io.Writer, limit int64, single bool) (int64, error) {
	content, err := gzip.NewReader(f)
	if err != nil {
		return 0, fmt.Errorf("%w: layer: %w", ErrDamaged, err)
	}
	content.Multistream(!single)
	size, err := copyContext(ctx, w, io.LimitReader(&unpacking{content}, limit+1))
	if err != nil {
		return size, err
	}
	if size > limit {
		return size, fmt.Errorf("%w: the layer holds more than %d bytes", ErrDamaged, limit)
	}
	if _, err := f.ReadByte(); !errors.Is(err, io.EOF) {
		return size, fmt.Errorf("%w: something follows the layer's gzip member", ErrDamaged)
	}
	return size, nil
}

// unpacking marks errors of decompression.
type unpacking struct{ r io.Reader }

func (u *unpacking) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: layer: %w", ErrDamaged, err)
	}
	return n, err
}

// asNoPatch: when a patch is made, a layer that cannot be unpacked is no error.
func asNoPatch(err error) error {
	if errors.Is(err, ErrDamaged) {
		return fmt.Errorf("%w: %w", ErrNoPatch, err)
	}
	return err
}

// prefix keeps the start of what is written to it.
type prefix struct {
	limit int
	bytes []byte
}

func (p *prefix) Write(b []byte) (int, error) {
	p.bytes = append(p.bytes, b[:min(len(b), p.limit-len(p.bytes))]...)
	return len(b), nil
}

// copyContext is [io.Copy] that can be cancelled.
func copyContext(ctx context.Context, w io.Writer, r io.Reader) (int64, error) {
	buffer := make([]byte, 64<<10)
	total := int64(0)
	for {
		if err := ctx.Err(); err != nil {
			return total, err
		}
		n, err := r.Read(buffer)
		if _, err := w.Write(buffer[:n]); err != nil {
			return total, err
		}
		total += int64(n)
		if errors.Is(err, io.EOF) {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

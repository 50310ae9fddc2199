package deep

import (
	"bytes"
	stdflate "compress/flate"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/flate"
)

// Compressors whose output can be made again. The fourth that is common,
// zlib's (GNU gzip, Python, pigz), has no counterpart in Go.
const (
	// EncoderGo is compress/gzip of Go's standard library: BuildKit, containerd,
	// go-containerregistry.
	EncoderGo = "go"
	// EncoderKlauspost is github.com/klauspost/compress/gzip.
	EncoderKlauspost = "klauspost"
	// EncoderPgzip is github.com/klauspost/pgzip: Podman, Buildah, Skopeo.
	EncoderPgzip = "pgzip"
)

// Limits on what a recipe may say.
const (
	maxHeaderBytes = 512
	pgzipBlock     = 1 << 20 // what pgzip uses unless told otherwise
	minBlock       = 64 << 10
	maxBlock       = 16 << 20
	pgzipTail      = 16 << 10 // of the block before, that pgzip starts a block with
)

// Gzip says how a gzip member (RFC 1952) was compressed.
type Gzip struct {
	Encoder string `json:"encoder"`
	Level   int    `json:"level"`           // 1 to 9, as the encoder counts
	Block   int    `json:"block,omitempty"` // bytes compressed at a time; pgzip alone
	Header  []byte `json:"header"`          // the member's header as it is
	// Probe tells encoders of one name apart: a release of a compressor may
	// compress differently. It is the start of the SHA-256 of what the encoder
	// makes of a text that never changes, in hexadecimal.
	Probe string `json:"probe"`
}

// Check reports whether the parameters are within their limits.
func (g Gzip) Check() error {
	if size, err := headerSize(g.Header); err != nil || size != len(g.Header) {
		return errors.New("gzip header is not one")
	}
	if g.Level < 1 || g.Level > 9 {
		return fmt.Errorf("gzip level %d is not 1 to 9", g.Level)
	}
	switch g.Encoder {
	case EncoderGo, EncoderKlauspost:
		if g.Block != 0 {
			return fmt.Errorf("encoder %s has no blocks", g.Encoder)
		}
	case EncoderPgzip:
		if g.Block < minBlock || g.Block > maxBlock {
			return fmt.Errorf("block of %d bytes is not %d to %d", g.Block, minBlock, maxBlock)
		}
	default:
		return fmt.Errorf("encoder %.20q is not known", g.Encoder)
	}
	return nil
}

// Same reports whether this program's encoder is the one that was proven.
func (g Gzip) Same() bool { return g.Probe == g.probe() }

// probe compresses the text that never changes.
func (g Gzip) probe() string {
	sum := sha256.New()
	w := g.deflater(sum)
	text := probeText()
	// Errors cannot be: a hash takes everything.
	_, _ = w.Write(text)
	_ = w.Close()
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// probeText returns 256 KiB of what compressors decide about: words that come
// again near and far, runs, and noise.
func probeText() []byte {
	const size = 256 << 10
	state := uint32(1)
	next := func(n uint32) uint32 { // Numerical Recipes' generator
		state = state*1664525 + 1013904223
		return state >> 16 % n
	}
	text := make([]byte, 0, size+512)
	for len(text) < size {
		switch kind := next(8); {
		case kind < 5 && len(text) > 40_000:
			from := len(text) - 1 - int(next(40_000))
			text = append(text, text[from:min(len(text), from+3+int(next(60)))]...)
		case kind == 5:
			text = append(text, bytes.Repeat([]byte{byte(next(256))}, int(next(300)))...)
		default:
			for range 1 + next(20) {
				text = append(text, "etaoin shrdlu\x00\x01\xff"[next(16)])
			}
		}
	}
	return text[:size]
}

// deflater is what all encoders have in common.
type deflater interface {
	io.Writer
	Close() error
}

func (g Gzip) deflater(w io.Writer) deflater {
	switch g.Encoder {
	case EncoderGo:
		d, err := stdflate.NewWriter(w, g.Level)
		return orPanic(d, err)
	case EncoderKlauspost:
		d, err := flate.NewWriter(w, g.Level)
		return orPanic(d, err)
	default:
		d, err := flate.NewWriter(w, g.Level)
		return &blockDeflater{to: w, encoder: orPanic(d, err), block: make([]byte, 0, g.Block)}
	}
}

// orPanic: the level was checked, and nothing else can be wrong.
func orPanic[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Writer compresses what it is given as the parameters say, which have to be
// within their limits ([Gzip.Check]). It has to be closed.
func (g Gzip) Writer(w io.Writer) io.WriteCloser {
	return &gzipWriter{to: w, header: g.Header, encoder: g.deflater(w), crc: crc32.NewIEEE()}
}

type gzipWriter struct {
	to      io.Writer
	header  []byte // not written yet
	encoder deflater
	crc     hash.Hash32
	size    uint32 // modulo 2^32, as RFC 1952 has it
}

func (w *gzipWriter) Write(p []byte) (int, error) {
	if err := w.start(); err != nil {
		return 0, err
	}
	w.crc.Write(p)
	w.size += uint32(len(p))
	return w.encoder.Write(p)
}

func (w *gzipWriter) start() error {
	if w.header == nil {
		return nil
	}
	_, err := w.to.Write(w.header)
	w.header = nil
	return err
}

func (w *gzipWriter) Close() error {
	if err := w.start(); err != nil {
		return err
	}
	if err := w.encoder.Close(); err != nil {
		return err
	}
	trailer := binary.LittleEndian.AppendUint32(nil, w.crc.Sum32())
	_, err := w.to.Write(binary.LittleEndian.AppendUint32(trailer, w.size))
	return err
}

// blockDeflater compresses blocks apart from each other, as pgzip does to use
// all processors: each starts with the end of the one before as its dictionary
// and ends with a sync marker.
type blockDeflater struct {
	to      io.Writer
	encoder *flate.Writer
	block   []byte // of a fixed capacity
	tail    []byte // nil before the first block
}

func (d *blockDeflater) Write(p []byte) (int, error) {
	written := len(p)
	for len(p) > 0 {
		n := min(len(p), cap(d.block)-len(d.block))
		d.block, p = append(d.block, p[:n]...), p[n:]
		if len(d.block) < cap(d.block) {
			break
		}
		if err := d.flush(); err != nil {
			return 0, err
		}
		d.tail = append(d.tail[:0], d.block[len(d.block)-pgzipTail:]...)
		d.block = d.block[:0]
	}
	return written, nil
}

func (d *blockDeflater) flush() error {
	d.encoder.ResetDict(d.to, d.tail)
	if _, err := d.encoder.Write(d.block); err != nil {
		return err
	}
	return d.encoder.Flush()
}

func (d *blockDeflater) Close() error {
	if err := d.flush(); err != nil {
		return err
	}
	return d.encoder.Close()
}

// headerSize returns the length of a gzip header (RFC 1952, 2.3) at the start of
// data.
func headerSize(data []byte) (int, error) {
	const fixed, hcrc, extra, name, comment = 10, 1 << 1, 1 << 2, 1 << 3, 1 << 4
	short := errors.New("gzip header is cut short or too long")
	data = data[:min(len(data), maxHeaderBytes)]
	if len(data) < fixed || data[0] != 0x1f || data[1] != 0x8b || data[2] != 8 {
		return 0, errors.New("not gzip")
	}
	size, flags := fixed, data[3]
	if flags&extra != 0 {
		if len(data) < size+2 {
			return 0, short
		}
		size += 2 + int(binary.LittleEndian.Uint16(data[size:]))
	}
	for _, text := range []byte{name, comment} {
		if flags&text == 0 {
			continue
		}
		end := bytes.IndexByte(data[min(size, len(data)):], 0)
		if end < 0 {
			return 0, short
		}
		size += end + 1
	}
	if flags&hcrc != 0 {
		size += 2
	}
	if size > len(data) {
		return 0, short
	}
	return size, nil
}

package deep_test

import (
	"bytes"
	stdgzip "compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/islandbundle/island/bundle/deep"
)

// TestProbes holds what this release's compressors make. If it fails, a new
// release of Go or of github.com/klauspost/compress compresses differently:
// patches that earlier releases of island made for layers of that compressor
// are then refused by this one, and the changelog has to say so.
func TestProbes(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"go 1":        "92bc7c4d9e60c543",
		"go 2":        "e11a2e06188405a4",
		"go 3":        "61861c9203d48a1d",
		"go 4":        "6e6c372fa8d1c755",
		"go 5":        "1f3879c923ff74ce",
		"go 6":        "cb05d9ba46bbc108",
		"go 7":        "e9eadfea8f3eda52",
		"go 8":        "e0c1f4f95caae424",
		"go 9":        "ea02227c487a999d",
		"klauspost 1": "ed94e8418672931c",
		"klauspost 2": "a6170fed361d00e7",
		"klauspost 3": "a46d102f2283ff62",
		"klauspost 4": "77bf6e0cfdd78f03",
		"klauspost 5": "3ff9099bc7a9575f",
		"klauspost 6": "2cedf4cf6c5a6f42",
		"klauspost 7": "cbd2b0547b0b71dc",
		"klauspost 8": "17b9bdea85989efb",
		"klauspost 9": "c445f4f74e361d87",
		"pgzip 1":     "5004241c7c452d06",
		"pgzip 2":     "5c46f52af53e8fdd",
		"pgzip 3":     "d9dcab0ad3ee336e",
		"pgzip 4":     "c6ad40cd7d36d548",
		"pgzip 5":     "f27d1f4b0cd044fa",
		"pgzip 6":     "3f8da45cbda56976",
		"pgzip 7":     "48a981fb1421ae14",
		"pgzip 8":     "88d194293cf77ff5",
		"pgzip 9":     "3009f54b4d2df953",
	}
	for _, encoder := range []string{deep.EncoderGo, deep.EncoderKlauspost, deep.EncoderPgzip} {
		for level := 1; level <= 9; level++ {
			g := deep.Gzip{Encoder: encoder, Level: level}
			if encoder == deep.EncoderPgzip {
				g.Block = 1 << 20
			}
			name := fmt.Sprintf("%s %d", encoder, level)
			if got := deep.Probe(g); got != want[name] {
				t.Errorf("%q: %q, want %q", name, got, want[name])
			}
		}
	}
}

// TestWriterLikePgzip compares with what github.com/klauspost/pgzip v1.2.6 made
// with klauspost/compress v1.19.2 of the same text: two whole blocks and half a
// one, and an end that falls on a block's.
func TestWriterLikePgzip(t *testing.T) {
	t.Parallel()
	text := bytes.Repeat(deep.ProbeText(), 10)
	for name, want := range map[string]string{
		"1 2621440": "f2bd3b9d2c33a12382d93e931b76e7461f84231936ffb1686af49ae7518a0144",
		"5 2621440": "499a1e37ea0df3d50155f8358b3e54cf6cd8122f02001feae29c5f7fb3d88110",
		"5 2097152": "e50f84403a928b5d890c24ee49742b51665b35f1a1c0b6f9bfc251ba495d5757",
		"6 2621440": "e634d38311dea6d3f57a09fe888a3bf5b6e53d90c9ff09df76203de1c8f11f9c",
		"9 2621440": "67591157f0b89bb9f7b220594e4f2b13d5c69a24b1eafb01afae3ceab14450df",
	} {
		var level, size int
		if _, err := fmt.Sscanf(name, "%d %d", &level, &size); err != nil {
			t.Fatal(err)
		}
		g := deep.Gzip{Encoder: deep.EncoderPgzip, Level: level, Block: 1 << 20, Header: headerOf(deep.EncoderPgzip, level)}
		sum := sha256.New()
		write(t, g.Writer(sum), text[:size], 70_000)
		if got := hex.EncodeToString(sum.Sum(nil)); got != want {
			t.Errorf("level and size %s: %s, want %s", name, got, want)
		}
	}
}

// header is what Go's standard library writes unless told otherwise.
func header(level int) []byte {
	return []byte{0x1f, 0x8b, 8, 0, 0, 0, 0, 0, map[int]byte{1: 4, 9: 2}[level], 255}
}

// headerOf is what the other encoders write: without a time, they give that of
// the year 1, modulo 2^32 seconds.
func headerOf(encoder string, level int) []byte {
	h := header(level)
	if encoder != deep.EncoderGo {
		copy(h[4:], "\x00\x09\x6e\x88")
	}
	return h
}

func write(t testing.TB, w io.WriteCloser, text []byte, at int) {
	t.Helper()
	for len(text) > 0 {
		n := min(at, len(text))
		if _, err := w.Write(text[:n]); err != nil {
			t.Fatal(err)
		}
		text = text[n:]
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestWriterLikeGzip: the parameters make what the compressors make, however
// the bytes arrive.
func TestWriterLikeGzip(t *testing.T) {
	t.Parallel()
	text := deep.ProbeText()
	for _, level := range []int{1, 2, 5, 6, 9} {
		for encoder, open := range map[string]func(io.Writer) (io.WriteCloser, error){
			deep.EncoderGo:        func(w io.Writer) (io.WriteCloser, error) { return stdgzip.NewWriterLevel(w, level) },
			deep.EncoderKlauspost: func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, level) },
		} {
			var want, got bytes.Buffer
			w, err := open(&want)
			if err != nil {
				t.Fatal(err)
			}
			write(t, w, text, 4096)
			g := deep.Gzip{Encoder: encoder, Level: level, Header: headerOf(encoder, level)}
			write(t, g.Writer(&got), text, 65537)
			if !bytes.Equal(want.Bytes(), got.Bytes()) {
				t.Errorf("%s at level %d: other bytes", encoder, level)
			}
		}
	}
}

func TestGzipCheck(t *testing.T) {
	t.Parallel()
	good := deep.Gzip{Encoder: deep.EncoderPgzip, Level: 5, Block: 1 << 20, Header: header(5)}
	if err := good.Check(); err != nil {
		t.Fatal(err)
	}
	named := append(header(6), "layer.tar\x00"...)
	named[3] = 1 << 3
	for name, g := range map[string]deep.Gzip{
		"name in the header": {Encoder: deep.EncoderGo, Level: 6, Header: named},
		"stored block size":  {Encoder: deep.EncoderPgzip, Level: 1, Block: 64 << 10, Header: header(1)},
	} {
		if err := g.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, g := range map[string]deep.Gzip{
		"unknown encoder":      {Encoder: "zopfli", Level: 5, Header: header(5)},
		"level too low":        {Encoder: deep.EncoderGo, Level: 0, Header: header(5)},
		"level too high":       {Encoder: deep.EncoderGo, Level: 10, Header: header(5)},
		"block for go":         {Encoder: deep.EncoderGo, Level: 5, Block: 1 << 20, Header: header(5)},
		"no block for pgzip":   {Encoder: deep.EncoderPgzip, Level: 5, Header: header(5)},
		"block takes memory":   {Encoder: deep.EncoderPgzip, Level: 5, Block: 1 << 40, Header: header(5)},
		"no header":            {Encoder: deep.EncoderGo, Level: 5},
		"header of zstd":       {Encoder: deep.EncoderGo, Level: 5, Header: []byte("\x28\xb5\x2f\xfd\x00\x00\x00\x00\x00\x00")},
		"header is too long":   {Encoder: deep.EncoderGo, Level: 5, Header: append(header(5), 0)},
		"name without an end":  {Encoder: deep.EncoderGo, Level: 5, Header: named[:len(named)-1]},
		"extra without an end": {Encoder: deep.EncoderGo, Level: 5, Header: []byte("\x1f\x8b\x08\x04\x00\x00\x00\x00\x00\xff\xff\xff")},
	} {
		if err := g.Check(); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

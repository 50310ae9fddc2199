// Package sparsetest writes tar archives with holes in their files, in each form
// that there is: package tar writes none.
package sparsetest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"testing"
)

// header is one as another program writes it.
func header(name string, size int64, flag byte, edit func([]byte)) []byte {
	b := make([]byte, 512)
	copy(b, name)
	copy(b[100:], "0000644\x000000000\x000000000\x00")
	copy(b[124:], fmt.Sprintf("%011o\x00", size))
	copy(b[136:], "00000000000\x00")
	b[156] = flag
	copy(b[257:], "ustar\x0000")
	if edit != nil {
		edit(b)
	}
	copy(b[148:], "        ")
	sum := 0
	for _, c := range b {
		sum += int(c)
	}
	copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
	return b
}

func padded(content string) []byte {
	return append([]byte(content), make([]byte, -len(content)&511)...)
}

// File is an entry without holes.
func File(name, content string) []byte {
	return append(header(name, int64(len(content)), tar.TypeReg, nil), padded(content)...)
}

// Records is an extended header of the entry behind it.
func Records(records ...string) []byte {
	text := ""
	for _, record := range records {
		size := len(record) + 3
		for size != len(fmt.Sprint(size))+1+len(record)+1 {
			size++
		}
		text += fmt.Sprintf("%d %s\n", size, record)
	}
	return append(header("PaxHeaders.0/x", int64(len(text)), tar.TypeXHeader, nil), padded(text)...)
}

// Holes are entries of one file each that has nothing but a hole of size bytes.
func Holes(name string, size int64) map[string][]byte {
	of := fmt.Sprint(size)
	return map[string][]byte{
		"old GNU": header(name, 0, tar.TypeGNUSparse, func(b []byte) {
			copy(b[257:], "ustar  \x00")
			copy(b[386:], fmt.Sprintf("%011o\x00%011o\x00", size, 0)) // one extent, empty, at the end
			copy(b[483:], fmt.Sprintf("%011o\x00", size))
		}),
		"PAX 0.0": append(
			Records("GNU.sparse.size="+of, "GNU.sparse.numblocks=1", "GNU.sparse.offset="+of, "GNU.sparse.numbytes=0"), File(name, "")...),
		"PAX 0.1": append(
			Records("GNU.sparse.size="+of, "GNU.sparse.numblocks=1", "GNU.sparse.map="+of+",0", "GNU.sparse.name="+name),
			File("GNUSparseFile.0/x", "")...),
		"PAX 1.0": append(
			Records("GNU.sparse.major=1", "GNU.sparse.minor=0", "GNU.sparse.name="+name, "GNU.sparse.realsize="+of),
			File("GNUSparseFile.0/x", string(padded("1\n"+of+"\n0\n")))...),
		"of a version that is not known": append(
			Records("GNU.sparse.major=2", "GNU.sparse.minor=7", "GNU.sparse.realsize="+of), File(name, "")...),
	}
}

// Archive is a tar archive of such entries.
func Archive(entries ...[]byte) []byte {
	return append(bytes.Join(entries, nil), make([]byte, 1024)...)
}

// Gzip compresses an archive.
func Gzip(t testing.TB, archive []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	zipped, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err == nil {
		_, err = zipped.Write(archive)
	}
	if err == nil {
		err = zipped.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

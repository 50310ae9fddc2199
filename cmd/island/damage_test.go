package main

import (
	"archive/tar"
	"io"
	"os"
	"path"
	"strconv"

	"github.com/rogpeppe/go-internal/testscript"
)

// damageCommand copies a bundle and spoils the copy:
//
//	damage FROM TO flip ENTRY header|content|padding   flip one bit there
//	damage FROM TO flip end                            likewise, of the two blocks that end it
//	damage FROM TO truncate N                          leave the last N bytes away
//	damage FROM TO append TEXT                         add bytes to the end
//
// ENTRY is a pattern as of path.Match; the first entry that matches and has
// such bytes is taken.
func damageCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: damage FROM TO flip ENTRY header|content|padding, or flip end, truncate N, append TEXT")
	}
	data, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	switch {
	case args[2] == "truncate":
		n, err := strconv.Atoi(args[3])
		ts.Check(err)
		data = data[:len(data)-n]
	case args[2] == "append":
		data = append(data, args[3]...)
	case args[2] == "flip" && args[3] == "end":
		data[len(data)-700] ^= 0x10
	case args[2] == "flip" && len(args) == 5:
		at := findByte(ts, ts.MkAbs(args[0]), args[3], args[4])
		data[at] ^= 0x10
	default:
		ts.Fatalf("damage does not know %q", args[2:])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o644))
}

// findByte returns the offset of a byte of an entry. It reads with archive/tar,
// so that it knows nothing of the format but that it is a tar archive.
func findByte(ts *testscript.TestScript, name, pattern, part string) int64 {
	file, err := os.Open(name)
	ts.Check(err)
	defer file.Close()
	reader := tar.NewReader(file)
	for {
		header, err := reader.Next()
		ts.Check(err) // io.EOF: no entry matches
		content, err := file.Seek(0, io.SeekCurrent)
		ts.Check(err)
		if ok, err := path.Match(pattern, header.Name); err != nil || !ok {
			ts.Check(err)
			continue
		}
		switch {
		case part == "header":
			return content - 512 + 110 // in the owner's id, which tar readers ignore here
		case part == "content" && header.Size > 0:
			return content + header.Size/2
		case part == "padding" && header.Size%512 != 0:
			return content + header.Size
		}
	}
}

package bundle

import (
	"fmt"
	"strings"
)

// The geometry of a tar archive (POSIX.1-2017, pax, "ustar Interchange Format").
const (
	blockSize   = 512
	trailerSize = 2 * blockSize // two blocks of zeros end the archive

	maxUSTARSize = 1<<33 - 1 // eleven octal digits
	maxMTime     = 1<<33 - 1
)

// header returns the tar header of a regular file: one USTAR block, preceded by
// a PAX extended header where the path or the size does not fit.
//
// The bytes depend on nothing but the arguments, since [Bundle.Verify] computes
// them anew and compares: owners are 0 and unnamed, devices 0.
func header(path string, mode uint32, size, mtime int64) []byte {
	name, prefix, fits := splitPath(path)
	var records string
	if !fits {
		name, prefix = path[:min(len(path), 100)], ""
		records += paxRecord("path", path)
	}
	ustarSize := size
	if size > maxUSTARSize {
		ustarSize = 0
		records += paxRecord("size", fmt.Sprint(size))
	}
	block := ustarBlock(name, prefix, '0', mode, ustarSize, mtime)
	if records == "" {
		return block
	}
	extended := ustarBlock("PaxHeaders.0/"+path[:min(len(path), 80)], "", 'x', 0o644, int64(len(records)), mtime)
	extended = append(extended, records...)
	extended = append(extended, make([]byte, paddingOf(int64(len(records))))...)
	return append(extended, block...)
}

func ustarBlock(name, prefix string, typeflag byte, mode uint32, size, mtime int64) []byte {
	block := make([]byte, blockSize)
	copy(block[0:100], name)
	copy(block[100:108], fmt.Sprintf("%07o", mode))
	copy(block[108:116], "0000000") // uid
	copy(block[116:124], "0000000") // gid
	copy(block[124:136], fmt.Sprintf("%011o", size))
	copy(block[136:148], fmt.Sprintf("%011o", mtime))
	copy(block[148:156], "        ") // counts as spaces in the checksum
	block[156] = typeflag
	copy(block[257:265], "ustar\x0000")
	copy(block[329:337], "0000000") // devmajor
	copy(block[337:345], "0000000") // devminor
	copy(block[345:500], prefix)
	sum := 0
	for _, b := range block {
		sum += int(b)
	}
	copy(block[148:156], fmt.Sprintf("%06o\x00 ", sum))
	return block
}

// splitPath cuts a path at a slash into a prefix of at most 155 and a name of
// at most 100 bytes.
func splitPath(path string) (name, prefix string, fits bool) {
	if len(path) <= 100 {
		return path, "", true
	}
	cut := strings.LastIndexByte(path[:min(len(path), 156)], '/')
	if cut <= 0 || len(path)-cut-1 > 100 || cut == len(path)-1 {
		return "", "", false
	}
	return path[cut+1:], path[:cut], true
}

// paxRecord returns "LENGTH KEY=VALUE\n", where LENGTH counts itself.
func paxRecord(key, value string) string {
	rest := len(key) + len(value) + 3 // the space, the equals sign, the newline
	length := rest
	for {
		record := fmt.Sprintf("%d %s=%s\n", length, key, value)
		if len(record) == length {
			return record
		}
		length = len(record)
	}
}

// paddingOf returns the zeros that follow content to the next block.
func paddingOf(size int64) int64 { return (blockSize - size%blockSize) % blockSize }

// ustarNameAndSize returns the name and the size that a plain USTAR block claims,
// as far as needed to find the end of an entry that is not yet believed. It does
// not look at the checksum; a block with a prefix or of another type is an error.
func ustarNameAndSize(block []byte) (name string, size int64, err error) {
	if string(block[257:265]) != "ustar\x0000" || block[156] != '0' || block[345] != 0 {
		return "", 0, fmt.Errorf("not the tar header of a plain file")
	}
	name, _, _ = strings.Cut(string(block[0:100]), "\x00")
	for _, c := range block[124:135] {
		if c < '0' || c > '7' {
			return "", 0, fmt.Errorf("size in the tar header is not octal")
		}
		size = size<<3 | int64(c-'0')
	}
	return name, size, nil
}

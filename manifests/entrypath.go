package manifests

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// MaxEntryPath is the longest path, in bytes, of an entry in a bundle. No part of it
// is longer than the 255 that file systems take.
const MaxEntryPath = 255

// EntryPath is a checked relative path inside a bundle: slash-separated, clean,
// printable ASCII, no ".." and no leading slash or dot segment, and no part that
// Windows takes for something else.
type EntryPath string

// ParseEntryPath checks a path that came from outside. What it takes stays the same
// path wherever an archive is unpacked; whether two paths do, [PathClashes] tells.
func ParseEntryPath(s string) (EntryPath, error) {
	switch {
	case s == "" || s == ".":
		return "", errors.New("an entry path is empty")
	case len(s) > MaxEntryPath:
		return "", fmt.Errorf("entry path %.40q… is longer than %d bytes", s, MaxEntryPath)
	case strings.HasPrefix(s, "/") || path.Clean(s) != s || s == ".." || strings.HasPrefix(s, "../"):
		return "", fmt.Errorf("%q is not a clean relative path", s)
	}
	for _, c := range []byte(s) {
		if c <= ' ' || c >= 0x7f || c == '\\' {
			return "", fmt.Errorf("entry path %q holds a space, a backslash or a character that is not printable ASCII", s)
		}
	}
	for part := range strings.SplitSeq(s, "/") {
		if what := otherOnWindows(part); what != "" {
			return "", fmt.Errorf("entry path %q has the part %q, which %s", s, part, what)
		}
	}
	return EntryPath(s), nil
}

// UnmarshalText reads and checks a path.
func (p *EntryPath) UnmarshalText(text []byte) error {
	parsed, err := ParseEntryPath(string(text))
	if err != nil {
		return err
	}
	*p = parsed
	return nil
}

// windowsDevices are names that mean a device in every folder, whatever follows a dot
// in them (Win32, "Naming Files, Paths, and Namespaces").
var windowsDevices = []string{
	"CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$",
	"COM0", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
	"LPT0", "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
}

// otherOnWindows says why a part of a path is not the name of a file there; nothing
// where it is.
func otherOnWindows(part string) string {
	name, _, _ := strings.Cut(part, ".")
	switch {
	case strings.ContainsAny(part, `<>:"|?*`):
		return `holds one of < > : " | ? *, which no name has on Windows`
	case strings.HasSuffix(part, "."):
		return "ends with a dot, which Windows drops"
	case slices.Contains(windowsDevices, strings.ToUpper(name)):
		return "is a device on Windows"
	}
	return ""
}

// PathClash is two paths that cannot both be unpacked into one folder.
type PathClash struct {
	First, Second EntryPath
	Why           string // "one is a file, and a folder in the other"
}

// Error tells both paths.
func (c PathClash) Error() string {
	if c.First == c.Second {
		return fmt.Sprintf("%q is listed twice", c.First)
	}
	return fmt.Sprintf("%q and %q: %s", c.First, c.Second, c.Why)
}

// PathClashes returns the pairs among all paths of an archive that are no two files
// wherever it is unpacked: the same path twice, paths of which one is a file where the
// other has a folder, and paths of which a part differs in nothing but upper and lower
// case, which is one and the same on Windows and macOS. Of paths that
// [ParseEntryPath] took, those are all: they have no letters of which Unicode knows two
// spellings.
func PathClashes(paths []EntryPath) []PathClash {
	type folded struct {
		path EntryPath
		key  string // so that a folder's parts come right behind a file of its name
	}
	sorted := make([]folded, len(paths))
	for i, p := range paths {
		sorted[i] = folded{p, p.folded()}
	}
	slices.SortFunc(sorted, func(a, b folded) int { return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.path, b.path)) })
	var clashes []PathClash
	for i := range sorted[:max(len(sorted)-1, 0)] {
		first, second := sorted[i], sorted[i+1]
		if why := first.path.clash(second.path, first.key, second.key); why != "" {
			clashes = append(clashes, PathClash{first.path, second.path, why})
		}
	}
	return clashes
}

// folded returns a path in small letters, with its slashes as what is sorted before all
// else. It is as long as the path, also of one that nobody has checked: what has the
// same bytes in two of them has its place in both paths.
func (p EntryPath) folded() string {
	var key strings.Builder
	key.Grow(len(p))
	for _, c := range []byte(p) {
		switch {
		case c == '/':
			c = 0
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		key.WriteByte(c)
	}
	return key.String()
}

// clash says why a path and the one that is sorted behind it cannot both be unpacked.
func (p EntryPath) clash(next EntryPath, key, nextKey string) string {
	shared := sharedParts(key, nextKey)
	switch {
	case p == next:
		return "they are the same path"
	case key == nextKey || p[:shared] != next[:shared]:
		return "they differ in nothing but upper and lower case"
	case shared == len(p) && nextKey[shared] == 0:
		return "one is a file, and a folder in the other"
	}
	return ""
}

// sharedParts returns how many bytes of two keys are of the parts that both begin with.
func sharedParts(a, b string) int {
	shared := 0
	for i := range len(a) {
		switch {
		case i == len(b) || a[i] != b[i]:
			return shared
		case a[i] == 0:
			shared = i
		}
	}
	if len(a) == len(b) || b[len(a)] == 0 {
		return len(a)
	}
	return shared
}

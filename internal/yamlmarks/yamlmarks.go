// Package yamlmarks tells how many nodes a YAML text may have, before it is parsed.
//
// YAML's parser builds all nodes before one can be looked at, and each takes
// hundreds of bytes, of which the text may have two: a limit on the bytes of a text
// is none on memory. What goes in is a text, what comes out is a count or an error.
package yamlmarks

import (
	"bytes"
	"fmt"

	"golang.org/x/text/encoding/unicode"
)

// Most is how many places where a node may begin a text that people write may have.
const Most = 400_000

// Count counts what nodes begin with or end in.
func Count(data []byte) int {
	data = asUTF8(data)
	marks := 0
	for i, c := range data {
		switch c {
		case '\r': // a line break of its own, unless a line feed follows
			if i+1 == len(data) || data[i+1] != '\n' {
				marks++
			}
		case '\n', ',', '[', '{', '?', '#':
			marks++
		}
	}
	// Lists within lists, and keys without line breaks: "- - -", "? :".
	marks += bytes.Count(data, []byte("- ")) + bytes.Count(data, []byte(": "))
	for _, lineBreak := range []string{"\u0085", "\u2028", "\u2029"} { // YAML 1.1 breaks lines there, too
		marks += bytes.Count(data, []byte(lineBreak))
	}
	return marks
}

// asUTF8 returns what a parser makes of a text: UTF-16 is read as well, if a mark says
// that it is that.
func asUTF8(data []byte) []byte {
	if !bytes.HasPrefix(data, []byte("\xff\xfe")) && !bytes.HasPrefix(data, []byte("\xfe\xff")) {
		return data
	}
	text, err := unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder().Bytes(data)
	if err != nil {
		return data
	}
	return text
}

// Check is an error if a text has more places where a node may begin than so many.
func Check(data []byte, most int) error {
	if marks := Count(data); marks > most {
		return fmt.Errorf("document has more than %d fields and values: %d places where one may begin", most, marks)
	}
	return nil
}

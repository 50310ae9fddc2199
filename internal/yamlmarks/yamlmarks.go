// Package yamlmarks tells how many nodes a YAML text may have, before it is parsed.
//
// YAML's parser builds all nodes before one can be looked at, and each takes
// hundreds of bytes, of which the text may have two: a limit on the bytes of a text
// is none on memory. What goes in is a text, what comes out is a count or an error.
package yamlmarks

import (
	"bytes"
	"fmt"
)

// Most is how many places where a node may begin a text that people write may have.
const Most = 400_000

// Count counts what nodes begin with or end in.
func Count(data []byte) int {
	marks := 0
	for _, c := range data {
		switch c {
		case '\n', ',', '[', '{', '?', '#':
			marks++
		}
	}
	// Lists within lists, and keys without line breaks: "- - -", "? :".
	return marks + bytes.Count(data, []byte("- ")) + bytes.Count(data, []byte(": "))
}

// Check is an error if a text has more places where a node may begin than so many.
func Check(data []byte, most int) error {
	if marks := Count(data); marks > most {
		return fmt.Errorf("document has more than %d fields and values: %d places where one may begin", most, marks)
	}
	return nil
}

// Package printable makes text that came from outside safe to print: nothing in it
// can steer a terminal, break a line where none is meant to be broken, or turn the
// direction of writing.
package printable

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The spaces that hold a number and its unit together.
const (
	noBreak       = '\u00a0'
	narrowNoBreak = '\u202f'
)

// Line returns a text as one line of printable characters. Line breaks and tabs
// become spaces; what else is not printable becomes U+FFFD.
func Line(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r == '\r' {
			return ' '
		}
		return shown(r)
	}, s)
}

// Text returns a text of several lines. It keeps line breaks, tabs and spaces that
// do not break; what else is not printable becomes U+FFFD.
func Text(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '\n', '\t', noBreak, narrowNoBreak:
			return r
		}
		return shown(r)
	}, s)
}

func shown(r rune) rune {
	if !unicode.IsPrint(r) {
		return utf8.RuneError
	}
	return r
}

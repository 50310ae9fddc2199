// Package printable makes text that came from outside safe to print: nothing in it
// can steer a terminal, break a line where none is meant to be broken, hide, or turn
// the direction of writing.
//
// What prints takes a [Printer], which lets nothing else through; documents that are
// handed on as they are take [JSON].
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
func Text(s string) string { return strings.Map(shownInText, s) }

// Block returns a text of several lines in which each line but the first stands
// behind an indent, so that none can be taken for a line of who prints it.
func Block(s, indent string) string {
	lines := strings.Split(strings.Trim(s, "\r\n"), "\n")
	for i, line := range lines {
		lines[i] = Line(strings.TrimRight(line, " \t\r"))
	}
	return strings.Join(lines, "\n"+indent)
}

// IsLine reports whether a text is one line of printable characters as it is.
func IsLine(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return shown(r) != r || r == utf8.RuneError })
}

func shownInText(r rune) rune {
	switch r {
	case '\n', '\t', noBreak, narrowNoBreak:
		return r
	}
	return shown(r)
}

// shown returns a character that a reader sees as what it is, or U+FFFD in place of
// any other: of what steers, and of what takes no room by itself and is drawn by
// nobody (Default_Ignorable_Code_Point in the Unicode Character Database).
func shown(r rune) rune {
	if !unicode.IsPrint(r) || unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) {
		return utf8.RuneError
	}
	return r
}

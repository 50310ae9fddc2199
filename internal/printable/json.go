package printable

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON returns a JSON text in which all that is not printable stands as an escape
// (RFC 8259, section 7). Such characters can only stand in strings; their value is
// the same, and a terminal does not see them.
func JSON(text []byte) []byte {
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if shownInText(r) != r {
			return escaped(text, i)
		}
		i += size
	}
	return text
}

func escaped(text []byte, from int) []byte {
	out := append(make([]byte, 0, len(text)+64), text[:from]...)
	for i := from; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		switch {
		case shownInText(r) == r || r == '\r':
			out = append(out, text[i:i+size]...)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			out = fmt.Appendf(out, `\u%04x\u%04x`, high, low)
		default:
			out = fmt.Appendf(out, `\u%04x`, r)
		}
		i += size
	}
	return out
}

// Package exactjson finds JSON that two readers understand differently.
//
// encoding/json takes the last of repeated members, and a member whose name differs
// from that of a field in upper and lower case alone; other readers take the first, refuse the text, or
// see no such member. It also puts U+FFFD where a text has no valid UTF-8 or half a surrogate, so
// that two names become one. What goes in is a text and the value that it is to be decoded
// into; what comes out is the first place where readers may disagree, or nil. Grammar,
// unknown members and types are left to the decoder.
package exactjson

import (
	"errors"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/islandbundle/island/internal/jsonwalk"
)

// maxDepth is more than any document here has.
const maxDepth = 200

// Check refuses, in a document of our own, repeated members, members in other letters
// than they have, and text that is no Unicode.
func Check(data []byte, into any) error {
	if at := badText(data); at >= 0 {
		return jsonwalk.Place(data, at, "text is not valid Unicode")
	}
	return Members(data, into)
}

// Members refuses repeated members at any depth, and such as only some readers take for
// one that is read. It is for what others wrote, where all else is theirs. It keeps the
// names of the objects that it is in, and nothing else.
func Members(data []byte, into any) error {
	err := jsonwalk.Walk(data, into, maxDepth, &reader{data: data})
	if errors.Is(err, jsonwalk.ErrMalformed) {
		return nil // the decoder says it better
	}
	return err
}

// reader looks at the names of members.
type reader struct {
	data []byte
	seen []map[string]bool // of the objects that it is in
}

func (r *reader) Open() error {
	r.seen = append(r.seen, map[string]bool{})
	return nil
}

func (r *reader) Close() { r.seen = r.seen[:len(r.seen)-1] }

func (r *reader) Member(_ reflect.Type, quoted []byte, field string, at int) error {
	name, err := jsonwalk.Unquote(quoted)
	if err != nil {
		return err
	}
	seen := r.seen[len(r.seen)-1]
	if seen[name] {
		return jsonwalk.Place(r.data, at, "member %.80q is given twice", name)
	}
	seen[name] = true
	if field != "" && field != name {
		return jsonwalk.Place(r.data, at, "member %.80q is spelled %q", name, field)
	}
	return nil
}

func (r *reader) Behind(reflect.Type) error         { return nil }
func (r *reader) Element(reflect.Type) error        { return nil }
func (r *reader) Scalar(reflect.Type, []byte) error { return nil }
func (r *reader) Itself(reflect.Type, int) error    { return nil }

// badText returns where a text has no valid UTF-8, or half a surrogate; -1 if nowhere.
func badText(data []byte) int {
	for i := 0; i < len(data); {
		if data[i] == '\\' && i+1 < len(data) {
			size := escapeSize(data[i:])
			if size == 0 {
				return i
			}
			i += size
			continue
		}
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return -1
}

// escapeSize returns how long an escape is, a pair of surrogates being one; 0 for half
// a pair.
func escapeSize(data []byte) int {
	unit := func(at int) int64 {
		if at+6 > len(data) || data[at] != '\\' || data[at+1] != 'u' {
			return -1
		}
		value, err := strconv.ParseInt(string(data[at+2:at+6]), 16, 32)
		if err != nil {
			return -1
		}
		return value
	}
	switch first, second := unit(0), unit(6); {
	case first >= 0xd800 && first < 0xdc00 && second >= 0xdc00 && second < 0xe000:
		return 12
	case first >= 0xd800 && first < 0xe000:
		return 0
	}
	return 2
}

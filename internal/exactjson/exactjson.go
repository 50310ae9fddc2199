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
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is more than any document here has.
const maxDepth = 200

// Check refuses, in a document of our own, repeated members, members in other letters
// than they have, and text that is no Unicode.
func Check(data []byte, into any) error {
	if at := badText(data); at >= 0 {
		return place(data, at, "text is not valid Unicode")
	}
	return Members(data, into)
}

// Members refuses repeated members at any depth, and such as only some readers take for
// one that is read. It is for what others wrote, where all else is theirs. It keeps the
// names of the objects that it is in, and nothing else.
func Members(data []byte, into any) error {
	w := walker{data: data}
	err := w.value(reflect.TypeOf(into), 0)
	if errors.Is(err, errMalformed) {
		return nil // the decoder says it better
	}
	return err
}

var errMalformed = errors.New("not JSON")

// walker goes through a text once. Of what is no JSON it finds some, and says so.
type walker struct {
	data []byte
	at   int
}

// next skips white space and returns the byte that follows, 0 at the end.
func (w *walker) next() byte {
	for ; w.at < len(w.data); w.at++ {
		if !strings.ContainsRune(" \t\r\n", rune(w.data[w.at])) {
			return w.data[w.at]
		}
	}
	return 0
}

func (w *walker) value(of reflect.Type, depth int) error {
	if depth > maxDepth {
		return place(w.data, w.at, "nested deeper than %d levels", maxDepth)
	}
	switch w.next() {
	case '{':
		return w.object(plain(of), depth)
	case '[':
		if of = plain(of); of != nil && (of.Kind() == reflect.Slice || of.Kind() == reflect.Array) {
			of = of.Elem()
		} else {
			of = nil
		}
		return w.list(']', func() error { return w.value(of, depth+1) })
	case '"':
		_, err := w.text()
		return err
	}
	start := w.at
	for w.at < len(w.data) && !strings.ContainsRune(" \t\r\n,]}", rune(w.data[w.at])) {
		w.at++
	}
	if w.at == start {
		return errMalformed
	}
	return nil
}

// list goes through what stands between a bracket and the one that closes it.
func (w *walker) list(closes byte, one func() error) error {
	w.at++
	if w.next() == closes {
		w.at++
		return nil
	}
	for {
		if err := one(); err != nil {
			return err
		}
		switch w.next() {
		case closes:
			w.at++
			return nil
		case ',':
			w.at++
		default:
			return errMalformed
		}
	}
}

// text goes behind a string, and returns it with its quotes.
func (w *walker) text() ([]byte, error) {
	start := w.at
	for w.at++; w.at < len(w.data); w.at++ {
		switch w.data[w.at] {
		case '\\':
			w.at++
		case '"':
			w.at++
			return w.data[start:w.at], nil
		}
	}
	return nil, errMalformed
}

func (w *walker) object(of reflect.Type, depth int) error {
	fields := fieldsOf(of)
	seen := map[string]bool{}
	return w.list('}', func() error {
		if w.next() != '"' {
			return errMalformed
		}
		quoted, err := w.text()
		if err != nil {
			return err
		}
		var name string
		if json.Unmarshal(quoted, &name) != nil {
			return errMalformed
		}
		if seen[name] {
			return place(w.data, w.at, "member %.80q is given twice", name)
		}
		seen[name] = true
		if err := w.spelled(fields, name); err != nil {
			return err
		}
		if w.next() != ':' {
			return errMalformed
		}
		w.at++
		inner := fields[name]
		if of != nil && of.Kind() == reflect.Map {
			inner = of.Elem()
		}
		return w.value(inner, depth+1)
	})
}

// spelled refuses a name that is a field's in other letters.
func (w *walker) spelled(fields map[string]reflect.Type, name string) error {
	if _, known := fields[name]; known {
		return nil
	}
	for field := range fields {
		if strings.EqualFold(field, name) {
			return place(w.data, w.at, "member %.80q is spelled %q", name, field)
		}
	}
	return nil
}

var unmarshaler = reflect.TypeFor[json.Unmarshaler]()

// plain returns the type that the members of a text are decoded into; nil if the type
// decodes itself, or there is none.
func plain(of reflect.Type) reflect.Type {
	for of != nil {
		if of.Implements(unmarshaler) || reflect.PointerTo(of).Implements(unmarshaler) {
			return nil
		}
		if of.Kind() != reflect.Pointer {
			return of
		}
		of = of.Elem()
	}
	return nil
}

// fieldsOf returns the fields of a struct by the names that they have in JSON.
func fieldsOf(of reflect.Type) map[string]reflect.Type {
	if of == nil || of.Kind() != reflect.Struct {
		return nil
	}
	fields := map[string]reflect.Type{}
	for _, field := range reflect.VisibleFields(of) {
		tag, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case !field.IsExported() || tag == "-" || field.Anonymous && tag == "":
		case tag == "":
			fields[field.Name] = field.Type
		default:
			fields[tag] = field.Type
		}
	}
	return fields
}

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

// place says on which line and in which column something is.
func place(data []byte, at int, format string, args ...any) error {
	before := data[:min(at, len(data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Errorf("line %d, column %d: %w", line, column, fmt.Errorf(format, args...))
}

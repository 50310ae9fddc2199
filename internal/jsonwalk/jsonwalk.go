// Package jsonwalk goes through a JSON text beside the Go type that it is to be
// decoded into, and decodes nothing.
//
// What goes in is a text, a type and a visitor, which is told what encoding/json
// would decode, in the order in which it stands there; what comes out is the first
// error, or nil. The walk itself allocates next to nothing. Grammar within numbers
// and words is left to the decoder, and so is what follows the first value.
package jsonwalk

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"
)

// ErrMalformed says that a text is no JSON. Whoever decodes it says more.
var ErrMalformed = errors.New("not valid JSON")

// Visitor is told what a text holds. A type is what a value is decoded into: nil
// where nothing is kept of it, and below what decodes itself. An error ends the walk.
type Visitor interface {
	// Behind is told of a value that a pointer points to, or an interface holds.
	Behind(of reflect.Type) error
	// Open and Close are told where an object begins and ends.
	Open() error
	Close()
	// Member is told the name of a member of the object that was opened last.
	// Quoted is the name as it stands there, up to the byte at; field is the one of a
	// struct that it is decoded into, empty if there is none.
	Member(in reflect.Type, quoted []byte, field string, at int) error
	// Element is told of an element of a list, before the element itself.
	Element(of reflect.Type) error
	// Scalar is told of a text, with its quotes, a number or a word.
	Scalar(of reflect.Type, text []byte) error
	// Itself is told behind a value that decodes itself how many bytes it has.
	Itself(of reflect.Type, size int) error
}

// Walk goes through the first value of a text, which is to be decoded into one
// such as into points to. Nested deeper than depth, it is refused with the place.
func Walk(data []byte, into any, depth int, visitor Visitor) error {
	w := walker{Visitor: visitor, data: data, depth: depth, fields: map[reflect.Type]map[string]reflect.Type{}}
	return w.value(reflect.TypeOf(into).Elem(), 0)
}

type walker struct {
	Visitor
	data   []byte
	at     int
	depth  int
	fields map[reflect.Type]map[string]reflect.Type // of structs
}

var (
	decodesJSON = reflect.TypeFor[json.Unmarshaler]()
	decodesText = reflect.TypeFor[encoding.TextUnmarshaler]()
	anything    = reflect.TypeFor[any]()
)

func (w *walker) value(of reflect.Type, depth int) error {
	if depth > w.depth {
		return Place(w.data, w.at, "text is nested deeper than %d levels", w.depth)
	}
	of, err := w.pointed(of)
	if err != nil {
		return err
	}
	if decodesItself(of) {
		w.space()
		begin := w.at
		if err := w.value(nil, depth); err != nil {
			return err
		}
		return w.Itself(of, w.at-begin)
	}
	switch w.next() {
	case '{':
		return w.object(of, depth)
	case '[':
		return w.list(of, depth)
	case '"':
		text, ok := w.text()
		if !ok {
			return ErrMalformed
		}
		return w.Scalar(of, text)
	}
	return w.word(of)
}

// pointed follows pointers.
func (w *walker) pointed(of reflect.Type) (reflect.Type, error) {
	for of != nil && of.Kind() == reflect.Pointer {
		of = of.Elem()
		if err := w.Behind(of); err != nil {
			return nil, err
		}
	}
	if of != nil && of.Kind() == reflect.Interface {
		return anything, w.Behind(anything)
	}
	return of, nil
}

// decodesItself reports whether values of a type read their JSON themselves.
func decodesItself(of reflect.Type) bool {
	if of == nil || of == anything {
		return false
	}
	to := reflect.PointerTo(of)
	return to.Implements(decodesJSON) || to.Implements(decodesText)
}

func (w *walker) space() {
	for w.at < len(w.data) && strings.IndexByte(" \t\r\n", w.data[w.at]) >= 0 {
		w.at++
	}
}

// next returns the byte that comes next, 0 at the end.
func (w *walker) next() byte {
	if w.space(); w.at < len(w.data) {
		return w.data[w.at]
	}
	return 0
}

// take passes over a byte, if it comes next.
func (w *walker) take(c byte) bool {
	if w.next() != c {
		return false
	}
	w.at++
	return true
}

// text passes over a string, and returns it with its quotes.
func (w *walker) text() ([]byte, bool) {
	begin := w.at
	for w.at++; w.at < len(w.data); w.at++ {
		switch w.data[w.at] {
		case '"':
			w.at++
			return w.data[begin:w.at], true
		case '\\':
			w.at++
		}
	}
	return nil, false
}

// word passes over a number, true, false or null.
func (w *walker) word(of reflect.Type) error {
	begin := w.at
	for w.at < len(w.data) && strings.IndexByte(" \t\r\n,:]}[{\"", w.data[w.at]) < 0 {
		w.at++
	}
	if w.at == begin {
		return ErrMalformed
	}
	return w.Scalar(of, w.data[begin:w.at])
}

func (w *walker) list(in reflect.Type, depth int) error {
	w.at++
	var of reflect.Type
	switch {
	case in == nil:
	case in == anything:
		of = anything
	case in.Kind() == reflect.Slice, in.Kind() == reflect.Array:
		of = in.Elem()
	}
	for first := true; !w.take(']'); first = false {
		if !first && !w.take(',') {
			return ErrMalformed
		}
		if err := w.Element(of); err != nil {
			return err
		}
		if err := w.value(of, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) object(in reflect.Type, depth int) error {
	w.at++
	if err := w.Open(); err != nil {
		return err
	}
	defer w.Close()
	for first := true; !w.take('}'); first = false {
		if !first && !w.take(',') || w.next() != '"' {
			return ErrMalformed
		}
		quoted, ok := w.text()
		if !ok {
			return ErrMalformed
		}
		of, field, err := w.member(in, quoted)
		if err != nil {
			return err
		}
		if err := w.Member(in, quoted, field, w.at); err != nil {
			return err
		}
		if !w.take(':') {
			return ErrMalformed
		}
		if err := w.value(of, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// member returns the type of what a member of an object is decoded into, and the name
// of the field, if that is one of a struct.
func (w *walker) member(in reflect.Type, quoted []byte) (of reflect.Type, field string, err error) {
	switch {
	case in == nil:
		return nil, "", nil
	case in == anything:
		return anything, "", nil
	case in.Kind() == reflect.Map:
		return in.Elem(), "", nil
	case in.Kind() != reflect.Struct:
		return nil, "", nil
	}
	name, err := Unquote(quoted)
	if err != nil {
		return nil, "", err
	}
	fields, ok := w.fields[in]
	if !ok {
		fields = fieldsOf(in)
		w.fields[in] = fields
	}
	if of, exact := fields[name]; exact {
		return of, name, nil
	}
	for known, of := range fields { // as encoding/json does, to which "ſize" is "size"
		if strings.EqualFold(known, name) {
			return of, known, nil
		}
	}
	return nil, "", nil
}

// Unquote returns what a string in quotes means.
func Unquote(quoted []byte) (string, error) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return string(quoted[1 : len(quoted)-1]), nil
	}
	var text string
	if json.Unmarshal(quoted, &text) != nil {
		return "", ErrMalformed
	}
	return text, nil
}

// fieldsOf returns the types of a struct's members by the names that they have in JSON.
func fieldsOf(of reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	for _, field := range reflect.VisibleFields(of) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case !field.IsExported(), name == "-", field.Anonymous && name == "" && isStruct(field.Type):
			continue // what it embeds is visible itself
		case name == "":
			name = field.Name
		}
		fields[name] = field.Type
	}
	return fields
}

func isStruct(of reflect.Type) bool {
	if of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	return of.Kind() == reflect.Struct
}

// Place is an error that says on which line and in which column of a text
// something is.
func Place(data []byte, at int, format string, args ...any) error {
	before := data[:min(at, len(data))]
	line := bytes.Count(before, []byte("\n")) + 1
	column := utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:]) + 1
	return fmt.Errorf("line %d, column %d: %w", line, column, fmt.Errorf(format, args...))
}

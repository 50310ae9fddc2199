// Package jsonweight tells what decoding a JSON text would take, before it is
// decoded.
//
// Three bytes of "{}," become hundreds where a list of structs is decoded, and
// the list is copied each time that it grows: a limit on the bytes of a text is
// none on memory. [Check] walks a text beside the Go type that it is to be
// decoded into, allocates next to nothing, and refuses one that would weigh too
// much or is nested too deep.
package jsonweight

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

// Limit is what a text may take.
type Limit struct {
	Depth int   // arrays and objects within each other
	Bytes int64 // of memory for the values, while lists and maps grow
}

// Times returns the limit of a text that may take a multiple of its own bytes, and
// a little that short ones need.
func Times(factor int, data []byte) Limit {
	return Limit{Depth: 64, Bytes: int64(factor)*int64(len(data)) + 64<<10}
}

// ErrTooHeavy says that decoding a text would exceed a limit.
var ErrTooHeavy = errors.New("takes more memory than a document of its size may")

// ErrMalformed says that a text is no JSON. Whoever decodes it says more.
var ErrMalformed = errors.New("not valid JSON")

// Check returns an error if decoding the first value of a text into one such as
// into points to would exceed the limit. What follows it is not looked at.
func Check(data []byte, into any, limit Limit) error {
	w := &walker{data: data, limit: limit, fields: map[reflect.Type]map[string]reflect.Type{}}
	return w.value(reflect.TypeOf(into).Elem(), 0)
}

// walker goes through a text once.
type walker struct {
	data   []byte
	at     int
	weight int64
	limit  Limit
	fields map[reflect.Type]map[string]reflect.Type // of a struct, by lower-case names
}

// What Go's implementation takes beside the values themselves.
const (
	mapEntry = 48 // of a map, on average while it grows
	boxed    = 16 // what an interface points to
	growth   = 2  // a list's last two arrays stand side by side
	ofText   = 2  // times the text of a value that decodes itself
	ofJSON   = 4
)

func (w *walker) add(n int64) error {
	if w.weight += n; w.weight > w.limit.Bytes {
		return fmt.Errorf("text of %d bytes %w", len(w.data), ErrTooHeavy)
	}
	return nil
}

func (w *walker) space() {
	for w.at < len(w.data) && (w.data[w.at] == ' ' || w.data[w.at] == '\t' || w.data[w.at] == '\n' || w.data[w.at] == '\r') {
		w.at++
	}
}

// take passes over a byte that has to come next.
func (w *walker) take(c byte) bool {
	if w.space(); w.at < len(w.data) && w.data[w.at] == c {
		w.at++
		return true
	}
	return false
}

var (
	decodesJSON = reflect.TypeFor[json.Unmarshaler]()
	decodesText = reflect.TypeFor[encoding.TextUnmarshaler]()
	anything    = reflect.TypeFor[any]()
)

// value passes over a value, and adds what it weighs as one of a type; nil is
// the type of what is not kept.
func (w *walker) value(t reflect.Type, depth int) error {
	if depth > w.limit.Depth {
		return fmt.Errorf("text is nested deeper than %d levels", w.limit.Depth)
	}
	t, err := w.pointed(t)
	if err != nil {
		return err
	}
	w.space()
	if w.at == len(w.data) {
		return ErrMalformed
	}
	if t != nil && t != anything {
		to := reflect.PointerTo(t)
		if to.Implements(decodesJSON) {
			return w.itself(ofJSON, depth)
		}
		if to.Implements(decodesText) {
			return w.itself(ofText, depth)
		}
	}
	switch c := w.data[w.at]; {
	case c == '{':
		return w.object(t, depth)
	case c == '[':
		return w.list(t, depth)
	case c == '"':
		begin := w.at
		if !w.text() {
			return ErrMalformed
		}
		return w.keep(t, int64(w.at-begin))
	default:
		return w.word(t)
	}
}

// pointed follows pointers, whose values are allocated.
func (w *walker) pointed(t reflect.Type) (reflect.Type, error) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
		if err := w.add(int64(t.Size())); err != nil {
			return nil, err
		}
	}
	if t != nil && t.Kind() == reflect.Interface {
		return anything, w.add(boxed)
	}
	return t, nil
}

// keep adds the text of a value that is kept.
func (w *walker) keep(t reflect.Type, size int64) error {
	if t == nil {
		return nil
	}
	return w.add(size)
}

// itself adds what a value weighs that decodes itself, as so many times its text.
func (w *walker) itself(times int64, depth int) error {
	begin := w.at
	if err := w.value(nil, depth); err != nil {
		return err
	}
	return w.add(times * int64(w.at-begin))
}

// text passes over a string.
func (w *walker) text() bool {
	for w.at++; w.at < len(w.data); w.at++ {
		switch w.data[w.at] {
		case '"':
			w.at++
			return true
		case '\\':
			w.at++
		}
	}
	return false
}

// word passes over a number, true, false or null.
func (w *walker) word(t reflect.Type) error {
	begin := w.at
	for w.at < len(w.data) && strings.IndexByte(" \t\r\n,:]}[{\"", w.data[w.at]) < 0 {
		w.at++
	}
	if w.at == begin {
		return ErrMalformed
	}
	if t == anything {
		return w.add(boxed)
	}
	return nil
}

func (w *walker) list(t reflect.Type, depth int) error {
	w.at++
	var of reflect.Type
	switch {
	case t == nil:
	case t == anything:
		of = anything
	case t.Kind() == reflect.Slice, t.Kind() == reflect.Array:
		of = t.Elem()
	}
	for first := true; !w.take(']'); first = false {
		if !first && !w.take(',') {
			return ErrMalformed
		}
		if of != nil {
			if err := w.add(growth * int64(of.Size())); err != nil {
				return err
			}
		}
		if err := w.value(of, depth+1); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) object(t reflect.Type, depth int) error {
	w.at++
	for first := true; !w.take('}'); first = false {
		if !first && !w.take(',') {
			return ErrMalformed
		}
		w.space()
		begin := w.at
		if w.at == len(w.data) || w.data[w.at] != '"' || !w.text() {
			return ErrMalformed
		}
		of, err := w.member(t, w.data[begin:w.at])
		if err != nil {
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

// member returns the type of what a member of an object is decoded into.
func (w *walker) member(t reflect.Type, quoted []byte) (reflect.Type, error) {
	switch {
	case t == nil:
		return nil, nil
	case t == anything:
		return anything, w.add(mapEntry + int64(anything.Size()) + int64(len(quoted)))
	case t.Kind() == reflect.Map:
		return t.Elem(), w.add(mapEntry + int64(t.Key().Size()+t.Elem().Size()) + int64(len(quoted)))
	case t.Kind() != reflect.Struct:
		return nil, nil
	}
	name := ""
	if bytes.IndexByte(quoted, '\\') < 0 {
		name = string(quoted[1 : len(quoted)-1])
	} else if json.Unmarshal(quoted, &name) != nil {
		return nil, ErrMalformed
	}
	return w.fieldOf(t, name), nil
}

// fieldOf finds what a struct's member is decoded into as encoding/json does,
// to which "ſize" is "size".
func (w *walker) fieldOf(t reflect.Type, name string) reflect.Type {
	fields := w.fieldsOf(t)
	if of, ok := fields[strings.ToLower(name)]; ok || len(name) == utf8.RuneCountInString(name) {
		return of
	}
	for known, of := range fields {
		if strings.EqualFold(known, name) {
			return of
		}
	}
	return nil
}

// fieldsOf returns what a struct's members are decoded into.
func (w *walker) fieldsOf(t reflect.Type) map[string]reflect.Type {
	if known, ok := w.fields[t]; ok {
		return known
	}
	fields := map[string]reflect.Type{}
	w.fields[t] = fields
	for _, field := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case !field.IsExported(), name == "-", field.Anonymous && name == "" && structOf(field.Type) != nil:
			continue // what it embeds is visible itself
		case name == "":
			name = field.Name
		}
		fields[strings.ToLower(name)] = field.Type
	}
	return fields
}

func structOf(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	return t
}

// Unmarshal does what [json.Unmarshal] does, for a text from outside whose values
// may take eight times its bytes: what lists of descriptors take that have little
// but what they must.
func Unmarshal(data []byte, into any) error {
	if err := Check(data, into, Times(8, data)); err != nil && !errors.Is(err, ErrMalformed) {
		return err
	} else if err != nil && json.Valid(data) {
		return err
	}
	return json.Unmarshal(data, into)
}

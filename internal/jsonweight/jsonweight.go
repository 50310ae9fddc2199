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
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/islandbundle/island/internal/jsonwalk"
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

// Check returns an error if decoding the first value of a text into one such as
// into points to would exceed the limit, and [jsonwalk.ErrMalformed] if it is no
// JSON. What follows it is not looked at.
func Check(data []byte, into any, limit Limit) error {
	return jsonwalk.Walk(data, into, limit.Depth, &scales{text: len(data), limit: limit.Bytes})
}

// scales add up what values weigh.
type scales struct {
	text   int // bytes of it
	weight int64
	limit  int64
}

// What Go's implementation takes beside the values themselves.
const (
	mapEntry = 48 // of a map, on average while it grows
	boxed    = 16 // what an interface points to
	growth   = 2  // a list's last two arrays stand side by side
	ofText   = 2  // times the text of a value that decodes itself
	ofJSON   = 4
)

func (s *scales) add(n int64) error {
	if s.weight += n; s.weight > s.limit {
		return fmt.Errorf("text of %d bytes %w", s.text, ErrTooHeavy)
	}
	return nil
}

var (
	decodesJSON = reflect.TypeFor[json.Unmarshaler]()
	anything    = reflect.TypeFor[any]()
)

func (s *scales) Open() error { return nil }

func (s *scales) Close() {}

// Behind adds a value that is allocated.
func (s *scales) Behind(of reflect.Type) error {
	if of == anything {
		return s.add(boxed)
	}
	return s.add(int64(of.Size()))
}

func (s *scales) Element(of reflect.Type) error {
	if of == nil {
		return nil
	}
	return s.add(growth * int64(of.Size()))
}

func (s *scales) Member(in reflect.Type, quoted []byte, _ string, _ int) error {
	switch {
	case in == nil:
		return nil
	case in == anything:
		return s.add(mapEntry + int64(anything.Size()) + int64(len(quoted)))
	case in.Kind() == reflect.Map:
		return s.add(mapEntry + int64(in.Key().Size()+in.Elem().Size()) + int64(len(quoted)))
	}
	return nil
}

// Scalar adds the text of a value that is kept as one, and the box of a number.
func (s *scales) Scalar(of reflect.Type, text []byte) error {
	switch {
	case of == nil:
		return nil
	case text[0] == '"':
		return s.add(int64(len(text)))
	case of == anything:
		return s.add(boxed)
	}
	return nil
}

func (s *scales) Itself(of reflect.Type, size int) error {
	if reflect.PointerTo(of).Implements(decodesJSON) {
		return s.add(ofJSON * int64(size))
	}
	return s.add(ofText * int64(size))
}

// Unmarshal does what [json.Unmarshal] does, for a text from outside whose values
// may take eight times its bytes: what lists of descriptors take that have little
// but what they must.
func Unmarshal(data []byte, into any) error {
	if err := Check(data, into, Times(8, data)); err != nil && !errors.Is(err, jsonwalk.ErrMalformed) {
		return err
	} else if err != nil && json.Valid(data) {
		return err
	}
	return json.Unmarshal(data, into)
}

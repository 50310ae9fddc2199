package present

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
)

// JSON returns a report as docs/sizing-report.schema.json describes it.
func JSON(r *sizing.Report, lang *words.Language) ([]byte, error) {
	data, err := manifests.EncodeJSON(Document{r, lang})
	if err != nil {
		return nil, fmt.Errorf("sizing report: %w", err)
	}
	return data, nil
}

// Document is a report as programs read it. Beside each of its texts, which are
// in the language, stands the message, under the name of the text and Message: its
// code and arguments, and the words in English.
type Document struct {
	Report   *sizing.Report
	Language *words.Language
}

// MarshalJSON writes the report with its texts in the language.
func (d Document) MarshalJSON() ([]byte, error) {
	r := *d.Report
	r.Language = d.Language.Tag
	w := &jsonWriter{lang: d.Language}
	w.value(reflect.ValueOf(r))
	return w.b.Bytes(), w.err
}

var textType = reflect.TypeFor[message.Text]()

// jsonWriter writes what holds texts; the rest it leaves to encoding/json.
type jsonWriter struct {
	lang *words.Language
	b    bytes.Buffer
	err  error
}

func (w *jsonWriter) value(v reflect.Value) {
	switch {
	case v.Type() == textType:
		w.leaf(w.lang.Text(v.Interface().(message.Text)))
	case !holdsText(v.Type()) || v.Kind() == reflect.Pointer && v.IsNil():
		w.leaf(v.Interface())
	case v.Kind() == reflect.Pointer:
		w.value(v.Elem())
	case v.Kind() == reflect.Slice:
		w.b.WriteByte('[')
		for i := range v.Len() {
			w.comma('[')
			w.value(v.Index(i))
		}
		w.b.WriteByte(']')
	default:
		w.b.WriteByte('{')
		w.fields(v)
		w.b.WriteByte('}')
	}
}

// fields writes the fields of a struct, and of those that it embeds.
func (w *jsonWriter) fields(v reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case field.Anonymous && name == "":
			w.fields(v.Field(i))
		case !field.IsExported() || name == "-" || options == "omitempty" && isEmpty(v.Field(i)):
		default:
			w.name(name)
			w.value(v.Field(i))
			if text, ok := v.Field(i).Interface().(message.Text); ok && !text.IsZero() {
				w.name(name + "Message")
				w.leaf(told(text))
			}
		}
	}
}

func (w *jsonWriter) name(name string) {
	w.comma('{')
	w.leaf(name)
	w.b.WriteByte(':')
}

// comma parts a member from the one before it, where there is one.
func (w *jsonWriter) comma(open byte) {
	if written := w.b.Bytes(); written[len(written)-1] != open {
		w.b.WriteByte(',')
	}
}

func (w *jsonWriter) leaf(v any) {
	data, err := manifests.EncodeJSON(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.b.Write(bytes.TrimSuffix(data, []byte("\n")))
}

// isEmpty reports whether a field is left out that may be: an empty list, or a
// zero value.
func isEmpty(v reflect.Value) bool {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
		return v.Len() == 0
	}
	return v.IsZero()
}

func holdsText(t reflect.Type) bool {
	switch {
	case t == textType:
		return true
	case t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice:
		return holdsText(t.Elem())
	case t.Kind() == reflect.Struct:
		return slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool { return holdsText(f.Type) })
	}
	return false
}

// told is a message with its words in English, so that those too can read it who
// have no catalogue. In its arguments, only what no catalogue has needs them.
func told(t message.Text) message.Text {
	t = withWords(t)
	t.Words = words.English().Text(t)
	return t
}

// withWords gives a text that has no code its words, in arguments too.
func withWords(t message.Text) message.Text {
	if t.Code == "" {
		t.Words = words.English().Text(t)
	}
	t.Args = maps.Clone(t.Args)
	for name, arg := range t.Args {
		switch arg := arg.(type) {
		case message.Text:
			t.Args[name] = withWords(arg)
		case []message.Text:
			list := make([]message.Text, len(arg))
			for i, member := range arg {
				list[i] = withWords(member)
			}
			t.Args[name] = list
		}
	}
	return t
}

// Package schema makes JSON schemas, draft 2020-12, of Go types, so that the
// schemas in docs/ cannot part from the code: structure comes from the types
// and their tags, descriptions from their comments, and what neither says from
// rules that stand beside the tests. Tests use it; the program does not.
package schema

import (
	"encoding"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
)

// dialect is the value of $schema.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// Home is where schemas are published; their $id begins with it.
const Home = "https://github.com/islandbundle/island/docs/"

// Object is a schema, or a part of one.
type Object = map[string]any

// Writer makes schemas of types, and collects the definitions that they refer
// to in Defs. Everything but Defs is optional.
type Writer struct {
	// Defs are the definitions made so far, by name, for "$defs".
	Defs Object

	// Comments become descriptions.
	Comments Comments

	// Name gives the name of a type's definition. Default: the type's own, of a
	// generic one as in Value-list-NIC for Value[[]NIC].
	Name func(reflect.Type) string

	// Inline gives the schema of a type where it is not what its structure
	// says, and nil for all others.
	Inline func(reflect.Type) Object

	// Named are the same, as definitions of their own.
	Named map[reflect.Type]Object

	// Rules say what the type does not, such as a pattern, by Type or by
	// Type.field, where the field is called as in the document.
	Rules map[string]Object

	// Required are the fields, by Type, without which a document says nothing.
	Required map[string][]string

	// Written says that encoding/json writes these documents: a field without
	// tag goes by its Go name, and of a type that Required does not list, every
	// field is there that is not omitted when empty.
	Written bool

	// NullLists says that lists which are not omitted when empty may be null,
	// as encoding/json writes a nil slice.
	NullLists bool

	types map[string]reflect.Type // behind the names of Defs
}

var (
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// Of returns the schema of a type: a reference for structs and for Named types.
// It panics on types that no document can hold, and where two types would have
// one name.
func (w *Writer) Of(t reflect.Type) Object {
	if named, ok := w.Named[t]; ok {
		reference, _ := w.define(t, maps.Clone(named))
		return reference
	}
	if w.Inline != nil {
		if inline := w.Inline(t); inline != nil {
			return maps.Clone(inline)
		}
	}
	if t.Kind() == reflect.Pointer {
		return w.Of(t.Elem())
	}
	if p := reflect.PointerTo(t); p.Implements(textMarshaler) || p.Implements(textUnmarshaler) {
		return Object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.String:
		return Object{"type": "string"}
	case reflect.Bool:
		return Object{"type": "boolean"}
	case reflect.Float64:
		return Object{"type": "number"}
	case reflect.Int, reflect.Int64:
		return Object{"type": "integer"}
	case reflect.Uint32:
		return Object{"type": "integer", "minimum": 0, "maximum": uint64(math.MaxUint32)}
	case reflect.Uint64:
		return Object{"type": "integer", "minimum": 0, "maximum": uint64(math.MaxUint64)}
	case reflect.Interface:
		return Object{}
	case reflect.Slice:
		return Object{"type": "array", "items": w.Of(t.Elem())}
	case reflect.Map:
		return Object{"type": "object", "additionalProperties": w.Of(t.Elem())}
	case reflect.Struct:
		return w.structure(t)
	default:
		panic("no schema for " + t.String())
	}
}

// Document returns the schema of whole documents as it is published in a file of
// docs/: what stands at its root, such as the reference that [Writer.Of] gave,
// and the definitions made so far.
func (w *Writer) Document(file, title, description string, root Object) Object {
	document := Object{"$schema": dialect, "$id": Home + file, "title": title, "description": description, "$defs": w.Defs}
	maps.Copy(document, root)
	return document
}

// MaxInt64 bounds an integer that the program keeps in 64 bits; a float64, as
// which encoding/json would write it, does not hold it.
const MaxInt64 = json.Number("9223372036854775807")

// define keeps a definition under the type's name and gives a reference to it,
// and whether it is new.
func (w *Writer) define(t reflect.Type, schema Object) (reference Object, isNew bool) {
	name := definitionName(t.Name())
	if w.Name != nil {
		name = w.Name(t)
	}
	reference = Object{"$ref": "#/$defs/" + name}
	if known, ok := w.types[name]; ok {
		if known != t {
			panic("two types are called " + name + ": " + known.String() + " and " + t.String())
		}
		return reference, false
	}
	if w.types == nil {
		w.types = map[string]reflect.Type{}
	}
	if w.Defs == nil {
		w.Defs = Object{}
	}
	w.types[name] = t
	if comment := w.Comments.of(t, ""); comment != "" {
		schema["description"] = comment
	}
	w.Defs[name] = schema
	return reference, true
}

// definitionName makes a name that can stand in a reference of one that holds
// the arguments of a generic type, such as Value[[]example.com/facts.NIC].
func definitionName(name string) string {
	generic, argument, ok := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	if !ok {
		return name
	}
	element, isList := strings.CutPrefix(argument, "[]")
	if isList {
		generic += "-list"
	}
	return generic + "-" + element[strings.LastIndexByte(element, '.')+1:]
}

func (w *Writer) structure(t reflect.Type) Object {
	properties := Object{}
	schema := Object{"type": "object", "additionalProperties": false, "properties": properties}
	reference, isNew := w.define(t, schema)
	if !isNew {
		return reference // also from within itself
	}
	var written []string
	w.fields(t, properties, &written)
	required, listed := w.Required[t.Name()]
	if !listed && w.Written {
		required = written
	}
	if len(required) > 0 {
		schema["required"] = required
	}
	maps.Copy(schema, w.Rules[t.Name()])
	return reference
}

// fields adds the fields of a struct, and in written the names of those that
// are not omitted when empty.
func (w *Writer) fields(t reflect.Type, properties Object, written *[]string) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, omitted := fieldName(field)
		if field.Anonymous && name == "" { // its fields stand among the others
			embedded := field.Type
			if embedded.Kind() == reflect.Pointer {
				embedded = embedded.Elem()
			}
			w.fields(embedded, properties, written)
			continue
		}
		if name == "" && w.Written {
			name = field.Name
		}
		if name == "" || name == "-" || !field.IsExported() {
			continue
		}
		property := w.Of(field.Type)
		if comment := w.Comments.of(t, field.Name); comment != "" {
			property["description"] = comment
		}
		if !omitted {
			if !slices.Contains(*written, name) {
				*written = append(*written, name)
			}
			if w.NullLists && field.Type.Kind() == reflect.Slice {
				property["type"] = []string{"array", "null"}
			}
		}
		maps.Copy(property, w.Rules[t.Name()+"."+name])
		properties[name] = property
	}
}

// fieldName returns the name that a field has in a document, by its json or else
// its yaml tag, and whether it is left out when empty.
func fieldName(field reflect.StructField) (name string, omitted bool) {
	tag, ok := field.Tag.Lookup("json")
	if !ok {
		tag = field.Tag.Get("yaml")
	}
	name, options, _ := strings.Cut(tag, ",")
	return name, strings.Contains(options, "omit")
}

// Package schema makes a JSON schema of a Go type, so that the schemas in docs/
// and the types they describe cannot part.
package schema

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// Document describes a schema: draft 2020-12.
type Document struct {
	ID, Title string
	Type      reflect.Type
	Fixed     map[string]string // top-level fields with one allowed value
	Enums     map[reflect.Type][]string
}

// JSON gives the schema's text.
func (d Document) JSON() ([]byte, error) {
	g := generator{enums: d.Enums, definitions: map[string]any{}}
	root := g.object(d.Type)
	for field, value := range d.Fixed {
		root["properties"].(map[string]any)[field] = map[string]any{"const": value}
	}
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["$id"] = d.ID
	root["title"] = d.Title
	root["$defs"] = g.definitions
	data, err := json.MarshalIndent(root, "", "  ")
	return append(data, '\n'), err
}

type generator struct {
	enums       map[reflect.Type][]string
	definitions map[string]any
}

func (g generator) of(t reflect.Type) any {
	if values, ok := g.enums[t]; ok {
		return map[string]any{"enum": values}
	}
	if t == reflect.TypeFor[time.Time]() {
		return map[string]any{"type": "string", "format": "date-time"}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.of(t.Elem())
	case reflect.Struct:
		name := definition(t.Name())
		if _, ok := g.definitions[name]; !ok {
			g.definitions[name] = map[string]any{} // so that a type within itself ends
			g.definitions[name] = g.object(t)
		}
		return map[string]any{"$ref": "#/$defs/" + name}
	case reflect.Slice:
		return map[string]any{"type": "array", "items": g.of(t.Elem())}
	case reflect.Map:
		return map[string]any{"type": "object", "additionalProperties": g.of(t.Elem())}
	case reflect.String:
		return map[string]any{"type": "string"}
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Float64:
		return map[string]any{"type": "number"}
	default:
		return map[string]any{"type": "integer"}
	}
}

func (g generator) object(t reflect.Type) map[string]any {
	properties, required := map[string]any{}, []string{}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		properties[name] = g.of(t.Field(i).Type)
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			required = append(required, name)
		}
	}
	return map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}

// definition names a type for the schema: Value[[]example.com/facts.NIC] is
// Value-list-NIC.
func definition(name string) string {
	outer, inner, generic := strings.Cut(strings.TrimSuffix(name, "]"), "[")
	if !generic {
		return name
	}
	list := ""
	if rest, ok := strings.CutPrefix(inner, "[]"); ok {
		inner, list = rest, "list-"
	}
	return outer + "-" + list + inner[strings.LastIndexByte(inner, '.')+1:]
}

package charts

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests/fault"
)

// MaxStubs is how many values at most are made up for one rendering.
const MaxStubs = 200

// Stub is a value that a chart demands, that nobody gave, and that was made up
// so that the chart renders and its images can be found.
type Stub struct {
	Path  string `json:"path"`  // from the top of a values file, such as brig.config.host
	Value any    `json:"value"` // the placeholder: a text, number, truth value, list or map
	Why   string `json:"why"`   // the chart's own demand
}

// The placeholder texts. The second one is base64 of the first.
const (
	stubText   = "placeholder"
	stubBase64 = "cGxhY2Vob2xkZXI="
)

// stubber makes up values until a chart renders.
type stubber struct {
	chart  *Chart
	given  map[string]any // the values that were given
	values map[string]any // with what was made up
	stubs  []Stub
	tried  map[string]bool // path and value
}

// renderStubbed renders, and wherever the chart stops over a missing value,
// fills in a placeholder and begins again. A value that was given is never
// changed: over one that is wrong the chart stops as ever.
func (c *Chart) renderStubbed(how Rendering, values map[string]any) (*Rendered, error) {
	s := &stubber{chart: c, given: values, values: mergeValues(values, nil), tried: map[string]bool{}}
	for range MaxStubs {
		rendered, err := c.renderWith(how, s.values)
		if err == nil {
			rendered.Stubbed = s.stubs
			return rendered, nil
		}
		filled := false
		for _, explained := range fault.All(err) {
			if cause := (*RenderError)(nil); errors.As(explained, &cause) && s.fill(cause) {
				filled = true
			}
		}
		if !filled {
			return nil, err
		}
	}
	return nil, fault.New(fault.Failure, fault.Upstream, c.object(), "give the chart a values file",
		"%w: demands more than %d values", ErrTooLarge, MaxStubs)
}

var (
	missingProperty = regexp.MustCompile(`missing propert(?:y|ies) (.*)$`)
	allowedValues   = regexp.MustCompile(`must be one of (.*)$`)
	wantedType      = regexp.MustCompile(`want ([a-z]+)`)
	quotedWord      = regexp.MustCompile(`'([^']*)'|"([^"]*)"`)
)

// fill makes up the value that an error asks for, or another one than before.
func (s *stubber) fill(cause *RenderError) bool {
	if found := missingProperty.FindStringSubmatch(cause.Message); found != nil && strings.HasSuffix(cause.Template, "values.schema.json") {
		filled := false
		for _, name := range quotedWord.FindAllStringSubmatch(found[1], -1) {
			path := strings.Trim(cause.ValuePath+"."+name[1]+name[2], ".")
			filled = s.set(path, stubText, cause.Message) || filled
		}
		return filled
	}
	filled := false
	for _, path := range append([]string{cause.ValuePath}, strings.Fields(cause.others)...) {
		for _, placeholder := range placeholders(cause.Message) {
			if path != "" && s.set(path, placeholder, cause.Message) {
				filled = true
				break
			}
		}
	}
	return filled
}

// placeholders returns the values to try for a demand, the likeliest first.
func placeholders(message string) []any {
	text, base64, number, list, object := any(stubText), any(stubBase64), any(json.Number("1")), any([]any{stubText}), any(map[string]any{})
	contains := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(message, part) })
	}
	if found := allowedValues.FindStringSubmatch(message); found != nil {
		if word := quotedWord.FindStringSubmatch(found[1]); word != nil {
			return []any{word[1] + word[2]}
		}
	}
	if found := wantedType.FindStringSubmatch(message); found != nil {
		switch found[1] {
		case "integer", "number":
			return []any{number}
		case "boolean":
			return []any{true}
		case "array":
			return []any{list, []any{}}
		case "object":
			return []any{object}
		}
	}
	switch {
	case contains("range can't iterate", "expected []", "len of", "index of untyped nil", "over type"):
		return []any{list, object, text}
	case contains("base64"):
		return []any{base64}
	case contains("expected map", "map[string]interface", "wrong type for value; expected map"):
		return []any{object}
	case contains("expected int", "expected float", "invalid syntax", "integer"):
		return []any{number}
	case contains("expected bool"):
		return []any{true}
	}
	return []any{text, base64, number, true, list, object}
}

// set puts a placeholder in the place of nothing or of another placeholder, and
// tells whether that changed anything.
func (s *stubber) set(path string, value any, why string) bool {
	keys := strings.Split(path, ".")
	if have, ok := lookUp(s.given, keys); ok && !isEmptyValue(have) {
		return false
	}
	attempt := fmt.Sprintf("%s=%T%v", path, value, value)
	if s.tried[attempt] {
		return false
	}
	s.tried[attempt] = true
	if i := s.index(path); i >= 0 {
		s.stubs[i].Value, s.stubs[i].Why = value, why
	} else {
		s.stubs = append(s.stubs, Stub{Path: path, Value: value, Why: why})
	}
	s.values = mergeValues(s.given, nil)
	for _, stub := range s.stubs {
		s.values = setValue(s.values, strings.Split(stub.Path, "."), stub.Value)
	}
	return true
}

func (s *stubber) index(path string) int {
	return slices.IndexFunc(s.stubs, func(stub Stub) bool { return stub.Path == path })
}

func lookUp(values map[string]any, keys []string) (any, bool) {
	var value any = values
	for _, key := range keys {
		fields, ok := value.(map[string]any)
		if !ok {
			return nil, false
		}
		if value, ok = fields[key]; !ok {
			return nil, false
		}
	}
	return value, true
}

func isEmptyValue(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case map[string]any:
		return len(value) == 0
	case []any:
		return len(value) == 0
	}
	return false
}

// setValue returns a copy of values in which one is set; whatever stands in the
// way and is no map gives way.
func setValue(values map[string]any, keys []string, value any) map[string]any {
	copied := mergeValues(values, nil)
	if len(keys) == 1 {
		copied[keys[0]] = value
		return copied
	}
	below, _ := copied[keys[0]].(map[string]any)
	copied[keys[0]] = setValue(below, keys[1:], value)
	return copied
}

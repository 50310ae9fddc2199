package facts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/islandbundle/island/internal/exactjson"
	"github.com/islandbundle/island/internal/jsonweight"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words/message"
)

// Limits of what is read. All of it comes from hosts that may be hostile.
const (
	MaxFacts  = 1 << 20  // bytes of one host's facts
	MaxSurvey = 64 << 20 // bytes of a survey
	MaxText   = 4096     // bytes of one text
	MaxList   = 4096     // members of one list or map
	MaxHosts  = 1000     // hosts of one survey
	MaxLinks  = 200_000  // links of one survey
	maxDepth  = 24       // nesting of a document
)

// Read reads one host's facts: at most [MaxFacts] bytes, known fields alone,
// nothing after the document. Texts are cut to printable characters.
func Read(r io.Reader) (*Facts, error) {
	document := new(Facts)
	if err := read(r, MaxFacts, document); err != nil {
		return nil, err
	}
	if document.APIVersion != APIVersion || document.Kind != Kind {
		return nil, message.NewProblem("facts.wrong.kind",
			message.Args{"version": APIVersion, "found": strconv.Quote(document.APIVersion), "kind": strconv.Quote(document.Kind)})
	}
	return document, nil
}

// ReadValue reads one value that is sent apart from its document, as strictly.
func ReadValue[T any](data []byte) (Value[T], error) {
	var value Value[T]
	err := decode(data, MaxFacts, &value)
	return value, err
}

// ReadSurvey reads what one run learned, with the same strictness. A survey of
// version 1 becomes one of [SurveyVersion]. An observation that leaves out what it
// would be judged by is an error.
func ReadSurvey(r io.Reader) (*Survey, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxSurvey+1))
	if err != nil {
		return nil, err
	}
	document, err := decodeSurvey(data)
	if err != nil {
		return nil, err
	}
	if document.APIVersion != APIVersion || document.Kind != SurveyKind {
		return nil, fmt.Errorf("not a survey of %s but %q, kind %q", APIVersion, document.APIVersion, document.Kind)
	}
	if err := document.check(); err != nil {
		return nil, err
	}
	return document, nil
}

// VersionError says that a survey is of a version that this program does not read, as
// one is that a later program has written.
type VersionError struct{ Version int }

func (e *VersionError) Error() string {
	return fmt.Sprintf("survey is of version %d, this program reads 1 and %d", e.Version, SurveyVersion)
}

// decodeSurvey reads a survey by the version that it says it is of; version 1
// says none.
func decodeSurvey(data []byte) (*Survey, error) {
	var head struct {
		Version int `json:"version"`
	}
	_ = json.Unmarshal(data, &head) // what is wrong with it, decode tells
	switch head.Version {
	case 0:
	case SurveyVersion:
		document := new(Survey)
		return document, decode(data, MaxSurvey, document)
	default:
		return nil, &VersionError{head.Version}
	}
	var first surveyV1
	if err := decode(data, MaxSurvey, &first); err != nil {
		return nil, err
	}
	return first.survey()
}

func read(r io.Reader, limit int64, into any) error {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return err
	}
	return decode(data, limit, into)
}

// decode is strict about everything that json leaves open.
func decode(data []byte, limit int64, into any) error {
	if int64(len(data)) > limit {
		return message.NewProblem("facts.wrong.size", message.Args{"limit": limit})
	}
	if !utf8.Valid(data) {
		return message.NewProblem("facts.wrong.utf8", nil)
	}
	if errors.Is(jsonweight.Check(data, into, jsonweight.Times(8, data)), jsonweight.ErrTooHeavy) {
		return message.NewProblem("facts.wrong.size", message.Args{"limit": limit})
	}
	if err := checkShape(data); err != nil {
		return err
	}
	if err := exactjson.Check(data, into); err != nil {
		return errors.New(printable.Line(err.Error()))
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return undecoded(err)
	}
	return clean(reflect.ValueOf(into).Elem(), "")
}

// undecoded words what json says of a value, without names out of this program.
func undecoded(err error) error {
	var mistyped *json.UnmarshalTypeError
	switch {
	case !errors.As(err, &mistyped):
		return errors.New(printable.Line(strings.TrimPrefix(err.Error(), "json: ")))
	case mistyped.Field == "":
		return message.NewProblem("facts.wrong.document", message.Args{"found": printable.Line(mistyped.Value)})
	}
	return wrong("facts.wrong.type", mistyped.Field, message.Args{"found": printable.Line(mistyped.Value)})
}

// checkShape walks a document's tokens: depth, repeated keys, and nothing
// after the end, none of which the decoder refuses by itself.
func checkShape(data []byte) error {
	type level struct {
		keys  map[string]bool // nil in a list
		isKey bool
	}
	var stack []level
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			if len(stack) > 0 {
				return io.ErrUnexpectedEOF
			}
			return nil
		}
		if err != nil {
			return message.NewProblem("facts.wrong.json", message.Args{"why": printable.Line(err.Error())})
		}
		if delimiter, ok := token.(json.Delim); ok && (delimiter == '}' || delimiter == ']') {
			stack = stack[:len(stack)-1]
		} else {
			if len(stack) > 0 {
				top := &stack[len(stack)-1]
				if key, ok := token.(string); ok && top.keys != nil && top.isKey {
					if top.keys[key] {
						return message.NewProblem("facts.wrong.twice", message.Args{"key": strconv.Quote(printable.Line(key))})
					}
					if top.keys[key] = true; len(top.keys) > MaxList {
						return message.NewProblem("facts.wrong.keys", message.Args{"limit": MaxList})
					}
					top.isKey = false
					continue
				}
			}
			if delimiter, ok := token.(json.Delim); ok {
				next := level{}
				if delimiter == '{' {
					next = level{keys: map[string]bool{}, isKey: true}
				}
				if stack = append(stack, next); len(stack) > maxDepth {
					return message.NewProblem("facts.wrong.depth", message.Args{"limit": maxDepth})
				}
				continue
			}
		}
		if len(stack) == 0 {
			if decoder.More() {
				return message.NewProblem("facts.wrong.behind", nil)
			}
			continue
		}
		stack[len(stack)-1].isKey = stack[len(stack)-1].keys != nil
	}
}

// wrong says what is wrong with a field.
func wrong(code, field string, args message.Args) error {
	all := message.Args{"field": strings.TrimPrefix(field, ".")}
	maps.Copy(all, args)
	return message.NewProblem(code, all)
}

// cleanText bounds a text that people will be told. Hosts say what facts have codes
// for; they do not speak for the report.
func cleanText(t *message.Text, field string) error {
	if err := t.Check(); err != nil {
		return wrong("facts.wrong.message", field, message.Args{"why": printable.Line(err.Error())})
	}
	for _, code := range t.Codes() {
		if !strings.HasPrefix(code, "facts.") {
			return wrong("facts.wrong.code", field, message.Args{"code": code})
		}
	}
	*t = t.Map(printable.Line)
	if code := version1[t.Words]; code != "" && t.Code == "" {
		*t = message.Of(code, nil)
	}
	return nil
}

// clean bounds every text and list, refuses numbers that no host has, and
// takes what is not printable out of every text.
func clean(v reflect.Value, field string) error {
	if v.CanAddr() {
		if text, ok := v.Addr().Interface().(*message.Text); ok {
			return cleanText(text, field)
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return clean(v.Elem(), field)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
				if err := clean(v.Field(i), field+"."+name); err != nil {
					return err
				}
			}
		}
	case reflect.Slice:
		limit := MaxList
		switch v.Interface().(type) {
		case []Host:
			limit = MaxHosts
		case []Link:
			limit = MaxLinks
		}
		if v.Len() > limit {
			return wrong("facts.wrong.members", field, message.Args{"limit": limit})
		}
		for i := range v.Len() {
			if err := clean(v.Index(i), field); err != nil {
				return err
			}
		}
	case reflect.Map:
		return cleanMap(v, field)
	case reflect.String:
		if v.Len() > MaxText {
			return wrong("facts.wrong.text", field, message.Args{"limit": MaxText})
		}
		v.SetString(printable.Line(v.String()))
	case reflect.Int, reflect.Int64:
		// No count, size or speed is negative.
		if v.Int() < 0 {
			return wrong("facts.wrong.negative", field, message.Args{"value": v.Int()})
		}
	case reflect.Float64:
		if f := v.Float(); !isMeasured(f) {
			return wrong("facts.wrong.number", field, message.Args{"value": fmt.Sprintf("%g", f)})
		}
	}
	return nil
}

// isMeasured reports whether a number can have been measured.
func isMeasured(f float64) bool { return math.Abs(f) <= 1e15 }

func cleanMap(v reflect.Value, field string) error {
	if v.Len() > MaxList {
		return wrong("facts.wrong.members", field, message.Args{"limit": MaxList})
	}
	for _, key := range v.MapKeys() {
		if printable.Line(key.String()) != key.String() || key.Len() > MaxText {
			return wrong("facts.wrong.name", field, nil)
		}
		member := reflect.New(v.Type().Elem()).Elem()
		member.Set(v.MapIndex(key))
		if err := clean(member, field+"."+key.String()); err != nil {
			return err
		}
		v.SetMapIndex(key, member)
	}
	return nil
}

// cutMark stands where a text was cut.
const cutMark = "…"

// Cut bounds a text that comes from outside to what a document takes.
func Cut(s string) string {
	s = printable.Line(strings.ToValidUTF8(s, "�"))
	if len(s) <= MaxText/4 {
		return s
	}
	s = s[:MaxText/4]
	for !utf8.ValidString(s) {
		s = s[:len(s)-1]
	}
	return s + cutMark
}

// EachText calls f for every text in a document that people are told.
func EachText(document any, f func(*message.Text)) { eachText(reflect.ValueOf(document), f) }

func eachText(v reflect.Value, f func(*message.Text)) {
	if v.CanAddr() {
		if text, ok := v.Addr().Interface().(*message.Text); ok {
			f(text)
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			eachText(v.Elem(), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				eachText(v.Field(i), f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			eachText(v.Index(i), f)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			member := reflect.New(v.Type().Elem()).Elem()
			member.Set(v.MapIndex(key))
			eachText(member, f)
			v.SetMapIndex(key, member)
		}
	}
}

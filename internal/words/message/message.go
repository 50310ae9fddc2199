// Package message holds what is said to people before it is put into a language:
// the code of a message, and what fills its gaps.
//
// Whoever finds something out says it with a code and typed arguments, and knows
// no language: the probe on a host, the judge, the calculation. Package words,
// which has the catalogues, makes sentences of it at the end. This package
// links nothing, so that the probe stays small.
package message

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"regexp"
	"unicode/utf8"
)

// Limits on a text that comes from outside, such as from a host's probe.
const (
	MaxArgs  = 16   // arguments of one text
	MaxList  = 256  // members of a list
	MaxBytes = 4096 // of a string
	MaxDepth = 4    // texts within texts
)

// Text is one message: a code that every catalogue has words for, and arguments
// that fill the gaps in them. The zero value says nothing.
type Text struct {
	Code string `json:"code,omitempty"`
	Args Args   `json:"args,omitempty"`
	// Words are the message in English. They are filled in where a text is written
	// for programs to read. Without a code they are all there is: what a document,
	// another program or an earlier version says, which stays as it is.
	Words string `json:"text,omitempty"`
	// Given is what a document says in several languages, by language tag. It goes
	// before what catalogues have for the code.
	Given map[string]string `json:"-"`
}

// Args fill the gaps of a message, by name. Values are of the types int, int64,
// float64, bool, string (taken over as it is), Text and []Text.
type Args map[string]any

// Of makes a text of a code.
func Of(code string, args Args) Text { return Text{Code: code, Args: args} }

// Plain is a text that no catalogue has: a name, a path, another program's message.
func Plain(words string) Text { return Text{Words: words} }

// NoLanguage is the tag under which a text has the id that programs know (BCP 47:
// no linguistic content).
const NoLanguage = "zxx"

// Named is a text for something that programs know by an id. Where no catalogue
// has the code, people are told the id too.
func Named(code, id string) Text {
	return Text{Code: code, Words: id, Given: map[string]string{NoLanguage: id}}
}

// IsZero reports whether a text says nothing.
func (t Text) IsZero() bool { return t.Code == "" && t.Words == "" && len(t.Given) == 0 }

// Map returns a text whose strings, those of its arguments included, have gone
// through f.
func (t Text) Map(f func(string) string) Text {
	mapped := Text{Code: t.Code, Words: f(t.Words), Given: t.Given}
	for name, arg := range t.Args {
		switch v := arg.(type) {
		case string:
			arg = f(v)
		case Text:
			arg = v.Map(f)
		case []Text:
			list := make([]Text, len(v))
			for i, member := range v {
				list[i] = member.Map(f)
			}
			arg = list
		}
		if mapped.Args == nil {
			mapped.Args = Args{}
		}
		mapped.Args[name] = arg
	}
	return mapped
}

// Codes returns the codes of a text and of those in its arguments.
func (t Text) Codes() []string {
	var codes []string
	if t.Code != "" {
		codes = append(codes, t.Code)
	}
	for _, arg := range t.Args {
		switch v := arg.(type) {
		case Text:
			codes = append(codes, v.Codes()...)
		case []Text:
			for _, member := range v {
				codes = append(codes, member.Codes()...)
			}
		}
	}
	return codes
}

// String returns the words that a text brings along, else its code and arguments: for
// those who have no catalogue, such as logs.
func (t Text) String() string {
	if t.Words != "" || len(t.Args) == 0 {
		return cmp.Or(t.Words, t.Code)
	}
	return fmt.Sprintf("%s %v", t.Code, map[string]any(t.Args))
}

// A Problem is an error that says what people are told of it.
type Problem struct{ Text Text }

// NewProblem returns the error of a code.
func NewProblem(code string, args Args) error { return &Problem{Of(code, args)} }

// Error returns the code and the arguments; who has the catalogues says it in words.
func (p *Problem) Error() string { return p.Text.String() }

// Is reports whether a text is the message of a code.
func (t Text) Is(code string) bool { return t.Code == code }

// Equal reports whether two texts say the same.
func (t Text) Equal(other Text) bool {
	a, errA := json.Marshal(t)
	b, errB := json.Marshal(other)
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

var (
	codeForm = regexp.MustCompile(`^[a-z0-9]+([.-][A-Za-z0-9]+)*$`)
	nameForm = regexp.MustCompile(`^[a-z][A-Za-z0-9]*$`)
)

// UnmarshalJSON reads a text, or a plain string as version 1 of surveys has it.
// What is not within the limits, or is no text, is an error.
func (t *Text) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		*t = Text{}
		return json.Unmarshal(data, &t.Words)
	}
	var raw struct {
		Code string                     `json:"code"`
		Args map[string]json.RawMessage `json:"args"`
		Text string                     `json:"text"`
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&raw); err != nil {
		return err
	}
	*t = Text{Code: raw.Code, Words: raw.Text}
	for name, value := range raw.Args {
		arg, err := decodeArg(value)
		if err != nil {
			return fmt.Errorf("argument %.40q: %w", name, err)
		}
		if t.Args == nil {
			t.Args = Args{}
		}
		t.Args[name] = arg
	}
	return t.Check()
}

func decodeArg(data json.RawMessage) (any, error) {
	switch data[0] {
	case '"':
		var s string
		err := json.Unmarshal(data, &s)
		return s, err
	case '{':
		var t Text
		err := json.Unmarshal(data, &t)
		return t, err
	case '[':
		var list []Text
		err := json.Unmarshal(data, &list)
		return list, err
	case 't', 'f':
		return data[0] == 't', nil
	}
	var n json.Number
	if err := json.Unmarshal(data, &n); err != nil {
		return nil, errors.New("no value that a text can have")
	}
	if whole, err := n.Int64(); err == nil {
		return whole, nil
	}
	number, err := n.Float64()
	if err != nil {
		return nil, errors.New("no value that a text can have")
	}
	return number, nil
}

// Check reports what of a text from outside is not within the limits.
func (t Text) Check() error { return t.check(0) }

func (t Text) check(depth int) error {
	switch {
	case depth > MaxDepth:
		return fmt.Errorf("texts within texts, more than %d deep", MaxDepth)
	case t.Code != "" && (len(t.Code) > 80 || !codeForm.MatchString(t.Code)):
		return fmt.Errorf("%.40q is no code of a text", t.Code)
	case len(t.Args) > MaxArgs:
		return fmt.Errorf("more than %d arguments", MaxArgs)
	}
	if err := checkString(t.Words); err != nil {
		return err
	}
	for name, arg := range t.Args {
		if len(name) > 40 || !nameForm.MatchString(name) {
			return fmt.Errorf("%.40q is no name of an argument", name)
		}
		if err := checkArg(arg, depth); err != nil {
			return err
		}
	}
	return nil
}

func checkArg(arg any, depth int) error {
	switch v := arg.(type) {
	case int, int64, bool:
		return nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return errors.New("a number that is none")
		}
		return nil
	case string:
		return checkString(v)
	case Text:
		return v.check(depth + 1)
	case []Text:
		if len(v) > MaxList {
			return fmt.Errorf("a list of more than %d members", MaxList)
		}
		for _, member := range v {
			if err := member.check(depth + 1); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("an argument of type %T", arg)
}

func checkString(s string) error {
	if len(s) > MaxBytes || !utf8.ValidString(s) {
		return fmt.Errorf("text of more than %d bytes, or not UTF-8", MaxBytes)
	}
	return nil
}

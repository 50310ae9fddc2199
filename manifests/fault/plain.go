package fault

import (
	"regexp"
	"slices"
	"strings"
)

// Plain returns a text without what Go's decoders and their like say of a program: the
// names of their packages and of the program's own types. What was wrong with a
// document, and where, stays, in words of a document. Every [Error] is told so.
func Plain(text string) string {
	if !slices.ContainsFunc(marks, func(mark string) bool { return strings.Contains(text, mark) }) {
		return text
	}
	for _, of := range libraries {
		text = of.says.ReplaceAllStringFunc(text, func(said string) string { return of.words(of.says.FindStringSubmatch(said)) })
	}
	return text
}

// marks stand in all that libraries say.
var marks = []string{"strconv.", "unmarshal", "Unmarshal", "parsing time", "json: ", "yaml: "}

// libraries are what encoding/json, yaml.v3, sigs.k8s.io/yaml, strconv and time say.
var libraries = []struct {
	says  *regexp.Regexp
	words func(found []string) string
}{
	{regexp.MustCompile(`json: cannot unmarshal (?:(number) \S+|(\w+)) into Go (?:struct field ([^\s.]*)\.?(\S*) |value )of type (\S+)`),
		func(found []string) string {
			said := mistyped(found[5], jsonWords[found[1]+found[2]])
			if found[4] != "" {
				return found[4] + ": " + said
			}
			return said
		}},
	{regexp.MustCompile("cannot unmarshal !!(\\w+)(?: `[^`]*`)? into (\\S+)"), func(found []string) string {
		return mistyped(found[2], yamlWords[found[1]])
	}},
	{regexp.MustCompile(`strconv\.\w+: parsing ("(?:[^"\\]|\\.)*"): (invalid syntax|value out of range|\w+ \w+)`),
		func(found []string) string {
			if found[2] == "value out of range" {
				return found[1] + " is too large"
			}
			return found[1] + " is not a number"
		}},
	{regexp.MustCompile(`Time\.UnmarshalJSON: input is not a JSON string`),
		func([]string) string { return "wants a time, written as a string" }},
	{regexp.MustCompile(`parsing time "\\?("?[^"\\]*)\\?""? as "[^"]*": cannot parse "[^"]*" as "[^"]*"`), func(found []string) string {
		return `"` + strings.Trim(found[1], `"`) + `" is not a time such as 2026-03-31T08:00:00Z`
	}},
	{regexp.MustCompile(`error (?:unmarshaling JSON: while decoding JSON|converting YAML to JSON): `), before},
	{regexp.MustCompile(`yaml: unmarshal errors:\s*`), before},
	// Not the end of a file's name.
	{regexp.MustCompile(`(^|: |\n)(?:json|yaml): `), before},
}

// before returns what stood before the words that are left out, if that was looked at.
func before(found []string) string { return strings.Join(found[1:], "") }

var (
	jsonWords = map[string]string{
		"string": "a string", "number": "a number", "bool": "a truth value", "array": "a list", "object": "an object",
	}
	yamlWords = map[string]string{
		"str": "a string", "int": "a number", "float": "a number", "bool": "a truth value", "seq": "a list", "map": "an object",
		"null": "nothing", "timestamp": "a date",
	}
)

var typeWords = regexp.MustCompile(`^(?:(u?int\d*)|(float\d+)|(string)|(bool)|(\[\].*)|(map\[.*))$`)

// mistyped says that something stands where a Go type should.
func mistyped(of, got string) string {
	found := typeWords.FindStringSubmatch(of)
	for i, wants := range []string{"a whole number", "a number", "a string", "true or false", "a list", "an object"} {
		if found != nil && found[i+1] != "" {
			return "wants " + wants + ", got " + got
		}
	}
	return got + " does not belong there"
}

package manifests

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	helmyaml "sigs.k8s.io/yaml"

	"github.com/islandbundle/island/internal/yamlmarks"
	"github.com/islandbundle/island/manifests/fault"
)

// told returns each flaw as a person sees it: the error, and " | " and the hint.
func told(err error) []string {
	var lines []string
	for _, e := range fault.All(err) {
		line := e.Error()
		if e.Hint != "" {
			line += " | " + e.Hint
		}
		lines = append(lines, line)
	}
	if err != nil && lines == nil {
		lines = []string{"unexplained: " + err.Error()}
	}
	return lines
}

// expect compares what an error tells, flaw by flaw, and holds that each of
// them is the user's to mend.
func expect(t *testing.T, err error, want ...string) {
	t.Helper()
	got := told(err)
	if !reflect.DeepEqual(got, want) && len(got)+len(want) > 0 {
		t.Errorf("told\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	for _, e := range fault.All(err) {
		if e.Kind != fault.Usage || e.Side != fault.Here {
			t.Errorf("%v is of kind %d on side %s", e, e.Kind, e.Side)
		}
	}
}

// knownIn is the hint about an unknown field of T: the one that was meant, if any,
// and the fields that there are.
func knownIn[T any](meant string) string {
	var names []string
	for field := range reflect.TypeFor[T]().Fields() {
		if name := fieldName(field); name != "" {
			names = append(names, name)
		}
	}
	if meant != "" {
		meant = "did you mean " + meant + "? "
	}
	return " | " + meant + "known here: " + strings.Join(names, ", ")
}

type sample struct {
	Name  string            `yaml:"name"`
	Count int64             `yaml:"count"`
	Grows uint64            `yaml:"grows"`
	Small uint32            `yaml:"small"`
	Share float64           `yaml:"share"`
	On    bool              `yaml:"on"`
	Day   Date              `yaml:"day"`
	Where []Platform        `yaml:"where"`
	Inner *sample           `yaml:"inner"`
	Named map[string]string `yaml:"named"`
	Free  map[string]any    `yaml:"free"`
	JSON  string            `json:"viaJSON"`
	Not   string            `yaml:"-" json:"not"`
}

// sampleName is the hint about a field that was to be the name.
const sampleName = " | did you mean name? known here: name, count, grows, small, share, on, day, where, inner, named, free, viaJSON"

const sampleFields = " | known here: name, count, grows, small, share, on, day, where, inner, named, free, viaJSON"

func TestDecodeStrictReadsBothFormatsAlike(t *testing.T) {
	t.Parallel()
	const inYAML = `
name: "5.30"
count: -3
grows: 18446744073709551615
small: 4294967295
share: 1
on: true
day: 2026-03-31
where: [linux/amd64, linux/arm/v7]
inner: {name: deep, day: "2026-04-01"}
named: {a.b: c}
free: {a: [1, 2.5, null, {b: "yes"}]}
viaJSON: x
`
	const inJSON = `{"name": "5.30", "count": -3, "grows": 18446744073709551615, "small": 4294967295, "share": 1, "on": true,
		"day": "2026-03-31", "where": ["linux/amd64", "linux/arm/v7"], "inner": {"name": "deep", "day": "2026-04-01"},
		"named": {"a.b": "c"}, "free": {"a": [1, 2.5, null, {"b": "yes"}]}, "viaJSON": "x"}`
	day, _ := ParseDate("2026-03-31")
	next, _ := ParseDate("2026-04-01")
	want := sample{
		Name: "5.30", Count: -3, Grows: 1<<64 - 1, Small: 1<<32 - 1, Share: 1, On: true, Day: day,
		Where: []Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm", Variant: "v7"}},
		Inner: &sample{Name: "deep", Day: next}, Named: map[string]string{"a.b": "c"},
		Free: map[string]any{"a": []any{1, 2.5, nil, map[string]any{"b": "yes"}}}, JSON: "x",
	}
	for name, text := range map[string]string{
		"yaml": inYAML, "json": inJSON,
		"yaml with CRLF":              strings.ReplaceAll(inYAML, "\n", "\r\n"),
		"json with CRLF":              strings.ReplaceAll(inJSON, "\n", "\r\n"),
		"yaml with a byte order mark": "\xef\xbb\xbf" + inYAML,
		"json with a byte order mark": "\xef\xbb\xbf" + inJSON,
		"yaml with document marks":    "---" + inYAML + "...\n",
		"json without line breaks":    strings.Join(strings.Fields(inJSON), " "),
	} {
		var got sample
		if err := DecodeStrict("f", []byte(text), &got); err != nil {
			t.Errorf("%s: %v", name, told(err))
		} else if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
		}
	}
}

func TestDecodeStrictFlaws(t *testing.T) {
	t.Parallel()
	const (
		cutShort = " | was the download or the checkout cut short?"
		noAlias  = "anchors and aliases are not accepted | write the value out"
		utf8Hint = " | write the document in UTF-8"
		textHint = " | is it a text file?"
		noToken  = "not valid YAML: found character that cannot start any token" +
			" | indent with spaces, not tabs; put a value that begins with @, ` or % in quotes"
	)
	for _, test := range []struct {
		name, doc string
		want      []string
	}{
		{"empty", "", []string{"f: document is empty" + cutShort}},
		{"blank", " \t\r\n\n", []string{"f: document is empty" + cutShort}},
		{"only a byte order mark", "\xef\xbb\xbf", []string{"f: document is empty" + cutShort}},
		{"only a comment", "# nothing\n", []string{"f: document is empty | it holds comments only"}},
		{"a list", "- a\n", []string{"f:1:1: wants an object, got a list"}},
		{"a word", "hello\n", []string{"f:1:1: wants an object, got a string"}},
		{"json list", "[1]", []string{"f:1:1: wants an object, got a list"}},
		{"two documents", "name: a\n---\nname: b\n", []string{"f: file holds more than one document | give each document a file of its own"}},
		{"second document broken", "name: a\n---\nname: [b\n", []string{"f:3: not valid YAML: did not find expected ',' or ']'"}},

		{"yaml unknown field", "name: a\nnmae: b\n", []string{"f:2:1: nmae: unknown field" + sampleName}},
		{"json unknown field", "{\n  \"name\": \"a\",\n  \"nmae\": 1\n}", []string{"f:3:3: nmae: unknown field" + sampleName}},
		{"field by its Go name", "Name: a\n", []string{"f:1:1: Name: unknown field" + sampleName}},
		{"field that the struct keeps to itself", "not: a\n", []string{"f:1:1: not: unknown field" + sampleFields}},
		{"unknown field inside", "inner:\n  x: 1\n", []string{"f:2:3: inner.x: unknown field" + sampleFields}},
		{"yaml duplicate key", "name: a\non: true\nname: b\n", []string{"f:3:1: name: duplicate key, first given on line 1"}},
		{"json duplicate key", "{\"name\": \"a\",\n \"name\": \"b\"}", []string{"f:2:2: name: duplicate key, first given on line 1"}},
		{"duplicate by another spelling", "{\"name\": \"a\",\n \"n\\u0061me\": \"b\"}",
			[]string{"f:2:2: name: duplicate key, first given on line 1"}},
		{"duplicate key in values", "free:\n  a: 1\n  a: 2\n", []string{"f:3:3: free.a: duplicate key, first given on line 2"}},
		{"duplicate key in a map", "named: {a: b, a: c}\n", []string{"f:1:15: named.a: duplicate key, first given on line 1"}},
		{"key that is no name", "[a]: b\n", []string{"f:1:1: a key is not a plain name | write the fields out"}},
		{"key that steers a terminal", "named: {\"a\\e[2J\": b}\n",
			[]string{`f:1:9: named: key "a\x1b[2J" is not one line of printable characters`}},
		{"key that turns the line around", "{\"named\": {\"a\\u202eb\": \"c\"}}",
			[]string{`f:1:12: named: key "a\u202eb" is not one line of printable characters`}},
		{"name of two lines", "name: \"a\\nisland: verified\"\n",
			[]string{`f:1:7: name: "a\nisland: verified" is not one line of printable characters | write it without`}},
		{"name with a control of C1", "{\"name\": \"a\\u009b31m\"}",
			[]string{`f:1:10: name: "a\u009b31m" is not one line of printable characters | write it without`}},
		{"merge key", "free:\n  <<: {a: 1}\n", []string{"f:2:3: free: a key is not a plain name | write the fields out"}},

		{"number for a string", "name: 5.30\n", []string{`f:1:7: name: wants a string, got a number | put it in quotes: "5.30"`}},
		{"json number for a string", `{"name": 5.30}`, []string{`f:1:10: name: wants a string, got a number | put it in quotes: "5.30"`}},
		{"truth value for a string", "name: true\n", []string{`f:1:7: name: wants a string, got a truth value | put it in quotes: "true"`}},
		{"date for a string", "name: 2026-03-31\n", []string{`f:1:7: name: wants a string, got a date | put it in quotes: "2026-03-31"`}},
		{"list for a string", "name: [a]\n", []string{"f:1:7: name: wants a single value, got a list"}},
		{"object for a number", "count: {}\n", []string{"f:1:8: count: wants a single value, got an object"}},
		{"string for a number", "count: \"3\"\n", []string{`f:1:8: count: wants a whole number, got a string "3" | write it without quotes`}},
		{"fraction for a whole number", "count: 1.5\n", []string{`f:1:8: count: wants a whole number, got a number "1.5"`}},
		{"number beyond 64 bits", "count: 9223372036854775808\n",
			[]string{`f:1:8: count: wants a whole number, got a number "9223372036854775808"`}},
		{"hexadecimal number", "count: 0x10\n", []string{`f:1:8: count: wants a whole number, got a number "0x10"`}},
		{"negative number", "grows: -1\n", []string{`f:1:8: grows: wants a whole number that is not negative, got a number "-1"`}},
		{"number beyond 32 bits", "small: 4294967296\n",
			[]string{`f:1:8: small: wants a whole number that is not negative, got a number "4294967296"`}},
		{"thousands in German", "count: 2.500\n",
			[]string{`f:1:8: count: wants a whole number, got a number "2.500" | write it in digits alone: 2500`}},
		{"thousands in English", "count: 1,234,567\n",
			[]string{`f:1:8: count: wants a whole number, got a string "1,234,567" | write it in digits alone: 1234567`}},
		{"with an exponent", "count: 1e3\n", []string{`f:1:8: count: wants a whole number, got a number "1e3"`}},
		{"not a number", "share: .nan\n", []string{`f:1:8: share: wants a number, got a number ".nan"`}},
		{"number beyond a float", `{"share": 1e999}`, []string{`f:1:11: share: wants a number, got a number "1e999"`}},
		{"word for a truth value", "on: yes\n", []string{"f:1:5: on: wants true or false, got a string"}},
		{"word for a list", "where: linux/amd64\n", []string{"f:1:8: where: wants a list, got a string"}},
		{"list for an object", "inner: []\n", []string{"f:1:8: inner: wants an object, got a list"}},
		{"number for a date", "day: 20260331\n", []string{"f:1:6: day: wants a string, got a number"}},
		{"a day that does not exist", "day: 2026-02-30\n", []string{`f:1:6: day: "2026-02-30" is not a date such as 2026-03-31`}},
		{"a moment for a date", "day: 2026-03-31T00:00:00Z\n", []string{`f:1:6: day: "2026-03-31T00:00:00Z" is not a date such as 2026-03-31`}},
		{"bad item of a list", "where:\n  - linux/amd64\n  - amd64\n",
			[]string{`f:3:5: where[1]: "amd64" is not a platform such as linux/amd64`}},
		{"json bad item of a list", "{\"where\": [\n\t\"linux/amd64\",\n\t\"amd64\"]}",
			[]string{`f:3:2: where[1]: "amd64" is not a platform such as linux/amd64`}},
		{"columns count characters", `{"named": {"ä€😀": "x"}, "nmae": 1}`, []string{"f:1:25: nmae: unknown field" + sampleName}},
		{"columns count characters in yaml", `{named: {"ä": x}, nmae: 1}`,
			[]string{"f:1:2: not valid JSON: invalid character 'n' looking for beginning of object key string"}},
		{"all flaws at once", "name: 1\nday: x\nfoo: 1\n", []string{
			`f:1:7: name: wants a string, got a number | put it in quotes: "1"`,
			`f:2:6: day: "x" is not a date such as 2026-03-31`,
			"f:3:1: foo: unknown field" + sampleFields,
		}},

		{"alias", "name: &n a\nnamed: {x: *n}\n", []string{"f:1:7: name: " + noAlias, "f:2:12: named.x: " + noAlias}},
		{"anchor on a key", "&n name: a\n", []string{"f:1:1: a key is not a plain name | write the fields out"}},
		{"alias of itself", "free: &a\n  x: *a\n", []string{"f:1:7: free: " + noAlias}},
		{"alias of nothing", "name: a\nfree: {x: *n}\n", []string{"f:2: " + noAlias}},
		{"tag of another language", "name: !!python/object:os.system ls\n",
			[]string{`f:1:7: name: tag "!!python/object:os.system" is not accepted | leave the tag out`}},
		{"tag in values", "free: {a: !secret x}\n", []string{`f:1:11: free.a: tag "!secret" is not accepted | leave the tag out`}},
		{"binary", "name: !!binary aGk=\n", []string{`f:1:7: name: tag "!!binary" is not accepted | leave the tag out`}},
		{"set", "free: !!set {a, b}\n", []string{`f:1:7: free: tag "!!set" is not accepted | leave the tag out`}},
		{"object called a string", "name: !!str {a: b}\n", []string{`f:1:7: name: tag "!!str" is not accepted | leave the tag out`}},

		{"yaml tab", "inner:\n\tname: a\n", []string{"f:2: " + noToken}},
		{"yaml at sign", "name: @a\n", []string{"f:1: " + noToken}},
		{"yaml wrong indentation", "inner:\n  name: a\n on: true\n", []string{"f:3: not valid YAML: did not find expected key"}},
		{"yaml colon in a value", "name: a: b\n", []string{"f:1: not valid YAML: mapping values are not allowed in this context"}},
		{"yaml open quote", "name: a\nfree: \"x\n", []string{"f:2: not valid YAML: found unexpected end of stream"}},
		{"yaml open list", "name: a\n\nwhere: [a\n", []string{"f:3: not valid YAML: did not find expected ',' or ']'"}},
		{"yaml version of the future", "%YAML 9.9\n---\na: 1\n", []string{"f:1: not valid YAML: found incompatible YAML document"}},

		{"json cut short in an object", "{\"name\": \"a\",\n \"on\": true", []string{"f:2:12: JSON document ends too early" + cutShort}},
		{"json cut short in a string", "{\"name\": \"a", []string{"f:1:12: JSON document ends too early" + cutShort}},
		{"json cut short in a word", "{\"on\": tr", []string{"f:1:10: JSON document ends too early" + cutShort}},
		{"json cut short after a line", "{\"name\":\n", []string{"f:2:1: JSON document ends too early" + cutShort}},
		{"json comma too much", "{\"name\": \"a\",}",
			[]string{"f:1:14: not valid JSON: invalid character '}' looking for beginning of object key string"}},
		{"json comma missing", "{\"name\": \"a\"\n \"on\": true}",
			[]string{"f:2:2: not valid JSON: invalid character '\"' after object key:value pair"}},
		{"json word misspelt", "{\n\"on\": tru}", []string{"f:2:10: not valid JSON: invalid character '}' in literal true (expecting 'e')"}},
		{"json wrong bracket", "{\"where\": [}", []string{"f:1:12: not valid JSON: invalid character '}' looking for beginning of value"}},
		{"json comment", "{ // name\n}", []string{"f:1:3: not valid JSON: invalid character '/' looking for beginning of object key string"}},
		{"json followed by text", "{}\n]", []string{"f:2:1: not valid JSON: invalid character ']' after top-level value"}},
		{"json followed by json", "{}{}", []string{"f:1:3: not valid JSON: invalid character '{' after top-level value"}},
		{"json leading zero", `{"count": 01}`, []string{"f:1:12: not valid JSON: invalid character '1' after object key:value pair"}},

		{"yaml NUL", "name: a\nfree: {x: \x00}\n", []string{"f:2:11: control character U+0000 is not accepted" + textHint}},
		{"json NUL", "{\"name\": \"\x00\"}", []string{"f:1:11: control character U+0000 is not accepted" + textHint}},
		{"escape character", "name: \x1b[2J\n", []string{"f:1:7: control character U+001B is not accepted" + textHint}},
		{"yaml broken UTF-8", "name: é\nfree: {x: é\xff}\n", []string{"f:2:12: byte 0xff is not valid UTF-8" + utf8Hint}},
		{"json broken UTF-8", "{\"name\": \"\xc3\"}", []string{"f:1:11: byte 0xc3 is not valid UTF-8" + utf8Hint}},
		{"UTF-16", "\xff\xfen\x00a\x00", []string{"f:1:1: byte 0xff is not valid UTF-8" + utf8Hint}},
		{"gzip", "\x1f\x8b\x08", []string{"f:1:1: control character U+001F is not accepted" + textHint}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			expect(t, DecodeStrict("f", []byte(test.doc), new(sample)), test.want...)
		})
	}
}

func TestNullIsNotGiven(t *testing.T) {
	t.Parallel()
	for _, doc := range []string{
		"name: null\ncount: ~\nwhere:\ninner: null\nnamed:\nday: null\n",
		`{"name": null, "count": null, "where": null, "inner": null, "named": null, "day": null}`,
	} {
		var got sample
		expect(t, DecodeStrict("f", []byte(doc), &got))
		if !reflect.DeepEqual(got, sample{}) {
			t.Errorf("%q gives %+v", doc, got)
		}
	}
}

func TestDecodeStrictReportsAFewFlaws(t *testing.T) {
	t.Parallel()
	var doc strings.Builder
	for i := range 100 {
		fmt.Fprintf(&doc, "bad%d: x\n", i)
	}
	if got := told(DecodeStrict("f", []byte(doc.String()), new(sample))); len(got) != maxReportedFlaws {
		t.Errorf("%d flaws told, want %d", len(got), maxReportedFlaws)
	}
}

func TestDocumentLimits(t *testing.T) {
	t.Parallel()
	deep := func(open, inner, end string, levels int) string {
		return strings.Repeat(open, levels) + inner + strings.Repeat(end, levels)
	}
	for _, test := range []struct{ name, doc, want string }{
		{"too large", "name: " + strings.Repeat("a", MaxDocumentBytes), "f: document is larger than 4.00 MiB"},
		{"deep yaml", "free: {a: " + deep("[", "x", "]", 100) + "}", "nested deeper than 64 levels"},
		{"deep json", `{"free": {"a": ` + deep("[", "1", "]", 100) + "}}", "nested deeper than 64 levels"},
		{"deep json objects", `{"free": ` + deep(`{"a":`, "1", "}", 100) + "}", "nested deeper than 64 levels"},
		{"very deep json", `{"free": ` + deep(`{"a":`, "1", "}", 150_000) + "}", "exceeded max depth"},
		{"very deep yaml", "free: " + deep("[", "x", "]", 300_000), "exceeded max depth"},
		{"very deep open yaml", "free: " + deep("{a: ", "", "", 150_000), "exceeded max depth"},
		{"many items of a line of yaml", "list: [" + strings.Repeat("a,", yamlmarks.Most) + "]", "may begin"},
		{"many items of yaml", "list:\n" + strings.Repeat("- a\n", yamlmarks.Most/2), "may begin"},
		{"many keys without values", "free: {" + strings.Repeat("?,", yamlmarks.Most/2) + "}", "may begin"},
		{"many comments", strings.Repeat("#\n", yamlmarks.Most/2) + "name: a", "may begin"},
		{"deep blocks of yaml", "free:\n" + func() string {
			var b strings.Builder
			for i := range 2000 {
				b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
			}
			return b.String()
		}(), "nested deeper than 64 levels"},
		{"billion laughs", "free:\n  a: &a [x,x]\n  b: &b [*a,*a]\n  c: &c [*b,*b]\n", "anchors and aliases"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			err := DecodeStrict("f", []byte(test.doc), new(sample))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %.300v, want %q", err, test.want)
			}
		})
	}
	t.Run("64 levels are fine", func(t *testing.T) {
		t.Parallel()
		expect(t, DecodeStrict("f", []byte(`{"free": {"a": `+deep("[", "1", "]", maxDocumentDepth-2)+"}}"), new(sample)))
	})
}

// A long key above many values made one long path for each of them: 256 KiB of
// document took 8 GiB.
func TestLongKeyAboveManyValuesStaysSmall(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 1<<17)
	values := strings.Repeat("1,", 1<<16) + "1"
	for name, doc := range map[string]string{
		"list":   `{"free": {"` + long + `": [` + values + `]}}`,
		"object": `{"free": {"` + long + `": {"` + long + `": [` + values + `]}}}`,
	} {
		expect(t, DecodeStrict(name, []byte(doc), new(sample)))
	}
	doc := `{"named": {"` + long + `": [` + values + `]}}`
	if err := DecodeStrict("f", []byte(doc), new(sample)); err == nil || len(err.Error()) > 2*maxFieldPath {
		t.Errorf("a flaw below a long key is told in %d bytes", len(fmt.Sprint(err)))
	}
}

// Values given in place must mean what they mean in a values file that Helm
// reads. The judge is the library that Helm reads values files with.
func TestFreeValuesAreReadAsHelmReadsThem(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{
		"numbers":         "free: {a: 1, b: -0, c: 0755, d: 0x1f, e: 1e3, f: 1.50, g: 9007199254740993, h: 12345678901234567890}",
		"json numbers":    `{"free": {"a": 1, "b": 1.0, "c": 1E5, "d": 0.1, "e": -0}}`,
		"strings":         `free: {a: "yes", b: 'off', c: x y, d: "5.30", e: "", f: "null"}`,
		"json strings":    `{"free": {"a": "yes", "b": "1", "c": "<<", "d": "~", "e": "2026-03-31"}}`,
		"null and nested": "free:\n  a: null\n  b: ~\n  c: {d: [1, [], {}]}\n",
		"a date":          "free: {a: 2026-03-31, b: 2026-03-31T10:00:00Z}",
		"text blocks":     "free:\n  a: |\n    x\n    y\n  b: >-\n    x\n    y\n",
		"truth values":    "free: {a: true, b: False, c: TRUE}",
		"number keys":     "free: {1: a, true: b}",
	} {
		var got sample
		if err := DecodeStrict("f", []byte(doc), &got); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var want struct {
			Free map[string]any `json:"free"`
		}
		if err := helmyaml.Unmarshal([]byte(doc), &want); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		ours, err := json.Marshal(got.Free)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		theirs, _ := json.Marshal(want.Free)
		var a, b any
		_ = json.Unmarshal(ours, &a)
		_ = json.Unmarshal(theirs, &b)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: read as %s, Helm reads %s", name, ours, theirs)
		}
	}
}

func TestFreeValueFlaws(t *testing.T) {
	t.Parallel()
	const ambiguous = " is a truth value to Helm and a string to others | write true or false, or put it in quotes"
	for _, word := range []string{"yes", "No", "ON", "off", "y", "N"} {
		expect(t, DecodeStrict("f", []byte("free: {a: "+word+"}"), new(sample)), "f:1:11: free.a: "+word+ambiguous)
	}
	expect(t, DecodeStrict("f", []byte(`{"free": {"a": 123456789012345678901234567890}}`), new(sample)),
		`f:1:16: free.a: "123456789012345678901234567890" is not a value that can be kept: it is too large or does not fit its tag`)
	expect(t, DecodeStrict("f", []byte("free: {a: !!int x}"), new(sample)),
		`f:1:11: free.a: "x" is not a value that can be kept: it is too large or does not fit its tag`)
}

func TestPlaceOfAFieldThatIsNotGiven(t *testing.T) {
	t.Parallel()
	var s sample
	doc, err := decodeStrict("f", []byte("inner:\n  name: a\nwhere:\n  - linux/amd64\n"), &s)
	if err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{
		"inner.name":    "f:2:9: inner.name",
		"inner.day":     "f:2:3: inner.day", // the object that lacks it
		"inner.inner.x": "f:2:3: inner.inner.x",
		"where[0]":      "f:4:5: where[0]",
		"where[7]":      "f:4:3: where[7]",
		"on":            "f: on",
	} {
		if got := doc.place(field).String(); got != want {
			t.Errorf("%s is at %q, want %q", field, got, want)
		}
	}
}

func FuzzDecodeStrict(f *testing.F) {
	for _, seed := range []string{
		"", "{", "{}", "a: b", "name: &a x\non: *a", "free: {a: [1, {b: c}]}", "free:\n  a: |\n   x", "---\n...\n", "\xef\xbb\xbf{}",
		`{"name": "a", "inner": {"day": "2026-03-31"}}`, `{"where": ["linux/amd64"`, "? [a]\n: b", "<<: {a: b}", "a: !!float 1",
		"%YAML 1.1\n---\n- a",
		"'a': \"\\u0000\"", "free: {a: 2001-01-01, b: !!binary aGk=, c: 0o17, d: .inf}", "# x", "a:\n\t- b", "free: {? a}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var s sample
		err := DecodeStrict("f", data, &s)
		for _, e := range fault.All(err) {
			if e.Kind != fault.Usage || e.Place.File != "f" {
				t.Errorf("%v has kind %d and no file", e, e.Kind)
			}
			if lines := bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r")) + bytes.Count(data, []byte("\u0085")) +
				bytes.Count(data, []byte("\u2028")) + bytes.Count(data, []byte("\u2029")) + 2; e.Place.Line > lines {
				t.Errorf("%v is beyond the last line", e)
			}
		}
		if err != nil && len(fault.All(err)) == 0 {
			t.Errorf("an error without a place: %v", err)
		}
		var free any
		if err := DecodeStrict("f", data, &free); err == nil {
			if _, err := json.Marshal(free); err != nil && !errors.As(err, new(*json.UnsupportedValueError)) { // .inf and .nan
				t.Errorf("values that Helm could not take: %v", err)
			}
		}
	})
}

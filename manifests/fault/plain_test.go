package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// TestPlain makes the libraries themselves complain, and wants none of their words,
// nor names of this program's types, in what a person is told.
func TestPlain(t *testing.T) {
	type inner struct {
		Size   int64             `json:"size" yaml:"size"`
		Names  []string          `json:"names" yaml:"names"`
		Limits map[string]inner  `json:"limits" yaml:"limits"`
		Share  float64           `json:"share" yaml:"share"`
		On     bool              `json:"on" yaml:"on"`
		Labels map[string]string `json:"labels" yaml:"labels"`
		Title  string            `json:"title" yaml:"title"`
	}
	type document struct {
		Disk inner     `json:"disk" yaml:"disk"`
		At   time.Time `json:"at" yaml:"at"`
	}
	ofJSON := func(text string) error { return json.Unmarshal([]byte(text), new(document)) }
	ofYAML := func(text string) error { return yaml.Unmarshal([]byte(text), new(document)) }
	_, number := strconv.ParseInt("12x", 10, 64)
	_, large := strconv.ParseUint("99999999999999999999", 10, 64)
	_, float := strconv.ParseFloat("1e999", 64)
	_, quoted := strconv.Atoi(`a"b`)
	for _, test := range []struct {
		err  error
		want string
	}{
		{ofJSON(`{"disk": {"size": "80"}}`), "disk.size: wants a whole number, got a string"},
		{ofJSON(`{"disk": {"size": 1e99}}`), "disk.size: wants a whole number, got a number"},
		{ofJSON(`{"disk": {"names": "a"}}`), "disk.names: wants a list, got a string"},
		{ofJSON(`{"disk": {"share": []}}`), "disk.share: wants a number, got a list"},
		{ofJSON(`{"disk": {"on": 1}}`), "disk.on: wants true or false, got a number"},
		{ofJSON(`{"disk": {"labels": []}}`), "disk.labels: wants an object, got a list"},
		{ofJSON(`{"disk": 7}`), "disk: a number does not belong there"},
		{ofJSON(`[]`), "a list does not belong there"},
		{ofYAML("disk: {size: ten}\n"), "line 1: wants a whole number, got a string"},
		{ofYAML("disk:\n  names: {a: b}\n"), "line 2: wants a list, got an object"},
		{ofYAML("disk: [1]\n"), "line 1: a list does not belong there"},
		{ofYAML("disk: {size: 1\n"), "line 1: did not find expected ',' or '}'"},
		{ofJSON(`{"at": 5}`), "wants a time, written as a string"},
		{ofJSON(`{"at": "yesterday"}`), `"yesterday" is not a time such as 2026-03-31T08:00:00Z`},
		{ofJSON(`{"at": "2026-03-31"}`), `"2026-03-31" is not a time such as 2026-03-31T08:00:00Z`},
		{number, `"12x" is not a number`},
		{large, `"99999999999999999999" is too large`},
		{float, `"1e999" is too large`},
		{quoted, `"a\"b" is not a number`},
		{errors.New("bundle.json: inventory is cut short"), "bundle.json: inventory is cut short"},
		{errors.New("site.yaml: users: wants a whole number"), "site.yaml: users: wants a whole number"},
		{errors.New(`json: unknown field "usres"`), `unknown field "usres"`},
	} {
		for _, err := range []error{
			test.err,
			fmt.Errorf("the file is not readable: %w", test.err),
			At(Place{File: "a.yaml"}, "", "%w", test.err),
			New(Failure, Here, "bundle.json", "", "not readable: %w", test.err),
		} {
			got := Plain(err.Error())
			if !strings.HasSuffix(got, test.want) {
				t.Errorf("%v\nis told as %q, want %q", err, got, test.want)
			}
			for _, foreign := range []string{"strconv", "unmarshal", "Go ", "fault.", "!!", "int64", "Time.", "parsing"} {
				if strings.Contains(got, foreign) {
					t.Errorf("%q is told: %s", foreign, got)
				}
			}
		}
		if err := At(Place{File: "a.yaml"}, "", "%w", test.err); !errors.Is(err, test.err) || !strings.HasSuffix(err.Error(), test.want) {
			t.Errorf("%v is told as %q, and keeps its cause: %v", test.err, err.Error(), errors.Is(err, test.err))
		}
	}
}

package exactjson_test

import (
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/exactjson"
)

type inner struct {
	Digest string `json:"digest"`
}

type document struct {
	Kind  string            `json:"kind"`
	Of    *inner            `json:"of"`
	List  []inner           `json:"list"`
	Named map[string]inner  `json:"named"`
	Notes map[string]string `json:"notes"`
	Free  any               `json:"free"`
	Plain string
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"kind": "a", "of": {"digest": "x"}, "list": [{"digest": "x"}, {"digest": "y"}], "Plain": "p"}`: "",
		`{"notes": {"a": "1", "A": "2"}, "free": {"kind": 1, "Kind": 2}}`:                                "",
		`{"kind": "` + `\ud83d\ude00` + "\u00e9\ufffd" + `"}`:                                            "",
		`{"kind": "a", "kind": "b"}`:                                                                     `line 1, column 21: member "kind"`,
		"{\"kind\": \"a\",\n \"Kind\": \"b\"}":                                                           `line 2, column 8: member "Kind"`,
		`{"\u212aind": "b"}`:                                                                             `is spelled "kind"`,
		`{"k\u0069nd": "a", "kind": "b"}`:                                                                `"kind" is given twice`,
		`{"of": {"digest": "x", "DIGEST": "y"}}`:                                                         `"DIGEST" is spelled "digest"`,
		`{"list": [{"digest": "x"}, {"Digest": "y"}]}`:                                                   `"Digest" is spelled "digest"`,
		`{"named": {"a": {"Digest": "y"}}}`:                                                              `"Digest" is spelled "digest"`,
		`{"named": {"a": {}, "a": {}}}`:                                                                  `"a" is given twice`,
		`{"free": [{"x": {"y": 1, "y": 2}}]}`:                                                            `"y" is given twice`,
		`{"plain": "p"}`:                                                                                 `"plain" is spelled "Plain"`,
		"{\"kind\": \"\xff\"}":                                                                           "line 1, column 11: text is not",
		`{"kind": "\ud800"}`:                                                                             "not valid Unicode",
		`{"kind": "\udc00\ud800"}`:                                                                       "not valid Unicode",
		strings.Repeat(`{"free": `, 300) + "1" + strings.Repeat("}", 300):                                "nested deeper",
		`{"kind": `: "", // left to the decoder
	} {
		err := exactjson.Check([]byte(text), &document{})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%.80s: %v, want %q", text, err, want)
		}
	}
	// What others wrote may hold what is no Unicode, but no member twice.
	if err := exactjson.Members([]byte("{\"kind\": \"\xff\", \"unknown\": 1}"), &document{}); err != nil {
		t.Error(err)
	}
	if err := exactjson.Members([]byte(`{"unknown": {"a": 1, "a": 2}}`), &document{}); err == nil {
		t.Error("a member that is given twice was taken")
	}
}

package jsonweight

import (
	"encoding/json"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

type leaf struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
}

type embedded struct {
	Inner []leaf `json:"inner"`
}

type tree struct {
	embedded
	List    []leaf         `json:"list"`
	Far     *[]*leaf       `json:"far,omitempty"`
	ByName  map[string]int `json:"byName"`
	Any     any            `json:"any"`
	Names   []string
	Skipped []leaf `json:"-"`
	Raw     json.RawMessage
	Grid    [][]int
}

// heavy are texts of which few bytes become many.
func heavy(n int) map[string]string {
	list := func(element string) string { return "[" + strings.Repeat(element+",", n) + element + "]" }
	return map[string]string{
		"empty structs":                     `{"list":` + list("{}") + `}`,
		"structs that are null":             `{"list":` + list("null") + `}`,
		"in a struct that is embedded":      `{"inner":` + list("{}") + `}`,
		"behind pointers":                   `{"far":` + list("{}") + `}`,
		"a name in another case":            `{"LIST":` + list("{}") + `}`,
		"a name with an escape":             `{"l\u0069st":` + list("{}") + `}`,
		"a name that folds to another":      `{"liſt":` + list("{}") + `}`,
		"members of a map":                  `{"byName":{"":0` + strings.Repeat(`,"":0`, n) + `}}`,
		"what may be anything":              `{"any":` + list("[]") + `}`,
		"objects of what may be anything":   `{"any":` + list(`{"":0}`) + `}`,
		"strings without a tag":             `{"names":` + list(`""`) + `}`,
		"lists of lists":                    `{"Grid":` + list(`[]`) + `}`,
		"a list that stands there twice":    `{"list":[],"list":` + list("{}") + `}`,
		"a second list in place of a first": `{"list":` + list("{}") + `,"list":[]}`,
	}
}

func TestHeavyTextsAreRefused(t *testing.T) {
	t.Parallel()
	for name, text := range heavy(100_000) {
		if !json.Valid([]byte(text)) {
			t.Fatalf("%s is no JSON", name)
		}
		if err := Check([]byte(text), new(tree), Times(4, []byte(text))); !errors.Is(err, ErrTooHeavy) {
			t.Errorf("%s: got %v, want %v", name, err, ErrTooHeavy)
		}
	}
}

func TestDepthIsBounded(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		strings.Repeat("[", 1_000_000), strings.Repeat(`{"any":`, 1000) + "0" + strings.Repeat("}", 1000),
		`{"unknown":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + "}",
	} {
		if err := Check([]byte(text), new(tree), Times(4, []byte(text))); err == nil || !strings.Contains(err.Error(), "deeper than 64") {
			t.Errorf("%.20s…: got %v", text, err)
		}
	}
}

func TestOrdinaryTextsPass(t *testing.T) {
	t.Parallel()
	value := tree{ByName: map[string]int{}, Raw: json.RawMessage(`{"a":[1,2,{"b":"\"]}"}]}`)}
	value.Any = map[string]any{"a": []any{1.5, true, nil, "x"}}
	for range 10_000 {
		value.List = append(value.List, leaf{Name: "a name as it is usual", At: time.Unix(1, 0)})
		value.Names = append(value.Names, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	}
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	if err := Check(append(text, " trailing"...), new(tree), Times(4, text)); err != nil {
		t.Error(err)
	}
}

// TestWeightIsTrue holds the estimate against what decoding really takes.
func TestWeightIsTrue(t *testing.T) {
	for name, text := range heavy(300_000) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		var into tree
		if err := json.Unmarshal([]byte(text), &into); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		taken := int64(after.TotalAlloc - before.TotalAlloc)
		if err := Check([]byte(text), new(tree), Limit{Depth: 64, Bytes: taken / 8}); err == nil && taken > 4<<20 {
			t.Errorf("%s: decoding takes %d bytes, and that seems to be less than %d", name, taken, taken/8)
		}
	}
}

// FuzzCheck holds that what encoding/json reads is read alike: a text that is
// malformed here only would never be weighed.
func FuzzCheck(f *testing.F) {
	for _, text := range heavy(2) {
		f.Add([]byte(text))
	}
	f.Add([]byte(` { "Raw" : [ -1.5e+3 , "\u00e9\\" , {} ] , "any" : null } x`))
	f.Fuzz(func(t *testing.T, data []byte) {
		err := Check(data, new(tree), Limit{Depth: 10_000, Bytes: 1 << 40})
		if err != nil && json.NewDecoder(strings.NewReader(string(data))).Decode(new(json.RawMessage)) == nil {
			t.Errorf("%q: %v", data, err)
		}
	})
}

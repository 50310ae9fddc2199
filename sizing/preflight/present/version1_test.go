package present

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// TestVersionOneIsJudgedAsItWas: the survey and the report on it were written by a
// program that knew version 1 alone.
func TestVersionOneIsJudgedAsItWas(t *testing.T) {
	t.Parallel()
	const name = "../testdata/survey-v1"
	file := func(ending string) []byte {
		data, err := os.ReadFile(name + ending)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	document, err := site.Read("site.yaml", file(".site.yaml"), sizing.SiteNames())
	if err != nil {
		t.Fatal(err)
	}
	want := file(".report.json")
	survey := file(".json")
	for _, read := range []string{"version 1", "saved again as version 2"} {
		s, err := facts.ReadSurvey(bytes.NewReader(survey))
		if err != nil {
			t.Fatalf("%s: %v", read, err)
		}
		known := words.English().Recogniser("facts.")
		facts.EachText(s, func(text *message.Text) { *text = known.Text(*text) })
		if s.Version != facts.SurveyVersion {
			t.Errorf("%s is read as version %d", read, s.Version)
		}
		r := judged(t, s, document)
		r.Tool = ""
		got, err := json.Marshal(NewDocument(r))
		if err != nil {
			t.Fatal(err)
		}
		if differs := differences(withoutCodes(parsed(t, got)), parsed(t, want), ""); differs != nil {
			t.Errorf("%s is judged otherwise:\n%s", read, strings.Join(differs, "\n"))
		}
		if survey, err = json.Marshal(s); err != nil {
			t.Fatal(err)
		}
	}
}

func parsed(t *testing.T, data []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// withoutCodes takes out of a report what stands beside its words since they are
// made of codes, and the languages that came since.
func withoutCodes(v any) any {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "said")
		if _, ok := v["en"]; ok {
			maps.DeleteFunc(v, func(name string, _ any) bool { return name != "en" && name != "de" })
		}
		for name, member := range v {
			v[name] = withoutCodes(member)
		}
	case []any:
		for i, member := range v {
			v[i] = withoutCodes(member)
		}
	}
	return v
}

// differences lists where two documents differ.
func differences(got, want any, at string) []string {
	var list []string
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		for name := range w {
			list = append(list, differences(g[name], w[name], at+"."+name)...)
		}
		if !ok || len(g) != len(w) {
			list = append(list, at+" has other fields")
		}
		return list
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return []string{at + " has other members"}
		}
		for i := range w {
			list = append(list, differences(g[i], w[i], fmt.Sprintf("%s[%d]", at, i))...)
		}
		return list
	}
	if !reflect.DeepEqual(got, want) {
		list = append(list, fmt.Sprintf("%s: %v, was %v", at, got, want))
	}
	return list
}

package sizing

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/schema"
	"github.com/islandbundle/island/manifests/schema/schematest"
	"github.com/islandbundle/island/sizing/site"
	"github.com/islandbundle/island/sizing/site/sitetest"
)

// The schemas are made from the code: structure from the types, descriptions
// from their comments, lists of names from the lists that the code has. That of
// sites is made in package preflight.
const reportSchema = "sizing-report.schema.json"

type object = schema.Object

// reportRules are what a field's type alone does not say.
func reportRules() map[string]object {
	rules := sitetest.Rules(SiteNames())
	rules["Report.apiVersion"] = object{"const": manifests.APIVersion}
	rules["Report.kind"] = object{"const": KindReport}
	rules["Report.language"] = object{"pattern": schematest.LanguageTag}
	return rules
}

// inline returns the schemas of types that are not what their structure says. A
// text is written in a language, and its message beside it. A report does not tell
// preflight's section of its site.
func inline(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[Bound]():
		return object{"enum": []Bound{Exactly, AtMost, AtLeast, Unknown}}
	case reflect.TypeFor[Unit]():
		return object{"enum": []Unit{UnitKbps, UnitCores, UnitBytes, UnitCount, UnitPercent}}
	case reflect.TypeFor[Level]():
		return object{"enum": []Level{Fail, Warn, Ask, Info, Good}}
	case reflect.TypeFor[message.Text]():
		return object{"type": "string", "$comment": "text"}
	case reflect.TypeFor[site.Section]():
		return object{}
	}
	return sitetest.Inline(SiteNames(), t)
}

// definition names a type in the schema: a remark has the name that it has in
// reports.
func definition(t reflect.Type) string {
	if t == reflect.TypeFor[Remark]() {
		return "Finding"
	}
	return t.Name()
}

// besideTexts puts the messages beside the texts of all definitions.
func besideTexts(defs object) {
	for _, definition := range defs {
		properties, _ := definition.(object)["properties"].(object)
		for _, name := range sortedKeys(properties) {
			if text := properties[name].(object); text["$comment"] == "text" {
				delete(text, "$comment")
				properties[name+"Message"] = object{"$ref": "#/$defs/Message"}
			}
		}
	}
	inArgs := object{"anyOf": []object{
		{"type": []string{"string", "number", "boolean"}}, {"$ref": "#/$defs/Message"},
		{"type": "array", "items": object{"$ref": "#/$defs/Message"}},
	}}
	defs["Message"] = object{
		"type": "object", "additionalProperties": false,
		"description": "Message is a text before it is in a language.",
		"properties": object{
			"code": object{"type": "string", "description": "what it says: a code of the catalogues of words"},
			"args": object{"type": "object", "description": "what fills the gaps in the words", "additionalProperties": inArgs},
			"text": object{"type": "string", "description": "in English; within args, only where there is no code"},
		},
	}
}

func schemaFile(name string) string { return filepath.Join("..", "docs", name) }

func TestReportSchemaIsThatOfTheCode(t *testing.T) {
	comments := schema.Comments{}
	if err := errors.Join(comments.Read(reflect.TypeFor[Report](), "."), comments.Read(reflect.TypeFor[site.Site](), "site")); err != nil {
		t.Fatal(err)
	}
	w := &schema.Writer{
		Comments: comments, Inline: inline, Name: definition, Rules: reportRules(), Required: sitetest.Required(), Written: true,
	}
	made := w.Document(reportSchema, "A sizing report",
		"Made from the types in package sizing; docs/sizing.md explains each number.", w.Of(reflect.TypeFor[Report]()))
	delete(w.Defs["Site"].(object)["properties"].(object), "preflight") // a report does not tell it
	besideTexts(w.Defs)
	schematest.Published(t, schemaFile(reportSchema), made)
	schematest.RulesUsed(t, w.Rules, w.Required, made)
}

// TestGuideExplainsEveryRule wants the guide to name every rule, finding and
// factor, and its example to be read by the code.
func TestGuideExplainsEveryRule(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join("..", "docs", "sizing.md"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, rule := range embeddedTable(t, "guide").Rules.ExtraCores {
		names = append(names, rule.ID)
	}
	names = append(names, sortedKeys(embeddedTable(t, "guide").Sources)...)
	names = append(names, string(StoragePerUser), string(Unpacked), string(SFTMemory))
	names = append(names, Names()...)
	code, err := os.ReadFile("findings.go")
	if err != nil {
		t.Fatal(err)
	}
	choice, err := os.ReadFile("choice.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`c\.(?:find|advise)\("([a-z.-]+)"`).FindAllStringSubmatch(string(code)+string(choice), -1) {
		names = append(names, strings.TrimSuffix(m[1], "."))
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if !strings.Contains(string(guide), "`"+name) {
			t.Errorf("docs/sizing.md does not explain `%s`", name)
		}
	}
	example := regexp.MustCompile("(?s)```yaml\n(apiVersion: island/v1\nkind: Site.*?)```").FindSubmatch(guide)
	if example == nil {
		t.Fatal("docs/sizing.md has no example of a site")
	}
	if _, err := ReadSite("example", example[1]); err != nil {
		t.Errorf("the example of a site: %v", err)
	}
}

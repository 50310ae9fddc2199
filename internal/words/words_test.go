package words_test

import (
	"encoding/json"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
)

func language(t testing.TB, tag string) *words.Language {
	t.Helper()
	l, err := words.All().Parse(tag)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// TestEveryLanguageIsComplete holds every catalogue to English's: the same
// codes, the same gaps.
func TestEveryLanguageIsComplete(t *testing.T) {
	t.Parallel()
	for _, l := range words.All()[1:] {
		for _, flaw := range l.Flaws() {
			t.Errorf("%s.yaml: %s", l.Tag, flaw)
		}
	}
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	en, de := language(t, "en"), language(t, "de")
	for _, c := range []struct{ got, want string }{
		{en.Int(1234567), "1,234,567"}, {de.Int(1234567), "1.234.567"}, {de.Int(-1234), "−1.234"}, {en.Int(0), "0"},
		{en.Decimal(1234.5, 2), "1,234.5"}, {de.Decimal(1234.5, 2), "1.234,5"}, {de.Decimal(2.675, 2), "2,67"}, {en.Decimal(-0.001, 2), "0"},
		{en.Percent(30), "30%"}, {de.Percent(30), "30\u202f%"},
		{en.GB(400e9), "400\u00a0GB"}, {de.GB(1.5e9), "1,5\u00a0GB"}, {en.GiB(3 << 29), "1.5\u00a0GiB"}, {en.GB(999), "999\u00a0B"},
		{en.Int(999), "999"}, {en.Int(1000), "1,000"}, {en.Decimal(1.5, 2), "1.5"}, {de.Decimal(1234.567, 2), "1.234,57"},
		{de.Decimal(2, 2), "2"}, {en.Decimal(100, 0), "100"}, {en.GB(590e9), "590\u00a0GB"}, {de.GB(2_050_000_000_000), "2,05\u00a0TB"},
		{en.GB(0), "0\u00a0B"}, {en.GB(14_200_000_000), "14.2\u00a0GB"}, {en.GiB(16 << 30), "16\u00a0GiB"},
		{de.Rate(170_000), "170\u00a0Mbit/s"}, {en.Rate(298_667), "298.7\u00a0Mbit/s"}, {de.Rate(50), "50\u00a0kbit/s"},
		{en.Rate(1_700_000), "1.7\u00a0Gbit/s"}, {de.Rate(170_500), "170,5\u00a0Mbit/s"},
		{de.List([]string{"a", "b", "c"}), "a, b und c"}, {en.List(nil), ""},
		{en.List([]string{"a"}), "a"}, {en.List([]string{"a", "b", "c"}), "a, b and c"}, {de.List([]string{"a", "b"}), "a und b"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}

const toy = `name: Toy
words:
  number: {percent: "{n} of 100"}
  list: {and: "{most} + {last}"}
  value: {"true": aye, "false": nay}
  unit: {GB: GB}
  reasons: "why: {names:semicolons}"
  measured: "{x:fix1} {x:fix3} {x:plus1}"
  cores: {count: n, one: "{n} core", other: "{n} cores"}
  hosts:
    count: n
    one: "{n} host: {names:and}"
    few: "{n} hosts, few: {names}"
    other: "{n:int} hosts of {size:GB}, {share:percent}, {{so}} {ok} {factor:dec1} {about}"
`

func TestMessages(t *testing.T) {
	t.Parallel()
	all, err := words.Load(fstest.MapFS{
		"en.yaml": {Data: []byte(toy)},
		"pl.yaml": {Data: []byte(strings.Replace(toy, "name: Toy", "name: Polski", 1))},
		"ja.yaml": {Data: []byte("name: 日本語\nwords: {}\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	en, ja, pl := all[0], all[1], all[2]
	args := func(n int) message.Args {
		return message.Args{
			"n": n, "names": []message.Text{message.Plain("x"), message.Plain("y")}, "size": int64(2e9), "share": 7, "ok": true, "factor": 1.25,
			"about": message.Of("value.false", nil),
		}
	}
	for _, c := range []struct{ got, want string }{
		{en.Say("hosts", args(1)), "1 host: x + y"},
		{en.Say("hosts", args(3)), "3 hosts of 2\u00a0GB, 7 of 100, {so} aye 1.2 nay"},
		{en.Say("reasons", args(1)), "why: x; y"},
		{en.Say("reasons", message.Args{"names": "x, y"}), "why: x, y"},
		{en.Say("measured", message.Args{"x": 2.0}), "2.0 2.000 +2.0"},
		{pl.Say("measured", message.Args{"x": -1234.56}), "-1234,6 -1234,560 -1234,6"},
		{en.Say("cores", message.Args{"n": 1.0}), "1 core"},
		{en.Say("cores", message.Args{"n": 1.5}), "1.5 cores"},
		{pl.Say("hosts", args(3)), "3 hosts, few: x, y"},
		{ja.Say("hosts", args(1)), "1 host: x + y"}, // falls back to English
		{en.Say("unknown.code", nil), "unknown.code"},
		{en.Text(message.Text{Code: "unknown", Words: "brought along"}), "brought along"},
		{pl.Text(message.Text{Code: "hosts", Given: map[string]string{"pl": "podane", "en": "given"}}), "podane"},
		{ja.Text(message.Text{Code: "nowhere", Given: map[string]string{"en": "given"}}), "given"},
		{en.Say("number.percent", nil), "{n} of 100"}, // a gap that nothing fills is seen
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	if flaws := ja.Flaws(); len(flaws) != 9 || !strings.HasSuffix(flaws[0], " is missing") {
		t.Errorf("an empty catalogue lacks %v", flaws)
	}
	if flaws := pl.Flaws(); len(flaws) != 0 {
		t.Errorf("a whole catalogue lacks %v", flaws)
	}
}

func TestFlawsOfCatalogues(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"twice":        {"name: x\nwords: {a: x, a: y}", "a: stands twice"},
		"open brace":   {"name: x\nwords: {a: 'x {y'}", "brace without its other half"},
		"format":       {"name: x\nwords: {a: '{y:tons}'}", "{y:tons} is no gap"},
		"list":         {"name: x\nwords: {a: [x]}", "neither words nor more codes"},
		"plural form":  {"name: x\nwords: {a: {count: n, other: x, several: y}}", "no form of a plural"},
		"no name":      {"words: {a: x}", "name is missing"},
		"unknown":      {"name: x\nwrods: {a: x}", "wrods"},
		"not a number": {"name: x\nwords:\n  a: x\n  b:\n    c: 'd}'", "en.yaml:5: b.c"},
	} {
		_, err := words.Load(fstest.MapFS{"en.yaml": {Data: []byte(c.text)}})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	good := &fstest.MapFile{Data: []byte("name: x\nwords: {a: x}")}
	_, err := words.Load(fstest.MapFS{"en.yaml": good, "no_tag!.yaml": good})
	if err == nil || !strings.Contains(err.Error(), "language tag") {
		t.Error("a file without a language tag was read")
	}
	if _, err := words.Load(fstest.MapFS{"de.yaml": good}); err == nil {
		t.Error("no English, no error")
	}
}

func TestParseAndLocale(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]string{
		"de": "de", "de-AT": "de", "de_DE.UTF-8": "de", "de_DE@euro": "de", "en_US.UTF-8": "en", "C": "en", "POSIX": "en", "C.UTF-8": "en",
	} {
		if l, err := words.All().Parse(tag); err != nil || l.Tag != want {
			t.Errorf("%s: %v, %v", tag, l, err)
		}
	}
	if _, err := words.All().Parse("tlh"); err == nil || !strings.Contains(err.Error(), strings.Join(words.All().Tags(), ", ")) {
		t.Errorf("Klingon: %v", err)
	}
	for _, c := range []struct {
		environment map[string]string
		want        string
	}{
		{map[string]string{"LANG": "de_DE.UTF-8"}, "de"},
		{map[string]string{"LANG": "de_DE.UTF-8", "LC_MESSAGES": "en_GB"}, "en"},
		{map[string]string{"LANG": "en_US", "LC_MESSAGES": "en_GB", "LC_ALL": "de_AT@euro"}, "de"},
		{map[string]string{"LANG": "fr_FR.UTF-8"}, "en"},
		{map[string]string{"LANG": "de_DE.UTF-8", "LC_ALL": "tlh"}, "en"},
		{map[string]string{"LC_ALL": "C"}, "en"},
		{nil, "en"},
	} {
		if l := words.All().FromLocale(func(name string) string { return c.environment[name] }); l.Tag != c.want {
			t.Errorf("%v gives %s, want %s", c.environment, l.Tag, c.want)
		}
	}
}

// TestTextsAsJSON holds that a text keeps what it says on its way through JSON,
// that plain strings of version 1 are read, and that hostile ones are not.
func TestTextsAsJSON(t *testing.T) {
	t.Parallel()
	for range 200 {
		was := message.Of(
			"a.b",
			message.Args{"n": rand.Int64N(math.MaxInt32), "x": rand.Float64() + 0.5, "s": "path", "t": message.Of("c", message.Args{"ok": true}),
				"list": []message.Text{message.Plain("p")}},
		)
		data, err := json.Marshal(was)
		if err != nil {
			t.Fatal(err)
		}
		var is message.Text
		if err := json.Unmarshal(data, &is); err != nil || !is.Equal(was) {
			t.Fatalf("%s: %v, %v", data, is, err)
		}
	}
	var old message.Text
	if err := json.Unmarshal([]byte(`"not asked for"`), &old); err != nil || old.Words != "not asked for" || old.Code != "" {
		t.Errorf("version 1: %v, %v", old, err)
	}
	deep := strings.Repeat(`{"code":"a","args":{"t":`, 8) + `{"code":"a"}` + strings.Repeat(`}}`, 8)
	for _, hostile := range []string{
		`{"code":"../x"}`, `{"code":"a","more":1}`, `{"code":"a","args":{"N!":1}}`, `{"code":"a","args":{"n":null}}`, deep, `[]`, `7`,
		`{"text":"` + strings.Repeat("x", message.MaxBytes+1) + `"}`, `{"code":"a","args":{"n":1e999}}`,
	} {
		var text message.Text
		if err := json.Unmarshal([]byte(hostile), &text); err == nil {
			t.Errorf("%.60s was read as %v", hostile, text)
		}
	}
}

// TestEmbedded holds that the files beside this test are those in the program.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	names, err := fs.Glob(os.DirFS("."), "*.yaml")
	if err != nil || len(names) != len(words.All()) {
		t.Errorf("%v (%v), but %d languages", names, err, len(words.All()))
	}
}

package facts

import (
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"unicode"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
)

// said is what people are told of an error.
func said(err error) string { return words.English().Text(Reason(err)) }

func minimal(t testing.TB, change func(*Facts)) string {
	t.Helper()
	f := &Facts{APIVersion: APIVersion, Kind: Kind, Name: "h1", Paths: []Path{}}
	if change != nil {
		change(f)
	}
	data, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// endless gives bytes without end, and counts how many were taken.
type endless struct{ taken int64 }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '['
	}
	e.taken += int64(len(p))
	return len(p), nil
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"nothing":          {"", "EOF"},
		"garbage":          {"\x7fELF\x00\x01", "not JSON"},
		"not UTF-8":        {"{\"name\":\"\xff\xfe\"}", "not UTF-8"},
		"HTML":             {"<script>alert(1)</script>", "not JSON"},
		"unknown field":    {`{"apiVersion":"island/v1","evil":1}`, "unknown field"},
		"key twice":        {`{"name":"a","name":"b"}`, "stands twice"},
		"other kind":       {`{"apiVersion":"island/v1","kind":"Release"}`, "not a facts document"},
		"other version":    {`{"apiVersion":"island/v9","kind":"Facts"}`, "not a facts document"},
		"cut short":        {minimal(t, nil)[:200], "EOF"},
		"something behind": {minimal(t, nil) + `{}`, "follows"},
		"deep":             {strings.Repeat("[", 100), "deep"},
		"long text":        {minimal(t, func(f *Facts) { f.Name = strings.Repeat("x", MaxText+1) }), "more than"},
		"negative size":    {minimal(t, func(f *Facts) { f.Memory.Total.Value = -1 }), "negative"},
		"absurd number":    {minimal(t, func(f *Facts) { f.CPU.Usable.Value = 1e300 }), "no measurement"},
		"number too large": {strings.Replace(minimal(t, nil), `"elapsed":0`, `"elapsed":1e999`, 1), "elapsed"},
		"list without end": {minimal(t, func(f *Facts) { f.Network.Resolvers.Value = make([]string, MaxList+1) }), "more than"},
		"key with an escape": {minimal(t, func(f *Facts) {
			f.Kernel.Modules = map[string]Value[string]{"\x1b[2J": {}}
		}), "not a name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(strings.NewReader(test.text))
			if err == nil || !strings.Contains(said(err), test.want) {
				t.Fatalf("error is %v, wants one with %q", err, test.want)
			}
			if strings.ContainsFunc(err.Error()+said(err), unicode.IsControl) {
				t.Errorf("error has control characters: %q", err)
			}
		})
	}
}

// TestReadStopsAtItsLimit returns it bytes without end: 10 GB would only take longer.
func TestReadStopsAtItsLimit(t *testing.T) {
	t.Parallel()
	source := &endless{}
	if _, err := Read(source); err == nil || !strings.Contains(said(err), "larger than") {
		t.Fatalf("error is %v", err)
	}
	if source.taken > 4*MaxFacts {
		t.Errorf("read %d bytes, limit is %d", source.taken, MaxFacts)
	}
}

func TestReadPassesOnTheReadersError(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	if _, err := Read(io.MultiReader(strings.NewReader("{"), failing{broken})); !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestReadTakesControlOut: terminal escapes, line breaks, and what turns the
// direction of writing do not come through; HTML does, for who prints escapes it.
func TestReadTakesControlOut(t *testing.T) {
	t.Parallel()
	f, err := Read(strings.NewReader(minimal(t, func(f *Facts) {
		f.Name = "a\x1b]0;owned\x07\x1b[31mb\r\nc\u202ed\u0085e<b>"
		f.OS.Pretty.Value = "x\x00y"
		f.Network.Resolvers.Value = []string{"\x1b[2J"}
	})))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{f.Name, f.OS.Pretty.Value, f.Network.Resolvers.Value[0]} {
		if strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("text is %q", text)
		}
	}
	if want := "a�]0;owned��[31mb  c�d�e<b>"; f.Name != want {
		t.Errorf("name is %q, want %q", f.Name, want)
	}
}

// TestTextsOfHosts: a host says what facts have codes for, within limits and in
// printable characters; it has no words for what the report says itself.
func TestTextsOfHosts(t *testing.T) {
	t.Parallel()
	read := func(text message.Text) (message.Text, error) {
		f, err := Read(strings.NewReader(minimal(t, func(f *Facts) { f.CPU.Steal = Value[float64]{Method: text, Unread: text} })))
		if err != nil {
			return message.Text{}, err
		}
		return f.CPU.Steal.Unread, nil
	}
	evil := "\x1b[2J<b>\u202e"
	nested := message.Of("facts.link.needs-root", message.Args{"why": message.Of("facts.unread.no-file", message.Args{"path": evil})})
	for _, text := range []message.Text{
		message.Plain(evil), nested, {Code: "facts.of-tomorrow", Words: evil}, message.Of(NoSpace, message.Args{"x": evil}),
	} {
		got, err := read(text)
		if err != nil || got.Code != text.Code {
			t.Fatalf("%+v is read as %+v, %v", text, got, err)
		}
		for _, l := range words.All() {
			if told := l.Text(got); strings.ContainsFunc(told, func(r rune) bool { return !unicode.IsPrint(r) }) || told == "" {
				t.Errorf("%s: %q is told of %+v", l.Tag, told, text)
			}
		}
	}
	deep := message.Plain("x")
	for range message.MaxDepth + 2 {
		deep = message.Of("facts.link.refused", message.Args{"why": deep})
	}
	for name, text := range map[string]message.Text{
		"the report's own words": message.Of("preflight.page.yes", nil),
		"the same, hidden":       message.Of("facts.link.refused", message.Args{"why": message.Of("preflight.page.yes", nil)}),
		"no code":                message.Of("../../x", nil),
		"long":                   message.Plain(strings.Repeat("x", message.MaxBytes+1)),
		"long argument":          message.Of(NoSpace, message.Args{"x": strings.Repeat("x", message.MaxBytes+1)}),
		"deep":                   deep,
	} {
		if got, err := read(text); err == nil {
			t.Errorf("%s was read as %+v", name, got)
		} else if strings.ContainsFunc(said(err), unicode.IsControl) {
			t.Errorf("%s: error is %q", name, said(err))
		}
	}
	for plain, code := range version1 {
		if got, err := read(message.Plain(plain)); err != nil || !got.Is(code) || words.English().Word(code) != plain {
			t.Errorf("version 1's %q is read as %+v, %v", plain, got, err)
		}
	}
	if got := Heard(message.Of("preflight.page.yes", nil)); !got.IsZero() {
		t.Errorf("a host is heard saying %+v", got)
	}
}

func TestCut(t *testing.T) {
	t.Parallel()
	for _, text := range []string{strings.Repeat("ä", MaxText), "short", "\xff\xff", strings.Repeat("\x1b", 9000)} {
		got := Cut(text)
		if len(got) > MaxText || printable.Line(got) != got {
			t.Errorf("Cut gives %d bytes, %q", len(got), got[:min(len(got), 40)])
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(minimal(f, nil))
	f.Add(minimal(f, func(x *Facts) { x.Name = "\x1b[31m"; x.Kernel.Modules = map[string]Value[string]{"a": {}} }))
	f.Add(`{"apiVersion":"island/v1","kind":"Facts"}`)
	f.Add(`{"a":[{"a":1}],"b":{}}`)
	f.Fuzz(func(t *testing.T, text string) {
		document, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		data, err := json.Marshal(document)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Read(strings.NewReader(string(data))); err != nil && int64(len(data)) <= MaxFacts &&
			!strings.Contains(said(err), "more than") {
			t.Fatalf("what was read is refused when written: %v", err)
		}
	})
}

// TestSurveyOfAnotherVersion: a survey of a version that is not known is refused by
// its version, not by the fields that this program does not know.
func TestSurveyOfAnotherVersion(t *testing.T) {
	t.Parallel()
	survey := func(version, more string) error {
		_, err := ReadSurvey(
			strings.NewReader(
				`{"apiVersion":"island/v1","kind":"Survey",` + version + `"started":"2026-03-01T12:00:00Z","elapsed":1,"hosts":[],"links":[],` +
					`"site":[]` + more + `}`,
			),
		)
		return err
	}
	for version, want := range map[string]string{
		"": "", `"version":2,`: "", `"version":3,`: "version 3", `"version":1,`: "version 1", `"version":-1,`: "version -1",
		`"version":"2",`: "version",
	} {
		err := survey(version, "")
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", version, err, want)
		}
	}
	if err := survey(`"version":3,`, `,"new":1`); err == nil || !strings.Contains(err.Error(), "version 3") {
		t.Errorf("a later version gives %v", err)
	}
}

package printable

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode"
)

// hostile has one of each kind of what may steer a terminal, hide or turn text.
const hostile = "a\x1b]8;;http://evil\x1b\\b\x1b]52;c;AAAA\ac" +
	"\u009b2J\x7f\b\r\u202e\u2066\u200b\u2028\ufeff\ufe0f\U000e0041\U000e0101\u034f\u3164z"

// steers reports whether a text has anything that is not just shown.
func steers(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool {
		return r != '\n' && (!unicode.IsPrint(r) || unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point))
	})
}

type shouter struct{}

func (shouter) String() string { return "x\nisland: verified\x1b[0m" }

// TestArgumentsStayInTheirLine: whatever is put into a line, of whatever type, makes
// no other.
func TestArgumentsStayInTheirLine(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	p := NewPrinter(&b, nil)
	p.Printf("%s|%-12v|%v|%v|%5d|%q|%.1f%%\n", "a\nverified ok", shouter{}, errors.New("c\r\nd"), []string{"e\nf"}, 7, "g\u202e", 1.25)
	if got := b.String(); strings.Count(got, "\n") != 1 || steers(got) || !strings.Contains(got, `|[e f]|    7|"g\u202e"|1.2%`) {
		t.Errorf("printed %q", got)
	}
	b.Reset()
	p.Block("island: ", "one\nverified ok\r\n  three\x1b[0m\n\n", "    ")
	if got := b.String(); got != "island: one\n    verified ok\n      three�[0m\n" {
		t.Errorf("printed %q", got)
	}
}

// TestNothingSteersATerminal: not even through Write, cut anywhere.
func TestNothingSteersATerminal(t *testing.T) {
	t.Parallel()
	for cut := range hostile {
		var b strings.Builder
		p := NewPrinter(&b, nil)
		for _, piece := range []string{hostile[:cut], hostile[cut:], "é"[:1], "é"[1:] + "\xc3"} {
			if n, err := p.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Fatalf("wrote %d of %d: %v", n, len(piece), err)
			}
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		if got := b.String(); steers(got) || got != Text(hostile)+"é�" {
			t.Fatalf("cut at %d: %q", cut, got)
		}
	}
}

func TestJSONHasTheSameValueAndNothingThatSteers(t *testing.T) {
	t.Parallel()
	want := map[string]string{hostile: hostile, "plain": "Grüße\t5\u00a0GB\n"}
	text, err := json.MarshalIndent(want, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	escaped := JSON(text)
	var got map[string]string
	if err := json.Unmarshal(escaped, &got); err != nil || len(got) != 2 || got[hostile] != hostile || got["plain"] != want["plain"] {
		t.Errorf("became %q: %v", got, err)
	}
	if steers(strings.ReplaceAll(string(escaped), "\u00a0", " ")) {
		t.Errorf("something steers in %q", escaped)
	}
	if plain := []byte(`{"a": "ü"}`); string(JSON(plain)) != string(plain) {
		t.Error("what is printable is changed")
	}
}

type full struct{ after int }

func (f *full) Write(data []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, errors.New("full")
	}
	return len(data), nil
}

// TestLostOutputIsRemembered: nobody asks after each line.
func TestLostOutputIsRemembered(t *testing.T) {
	t.Parallel()
	var told []error
	p := NewPrinter(&full{after: 1}, func(err error) { told = append(told, err) })
	p.Printf("one\n")
	if p.Err() != nil {
		t.Fatal(p.Err())
	}
	p.Printf("two\n")
	p.Block("three", "", "")
	if err := p.Close(); err == nil || len(told) != 1 || !errors.Is(err, told[0]) || p.Err() == nil {
		t.Errorf("said %v, told %v", err, told)
	}
}

func TestIsLine(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"Müller & Söhne": true, "": true, "a\nb": false, "\u009b": false, "x\u202e": false, "\xff": false,
	} {
		if IsLine(text) != want {
			t.Errorf("%q is a line: %v", text, !want)
		}
	}
}

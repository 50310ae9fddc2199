package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const good = `Enhancement: Patches are verified on the island

The command ` + "`island apply`" + ` now says who has signed.
Nobody has to do anything.

    island apply BASE DELTA

https://example.com/issues/123
https://example.com/pull/124
`

// The entries of this very module are well-formed, and a release can be made.
func TestUnreleased(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := run(filepath.Join("..", "..", "..", folder), "Unreleased", &out); err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(out.String(), "## Unreleased\n") {
		t.Errorf("text is %q", out.String())
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"a-verified-patch": good,
		"b-hole":           "Security: No archive leaves its folder\n\nIt could.\n",
		"c-command":        "Enhancement: `island map` draws the house\n\nFor newcomers.\n",
		".gitkeep":         "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	if err := run(dir, "1.2.0", &out); err != nil {
		t.Fatal(err)
	}
	const want = `## 1.2.0

- **Security: No archive leaves its folder.**
  It could.

- **Enhancement: Patches are verified on the island.**
  The command ` + "`island apply`" + ` now says who has signed.
  Nobody has to do anything.

      island apply BASE DELTA

  <https://example.com/issues/123>
  <https://example.com/pull/124>

- **Enhancement: ` + "`island map`" + ` draws the house.**
  For newcomers.
`
	if out.String() != want {
		t.Errorf("text is\n%s\nexpected\n%s", out.String(), want)
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	change := func(old, replacement string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q in the good entry", old)
		}
		return strings.Replace(good, old, replacement, 1)
	}
	for _, test := range []struct{ fault, text, want string }{
		{"empty", "", "begins with text"},
		{"no kind", change("Enhancement: ", ""), "kinds are Security, Change, Bugfix, Enhancement"},
		{"unknown kind", change("Enhancement", "Feature"), "kinds are"},
		{"no space after the kind", change(": Patches", ":Patches"), "kinds are"},
		{"title over two lines", change("verified on", "verified\non"), "line 2 must be empty"},
		{"text on the second line", change("island\n\n", "island\n"), "line 2 must be empty"},
		{"small title", change("Patches", "patches"), "capital"},
		{"title with a full stop", change("the island\n", "the island.\n"), "full stop"},
		{"no text", "Bugfix: Nothing\n", "nothing stands below"},
		{"links alone", "Bugfix: Nothing\n\nhttps://example.com/1\n", "nothing stands below"},
		{"text after links", good + "\nAnd more.\n", `"And more." follows them`},
		{"plain http", change("https://example.com/pull", "http://example.com/pull"), "https://"},
		{"text among links", change("https://example.com/pull/124", "and more"), `"and more" is not a link`},
		{"no line break at the end", strings.TrimSuffix(good, "\n"), "one line break"},
		{"two empty lines", change("\n\nThe", "\n\n\nThe"), "one empty line"},
		{"a long line", change("Nobody", strings.Repeat("ä", 140)+" nobody"), "line 4 has more than 140"},
		{"white space at an end", change("anything.", "anything. "), "line 4 ends with white space"},
		{"Windows' line breaks", strings.ReplaceAll(good, "\n", "\r\n"), "line 1 ends with white space"},
		{"a heading", change("Nobody", "# Nobody"), "line 4 is a heading"},
	} {
		t.Run(test.fault, func(t *testing.T) {
			t.Parallel()
			if e, err := parse(test.text); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("entry %+v, error %v, expected %q", e, err, test.want)
			}
		})
	}
	if _, err := parse(good); err != nil {
		t.Errorf("the good entry: %v", err)
	}
}

// Everything that is wrong is told at once, with its file, and no text.
func TestEveryFlawIsTold(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"one": "x\n", "two.md": good, "three": good, "four": "Bugfix: X\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	err := run(dir, "1.2.0", &out)
	if err == nil || out.Len() > 0 {
		t.Fatalf("error %v, text %q", err, out.String())
	}
	for _, want := range []string{"one: line 1", "two.md: a file is named", "four: nothing stands below"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not told in\n%v", want, err)
		}
	}
	if strings.Contains(err.Error(), "three") {
		t.Errorf("a good entry is refused: %v", err)
	}
	if err := run(filepath.Join(dir, "none"), "1.2.0", &out); err == nil {
		t.Error("a folder that is missing passes")
	}
}

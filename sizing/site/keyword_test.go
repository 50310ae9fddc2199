package site

import "testing"

func TestKeyword(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"keine": "none", " Keine ": "none", "Extern": "external", "mitgeliefert": "bundled", "none": "none", "external": "external",
		"10x8": "10x8", "": "", "kein": "kein",
	} {
		if have := Keyword(typed); have != want {
			t.Errorf("%q: is %q, want %q", typed, have, want)
		}
	}
}

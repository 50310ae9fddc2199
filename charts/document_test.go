package charts

import (
	"regexp"
	"testing"
)

// FuzzSeparators holds that documents are split where Helm splits them.
func FuzzSeparators(f *testing.F) {
	pattern := regexp.MustCompile(`(?:^|\s*\n)---\s*`)
	for _, seed := range []string{"", "---", "a\n---\nb", "---\n---\na", "a\n \n\t--- # c\n---x", "a---b", "\n---",
		"a\r\n---\r\nb\n\n---\n\n---", "\u00a0\n---"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		want, got := pattern.FindAllStringIndex(text, -1), separators(text)
		if len(want) != len(got) {
			t.Fatalf("%q: got %v, want %v", text, got, want)
		}
		for i, mark := range want {
			if got[i] != [2]int{mark[0], mark[1]} {
				t.Errorf("%q: got %v, want %v", text, got, want)
			}
		}
	})
}

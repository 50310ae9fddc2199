package nearest

import (
	"strings"
	"testing"
)

func TestOf(t *testing.T) {
	t.Parallel()
	known := []string{"charts", "images", "mirrors", "platform", "profile", "x"}
	for name, want := range map[string]string{
		"chart":                      "charts",
		"Charts":                     "charts",
		"chrats":                     "charts",
		"mirror":                     "mirrors",
		"profle":                     "profile",
		"plattform":                  "platform",
		"files":                      "",
		"y":                          "",
		"":                           "",
		"charts":                     "", // it is known itself
		strings.Repeat("charts", 80): "",
	} {
		if have := Of(name, known); have != want {
			t.Errorf("%q: %q, want %q", name, have, want)
		}
	}
	if have := DidYouMean("--", "mirror", known); have != "did you mean --mirrors?" {
		t.Errorf("asks %q", have)
	}
	if have := DidYouMean("--", "files", known); have != "" {
		t.Errorf("asks %q for what is like nothing", have)
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "abd", 1}, {"abc", "ab", 1},
		{"größe", "grösse", 2}, {"kitten", "sitting", 3}, {"ca", "abc", 3}, {"abcdef", "badcfe", 3},
	} {
		if have := distance(test.a, test.b); have != test.want {
			t.Errorf("%q to %q: %d, want %d", test.a, test.b, have, test.want)
		}
		if distance(test.a, test.b) != distance(test.b, test.a) {
			t.Errorf("%q to %q is not as far as back", test.a, test.b)
		}
	}
}

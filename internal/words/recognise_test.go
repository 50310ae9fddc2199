package words_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
)

// TestRecogniser wants a sentence to be what it was made of, and any other text
// to stay as it is.
func TestRecogniser(t *testing.T) {
	t.Parallel()
	const english = `name: English
words:
  seen:
    down: down
    no-way: no way
    of: "statfs(2) of {path}"
    share: "{share:fix1} s of {all:int}"
    hosts: {count: n, one: "{n} host is down", other: "{n} hosts are down"}
    why: "not there: {why}"
    any: "{all}"
  other: {up: up}
`
	german := strings.NewReplacer(": down", ": unten", "no way", "kein Weg", " of ", " von ", "host is down", "Host ist unten",
		"hosts are down", "Hosts sind unten", "not there", "nicht da", "{up: up}", "{up: oben}").Replace(english)
	all, err := words.Load(fstest.MapFS{"en.yaml": {Data: []byte(english)}, "de.yaml": {Data: []byte(german)}})
	if err != nil {
		t.Fatal(err)
	}
	known := all[0].Recogniser("seen.")
	for said, want := range map[string]string{
		"down":                      "unten",
		"statfs(2) of /var/lib (a)": "statfs(2) von /var/lib (a)",
		"statfs(2) of down":         "statfs(2) von down",
		"1.5 s of 2,300":            "1,5 s von 2.300",
		"1.50 s of 2300":            "1.50 s of 2300", // not as the message writes it
		"not there: no way":         "nicht da: kein Weg",
		"not there: what?":          "nicht da: what?",
		"3 hosts are down":          "3 Hosts sind unten",
		"up":                        "up", // a code that begins otherwise
		"down.":                     "down.",
		"":                          "",
	} {
		for range 2 { // the second time it is known
			if got := all[1].Text(known.Text(message.Plain(said))); got != want {
				t.Errorf("%q is told as %q, want %q", said, got, want)
			}
		}
	}
	if coded := message.Of("other.up", nil); !known.Text(coded).Equal(coded) {
		t.Error("a text with a code has become another")
	}
}

// FuzzRecogniser wants whatever is said to be said still.
func FuzzRecogniser(f *testing.F) {
	for _, seed := range []string{"", "not there", "processor flag aes", "nested more than 12 deep", "statfs(2) of \xff"} {
		f.Add(seed)
	}
	known := words.English().Recogniser("facts.")
	f.Fuzz(func(t *testing.T, said string) {
		if got := words.English().Text(known.Text(message.Plain(said))); got != said {
			t.Errorf("%q became %q", said, got)
		}
	})
}

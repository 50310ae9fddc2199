package words_test

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
)

// plurals are nouns that are wrong behind "1", a word between them or none.
var plurals = map[string]*regexp.Regexp{
	"en": behindOne(`allocations are attempts bits bundles bytes charts conferences cores days exchanges hosts images keys levels machines
		members messages months nodes packets participants pieces ports rules runs segments servers steps things users ways windows
		words writes`),
	"de": behindOne(`Allokationen Austauschen Bits Bundles Bytes Charts Einträge Fenstern Hosts Images Kerne Konferenzen Konferenzservern
		Läufen Maschinen Monaten Ports Regeln Sachen Schlüsseln Schreibvorgängen Segmente Servern Tage Versuche Wegen etcd-Mitglieder sind`),
}

func behindOne(list string) *regexp.Regexp {
	return regexp.MustCompile(`(?:^|[^0-9.,\pL])1\s(?:\pL+\s){0,2}(?:` + strings.Join(strings.Fields(list), "|") + `)(?:[^\pL]|$)`)
}

// TestOneIsNotMany fills every gap with 1: no message then has a plural behind it. What
// counts more than one thing has {x|one …|other …}.
func TestOneIsNotMany(t *testing.T) {
	t.Parallel()
	// Versions and names are no counts, a limit is never 1, and of a share it is not one that is free.
	none := regexp.MustCompile(`^(patches\.|facts\.wrong\.|facts\.reach\.token$|preflight\.finding\.(upgrade|spread|inodes)|` +
		`sizing\.finding\.placement\.network\.text$)`)
	for tag, plural := range plurals {
		l := language(t, tag)
		for _, code := range l.Codes() {
			if none.MatchString(code) {
				continue
			}
			args := message.Args{}
			gaps, _ := l.Gaps(code)
			for _, gap := range gaps {
				args[gap] = 1
			}
			said := strings.NewReplacer(words.NoBreak, " ", words.NarrowNoBreak, " ").Replace(l.Say(code, args))
			if plural.MatchString(said) {
				t.Errorf("%s: %s says %q of one", tag, code, said)
			}
		}
	}
}

// TestCountsInGaps looks at messages that count several things at once.
func TestCountsInGaps(t *testing.T) {
	t.Parallel()
	const catalogue = `name: Toy
words:
  both: "{n} {n|one goose|other geese}, {m} {m|one ox|few oxa|other oxen}"
`
	all, err := words.Load(fstest.MapFS{
		"en.yaml": {Data: []byte(catalogue)},
		"pl.yaml": {Data: []byte(strings.Replace(catalogue, "name: Toy", "name: Polski", 1))},
	})
	if err != nil {
		t.Fatal(err)
	}
	number := func(n int) message.Text { return message.Of("preflight.value.number", message.Args{"n": n}) }
	for _, c := range []struct {
		got, want string
	}{
		{all[0].Say("both", message.Args{"n": 1, "m": 2}), "1 goose, 2 oxen"},
		{all[0].Say("both", message.Args{"n": 0, "m": int64(1)}), "0 geese, 1 ox"},
		{all[0].Say("both", message.Args{"n": 1.5, "m": 1.0}), "1.5 geese, 1 ox"},
		{all[1].Say("both", message.Args{"n": 3, "m": 3}), "3 geese, 3 oxa"},
		{all[0].Say("both", message.Args{"n": 1}), "1 goose, {m} {m}"},
		{all[0].Say("both", message.Args{"n": number(1), "m": number(2)}), "preflight.value.number goose, preflight.value.number oxen"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	for _, bad := range []string{"{|other x}", "{n|some x|other y}", "{n|one x}", "{n|one|other x}"} {
		_, err := words.Load(fstest.MapFS{"en.yaml": {Data: []byte("name: x\nwords: {a: '" + bad + "'}")}})
		if err == nil {
			t.Errorf("%s is taken for a gap", bad)
		}
	}
}

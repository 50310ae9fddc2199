package preflight

import (
	"os"
	"regexp"
	"testing"

	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/report"
)

// TestEveryOutcomeHasWords reads the outcomes where they are declared, so that
// none is forgotten.
func TestEveryOutcomeHasWords(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("facts/survey.go")
	if err != nil {
		t.Fatal(err)
	}
	declared := regexp.MustCompile(`(?m)^\t[A-Z]\w+ +Outcome = "([a-z-]+)"`).FindAllSubmatch(source, -1)
	if len(declared) != len(outcomeWords) {
		t.Errorf("%d outcomes are declared, %d have words", len(declared), len(outcomeWords))
	}
	for _, match := range declared {
		if text := outcomeWords[facts.Outcome(match[1])]; !text.Complete() {
			t.Errorf("%s has no words in both languages", match[1])
		}
	}
}

func TestPhrase(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]report.Text{
		"timed-out":                  {EN: "timed out", DE: "Zeitüberschreitung"},
		"cores":                      {EN: "cores", DE: "Kerne"},
		"outside 30000–32767":        {EN: "outside 30000–32767", DE: "außerhalb von 30000–32767"},
		"inventory groups":           {EN: "inventory groups", DE: "Gruppen des Inventorys"},
		"default routes (/proc/net)": {EN: "default routes (/proc/net)", DE: "Standardrouten (/proc/net)"},
		"STUN binding request over UDP from the admin host": {EN: "STUN binding request over UDP from the admin host", DE: "STUN-Binding-Anfrage über UDP vom Admin-Host aus"},
		"static.example.org": {EN: "static.example.org", DE: "static.example.org"}, // a name, no word
		"0.003 ± 0.002":      {EN: "0.003 ± 0.002", DE: "0,003 ± 0,002"},
		"≤ 0.1":              {EN: "≤ 0.1", DE: "≤ 0,1"},
		"5.30.0":             {EN: "5.30.0", DE: "5.30.0"}, // a version
		"":                   {},
	} {
		if got := Phrase(in); got != want {
			t.Errorf("%q is %q, not %q", in, got, want)
		}
	}
}

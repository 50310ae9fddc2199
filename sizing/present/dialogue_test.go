package present

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
)

func TestDialogue(t *testing.T) {
	hospital := site.New()
	answers := "Klinikum\n\nzwei\n0\n2.500\n10 mal 8\n10 X 8; 2 × 50\n\nexternal\n"
	var out bytes.Buffer
	if err := AskSite(context.Background(), strings.NewReader(answers), &out, language(t, "de"), hospital); err != nil {
		t.Fatal(err)
	}
	if err := hospital.Check("", sizing.SiteNames()); err != nil {
		t.Fatal(err)
	}
	if hospital.Name != "Klinikum" || hospital.Scenario != sizing.DefaultScenario || hospital.Users != 2500 ||
		hospital.Conferences.String() != "10x8,2x50" || hospital.ServerCount != 3 || hospital.Mail != site.MailExternal {
		t.Errorf("%+v", hospital)
	}
	if asked := strings.Count(out.String(), "Nachrichten-Nutzer, insgesamt: "); asked != 3 {
		t.Errorf("users were asked for %d times, want 3:\n%s", asked, out.String())
	}
}

// TestDialogueTakesNumbersAsTheyAreWritten asks in both languages, and wants what
// cannot be read told in the language, by what is wanted.
func TestDialogueTakesNumbersAsTheyAreWritten(t *testing.T) {
	for _, test := range []struct{ tag, users, none, wanted string }{
		{"en", "12,000", "NONE", "count x participants is wanted"},
		{"en", "9 500", "none", "a whole number between 1 and 10,000,000 is wanted"},
		{"de", "12.000", "Keine", "Anzahl x Teilnehmer wird benötigt"},
		{"de", "9'500", "none", "eine ganze Zahl zwischen 1 und 10.000.000 wird benötigt"},
	} {
		hospital := site.New()
		var out bytes.Buffer
		answers := strings.NewReader("Klinikum\n\n2,5\n" + test.users + "\nten\n" + test.none + "\n1e3\n3\n\n")
		if err := AskSite(context.Background(), answers, &out, language(t, test.tag), hospital); err != nil {
			t.Fatal(err)
		}
		if len(hospital.Conferences) != 0 || hospital.Conferences == nil || hospital.Users != 12000 && hospital.Users != 9500 {
			t.Errorf("%+v: %+v", test, hospital)
		}
		if told := out.String(); !strings.Contains(told, test.wanted) || strings.Contains(told, "strconv") {
			t.Errorf("%+v: told\n%s", test, told)
		}
	}
}

// TestDialogueEnds wants a dialogue that nobody answers to end.
func TestDialogueEnds(t *testing.T) {
	for name, answers := range map[string]string{
		"end of input":      "Klinikum\n",
		"only nonsense":     "Klinikum\n1\n" + strings.Repeat("many\n", 50),
		"one endless line":  strings.Repeat("9", 1<<20),
		"nothing ever said": strings.Repeat("\n", 100),
	} {
		site := site.New()
		err := AskSite(context.Background(), strings.NewReader(answers), new(bytes.Buffer), words.English(), site)
		if fault.ExitCode(err) != int(fault.Usage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if err := AskSite(canceled, strings.NewReader("a\n"), new(bytes.Buffer), words.English(), site.New()); err != context.Canceled {
		t.Errorf("canceled: %v", err)
	}
}

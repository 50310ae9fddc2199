package present

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
)

// TestHeadingsDiffer wants of every check, in every language, a name and two states
// that nobody takes for each other: beside the badge of a fault that what is wished
// for would read as its opposite.
func TestHeadingsDiffer(t *testing.T) {
	t.Parallel()
	checks, err := preflight.AllChecks()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range words.All() {
		said := map[string]string{}
		for _, check := range checks.Checks {
			for _, text := range []message.Text{check.Title(), preflight.Finding{ID: check.ID, Outcome: preflight.Pass}.Heading(), check.Bad()} {
				heading := lang.Text(text)
				if text.Code == heading || heading == "" {
					t.Errorf("%s has no words in %s", text.Code, lang.Tag)
				}
				if before := said[heading]; before != "" {
					t.Errorf("%s: %s and %s are both %q", lang.Tag, before, text.Code, heading)
				}
				said[heading] = text.Code
			}
		}
	}
}

// TestHeadingsSayWhatWasFound looks at the headings of what fails, warns, could not be
// measured, was skipped and passes, wherever they stand.
func TestHeadingsSayWhatWasFound(t *testing.T) {
	t.Parallel()
	s := someSurvey(t, 3)
	node := func(name string) *facts.Host {
		for i := range s.Hosts {
			if s.Hosts[i].Name == name {
				return &s.Hosts[i]
			}
		}
		t.Fatalf("no host %s", name)
		return nil
	}
	node("kubenode1").Facts.Memory.Swap = factstest.Read[int64](512e6)
	node("kubenode2").Facts.Security.SELinux = factstest.Read("enforcing")
	node("cassandra1").Facts.CPU.AES = facts.Value[bool]{Method: message.Plain("flags"), Unread: message.Of("facts.unread.no-processor", nil)}
	node("minio2").Facts, node("minio2").Clock = nil, nil
	node("minio2").Reach = facts.Reach{Outcome: facts.AuthRefused, Method: message.Plain("ssh")}
	r := judged(t, s, nil)
	for lang, want := range map[string]struct{ has, lacks []string }{
		"en": {
			has:   []string{"Swap is on", "SELinux enforces", "AES in hardware", "SSH refuses the login"},
			lacks: []string{"Swap is off", "SELinux does not enforce", "AES in hardware is", "SSH accepts the login"},
		},
		"de": {
			has:   []string{"Swap ist an", "SELinux ist auf enforcing", "AES in Hardware", "SSH lehnt die Anmeldung ab"},
			lacks: []string{"Swap ist aus", "SELinux ist nicht auf enforcing", "AES in Hardware ist", "SSH nimmt die Anmeldung an"},
		},
	} {
		l, err := words.All().Parse(lang)
		if err != nil {
			t.Fatal(err)
		}
		page, err := HTML(r, l)
		if err != nil {
			t.Fatal(err)
		}
		var text bytes.Buffer
		if err := Text(&text, r, Options{Lang: l}); err != nil {
			t.Fatal(err)
		}
		for form, said := range map[string]string{"page": string(page), "text": text.String()} {
			for _, heading := range want.has {
				if !strings.Contains(said, heading) {
					t.Errorf("%s, %s: nowhere is %q", lang, form, heading)
				}
			}
			for _, wish := range want.lacks {
				if strings.Contains(said, wish) {
					t.Errorf("%s, %s: a fault is headed by what is wished for: %q", lang, form, wish)
				}
			}
		}
	}
	programs, err := json.Marshal(NewDocument(r))
	if err != nil {
		t.Fatal(err)
	}
	var junit bytes.Buffer
	if err := JUnit(&junit, r); err != nil {
		t.Fatal(err)
	}
	for form, said := range map[string]string{"JSON": string(programs), "JUnit": junit.String()} {
		if !strings.Contains(said, "Swap is on: observed 0.51 GB, required 0 GB") {
			t.Errorf("%s does not say that swap is on:\n%s", form, said)
		}
	}
	for _, f := range r.Findings {
		if f.ID != "memory.swap" || f.Host != "kubenode3" {
			continue
		}
		for _, text := range []message.Text{f.Heading(), f.Sentence()} {
			if said := words.English().Text(text); said != "Swap is off" {
				t.Errorf("what passes says %q", said)
			}
		}
	}
}

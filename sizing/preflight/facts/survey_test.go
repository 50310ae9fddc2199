package facts

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// document is a survey as JSON, which tests spoil.
type document map[string]any

func parsed(t *testing.T, data []byte) document {
	t.Helper()
	d := document{}
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// savedV1 is a survey that a program wrote that knew version 1 alone.
func savedV1(t *testing.T) document {
	t.Helper()
	data, err := os.ReadFile("../testdata/survey-v1.json")
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, data)
}

// savedV2 is the same survey, saved again.
func savedV2(t *testing.T) document {
	t.Helper()
	s, err := savedV1(t).read(t)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, data)
}

func (d document) read(t *testing.T) (*Survey, error) {
	t.Helper()
	data, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return ReadSurvey(strings.NewReader(string(data)))
}

// observation returns the first of which a field says this, and its index.
func (d document) observation(t *testing.T, field, says string) (document, int) {
	t.Helper()
	for i, member := range d["site"].([]any) {
		if o := document(member.(map[string]any)); o[field] == says {
			return o, i
		}
	}
	t.Fatalf("no observation has %s %s", field, says)
	return nil, 0
}

// TestSurveyThatNobodyCouldJudge: what an observation leaves out is neither taken
// for good nor passed over, be it of version 1 or of today's.
func TestSurveyThatNobodyCouldJudge(t *testing.T) {
	t.Parallel()
	const dates, names, chain, key = "site.certificate-dates", "site.certificate-names", "site.certificate-chain", "site.certificate-key"
	// set returns what puts a value into the first observation of which a field says this.
	set := func(field string) func(says, into string, value any) func(*testing.T, document) {
		return func(says, into string, value any) func(*testing.T, document) {
			return func(t *testing.T, d document) {
				o, _ := d.observation(t, field, says)
				o[into] = value
			}
		}
	}
	spoilt, of := set("check"), set("subject")
	without := func(checks ...string) func(*testing.T, document) {
		return func(_ *testing.T, d document) {
			d["site"] = slices.DeleteFunc(d["site"].([]any), func(o any) bool {
				return slices.Contains(checks, o.(map[string]any)["check"].(string))
			})
		}
	}
	swapped := func(t *testing.T, d document) {
		_, i := d.observation(t, "check", chain)
		site := d["site"].([]any)
		site[i], site[i+1] = site[i+1], site[i]
	}
	ofCertificate := func(field string, value any) func(*testing.T, document) {
		return func(t *testing.T, d document) {
			o, _ := d.observation(t, "subject", "certificate")
			o["certificate"].(map[string]any)[field] = value
		}
	}
	unlinked := func(_ *testing.T, d document) {
		d["links"] = []any{map[string]any{"from": "", "to": "a", "protocol": "tcp"}}
	}
	unreached := func(_ *testing.T, d document) {
		d["hosts"].([]any)[0].(map[string]any)["reach"] = map[string]any{"method": "ssh"}
	}
	for _, test := range []struct {
		name  string
		saved func(*testing.T) document
		spoil func(*testing.T, document)
		want  string
	}{
		{"key alone", savedV1, without(dates, names, chain), "one after the other"},
		{"dates alone", savedV1, without(names, chain, key), "one after the other"},
		{"names alone", savedV1, without(dates, chain, key), "one after the other"},
		{"chain that is believed, alone", savedV1, without(dates, names, key), "one after the other"},
		{"no key", savedV1, without(key), "one after the other"},
		{"no chain", savedV1, without(chain), "one after the other"},
		{"another order", savedV1, swapped, "one after the other"},
		{"parts of two certificates", savedV1, spoilt(names, "object", "other.pem"), "one after the other"},
		{"no days left", savedV1, spoilt(dates, "values", map[string]string{}), "days"},
		{"no date", savedV1, spoilt(dates, "detail", "valid"), "when it is valid"},
		{"a date that is none", savedV1, spoilt(dates, "detail", "valid until 2027-02-30"), "when it is valid"},
		{"failed and valid", savedV1, spoilt(dates, "outcome", "failed"), "when it is valid"},
		{"dates unmeasured", savedV1, spoilt(dates, "outcome", "unmeasured"), "when it is valid"},
		{"names failed, none missing", savedV1, spoilt(names, "detail", "does not name "), "names are missing"},
		{"names missing, ok", savedV1, spoilt(names, "outcome", "ok"), "names are missing"},
		{"a key of some bits", savedV1, spoilt(key, "values", map[string]string{"rsaBits": "1e3"}), "bits"},
		{"a key of less than none", savedV1, spoilt(key, "values", map[string]string{"rsaBits": "-4096"}), "bits"},
		{"no kind of key", savedV1, spoilt(key, "detail", ""), "key is empty"},
		{"chain without outcome", savedV1, spoilt(chain, "outcome", ""), "outcome"},
		{"offset that is no number", savedV1, spoilt("site.ntp", "values", map[string]string{"offset": "NaN"}), "seconds"},
		{"offset beyond all measure", savedV1, spoilt("site.ntp", "values", map[string]string{"offset": "1e16"}), "seconds"},
		{"no offset", savedV1, spoilt("site.ntp", "values", map[string]string{}), "offset"},
		{"unknown check", savedV1, spoilt("site.ntp", "check", "site.sundial"), "no check of version 1"},
		{"name without outcome", savedV1, spoilt("site.dns", "outcome", ""), "outcome"},
		{"link without outcome", savedV1, unlinked, "links[0]"},
		{"host without outcome", savedV1, unreached, "hosts[0]"},

		{"unknown subject", savedV2, of("name", "subject", "sundial"), "not known"},
		{"no subject", savedV2, of("name", "subject", ""), "not known"},
		{"no outcome", savedV2, of("name", "outcome", ""), "outcome is empty"},
		{"time of no offset", savedV2, of("time-server", "offset", nil), "offset"},
		{"nothing of the certificate", savedV2, of("certificate", "certificate", nil), "was read"},
		{"certificate that was not read", savedV2, of("certificate", "outcome", "failed"), "was read"},
		{"certificate of a name", savedV2, of("name", "certificate", map[string]any{}), "was read"},
		{"no end", savedV2, ofCertificate("notAfter", "0001-01-01T00:00:00Z"), "notAfter"},
		{"no key at all", savedV2, ofCertificate("key", ""), "certificate.key"},
		{"no chain at all", savedV2, ofCertificate("chain", map[string]any{}), "chain.outcome"},
		{"no pair", savedV2, ofCertificate("pair", map[string]any{}), "pair.outcome"},
		{"a link's", savedV2, unlinked, "links[0]"},
		{"a host's", savedV2, unreached, "hosts[0]"},
		{"list for a survey", savedV2, func(_ *testing.T, d document) { d["hosts"] = map[string]any{} }, "hosts"},
	} {
		d := test.saved(t)
		if _, err := d.read(t); err != nil {
			t.Fatalf("as it was saved: %v", err)
		}
		test.spoil(t, d)
		s, err := d.read(t)
		switch {
		case err == nil:
			t.Errorf("%s: is read as %+v", test.name, s.Site)
		case !strings.Contains(said(err), test.want):
			t.Errorf("%s: %q does not say %q", test.name, said(err), test.want)
		case strings.Contains(said(err), "Go "), strings.Contains(said(err), "facts."):
			t.Errorf("%s: %q tells names of this program", test.name, said(err))
		}
	}
	for _, text := range []string{"[]", "5", `"a"`} {
		if _, err := ReadSurvey(strings.NewReader(text)); err == nil || !strings.Contains(said(err), "object") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestNamesThatWereCut: version 1 has a certificate's names as one text, of which only
// the beginning may have been saved.
func TestNamesThatWereCut(t *testing.T) {
	t.Parallel()
	for text, whole := range map[string]bool{"": true, "a.example": true, "a.example, b.exam…": false, "a.example, b.example": true} {
		d := savedV1(t)
		o, i := d.observation(t, "check", "site.certificate-names")
		o["values"] = map[string]string{"observed": text}
		s, err := d.read(t)
		if err != nil {
			t.Fatal(err)
		}
		if c := s.Site[i-1].Certificate; c.HasAllNames() != whole {
			t.Errorf("names %q are whole: %v", text, !whole)
		}
	}
}

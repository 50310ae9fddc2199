package facts

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/islandbundle/island/internal/words/message"
)

// surveyV1 is a survey of version 1, whose observations are named for checks.
type surveyV1 struct {
	APIVersion string          `json:"apiVersion"`
	Kind       string          `json:"kind"`
	Started    time.Time       `json:"started"`
	Elapsed    float64         `json:"elapsed"`
	Partial    bool            `json:"partial,omitempty"`
	Hosts      []Host          `json:"hosts"`
	Links      []Link          `json:"links"`
	Site       []observationV1 `json:"site"`
}

// observationV1 is one thing that the admin host saw, and thought of it.
type observationV1 struct {
	Check   string            `json:"check"` // id of the check it belongs to
	Object  string            `json:"object"`
	Outcome Outcome           `json:"outcome"`
	Detail  message.Text      `json:"detail,omitzero"`
	Method  message.Text      `json:"method"`
	Values  map[string]string `json:"values,omitempty"`
}

// subjectsV1 are what the checks of version 1 look at.
var subjectsV1 = map[string]Subject{
	"site.dns":               SubjectName,
	"site.srv":               SubjectService,
	"site.certificate-dates": SubjectCertificate,
	"site.certificate-names": SubjectCertificate,
	"site.certificate-chain": SubjectCertificate,
	"site.certificate-key":   SubjectCertificate,
	"site.ntp":               SubjectTime,
	"site.mail":              SubjectMail,
	"site.load-balancer":     SubjectBalancer,
	"site.turn":              SubjectTURN,
	"site.idp":               SubjectIDP,
	"site.outside":           SubjectOutside,
}

// routeV1 is the object by which version 1 tells the route from names.
const routeV1 = "route of the admin host"

// certificateChecksV1 are what version 1 says of a certificate that it has read, in
// its order: always all of them. Of one that it could not read, it says the third.
var certificateChecksV1 = []string{"site.certificate-dates", "site.certificate-names", "site.certificate-chain", "site.certificate-key"}

// survey returns the survey as this version has it. What it is judged by stays as
// it was recorded. An observation that does not say all that version 1 says is an
// error: nobody could judge what it leaves out.
func (v surveyV1) survey() (*Survey, error) {
	s := NewSurvey(v.Started)
	s.APIVersion, s.Kind = v.APIVersion, v.Kind
	s.Elapsed, s.Partial, s.Hosts, s.Links = v.Elapsed, v.Partial, v.Hosts, v.Links
	for i := 0; i < len(v.Site); {
		read := 1
		o, err := v.Site[i].observation()
		if err == nil && v.Site[i].isCertificate() {
			read = len(certificateChecksV1)
			o, err = v.certificate(o, v.Site[i:min(i+read, len(v.Site))])
		}
		if err != nil {
			return nil, fmt.Errorf("site[%d]: %s of %q: %w", i, v.Site[i].Check, v.Site[i].Object, err)
		}
		s.Site = append(s.Site, o)
		i += read
	}
	return s, nil
}

func (v observationV1) observation() (Observation, error) {
	subject := subjectsV1[v.Check]
	if subject == SubjectOutside && v.Object == routeV1 {
		subject = SubjectRoute
	}
	o := Observation{Subject: subject, Object: v.Object, Outcome: v.Outcome, Detail: v.Detail, Method: v.Method, Found: v.Values["observed"]}
	if subject == "" {
		return o, errors.New("no check of version 1")
	}
	if text, ok := v.Values["offset"]; ok {
		offset, err := strconv.ParseFloat(text, 64)
		if err != nil || !isMeasured(offset) {
			return o, fmt.Errorf("values.offset: %q is no number of seconds", text)
		}
		o.Offset = &offset
	}
	return o, nil
}

// isCertificate reports whether an observation tells of a certificate that was read.
func (v observationV1) isCertificate() bool {
	return subjectsV1[v.Check] == SubjectCertificate && (v.Check != "site.certificate-chain" || v.Outcome == OK)
}

// certificate makes one observation of those that tell of one certificate.
func (v surveyV1) certificate(o Observation, all []observationV1) (Observation, error) {
	for i, check := range certificateChecksV1 {
		if i >= len(all) || all[i].Check != check || all[i].Object != o.Object {
			return o, errors.New("what was seen of a certificate is " + strings.Join(certificateChecksV1, ", ") + ", one after the other")
		}
	}
	c := &Certificate{Chain: Result{all[2].Outcome, all[2].Detail}}
	o.Outcome, o.Detail, o.Found, o.Certificate = OK, message.Text{}, "", c
	return o, cmp.Or(all[0].dates(c, v.Started), all[1].names(c), all[3].key(c))
}

// dates takes over when a certificate is valid. Version 1 tells one day, and how
// many are left until it ends.
func (v observationV1) dates(c *Certificate, started time.Time) error {
	const day = 24 * time.Hour
	days, err := strconv.Atoi(v.Values["observed"])
	if err != nil {
		return fmt.Errorf("values.observed: %q is no number of days", v.Values["observed"])
	}
	left := started.Add(time.Duration(max(-1e4, min(days, 1e5))) * day)
	date := func(said string, outcome Outcome) (time.Time, bool) {
		at, err := time.Parse(said+" "+time.DateOnly, v.Detail.Words)
		return at, err == nil && v.Outcome == outcome
	}
	if until, ok := date("valid until", OK); ok {
		c.NotAfter = later(until, left)
	} else if until, ok := date("expired on", Failed); ok {
		c.NotAfter = earlier(until.Add(day-time.Second), left.Add(-time.Second))
	} else if since, ok := date("not valid before", Failed); ok {
		c.NotBefore, c.NotAfter = since.Add(day-time.Second), left
	} else {
		return fmt.Errorf("outcome %q with detail %q does not say when it is valid", v.Outcome, v.Detail.Words)
	}
	return nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// names takes over what a certificate is for.
func (v observationV1) names(c *Certificate) error {
	c.Names = splitV1(v.Values["observed"])
	missing, ok := strings.CutPrefix(v.Detail.Words, "does not name ")
	if ok {
		c.Missing = splitV1(missing)
	}
	if v.Outcome == OK && !ok || v.Outcome == Failed && len(c.Missing) > 0 {
		return nil
	}
	return fmt.Errorf("outcome %q with detail %q does not say which names are missing", v.Outcome, v.Detail.Words)
}

// key takes over what a certificate's key is; where it failed, the detail is about
// the private key.
func (v observationV1) key(c *Certificate) error {
	if v.Outcome != OK {
		c.Pair = &Result{v.Outcome, v.Detail}
	}
	text, isRSA := v.Values["rsaBits"]
	curve, isECDSA := strings.CutPrefix(v.Detail.Words, "ECDSA, ")
	switch {
	case isRSA:
		bits, err := strconv.Atoi(text)
		if err != nil || bits <= 0 {
			return fmt.Errorf("values.rsaBits: %q is no number of bits", text)
		}
		c.Key, c.Bits = "RSA", bits
	case isECDSA:
		c.Key, c.Curve = "ECDSA", curve
	case v.Outcome == OK:
		c.Key = v.Detail.Words
	}
	return nil
}

func splitV1(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ", ")
}

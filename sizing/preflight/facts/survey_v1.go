package facts

import (
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

// survey returns the survey as this version has it. What it is judged by stays as
// it was recorded.
func (v surveyV1) survey() *Survey {
	s := NewSurvey(v.Started)
	s.APIVersion, s.Kind = v.APIVersion, v.Kind
	s.Elapsed, s.Partial, s.Hosts, s.Links = v.Elapsed, v.Partial, v.Hosts, v.Links
	for i := 0; i < len(v.Site); i++ {
		o := v.Site[i].observation()
		if v.Site[i].Check == "site.certificate-dates" { // its other three follow
			o.Certificate = &Certificate{}
			o.Outcome, o.Detail, o.Found = OK, message.Text{}, ""
			v.Site[i].dates(o.Certificate, v.Started)
			for ; i+1 < len(v.Site) && v.Site[i+1].completes(o.Certificate, o.Object); i++ {
				continue
			}
		}
		s.Site = append(s.Site, o)
	}
	return s
}

func (v observationV1) observation() Observation {
	o := Observation{
		Subject: subjectsV1[v.Check], Object: v.Object, Outcome: v.Outcome, Detail: v.Detail, Method: v.Method, Found: v.Values["observed"],
	}
	if o.Subject == SubjectOutside && v.Object == routeV1 {
		o.Subject = SubjectRoute
	}
	if offset, err := strconv.ParseFloat(v.Values["offset"], 64); err == nil {
		o.Offset = &offset
	}
	return o
}

// dates takes over when a certificate is valid. Version 1 tells one day, and how
// many are left until it ends.
func (v observationV1) dates(c *Certificate, started time.Time) {
	const day = 24 * time.Hour
	days, _ := strconv.Atoi(v.Values["observed"])
	left := started.Add(time.Duration(max(-1e4, min(days, 1e5))) * day)
	date := func(before string) time.Time {
		text, _ := strings.CutPrefix(v.Detail.Words, before)
		at, _ := time.Parse(time.DateOnly, text)
		return at
	}
	switch {
	case v.Outcome == OK:
		c.NotAfter = later(date("valid until "), left)
	case strings.HasPrefix(v.Detail.Words, "expired on "):
		c.NotAfter = earlier(date("expired on ").Add(day-time.Second), left.Add(-time.Second))
	default:
		c.NotBefore, c.NotAfter = date("not valid before ").Add(day-time.Second), left
	}
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

// completes takes over what an observation tells of a certificate, and reports
// whether it is one of the same.
func (v observationV1) completes(c *Certificate, object string) bool {
	if v.Object != object {
		return false
	}
	switch v.Check {
	case "site.certificate-names":
		c.Names = splitV1(v.Values["observed"])
		if missing, ok := strings.CutPrefix(v.Detail.Words, "does not name "); ok {
			c.Missing = splitV1(missing)
		}
	case "site.certificate-chain":
		c.Chain = Result{v.Outcome, v.Detail}
	case "site.certificate-key":
		v.key(c)
	default:
		return false
	}
	return true
}

func (v observationV1) key(c *Certificate) {
	if v.Outcome != OK { // the detail is about the private key
		c.Pair = &Result{v.Outcome, v.Detail}
	}
	bits, err := strconv.Atoi(v.Values["rsaBits"])
	curve, isECDSA := strings.CutPrefix(v.Detail.Words, "ECDSA, ")
	switch {
	case err == nil:
		c.Key, c.Bits = "RSA", bits
	case isECDSA:
		c.Key, c.Curve = "ECDSA", curve
	case v.Outcome == OK:
		c.Key = v.Detail.Words
	}
}

func splitV1(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ", ")
}

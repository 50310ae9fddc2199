package preflight

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// subjectChecks are the checks that judge what the admin host saw. A certificate
// that was read has three more.
var subjectChecks = map[facts.Subject]string{
	facts.SubjectName:        "site.dns",
	facts.SubjectService:     "site.srv",
	facts.SubjectCertificate: "site.certificate-chain",
	facts.SubjectTime:        "site.ntp",
	facts.SubjectMail:        "site.mail",
	facts.SubjectBalancer:    "site.load-balancer",
	facts.SubjectTURN:        "site.turn",
	facts.SubjectIDP:         "site.idp",
	facts.SubjectOutside:     "site.outside",
	facts.SubjectRoute:       "site.outside",
}

// siteChecks judges what the admin host saw. Observations already say how each
// attempt ended; here it is decided what that means.
func (j *judgement) siteChecks() {
	for _, o := range j.Survey.Site {
		check := subjectChecks[o.Subject]
		switch {
		case check == "":
			continue
		case o.Certificate != nil:
			j.certificate(o)
		case o.Offset != nil && o.Outcome == facts.OK:
			j.offset(check, o)
		default:
			j.add(check, attempt(o, facts.Result{Outcome: o.Outcome, Detail: o.Detail}))
		}
	}
	j.unseen()
	if j.Site.Push != "" && !j.Site.Internet {
		f := found{object: "push", observed: string(j.Site.Push), required: string(site.PushNone), method: "site document"}
		f.outcome = passIf(j.Site.Push == site.PushNone, Fail)
		j.add("site.push", f)
	}
}

// attempt words how an attempt to look at something ended.
func attempt(o facts.Observation, r facts.Result) found {
	f := found{object: o.Object, observed: cmp.Or(o.Found, string(r.Outcome)), method: o.Method}
	switch r.Outcome {
	case facts.OK:
		f.outcome = Pass
		f.message = say("%s: %s", "%s: %s", o.Object, Phrase(cmp.Or(r.Detail, string(facts.OK))))
	case facts.Moot:
		f.outcome = Skipped
		f.message = say("%s was not tried: %s", "%s wurde nicht versucht: %s", o.Object, Phrase(r.Detail))
	case facts.Unmade:
		f.outcome = Error
		f.message = say("%s could not be measured: %s", "%s konnte nicht gemessen werden: %s", o.Object, Phrase(r.Detail))
	default:
		f.outcome = Fail
		f.message = say("%s: %s", "%s: %s", o.Object, ended(r.Outcome, r.Detail))
	}
	return f
}

// offset judges a time server by how far the admin host's clock is from it.
func (j *judgement) offset(check string, o facts.Observation) {
	warn, fail := j.limit(check, "warn"), j.limit(check, "fail")
	f := attempt(o, facts.Result{Outcome: o.Outcome, Detail: o.Detail})
	f.observed, f.unit, f.required = strconv.FormatFloat(*o.Offset, 'f', 1, 64), "s", "≤ "+trim(warn)
	f.outcome = graded(math.Abs(*o.Offset), warn, fail)
	j.add(check, f)
}

// certificate judges the site's certificate in four ways.
func (j *judgement) certificate(o facts.Observation) {
	c := o.Certificate
	j.certificateDates(o, c)
	names := attempt(o, j.certificateNames(c))
	names.observed = cmp.Or(facts.Cut(strings.Join(c.Names, ", ")), names.observed)
	j.add("site.certificate-names", names)
	j.add("site.certificate-chain", attempt(o, c.Chain))
	j.certificateKey(o, c)
}

// certificateDates judges by the clock when the survey began, so that the same
// survey is judged alike whenever that is.
func (j *judgement) certificateDates(o facts.Observation, c *facts.Certificate) {
	const check = "site.certificate-dates"
	at, ends := j.Survey.Started, c.NotAfter.UTC().Format(time.DateOnly)
	result := facts.Result{Outcome: facts.OK, Detail: "valid until " + ends}
	switch {
	case at.After(c.NotAfter):
		result = facts.Result{Outcome: facts.Failed, Detail: "expired on " + ends}
	case at.Before(c.NotBefore):
		result = facts.Result{Outcome: facts.Failed, Detail: "not valid before " + c.NotBefore.UTC().Format(time.DateOnly)}
	}
	f := attempt(o, result)
	days := int(c.NotAfter.Sub(at).Hours() / 24)
	f.observed, f.unit = strconv.Itoa(days), "days"
	if f.outcome == Pass {
		warn := j.limit(check, "warn")
		f.outcome, f.required = passIf(float64(days) >= warn, Warn), "≥ "+trim(warn)
	}
	j.add(check, f)
}

// certificateNames compares a certificate with the names of the site document;
// where that has none, those count that it had when the certificate was read.
func (j *judgement) certificateNames(c *facts.Certificate) facts.Result {
	missing := c.Missing
	if j.Site.Preflight.DNS != nil {
		named := x509.Certificate{DNSNames: c.Names}
		missing = slices.DeleteFunc(j.Site.DNSNames(), func(name string) bool { return named.VerifyHostname(name) == nil })
	}
	if len(missing) > 0 {
		return facts.Result{Outcome: facts.Failed, Detail: facts.Cut("does not name " + strings.Join(missing, ", "))}
	}
	return facts.Result{Outcome: facts.OK}
}

func (j *judgement) certificateKey(o facts.Observation, c *facts.Certificate) {
	const check = "site.certificate-key"
	result := facts.Result{Outcome: facts.OK, Detail: c.Key}
	switch {
	case c.Pair != nil && c.Pair.Outcome != facts.OK:
		result = *c.Pair
	case c.Bits > 0:
		result.Detail = fmt.Sprintf("RSA, %d bits", c.Bits)
	case c.Curve != "":
		result.Detail = "ECDSA, " + c.Curve
	}
	f := attempt(o, result)
	if f.outcome == Pass && c.Bits > 0 {
		least := j.limit(check, "rsaBits")
		f.outcome, f.unit = passIf(float64(c.Bits) >= least, Fail), "bits"
		f.observed, f.required = strconv.Itoa(c.Bits), "≥ "+trim(least)
	}
	j.add(check, f)
}

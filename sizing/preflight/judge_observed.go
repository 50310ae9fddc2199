package preflight

import (
	"crypto/x509"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/islandbundle/island/internal/words/message"
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
			j.add(check, attempt(o, o.Outcome, o.Detail))
		}
	}
	j.unseen()
	if j.Site.Push != "" && !j.Site.Internet {
		f := found{object: names("push"), observed: names(string(j.Site.Push)), required: names(string(site.PushNone))}
		f.outcome, f.method = passIf(j.Site.Push == site.PushNone, Fail), message.Of("facts.method.site-document", nil)
		j.add("site.push", f)
	}
}

// attempt says how an attempt to look at something ended.
func attempt(o facts.Observation, outcome facts.Outcome, detail message.Text) found {
	f := found{object: objectOf(o), observed: outcome.Text(), method: o.Method}
	if o.Found != "" {
		f.observed = names(o.Found)
	}
	switch outcome {
	case facts.OK:
		f.outcome, f.subject, f.message = Pass, f.object, detail
		if detail.IsZero() {
			f.message = outcome.Text()
		}
	case facts.Moot:
		f.outcome, f.message = Skipped, message.Of("preflight.finding.untried", args{"what": f.object, "why": detail})
	case facts.Unmade:
		f.outcome, f.remedy = Error, measureAgain()
		f.message = message.Of("preflight.finding.unmeasured-thing", args{"what": f.object, "why": detail})
	default:
		f.outcome, f.subject, f.message = Fail, f.object, ended(outcome, detail)
	}
	return f
}

// objectOf names what was looked at.
func objectOf(o facts.Observation) message.Text {
	if o.Subject == facts.SubjectRoute {
		return message.Of("facts.seen.admin-route", nil)
	}
	return names(o.Object)
}

// offset judges a time server by how far the admin host's clock is from it.
func (j *judgement) offset(check string, o facts.Observation) {
	warn, fail := j.limit(check, "warn"), j.limit(check, "fail")
	f := attempt(o, o.Outcome, o.Detail)
	f.observed, f.unit, f.required = message.Of("preflight.value.offset", args{"n": *o.Offset}), unit("s"), atMost(warn)
	f.outcome = graded(math.Abs(*o.Offset), warn, fail)
	j.add(check, f)
}

// certificate judges the site's certificate in four ways.
func (j *judgement) certificate(o facts.Observation) {
	c := o.Certificate
	j.certificateDates(o, c)
	j.certificateNames(o, c)
	j.add("site.certificate-chain", attempt(o, c.Chain.Outcome, c.Chain.Detail))
	j.certificateKey(o, c)
}

// certificateDates judges by the clock when the survey began, so that the same
// survey is judged alike whenever that is.
func (j *judgement) certificateDates(o facts.Observation, c *facts.Certificate) {
	const check = "site.certificate-dates"
	at := j.Survey.Started
	outcome, detail := facts.OK, message.Of("facts.seen.valid-until", args{"day": day(c.NotAfter)})
	switch {
	case at.After(c.NotAfter):
		outcome, detail = facts.Failed, message.Of("facts.seen.expired", args{"day": day(c.NotAfter)})
	case at.Before(c.NotBefore):
		outcome, detail = facts.Failed, message.Of("facts.seen.not-yet", args{"day": day(c.NotBefore)})
	}
	f := attempt(o, outcome, detail)
	days := int(c.NotAfter.Sub(at).Hours() / 24)
	f.observed, f.unit = Number(days), unit("days")
	if f.outcome == Pass {
		warn := j.limit(check, "warn")
		f.outcome, f.required = passIf(float64(days) >= warn, Warn), atLeast(warn)
	}
	j.add(check, f)
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// certificateNames compares a certificate with the names of the site document;
// where that has none, or not all of the certificate's were saved, those count that
// were missing when the certificate was read.
func (j *judgement) certificateNames(o facts.Observation, c *facts.Certificate) {
	missing := c.Missing
	if j.Site.Preflight.DNS != nil && c.HasAllNames() {
		named := x509.Certificate{DNSNames: c.Names}
		missing = slices.DeleteFunc(j.Site.DNSNames(), func(name string) bool { return named.VerifyHostname(name) == nil })
	}
	f := attempt(o, facts.OK, message.Text{})
	if len(missing) > 0 {
		f = attempt(o, facts.Failed, message.Of("facts.seen.not-named", args{"names": facts.Cut(strings.Join(missing, ", "))}))
	}
	if len(c.Names) > 0 {
		f.observed = names(c.Names...)
	}
	j.add("site.certificate-names", f)
}

func (j *judgement) certificateKey(o facts.Observation, c *facts.Certificate) {
	const check = "site.certificate-key"
	outcome, detail := facts.OK, names(c.Key)
	switch {
	case c.Pair != nil && c.Pair.Outcome != facts.OK:
		outcome, detail = c.Pair.Outcome, c.Pair.Detail
	case c.Bits > 0:
		detail = message.Of("facts.seen.rsa", args{"bits": c.Bits})
	case c.Curve != "":
		detail = names("ECDSA", c.Curve)
	}
	f := attempt(o, outcome, detail)
	if f.outcome == Pass && c.Bits > 0 {
		least := j.limit(check, "rsaBits")
		f.outcome, f.unit = passIf(float64(c.Bits) >= least, Fail), unit("bits")
		f.observed, f.required = Number(c.Bits), atLeast(least)
	}
	j.add(check, f)
}

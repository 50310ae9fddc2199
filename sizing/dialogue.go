package sizing

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/manifests/fault"
)

// Limits on a dialogue: of one answer, and of the times that a question is put.
const (
	maxAnswer = 4096
	maxTries  = 5
)

// AskSite asks for what a site cannot do without, in the language given, and
// puts the answers into it. What the site has already is not asked. An answer
// that is wrong is asked for again, a few times.
func AskSite(ctx context.Context, in io.Reader, out io.Writer, l page.Lang, site *site.Site) error {
	d := &dialogue{ctx: ctx, in: bufio.NewReader(io.LimitReader(in, 64*maxAnswer)), out: out, lang: l}
	for _, q := range d.questions(site) {
		if !q.open {
			continue
		}
		if err := d.ask(q); err != nil {
			return err
		}
	}
	return nil
}

type dialogue struct {
	ctx  context.Context
	in   *bufio.Reader
	out  io.Writer
	lang page.Lang
}

// question is one thing to ask. An empty answer takes the default.
type question struct {
	open     bool // whether it still has to be asked
	text     string
	fallback string
	take     func(answer string) error
}

func (d *dialogue) questions(s *site.Site) []question {
	l := d.lang
	return []question{
		{s.Name == "", l.T("Name of the site", "Name des Standorts"), "", func(a string) error {
			s.Name = a
			return wantText(l, a)
		}},
		{s.Scenario == "", l.T("Scenario", "Szenario") + "\n" + d.scenarios(), string(DefaultScenario), func(a string) error { return takeScenario(l, s, a) }},
		{s.Users == 0, l.T("Messaging users, in all", "Nachrichten-Nutzer, insgesamt"), "", func(a string) error { return takeNumber(l, a, 1, site.MaxUsers, &s.Users) }},
		{s.Conferences == nil, l.T("Conferences at peak, as count x participants, such as 10x8,2x50; or none", "Konferenzen zur Spitzenzeit als Anzahl x Teilnehmer, etwa 10x8,2x50; oder none"), "none", func(a string) (err error) {
			s.Conferences, err = site.ParseConferences(a)
			return err
		}},
		{s.ServerCount == 0 && len(s.Servers) == 0, l.T("Physical servers", "Physische Server"), "3", func(a string) error {
			var count int64
			err := takeNumber(l, a, 1, site.MaxServers, &count)
			s.ServerCount = int(count)
			return err
		}},
		{s.Mail == "", l.T("Mail: external or bundled", "E-Mail: external oder bundled"), string(site.MailExternal), func(a string) error {
			s.Mail = site.Mail(a)
			if s.Mail != site.MailExternal && s.Mail != site.MailBundled {
				return errors.New(l.T("known: external, bundled", "bekannt: external, bundled"))
			}
			return nil
		}},
	}
}

func (d *dialogue) scenarios() string {
	var b strings.Builder
	for i, s := range Scenarios() {
		fmt.Fprintf(&b, "  %d  %-26s %s + %s\n", i+1, s.ID, d.lang.Of(s.App), d.lang.Of(s.Backend))
	}
	return strings.TrimSuffix(b.String(), "\n") + "\n  "
}

func wantText(l page.Lang, a string) error {
	if a == "" || len(a) > site.MaxName {
		return errors.New(l.T("a name is wanted", "ein Name wird benötigt"))
	}
	return nil
}

// takeScenario takes an id or its number in the list.
func takeScenario(l page.Lang, s *site.Site, a string) error {
	for i, known := range Scenarios() {
		if a == string(known.ID) || a == strconv.Itoa(i+1) {
			s.Scenario = known.ID
			return nil
		}
	}
	return fmt.Errorf("%s: %s", l.T("known", "bekannt"), site.Joined(scenarioIDs()))
}

func takeNumber(l page.Lang, a string, least, most int64, into *int64) error {
	number, err := strconv.ParseInt(a, 10, 64)
	if err != nil || number < least || number > most {
		return errors.New(l.F("a whole number between %s and %s is wanted", "eine ganze Zahl zwischen %s und %s wird benötigt", l.Int(least), l.Int(most)))
	}
	*into = number
	return nil
}

// ask puts a question until its answer can be taken.
func (d *dialogue) ask(q question) error {
	for range maxTries {
		prompt := q.text
		if q.fallback != "" {
			prompt += " [" + q.fallback + "]"
		}
		fmt.Fprint(d.out, prompt+": ")
		answer, err := d.in.ReadString('\n')
		if d.ctx.Err() != nil {
			return d.ctx.Err()
		}
		answer = strings.TrimSpace(answer)
		if err != nil && answer == "" {
			return fault.New(fault.Usage, fault.Here, "", "give the site with --site or by flags", "no answer to %q", firstLine(q.text))
		}
		if answer == "" {
			answer = q.fallback
		}
		flaw := q.take(answer)
		if flaw == nil {
			return nil
		}
		fmt.Fprintf(d.out, "  %v\n", flaw)
	}
	return fault.New(fault.Usage, fault.Here, "", "give the site with --site or by flags", "%d answers to %q could not be taken", maxTries, firstLine(q.text))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

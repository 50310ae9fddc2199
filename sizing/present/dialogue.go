package present

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/site"
)

// Limits on a dialogue: of one answer, and of the times that a question is put.
const (
	maxAnswer = 4096
	maxTries  = 5
)

// AskSite asks for what a site cannot do without, in the language given, and
// puts the answers into it. What the site has already is not asked. An answer
// that is wrong is asked for again, a few times.
func AskSite(ctx context.Context, in io.Reader, out io.Writer, lang *words.Language, site *site.Site) error {
	d := &dialogue{teller: teller{lang}, ctx: ctx, in: bufio.NewReader(io.LimitReader(in, 64*maxAnswer)), out: out}
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
	teller
	ctx context.Context
	in  *bufio.Reader
	out io.Writer
}

// question is one thing to ask. An empty answer takes the default.
type question struct {
	open     bool // whether it still has to be asked
	text     string
	fallback string
	take     func(answer string) error
}

func (d *dialogue) questions(s *site.Site) []question {
	none := site.Conferences(nil).String()
	return []question{
		{s.Name == "", d.Word("dialogue.name"), "", func(a string) error {
			s.Name = a
			return d.wantText(a)
		}},
		{s.Scenario == "", d.Word("dialogue.scenario") + "\n" + d.scenarios(), string(sizing.DefaultScenario), func(a string) error {
			return d.takeScenario(s, a)
		}},
		{s.Users == 0, d.Word("dialogue.users"), "", func(a string) error { return d.takeNumber(a, 1, site.MaxUsers, &s.Users) }},
		{s.Conferences == nil, d.Word("dialogue.conferences"), none, func(a string) error { return d.takeConferences(a, s) }},
		{s.ServerCount == 0 && len(s.Servers) == 0, d.Word("dialogue.servers"), "3", func(a string) error {
			var count int64
			err := d.takeNumber(a, 1, site.MaxServers, &count)
			s.ServerCount = int(count)
			return err
		}},
		{s.Mail == "", d.Word("dialogue.mail"), string(site.MailExternal), func(a string) error {
			s.Mail = site.Mail(site.Keyword(a))
			if s.Mail != site.MailExternal && s.Mail != site.MailBundled {
				return d.wantKnown(string(site.MailExternal), string(site.MailBundled))
			}
			return nil
		}},
	}
}

func (d *dialogue) scenarios() string {
	var b strings.Builder
	for i, s := range sizing.Scenarios() {
		fmt.Fprintf(&b, "  %d  %-26s %s + %s\n", i+1, s.ID, d.Text(s.App()), d.Text(s.Backend()))
	}
	return strings.TrimSuffix(b.String(), "\n") + "\n  "
}

func (d *dialogue) wantText(a string) error {
	if a == "" || len(a) > site.MaxName {
		return errors.New(d.Word("dialogue.want.name"))
	}
	return nil
}

func (d *dialogue) wantKnown(known ...string) error {
	return errors.New(d.Say("dialogue.want.known", "known", strings.Join(known, ", ")))
}

// takeScenario takes an id or its number in the list.
func (d *dialogue) takeScenario(s *site.Site, a string) error {
	var ids []string
	for i, known := range sizing.Scenarios() {
		if a == string(known.ID) || a == strconv.Itoa(i+1) {
			s.Scenario = known.ID
			return nil
		}
		ids = append(ids, string(known.ID))
	}
	return d.wantKnown(ids...)
}

func (d *dialogue) takeNumber(a string, least, most int64, into *int64) error {
	number, err := site.ParseCount(a)
	if err != nil || number < least || number > most {
		return errors.New(d.say("dialogue.want.number", args{"least": least, "most": most}))
	}
	*into = number
	return nil
}

// takeConferences takes a distribution, or a word of the language for none.
func (d *dialogue) takeConferences(a string, s *site.Site) error {
	if strings.EqualFold(a, d.Word("dialogue.none")) {
		s.Conferences = site.Conferences{}
		return nil
	}
	parsed, err := site.ParseConferences(a)
	if err != nil {
		return errors.New(d.say("dialogue.want.conferences", args{"conferences": site.MaxConferences, "participants": site.MaxParticipants}))
	}
	s.Conferences = parsed
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
	return fault.New(fault.Usage, fault.Here, "", "give the site with --site or by flags",
		"%d answers to %q could not be taken", maxTries, firstLine(q.text))
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

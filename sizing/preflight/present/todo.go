package present

import (
	"cmp"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight"
)

// task is a check that did not pass: what to do, and where.
type task struct {
	ID, Title, Why, Do string
	Worst              preflight.Outcome
	Steps              []step
	Methods, Sources   []string
}

// step is one place of a task, to be ticked off.
type step struct {
	Where, Object string
	Message       string
	Outcome       preflight.Outcome
	Amounts       []page.Pair // observed, required, tolerance
	Waived        string      // why it was let pass
}

// tasks returns what is to be done, each thing once with all its places, and
// apart from it what was let pass by name. Both are worst first.
func tasks(r *preflight.Verdict, l *words.Language) (todo, waived []task) {
	for _, f := range r.Bad() {
		list := &todo
		if f.Waived != "" {
			list = &waived
		}
		i := slices.IndexFunc(*list, func(t task) bool { return t.ID == f.ID })
		if i < 0 {
			i = len(*list)
			*list = append(*list, newTask(f, l))
		}
		(*list)[i].add(r, f, l)
	}
	return todo, waived
}

func newTask(f preflight.Finding, l *words.Language) task {
	t := task{ID: f.ID, Title: l.Text(f.Heading()), Do: l.Text(f.Remedy), Worst: f.Outcome}
	if why := "preflight.check." + f.ID + ".why"; l.Has(why) {
		t.Why = l.Word(why)
	}
	return t
}

// checkTitle is what a check looks at; of one that nobody knows, its id.
func checkTitle(id string, l *words.Language) string {
	return l.Text(message.Text{Code: "preflight.check." + id + ".title", Words: id})
}

// add takes in a finding. Its subject, the title or the place, stands above it
// already.
func (t *task) add(r *preflight.Verdict, f preflight.Finding, l *words.Language) {
	s := step{Where: where(r, f, l), Object: l.Text(f.Object), Outcome: f.Outcome, Message: l.Text(f.Message), Waived: f.Waived}
	amount := func(code string, value, unit message.Text) {
		if !value.IsZero() && !preflight.IsTruth(value) {
			s.Amounts = append(s.Amounts, page.Pair{Name: l.Word(code), Value: strings.TrimSpace(l.Unit(l.Text(value), l.Text(unit)))})
		}
	}
	amount("preflight.page.observed", f.Observed, f.Unit)
	amount("preflight.page.required", f.Required, f.Unit)
	amount("preflight.page.tolerance", f.Tolerance, message.Text{})
	t.Steps = append(t.Steps, s)
	t.Methods = withWords(t.Methods, l.Text(f.Method))
	t.Sources = withWords(t.Sources, l.Text(f.Source))
}

// where names the place of a finding: a host, else a thing, else a role.
func where(r *preflight.Verdict, f preflight.Finding, l *words.Language) string {
	role := ""
	if len(f.Roles) > 0 {
		role = roleTitle(r, f.Roles, l)
	}
	return cmp.Or(f.Host, l.Text(f.Object), role)
}

// withWords adds the words that a list has not yet.
func withWords(list []string, more ...string) []string {
	for _, word := range more {
		if word != "" && !slices.Contains(list, word) {
			list = append(list, word)
		}
	}
	return list
}

// skip is a reason for which checks were skipped, with all that it holds for.
type skip struct {
	Why           string
	Checks, Hosts []string
}

// isPort tells of a finding that the table of ports holds already.
func isPort(f preflight.Finding) bool {
	return !f.Object.IsZero() && slices.Contains([]string{"link.tcp", "link.udp", "port.in-use"}, f.ID)
}

func skips(r *preflight.Verdict, l *words.Language) []skip {
	var list []skip
	for _, f := range r.Findings {
		if f.Outcome != preflight.Skipped || isPort(f) {
			continue
		}
		why := l.Text(f.Sentence())
		i := slices.IndexFunc(list, func(s skip) bool { return s.Why == why })
		if i < 0 {
			i = len(list)
			list = append(list, skip{Why: why})
		}
		list[i].Checks = withWords(list[i].Checks, checkTitle(f.ID, l))
		list[i].Hosts = withWords(list[i].Hosts, where(r, f, l))
	}
	for i := range list {
		missing := func(host preflight.HostSummary) bool { return !slices.Contains(list[i].Hosts, host.Name) }
		if len(r.Hosts) > 1 && !slices.ContainsFunc(r.Hosts, missing) {
			list[i].Hosts = []string{l.Word("preflight.page.all-hosts")}
		}
	}
	return list
}

package present

import (
	"cmp"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/page"
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
func tasks(r *preflight.Report, checks *preflight.Checks, lang page.Lang) (todo, waived []task) {
	for _, f := range r.Bad() {
		list := &todo
		if f.Waived != "" {
			list = &waived
		}
		i := slices.IndexFunc(*list, func(t task) bool { return t.ID == f.ID })
		if i < 0 {
			i = len(*list)
			*list = append(*list, newTask(f, checks, lang))
		}
		(*list)[i].add(f, lang)
	}
	return todo, waived
}

func newTask(f preflight.Finding, checks *preflight.Checks, lang page.Lang) task {
	t := task{ID: f.ID, Title: checkTitle(checks, f.ID, lang), Do: lang.Of(f.Remedy), Worst: f.Outcome}
	if check := checks.Check(f.ID); check != nil {
		t.Why = lang.Of(check.Why)
	}
	return t
}

func checkTitle(checks *preflight.Checks, id string, lang page.Lang) string {
	if check := checks.Check(id); check != nil {
		return lang.Of(check.Title)
	}
	return id
}

func (t *task) add(f preflight.Finding, lang page.Lang) {
	s := step{Where: where(f, lang), Object: phrase(f.Object, lang), Outcome: f.Outcome, Message: lang.Of(f.Message), Waived: f.Waived}
	// The title stands above the message already, and the place before it.
	for _, said := range []string{t.Title, s.Where} {
		s.Message = strings.TrimPrefix(s.Message, said+": ")
	}
	amount := func(name, value, unit string) {
		if value != "" {
			s.Amounts = append(s.Amounts, page.Pair{Name: name, Value: strings.TrimSpace(phrase(value, lang) + page.NoBreak + phrase(unit, lang))})
		}
	}
	amount(lang.T("observed", "gemessen"), f.Observed, f.Unit)
	amount(lang.T("required", "verlangt"), f.Required, f.Unit)
	amount(lang.T("tolerance", "Toleranz"), f.Tolerance, "")
	t.Steps = append(t.Steps, s)
	t.Methods = withWords(t.Methods, phrase(f.Method, lang))
	t.Sources = withWords(t.Sources, sourceText(f.Source, lang))
}

// where names the place of a finding: a host, else a thing, else a role.
func where(f preflight.Finding, lang page.Lang) string {
	role := ""
	if f.Role != "" {
		role = roleTitle(strings.Split(f.Role, ", "), lang)
	}
	return cmp.Or(f.Host, f.Object, role)
}

func phrase(s string, lang page.Lang) string { return lang.Of(preflight.Phrase(s)) }

// withWords adds the words that a list has not yet.
func withWords(list []string, words ...string) []string {
	for _, word := range words {
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
	return f.Object != "" && slices.Contains([]string{"link.tcp", "link.udp", "port.in-use"}, f.ID)
}

func skips(r *preflight.Report, checks *preflight.Checks, lang page.Lang) []skip {
	var list []skip
	for _, f := range r.Findings {
		if f.Outcome != preflight.Skipped || isPort(f) {
			continue
		}
		why := lang.Of(f.Message)
		i := slices.IndexFunc(list, func(s skip) bool { return s.Why == why })
		if i < 0 {
			i = len(list)
			list = append(list, skip{Why: why})
		}
		list[i].Checks = withWords(list[i].Checks, checkTitle(checks, f.ID, lang))
		list[i].Hosts = withWords(list[i].Hosts, where(f, lang))
	}
	for i := range list {
		missing := func(host preflight.HostSummary) bool { return !slices.Contains(list[i].Hosts, host.Name) }
		if len(r.Hosts) > 1 && !slices.ContainsFunc(r.Hosts, missing) {
			list[i].Hosts = []string{lang.T("all hosts", "alle Hosts")}
		}
	}
	return list
}

package present

import (
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// outcomes are all outcomes, worst first.
var outcomes = []preflight.Outcome{preflight.Fail, preflight.Error, preflight.Warn, preflight.Skipped, preflight.Pass}

// outcomeWord is the word for an outcome.
func outcomeWord(l *words.Language, o preflight.Outcome) string {
	return l.Word("preflight.outcome." + string(o))
}

// badge names the style sheet's class of an outcome, which brings its sign.
func badge(o preflight.Outcome) string {
	switch o {
	case preflight.Pass:
		return "ok"
	case preflight.Skipped:
		return "note"
	case preflight.Warn:
		return "warn"
	case preflight.Error:
		return "ask"
	}
	return "fail"
}

// A mark is how an outcome of dialling stands in the matrix: by a letter of its
// own, since colour alone says nothing to those who do not see it or print grey.
type mark struct {
	outcome    facts.Outcome
	cell, text string // classes of the style sheet
}

var reached = mark{facts.Reached, "reached", "reached-mark"}

// marks are those of what went wrong, worst first. Any other outcome has failed.
var marks = []mark{
	{facts.WrongHost, "vm r5", "vm-label"},
	{facts.Refused, "vm r6", "vm-label"},
	{facts.TimedOut, "vm r3", "vm-label"},
	{facts.Down, "vm r8", "vm-label"},
	{facts.InUse, "vm r2", "vm-label"},
	{facts.Failed, "vm r6", "vm-label"},
	{facts.Unmade, "spare", "soft-label"},
}

func (m mark) letter(l *words.Language) string {
	return l.Word("preflight.mark." + string(m.outcome) + ".letter")
}
func (m mark) means(l *words.Language) string {
	return l.Word("preflight.mark." + string(m.outcome) + ".means")
}

// markOf returns the mark of an outcome by its place among all.
func markOf(o facts.Outcome) int {
	at := func(o facts.Outcome) int {
		return slices.IndexFunc(marks, func(m mark) bool { return m.outcome == o })
	}
	if i := at(o); i >= 0 {
		return i
	}
	return at(facts.Failed)
}

// roleTitle is what a report calls roles, by their ids.
func roleTitle(r *preflight.Verdict, roles []string, l *words.Language) string {
	if len(roles) == 0 {
		return l.Word("preflight.page.no-role")
	}
	var titles []string
	for _, role := range roles {
		titles = append(titles, l.Text(r.RoleName(role)))
	}
	return strings.Join(titles, ", ")
}

package preflight

import (
	"slices"
	"strings"
	"time"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// Outcome is how a check ended.
type Outcome string

// The outcomes, from the best to the worst.
const (
	Pass    Outcome = "pass"
	Skipped Outcome = "skipped" // could not apply, or cannot be known; Message says why
	Warn    Outcome = "warn"
	Error   Outcome = "error" // could not be measured
	Fail    Outcome = "fail"
)

func (o Outcome) rank() int {
	return map[Outcome]int{Pass: 0, Skipped: 1, Warn: 2, Error: 3, Fail: 4}[o]
}

// Finding is what one check says of one host, or of the site.
type Finding struct {
	ID        string // stable: docs/preflight.md explains each
	Host      string
	Roles     []string     // of the host, or those that the check is about
	Object    message.Text // a path, a port, a name
	Outcome   Outcome
	Observed  message.Text
	Required  message.Text
	Unit      message.Text
	Tolerance message.Text
	// Subject is what the message speaks of, where that is no sentence of its own:
	// the check, or the object. A page that has said it leaves it out.
	Subject message.Text
	Message message.Text
	Method  message.Text
	Source  message.Text // where the requirement stands
	Remedy  message.Text
	Waived  string // the reason that was given for letting it pass as a warning
}

// Sentence returns the message with its subject.
func (f Finding) Sentence() message.Text {
	if f.Subject.IsZero() {
		return f.Message
	}
	return message.Of("preflight.finding.of", message.Args{"of": f.Subject, "what": f.Message})
}

// Heading returns what a finding is headed by: the state that was found. Where none
// was, it is what the check looks at.
func (f Finding) Heading() message.Text {
	state := "title"
	switch {
	case f.Outcome == Pass:
		state = "good"
	case f.Outcome == Fail, f.Outcome == Warn, strings.HasPrefix(f.ID, "reach."): // not to be reached is a state, too
		state = "bad"
	}
	return message.Text{Code: "preflight.check." + f.ID + "." + state, Words: f.ID}
}

// Verdict is all findings of one judgement, in no language.
type Verdict struct {
	Tool     string
	Site     string
	Taken    time.Time // when the survey began
	Table    string
	Counts   map[Outcome]int
	Hosts    []HostSummary
	Findings []Finding // worst first
	Links    []LinkSummary

	RoleNames map[string]message.Text // what the table calls roles, by their ids
}

// RoleName returns what a role is called: by the table, or where that has no figures
// for it, by the catalogues.
func (r *Verdict) RoleName(role string) message.Text {
	if name, ok := r.RoleNames[role]; ok {
		return name
	}
	return message.Text{Code: "role." + role, Words: role}
}

// HostSummary is one host at a glance.
type HostSummary struct {
	Name     string
	Address  string
	Server   string
	Roles    []string
	Worst    Outcome
	Measured bool    // there are facts of it
	Cores    float64 // usable ones
	Memory   int64   // bytes
	Took     float64 // seconds to collect from it
}

// LinkSummary is a cell of the matrix: one host to another.
type LinkSummary struct {
	From  string
	To    string
	Tried int
	OK    int
	Bad   []BadLink
}

// BadLink is a port that was not reached, or not tried.
type BadLink struct {
	Protocol string
	Port     int
	Purpose  message.Text // what the first row of the table that wants it says
	Outcome  facts.Outcome
	Detail   message.Text
}

// Worst returns the worst outcome of all findings.
func (r *Verdict) Worst() Outcome {
	worst := Pass
	for _, f := range r.Findings {
		if f.Outcome.rank() > worst.rank() {
			worst = f.Outcome
		}
	}
	return worst
}

// Waived counts the warnings that were let pass by name.
func (r *Verdict) Waived() int {
	count := 0
	for _, f := range r.Findings {
		if f.Waived != "" {
			count++
		}
	}
	return count
}

// Idle returns the waivers that let nothing pass: what they name is well, or is not
// there, as when a name is mistyped.
func (r *Verdict) Idle(waivers []site.Waiver) []site.Waiver {
	return slices.DeleteFunc(slices.Clone(waivers), func(w site.Waiver) bool {
		return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Waived != "" && w.Covers(f.ID, f.Host) })
	})
}

// Bad returns the findings that are neither pass nor skipped, worst first.
func (r *Verdict) Bad() []Finding {
	var bad []Finding
	for _, f := range r.Findings {
		if f.Outcome.rank() >= Warn.rank() {
			bad = append(bad, f)
		}
	}
	return bad
}

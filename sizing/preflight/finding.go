package preflight

import (
	"slices"

	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/sizing/preflight/facts"
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
	ID        string    `json:"id"` // stable: docs/preflight.md explains each
	Host      string    `json:"host,omitempty"`
	Role      string    `json:"role,omitempty"`
	Object    string    `json:"object,omitempty"` // a path, a port, a name
	Outcome   Outcome   `json:"outcome"`
	Observed  string    `json:"observed,omitempty"`
	Required  string    `json:"required,omitempty"`
	Unit      string    `json:"unit,omitempty"`
	Tolerance string    `json:"tolerance,omitempty"`
	Message   page.Text `json:"message"`
	Method    string    `json:"method,omitempty"`
	Source    string    `json:"source"` // where the requirement stands
	Remedy    page.Text `json:"remedy"`
	Waived    string    `json:"waived,omitempty"` // the reason that was given for letting it pass as a warning
}

// Report is all findings of one judgement.
type Report struct {
	APIVersion string          `json:"apiVersion"` // island/v1
	Kind       string          `json:"kind"`       // PreflightReport
	Tool       string          `json:"tool,omitempty"`
	Site       string          `json:"site,omitempty"`
	Taken      string          `json:"taken"` // when the survey began, RFC 3339
	Table      string          `json:"table"`
	Counts     map[Outcome]int `json:"counts"`
	Hosts      []HostSummary   `json:"hosts"`
	Findings   []Finding       `json:"findings"` // worst first
	Links      []LinkSummary   `json:"links"`
}

// HostSummary is one host at a glance.
type HostSummary struct {
	Name    string   `json:"name"`
	Address string   `json:"address,omitempty"`
	Server  string   `json:"server,omitempty"`
	Roles   []string `json:"roles"`
	Worst   Outcome  `json:"worst"`
	Cores   string   `json:"cores,omitempty"`
	Memory  int64    `json:"memory,omitempty"` // bytes
	Took    float64  `json:"took"`             // seconds to collect from it
}

// LinkSummary is a cell of the matrix: one host to another.
type LinkSummary struct {
	From  string    `json:"from"`
	To    string    `json:"to"`
	Tried int       `json:"tried"`
	OK    int       `json:"ok"`
	Bad   []BadLink `json:"bad,omitempty"`
}

// BadLink is a port that was not reached, or not tried.
type BadLink struct {
	Protocol string        `json:"protocol"`
	Port     int           `json:"port"`
	Purpose  page.Text     `json:"purpose"` // what the first row of the table that wants it says
	Outcome  facts.Outcome `json:"outcome"`
	Detail   string        `json:"detail,omitempty"`
}

// Worst returns the worst outcome of all findings.
func (r *Report) Worst() Outcome {
	worst := Pass
	for _, f := range r.Findings {
		if f.Outcome.rank() > worst.rank() {
			worst = f.Outcome
		}
	}
	return worst
}

// Waived counts the warnings that were let pass by name.
func (r *Report) Waived() int {
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
func (r *Report) Idle(waivers []site.Waiver) []site.Waiver {
	return slices.DeleteFunc(slices.Clone(waivers), func(w site.Waiver) bool {
		return slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Waived != "" && w.Covers(f.ID, f.Host) })
	})
}

// Bad returns the findings that are neither pass nor skipped, worst first.
func (r *Report) Bad() []Finding {
	var bad []Finding
	for _, f := range r.Findings {
		if f.Outcome.rank() >= Warn.rank() {
			bad = append(bad, f)
		}
	}
	return bad
}

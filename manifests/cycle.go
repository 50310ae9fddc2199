package manifests

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// cycleMonths is how long after a release the next is due: update packages
// come every six months (Wire's customer guide, "Backend Installation").
const cycleMonths = 6

// Support is the time in which a release is supported. The zero value says
// nothing about it.
type Support struct {
	From  Date `yaml:"from,omitempty" json:"from,omitzero"`
	Until Date `yaml:"until,omitempty" json:"until,omitzero"` // the last day
}

// IsZero reports whether no support window is given.
func (s Support) IsZero() bool { return s == Support{} }

func (c *checker) support() {
	s := c.release.Metadata.Support
	c.want(s.From.IsZero() || s.Until.IsZero() || s.Until.Time().After(s.From.Time()), "metadata.support.until", "",
		"support ends on %s, which is not after its first day %s", s.Until, s.From)
}

// addMonths returns the day some months later; the month's last day where it has
// fewer days.
func (d Date) addMonths(months int) Date {
	year, month, day := d.day.Date()
	last := time.Date(year, month+time.Month(months)+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return Date{time.Date(year, month+time.Month(months), min(day, last), 0, 0, 0, 0, time.UTC)}
}

// daysUntil returns how many days later another day is; negative if earlier.
func (d Date) daysUntil(other Date) int { return int(other.day.Sub(d.day).Hours() / 24) }

// cycleOf returns the half-year that a day is in, such as 2026-H1.
func cycleOf(d Date) string {
	half := 1
	if d.day.Month() > time.June {
		half = 2
	}
	return fmt.Sprintf("%04d-H%d", d.day.Year(), half)
}

var cycleName = regexp.MustCompile(`^(\d{4})-H([12])$`)

// nextCycle returns the cycle after one, such as 2026-H2 after 2026-H1; empty if
// the name is not of that form.
func nextCycle(cycle string) string {
	parts := cycleName.FindStringSubmatch(cycle)
	if parts == nil {
		return ""
	}
	if parts[2] == "1" {
		return parts[1] + "-H2"
	}
	year, _ := strconv.Atoi(parts[1])
	return fmt.Sprintf("%04d-H1", year+1)
}

// Status says where a release stands on a day.
type Status struct {
	Release      string       `json:"release"`
	Version      string       `json:"version"`
	Sequence     Sequence     `json:"sequence"`
	Cycle        string       `json:"cycle"`
	Date         Date         `json:"date"`
	Today        Date         `json:"today"`
	NextCycle    string       `json:"nextCycle"`
	NextDue      Date         `json:"nextDue"`
	CycleOverdue bool         `json:"cycleOverdue"`
	Support      SupportState `json:"support"`
	SupportUntil Date         `json:"supportUntil,omitzero"`
	Expires      Date         `json:"expires,omitzero"`
	Expired      bool         `json:"expired"`
	Patches      []string     `json:"patches"` // those in it
	Lacks        []PatchState `json:"lacks"`   // those that are for it and not in it, in the order in which they would be laid
}

// SupportState says whether a release is supported.
type SupportState string

// The support states.
const (
	Supported      SupportState = "supported"
	SupportNotYet  SupportState = "not yet supported"
	SupportEnded   SupportState = "out of support"
	SupportUnknown SupportState = "not said"
)

// PatchState is a patch and how urgent it is on a day.
type PatchState struct {
	ID              string   `json:"id"`
	Date            Date     `json:"date"`
	AgeDays         int      `json:"ageDays"`
	Severity        Severity `json:"severity"`
	Score           float64  `json:"score"` // the highest CVSS score of its vulnerabilities, 0 if none has one
	Vulnerabilities []string `json:"vulnerabilities"`
	Deadline        Date     `json:"deadline,omitzero"`
	Overdue         bool     `json:"overdue"`
	Summary         Text     `json:"summary"`
}

// StateOn returns a patch as it stands on a day.
func (p *Patch) StateOn(today Date) PatchState {
	m := p.Metadata
	s := PatchState{
		ID: m.ID, Date: m.Date, AgeDays: m.Date.daysUntil(today), Severity: m.Severity, Deadline: m.Deadline,
		Overdue: !m.Deadline.IsZero() && today.Time().After(m.Deadline.Time()), Summary: m.Summary, Vulnerabilities: []string{},
	}
	for _, v := range m.Vulnerabilities {
		s.Vulnerabilities = append(s.Vulnerabilities, v.ID)
		s.Score = max(s.Score, v.CVSS.Score)
	}
	return s
}

// StatusOn returns where a release stands on a day, given the patches that it was
// made with and all that are known. Patches for other releases are passed over.
func StatusOn(r LockedRelease, has []LockedPatch, known []*Patch, today Date) (Status, error) {
	s := Status{
		Release: r.Name, Version: r.Version, Sequence: r.Sequence, Cycle: cmp.Or(r.Cycle, cycleOf(r.Date)), Date: r.Date, Today: today,
		NextDue: r.Date.addMonths(cycleMonths), Support: supportOn(r.Support, today), SupportUntil: r.Support.Until,
		Expires: r.Expires, Expired: !r.Expires.IsZero() && today.Time().After(r.Expires.Time()),
		Patches: []string{}, Lacks: []PatchState{},
	}
	s.NextCycle = cmp.Or(nextCycle(s.Cycle), cycleOf(s.NextDue))
	s.CycleOverdue = today.Time().After(s.NextDue.Time())
	fulfilled := map[string]bool{}
	for _, p := range has {
		s.Patches = append(s.Patches, p.ID)
		fulfilled[p.ID] = true
		for _, id := range p.Supersedes {
			fulfilled[id] = true
		}
	}
	var meant []*Patch
	for _, p := range known {
		if p.AppliesTo.For(r.Name, cmp.Or(r.BaseVersion, r.Version)) {
			meant = append(meant, p)
		}
	}
	ordered, _, err := orderPatches(meant)
	for _, p := range slices.DeleteFunc(ordered, func(p *Patch) bool { return fulfilled[p.ID()] }) {
		s.Lacks = append(s.Lacks, p.StateOn(today))
	}
	return s, err
}

func supportOn(s Support, today Date) SupportState {
	switch {
	case !s.Until.IsZero() && today.Time().After(s.Until.Time()):
		return SupportEnded
	case !s.From.IsZero() && today.Time().Before(s.From.Time()):
		return SupportNotYet
	case s.Until.IsZero():
		return SupportUnknown
	default:
		return Supported
	}
}

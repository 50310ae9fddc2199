package manifests

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests/fault"
)

// KindUpgrades is the kind of a document that holds upgrade steps alone.
const KindUpgrades = "Upgrades"

// Upgrades is everything known about how to get from one version to another.
type Upgrades struct {
	APIVersion string    `yaml:"apiVersion"`
	Kind       string    `yaml:"kind"`
	Steps      []Upgrade `yaml:"upgrades"`
	Skip       []Skip    `yaml:"skip,omitempty"`
}

// Upgrade is one step that can be taken, from any of some versions to one, and
// what it wants.
type Upgrade struct {
	From string `yaml:"from" json:"from"` // a semver range of what is installed, such as ">=5.28.0 <5.29.0"
	// To is the version that is installed; what is later in the same minor
	// series is reached by the same step.
	To         string   `yaml:"to" json:"to"`
	NotWhere   []string `yaml:"notWhere,omitempty" json:"notWhere,omitempty"`     // kinds of site that cannot take it; known is "federated"
	Kubernetes string   `yaml:"kubernetes,omitempty" json:"kubernetes,omitempty"` // a semver range of the site's Kubernetes
	Order      []string `yaml:"order,omitempty" json:"order,omitempty"`           // charts, in the order in which they are upgraded
	Steps      Text     `yaml:"steps,omitempty" json:"steps,omitzero"`            // what to do, before and after
	Source     string   `yaml:"source,omitempty" json:"source,omitempty"`         // where this is written
}

// Federated is the kind of a site that federates with others.
const Federated = "federated"

// SiteFacts are what the conditions of an upgrade are judged by. What is not known
// is told as a condition of the hop.
type SiteFacts struct {
	Federated  *bool  // nil if not known
	Kubernetes string // a version such as 1.29.10, empty if not known
}

// Hop is one step of an upgrade path.
type Hop struct {
	From       string   `json:"from"`
	To         string   `json:"to"`
	Conditions []string `json:"conditions"` // what could not be judged and has to be true
	Order      []string `json:"order,omitempty"`
	Steps      Text     `json:"steps,omitzero"`
	Source     string   `json:"source,omitempty"`
	Said       HopSaid  `json:"said,omitzero"`
}

// HopSaid has the codes and the arguments of what a hop says.
type HopSaid struct {
	Conditions []message.Text `json:"conditions,omitempty"` // in the order of the hop's
}

// IsZero reports whether a hop says nothing.
func (s HopSaid) IsZero() bool { return len(s.Conditions) == 0 }

// ReadUpgrades reads and checks an Upgrades document.
func ReadUpgrades(file string, data []byte) (*Upgrades, error) {
	var u Upgrades
	doc, err := decodeStrict(file, data, &u)
	if err != nil {
		return nil, err
	}
	if u.APIVersion != APIVersion || u.Kind != KindUpgrades {
		return nil, fault.At(doc.place("kind"), "", "wants a document of kind %s of %s, got %q of %q",
			KindUpgrades, APIVersion, u.Kind, u.APIVersion)
	}
	c := &checker{release: &Release{sources: documents{doc}}, flaws: &fault.Flaws{}}
	c.upgrades("upgrades", u.Steps)
	for i, skip := range u.Skip {
		c.skip(fmt.Sprintf("skip[%d]", i), skip)
	}
	return &u, c.flaws.Err()
}

func (c *checker) skip(field string, skip Skip) {
	_, err := semver.NewVersion(skip.Version)
	c.want(err == nil && skip.Reason != "", field, "such as 5.29.0, or 5.29 for the whole series",
		"a version to skip wants a semantic version and a reason")
}

func (c *checker) upgrades(field string, steps []Upgrade) {
	for i, u := range steps {
		at := fmt.Sprintf("%s[%d]", field, i)
		_, err := versionRange(u.From)
		c.want(err == nil, at+".from", "such as >=5.28.0 <5.29.0", "upgrade from: %v", err)
		_, err = semver.NewVersion(u.To)
		c.want(err == nil, at+".to", "such as 5.30.0", "upgrade to %.80q is not a version", u.To)
		if u.Kubernetes != "" {
			_, err = versionRange(u.Kubernetes)
			c.want(err == nil, at+".kubernetes", "such as >=1.27", "Kubernetes %v", err)
		}
		for j, kind := range u.NotWhere {
			c.want(kind == Federated, fmt.Sprintf("%s.notWhere[%d]", at, j), "known is "+Federated, "%.80q is not a known kind of site", kind)
		}
		c.text(at+".steps", u.Steps)
	}
}

// Path returns the hops from one version to another: the fewest that the site's
// facts allow, with what could not be judged as their conditions. Where there is
// no way the error says why: what is skipped, which condition does not hold, how
// far it would go.
func (u *Upgrades) Path(from, to string, site SiteFacts) ([]Hop, error) {
	start, goal, err := endpoints(from, to)
	if err != nil {
		return nil, err
	}
	if reason := u.skipped(goal); reason != "" {
		return nil, noPath(from, to, toBeSkipped(to, reason))
	}
	s := search{upgrades: u, site: site, goal: goal, start: start}
	if hops := s.run(); hops != nil {
		return hops, nil
	}
	return nil, noPath(from, to, s.why()...)
}

func endpoints(from, to string) (start, goal *semver.Version, err error) {
	if start, err = semver.NewVersion(from); err == nil {
		goal, err = semver.NewVersion(to)
	}
	switch {
	case err != nil:
		return nil, nil, noVersions(from, to, err)
	case !start.LessThan(goal):
		return nil, nil, noPath(from, to, message.Of("patches.upgrade.not-later", nil))
	}
	return start, goal, nil
}

func noPath(from, to string, reasons ...message.Text) error {
	why := message.Of("patches.upgrade.no-way", message.Args{"from": from, "to": to, "reasons": reasons})
	return &fault.Error{Kind: fault.Failure, Side: fault.Site, Err: worded{why}}
}

func noVersions(from, to string, err error) error {
	why := message.Of("patches.upgrade.no-versions",
		message.Args{"from": strconv.Quote(from), "to": strconv.Quote(to), "why": versionFlaw(err)})
	return &fault.Error{Kind: fault.Usage, Side: fault.Here, Err: worded{why}, Hint: "such as --from 5.28.0 --to 5.30.0"}
}

// worded is an error that whoever has another language says in it.
type worded struct{ text message.Text }

func (w worded) Error() string { return words.English().Text(w.text) }

func (w worded) Unwrap() error { return &message.Problem{Text: w.text} }

// versionFlaw says what is wrong with a version. What catalogues do not know stays
// in the library's words.
func versionFlaw(err error) message.Text {
	switch {
	case errors.Is(err, semver.ErrInvalidSemVer):
		return message.Of("patches.version.invalid", nil)
	case errors.Is(err, semver.ErrSegmentStartsZero):
		return message.Of("patches.version.zero", nil)
	case errors.Is(err, semver.ErrVersionTooLong):
		return message.Of("patches.version.too-long", message.Args{"limit": semver.MaxVersionLen})
	}
	return message.Plain(err.Error())
}

func toBeSkipped(version, reason string) message.Text {
	return message.Of("patches.upgrade.skipped", message.Args{"version": version, "reason": reason})
}

// skipped returns why a version is not to be stepped on; empty if it may be.
func (u *Upgrades) skipped(v *semver.Version) string {
	for _, skip := range u.Skip {
		s, err := semver.NewVersion(skip.Version)
		if err != nil {
			continue
		}
		series := strings.Count(skip.Version, ".") < 2 && s.Major() == v.Major() && s.Minor() == v.Minor()
		if series || s.Equal(v) {
			return skip.Reason
		}
	}
	return ""
}

// search looks for a path breadth first, so that the first found has the fewest hops.
type search struct {
	upgrades    *Upgrades
	site        SiteFacts
	start, goal *semver.Version
	blocked     []message.Text
	reached     []*semver.Version
}

type node struct {
	version *semver.Version
	hops    []Hop
}

func (s *search) run() []Hop {
	seen := map[string]bool{s.start.String(): true}
	for queue := []node{{version: s.start}}; len(queue) > 0; queue = queue[1:] {
		s.reached = append(s.reached, queue[0].version)
		var next []node
		for _, n := range s.from(queue[0]) {
			if n.version.Equal(s.goal) {
				return n.hops
			}
			if !seen[n.version.String()] {
				seen[n.version.String()] = true
				next = append(next, n)
			}
		}
		slices.SortStableFunc(next, func(a, b node) int { return b.version.Compare(a.version) })
		queue = append(queue, next...)
	}
	return nil
}

// from returns where one gets from a version in one hop, what has fewer
// conditions first.
func (s *search) from(at node) []node {
	var next []node
	for _, step := range s.upgrades.Steps {
		target := s.target(step)
		if target == nil || !at.version.LessThan(target) || !inRange(step.From, at.version) {
			continue
		}
		conditions, blocked := s.site.judge(step)
		if reason := s.upgrades.skipped(target); reason != "" {
			blocked = append(blocked, toBeSkipped(target.String(), reason))
		}
		if len(blocked) > 0 {
			s.blocked = append(s.blocked, message.Of("patches.upgrade.blocked",
				message.Args{"from": at.version.String(), "to": target.String(), "reasons": blocked}))
			continue
		}
		hop := Hop{
			From: at.version.Original(), To: target.Original(), Conditions: inEnglish(conditions),
			Order: step.Order, Steps: step.Steps, Source: step.Source, Said: HopSaid{conditions},
		}
		next = append(next, node{target, append(slices.Clone(at.hops), hop)})
	}
	slices.SortStableFunc(next, func(a, b node) int {
		return cmp.Compare(len(a.hops[len(a.hops)-1].Conditions), len(b.hops[len(b.hops)-1].Conditions))
	})
	return next
}

// target returns the version that a step leads to on the way to the goal: the
// goal itself where it is a later one of the same minor series.
func (s *search) target(step Upgrade) *semver.Version {
	to, err := semver.NewVersion(step.To)
	if err != nil || s.goal.LessThan(to) {
		return nil
	}
	if to.Major() == s.goal.Major() && to.Minor() == s.goal.Minor() {
		return s.goal
	}
	return to
}

func inRange(text string, v *semver.Version) bool {
	constraint, err := versionRange(text)
	return err == nil && constraint.Check(v)
}

// judge reports which conditions of a step cannot be judged, and which do not hold.
func (f SiteFacts) judge(step Upgrade) (unknown, blocked []message.Text) {
	if slices.Contains(step.NotWhere, Federated) {
		switch {
		case f.Federated == nil:
			unknown = append(unknown, message.Of("patches.upgrade.condition.not-federated", nil))
		case *f.Federated:
			blocked = append(blocked, message.Of("patches.upgrade.federated", nil))
		}
	}
	if step.Kubernetes == "" {
		return unknown, blocked
	}
	have, err := semver.NewVersion(f.Kubernetes)
	switch {
	case f.Kubernetes == "":
		unknown = append(unknown, message.Of("patches.upgrade.condition.kubernetes", message.Args{"range": step.Kubernetes}))
	case err != nil || !inRange(step.Kubernetes, have):
		blocked = append(blocked, message.Of("patches.upgrade.kubernetes",
			message.Args{"range": step.Kubernetes, "have": fmt.Sprintf("%.40q", f.Kubernetes)}))
	}
	return unknown, blocked
}

func inEnglish(texts []message.Text) []string {
	said := make([]string, len(texts))
	for i, text := range texts {
		said[i] = words.English().Text(text)
	}
	return said
}

// why says what stands in the way.
func (s *search) why() []message.Text {
	var reasons []message.Text
	for _, b := range s.blocked {
		if !slices.ContainsFunc(reasons, b.Equal) {
			reasons = append(reasons, b)
		}
	}
	furthest := slices.MaxFunc(s.reached, func(a, b *semver.Version) int { return a.Compare(b) })
	if furthest.Equal(s.start) {
		reasons = append(reasons, message.Of("patches.upgrade.no-step", message.Args{"version": furthest.String()}))
	} else {
		reasons = append(reasons, message.Of("patches.upgrade.furthest", message.Args{"version": furthest.String()}))
	}
	for _, step := range s.upgrades.Steps {
		if target := s.target(step); target != nil && target.Equal(s.goal) {
			reasons = append(reasons, message.Of("patches.upgrade.reached", message.Args{"version": s.goal.String(), "range": step.From}))
		}
	}
	return reasons
}

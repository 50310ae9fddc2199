package manifests

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

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
}

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
		return nil, noPath(from, to, to+" is to be skipped: "+reason)
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
		return nil, nil, fault.New(fault.Usage, fault.Here, "upgrade path", "such as --from 5.28.0 --to 5.30.0", "%q and %q: %w", from, to, err)
	case !start.LessThan(goal):
		return nil, nil, noPath(from, to, "a version is never upgraded to one that is not later")
	}
	return start, goal, nil
}

func noPath(from, to string, reasons ...string) error {
	return fault.New(fault.Failure, fault.Site, "", "", "no way from %s to %s: %s", from, to, strings.Join(reasons, "; "))
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
	blocked     []string
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
			blocked = append(blocked, target.String()+" is to be skipped: "+reason)
		}
		if len(blocked) > 0 {
			s.blocked = append(s.blocked, fmt.Sprintf("%s to %s: %s", at.version, target, strings.Join(blocked, ", ")))
			continue
		}
		hop := Hop{
			From: at.version.Original(), To: target.Original(), Conditions: conditions,
			Order: step.Order, Steps: step.Steps, Source: step.Source,
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

// judge tells which conditions of a step cannot be judged, and which do not hold.
func (f SiteFacts) judge(step Upgrade) (unknown, blocked []string) {
	unknown = []string{}
	if slices.Contains(step.NotWhere, Federated) {
		switch {
		case f.Federated == nil:
			unknown = append(unknown, "the site is not federated")
		case *f.Federated:
			blocked = append(blocked, "not for a federated site")
		}
	}
	if step.Kubernetes == "" {
		return unknown, blocked
	}
	have, err := semver.NewVersion(f.Kubernetes)
	switch {
	case f.Kubernetes == "":
		unknown = append(unknown, "Kubernetes "+step.Kubernetes)
	case err != nil || !inRange(step.Kubernetes, have):
		blocked = append(blocked, fmt.Sprintf("wants Kubernetes %s, the site has %.40q", step.Kubernetes, f.Kubernetes))
	}
	return unknown, blocked
}

// why says what stands in the way.
func (s *search) why() []string {
	var reasons []string
	for _, b := range s.blocked {
		if !slices.Contains(reasons, b) {
			reasons = append(reasons, b)
		}
	}
	furthest := slices.MaxFunc(s.reached, func(a, b *semver.Version) int { return a.Compare(b) })
	if furthest.Equal(s.start) {
		reasons = append(reasons, "no known step leads on from "+furthest.String())
	} else {
		reasons = append(reasons, "the known steps lead no further than "+furthest.String())
	}
	for _, step := range s.upgrades.Steps {
		if target := s.target(step); target != nil && target.Equal(s.goal) {
			reasons = append(reasons, fmt.Sprintf("%s is reached from %s", s.goal, step.From))
		}
	}
	return reasons
}

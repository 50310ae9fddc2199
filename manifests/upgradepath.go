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
	Chart      string    `yaml:"chart,omitempty"` // whose versions these are; empty for the release's own
	Range      string    `yaml:"range,omitempty"` // of the versions that a release says it can be installed over
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

// UpgradePath is how one gets from one version to another, as far as it is known.
type UpgradePath struct {
	// Hops lead to the version wanted; where that is not known, as far as anybody knows.
	// There are none where it is installed already.
	Hops []Hop
	// Unknown says what is not known, and whom to ask; nothing where the way is known.
	Unknown, Ask message.Text
}

// Known reports whether the hops lead to the version that is wanted.
func (p UpgradePath) Known() bool { return p.Unknown.IsZero() }

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
	if u.Range != "" {
		_, err := versionRange(u.Range)
		c.want(err == nil, "range", "such as >=5.28.0 <5.30.0", "range: %v", err)
	}
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
// facts allow, with what could not be judged as their conditions. A later patch of the
// same minor series is reached in one hop, unless a step within the series says otherwise.
// Versions are ordered by [OrderVersions].
//
// Where nobody has said how one gets there, the path says what is not known. Where it is
// known that there is no way, that is an error, which says why: back, what is skipped,
// which condition does not hold. What is no version is a Usage error.
func (u *Upgrades) Path(from, to string, site SiteFacts) (UpgradePath, error) {
	start, err := parseVersion(u.Chart, from)
	if err != nil {
		return UpgradePath{}, noVersions(from, to, err)
	}
	goal, err := parseVersion(u.Chart, to)
	if err != nil {
		return UpgradePath{}, noVersions(from, to, err)
	}
	switch OrderVersions(u.Chart, from, to) {
	case SamePlace:
		return UpgradePath{}, nil
	case Later:
		return UpgradePath{}, noPath(from, to, message.Of("patches.upgrade.not-later", nil))
	case Unordered:
		return notKnown(from, to, nil, message.Of("patches.upgrade.unordered", nil)), nil
	}
	if reason := u.skipped(goal.key); reason != "" {
		return UpgradePath{}, noPath(from, to, toBeSkipped(to, reason))
	}
	if u.Range != "" && !inRange(u.Range, start) {
		return UpgradePath{}, noPath(from, to, message.Of("patches.upgrade.not-over", message.Args{"range": u.Range, "version": from}))
	}
	s := search{upgrades: u, site: site, goal: goal, start: start}
	return s.path()
}

// KnownTo returns the latest version that a step leads to, and whether one leads to the
// minor series of a version; empty where there are no steps, or none that is no
// version.
func (u *Upgrades) KnownTo(to string) (last string, reached bool) {
	goal, err := parseVersion(u.Chart, to)
	for _, step := range u.Steps {
		target, flaw := parseVersion(u.Chart, step.To)
		if flaw != nil {
			continue
		}
		if last == "" || OrderVersions(u.Chart, last, step.To) == Earlier {
			last = step.To
		}
		reached = reached || (err == nil && sameMinor(target.key, goal.key) && !goal.key.LessThan(target.key))
	}
	return last, reached
}

func noPath(from, to string, reasons ...message.Text) error {
	why := message.Of("patches.upgrade.no-way", message.Args{"from": from, "to": to, "reasons": reasons})
	return &fault.Error{Kind: fault.Failure, Side: fault.Site, Err: worded{why}}
}

func notKnown(from, to string, hops []Hop, reasons ...message.Text) UpgradePath {
	return UpgradePath{
		Hops:    hops,
		Unknown: message.Of("patches.upgrade.unknown", message.Args{"from": from, "to": to, "reasons": reasons}),
		Ask:     message.Of("patches.upgrade.ask", nil),
	}
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
		s, err := parseVersion(u.Chart, skip.Version)
		if err != nil {
			continue
		}
		series := strings.Count(skip.Version, ".") < 2 && sameMinor(s.key, v)
		if series || s.key.Equal(v) {
			return skip.Reason
		}
	}
	return ""
}

// search looks for a path breadth first, so that the first found has the fewest hops.
type search struct {
	upgrades    *Upgrades
	site        SiteFacts
	start, goal version
	blocked     []block
	reached     []node
}

type node struct {
	version
	hops []Hop
}

// block is a step that cannot be taken, and why.
type block struct {
	from, to *semver.Version
	why      message.Text
}

func (s *search) path() (UpgradePath, error) {
	if hops := s.run(); hops != nil {
		return UpgradePath{Hops: hops}, nil
	}
	furthest := slices.MaxFunc(s.reached, func(a, b node) int { return a.key.Compare(b.key) })
	if s.ends(furthest.version) {
		return UpgradePath{}, noPath(s.start.text, s.goal.text, s.why(furthest)...)
	}
	return notKnown(s.start.text, s.goal.text, furthest.hops, s.why(furthest)...), nil
}

// ends reports whether it is known that there is no way: where a step from the
// furthest version, or one to the goal, cannot be taken, or a step in the goal's own series
// is for others.
func (s *search) ends(furthest version) bool {
	if sameMinor(furthest.key, s.goal.key) {
		return true
	}
	return slices.ContainsFunc(s.blocked, func(b block) bool { return b.from.Equal(furthest.key) || b.to.Equal(s.goal.key) })
}

func (s *search) run() []Hop {
	seen := map[string]bool{s.start.key.String(): true}
	for queue := []node{{version: s.start}}; len(queue) > 0; queue = queue[1:] {
		s.reached = append(s.reached, queue[0])
		var next []node
		for _, n := range s.from(queue[0]) {
			if n.key.Equal(s.goal.key) {
				return n.hops
			}
			if !seen[n.key.String()] {
				seen[n.key.String()] = true
				next = append(next, n)
			}
		}
		slices.SortStableFunc(next, func(a, b node) int { return b.key.Compare(a.key) })
		queue = append(queue, next...)
	}
	return nil
}

// from returns where one gets from a version in one hop, what has fewer
// conditions first.
func (s *search) from(at node) []node {
	var next []node
	for _, step := range s.steps(at.version) {
		target := s.target(step)
		if target.key == nil || !at.key.LessThan(target.key) || !inRange(step.From, at.version) {
			continue
		}
		conditions, blocked := s.site.judge(step)
		if reason := s.upgrades.skipped(target.key); reason != "" {
			blocked = append(blocked, toBeSkipped(target.text, reason))
		}
		if len(blocked) > 0 {
			s.blocked = append(s.blocked, block{at.key, target.key, message.Of("patches.upgrade.blocked",
				message.Args{"from": at.text, "to": target.text, "reasons": blocked})})
			continue
		}
		if readsEarlier(target.text, at.text) {
			conditions = append(conditions, message.Of("patches.upgrade.condition.built-after",
				message.Args{"from": at.text, "to": target.text}))
		}
		hop := Hop{
			From: at.text, To: target.text, Conditions: inEnglish(conditions),
			Order: step.Order, Steps: step.Steps, Source: step.Source, Said: HopSaid{conditions},
		}
		next = append(next, node{target, append(slices.Clone(at.hops), hop)})
	}
	slices.SortStableFunc(next, func(a, b node) int {
		return cmp.Compare(len(a.hops[len(a.hops)-1].Conditions), len(b.hops[len(b.hops)-1].Conditions))
	})
	return next
}

// steps returns those that may lead on from a version: those that are documented, and
// those that need no saying. A later patch of the same minor series is one, unless a
// documented step lies in between; the goal is another, where the release says that it
// can be installed over the version and no documented step leads on from there.
func (s *search) steps(at version) []Upgrade {
	steps := s.upgrades.Steps
	documented, between := false, false
	for _, step := range steps {
		to, err := parseVersion(s.upgrades.Chart, step.To)
		if err != nil || s.goal.key.LessThan(to.key) || !at.key.LessThan(to.key) {
			continue
		}
		documented = documented || inRange(step.From, at)
		between = between || sameMinor(to.key, at.key)
	}
	switch direct := (Upgrade{From: at.text, To: s.goal.text}); {
	case sameMinor(at.key, s.goal.key) && !between:
		return append(slices.Clone(steps), direct)
	case s.upgrades.Range != "" && inRange(s.upgrades.Range, at) && !documented:
		direct.Source = "metadata.upgradeFrom " + s.upgrades.Range
		return append(slices.Clone(steps), direct)
	}
	return steps
}

// readsEarlier reports whether semver, and so Helm, takes a version for earlier than
// another that it comes after.
func readsEarlier(later, earlier string) bool {
	a, errA := semver.NewVersion(later)
	b, errB := semver.NewVersion(earlier)
	return errA == nil && errB == nil && a.LessThan(b)
}

// target returns the version that a step leads to on the way to the goal: the
// goal itself where it is a later one of the same minor series.
func (s *search) target(step Upgrade) version {
	to, err := parseVersion(s.upgrades.Chart, step.To)
	if err != nil || s.goal.key.LessThan(to.key) {
		return version{}
	}
	if sameMinor(to.key, s.goal.key) {
		return s.goal
	}
	return to
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
	have, err := parseVersion("", f.Kubernetes)
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

// why says what stands in the way, or what is not known.
func (s *search) why(furthest node) []message.Text {
	var reasons []message.Text
	for _, b := range s.blocked {
		if !slices.ContainsFunc(reasons, b.why.Equal) {
			reasons = append(reasons, b.why)
		}
	}
	if furthest.key.Equal(s.start.key) {
		reasons = append(reasons, message.Of("patches.upgrade.no-step", message.Args{"version": furthest.text}))
		if last, _ := s.upgrades.KnownTo(s.goal.text); OrderVersions(s.upgrades.Chart, last, s.goal.text) == Earlier {
			reasons = append(reasons, message.Of("patches.upgrade.last", message.Args{"version": last}))
		}
	} else {
		reasons = append(reasons, message.Of("patches.upgrade.furthest", message.Args{"version": furthest.text}))
	}
	for _, step := range s.upgrades.Steps {
		if target := s.target(step); target.key != nil && target.key.Equal(s.goal.key) {
			reasons = append(reasons, message.Of("patches.upgrade.reached", message.Args{"version": s.goal.text, "range": step.From}))
		}
	}
	return reasons
}

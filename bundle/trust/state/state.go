package state

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Kind is the kind of a site's state file.
const Kind = "State"

// Format is the version of the state file that is written. [Read] also reads the
// first one.
const Format = 2

const (
	// MaxBytes bounds a state file.
	MaxBytes = 4 << 20
	// MaxSequenceStep is how far a sequence may leap at once.
	MaxSequenceStep = 10_000
	// MaxFirstSequence is how high the first sequence of a release may be. There is
	// nothing to measure it by; seconds since 1970 are below it, and ten thousand more
	// a day would not reach manifests.MaxSequence from there.
	MaxFirstSequence = 1_000_000_000_000

	maxRemarks = 1000
)

// State is what a site remembers.
type State struct {
	APIVersion string                `json:"apiVersion"`
	Kind       string                `json:"kind"`
	Format     int                   `json:"format"`
	Accepted   map[string][]Accepted `json:"accepted"` // by release name; the lowest sequence first
	Revoked    []string              `json:"revoked"`  // ids of keys whose signatures count no more
	Remarks    []Remark              `json:"remarks"`  // what was accepted against the rule, and why
}

// Accepted is a bundle that was accepted last from its signers: no later one had
// all their signatures.
type Accepted struct {
	Sequence manifests.Sequence `json:"sequence"`
	Version  string             `json:"version"`
	Digest   manifests.Digest   `json:"digest"` // of bundle.json
	On       manifests.Date     `json:"on"`
	Signers  []string           `json:"signers"` // ids of the trusted keys that had signed; none if it was unsigned
	// Open says that it has more slots for signatures than signers: others may have
	// signed it, too, whose signatures were not seen here.
	Open bool `json:"open,omitempty"`
}

// Remark records an exception that a person made.
type Remark struct {
	On     manifests.Date `json:"on"`
	What   string         `json:"what"`
	Reason string         `json:"reason"`
}

// Delivery is a verified bundle, as far as a site remembers it.
type Delivery struct {
	Release manifests.LockedRelease
	Digest  manifests.Digest      // of bundle.json
	Signers []signature.PublicKey // the trusted keys that have signed; none if it is unsigned
	Slots   int                   // for signatures, blank ones too; what is not more than Signers says nothing
}

// New returns the state of a site that has accepted nothing yet.
func New() *State {
	return &State{
		APIVersion: manifests.APIVersion, Kind: Kind, Format: Format,
		Accepted: map[string][]Accepted{}, Revoked: []string{}, Remarks: []Remark{},
	}
}

// Revoke makes signatures by a key count no more: those to come, and those on
// what was accepted.
func (s *State) Revoke(keyID, reason string, today manifests.Date) {
	if !slices.Contains(s.Revoked, keyID) {
		s.Revoked = append(s.Revoked, keyID)
		s.remark(today, "revoked key "+keyID, reason)
	}
}

// Accept notes a verified bundle. One older than what was accepted of this
// release before, another one of the same sequence, one that leaps ahead by more
// than [MaxSequenceStep], and a first one above [MaxFirstSequence] are Refused
// errors unless a reason is given, which is recorded.
//
// Of two bundles without a sequence, nobody can tell which is newer. So the first of
// a release that has none is taken, if nothing was accepted before, and another one
// is refused; [Unnumbered] tells.
func (s *State) Accept(d Delivery, reason string, today manifests.Date) error {
	if remedy, objection := s.objection(d); objection != nil {
		if reason == "" {
			return fault.New(fault.Refused, fault.Site, "bundle.json",
				remedy+"; --allow-rollback REASON takes this one and records why", "%w", objection)
		}
		s.remark(today, objection.Error(), reason)
	}
	now := Accepted{Sequence: d.Release.Sequence, Version: d.Release.Version, Digest: d.Digest, On: today, Signers: []string{}}
	for _, key := range d.Signers {
		now.Signers = append(now.Signers, key.ID())
	}
	before := s.Accepted[d.Release.Name]
	for _, a := range before {
		if now.sameAs(a) {
			now.Signers = join(now.Signers, a.Signers) // whoever was seen to have signed it has, though a signature may lack today
		}
	}
	now.Open = len(now.Signers) > 0 && len(now.Signers) < d.Slots
	before = slices.DeleteFunc(before, func(a Accepted) bool { return now.sameAs(a) || s.replaces(now, a) })
	s.Accepted[d.Release.Name] = sorted(append(before, now))
	return nil
}

// Unnumbered reports whether a delivery says nothing of its place in the order of
// all: that it was accepted does not mean that it is the newest.
func Unnumbered(release manifests.LockedRelease) bool { return release.Sequence == 0 }

// What can be done about a delivery that is refused. One that is out of order by its
// own fault has nothing newer behind it: the sender has to make another.
const (
	getNewest = "get the newest bundle"
	renumber  = "ask the sender to resolve it again with --after, naming the last delivery, or with a higher --sequence"
	lower     = "ask the sender whether that is meant, and else to resolve it again with a lower --sequence"
)

// objection says what speaks against a delivery, if anything does, and what can be
// done about it.
func (s *State) objection(d Delivery) (remedy string, objection error) {
	release := d.Release
	last, known := s.Last(release.Name)
	switch {
	case !known && release.Sequence > MaxFirstSequence:
		return lower, fmt.Errorf(
			"bundle %s has sequence %d, and is the first of %s here: above %d it may be a mistake that shuts out all later ones",
			release.Version, release.Sequence, release.Name, MaxFirstSequence)
	case !known:
		return "", nil
	case release.Sequence == last.Sequence && d.Digest == last.Digest:
		return "", nil // verified again
	case Unnumbered(release) && last.Sequence == 0:
		return renumber, fmt.Errorf("bundle %s has no sequence, nor has %s, which was accepted on %s: nobody can tell which is newer",
			release.Version, last.Version, last.On)
	case Unnumbered(release):
		return renumber, fmt.Errorf(
			"bundle %s has no sequence, but %s with sequence %d was accepted on %s: nobody can tell that it is newer",
			release.Version, last.Version, last.Sequence, last.On)
	case release.Sequence == last.Sequence:
		return renumber, fmt.Errorf(
			"bundle %s has sequence %d, and so has another one, %s, which was accepted on %s: nobody can tell which is newer",
			release.Version, release.Sequence, last.Version, last.On)
	case release.Sequence < last.Sequence:
		return getNewest, fmt.Errorf("bundle %s has sequence %d, but %s with sequence %d was accepted on %s",
			release.Version, release.Sequence, last.Version, last.Sequence, last.On)
	case release.Sequence-last.Sequence > MaxSequenceStep:
		return lower, fmt.Errorf("bundle %s has sequence %d, more than %d above the %d accepted last",
			release.Version, release.Sequence, MaxSequenceStep, last.Sequence)
	}
	return "", nil
}

// Last returns what has the highest sequence of all that was accepted of a release
// and counts, if there is any.
func (s *State) Last(release string) (Accepted, bool) {
	list := s.Accepted[release]
	for i := len(list) - 1; i >= 0; i-- {
		if s.counts(list[i]) {
			return list[i], true
		}
	}
	return Accepted{}, false
}

// counts reports whether a bundle still has a signer who is not revoked, or may
// have one.
func (s *State) counts(a Accepted) bool {
	valid := func(id string) bool { return !slices.Contains(s.Revoked, id) }
	return a.countsForEver() || slices.ContainsFunc(a.Signers, valid)
}

// countsForEver reports whether no revoked key makes a bundle forgotten: one that was
// accepted unsigned has no signer to lose. One with an open slot may have another
// signer: who carried it here may have blanked his signature, so that a bundle older
// than it gets in once the other key is revoked.
func (a Accepted) countsForEver() bool { return len(a.Signers) == 0 || a.Open }

// sameAs reports whether both are one signed bundle, whichever of its signatures were
// there.
func (a Accepted) sameAs(b Accepted) bool {
	return a.Digest == b.Digest && len(a.Signers) > 0 && len(b.Signers) > 0
}

// replaces reports whether one bundle need not be remembered beside a new one:
// because the new one went back behind it, or takes its place, for a reason, or because the new one
// counts at least as long as it does. What does not count is kept: it tells what
// happened here.
func (s *State) replaces(now, before Accepted) bool {
	if before.Sequence > now.Sequence || before.Sequence == now.Sequence && before.Digest != now.Digest {
		return s.counts(before)
	}
	if before.countsForEver() {
		return now.countsForEver()
	}
	return !slices.ContainsFunc(before.Signers, func(id string) bool { return !slices.Contains(now.Signers, id) })
}

// join returns a list followed by what another has beyond it.
func join(list, more []string) []string {
	for _, item := range more {
		if !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}

// sorted puts the lowest sequence first.
func sorted(list []Accepted) []Accepted {
	slices.SortStableFunc(list, func(a, b Accepted) int {
		return cmp.Or(cmp.Compare(a.Sequence, b.Sequence), a.On.Time().Compare(b.On.Time()))
	})
	return list
}

func (s *State) remark(today manifests.Date, what, reason string) {
	s.Remarks = append(s.Remarks, Remark{On: today, What: what, Reason: reason})
	if extra := len(s.Remarks) - maxRemarks; extra > 0 {
		s.Remarks = s.Remarks[extra:]
	}
}

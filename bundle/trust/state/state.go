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
	Sequence uint64           `json:"sequence"`
	Version  string           `json:"version"`
	Digest   manifests.Digest `json:"digest"` // of bundle.json
	On       manifests.Date   `json:"on"`
	Signers  []string         `json:"signers"` // ids of the trusted keys that had signed; none if it was unsigned
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
// release before, or one that leaps ahead by more than [MaxSequenceStep], is a
// Refused error unless a reason is given, which is recorded.
func (s *State) Accept(d Delivery, reason string, today manifests.Date) error {
	if objection := s.objection(d.Release); objection != nil {
		if reason == "" {
			return fault.New(fault.Refused, fault.Site, "bundle.json",
				"get the newest bundle; --allow-rollback REASON takes this one and records why", "%w", objection)
		}
		s.remark(today, objection.Error(), reason)
	}
	now := Accepted{Sequence: d.Release.Sequence, Version: d.Release.Version, Digest: d.Digest, On: today, Signers: []string{}}
	for _, key := range d.Signers {
		now.Signers = append(now.Signers, key.ID())
	}
	before := slices.DeleteFunc(s.Accepted[d.Release.Name], func(a Accepted) bool { return s.replaces(now, a) })
	s.Accepted[d.Release.Name] = sorted(append(before, now))
	return nil
}

// objection says what speaks against a release, if anything does.
func (s *State) objection(release manifests.LockedRelease) error {
	last := s.last(release.Name)
	switch {
	case last == nil:
		return nil
	case release.Sequence < last.Sequence:
		return fmt.Errorf("bundle %s has sequence %d, but %s with sequence %d was accepted on %s",
			release.Version, release.Sequence, last.Version, last.Sequence, last.On)
	case release.Sequence-last.Sequence > MaxSequenceStep:
		return fmt.Errorf("bundle %s has sequence %d, more than %d above the %d accepted last",
			release.Version, release.Sequence, MaxSequenceStep, last.Sequence)
	}
	return nil
}

// last returns what has the highest sequence of all that was accepted of a
// release and counts, or nil.
func (s *State) last(release string) *Accepted {
	list := s.Accepted[release]
	for i := len(list) - 1; i >= 0; i-- {
		if s.counts(list[i]) {
			return &list[i]
		}
	}
	return nil
}

// counts reports whether a bundle still has a signer who is not revoked. One
// that was accepted unsigned had none to lose.
func (s *State) counts(a Accepted) bool {
	valid := func(id string) bool { return !slices.Contains(s.Revoked, id) }
	return len(a.Signers) == 0 || slices.ContainsFunc(a.Signers, valid)
}

// replaces reports whether one bundle need not be remembered beside a new one:
// because the new one went back behind it, for a reason, or because the new one
// counts at least as long as it does. What does not count is kept: it tells what
// happened here.
func (s *State) replaces(now, before Accepted) bool {
	if before.Sequence > now.Sequence {
		return s.counts(before)
	}
	if len(before.Signers) == 0 {
		return len(now.Signers) == 0
	}
	return !slices.ContainsFunc(before.Signers, func(id string) bool { return !slices.Contains(now.Signers, id) })
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

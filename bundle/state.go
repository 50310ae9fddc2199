package bundle

import (
	"fmt"
	"slices"
	"time"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// KindState is the kind of a site's state file.
const KindState = "State"

const (
	// MaxStateBytes bounds a state file.
	MaxStateBytes = 4 << 20
	// MaxSequenceStep is how far a sequence may leap at once. A bundle signed
	// with a huge one, by mistake or with a stolen key, would otherwise shut out
	// every delivery that follows (TUF specification, "fast-forward attack").
	MaxSequenceStep = 10_000

	maxRemarks = 1000
)

// State is what a site remembers of the bundles that it has accepted, outside
// of any bundle, so that it never goes back unnoticed.
type State struct {
	APIVersion string              `json:"apiVersion"`
	Kind       string              `json:"kind"`
	Accepted   map[string]Accepted `json:"accepted"` // by release name, a slash and the id of the signing key
	Revoked    []string            `json:"revoked"`  // ids of keys whose signatures count no more
	Remarks    []Remark            `json:"remarks"`  // what was accepted against the rule, and why
}

// Accepted is the bundle with the highest sequence that one key has signed.
type Accepted struct {
	Sequence uint64           `json:"sequence"`
	Version  string           `json:"version"`
	Digest   manifests.Digest `json:"digest"` // of bundle.json
	On       manifests.Date   `json:"on"`
}

// Remark records an exception that a person made.
type Remark struct {
	On     manifests.Date `json:"on"`
	What   string         `json:"what"`
	Reason string         `json:"reason"`
}

// NewState returns the state of a site that has accepted nothing yet.
func NewState() *State {
	return &State{
		APIVersion: manifests.APIVersion, Kind: KindState,
		Accepted: map[string]Accepted{}, Revoked: []string{}, Remarks: []Remark{},
	}
}

// ReadState reads a state file. One that cannot be read is an error, never an
// empty state: that would be a way back.
func ReadState(file string, data []byte) (*State, error) {
	state := NewState()
	err := decodeOnly(data, state)
	if err == nil && (state.APIVersion != manifests.APIVersion || state.Kind != KindState) {
		err = fmt.Errorf("it is a %q of %q", state.Kind, state.APIVersion)
	}
	if err != nil {
		return nil, fault.New(fault.Refused, fault.Site, file,
			"restore it from a backup; if there is none, remove it knowing that older bundles will pass once", "state file is not readable: %w", err)
	}
	if state.Accepted == nil {
		state.Accepted = map[string]Accepted{}
	}
	return state, nil
}

// Revoke makes signatures by a key count no more.
func (s *State) Revoke(keyID, reason string, today manifests.Date) {
	if !slices.Contains(s.Revoked, keyID) {
		s.Revoked = append(s.Revoked, keyID)
		s.remark(today, "revoked key "+keyID, reason)
	}
}

// Accept notes a verified bundle. A bundle older than one accepted before under
// the same key, or one that leaps ahead by more than [MaxSequenceStep], is a
// Refused error unless a reason is given, which is recorded.
func (s *State) Accept(b *Bundle, reason string, today manifests.Date) error {
	release := b.Inventory.Lock.Release
	key := release.Name + "/unsigned"
	if b.SignedBy != nil {
		key = release.Name + "/" + b.SignedBy.ID()
	}
	last, known := s.Accepted[key]
	var objection error
	switch {
	case !known:
	case release.Sequence < last.Sequence:
		objection = fmt.Errorf("bundle %s has sequence %d, but %s with sequence %d was accepted on %s",
			release.Version, release.Sequence, last.Version, last.Sequence, last.On)
	case release.Sequence-last.Sequence > MaxSequenceStep:
		objection = fmt.Errorf("bundle %s has sequence %d, more than %d above the %d accepted last",
			release.Version, release.Sequence, MaxSequenceStep, last.Sequence)
	}
	if objection != nil && reason == "" {
		return fault.New(fault.Refused, fault.Site, InventoryPath,
			"get the newest bundle; --allow-rollback REASON takes this one and records why", "%w", objection)
	}
	if objection != nil {
		s.remark(today, objection.Error(), reason)
	}
	s.Accepted[key] = Accepted{Sequence: release.Sequence, Version: release.Version, Digest: b.Digest, On: today}
	return nil
}

func (s *State) remark(today manifests.Date, what, reason string) {
	s.Remarks = append(s.Remarks, Remark{On: today, What: what, Reason: reason})
	if extra := len(s.Remarks) - maxRemarks; extra > 0 {
		s.Remarks = s.Remarks[extra:]
	}
}

// Expired reports whether a bundle's expiry lies before now. It is a warning by
// default: clocks on islands are weak.
func (b *Bundle) Expired(now time.Time) bool {
	expires := b.Inventory.Lock.Release.Expires
	return !expires.IsZero() && now.UTC().After(expires.Time().AddDate(0, 0, 1))
}

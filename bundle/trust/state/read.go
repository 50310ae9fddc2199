package state

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Read reads a state file of any format. One that cannot be read is an error,
// never an empty state: that would be a way back. File names it in errors, which
// are of kind fault.Refused.
func Read(file string, data []byte) (*State, error) {
	state, err := read(data)
	if err == nil && (state.APIVersion != manifests.APIVersion || state.Kind != Kind) {
		err = fmt.Errorf("it is a %q of %q", state.Kind, state.APIVersion)
	}
	if err != nil {
		return nil, fault.New(fault.Refused, fault.Site, file,
			"restore it from a backup; if there is none, remove it knowing that older bundles will pass once",
			"state file is not readable: %w", err)
	}
	return state, nil
}

func read(data []byte) (*State, error) {
	var written struct{ Format int }
	_ = json.NewDecoder(bytes.NewReader(data)).Decode(&written) // what is wrong with it, whoever reads it strictly tells
	switch written.Format {
	case 0:
		return readFirst(data)
	case Format:
		state := New()
		err := manifests.DecodeJSON(data, state)
		state.tidy()
		return state, err
	default:
		return nil, fmt.Errorf("it is in format %d; this program reads format %d", written.Format, Format)
	}
}

// tidy puts what was read into the form that the methods rely on, whoever wrote
// it.
func (s *State) tidy() {
	if s.Accepted == nil {
		s.Accepted = map[string][]Accepted{}
	}
	for _, list := range s.Accepted {
		sorted(list)
	}
}

// first is the first format of a state file, which did not say so. Each key had
// a sequence of its own.
type first struct {
	APIVersion string                   `json:"apiVersion"`
	Kind       string                   `json:"kind"`
	Accepted   map[string]firstAccepted `json:"accepted"` // by release name, a slash and the id of the signing key
	Revoked    []string                 `json:"revoked"`
	Remarks    []Remark                 `json:"remarks"`
}

type firstAccepted struct {
	Sequence manifests.Sequence `json:"sequence"`
	Version  string             `json:"version"`
	Digest   manifests.Digest   `json:"digest"`
	On       manifests.Date     `json:"on"`
}

// firstUnsigned stood in the place of a key where there was none.
const firstUnsigned = "unsigned"

// readFirst reads the first format, and keeps all that is in it: the highest
// sequence of any key that is not revoked is then what counts.
func readFirst(data []byte) (*State, error) {
	var old first
	if err := manifests.DecodeJSON(data, &old); err != nil {
		return nil, err
	}
	state := New()
	state.APIVersion, state.Kind = old.APIVersion, old.Kind
	state.Revoked = append(state.Revoked, old.Revoked...)
	state.Remarks = append(state.Remarks, old.Remarks...)
	for _, place := range slices.Sorted(maps.Keys(old.Accepted)) {
		name, key, ok := strings.Cut(place, "/") // a release's name has no slash, a key's id may have
		if !ok {
			return nil, fmt.Errorf("what was accepted of %q names no key", place)
		}
		signers := []string{key}
		if key == firstUnsigned {
			signers = []string{}
		}
		a := old.Accepted[place]
		state.Accepted[name] = append(state.Accepted[name],
			Accepted{Sequence: a.Sequence, Version: a.Version, Digest: a.Digest, On: a.On, Signers: signers})
	}
	state.tidy()
	return state, nil
}

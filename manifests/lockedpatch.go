package manifests

import (
	"fmt"
	"slices"
)

// LockedPatch is a patch that a lock has been made with, as it travels: what a
// site and its security team want to know of it.
type LockedPatch struct {
	ID              string          `json:"id"`
	Date            Date            `json:"date"`
	Severity        Severity        `json:"severity"`
	Deadline        Date            `json:"deadline,omitzero"`
	Summary         Text            `json:"summary"`
	Vulnerabilities []Vulnerability `json:"vulnerabilities,omitempty"`
	Supersedes      []string        `json:"supersedes,omitempty"`
	Steps           Text            `json:"steps,omitzero"`   // what to do on site after installing
	Values          []ValuesPath    `json:"values,omitempty"` // what has to be set on site, so that pods use the patch's images
	// What has to be set on site besides: all that its charts' entries set. By chart, rendering and path.
	Set     []PatchedValue `json:"set,omitempty"`
	Charts  []string       `json:"charts,omitempty"`  // names of those that it changed or added
	Added   []string       `json:"added,omitempty"`   // of these, those that the release did not have
	Images  []LockedSwap   `json:"images,omitempty"`  // what its overrides replaced
	Files   []EntryPath    `json:"files,omitempty"`   // in the bundle
	Removed []string       `json:"removed,omitempty"` // what it took out, such as "chart reaper"
	// Namespaces of the charts that it took out, by name, where the release says one: those
	// of all versions. An empty one is the one that Helm takes by itself.
	Namespaces map[string][]string `json:"namespaces,omitempty"`
	Void       []string            `json:"void,omitempty"` // overrides that came to nothing, and why
	Digest     Digest              `json:"digest"`         // of the patch document
	SignedBy   string              `json:"signedBy,omitempty"`
}

// LockedSwap is an image that a patch put in the place of another.
type LockedSwap struct {
	Old ImageRef `json:"old"`
	New ImageRef `json:"new"`
}

// Lock returns a patch as it travels. What only resolving knows is left out.
func (p *Patch) Lock() LockedPatch {
	m := p.Metadata
	locked := LockedPatch{
		ID: m.ID, Date: m.Date, Severity: m.Severity, Deadline: m.Deadline, Summary: m.Summary,
		Vulnerabilities: m.Vulnerabilities, Supersedes: p.Supersedes, Steps: p.Steps, Digest: p.Digest,
	}
	for _, c := range slices.Concat(p.Changes.Charts, p.Changes.Add.Charts) {
		locked.Charts = append(locked.Charts, c.Name)
	}
	for _, c := range p.Changes.Add.Charts {
		locked.Added = append(locked.Added, c.Name)
	}
	for _, removed := range []struct {
		what  string
		names []string
	}{{"chart ", p.Changes.Remove.Charts}, {"image ", p.Changes.Remove.Images}, {"file ", p.Changes.Remove.Files}} {
		for _, name := range removed.names {
			locked.Removed = append(locked.Removed, removed.what+name)
		}
	}
	return locked
}

// Names reports whether a vulnerability was in something by name: an image
// repository, a chart or the path of a file. One that names nothing was in
// everything that its patch changes.
func (v Vulnerability) Names(name string) bool {
	return len(v.In) == 0 || slices.Contains(v.In, name)
}

func (l *Lock) checkPatches() error {
	known := map[string]bool{}
	for _, p := range l.Patches {
		if !patchID.MatchString(p.ID) || known[p.ID] || p.Digest == "" || p.Date.IsZero() {
			return fmt.Errorf("patch %.80q has no usable id, date or digest, or is listed twice", p.ID)
		}
		known[p.ID] = true
		if err := p.checkValues(); err != nil {
			return err
		}
		for _, swap := range p.Images {
			if swap.Old == (ImageRef{}) || swap.New == (ImageRef{}) {
				return fmt.Errorf("patch %s: a replaced image has no name", p.ID)
			}
		}
	}
	if err := l.checkCommands(); err != nil {
		return err
	}
	decided := func(what, by string) error {
		if by != "" && !known[by] {
			return fmt.Errorf("%s was decided by patch %.80q, which is not listed", what, by)
		}
		return nil
	}
	for _, c := range l.Charts {
		if err := decided("chart "+c.Name, c.DecidedBy); err != nil {
			return err
		}
	}
	for _, i := range l.Images {
		if err := decided("image "+i.Name.String(), i.DecidedBy); err != nil {
			return err
		}
	}
	for _, f := range l.Files {
		if err := decided("file "+string(f.Path), f.DecidedBy); err != nil {
			return err
		}
	}
	return nil
}

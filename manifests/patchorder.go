package manifests

import (
	"cmp"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests/fault"
)

// MaxPatches is how many patches can be laid over one release.
const MaxPatches = 1000

// Superseded is a patch that was given and is not laid, since another takes
// its place.
type Superseded struct {
	Patch *Patch
	By    string // id
}

// orderPatches returns patches in the order in which they are laid: what a patch
// requires before it, else by date, then by id. A patch that another of them
// supersedes is not among them; where such a one is required, what supersedes it
// stands for it.
//
// Two patches of one id, a required patch that is missing, patches that
// conflict, and patches that require or supersede each other in a circle are
// Usage errors.
func orderPatches(patches []*Patch) ([]*Patch, []Superseded, error) {
	o := ordering{byID: map[string]*Patch{}, by: map[string][]string{}}
	if len(patches) > MaxPatches {
		return nil, nil, fault.At(fault.Place{}, "", "%d patches are given, at most %d are laid", len(patches), MaxPatches)
	}
	for _, p := range patches {
		if first := o.byID[p.ID()]; first != nil {
			return nil, nil, fault.At(p.Place("metadata.id"), "leave one of them out",
				"patch %s is given twice, first as %s", p.ID(), first.Place("metadata.id").File)
		}
		o.byID[p.ID()] = p
	}
	for _, p := range patches {
		for _, id := range p.Supersedes {
			o.by[id] = append(o.by[id], p.ID())
		}
	}
	if err := o.noCircle(patches); err != nil {
		return nil, nil, err
	}
	if err := o.noConflict(patches); err != nil {
		return nil, nil, err
	}
	return o.sorted(patches)
}

type ordering struct {
	byID map[string]*Patch
	by   map[string][]string // patch → those that supersede it, given or not
}

// standIns returns the patches that are laid where one is named: itself, or what
// supersedes it; none if nothing does and it is not given.
func (o *ordering) standIns(id string) []string {
	found, seen := []string{}, map[string]bool{}
	var follow func(id string)
	follow = func(id string) {
		if seen[id] {
			return
		}
		seen[id] = true
		if len(o.by[id]) == 0 {
			if o.byID[id] != nil {
				found = append(found, id)
			}
			return
		}
		for _, by := range o.by[id] {
			follow(by)
		}
	}
	follow(id)
	slices.Sort(found)
	return found
}

// noCircle refuses patches that require or supersede each other in a circle.
func (o *ordering) noCircle(patches []*Patch) error {
	const underWay, done = 1, 2
	state := map[string]int{}
	var path []string
	var visit func(p *Patch) error
	visit = func(p *Patch) error {
		switch state[p.ID()] {
		case done:
			return nil
		case underWay:
			circle := append(path[slices.Index(path, p.ID()):], p.ID())
			return fault.At(p.Place("requires"), "one of them has to go without the other",
				"patches need each other in a circle: %s", strings.Join(circle, " → "))
		}
		state[p.ID()], path = underWay, append(path, p.ID())
		for _, id := range slices.Concat(p.Requires, p.Supersedes) {
			if needed := o.byID[id]; needed != nil {
				if err := visit(needed); err != nil {
					return err
				}
			}
		}
		state[p.ID()], path = done, path[:len(path)-1]
		return nil
	}
	for _, p := range patches {
		if err := visit(p); err != nil {
			return err
		}
	}
	return nil
}

// noConflict refuses patches that say themselves that they do not go together.
func (o *ordering) noConflict(patches []*Patch) error {
	for _, p := range patches {
		for _, id := range p.Conflicts {
			if o.byID[id] != nil && len(o.by[id]) == 0 && len(o.by[p.ID()]) == 0 {
				return fault.At(p.Place("conflicts"), "leave one of them out", "patches %s and %s are in conflict: %s says so", p.ID(), id, p.ID())
			}
		}
	}
	return nil
}

func (o *ordering) sorted(patches []*Patch) ([]*Patch, []Superseded, error) {
	var left []*Patch
	var superseded []Superseded
	needs := map[string][]string{} // patch → those that come before it
	for _, p := range patches {
		if by := o.standIns(p.ID()); len(o.by[p.ID()]) > 0 {
			superseded = append(superseded, Superseded{Patch: p, By: strings.Join(by, ", ")})
			continue
		}
		left = append(left, p)
		for _, id := range p.Requires {
			before := o.standIns(id)
			if len(before) == 0 {
				return nil, nil, fault.At(p.Place("requires"), "give patch "+id+" as well",
					"patch %s requires patch %s, which is not given", p.ID(), id)
			}
			needs[p.ID()] = append(needs[p.ID()], before...)
		}
	}
	slices.SortFunc(left, func(a, b *Patch) int {
		return cmp.Or(a.Metadata.Date.Time().Compare(b.Metadata.Date.Time()), cmp.Compare(a.ID(), b.ID()))
	})
	slices.SortFunc(superseded, func(a, b Superseded) int { return cmp.Compare(a.Patch.ID(), b.Patch.ID()) })
	ordered, laid := []*Patch{}, map[string]bool{}
	for len(left) > 0 {
		next := slices.IndexFunc(left, func(p *Patch) bool {
			return !slices.ContainsFunc(needs[p.ID()], func(id string) bool { return id != p.ID() && !laid[id] })
		})
		if next < 0 { // through what supersedes a required patch
			return nil, nil, fault.At(left[0].Place("requires"), "one of them has to go without the other",
				"patches need each other in a circle: %s and %s", left[0].ID(), strings.Join(needs[left[0].ID()], ", "))
		}
		laid[left[next].ID()] = true
		ordered = append(ordered, left[next])
		left = slices.Delete(left, next, next+1)
	}
	return ordered, superseded, nil
}

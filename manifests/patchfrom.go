package manifests

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/islandbundle/island/internal/nearest"
	"github.com/islandbundle/island/manifests/fault"
)

// PatchFrom makes a patch of what changed in some charts between two releases,
// as a cherry-pick of chart entries does by hand: one that is new is added whole, one
// that is gone is removed, and of one that changed is taken which archive it is, and
// of all else what differs. What both releases set is not in the patch: it would be laid
// over what a site has set. Without names, every chart that differs is taken.
//
// What the older release says of a chart and the newer does not any more stays, since a
// patch takes nothing out of an entry. It is returned as concerns.
//
// The patch applies to the version of the old release alone; whoever edits it may
// widen that. A chart that is in neither, or the same in both, is a Usage error.
func PatchFrom(older, newer *Release, charts []string, metadata PatchMetadata, files PatchFiles) (*Patch, []PatchConcern, error) {
	var stays []PatchConcern
	p := &Patch{
		APIVersion: APIVersion, Kind: KindPatch, Metadata: metadata,
		AppliesTo: Applicability{Release: older.Metadata.Name, Versions: older.Metadata.Version},
	}
	all := len(charts) == 0
	known := chartNames(older, newer)
	if all {
		charts = known
	}
	for i, name := range charts {
		was, is := older.ChartNamed(name), newer.ChartNamed(name)
		switch {
		case slices.Contains(charts[:i], name): // named twice, it is taken once
		case was == nil && is == nil:
			return nil, nil, fault.New(fault.Usage, fault.Here, "chart "+name, nearest.DidYouMean("", name, known), "neither release has the chart")
		case was == nil:
			p.Changes.Add.Charts = append(p.Changes.Add.Charts, *is)
		case is == nil:
			p.Changes.Remove.Charts = append(p.Changes.Remove.Charts, name)
		default:
			change, err := files.changeOf(*was, *is)
			switch {
			case err != nil:
				return nil, nil, err
			case !change.isEmpty():
				p.Changes.Charts = append(p.Changes.Charts, change.entry)
			case !all:
				return nil, nil, change.nothing(*was)
			}
			stays = append(stays, change.concerns()...)
		}
	}
	return p, stays, nil
}

func chartNames(releases ...*Release) []string {
	var names []string
	for _, r := range releases {
		for _, c := range r.Charts {
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

func sameChart(a, b Chart) bool {
	a.entries, b.entries = nil, nil
	return reflect.DeepEqual(a, b)
}

// EncodePatch returns a patch as a YAML document that [ReadPatch] reads. What is
// wrong with the patch is an error.
func EncodePatch(p *Patch) ([]byte, error) {
	text, err := EncodeYAML(p, 2)
	if err != nil {
		return nil, fmt.Errorf("encode patch %s: %w", p.ID(), err)
	}
	if _, err = ReadPatch("", text); err != nil {
		return nil, withoutLines(err)
	}
	return text, nil
}

// withoutLines tells what is wrong with a text that nobody has seen, by its fields.
func withoutLines(err error) error {
	var flaws []error
	for _, flaw := range fault.All(err) {
		told := *flaw
		told.Place.Line, told.Place.Column = 0, 0
		flaws = append(flaws, &told)
	}
	return errors.Join(flaws...)
}

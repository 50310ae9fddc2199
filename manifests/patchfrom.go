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
// as a cherry-pick of chart entries does by hand: an entry that changed is
// taken whole from the later release, one that is new is added, one that is gone
// is removed. Without names, every chart that differs is taken.
//
// The patch applies to the version of the old release alone; whoever edits it may
// widen that. A chart that is in neither, or the same in both, is a Usage error.
func PatchFrom(older, newer *Release, charts []string, metadata PatchMetadata) (*Patch, error) {
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
			return nil, fault.New(fault.Usage, fault.Here, "chart "+name, nearest.DidYouMean("", name, known), "neither release has the chart")
		case was == nil:
			p.Changes.Add.Charts = append(p.Changes.Add.Charts, *is)
		case is == nil:
			p.Changes.Remove.Charts = append(p.Changes.Remove.Charts, name)
		case !sameChart(*was, *is):
			p.Changes.Charts = append(p.Changes.Charts, *is)
		case !all:
			return nil, fault.New(fault.Usage, fault.Here, "chart "+name, "leave it out", "chart %s is the same in both releases", was.Version)
		}
	}
	return p, nil
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

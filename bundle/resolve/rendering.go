package resolve

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// valuesInPlace is what the lock calls values that the documents give in place.
const valuesInPlace = "set"

// lockRendering says in the lock what a chart was rendered for and with. Values
// that are for other versions of the chart are refused, but for those that
// the program brings: of these it is told.
func (r *resolver) lockRendering(chart manifests.Chart, version string) (*manifests.LockedRendering, error) {
	if err := chart.CheckValues(version); err != nil {
		return nil, err
	}
	for _, misfit := range chart.Misfits(version) {
		r.progress.Notice(fmt.Sprintf("chart %s: what is built in for it is for %s, and the chart is %s: look whether it still does, "+
			"and say so in an overlay, with for: %q at the chart", chart.Name, misfit.For, version, version))
	}
	locked := &manifests.LockedRendering{
		Namespace: chart.Namespace, KubeVersion: cmp.Or(chart.KubeVersion, r.release.Defaults.KubeVersion),
		APIVersions: slices.Concat(r.release.Defaults.APIVersions, chart.APIVersions), Tags: chart.Tags,
	}
	names, renderings := chart.RenderingsOf(r.release.ChosenRenderings())
	for i, rendering := range renderings {
		values, err := r.lockValues(rendering, version)
		if err != nil {
			return nil, err
		}
		for _, v := range values {
			if names[i] != manifests.DefaultRendering {
				v.Rendering = names[i]
			}
			known := slices.ContainsFunc(locked.Values, func(own manifests.LockedValues) bool { return own.Rendering == "" && own.From == v.From })
			if !known || v.From == valuesInPlace && setsAnew(chart, names[i]) {
				locked.Values = append(locked.Values, v)
			}
		}
	}
	if locked.Namespace+locked.KubeVersion == "" && len(locked.APIVersions)+len(locked.Tags)+len(locked.Values) == 0 {
		return nil, nil
	}
	return locked, nil
}

// setsAnew reports whether a further rendering has values in place of its own.
func setsAnew(chart manifests.Chart, rendering string) bool {
	return slices.ContainsFunc(chart.Renderings, func(r manifests.Rendering) bool { return r.Name == rendering && len(r.Set) > 0 })
}

// lockValues names the values of one rendering of a chart.
func (r *resolver) lockValues(chart manifests.Chart, version string) ([]manifests.LockedValues, error) {
	var all []manifests.LockedValues
	for _, name := range chart.Values {
		data, err := r.inputs.file(name)
		if err != nil {
			return nil, err
		}
		locked := manifests.LockedValues{From: name, Digest: manifests.DigestOf(data)}
		// Those of a further rendering are not carried.
		if own := r.release.ChartNamed(chart.Name); own != nil && slices.Contains(own.Values, name) {
			if locked.Path, err = manifests.ParseEntryPath(carriedValues(chart.Name, name)); err != nil {
				return nil, fault.Explain(err, fault.Usage, fault.Here, name, "")
			}
		}
		all = append(all, locked)
	}
	for _, name := range chart.Secrets {
		all = append(all, manifests.LockedValues{From: name, Secret: true})
	}
	for i := range all {
		all[i].For, all[i].Other = rangeOf(chart, all[i].From, version)
	}
	if len(chart.Set) > 0 {
		all = append(all, manifests.LockedValues{From: valuesInPlace})
	}
	return all, nil
}

// rangeOf returns for which versions of the chart a document says that a file is,
// and whether the chart is of another.
func rangeOf(chart manifests.Chart, file, version string) (ranges string, other bool) {
	names := func(set manifests.ValueSet) bool {
		return slices.Contains(set.Values, file) || slices.Contains(set.Secrets, file)
	}
	var all []string
	for _, set := range chart.ValueSets() {
		if set.For != "" && names(set) && !slices.Contains(all, set.For) {
			all = append(all, set.For)
		}
	}
	return strings.Join(all, " || "), slices.ContainsFunc(chart.Misfits(version), names)
}

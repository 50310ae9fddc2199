package manifests

import (
	"fmt"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests/fault"
)

// ValueSet is what one document gives a chart to be rendered with, where it says
// for which versions of the chart it was written.
type ValueSet struct {
	For      string      // a semver range
	Values   []string    // files, as [Chart.Values] names them
	Secrets  []string    // likewise
	Advisory bool        // of the overlay that is laid over every release: another version is told, not refused
	Place    fault.Place // where the document says it

	chart string
}

// ValueSets returns what those documents give the chart that say for which versions
// it is, the lowest first.
func (c Chart) ValueSets() []ValueSet {
	if c.For == "" {
		return c.laid
	}
	return []ValueSet{{For: c.For, Values: c.Values, Secrets: c.Secrets, Advisory: c.advisory, Place: c.Place(".for"), chart: c.Name}}
}

// Fits reports whether the set is for a version of the chart. A pre-release is a
// version like any other, at its place in the order of [OrderVersions].
func (s ValueSet) Fits(version string) bool {
	if s.For == "" {
		return true
	}
	have, err := parseVersion(s.chart, version)
	return err == nil && inRange(s.For, have)
}

// Misfits returns the sets that are not for a version of the chart. One of the
// overlay that is laid over every release is none where a document that knows
// the release says that the version was looked at.
func (c Chart) Misfits(version string) []ValueSet {
	sets := c.ValueSets()
	vouched := slices.ContainsFunc(sets, func(s ValueSet) bool { return s.For != "" && !s.Advisory && s.Fits(version) })
	var misfits []ValueSet
	for _, s := range sets {
		if !s.Fits(version) && (!s.Advisory || !vouched) {
			misfits = append(misfits, s)
		}
	}
	return misfits
}

// CheckValues refuses values that a document has for other versions of the chart.
func (c Chart) CheckValues(version string) error {
	flaws := &fault.Flaws{}
	c.checkValues(version, flaws)
	return flaws.Err()
}

func (c Chart) checkValues(version string, flaws *fault.Flaws) {
	for _, s := range c.Misfits(version) {
		if !s.Advisory {
			flaws.Add(s.Place, "look whether they still do: widen the range then; else give an entry for this version",
				"values are for chart %s %s, and the chart is %s", c.Name, s.For, version)
		}
	}
}

// layFitting lays those entries of an overlay over a chart that are for its
// version. Where it has entries for other versions alone, the last of them is laid:
// what is not for the chart is told when all documents have been laid, since
// one of them may bring the version that they are for.
func layFitting(under Chart, entries []Chart) Chart {
	fits := func(over Chart) bool {
		version := over.Version
		if version == "" {
			version = under.Version
		}
		return version == "" || ValueSet{For: over.For, chart: over.Name}.Fits(version)
	}
	ranged := slices.DeleteFunc(slices.Clone(entries), func(over Chart) bool { return over.For == "" })
	none := !slices.ContainsFunc(ranged, fits)
	for i, over := range entries {
		isLastOfRanged := !slices.ContainsFunc(entries[i+1:], func(next Chart) bool { return next.For != "" })
		if over.For == "" || fits(over) || none && isLastOfRanged {
			under = layChart(under, over)
		}
	}
	return under
}

// checkRendered makes sure that what is said of a chart's values can be so.
func (c LockedChart) checkRendered() error {
	if c.Rendered == nil {
		return nil
	}
	if !printable.IsLine(c.Rendered.Namespace) {
		return fmt.Errorf("chart %s was rendered for namespace %.80q, which is not one line of printable characters",
			c.Name, c.Rendered.Namespace)
	}
	for _, v := range c.Rendered.Values {
		switch {
		case v.From == "":
			return fmt.Errorf("chart %s was rendered with values from nowhere", c.Name)
		case v.Secret && (v.Path != "" || v.Digest != ""):
			return fmt.Errorf("chart %s was rendered with secrets %.80q, which cannot be carried", c.Name, v.From)
		case v.Path != "" && !strings.HasPrefix(string(v.Path), "values/"):
			return fmt.Errorf("chart %s was rendered with %.80q, which is not below values/", c.Name, v.Path)
		case v.For == "" && v.Other:
			return fmt.Errorf("chart %s was rendered with %.80q, which is for other versions and does not say which", c.Name, v.From)
		}
	}
	return nil
}

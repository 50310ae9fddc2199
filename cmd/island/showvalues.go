package main

import (
	"slices"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
)

// valuesList are the values that charts were rendered with.
type valuesList []chartValues

type chartValues struct {
	Chart    string                    `json:"chart"`
	Version  string                    `json:"version"`
	Rendered manifests.LockedRendering `json:"rendered"`
}

func valuesOf(lock *manifests.Lock) valuesList {
	list := valuesList{}
	for _, chart := range lock.Charts {
		if chart.Rendered != nil {
			list = append(list, chartValues{chart.Name, chart.Version, *chart.Rendered})
		}
	}
	return list
}

func (l valuesList) text(w *printable.Printer) {
	table(w, "CHART|VERSION|VALUES|FOR|DIGEST|IN THE BUNDLE", func(row func(...string)) {
		for _, c := range l {
			for _, v := range c.Rendered.Values {
				from, digest, carried := v.From, orDash(v.Digest.Short()), orDash(string(v.Path))
				if v.Secret {
					from += " (secret)"
				}
				if v.Rendering != "" {
					from += " (rendering " + v.Rendering + ")"
				}
				row(c.Chart, c.Version, from, whatFor(v), digest, carried)
			}
		}
	})
}

// whatFor says for which versions values are.
func whatFor(v manifests.LockedValues) string {
	switch {
	case v.For == "":
		return "not said"
	case v.Other:
		return v.For + ": NOT THIS ONE"
	default:
		return v.For
	}
}

// withOtherValues names the charts that were rendered with values for other
// versions.
func withOtherValues(lock *manifests.Lock) []string {
	var names []string
	for _, chart := range lock.Charts {
		isOther := func(v manifests.LockedValues) bool { return v.Other }
		if chart.Rendered != nil && slices.ContainsFunc(chart.Rendered.Values, isOther) {
			names = append(names, chartLabel(chart))
		}
	}
	return names
}

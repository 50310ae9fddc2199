package manifests

import "strings"

// Likeness is how much two versions of a chart have in common.
type Likeness int

// From nothing at all to the same in all but spelling.
const (
	OtherVersion Likeness = iota
	SameButBuild          // one of them leaves its build metadata out
	SameVersion
)

// CompareChartVersions compares versions of charts by what Helm makes of them: a
// leading "v" says nothing, nor does a part that is zero and left out (1.2 is
// 1.2.0). Build metadata has no part in precedence (Semantic Versioning 2.0.0,
// 10), so that it may be left out; where both name it, it has to be the same.
func CompareChartVersions(a, b string) Likeness {
	numbersOfA, restOfA, buildOfA := splitChartVersion(a)
	numbersOfB, restOfB, buildOfB := splitChartVersion(b)
	switch {
	case numbersOfA != numbersOfB || restOfA != restOfB:
		return OtherVersion
	case buildOfA == buildOfB:
		return SameVersion
	case buildOfA == "" || buildOfB == "":
		return SameButBuild
	default:
		return OtherVersion
	}
}

// ChartVersionNumbers returns what every spelling of a version has in it: its
// numbers, but for zeros at their end.
func ChartVersionNumbers(version string) string {
	numbers, _, _ := splitChartVersion(version)
	return numbers
}

// ChartTag returns the tag that Helm makes of a chart's version in a registry: "_" is
// written for the "+", which a tag cannot have.
func ChartTag(version string) string { return strings.ReplaceAll(version, "+", "_") }

func splitChartVersion(version string) (numbers, preRelease, build string) {
	version, build, _ = strings.Cut(strings.TrimPrefix(version, "v"), "+")
	numbers, preRelease, _ = strings.Cut(version, "-")
	for strings.HasSuffix(numbers, ".0") {
		numbers = strings.TrimSuffix(numbers, ".0")
	}
	return numbers, preRelease, build
}

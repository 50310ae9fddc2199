package manifests

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Order says where one version stands to another.
type Order int

// The orders. The zero value is that of versions which do not tell.
const (
	Unordered Order = iota
	Earlier
	SamePlace // build metadata may differ
	Later
)

// OrderVersions says where version a of a chart stands to version b. The chart is
// empty for what is none, such as a release. It is the one comparison of versions in
// this program; what is to come before what in deliveries is said by their sequence
// alone.
//
// Numbers decide first, and a leading "v", zeros that are left out and build metadata
// say nothing, as in Semantic Versioning 2.0.0, section 11. What follows a dash is
// ordered as Wire writes it, read off the history of build.json in all branches of
// wireapp/wire-builds and the tags of wireapp/wire-server:
//
//   - X.Y.Z-pre.N of the charts of wire-server is built from the branch of release
//     X.Y.Z, after it: 5.14.0 (April 2025) was followed by 5.14.0-pre.2 to -pre.7
//     (September 2025 to August 2026), 5.32.0 by 5.32.0-pre.3, and the commit of the
//     tag chart/5.14.0 is an ancestor of that of chart/5.14.0-pre.2. The other way
//     round it never came. It stands between X.Y.Z and X.Y.(Z+1).
//   - Elsewhere alpha, beta, rc, pre and plain numbers come before the release, as
//     semver has it: team-settings went from 0.17.7-pre.3 to 0.17.7, and build.json
//     itself counts 1.0.0-143, 1.0.0-144.
//   - Counters grow as numbers, also where they are written without a dot
//     (0.1.0-pre100000) or have another behind them (federation-wireapp.36 comes before
//     federation-wireapp.36.2, and that before federation-wireapp.37).
//   - Any other word is the name of a branch or a fork: 1.0.0-zulu.2246 and 1.0.0-144,
//     4.6.2-federation-wireapp.55 and 4.6.2 are [Unordered].
//
// What is no version is Unordered with all but itself.
func OrderVersions(chart, a, b string) Order {
	left, errLeft := parseVersion(chart, a)
	right, errRight := parseVersion(chart, b)
	switch {
	case errLeft != nil || errRight != nil:
		if a == b {
			return SamePlace
		}
		return Unordered
	case sameNumbers(left.key, right.key) && !sameLine(left.key, right.key):
		return Unordered
	}
	return SamePlace + Order(left.key.Compare(right.key))
}

// version is a version as it is written, and as semver has to see it to order it as
// Wire means it.
type version struct {
	text string
	key  *semver.Version
}

// afterRelease are the charts that wireapp/wire-server publishes under one version,
// whose X.Y.Z-pre.N comes after X.Y.Z: those that its branch "offline" pins together
// (wireapp/wire-builds, README.md, "Charts that get pinned together") and those
// that the history of build.json shows with such a version.
var afterRelease = []string{
	"aws-ingress", "backoffice", "calling-test", "cassandra-external", "databases-ephemeral", "demo-smtp", "elasticsearch-curator",
	"elasticsearch-ephemeral", "elasticsearch-external", "fake-aws", "fake-aws-s3", "fake-aws-sqs", "fluent-bit",
	"ingress-nginx-controller", "k8ssandra-test-cluster", "kibana", "ldap-scim-bridge", "minio-external",
	"nginx-ingress-controller", "nginx-ingress-services", "rabbitmq", "rabbitmq-external", "reaper", "redis-cluster",
	"redis-ephemeral", "restund", "wire-ingress", "wire-server", "wire-server-enterprise",
}

var (
	builtAfter = regexp.MustCompile(`^pre\.[0-9]+$`)
	counted    = regexp.MustCompile(`^([A-Za-z-]*[A-Za-z])([0-9]+)$`)
	milestones = []string{"alpha", "beta", "pre", "rc"}
)

// parseVersion reads a version. One that is built after its release becomes a
// pre-release of the next patch, the first that there can be.
func parseVersion(chart, text string) (version, error) {
	v, err := semver.NewVersion(text)
	if err != nil {
		return version{text: text}, err
	}
	patch, suffix := v.Patch(), splitCounters(v.Prerelease())
	if builtAfter.MatchString(suffix) && slices.Contains(afterRelease, chart) {
		patch, suffix = patch+1, "0."+suffix
	}
	return version{text, semver.New(v.Major(), v.Minor(), patch, suffix, "")}, nil
}

// splitCounters puts a dot before counters that have none, so that they are compared
// as numbers. One that begins with zero, or is longer than any counter, stays a part of
// its word.
func splitCounters(suffix string) string {
	if suffix == "" {
		return ""
	}
	parts := strings.Split(suffix, ".")
	for i, part := range parts {
		if match := counted.FindStringSubmatch(part); match != nil {
			if n, err := strconv.ParseUint(match[2], 10, 63); err == nil && strconv.FormatUint(n, 10) == match[2] {
				parts[i] = match[1] + "." + match[2]
			}
		}
	}
	return strings.Join(parts, ".")
}

func sameNumbers(a, b *semver.Version) bool {
	return a.Major() == b.Major() && a.Minor() == b.Minor() && a.Patch() == b.Patch()
}

func sameMinor(a, b *semver.Version) bool { return a.Major() == b.Major() && a.Minor() == b.Minor() }

// sameLine reports whether two versions of the same numbers are of one line, so that
// one of them is the later.
func sameLine(a, b *semver.Version) bool { return lineOf(a) == lineOf(b) }

// lineOf returns the name of the branch or fork that a version is of; empty for a
// release and what leads to it.
func lineOf(v *semver.Version) string {
	word, _, _ := strings.Cut(v.Prerelease(), ".")
	if _, err := strconv.ParseUint(word, 10, 64); err == nil || slices.Contains(milestones, word) {
		return ""
	}
	return word
}

// inRange reports whether a version of a chart is in a range. What is ordered otherwise
// than semver has it is in the range where its place is; what is named exactly always is.
func inRange(text string, v version) bool {
	constraint, err := versionRange(text)
	return err == nil && (constraint.Check(v.key) || text == v.text)
}

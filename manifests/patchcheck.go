package manifests

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/islandbundle/island/manifests/fault"
)

// maxPatchText is the most that a text for people may hold, in bytes.
const maxPatchText = 16 << 10

var (
	patchID         = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	vulnerabilityID = regexp.MustCompile(`^[A-Z][A-Z0-9]*-[A-Za-z0-9][A-Za-z0-9._-]{0,60}$`)
	cveID           = regexp.MustCompile(`^CVE-[0-9]{4}-[0-9]{4,19}$`) // CVE record format 5, cveId
)

// check reports everything that is wrong with a patch by itself.
func (p *Patch) check() error {
	c := &checker{release: &Release{sources: documents{p.source}}, flaws: &fault.Flaws{}}
	p.checkMetadata(c)
	p.checkRelations(c)
	p.checkChanges(c)
	return c.flaws.Err()
}

func (p *Patch) checkMetadata(c *checker) {
	m := p.Metadata
	c.want(patchID.MatchString(m.ID), "metadata.id", "such as WIRE-2026-001",
		"patch id %.80q is not up to 64 letters, digits, dots, dashes and underscores", m.ID)
	c.want(!m.Date.IsZero(), "metadata.date", "", "patch has no date")
	c.want(m.Severity != "", "metadata.severity", "one of none, low, medium, high, critical", "patch has no severity")
	c.want(m.Summary.En != "", "metadata.summary.en", "one sentence for those who have to decide", "patch has no English summary")
	c.want(m.Deadline.IsZero() || !m.Deadline.Time().Before(m.Date.Time()), "metadata.deadline", "",
		"deadline %s is before the patch's date %s", m.Deadline, m.Date)
	c.text("metadata.summary", m.Summary)
	c.text("steps", p.Steps)
	seen := map[string]bool{}
	for i, v := range m.Vulnerabilities {
		field := fmt.Sprintf("metadata.vulnerabilities[%d]", i)
		c.want(vulnerabilityID.MatchString(v.ID) && (!strings.HasPrefix(v.ID, "CVE-") || cveID.MatchString(v.ID)), field+".id",
			"such as CVE-2026-12345 or GHSA-xxxx-xxxx-xxxx", "%.80q is not a public identifier of a vulnerability", v.ID)
		c.want(!seen[v.ID], field+".id", "", "%s is named twice", v.ID)
		seen[v.ID] = true
		err := v.CVSS.check()
		c.want(err == nil, field+".cvss", "", "%v", err)
		c.want(err != nil || m.Severity == "" || m.Severity.Rank() >= v.CVSS.Severity().Rank(), "metadata.severity", "",
			"severity is %s, but %s scores %.1f, which is %s", m.Severity, v.ID, v.CVSS.Score, v.CVSS.Severity())
		for j, advisory := range v.Advisories {
			u, err := url.Parse(advisory)
			c.want(err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil, fmt.Sprintf("%s.advisories[%d]", field, j), "",
				"advisory %.200q is not an https:// URL", advisory)
		}
	}
}

func (c *checker) text(field string, text Text) {
	c.want(len(text.En) <= maxPatchText && len(text.De) <= maxPatchText, field, "", "text is longer than %s", Bytes(maxPatchText))
}

func (p *Patch) checkRelations(c *checker) {
	c.want(releaseName.MatchString(p.AppliesTo.Release), "appliesTo.release", "the release's metadata.name, such as wire",
		"patch does not say which release it is for")
	if _, err := versionRange(p.AppliesTo.Versions); err != nil {
		c.want(false, "appliesTo.versions", "such as >=2026.1.0 <2026.2.0", "%v", err)
	}
	c.want(p.Release.Version == "" || releaseVersion.MatchString(p.Release.Version), "release.version", "such as 2026.1.1",
		"version %.80q is not usable in a file name", p.Release.Version)
	for _, list := range []struct {
		field string
		ids   []string
	}{{"requires", p.Requires}, {"supersedes", p.Supersedes}, {"conflicts", p.Conflicts}} {
		for i, id := range list.ids {
			at := fmt.Sprintf("%s[%d]", list.field, i)
			c.want(patchID.MatchString(id), at, "", "%.80q is not the id of a patch", id)
			c.want(id != p.ID(), at, "", "patch %s names itself", id)
		}
	}
	for _, id := range p.Conflicts {
		c.want(!slices.Contains(p.Requires, id), "conflicts", "", "patch %s is required and in conflict at once", id)
	}
}

// versionRange reads a range of release versions. A pre-release such as
// 1.0.0-144, which is what Wire's build.json has, is a version like any other.
func versionRange(text string) (*semver.Constraints, error) {
	if text == "" {
		return nil, errors.New("no range of release versions is given")
	}
	constraint, err := semver.NewConstraint(text)
	if err != nil {
		return nil, fmt.Errorf("%.80q is not a range of versions", text)
	}
	constraint.IncludePrerelease = true
	return constraint, nil
}

// For reports whether the patch is for a version of a release. A version that is
// not a semantic one has to be named exactly.
func (a Applicability) For(name, version string) bool {
	if a.Release != name {
		return false
	}
	if a.Versions == version {
		return true
	}
	have, err := parseVersion("", version)
	return err == nil && inRange(a.Versions, have)
}

func (p *Patch) checkChanges(c *checker) {
	for _, part := range []struct {
		prefix string
		parts  Release
	}{
		{"changes.", Release{Charts: p.Changes.Charts, Files: p.Changes.Files}},
		{"changes.add.", Release{Charts: p.Changes.Add.Charts, Images: p.Changes.Add.Images, Files: p.Changes.Add.Files}},
	} {
		part.parts.sources = c.release.sources
		sub := &checker{release: &part.parts, prefix: part.prefix, flaws: c.flaws}
		sub.images()
		sub.files()
		names := map[string]bool{}
		for i := range part.parts.Charts {
			chart := &part.parts.Charts[i]
			sub.want(chartName.MatchString(chart.Name), fmt.Sprintf("charts[%d].name", i), "",
				"chart name %.80q is not a lowercase DNS name", chart.Name)
			sub.want(!names[chart.Name], fmt.Sprintf("charts[%d].name", i), "", "chart %s is named twice", chart.Name)
			names[chart.Name] = true
			sub.chartVersion(chart)
			sub.chartParts(chart)
			sub.renderings(chart)
			sub.patchedValues(chart)
		}
	}
	p.checkOverrides(c)
	ch := p.Changes
	c.want(len(ch.Charts)+len(ch.Images)+len(ch.Files)+len(ch.Add.Charts)+len(ch.Add.Images)+len(ch.Add.Files)+
		len(ch.Remove.Charts)+len(ch.Remove.Images)+len(ch.Remove.Files) > 0, "changes",
		"give charts, images or files, or those to add or remove", "patch changes nothing")
	c.want(len(claims(p)) == len(uniqueClaims(p)), "changes", "", "patch changes one thing twice")
}

var errDeep = fmt.Errorf("it has more than %d keys", maxValuesDepth)

// patchedValues reports what cannot reach a site as values.
func (c *checker) patchedValues(chart *Chart) {
	for i, name := range chart.Values {
		if isURL(name) {
			c.flaws.Add(chart.Place(fmt.Sprintf(".values[%d]", i)), "fetch it, and name the file", "values file %q is a URL", BareName(name))
		}
	}
	for i, r := range chart.Renderings {
		if r.Name != "" && !chartName.MatchString(r.Name) {
			c.flaws.Add(chart.Place(fmt.Sprintf(".renderings[%d].name", i)), "its values are in the bundle under this name",
				"rendering %.80q of a patch is not a lowercase DNS name", r.Name)
		}
	}
}

// coverage is what overrides are for: repositories as a whole, and repositories
// of which they name some image. A document may hold some ten thousand overrides,
// so that each is not compared with each.
type coverage struct{ whole, some map[string]bool }

func newCoverage() coverage {
	return coverage{whole: map[string]bool{}, some: map[string]bool{}}
}

// overlaps reports whether a repository as a whole meets one of its images, or
// itself.
func (c coverage) overlaps(ref ImageRef, whole bool) bool {
	return c.whole[ref.Name()] || (whole && c.some[ref.Name()])
}

func (c coverage) add(ref ImageRef, whole bool) {
	if whole {
		c.whole[ref.Name()] = true
	} else {
		c.some[ref.Name()] = true
	}
}

func (p *Patch) checkOverrides(c *checker) {
	repositories := newCoverage()
	for i, o := range p.Changes.Images {
		field := fmt.Sprintf("changes.images[%d]", i)
		ref, repository, err := o.ref()
		c.want(err == nil, field+".image", "", "%v", err)
		c.want(o.Tag != "" || o.Digest != "", field, "", "override of %.200s gives neither tag nor digest", o.Image)
		c.want(o.Tag == "" || imageTag.MatchString(o.Tag), field+".tag", "", "%.140q is not a tag", o.Tag)
		c.want(err != nil || repository || o.Target(ref) != ref, field, "give another tag or digest than the image has",
			"override of %s changes nothing", o.Image)
		c.want(err != nil || !repositories.overlaps(ref, repository), field+".image", "name each image exactly",
			"another override of the patch is for %s as well", ref.Name())
		repositories.add(ref, repository)
		for j, v := range o.Values {
			at := fmt.Sprintf("%s.values[%d]", field, j)
			c.want(chartName.MatchString(v.Chart), at+".chart", "", "%.80q is not the name of a chart", v.Chart)
			keys, err := SplitPath(v.Path)
			if err == nil && len(keys) > maxValuesDepth {
				err = errDeep
			}
			c.want(err == nil, at+".path", "keys joined by dots, such as brig.image.tag", "%.200q is not the path of a value: %v", v.Path, err)
		}
	}
}

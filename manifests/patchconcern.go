package manifests

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/manifests/fault"
)

// PatchConcern is something that whoever makes a patch of two releases should look at
// before it goes out.
type PatchConcern struct {
	Kind  string `json:"kind"`            // one of the Concern constants
	Chart string `json:"chart,omitempty"` // that it is about, if it is about one
	Text  string `json:"text"`            // in English
}

// Kinds of concern.
const (
	ConcernDowngrade = "downgrade"     // a version is earlier, or semver and Helm take it for earlier
	ConcernOrder     = "order-unknown" // which version is later cannot be told
	ConcernUpgrade   = "upgrade"       // the way from one version to the other is not known, or there is none, or it has several steps
	ConcernMinor     = "minor-crossed" // minor releases are crossed, and nobody has said what that takes
	ConcernTakes     = "takes"         // how much it takes
	ConcernBehind    = "left-behind"   // what is of one build with what is taken
	ConcernImage     = "image"         // an image that comes along
	ConcernVanished  = "vanished"      // a chart is gone
	ConcernMoved     = "moved"         // a chart comes from another repository
	ConcernContent   = "same-version"  // a chart has the same version and another content
	ConcernStays     = "stays"         // what the newer release does not say of a chart any more, and the patch leaves
	ConcernNotTaken  = "not-taken"     // what else differs between the releases
	ConcernNotLooked = "not-looked"    // what could not be looked at
)

// concerns collects what there is to say of a patch.
type concerns struct {
	older, newer *Release
	patch        *Patch
	list         []PatchConcern
}

func (c *concerns) add(kind, chart, format string, args ...any) {
	c.list = append(c.list, PatchConcern{kind, chart, fmt.Sprintf(format, args...)})
}

// PatchConcerns returns what is to be looked at in a patch that [PatchFrom] has made,
// as far as the documents tell: in the order of the kinds. Named says whether its charts
// were named; upgrades are the steps that count for the newer release.
func PatchConcerns(older, newer *Release, p *Patch, named bool, upgrades *Upgrades) []PatchConcern {
	c := &concerns{older: older, newer: newer, patch: p}
	for _, is := range p.Changes.Charts {
		c.order(*older.ChartNamed(is.Name), is)
	}
	c.upgrade(upgrades)
	c.minors(upgrades.Chart)
	c.takes(named)
	c.leftBehind()
	for _, name := range p.Changes.Remove.Charts {
		c.add(ConcernVanished, name, "%s %s is not in the newer release: the patch removes it, and its images",
			name, older.ChartNamed(name).Version)
	}
	c.moved()
	for _, is := range p.Changes.Charts {
		c.content(*older.ChartNamed(is.Name), is)
	}
	return c.list
}

// order says where a version goes back, or seems to.
func (c *concerns) order(was, is Chart) {
	switch order := OrderVersions(is.Name, was.Version, is.Version); {
	case was.Version == is.Version:
	case order == Later:
		c.add(ConcernDowngrade, is.Name, "%s %s to %s is a downgrade", is.Name, was.Version, is.Version)
	case order == Unordered:
		c.add(ConcernOrder, is.Name, "%s %s to %s: which is the later cannot be told from their names", is.Name, was.Version, is.Version)
	case readsEarlier(is.Version, was.Version):
		c.add(ConcernDowngrade, is.Name, "%s %s to %s is a downgrade to semver and Helm; Wire builds such versions of this chart "+
			"from the release's branch, after the release: look at the two commits", is.Name, was.Version, is.Version)
	}
}

// upgrade says what is known of the way that sites have to go.
func (c *concerns) upgrade(u *Upgrades) {
	from, to := c.older.Metadata.Version, c.newer.Metadata.Version
	if u.Chart != "" {
		was, at := c.older.ChartNamed(u.Chart), slices.IndexFunc(c.patch.Changes.Charts, func(is Chart) bool { return is.Name == u.Chart })
		if was == nil || at < 0 {
			return
		}
		from, to = was.Version, c.patch.Changes.Charts[at].Version
	}
	path, err := u.Path(from, to, SiteFacts{})
	switch {
	case OrderVersions(u.Chart, from, to) != Earlier: // told already
	case err != nil:
		c.add(ConcernUpgrade, u.Chart, "%v", err)
	case !path.Known():
		c.add(ConcernUpgrade, u.Chart, "%s", words.English().Text(path.Unknown))
	case len(path.Hops) > 1:
		c.add(ConcernUpgrade, u.Chart, "%s to %s takes %d steps, the first to %s: a site cannot take it at once",
			from, to, len(path.Hops), path.Hops[0].To)
	}
}

// minors tells of charts whose minor releases are crossed, but for the one whose steps
// are known.
func (c *concerns) minors(known string) {
	var crossed []string
	for _, is := range c.patch.Changes.Charts {
		was := c.older.ChartNamed(is.Name)
		a, errA := semver.NewVersion(was.Version)
		b, errB := semver.NewVersion(is.Version)
		if is.Name != known && errA == nil && errB == nil && !sameMinor(a, b) {
			crossed = append(crossed, fmt.Sprintf("%s %s to %s", is.Name, was.Version, is.Version))
		}
	}
	if len(crossed) > 0 {
		c.add(ConcernMinor, "", "minor releases are crossed, and no steps are known for it: %s", strings.Join(crossed, ", "))
	}
}

// takes says how much the patch takes, and why.
func (c *concerns) takes(named bool) {
	ch := c.patch.Changes
	if n := len(ch.Charts) + len(ch.Add.Charts) + len(ch.Remove.Charts); named || n < 2 {
		return
	}
	builds, alone := map[string][]string{}, []string{}
	for _, is := range ch.Charts {
		builds[is.Meta.Commit] = append(builds[is.Meta.Commit], is.Name)
	}
	var parts []string
	for _, commit := range sortedKeys(builds) {
		if of := builds[commit]; commit != "" && len(of) > 1 {
			parts = append(parts, fmt.Sprintf("%d of one build (commit %.12s): %s", len(of), commit, strings.Join(of, ", ")))
		} else {
			alone = append(alone, of...)
		}
	}
	slices.Sort(alone)
	for _, list := range []struct {
		what  string
		names []string
	}{{"changed on their own: ", alone}, {"added: ", chartNames(&Release{Charts: ch.Add.Charts})}, {"removed: ", ch.Remove.Charts}} {
		if len(list.names) > 0 {
			parts = append(parts, list.what+strings.Join(list.names, ", "))
		}
	}
	c.add(ConcernTakes, "", "it takes %s, all that differ, since --charts names none: %s",
		fault.Counted(len(ch.Charts)+len(ch.Add.Charts)+len(ch.Remove.Charts), "chart", "charts"), strings.Join(parts, "; "))
}

// leftBehind tells of charts that are of one build with one that is taken, and are not
// taken.
func (c *concerns) leftBehind() {
	taken := map[string]bool{}
	builds := map[string]string{} // commit → chart
	for _, is := range slices.Concat(c.patch.Changes.Charts, c.patch.Changes.Add.Charts) {
		taken[is.Name] = true
		if is.Meta.Commit != "" {
			builds[is.Meta.Commit] = is.Name
		}
	}
	behind := map[string][]string{}
	for _, is := range c.newer.Charts {
		was := c.older.ChartNamed(is.Name)
		if with := builds[is.Meta.Commit]; with != "" && !taken[is.Name] && (was == nil || !sameChart(*was, is)) {
			behind[with] = append(behind[with], is.Name)
		}
	}
	for _, with := range sortedKeys(behind) {
		c.add(ConcernBehind, with, "of one build with %s are %d more that differ, and are not taken: %s", with, len(behind[with]),
			strings.Join(behind[with], ", "))
	}
}

// moved says which charts come from another place.
func (c *concerns) moved() {
	ways := map[string][]string{}
	for _, is := range c.patch.Changes.Charts {
		was := c.older.ChartNamed(is.Name)
		if a, b := BareURL(was.Repo+was.Path), BareURL(is.Repo+is.Path); a != b {
			way := b + ", not " + a
			ways[way] = append(ways[way], is.Name)
		}
	}
	for _, way := range sortedKeys(ways) {
		chart := ""
		if len(ways[way]) == 1 {
			chart = ways[way][0]
		}
		c.add(ConcernMoved, chart, "%s from another repository: %s", strings.Join(ways[way], ", "), way)
	}
}

// content says where a chart is another of the same version.
func (c *concerns) content(was, is Chart) {
	if was.Version != is.Version {
		return
	}
	switch a, b := was.Meta.Commit, is.Meta.Commit; {
	case a != b && a != "" && b != "":
		c.add(ConcernContent, is.Name, "%s is %s in both releases, of other commits: %.12s and %.12s", is.Name, is.Version, a, b)
	case a != b:
		c.add(ConcernContent, is.Name, "%s is %s in both releases, and one of them does not say of which commit", is.Name, is.Version)
	}
}

// draftMark begins a text that nobody has written yet.
const draftMark = "DRAFT"

var isDraft = regexp.MustCompile(`(?m)^\s*` + draftMark + `\b`)

// Draft puts a draft in the place of a text that is not there, so that nobody forgets it:
// a patch with one is neither signed nor resolved.
func (t *Text) Draft(en, de string) {
	if t.IsZero() {
		*t = Text{En: draftMark + ": " + en, De: draftMark + ": " + de}
	}
}

// Drafts reports the texts of a patch that are drafts still, each as a Usage error with
// its place.
func (p *Patch) Drafts() error {
	flaws := &fault.Flaws{}
	for _, text := range []struct{ field, text string }{
		{"metadata.summary.en", p.Metadata.Summary.En},
		{"metadata.summary.de", p.Metadata.Summary.De},
		{"steps.en", p.Steps.En},
		{"steps.de", p.Steps.De},
	} {
		if isDraft.MatchString(text.text) {
			flaws.Add(p.Place(text.field), "write it, or take it out: a line that begins with "+draftMark+" does not go to a site",
				"patch %s has the draft of a text", p.ID())
		}
	}
	return flaws.Err()
}

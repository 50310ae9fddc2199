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

var (
	releaseName    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	releaseVersion = regexp.MustCompile(fmt.Sprintf(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,%d}$`, maxVersion-1))
	chartName      = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$`)
	fileMode       = regexp.MustCompile(`^0[0-7]{3}$`)
	aliasName      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)
)

// Check reports everything that is wrong with a release that is about to be
// resolved, each flaw with its place. Repository aliases are replaced by the
// URLs that they stand for.
func (r *Release) Check() error {
	c := &checker{release: r, flaws: &fault.Flaws{}}
	c.metadata()
	for i := range r.Charts {
		c.chart(&r.Charts[i])
	}
	c.chartsOnce()
	c.paths()
	return c.flaws.Err()
}

// paths refuses charts and files that would not be files of their own in every bundle,
// wherever it is unpacked.
func (c *checker) paths() {
	places := map[EntryPath]fault.Place{}
	var paths []EntryPath
	add := func(path EntryPath, place fault.Place) {
		places[path], paths = place, append(paths, path)
	}
	charts := map[string]bool{}
	for i := range c.release.Charts {
		chart := &c.release.Charts[i]
		key := chart.Name + " " + chart.Version
		if chart.Version != "" && !charts[key] { // one that is named twice is told already, and one without: its Chart.yaml says
			add(ChartPath(chart.Name, chart.Version), chart.Place(""))
		}
		charts[key] = true
	}
	for _, file := range c.release.Files {
		add(EntryPath("files/"+file.Destination), file.Place(".destination"))
	}
	for _, clash := range PathClashes(paths) {
		c.flaws.Add(places[clash.Second], "give one of them another name", "the bundle could not be unpacked everywhere: %w", clash)
	}
}

// ChartPath returns where the archive of a chart stands in a bundle. It is not
// checked.
func ChartPath(name, version string) EntryPath {
	return EntryPath("charts/" + name + "-" + version + ".tgz")
}

// checkParts reports what is wrong with the parts that mean the same whatever
// they are laid over. It runs on each document by itself, where places hold.
func (r *Release) checkParts() error {
	c := &checker{release: r, flaws: &fault.Flaws{}}
	c.skips()
	c.upgrades("metadata.upgrades", r.Metadata.Upgrades)
	c.support()
	c.attachments()
	c.images()
	c.files()
	for i, folder := range r.Values {
		field := fmt.Sprintf("values[%d]", i)
		c.want(folder.Path != "", field+".path", "", "values folder has no path")
		if folder.Destination != "" {
			_, err := ParseEntryPath("values/" + folder.Destination)
			c.want(err == nil, field+".destination", "", "%v", err)
		}
	}
	c.discovery(r.Discovery)
	for i := range r.Charts {
		c.chartParts(&r.Charts[i])
		c.renderings(&r.Charts[i])
	}
	for i, image := range r.Allow {
		c.want(image.Image != "" && image.Reason != "", fmt.Sprintf("allow[%d]", i),
			"say which image and why", "allowance wants both image and reason")
	}
	c.patterns("exclude", r.Exclude)
	for _, name := range sortedKeys(r.Profiles) {
		c.patterns("profiles."+name+".exclude", r.Profiles[name].Exclude)
	}
	return c.flaws.Err()
}

type checker struct {
	release *Release
	prefix  string // of the fields, where the release's parts stand below others of a document
	flaws   *fault.Flaws
}

func (c *checker) want(ok bool, field, hint, format string, args ...any) {
	if !ok {
		c.flaws.Add(c.release.sources.place(c.prefix+field), hint, format, args...)
	}
}

func (c *checker) metadata() {
	m := c.release.Metadata
	c.want(releaseName.MatchString(m.Name), "metadata.name", "give metadata.name or --name, such as wire",
		"release name %q is not a lowercase DNS label", m.Name)
	c.want(releaseVersion.MatchString(m.Version), "metadata.version", "give metadata.version or --release-version, such as 2026.1",
		"release version %q is missing or not usable in a file name", m.Version)
	err := m.Sequence.check()
	c.want(err == nil, "metadata.sequence", "", "%v", err)
	c.want(!m.Date.IsZero(), "metadata.date", "give metadata.date or --date, such as 2026-03-31; every time in the bundle is that day",
		"release date is missing")
	c.want(m.Expires.IsZero() || m.Expires.Time().After(m.Date.Time()), "metadata.expires", "",
		"release expires on %s, which is not after its date %s", m.Expires, m.Date)
	if m.UpgradeFrom.Range != "" {
		_, err := versionRange(m.UpgradeFrom.Range)
		c.want(err == nil, "metadata.upgradeFrom.range", "such as >=5.28.0 <5.30.0", "upgrade range: %v", err)
	}
	c.want(len(c.release.Platforms) > 0, "platforms", "give platforms or --platform, such as linux/amd64", "no platform is named")
	for i, platform := range c.release.Platforms {
		usual := platform.Usual()
		c.want(platform == usual, fmt.Sprintf("platforms[%d]", i), "write "+usual.String(), "platform %s is spelled otherwise", platform)
		twice := slices.ContainsFunc(c.release.Platforms[:i], platform.Same)
		c.want(!twice, fmt.Sprintf("platforms[%d]", i), "", "platform %s is named twice", platform)
	}
	c.kubeVersion("defaults.kubeVersion", c.release.Defaults.KubeVersion)
}

func (c *checker) skips() {
	for i, skip := range c.release.Metadata.UpgradeFrom.Skip {
		c.skip(fmt.Sprintf("metadata.upgradeFrom.skip[%d]", i), skip)
	}
}

func (c *checker) kubeVersion(field, version string) {
	if version != "" {
		_, err := semver.NewVersion(version)
		c.want(err == nil, field, "such as 1.29.10", "Kubernetes version %q is not a version", version)
	}
}

func (c *checker) chart(chart *Chart) {
	want := func(ok bool, sub, hint, format string, args ...any) {
		if !ok {
			c.flaws.Add(chart.Place(sub), hint, format, args...)
		}
	}
	want(chartName.MatchString(chart.Name), ".name", "", "chart name %q is not a lowercase DNS name", chart.Name)
	want((chart.Repo == "") != (chart.Path == ""), ".repo", "give either repo or path", "chart wants one of repo and path")
	if chart.Repo != "" {
		want(chart.Version != "", ".version", "an empty version would mean the latest, which is never locked: name one", "chart has no version")
		repo, err := RepositoryURL(chart.Repo, c.release.Aliases)
		want(err == nil, ".repo", "add it to repositoryAliases in an overlay, or use an https:// or oci:// URL", "%v", err)
		if err == nil {
			chart.Repo = repo
		}
	}
	want(!isURL(chart.Path), ".path", "name a repository by repo", "path %q is a URL", BareName(chart.Path))
	for i, name := range chart.Values {
		want(!isURL(name), fmt.Sprintf(".values[%d]", i), "fetch it, and name the file", "values file %q is a URL", BareName(name))
	}
	for i, name := range chart.Secrets {
		want(!isURL(name), fmt.Sprintf(".secrets[%d]", i), "fetch it, and name the file", "secrets file %q is a URL", BareName(name))
	}
	c.chartVersion(chart)
	if chart.Version != "" {
		chart.checkValues(chart.Version, c.flaws)
	}
	if chart.KubeVersion != "" {
		_, err := semver.NewVersion(chart.KubeVersion)
		want(err == nil, ".kubeVersion", "such as 1.29.10", "Kubernetes version %q is not a version", chart.KubeVersion)
	}
}

func isURL(path string) bool { return strings.Contains(path, "://") }

func (c *checker) chartVersion(chart *Chart) {
	if chart.Version == "" {
		return
	}
	if _, err := semver.StrictNewVersion(strings.TrimPrefix(chart.Version, "v")); err != nil {
		c.flaws.Add(chart.Place(".version"), "name one exact version, no range", "chart version %q is not a semantic version", chart.Version)
	}
}

func (c *checker) chartParts(chart *Chart) {
	if chart.For != "" {
		if _, err := versionRange(chart.For); err != nil {
			c.flaws.Add(chart.Place(".for"), "such as >=5.28.0 <5.33.0", "%v", err)
		}
	}
	for i, image := range chart.Images {
		if _, err := ParseImageRef(image); err != nil && !errors.Is(err, ErrNoTag) {
			c.flaws.Add(chart.Place(fmt.Sprintf(".images[%d]", i)), "", "%w", err)
		}
	}
}

// RepositoryURL returns the URL for a chart repository as a release names it: by its
// URL, or by one of [Release.Aliases]. What may be a secret in it is not repeated in an
// error.
func RepositoryURL(repo string, aliases map[string]string) (string, error) {
	if meant, ok := aliases[repo]; ok {
		repo = meant
	}
	scheme, _, found := strings.Cut(repo, "://")
	shown := RedactURLs(repo)
	if !found {
		shown = BareName(repo)
	}
	switch {
	case !found && aliasName.MatchString(repo):
		return "", fmt.Errorf("repository %q is a bare alias that nothing explains", shown)
	case found && (scheme == "https" || scheme == "http" || scheme == "oci" || scheme == "file"):
		u, err := url.Parse(repo)
		if err != nil || (u.Host == "") != (scheme == "file") {
			return "", fmt.Errorf("repository %q is not a whole URL", shown)
		}
		if u.RawQuery == "" {
			repo = strings.TrimSuffix(repo, "/")
		}
		return repo, nil
	case found && scheme == "s3":
		return "", fmt.Errorf("repository %q is an s3:// URL, which wants an Amazon account", shown)
	default:
		return "", fmt.Errorf("repository %q is not an https://, http://, oci:// or file:// URL", shown)
	}
}

// chartsOnce refuses two charts of one name and version: a Helm repository,
// and so the bundle, can hold only one of them.
func (c *checker) chartsOnce() {
	seen := map[string]*Chart{}
	for i := range c.release.Charts {
		chart := &c.release.Charts[i]
		if chart.Version == "" {
			continue // its Chart.yaml says
		}
		key := chart.Name + " " + chart.Version
		if first := seen[key]; first != nil {
			c.flaws.Add(chart.Place(""), "leave one out, or give one another version",
				"chart %s %s is named twice: %s", chart.Name, chart.Version,
				RedactURLs(first.Repo+first.Path+" and "+chart.Repo+chart.Path))
		}
		seen[key] = chart
	}
}

func (c *checker) images() {
	for i, image := range c.release.Images {
		field := fmt.Sprintf("images[%d].name", i)
		ref, err := ParseImageRef(image.Name)
		if image.TagFromChart == "" {
			c.want(err == nil || errors.Is(err, ErrNoTag), field, "", "%v", err)
			continue
		}
		c.want(errors.Is(err, ErrNoTag), field, "leave the tag out: it is the version of the chart",
			"image %s has a tag of its own and tagFromChart (%s)", image.Name, ref.Tag)
	}
}

func (c *checker) files() {
	seen := map[string]bool{}
	for i, file := range c.release.Files {
		field := fmt.Sprintf("files[%d]", i)
		_, err := ParseEntryPath("files/" + file.Destination)
		c.want(err == nil, field+".destination", "", "%v", err)
		c.want(!seen[file.Destination], field+".destination", "", "destination %q is given twice", file.Destination)
		seen[file.Destination] = true
		c.want(isLowerHex(file.SHA256, 64), field+".sha256", "run sha256sum on the file", "sha256 %q is not 64 lowercase hex digits", file.SHA256)
		c.want(file.URL != "", field+".url", "", "file has no url")
		bare := BareName(file.URL)
		c.want(isURL(file.URL) || !strings.Contains(file.URL, "@") || bare == file.URL, field+".url", "write https:// in front of a URL",
			"url %q is neither a URL nor a path", bare)
		c.want(file.Mode == "" || fileMode.MatchString(file.Mode), field+".mode", `such as "0755"`, "mode %q is not four octal digits", file.Mode)
		c.want(file.Size >= 0, field+".size", "", "size is negative")
	}
}

func (c *checker) patterns(field string, exclude Exclusions) {
	for i, pattern := range exclude.Images {
		c.want(pattern.Pattern != "" && pattern.Reason != "", fmt.Sprintf("%s.images[%d]", field, i),
			"say why, so that the next reader need not guess", "an image to leave out wants both pattern and reason")
	}
}

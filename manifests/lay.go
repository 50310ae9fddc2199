package manifests

import (
	"cmp"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests/fault"
)

// Lay returns a new release: base with an overlay laid over it. Neither argument
// is changed.
//
// A single value of the overlay replaces that of the base, and so does the list
// of platforms; other lists are added to; charts are laid over every chart of
// the same name, files over the file of the same destination, profiles over the
// profile of the same name. What came from a chart's old repository, path or
// version goes with it: its meta, and its version where a path takes the place
// of a repository. A chart entry of the overlay that names no chart of the base
// must be whole; where skipUnknown is set it is passed over instead (the overlay
// for every Wire release knows charts that some release does not have). Of several
// entries for one chart those are laid that are for its version.
func Lay(base, overlay *Release, skipUnknown bool) (*Release, error) {
	r := *base
	r.sources = append(slices.Clone(overlay.sources), base.sources...)
	r.Metadata = layMetadata(base.Metadata, overlay.Metadata)
	r.Defaults.KubeVersion = cmp.Or(overlay.Defaults.KubeVersion, base.Defaults.KubeVersion)
	r.Defaults.APIVersions = joined(base.Defaults.APIVersions, overlay.Defaults.APIVersions)
	if len(overlay.Platforms) > 0 {
		r.Platforms = slices.Clone(overlay.Platforms)
	}
	r.Charts = slices.Clone(base.Charts)
	for i, under := range base.Charts {
		var entries []Chart
		for _, over := range overlay.Charts {
			if over.Name == under.Name {
				over.advisory = skipUnknown
				entries = append(entries, over)
			}
		}
		r.Charts[i] = layFitting(under, entries)
	}
	for _, over := range overlay.Charts {
		known := slices.ContainsFunc(base.Charts, func(under Chart) bool { return under.Name == over.Name })
		switch {
		case known || skipUnknown:
		case over.Repo == "" && over.Path == "":
			return nil, fault.At(over.Place(".name"), "name a chart of the release, or give repo or path to add one",
				"overlay chart %q is not in the release", over.Name)
		default:
			r.Charts = append(r.Charts, over)
		}
	}
	r.Images = append(slices.Clone(base.Images), overlay.Images...)
	r.Files = layFiles(base.Files, overlay.Files)
	r.Values = append(slices.Clone(base.Values), overlay.Values...)
	r.Allow = append(slices.Clone(base.Allow), overlay.Allow...)
	r.Exclude = joinExclusions(base.Exclude, overlay.Exclude)
	r.Profiles = layMap(base.Profiles, overlay.Profiles)
	r.Aliases = layMap(base.Aliases, overlay.Aliases)
	r.Policy = layPolicy(base.Policy, overlay.Policy)
	r.Attachments = layAttachments(base.Attachments, overlay.Attachments)
	r.Discovery = layDiscovery(base.Discovery, overlay.Discovery)
	return &r, nil
}

func layMetadata(under, over Metadata) Metadata {
	m := Metadata{
		Name:        cmp.Or(over.Name, under.Name),
		Version:     cmp.Or(over.Version, under.Version),
		Cycle:       cmp.Or(over.Cycle, under.Cycle),
		Date:        cmp.Or(over.Date, under.Date),
		Sequence:    cmp.Or(over.Sequence, under.Sequence),
		Expires:     cmp.Or(over.Expires, under.Expires),
		UpgradeFrom: under.UpgradeFrom,
		Support:     Support{From: cmp.Or(over.Support.From, under.Support.From), Until: cmp.Or(over.Support.Until, under.Support.Until)},
		Upgrades:    append(slices.Clone(under.Upgrades), over.Upgrades...),
	}
	m.UpgradeFrom.Range = cmp.Or(over.UpgradeFrom.Range, under.UpgradeFrom.Range)
	m.UpgradeFrom.Skip = joined(under.UpgradeFrom.Skip, over.UpgradeFrom.Skip)
	return m
}

func layChart(under, over Chart) Chart {
	c := under
	c.For, c.laid = "", slices.Concat(under.ValueSets(), over.ValueSets())
	c.entries = append(slices.Clone(over.entries), under.entries...)
	if over.Repo != "" || over.Path != "" {
		c.Repo, c.Path = over.Repo, over.Path
	}
	if over.Version != "" || over.Path != "" {
		c.Version = over.Version
	}
	if over.Repo != "" || over.Path != "" || over.Version != "" {
		c.Meta = ChartMeta{} // it told where another archive came from
	}
	c.Meta.AppVersion = cmp.Or(over.Meta.AppVersion, c.Meta.AppVersion)
	c.Meta.Commit = cmp.Or(over.Meta.Commit, c.Meta.Commit)
	c.Meta.CommitURL = cmp.Or(over.Meta.CommitURL, c.Meta.CommitURL)
	c.Namespace = cmp.Or(over.Namespace, under.Namespace)
	c.KubeVersion = cmp.Or(over.KubeVersion, under.KubeVersion)
	c.As = cmp.Or(over.As, under.As)
	c.Values = joined(under.Values, over.Values)
	c.Secrets = joined(under.Secrets, over.Secrets)
	c.APIVersions = joined(under.APIVersions, over.APIVersions)
	c.Images = joined(under.Images, over.Images)
	c.Renderings = layRenderings(under.Renderings, over.Renderings)
	c.Tags = layMap(under.Tags, over.Tags)
	c.Set = LayValues(under.Set, over.Set)
	c.Patched = append(slices.Clone(under.Patched), over.Patched...)
	return c
}

// LayValues lays one tree of chart values over another, as Helm does: objects
// are merged, everything else is replaced. Neither is changed.
func LayValues(under, over map[string]any) map[string]any {
	if len(under)+len(over) == 0 {
		return nil
	}
	result := maps.Clone(under)
	if result == nil {
		result = map[string]any{}
	}
	for key, value := range over {
		below, isObject := result[key].(map[string]any)
		above, alsoObject := value.(map[string]any)
		if isObject && alsoObject {
			value = LayValues(below, above)
		}
		result[key] = value
	}
	return result
}

// layOnto does so where the tree below is changed, and the other becomes a part of it:
// what it costs is what is laid on, however large the tree is.
func layOnto(under, over map[string]any) {
	for key, value := range over {
		below, isObject := under[key].(map[string]any)
		above, alsoObject := value.(map[string]any)
		if isObject && alsoObject {
			layOnto(below, above)
			continue
		}
		under[key] = value
	}
}

func layFiles(under, over []File) []File {
	files := slices.Clone(under)
	for _, file := range over {
		at := slices.IndexFunc(files, func(f File) bool { return f.Destination == file.Destination })
		if at < 0 {
			files = append(files, file)
		} else {
			files[at] = file
		}
	}
	return files
}

func layMap[V any](under, over map[string]V) map[string]V {
	if len(under)+len(over) == 0 {
		return nil
	}
	result := map[string]V{}
	maps.Copy(result, under)
	maps.Copy(result, over)
	return result
}

func joinExclusions(a, b Exclusions) Exclusions {
	return Exclusions{Charts: joined(a.Charts, b.Charts), Images: joined(a.Images, b.Images)}
}

// joined returns a followed by what b has beyond it.
func joined[T comparable](a, b []T) []T {
	result := slices.Clone(a)
	for _, item := range b {
		if !slices.Contains(result, item) {
			result = append(result, item)
		}
	}
	return result
}

// Rebase puts a folder in front of every relative path that the document
// names, so that documents from several folders can be laid over each other.
func (r *Release) Rebase(folder string) {
	rebase := func(name string) string {
		if name == "" || filepath.IsAbs(name) || strings.Contains(name, "://") || HasScheme(name) {
			return name
		}
		if HasScheme(folder) {
			return folder + path.Clean(name)
		}
		return filepath.ToSlash(filepath.Join(folder, name))
	}
	rebaseAll := func(lists ...*[]string) {
		for _, list := range lists {
			*list = slices.Clone(*list)
			for i := range *list {
				(*list)[i] = rebase((*list)[i])
			}
		}
	}
	for i := range r.Charts {
		c := &r.Charts[i]
		c.Path = rebase(c.Path)
		rebaseAll(&c.Values, &c.Secrets)
		c.laid = slices.Clone(c.laid)
		for j := range c.laid {
			rebaseAll(&c.laid[j].Values, &c.laid[j].Secrets)
		}
		c.Renderings = slices.Clone(c.Renderings)
		for j := range c.Renderings {
			rebaseAll(&c.Renderings[j].Values, &c.Renderings[j].Secrets)
		}
	}
	for i := range r.Values {
		r.Values[i].Path = rebase(r.Values[i].Path)
	}
	for i := range r.Attachments.Verify {
		r.Attachments.Verify[i].Key = rebase(r.Attachments.Verify[i].Key)
	}
	for i := range r.Policy.Keys {
		r.Policy.Keys[i] = rebase(r.Policy.Keys[i])
	}
	for i := range r.Files {
		r.Files[i].URL = rebase(r.Files[i].URL)
	}
}

// EmbeddedScheme stands before the name of a file that the program carries
// within itself: "wire:values/brig.yaml".
const EmbeddedScheme = "wire:"

// HasScheme reports whether a path names a file embedded in the program.
func HasScheme(name string) bool { return strings.HasPrefix(name, EmbeddedScheme) }

// Apply returns the release as one profile wants it: without the charts, images
// and groups that the profile leaves out. The empty name means no profile.
// Excluded images stay to be reported; they are matched when images are known.
func (r *Release) Apply(profile string) (*Release, []Omission, error) {
	exclude, without := r.Exclude, []string(nil)
	reason := "excluded by profile " + profile
	if profile != "" {
		p, ok := r.Profiles[profile]
		if !ok {
			return nil, nil, fault.New(fault.Usage, fault.Here, "profile "+profile,
				"known profiles: "+strings.Join(sortedKeys(r.Profiles), ", "), "no such profile")
		}
		exclude, without = joinExclusions(exclude, p.Exclude), p.Without
	}
	result, left := *r, []Omission(nil)
	result.Exclude = exclude
	result.chosen = r.Profiles[profile].Renderings
	result.Charts, result.Images, result.Files = nil, nil, nil
	for _, chart := range r.Charts {
		switch {
		case slices.Contains(r.Exclude.Charts, chart.Name):
			left = append(left, Omission{What: "chart " + chart.Name, Reason: "excluded by the release"})
		case slices.Contains(exclude.Charts, chart.Name):
			left = append(left, Omission{What: "chart " + chart.Name, Reason: reason})
		default:
			result.Charts = append(result.Charts, chart)
		}
	}
	for _, image := range r.Images {
		if slices.Contains(without, image.Group) {
			left = append(left, Omission{What: image.Name, Reason: reason + " with group " + image.Group})
		} else {
			result.Images = append(result.Images, image)
		}
	}
	for _, file := range r.Files {
		if slices.Contains(without, file.Group) {
			left = append(left, Omission{What: "file " + file.Destination, Reason: reason + " with group " + file.Group})
		} else {
			result.Files = append(result.Files, file)
		}
	}
	return &result, left, nil
}

// Matches reports whether the whole reference matches the pattern, in which *
// stands for any characters.
func (p ImagePattern) Matches(image string) bool { return MatchPattern(p.Pattern, image) }

// MatchPattern compares a whole text with a pattern, in which * stands for any
// characters and nothing else has a meaning.
func MatchPattern(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return text == pattern
	}
	rest, ok := strings.CutPrefix(text, parts[0])
	if !ok {
		return false
	}
	last := parts[len(parts)-1]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(rest, part)
		if at < 0 {
			return false
		}
		rest = rest[at+len(part):]
	}
	return strings.HasSuffix(rest, last)
}

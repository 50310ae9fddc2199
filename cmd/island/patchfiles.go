package main

import (
	"cmp"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/diff"
	"github.com/islandbundle/island/manifests/wireapp"
)

// patchFolder is the folder of a patch: what its two releases name is relative to it.
type patchFolder string

func (f patchFolder) files() manifests.PatchFiles {
	return manifests.PatchFiles{Values: f.values, Read: f.read}
}

func (f patchFolder) at(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(string(f), filepath.FromSlash(name))
}

func (f patchFolder) read(name string) ([]byte, error) {
	if manifests.HasScheme(name) {
		return fs.ReadFile(wireapp.FS(), strings.TrimPrefix(name, manifests.EmbeddedScheme))
	}
	return manifests.ReadFile(f.at(name))
}

func (f patchFolder) sources(names []string) ([]charts.ValuesSource, error) {
	var files []charts.ValuesSource
	for _, name := range names {
		data, err := f.read(name)
		if err != nil {
			return nil, err
		}
		files = append(files, charts.ValuesSource{Name: name, Data: data})
	}
	return files, nil
}

// values merges values files, and over them what is given in place.
func (f patchFolder) values(names []string, set map[string]any) (map[string]any, error) {
	files, err := f.sources(names)
	if err != nil {
		return nil, err
	}
	return charts.MergeValues(files, set)
}

// renderings are the ways in which a chart is rendered, but for secrets: with what patches
// set in it.
func (f patchFolder) renderings(chart manifests.Chart, defaults manifests.Defaults) ([]charts.Rendering, error) {
	chart.Patched = slices.Clone(chart.Patched)
	for i, p := range chart.Patched {
		values, err := f.values(p.Files, p.Set)
		if err != nil {
			return nil, err
		}
		chart.Patched[i].Values = manifests.WithTags(values, p.Tags)
	}
	chart.Over = chart.ValuesOver("")
	var all []charts.Rendering
	names, each := chart.RenderingsOf(nil)
	for i, r := range each {
		files, err := f.sources(r.Values)
		if err != nil {
			return nil, err
		}
		all = append(all, charts.Rendering{
			Name: names[i], ReleaseName: r.Name, Namespace: r.Namespace, As: charts.Event(r.As),
			Values: files, Set: manifests.LayValues(r.Set, r.Over), Tags: r.TagsUnder(), StubRequired: true,
			KubeVersion: cmp.Or(r.KubeVersion, defaults.KubeVersion), APIVersions: slices.Concat(defaults.APIVersions, r.APIVersions),
		})
	}
	return all, nil
}

// notTaken tells what differs between two releases beside their charts: no patch that is
// made of them has it.
func (f patchFolder) notTaken(older, newer *manifests.Release) []manifests.PatchConcern {
	var parts []string
	d := diff.Compare(diff.OfRelease("", withoutCharts(older)), diff.OfRelease("", withoutCharts(newer)))
	for _, c := range d.Images {
		parts = append(parts, "image "+restChange(c))
	}
	for _, c := range d.Files {
		parts = append(parts, "file "+restChange(c))
	}
	was, is := f.otherParts(older), f.otherParts(newer)
	both := maps.Clone(was)
	maps.Copy(both, is)
	for _, name := range slices.Sorted(maps.Keys(both)) {
		if !reflect.DeepEqual(was[name], is[name]) {
			parts = append(parts, name)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return []manifests.PatchConcern{{Kind: manifests.ConcernNotTaken, Text: "beside charts this differs, and is not taken " +
		"(images and files can be written below changes by hand, all else comes with the newer release alone): " + strings.Join(parts, ", ")}}
}

func withoutCharts(r *manifests.Release) *manifests.Release {
	return &manifests.Release{Metadata: r.Metadata, Images: r.Images, Files: r.Files}
}

// restChange words one difference.
func restChange(c diff.Change) string {
	if c.Old != nil && c.New != nil && c.Old.Version != c.New.Version {
		return fmt.Sprintf("%s %s → %s", c.Name, c.Old.Version, c.New.Version)
	}
	return c.Name + " " + c.Kind()
}

// otherParts are the parts of a release that no patch can have, by the names that they have in
// the document. Local files are told apart by what is in them.
func (f patchFolder) otherParts(r *manifests.Release) map[string]any {
	var folders, keys, rules []string
	for _, folder := range r.Values {
		folders = append(folders, folder.Destination+" "+f.contentOf(folder.Path, manifests.LocalFolder))
	}
	for _, key := range r.Policy.Keys {
		keys = append(keys, f.contentOf(key, manifests.LocalFile))
	}
	for _, rule := range r.Attachments.Verify {
		rules = append(rules, rule.Images+" "+f.contentOf(rule.Key, manifests.LocalFile))
	}
	parts := map[string]any{
		"metadata.upgradeFrom": r.Metadata.UpgradeFrom, "metadata.upgrades": slices.Concat(r.Metadata.Upgrades),
		"platforms": slices.Concat(r.Platforms), "defaults.kubeVersion": r.Defaults.KubeVersion,
		"defaults.apiVersions": slices.Concat(r.Defaults.APIVersions),
		"values":               folders, "allow": slices.Concat(r.Allow),
		"exclude.charts": slices.Concat(r.Exclude.Charts), "exclude.images": slices.Concat(r.Exclude.Images),
		"policy.requireSignedRelease": r.Policy.RequireSignedRelease, "policy.requireSignedPatches": r.Policy.RequireSignedPatches,
		"policy.keys": keys, "attachments.take": r.Attachments.Take, "attachments.verify": rules,
		"discovery.rules": slices.Concat(r.Discovery.Rules), "discovery.includeDisabled": r.Discovery.IncludeDisabled,
		"discovery.objects": slices.Concat(r.Discovery.Objects), "discovery.arguments": slices.Concat(r.Discovery.Arguments),
	}
	for name, profile := range r.Profiles {
		parts["profiles."+name] = profile
	}
	for name, url := range r.Aliases {
		parts["repositoryAliases."+name] = url
	}
	return parts
}

// contentOf names what is in a local file or folder: by its path, where that cannot be read.
func (f patchFolder) contentOf(name string, kind manifests.LocalKind) string {
	bound, err := resolve.Bind(filepath.Join(string(f), "patch.yaml"), nil, []manifests.LocalPath{{Path: name, Kind: kind}})
	if err != nil || len(bound.Bound) == 0 {
		return name
	}
	return fmt.Sprint(bound.Bound[0].Digest, bound.Bound[0].Files)
}

package main

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/internal/nearest"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// The files of a chart in a folder of values, as wire-server-deploy lays them out: the
// second is laid over the first.
var folderFiles = []string{"values.yaml", "secrets.yaml"}

// valuesPlan says which charts are rendered with which values.
type valuesPlan struct {
	charts     []plannedChart
	others     []string // charts that are not looked at
	registries []string
	sources    []siteValues
	foreign    []valuesWarning // folders of no chart
}

type plannedChart struct {
	locked manifests.LockedChart
	how    charts.Rendering
}

// siteValues is a values file of the site, and which charts it is for.
type siteValues struct {
	charts.ValuesSource
	charts []manifests.EntryPath // nil: it is for all
	named  bool                  // the command line says for which charts
}

func (v siteValues) isFor(c manifests.LockedChart) bool {
	return v.charts == nil || slices.Contains(v.charts, c.Path)
}

// plan reads the site's values. Nothing of the bundle is read but its inventory.
func (f *valuesFlags) plan(b *bundle.Bundle) (*valuesPlan, error) {
	lock := &b.Inventory.Lock
	p := &valuesPlan{others: []string{}}
	for _, text := range f.registry {
		name, err := registryName(text)
		if err != nil {
			return nil, err
		}
		p.registries = append(p.registries, name)
	}
	for _, text := range f.files {
		if err := p.add(lock, text); err != nil {
			return nil, err
		}
	}
	settings, err := f.settings.settings()
	if err != nil {
		return nil, err
	}
	named, err := f.chosen(lock, p)
	if err != nil {
		return nil, err
	}
	if err := f.how(lock, p, named, settings); err != nil {
		return nil, err
	}
	return p, p.addBundled(b, f.bundled)
}

// registryName returns a registry of the site's as it stands before the names of images.
func registryName(text string) (string, error) {
	const below = "/image"
	ref, err := manifests.ParseImageRef(strings.TrimSuffix(text, "/") + below + ":1")
	if strings.Contains(text, "://") || err != nil {
		return "", usage("write HOST[:PORT][/PATH], such as harbor.example.org/wire", "--registry %s is no beginning of an image's name",
			manifests.BareName(text))
	}
	return strings.TrimSuffix(ref.Name(), below), nil
}

// chosen returns the charts that are looked at.
func (f *valuesFlags) chosen(lock *manifests.Lock, p *valuesPlan) ([]manifests.LockedChart, error) {
	var chosen []manifests.LockedChart
	for _, name := range f.charts {
		list := chartsOf(lock, name)
		if len(list) == 0 {
			return nil, noSuchChart(lock, name)
		}
		chosen = append(chosen, list...)
	}
	if len(f.charts) == 0 {
		for _, c := range lock.Charts {
			if slices.ContainsFunc(p.sources, func(v siteValues) bool { return v.charts != nil && v.isFor(c) }) {
				chosen = append(chosen, c)
			}
		}
	}
	if len(chosen) == 0 {
		chosen = lock.Charts
	}
	if len(chosen) == 0 {
		return nil, usage("island show BUNDLE lists what there is", "the bundle has no chart")
	}
	for _, source := range p.sources {
		if source.named && !slices.ContainsFunc(chosen, source.isFor) {
			return nil, usage("name the chart with --chart, too, or leave the file out", "%s is for charts that are not looked at", source.Name)
		}
	}
	var list []manifests.LockedChart
	for _, c := range lock.Charts {
		if among(chosen, c) {
			list = append(list, c)
		} else {
			p.others = append(p.others, chartLabel(c))
		}
	}
	return list, nil
}

// how says how each of the charts is rendered.
func (f *valuesFlags) how(lock *manifests.Lock, p *valuesPlan, chosen []manifests.LockedChart, settings []charts.Setting) error {
	release, err := perChart(lock, chosen, "--release-name", f.releases, false)
	if err != nil {
		return err
	}
	namespace, err := perChart(lock, chosen, "--namespace", f.namespace, true)
	if err != nil {
		return err
	}
	for _, c := range chosen {
		made := renderedFor(c)
		how := charts.Rendering{
			ReleaseName: cmp.Or(release(c), c.Name), Namespace: cmp.Or(namespace(c), made.Namespace),
			KubeVersion: cmp.Or(f.kube, made.KubeVersion), APIVersions: slices.Concat(made.APIVersions, f.apis), Settings: settings,
		}
		for _, source := range p.sources {
			if source.isFor(c) {
				how.Values = append(how.Values, source.ValuesSource)
			}
		}
		p.charts = append(p.charts, plannedChart{c, how})
	}
	return nil
}

// addBundled lays the values that the bundle carries for a chart below the site's, if
// they are wanted, and those that its patches want set over them.
func (p *valuesPlan) addBundled(b *bundle.Bundle, wanted bool) error {
	for i := range p.charts {
		c := &p.charts[i]
		var below []charts.ValuesSource
		for _, v := range renderedFor(c.locked).Values {
			if !wanted || v.Path == "" || v.Rendering != "" {
				continue
			}
			source, err := fromBundle(b, v.Path)
			if err != nil {
				return err
			}
			below = append(below, source)
		}
		c.how.Values = slices.Concat(below, c.how.Values)
		patched := patchedValues(c.locked.Name)
		if _, there := b.Entry(patched); !there {
			continue
		}
		source, err := fromBundle(b, patched)
		if err != nil {
			return err
		}
		c.how.Values = append(c.how.Values, source)
	}
	return nil
}

// fromBundle takes a values file out of the bundle. Its content is checked on the way.
func fromBundle(b *bundle.Bundle, path manifests.EntryPath) (charts.ValuesSource, error) {
	data, err := b.ReadEntry(path, charts.MaxValues)
	return charts.ValuesSource{Name: string(path), Data: data}, err
}

// add reads what one -f names.
func (p *valuesPlan) add(lock *manifests.Lock, text string) error {
	if strings.Contains(text, "://") {
		return usage("fetch it, and name the file", "values file %s is a URL", manifests.BareName(text))
	}
	name, file, named := strings.Cut(text, "=")
	if named && (name == "" || file == "") {
		return usage("write CHART=FILE", "-f %s lacks the chart or the file", text)
	}
	if _, err := os.Stat(text); err == nil {
		named = false // a file whose name has a "=" in it
	}
	if !named {
		return p.addFor(lock, text, nil)
	}
	list := chartsOf(lock, name)
	if len(list) == 0 {
		return noSuchChart(lock, name)
	}
	before := len(p.sources)
	err := p.addFor(lock, file, pathsOf(list))
	for i := range p.sources[before:] {
		p.sources[before+i].named = true
	}
	return err
}

func pathsOf(list []manifests.LockedChart) []manifests.EntryPath {
	var paths []manifests.EntryPath
	for _, c := range list {
		paths = append(paths, c.Path)
	}
	return paths
}

// addFor reads a file, or a folder, for some charts, or for all if it is nil.
func (p *valuesPlan) addFor(lock *manifests.Lock, name string, paths []manifests.EntryPath) error {
	info, err := os.Stat(name)
	switch {
	case name == "-" || err == nil && !info.IsDir():
		return p.addFile(name, paths)
	case err != nil:
		return fault.Explain(err, fault.Usage, fault.Here, "", "-f wants FILE, CHART=FILE, or a folder with CHART/values.yaml in it")
	case paths == nil:
		return p.addFolder(lock, name)
	}
	some, err := p.addChart(name, paths)
	if err == nil && !some {
		return usage("name the file itself", "folder %s has neither %s", name, strings.Join(folderFiles, " nor "))
	}
	return err
}

// addChart reads what there is in the folder of one chart. A link that leads nowhere is
// there: whoever made it means the values that it should lead to.
func (p *valuesPlan) addChart(folder string, paths []manifests.EntryPath) (some bool, err error) {
	for _, file := range folderFiles {
		file = filepath.Join(folder, file)
		if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err := p.addFile(file, paths); err != nil {
			return some, err
		}
		some = true
	}
	return some, nil
}

// addFolder reads a folder with a folder for each chart.
func (p *valuesPlan) addFolder(lock *manifests.Lock, folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return fault.Explain(err, fault.Usage, fault.Here, "", "")
	}
	before := len(p.sources)
	for _, entry := range entries {
		below := filepath.Join(folder, entry.Name())
		list := chartsOf(lock, entry.Name())
		switch info, err := os.Stat(below); {
		case err != nil && len(list) > 0:
			return fault.Explain(err, fault.Usage, fault.Here, "", "if it is a link, say where it leads, or take it away")
		case err != nil || !info.IsDir():
		case len(list) == 0:
			p.foreign = append(p.foreign, foreignFolder(lock, below))
		default:
			if _, err := p.addChart(below, pathsOf(list)); err != nil {
				return err
			}
		}
	}
	if len(p.sources) > before {
		return nil
	}
	hint := "it wants CHART/values.yaml for charts of the bundle; island show BUNDLE --charts lists them"
	for _, file := range folderFiles {
		if _, err := os.Stat(filepath.Join(folder, file)); err == nil {
			hint = "it is the folder of one chart: write -f CHART=" + folder
		}
	}
	return usage(hint, "folder %s has no values for any chart of the bundle", folder)
}

// addFile reads a values file; it need not be a regular one: secrets are often piped.
func (p *valuesPlan) addFile(name string, paths []manifests.EntryPath) error {
	var data []byte
	var err error
	if name == "-" {
		name = "standard input"
		data, err = readAtMost(os.Stdin, name, charts.MaxValues)
	} else {
		data, err = readBounded(name, charts.MaxValues)
	}
	if err != nil {
		return err
	}
	source := charts.ValuesSource{Name: name, Data: data}
	if err := source.Check(); err != nil {
		return err
	}
	p.sources = append(p.sources, siteValues{ValuesSource: source, charts: paths})
	return nil
}

func noSuchChart(lock *manifests.Lock, name string) error {
	bare, version, versioned := strings.Cut(name, "@")
	var names, versions []string
	for _, c := range lock.Charts {
		names = append(names, c.Name)
		if c.Name == bare {
			versions = append(versions, c.Version)
		}
	}
	hint := cmp.Or(nearest.DidYouMean("", bare, names), "island show BUNDLE --charts lists them")
	if versioned && len(versions) > 0 {
		return usage("it has "+strings.Join(versions, ", "), "the bundle has chart %s not in version %s", bare, version)
	}
	return usage(hint, "the bundle has no chart %s", name)
}

// valuesWarning is something in the site's values that is probably not meant.
type valuesWarning struct {
	File    string       `json:"file,omitempty"`
	Line    int          `json:"line,omitempty"` // 0 where it is not known
	Key     string       `json:"key,omitempty"`
	Like    string       `json:"like,omitempty"` // what is most like it
	Message message.Text `json:"message"`
}

func foreignFolder(lock *manifests.Lock, folder string) valuesWarning {
	var names []string
	for _, c := range lock.Charts {
		names = append(names, c.Name)
	}
	w := valuesWarning{File: folder, Like: nearest.Of(filepath.Base(folder), names)}
	w.Message = message.Of("values.check.no-chart", message.Args{"folder": folder})
	if w.Like != "" {
		w.Message = message.Of("values.check.no-chart-but", message.Args{"folder": folder, "like": w.Like})
	}
	return w
}

// warnings returns what is probably not meant: keys that no chart has that a file is
// for, keys that stand twice, and documents behind the first.
func (p *valuesPlan) warnings(found []charts.Discovery) []valuesWarning {
	all := slices.Clone(p.foreign)
	for _, source := range p.sources {
		document, documents := firstDocument(source.Data)
		if documents > 1 {
			all = append(all, valuesWarning{File: source.Name, Message: message.Of("values.check.more-documents",
				message.Args{"file": source.Name})})
		}
		for _, key := range repeatedKeys(document) {
			place := fault.Place{File: source.Name, Line: key.Line}
			all = append(all, valuesWarning{File: source.Name, Line: key.Line, Key: key.Value, Message: message.Of("values.check.repeated-key",
				message.Args{"place": place.String(), "key": key.Value})})
		}
		known, any, looked := p.knownTo(source, found)
		for _, key := range topKeys(document) {
			if !looked || slices.Contains(known, key.Value) {
				continue
			}
			like := nearest.Of(key.Value, known)
			if like != "" || !any {
				all = append(all, unknownKey(source.Name, key, like))
			}
		}
	}
	if all == nil {
		return []valuesWarning{}
	}
	return all
}

// knownTo returns the keys that charts have a use for that a values file is for, whether
// one of them looks at its values as a whole, and whether any was looked at.
func (p *valuesPlan) knownTo(source siteValues, found []charts.Discovery) (keys []string, any, looked bool) {
	for i, c := range p.charts {
		if site := found[i].Site; source.isFor(c.locked) && site != nil {
			keys, any, looked = append(keys, site.Keys...), any || site.AnyKey, true
		}
	}
	return keys, any, looked
}

func unknownKey(file string, key *yaml.Node, like string) valuesWarning {
	w := valuesWarning{File: file, Line: key.Line, Key: key.Value, Like: like}
	place := fault.Place{File: file, Line: key.Line}
	w.Message = message.Of("values.check.unknown-key", message.Args{"place": place.String(), "key": key.Value})
	if like != "" {
		w.Message = message.Of("values.check.unknown-key-but", message.Args{"place": place.String(), "key": key.Value, "like": like})
	}
	return w
}

// repeatedKeys returns the keys that stand in a map of a document for another time.
func repeatedKeys(document *yaml.Node) []*yaml.Node {
	var all []*yaml.Node
	var look func(*yaml.Node)
	look = func(node *yaml.Node) {
		seen := map[string]bool{}
		for i, item := range node.Content {
			if node.Kind == yaml.MappingNode && i%2 == 0 && item.Kind == yaml.ScalarNode && item.Tag != "!!merge" {
				if seen[item.Value] {
					all = append(all, item)
				}
				seen[item.Value] = true
			}
			look(item)
		}
	}
	look(document)
	return all
}

// topKeys returns the keys at the top of a document.
func topKeys(document *yaml.Node) []*yaml.Node {
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return nil
	}
	var keys []*yaml.Node
	for i := 0; i < len(document.Content[0].Content); i += 2 {
		if key := document.Content[0].Content[i]; key.Kind == yaml.ScalarNode && key.Tag != "!!merge" {
			keys = append(keys, key)
		}
	}
	return keys
}

// firstDocument returns the first document of a values file, empty if there is none,
// and how many there are, up to two. Whether helm can read it was looked at before.
func firstDocument(data []byte) (first *yaml.Node, documents int) {
	first = &yaml.Node{}
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	if decoder.Decode(first) != nil {
		return &yaml.Node{}, 0
	}
	if err := decoder.Decode(&yaml.Node{}); errors.Is(err, io.EOF) {
		return first, 1
	}
	return first, 2 // another, or text behind the first
}

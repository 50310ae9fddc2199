package charts

import (
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
)

// The reasons of candidates that stand in values.
const (
	reasonUnused     = "a value that no rendering used"
	reasonAppVersion = "; the tag is the chart's appVersion"
)

// valueImage is an image-shaped value.
type valueImage struct {
	partedImage
	path      string // below the values of its chart
	fromChart bool   // the tag is not in the values
}

// valuesFinder collects the image-shaped values of one chart.
type valuesFinder struct {
	appVersion string
	global     mapOfParts // around it is what global values say of registry and tag
	found      []valueImage
}

// walk looks at one map of values.
func (f *valuesFinder) walk(m mapOfParts, path string) {
	taken := map[string]bool{}
	for _, image := range m.images() {
		at := joinField(path, image.key)
		if image.whole && path != "" {
			at = path
		}
		for _, key := range image.keys {
			taken[key] = true
		}
		f.add(valueImage{partedImage: image, path: at})
	}
	around := slices.Insert(slices.Clone(m.around), 0, m.fields)
	for _, name := range sortedKeys(m.fields) {
		switch value := m.fields[name].(type) {
		case map[string]any:
			below := mapOfParts{fields: value, under: name, around: around}
			if m.isGroup() {
				below.under = "image" // whatever it is called, it is one of the images
			}
			f.walk(below, joinField(path, name))
		case []any:
			f.list(value, joinField(path, name), name, around)
		case string:
			if !taken[name] {
				f.text(m, name, value, joinField(path, name))
			}
		}
	}
}

// isGroup reports whether what a map holds are images, by whatever name.
func (m mapOfParts) isGroup() bool { return !m.inList && strings.EqualFold(m.under, "images") }

// text looks at one text that is no part of an image.
func (f *valuesFinder) text(m mapOfParts, name, value, path string) {
	switch is := readPartName(name).is; {
	case m.isGroup() && is != registryPart && is != tagPart && is != versionPart && is != digestPart:
		if image := m.complete(partedImage{repository: value}, "", false); !isNoImage(value) {
			f.add(valueImage{partedImage: image, path: path})
		}
	case isImageName(name):
		f.named(value, path, name == "image")
	default:
		if value = trimScheme(strings.TrimSpace(value)); isHosted(value) {
			f.reference(value, path)
		}
	}
}

func (f *valuesFinder) list(list []any, path, key string, around []map[string]any) {
	f.variables(list, path)
	for i, item := range list {
		switch item := item.(type) {
		case map[string]any:
			if name, _ := scalar(item["name"]); isImageName(name) {
				if value, ok := item["value"].(string); ok { // an environment variable
					f.named(value, indexed(path, i)+".value", false)
					continue
				}
			}
			f.walk(mapOfParts{fields: item, under: key, inList: true, around: around}, indexed(path, i))
		case string:
			flag, value, assigned := strings.Cut(item, "=")
			switch {
			case assigned && isImageName(flag):
				f.named(value, indexed(path, i), false)
			case assigned && strings.HasPrefix(flag, "-") && isHosted(value):
				f.reference(value, indexed(path, i))
			case isHosted(item) || isImageName(key) && isReference(item):
				f.reference(item, indexed(path, i))
			}
		}
	}
}

// variables looks at a list of environment variables, some of which may be the
// parts of one image.
func (f *valuesFinder) variables(list []any, path string) {
	variables := map[string]any{}
	for _, item := range list {
		fields, _ := item.(map[string]any)
		if name, _ := scalar(fields["name"]); name != "" && fields["value"] != nil {
			variables[name] = fields["value"]
		}
	}
	for _, image := range (mapOfParts{fields: variables}).images() {
		f.add(valueImage{partedImage: image, path: path})
	}
}

// named looks at a text in a field whose name says that it is an image. sure says
// that it is one even without tag and path.
func (f *valuesFinder) named(value, path string, sure bool) {
	value = trimScheme(strings.TrimSpace(value))
	_, err := manifests.ParseImageRef(value)
	switch {
	case err == nil:
		f.reference(value, path)
	case errors.Is(err, manifests.ErrNoTag) && (strings.Contains(value, "/") || sure) && !isNoImage(value):
		f.add(valueImage{partedImage: partedImage{repository: value}, path: path})
	}
}

func isNoImage(value string) bool {
	for _, one := range noImages {
		if strings.EqualFold(one, value) {
			return true
		}
	}
	return false
}

// reference adds a reference that is written as one text.
func (f *valuesFinder) reference(value, path string) {
	one := valueImage{path: path}
	one.repository, one.tag, one.digest = takeApart(value)
	f.add(one)
}

// add keeps an image. What it lacks, global values and the chart's appVersion give.
func (f *valuesFinder) add(one valueImage) {
	bare := partedImage{registry: one.registry, repository: one.repository}
	if !bare.possible() || one.registry == one.repository {
		return // a Git repository, a template of a name
	}
	if one.tag == "" && one.digest == "" {
		one.partedImage = one.tagged(f.global.further(tagPart, versionPart))
	}
	hub := registryOf(f.global.further(registryPart))
	if one.registry == "" && strings.Contains(hub, "/") && !strings.Contains(one.repository, "/") {
		one.registry = hub
	}
	if one.tag == "" && one.digest == "" && f.appVersion != "" {
		one.tag, one.fromChart = f.appVersion, true
	}
	if !one.possible() {
		if !one.fromChart {
			return
		}
		one.tag, one.fromChart = "", false
	}
	if !slices.ContainsFunc(f.found, func(other valueImage) bool { return other.path == one.path && other.String() == one.String() }) {
		f.found = append(f.found, one)
	}
}

// used is what renderings used, for looking up values in it.
type used map[string][]manifests.ImageRef // by the last part of the repository

func usedBy(finds Finds) used {
	index, seen := used{}, map[manifests.ImageRef]bool{}
	add := func(find ImageFind) {
		if find.Class == Named {
			return
		}
		if ref, err := find.Ref(); !seen[ref] && (err == nil || errors.Is(err, manifests.ErrNoTag)) {
			seen[ref] = true
			index[lastPart(ref.Repository)] = append(index[lastPart(ref.Repository)], ref)
		}
	}
	for _, find := range finds.Images {
		add(find)
	}
	for _, left := range finds.LeftOut {
		add(left.ImageFind)
	}
	return index
}

func lastPart(repository string) string { return repository[strings.LastIndex(repository, "/")+1:] }

// has reports whether a rendering used the image of a value.
func (u used) has(v valueImage, mirrored bool) bool {
	for range u.of(v, mirrored) {
		return true
	}
	return false
}

// of returns the images that renderings used and that are the image of a value. Where
// the value says no registry, or mirrored says that another one takes its place, any
// will do; where it says no tag, any of the same repository.
func (u used) of(v valueImage, mirrored bool) iter.Seq[manifests.ImageRef] {
	return func(yield func(manifests.ImageRef) bool) {
		want, err := manifests.ParseImageRef(joinName(v.registry, v.repository))
		if err != nil && !errors.Is(err, manifests.ErrNoTag) {
			return
		}
		path := strings.TrimPrefix(want.Repository, "library/")
		anyRegistry := mirrored || v.registry == "" && !strings.Contains(v.repository, ".")
		for _, have := range u[lastPart(path)] {
			sameName := have.Name() == want.Name() ||
				anyRegistry && (have.Repository == want.Repository || have.Repository == path || strings.HasSuffix(have.Repository, "/"+path))
			sameTag := v.fromChart || v.tag == "" && v.digest == "" || v.digest != "" && string(have.Digest) == v.digest ||
				v.tag != "" && (have.Tag == v.tag || have.Tag == "v"+v.tag)
			if sameName && sameTag && !yield(have) {
				return
			}
		}
	}
}

// hasBelow reports whether a rendering used an image below a registry with a path,
// for which a value gives no name.
func (u used) hasBelow(v valueImage) bool {
	for _, refs := range u {
		if slices.ContainsFunc(refs, func(have manifests.ImageRef) bool { return strings.HasPrefix(have.Name(), v.repository+"/") }) {
			return true
		}
	}
	return false
}

// namesBelow does so for other values.
func (f *valuesFinder) namesBelow(v valueImage) bool {
	return slices.ContainsFunc(f.found, func(other valueImage) bool { return strings.HasPrefix(other.String(), v.repository+"/") })
}

// overridesRegistry reports whether values redirect all images to another
// registry, as Bitnami's global.imageRegistry does.
func overridesRegistry(values map[string]any) bool {
	global, _ := values["global"].(map[string]any)
	image, _ := global["image"].(map[string]any)
	for _, one := range []any{values["imageRegistry"], global["imageRegistry"], global["registry"], image["registry"]} {
		if text, _ := scalar(one); text != "" {
			return true
		}
	}
	return false
}

// unusedValues returns the image-shaped values of a chart and all of its
// subcharts that no rendering used.
func (c *Chart) unusedValues(all []scope, on map[string]bool, index used, rendering string) []ImageFind {
	var finds []ImageFind
	byName := map[string]scope{}
	for _, s := range all {
		byName[s.name()] = s
	}
	mirrored := overridesRegistry(all[0].values)
	for _, s := range all {
		f := s.images()
		for _, value := range f.found {
			if index.has(value, mirrored) || value.doubt == doubtNoName && (f.namesBelow(value) || index.hasBelow(value)) {
				continue
			}
			finds = append(finds, ImageFind{
				Image: value.String(), Class: Candidate, Subchart: s.name(), Rendering: rendering, Reason: unusedReason(s, value, on, byName),
				Origin: manifests.Origin{Chart: c.metadata.Name, Template: s.template + "/values.yaml", Object: "values", Field: value.path},
			})
		}
	}
	return finds
}

// images collects the image-shaped values of one chart, without its subcharts'.
func (s scope) images() *valuesFinder {
	own := mergeValues(s.values, nil)
	for _, sub := range s.chart.Dependencies() {
		for _, declared := range declarations(s.chart, sub) {
			delete(own, or(declared.Alias, sub.Name()))
		}
	}
	f := &valuesFinder{appVersion: s.chart.Metadata.AppVersion, global: globalParts(own)}
	f.walk(mapOfParts{fields: own}, strings.Join(s.prefix, "."))
	return f
}

// globalParts returns what global values say of the registry and tag of all images:
// global.hub, global.image.tag.
func globalParts(values map[string]any) mapOfParts {
	global, _ := values["global"].(map[string]any)
	image, _ := global["image"].(map[string]any)
	return mapOfParts{around: []map[string]any{mergeValues(global, image)}}
}

// unusedReason says why no rendering used a value: of nested subcharts the
// outermost that is off is the one to switch on.
func unusedReason(s scope, value valueImage, on map[string]bool, byName map[string]scope) string {
	reason := reasonUnused
	for i := range s.prefix {
		outer := byName[strings.Join(s.prefix[:i+1], "/")]
		if on[outer.name()] {
			continue
		}
		reason = "subchart " + outer.name() + " is switched off"
		if by := outer.switchOn(); len(by) > 0 {
			reason += "; " + strings.Join(by, " or ") + " switches it on"
		}
		break
	}
	if value.fromChart {
		reason += reasonAppVersion
	}
	if value.doubt != "" {
		reason += "; " + value.doubt
	}
	return reason
}

package charts

import (
	"errors"
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
	path       string // below the values of its chart
	registry   string // empty if the value has none
	repository string // without tag and digest
	tag        string
	digest     string
	fromChart  bool // the tag is not in the values
}

func (v valueImage) String() string {
	image := joinName(strings.TrimSuffix(v.registry, "/"), v.repository)
	if v.tag != "" {
		image += ":" + v.tag
	}
	if v.digest != "" {
		image += "@" + v.digest
	}
	return image
}

// valuesFinder collects the image-shaped values of one chart.
type valuesFinder struct {
	appVersion string
	found      []valueImage
}

// walk looks at one map of values. key is its own name, sharedTag the tag that
// stands beside a group of images: images.tag.
func (f *valuesFinder) walk(values map[string]any, path, key, sharedTag string) {
	if f.image(values, path, key, sharedTag) {
		return
	}
	group := strings.EqualFold(key, "images")
	if tag, ok := scalar(values["tag"]); ok && group {
		sharedTag = tag
	}
	for _, name := range sortedKeys(values) {
		field := joinField(path, name)
		switch value := values[name].(type) {
		case map[string]any:
			if group {
				name = "image" // whatever it is called, it is one of the images
			}
			f.walk(value, field, name, sharedTag)
		case []any:
			f.list(value, field, name, sharedTag)
		case string:
			if group && name != "tag" && name != "registry" || isImageName(name) {
				registry := ""
				if group || name == "image" { // {registry, image, tag}, as ingress-nginx has it; or one registry for a group
					registry, _ = scalar(values["registry"])
				}
				f.named(value, registry, field, or(siblingTag(values, name), sharedTag), name == "image" || group)
			} else if value = trimScheme(strings.TrimSpace(value)); isHosted(value) {
				f.reference(value, field)
			}
		}
	}
}

func (f *valuesFinder) list(list []any, path, key, sharedTag string) {
	for i, item := range list {
		switch item := item.(type) {
		case map[string]any:
			if name, _ := scalar(item["name"]); isImageName(name) {
				if value, ok := item["value"].(string); ok { // an environment variable
					f.named(value, "", indexed(path, i)+".value", "", false)
					continue
				}
			}
			f.walk(item, indexed(path, i), key, sharedTag)
		case string:
			flag, value, assigned := strings.Cut(item, "=")
			switch {
			case assigned && isImageName(flag):
				f.named(value, "", indexed(path, i), "", false)
			case assigned && strings.HasPrefix(flag, "-") && isHosted(value):
				f.reference(value, indexed(path, i))
			case isHosted(item) || isImageName(key) && isReference(item):
				f.reference(item, indexed(path, i))
			}
		}
	}
}

// image takes a map for an image that is written in parts.
func (f *valuesFinder) image(values map[string]any, path, key, sharedTag string) bool {
	repository, _ := scalar(values["repository"])
	if repository == "" {
		repository, _ = scalar(values["repo"])
	}
	name, _ := scalar(values["name"])
	tag, hasTag := scalar(values["tag"])
	if !hasTag {
		tag, hasTag = scalar(values["version"])
		hasTag = hasTag && isImageName(key)
		if !hasTag {
			tag = ""
		}
	}
	registry, hasRegistry := scalar(values["registry"])
	digest, _ := scalar(values["digest"])
	switch {
	case repository != "" && (isImageName(key) || hasTag || hasRegistry || values["pullPolicy"] != nil):
		if isImageName(key) && name != "" && values["registry"] != nil && !strings.Contains(repository, "/") {
			repository = joinName(repository, name)
		}
	case name != "" && isImageName(key) && (hasTag || hasRegistry):
		repository = name
	default:
		return false
	}
	if repository == registry {
		return false
	}
	f.add(valueImage{path: path, registry: registry, repository: repository, tag: or(tag, sharedTag), digest: digest})
	return true
}

// siblingTag returns the tag of an image that is written as image and tag, or as
// fooImage and fooImageTag or fooTag.
func siblingTag(values map[string]any, name string) string {
	keys := []string{name + "Tag", strings.TrimSuffix(name, "Image") + "Tag", strings.TrimSuffix(name, "Image") + "Version"}
	if name == "image" {
		keys = append(keys, "tag", "version")
	}
	for _, key := range keys {
		if tag, _ := scalar(values[key]); tag != "" {
			return tag
		}
	}
	return ""
}

// named looks at a text in a field whose name says that it is an image.
func (f *valuesFinder) named(value, registry, path, tag string, sure bool) {
	value = trimScheme(strings.TrimSpace(value))
	_, err := manifests.ParseImageRef(value)
	switch {
	case err == nil:
		f.reference(value, path)
	case errors.Is(err, manifests.ErrNoTag) && (tag != "" || strings.Contains(value, "/") || sure) && !isNoImage(value):
		f.add(valueImage{path: path, registry: registry, repository: value, tag: tag})
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
	one := valueImage{path: path, repository: value}
	one.repository, one.digest, _ = strings.Cut(value, "@")
	if colon := strings.LastIndex(one.repository, ":"); colon > strings.LastIndex(one.repository, "/") {
		one.repository, one.tag = one.repository[:colon], one.repository[colon+1:]
	}
	f.add(one)
}

func (f *valuesFinder) add(one valueImage) {
	if _, err := manifests.ParseImageRef(joinName(one.registry, one.repository)); err != nil && !errors.Is(err, manifests.ErrNoTag) {
		return // a Git repository, a template of a name
	}
	if one.tag == "" && one.digest == "" && f.appVersion != "" {
		one.tag, one.fromChart = f.appVersion, true
	}
	if _, err := manifests.ParseImageRef(one.String()); err != nil && !errors.Is(err, manifests.ErrNoTag) {
		if !one.fromChart {
			return
		}
		one.tag, one.fromChart = "", false
	}
	f.found = append(f.found, one)
}

// used is what renderings used, for looking up values in it.
type used map[string][]manifests.ImageRef // by the last part of the repository

func usedBy(finds Finds) used {
	index := used{}
	add := func(find ImageFind) {
		if find.Class == Named {
			return
		}
		if ref, err := find.Ref(); err == nil || errors.Is(err, manifests.ErrNoTag) {
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

// has reports whether a rendering used the image of a value. Where the value says
// no registry, or mirrored says that another one takes its place, any will do;
// where it says no tag, any of the same repository.
func (u used) has(v valueImage, mirrored bool) bool {
	want, err := manifests.ParseImageRef(joinName(v.registry, v.repository))
	if err != nil && !errors.Is(err, manifests.ErrNoTag) {
		return false
	}
	path := strings.TrimPrefix(want.Repository, "library/")
	anyRegistry := mirrored || v.registry == "" && !strings.Contains(v.repository, ".")
	for _, have := range u[lastPart(path)] {
		sameName := have.Name() == want.Name() ||
			anyRegistry && (have.Repository == want.Repository || have.Repository == path || strings.HasSuffix(have.Repository, "/"+path))
		sameTag := v.fromChart || v.tag == "" && v.digest == "" || v.digest != "" && string(have.Digest) == v.digest ||
			v.tag != "" && (have.Tag == v.tag || have.Tag == "v"+v.tag)
		if sameName && sameTag {
			return true
		}
	}
	return false
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
		own := mergeValues(s.values, nil)
		for _, sub := range s.chart.Dependencies() {
			for _, declared := range declarations(s.chart, sub) {
				delete(own, or(declared.Alias, sub.Name()))
			}
		}
		f := valuesFinder{appVersion: s.chart.Metadata.AppVersion}
		f.walk(own, strings.Join(s.prefix, "."), "", "")
		for _, value := range f.found {
			if index.has(value, mirrored) {
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
	return reason
}

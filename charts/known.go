package charts

import (
	_ "embed"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Known says where custom resources hold images, and which arguments of
// programs are images, where neither the form nor the name tells. The built-in
// knowledge is the file operators.yaml; a release may add its own.
type Known struct {
	Objects   []KnownObject   `json:"objects,omitempty" yaml:"objects,omitempty"`
	Arguments []KnownArgument `json:"arguments,omitempty" yaml:"arguments,omitempty"`
}

// KnownObject tells of the objects of some kinds, at any version of their API
// group. A path names a field: spec.image; [] stands for every item of a list
// and * for every key of a map.
type KnownObject struct {
	Group    string   `json:"group" yaml:"group"`
	Kinds    []string `json:"kinds" yaml:"kinds"`
	Images   []string `json:"images,omitempty" yaml:"images,omitempty"`     // fields that hold an image, as text or in parts
	PodSpecs []string `json:"podSpecs,omitempty" yaml:"podSpecs,omitempty"` // fields that hold a pod spec or an extract of one
	// in order; the first that can be put together holds for its field
	Defaults []KnownDefault `json:"defaults,omitempty" yaml:"defaults,omitempty"`
	Source   string         `json:"source,omitempty" yaml:"source,omitempty"` // where it is written
}

// KnownDefault is the image an operator makes up where a field is empty.
type KnownDefault struct {
	Field string `json:"field" yaml:"field"`
	Image string `json:"image" yaml:"image"`                     // {spec.version} stands for the value of that field
	Where string `json:"where,omitempty" yaml:"where,omitempty"` // field=value that has to hold, such as spec.serverType=dse
}

// KnownArgument is a flag, or an environment variable, whose value is an image.
type KnownArgument struct {
	Name   string `json:"name" yaml:"name"` // --flag, or NAME of a variable
	Source string `json:"source,omitempty" yaml:"source,omitempty"`
}

//go:embed operators.yaml
var operators []byte

// BuiltinKnown is the built-in knowledge.
var BuiltinKnown = sync.OnceValue(func() Known {
	var known Known
	if err := yaml.UnmarshalStrict(operators, &known); err != nil {
		panic("operators.yaml: " + err.Error()) // it is part of the program, and tested
	}
	return known
})

var (
	knownPath  = regexp.MustCompile(`^[A-Za-z*][A-Za-z0-9_*-]*(\[\])*(\.[A-Za-z*][A-Za-z0-9_*-]*(\[\])*)*$`)
	knownField = regexp.MustCompile(`\{([^{}]*)\}`)
)

// Check refuses entries that could never match.
func (k Known) Check() error {
	var faults []error
	for i, object := range k.Objects {
		if object.Group == "" || len(object.Kinds) == 0 || len(object.Images)+len(object.PodSpecs)+len(object.Defaults) == 0 {
			faults = append(faults, fault.At(fault.Place{Field: fmt.Sprintf("objects[%d]", i)}, "",
				"group, kinds, and images or podSpecs are needed"))
		}
		paths := slices.Concat(object.Images, object.PodSpecs)
		for _, preset := range object.Defaults {
			paths = append(paths, preset.Field)
			for _, used := range knownField.FindAllStringSubmatch(preset.Image, -1) {
				paths = append(paths, used[1])
			}
		}
		for _, path := range paths {
			if !knownPath.MatchString(path) {
				faults = append(faults, fault.At(fault.Place{Field: fmt.Sprintf("objects[%d]", i)},
					"write it as spec.image or spec.racks[].image", "%q is no path of a field", path))
			}
		}
	}
	for i, argument := range k.Arguments {
		if strings.Trim(argument.Name, "-") == "" || strings.ContainsAny(argument.Name, " =") {
			faults = append(faults, fault.At(fault.Place{Field: fmt.Sprintf("arguments[%d]", i)},
				"write it as --flag or NAME", "%q is no name of an argument", argument.Name))
		}
	}
	return errors.Join(faults...)
}

func (k Known) with(more Known) Known {
	return Known{Objects: slices.Concat(k.Objects, more.Objects), Arguments: slices.Concat(k.Arguments, more.Arguments)}
}

// argument reports whether a flag or variable is known to hold an image. One dash
// and two are the same to Go's flag package.
func (k Known) argument(name string) bool {
	return slices.ContainsFunc(k.Arguments, func(a KnownArgument) bool {
		return a.Name == name || strings.HasPrefix(a.Name, "-") && strings.HasPrefix(name, "-") &&
			strings.TrimLeft(a.Name, "-") == strings.TrimLeft(name, "-")
	})
}

// of returns what is known of an object by its apiVersion and kind.
func (k Known) of(apiVersion, kind string) []KnownObject {
	group, _, _ := strings.Cut(apiVersion, "/")
	var all []KnownObject
	for _, object := range k.Objects {
		if object.Group == group && slices.Contains(object.Kinds, kind) {
			all = append(all, object)
		}
	}
	return all
}

// known finds the images of a custom resource in the fields that are known to
// hold them. What it accounts for is marked as typed.
func (f *finder) knownObject(object map[string]any) {
	apiVersion, _ := object["apiVersion"].(string)
	for _, known := range f.known.of(apiVersion, f.kind) {
		for _, path := range known.Images {
			for _, at := range locate(object, path) {
				f.knownField(at)
			}
		}
		for _, path := range known.PodSpecs {
			for _, at := range locate(object, path) {
				if spec, ok := at.value.(map[string]any); ok {
					f.partialPodSpec(spec, at.field)
				}
			}
		}
		f.knownDefaults(object, known.Defaults)
	}
}

// knownField adds what a known field holds, if it holds anything.
func (f *finder) knownField(at located) {
	image, isText := scalar(at.value)
	if parts, ok := at.value.(map[string]any); ok {
		if image, isText = imageOfParts(parts); !isText {
			return // an extract of an image, completed by the operator
		}
	}
	if !isText || image == "" || f.typed[at.field] {
		return
	}
	f.typed[at.field] = true
	find := f.find(image, Certain, at.field)
	if _, err := find.Ref(); err != nil && !errors.Is(err, manifests.ErrNoTag) {
		find.Class, find.Reason = Candidate, "not an image reference"
	}
	f.add(find)
}

// knownDefaults adds the images that an operator makes up for empty fields.
func (f *finder) knownDefaults(object map[string]any, defaults []KnownDefault) {
	done := map[string]bool{}
	for _, preset := range defaults {
		for _, used := range knownField.FindAllStringSubmatch(preset.Image, -1) {
			f.typed[used[1]] = true // a part of an image, and not one
		}
		if given := fieldText(object, preset.Field); given != "" || done[preset.Field] {
			continue
		}
		if name, want, has := strings.Cut(preset.Where, "="); has && fieldText(object, name) != want {
			continue
		}
		complete := true
		image := knownField.ReplaceAllStringFunc(preset.Image, func(use string) string {
			text := fieldText(object, use[1:len(use)-1])
			complete = complete && text != ""
			return text
		})
		if !complete {
			continue
		}
		done[preset.Field] = true
		f.typed[preset.Field] = true
		find := f.find(image, Likely, preset.Field)
		find.Reason = "the field is empty, and the operator makes up this name"
		f.add(find)
	}
}

func fieldText(object map[string]any, path string) string {
	for _, at := range locate(object, path) {
		if text, ok := scalar(at.value); ok {
			return text
		}
		if parts, ok := at.value.(map[string]any); ok {
			text, _ := imageOfParts(parts)
			return text
		}
	}
	return ""
}

// located is a field that a path led to.
type located struct {
	field string
	value any
}

// locate follows a path of [KnownObject] from an object to all fields it means.
func locate(object any, path string) []located {
	found := []located{{"", object}}
	for segment := range strings.SplitSeq(path, ".") {
		key, lists := strings.TrimRight(segment, "[]"), strings.Count(segment, "[]")
		var next []located
		for _, at := range found {
			next = append(next, step(at, key)...)
		}
		for range lists {
			next = items(next)
		}
		found = next
	}
	return found
}

func step(at located, key string) []located {
	fields, _ := at.value.(map[string]any)
	if key != "*" {
		if value, ok := fields[key]; ok {
			return []located{{joinField(at.field, key), value}}
		}
		return nil
	}
	var all []located
	for _, name := range sortedKeys(fields) {
		all = append(all, located{joinField(at.field, name), fields[name]})
	}
	return all
}

func items(lists []located) []located {
	var all []located
	for _, at := range lists {
		list, _ := at.value.([]any)
		for i, item := range list {
			all = append(all, located{fmt.Sprintf("%s[%d]", at.field, i), item})
		}
	}
	return all
}

package manifests

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/islandbundle/island/manifests/fault"
)

// ImageOverride puts another image in the place of one that the release uses.
// Whether it matches anything is known only when the charts are rendered.
type ImageOverride struct {
	Image  string `yaml:"image"`            // a repository such as quay.io/wire/brig: all of it; or one exact reference
	Tag    string `yaml:"tag,omitempty"`    // what it becomes: a tag, a digest or both
	Digest Digest `yaml:"digest,omitempty"` // with a tag, what the tag must mean
	// Values are where charts take the image from. They are set when the charts
	// are rendered, and have to be set on site: without them the pods would go on
	// asking for the old image.
	Values []ValuesPath `yaml:"values,omitempty"`

	patch string
	place fault.Place
}

// ValuesPath is a value of a chart.
type ValuesPath struct {
	Chart string `yaml:"chart" json:"chart"`
	Path  string `yaml:"path" json:"path"` // keys joined by dots, such as brig.image.tag; see [SplitPath]
	// Value is the override's tag, or its digest where it has no tag, unless given.
	Value string `yaml:"value,omitempty" json:"value"`
}

const maxValuesDepth = 20 // keys of a path

var imageTag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`) // distribution-spec, "Pulling manifests"

// Patch returns the id of the patch that the override is of.
func (o ImageOverride) Patch() string { return o.patch }

// Place returns where the override stands.
func (o ImageOverride) Place() fault.Place { return o.place }

// ref returns what the override names, and whether that is a whole repository.
func (o ImageOverride) ref() (ref ImageRef, repository bool, err error) {
	ref, err = ParseImageRef(o.Image)
	if errors.Is(err, ErrNoTag) {
		return ref, true, nil
	}
	return ref, false, err
}

// OfRepository reports whether the override is for all of a repository, rather
// than for one exact reference.
func (o ImageOverride) OfRepository() bool {
	_, repository, err := o.ref()
	return err == nil && repository
}

// Concerns reports whether an image is of the override's repository.
func (o ImageOverride) Concerns(image ImageRef) bool {
	ref, _, err := o.ref()
	return err == nil && ref.Name() == image.Name()
}

// Matches reports whether the override is for an image: by repository, or exactly.
func (o ImageOverride) Matches(image ImageRef) bool {
	ref, repository, err := o.ref()
	return err == nil && ref.Name() == image.Name() && (repository || ref == image)
}

// Satisfied reports whether an image is already what the override wants. An image
// that is named by tag alone is taken for it if the tag is right; whether it
// also has the digest is known when it is looked up.
func (o ImageOverride) Satisfied(image ImageRef) bool {
	switch {
	case !o.Concerns(image):
		return false
	case o.Tag == "":
		return image.Digest == o.Digest
	default:
		return image.Tag == o.Tag && (image.Digest == "" || o.Digest == "" || image.Digest == o.Digest)
	}
}

// Target returns what an image becomes. A digest alone keeps the tag, which then
// says to people what it was made from.
func (o ImageOverride) Target(image ImageRef) ImageRef {
	target := image
	target.Digest = o.Digest
	if o.Tag != "" {
		target.Tag = o.Tag
	}
	return target
}

// SetValue returns what is set at one of the override's values paths.
func (o ImageOverride) SetValue(v ValuesPath) string {
	switch {
	case v.Value != "":
		return v.Value
	case o.Tag != "":
		return o.Tag
	default:
		return string(o.Digest)
	}
}

// ValuesFor returns the values that the override sets in a chart, with what is
// set; none if it names no value of that chart.
func (o ImageOverride) ValuesFor(chart string) []ValuesPath {
	var list []ValuesPath
	for _, v := range o.Values {
		if v.Chart == chart {
			list = append(list, ValuesPath{Chart: chart, Path: v.Path, Value: o.SetValue(v)})
		}
	}
	return list
}

// SetValues returns a tree of chart values with further ones set in it. The tree
// itself is not changed.
func SetValues(tree map[string]any, values []ValuesPath) map[string]any {
	for _, v := range values {
		tree = LayValues(tree, nested(v.Path, v.Value))
	}
	return tree
}

// Overtaken reports whether an image of a chart has a version that is not older than
// what the override would make of it. known is false where the two tags are not
// versions that can be compared.
func (o ImageOverride) Overtaken(chart string, image ImageRef) (overtaken, known bool) {
	order := OrderVersions(chart, image.Tag, o.Tag)
	return order >= SamePlace, order != Unordered && o.Tag != ""
}

func (o ImageOverride) String() string {
	return fmt.Sprintf("override of %s by patch %s", o.Image, o.patch)
}

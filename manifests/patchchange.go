package manifests

import (
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests/fault"
)

// PatchFiles reads the files that the two releases of a patch name, by paths as they
// stand in both. Where a function is nil, what is given in place is all that is known,
// and files are told apart by their paths.
type PatchFiles struct {
	// Values merges values files in order, and lays over them what is given in place.
	Values func(files []string, set map[string]any) (map[string]any, error)
	Read   func(file string) ([]byte, error)
}

// chartChange is what makes of a chart of one release that of another.
type chartChange struct {
	entry   Chart // of a patch
	another bool  // it is another archive, or from another place
	stays   []string
}

// changeOf returns the entry of a patch that makes of one chart the other, also in each of
// its further renderings.
func (f PatchFiles) changeOf(was, is Chart) (chartChange, error) {
	c := chartChange{
		entry:   Chart{Name: is.Name, Repo: is.Repo, Path: is.Path, Version: is.Version, Meta: is.Meta},
		another: was.Repo != is.Repo || was.Path != is.Path || was.Version != is.Version || was.Meta != is.Meta,
	}
	c.entry.For = c.changed("its for", was.For, is.For)
	c.entry.Namespace = c.changed("its namespace", was.Namespace, is.Namespace)
	c.entry.Images = beyond(is.Images, was.Images)
	c.staying("image ", beyond(was.Images, is.Images))
	own, over, err := f.layer(&c, was, is, nil, was.asRendering(), is.asRendering())
	if err != nil {
		return c, err
	}
	c.entry.Secrets, c.entry.Set, c.entry.Tags = own.Secrets, own.Set, own.Tags
	c.entry.KubeVersion, c.entry.APIVersions, c.entry.As = own.KubeVersion, own.APIVersions, own.As
	for _, r := range is.Renderings {
		before := was.renderingNamed(r.Name)
		further, _, err := f.layer(&c, was.rendered(before), is.rendered(r), over, before, r)
		if err != nil {
			return c, err
		}
		hadIt := slices.ContainsFunc(was.Renderings, func(other Rendering) bool { return other.Name == r.Name })
		if !hadIt || !reflect.DeepEqual(further, Rendering{Name: r.Name}) {
			c.entry.Renderings = append(c.entry.Renderings, further)
		}
	}
	for _, r := range was.Renderings {
		if !slices.ContainsFunc(is.Renderings, func(other Rendering) bool { return other.Name == r.Name }) {
			c.stays = append(c.stays, "rendering "+r.Name)
		}
	}
	return c, nil
}

// asRendering is what a chart says of how it is rendered, as a further rendering says it.
func (c Chart) asRendering() Rendering {
	return Rendering{Secrets: c.Secrets, KubeVersion: c.KubeVersion, APIVersions: c.APIVersions, As: c.As}
}

// layer returns what has to be laid over a chart, or over a further rendering of it, to make
// the other of it, and its values as a tree. Of a rendering the charts are as they are
// rendered; under it lies what the patch sets for the chart.
func (f PatchFiles) layer(
	c *chartChange, was, is Chart, patched map[string]any, before, after Rendering,
) (Rendering, map[string]any, error) {
	have, err := f.valuesOf(was)
	if err != nil {
		return Rendering{}, nil, err
	}
	want, err := f.valuesOf(is)
	if err != nil {
		return Rendering{}, nil, err
	}
	over, gone := treeTo(LayValues(have, patched), want, nil)
	r := Rendering{
		Name:        after.Name,
		KubeVersion: c.changed(ofRendering("its kubeVersion", after.Name), before.KubeVersion, after.KubeVersion),
		As:          c.changed(ofRendering("its as", after.Name), before.As, after.As),
		APIVersions: beyond(after.APIVersions, before.APIVersions),
		Secrets:     f.otherFiles(after.Secrets, before.Secrets),
	}
	r.Set, r.Tags = apart(over)
	c.staying("API version ", beyond(before.APIVersions, after.APIVersions))
	for _, file := range before.Secrets {
		if !slices.ContainsFunc(after.Secrets, func(other string) bool { return path.Base(other) == path.Base(file) }) {
			c.staying("secrets ", []string{file})
		}
	}
	slices.Sort(gone)
	for _, value := range gone {
		if !slices.Contains(c.stays, value) { // told of the chart itself
			c.stays = append(c.stays, ofRendering(value, after.Name))
		}
	}
	return r, over, nil
}

func ofRendering(what, rendering string) string {
	if rendering == "" {
		return what
	}
	return what + " (rendering " + rendering + ")"
}

// valuesOf returns the values that a chart is rendered with, but for secrets.
func (f PatchFiles) valuesOf(c Chart) (map[string]any, error) {
	values := c.Set
	if f.Values != nil {
		var err error
		if values, err = f.Values(c.Values, c.Set); err != nil {
			return nil, fault.Explain(err, fault.Usage, fault.Here, "chart "+c.Name, "")
		}
	}
	return WithTags(values, c.Tags), nil
}

// treeTo returns what has to be laid over one tree of values so that it says all that
// another says, and the paths of what the other does not say.
func treeTo(have, want map[string]any, above []string) (over map[string]any, gone []string) {
	for _, key := range sortedKeys(want) {
		at := append(slices.Clone(above), key)
		below, isObject := have[key].(map[string]any)
		wanted, alsoObject := want[key].(map[string]any)
		value, there := have[key]
		switch {
		case isObject && alsoObject:
			part, missing := treeTo(below, wanted, at)
			if gone = append(gone, missing...); part == nil {
				continue
			}
			over = LayValues(over, map[string]any{key: part})
		case !there || !reflect.DeepEqual(plainNumbers(value), plainNumbers(want[key])):
			over = LayValues(over, map[string]any{key: plainNumbers(want[key])})
		}
	}
	for _, key := range sortedKeys(have) {
		if _, there := want[key]; !there {
			for _, leaf := range Leaves("", "", map[string]any{key: have[key]}) {
				gone = append(gone, strings.TrimPrefix(JoinPath(above...)+"."+leaf.Path, "."))
			}
		}
	}
	return over, gone
}

// apart takes the tags out of values, if they are nothing but tags.
func apart(values map[string]any) (set map[string]any, tags map[string]bool) {
	all, isObject := values["tags"].(map[string]any)
	if !isObject {
		return values, nil
	}
	tags = map[string]bool{}
	for tag, on := range all {
		is, isTag := on.(bool)
		if !isTag {
			return values, nil
		}
		tags[tag] = is
	}
	for key, value := range values {
		if key != "tags" {
			set = LayValues(set, map[string]any{key: value})
		}
	}
	return set, tags
}

// beyond returns what one list has and the other has not.
func beyond(list, other []string) []string {
	var more []string
	for _, item := range list {
		if !slices.Contains(other, item) {
			more = append(more, item)
		}
	}
	return more
}

// otherFiles returns the files whose content is that of none of the others.
func (f PatchFiles) otherFiles(files, others []string) []string {
	var known []string
	for _, file := range others {
		known = append(known, f.contentOf(file))
	}
	return slices.DeleteFunc(slices.Clone(files), func(file string) bool { return slices.Contains(known, f.contentOf(file)) })
}

// contentOf names what is in a file: by its path, where that cannot be read here.
func (f PatchFiles) contentOf(file string) string {
	if f.Read == nil {
		return file
	}
	data, err := f.Read(file)
	if err != nil {
		return file
	}
	return string(DigestOf(data))
}

// changed returns what is new, and notes what is not said any more.
func (c *chartChange) changed(what, was, is string) string {
	if is == "" && was != "" {
		c.stays = append(c.stays, what)
	}
	if is == was {
		return ""
	}
	return is
}

func (c *chartChange) staying(what string, names []string) {
	for _, name := range names {
		c.stays = append(c.stays, what+name)
	}
}

func (c *chartChange) isEmpty() bool {
	e := c.entry
	return !c.another && e.For+e.Namespace+e.KubeVersion+e.As == "" &&
		len(e.Images)+len(e.Secrets)+len(e.Set)+len(e.Tags)+len(e.APIVersions)+len(e.Renderings) == 0
}

// nothing says why a chart that was named cannot be taken.
func (c *chartChange) nothing(was Chart) error {
	if len(c.stays) > 0 {
		return fault.New(fault.Usage, fault.Here, "chart "+was.Name, "leave it out; write by hand what it shall be instead, below changes.charts",
			"the newer release does no more than not to say %s, and a patch takes nothing out of a chart's entry", strings.Join(c.stays, ", "))
	}
	return fault.New(fault.Usage, fault.Here, "chart "+was.Name, "leave it out", "chart %s is the same in both releases", was.Version)
}

func (c *chartChange) concerns() []PatchConcern {
	if len(c.stays) == 0 {
		return nil
	}
	return []PatchConcern{{ConcernStays, c.entry.Name, c.entry.Name +
		": the newer release does not say any more, and with the patch it stays: " + strings.Join(c.stays, ", ")}}
}

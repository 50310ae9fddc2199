package charts

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Class says how sure it is that a find is an image which the site needs.
type Class string

// The classes, from sure to unsure.
const (
	Certain   Class = "certain"   // a container of a pod spec, or a known field of a custom resource: it is pulled
	Likely    Class = "likely"    // the right name and form, in another object, an argument or a file
	Candidate Class = "candidate" // might be one; Reason says what speaks against it
)

// ImageFind is an image reference and where it was found.
type ImageFind struct {
	Image    string // as written; put together with / : @ where it was written in parts
	Class    Class
	Reason   string // for a candidate: why it is no more than that; for a likely one, what it rests on if not on its form
	Origin   manifests.Origin
	Subchart string // names of subcharts joined by slashes, empty for the chart itself
	// Rendering is the name of the rendering that needs the image. Discover gives
	// all of them, joined by commas.
	Rendering string
	Chart     NamedChart // of a find of the class [Named], the chart; Image is its text
}

// Ref reads the reference. One without tag and digest comes with
// [manifests.ErrNoTag]; [CheckTag] knows the tags that are not to be used.
func (f ImageFind) Ref() (manifests.ImageRef, error) { return manifests.ParseImageRef(f.Image) }

// LeftOut is a find that no production installation needs, and the rule that
// says so.
type LeftOut struct {
	ImageFind
	Rule string
}

// Finds is everything that was found in one rendering, in the order of the
// documents and the fields in them. Images stand there as often as they are
// referred to.
type Finds struct {
	Images  []ImageFind
	LeftOut []LeftOut

	sources []chartSource // repositories of charts, to which finds of the class [Named] refer
}

// The rules by which finds are left out.
const (
	RuleTestHook    = "a test hook: helm test starts it, an installation does not"
	RuleIntegration = "an integration test: the image's name ends in -integration"
	RuleDisk        = "a Ceph RBD image: a disk, not a container image"
)

// Find looks for images in everything that was rendered: in the pod specs of
// all workload kinds, in the known fields of custom resources
// ([BuiltinKnown]), in fields named image anywhere, in arguments and
// environment variables, and in the files that ConfigMaps and Secrets hold. A
// document that is not YAML, and a container without a usable image, is an
// error; so is everything else that would start no pod. What was found up to
// then is returned with it.
func Find(rendered *Rendered) (Finds, error) { return FindKnown(rendered, Known{}) }

// FindKnown does what [Find] does, and knows more custom resources.
func FindKnown(rendered *Rendered, more Known) (Finds, error) {
	return findSeen(rendered, more, seenFinds{})
}

// seenFinds keeps what was found in documents that have been looked at: several
// renderings of a chart have most of theirs in common.
type seenFinds map[seenDocument]Finds

type seenDocument struct {
	template, kind, hooks, content string
}

func findSeen(rendered *Rendered, more Known, seen seenFinds) (Finds, error) {
	f := finder{rendered: rendered, known: BuiltinKnown().with(more)}
	var all Finds
	for _, document := range slices.Concat(rendered.CRDs, rendered.Manifests, rendered.Hooks) {
		key := seenDocument{document.Template, document.Kind, strings.Join(document.Hooks, ","), document.Content}
		finds, ok := seen[key]
		if !ok {
			faults := len(f.faults)
			f.finds = Finds{}
			if document.Kind == "" { // a file below crds/, which may hold several
				for _, part := range split(document.Template, document.Content) {
					f.document(part)
				}
			} else {
				f.document(document)
			}
			if finds = f.finds; len(f.faults) == faults {
				seen[key] = finds
			}
		}
		all = all.appended(finds, rendered.Rendering)
	}
	all.Images = withoutRepeated(all.Images)
	return all, errors.Join(f.faults...)
}

// withoutRepeated leaves out what is only a text, where a surer find has the same
// image: there is nothing to decide.
func withoutRepeated(finds []ImageFind) []ImageFind {
	sure := map[manifests.ImageRef]bool{}
	for _, find := range finds {
		if ref, err := find.Ref(); err == nil && find.Class != Candidate {
			sure[ref] = true
		}
	}
	return slices.DeleteFunc(finds, func(find ImageFind) bool {
		ref, err := find.Ref()
		return err == nil && find.Reason == reasonText && sure[ref]
	})
}

// appended adds finds as those of a rendering.
func (f Finds) appended(more Finds, rendering string) Finds {
	f.sources = append(f.sources, more.sources...)
	for _, find := range more.Images {
		find.Rendering = rendering
		f.Images = append(f.Images, find)
	}
	for _, left := range more.LeftOut {
		left.Rendering = rendering
		f.LeftOut = append(f.LeftOut, left)
	}
	return f
}

type finder struct {
	rendered *Rendered
	known    Known
	finds    Finds
	faults   []error
	depth    int // of documents inside of files inside of documents

	// Of the object that is being looked at:
	at    Document
	kind  string
	name  string
	typed map[string]bool // fields that a pod spec has accounted for

	around []map[string]any // the maps around the field that is being looked at, the nearest first
}

func (f *finder) document(document Document) {
	content, err := unmarshalYAML(document.Content)
	if err != nil {
		f.faults = append(f.faults, f.rendered.explainYAML(document, err))
		return
	}
	f.at = document
	if object, ok := content.(map[string]any); ok {
		f.object(object, "")
	}
}

// unmarshalYAML reads one YAML document as Kubernetes does.
func unmarshalYAML(text string) (content any, err error) {
	err = yaml.Unmarshal([]byte(text), &content, func(d *json.Decoder) *json.Decoder {
		d.UseNumber() // a tag such as 20240131 has to stay as it is
		return d
	})
	return content, err
}

// podSpecs says where each workload kind has its pod spec. It holds at any API
// version, deprecated ones included (Kubernetes API reference, "Workload
// Resources").
var podSpecs = map[string][]string{
	"Pod":                   {"spec"},
	"PodTemplate":           {"template", "spec"},
	"Deployment":            {"spec", "template", "spec"},
	"StatefulSet":           {"spec", "template", "spec"},
	"DaemonSet":             {"spec", "template", "spec"},
	"ReplicaSet":            {"spec", "template", "spec"},
	"ReplicationController": {"spec", "template", "spec"},
	"Job":                   {"spec", "template", "spec"},
	"CronJob":               {"spec", "jobTemplate", "spec", "template", "spec"},
}

// object looks at one object, or at each of those in a list. An object in a
// DeploymentList may leave out its kind.
func (f *finder) object(object map[string]any, kindInList string) {
	kind, _ := object["kind"].(string)
	kind = or(kind, kindInList)
	if listed, isList := strings.CutSuffix(kind, "List"); isList {
		if items, ok := object["items"].([]any); ok {
			for _, item := range items {
				if object, ok := item.(map[string]any); ok {
					f.object(object, listed)
				}
			}
			return
		}
	}
	metadata, _ := object["metadata"].(map[string]any)
	f.kind, f.typed, f.around = kind, map[string]bool{}, nil
	f.name, _ = scalar(metadata["name"])
	if where, ok := podSpecs[kind]; ok {
		f.podSpec(descend(object, where), strings.Join(where, "."))
	}
	f.knownObject(object)
	f.walk(object, "")
}

func descend(object map[string]any, where []string) map[string]any {
	for _, key := range where {
		object, _ = object[key].(map[string]any)
	}
	return object
}

// podSpec finds the images of a pod: those of its containers, and those that
// are mounted as volumes (Kubernetes API reference, "PodSpec").
func (f *finder) podSpec(spec map[string]any, where string) {
	for _, list := range []string{"initContainers", "containers", "ephemeralContainers"} {
		containers, _ := spec[list].([]any)
		for i, container := range containers {
			f.container(container, "image", fmt.Sprintf("%s.%s[%d]", where, list, i))
		}
	}
	volumes, _ := spec["volumes"].([]any)
	for i, volume := range volumes {
		if volume, ok := volume.(map[string]any); ok && volume["image"] != nil {
			f.container(volume["image"], "reference", fmt.Sprintf("%s.volumes[%d].image", where, i))
		}
	}
}

// partialPodSpec finds the images of a pod spec that an operator completes:
// containers may be there without an image.
func (f *finder) partialPodSpec(spec map[string]any, where string) {
	for _, list := range []string{"initContainers", "containers", "ephemeralContainers", "sidecars", "volumes"} {
		key := "image"
		if list == "volumes" {
			key = "image.reference"
		}
		for _, at := range locate(spec, list+"[]."+key) {
			f.knownField(located{where + "." + at.field, at.value})
		}
	}
}

// container finds an image that Kubernetes itself will pull. There is no
// second guess: without a usable reference the pod cannot start.
func (f *finder) container(container any, key, where string) {
	fields, _ := container.(map[string]any)
	field := where + "." + key
	f.typed[field] = true
	if key == "reference" {
		f.typed[where] = true
	}
	image, isString := fields[key].(string)
	if isString && image != "" {
		find := f.find(image, Certain, field)
		if _, err := find.Ref(); err == nil || errors.Is(err, manifests.ErrNoTag) {
			f.add(find)
			return
		}
	}
	find := f.find(image, Certain, field)
	if rule := f.rule(find); rule != "" {
		f.finds.LeftOut = append(f.finds.LeftOut, LeftOut{find, rule})
		return
	}
	f.faults = append(f.faults, f.unusable(find, fields[key]))
}

func (f *finder) unusable(find ImageFind, value any) error {
	explained := fault.New(fault.Failure, fault.Here, "chart "+f.rendered.Chart.String(),
		"set the image's values in a values file of chart "+f.rendered.Chart.Name, "%s has a container without an image", find.Origin.Object)
	explained.Place = fault.Place{File: f.at.Template, Field: find.Origin.Field}
	if value != nil && value != "" {
		if text, ok := value.(string); ok {
			value = manifests.BareName(text)
		}
		text, _ := json.Marshal(value)
		explained.Err = fmt.Errorf("%s has the image %.200s, which is no image reference", find.Origin.Object, text)
	}
	return explained
}

// walk looks at all fields, in the order of their names.
func (f *finder) walk(value any, where string) {
	switch value := value.(type) {
	case map[string]any:
		if isStore(value) {
			f.store(value, where)
		}
		f.namedCharts(value, where)
		taken := f.parts(f.mapAt(value, where), where)
		f.below(value, func() {
			for _, key := range sortedKeys(value) {
				if field := joinField(where, key); !f.typed[field] && !taken[key] && !(isStore(value) && isStoreData(key)) {
					f.field(key, value[key], field)
				}
			}
		})
	case []any:
		f.list("", value, where)
	case string:
		f.string("", value, where)
	}
}

// list looks at a list by its name: arguments, pairs of names and values, or items
// of any kind.
func (f *finder) list(key string, list []any, where string) {
	if isArguments(key, list) {
		f.arguments(list, where)
		return
	}
	whole := Candidate
	if key == "env" {
		whole = Likely
	}
	f.pairs(pairsOf(list, where), whole)
	for i, item := range list {
		f.imagesOfPair(item, indexed(where, i))
		f.walk(item, indexed(where, i))
	}
}

// imagesOfPair looks at a pair whose name says that its value is images, and whose
// value is no text: a parameter of a pipeline.
func (f *finder) imagesOfPair(item any, where string) {
	fields, _ := item.(map[string]any)
	if name, _ := scalar(fields["name"]); !isImageName(name) {
		return
	}
	for _, key := range valueKeys {
		switch fields[key].(type) {
		case []any, map[string]any:
			f.imagesField(fields[key], joinField(where, key))
			f.typed[joinField(where, key)] = true
		}
	}
}

func isStoreData(key string) bool {
	return key == "data" || key == "stringData" || key == "binaryData"
}

// field looks at one field by its name.
func (f *finder) field(key string, value any, field string) {
	list, isList := value.([]any)
	fields, isMap := value.(map[string]any)
	switch {
	case key == "image":
		f.imageField(value, field)
	case key == "openAPIV3Schema" && f.kind == "CustomResourceDefinition":
		f.schema(value, field)
	case field == "status" && f.depth == 0:
		// what a controller once wrote
	case key == "annotations" && isMap:
		for _, name := range sortedKeys(fields) {
			if text, ok := fields[name].(string); ok && !isWord(text) {
				f.string(name, text, joinField(field, name))
			}
		}
	case (key == "env" || key == "extraArgs") && isMap:
		var all []pair
		for _, name := range sortedKeys(fields) {
			if text, ok := scalar(fields[name]); ok {
				all = append(all, pair{name, text, joinField(field, name)})
			}
		}
		f.pairs(all, Likely)
		f.walk(value, field)
	case isImageName(key):
		f.imagesField(value, field)
	case isList:
		f.list(key, list, field)
	default:
		if text, ok := value.(string); ok {
			f.string(key, text, field)
			return
		}
		f.walk(value, field)
	}
}

// isWord reports whether a text is the name of something, and no image with a tag.
func isWord(text string) bool { return !strings.ContainsAny(text, " \n,;:@{[") }

// string looks at a text in a field whose name says nothing. Long ones may be
// a document of their own.
func (f *finder) string(name, text, field string) {
	switch {
	case !strings.ContainsAny(text, "/:"):
	case strings.Contains(text, "\n"), strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		f.file(name, text, field)
	default:
		f.named(name, text, field, Candidate)
	}
}

// imagesField looks at a field whose name ends in image or images: serverImage,
// images. Other than in one named image, only a reference with a tag counts.
func (f *finder) imagesField(value any, field string) {
	switch value := value.(type) {
	case string:
		f.namedImage(trimScheme(value), field)
	case map[string]any:
		f.imageMap(value, field)
	case []any:
		for i, item := range value {
			f.imagesField(item, indexed(field, i))
		}
	}
}

// parts adds the images that a map holds in parts, and returns the fields that
// went into them.
func (f *finder) parts(m mapOfParts, where string) map[string]bool {
	return f.partsAt(m, func(image partedImage) string {
		if image.whole && where != "" {
			return where
		}
		return joinField(where, image.key)
	})
}

func (f *finder) partsAt(m mapOfParts, place func(partedImage) string) map[string]bool {
	taken := map[string]bool{}
	for _, image := range m.images() {
		field := place(image)
		if f.typed[field] {
			continue
		}
		for _, key := range image.keys {
			taken[key] = true
		}
		doubt := image.doubt
		if doubt == "" && !isReference(image.String()) && !m.isImage() && image.key != "image" {
			doubt = reasonNoTag
		}
		if doubt == "" {
			f.shaped(image.String(), field)
			continue
		}
		find := f.find(image.String(), Candidate, field)
		find.Reason = doubt
		f.add(find)
	}
	return taken
}

// mapAt is a map as it stands in the object that is looked at.
func (f *finder) mapAt(fields map[string]any, where string) mapOfParts {
	under, inList := lastField(where)
	return mapOfParts{fields: fields, under: under, inList: inList, around: f.around}
}

// below runs what looks at the fields of a map: what the map says of registry and
// tag holds for the maps in it.
func (f *finder) below(fields map[string]any, look func()) {
	around := f.around
	f.around = slices.Insert(slices.Clone(around), 0, fields)
	look()
	f.around = around
}

// imageField looks at what a field named image holds.
func (f *finder) imageField(value any, field string) {
	switch value := value.(type) {
	case nil: // the same as no field
	case string:
		f.shaped(value, field)
	case map[string]any:
		f.imageMap(value, field)
	case []any:
		for i, item := range value {
			f.imageField(item, fmt.Sprintf("%s[%d]", field, i))
		}
	default:
		find := f.find(fmt.Sprint(value), Candidate, field)
		find.Reason = "not a text"
		f.add(find)
	}
}

// shaped adds a reference that was found by its field's name.
func (f *finder) shaped(image, field string) {
	if given := trimScheme(withDefaults(image)); isReference(given) {
		image = given
	}
	find := f.find(image, Likely, field)
	if image == "" {
		find.Class, find.Reason = Candidate, "empty: whoever reads the object may take an image of its own choice"
	} else if _, err := find.Ref(); err != nil && !errors.Is(err, manifests.ErrNoTag) {
		find.Class, find.Reason = Candidate, "not an image reference"
	}
	f.add(find)
}

// imageMap looks at a map in a field that is named image or images: it is an
// image in parts, or holds images by whatever name.
func (f *finder) imageMap(fields map[string]any, field string) {
	m := f.mapAt(fields, field)
	if reference := m.text("reference"); reference != "" {
		if !m.has(repositoryPart, "") {
			f.shaped(reference, joinField(field, "reference"))
			return
		}
		m.fields = maps.Clone(fields)
		m.fields["tag"] = reference // or a digest
	}
	isOne := strings.HasSuffix(lettersOf(m.under), "image")
	if !m.inList {
		m.under = "image"
	}
	found := len(f.finds.Images) + len(f.finds.LeftOut)
	taken := f.parts(m, field)
	f.below(fields, func() {
		for _, key := range sortedKeys(fields) {
			switch text, isText := fields[key].(string); {
			case taken[key], f.typed[joinField(field, key)]:
			case isText && !isOne && !m.inList && len(taken) == 0 && readPartName(key).is == noPart:
				f.inImageMap(key, f.completed(text), isOne, joinField(field, key))
			default:
				f.inImageMap(key, fields[key], isOne, joinField(field, key))
			}
		}
	})
	if found < len(f.finds.Images)+len(f.finds.LeftOut) {
		return
	}
	if tag := (partedImage{}).tagged(m.beside(tagPart, "").text); tag.String() != "" {
		find := f.find(tag.String(), Candidate, field)
		find.Reason = doubtNoRepository
		f.add(find)
	}
}

// inImageMap looks at a further field of such a map. The texts in it are images
// where they have a tag, and so are the maps if it is one of several images.
func (f *finder) inImageMap(key string, value any, isOne bool, field string) {
	switch value := value.(type) {
	case string:
		if readPartName(key).is == noPart && isReference(trimScheme(value)) {
			f.shaped(value, field)
			return
		}
	case map[string]any:
		if !isOne && key != "labels" && key != "annotations" {
			f.imageMap(value, field)
			return
		}
	}
	f.field(key, value, field)
}

// completed adds the registry and tag that stand beside the names of a map of
// images, for all of them: {registry: quay.io, tag: "1", web: acme/web}.
func (f *finder) completed(name string) string {
	beside := mapOfParts{fields: f.around[0]}
	if !beside.has(tagPart, "") && !beside.has(registryPart, "") {
		return name
	}
	one := mapOfParts{fields: map[string]any{"image": name}, around: f.around[:1]}
	for _, image := range one.images() {
		return image.String()
	}
	return name
}

// schema looks at the defaults in the schema of a custom resource: an operator
// whose users say nothing runs with them. Else, a property named image is a
// description of an image, and not one.
func (f *finder) schema(value any, where string) {
	switch value := value.(type) {
	case map[string]any:
		properties, _ := value["properties"].(map[string]any)
		f.presetParts(properties, where)
		for _, name := range sortedKeys(properties) {
			field := joinField(joinField(where, "properties"), name)
			property, _ := properties[name].(map[string]any)
			if preset, ok := property["default"]; ok {
				f.preset(name, preset, property, joinField(field, "default"))
			}
			f.schema(property, field)
		}
		for _, key := range sortedKeys(value) {
			switch key {
			case "properties", "enum", "example", "description", "default":
			default:
				f.schema(value[key], joinField(where, key))
			}
		}
	case []any:
		for i, item := range value {
			f.schema(item, fmt.Sprintf("%s[%d]", where, i))
		}
	}
}

// presetParts adds the images whose parts are defaults of their own: repository of
// one property, and tag of the next.
func (f *finder) presetParts(properties map[string]any, where string) {
	presets := map[string]any{}
	for name, value := range properties {
		if property, _ := value.(map[string]any); property["default"] != nil {
			presets[name] = property["default"]
		}
	}
	under, _ := lastField(where)
	for _, image := range (mapOfParts{fields: presets, under: under, strict: true}).images() {
		if isReference(image.String()) {
			f.shaped(image.String(), joinField(joinField(joinField(where, "properties"), image.key), "default"))
		}
	}
}

// preset looks at the default of one property. One in parts that leaves out a
// part is completed by the operator.
func (f *finder) preset(name string, value any, property map[string]any, field string) {
	parts, _ := value.(map[string]any)
	known, _ := property["properties"].(map[string]any)
	image, named := imageOfParts(parts)
	switch text, isText := value.(string); {
	case named && known["name"] != nil && known["repository"] != nil && (parts["name"] == nil || parts["repository"] == nil):
		find := f.find(image, Candidate, field)
		find.Reason = "written in parts, of which the name is missing: the operator completes it"
		f.add(find)
	case name == "image":
		f.imageField(value, field)
	case isText && (isImageName(name) || isHosted(text)):
		f.named(name, text, field, Likely)
	case isText:
		f.string(name, text, field)
	case isImageName(name):
		f.imagesField(value, field)
	case !isText:
		f.walk(value, field)
	}
}

func (f *finder) find(image string, class Class, field string) ImageFind {
	return ImageFind{
		Image: image, Class: class, Subchart: f.at.Subchart(), Rendering: f.rendered.Rendering,
		Origin: manifests.Origin{
			Chart: f.rendered.Chart.Name, Template: f.at.Template, Field: field,
			Object: Document{Kind: f.kind, Name: f.name}.object(),
		},
	}
}

func (f *finder) add(find ImageFind) {
	if rule := f.rule(find); rule != "" {
		f.finds.LeftOut = append(f.finds.LeftOut, LeftOut{find, rule})
		return
	}
	f.finds.Images = append(f.finds.Images, find)
}

// rule returns the rule by which a find is left out, if there is one.
func (f *finder) rule(find ImageFind) string {
	switch {
	case f.at.isTest():
		return RuleTestHook
	case f.isDisk(find.Origin.Field):
		return RuleDisk
	}
	if ref, err := find.Ref(); (err == nil || errors.Is(err, manifests.ErrNoTag)) && strings.HasSuffix(ref.Repository, "-integration") {
		return RuleIntegration
	}
	return ""
}

// isDisk reports whether a field of a Kubernetes object names a Ceph block device
// (Kubernetes API reference, "RBDVolumeSource").
func (f *finder) isDisk(field string) bool {
	_, isWorkload := podSpecs[f.kind]
	return strings.HasSuffix(field, ".rbd.image") && (isWorkload || f.kind == "PersistentVolume")
}

// isTest reports whether the document is a hook for helm test and nothing else.
func (d Document) isTest() bool {
	return len(d.Hooks) > 0 && !slices.ContainsFunc(d.Hooks, func(event string) bool {
		return event != "test" && event != "test-success"
	})
}

func sortedKeys[V any](fields map[string]V) []string { return slices.Sorted(maps.Keys(fields)) }

func indexed(where string, i int) string { return where + "[" + strconv.Itoa(i) + "]" }

// lastField returns the last name of a path, and whether the path ends at an item
// of its list.
func lastField(where string) (name string, inList bool) {
	for strings.HasSuffix(where, "]") && !strings.HasSuffix(where, `"]`) {
		where, inList = where[:strings.LastIndex(where, "[")], true
	}
	if quoted, ok := strings.CutSuffix(where, `"]`); ok {
		return quoted[strings.LastIndex(quoted, `["`)+2:], inList
	}
	return where[strings.LastIndexAny(where, ".:")+1:], inList
}

// joinField appends a key to the path of a field, quoted where a dot in it
// would mislead.
func joinField(where, key string) string {
	if strings.ContainsAny(key, `.[]" /`) {
		return where + "[" + strconv.Quote(key) + "]"
	}
	if where == "" || strings.HasSuffix(where, ":") {
		return where + key
	}
	return where + "." + key
}

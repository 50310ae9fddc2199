package charts

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"sigs.k8s.io/yaml"
)

// maxEmbedded is how deep documents inside of documents are looked into: an
// object, in a file of a ConfigMap, in a file of a ConfigMap.
const maxEmbedded = 4

// isStore reports whether an object is a ConfigMap or a Secret, whose data are
// files and variables for programs (Kubernetes API reference, "Config and
// Storage Resources").
func isStore(object map[string]any) bool {
	kind, _ := object["kind"].(string)
	apiVersion, _ := object["apiVersion"].(string)
	return apiVersion == "v1" && (kind == "ConfigMap" || kind == "Secret")
}

// store looks into the data of a ConfigMap or Secret.
func (f *finder) store(object map[string]any, where string) {
	kind, _ := object["kind"].(string)
	for _, part := range []struct {
		key     string
		encoded bool
	}{{"data", kind == "Secret"}, {"stringData", false}, {"binaryData", true}} {
		files, _ := object[part.key].(map[string]any)
		for _, name := range sortedKeys(files) {
			text, _ := scalar(files[name])
			if part.encoded {
				decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
				if err != nil || !utf8.Valid(decoded) {
					continue
				}
				text = string(decoded)
			}
			f.file(name, text, joinField(joinField(where, part.key), name))
		}
	}
}

// file looks at one file: as YAML or JSON if it is that, and else as text.
func (f *finder) file(name, text, field string) {
	if len(text) > manifestsText {
		f.rendered.note("%s: %s of %s is larger than what is searched for images",
			f.at.Template, field, Document{Kind: f.kind, Name: f.name}.object())
		return
	}
	if f.depth >= maxEmbedded || !strings.ContainsAny(text, ":/") {
		return
	}
	if isImageName(name) || !strings.ContainsAny(text, "\n{[") {
		f.named(name, text, field, Likely)
		return
	}
	documents, ok := structured(text)
	if !ok {
		f.unstructured(text, field)
		return
	}
	depth, from := f.depth, len(f.finds.Images)
	f.depth++
	for _, document := range documents {
		f.walk(document, field+":")
	}
	f.depth = depth
	f.onlyWithTags(from)
}

// structured reads a text as YAML documents. A text without any map or list is
// not meant to be YAML.
func structured(text string) ([]any, bool) {
	if !strings.ContainsAny(text, ":{[") {
		return nil, false
	}
	var all []any
	for _, document := range split("", text) {
		var content any
		err := yaml.Unmarshal([]byte(document.Content), &content, func(d *json.Decoder) *json.Decoder {
			d.UseNumber()
			return d
		})
		if err != nil {
			return nil, false
		}
		switch content.(type) {
		case map[string]any, []any:
			all = append(all, content)
		case nil:
		default:
			return nil, false
		}
	}
	return all, len(all) > 0
}

// onlyWithTags makes candidates of likely finds without a tag, and drops what is
// no reference at all: a field named image in a file of an unknown format is
// often a picture.
func (f *finder) onlyWithTags(from int) {
	kept := f.finds.Images[:from]
	for _, find := range f.finds.Images[from:] {
		ref, err := find.Ref()
		switch {
		case find.Class == Named:
		case err != nil && ref.Repository == "":
			continue
		case err != nil && find.Class != Candidate:
			find.Class, find.Reason = Candidate, reasonNoTag
		}
		kept = append(kept, find)
	}
	f.finds.Images = kept
}

// unstructured looks at a file that is neither YAML nor JSON: a template of
// YAML, a script, properties.
func (f *finder) unstructured(text, field string) {
	seen := map[string]bool{}
	for _, reference := range references(text) {
		seen[reference] = true
	}
	for _, found := range quotedImage.FindAllStringSubmatch(text, -1) {
		if image := found[1]; isReference(image) && !seen[image] {
			seen[image] = true
		}
	}
	for _, image := range sortedKeys(seen) {
		find := f.find(image, Candidate, field)
		find.Reason = reasonText
		f.add(find)
	}
}

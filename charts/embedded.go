package charts

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"

	yamlv3 "go.yaml.in/yaml/v3"
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
		var lines []pair
		for _, name := range sortedKeys(files) {
			text, _ := scalar(files[name])
			if part.encoded {
				decoded, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
				if err != nil || !utf8.Valid(decoded) {
					continue
				}
				text = string(decoded)
			}
			field := joinField(joinField(where, part.key), name)
			if isFile(text) {
				f.file(name, text, field)
			} else {
				lines = append(lines, pair{name, strings.TrimSpace(text), field})
			}
		}
		f.pairs(lines, Likely)
	}
}

// isFile reports whether a text is a file rather than a variable.
func isFile(text string) bool {
	return strings.ContainsAny(strings.TrimSpace(text), "\n{[") || strings.Contains(text, ": ") && strings.HasSuffix(text, "\n")
}

// file looks at one file: as YAML or JSON if it is that, and else as text.
func (f *finder) file(name, text, field string) {
	if len(text) > manifestsText {
		f.rendered.note("%s: %s of %s is larger than what is searched for images",
			f.at.Template, field, Document{Kind: f.kind, Name: f.name}.object())
		return
	}
	if !strings.ContainsAny(text, ":/") {
		return
	}
	title := strings.TrimSuffix(name, path.Ext(name)) // images.txt
	documents, ok := structured(text)
	switch {
	case f.depth >= maxEmbedded:
		f.text(text, field)
	case ok && isImageName(title) && !isObject(documents[0]):
		f.embedded(documents, field, f.imagesField)
	case ok:
		f.embedded(documents, field, f.walk)
	case isImageName(title):
		f.named(title, text, field, Likely)
	default:
		f.unstructured(text, field)
	}
}

// isObject reports whether a document is a Kubernetes object.
func isObject(document any) bool {
	fields, _ := document.(map[string]any)
	return fields["kind"] != nil && fields["apiVersion"] != nil
}

// embedded looks at documents in a file, and reports whether they hold images.
func (f *finder) embedded(documents []any, field string, look func(any, string)) bool {
	depth, around, from := f.depth, f.around, len(f.finds.Images)
	f.depth, f.around = f.depth+1, nil
	for _, document := range documents {
		look(document, field+":")
	}
	f.depth, f.around = depth, around
	f.onlyWithTags(from)
	return len(f.finds.Images) > from
}

// structured reads a text as YAML documents, or as JSON values one after the other.
// A text without any map or list is not meant to be either.
func structured(text string) ([]any, bool) {
	if !strings.ContainsAny(text, ":{[") {
		return nil, false
	}
	var all []any
	for _, document := range split("", text) {
		content, err := readYAML(document.Content)
		if err != nil {
			return jsonValues(text)
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

var errTrailing = errors.New("goes on behind its end")

// beforeContent is what may stand before the first document's content: a byte order
// mark, empty lines and comments.
var beforeContent = regexp.MustCompile(`^\x{FEFF}?(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*`)

// readYAML reads one YAML document. A text that goes on behind it is none: to YAML
// the [[x]] of TOML is a list, and what follows it another document.
func readYAML(text string) (any, error) {
	begins := text[len(beforeContent.FindString(text)):]
	if begins != "" && strings.ContainsAny(begins[:1], "[{\"'") || strings.Contains(text, "\n...") {
		documents := yamlv3.NewDecoder(strings.NewReader(text))
		var node yamlv3.Node
		if err := documents.Decode(&node); err != nil {
			return nil, err // sigs.k8s.io/yaml would be content with what stands before the mistake
		}
		if !errors.Is(documents.Decode(&node), io.EOF) {
			return nil, errTrailing
		}
	}
	return unmarshalYAML(text)
}

// jsonValues reads lines of JSON, or values without anything between them.
func jsonValues(text string) ([]any, bool) {
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var all []any
	isData := false
	for {
		var value any
		switch err := decoder.Decode(&value); {
		case errors.Is(err, io.EOF):
			return all, isData
		case err != nil:
			return nil, false
		}
		switch value.(type) {
		case map[string]any, []any:
			isData = true
		}
		all = append(all, value)
	}
}

// onlyWithTags makes candidates of likely finds without a tag, and drops what is
// no reference at all: a field named image in a file of an unknown format is
// often a picture. Of one that leaves its registry or tag to a variable, the rest
// is kept.
func (f *finder) onlyWithTags(from int) {
	kept := f.finds.Images[:from]
	for _, find := range f.finds.Images[from:] {
		if path, isPart := withoutVariables(find.Image); isPart {
			find.Image, find.Class, find.Reason = path, Candidate, reasonText
		}
		ref, err := find.Ref()
		switch {
		case find.Class == Named:
		case err != nil && ref.Repository == "":
			continue
		case err != nil && (find.Class != Candidate || find.Reason == reasonText):
			find.Class, find.Reason = Candidate, reasonNoTag
		}
		kept = append(kept, find)
	}
	f.finds.Images = kept
}

var (
	templateLine = regexp.MustCompile(`(?m)^[ \t]*(?:\{\{.*\}\}|\{%.*%\})[ \t]*$`)
	templatePart = regexp.MustCompile(`\{\{.*?\}\}|\{%.*?%\}`)
)

// unstructured looks at a file that is neither YAML nor JSON. One that is YAML
// without the actions of its templates is looked through as such, too; what is
// found are candidates, because the actions may choose.
func (f *finder) unstructured(text, field string) {
	from := len(f.finds.Images)
	f.text(text, field)
	if !templatePart.MatchString(text) {
		return
	}
	seen := map[string]bool{}
	for _, find := range f.finds.Images[from:] {
		seen[find.Image] = true
	}
	from = len(f.finds.Images)
	plain := templatePart.ReplaceAllString(templateLine.ReplaceAllString(text, ""), templateMark)
	if documents, ok := structured(plain); ok {
		f.embedded(documents, field, f.walk)
	}
	kept := f.finds.Images[:from]
	for _, find := range f.finds.Images[from:] {
		if !seen[find.Image] && isReference(find.Image) {
			seen[find.Image] = true
			find.Class, find.Reason = Candidate, reasonText
			kept = append(kept, find)
		}
	}
	f.finds.Images = kept
}

// templateMark stands for what a template's action writes. It is in no reference.
const templateMark = "\u00a7"

package charts

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
)

// hosted is a reference that begins with a registry's host name and ends in a
// tag or digest: the only form that is recognised in the middle of a text
// (distribution/reference, "Grammar").
var hosted = regexp.MustCompile(`(?:(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}(?::[0-9]{2,5})?` +
	`|(?:localhost|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?):[0-9]{2,5})` +
	`(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)+` +
	`(?:(?::[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64}|:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})`)

// isHosted reports whether a whole text is such a reference.
func isHosted(text string) bool {
	at := hosted.FindStringIndex(text)
	return at != nil && at[0] == 0 && at[1] == len(text) && plausibleHost(text) && isReference(text)
}

// plausibleHost refuses names that look like a reference and are the key of a
// Kubernetes label or an API group.
func plausibleHost(text string) bool {
	host, _, _ := strings.Cut(text, "/")
	host, _, _ = strings.Cut(host, ":")
	switch {
	case strings.HasSuffix(host, ".kubernetes.io"), host == "kubernetes.io":
		return false
	case strings.HasSuffix(host, ".k8s.io"):
		return strings.HasPrefix(host, "registry") || strings.HasSuffix(host, ".registry.k8s.io") || strings.HasSuffix(host, "gcr.k8s.io")
	}
	return !slices.Contains([]string{"github.com", "gitlab.com"}, host)
}

// isReference reports whether a text is a reference with a tag or digest.
func isReference(text string) bool {
	_, err := manifests.ParseImageRef(text)
	return err == nil
}

// references returns the references in the middle of a text.
func references(text string) []string {
	var all []string
	for _, at := range hosted.FindAllStringIndex(text, -1) {
		if at[0] > 0 && strings.ContainsRune("/@:.-_%$}abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", rune(text[at[0]-1])) &&
			!hasScheme(text[:at[0]]) {
			continue
		}
		if at[1] < len(text) && strings.ContainsRune("/{$%", rune(text[at[1]])) {
			continue // a URL with a port, or a pattern with a tag still to come
		}
		reference := strings.TrimRight(text[at[0]:at[1]], ".-")
		if plausibleHost(reference) && isReference(reference) && !slices.Contains(all, reference) {
			all = append(all, reference)
		}
	}
	return all
}

// short is a reference without a registry's host: with a slash, and a tag that
// looks like one rather than a port or the name of one.
var short = regexp.MustCompile(`(?:[a-z0-9]+(?:[_-]+[a-z0-9]+)*/)+[a-z0-9]+(?:[._-]+[a-z0-9]+)*` +
	`(?::(?:v?[0-9][A-Za-z0-9_-]*[A-Za-z._-][A-Za-z0-9_.-]*|v[0-9]+|[0-9]{6,}|[0-9]{1,2}|latest|stable|main|master|edge|alpine|slim)` +
	`|(?::[A-Za-z0-9_.-]+)?@sha256:[0-9a-f]{64})`)

// What stands around a word.
const beforeWord, afterWord = " \t\r\n\"'=,([`", " \t\r\n\"',;)]`"

// shortReferences returns such references in a text that are words of their own,
// but for those in comments: they are examples.
func shortReferences(text string) []string {
	var all []string
	for _, at := range short.FindAllStringIndex(text, -1) {
		if at[0] > 0 && !strings.ContainsRune(beforeWord, rune(text[at[0]-1])) ||
			at[1] < len(text) && !strings.ContainsRune(afterWord, rune(text[at[1]])) {
			continue
		}
		reference := strings.TrimRight(text[at[0]:at[1]], ".-")
		if isReference(reference) && !isNoName(reference) && plausibleHost(reference) && !inComment(text, at[0]) {
			all = append(all, reference)
		}
	}
	return all
}

// schemes are what some programs write in front of a reference (containers'
// transports; Helm's and Flux' oci).
var schemes = []string{"docker://", "oci://", "docker-pullable://"}

func hasScheme(before string) bool {
	return slices.ContainsFunc(schemes, func(scheme string) bool { return strings.HasSuffix(before, scheme) })
}

func trimScheme(text string) string {
	for _, scheme := range schemes {
		text = strings.TrimPrefix(text, scheme)
	}
	return text
}

// imageEnd is how the letters of a name end that says that its value is an image,
// or several.
var imageEnd = regexp.MustCompile(`relatedimage[a-z0-9]*$` +
	`|images?(?:name|ref|reference|url|uri|repotag|fullname|list|set|map|mapping|override|default|catalog|by[a-z0-9]+)?s?$`)

// isImageName reports whether the name of a flag, variable or field says that its
// value is an image: --acme-http01-solver-image, RELATED_IMAGE_PROXY,
// serverImage.
func isImageName(name string) bool {
	return mentionsImage(name) && imageEnd.MatchString(lettersOf(name))
}

// noImages are values of such names that are none.
var noImages = []string{"", "true", "false", "yes", "no", "none", "null", "auto", "default", "latest", "always", "never", "ifnotpresent"}

// named adds what the value of a named text holds: of a flag, an environment
// variable, an annotation, a file in a ConfigMap. whole is the class of a
// reference with registry and tag that is the whole value, where the name says
// nothing.
func (f *finder) named(name, value, field string, whole Class) {
	value = trimScheme(strings.Trim(strings.TrimSpace(value), `"'`))
	switch {
	case len(value) > manifestsText:
		return
	case f.known.argument(name) && isReference(value):
		f.add(f.find(value, Certain, field))
	case isImageName(name):
		f.namedImage(value, field)
	case isHosted(value):
		find := f.find(value, whole, field)
		if whole == Candidate {
			find.Reason = reasonText
		}
		f.add(find)
	default:
		f.text(value, field)
	}
}

// manifestsText bounds what is searched for references as one text: bytes.
const manifestsText = 8 << 20

// The reasons of candidates found in texts.
const (
	reasonText  = "only a text, which nothing says is an image"
	reasonNoTag = "has neither tag nor digest"
)

// namedImage adds the value of a name that says it is an image, or several of
// them, as in "3.8.0=quay.io/strimzi/kafka:0.45.0-kafka-3.8.0".
func (f *finder) namedImage(value, field string) {
	if isReference(value) {
		f.add(f.find(value, Likely, field))
		return
	}
	if strings.ContainsAny(value[:min(1, len(value))], "{[") && f.depth < maxEmbedded {
		if documents, ok := structured(value); ok && f.embedded(documents, field, f.imagesField) {
			return
		}
	}
	images := imagesInValue(value)
	for _, image := range images {
		f.add(f.find(image, Likely, field))
	}
	if len(images) > 0 || isNoImage(value) {
		return
	}
	if _, err := manifests.ParseImageRef(value); errors.Is(err, manifests.ErrNoTag) {
		find := f.find(value, Candidate, field)
		find.Reason = reasonNoTag
		f.add(find)
	}
}

// imagesInValue returns the references in a text that holds images and nothing
// else, in whatever way they are joined.
func imagesInValue(value string) []string {
	var images []string
	words := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t\r\n,;=|\"'`[]{}()<>", r) })
	for _, word := range words {
		word = strings.TrimSuffix(trimScheme(word), ":")
		if key, keyed, _ := strings.Cut(word, ":"); !isReference(word) && !strings.Contains(key, "/") {
			word = keyed // pg:postgres:16
		}
		if isReference(word) && !isNoName(word) && plausibleHost(word) && !slices.Contains(images, word) {
			images = append(images, word)
		}
	}
	return images
}

var nameLetter = regexp.MustCompile(`[a-z]`)

// isNoName reports whether what has the form of a reference is a pair of numbers,
// such as ports, or another kind of address.
func isNoName(reference string) bool {
	name, _, _ := takeApart(reference)
	return !nameLetter.MatchString(name) || slices.Contains(otherSchemes, name)
}

var otherSchemes = []string{"http", "https", "file", "data", "urn", "mailto", "sha256", "localhost"}

// text adds what a text says of images, and what looks like references in it.
func (f *finder) text(text, field string) {
	if len(text) > manifestsText {
		return
	}
	if name, _ := lastField(field); isProse(name) && !strings.Contains(text, "\n") {
		for _, reference := range references(text) {
			find := f.find(reference, Candidate, field)
			find.Reason = reasonText
			f.add(find)
		}
		return
	}
	read := readText(text, f.known)
	for _, image := range sortedKeys(read.found) {
		find := f.find(image, read.found[image], field)
		if find.Class == Candidate {
			find.Reason = reasonText
		}
		f.add(find)
	}
	for _, image := range sortedKeys(read.untagged) {
		find := f.find(image, Candidate, field)
		find.Reason = reasonNoTag
		f.add(find)
	}
}

// isProse reports whether the name of a field says that it holds sentences: they
// name images as examples, if at all.
func isProse(name string) bool {
	return slices.Contains([]string{"description", "summary", "message", "title", "help", "documentation"}, strings.ToLower(name))
}

// arguments looks at a list of command line arguments: --flag=value, and
// --flag followed by the value.
func (f *finder) arguments(list []any, where string) {
	flag := ""
	f.partsOfFlags(list, where)
	for i, item := range list {
		argument, isText := item.(string)
		field := indexed(where, i)
		name, value, assigned := strings.Cut(argument, "=")
		switch {
		case !isText:
			f.walk(item, field)
		case strings.Contains(argument, "\n"):
			f.file("", argument, field)
			flag = ""
		case strings.HasPrefix(argument, "-") && assigned && !strings.ContainsAny(name, " \n"):
			f.named(name, value, field, Likely)
			flag = ""
		case strings.HasPrefix(argument, "-") && !strings.ContainsAny(argument, " \n"):
			flag = argument
		case assigned && isImageName(name) && !strings.ContainsAny(name, " \n"):
			f.named(name, value, field, Likely) // NAME=value, as for env and make
			flag = ""
		default:
			f.named(flag, argument, field, Likely)
			flag = ""
		}
	}
}

// partsOfFlags adds the images that several flags hold in parts: --image-repository
// and --image-tag.
func (f *finder) partsOfFlags(list []any, where string) {
	fields, places := map[string]any{}, map[string]string{}
	for i, item := range list {
		argument, _ := item.(string)
		name, value, assigned := strings.Cut(argument, "=")
		if !assigned && i+1 < len(list) {
			value, _ = list[i+1].(string)
		}
		if strings.HasPrefix(name, "-") && !strings.ContainsAny(name, " \n") {
			fields[name], places[name] = value, indexed(where, i)
		}
	}
	f.partsAt(mapOfParts{fields: fields, strict: true}, func(image partedImage) string { return places[image.key] })
}

// isArguments reports whether a list is one of command line arguments, whatever
// its name.
func isArguments(key string, list []any) bool {
	if key == "args" || key == "command" || key == "extraArgs" {
		return true
	}
	return slices.ContainsFunc(list, func(item any) bool {
		text, _ := item.(string)
		return strings.HasPrefix(text, "-")
	})
}

// pair is an item of a list that gives a value a name: an environment variable
// (Kubernetes API reference, "EnvVar"), a parameter.
type pair struct {
	name, value, field string
}

// valueKeys are the fields of a pair that hold its value.
var valueKeys = []string{"value", "default", "defaultValue"}

// pairsOf reads a list of pairs.
func pairsOf(list []any, where string) []pair {
	var all []pair
	for i, item := range list {
		fields, _ := item.(map[string]any)
		name, _ := scalar(fields["name"])
		if key, ok := scalar(fields["key"]); ok && name == "" {
			name = key
		}
		for _, key := range valueKeys {
			if value, ok := scalar(fields[key]); ok && name != "" {
				all = append(all, pair{name, value, indexed(where, i) + "." + key})
			}
		}
	}
	return all
}

// pairs looks at values that have names, each by itself and those that are parts
// of one image together. whole is the class of a value that is a reference and
// whose name says nothing.
func (f *finder) pairs(all []pair, whole Class) {
	fields, places := map[string]any{}, map[string]string{}
	for _, one := range all {
		fields[one.name], places[one.name] = one.value, one.field
	}
	m := mapOfParts{fields: fields, strict: true}
	taken := f.partsAt(m, func(image partedImage) string { return places[image.key] })
	for _, one := range all {
		f.typed[one.field] = true
		if !taken[one.name] {
			f.named(one.name, one.value, one.field, whole)
		}
	}
}

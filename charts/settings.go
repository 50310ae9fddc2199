package charts

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
)

// Texts that are neither YAML nor JSON, and say nevertheless what has which image:
// TOML, INI, properties, HCL, XML, Dockerfiles, scripts, templates of YAML. They
// are not read by a parser for each: what they have in common is a name, a sign
// and a value, in a section or between braces.

// textImages collects what a text says of images.
type textImages struct {
	known    Known
	found    map[string]Class
	untagged map[string]bool // images that are named without tag and digest
	sure     Class           // of what is said by name and form
	depth    int             // of settings within settings
}

// readText returns the references in a text, with how sure each is: a value that
// is given a name which says that it is an image is likely, and what merely looks
// like a reference is a candidate. In a template, the first is a candidate as
// well: whoever fills it in may choose.
func readText(text string, known Known) *textImages {
	t := &textImages{known: known, found: map[string]Class{}, untagged: map[string]bool{}, sure: Likely}
	if strings.Contains(text, "{{") || strings.Contains(text, "{%") {
		t.sure = Candidate
	}
	t.read(text)
	return t
}

func (t *textImages) read(text string) {
	text = continued.ReplaceAllString(text, " ")
	text = partDefault.ReplaceAllString(text, "$1$2$3$4")
	text = shellDefault.ReplaceAllString(text, "$1=$2")
	for _, reference := range references(text) {
		t.add(reference, Candidate)
	}
	for _, reference := range shortReferences(text) {
		t.add(reference, Candidate)
	}
	t.flags(text)
	t.commands(text)
	t.lists(text)
	if mentionsImage(text) || strings.Contains(text, "container") {
		t.settings(text)
		t.marked(text)
		t.quoted(text)
	}
}

// add notes a reference; the surer class is kept.
func (t *textImages) add(reference string, class Class) {
	if have, ok := t.found[reference]; !ok || class.rank() < have.rank() {
		t.found[reference] = class
	}
}

// value notes the images in a value whose name says that it holds some.
func (t *textImages) value(name, value string, class Class) {
	for _, image := range imagesInValue(value) {
		if isImageName(name) || strings.Contains(image, "/") {
			t.add(image, class)
		}
	}
}

// mentionsImage reports whether a text or name has the word image in it.
func mentionsImage(text string) bool { return strings.Contains(strings.ToLower(text), "image") }

var (
	// continued is the end of a line that goes on in the next.
	continued = regexp.MustCompile(`\\\r?\n[ \t]*`)

	// shellDefault is what a shell takes for an empty variable (POSIX.1-2024, 2.6.2
	// "Parameter Expansion"), and Spring and Docker Compose for one of theirs.
	shellDefault = regexp.MustCompile(`\$\{([A-Za-z0-9_][A-Za-z0-9_.]*)(?::[-=+]?|[-=])([^{}\n]*)\}`)

	// partDefault is one within a reference: acme/web:${TAG:-1}.
	partDefault = regexp.MustCompile(`([:/])` + variableWithDefault + `|` + variableWithDefault + `(/)`)
)

const variableWithDefault = `\$\{[A-Za-z0-9_][A-Za-z0-9_.]*(?::[-=+]?|[-=])([^{}\n]*)\}`

// withDefaults returns a text with the defaults in the place of its variables.
func withDefaults(text string) string { return shellDefault.ReplaceAllString(text, "$2") }

// The grammar of settings: a section, a value that is given a name, and the
// beginning and end of a block.
const (
	settingName   = `[A-Za-z_-][A-Za-z0-9_./-]*`
	settingSign   = `(?:=>|:=|\+?:{1,3}|[+?]?=)`
	settingQuoted = `"(?:[^"\\\n]|\\.)*"|'[^'\n]*'|` + "`[^`\n]*`"
	settingList   = `\[[^\]]*\]|(?:\n[ \t]*- [^\n]+)+`
	settingBare   = `(?:\{\{[^\n]*?\}\}|\$\{[^{}\n]*\}|[^` + notBare + `:=])(?:\{\{[^\n]*?\}\}|\$\{[^{}\n]*\}|[^` + notBare + `])*`
	notBare       = `\s"'` + "`" + `,;<>(){}\[\]|&`
)

var settingToken = regexp.MustCompile(`(?m)^[ \t]*\[{1,2}([^\[\]\n={}:,]+)\]{1,2}[ \t]*(?:[#;].*)?$` +
	`|(` + settingName + `)["'\]]*[ \t]*` + settingSign + `[ \t]*(` + settingQuoted + `|` + settingList + `|` + settingBare + `)` +
	`|([A-Za-z_][A-Za-z0-9_.-]*)["'\]]*[ \t]*(?:"[^"\n]*"[ \t]*)*` + settingSign + `?[ \t]*\{` +
	`|(\})`)

// section is a section or block of settings.
type section struct {
	name   string
	fields map[string]any
}

// settings reads the values that are given names, and images in parts within one
// section.
func (t *textImages) settings(text string) {
	open := []section{{fields: map[string]any{}}}
	end := func() {
		last := len(open) - 1
		t.parts(open)
		if open = open[:last]; last == 0 { // of a text that closes more than it opened
			open = []section{{fields: map[string]any{}}}
		}
	}
	for _, at := range settingToken.FindAllStringSubmatchIndex(text, -1) {
		group := func(i int) string { return text[at[2*i]:at[2*i+1]] }
		if at[0] > 0 && at[2] < 0 && strings.ContainsRune("/@:.", rune(text[at[0]-1])) {
			continue // a part of an address or a path
		}
		switch {
		case at[2] >= 0: // a section ends the one before
			for range len(open) {
				end()
			}
			open[0].name = strings.Trim(group(1), `"' `)
		case at[4] >= 0 && isCode(text, at[6], at[7]):
		case at[4] >= 0:
			t.setting(open[len(open)-1], group(2), group(3), inComment(text, at[0]))
		case at[8] >= 0 && !strings.HasPrefix(text[at[1]:], "{"):
			open = append(open, section{name: group(4), fields: map[string]any{}})
		case at[10] >= 0:
			end()
		}
	}
	for range len(open) {
		end()
	}
}

// isCode reports whether what stands in the place of a value is an expression of a
// program: a call, or a text with a sign before it.
func isCode(text string, from, to int) bool {
	return to < len(text) && strings.ContainsRune("(\"'`", rune(text[to])) && !strings.ContainsRune("\"'`[", rune(text[from]))
}

// maxBeforeComment is how far before a value the sign of a comment is looked for:
// bytes.
const maxBeforeComment = 200

// inComment reports whether a place in a text is behind the sign of a comment.
func inComment(text string, at int) bool {
	before := text[max(0, at-maxBeforeComment):at]
	before = before[strings.LastIndexByte(before, '\n')+1:]
	trimmed := strings.TrimSpace(before)
	for _, sign := range []string{"#", "//", ";", "-- ", "/*", "<!--"} {
		if strings.HasPrefix(trimmed+" ", sign) {
			return true
		}
	}
	return strings.Contains(before, " # ") || strings.Contains(before, " // ")
}

// setting reads one value. In comments, only what is named just image counts, as
// an example of what may be set.
func (t *textImages) setting(in section, name, value string, comment bool) {
	text, isText := unquoted(value)
	class := t.sure
	if comment {
		if class = Candidate; lettersOf(name) != "image" {
			return
		}
	} else if isText {
		t.assign(in, name, text)
	}
	part := readPartName(name).is
	switch {
	case mentionsImage(name):
		t.value(name, text, class)
		if isImageName(name) && !comment && isText {
			t.incomplete(text, text != value)
		}
	case isImageName(in.name) && (part == noPart || part == namePart):
		t.value("image", text, class)
	case text != value || strings.Contains(text, "="): // a setting within a setting, as in Environment=IMAGE=acme/x:1
		if text = strings.NewReplacer(`\"`, `"`, `\n`, "\n").Replace(text); mentionsImage(text) && t.depth < maxEmbedded {
			t.depth++
			t.read(text)
			t.depth--
		}
	}
}

// unquoted returns a value without its quotes, and whether it is one text rather
// than a list.
func unquoted(value string) (string, bool) {
	switch {
	case value == "" || strings.HasPrefix(value, "[") || strings.HasPrefix(value, "\n"):
		return value, false
	case len(value) > 1 && strings.ContainsRune("\"'`", rune(value[0])):
		return value[1 : len(value)-1], true
	}
	return value, true
}

// assign notes a value of a section. A part that is given again is one of the next
// image.
func (t *textImages) assign(in section, name, text string) {
	read := readPartName(name)
	if _, again := in.fields[name]; again && read.is != noPart {
		t.parts([]section{in})
		for other := range in.fields {
			if readPartName(other).about == read.about {
				delete(in.fields, other)
			}
		}
	}
	in.fields[name] = text
}

// A variable, and the action of a template, within a reference.
const variable = `(?:\$\{[^{}]*\}|\$\([^()]*\)|\$[A-Za-z_][A-Za-z0-9_]*|\{\{.*?\}\})`

var (
	variableHost = regexp.MustCompile(`^` + variable + `/`)
	variableTag  = regexp.MustCompile(`:` + variable)
	picture      = regexp.MustCompile(`\.(?:gif|ico|jpe?g|png|svg|webp)$`)
)

// incomplete notes what is named an image and leaves its registry or tag to a
// variable; and, of a quoted text, one that has no tag.
func (t *textImages) incomplete(text string, quoted bool) {
	path, isPart := withoutVariables(text)
	_, err := manifests.ParseImageRef(path)
	switch {
	case isNoName(path), isNoImage(path), picture.MatchString(path):
	case err == nil && isPart:
		t.add(path, Candidate)
	case errors.Is(err, manifests.ErrNoTag) && (quoted || isPart):
		t.untagged[path] = true
	}
}

// withoutVariables returns the part of a reference that is not left to variables,
// and whether anything is.
func withoutVariables(text string) (path string, isPart bool) {
	path = variableHost.ReplaceAllString(text, "")
	if at := variableTag.FindStringIndex(path); at != nil {
		path = path[:at[0]]
	}
	return path, path != text
}

// parts puts images together that the innermost of some sections holds in parts.
func (t *textImages) parts(open []section) {
	last := len(open) - 1
	if len(open[last].fields) == 0 {
		return
	}
	m := mapOfParts{fields: open[last].fields, under: open[last].name, strict: true}
	for _, outer := range slices.Backward(open[max(0, last-maxAround):last]) {
		m.around = append(m.around, outer.fields)
	}
	for _, image := range m.images() {
		if isReference(image.String()) {
			t.add(image.String(), t.sure)
		}
	}
}

// flag is an argument of a command line with its value.
var flag = regexp.MustCompile("(?m)(?:^|[\\s\"'=(,\\[`])(--?[A-Za-z][A-Za-z0-9_.-]*)(?:=|[ \t]+|[\"'],[ \t]*[\"'])[\"']?" +
	"([^-\\s\"'`;|&<>(){}\\[\\]][^\\s\"'`;|&<>(){}\\[\\]]*)")

// flags reads the arguments of command lines.
func (t *textImages) flags(text string) {
	if !strings.Contains(text, "-") {
		return
	}
	for _, at := range flag.FindAllStringSubmatchIndex(text, -1) {
		name, value := text[at[2]:at[3]], text[at[4]:at[5]]
		switch {
		case t.known.argument(name) && isReference(value):
			t.add(value, Certain)
		case isImageName(name) && !inComment(text, at[2]):
			t.value(name, value, t.sure)
		}
	}
}

var (
	// fromImage is the line of a Dockerfile that names a base image, or one to copy
	// from (Dockerfile reference, "FROM", "COPY --from").
	fromImage = regexp.MustCompile(`(?m)^[ \t]*(?:FROM[ \t]+(?:--\S+[ \t]+)*(\S+)(?:[ \t]+(?i:AS)[ \t]+\S+)?[ \t]*$|COPY[ \t]+--from=(\S+))`)

	// imageCommand is a command that takes an image, with its arguments.
	imageCommand = regexp.MustCompile(`(?m)(?:^|[\s;&|"'(/])(?:docker|podman|nerdctl|crictl|ctr|buildah|skopeo|crane|kubectl|oc)[ \t]` +
		`[^\n;|&]*?\b(?:run|pull|create|copy|cp|export|from|set[ \t]+image)[ \t]([^\n;|&]*)`)

	// notBefore are flags whose value has a colon and is no image.
	notBefore = []string{
		"-v", "-p", "-e", "-u", "-w", "-h", "-l", "--volume", "--publish", "--env", "--user", "--mount", "--add-host", "--label", "--name",
	}
)

// maxCommand is how much of a command's arguments is looked at: bytes.
const maxCommand = 4096

// commands reads Dockerfiles, and the commands that take images.
func (t *textImages) commands(text string) {
	for _, from := range fromImage.FindAllStringSubmatch(text, -1) {
		if image := from[1] + from[2]; isReference(image) && !isNoName(image) {
			t.add(image, t.sure)
		}
	}
	for _, at := range imageCommand.FindAllStringSubmatchIndex(text, -1) {
		if inComment(text, at[0]) {
			continue
		}
		last := ""
		for _, word := range strings.Fields(text[at[2]:min(at[3], at[2]+maxCommand)]) {
			images := imagesInValue(word)
			if !strings.HasPrefix(word, "-") && !slices.Contains(notBefore, last) && len(images) == 1 {
				t.add(images[0], Candidate)
				break
			}
			last = word
		}
	}
}

// lists reads a list of images: one on each line, each with a path, or several on
// one line, each with a version.
func (t *textImages) lists(text string) {
	words, isOne := strings.Split(text, "\n"), hasPath
	if !strings.Contains(strings.TrimSpace(text), "\n") {
		words, isOne = strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(",; \n", r) }), hasVersion
	}
	var all []string
	for _, word := range words {
		word = trimScheme(strings.Trim(strings.TrimSpace(word), `"',`))
		if word == "" || strings.HasPrefix(word, "#") {
			continue
		}
		if !isReference(word) || isNoName(word) || !isOne(word) {
			return
		}
		all = append(all, word)
	}
	if len(all) < 2 {
		return
	}
	for _, image := range all {
		t.add(image, Candidate)
	}
}

func hasPath(reference string) bool { return strings.Contains(reference, "/") }

var version = regexp.MustCompile(`^v?[0-9]+\.[0-9]`)

func hasVersion(reference string) bool {
	_, tag, _ := takeApart(reference)
	return version.MatchString(tag)
}

// The forms of XML and property lists that give a value a name.
var markedValues = []*regexp.Regexp{
	regexp.MustCompile(`<([A-Za-z][A-Za-z0-9_.:-]*)[^<>]*>\s*([^<>\s]+)\s*</`),
	regexp.MustCompile(`<[A-Za-z][^<>]*\b(?:name|key|id)=["']([^"'<>]*)["'][^<>]*>\s*([^<>\s]+)\s*</`),
	regexp.MustCompile(`\b(?:name|key)=["']([^"'<>]*)["']\s+value=["']([^"'<>]*)["']`),
	regexp.MustCompile(`<(?:name|key)>\s*([^<>]*?)\s*</(?:name|key)>\s*<(?:value|string)>\s*([^<>]*?)\s*</`),
}

// marked reads XML and property lists.
func (t *textImages) marked(text string) {
	if !strings.Contains(text, "<") {
		return
	}
	for _, form := range markedValues {
		for _, found := range form.FindAllStringSubmatch(text, -1) {
			if isImageName(found[1]) {
				t.value(found[1], found[2], t.sure)
			}
		}
	}
}

var (
	// imageCall is a function or method that is named image and called with a text.
	imageCall = regexp.MustCompile(`(` + settingName + `)(?:[ \t]*\([ \t]*|[ \t]+)(` + settingQuoted + `)`)

	templatedLine = regexp.MustCompile(`(?m)^[^\n]*\{\{[^\n]*$`)
	quotedText    = regexp.MustCompile(settingQuoted)
)

// quoted reads calls such as docker.image('acme/x:1'), and the defaults in lines of
// templates that speak of images.
func (t *textImages) quoted(text string) {
	for _, at := range imageCall.FindAllStringSubmatchIndex(text, -1) {
		if name := text[at[2]:at[3]]; isImageName(name) && !inComment(text, at[0]) {
			value, _ := unquoted(text[at[4]:at[5]])
			t.value(name, value, Candidate)
		}
	}
	for _, line := range templatedLine.FindAllString(text, -1) {
		if !mentionsImage(line) {
			continue
		}
		for _, found := range quotedText.FindAllString(line, -1) {
			if value, _ := unquoted(found); isReference(value) && strings.Contains(value, "/") && !isNoName(value) {
				t.add(value, Candidate)
			}
		}
	}
}

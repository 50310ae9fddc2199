package words

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/language"
	xmessage "golang.org/x/text/message"
	"gopkg.in/yaml.v3"
)

//go:embed *.yaml
var files embed.FS

// Language is one catalogue, and knows how numbers are written. Its methods give
// words; they never fail, and show the code of what is not in the catalogue.
type Language struct {
	Tag      string // "de": the file's name
	Name     string // as its speakers call it
	messages map[string]entry
	english  *Language // where this one has no words; nil for English itself
	printer  *xmessage.Printer
	tag      language.Tag
}

// entry is what a catalogue has for a code: one form, or several by a count.
type entry struct {
	count string // name of the argument that decides
	forms map[string]form
}

// Catalogues are the languages there are, English first.
type Catalogues []*Language

// All returns the languages that the program brings.
var All = sync.OnceValue(func() Catalogues {
	all, err := Load(files)
	if err != nil {
		panic(err) // a test reads the same files
	}
	return all
})

// English returns the language that every other falls back to.
func English() *Language { return All()[0] }

// Load reads every catalogue in a folder. en.yaml must be among them; every flaw
// is told with its file, line and code.
func Load(folder fs.FS) (Catalogues, error) {
	names, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		return nil, err
	}
	const english = "en.yaml"
	if !slices.Contains(names, english) {
		return nil, errors.New("there is no catalogue " + english)
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == english })
	var all Catalogues
	var flaws []error
	for _, name := range append([]string{english}, names...) {
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, err
		}
		l, err := parse(name, data)
		flaws = append(flaws, err)
		all = append(all, l)
	}
	if err := errors.Join(flaws...); err != nil {
		return nil, err
	}
	for _, l := range all[1:] {
		l.english = all[0]
	}
	return all, nil
}

// parse reads one catalogue.
func parse(file string, data []byte) (*Language, error) {
	var document struct {
		Name  string    `yaml:"name"`
		Words yaml.Node `yaml:"words"`
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	decoder.KnownFields(true)
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	tag := strings.TrimSuffix(path.Base(file), ".yaml")
	parsed, err := language.Parse(tag)
	if err != nil {
		return nil, fmt.Errorf("%s: the file's name is no language tag: %w", file, err)
	}
	if document.Name == "" {
		return nil, fmt.Errorf("%s: name is missing, such as Deutsch", file)
	}
	l := &Language{Tag: tag, Name: document.Name, messages: map[string]entry{}, printer: xmessage.NewPrinter(parsed), tag: parsed}
	reader := reader{file: file, into: l.messages}
	reader.read("", &document.Words)
	return l, errors.Join(reader.flaws...)
}

type reader struct {
	file  string
	into  map[string]entry
	flaws []error
}

func (r *reader) flaw(at *yaml.Node, code, format string, args ...any) {
	r.flaws = append(r.flaws, fmt.Errorf("%s:%d: %s: %s", r.file, at.Line, code, fmt.Sprintf(format, args...)))
}

// read takes in what stands below a code.
func (r *reader) read(code string, node *yaml.Node) {
	if node.Kind == yaml.ScalarNode {
		r.add(code, node, "", map[string]*yaml.Node{"other": node})
		return
	}
	if node.Kind != yaml.MappingNode {
		r.flaw(node, code, "neither words nor more codes")
		return
	}
	below := map[string]*yaml.Node{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key := node.Content[i].Value
		if below[key] != nil {
			r.flaw(node.Content[i], code+"."+key, "stands twice")
		}
		below[key] = node.Content[i+1]
	}
	if count := below["count"]; count != nil && below["other"] != nil {
		delete(below, "count")
		r.add(code, node, count.Value, below)
		return
	}
	for key, value := range below {
		r.read(strings.TrimPrefix(code+"."+key, "."), value)
	}
}

// add takes in one message in its forms.
func (r *reader) add(code string, at *yaml.Node, count string, forms map[string]*yaml.Node) {
	if _, twice := r.into[code]; twice {
		r.flaw(at, code, "stands twice")
	}
	e := entry{count: count, forms: map[string]form{}}
	for name, node := range forms {
		if pluralForms[name] == nil || node.Kind != yaml.ScalarNode {
			r.flaw(node, code, "%q is no form of a plural: zero, one, two, few, many, other", name)
			continue
		}
		parsed, err := parseForm(node.Value)
		if err != nil {
			r.flaw(node, code, "%v", err)
		}
		e.forms[name] = parsed
	}
	r.into[code] = e
}

var pluralForms = map[string]*plural.Form{
	"zero": ptr(plural.Zero), "one": ptr(plural.One), "two": ptr(plural.Two),
	"few": ptr(plural.Few), "many": ptr(plural.Many), "other": ptr(plural.Other),
}

func ptr[T any](v T) *T { return &v }

// Gaps returns the names of the arguments that a message has gaps for, in the
// order of the alphabet, and whether the catalogue has the message.
func (l *Language) Gaps(code string) ([]string, bool) {
	e, ok := l.messages[code]
	names := map[string]bool{}
	if e.count != "" {
		names[e.count] = true
	}
	for _, f := range e.forms {
		for _, piece := range f {
			if piece.gap != "" {
				names[piece.gap] = true
			}
		}
	}
	return sortedKeys(names), ok
}

// Codes returns every code of the catalogue, in the order of the alphabet.
func (l *Language) Codes() []string { return sortedKeys(l.messages) }

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// Flaws says of each message in which this catalogue is not as English's what is
// wrong: it lacks the message, has one that English has not, or has other gaps.
func (l *Language) Flaws() []string {
	var flaws []string
	for _, code := range l.english.Codes() {
		gaps, ok := l.Gaps(code)
		want, _ := l.english.Gaps(code)
		switch {
		case !ok:
			flaws = append(flaws, code+" is missing")
		case !slices.Equal(gaps, want):
			flaws = append(flaws, fmt.Sprintf("%s has the gaps %v, in English %v", code, gaps, want))
		}
	}
	for _, code := range l.Codes() {
		if _, ok := l.english.messages[code]; !ok {
			flaws = append(flaws, code+" is not in English")
		}
	}
	return flaws
}

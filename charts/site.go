package charts

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"text/template"

	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/strvals"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// What a site wants to know of its own values beyond the images that they ask for:
// which keys the chart does not have, and which value to change. A site's values
// hold its secrets, so that none of them is repeated in what is wrong.

// SettingKind is one of the ways in which helm's flags give a value in place.
type SettingKind string

// The kinds, in the order in which helm lays them over each other.
const (
	SetJSON    SettingKind = "--set-json"
	SetValue   SettingKind = "--set"
	SetString  SettingKind = "--set-string"
	SetFile    SettingKind = "--set-file"
	SetLiteral SettingKind = "--set-literal"
)

var settingOrder = []SettingKind{SetJSON, SetValue, SetString, SetFile, SetLiteral}

// Setting is a value given in place, in the form of helm's flag of that name.
type Setting struct {
	Kind  SettingKind
	Text  string            // such as a.b=1,c=2
	Files map[string]string // what the files hold that a setting of [SetFile] names
}

// FilesOf returns the names of the files that a setting of [SetFile] names.
func FilesOf(text string) ([]string, error) {
	var names []string
	err := strvals.ParseIntoFile(text, map[string]any{}, func(name []rune) (any, error) {
		names = append(names, string(name))
		return "", nil
	})
	if err != nil {
		return nil, unreadable(SetFile)
	}
	return names, nil
}

// Check refuses a setting that helm cannot read. What it holds is not repeated.
func (s Setting) Check() error { return s.lay(map[string]any{}) }

// Check refuses a values file that helm cannot read. What it holds is not repeated.
func (v ValuesSource) Check() error {
	_, err := v.read()
	return (&concealer{all: true}).error(err)
}

// lay sets a value as helm does. What is wrong with it is not repeated: it may be
// a secret.
func (s Setting) lay(values map[string]any) error {
	var err error
	switch s.Kind {
	case SetJSON:
		err = strvals.ParseJSON(s.Text, values)
	case SetValue:
		err = strvals.ParseInto(s.Text, values)
	case SetString:
		err = strvals.ParseIntoString(s.Text, values)
	case SetFile:
		err = strvals.ParseIntoFile(s.Text, values, func(name []rune) (any, error) { return s.Files[string(name)], nil })
	case SetLiteral:
		err = strvals.ParseLiteralInto(s.Text, values)
	default:
		err = errors.New("unknown kind")
	}
	if err != nil {
		return unreadable(s.Kind)
	}
	return nil
}

func unreadable(kind SettingKind) error {
	return fault.New(fault.Usage, fault.Here, string(kind), `write KEY=VALUE; a comma that is part of a value is written \,`,
		"value is not of the form that helm reads")
}

// laySettings lays settings over values in helm's order of kinds, and in their own
// within each. The values are changed.
func laySettings(values map[string]any, settings []Setting) error {
	for _, kind := range settingOrder {
		for _, s := range settings {
			if s.Kind != kind {
				continue
			}
			if err := s.lay(values); err != nil {
				return err
			}
		}
	}
	return nil
}

// SiteInsight is what [Chart.Discover] tells for a site of its values.
type SiteInsight struct {
	Keys   []string            `json:"keys,omitempty"`   // top-level keys of values that the chart has a use for
	AnyKey bool                `json:"anyKey,omitempty"` // the chart looks at its values as a whole: it may have a use for others, too
	On     []Switch            `json:"on,omitempty"`     // subcharts that a tag or condition has switched on
	Held   map[string][]string `json:"held,omitempty"`   // image → the values that it may be made of, from the top of a values file
	Files  []NamedFile         `json:"files,omitempty"`  // that only the internet has
}

// insight looks at the chart with the values of its renderings.
func (c *Chart) insight(renderings []Rendering, l *looker) (SiteInsight, error) {
	insight := SiteInsight{Held: map[string][]string{}, Files: l.files}
	loaded, err := c.load()
	if err != nil {
		return insight, explainLoad(err, fault.Upstream, c.object())
	}
	insight.Keys, insight.AnyKey = keysOf(loaded)
	images, texts := usedBy(Finds{Images: l.result.Images}), written(l.result.Images)
	for i, how := range renderings {
		values, err := how.values()
		if err != nil {
			return insight, err
		}
		all := scopes(loaded, values)
		if i == 0 {
			insight.On = switchedBy(all, l.on)
		}
		mirrored := overridesRegistry(all[0].values)
		for _, s := range all {
			for _, value := range s.images().found {
				insight.hold(value, images, texts, mirrored)
			}
		}
	}
	insight.Files = slices.CompactFunc(insight.Files, func(a, b NamedFile) bool { return a == b })
	return insight, nil
}

// written returns how images are written, by what they are.
func written(finds []ImageFind) map[manifests.ImageRef][]string {
	texts := map[manifests.ImageRef][]string{}
	for _, find := range finds {
		if ref, _ := find.Ref(); find.Class != Named && !slices.Contains(texts[ref], find.Image) {
			texts[ref] = append(texts[ref], find.Image)
		}
	}
	return texts
}

// hold notes a value with the images that may be made of it.
func (i *SiteInsight) hold(value valueImage, images used, texts map[manifests.ImageRef][]string, mirrored bool) {
	for ref := range images.of(value, mirrored) {
		for _, text := range texts[ref] {
			if !slices.Contains(i.Held[text], value.path) {
				i.Held[text] = append(i.Held[text], value.path)
			}
		}
	}
}

// switchedBy returns the subcharts that are on and can be switched off.
func switchedBy(all []scope, on map[string]bool) []Switch {
	var list []Switch
	for _, s := range all {
		if by := s.declared; len(s.prefix) > 0 && on[s.name()] && by != nil && len(s.switchOn()) > 0 {
			list = append(list, Switch{
				Subchart: s.name(), Chart: s.chart.Name() + " " + s.chart.Metadata.Version, On: s.switchedOnBy(all[0].values), Version: by.Version,
			})
		}
	}
	return list
}

var (
	topKey     = regexp.MustCompile(`\.Values\.([A-Za-z0-9_]+)`)
	indexedKey = regexp.MustCompile(`\(?index \$?\.Values "([^"]+)"`)
	wholeUse   = regexp.MustCompile(`\.Values(?:[^.A-Za-z0-9_]|$)`)
)

// keysOf returns the top-level keys that a chart has a use for: those of its own
// values and schema, its subcharts, their conditions, and what templates ask for.
func keysOf(loaded *chart.Chart) (keys []string, whole bool) {
	known := map[string]bool{"global": true}
	for key := range loaded.Values {
		known[key] = true
	}
	var schema struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	if json.Unmarshal(loaded.Schema, &schema) == nil { // what is wrong with it, rendering says
		for key := range schema.Properties {
			known[key] = true
		}
	}
	for _, sub := range loaded.Dependencies() {
		known[sub.Name()] = true
		if strings.EqualFold(sub.Metadata.Type, "library") {
			whole = usedKeys(sub, known) || whole
		}
	}
	for _, declared := range allDeclared(loaded) {
		known["tags"] = known["tags"] || len(declared.Tags) > 0
	}
	for _, declared := range loaded.Metadata.Dependencies {
		if declared == nil {
			continue
		}
		known[or(declared.Alias, declared.Name)] = true
		for condition := range strings.SplitSeq(declared.Condition, ",") {
			key, _, _ := strings.Cut(strings.TrimSpace(condition), ".")
			known[key] = true
		}
	}
	whole = usedKeys(loaded, known) || whole
	delete(known, "")
	return sortedKeys(known), whole
}

// allDeclared returns the dependencies that a chart and those below it declare.
func allDeclared(loaded *chart.Chart) []*chart.Dependency {
	all := slices.DeleteFunc(slices.Clone(loaded.Metadata.Dependencies), func(d *chart.Dependency) bool { return d == nil })
	for _, sub := range loaded.Dependencies() {
		all = append(all, allDeclared(sub)...)
	}
	return all
}

// usedKeys notes the keys that a chart's own templates ask for, and reports whether
// they look at the values as a whole.
func usedKeys(loaded *chart.Chart, known map[string]bool) (whole bool) {
	for _, template := range loaded.Templates {
		text := string(template.Data)
		for _, use := range append(topKey.FindAllStringSubmatch(text, -1), indexedKey.FindAllStringSubmatch(text, -1)...) {
			known[use[1]] = true
		}
		whole = whole || wholeUse.MatchString(indexedKey.ReplaceAllString(text, ""))
	}
	return whole
}

// withheld stands in messages in the place of a value of the site.
const withheld = "…"

// concealer takes the values that a site gave out of what is said. What the chart
// itself says in its own values is no secret.
type concealer struct {
	anywhere []string // values that are long enough to be replaced wherever they stand
	bounded  []string // shorter ones, as words of their own
	all      bool     // the values cannot be read: nothing in quotes is repeated
}

const (
	minAnywhere = 8 // letters
	minBounded  = 3
)

func (c *Chart) concealer(renderings []Rendering) *concealer {
	hide := &concealer{}
	given := map[string]bool{}
	for _, how := range renderings {
		values, err := how.values()
		if err != nil {
			return &concealer{all: true}
		}
		scalars(values, given)
	}
	public := map[string]bool{}
	if loaded, err := c.load(); err == nil {
		publicScalars(loaded, public)
	}
	for _, text := range sortedKeys(given) {
		if public[text] {
			continue
		}
		for _, form := range formsOf(text) {
			switch n := len(form); {
			case n >= minAnywhere:
				hide.anywhere = append(hide.anywhere, form)
			case n >= minBounded:
				hide.bounded = append(hide.bounded, form)
			}
		}
	}
	for _, list := range [][]string{hide.anywhere, hide.bounded} { // a value may be part of another
		slices.SortFunc(list, func(a, b string) int { return len(b) - len(a) })
	}
	return hide
}

// formsOf returns a text and what it becomes where it is quoted, stands in JSON or a
// URL, or is encoded, alone or with something around it.
func formsOf(text string) []string {
	if len(text) < minBounded {
		return nil
	}
	quoted := strconv.Quote(text)
	inner := quoted[1 : len(quoted)-1]
	forms := []string{
		text, oneLine(text), inner, url.QueryEscape(text), url.PathEscape(text), template.HTMLEscapeString(text), template.JSEscapeString(text),
		strings.ReplaceAll(text, "'", "''"),                                 // YAML
		strings.ReplaceAll(strings.ReplaceAll(inner, `\"`, `"`), "'", `\'`), // in messages about a schema
	}
	if data, err := json.Marshal(text); err == nil {
		forms = append(forms, string(data[1:len(data)-1]))
	}
	for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.URLEncoding} {
		forms = append(forms, encoding.EncodeToString([]byte(text)))
		for before := range 3 { // what stands before shifts the letters, and what stands behind changes the last ones
			encoded := encoding.EncodeToString([]byte(strings.Repeat(" ", before) + text))
			if inner := encoded[(before*8+5)/6 : (before+len(text))*8/6]; len(inner) >= minAnywhere {
				forms = append(forms, inner)
			}
		}
	}
	slices.Sort(forms)
	return slices.Compact(forms)
}

// scalars collects the texts and numbers in values, and the lines of longer texts.
func scalars(value any, into map[string]bool) {
	switch value := value.(type) {
	case map[string]any:
		for _, item := range value {
			scalars(item, into)
		}
	case []any:
		for _, item := range value {
			scalars(item, into)
		}
	case string:
		into[value] = true
		for line := range strings.SplitSeq(value, "\n") {
			into[strings.TrimSpace(line)] = true
		}
		if of, err := strconv.ParseFloat(value, 64); err == nil {
			number(of, into)
		}
	case nil, bool:
	case int64:
		into[strconv.FormatInt(value, 10)] = true
		number(float64(value), into)
	case float64:
		number(value, into)
	default:
		into[fmt.Sprint(value)] = true
	}
}

// number collects the forms of a number: 12345678 is 1.2345678e+07 where a template
// prints it, itself behind int, and 1.2345678×10⁰⁷ in messages about a schema.
func number(value float64, into map[string]bool) {
	for _, form := range []string{
		fmt.Sprint(value), strconv.FormatFloat(value, 'f', -1, 64), strconv.FormatFloat(math.Trunc(value), 'f', -1, 64), english.Sprint(value),
	} {
		into[form] = true
	}
}

// english formats numbers as messages about a schema do.
var english = message.NewPrinter(language.English)

func publicScalars(loaded *chart.Chart, into map[string]bool) {
	scalars(loaded.Values, into)
	for _, sub := range loaded.Dependencies() {
		publicScalars(sub, into)
	}
}

var quoted = regexp.MustCompile("\"[^\"]*\"|'[^']*'|`[^`]*`")

func (h *concealer) text(text string) string {
	if h.all {
		return quoted.ReplaceAllString(text, `"`+withheld+`"`)
	}
	for _, value := range h.anywhere {
		text = strings.ReplaceAll(text, value, withheld)
	}
	for _, value := range h.bounded {
		text = withoutWord(text, value)
	}
	return text
}

// withoutWord withholds a word wherever it stands by itself.
func withoutWord(text, word string) string {
	var b strings.Builder
	begin := 0
	for at := 0; ; {
		found := strings.Index(text[at:], word)
		if found < 0 {
			return b.String() + text[begin:]
		}
		at += found
		end := at + len(word)
		if at > 0 && (text[at-1] == '.' || inWord(text[at-1])) || end < len(text) && inWord(text[end]) {
			at++
			continue
		}
		b.WriteString(text[begin:at] + withheld)
		at, begin = end, end
	}
}

func inWord(c byte) bool {
	return c == '_' || c == '-' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

func (h *concealer) error(err error) error {
	if err == nil {
		return nil
	}
	var all []error
	for _, explained := range fault.All(err) {
		told := *explained
		told.Hint = h.text(told.Hint)
		if told.Err != nil {
			told.Err = &concealed{text: h.text(told.Err.Error()), cause: told.Err}
		}
		all = append(all, &told)
	}
	if all == nil {
		return errors.New(h.text(err.Error()))
	}
	return errors.Join(all...)
}

// concealed is a cause without the values in its text.
type concealed struct {
	text  string
	cause error
}

func (c *concealed) Error() string        { return c.text }
func (c *concealed) Is(target error) bool { return errors.Is(c.cause, target) }

// As gives a [*RenderError] without what it says of values.
func (c *concealed) As(target any) bool {
	into, ok := target.(**RenderError)
	cause := (*RenderError)(nil)
	if !ok || !errors.As(c.cause, &cause) {
		return false
	}
	told := *cause
	told.Message, told.IncludedFrom = c.text, ""
	*into = &told
	return true
}

// NamedFile is a file that what was rendered names by a URL of the internet.
type NamedFile struct {
	URL    string           `json:"url"` // without what may be a secret in it
	Origin manifests.Origin `json:"origin"`
}

// fileURL is a URL that ends as the names of archives, packages and programs do.
var fileURL = regexp.MustCompile(`https?://([A-Za-z0-9._-]+)(?::[0-9]+)?/[^\s"'<>|;,(){}\\]*\.` +
	`(?:tgz|tar\.(?:gz|xz|bz2|zst)|zip|jar|war|deb|rpm|whl|apk|exe|gz|xz|bin)(?:\?[^\s"'<>|;,(){}\\]*)?`)

// maxNamedFiles bounds what is told of one chart.
const maxNamedFiles = 200

// namedFiles returns the files that documents name and only the internet has.
func namedFiles(chart string, documents []Document) []NamedFile {
	var all []NamedFile
	for _, document := range documents {
		if slices.Contains(document.Hooks, "test") || document.Kind == "Secret" {
			continue
		}
		for _, match := range fileURL.FindAllStringSubmatch(document.Content, -1) {
			file := NamedFile{manifests.BareURL(match[0]), manifests.Origin{
				Chart: chart, Template: document.Template, Object: document.Kind + "/" + document.Name,
			}}
			if isOutside(match[1]) && !slices.Contains(all, file) && len(all) < maxNamedFiles {
				all = append(all, file)
			}
		}
	}
	return all
}

// isOutside reports whether a host's name is one of the internet, rather than of the
// cluster, of this machine or an address.
func isOutside(host string) bool {
	last := host[strings.LastIndex(host, ".")+1:]
	inside := []string{"svc", "local", "localhost", "internal", "lan", "test", "example"}
	return strings.Contains(host, ".") && !slices.Contains(inside, last) && strings.ContainsAny(last, "abcdefghijklmnopqrstuvwxyz")
}

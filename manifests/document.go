package manifests

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/internal/nearest"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/yamlmarks"
	"github.com/islandbundle/island/manifests/fault"
)

// Limits on documents that people write.
const (
	MaxDocumentBytes = 4 << 20 // a node of a document takes some hundred times its text in memory
	maxDocumentDepth = 64
	maxDocumentNodes = 2 << 20 // fields and values of a JSON document, a lock included
	maxReportedFlaws = 20
	maxFieldPath     = 512 // bytes of a field's path; deeper fields are told by their parent's
)

// document is a parsed YAML or JSON document and where each of its fields
// stands.
type document struct {
	file   string
	places map[string]fault.Place // by field path, such as charts[3].version
}

// documents are those that were laid over each other, the uppermost first.
type documents []*document

// place returns where a field stands in the uppermost document that gives it, or
// else where it should stand in the lowest.
func (ds documents) place(field string) fault.Place {
	for _, d := range ds {
		if d.has(field) {
			return d.place(field)
		}
	}
	if len(ds) == 0 {
		return fault.Place{Field: field}
	}
	return ds[len(ds)-1].place(field)
}

// has reports whether the document gives the field itself.
func (d *document) has(field string) bool {
	_, ok := d.places[field]
	return ok
}

// place returns where a field stands, or where its nearest parent does.
func (d *document) place(field string) fault.Place {
	for at := field; ; {
		if place, ok := d.places[at]; ok {
			place.Field = field
			return place
		}
		cut := strings.LastIndexAny(at, ".[")
		if cut < 0 {
			return fault.Place{File: d.file, Field: field}
		}
		at = at[:cut]
	}
}

// DecodeStrict reads one YAML or JSON document into a struct, by its yaml
// tags, or its json tags where it has none. JSON is told by its opening brace.
// Unknown fields, duplicate keys, wrong types, anchors, more than one document
// and documents of over [MaxDocumentBytes] are Usage errors with file, line,
// column (in characters) and field; up to 20 are reported at once. Of a YAML
// syntax error only the line is known. file is only used to name the place.
func DecodeStrict(file string, data []byte, into any) error {
	_, err := decodeStrict(file, data, into)
	return err
}

// DecodePlaced does the same, and returns where each field stands: where it, or its
// nearest parent, begins. Fields are named as in "rules[0].prefix".
func DecodePlaced(file string, data []byte, into any) (place func(field string) fault.Place, err error) {
	d, err := decodeStrict(file, data, into)
	if err != nil {
		return nil, err
	}
	return d.place, nil
}

func decodeStrict(file string, data []byte, into any) (*document, error) {
	root, err := parseDocument(file, data)
	if err != nil {
		return nil, err
	}
	d := &decoder{document: newDocument(file), flaws: fault.Flaws{Most: maxReportedFlaws}, written: true}
	return d.decodeRoot(root, into)
}

// decodeNode fills into from a parsed document that this program wrote, with texts in
// it that came from outside.
func decodeNode(file string, root *yaml.Node, into any) (*document, error) {
	d := &decoder{document: newDocument(file), flaws: fault.Flaws{Most: maxReportedFlaws}}
	return d.decodeRoot(root, into)
}

func newDocument(file string) document { return document{file: file, places: map[string]fault.Place{}} }

// decodeRoot fills into from a parsed document. The document is given even where
// there are flaws, so that a caller can tell what it claims to be.
func (d *decoder) decodeRoot(root *yaml.Node, into any) (*document, error) {
	d.decode(root, reflect.ValueOf(into).Elem(), "", 0)
	return &d.document, d.flaws.Err()
}

// parseDocument returns the root node of the one document in data.
func parseDocument(file string, data []byte) (*yaml.Node, error) {
	if len(data) > MaxDocumentBytes {
		return nil, fault.At(fault.Place{File: file}, "", "document is larger than %s", Bytes(MaxDocumentBytes))
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	if len(trimmed) == 0 {
		return nil, fault.At(fault.Place{File: file}, "was the download or the checkout cut short?", "document is empty")
	}
	if err := checkText(file, data); err != nil {
		return nil, err
	}
	if err := yamlmarks.Check(data, yamlmarks.Most); err != nil {
		return nil, fault.At(fault.Place{File: file}, "split it into overlays, which are laid over each other", "%w", err)
	}
	if trimmed[0] == '{' {
		return parseJSON(file, data)
	}
	reader := yaml.NewDecoder(bytes.NewReader(data))
	var root yaml.Node
	if err := reader.Decode(&root); errors.Is(err, io.EOF) {
		return nil, fault.At(fault.Place{File: file}, "it holds comments only", "document is empty")
	} else if err != nil {
		return nil, yamlFlaw(file, data, err)
	}
	if err := reader.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		if err != nil {
			return nil, yamlFlaw(file, data, err)
		}
		return nil, fault.At(fault.Place{File: file}, "give each document a file of its own", "file holds more than one document")
	}
	if root.Kind != yaml.DocumentNode || len(root.Content) != 1 {
		return nil, fault.At(fault.Place{File: file}, "", "document is empty")
	}
	return root.Content[0], nil
}

// checkText refuses what neither format allows: encoding/json would replace
// broken UTF-8 in silence, and the YAML reader does not say where it stands.
func checkText(file string, data []byte) error {
	line, column := 1, 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		place := fault.Place{File: file, Line: line, Column: column}
		switch {
		case r == utf8.RuneError && size == 1:
			return fault.At(place, "write the document in UTF-8", "byte 0x%02x is not valid UTF-8", data[i])
		case r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0x7f:
			return fault.At(place, "is it a text file?", "control character U+%04X is not accepted", r)
		case r == '\n':
			line, column = line+1, 0
		}
		i, column = i+size, column+1
	}
	return nil
}

var (
	yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)
	// The parser of go.yaml.in/yaml/v3 counts lines from 0, its scanner from 1;
	// these are the parser's errors. Both leave out the first line.
	yamlParserFlaw = regexp.MustCompile(`^(did not find expected (key$|node content$|',' or|'-' indicator$|<)` +
		`|found (incompatible|duplicate %|undefined tag))`)
	yamlNoAnchor = regexp.MustCompile(`^unknown anchor '(.+)' referenced$`)
)

func yamlFlaw(file string, data []byte, err error) error {
	place, hint := fault.Place{File: file}, ""
	message := err.Error()
	if m := yamlLine.FindStringSubmatch(message); m != nil {
		place.Line, _ = strconv.Atoi(m[1])
		message = m[2]
	}
	if yamlParserFlaw.MatchString(message) {
		place.Line++
	}
	place.Line = max(place.Line, 1)
	if m := yamlNoAnchor.FindStringSubmatch(message); m != nil {
		before, _, _ := bytes.Cut(data, []byte("*"+m[1]))
		place.Line = bytes.Count(before, []byte("\n")) + 1
		message, hint = "anchors and aliases are not accepted", "write the value out"
		return fault.At(place, hint, "%s", message)
	}
	if strings.HasPrefix(message, "did not find expected <document start>") {
		hint = "is this the file that was meant? what is no YAML at all, such as an inventory in INI form, reads like this"
	}
	if strings.HasPrefix(message, "found character that cannot start any token") {
		hint = "indent with spaces, not tabs; put a value that begins with @, ` or % in quotes"
	}
	return fault.At(place, hint, "not valid YAML: %s", message)
}

// parseJSON builds the same nodes as YAML does, since the two share all that
// follows and encoding/json alone cannot say where a field stands.
func parseJSON(file string, data []byte) (*yaml.Node, error) {
	p := &jsonParser{file: file, data: data, tokens: json.NewDecoder(bytes.NewReader(data))}
	p.tokens.UseNumber()
	// Token gives wrong offsets in its syntax errors, so they are found first.
	if err := json.Unmarshal(data, new(json.RawMessage)); err != nil {
		return nil, p.broken(err)
	}
	root, err := p.value(0)
	if err != nil {
		return nil, err
	}
	return root, nil
}

type jsonParser struct {
	file   string
	data   []byte
	tokens *json.Decoder
	nodes  int
	// The position last computed, so that counting lines stays linear.
	offset       int64
	line, column int
}

func (p *jsonParser) at(offset int64) (line, column int) {
	if p.line == 0 || offset < p.offset {
		p.offset, p.line, p.column = 0, 1, 1
	}
	for _, c := range p.data[p.offset:min(offset, int64(len(p.data)))] {
		if c == '\n' {
			p.line, p.column = p.line+1, 1
		} else if utf8.RuneStart(c) {
			p.column++
		}
	}
	p.offset = offset
	return p.line, p.column
}

func (p *jsonParser) flaw(offset int64, hint, format string, args ...any) error {
	line, column := p.at(offset)
	return fault.At(fault.Place{File: p.file, Line: line, Column: column}, hint, format, args...)
}

// start returns where the next token begins: InputOffset is the end of the last.
func (p *jsonParser) start() int64 {
	offset := p.tokens.InputOffset()
	for offset < int64(len(p.data)) && strings.IndexByte(" \t\r\n,:", p.data[offset]) >= 0 {
		offset++
	}
	return offset
}

func (p *jsonParser) value(depth int) (*yaml.Node, error) {
	start := p.start()
	if depth > maxDocumentDepth {
		return nil, p.flaw(start, "", "document is nested deeper than %d levels", maxDocumentDepth)
	}
	if p.nodes++; p.nodes > maxDocumentNodes {
		return nil, p.flaw(start, "", "document has more than %d fields and values", maxDocumentNodes)
	}
	token, err := p.tokens.Token()
	if err != nil {
		return nil, p.broken(err)
	}
	node := &yaml.Node{}
	node.Line, node.Column = p.at(start)
	switch t := token.(type) {
	case json.Delim:
		node.Kind, node.Tag = yaml.MappingNode, "!!map"
		if t == '[' {
			node.Kind, node.Tag = yaml.SequenceNode, "!!seq"
		}
		for p.tokens.More() {
			child, err := p.value(depth + 1) // in an object: key and value in turn
			if err != nil {
				return nil, err
			}
			node.Content = append(node.Content, child)
		}
		if _, err := p.tokens.Token(); err != nil {
			return nil, p.broken(err)
		}
		return node, nil
	case string:
		node.Tag, node.Value, node.Style = "!!str", t, yaml.DoubleQuotedStyle
	case json.Number:
		node.Tag, node.Value = "!!int", t.String()
		if strings.ContainsAny(node.Value, ".eE") {
			node.Tag = "!!float"
		}
	case bool:
		node.Tag, node.Value = "!!bool", strconv.FormatBool(t)
	case nil:
		node.Tag, node.Value = "!!null", "null"
	}
	node.Kind = yaml.ScalarNode
	return node, nil
}

func (p *jsonParser) broken(err error) error {
	again := json.NewDecoder(bytes.NewReader(p.data)).Decode(new(json.RawMessage))
	if errors.Is(again, io.ErrUnexpectedEOF) || again == io.EOF {
		return p.flaw(int64(len(p.data)), "was the download or the checkout cut short?", "JSON document ends too early")
	}
	offset := p.tokens.InputOffset()
	if syntax := (*json.SyntaxError)(nil); errors.As(err, &syntax) {
		offset = syntax.Offset - 1
	}
	return p.flaw(max(offset, 0), "", "not valid JSON: %w", err)
}

// decoder fills Go values from nodes and collects what is wrong with them.
type decoder struct {
	document
	flaws   fault.Flaws
	written bool // by people: names and the like have no business with what is not printable
}

func (d *decoder) flaw(node *yaml.Node, field, hint, format string, args ...any) {
	d.flaws.Add(fault.Place{File: d.file, Line: node.Line, Column: node.Column, Field: field}, hint, format, args...)
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

func (d *decoder) decode(node *yaml.Node, into reflect.Value, field string, depth int) {
	if into.Kind() != reflect.Interface { // a place for every chart value would cost much and help nobody
		d.places[field] = fault.Place{File: d.file, Line: node.Line, Column: node.Column}
	}
	switch {
	case depth > maxDocumentDepth:
		d.flaw(node, field, "", "document is nested deeper than %d levels", maxDocumentDepth)
		return
	case node.Kind == yaml.AliasNode || node.Anchor != "":
		d.flaw(node, field, "write the value out", "anchors and aliases are not accepted")
		return
	case !knownTag(node):
		d.flaw(node, field, "leave the tag out", "tag %.40q is not accepted", node.Tag)
		return
	case node.Tag == "!!null":
		return // as if it were not given
	}
	if reflect.PointerTo(into.Type()).Implements(textUnmarshaler) {
		d.decodeText(node, into, field)
		return
	}
	switch into.Kind() {
	case reflect.Pointer:
		into.Set(reflect.New(into.Type().Elem()))
		d.decode(node, into.Elem(), field, depth)
	case reflect.Struct:
		d.decodeStruct(node, into, field, depth)
	case reflect.Map:
		d.decodeMap(node, into, field, depth)
	case reflect.Slice:
		if node.Kind != yaml.SequenceNode {
			d.wrongType(node, field, "a list")
			return
		}
		list := reflect.MakeSlice(into.Type(), len(node.Content), len(node.Content))
		for i, item := range node.Content {
			if d.flaws.Full() { // nobody is told of more
				break
			}
			d.decode(item, list.Index(i), below(field, "["+strconv.Itoa(i)+"]"), depth+1)
		}
		into.Set(list)
	case reflect.Interface:
		into.Set(reflect.ValueOf(d.free(node, field, depth)))
	default:
		d.decodeScalar(node, into, field)
	}
}

func (d *decoder) decodeText(node *yaml.Node, into reflect.Value, field string) {
	// A date is a timestamp to YAML; its text is what counts.
	if node.Kind != yaml.ScalarNode || (node.Tag != "!!str" && node.Tag != "!!timestamp") {
		d.wrongType(node, field, "a string")
		return
	}
	if err := into.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(node.Value)); err != nil {
		d.flaw(node, field, "", "%w", err)
	}
}

func (d *decoder) decodeStruct(node *yaml.Node, into reflect.Value, field string, depth int) {
	names, known := fieldsOf(into)
	d.eachPair(node, field, func(key, value *yaml.Node, name string) {
		target, ok := known[key.Value]
		if !ok {
			hint := nearest.DidYouMean("", key.Value, names) + " known here: " + strings.Join(names, ", ")
			d.flaw(key, name, strings.TrimSpace(hint), "unknown field")
			return
		}
		d.decode(value, target, name, depth+1)
	})
}

// fieldsOf returns a struct's fields by their names in a document, and the names
// in order.
func fieldsOf(of reflect.Value) (names []string, fields map[string]reflect.Value) {
	fields = map[string]reflect.Value{}
	for i := range of.NumField() {
		if name := fieldName(of.Type().Field(i)); name != "" {
			names = append(names, name)
			fields[name] = of.Field(i)
		}
	}
	return names, fields
}

// fieldName returns the name of a struct's field in a document; empty if it has none.
func fieldName(field reflect.StructField) string {
	tag, ok := field.Tag.Lookup("yaml")
	if !ok {
		tag = field.Tag.Get("json")
	}
	if name, _, _ := strings.Cut(tag, ","); name != "-" {
		return name
	}
	return ""
}

// below returns the path of a part of a field. Where it would be longer than
// anybody reads, the field itself stands for its parts: else a hostile document
// of one long key and many values would need the product of the two in memory.
func below(field, part string) string {
	if len(field)+len(part) > maxFieldPath {
		return field
	}
	return field + part
}

func (d *decoder) decodeMap(node *yaml.Node, into reflect.Value, field string, depth int) {
	result := reflect.MakeMap(into.Type())
	d.eachPair(node, field, func(key, value *yaml.Node, name string) {
		item := reflect.New(into.Type().Elem()).Elem()
		d.decode(value, item, name, depth+1)
		result.SetMapIndex(reflect.ValueOf(key.Value), item)
	})
	into.Set(result)
}

func (d *decoder) eachPair(node *yaml.Node, field string, visit func(key, value *yaml.Node, name string)) {
	if node.Kind != yaml.MappingNode {
		d.wrongType(node, field, "an object")
		return
	}
	seen := map[string]int{}
	for i := 0; i+1 < len(node.Content) && !d.flaws.Full(); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		name := below(field, "."+key.Value)
		if field == "" {
			name = below("", key.Value)
		}
		switch {
		case key.Kind != yaml.ScalarNode || key.Tag == "!!merge" || key.Anchor != "":
			d.flaw(key, field, "write the fields out", "a key is not a plain name")
		case d.written && !printable.IsLine(key.Value):
			d.flaw(key, field, "", "key %q is not one line of printable characters", key.Value)
		case seen[key.Value] > 0:
			d.flaw(key, name, "", "duplicate key, first given on line %d", seen[key.Value])
		default:
			seen[key.Value] = key.Line
			visit(key, value, name)
		}
	}
}

func (d *decoder) decodeScalar(node *yaml.Node, into reflect.Value, field string) {
	if node.Kind != yaml.ScalarNode {
		d.wrongType(node, field, "a single value")
		return
	}
	switch into.Kind() {
	case reflect.String:
		if node.Tag != "!!str" {
			d.flaw(node, field, fmt.Sprintf("put it in quotes: %q", node.Value), "wants a string, got %s", tagName(node.Tag))
			return
		}
		if d.written && !isProse(field) && !isLineOrLines(node.Value, field) {
			d.flaw(node, field, "write it without", "%q is not one line of printable characters", node.Value)
			return
		}
		into.SetString(node.Value)
	case reflect.Bool:
		value, err := strconv.ParseBool(node.Value)
		if node.Tag != "!!bool" || err != nil {
			d.wrongType(node, field, "true or false")
			return
		}
		into.SetBool(value)
	case reflect.Int, reflect.Int64:
		value, err := strconv.ParseInt(node.Value, 10, 64)
		if node.Tag != "!!int" || err != nil || into.OverflowInt(value) {
			d.wrongNumber(node, field, "a whole number")
			return
		}
		into.SetInt(value)
	case reflect.Uint32, reflect.Uint64:
		value, err := strconv.ParseUint(node.Value, 10, 64)
		if node.Tag != "!!int" || err != nil || into.OverflowUint(value) {
			d.wrongNumber(node, field, "a whole number that is not negative")
			return
		}
		if into.Type() == reflect.TypeFor[Sequence]() {
			if err := Sequence(value).check(); err != nil {
				d.flaw(node, field, "", "%v", err)
				return
			}
		}
		into.SetUint(value)
	case reflect.Float64:
		value, err := strconv.ParseFloat(node.Value, 64)
		if (node.Tag != "!!int" && node.Tag != "!!float") || err != nil || math.IsNaN(value) || math.IsInf(value, 0) {
			d.wrongNumber(node, field, "a number")
			return
		}
		into.SetFloat(value)
	default:
		panic("manifests: cannot decode into " + into.Type().String()) // a mistake in the code, not in the document
	}
}

// Fields that people write sentences into, in whatever signs their language has. What
// is not printable in them is not printed, wherever they are shown.
var prose = []string{"en", "de", "reason", "title", "description"}

// Fields that are names, which may not even have several lines.
var names = []string{"name", "version", "cycle", "id", "repo", "release", "chart", "image", "namespace"}

func isProse(field string) bool { return slices.Contains(prose, lastOf(field)) }

var withoutBreaks = strings.NewReplacer("\n", "", "\r", "", "\t", "", "\u00a0", "", "\u202f", "")

// isLineOrLines reports whether a text is printable as it is: in one line, or in
// several if it is no name.
func isLineOrLines(text, field string) bool {
	if !slices.Contains(names, lastOf(field)) {
		text = withoutBreaks.Replace(text)
	}
	return printable.IsLine(text)
}

// lastOf returns the last name of a field's path.
func lastOf(field string) string { return field[strings.LastIndexByte(field, '.')+1:] }

// Words that are truth values to Helm's YAML 1.1 and strings to YAML 1.2.
var yaml11Bool = regexp.MustCompile(`^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|on|On|ON|off|Off|OFF)$`)

// free decodes what has no schema of its own, such as chart values, as Helm
// would read it from a values file.
func (d *decoder) free(node *yaml.Node, field string, depth int) any {
	switch node.Kind {
	case yaml.MappingNode:
		result := map[string]any{}
		d.eachPair(node, field, func(key, value *yaml.Node, name string) {
			var item any
			d.decode(value, reflect.ValueOf(&item).Elem(), name, depth+1)
			result[key.Value] = item
		})
		return result
	case yaml.SequenceNode:
		result := make([]any, len(node.Content))
		for i, child := range node.Content {
			d.decode(child, reflect.ValueOf(&result[i]).Elem(), below(field, "["+strconv.Itoa(i)+"]"), depth+1)
		}
		return result
	default:
		if node.Tag == "!!timestamp" {
			return node.Value // a string to Helm
		}
		if node.Style == 0 && node.Tag == "!!str" && yaml11Bool.MatchString(node.Value) {
			d.flaw(node, field, "write true or false, or put it in quotes", "%s is a truth value to Helm and a string to others", node.Value)
		}
		var value any
		if err := node.Decode(&value); err != nil {
			d.flaw(node, field, "", "%.80q is not a value that can be kept: it is too large or does not fit its tag", node.Value)
			return ""
		}
		return value
	}
}

func (d *decoder) wrongType(node *yaml.Node, field, want string) {
	d.flaw(node, field, "", "wants %s, got %s", want, tagName(node.ShortTag()))
}

// manyDigits is a whole number whose thousands are parted, as people write it and no
// document may: 2.500 is two and a half to other readers.
var manyDigits = regexp.MustCompile(`^[+-]?[0-9]{1,3}(?:[.,'’_ \x{a0}\x{202f}][0-9]{3})+$`)

// wrongNumber quotes what stands where a number should, which may well be a number to
// whoever wrote it.
func (d *decoder) wrongNumber(node *yaml.Node, field, want string) {
	hint := ""
	switch value := strings.TrimSpace(node.Value); {
	case manyDigits.MatchString(value):
		hint = "write it in digits alone: " + notDigits.ReplaceAllString(value, "")
	case node.Tag == "!!str" && plainNumber.MatchString(value):
		hint = "write it without quotes"
	}
	d.flaw(node, field, hint, "wants %s, got %s %.40q", want, tagName(node.ShortTag()), node.Value)
}

var notDigits = regexp.MustCompile(`[^0-9+-]`)

var plainNumber = regexp.MustCompile(`^[+-]?[0-9]+$`)

var tagNames = map[string]string{
	"!!str": "a string", "!!int": "a number", "!!float": "a number", "!!bool": "a truth value",
	"!!map": "an object", "!!seq": "a list", "!!timestamp": "a date", "!!null": "nothing",
}

func tagName(tag string) string { return tagNames[tag] }

// knownTag reports whether the tag is one that JSON's types have, on a node of
// that kind.
func knownTag(node *yaml.Node) bool {
	_, ok := tagNames[node.Tag]
	return ok && (node.Kind == yaml.MappingNode) == (node.Tag == "!!map") && (node.Kind == yaml.SequenceNode) == (node.Tag == "!!seq")
}

// sortedKeys returns a map's keys in order, so that errors come in one order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

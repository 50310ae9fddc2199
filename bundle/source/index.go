package source

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"
	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/internal/jsonweight"
	"github.com/islandbundle/island/internal/nearest"
	"github.com/islandbundle/island/internal/yamlmarks"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Limits on an index.
const (
	maxItemBytes  = 1 << 20 // one version of one chart
	maxVersions   = 100_000 // of one chart
	maxOtherBytes = 8 << 20 // an index that is neither in block style nor JSON
	maxOtherMarks = 1 << 20 // places in it where a node may begin
	nearVersions  = 5       // told in a hint
)

// chartEntry is one version of a chart in an index (Helm documentation, "The
// Chart Repository Guide"): only what is needed to fetch it.
type chartEntry struct {
	Name    string   `yaml:"name" json:"name"`
	Version string   `yaml:"version" json:"version"`
	URLs    []string `yaml:"urls" json:"urls"`
	Digest  string   `yaml:"digest" json:"digest"`

	digest manifests.Digest // checked; empty if the index gives none
}

// search looks for the versions of one chart in an index.
//
// An index can have tens of megabytes, and a decoded one takes twenty times
// that. So it is read line by line: Helm writes block style, in which the
// entries of a chart stand below its name and each begins with a dash. Only
// the few that can be the wanted version are decoded. JSON is read token by
// token. Only an index in a style of its own is decoded as a whole, and then
// must be small.
type search struct {
	name, version string

	known    bool   // the index has the chart
	like     string // the other chart of the index whose name is most like its
	found    []chartEntry
	versions []string // all others, for the hint
}

// errOtherStyle says that an index is not in plain block style.
var errOtherStyle = errors.New("index is not in block style")

// scan reads an index from its beginning.
func (s *search) scan(r io.ReadSeeker) error {
	lines := bufio.NewReaderSize(r, 64<<10)
	isJSON, err := opensWithBrace(lines)
	if err == nil {
		if isJSON {
			err = s.scanJSON(lines)
		} else {
			err = s.scanBlock(lines)
		}
	}
	if errors.Is(err, errOtherStyle) {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		s.known, s.like, s.found, s.versions = false, "", nil, nil
		err = s.decodeAll(r)
		return flawed(err)
	}
	return flawed(err)
}

func flawed(err error) error {
	if err == nil {
		return nil
	}
	return registry.Refuse("index of the chart repository is not valid: %w", registry.Bare(err))
}

// opensWithBrace reports whether JSON follows, without taking anything off the
// reader but white space.
func opensWithBrace(r *bufio.Reader) (bool, error) {
	if bom, _ := r.Peek(3); string(bom) == "\xef\xbb\xbf" {
		_, _ = r.Discard(3)
	}
	for {
		c, err := r.ReadByte()
		switch {
		case err == io.EOF:
			return false, errors.New("it is empty")
		case err != nil:
			return false, err
		case c == '\n' || c == '\r':
			continue
		}
		return c == '{', r.UnreadByte()
	}
}

// consider takes one version of the chart into account.
func (s *search) consider(e chartEntry) error {
	if e.Name != "" && e.Name != s.name {
		return nil
	}
	if len(s.found)+len(s.versions) >= maxVersions {
		return fmt.Errorf("chart %s has more than %d versions", s.name, maxVersions)
	}
	if manifests.CompareChartVersions(e.Version, s.version) == manifests.OtherVersion {
		s.versions = append(s.versions, e.Version)
		return nil
	}
	s.found = append(s.found, e)
	return nil
}

// block is the state of reading an index in block style.
type block struct {
	*search
	inside  bool   // below "entries:"
	keys    int    // column of the charts' names; -1 before the first
	wanted  bool   // below the wanted chart's name
	items   int    // column of the dashes below it; -1 before the first
	item    []byte // the lines of the version that is being read; nil for none
	spare   []byte // what held the last one
	visited bool   // "entries:" was there
}

func (s *search) scanBlock(r *bufio.Reader) error {
	b := &block{search: s}
	for {
		line, err := readLine(r)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(line) > 0 {
			if err := b.line(line); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
	}
	if !b.visited {
		return errOtherStyle
	}
	return b.flush()
}

// readLine reads a line without its end, of at most maxItemBytes.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			line, err = r.ReadSlice('\n')
			if long = append(long, line...); len(long) > maxItemBytes {
				return nil, fmt.Errorf("a line is longer than %d bytes", maxItemBytes)
			}
		}
		line = long
	}
	return bytes.TrimRight(line, "\r\n"), err
}

func (b *block) line(line []byte) error {
	text := bytes.TrimLeft(line, " ")
	column := len(line) - len(text)
	switch {
	case len(text) == 0:
		return b.keep(line)
	case text[0] == '#' && (b.item == nil || column <= b.items):
		return nil
	case text[0] == '\t':
		return errOtherStyle
	case column == 0:
		return b.top(text)
	case !b.inside:
		return nil
	}
	if b.keys < 0 {
		b.keys = column
	}
	dash := text[0] == '-' && (len(text) == 1 || text[1] == ' ')
	switch {
	case column < b.keys:
		return errOtherStyle // such as a quoted text that goes on here
	case column == b.keys && !dash:
		return b.key(text)
	case !b.wanted:
		return nil
	case b.items < 0 && !dash:
		return errOtherStyle
	case b.items < 0:
		b.items = column
	}
	if column < b.items {
		return errOtherStyle
	}
	if column == b.items {
		if !dash {
			return errOtherStyle
		}
		if err := b.flush(); err != nil {
			return err
		}
		if b.item = b.spare[:0]; b.item == nil {
			b.item = make([]byte, 0, 2048)
		}
	}
	return b.keep(line)
}

// keep adds a line to the item that is being read, if any.
func (b *block) keep(line []byte) error {
	if b.item == nil {
		return nil
	}
	if len(b.item)+len(line) >= maxItemBytes {
		return tooLarge(b.name)
	}
	b.item = append(append(b.item, line...), '\n')
	return nil
}

// top reads a line that begins in the first column.
func (b *block) top(text []byte) error {
	if err := b.flush(); err != nil {
		return err
	}
	b.inside, b.wanted = false, false
	key, rest, ok := blockKey(text)
	switch {
	case bytes.HasPrefix(text, []byte("---")) || text[0] == '%' && !b.visited:
		return nil
	case !ok:
		return errOtherStyle
	case key != "entries":
		return nil
	case b.visited || rest != "" && rest != "{}":
		return errOtherStyle
	}
	b.visited, b.inside, b.keys = true, rest == "", -1
	return nil
}

// key reads a line that begins a chart.
func (b *block) key(text []byte) error {
	if err := b.flush(); err != nil {
		return err
	}
	key, rest, ok := blockKey(text)
	b.wanted = key == b.name
	switch {
	case !ok:
		return errOtherStyle
	case !b.wanted:
		b.pass(key)
		return nil
	case b.known || rest != "" && rest != "[]":
		return errOtherStyle // twice, or in flow style
	}
	b.known, b.items = true, -1
	return nil
}

// blockKey splits "key: rest", where the key may be quoted and the rest may be
// a comment, which is dropped.
func blockKey(text []byte) (key, rest string, ok bool) {
	s := string(text)
	if quote := s[0]; quote == '"' || quote == '\'' {
		end := strings.IndexByte(s[1:], quote)
		if end < 0 || strings.Contains(s[1:1+end], `\`) {
			return "", "", false
		}
		key, s = s[1:1+end], s[end+2:]
	} else {
		end := strings.IndexByte(s, ':')
		if end < 0 || strings.ContainsAny(s[:1], "?&*!|>{[,-@`") {
			return "", "", false
		}
		key, s = strings.TrimRight(s[:end], " "), s[end:]
	}
	s = strings.TrimLeft(s, " ")
	if !strings.HasPrefix(s, ":") || len(s) > 1 && s[1] != ' ' && s[1] != '\t' {
		return "", "", false
	}
	rest = strings.Trim(s[1:], " \t")
	if strings.HasPrefix(rest, "#") {
		rest = ""
	}
	return key, rest, true
}

// flush takes the item that has been read into account. Only one that holds
// the wanted version's digits is decoded.
func (b *block) flush() error {
	item := b.item
	if item == nil {
		return nil
	}
	b.item, b.spare = nil, item
	if !bytes.Contains(item, []byte(manifests.ChartVersionNumbers(b.version))) {
		return b.consider(chartEntry{Version: itemVersion(item)})
	}
	var entries []chartEntry
	if err := yaml.Unmarshal(item, &entries); err != nil || len(entries) != 1 {
		return errOtherStyle
	}
	return b.consider(entries[0])
}

// itemVersion returns the version of an item without decoding it, for the hint.
func itemVersion(item []byte) string {
	column := -1
	for line := range bytes.Lines(item) {
		text := bytes.TrimLeft(line, " ")
		at := len(line) - len(text)
		if column < 0 {
			text = bytes.TrimLeft(text[1:], " ")
			at = len(line) - len(text)
			column = at
		}
		if value, ok := bytes.CutPrefix(text, []byte("version:")); ok && at == column {
			return strings.Trim(strings.TrimSpace(string(value)), `"'`)
		}
	}
	return ""
}

// scanJSON reads an index in JSON, holding one version at a time.
func (s *search) scanJSON(r io.Reader) error {
	d := json.NewDecoder(r)
	return jsonObject(d, func(key string) error {
		if key != "entries" {
			return jsonSkip(d)
		}
		return jsonObject(d, func(key string) error {
			if key != s.name {
				s.pass(key)
				return jsonSkip(d)
			}
			s.known = true
			return jsonArray(d, func() error {
				var item json.RawMessage
				if err := d.Decode(&item); err != nil {
					return err
				}
				if len(item) >= maxItemBytes {
					return tooLarge(s.name)
				}
				var e chartEntry
				if err := jsonweight.Unmarshal(item, &e); err != nil {
					return err
				}
				return s.consider(e)
			})
		})
	})
}

func tooLarge(chart string) error {
	return fmt.Errorf("an entry of chart %s is larger than %d bytes", chart, maxItemBytes)
}

func jsonObject(d *json.Decoder, field func(key string) error) error {
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return errors.Join(err, notA("object", open))
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		if err := field(key.(string)); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

func jsonArray(d *json.Decoder, element func() error) error {
	open, err := d.Token()
	if err != nil || open == nil {
		return err // null is a chart without versions
	}
	if open != json.Delim('[') {
		return notA("list", open)
	}
	for d.More() {
		if err := element(); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

func notA(wanted string, got json.Token) error {
	return fmt.Errorf("%.40q is not a JSON %s", fmt.Sprint(got), wanted)
}

func jsonSkip(d *json.Decoder) error {
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
		if depth == 0 {
			return nil
		}
	}
}

// decodeAll reads a small index in any style.
func (s *search) decodeAll(r io.Reader) error {
	data, err := registry.ReadBounded(r, maxOtherBytes)
	if err != nil {
		return fmt.Errorf("it is not in Helm's own style, and for that too large: %w", err)
	}
	if err := yamlmarks.Check(data, maxOtherMarks); err != nil {
		return err
	}
	var index struct {
		Entries map[string][]chartEntry `yaml:"entries"`
	}
	if err := yaml.Unmarshal(data, &index); err != nil {
		return err
	}
	for name := range index.Entries {
		s.pass(name)
	}
	entries, known := index.Entries[s.name]
	s.known = known
	for _, e := range entries {
		if err := s.consider(e); err != nil {
			return err
		}
	}
	return nil
}

// pass goes over another chart, which may have been meant. Of several that are as
// like, the first by name is.
func (s *search) pass(name string) {
	two := []string{s.like, name}
	slices.Sort(two)
	s.like = nearest.Of(s.name, two)
}

// choose returns the one entry that is the wanted version.
func (s *search) choose() (*chartEntry, error) {
	chosen, alike := s.closest()
	switch {
	case chosen == nil && len(s.found) == 1:
		chosen = &s.found[0]
	case chosen == nil && len(s.found) > 1:
		return nil, fault.New(fault.Failure, fault.Upstream, "", "name one of them",
			"version %s could be any of %s", s.version, strings.Join(alike, ", "))
	case !s.known:
		hint := "check the chart's name and repository"
		if s.like != "" {
			hint = fmt.Sprintf("did you mean %.80q? else %s", s.like, hint)
		}
		return nil, fault.New(fault.Failure, fault.Upstream, "", hint,
			"chart %s is %w in the index", s.name, ErrNotFound)
	case chosen == nil:
		return nil, fault.New(fault.Failure, fault.Upstream, "", nearHint(s.versions, s.version),
			"version %s of chart %s is %w in the index", s.version, s.name, ErrNotFound)
	}
	if len(chosen.URLs) == 0 || chosen.URLs[0] == "" {
		return nil, registry.Refuse("index gives no URL for chart %s %s", s.name, chosen.Version)
	}
	if chosen.Digest != "" {
		digest, err := manifests.ParseDigest("sha256:" + strings.ToLower(strings.TrimPrefix(chosen.Digest, "sha256:")))
		if err != nil {
			return nil, registry.Refuse("index gives for chart %s %s what is no SHA-256 digest: %.80q", s.name, chosen.Version, chosen.Digest)
		}
		chosen.digest = digest
	}
	return chosen, nil
}

// closest returns the entry with the very version that is wanted, or else the
// first that differs in no more than its "v"; nil if there is neither. The
// versions that are the same but for their metadata are alike.
func (s *search) closest() (chosen *chartEntry, alike []string) {
	for i := range s.found {
		e := &s.found[i]
		if e.Version == s.version {
			return e, alike
		}
		if chosen == nil && manifests.CompareChartVersions(e.Version, s.version) == manifests.SameVersion {
			chosen = e
		}
		alike = append(alike, e.Version)
	}
	return chosen, alike
}

// nearHint names the versions around the wanted one, or the first few if it
// cannot be compared.
func nearHint(versions []string, wanted string) string {
	target, err := semver.NewVersion(wanted)
	type candidate struct {
		text    string
		version *semver.Version
	}
	var candidates []candidate
	for _, text := range versions {
		if v, bad := semver.NewVersion(text); bad == nil && chartVersion.MatchString(text) {
			candidates = append(candidates, candidate{text, v})
		}
	}
	if len(candidates) == 0 {
		return "there is no version of it at all"
	}
	slices.SortFunc(candidates, func(a, b candidate) int { return a.version.Compare(b.version) })
	from := len(candidates)
	if err == nil {
		from, _ = slices.BinarySearchFunc(candidates, target, func(c candidate, t *semver.Version) int { return c.version.Compare(t) })
	}
	from = max(0, min(from-nearVersions/2, len(candidates)-nearVersions))
	var near []string
	for _, c := range candidates[from:min(len(candidates), from+nearVersions)] {
		near = append(near, c.text)
	}
	return "near versions are " + strings.Join(near, ", ")
}

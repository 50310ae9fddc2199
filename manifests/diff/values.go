package diff

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/internal/plaintar"
)

// Limits on chart archives, which come from outside.
const (
	MaxChartArchive  = 32 << 20 // bytes, compressed
	maxUnpacked      = 256 << 20
	maxEntries       = 50_000
	maxValuesFile    = 4 << 20
	maxValuesDepth   = 64
	maxValuesShown   = 80 // bytes of one value
	maxValuesChanges = 10_000
)

// ValuesChanges are the keys of one chart's values.yaml whose defaults differ:
// what somebody who sets values of that chart has to look at.
type ValuesChanges struct {
	Chart   string        `json:"chart"`
	Old     string        `json:"old"` // version
	New     string        `json:"new"`
	Added   []ValueChange `json:"added"`
	Removed []ValueChange `json:"removed"`
	Changed []ValueChange `json:"changed"`
}

// ValueChange is one key, with its defaults as JSON, cut to 80 bytes.
type ValueChange struct {
	Path string `json:"path"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

// IsEmpty reports whether no default differs.
func (c ValuesChanges) IsEmpty() bool { return len(c.Added)+len(c.Removed)+len(c.Changed) == 0 }

// Defaults reads the values.yaml at the top of a chart archive: an empty tree if
// there is none. The archive is read no further than that file.
func Defaults(archive []byte) (map[string]any, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		return nil, fmt.Errorf("chart archive is not gzip: %w", err)
	}
	entries := plaintar.NewReader(io.LimitReader(zipped, maxUnpacked))
	for range maxEntries {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return map[string]any{}, nil
		}
		if err != nil {
			return nil, fmt.Errorf("chart archive is not readable: %w", err)
		}
		folder, file, ok := strings.Cut(strings.TrimPrefix(header.Name, "./"), "/")
		if !ok || folder == "" || file != "values.yaml" || header.Typeflag != tar.TypeReg {
			continue
		}
		if header.Size > maxValuesFile {
			return nil, fmt.Errorf("values.yaml has %d bytes, at most %d are read", header.Size, maxValuesFile)
		}
		text, err := io.ReadAll(io.LimitReader(entries, maxValuesFile))
		if err != nil {
			return nil, fmt.Errorf("values.yaml is not readable: %w", err)
		}
		values := map[string]any{}
		if err := yaml.Unmarshal(text, &values); err != nil {
			return nil, fmt.Errorf("values.yaml: %w", err)
		}
		return values, nil
	}
	return nil, fmt.Errorf("chart archive has more than %d entries", maxEntries)
}

// CompareValues reports which keys of two trees of defaults differ. Objects are
// gone into; a list is one value.
func CompareValues(chart string, older, newer map[string]any) ValuesChanges {
	c := ValuesChanges{Chart: chart, Added: []ValueChange{}, Removed: []ValueChange{}, Changed: []ValueChange{}}
	c.compare("", older, newer, 0)
	return c
}

func (c *ValuesChanges) compare(above string, older, newer map[string]any, depth int) {
	for _, key := range union(older, newer) {
		if len(c.Added)+len(c.Removed)+len(c.Changed) >= maxValuesChanges {
			return
		}
		path := strings.TrimPrefix(above+"."+quoted(key), ".")
		was, had := older[key]
		is, has := newer[key]
		wasTree, wasObject := was.(map[string]any)
		isTree, isObject := is.(map[string]any)
		switch {
		case wasObject && isObject && depth < maxValuesDepth:
			c.compare(path, wasTree, isTree, depth+1)
		case !had:
			c.Added = append(c.Added, ValueChange{Path: path, New: shown(is)})
		case !has:
			c.Removed = append(c.Removed, ValueChange{Path: path, Old: shown(was)})
		case !reflect.DeepEqual(was, is):
			c.Changed = append(c.Changed, ValueChange{Path: path, Old: shown(was), New: shown(is)})
		}
	}
}

// quoted sets a key that holds a dot apart from a path.
func quoted(key string) string {
	if strings.ContainsAny(key, ". \"") {
		return fmt.Sprintf("%q", key)
	}
	return key
}

func shown(value any) string {
	text, err := json.Marshal(value)
	if err != nil { // keys that are no strings
		text = fmt.Append(nil, value)
	}
	if len(text) > maxValuesShown {
		cut := maxValuesShown - 3
		for cut > 0 && text[cut]&0xc0 == 0x80 { // within a character
			cut--
		}
		text = append(slices.Clone(text[:cut]), "…"...)
	}
	return string(text)
}

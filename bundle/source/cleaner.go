package source

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
)

// Limits on a word of an index, in bytes: such as a URL, or a picture in base64.
const (
	maxPlainWord = 16 << 10 // until a part of one that has no mark of a secret is passed on
	maxWord      = 1 << 20
)

var errLongWord = registry.Refuse("index holds a URL of more than %s", manifests.Bytes(maxWord))

// cleaner passes an index of a chart repository on without the secrets that are in
// URLs in it: indexes name archives by URLs that are signed, or hold a token. In
// the place of each such URL stands the one without, and a fragment that is its
// own, so that no two of them become one.
type cleaner struct {
	to      io.Writer
	hide    func(string) string // takes out what the server was sent; nil if that was nothing
	word    []byte
	marked  bool // the word has what only URLs with secrets have
	last    byte
	quote   byte // that the word stands in, and that alone ends it but for white space
	written int64
	secrets map[string]string // what was written → what was read, unescaped
}

// Write implements io.Writer.
func (c *cleaner) Write(p []byte) (int, error) {
	from := 0 // of what is plain, and is passed on at once
	for i, b := range p {
		ends := c.ends(b)
		c.last = b
		if !ends {
			c.marked = c.marked || b == '?' || b == '@' || b == '\\'
			continue
		}
		c.word = append(c.word, p[from:i]...)
		if err := c.flush(); err != nil {
			return i, err
		}
		from = i + 1
		if err := c.pass(p[i:from]); err != nil {
			return i, err
		}
	}
	c.word = append(c.word, p[from:]...)
	if len(c.word) > maxWord {
		return len(p), errLongWord
	}
	if !c.marked && len(c.word) > maxPlainWord {
		return len(p), c.flush()
	}
	return len(p), nil
}

// ends reports whether a byte cannot be a part of a URL in YAML or JSON. In quotes, which
// open where a scalar can begin and are closed at the end of a line at the latest, brackets and
// the like are parts of one.
func (c *cleaner) ends(b byte) bool {
	switch {
	case b == '\n', c.quote != 0 && b == c.quote:
		c.quote = 0
		return true
	case c.quote != 0:
		return b <= ' '
	case (b == '"' || b == '\'') && (c.last <= ' ' || strings.IndexByte(",:([{", c.last) >= 0):
		c.quote = b
	}
	return b <= ' ' || strings.IndexByte(`"'<>[]{}|`, b) >= 0
}

// end passes on what is left.
func (c *cleaner) end() error { return c.flush() }

func (c *cleaner) pass(p []byte) error {
	n, err := c.to.Write(p)
	c.written += int64(n)
	return err
}

func (c *cleaner) flush() error {
	word := c.word
	c.word = c.word[:0]
	if !c.marked && (c.hide == nil || len(word) == 0) {
		return c.pass(word)
	}
	c.marked = false
	full := string(word)
	if bytes.ContainsRune(word, '\\') { // of JSON, in which & is often \u0026
		if unescaped, err := strconv.Unquote(`"` + strings.ReplaceAll(full, `\/`, "/") + `"`); err == nil {
			full = unescaped
		}
	}
	bare := bareReference(full)
	if c.hide != nil {
		bare = c.hide(bare)
	}
	if bare == full {
		return c.pass(word)
	}
	if c.secrets == nil {
		c.secrets = map[string]string{}
	}
	bare += fmt.Sprintf("#secret-%d", len(c.secrets)+1)
	c.secrets[bare] = full
	return c.pass([]byte(bare))
}

// bareReference returns a URL, or one that is relative, without secrets. What has a
// question mark and is only a text comes back as it is.
func bareReference(reference string) string {
	switch scheme, _, isURL := strings.Cut(strings.ToLower(reference), "://"); {
	case scheme == "http", scheme == "https", scheme == "oci":
		return manifests.BareURL(reference)
	case isURL: // within a text
		return manifests.RedactURLs(reference)
	}
	if _, query, _ := strings.Cut(reference, "?"); !strings.Contains(query, "=") && !strings.Contains(reference, ".tgz?") {
		return reference
	}
	const base = "http://h/"
	return strings.TrimPrefix(manifests.BareURL(base+strings.TrimPrefix(reference, "//")), base)
}

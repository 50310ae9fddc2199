package registry

import (
	"errors"
	"io/fs"
	"net/url"
	"strings"

	"github.com/islandbundle/island/manifests"
)

// told is an error whose text was cleaned of secrets.
type told struct {
	text string
	err  error
}

func (e *told) Error() string { return e.text }
func (e *told) Unwrap() error { return e.err }

// Bare takes the URL or the path off an error that the caller names itself,
// and cleans what is left of secrets.
func Bare(err error) error {
	if err == nil {
		return nil
	}
	var web *url.Error
	var file *fs.PathError
	inner := err
	for errors.As(inner, &web) {
		inner = web.Err
	}
	if errors.As(inner, &file) {
		inner = file.Err
	}
	text := Redact(inner.Error())
	switch {
	case strings.Contains(text, "no token in bearer response"):
		text = "the token server gave no token" // and may have given another secret
	case strings.Contains(text, "failed to parse Location header"):
		text = "redirects to what is no URL" // which may have been signed
	}
	return &told{text, inner}
}

// Redact takes user information, query and fragment off every URL in a text.
func Redact(text string) string { return manifests.RedactURLs(text) }

// brief makes one short printable line of what a server said.
func brief(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = Redact(strings.Join(strings.Fields(s), " "))
	if runes := []rune(s); len(runes) > 200 {
		s = string(runes[:200]) + "…"
	}
	return s
}

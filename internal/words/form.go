package words

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// form is one wording, in pieces: text as it stands, and gaps.
type form []piece

type piece struct {
	text   string
	gap    string // name of the argument; empty: text
	format string
}

// formats are the names of the ways to write an argument.
var formats = []string{
	"", "int", "dec1", "dec2", "dec3", "fix1", "fix2", "fix3", "plus1", "percent", "GB", "GiB", "rate", "and", "semicolons",
}

// write writes an argument in one of the formats.
func (l *Language) write(format string, v any) string {
	switch format {
	case "int":
		return l.Int(int64(amount(v)))
	case "dec1", "dec2", "dec3":
		return l.Decimal(amount(v), int(format[3]-'0'))
	case "fix1", "fix2", "fix3":
		return l.fixed(amount(v), int(format[3]-'0'))
	case "plus1":
		return l.signed(amount(v), 1)
	case "percent":
		return l.Percent(int64(amount(v)))
	case "GB":
		return l.GB(int64(amount(v)))
	case "GiB":
		return l.GiB(int64(amount(v)))
	case "rate":
		return l.Rate(int64(amount(v)))
	case "and":
		return l.enumerate(v)
	case "semicolons":
		return l.semicolons(v)
	}
	return l.plain(v)
}

// parseForm takes a wording apart.
func parseForm(s string) (form, error) {
	var f form
	var text strings.Builder
	for len(s) > 0 {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			break
		}
		text.WriteString(s[:i])
		if len(s) > i+1 && s[i+1] == s[i] { // a brace that is meant
			text.WriteByte(s[i])
			s = s[i+2:]
			continue
		}
		end := strings.IndexByte(s[i:], '}')
		if s[i] == '}' || end < 0 {
			return nil, errors.New("a brace without its other half; one that is meant stands twice")
		}
		gap, format, _ := strings.Cut(s[i+1:i+end], ":")
		if gap == "" || !slices.Contains(formats, format) {
			return nil, fmt.Errorf("{%s} is no gap", s[i+1:i+end])
		}
		f = append(f, piece{text: text.String()}, piece{gap: gap, format: format})
		text.Reset()
		s = s[i+end+1:]
	}
	text.WriteString(s)
	return append(f, piece{text: text.String()}), nil
}

// fill returns the wording with its gaps filled. A gap that nothing fills shows
// its name.
func (f form) fill(l *Language, args map[string]any) string {
	var b strings.Builder
	for _, p := range f {
		value, filled := args[p.gap]
		switch {
		case p.gap == "":
			b.WriteString(p.text)
		case !filled:
			b.WriteString("{" + p.gap + "}")
		default:
			b.WriteString(l.write(p.format, value))
		}
	}
	return b.String()
}

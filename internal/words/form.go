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
	counts map[string]string // by plural forms, what stands for the argument in place of it; nil: it stands itself
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
		gap, err := parseGap(s[i+1 : i+end])
		if err != nil {
			return nil, err
		}
		f = append(f, piece{text: text.String()}, gap)
		text.Reset()
		s = s[i+end+1:]
	}
	text.WriteString(s)
	return append(f, piece{text: text.String()}), nil
}

// parseGap takes apart what stands between braces: x, x:int, or x|one core|other cores.
func parseGap(s string) (piece, error) {
	name, forms, counted := strings.Cut(s, "|")
	if !counted {
		gap, format, _ := strings.Cut(s, ":")
		if gap == "" || !slices.Contains(formats, format) {
			return piece{}, fmt.Errorf("{%s} is no gap", s)
		}
		return piece{gap: gap, format: format}, nil
	}
	p := piece{gap: name, counts: map[string]string{}}
	for form := range strings.SplitSeq(forms, "|") {
		plural, words, _ := strings.Cut(form, " ")
		if name == "" || pluralForms[plural] == nil || words == "" {
			return piece{}, fmt.Errorf("{%s} is no gap: %q is no form of a plural with its words", s, form)
		}
		p.counts[plural] = words
	}
	if p.counts["other"] == "" {
		return piece{}, fmt.Errorf("{%s} lacks the form other", s)
	}
	return p, nil
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
		case p.counts != nil:
			b.WriteString(l.counted(p.counts, value))
		default:
			b.WriteString(l.write(p.format, value))
		}
	}
	return b.String()
}

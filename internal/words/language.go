package words

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"golang.org/x/text/feature/plural"
	"golang.org/x/text/number"

	"github.com/islandbundle/island/internal/words/message"
)

// Spaces that do not break a line: between a number and its unit, and the same
// but narrow.
const (
	NoBreak       = "\u00a0"
	NarrowNoBreak = "\u202f"
)

// Parse returns the language of a tag such as "de", "de-AT" or "en_US.UTF-8".
// Where there is none, the error names those that there are.
func (c Catalogues) Parse(s string) (*Language, error) {
	tag, _, _ := strings.Cut(strings.ToLower(s), ".")
	tag, _, _ = strings.Cut(tag, "@")
	tag = strings.ReplaceAll(tag, "_", "-")
	base, _, _ := strings.Cut(tag, "-")
	if base == "c" || base == "posix" {
		return c[0], nil
	}
	for _, want := range []string{tag, base} {
		for _, l := range c {
			if strings.EqualFold(l.Tag, want) {
				return l, nil
			}
		}
	}
	return nil, fmt.Errorf("%.40q is not a language that reports are written in: %s", s, strings.Join(c.Tags(), ", "))
}

// Tags returns the tags of the languages, English first.
func (c Catalogues) Tags() []string {
	var tags []string
	for _, l := range c {
		tags = append(tags, l.Tag)
	}
	return tags
}

// FromLocale returns the language of messages by POSIX's order of precedence:
// LC_ALL, LC_MESSAGES, LANG, the first that is not empty. An unknown language
// is English.
func (c Catalogues) FromLocale(getenv func(string) string) *Language {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			if l, err := c.Parse(value); err == nil {
				return l
			}
			return c[0]
		}
	}
	return c[0]
}

// Say returns the words of a code, its gaps filled.
func (l *Language) Say(code string, args message.Args) string { return l.Text(message.Of(code, args)) }

// Word returns the words of a code that has no gaps.
func (l *Language) Word(code string) string { return l.Say(code, nil) }

// Has reports whether the catalogue, or English in its place, has a code.
func (l *Language) Has(code string) bool {
	_, ok := l.messages[code]
	return ok || l.english != nil && l.english.Has(code)
}

// Text returns a text in the language. Where the language has no words for it,
// they are those that were given in English, English's own, what the text
// brings along, or its code: something is always said.
func (l *Language) Text(t message.Text) string {
	if given, ok := t.Given[l.Tag]; ok {
		return given
	}
	if e, ok := l.messages[t.Code]; ok {
		return e.choose(l, t.Args).fill(l, t.Args)
	}
	if given, ok := t.Given["en"]; ok {
		return given
	}
	if l.english != nil {
		if e, ok := l.english.messages[t.Code]; ok {
			return e.choose(l.english, t.Args).fill(l, t.Args)
		}
	}
	if t.Words != "" {
		return t.Words
	}
	return t.Code
}

// Filled returns a text with its words in the language, those of its arguments
// included, as it is written for programs to read.
func (l *Language) Filled(t message.Text) message.Text {
	filled := message.Text{Code: t.Code, Words: l.Text(t)}
	for name, arg := range t.Args {
		switch v := arg.(type) {
		case message.Text:
			arg = l.Filled(v)
		case []message.Text:
			list := make([]message.Text, len(v))
			for i, member := range v {
				list[i] = l.Filled(member)
			}
			arg = list
		}
		if filled.Args == nil {
			filled.Args = message.Args{}
		}
		filled.Args[name] = arg
	}
	return filled
}

// choose picks the form for the count in args.
func (e entry) choose(l *Language, args message.Args) form {
	if e.count == "" {
		return e.forms["other"]
	}
	wanted := l.pluralOf(amount(args[e.count]))
	for name, f := range e.forms {
		if *pluralForms[name] == wanted {
			return f
		}
	}
	return e.forms["other"]
}

// counted returns the words for a count.
func (l *Language) counted(words map[string]string, count any) string {
	wanted := l.pluralOf(amount(count))
	for name, word := range words {
		if *pluralForms[name] == wanted {
			return word
		}
	}
	return words["other"]
}

// pluralOf returns the form for a count, which need not be whole: 1.5 cores (Unicode
// TR 35, plural operands).
func (l *Language) pluralOf(count float64) plural.Form {
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(math.Abs(count), 'f', -1, 64), ".")
	fraction = fraction[:min(len(fraction), 3)]
	i, _ := strconv.Atoi(whole[max(0, len(whole)-9):]) // languages look at the last digits alone
	f, _ := strconv.Atoi(fraction)
	return plural.Cardinal.MatchPlural(l.tag, i, len(fraction), len(fraction), f, f)
}

// amount returns an argument as a number, or that in a message which has it as n; what
// is none is 0.
func amount(v any) float64 {
	switch n := v.(type) {
	case message.Text:
		return amount(n.Args["n"])
	case int:
		return float64(n)
	case int64:
		return float64(n)
	case float64:
		return n
	}
	return 0
}

// plain writes an argument as it is.
func (l *Language) plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case message.Text:
		return l.Text(v)
	case []message.Text:
		return strings.Join(l.texts(v), ", ")
	case bool:
		return l.Word("value." + strconv.FormatBool(v))
	}
	n := rounded(amount(v), 3)
	return l.printer.Sprint(number.Decimal(n, number.MaxFractionDigits(3), number.NoSeparator()))
}

func (l *Language) texts(list []message.Text) []string {
	words := make([]string, len(list))
	for i, t := range list {
		words[i] = l.Text(t)
	}
	return words
}

// enumerate writes a list as the language does.
func (l *Language) enumerate(v any) string {
	list, ok := v.([]message.Text)
	if !ok {
		return l.plain(v)
	}
	return l.List(l.texts(list))
}

// semicolons writes a list whose members may have commas of their own.
func (l *Language) semicolons(v any) string {
	list, ok := v.([]message.Text)
	if !ok {
		return l.plain(v)
	}
	return strings.Join(l.texts(list), "; ")
}

// List joins words as the language does: "a, b and c".
func (l *Language) List(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return l.Say("list.and", message.Args{"most": strings.Join(words[:last], ", "), "last": words[last]})
}

// Int returns a whole number with its thousands apart: 1,234 or 1.234.
func (l *Language) Int(n int64) string { return minus(l.printer.Sprint(number.Decimal(n))) }

// Decimal returns a number with at most that many decimals, and no zeros at its end.
func (l *Language) Decimal(x float64, decimals int) string {
	return minus(l.printer.Sprint(number.Decimal(rounded(x, decimals), number.MaxFractionDigits(decimals))))
}

// fixed returns a number with just that many decimals and a plain hyphen as its
// sign, as measurements are copied.
func (l *Language) fixed(x float64, decimals int) string {
	return l.printer.Sprint(number.Decimal(rounded(x, decimals), number.Scale(decimals), number.NoSeparator()))
}

// signed is fixed with a sign before positive numbers too.
func (l *Language) signed(x float64, decimals int) string {
	text := l.fixed(x, decimals)
	if strings.HasPrefix(text, "-") {
		return text
	}
	return "+" + text
}

// rounded rounds as strconv does: what is written of it is then exact.
func rounded(x float64, decimals int) float64 {
	result, err := strconv.ParseFloat(strconv.FormatFloat(x, 'f', decimals, 64), 64)
	if err != nil || result == 0 {
		return 0 // and never −0
	}
	return result
}

// minus puts the sign in place of the hyphen.
func minus(s string) string { return strings.Replace(s, "-", "−", 1) }

// Percent returns a whole percentage: "30%" in English, "30 %" in German.
func (l *Language) Percent(n int64) string {
	return l.Say("number.percent", message.Args{"n": l.Int(n)})
}

// GB returns an amount of bytes in units of 10⁹ or what suits, as the hardware
// table has it.
func (l *Language) GB(bytes int64) string {
	return l.scaled(float64(bytes), 1000, "B", "kB", "MB", "GB", "TB", "PB")
}

// GiB returns an amount of bytes in units of 2³⁰ or what suits.
func (l *Language) GiB(bytes int64) string {
	return l.scaled(float64(bytes), 1024, "B", "KiB", "MiB", "GiB", "TiB", "PiB")
}

// Rate returns kilobits per second in the unit that suits: "170 Mbit/s".
func (l *Language) Rate(kbps int64) string {
	return l.scaled(float64(kbps), 1000, "kbps", "Mbps", "Gbps", "Tbps")
}

// Unit joins a number and the words of a unit so that no line breaks between them.
func (l *Language) Unit(number, unit string) string { return number + NoBreak + unit }

func (l *Language) scaled(amount, step float64, units ...string) string {
	unit := 0
	for math.Abs(amount) >= step && unit < len(units)-1 {
		amount, unit = amount/step, unit+1
	}
	decimals := 2
	switch {
	case unit == 0 || math.Abs(amount) >= 100:
		decimals = 0
		if unit > 0 && amount != math.Trunc(amount) && math.Abs(amount) < 1000 {
			decimals = 1
		}
	case math.Abs(amount) >= 10:
		decimals = 1
	}
	return l.Unit(l.Decimal(amount, decimals), l.Word("unit."+units[unit]))
}

package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/islandbundle/island/internal/words"
)

// Lang is a language that reports are written in.
type Lang string

// The languages there are.
const (
	English Lang = "en"
	German  Lang = "de"
)

// Spaces that do not break a line: between a number and its unit, and the same
// but narrow.
const (
	NoBreak       = "\u00a0"
	NarrowNoBreak = "\u202f"
)

// ParseLang reads a language tag such as "de", "de-AT" or "en_US.UTF-8".
func ParseLang(s string) (Lang, error) {
	tag, _, _ := strings.Cut(strings.ToLower(s), ".")
	tag, _, _ = strings.Cut(tag, "@")
	tag, _, _ = strings.Cut(strings.ReplaceAll(tag, "_", "-"), "-")
	switch tag {
	case "en", "c", "posix":
		return English, nil
	case "de":
		return German, nil
	}
	return English, fmt.Errorf("%.40q is not a language that reports are written in: en, de", s)
}

// FromLocale returns the language of messages by POSIX's order of precedence:
// LC_ALL, LC_MESSAGES, LANG, the first that is not empty. An unknown language
// is English.
func FromLocale(getenv func(string) string) Lang {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if value := getenv(name); value != "" {
			lang, _ := ParseLang(value)
			return lang
		}
	}
	return English
}

// Words returns the catalogue of the language.
func (l Lang) Words() *words.Language {
	if catalogue, err := words.All().Parse(string(l)); err == nil {
		return catalogue
	}
	return words.English()
}

// T returns the words of the language.
func (l Lang) T(en, de string) string {
	if l == German {
		return de
	}
	return en
}

// F is T for a format, filled with args.
func (l Lang) F(en, de string, args ...any) string { return fmt.Sprintf(l.T(en, de), args...) }

// Of returns a text in the language.
func (l Lang) Of(t Text) string { return l.T(t.EN, t.DE) }

// Int returns a whole number with its thousands apart: 1,234 or 1.234.
func (l Lang) Int(n int64) string {
	digits := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, digits = "−", digits[1:]
	}
	return sign + l.group(digits)
}

func (l Lang) group(digits string) string {
	var b strings.Builder
	for i, c := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(l.T(",", "."))
		}
		b.WriteRune(c)
	}
	return b.String()
}

// Decimal returns a number with at most that many decimals, and no zeros at its end.
func (l Lang) Decimal(x float64, decimals int) string {
	text := strconv.FormatFloat(math.Abs(x), 'f', decimals, 64)
	whole, fraction, _ := strings.Cut(text, ".")
	text = l.group(whole)
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		text += l.T(".", ",") + fraction
	}
	if x < 0 && text != "0" {
		text = "−" + text
	}
	return text
}

// Percent returns a whole percentage: "30%" in English, "30 %" in German.
func (l Lang) Percent(n int64) string {
	return l.Int(n) + l.T("", NarrowNoBreak) + "%"
}

// Unit joins a number and its unit so that no line breaks between them.
func (l Lang) Unit(number, unit string) string { return number + NoBreak + unit }

// GB returns an amount of bytes in units of 10⁹, as the hardware table has it.
func (l Lang) GB(bytes int64) string {
	return l.scaled(float64(bytes), 1000, "B", "kB", "MB", "GB", "TB", "PB")
}

// GiB returns an amount of bytes in units of 2³⁰.
func (l Lang) GiB(bytes int64) string {
	return l.scaled(float64(bytes), 1024, "B", "KiB", "MiB", "GiB", "TiB", "PiB")
}

// Rate returns kilobits per second in the unit that suits: "170 Mbit/s".
func (l Lang) Rate(kbps int64) string {
	return l.scaled(float64(kbps), 1000, "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s")
}

func (l Lang) scaled(amount, step float64, units ...string) string {
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
	return l.Unit(l.Decimal(amount, decimals), units[unit])
}

// List joins words as the language does: "a, b and c".
func (l Lang) List(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + l.T(" and ", " und ") + words[len(words)-1]
}

// Plural picks the word for a count.
func (l Lang) Plural(n int64, one, many string) string {
	if n == 1 || n == -1 {
		return one
	}
	return many
}

package site

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// grouped are digits, alone or in groups of three that one sign parts: a dot as in
// German, a comma as in English, an apostrophe as in Switzerland, or a space (ISO
// 80000-1, section 7.3.1), which may be one that does not break. No group begins a number
// with 0: 0.500 is a half.
var grouped = regexp.MustCompile(
	`^[+-]?(?:[0-9]+|[1-9][0-9]{0,2}(?:(?:\.[0-9]{3})+|(?:,[0-9]{3})+|(?:['’][0-9]{3})+|(?:[ \x{a0}\x{202f}][0-9]{3})+))$`,
)

var groupSigns = strings.NewReplacer(".", "", ",", "", "'", "", "’", "", " ", "", "\u00a0", "", "\u202f", "")

// ErrTooLarge is of a whole number with too many digits.
var ErrTooLarge = errors.New("is larger than any number that is read here")

// ParseCount reads a whole number as people write one: 2500, or in groups of three
// digits, "2.500", "2,500", "2'500" or "2 500". Of a count, which has no fraction,
// none of them can mean anything else. What is not such a number is an error, in
// words, that quotes it.
func ParseCount(text string) (int64, error) {
	trimmed := strings.TrimSpace(text)
	if !grouped.MatchString(trimmed) {
		return 0, fmt.Errorf("%.40q is not a whole number, written such as 2500", text)
	}
	number, err := strconv.ParseInt(groupSigns.Replace(trimmed), 10, 64)
	if err != nil { // its form is right: it has too many digits
		return 0, fmt.Errorf("%.40q %w", text, ErrTooLarge)
	}
	return number, nil
}

package site

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/islandbundle/island/manifests"
)

// GB is an amount in gigabytes of 10⁹ bytes, the unit of the hardware table of
// Wire's guide. It is written "80 GB".
type GB int64

// GiB is an amount in gibibytes of 2³⁰ bytes, the unit of the demo machine. It
// is written "16 GiB".
type GiB int64

// MaxAmount is the largest amount of memory or disk that a document may give,
// in either unit: a pebibyte and then some, so that no sum of bytes overflows.
const MaxAmount = 1 << 20

// Bytes returns the amount in bytes.
func (g GB) Bytes() manifests.Bytes { return manifests.Bytes(g) * 1e9 }

// Bytes returns the amount in bytes.
func (g GiB) Bytes() manifests.Bytes { return manifests.Bytes(g) << 30 }

// String returns the amount as a document writes it.
func (g GB) String() string { return strconv.FormatInt(int64(g), 10) + " GB" }

// String returns the amount as a document writes it.
func (g GiB) String() string { return strconv.FormatInt(int64(g), 10) + " GiB" }

// MarshalText writes the amount as String does.
func (g GB) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// MarshalText writes the amount as String does.
func (g GiB) MarshalText() ([]byte, error) { return []byte(g.String()), nil }

// UnmarshalText reads "80 GB". "80 GiB" is another amount, and refused.
func (g *GB) UnmarshalText(text []byte) error {
	amount, err := parseAmount(string(text), "GB", "80 GB")
	*g = GB(amount)
	return err
}

// UnmarshalText reads "16 GiB". "16 GB" is another amount, and refused.
func (g *GiB) UnmarshalText(text []byte) error {
	amount, err := parseAmount(string(text), "GiB", "16 GiB")
	*g = GiB(amount)
	return err
}

func parseAmount(s, unit, example string) (int64, error) {
	digits, have, _ := strings.Cut(s, " ")
	amount, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || have != unit || amount < 0 {
		return 0, fmt.Errorf("%.40q is not a whole amount in %s, written like %s", s, unit, example)
	}
	if amount > MaxAmount {
		return 0, fmt.Errorf("%.40q is more than %d %s", s, MaxAmount, unit)
	}
	return amount, nil
}

// Capacity is an amount of memory or disk that a machine has, in bytes. It is
// written with its unit: "64 GB" and "64 GiB" are both accepted, and differ.
type Capacity int64

// CapacityPattern is what an amount looks like in a document: digits, a fraction with
// a dot or a comma, a space and the unit. A fraction of three digits behind one to
// three that do not begin with 0 is left out, as [ParseCapacity] says why.
const CapacityPattern = `^([0-9]+([.,]([0-9]{1,2}|[0-9]{4,}))?|0[0-9]*[.,][0-9]{3}|[0-9]{4,}[.,][0-9]{3}) ([MGT]i?B|B)$`

var (
	capacityForm = regexp.MustCompile(CapacityPattern)
	thousands    = regexp.MustCompile(`^[1-9][0-9]{0,2}[.,][0-9]{3} `)
)

// ParseCapacity reads an amount such as "64 GiB", "2000 GB", "1.5 TB" or "1,5 TB".
// "2.500 GB" is refused: it is 2500 GB to some and 2.5 GB to others.
func ParseCapacity(s string) (Capacity, error) {
	if thousands.MatchString(s) {
		return 0, fmt.Errorf("%.40q could be thousands or a fraction: write it without a separator, or with fewer digits behind it", s)
	}
	number, unit, _ := strings.Cut(s, " ")
	size, ok := map[string]float64{
		"B": 1, "MB": 1e6, "GB": 1e9, "TB": 1e12, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	}[unit]
	if negative, is := strings.CutPrefix(s, "-"); is && capacityForm.MatchString(negative) {
		return 0, fmt.Errorf("%.40q is negative", s)
	}
	amount, err := strconv.ParseFloat(strings.Replace(number, ",", ".", 1), 64)
	switch {
	case !ok || !capacityForm.MatchString(s):
		return 0, misspelt(s)
	case err != nil || amount*size > MaxAmount*float64(1<<30):
		return 0, fmt.Errorf("%.40q is more than %d GiB", s, MaxAmount)
	}
	return Capacity(amount * size), nil
}

// capacityUnits are the units of amounts, as they are written.
var capacityUnits = []string{"B", "MB", "GB", "TB", "MiB", "GiB", "TiB"}

// likeCapacity is a number and a word behind it, however they are written.
var likeCapacity = regexp.MustCompile(`^\s*([0-9][0-9.,'’ \x{a0}\x{202f}]*?)[\s\x{a0}\x{202f}]*([A-Za-z]+)\s*$`)

// misspelt says what is wrong with an amount that is not written as one: its unit, or
// how it is to be written if it can mean but one.
func misspelt(s string) error {
	parts := likeCapacity.FindStringSubmatch(s)
	if parts == nil {
		return fmt.Errorf("%.40q is not an amount with a unit, such as 64 GiB, 2000 GB or 2 TB", s)
	}
	i := slices.IndexFunc(capacityUnits, func(unit string) bool { return strings.EqualFold(unit, parts[2]) })
	if i < 0 {
		return fmt.Errorf("%.40q has a unit that is not known: write %s", s, strings.Join(capacityUnits, ", "))
	}
	number := parts[1]
	if grouped.MatchString(number) && !thousands.MatchString(number+" ") { // groups that can be no fraction
		number = groupSigns.Replace(number)
	}
	written := number + " " + capacityUnits[i]
	if !capacityForm.MatchString(written) || thousands.MatchString(written) {
		return fmt.Errorf("%.40q is not an amount with a unit, such as 64 GiB, 2000 GB or 2 TB", s)
	}
	return fmt.Errorf("%.40q is not how an amount is written here: write %q", s, written)
}

// Bytes returns the amount in bytes.
func (c Capacity) Bytes() manifests.Bytes { return manifests.Bytes(c) }

// MarshalText writes the exact amount in the largest unit that divides it.
func (c Capacity) MarshalText() ([]byte, error) {
	for _, unit := range []struct {
		size int64
		name string
	}{{1e12, "TB"}, {1 << 30, "GiB"}, {1e9, "GB"}, {1e6, "MB"}} {
		if c != 0 && int64(c)%unit.size == 0 {
			return fmt.Appendf(nil, "%d %s", int64(c)/unit.size, unit.name), nil
		}
	}
	return fmt.Appendf(nil, "%d B", int64(c)), nil
}

// UnmarshalText reads what [ParseCapacity] does.
func (c *Capacity) UnmarshalText(text []byte) error {
	parsed, err := ParseCapacity(string(text))
	*c = parsed
	return err
}

// Kbps is a rate in kilobits per second, 1000 bits each.
type Kbps int64

// Percent is a whole number of hundredths.
type Percent int64

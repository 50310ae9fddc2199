package manifests

import (
	"fmt"
	"time"
)

// Date is a day in UTC, written 2026-03-31. The zero value means "not given".
type Date struct{ day time.Time }

// ParseDate reads a day of the form 2026-03-31.
func ParseDate(s string) (Date, error) {
	day, err := time.Parse(time.DateOnly, s)
	if err != nil || day.Year() < 1970 {
		return Date{}, fmt.Errorf("%.40q is not a date such as 2026-03-31", s)
	}
	return Date{day}, nil
}

// DateOf returns the UTC day of a moment.
func DateOf(t time.Time) Date {
	year, month, day := t.UTC().Date()
	return Date{time.Date(year, month, day, 0, 0, 0, 0, time.UTC)}
}

// Time returns the first moment of the day.
func (d Date) Time() time.Time { return d.day }

// IsZero reports whether no date is given.
func (d Date) IsZero() bool { return d.day.IsZero() }

// String returns the day as 2026-03-31, and nothing for the zero value.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.day.Format(time.DateOnly)
}

// MarshalText writes the date as String does.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads and checks a date; an empty text is the zero value.
func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	parsed, err := ParseDate(string(text))
	if err != nil {
		return err
	}
	*d = parsed
	return nil
}

package site

import (
	"regexp"
	"strings"
	"testing"
)

func TestParseConferences(t *testing.T) {
	for in, want := range map[string]string{
		"10x8,2x50":         "10x8,2x50",
		" 2x50 , 10x8":      "10x8,2x50",
		"1x5,2x5":           "3x5",
		"3×7":               "3x7",
		"none":              "none",
		"None":              "none",
		"10X8":              "10x8",
		"2 x 50":            "2x50",
		"3 × 7;4*12":        "3x7,4x12",
		"7 X 12; 1×31":      "7x12,1x31",
		"1.200x3":           "1200x3",
		"2'000 × 1'500":     "2000x1500",
		"1\u202f100x4":      "1100x4",
		"1,200x3":           "",
		"1.2x3":             "",
		"12.00x3":           "",
		"2k x 3":            "",
		"10 8":              "",
		"10x8 2x50":         "",
		"8 200x50x2":        "",
		"x8":                "",
		"10x8;":             "",
		"1000000x1":         "1000000x1",
		"1x100000":          "1x100000",
		"":                  "",
		"x":                 "",
		"0x5":               "",
		"5x0":               "",
		"-1x5":              "",
		"1x-5":              "",
		"NaNx5":             "",
		"1e3x5":             "",
		"5":                 "",
		"5x5x5":             "",
		"5x5,":              "",
		"+":                 "",
		"1000000x1,1x1":     "",
		"99999999999999x99": "",
		"1x100001":          "",
	} {
		got, err := ParseConferences(in)
		if want == "" && err == nil {
			t.Errorf("%q was read as %s", in, got)
		}
		if want != "" && (err != nil || got.String() != want) {
			t.Errorf("%q gives %s (%v), want %s", in, got, err, want)
		}
	}
	c, _ := ParseConferences("10x8,2x50")
	if c.Count() != 12 || c.Participants() != 180 || c.Largest() != 50 {
		t.Errorf("10x8,2x50 counts %d, %d, %d", c.Count(), c.Participants(), c.Largest())
	}
}

// TestAmountsThatAreMisspelt wants what is wrong, and how it is written where that can
// be but one amount.
func TestAmountsThatAreMisspelt(t *testing.T) {
	for in, want := range map[string]string{
		"128GB":          `write "128 GB"`,
		"96gib":          `write "96 GiB"`,
		"3  tb":          `write "3 TB"`,
		"1.5Tb":          `write "1.5 TB"`,
		"2,5TiB":         `write "2,5 TiB"`,
		"3.000.000 MB":   `write "3000000 MB"`,
		"4'000 gb":       `write "4000 GB"`,
		"12 GB ":         `write "12 GB"`,
		"7 Go":           "unit that is not known: write B, MB",
		"64 G":           "unit that is not known",
		"12 KB":          "unit that is not known",
		"2.500GB":        "is not an amount with a unit", // thousands, or a fraction
		"1.2.3 GB":       "is not an amount with a unit",
		"sixty GB":       "is not an amount with a unit",
		"-5 GB":          `"-5 GB" is negative`,
		"2000000000 GiB": `is more than 1048576 GiB`,
	} {
		_, err := ParseCapacity(in)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, not %q", in, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "negative") != strings.HasPrefix(in, "-") {
			t.Errorf("%q: %v", in, err)
		}
	}
}

// TestNoGroupBeginsWithZero: 0.500 is a half, and 0 is a number.
func TestNoGroupBeginsWithZero(t *testing.T) {
	for in, want := range map[string]int64{"0.750": -1, "00.125": -1, "0,300": -1, "0": 0, "007": 7, "1.000": 1000, "10 500": 10500} {
		got, err := ParseCount(in)
		if (err == nil) != (want >= 0) || err == nil && got != want {
			t.Errorf("%q is read as %d (%v), want %d", in, got, err, want)
		}
	}
	if got, err := ParseConferences("0.400x5"); err == nil {
		t.Errorf("0.400x5 is read as %s", got)
	}
}

func TestUnits(t *testing.T) {
	if GB(16).Bytes() == GiB(16).Bytes() || GB(80).Bytes() != 80e9 || GiB(16).Bytes() != 16<<30 {
		t.Error("GB and GiB are mixed up")
	}
	for in, want := range map[string]Capacity{"64 GB": 64e9, "64 GiB": 64 << 30, "2 TB": 2e12, "1.5 TB": 1.5e12, "0 B": 0,
		"1,5 TB": 1.5e12, "0.125 TB": 125e9, "2500 GB": 2500e9, "2.5 GB": 2.5e9, "1234.567 MB": 1234567e3} {
		got, err := ParseCapacity(in)
		text, _ := got.MarshalText()
		back, err2 := ParseCapacity(string(text))
		if err != nil || err2 != nil || got != want || back != want {
			t.Errorf("%s is %d and written %s (%v)", in, got, text, err)
		}
	}
	for _, in := range []string{"", "64", "64GB", "64 gb", "-1 GB", "NaN GB", "Inf GB", "1e9 GB", "0x10 GB", "99999999 TB",
		"2.500 GB", "2,500 GB", "14.000 GB", "1.234.567 GB", "1'000 GB", "1 000 GB", "+4 GB", "1. GB", ".5 GB", "1_0 GB"} {
		if got, err := ParseCapacity(in); err == nil {
			t.Errorf("%q was read as %d", in, got)
		}
	}
}

// TestParseCount reads numbers as they are typed, in whatever country.
func TestParseCount(t *testing.T) {
	for in, want := range map[string]int64{
		"2500": 2500, "2.500": 2500, "2,500": 2500, "2'500": 2500, "2’500": 2500, "2 500": 2500, "2\u00a0500": 2500, "2\u202f500": 2500,
		"1.234.567": 1234567, "1,234,567": 1234567, " 40 ": 40, "-3": -3, "007": 7,
	} {
		if got, err := ParseCount(in); err != nil || got != want {
			t.Errorf("%q gives %d (%v), want %d", in, got, err, want)
		}
	}
	for _, in := range []string{
		"", "2.5", "25.00", "2500.0", "1.234,567", "1,234.5", "12.34.567", "1234.567", "1e3", "3k", "0x10", "1_000", "NaN", "two", "2..500", "٢٥",
		"99999999999999999999", "9.999.999.999.999.999.999.999",
	} {
		got, err := ParseCount(in)
		if err == nil {
			t.Errorf("%q was read as %d", in, got)
		} else if strings.Contains(err.Error(), "strconv") {
			t.Errorf("%q is refused in words of a library: %v", in, err)
		}
	}
}

// TestPatternsAreWhatIsRead holds what the schema says of texts against what reads
// them, but for numbers that are too large.
func TestPatternsAreWhatIsRead(t *testing.T) {
	conferences, capacity := regexp.MustCompile(ConferencesPattern), regexp.MustCompile(CapacityPattern)
	for _, text := range []string{
		"none", "NONE", "10x8", "10 X 8; 2 × 50", "1.200x3,2x5", "1,200x3", "2k x 3", "10x8,", "x", "10", "3*4", "12.00x3", "no",
	} {
		if _, err := ParseConferences(text); conferences.MatchString(text) != (err == nil) {
			t.Errorf("%q: the schema says %v, the reader %v", text, conferences.MatchString(text), err)
		}
	}
	for _, text := range []string{
		"64 GB", "1.5 TB", "1,5 TB", "2.500 GB", "12,345 GB", "0.125 TB", "1234.567 MB", "3.1416 GB", "64GB", "64", "1.5. TB", "05.250 GB", "0 B",
	} {
		if _, err := ParseCapacity(text); capacity.MatchString(text) != (err == nil) {
			t.Errorf("%q: the schema says %v, the reader %v", text, capacity.MatchString(text), err)
		}
	}
}

func FuzzParseConferences(f *testing.F) {
	for _, seed := range []string{"10x8,2x50", "none", "", "1x1,1x1", "9999999x9999999", "x,x", "1×2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseConferences(s)
		if err != nil {
			return
		}
		again, err := ParseConferences(c.String())
		if err != nil || again.String() != c.String() {
			t.Errorf("%q gives %s, and that %s (%v)", s, c, again, err)
		}
		if c.Count() > MaxConferences || c.Largest() > MaxParticipants || c.Participants() < c.Count() {
			t.Errorf("%q is beyond the limits: %s", s, c)
		}
	})
}

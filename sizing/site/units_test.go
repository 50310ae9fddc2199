package site

import "testing"

func TestParseConferences(t *testing.T) {
	for in, want := range map[string]string{
		"10x8,2x50":         "10x8,2x50",
		" 2x50 , 10x8":      "10x8,2x50",
		"1x5,2x5":           "3x5",
		"3×7":               "3x7",
		"none":              "none",
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

func TestUnits(t *testing.T) {
	if GB(16).Bytes() == GiB(16).Bytes() || GB(80).Bytes() != 80e9 || GiB(16).Bytes() != 16<<30 {
		t.Error("GB and GiB are mixed up")
	}
	for in, want := range map[string]Capacity{"64 GB": 64e9, "64 GiB": 64 << 30, "2 TB": 2e12, "1.5 TB": 1.5e12, "0 B": 0} {
		got, err := ParseCapacity(in)
		text, _ := got.MarshalText()
		back, err2 := ParseCapacity(string(text))
		if err != nil || err2 != nil || got != want || back != want {
			t.Errorf("%s is %d and written %s (%v)", in, got, text, err)
		}
	}
	for _, in := range []string{"", "64", "64GB", "64 gb", "-1 GB", "NaN GB", "Inf GB", "1e9 GB", "0x10 GB", "99999999 TB"} {
		if got, err := ParseCapacity(in); err == nil {
			t.Errorf("%q was read as %d", in, got)
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

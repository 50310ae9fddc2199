//go:build linux

package probe

import (
	"strings"
	"testing"
	"time"
)

func TestParseSince(t *testing.T) {
	t.Parallel()
	const line = "cpu  10 0 10 80 0 0 0 5 0 0"
	want := CPUTimes{uptime: 12345670 * time.Millisecond, stolen: 5, total: 105}
	if got := ParseSince("12345.67 " + line); got != want {
		t.Errorf("read %+v, want %+v", got, want)
	}
	for _, text := range []string{"", "12345.67", line, "x " + line, "-1 " + line, "NaN " + line, "1 cpu 1 2 3", "1 cpu 1 2 3 4 5 6 7 x",
		"1 cpu0 1 2 3 4 5 6 7 8", strings.Repeat("9", 400) + " " + line} {
		if got := ParseSince(text); got != (CPUTimes{}) {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}

func TestShare(t *testing.T) {
	t.Parallel()
	before := CPUTimes{stolen: 10, total: 1000}
	for _, test := range []struct {
		later CPUTimes
		want  float64
	}{
		{CPUTimes{stolen: 30, total: 1200}, 10},
		{CPUTimes{stolen: 10, total: 1200}, 0},
		{before, 0},
		{CPUTimes{stolen: 5, total: 900}, 0}, // counters that went back, as after a migration
	} {
		if got := before.share(test.later); got != test.want {
			t.Errorf("share of %+v is %g, want %g", test.later, got, test.want)
		}
	}
}

// TestStealBeginsWithTheHost: what went by before the probe came counts, so
// that the sample does not last its whole length once more.
func TestStealBeginsWithTheHost(t *testing.T) {
	t.Parallel()
	now, err := System{}.cpuTimes()
	if err != nil {
		t.Fatal(err)
	}
	since := now
	since.uptime -= 10 * time.Minute
	since.total -= min(since.total, 60_000)
	start := time.Now()
	value := System{Since: since}.steal(t.Context(), 2*time.Second)
	if took := time.Since(start); took > 1500*time.Millisecond || !value.Known() || !strings.Contains(english(value.Method), "over 60") {
		t.Errorf("value %+v after %s", value, took)
	}
}

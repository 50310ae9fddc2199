package registry

import (
	"net/http"
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	for failures, most := range map[int]time.Duration{1: firstPause, 2: 2 * firstPause, 4: 8 * firstPause, 20: longestPause} {
		for range 50 {
			if d := backoff(failures, 0); d < most/2 || d > most {
				t.Fatalf("pause after %d failures is %s, wanted %s to %s", failures, d, most/2, most)
			}
		}
	}
	if d := backoff(1, 10*time.Second); d != 10*time.Second {
		t.Errorf("pause is %s, the server asked for 10s", d)
	}
	if d := backoff(1, time.Hour); d != maxRetryAfter {
		t.Errorf("pause is %s, wanted the limit %s", d, maxRetryAfter)
	}
	date := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "-5": 0, "soon": 0, date.Add(time.Minute).Format(http.TimeFormat): time.Minute,
	} {
		header := http.Header{"Retry-After": {value}, "Date": {date.Format(http.TimeFormat)}}
		if got := after(header); got != want {
			t.Errorf("Retry-After %q is %s, wanted %s", value, got, want)
		}
	}
}

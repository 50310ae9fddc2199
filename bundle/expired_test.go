package bundle_test

import (
	"testing"
	"time"
)

func TestExpired(t *testing.T) {
	t.Parallel()
	w := tinyWorld()
	w.lock.Release.Expires = date("2026-12-01")
	b := open(t, build(t, w.plan(t, options(t)), w.source()))
	for moment, want := range map[string]bool{
		"2026-12-01T23:59:59Z": false, "2026-12-02T00:00:01Z": true, "2026-12-02T00:30:00+02:00": false,
	} {
		now, err := time.Parse(time.RFC3339, moment)
		if err != nil {
			t.Fatal(err)
		}
		if b.Expired(now) != want {
			t.Errorf("%s: expired is %v", moment, !want)
		}
	}
	if open(t, tiny(t)).Expired(time.Now().AddDate(100, 0, 0)) {
		t.Error("a bundle without expiry has expired")
	}
}

package manifests

import "testing"

// TestOrderVersions holds the order that Wire means, on versions as its build.json and
// its tags have them.
func TestOrderVersions(t *testing.T) {
	t.Parallel()
	inOrder := map[string][]string{
		"wire-server": {
			"4.41.0", "5.2.0", "5.14.0", "5.14.0-pre.2", "5.14.0-pre.7", "5.14.0-pre.10", "5.14.1", "5.30.9", "5.30.10", "5.32.0",
			"5.32.0-pre.3", "5.32.1", "6.0.0-rc.1", "6.0.0",
		},
		"redis-ephemeral": {"5.28.0", "5.32.0", "5.32.0-pre.3"},
		"team-settings":   {"0.12.0-pre.133", "0.17.6", "0.17.7-pre.3", "0.17.7", "0.17.8-pre.4"},
		"webapp": {
			"0.0.44", "0.0.45-100017", "0.0.45-100018", "0.0.45", "0.1.0-pre99999", "0.1.0-pre100000", "0.8.0-pre.346", "0.8.0-pre.3297",
		},
		"coturn": {
			"4.6.2-federation-wireapp.9", "4.6.2-federation-wireapp.36", "4.6.2-federation-wireapp.36.2", "4.6.2-federation-wireapp.36.10",
			"4.6.2-federation-wireapp.37", "4.8.0-federation-wireapp.4",
		},
		"": {"1.0.0-99", "1.0.0-143", "1.0.0-144", "1.0.0", "2026.1", "2026.1.1", "2026.2.0-alpha.1", "2026.2.0-beta.1", "v2026.2.0"},
	}
	for chart, versions := range inOrder {
		for i, a := range versions {
			for j, b := range versions {
				want := SamePlace
				if i < j {
					want = Earlier
				} else if i > j {
					want = Later
				}
				if got := OrderVersions(chart, a, b); got != want {
					t.Errorf("%s %s stands %d to %s, not %d", chart, a, got, b, want)
				}
			}
		}
	}
	for _, same := range [][2]string{
		{"5.30.9", "v5.30.9"}, {"5.30", "5.30.0"}, {"5.30.9", "5.30.9+WIRE-2026-001"}, {"1.0.0-144+a", "1.0.0-144+b"}, {"spring", "spring"},
		{"5.32.0-pre.3+x", "v5.32.0-pre.3"},
	} {
		if got := OrderVersions("wire-server", same[0], same[1]); got != SamePlace {
			t.Errorf("%s stands %d to %s", same[0], got, same[1])
		}
	}
	for _, unordered := range [][3]string{
		{"", "1.0.0-144", "1.0.0-zulu.2246"}, {"coturn", "4.6.2", "4.6.2-federation-wireapp.55"}, {"", "2026.1", "2026.1-acme.2"},
		{"wire-server", "5.30.9", "latest"}, {"wire-server", "", "5.30.9"}, {"wire-server", "5.30.9-fix1", "5.30.9"},
	} {
		for _, pair := range [][2]string{{unordered[1], unordered[2]}, {unordered[2], unordered[1]}} {
			if got := OrderVersions(unordered[0], pair[0], pair[1]); got != Unordered {
				t.Errorf("%s %q stands %d to %q", unordered[0], pair[0], got, pair[1])
			}
		}
	}
}

// TestRangesFollowTheOrder holds that what is built after a release is in the ranges
// that what comes after it is in.
func TestRangesFollowTheOrder(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		chart, version, text string
		want                 bool
	}{
		{"wire-server", "5.32.0-pre.3", ">=5.32.0 <5.33.0", true},
		{"wire-server", "5.32.0-pre.3", ">5.32.0", true},
		{"wire-server", "5.32.0-pre.3", "<=5.32.0", false},
		{"wire-server", "5.32.0-pre.3", ">=5.32.1", false},
		{"wire-server", "5.32.0-pre.3", "5.32.0-pre.3", true},
		{"team-settings", "0.17.7-pre.3", ">=0.17.7", false},
		{"", "1.0.0-144", ">=1.0.0-143 <1.0.0-150", true},
	} {
		v, err := parseVersion(test.chart, test.version)
		if err != nil {
			t.Fatal(err)
		}
		if got := inRange(test.text, v); got != test.want {
			t.Errorf("%s %s in %q: %v", test.chart, test.version, test.text, got)
		}
	}
}

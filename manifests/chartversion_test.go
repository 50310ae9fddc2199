package manifests

import "testing"

func TestCompareChartVersions(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		a, b string
		want Likeness
	}{
		{"5.30.0", "5.30.0", SameVersion},
		{"v5.30.0", "5.30.0", SameVersion},
		{"2.0.0-rc.1", "v2.0.0-rc.1", SameVersion},
		{"1.2", "1.2.0", SameVersion},
		{"v3", "3.0.0", SameVersion},
		{"5.30.0+git.77", "v5.30.0+git.77", SameVersion},
		{"5.30.0", "v5.30.0+git.77", SameButBuild},
		{"0.9.1-rc.2+7", "0.9.1-rc.2", SameButBuild},
		{"5.30.0+git.77", "5.30.0+git.78", OtherVersion},
		{"5.30.0-git.77", "5.30.0", OtherVersion},
		{"5.30.1", "5.30.10", OtherVersion},
		{"main", "main", SameVersion},
		{"main", "", OtherVersion},
	} {
		if got := CompareChartVersions(test.a, test.b); got != test.want {
			t.Errorf("%s and %s are %d alike, wanted %d", test.a, test.b, got, test.want)
		}
		if got := CompareChartVersions(test.b, test.a); got != test.want {
			t.Errorf("%s and %s are %d alike, wanted %d", test.b, test.a, got, test.want)
		}
	}
}

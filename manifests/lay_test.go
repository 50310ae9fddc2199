package manifests

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// laid reads a release and overlays that are given without their first lines,
// and lays them in turn.
func laid(t *testing.T, skipUnknown bool, base string, overlays ...string) (*Release, error) {
	t.Helper()
	release, err := Read("base.yaml", []byte("apiVersion: island/v1\nkind: Release\n"+base))
	if err != nil {
		t.Fatal(told(err))
	}
	for _, text := range overlays {
		overlay, err := ReadOverlay("over.yaml", []byte("apiVersion: island/v1\nkind: Overlay\n"+text))
		if err != nil {
			t.Fatal(told(err))
		}
		if release, err = Lay(release, overlay, skipUnknown); err != nil {
			return nil, err
		}
	}
	return release, nil
}

func TestLay(t *testing.T) {
	t.Parallel()
	file := func(url, destination string) string {
		return "{url: " + url + ", destination: " + destination + ", sha256: " + someHex + "}"
	}
	for _, test := range []struct{ name, base, over, want string }{
		{
			name: "an empty overlay changes nothing",
			base: "metadata: {name: a}\ncharts: [{name: x, path: p, set: {b: 1}}]",
			want: "metadata: {name: a}\ncharts: [{name: x, path: p, set: {b: 1}}]",
		},
		{
			name: "single values replace",
			base: "metadata: {name: a, version: '1', date: 2026-01-01, sequence: 1}",
			over: "metadata: {version: '2', sequence: 3}",
			want: "metadata: {name: a, version: '2', date: 2026-01-01, sequence: 3}",
		},
		{
			name: "every field of metadata",
			base: "metadata: {name: a}",
			over: `
metadata:
  {name: b, version: '2', cycle: c, date: 2026-01-02, sequence: 3, expires: 2027-01-01,
   upgradeFrom: {range: '>1', skip: [{version: 1.0.0, reason: r}]}}`,
			want: `
metadata:
  {name: b, version: '2', cycle: c, date: 2026-01-02, sequence: 3, expires: 2027-01-01,
   upgradeFrom: {range: '>1', skip: [{version: 1.0.0, reason: r}]}}`,
		},
		{
			name: "steps to skip are added once",
			base: "metadata: {upgradeFrom: {range: '>1', skip: [{version: 1.0.0, reason: r}]}}",
			over: "metadata: {upgradeFrom: {skip: [{version: 1.0.0, reason: r}, {version: 2.0.0, reason: r}]}}",
			want: "metadata: {upgradeFrom: {range: '>1', skip: [{version: 1.0.0, reason: r}, {version: 2.0.0, reason: r}]}}",
		},
		{
			name: "platforms are replaced as a whole",
			base: "platforms: [linux/amd64, linux/arm/v7]",
			over: "platforms: [linux/arm64]",
			want: "platforms: [linux/arm64]",
		},
		{
			name: "defaults",
			base: "defaults: {kubeVersion: 1.29.0, apiVersions: [a/v1]}",
			over: "defaults: {kubeVersion: 1.30.0, apiVersions: [b/v1, a/v1]}",
			want: "defaults: {kubeVersion: 1.30.0, apiVersions: [a/v1, b/v1]}",
		},

		{
			name: "a chart's version, and the meta of the old one goes",
			base: "charts: [{name: x, repo: r, version: 1.0.0, meta: {commit: old, appVersion: '1'}}]",
			over: "charts: [{name: x, version: 1.0.1}]",
			want: "charts: [{name: x, repo: r, version: 1.0.1}]",
		},
		{
			name: "a chart's version with its meta",
			base: "charts: [{name: x, repo: r, version: 1.0.0, meta: {commit: old, appVersion: '1'}}]",
			over: "charts: [{name: x, version: 1.0.1, meta: {commit: new}}]",
			want: "charts: [{name: x, repo: r, version: 1.0.1, meta: {commit: new}}]",
		},
		{
			name: "a chart's meta alone",
			base: "charts: [{name: x, repo: r, version: 1.0.0, meta: {commit: old, appVersion: '1'}}]",
			over: "charts: [{name: x, meta: {appVersion: '2'}}]",
			want: "charts: [{name: x, repo: r, version: 1.0.0, meta: {commit: old, appVersion: '2'}}]",
		},
		{
			name: "a chart's repository",
			base: "charts: [{name: x, repo: r, version: 1.0.0}]",
			over: "charts: [{name: x, repo: q}]",
			want: "charts: [{name: x, repo: q, version: 1.0.0}]",
		},
		{
			name: "a path for a repository takes the version along",
			base: "charts: [{name: x, repo: r, version: 1.0.0}]",
			over: "charts: [{name: x, path: p}]",
			want: "charts: [{name: x, path: p}]",
		},
		{
			name: "a path with a version",
			base: "charts: [{name: x, repo: r, version: 1.0.0}]",
			over: "charts: [{name: x, path: p, version: 1.0.1}]",
			want: "charts: [{name: x, path: p, version: 1.0.1}]",
		},
		{
			name: "a repository for a path",
			base: "charts: [{name: x, path: p}]",
			over: "charts: [{name: x, repo: r, version: 1.0.0}]",
			want: "charts: [{name: x, repo: r, version: 1.0.0}]",
		},
		{
			name: "the lists and maps of a chart",
			base: `
charts:
  - {name: x, path: p, namespace: a, values: [v1], secrets: [s1], apiVersions: [a/v1], images: [i:1],
     tags: {a: true, b: true}, kubeVersion: 1.0.0}`,
			over: `
charts:
  - {name: x, namespace: b, values: [v2, v1], secrets: [s2], apiVersions: [b/v1], images: [i:2],
     tags: {b: false, c: true}, kubeVersion: 1.1.0}`,
			want: `
charts:
  - {name: x, path: p, namespace: b, values: [v1, v2], secrets: [s1, s2], apiVersions: [a/v1, b/v1], images: [i:1, i:2],
     tags: {a: true, b: false, c: true}, kubeVersion: 1.1.0}`,
		},
		{
			name: "values are merged as Helm merges them",
			base: "charts: [{name: x, path: p, set: {a: {b: 1, c: [1, 2]}, d: 1, e: {f: 1}}}]",
			over: "charts: [{name: x, set: {a: {c: [3], g: 2}, d: {h: 1}, e: null}}]",
			want: "charts: [{name: x, path: p, set: {a: {b: 1, c: [3], g: 2}, d: {h: 1}, e: null}}]",
		},
		{
			name: "values where there were none",
			base: "charts: [{name: x, path: p}]",
			over: "charts: [{name: x, set: {a: 1}}]",
			want: "charts: [{name: x, path: p, set: {a: 1}}]",
		},
		{
			name: "a chart is added",
			base: "charts: [{name: x, path: p}]",
			over: "charts: [{name: y, repo: r, version: 1.0.0}]",
			want: "charts: [{name: x, path: p}, {name: y, repo: r, version: 1.0.0}]",
		},
		{
			name: "two versions of a chart are added",
			over: "charts: [{name: y, repo: r, version: 1.0.0}, {name: y, repo: r, version: 2.0.0}]",
			want: "charts: [{name: y, repo: r, version: 1.0.0}, {name: y, repo: r, version: 2.0.0}]",
		},
		{
			name: "every chart of the name",
			base: "charts: [{name: x, repo: r, version: 1.0.0}, {name: x, repo: r, version: 2.0.0}]",
			over: "charts: [{name: x, namespace: n}]",
			want: "charts: [{name: x, repo: r, version: 1.0.0, namespace: n}, {name: x, repo: r, version: 2.0.0, namespace: n}]",
		},
		{
			name: "one chart twice in an overlay",
			base: "charts: [{name: x, path: p}]",
			over: "charts: [{name: x, values: [a]}, {name: x, values: [b]}]",
			want: "charts: [{name: x, path: p, values: [a, b]}]",
		},

		{
			name: "images are added",
			base: "images: [{name: 'a:1'}]",
			over: "images: [{name: 'b:1', group: g}]",
			want: "images: [{name: 'a:1'}, {name: 'b:1', group: g}]",
		},
		{
			name: "a file of the same destination is replaced",
			base: "files: [" + file("u1", "a") + ", " + file("u2", "b") + "]",
			over: "files: [" + file("u3", "a") + ", " + file("u4", "c") + "]",
			want: "files: [" + file("u3", "a") + ", " + file("u2", "b") + ", " + file("u4", "c") + "]",
		},
		{
			name: "values folders are added",
			base: "values: [{path: a}]",
			over: "values: [{path: b, destination: c}]",
			want: "values: [{path: a}, {path: b, destination: c}]",
		},
		{
			name: "allowances are added",
			base: "allow: [{image: a, reason: r}]",
			over: "allow: [{image: b, reason: r}]",
			want: "allow: [{image: a, reason: r}, {image: b, reason: r}]",
		},
		{
			name: "exclusions are added once",
			base: "exclude: {charts: [a], images: [{pattern: p, reason: r}]}",
			over: "exclude: {charts: [b, a], images: [{pattern: p, reason: r}, {pattern: q, reason: r}]}",
			want: "exclude: {charts: [a, b], images: [{pattern: p, reason: r}, {pattern: q, reason: r}]}",
		},
		{
			name: "a profile of the same name is replaced whole",
			base: "profiles: {a: {description: d, without: [x]}, b: {without: [y]}}",
			over: "profiles: {a: {without: [z]}}",
			want: "profiles: {a: {without: [z]}, b: {without: [y]}}",
		},
		{
			name: "aliases",
			base: "repositoryAliases: {a: 'https://a', b: 'https://b'}",
			over: "repositoryAliases: {b: 'https://c'}",
			want: "repositoryAliases: {a: 'https://a', b: 'https://c'}",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := laid(t, false, test.base, test.over)
			expect(t, err)
			want, err := laid(t, false, test.want)
			expect(t, err)
			if got, want := plain(got), plain(want); !reflect.DeepEqual(got, want) {
				t.Errorf("\n got %+v\nwant %+v", got, want)
			}
		})
	}
}

// plain returns a release without what only errors need, and with no difference
// between an empty list and none.
func plain(r *Release) Release {
	p := *r
	p.sources = nil
	p.Charts = nil
	for _, chart := range r.Charts {
		chart.entries = nil
		p.Charts = append(p.Charts, chart)
	}
	p.Files, p.Values = slices.Clone(p.Files), slices.Clone(p.Values)
	for i := range p.Files {
		p.Files[i].entry = entry{}
	}
	for i := range p.Values {
		p.Values[i].entry = entry{}
	}
	return p
}

func TestLayLeavesItsArgumentsAlone(t *testing.T) {
	t.Parallel()
	const base = "charts: [{name: x, repo: r, version: 1.0.0, values: [a], set: {a: {b: 1}}, tags: {t: true}}]\nfiles: []\nprofiles: {p: {}}\n"
	const over = "charts: [{name: x, version: 2.0.0, values: [b], set: {a: {b: 2, c: 3}}, tags: {t: false}}]\nprofiles: {q: {}}\n"
	release, _ := laid(t, false, base)
	before, _ := laid(t, false, base)
	overlay, err := ReadOverlay("over.yaml", []byte("apiVersion: island/v1\nkind: Overlay\n"+over))
	if err != nil {
		t.Fatal(err)
	}
	overlayBefore, _ := ReadOverlay("over.yaml", []byte("apiVersion: island/v1\nkind: Overlay\n"+over))
	result, err := Lay(release, overlay, false)
	if err != nil {
		t.Fatal(err)
	}
	result.Rebase("elsewhere")
	result.Charts[0].Set["z"] = 1
	if !reflect.DeepEqual(release, before) || !reflect.DeepEqual(overlay, overlayBefore) {
		t.Error("an argument was changed")
	}
}

func TestLayUnknownChart(t *testing.T) {
	t.Parallel()
	const base, over = "charts: [{name: x, path: p}]\n", "charts:\n  - name: y\n    values: [v]\n"
	_, err := laid(t, false, base, over)
	expect(t, err, `over.yaml:4:11: charts[0].name: overlay chart "y" is not in the release`+
		" | name a chart of the release, or give repo or path to add one")
	release, err := laid(t, true, base, over+"  - {name: z, path: q}\n")
	expect(t, err)
	if len(release.Charts) != 1 {
		t.Errorf("a chart that the release does not have was not passed over: %+v", release.Charts)
	}
}

// What is wrong is told where it was written, whichever document that was.
func TestFlawsAfterLayingNameTheDocument(t *testing.T) {
	t.Parallel()
	release, err := laid(t, false,
		`metadata: {name: wire, version: '1', date: 2026-01-01}
platforms: [linux/amd64]
charts:
  - {name: x, repo: 'https://a.example', version: latest}
  - {name: y, repo: 'https://a.example', version: 1.0.0}
`,
		`metadata: {name: Wire}
charts:
  - {name: y, repo: nowhere}
`,
		`charts:
  - {name: y, kubeVersion: new}
`,
		"platforms: [linux/amd64, linux/amd64]\n")
	expect(t, err)
	expect(t, release.Check(),
		`over.yaml:3:18: metadata.name: release name "Wire" is not a lowercase DNS label`+nameHint,
		`over.yaml:3:26: platforms[1]: platform linux/amd64 is named twice`,
		`base.yaml:6:51: charts[0].version: chart version "latest" is not a semantic version | name one exact version, no range`,
		`over.yaml:5:21: charts[0].repo: repository "nowhere" is a bare alias that nothing explains`+aliasHint,
		`over.yaml:4:28: charts[0].kubeVersion: Kubernetes version "new" is not a version | such as 1.29.10`)
}

func TestRebase(t *testing.T) {
	t.Parallel()
	const doc = `
charts:
  - {name: x, path: charts/x, values: [v.yaml, ../w.yaml, /abs.yaml], secrets: ['wire:s.yaml']}
  - {name: y, repo: 'https://a.example', version: 1.0.0}
values: [{path: .}]
files:
  - {url: f.bin, destination: f, sha256: ` + someHex + `}
  - {url: 'https://a.example/f', destination: g, sha256: ` + someHex + `}
`
	for folder, want := range map[string][]string{
		"over":    {"over/charts/x", "over/v.yaml", "w.yaml", "over", "over/f.bin"},
		"../o":    {"../o/charts/x", "../o/v.yaml", "../w.yaml", "../o", "../o/f.bin"},
		"/srv":    {"/srv/charts/x", "/srv/v.yaml", "/w.yaml", "/srv", "/srv/f.bin"},
		"wire:":   {"wire:charts/x", "wire:v.yaml", "wire:../w.yaml", "wire:.", "wire:f.bin"},
		"a b/c/.": {"a b/c/charts/x", "a b/c/v.yaml", "a b/w.yaml", "a b/c", "a b/c/f.bin"},
	} {
		r, _ := laid(t, false, doc)
		r.Rebase(folder)
		x := r.Charts[0]
		if got := []string{x.Path, x.Values[0], x.Values[1], r.Values[0].Path, r.Files[0].URL}; !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", folder, got, want)
		}
		stay := []string{"/abs.yaml", "wire:s.yaml", "", "https://a.example/f"}
		if got := []string{x.Values[2], x.Secrets[0], r.Charts[1].Path, r.Files[1].URL}; !reflect.DeepEqual(got, stay) {
			t.Errorf("%s: what is relative to no folder is %q, want %q", folder, got, stay)
		}
	}
}

const forProfiles = `
charts: [{name: a, path: a}, {name: b, path: b}, {name: c, path: c}]
images: [{name: "k:1", group: system}, {name: "z:1", group: adminhost}, {name: "n:1"}]
files: [{url: f, destination: f, sha256: ` + someHex + `, group: binaries}, {url: g, destination: g, sha256: ` + someHex + `}]
exclude: {charts: [a], images: [{pattern: "*-test:*", reason: tests}]}
profiles:
  small: {exclude: {charts: [b, not-there], images: [{pattern: "f:*", reason: federation}]}, without: [system, binaries, not-there]}
  same: {}
`

func TestApply(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		profile  string
		carried  string
		patterns int
		left     []Omission
	}{
		{"", "b c k:1 z:1 n:1 f g", 1, []Omission{{What: "chart a", Reason: "excluded by the release"}}},
		{"same", "b c k:1 z:1 n:1 f g", 1, []Omission{{What: "chart a", Reason: "excluded by the release"}}},
		{"small", "c z:1 n:1 g", 2, []Omission{
			{What: "chart a", Reason: "excluded by the release"},
			{What: "chart b", Reason: "excluded by profile small"},
			{What: "k:1", Reason: "excluded by profile small with group system"},
			{What: "file f", Reason: "excluded by profile small with group binaries"},
		}},
	} {
		release, _ := laid(t, false, forProfiles)
		got, left, err := release.Apply(test.profile)
		if err != nil {
			t.Fatal(err)
		}
		var carried []string
		for _, chart := range got.Charts {
			carried = append(carried, chart.Name)
		}
		for _, image := range got.Images {
			carried = append(carried, image.Name)
		}
		for _, file := range got.Files {
			carried = append(carried, file.Destination)
		}
		if strings.Join(carried, " ") != test.carried || len(got.Exclude.Images) != test.patterns {
			t.Errorf("profile %q carries %s and excludes %v", test.profile, carried, got.Exclude.Images)
		}
		if !reflect.DeepEqual(left, test.left) {
			t.Errorf("profile %q leaves out %v", test.profile, left)
		}
		if len(release.Charts) != 3 || len(release.Images) != 3 || len(release.Files) != 2 {
			t.Error("the release itself was changed")
		}
	}
	release, _ := laid(t, false, forProfiles)
	_, _, err := release.Apply("smal")
	expect(t, err, "profile smal: no such profile | known profiles: same, small")
}

func TestImagePatternMatches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, image string
		matches        bool
	}{
		{"quay.io/wire/brig:1", "quay.io/wire/brig:1", true},
		{"quay.io/wire/brig:1", "quay.io/wire/brig:10", false},
		{"quay.io/wire/brig:1", "xquay.io/wire/brig:1", false},
		{"quay.io/wire/federator:*", "quay.io/wire/federator:5.30.9", true},
		{"quay.io/wire/federator:*", "quay.io/wire/federator", false},
		{"*-integration:*", "quay.io/wire/brig-integration:5.30.9", true},
		{"*-integration:*", "quay.io/wire/integration:5.30.9", false},
		{"*", "", true},
		{"*", "a/b:c", true},
		{"**", "x", true},
		{"", "", true},
		{"", "x", false},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"a*b*a", "aba", true},
		{"a*ba*a", "aba", false},
		{"*ab*ab", "ab", false},
		{"*ab*ab", "abab", true},
		{"a*bc*c", "abcbc", true},
		{"quay.io/*:[0-9]?.*", "quay.io/x:[0-9]?.1", true}, // nothing but * has a meaning
		{"quay.io/*:[0-9]?.*", "quay.io/x:1", false},
		{"Quay.io/*", "quay.io/x:1", false},
	} {
		if got := (ImagePattern{Pattern: test.pattern}).Matches(test.image); got != test.matches {
			t.Errorf("%q and %q: %t", test.pattern, test.image, got)
		}
	}
}

func FuzzImagePatternMatches(f *testing.F) {
	for _, seed := range [][2]string{{"a*a", "a"}, {"*-integration:*", "x-integration:1"}, {"a**b*", "ab"}, {"*ab*ab", "abab"}, {"", ""}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, image string) {
		// One byte after another: regexp reads broken UTF-8 as one replacement character, whatever the byte.
		if strings.ToValidUTF8(pattern, "") != pattern || strings.ToValidUTF8(image, "") != image {
			t.Skip()
		}
		parts := strings.Split(pattern, "*")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		want := regexp.MustCompile(`(?s)\A` + strings.Join(parts, ".*") + `\z`).MatchString(image)
		if got := (ImagePattern{Pattern: pattern}).Matches(image); got != want {
			t.Errorf("%q and %q: %t, a regular expression says %t", pattern, image, got, want)
		}
	})
}

package manifests

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const (
	cutShortHint = " | was the download or the checkout cut short?"
	nameHint     = ` | give metadata.name or --name, such as wire`
	versionHint  = ` | give metadata.version or --release-version, such as 2026.1`
	aliasHint    = ` | add it to repositoryAliases in an overlay, or use an https:// or oci:// URL`
	latestHint   = ` | an empty version would mean the latest, which is never locked: name one`
)

// whatBuildJSONLacks is what every build.json needs besides.
const whatBuildJSONLacks = `
apiVersion: island/v1
kind: Overlay
metadata: {name: wire, date: 2026-03-31}
platforms: [linux/amd64]
`

// readAndCheck reads a release, lays overlays over it and checks the result.
func readAndCheck(file, doc string, overlays ...string) (*Release, error) {
	release, err := Read(file, []byte(doc))
	if err != nil {
		return nil, err
	}
	for _, text := range overlays {
		overlay, err := ReadOverlay("overlay.yaml", []byte(text))
		if err != nil {
			return nil, err
		}
		if release, err = Lay(release, overlay, false); err != nil {
			return nil, err
		}
	}
	return release, release.Check()
}

// Every oddity found in the history of Wire's release manifests, and what is
// decided about it.
func TestBuildJSONOddities(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		doc     string
		overlay string
		want    []string
	}{
		{
			name: "empty version of a chart",
			doc: `{"version": "1", "helmCharts": {
 "brig": {"repo": "https://a.example/charts",
  "version": ""}}}`,
			want: []string{"build.json:3:14: helmCharts.brig.version: chart has no version" + latestHint},
		}, {
			name: "no version of a chart",
			doc: `{"version": "1", "helmCharts": {
 "brig": {"repo": "https://a.example/charts"}}}`,
			want: []string{"build.json:2:10: helmCharts.brig.version: chart has no version" + latestHint},
		}, {
			name: "no repository of a chart",
			doc: `{"version": "1", "helmCharts": {
 "brig": {"version": "1.2.3"}}}`,
			want: []string{"build.json:2:10: helmCharts.brig.repo: chart wants one of repo and path | give either repo or path"},
		}, {
			name: "truncated",
			doc: `{
  "version": "1.0.0-144",
  "helmCharts": {
    "brig": {"repo": "https:`,
			want: []string{"build.json:4:29: JSON document ends too early" + cutShortHint},
		}, {
			name: "truncated after a chart",
			doc: `{"version": "1", "helmCharts": {
 "brig": {"repo": "https://a.example", "version": "1.2.3"},
`,
			want: []string{"build.json:3:1: JSON document ends too early" + cutShortHint},
		}, {
			name: "blank file",
			doc:  "\n",
			want: []string{"build.json: document is empty" + cutShortHint},
		}, {
			name: "no charts at all",
			doc:  `{"version": "1", "helmCharts": {}}`,
			want: []string{"build.json:1:32: helmCharts: no chart is named" + cutShortHint},
		}, {
			name: "charts are null",
			doc:  `{"version": "1", "helmCharts": null}`,
			want: []string{"build.json:1:32: helmCharts: no chart is named" + cutShortHint},
		}, {
			name: "bare alias as repository",
			doc: `{"version": "1", "helmCharts": {
 "brig": {"repo": "wire-develop", "version": "1.2.3"}}}`,
			want: []string{`build.json:2:19: helmCharts.brig.repo: repository "wire-develop" is a bare alias that nothing explains` + aliasHint},
		}, {
			name:    "bare alias that the overlay explains",
			doc:     `{"version": "1", "helmCharts": {"brig": {"repo": "wire-develop", "version": "1.2.3"}}}`,
			overlay: "apiVersion: island/v1\nkind: Overlay\nrepositoryAliases: {wire-develop: \"https://a.example/charts-develop\"}\n",
		}, {
			name: "alias of an alias",
			doc: `{"version": "1", "helmCharts": {
 "brig": {"repo": "wire-develop", "version": "1.2.3"}}}`,
			overlay: "apiVersion: island/v1\nkind: Overlay\nrepositoryAliases: {wire-develop: wire}\n",
			want:    []string{`build.json:2:19: helmCharts.brig.repo: repository "wire" is a bare alias that nothing explains` + aliasHint},
		}, {
			name: "s3 URL",
			doc: `{"version": "1", "helmCharts": {
 "brig": {"repo": "s3://public.wire.com/charts", "version": "1.2.3"}}}`,
			want: []string{`build.json:2:19: helmCharts.brig.repo: repository "s3://public.wire.com/charts" is an s3:// URL, ` +
				`which wants an Amazon account` + aliasHint},
		}, {
			name:    "s3 URL that the overlay explains",
			doc:     `{"version": "1", "helmCharts": {"brig": {"repo": "s3://public.wire.com/charts", "version": "1.2.3"}}}`,
			overlay: "apiVersion: island/v1\nkind: Overlay\nrepositoryAliases: {\"s3://public.wire.com/charts\": \"https://a.example/charts\"}\n",
		}, {
			name: "no meta",
			doc:  `{"version": "1", "helmCharts": {"brig": {"repo": "https://a.example", "version": "1.2.3"}}}`,
		}, {
			name: "meta of other fields and types",
			doc: `{"version": "1", "helmCharts": {"brig": {
				"repo": "https://a.example", "version": "1.2.3", "meta": {"commit": 7, "x": {"y": [null]}}}}}`,
		}, {
			name: "no version of the release",
			doc:  `{"helmCharts": {"brig": {"repo": "https://a.example", "version": "1.2.3"}}}`,
			want: []string{`build.json: metadata.version: release version "" is missing or not usable in a file name` + versionHint},
		}, {
			name:    "no version of the release, given by an overlay",
			doc:     `{"helmCharts": {"brig": {"repo": "https://a.example", "version": "1.2.3"}}}`,
			overlay: "apiVersion: island/v1\nkind: Overlay\nmetadata: {version: \"2026.1\"}\n",
		}, {
			name: "release version that is no file name",
			doc: `{"version": "1/2",
 "helmCharts": {"brig": {"repo": "https://a.example", "version": "1.2.3"}}}`,
			want: []string{`build.json:1:13: metadata.version: release version "1/2" is missing or not usable in a file name` + versionHint},
		}, {
			name: "one chart name in several repositories",
			doc: `{"version": "1", "helmCharts": {
 "brig": {"repo": "https://a.example", "version": "1.2.3"},
 "brig": {"repo": "https://b.example", "version": "1.2.3"}}}`,
			want: []string{"build.json:3:2: helmCharts.brig: duplicate key, first given on line 2"},
		}, {
			name: "all version forms of the history",
			doc: `{"version": "1.0.0-zulu.2246", "helmCharts": {
				"a": {"repo": "https://a.example", "version": "5.32.0"},
				"b": {"repo": "https://a.example", "version": "0.8.0-pre.3472"},
				"c": {"repo": "https://a.example", "version": "4.6.2-federation-wireapp.36.2"},
				"d": {"repo": "https://a.example", "version": "0.0.45-100017"},
				"e": {"repo": "oci://a.example/charts", "version": "v1.15.0"}}}`,
		}, {
			name: "range for a version",
			doc: `{"version": "1", "helmCharts": {
 "brig": {"repo": "https://a.example", "version": "^1.2"}}}`,
			want: []string{`build.json:2:51: helmCharts.brig.version: chart version "^1.2" is not a semantic version` +
				` | name one exact version, no range`},
		}, {
			name: "number for a version",
			doc: `{"version": "1", "helmCharts": {
 "brig": {"repo": "https://a.example", "version": 5.30}}}`,
			want: []string{`build.json:2:51: helmCharts.brig.version: wants a string, got a number | put it in quotes: "5.30"`},
		}, {
			name: "field misspelt",
			doc: `{"version": "1", "helmCharts": {
 "brig": {"repository": "https://a.example", "version": "1.2.3"}}}`,
			want: []string{"build.json:2:11: helmCharts.brig.repository: unknown field" + knownIn[buildChart]("")},
		}, {
			name: "chart name that is no name",
			doc: `{"version": "1", "helmCharts": {
 "../brig": {"repo": "https://a.example", "version": "1.2.3"}}}`,
			want: []string{`build.json:2:13: helmCharts.../brig.name: chart name "../brig" is not a lowercase DNS name`},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			overlays := []string{whatBuildJSONLacks}
			if test.overlay != "" {
				overlays = append(overlays, test.overlay)
			}
			release, err := readAndCheck("build.json", test.doc, overlays...)
			expect(t, err, test.want...)
			if err != nil {
				return
			}
			for _, chart := range release.Charts {
				if !strings.Contains(chart.Repo, "://a.example") {
					t.Errorf("chart %s comes from %s", chart.Name, chart.Repo)
				}
			}
		})
	}
}

func TestBuildJSONAlone(t *testing.T) {
	t.Parallel()
	_, err := readAndCheck("build.json", `{"version": "1", "helmCharts": {"brig": {"repo": "https://a.example", "version": "1.2.3"}}}`)
	expect(t, err,
		`build.json: metadata.name: release name "" is not a lowercase DNS label`+nameHint,
		`build.json: metadata.date: release date is missing | give metadata.date or --date, such as 2026-03-31; every time in the bundle is `+
			`that day`,
		`build.json: platforms: no platform is named | give platforms or --platform, such as linux/amd64`)
}

func TestBuildJSONIsReadWhole(t *testing.T) {
	t.Parallel()
	release, err := Read("build.json", []byte(`{"version": "1.0.0-144", "helmCharts": {
		"sftd": {"repo": "https://a.example/avs", "version": "0.145.0",
			"meta": {"appVersion": "5.0.80", "commit": "1e387a3", "commitURL": "https://c.example/1e387a3"}},
		"brig": {"repo": "https://a.example/", "version": "5.30.9"}}}`))
	if err != nil {
		t.Fatal(err)
	}
	if !release.IsWireBuild() || release.Metadata.Version != "1.0.0-144" || release.Kind != KindRelease || release.APIVersion != APIVersion {
		t.Errorf("%+v", release)
	}
	for i := range release.Charts {
		release.Charts[i].entries = nil
	}
	want := []Chart{
		{Name: "brig", Repo: "https://a.example/", Version: "5.30.9"},
		{Name: "sftd", Repo: "https://a.example/avs", Version: "0.145.0",
			Meta: ChartMeta{AppVersion: "5.0.80", Commit: "1e387a3", CommitURL: "https://c.example/1e387a3"}},
	}
	if !reflect.DeepEqual(release.Charts, want) {
		t.Errorf("%+v", release.Charts)
	}
}

// The real release manifests stand beside the project where they are there at
// all; they are Wire's, so no copy is kept here.
func TestRealBuildJSON(t *testing.T) {
	t.Parallel()
	for name, charts := range map[string]int{"2026-q1": 47, "2026-q2": 47, "main": 51, "offline": 47, "q2-2025": 41} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join("..", "..", "shared", "wire-builds", name+".json")
			data, err := os.ReadFile(file)
			if os.IsNotExist(err) {
				t.Skipf("%s is not there", file)
			}
			if err != nil {
				t.Fatal(err)
			}
			release, err := readAndCheck(file, string(data), whatBuildJSONLacks)
			expect(t, err)
			if err == nil && len(release.Charts) != charts {
				t.Errorf("%d charts, want %d", len(release.Charts), charts)
			}
			// Cut anywhere, it is never taken for a whole one.
			end := strings.LastIndexByte(string(data), '}')
			for cut := 0; cut <= end; cut += 97 {
				if _, err := Read(file, data[:cut]); err == nil {
					t.Errorf("the first %d of %d bytes were read as a release", cut, len(data))
				}
			}
		})
	}
}

const wholeRelease = `
apiVersion: island/v1
kind: Release
metadata:
  name: wire
  version: "2026.1"
  cycle: 2026-H1
  date: 2026-03-31
  sequence: 7
  expires: 2027-03-31
  upgradeFrom:
    range: ">=5.28.0 <5.30.0"
    skip: [{version: 5.29.0, reason: broken}]
platforms: [linux/amd64, linux/arm64]
defaults: {kubeVersion: 1.29.10, apiVersions: [monitoring.coreos.com/v1]}
repositoryAliases: {wire: "https://a.example/charts"}
charts:
  - {name: brig, repo: wire, version: 5.30.9, namespace: wire, values: [values/brig.yaml], secrets: [secrets/brig.yaml], meta: {commit: ab},
     set: {replicas: 3}, kubeVersion: 1.30.1, apiVersions: [a/v1], tags: {federation: true}, images: [quay.io/wire/x:1]}
  - {name: hotfix, path: charts/hotfix.tgz}
images:
  - {name: "registry.k8s.io/pause:3.9", group: system, reason: Kubernetes}
  - {name: quay.io/wire/zauth, tagFromChart: brig}
files:
  - {url: "https://a.example/kubelet", sha256: "` + someHex + `", size: 5, destination: binaries/kubelet, mode: "0755", group: binaries}
values:
  - {path: values, destination: wire}
allow:
  - {image: "docker.io/library/busybox:latest", reason: no other}
exclude:
  charts: [inbucket]
  images: [{pattern: "*-integration:*", reason: tests}]
profiles:
  demo: {description: small, exclude: {charts: [sftd], images: [{pattern: "a*", reason: b}]}, without: [system]}
`

func TestWholeRelease(t *testing.T) {
	t.Parallel()
	release, err := readAndCheck("release.yaml", wholeRelease)
	expect(t, err)
	if err != nil {
		return
	}
	if release.IsWireBuild() {
		t.Error("a native release is told as Wire's")
	}
	if got := release.ChartNamed("brig"); got.Repo != "https://a.example/charts" || !got.Tags["federation"] || got.Set["replicas"] != 3 {
		t.Errorf("%+v", got)
	}
	if release.ChartNamed("none") != nil {
		t.Error("a chart that is not there was found")
	}
}

// nativeFlaws are changes to wholeRelease, each with what is told about it.
// Structural ones are refused by the schema as well.
var nativeFlaws = []struct {
	name       string
	old, new   string
	structural bool
	want       []string
}{
	{"unknown field", "name: wire\n", "name: wire\n  owner: me\n", true,
		[]string{"release.yaml:6:3: metadata.owner: unknown field" + knownIn[Metadata]("")}},
	{"unknown field at the top", "images:\n", "image: []\nimages:\n", true,
		[]string{"release.yaml:21:1: image: unknown field" + knownIn[Release]("images")}},
	{"unquoted version", `"2026.1"`, "5.30", true,
		[]string{`release.yaml:6:12: metadata.version: wants a string, got a number | put it in quotes: "5.30"`}},
	{"unquoted version of a chart", "5.30.9", "5.30", true,
		[]string{`release.yaml:18:39: charts[0].version: wants a string, got a number | put it in quotes: "5.30"`}},
	{"duplicate key", "name: wire\n", "name: wire\n  name: wire\n", false,
		[]string{"release.yaml:6:3: metadata.name: duplicate key, first given on line 5"}},
	{"two sections of charts", "images:\n", "charts: []\nimages:\n", false,
		[]string{"release.yaml:21:1: charts: duplicate key, first given on line 17"}},
	{"string for a list", "[linux/amd64, linux/arm64]", "linux/amd64", true,
		[]string{"release.yaml:14:12: platforms: wants a list, got a string"}},
	{"bad platform", "linux/arm64]", "arm64]", true,
		[]string{`release.yaml:14:26: platforms[1]: "arm64" is not a platform such as linux/amd64`}},
	{"platform twice", "linux/arm64]", "linux/amd64]", true,
		[]string{"release.yaml:14:26: platforms[1]: platform linux/amd64 is named twice"}},
	{"no platform", "[linux/amd64, linux/arm64]", "[]", true,
		[]string{"release.yaml:14:12: platforms: no platform is named | give platforms or --platform, such as linux/amd64"}},
	{"bad name", "name: wire\n", "name: Wire_1\n", true,
		[]string{`release.yaml:5:9: metadata.name: release name "Wire_1" is not a lowercase DNS label` + nameHint}},
	{"bad release version", `"2026.1"`, `"2026 1"`, true,
		[]string{`release.yaml:6:12: metadata.version: release version "2026 1" is missing or not usable in a file name` + versionHint}},
	{"bad date", "date: 2026-03-31", "date: 31.03.2026", true,
		[]string{`release.yaml:8:9: metadata.date: "31.03.2026" is not a date such as 2026-03-31`}},
	{"a day that does not exist", "date: 2026-03-31", "date: 2026-04-31", true,
		[]string{`release.yaml:8:9: metadata.date: "2026-04-31" is not a date such as 2026-03-31`}},
	{"expires before its date", "2027-03-31", "2026-03-31", false,
		[]string{"release.yaml:10:12: metadata.expires: release expires on 2026-03-31, which is not after its date 2026-03-31"}},
	{"sequence beyond what JSON keeps", "sequence: 7", "sequence: 9007199254740992", true,
		[]string{"release.yaml:9:13: metadata.sequence: sequence 9007199254740992 is above 9007199254740991, which is the highest there can be"}},
	{"negative sequence", "sequence: 7", "sequence: -7", true,
		[]string{`release.yaml:9:13: metadata.sequence: wants a whole number that is not negative, got a number "-7"`}},
	{"bad range", ">=5.28.0 <5.30.0", "from 5.28", false,
		[]string{`release.yaml:12:12: metadata.upgradeFrom.range: upgrade range: "from 5.28" is not a range of versions` +
			` | such as >=5.28.0 <5.30.0`}},
	{"skip without reason", ", reason: broken", "", true,
		[]string{"release.yaml:13:12: metadata.upgradeFrom.skip[0]: a version to skip wants a semantic version and a reason" +
			" | such as 5.29.0, or 5.29 for the whole series"}},
	{"skip of no version", "version: 5.29.0", "version: soon", false,
		[]string{"release.yaml:13:12: metadata.upgradeFrom.skip[0]: a version to skip wants a semantic version and a reason" +
			" | such as 5.29.0, or 5.29 for the whole series"}},
	{"bad Kubernetes version", "kubeVersion: 1.29.10", "kubeVersion: latest", false,
		[]string{`release.yaml:15:25: defaults.kubeVersion: Kubernetes version "latest" is not a version | such as 1.29.10`}},
	{"bad Kubernetes version of a chart", "1.30.1", "new", false,
		[]string{`release.yaml:19:39: charts[0].kubeVersion: Kubernetes version "new" is not a version | such as 1.29.10`}},
	{"chart without a name", "{name: hotfix, ", "{", true,
		[]string{`release.yaml:20:5: charts[1].name: chart name "" is not a lowercase DNS name`}},
	{"chart that is nothing", "  - {name: hotfix, path: charts/hotfix.tgz}", "  - ~", true, []string{
		`release.yaml:20:5: charts[1].name: chart name "" is not a lowercase DNS name`,
		"release.yaml:20:5: charts[1].repo: chart wants one of repo and path | give either repo or path"}},
	{"chart with a bad name", "name: hotfix", "name: Hot_Fix", true,
		[]string{`release.yaml:20:12: charts[1].name: chart name "Hot_Fix" is not a lowercase DNS name`}},
	{"chart from two places", "path: charts/hotfix.tgz", "path: charts/hotfix.tgz, version: 1.0.0, repo: wire", true,
		[]string{"release.yaml:20:67: charts[1].repo: chart wants one of repo and path | give either repo or path"}},
	{"chart from nowhere", ", path: charts/hotfix.tgz", "", true,
		[]string{"release.yaml:20:5: charts[1].repo: chart wants one of repo and path | give either repo or path"}},
	{"chart without a version", "version: 5.30.9, ", "", true,
		[]string{"release.yaml:18:5: charts[0].version: chart has no version" + latestHint}},
	{"chart with a range", "5.30.9", "5.30.x", true,
		[]string{`release.yaml:18:39: charts[0].version: chart version "5.30.x" is not a semantic version | name one exact version, no range`}},
	{"chart with a short version", "5.30.9", `"5.30"`, true,
		[]string{`release.yaml:18:39: charts[0].version: chart version "5.30" is not a semantic version | name one exact version, no range`}},
	{"chart with a leading zero", "5.30.9", "5.030.9", true,
		[]string{`release.yaml:18:39: charts[0].version: chart version "5.030.9" is not a semantic version | name one exact version, no range`}},
	{"unknown alias", "repo: wire", "repo: wire2", false,
		[]string{`release.yaml:18:24: charts[0].repo: repository "wire2" is a bare alias that nothing explains` + aliasHint}},
	{"repository of another scheme", "repo: wire", "repo: ftp://a.example", false,
		[]string{`release.yaml:18:24: charts[0].repo: repository "ftp://a.example" is not an https://, http://, oci:// or file:// URL` +
			aliasHint}},
	{"repository without a host", "repo: wire", "repo: https://", false,
		[]string{`release.yaml:18:24: charts[0].repo: repository "https://" is not a whole URL` + aliasHint}},
	{"repository with a password, of another scheme", "repo: wire", "repo: ftp://me:secret@a.example/x", false,
		[]string{`release.yaml:18:24: charts[0].repo: repository "ftp://a.example/x" is not an https://, http://, oci:// or file:// URL` +
			aliasHint}},
	{"repository with a password that is no URL", "repo: wire", "repo: 'https://me:secret%zz@a.example'", false,
		[]string{`release.yaml:18:24: charts[0].repo: repository "https://a.example" is not a whole URL` + aliasHint}},
	{"repository with a password and no scheme", "repo: wire", "repo: 'me:secret@a.example/x'", false,
		[]string{`release.yaml:18:24: charts[0].repo: repository "a.example/x" is not an https://, http://, oci:// or file:// URL` + aliasHint}},
	{"path that is a URL", "repo: wire", "path: 'https://me:secret@a.example/x?sig=secret'", false,
		[]string{`release.yaml:18:24: charts[0].path: path "https://a.example/x" is a URL | name a repository by repo`}},
	{"image with a password", `"registry.k8s.io/pause:3.9"`, `"me:secret@a.example/x:1"`, false,
		[]string{`release.yaml:22:12: images[0].name: "a.example/x:1" is not an image reference: invalid reference format`}},
	{"word for a tag", "federation: true", "federation: maybe", true,
		[]string{"release.yaml:19:87: charts[0].tags.federation: wants true or false, got a string"}},
	{"bad image of a chart", "quay.io/wire/x:1", "quay.io/Wire/x:1", false,
		[]string{`release.yaml:19:103: charts[0].images[0]: "quay.io/Wire/x:1" is not an image reference: invalid reference format: ` +
			`repository name (Wire/x) must be lowercase`}},
	{"bad image", `"registry.k8s.io/pause:3.9"`, "-", false,
		[]string{`release.yaml:22:12: images[0].name: "-" is not an image reference: invalid reference format`}},
	{"image without a name", `name: "registry.k8s.io/pause:3.9", `, "", true,
		[]string{`release.yaml:22:5: images[0].name: "" is not an image reference: invalid reference format`}},
	{"tag beside tagFromChart", "quay.io/wire/zauth", "\"quay.io/wire/zauth:1\"", false,
		[]string{"release.yaml:23:12: images[1].name: image quay.io/wire/zauth:1 has a tag of its own and tagFromChart (1)" +
			" | leave the tag out: it is the version of the chart"}},
	{"bad digest of a file", `"` + someHex, `"F` + someHex[1:], true,
		[]string{`release.yaml:25:48: files[0].sha256: sha256 "F` + someHex[1:] +
			`" is not 64 lowercase hex digits | run sha256sum on the file`}},
	{"digest with its algorithm", `"` + someHex, `"sha256:` + someHex, true,
		[]string{`release.yaml:25:48: files[0].sha256: sha256 "sha256:` + someHex +
			`" is not 64 lowercase hex digits | run sha256sum on the file`}},
	{"negative size", "size: 5", "size: -5", true, []string{"release.yaml:25:122: files[0].size: size is negative"}},
	{"size with a unit", "size: 5", "size: 5 MB", true,
		[]string{`release.yaml:25:122: files[0].size: wants a whole number, got a string "5 MB"`}},
	{"destination upwards", "destination: binaries/kubelet", "destination: ../kubelet", true,
		[]string{`release.yaml:25:138: files[0].destination: "files/../kubelet" is not a clean relative path`}},
	{"no destination", "destination: binaries/kubelet, ", "", true,
		[]string{`release.yaml:25:5: files[0].destination: "files/" is not a clean relative path`}},
	{"values file that is a URL", "values/brig.yaml", "'https://me:secret@a.example/v?sig=secret'", false,
		[]string{`release.yaml:18:73: charts[0].values[0]: values file "https://a.example/v" is a URL | fetch it, and name the file`}},
	{"secrets file that is a URL", "secrets/brig.yaml", "'ftp://me:secret@a.example/v'", false,
		[]string{`release.yaml:18:102: charts[0].secrets[0]: secrets file "ftp://a.example/v" is a URL | fetch it, and name the file`}},
	{"file with a password and no scheme", "https://a.example/kubelet", "me:secret@a.example/kubelet", false,
		[]string{`release.yaml:25:11: files[0].url: url "a.example/kubelet" is neither a URL nor a path | write https:// in front of a URL`}},
	{"no URL", `url: "https://a.example/kubelet", `, "", true, []string{"release.yaml:25:5: files[0].url: file has no url"}},
	{"unquoted mode", `mode: "0755"`, "mode: 0755", true,
		[]string{`release.yaml:25:162: files[0].mode: wants a string, got a number | put it in quotes: "0755"`}},
	{"mode with more than permissions", `mode: "0755"`, `mode: "4755"`, true,
		[]string{`release.yaml:25:162: files[0].mode: mode "4755" is not four octal digits | such as "0755"`}},
	{"mode that is not octal", `mode: "0755"`, `mode: "0789"`, true,
		[]string{`release.yaml:25:162: files[0].mode: mode "0789" is not four octal digits | such as "0755"`}},
	{"values folder without a path", "path: values, ", "", true, []string{"release.yaml:27:5: values[0].path: values folder has no path"}},
	{"values folder upwards", "destination: wire}", "destination: ../wire}", true,
		[]string{`release.yaml:27:33: values[0].destination: "values/../wire" is not a clean relative path`}},
	{"allowance without a reason", ", reason: no other", "", true,
		[]string{"release.yaml:29:5: allow[0]: allowance wants both image and reason | say which image and why"}},
	{"pattern without a reason", ", reason: tests", "", true,
		[]string{"release.yaml:32:12: exclude.images[0]: an image to leave out wants both pattern and reason" +
			" | say why, so that the next reader need not guess"}},
	{"pattern of a profile without a reason", ", reason: b}]", "}]", true,
		[]string{"release.yaml:34:65: profiles.demo.exclude.images[0]: an image to leave out wants both pattern and reason" +
			" | say why, so that the next reader need not guess"}},
	{"one destination twice", "values:\n  - {path", "  - {url: x, sha256: " + someHex + ", destination: binaries/kubelet}\nvalues:\n  - {path",
		false, []string{`release.yaml:26:101: files[1].destination: destination "binaries/kubelet" is given twice`}},
	{"destination that differs in case alone", "values:\n  - {path", "  - {url: x, sha256: " + someHex +
		", destination: binaries/Kubelet}\nvalues:\n  - {path",
		false, []string{`release.yaml:25:138: files[0].destination: the bundle could not be unpacked everywhere: ` +
			`"files/binaries/Kubelet" and "files/binaries/kubelet": they differ in nothing but upper and lower case` +
			" | give one of them another name"}},
	{"destination below a file", "values:\n  - {path", "  - {url: x, sha256: " + someHex +
		", destination: binaries/kubelet/bin}\nvalues:\n  - {path",
		false, []string{`release.yaml:26:101: files[1].destination: the bundle could not be unpacked everywhere: ` +
			`"files/binaries/kubelet" and "files/binaries/kubelet/bin": one is a file, and a folder in the other | give one of them another name`}},
	{"destination that is a device", "destination: binaries/kubelet", "destination: binaries/nul.exe", false,
		[]string{`release.yaml:25:138: files[0].destination: entry path "files/binaries/nul.exe" has the part "nul.exe", ` +
			"which is a device on Windows"}},
	{"destination of a values folder with a colon", "destination: wire}", "destination: \"wire:1\"}", false,
		[]string{`release.yaml:27:33: values[0].destination: entry path "values/wire:1" has the part "wire:1", ` +
			`which holds one of < > : " | ? *, which no name has on Windows`}},
	{"two charts whose archives have one name", "images:\n", "  - {name: brig-5.30.9-x, repo: https://b.example, version: 1.0.0}\n" +
		"  - {name: brig, repo: https://b.example, version: 5.30.9-x-1.0.0}\nimages:\n", false,
		[]string{`release.yaml:22:5: charts[3]: the bundle could not be unpacked everywhere: ` +
			`"charts/brig-5.30.9-x-1.0.0.tgz" is listed twice | give one of them another name`}},
	{"two charts whose names are no paths", "images:\n", "  - {name: ȺȺȺȺ/a, repo: https://b.example, version: 1.0.0}\n" +
		"  - {name: ȺȺȺȺ/b, repo: https://b.example, version: 1.0.0}\nimages:\n", false,
		[]string{`release.yaml:21:12: charts[2].name: chart name "ȺȺȺȺ/a" is not a lowercase DNS name`,
			`release.yaml:22:12: charts[3].name: chart name "ȺȺȺȺ/b" is not a lowercase DNS name`}},
	{"namespace of two lines", "namespace: wire", `namespace: "wire\nhelm delete brig"`, false,
		[]string{`release.yaml:18:58: charts[0].namespace: "wire\nhelm delete brig" is not one line of printable characters | write it without`}},
	{"chart twice from two repositories", "images:\n", "  - {name: brig, repo: https://b.example, version: 5.30.9}\nimages:\n", false,
		[]string{"release.yaml:21:5: charts[2]: chart brig 5.30.9 is named twice: https://a.example/charts and https://b.example" +
			" | leave one out, or give one another version"}},
	{"later version of the documents", "island/v1", "island/v2", true,
		[]string{`release.yaml:2:13: apiVersion: apiVersion is "island/v2" | this program reads island/v1`}},
	{"later version with fields of the future", "apiVersion: island/v1", "fleet: 1\napiVersion: island/v2", true,
		[]string{`release.yaml:3:13: apiVersion: apiVersion is "island/v2" | this program reads island/v1`}},
	{"no version of the documents", "apiVersion: island/v1\n", "", true,
		[]string{`release.yaml: apiVersion: apiVersion is "" | this program reads island/v1`}},
	{"no kind", "kind: Release\n", "", true, []string{`release.yaml: kind: wants a document of kind Release, got "" | kind: Release`}},
	{"another kind", "kind: Release", "kind: Overlay", false,
		[]string{`release.yaml:3:7: kind: wants a document of kind Release, got "Overlay" | kind: Release`}},
	{"unknown kind", "kind: Release", "kind: Releases", true,
		[]string{`release.yaml:3:7: kind: wants a document of kind Release, got "Releases" | kind: Release`}},
}

func TestNativeFlaws(t *testing.T) {
	t.Parallel()
	for _, test := range nativeFlaws {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(wholeRelease, test.old) {
				t.Fatalf("the release has no %q to change", test.old)
			}
			_, err := readAndCheck("release.yaml", strings.Replace(wholeRelease, test.old, test.new, 1))
			expect(t, err, test.want...)
		})
	}
}

func TestReadOverlay(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, doc string
		want      []string
	}{
		{"least", "apiVersion: island/v1\nkind: Overlay\n", nil},
		{"a chart by name alone", "apiVersion: island/v1\nkind: Overlay\ncharts: [{name: brig}]\n", nil},
		{"a release", "apiVersion: island/v1\nkind: Release\n", []string{
			`o.yaml:2:7: kind: wants a document of kind Overlay, got "Release" | kind: Overlay`,
		}},
		{"a lock", `{"apiVersion": "island/v1", "kind": "Lock", "release": {}}`,
			[]string{`o.yaml:1:37: kind: wants a document of kind Overlay, got "Lock" | kind: Overlay`}},
		{"empty", "", []string{"o.yaml: document is empty" + cutShortHint}},
		{"bad part", "apiVersion: island/v1\nkind: Overlay\nallow: [{image: a}]\n",
			[]string{"o.yaml:3:9: allow[0]: allowance wants both image and reason | say which image and why"}},
		{"a kind that is no string", "apiVersion: island/v1\nkind: 1\n",
			[]string{`o.yaml:2:7: kind: wants a string, got a number | put it in quotes: "1"`}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadOverlay("o.yaml", []byte(test.doc))
			expect(t, err, test.want...)
		})
	}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name string, size int) string {
		name = filepath.Join(folder, name)
		if err := os.WriteFile(name, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	fits := write("fits", MaxDocumentBytes)
	if data, err := ReadFile(fits); err != nil || len(data) != MaxDocumentBytes {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	large := write("large", MaxDocumentBytes+1)
	const hint = " | give the path of a document"
	_, err := ReadFile(large)
	expect(t, err, large+" is larger than 4.00 MiB"+hint)
	_, err = ReadFile(folder)
	expect(t, err, folder+" is not a regular file"+hint)
	missing := filepath.Join(folder, "missing")
	_, err = ReadFile(missing)
	expect(t, err, "stat "+missing+": no such file or directory"+hint)
}

func TestChartPlaceInCode(t *testing.T) {
	t.Parallel()
	chart := Chart{Name: "brig"}
	if got := chart.Place(".version").String(); got != "chart brig.version" {
		t.Error(got)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(wholeRelease))
	f.Add([]byte(whatBuildJSONLacks))
	f.Add([]byte(`{"version": "1", "helmCharts": {"brig": {"repo": "wire", "version": "1.2.3", "meta": {"commit": "a"}}}}`))
	f.Add([]byte(`{"helmCharts": {"a.b": {"repo": "s3://x", "version": ""}}}`))
	f.Add([]byte("apiVersion: island/v1\nkind: Release\ncharts: [{name: a, path: b, set: {c: [1]}}]\n"))
	wire, err := os.ReadFile(filepath.Join("wireapp", "overlay.yaml"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wire)
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, read := range []func(string, []byte) (*Release, error){Read, ReadOverlay} {
			release, err := read("f", data)
			if (release == nil) == (err == nil) {
				t.Fatalf("%v with %v", release, err)
			}
			if err != nil {
				if told(err)[0] == "unexplained: "+err.Error() {
					t.Errorf("an error without a place: %v", err)
				}
				continue
			}
			laid, err := Lay(release, release, false)
			if err != nil && laid != nil {
				t.Error("both a release and an error")
			}
			if err == nil {
				laid.Rebase("folder")
				_ = laid.Check()
				for profile := range laid.Profiles {
					if _, _, err := laid.Apply(profile); err != nil {
						t.Error(err)
					}
				}
			}
		}
	})
}

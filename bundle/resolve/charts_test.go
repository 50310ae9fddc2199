package resolve_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// write puts a file below the folder of the release.
func (u *upstream) write(file, content string) {
	u.t.Helper()
	file = filepath.Join(u.folder, filepath.FromSlash(file))
	u.check(os.MkdirAll(filepath.Dir(file), 0o755))
	u.check(os.WriteFile(file, []byte(content), 0o644))
}

func (u *upstream) writeChart(folder, name, version string) {
	u.t.Helper()
	u.write(folder+"/Chart.yaml", "apiVersion: v2\nname: "+name+"\nversion: "+version+"\n")
}

// packChart packages a chart folder.
func (u *upstream) packChart(folder string) []byte {
	u.t.Helper()
	chart, err := charts.LoadFolder(filepath.Join(u.folder, folder))
	u.check(err)
	archive, err := chart.Package()
	u.check(err)
	return archive
}

// lock resolves a release of which the rest is given.
func (u *upstream) lock(rest string) (*manifests.Lock, error) {
	u.t.Helper()
	u.write("release.yaml", "apiVersion: island/v1\nkind: Release\nmetadata: {name: wire, version: 1.0.0, date: 2026-03-31}\n"+
		"platforms: [linux/amd64]\n"+rest+"\n")
	assembled, err := resolve.Assemble(resolve.Input{File: filepath.Join(u.folder, "release.yaml")})
	if err != nil {
		return nil, err
	}
	mirrors, err := source.ParseMirrors("mirrors.yaml", []byte("apiVersion: island/v1\nkind: Mirrors\n"+
		"rules: [{prefix: quay.io, onlyMirrors: true, mirrors: [{location: \""+u.addr+"\", insecure: true}]}]\n"))
	u.check(err)
	world, err := source.New(source.Options{Mirrors: mirrors, CacheDir: u.t.TempDir(), BaseDir: assembled.BaseDir})
	u.check(err)
	defer world.Close()
	return resolve.Resolve(context.Background(), assembled, world, resolve.Options{})
}

// TestLoadedVersionCounts checks releases that leave a chart's version out, or spell it
// otherwise than its Chart.yaml.
func TestLoadedVersionCounts(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	for _, tag := range []string{"5.30.0", "v2.1.0", "7.0.0_git.9"} {
		u.push(tag, u.image)
	}
	u.writeChart("plain", "zauth", "5.30.0")
	u.writeChart("with-v", "cannon", "v2.1.0")
	u.writeChart("built", "gundeck", "7.0.0+git.9")
	mux := http.NewServeMux()
	index := "entries:\n"
	for folder, chart := range map[string][2]string{"with-v": {"cannon", "v2.1.0"}, "built": {"gundeck", "7.0.0+git.9"}} {
		archive := u.packChart(folder)
		u.write(folder+".tgz", string(archive))
		mux.HandleFunc("/"+folder+".tgz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive) })
		index += fmt.Sprintf("  %s:\n  - {name: %s, version: %s, urls: [%s.tgz]}\n", chart[0], chart[0], chart[1], folder)
	}
	mux.HandleFunc("/index.yaml", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, index) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	for name, test := range map[string]struct{ chart, version, image string }{
		"folder without version":     {"{name: zauth, path: plain}", "zauth 5.30.0", "quay.io/wire/brig:5.30.0"},
		"folder with a v too many":   {"{name: zauth, path: plain, version: v5.30.0}", "zauth 5.30.0", "quay.io/wire/brig:5.30.0"},
		"folder of a version with v": {"{name: cannon, path: with-v}", "cannon v2.1.0", "quay.io/wire/brig:v2.1.0"},
		"archive without version":    {"{name: gundeck, path: built.tgz}", "gundeck 7.0.0+git.9", "quay.io/wire/brig:7.0.0_git.9"},
		"repository, without v":      {"{name: cannon, repo: 'URL', version: 2.1.0}", "cannon v2.1.0", "quay.io/wire/brig:v2.1.0"},
		"repository without build":   {"{name: gundeck, repo: 'URL', version: 7.0.0}", "gundeck 7.0.0+git.9", "quay.io/wire/brig:7.0.0_git.9"},
		"without build, with v":      {"{name: gundeck, repo: 'URL', version: v7.0.0}", "gundeck 7.0.0+git.9", "quay.io/wire/brig:7.0.0_git.9"},
	} {
		chart := strings.ReplaceAll(test.chart, "URL", server.URL)
		chartName, version, _ := strings.Cut(test.version, " ")
		lock, err := u.lock("charts: [" + chart + "]\nimages: [{name: quay.io/wire/brig, tagFromChart: " + chartName + "}]")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		locked := lock.Charts[0]
		if locked.Name != chartName || locked.Version != version || string(locked.Path) != "charts/"+chartName+"-"+version+".tgz" {
			t.Errorf("%s: chart is %s %s at %s", name, locked.Name, locked.Version, locked.Path)
		}
		if got := lock.Images[0].Name.String(); got != test.image {
			t.Errorf("%s: image is %s, wanted %s", name, got, test.image)
		}
	}
}

// TestChartsOfOneName checks charts of one name of which the release does not tell
// whether they are one.
func TestChartsOfOneName(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.writeChart("old", "brig", "5.30.0")
	u.writeChart("new", "brig", "5.31.0")
	u.writeChart("again", "brig", "v5.31.0")
	for charts, says := range map[string]string{
		"{name: brig, path: old}, {name: brig, path: new}":                                   "",
		"{name: brig, path: old}, {name: brig, path: new, version: v5.31.0}":                 "",
		"{name: brig, path: new}, {name: brig, path: again}":                                 "is named twice: ",
		"{name: brig, path: new, version: 5.31.0}, {name: brig, path: again}":                "is named twice: ",
		"{name: brig, path: old, version: 5.31.0}":                                           "the archive holds brig 5.30.0",
		"{name: brig, path: old, version: 5.30.0}, {name: galley, path: new}":                "the archive holds brig 5.31.0",
		"{name: brig, path: old}, {name: brig, path: missing}":                               "no such file",
		"{name: brig, path: new, version: 5.31.0}, {name: brig, path: new, version: 5.31.0}": "is named twice: ",
	} {
		lock, err := u.lock("charts: [" + charts + "]\nimages: [{name: quay.io/wire/none, tagFromChart: absent}]")
		switch {
		case says == "" && (err != nil || len(lock.Charts) != 2):
			t.Errorf("%s: %v", charts, err)
		case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
			t.Errorf("%s: error is %v, wanted %q", charts, err, says)
		}
	}
}

// Charts and files that are not all files of their own wherever a bundle is unpacked
// are refused where the release names them, those of folders too, of which it names none.
func TestPathsThatClash(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.writeChart("plain", "zauth", "5.30.0-a-1.0.0")
	u.writeChart("other", "zauth-5.30.0-a", "1.0.0")
	for _, file := range []string{"one/Brig.yaml", "two/brig.yaml", "three/Brig.yaml/x", "dev/aux.yaml", "dots/a.", "kelvin/\u212a.yaml"} {
		u.write(file, "a: 1\n")
	}
	for rest, says := range map[string]string{
		"values: [{path: one}, {path: two, destination: more}]":        "",
		"values: [{path: one}, {path: two}]":                           `5:23: values[1]: the bundle could not be unpacked everywhere: "val`,
		"values: [{path: one}, {path: three}]":                         `5:23: values[1]: the bundle could not be unpacked everywhere: "val`,
		"values: [{path: dev}]":                                        `5:10: values[0]: entry path "values/aux.yaml" has the part`,
		"values: [{path: dots}]":                                       `5:10: values[0]: entry path "values/a." has the part "a."`,
		"values: [{path: kelvin}]":                                     "release.yaml:5:10: values[0]: entry path",
		"charts: [{name: zauth, path: plain, values: [dev/aux.yaml]}]": "release.yaml:5:46: charts[0].values[0]: entry path",
		"charts: [{name: zauth, path: plain}, {name: zauth-5.30.0-a, path: other}]": `the bundle could not be unpacked everywhere: ` +
			`"charts/zauth-5.30.0-a-1.0.0.tgz" is listed twice`,
	} {
		_, err := u.lock(rest)
		switch {
		case says == "" && err != nil:
			t.Errorf("%s: %v", rest, err)
		case says != "" && (err == nil || !strings.Contains(err.Error(), says)):
			t.Errorf("%s: error is %v, wanted %q", rest, err, says)
		}
	}
}

// TestSecretsDoNotChangeTheLock resolves releases that differ in the secrets of their
// URLs alone.
func TestSecretsDoNotChangeTheLock(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.writeChart("plain", "zauth", "5.30.0")
	archive := u.packChart("plain")
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, password, _ := r.BasicAuth()
		asked = append(asked, password+r.URL.RawQuery)
		switch path.Base(r.URL.Path) {
		case "index.yaml":
			_, _ = fmt.Fprintf(w, "entries:\n  zauth:\n  - {version: 5.30.0, urls: ['a/zauth.tgz?sig=%s&ref=x']}\n", password)
		case "zauth.tgz":
			_, _ = w.Write(archive)
		default:
			_, _ = w.Write([]byte("file"))
		}
	}))
	t.Cleanup(server.Close)
	sum := strings.TrimPrefix(string(manifests.DigestOf([]byte("file"))), "sha256:")
	lockWith := func(secret string) string {
		t.Helper()
		at := strings.Replace(server.URL, "://", "://me:"+secret+"@", 1)
		lock, err := u.lock("charts: [{name: zauth, repo: '" + at + "/c?private_token=" + secret + "', version: 5.30.0, " +
			"meta: {commitURL: 'https://" + secret + "@git.example.com/c'}}]\n" +
			"files: [{url: '" + at + "/f?id=7&sig=" + secret + "', sha256: " + sum + ", destination: f}]")
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := lock.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return string(encoded)
	}
	one, other := lockWith("hunter2"), lockWith("swordfish")
	if one != other || strings.Contains(one, "hunter2") {
		t.Errorf("locks are\n%s\nand\n%s", one, other)
	}
	for _, url := range []string{"/c/a/zauth.tgz?ref=x", "/f?id=7", "/c"} {
		if !strings.Contains(one, server.URL+url+`"`) {
			t.Errorf("%s is not in the lock:\n%s", url, one)
		}
	}
	if all := strings.Join(asked, " "); strings.Count(all, "hunter2") != strings.Count(all, "swordfish") || len(asked) != 6 {
		t.Errorf("asked with %q", asked)
	}
}

// TestLockSaysWhichValues resolves a chart with values from several places.
func TestLockSaysWhichValues(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.writeChart("chart", "gundeck", "5.30.9")
	u.write("ours/gundeck.yaml", "replicas: 3\n")
	u.write("ours/secrets.yaml", "password: hush\n")
	u.write("more.yaml", "replicas: 5\n")
	const entry = "charts: [{name: gundeck, path: chart, for: '~5.30', namespace: wire, kubeVersion: 1.29.10, values: [ours/gundeck.yaml], " +
		"secrets: [ours/secrets.yaml], set: {a: 1}, tags: {mlsstats: false}, renderings: [{name: big, values: [more.yaml]}]}]"
	lock, err := u.lock(entry)
	u.check(err)
	rendered := lock.Charts[0].Rendered
	if rendered == nil || rendered.Namespace != "wire" || rendered.KubeVersion != "1.29.10" || rendered.Tags["mlsstats"] || lock.Format != 2 {
		t.Fatalf("lock says %+v, format %d", rendered, lock.Format)
	}
	want := []manifests.LockedValues{
		{From: "ours/gundeck.yaml", Path: "values/gundeck/gundeck.yaml", Digest: manifests.DigestOf([]byte("replicas: 3\n")), For: "~5.30"},
		{From: "ours/secrets.yaml", Secret: true, For: "~5.30"},
		{From: "set"},
		{From: "more.yaml", Rendering: "big", Digest: manifests.DigestOf([]byte("replicas: 5\n"))},
	}
	if !slices.Equal(rendered.Values, want) {
		t.Errorf("values are\n%+v, want\n%+v", rendered.Values, want)
	}
	text, err := lock.Encode()
	u.check(err)
	if _, err := manifests.ReadLock("lock.json", text); err != nil || strings.Contains(string(text), "hush") {
		t.Errorf("the lock cannot be read, or holds a secret: %v", err)
	}

	// The version stands in Chart.yaml alone.
	_, err = u.lock(strings.Replace(entry, "~5.30", "~5.32", 1))
	if fault.ExitCode(err) != 2 || !strings.Contains(err.Error(), "~5.32") || !strings.Contains(err.Error(), "the chart is 5.30.9") {
		t.Errorf("values for 5.32: %v", err)
	}

	// A chart that is rendered as Helm does by itself has nothing to say.
	lock, err = u.lock("charts: [{name: gundeck, path: chart}]")
	u.check(err)
	if lock.Charts[0].Rendered != nil || lock.Format != 0 {
		t.Errorf("lock says %+v, format %d", lock.Charts[0].Rendered, lock.Format)
	}
}

// TestBuiltInValuesOfOtherVersions resolves a Wire build.json with a chart that the built-in overlay
// does not know in that version.
func TestBuiltInValuesOfOtherVersions(t *testing.T) {
	t.Parallel()
	u := newUpstream(t)
	u.writeChart("chart", "reaper", "9.1.0")
	u.write("chart.tgz", string(u.packChart("chart")))
	u.write("index.yaml", "entries:\n  reaper:\n  - {name: reaper, version: 9.1.0, urls: [chart.tgz]}\n")
	u.write("build.json", `{"version": "1.0.0-9", "helmCharts": {"reaper": {"repo": "file://`+u.folder+`", "version": "9.1.0"}}}`)
	for vouched, want := range map[string]int{"": 1, "charts: [{name: reaper, for: '^9.1.0'}]": 0} {
		u.write("ours.yaml", "apiVersion: island/v1\nkind: Overlay\nmetadata: {date: 2026-03-31}\n"+vouched+"\n")
		assembled, err := resolve.Assemble(resolve.Input{
			File: filepath.Join(u.folder, "build.json"), Overlays: []string{filepath.Join(u.folder, "ours.yaml")}, Profile: "min",
		})
		u.check(err)
		assembled.Release.Images = nil
		heard := &notices{}
		lock, err := resolve.Resolve(context.Background(), assembled, mustWorld(u), resolve.Options{Progress: heard})
		u.check(err)
		values := lock.Charts[0].Rendered.Values
		if values[0].From != "wire:values/reaper.yaml" || values[0].Other != (want == 1) || !strings.Contains(values[0].For, "<5.35.0-0") {
			t.Errorf("%q: lock says %+v", vouched, values)
		}
		said := slices.DeleteFunc(heard.told, func(text string) bool { return !strings.Contains(text, "the chart is 9.1.0") })
		if len(said) != want {
			t.Errorf("%q: told %q", vouched, heard.told)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/internal/fixture"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/diff"
)

// warned is what patch from says, without its names.
type warned struct{ kind, chart, text string }

// picked is a chart of a build.json.
type picked struct{ name, version, repo, commit string }

const builtAfter = " is a downgrade to semver and Helm; Wire builds such versions of this chart from the release's branch, " +
	"after the release: look at the two commits"

// warningCases are pairs of build.json files, and what patch from has to say of each: all
// of it, and nothing else.
var warningCases = map[string]struct {
	older, newer []picked
	charts       string // that --charts names
	want         []warned
}{
	"earlier releases": {
		older: []picked{
			{"reaper", "2.4.1", "", ""}, {"wire-server", "5.31.2", "", ""}, {"webapp", "0.1.0-pre100000", "", ""},
		},
		newer: []picked{
			{"reaper", "2.4.0", "", ""}, {"wire-server", "5.31.1", "", ""}, {"webapp", "0.1.0-pre99999", "", ""},
		},
		charts: "reaper,wire-server,webapp",
		want: []warned{
			{"downgrade", "reaper", `reaper 2.4.1 to 2.4.0 is a downgrade`},
			{"downgrade", "wire-server", `wire-server 5.31.2 to 5.31.1 is a downgrade`},
			{"downgrade", "webapp", `webapp 0.1.0-pre100000 to 0.1.0-pre99999 is a downgrade`},
			{"image", "wire-server", `quay.io/wire/zauth:5.31.1 comes along: its tag is the version of wire-server`},
		},
	},
	"pre-releases of a release": {
		older: []picked{
			{"wire-server", "5.31.0", "", ""}, {"team-settings", "0.18.2", "", ""},
			{"account-pages", "0.9.0-pre.4", "", ""},
		},
		newer: []picked{
			{"wire-server", "5.31.0-pre.4", "", ""}, {"team-settings", "0.18.2-pre.1", "", ""},
			{"account-pages", "0.9.0", "", ""},
		},
		charts: "account-pages,team-settings,wire-server",
		want: []warned{
			{"downgrade", "team-settings", `team-settings 0.18.2 to 0.18.2-pre.1 is a downgrade`},
			{"downgrade", "wire-server", `wire-server 5.31.0 to 5.31.0-pre.4` + builtAfter},
			{"image", "wire-server", `quay.io/wire/zauth:5.31.0-pre.4 comes along: its tag is the version of wire-server`},
		},
	},
	"from the release's branch to the next": {
		older:  []picked{{"wire-server", "5.14.0-pre.2", "", ""}, {"nginx-ingress-services", "5.14.0", "", ""}},
		newer:  []picked{{"wire-server", "5.14.1", "", ""}, {"nginx-ingress-services", "5.14.0-pre.9", "", ""}},
		charts: "wire-server,nginx-ingress-services",
		want: []warned{
			{"downgrade", "nginx-ingress-services", `nginx-ingress-services 5.14.0 to 5.14.0-pre.9` + builtAfter},
			{"image", "wire-server", `quay.io/wire/zauth:5.14.1 comes along: its tag is the version of wire-server`},
		},
	},
	"names that tell no order": {
		older:  []picked{{"coturn", "4.6.2-acme.3", "", ""}, {"sftd", "0.145.0-spring.1", "", ""}},
		newer:  []picked{{"coturn", "4.6.2-zulu.1", "", ""}, {"sftd", "0.145.0-autumn.1", "", ""}},
		charts: "coturn,sftd",
		want: []warned{
			{"order-unknown", "coturn", `coturn 4.6.2-acme.3 to 4.6.2-zulu.1: which is the later cannot be told from their names`},
			{"order-unknown", "sftd", `sftd 0.145.0-spring.1 to 0.145.0-autumn.1: which is the later cannot be told from their names`},
		},
	},
	"steps that are known": {
		older: []picked{{"wire-server", "5.23.0", "", ""}},
		newer: []picked{{"wire-server", "5.27.0", "", ""}},
		want: []warned{
			{"upgrade", "wire-server", `5.23.0 to 5.27.0 takes 3 steps, the first to 5.24.0: a site cannot take it at once`},
			{"image", "wire-server", `quay.io/wire/zauth:5.27.0 comes along: its tag is the version of wire-server`},
		},
	},
	"steps that end": {
		older: []picked{{"wire-server", "5.29.4", "", ""}},
		newer: []picked{{"wire-server", "5.41.0", "", ""}},
		want: []warned{
			{"upgrade", "wire-server", `the way from 5.29.4 to 5.41.0 is not known: the known steps lead no further than 5.30.0`},
			{"image", "wire-server", `quay.io/wire/zauth:5.41.0 comes along: its tag is the version of wire-server`},
		},
	},
	"minor and major releases": {
		older:  []picked{{"sftd", "0.145.3", "", ""}, {"fluent-bit", "1.9.0", "", ""}, {"reaper", "3.1.0", "", ""}},
		newer:  []picked{{"sftd", "0.146.0", "", ""}, {"fluent-bit", "2.0.0", "", ""}, {"reaper", "3.1.7", "", ""}},
		charts: "sftd,fluent-bit,reaper",
		want: []warned{
			{"minor-crossed", "", `minor releases are crossed, and no steps are known for it: sftd 0.145.3 to 0.146.0, fluent-bit 1.9.0 to 2.0.0`},
		},
	},
	"all of two builds": {
		older: []picked{
			{"a", "1.0.0", "", "0a0a0a0a0a0a0a0a"}, {"b", "1.0.0", "", "0a0a0a0a0a0a0a0a"},
			{"c", "1.0.0", "", "0c0c0c0c0c0c0c0c"}, {"d", "1.0.0", "", "0c0c0c0c0c0c0c0c"}, {"e", "1.0.0", "", "0e"},
		},
		newer: []picked{
			{"a", "1.0.1", "", "1a1a1a1a1a1a1a1a"}, {"b", "1.0.1", "", "1a1a1a1a1a1a1a1a"},
			{"c", "1.0.1", "", "1c1c1c1c1c1c1c1c"}, {"d", "1.0.1", "", "1c1c1c1c1c1c1c1c"}, {"e", "1.0.1", "", "1e"},
		},
		want: []warned{
			{"takes", "", `it takes 5 charts, all that differ, since --charts names none: ` +
				`2 of one build (commit 1a1a1a1a1a1a): a, b; 2 of one build (commit 1c1c1c1c1c1c): c, d; changed on their own: e`},
		},
	},
	"one added, one gone": {
		older: []picked{{"ldap-scim-bridge", "0.9.0", "", ""}, {"same", "1.0.0", "", ""}},
		newer: []picked{{"mlsstats", "0.1.0", "", ""}, {"same", "1.0.0", "", ""}},
		want: []warned{
			{"takes", "", `it takes 2 charts, all that differ, since --charts names none: added: mlsstats; removed: ldap-scim-bridge`},
			{"vanished", "ldap-scim-bridge", `ldap-scim-bridge 0.9.0 is not in the newer release: the patch removes it, and its images`},
		},
	},
	"one gone, named": {
		older:  []picked{{"ldap-scim-bridge", "0.9.0", "", ""}, {"same", "1.0.0", "", ""}},
		newer:  []picked{{"same", "1.0.0", "", ""}},
		charts: "ldap-scim-bridge",
		want: []warned{
			{"vanished", "ldap-scim-bridge", `ldap-scim-bridge 0.9.0 is not in the newer release: the patch removes it, and its images`},
		},
	},
	"one of a build": {
		older: []picked{
			{"brig", "5.30.9", "", "aa11"}, {"galley", "5.30.9", "", "aa11"}, {"cannon", "5.30.9", "", "aa11"},
		},
		newer: []picked{
			{"brig", "5.30.10", "", "bb22"}, {"galley", "5.30.10", "", "bb22"}, {"cannon", "5.30.10", "", "bb22"},
			{"proxy", "5.30.10", "", "bb22"},
		},
		charts: "brig",
		want: []warned{
			{"left-behind", "brig", `of one build with brig are 3 more that differ, and are not taken: cannon, galley, proxy`},
		},
	},
	"one of a build, the others as they were": {
		older:  []picked{{"brig", "5.30.9", "", "aa11"}, {"galley", "5.30.9", "", "bb22"}},
		newer:  []picked{{"brig", "5.30.10", "", "bb22"}, {"galley", "5.30.9", "", "bb22"}},
		charts: "brig",
	},
	"one of two builds": {
		older: []picked{
			{"sftd", "1.0.0", "", "e1"}, {"coturn", "1.0.0", "", "e1"}, {"webapp", "1.0.0", "", "f1"},
			{"account-pages", "1.0.0", "", "f1"},
		},
		newer: []picked{
			{"sftd", "1.0.1", "", "e2"}, {"coturn", "1.0.1", "", "e2"}, {"webapp", "1.0.1", "", "f2"},
			{"account-pages", "1.0.1", "", "f2"},
		},
		charts: "sftd,webapp",
		want: []warned{
			{"left-behind", "sftd", `of one build with sftd are 1 more that differ, and are not taken: coturn`},
			{"left-behind", "webapp", `of one build with webapp are 1 more that differ, and are not taken: account-pages`},
		},
	},
	"two gone": {
		older: []picked{{"k8ssandra-operator", "1.2.0", "", ""}, {"openebs", "3.9.0", "", ""}, {"same", "1.0.0", "", ""}},
		newer: []picked{{"same", "1.0.0", "", ""}},
		want: []warned{
			{"takes", "", `it takes 2 charts, all that differ, since --charts names none: removed: k8ssandra-operator, openebs`},
			{"vanished", "k8ssandra-operator", `k8ssandra-operator 1.2.0 is not in the newer release: the patch removes it, and its images`},
			{"vanished", "openebs", `openebs 3.9.0 is not in the newer release: the patch removes it, and its images`},
		},
	},
	"moved together": {
		older: []picked{
			{"brig", "1.0.0", "https://charts.example.net/a", ""},
			{"galley", "1.0.0", "https://charts.example.net/a", ""},
		},
		newer: []picked{
			{"brig", "1.0.0", "oci://registry.example.net/b", ""},
			{"galley", "1.0.1", "oci://registry.example.net/b", ""},
		},
		charts: "brig,galley",
		want: []warned{
			{"moved", "", `brig, galley from another repository: oci://registry.example.net/b, not https://charts.example.net/a`},
		},
	},
	"moved apart, with secrets": {
		older: []picked{
			{"brig", "1.0.0", "https://me:old@charts.example.net/a", ""},
			{"galley", "1.0.0", "https://me:old@charts.example.net/a", ""},
		},
		newer: []picked{
			{"brig", "1.0.1", "https://me:new@charts.example.net/a", ""},
			{"galley", "1.0.1", "https://me:new@mirror.example.net/a", ""},
		},
		charts: "brig,galley",
		want: []warned{
			{"moved", "galley", `galley from another repository: https://mirror.example.net/a, not https://charts.example.net/a`},
		},
	},
	"the same version of another commit": {
		older: []picked{
			{"openebs", "3.9.0", "", "1111111111111111aaaa"}, {"keycloakx", "2.3.0", "", ""},
			{"outlook-addin", "0.2.0", "", "3333"},
		},
		newer: []picked{
			{"openebs", "3.9.0", "", "2222222222222222bbbb"}, {"keycloakx", "2.3.0", "", "4444"},
			{"outlook-addin", "0.2.0", "", "3333"},
		},
		charts: "openebs,keycloakx",
		want: []warned{
			{"same-version", "openebs", `openebs is 3.9.0 in both releases, of other commits: 111111111111 and 222222222222`},
			{"same-version", "keycloakx", `keycloakx is 2.3.0 in both releases, and one of them does not say of which commit`},
		},
	},
}

func buildJSON(t *testing.T, version string, charts []picked) string {
	t.Helper()
	entries := map[string]any{}
	for _, c := range charts {
		entry := map[string]any{"version": c.version, "repo": "https://charts.example.net/stable"}
		if c.repo != "" {
			entry["repo"] = c.repo
		}
		if c.commit != "" {
			entry["meta"] = map[string]string{"commit": c.commit}
		}
		entries[c.name] = entry
	}
	text, err := json.Marshal(map[string]any{"version": version, "helmCharts": entries})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "build.json")
	if err := os.WriteFile(file, text, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestPatchFromWarns holds what is said against what is so, in every form in which it is
// said: on stderr, as JSON, and at the top of the patch, in a file and on stdout.
func TestPatchFromWarns(t *testing.T) {
	oneAfterAnother(t)
	t.Parallel()
	for name, c := range warningCases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := t.TempDir()
			file := filepath.Join(folder, "p.yaml")
			args := []string{
				"patch", "from", buildJSON(t, "1.0.0-60", c.older), buildJSON(t, "1.0.0-61", c.newer),
				"--id", "ACME-7", "--severity", "low", "--summary", "x", "--no-steps", "--offline", "--cache-dir", filepath.Join(folder, "cache"),
			}
			if c.charts != "" {
				args = append(args, "--charts", c.charts)
			}
			stdout, stderr := printed(t, append(args, "-o", file, "--output", "json")...)
			var result patchFromResult
			if err := json.Unmarshal([]byte(stdout), &result); err != nil {
				t.Fatal(err)
			}
			var said []warned
			var texts []string
			for _, w := range result.Warnings {
				if texts = append(texts, w.Text); w.Kind != manifests.ConcernNotLooked {
					said = append(said, warned{w.Kind, w.Chart, w.Text})
				}
			}
			if !slices.Equal(said, c.want) {
				t.Errorf("it warns of\n%s", lines(result.Warnings))
			}
			if got := after(stderr, "island: warning: "); !slices.Equal(got, texts) {
				t.Errorf("stderr has %q", got)
			}
			document, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got := after(string(document), "# WARNING: "); !slices.Equal(got, texts) {
				t.Errorf("the patch has %q", got)
			}
			if stdout, stderr := printed(t, append(args, "-q", "-o", file)...); stderr != "" ||
				len(texts) > 0 && !strings.Contains(stdout, fmt.Sprintf("\nwarnings %d: ", len(texts))) {
				t.Errorf("quietly it says on stderr %q, and\n%s", stderr, stdout)
			}
			if stdout, _ := printed(t, append(args, "-q")...); !slices.Equal(after(stdout, "# WARNING: "), texts) {
				t.Errorf("on stdout is\n%s", stdout)
			}
		})
	}
}

func lines(concerns []manifests.PatchConcern) string {
	var b strings.Builder
	for _, w := range concerns {
		b.WriteString("{\"" + w.Kind + "\", \"" + w.Chart + "\", `" + w.Text + "`},\n")
	}
	return b.String()
}

// printed runs a command, which must succeed.
func printed(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, diagnostics bytes.Buffer
	command := newApp(&out, &diagnostics, nil).command()
	command.SetArgs(args)
	if err := command.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, diagnostics.String())
	}
	return out.String(), diagnostics.String()
}

// after returns what follows a text at the beginning of lines.
func after(text, begin string) []string {
	var found []string
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, begin); ok {
			found = append(found, strings.TrimSuffix(rest, "\n"))
		}
	}
	return found
}

// upstreamCharts are charts of two repositories that somebody changed in various ways:
// by file, of each the archives' files.
func upstreamCharts(t *testing.T) *fixture.World {
	t.Helper()
	world, err := fixture.Empty(fixture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	deployment := "spec: {template: {spec: {containers: [{name: a, image: '{{ .Values.image }}'}]}}}\n"
	for _, c := range []struct{ repo, name, version, values, sub string }{
		{"https://charts.example.net/stable", "portal", "1.0.0", "image: quay.io/example/portal:1\nold: {port: 80}", "ttl: 5m"},
		{"https://charts.example.net/stable", "portal", "1.0.1", "image: quay.io/example/portal:2\nnew: [a]", "ttl: 10m"},
		{"https://charts.example.net/stable", "mailer", "3.0.0", "image: quay.io/example/mailer:3", "log: info"},
		{"https://charts.example.net/next", "mailer", "3.0.0", "image: quay.io/example/mailer:3\nretries: 3", "log: info"},
		{"https://charts.example.net/next", "search", "0.1.0", "image: quay.io/example/search:1", ""},
		{"https://charts.example.net/stable", "clock", "2.0.0", "image: quay.io/example/clock:2", "tz: UTC"},
		{"https://charts.example.net/next", "clock", "2.0.0", "image: quay.io/example/clock:2", "tz: UTC"},
		{"https://charts.example.net/stable", "bank", "1.0.1", "image: quay.io/example/bank:1", ""},
	} {
		files := map[string]string{
			"Chart.yaml":             fmt.Sprintf("apiVersion: v2\nname: %s\nversion: %s\n", c.name, c.version),
			"values.yaml":            c.values,
			"templates/a.yaml":       "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n" + deployment,
			"charts/sub/Chart.yaml":  "apiVersion: v2\nname: sub\nversion: 1.0.0\n",
			"charts/sub/values.yaml": c.sub,
		}
		if _, err := world.AddChart(t.Context(), c.repo, files); err != nil {
			t.Fatal(err)
		}
	}
	return world
}

// TestPatchFromLooksAtCharts holds what is said of the charts themselves: their defaults,
// their images, whether they are what they were; and of what cannot be looked at, why.
func TestPatchFromLooksAtCharts(t *testing.T) {
	t.Parallel()
	world := upstreamCharts(t)
	server, err := world.Serve(t.Context(), fixture.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	server.Fault(func(r *http.Request) fixture.Fault { // what is wrong with one archive says nothing of others beside it
		return fixture.Fault{Corrupt: strings.HasSuffix(r.URL.Path, "/bank-1.0.1.tgz"), CorruptAt: 100}
	})
	folder := t.TempDir()
	mirrors, patch := filepath.Join(folder, "mirrors.yaml"), filepath.Join(folder, "p.yaml")
	if err := os.WriteFile(mirrors, world.MirrorsYAML(server.Addr()), 0o644); err != nil {
		t.Fatal(err)
	}
	next := "https://charts.example.net/next"
	older := buildJSON(t, "1.0.0-7", []picked{
		{"portal", "1.0.0", "", ""}, {"mailer", "3.0.0", "", ""}, {"clock", "2.0.0", "", ""}, {"absent", "1.0.0", "", ""},
		{"bank", "1.0.0", "", ""},
	})
	newer := buildJSON(t, "1.0.0-8", []picked{
		{"portal", "1.0.1", "", ""}, {"mailer", "3.0.0", next, ""}, {"clock", "2.0.0", next, ""}, {"absent", "1.0.1", "", ""},
		{"search", "0.1.0", next, ""}, {"bank", "1.0.1", "", ""},
	})
	stdout, _ := printed(t, "patch", "from", older, newer, "--id", "A-1", "--severity", "low",
		"--charts", "absent,bank,portal,mailer,clock,search", "--mirrors", mirrors,
		"--cache-dir", filepath.Join(folder, "cache"), "-o", patch, "--output", "json")
	var result patchFromResult
	if err := json.Unmarshal([]byte(stdout), &result); err != nil {
		t.Fatal(err)
	}
	var defaults []string
	eachValue(result.Defaults, func(kind, chart string, v diff.ValueChange) {
		defaults = append(defaults, fmt.Sprintf("default %s: %s of chart %s: %s → %s", kind, v.Path, chart, orDash(v.Old), orDash(v.New)))
	})
	if want := []string{
		`default added: new of chart portal: - → ["a"]`,
		`default removed: old of chart portal: {"port":80} → -`,
		`default changed: image of chart portal: "quay.io/example/portal:1" → "quay.io/example/portal:2"`,
		`default changed: sub.ttl of chart portal: "5m" → "10m"`,
		`default added: retries of chart mailer: - → 3`,
	}; !slices.Equal(defaults, want) {
		t.Errorf("of defaults it says\n%s", strings.Join(defaults, "\n"))
	}
	document, err := os.ReadFile(patch)
	if err != nil {
		t.Fatal(err)
	}
	if got := after(string(document), "# default "); !slices.Equal(got, after(strings.Join(defaults, "\n"), "default ")) {
		t.Errorf("the patch has %q", got)
	}
	said := lines(result.Warnings)
	for _, want := range []string{
		`{"image", "portal", ` + "`quay.io/example/portal:2 comes along: portal 1.0.1 asks for it`},\n",
		`{"image", "search", ` + "`quay.io/example/search:1 comes along: search 0.1.0 asks for it`},\n",
		`{"same-version", "mailer", ` + "`mailer is 3.0.0 in both releases, and another archive: ",
		`{"moved", "", ` + "`mailer, clock from another repository: " + next + ", not https://charts.example.net/stable`},\n",
		`{"not-looked", "", ` + "`defaults and images are not compared of absent: ",
		`{"not-looked", "", ` + "`defaults and images are not compared of bank: chart bank 1.0.1 from https://charts.example.net/stable: ",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%s is missing of\n%s", want, said)
		}
	}
	if len(result.Warnings) != 6 {
		t.Errorf("it warns %d times:\n%s", len(result.Warnings), said)
	}
}

// TestPatchFromLooksAtLocalCharts: charts that releases name by path are those that
// resolving takes: in folders and in archives, below the release or anywhere.
func TestPatchFromLooksAtLocalCharts(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		file := filepath.Join(folder, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	write("patches/earlier.yaml", "")
	elsewhere := t.TempDir()
	for _, end := range []struct{ name, version string }{{"old", "1.0.0"}, {"new", "1.0.1"}} {
		for _, chart := range []string{"mine", "packed"} {
			at := filepath.Join(end.name, chart)
			write(filepath.Join(at, "Chart.yaml"), "apiVersion: v2\nname: "+chart+"\nversion: "+end.version+"\n")
			write(filepath.Join(at, "values.yaml"), "port: "+end.version+"\n")
		}
		packed, err := charts.ReadFolder(filepath.Join(folder, end.name, "packed"))
		if err != nil {
			t.Fatal(err)
		}
		archive, err := packed.Package("packed")
		if err != nil {
			t.Fatal(err)
		}
		absolute := filepath.Join(elsewhere, end.name+".tgz")
		if err := os.WriteFile(absolute, archive, 0o644); err != nil {
			t.Fatal(err)
		}
		write(filepath.Join(end.name, "release.yaml"), "apiVersion: island/v1\nkind: Release\n"+
			"metadata: {name: a, version: "+end.version+", date: 2026-04-15}\nplatforms: [linux/amd64]\n"+
			"charts:\n  - {name: mine, path: mine, version: "+end.version+"}\n"+
			"  - {name: packed, path: "+absolute+", version: "+end.version+"}\n"+
			"  - {name: aliased, repo: nobody, version: "+end.version+"}\n")
	}
	stdout, _ := printed(t, "patch", "from", filepath.Join(folder, "old", "release.yaml"), filepath.Join(folder, "new", "release.yaml"),
		"--id", "A-1", "--severity", "low", "--charts", "mine,packed,aliased", "--offline",
		"--cache-dir", filepath.Join(folder, "cache"), "-o", filepath.Join(folder, "patches", "p.yaml"), "--output", "json")
	var result patchFromResult
	if err := json.Unmarshal([]byte(stdout), &result); err != nil {
		t.Fatal(err)
	}
	var defaults []string
	eachValue(result.Defaults, func(kind, chart string, v diff.ValueChange) {
		defaults = append(defaults, strings.Join([]string{kind, chart, v.Path, v.Old, v.New}, " "))
	})
	if want := []string{`changed mine port "1.0.0" "1.0.1"`, `changed packed port "1.0.0" "1.0.1"`}; !slices.Equal(defaults, want) {
		t.Errorf("of defaults it says %q, and\n%s", defaults, lines(result.Warnings))
	}
	want := `not compared of aliased: repository "nobody" is a bare alias that nothing explains`
	if said := lines(result.Warnings); !strings.Contains(said, want) {
		t.Errorf("it warns of\n%s", said)
	}
}

// TestPatchFromTellsOfTheSite holds what is said against the release with the patch, and not
// against the newer one: what an entry sets no more stays, values files count, and so do
// further renderings. What else differs is told by its name.
func TestPatchFromTellsOfTheSite(t *testing.T) {
	t.Parallel()
	world := upstreamCharts(t)
	server, err := world.Serve(t.Context(), fixture.ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	folder := t.TempDir()
	put := func(name, text string) string {
		file := filepath.Join(folder, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return file
	}
	mirrors := put("mirrors.yaml", string(world.MirrorsYAML(server.Addr())))
	const notTaken = "beside charts this differs, and is not taken (images and files can be written below changes by hand, " +
		"all else comes with the newer release alone): "
	for name, c := range map[string]struct {
		older, newer string // what the entry says, and the rest of the release
		files        map[string]string
		want         []warned
	}{
		"an image that stays": {
			older: "version: 1.0.0, set: {image: 'quay.io/example/portal:own'}}", newer: "version: 1.0.1}",
			want: []warned{{"stays", "portal", "portal: the newer release does not say any more, and with the patch it stays: image"}},
		},
		"an image of a values file, and of a rendering": {
			older: "version: 1.0.0, values: [v.yaml]}",
			newer: "version: 1.0.1, values: [v.yaml], renderings: [{name: big, set: {image: 'quay.io/example/portal:big'}}]}",
			files: map[string]string{"old/v.yaml": "image: quay.io/example/portal:a", "new/v.yaml": "image: quay.io/example/portal:b"},
			want: []warned{
				{"image", "portal", "quay.io/example/portal:b comes along: portal 1.0.1 asks for it"},
				{"image", "portal", "quay.io/example/portal:big comes along: portal 1.0.1 asks for it"},
			},
		},
		"images that rendering cannot show": {
			older: "version: 1.0.0, images: ['quay.io/example/a:1'], set: {image: 'quay.io/example/portal:1'}}",
			newer: "version: 1.0.1, images: ['quay.io/example/a:1', 'quay.io/example/b:1'], set: {image: 'quay.io/example/portal:1'}}",
			want:  []warned{{"image", "portal", "quay.io/example/b:1 comes along: portal 1.0.1 asks for it"}},
		},
		"the release's own": {
			older: `version: 1.0.0, set: {image: x.io/y:1}}
images: [{name: 'registry.k8s.io/pause:3.9'}, {name: 'quay.io/a/gone:1'}, {name: 'quay.io/a/same:1'},
  {name: quay.io/a/tool, tagFromChart: portal}]
files:
  - {url: 'https://a.example/1', destination: bin/a, sha256: "` + strings.Repeat("a", 64) + `"}
  - {url: here, destination: bin/same, sha256: "` + strings.Repeat("c", 64) + `"}
values: [{path: folder, destination: x}]
policy: {keys: [k.pub]}
profiles: {demo: {without: [system]}, prod: {}}
defaults: {kubeVersion: 1.29.1}
`,
			newer: `version: 1.0.1, set: {image: x.io/y:1}}
images: [{name: 'registry.k8s.io/pause:3.10'}, {name: 'quay.io/a/more:1'}, {name: 'quay.io/a/same:1'},
  {name: quay.io/a/tool, tagFromChart: portal},
  {name: quay.io/a/other, tagFromChart: portal}]
files:
  - {url: 'https://a.example/1', destination: bin/a, sha256: "` + strings.Repeat("b", 64) + `"}
  - {url: here, destination: bin/same, sha256: "` + strings.Repeat("c", 64) + `"}
values: [{path: folder, destination: x}]
policy: {keys: [k.pub]}
profiles: {demo: {without: [binaries]}, prod: {}}
defaults: {kubeVersion: 1.30.1}
discovery: {includeDisabled: true}
repositoryAliases: {stable: 'https://a.example'}
`,
			files: map[string]string{
				"old/folder/a": "1", "new/folder/a": "1", "old/k.pub": "k", "new/k.pub": "k",
			},
			want: []warned{
				{"not-taken", "", notTaken + "image quay.io/a/gone removed, image quay.io/a/more added, image quay.io/a/other added, " +
					"image registry.k8s.io/pause 3.9 → 3.10, file files/bin/a changed, defaults.kubeVersion, discovery.includeDisabled, " +
					"profiles.demo, repositoryAliases.stable"},
				{"image", "portal", "quay.io/a/tool:1.0.1 comes along: its tag is the version of portal"},
			},
		},
		"folders and keys by what is in them": {
			older: "version: 1.0.0, set: {image: x.io/y:1}}\nvalues: [{path: folder, destination: x}]\npolicy: {keys: [k.pub]}\n",
			newer: "version: 1.0.1, set: {image: x.io/y:1}}\nvalues: [{path: folder, destination: x}]\npolicy: {keys: [k.pub]}\n",
			files: map[string]string{"old/folder/a": "1", "new/folder/a": "2", "old/k.pub": "k", "new/k.pub": "l"},
			want:  []warned{{"not-taken", "", notTaken + "policy.keys, values"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := strings.ReplaceAll(name, " ", "-") + "/"
			for file, text := range c.files {
				put(at+file, text)
			}
			document := func(file, version, text string) string {
				return put(at+file, "apiVersion: island/v1\nkind: Release\nplatforms: [linux/amd64]\nmetadata: {name: acme, version: "+version+
					", date: 2026-04-01}\ncharts:\n- {name: portal, repo: 'https://charts.example.net/stable', "+text)
			}
			stdout, _ := printed(t, "patch", "from", document("old/r.yaml", "1.0.0", c.older), document("new/r.yaml", "1.0.1", c.newer),
				"--id", "A-1", "--severity", "low", "--mirrors", mirrors, "--cache-dir", filepath.Join(folder, at, "cache"),
				"-o", filepath.Join(folder, at, "p.yaml"), "--output", "json")
			var result patchFromResult
			if err := json.Unmarshal([]byte(stdout), &result); err != nil {
				t.Fatal(err)
			}
			var said []warned
			for _, w := range result.Warnings {
				said = append(said, warned{w.Kind, w.Chart, w.Text})
			}
			if !slices.Equal(said, c.want) {
				t.Errorf("it warns of\n%s", lines(result.Warnings))
			}
		})
	}
}

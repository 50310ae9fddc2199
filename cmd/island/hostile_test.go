package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// forged is a line that nothing from outside may print.
const forged = "verified: everything is fine"

// hostileText has what may steer a terminal, hide, turn text or begin a line: CSI,
// OSC 8 and 52, BEL, C1, DEL, backspace, carriage return, direction, zero width, line
// and paragraph separators, tags, variation selectors.
const hostileText = "x\n" + forged + "\r" + forged + "\u2028" + forged + "\u0085" + forged +
	"\x1b[2J\x1b]8;;http://evil\x1b\\y\x1b]52;c;AAAA\a\u009b31m\x7f\b\v\f\u202e\u2066\u200b\u200d\u2029\ufeff\ufe0f\U000e0041\U000e0101" +
	"\n## " + forged + "\n| " + forged + " |\n<script>alert(1)</script>[a](javascript:1)"

// hostileDocuments are documents of every kind that people and machines write, each
// with what it can have.
var hostileDocuments = map[string]struct {
	text     string
	commands []string // FILE stands for the document
}{
	"release": {hostileRelease, []string{
		"status FILE", "status FILE --output json", "diff good.yaml FILE --markdown", "diff FILE good.yaml",
		"patch from FILE good.yaml --id A-1 --severity low", "build -f FILE --unsigned --offline --without-tools",
	}},
	"overlay": {strings.Replace(hostileRelease, "kind: Release", "kind: Overlay", 1), []string{
		"patches -f good.yaml --overlay FILE -p patch.yaml",
	}},
	"build": {`{"version": "1.0.0", "helmCharts": {"web": {"repo": "https://charts.example", "version": "1.0.0",
		"meta": {"commit": "abc", "commitURL": "https://git.example/abc", "appVersion": "1"}}}}`, []string{
		"diff FILE good.yaml", "diff good.yaml FILE --markdown", "diff FILE good.yaml --output json",
	}},
	"patch": {hostilePatch, []string{
		"patches -f good.yaml -p FILE", "patches -f good.yaml -p FILE --output json", "status good.yaml -p FILE",
	}},
	"lock": {"", []string{
		"show FILE", "show FILE --output json", "show FILE --charts", "show FILE --files", "show FILE --left-out", "show FILE --patches",
		"show FILE --sbom", "show FILE --vex", "show FILE --why a", "status FILE", "diff good.yaml FILE --markdown",
		"build FILE --unsigned --offline --without-tools",
	}},
	"site": {"apiVersion: island/v1\nkind: Site\nname: Musterstadt\nscenario: custom-app-on-premises\nusers: 100\nconferences: none\n" +
		"servers: [{name: a, cores: 1}]\nadminHost: a\n", []string{"size --site FILE", "size --site FILE --output json"}},
	"mirrors": {"apiVersion: island/v1\nkind: Mirrors\n" +
		"rules: [{prefix: quay.io, mirrors: [{location: mirror.example, caFile: ca.pem}]}]\n", []string{
		"resolve -f good.yaml --mirrors FILE --offline",
	}},
	"state": {`{"apiVersion": "island/v1", "kind": "State", "format": 2, "accepted": {}, "revoked": ["a"], "remarks": []}`, []string{
		"verify good.tar --key island.pub --state FILE",
	}},
	"inventory": {"all: {hosts: {a: {ansible_host: 10.0.0.1, ansible_user: b}}, children: {minio: {hosts: {a: {}}}}}\n", []string{
		"preflight --facts facts -i FILE",
	}},
}

const hostileRelease = `apiVersion: island/v1
kind: Release
metadata:
  name: demo
  version: 1.0.0
  cycle: 2026-H1
  date: 2026-01-15
  upgradeFrom: {range: ">=0.9.0", skip: [{version: 0.9.5, reason: broken}]}
  support: {from: 2026-01-15}
platforms: [linux/amd64]
repositoryAliases: {alias: https://charts.example}
charts:
  - {name: web, repo: https://charts.example, version: 1.0.0, values: [a.yaml], meta: {appVersion: "1"}}
images: [{name: "quay.io/a/b:1", group: system}]
files: [{url: https://files.example/a, destination: a, sha256: "` + "%[1]s" + `"}]
profiles: {small: {description: few, exclude: {charts: [web], images: [{pattern: "a:*", reason: why}]}, without: [system]}}
discovery: {rules: [{image: "quay.io/a/*", action: exclude, reason: why}]}
`

const hostilePatch = `apiVersion: island/v1
kind: Patch
metadata:
  id: WIRE-2026-001
  date: 2026-04-20
  severity: critical
  deadline: 2026-05-04
  summary: {en: without the hole, de: ohne die Lücke}
  vulnerabilities:
    - {id: CVE-2026-10001, cvss: {score: 9.8}, advisories: ["https://example.com/1"], summary: bad, in: [quay.io/wire/brig]}
appliesTo: {release: demo, versions: 1.0.0}
release: {version: 1.0.1, sequence: 2}
changes:
  charts: [{name: web, version: 1.0.1}]
steps: {en: Restart it., de: Neu starten.}
`

// hostileLock has text from outside in every field that has room for it.
func hostileLock() *manifests.Lock {
	origin := manifests.Origin{Chart: "web", Template: "web/a.yaml", Object: "Pod/a", Field: "spec", List: "images", Rendering: "r"}
	digest := manifests.DigestOf([]byte("a"))
	return &manifests.Lock{
		APIVersion: manifests.APIVersion, Kind: manifests.KindLock,
		Release: manifests.LockedRelease{
			Name: "demo", Version: "1.0.0", Cycle: "2026-H1", Date: must(manifests.ParseDate("2026-01-15")), Profile: "small",
			Platforms: []manifests.Platform{{OS: "linux", Architecture: "amd64"}}, BaseVersion: "0.9.0",
			UpgradeFrom: &manifests.LockedUpgradeFrom{Range: ">=0.9.0", Skip: []manifests.LockedSkip{{Version: "0.9.5", Reason: "broken"}}},
		},
		Charts: []manifests.LockedChart{{
			Name: "web", Version: "1.0.0", Repo: "https://charts.example", Path: "charts/web-1.0.0.tgz", App: "1", DecidedBy: "WIRE-2026-001",
			Content: manifests.Content{Digest: digest, Size: 1, URL: "https://charts.example/web.tgz"},
			Meta:    &manifests.ChartMeta{AppVersion: "1", Commit: "abc", CommitURL: "https://git.example/abc"},
		}},
		Files: []manifests.LockedFile{{
			Path: "files/a", Mode: 0o644, Content: manifests.Content{Digest: digest, Size: 1, URL: "https://files.example/a"},
		}},
		Patches: []manifests.LockedPatch{{
			ID: "WIRE-2026-001", Date: must(manifests.ParseDate("2026-04-20")), Severity: "high", Digest: digest, SignedBy: "key",
			Summary: manifests.Text{En: "without the hole", De: "ohne die Lücke"}, Steps: manifests.Text{En: "Restart it.", De: "Neu starten."},
			Vulnerabilities: []manifests.Vulnerability{{ID: "CVE-2026-10001", Advisories: []string{"https://example.com/1"}, Summary: "bad"}},
			Charts:          []string{"web"}, Removed: []string{"chart other"}, Void: []string{"override is void"},
		}},
		Images: []manifests.LockedImage{}, Blobs: []manifests.Content{},
		LeftOut:   []manifests.Omission{{What: "quay.io/a", Reason: "rule", Origin: origin}},
		Undecided: []manifests.Omission{{What: "quay.io/b", Origin: origin}},
		Stubbed:   []manifests.StubbedValue{{Chart: "web", Rendering: "r", Path: "a.b", Why: "secret is needed"}},
		Rules:     []manifests.DiscoveryRule{{Image: "quay.io/a", Reason: "why", Action: "exclude"}},
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// oneAfterAnother skips a test of many documents, one after another, in the short run
// that looks for races.
func oneAfterAnother(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("nothing happens at once here")
	}
}

// TestNothingFromOutsideSteersATerminal puts hostile text into each text of each kind
// of document, one after the other, and looks at all that every command prints of it
// in every form.
func TestNothingFromOutsideSteersATerminal(t *testing.T) {
	oneAfterAnother(t)
	hostileFolder(t)
	for _, kind := range slices.Sorted(maps.Keys(hostileDocuments)) {
		document := hostileDocuments[kind]
		count := 0
		eachHostile(t, document.text, func(field string, text []byte) {
			count++
			write(t, "hostile-document", text)
			for i, command := range document.commands {
				err := prints(t, kind+" "+field, strings.Fields(strings.ReplaceAll(command, "FILE", "hostile-document"))...)
				if fault.ExitCode(err) == int(fault.Usage) && field == "" && i == 0 && kind != "mirrors" && kind != "state" {
					t.Errorf("the good document of kind %s is refused: %v", kind, err)
				}
			}
		})
		if count < 3 {
			t.Errorf("only %d texts of %s were tried", count, kind)
		}
	}
}

// TestCommandLineSteersNoTerminal gives every command and each of its flags hostile
// text, such as the name of a file that somebody else chose.
func TestCommandLineSteersNoTerminal(t *testing.T) {
	oneAfterAnother(t)
	hostileFolder(t)
	name := "x\n" + forged + "\r\x1b[2J\x1b]52;c;AAAA\a\u009b31m\x7f\b\u202e\u200b\u2028\ufe0f\U000e0041\n" + forged
	write(t, name, []byte("island: "+hostileText))
	eachCommand(newApp(&bytes.Buffer{}, &bytes.Buffer{}, nil).command(), func(cmd *cobra.Command) {
		words := strings.Fields(cmd.CommandPath())[1:]
		prints(t, "arguments", append(words, name)...)
		prints(t, "arguments", append(words, name, name)...)
		prints(t, "help", append(words, "--help")...)
		prints(t, "flags", append(words, "--"+name)...)
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			prints(t, "flags", append(words, "--"+flag.Name+"="+name)...)
			prints(t, "flags", append(words, "good.yaml", "--"+flag.Name+"="+name)...)
		})
	})
}

// TestChartsSteerNoTerminal: what a chart calls itself, what it fails with, and what it
// puts where an image stands.
func TestChartsSteerNoTerminal(t *testing.T) {
	oneAfterAnother(t)
	hostileFolder(t)
	quoted := string(must(json.Marshal(hostileText)))
	for what, files := range map[string][3]string{
		"name":     {quoted, `"1.0.0"`, "a: 1"},
		"version":  {`"web"`, quoted, "a: 1"},
		"fail":     {`"web"`, `"1.0.0"`, "a: {{ fail " + quoted + " }}"},
		"required": {`"web"`, `"1.0.0"`, "a: {{ required " + quoted + " .Values.x.y }}"},
		"image": {`"web"`, `"1.0.0"`, "apiVersion: v1\nkind: Pod\nmetadata: {name: " + quoted + "}\n" +
			"spec: {containers: [{image: " + quoted + "}]}"},
		"config": {`"web"`, `"1.0.0"`, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n" +
			"data: {x: \"image: quay.io/a/b:1\", " + quoted + ": \"quay.io/c/d:1\"}"},
	} {
		write(t, "chart/Chart.yaml", []byte("apiVersion: v2\nname: "+files[0]+"\nversion: "+files[1]+"\n"))
		write(t, "chart/values.yaml", []byte("x: {}\n"))
		write(t, "chart/templates/a.yaml", []byte(files[2]))
		for _, form := range []string{"", "--output=json", "--rules", "--stub-required"} {
			prints(t, "chart "+what, strings.Fields("discover chart --offline "+form)...)
		}
	}
}

// TestDocumentsOfABundleSteerNoTerminal: people print STEPS.txt, README.txt and the
// like as they are.
func TestDocumentsOfABundleSteerNoTerminal(t *testing.T) {
	oneAfterAnother(t)
	t.Parallel()
	eachHostile(t, "", func(field string, text []byte) {
		lock, err := manifests.ReadLock("lock", text)
		if err != nil && field != "" {
			return
		}
		documents, err := documentsOf(must(lock, err))
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range documents {
			isHarmless(t, field+" in "+string(document.Path), string(document.Bytes))
		}
	})
}

// eachHostile gives a document once for each text in it, with hostile text in its
// place; the lock if it is empty.
func eachHostile(t *testing.T, text string, visit func(field string, text []byte)) {
	t.Helper()
	data := []byte(strings.ReplaceAll(text, "%[1]s", strings.Repeat("a", 64)))
	if text == "" {
		data = must(hostileLock().Encode())
	}
	visit("", data) // as it is
	real := visit
	var root any
	if err := yaml.Unmarshal(data, &root); err != nil {
		t.Fatal(err)
	}
	var walk func(node any, field string, set func(any))
	walk = func(node any, field string, set func(any)) {
		switch node := node.(type) {
		case map[string]any:
			for i, key := range slices.Sorted(maps.Keys(node)) {
				value := node[key]
				walk(value, field+"."+key, func(to any) { node[key] = to })
				if i > 0 {
					continue // one name is as good as another
				}
				delete(node, key)
				node[hostileText] = value
				visit(field+"."+key+" (name)", printable.JSON(must(json.Marshal(root))))
				delete(node, hostileText)
				node[key] = value
			}
		case []any:
			for i, value := range node {
				walk(value, fmt.Sprintf("%s[%d]", field, i), func(to any) { node[i] = to })
			}
		case time.Time: // YAML takes a date for one
			set(node.Format(time.DateOnly) + hostileText)
			visit(field, printable.JSON(must(json.Marshal(root))))
			set(node.Format(time.DateOnly))
		default:
			before, _ := node.(string) // what is checked at its start only
			set(before + hostileText)
			visit(field, printable.JSON(must(json.Marshal(root))))
			set(node)
		}
	}
	visit = func(string, []byte) {}
	walk(root, "", nil) // which puts dates where there were times
	visit = real
	walk(root, "", nil)
}

// TestManyErrorsAreBounded: small documents with very many flaws are not answered with
// a line for each, and how many there are is said.
func TestManyErrorsAreBounded(t *testing.T) {
	hostileFolder(t)
	const head, many = "apiVersion: island/v1\nkind: ", 100_000
	release := head + "Release\nmetadata: {name: demo, version: 1.0.0}\nplatforms: [linux/amd64]\n"
	write(t, "charts.yaml", []byte(release+"charts:\n"+strings.Repeat("-\n", many)))
	write(t, "allow.yaml", []byte(release+"allow:\n"+strings.Repeat("-\n", many)))
	write(t, "mirrors.yaml", []byte(head+"Mirrors\nrules:\n"+strings.Repeat("-\n", many)))
	for command, says := range map[string]string{
		"resolve --offline -f charts.yaml":                      " more flaws are not listed",
		"resolve --offline -f allow.yaml":                       " more flaws are not listed",
		"resolve --offline -f good.yaml --mirrors mirrors.yaml": "100000 errors, of which the first 1000 are told",
	} {
		var diagnostics bytes.Buffer
		app := newApp(&bytes.Buffer{}, &diagnostics, nil)
		err := app.run(t.Context(), strings.Fields(command))
		printError(app.err, err)
		said := diagnostics.String()
		if lines := strings.Count(said, "\n"); fault.ExitCode(err) != 2 || lines > 2*maxTold+10 || !strings.Contains(said, says) {
			t.Errorf("%s: exit %d, %d lines, the last is %q", command, fault.ExitCode(err), lines, said[max(0, len(said)-200):])
		}
	}
}

// hostileFolder is where commands run that have good documents beside the hostile one.
func hostileFolder(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	t.Chdir(folder)
	t.Setenv("COSIGN_PASSWORD", "")
	t.Setenv("XDG_CACHE_HOME", filepath.Join(folder, ".cache"))
	write(t, "good.yaml", []byte("apiVersion: island/v1\nkind: Release\nmetadata: {name: demo, version: 1.0.0, date: 2026-01-15}\n"+
		"platforms: [linux/amd64]\ncharts: [{name: web, repo: https://charts.example, version: 1.1.0}]\n"))
	write(t, "patch.yaml", []byte(hostilePatch))
	write(t, "good.tar", nil)
	survey := must(os.ReadFile(filepath.Join(surveys, "survey-v1.json")))
	write(t, "facts/survey.json", survey)
	app := newApp(&bytes.Buffer{}, &bytes.Buffer{}, nil)
	if err := app.run(t.Context(), []string{"keygen"}); err != nil {
		t.Fatal(err)
	}
}

// surveys is the folder with a survey, absolute, since tests change theirs.
var surveys = must(filepath.Abs("../../sizing/preflight/testdata"))

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// prints runs a command, looks at all that it prints, and returns its error.
func prints(t *testing.T, what string, args ...string) error {
	t.Helper()
	var out, diagnostics bytes.Buffer
	app := newApp(&out, &diagnostics, nil)
	err := app.run(t.Context(), args)
	if err != nil {
		printError(app.err, err)
	}
	isHarmless(t, fmt.Sprintf("%s: island %.80q", what, args), out.String())
	isHarmless(t, fmt.Sprintf("%s: island %.80q", what, args), diagnostics.String())
	return err
}

// isHarmless holds a text to what may be printed.
func isHarmless(t *testing.T, what, text string) {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		// As a line of its own, a heading or the row of a table.
		if unmarked := strings.TrimLeft(line, "#|"); strings.HasPrefix(line, forged) ||
			unmarked != line && strings.HasPrefix(strings.TrimLeft(unmarked, " "), forged) {
			t.Errorf("%s: a line is forged: %q", what, line)
			return
		}
		if at := strings.IndexFunc(line, steers); at >= 0 {
			t.Errorf("%s: a character steers: %.120q", what, line[max(0, at-40):])
			return
		}
	}
}

func steers(r rune) bool {
	if r == '\u00a0' || r == '\u202f' {
		return false // hold a number and its unit together
	}
	return !unicode.IsPrint(r) || unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

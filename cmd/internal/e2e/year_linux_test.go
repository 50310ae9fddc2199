package e2e

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/fixture"
	"github.com/islandbundle/island/manifests/fault"
)

// yearOverlay is what an engineer adds to Wire's manifests: a chart of the
// customer's own beside theirs, and no binaries.
const yearOverlay = siteOverlay + `charts:
  - name: notes
    path: notes
`

// notesChart is a chart whose image and replicas are values.
var notesChart = map[string]string{
	"Chart.yaml":  "apiVersion: v2\nname: notes\nversion: 1.0.0\ndescription: notes of the customer\n",
	"values.yaml": "replicas: 1\nimage: {repository: quay.io/wire/notes, tag: 1.0.0}\n",
	"templates/deployment.yaml": `apiVersion: apps/v1
kind: Deployment
metadata: {name: notes}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: notes}}
  template:
    metadata: {labels: {app: notes}}
    spec:
      containers:
        - {name: notes, image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"}
`,
}

// The patches of the year that are written by hand. The third is a pick between two
// of Wire's manifests.
const (
	valuesPatch = `apiVersion: island/v1
kind: Patch
metadata:
  id: YEAR-1
  date: 2026-04-20
  severity: medium
  summary: {en: notes run three times}
appliesTo: {release: wire, versions: "1.0.0-143"}
changes:
  charts:
    - name: notes
      set: {replicas: 3}
steps:
  en: Look whether three notes run.
  de: Nachsehen, ob drei notes laufen.
`
	imagePatch = `apiVersion: island/v1
kind: Patch
metadata:
  id: YEAR-2
  date: 2026-05-11
  severity: high
  summary: {en: notes without a hole}
  vulnerabilities:
    - id: CVE-2026-10003
      cvss: {score: 7.5}
      in: [quay.io/wire/notes]
appliesTo: {release: wire, versions: "1.0.0-143"}
changes:
  images:
    - image: quay.io/wire/notes:1.0.0
      tag: 1.0.1
      values:
        - {chart: notes, path: image.tag}
steps:
  en: Restart notes.
`
)

// stage is one delivery of the year: what is resolved for it, and what the site
// has to find.
type stage struct {
	name      string
	manifest  string // of Wire
	patches   []string
	from      string // version of wire-server that is installed when it comes
	outcome   string // of the check of the upgrade
	version   string // of the delivery
	replicas  string // of notes, in the values that the patches bring; none if empty
	tag       string // of notes, likewise
	steps     []string
	wireChart string // version of wire-server in it
}

var year = []stage{
	{
		name: "first", manifest: "pick-before.json", from: "5.30.0", outcome: "pass", version: "1.0.0-143", wireChart: "5.30.7",
	}, {
		name: "values", manifest: "pick-before.json", patches: []string{"YEAR-1.yaml"},
		from: "5.30.7", outcome: "pass", version: "1.0.0-143+YEAR-1", replicas: "3", steps: []string{"three notes run"}, wireChart: "5.30.7",
	}, {
		name: "image", manifest: "pick-before.json", patches: []string{"YEAR-1.yaml", "YEAR-2.yaml"},
		from: "5.30.7", outcome: "pass", version: "1.0.0-143+YEAR-1.YEAR-2", replicas: "3", tag: "1.0.1",
		steps: []string{"three notes run", "Restart notes."}, wireChart: "5.30.7",
	}, {
		name: "pick", manifest: "pick-before.json", patches: []string{"YEAR-1.yaml", "YEAR-2.yaml", "YEAR-3.yaml"},
		from: "5.30.7", outcome: "pass", version: "1.0.0-143+YEAR-1.YEAR-2.YEAR-3", replicas: "3", tag: "1.0.1",
		steps: []string{"three notes run", "Restart notes.", "Look at brig."}, wireChart: "5.30.9",
	}, {
		name: "next", manifest: "2026-q2.json", from: "5.30.9", outcome: "warn", version: "1.0.0-151", wireChart: "5.32.0",
	},
}

// TestYear is a release engineer's year, and the site's: a delivery of one of Wire's
// own manifests, three patches of it, each as a delta, and the next cycle.
func TestYear(t *testing.T) {
	t.Parallel()
	sender, site := yearUpstream(t), t.TempDir()
	run(t, sender, island, "keygen")
	copyFile(t, filepath.Join(sender, "island.pub"), filepath.Join(site, "island.pub"))
	run(t, sender, island, "patch", "from", "pick-before.json", "pick-after.json", "--charts", "wire-server",
		"--id", "YEAR-3", "--date", "2026-06-15", "--severity", "critical", "--cve", "CVE-2026-10004=9.8",
		"--summary", "brig without a hole", "--summary-de", "brig ohne Lücke", "--steps", "Look at brig.", "--steps-de", "Nach brig sehen.",
		"--mirrors", "mirrors.yaml", "--cache-dir", "cache", "-o", "YEAR-3.yaml")
	for _, document := range []string{"pick-before.json", "2026-q2.json", "year.yaml", "YEAR-1.yaml", "YEAR-2.yaml", "YEAR-3.yaml"} {
		run(t, sender, island, "sign", document, "--key", "island.key")
	}
	for i, s := range year {
		before := stage{}
		if i > 0 {
			before = year[i-1]
		}
		cut(t, sender, before, s)
		carry(t, sender, site, before, s)
		install(t, site, s, i)
		for _, old := range year[:i] {
			refused(t, site, fault.Refused, "verify", old.name+".tar", "--key", "island.pub", "--state", "state.json")
		}
	}
}

// yearUpstream serves what the year needs, and gives a folder with the documents.
func yearUpstream(t *testing.T) string {
	t.Helper()
	world, err := fixture.Empty(fixture.Options{})
	if err != nil {
		t.Fatal(err)
	}
	builds := map[string]wireCharts{}
	folder := t.TempDir()
	for _, name := range []string{"pick-before.json", "pick-after.json", "2026-q2.json"} {
		data, err := os.ReadFile(filepath.Join(wireBuilds, name))
		if errors.Is(err, os.ErrNotExist) {
			t.Skip("no real manifests in " + wireBuilds)
		}
		if err == nil {
			err = world.AddBuildJSON(t.Context(), data)
		}
		if err != nil {
			t.Fatal(err)
		}
		builds[name] = chartsOfBuild(t, data)
		write(t, filepath.Join(folder, name), data)
	}
	addWireImages(t, world, builds)
	for _, tag := range []string{"1.0.0", "1.0.1"} {
		if _, err := world.AddImage(t.Context(), "quay.io/wire/notes:"+tag, fixture.ImageSpec{}); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, world, folder)
	for name, content := range notesChart {
		file := filepath.Join(folder, "notes", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, file, []byte(content))
	}
	for name, content := range map[string]string{"year.yaml": yearOverlay, "YEAR-1.yaml": valuesPatch, "YEAR-2.yaml": imagePatch} {
		write(t, filepath.Join(folder, name), []byte(content))
	}
	return folder
}

// cut resolves and builds a delivery, whole and as a delta to the one before.
func cut(t *testing.T, folder string, before, s stage) {
	t.Helper()
	args := []string{
		"resolve", "-f", s.manifest, "--overlay", "year.yaml", "--profile", "site", "--date", "2026-03-31",
		"--require-signed", "--doc-key", "island.pub", "--mirrors", "mirrors.yaml", "--cache-dir", "cache", "-o", s.name + ".lock.json",
	}
	for _, patch := range s.patches {
		args = append(args, "-p", patch)
	}
	if before.name == "" {
		// Without a number nobody could tell later which delivery is newer.
		args = append(args, "--sequence", "1")
	} else {
		args = append(args, "--after", before.name+".tar")
	}
	run(t, folder, island, args...)
	build := []string{
		"build", s.name + ".lock.json", "--mirrors", "mirrors.yaml", "--cache-dir", "cache", "--key", "island.key",
		"--without-tools", anyDiscovery,
	}
	run(t, folder, island, append(build, "-o", s.name+".tar")...)
	if before.name != "" {
		run(t, folder, island, append(build, "--base", before.name+".tar", "-o", s.name+".delta.tar")...)
		// Not later than itself, and never the other way round.
		refused(t, folder, fault.Usage, "resolve", "-f", s.manifest, "--overlay", "year.yaml", "--profile", "site", "--sequence", "1",
			"--date", "2026-03-31", "--mirrors", "mirrors.yaml", "--cache-dir", "cache", "--after", s.name+".tar", "-o", "none.json")
		refused(t, folder, fault.Usage, "build", before.name+".lock.json", "--mirrors", "mirrors.yaml", "--cache-dir", "cache",
			"--key", "island.key", "--without-tools", anyDiscovery, "--base", s.name+".tar", "-o", "none.tar")
	}
}

// carry takes a delivery to the site: the first whole, each later as a delta that
// makes the very bytes of the whole one.
func carry(t *testing.T, sender, site string, before, s stage) {
	t.Helper()
	whole, delta := s.name+".tar", s.name+".delta.tar"
	if before.name == "" {
		copyFile(t, filepath.Join(sender, whole), filepath.Join(site, whole))
		return
	}
	copyFile(t, filepath.Join(sender, delta), filepath.Join(site, delta))
	run(t, site, island, "apply", before.name+".tar", delta, "--key", "island.pub", "-o", whole)
	if digestOfFile(t, filepath.Join(site, whole)) != digestOfFile(t, filepath.Join(sender, whole)) {
		t.Errorf("%s: the delta made another file of it", s.name)
	}
}

// install does on the site what comes before installing, and looks at what the
// delivery brings.
func install(t *testing.T, site string, s stage, number int) {
	t.Helper()
	var told struct {
		Release struct {
			Version  string
			Sequence int
		}
	}
	verified := run(t, site, island, "verify", s.name+".tar", "--key", "island.pub", "--state", "state.json", "--output", "json")
	if err := json.Unmarshal([]byte(verified), &told); err != nil {
		t.Fatal(err)
	}
	if told.Release.Version != s.version || told.Release.Sequence != number+1 {
		t.Errorf("%s: is %s with sequence %d, want %s with %d", s.name, told.Release.Version, told.Release.Sequence, s.version, number+1)
	}
	if !slices.ContainsFunc(show[chart](t, filepath.Join(site, s.name+".tar"), "charts"),
		func(c chart) bool { return c.Name == "wire-server" && c.Version == s.wireChart }) {
		t.Errorf("%s: has no wire-server %s", s.name, s.wireChart)
	}
	if have := upgradeOutcome(t, site, s); have != s.outcome {
		t.Errorf("%s: the upgrade from %s is %q, want %q", s.name, s.from, have, s.outcome)
	}
	inTheSitesHands(t, site, s)
}

// upgradeOutcome returns what the preflight says of the upgrade. All else that it
// says of this machine is passed over.
func upgradeOutcome(t *testing.T, site string, s stage) string {
	t.Helper()
	stdout, stderr, _ := try(t, site, island, "preflight", "--local", "--group", "kube-node", "--no-fsync", "--bundle", s.name+".tar",
		"--key", "island.pub", "--installed", s.from, "--output", "json")
	var report struct {
		Findings []struct{ ID, Outcome string }
	}
	if err := json.Unmarshal([]byte(stdout), &report); err != nil {
		t.Fatalf("%v\n%s", err, stderr)
	}
	for _, check := range report.Findings {
		if check.ID == "bundle.upgrade" {
			return check.Outcome
		}
	}
	t.Fatalf("the report has no check of the upgrade:\n%s", stdout)
	return ""
}

// inTheSitesHands unpacks what patches bring, and renders the chart as the site would
// with it.
func inTheSitesHands(t *testing.T, site string, s stage) {
	t.Helper()
	folder := filepath.Join(site, s.name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	run(t, folder, tool(t, "tar"), "-xf", "../"+s.name+".tar")
	steps, _ := os.ReadFile(filepath.Join(folder, "patches", "STEPS.txt"))
	for _, step := range s.steps {
		if !strings.Contains(string(steps), step) {
			t.Errorf("%s: the steps do not say %q:\n%s", s.name, step, steps)
		}
	}
	args := []string{"template", "notes", "charts/notes-1.0.0.tgz"}
	if s.replicas != "" {
		args = append(args, "-f", "patches/values/notes.yaml")
	}
	rendered := run(t, folder, tool(t, "helm"), args...)
	wanted := fmt.Sprintf("replicas: %s\n", cmp.Or(s.replicas, "1"))
	image := "quay.io/wire/notes:" + cmp.Or(s.tag, "1.0.0")
	if !strings.Contains(rendered, wanted) || !strings.Contains(rendered, image) {
		t.Errorf("%s: rendered with the site's values, notes are not %q with %s:\n%s", s.name, wanted, image, rendered)
	}
	if !slices.ContainsFunc(show[struct{ Name string }](t, filepath.Join(site, s.name+".tar"), "images"),
		func(i struct{ Name string }) bool { return i.Name == image }) {
		t.Errorf("%s: does not carry %s", s.name, image)
	}
	patches := run(t, site, island, "show", s.name+".tar", "--patches")
	for _, patch := range s.patches {
		if !strings.Contains(patches, strings.TrimSuffix(patch, ".yaml")) {
			t.Errorf("%s: show --patches does not tell of %s:\n%s", s.name, patch, patches)
		}
	}
}

// refused runs a command that must end with a certain exit code.
func refused(t *testing.T, folder string, code fault.Kind, args ...string) {
	t.Helper()
	_, stderr, err := try(t, folder, island, args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != int(code) {
		t.Errorf("island %s: %v, want exit code %d\n%s", strings.Join(args, " "), err, code, stderr)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	write(t, to, data)
}

func digestOfFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return digestOf(data)
}

package manifests

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/manifests/schema/schematest"
)

const wholePatch = `apiVersion: island/v1
kind: Patch
metadata:
  id: WIRE-2026-001
  date: 2026-04-14
  severity: critical
  deadline: 2026-04-21
  summary: {en: brig without the hole, de: brig ohne die Lücke}
  vulnerabilities:
    - id: CVE-2026-12345
      cvss: {score: 9.8, vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}
      advisories: ["https://example.com/a"]
      summary: remote code execution
      in: [quay.io/wire/brig]
    - id: GHSA-abcd-1234-efgh
appliesTo: {release: wire, versions: ">=2026.1 <2026.2"}
requires: [WIRE-2026-000]
supersedes: [WIRE-2025-009]
conflicts: [ACME-1]
release: {version: 2026.1.1, sequence: 8, expires: 2027-04-14}
changes:
  charts:
    - {name: brig, version: 5.30.10}
  images:
    - image: quay.io/wire/galley:5.30.9
      tag: 5.30.9-fix1
      digest: sha256:` + someHex + `
      values: [{chart: galley, path: image.tag}]
  files:
    - {url: "https://example.com/kubelet", sha256: ` + someHex + `, destination: bin/kubelet}
  add:
    charts: [{name: cannon, repo: "https://example.com/charts", version: 1.0.0}]
    images: [{name: "quay.io/wire/new:1"}]
    files: [{url: "https://example.com/x", sha256: ` + someHex + `, destination: bin/x}]
  remove:
    charts: [reaper]
    images: ["quay.io/wire/old:1"]
    files: [bin/y]
steps: {en: Restart brig., de: brig neu starten.}
`

func TestReadPatch(t *testing.T) {
	t.Parallel()
	p, err := ReadPatch("p.yaml", []byte(wholePatch))
	if err != nil {
		t.Fatal(told(err))
	}
	if p.ID() != "WIRE-2026-001" || p.Metadata.Vulnerabilities[0].CVSS.Score != 9.8 || p.Digest != DigestOf([]byte(wholePatch)) {
		t.Errorf("read as %+v", p)
	}
	if got := p.Changes.Images[0].Place().String(); got != "p.yaml:25:7: changes.images[0]" {
		t.Errorf("the override stands at %q", got)
	}
	if err := validate(t, schematest.Compile(t, schemaFile(patchSchema)), wholePatch); err != nil {
		t.Errorf("the schema refuses it: %v", err)
	}
	encoded, err := EncodePatch(p)
	if err != nil {
		t.Fatal(err)
	}
	again, err := ReadPatch("again.yaml", encoded)
	if err != nil {
		t.Fatal(told(err))
	}
	if !reflect.DeepEqual(bare(p), bare(again)) {
		t.Errorf("written and read again it is\n%s", encoded)
	}
}

// bare takes places and digests out, so that patches can be compared.
func bare(p *Patch) Patch {
	b := *p
	b.source, b.Digest = nil, ""
	for _, charts := range [][]Chart{b.Changes.Charts, b.Changes.Add.Charts} {
		for i := range charts {
			charts[i].entries = nil
		}
	}
	for _, files := range [][]File{b.Changes.Files, b.Changes.Add.Files} {
		for i := range files {
			files[i].entry = entry{}
		}
	}
	for i := range b.Changes.Images {
		b.Changes.Images[i].place = fault.Place{}
	}
	return b
}

func TestReadPatchTellsEveryFlaw(t *testing.T) {
	t.Parallel()
	schema := schematest.Compile(t, schemaFile(patchSchema))
	for _, test := range []struct {
		name, old, new, want string
		structural           bool // the schema knows it too
	}{
		{"another version", "island/v1", "island/v2", `p.yaml:1:13: apiVersion: apiVersion is "island/v2" | this program reads island/v1`, true},
		{"another kind", "kind: Patch", "kind: Release", `p.yaml:2:7: kind: wants a document of kind Patch, got "Release"`, true},
		{"unknown field", "deadline:", "dedline:",
			"p.yaml:7:3: metadata.dedline: unknown field | did you mean deadline? " +
				"known here: id, date, severity, deadline, summary, vulnerabilities", true},
		{"no id", "id: WIRE-2026-001", `id: ""`,
			`p.yaml:4:7: metadata.id: patch id "" is not up to 64 letters, digits, dots, dashes and underscores | such as WIRE-2026-001`, true},
		{"id with a slash", "id: WIRE-2026-001", "id: ../x", `p.yaml:4:7: metadata.id: patch id "../x" is not`, true},
		{"no date", "  date: 2026-04-14\n", "", "p.yaml:4:3: metadata.date: patch has no date", true},
		{"unknown severity", "severity: critical", "severity: urgent",
			`p.yaml:6:13: metadata.severity: "urgent" is not one of none, low, medium, high, critical`, true},
		{"severity too low", "severity: critical", "severity: high",
			"p.yaml:6:13: metadata.severity: severity is high, but CVE-2026-12345 scores 9.8, which is critical", false},
		{"deadline in the past", "deadline: 2026-04-21", "deadline: 2026-04-13", "deadline 2026-04-13 is before the patch's date 2026-04-14",
			false},
		{"no English summary", "en: brig without the hole, ", "", "metadata.summary.en: patch has no English summary", false},
		{"score out of range", "score: 9.8", "score: 10.1", "CVSS score 10.1 is not one of 0.0 to 10.0", true},
		{"score with two digits", "score: 9.8", "score: 9.81", "CVSS score 9.81 is not one of 0.0 to 10.0", false},
		{"score beside the vector", "score: 9.8", "score: 9.1", "CVSS score is 9.1, but the vector makes it 9.8", false},
		{"broken vector", "/AV:N/AC:L", "/AC:L", "CVSS vector has no usable AV", false},
		{"no vector", "CVSS:3.1/", "CVSS:2.0/", "is not a CVSS vector of version 3.0, 3.1 or 4.0", true},
		{"bad CVE", "CVE-2026-12345", "CVE-26-1", `"CVE-26-1" is not a public identifier of a vulnerability`, false},
		{"a CVE twice", "GHSA-abcd-1234-efgh", "CVE-2026-12345", "CVE-2026-12345 is named twice", false},
		{"advisory by http", "https://example.com/a\"", "http://example.com/a\"", `advisory "http://example.com/a" is not an https:// URL`,
			false},
		{"no release", "release: wire, ", "", "appliesTo.release: patch does not say which release it is for", true},
		{"bad range", `">=2026.1 <2026.2"`, `"newest"`, `appliesTo.versions: "newest" is not a range of versions`, false},
		{"requires itself", "requires: [WIRE-2026-000]", "requires: [WIRE-2026-001]", "requires[0]: patch WIRE-2026-001 names itself", false},
		{"required and in conflict", "conflicts: [ACME-1]", "conflicts: [WIRE-2026-000]",
			"patch WIRE-2026-000 is required and in conflict at once", false},
		{"version of a path", "version: 2026.1.1", "version: ../../x", `release.version: version "../../x" is not usable in a file name`, true},
		{"chart by range", "version: 5.30.10", "version: ^5.30.0", `changes.charts[0].version: chart version "^5.30.0" is not a semantic version`,
			true},
		{"chart rendered as what is not known", "version: 5.30.10}", "version: 5.30.10, as: rollback}",
			`changes.charts[0].as: chart cannot be rendered as "rollback"`, false},
		{"rendering as what is not known", "version: 5.30.10}", "version: 5.30.10, renderings: [{name: big, as: Install}]}",
			`changes.charts[0].renderings[0].as: chart cannot be rendered as "Install"`, false},
		{"rendering twice", "version: 5.30.10}", "version: 5.30.10, renderings: [{name: big}, {name: big}]}",
			`changes.charts[0].renderings[1].name: rendering has no name, or one that is taken: "big"`, false},
		{"rendering of the chart's own name", "version: 5.30.10}", "version: 5.30.10, renderings: [{name: default}]}",
			`renderings[0].name: rendering has no name, or one that is taken: "default"`, false},
		{"chart twice", "{name: brig, version: 5.30.10}", "{name: brig, version: 5.30.10}\n    - {name: brig, version: 5.30.11}",
			"chart brig is named twice", false},
		{"override to nothing", "      tag: 5.30.9-fix1\n      digest: sha256:" + someHex + "\n", "",
			"override of quay.io/wire/galley:5.30.9 gives neither tag nor digest", false},
		{"override to itself", "5.30.9-fix1\n      digest: sha256:" + someHex, "5.30.9", "override of quay.io/wire/galley:5.30.9 changes nothing",
			false},
		{"bad tag", "5.30.9-fix1", "a/b", `"a/b" is not a tag`, true},
		{"bad image", "quay.io/wire/galley:5.30.9", "Quay.io/Wire", "is not an image reference", false},
		{"bad values path", "path: image.tag", `path: "image[0].tag"`, `"image[0].tag" is not the path of a value`, true},
		{"file outside", "destination: bin/kubelet", "destination: ../kubelet", "changes.files[0].destination:", true},
		{"nothing changed", wholePatch[strings.Index(wholePatch, "changes:"):], "changes: {}\n", "changes: patch changes nothing", true},
		{"one thing twice", "charts: [reaper]", "charts: [brig]", "changes: patch changes one thing twice", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			doc := strings.Replace(wholePatch, test.old, test.new, 1)
			if doc == wholePatch {
				t.Fatalf("the patch has no %q", test.old)
			}
			_, err := ReadPatch("p.yaml", []byte(doc))
			if got := strings.Join(told(err), "\n"); !strings.Contains(got, test.want) {
				t.Errorf("it says %q, not %q", got, test.want)
			}
			if err := fault.ExitCode(err); err != int(fault.Usage) {
				t.Errorf("exit code %d", err)
			}
			if test.structural && validate(t, schema, doc) == nil {
				t.Error("the schema accepts it")
			}
		})
	}
}

func TestOverlappingOverridesOfOnePatch(t *testing.T) {
	t.Parallel()
	doc := strings.Replace(wholePatch, "  images:\n", "  images:\n    - {image: quay.io/wire/galley, tag: x}\n", 1)
	if _, err := ReadPatch("p.yaml", []byte(doc)); err == nil ||
		!strings.Contains(told(err)[0], "another override of the patch is for quay.io/wire/galley as well") {
		t.Errorf("it says %q", told(err))
	}
}

// The scores are those of FIRST's calculator for vectors of well-known holes.
func TestBaseScore(t *testing.T) {
	t.Parallel()
	for vector, want := range map[string]float64{
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H": 10.0, // CVE-2021-44228
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N": 7.5,  // CVE-2014-0160
		"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H": 7.8,  // CVE-2021-4034
		"CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H": 8.1,  // CVE-2017-0144
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N": 6.1,  // the usual cross-site scripting
		"CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:N/I:N/A:L": 1.6,
		"CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:C/C:N/I:N/A:N": 0,
	} {
		if err := (CVSS{Score: want, Vector: vector}).check(); err != nil {
			t.Errorf("%s: %v", vector, err)
		}
		if err := (CVSS{Score: want + 0.1, Vector: vector}).check(); want < 10 && err == nil {
			t.Errorf("%s: a score that is wrong by 0.1 passes", vector)
		}
	}
	// Temporal metrics lower the score; the base cannot be held against it.
	if err := (CVSS{Score: 8.1, Vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U"}).check(); err != nil {
		t.Error(err)
	}
	if err := (CVSS{Score: 9.3, Vector: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}).check(); err != nil {
		t.Error(err)
	}
}

// somePatch is a patch of an id and a day of April 2026, with what else it has.
func somePatch(t testing.TB, id string, day int, more ...string) *Patch {
	t.Helper()
	doc := fmt.Sprintf("apiVersion: island/v1\nkind: Patch\nmetadata: {id: %s, date: 2026-04-%02d, severity: high, summary: {en: x}}\n", id,
		day) +
		"appliesTo: {release: wire, versions: \">=1.0.0\"}\n" + strings.Join(more, "\n") + "\n"
	if !strings.Contains(doc, "changes:") {
		doc += "changes: {images: [{image: quay.io/x/" + strings.ToLower(id) + ", tag: new}]}\n"
	}
	p, err := ReadPatch(id+".yaml", []byte(doc))
	if err != nil {
		t.Fatal(told(err))
	}
	return p
}

func TestOrderPatches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		patches []*Patch
		want    string // ids in order, then what is superseded
		fault   string
	}{
		{"none", nil, "", ""},
		{"by date", []*Patch{somePatch(t, "B", 1), somePatch(t, "A", 2)}, "B A", ""},
		{"by id on one day", []*Patch{somePatch(t, "B", 1), somePatch(t, "A", 1)}, "A B", ""},
		{"required first", []*Patch{somePatch(t, "A", 1, "requires: [B]"), somePatch(t, "B", 2)}, "B A", ""},
		{"through several", []*Patch{somePatch(t, "A", 1, "requires: [B]"), somePatch(t, "B", 2, "requires: [C]"), somePatch(t, "C", 3)}, "C B A",
			""},
		{"superseded", []*Patch{somePatch(t, "A", 1), somePatch(t, "B", 2, "supersedes: [A]")}, "B, A by B", ""},
		{"superseded in a chain", []*Patch{somePatch(t, "A", 1), somePatch(t, "B", 2, "supersedes: [A]"),
			somePatch(t, "C", 3, "supersedes: [B]")}, "C, A by C, B by C", ""},
		{"supersedes what is not given", []*Patch{somePatch(t, "B", 2, "supersedes: [A]")}, "B", ""},
		{"requires what is superseded", []*Patch{somePatch(t, "A", 1), somePatch(t, "B", 1, "requires: [A]"),
			somePatch(t, "C", 3, "supersedes: [A]")}, "C B, A by C", ""},
		{"requires what is superseded and not given", []*Patch{somePatch(t, "B", 1, "requires: [A]"), somePatch(t, "C", 3, "supersedes: [A]")},
			"C B", ""},
		{"conflict with what is superseded", []*Patch{somePatch(t, "A", 1), somePatch(t, "B", 2, "supersedes: [A]"),
			somePatch(t, "C", 3, "conflicts: [A]")}, "B C, A by B", ""},
		{"twice", []*Patch{somePatch(t, "A", 1), somePatch(t, "A", 1)}, "", "patch A is given twice, first as A.yaml"},
		{"missing", []*Patch{somePatch(t, "A", 1, "requires: [B]")}, "", "patch A requires patch B, which is not given"},
		{"conflict", []*Patch{somePatch(t, "A", 1), somePatch(t, "B", 2, "conflicts: [A]")}, "", "patches B and A are in conflict: B says so"},
		{"circle of two", []*Patch{somePatch(t, "A", 1, "requires: [B]"), somePatch(t, "B", 2, "requires: [A]")}, "",
			"patches need each other in a circle: A → B → A"},
		{"circle of three", []*Patch{somePatch(t, "A", 1, "requires: [B]"), somePatch(t, "B", 2, "supersedes: [C]"),
			somePatch(t, "C", 3, "requires: [A]")}, "", "in a circle: A → B → C → A"},
		{"each supersedes the other", []*Patch{somePatch(t, "A", 1, "supersedes: [B]"), somePatch(t, "B", 2, "supersedes: [A]")}, "",
			"in a circle: A → B → A"},
		// C stands for A, and so needs itself by way of B.
		{"circle through what supersedes", []*Patch{somePatch(t, "B", 1, "requires: [A]"),
			somePatch(t, "C", 3, "supersedes: [A]", "requires: [B]")}, "", "patches need each other in a circle"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for range 10 {
				patches := slices.Clone(test.patches)
				if test.fault == "" {
					rand.Shuffle(len(patches), func(i, j int) { patches[i], patches[j] = patches[j], patches[i] })
				}
				ordered, superseded, err := orderPatches(patches)
				var ids []string
				for _, p := range ordered {
					ids = append(ids, p.ID())
				}
				got := strings.Join(ids, " ")
				for _, s := range superseded {
					got += ", " + s.Patch.ID() + " by " + s.By
				}
				switch {
				case test.fault != "" && (err == nil || !strings.Contains(err.Error(), test.fault)):
					t.Fatalf("it says %v, not %q", err, test.fault)
				case test.fault == "" && (err != nil || got != test.want):
					t.Fatalf("order is %q (%v), not %q", got, err, test.want)
				}
			}
		})
	}
}

const patchedBase = `
apiVersion: island/v1
kind: Release
metadata: {name: wire, version: 1.2.0, date: 2026-03-31, sequence: 7}
platforms: [linux/amd64]
charts:
  - {name: brig, repo: "https://example.com/charts", version: 1.0.0, values: [brig.yaml], namespace: wire, meta: {commit: abc}}
  - {name: galley, repo: "https://example.com/charts", version: 1.0.0}
images:
  - {name: "registry.k8s.io/pause:3.9"}
files:
  - {url: "https://example.com/kubelet", sha256: ` + someHex + `, destination: bin/kubelet, group: binaries}
`

func TestLayPatches(t *testing.T) {
	t.Parallel()
	base, err := readAndCheck("r.yaml", patchedBase)
	if err != nil {
		t.Fatal(told(err))
	}
	file := "sha256: " + someHex + ", url: \"https://example.com/k2\""
	patches := []*Patch{
		somePatch(t, "A", 1, "release: {version: 1.2.1, sequence: 9}",
			"changes: {charts: [{name: brig, version: 1.0.1}], files: [{destination: bin/kubelet, "+file+"}]}"),
		somePatch(t, "B", 2, "release: {version: 1.2.2, sequence: 8}",
			"changes: {add: {charts: [{name: cannon, repo: \"https://example.com/other\", version: 2.0.0}], images: [{name: \"quay.io/x/y:1\"}], "+
				"files: [{destination: bin/new, "+file+"}]}, remove: {charts: [galley], images: [\"registry.k8s.io/pause:3.9\"]}}"),
	}
	before := fmt.Sprintf("%+v", *base)
	patched, err := LayPatches(base, patches)
	if err != nil {
		t.Fatal(told(err))
	}
	if after := fmt.Sprintf("%+v", *base); after != before {
		t.Error("the release was changed")
	}
	r := patched.Release
	brig := r.ChartNamed("brig")
	if brig.Version != "1.0.1" || brig.Repo == "" || brig.Namespace != "wire" || len(brig.Values) != 1 || brig.Meta.Commit != "" {
		t.Errorf("brig is %+v", *brig)
	}
	if r.ChartNamed("galley") != nil || r.ChartNamed("cannon") == nil || len(r.Images) != 1 || r.Images[0].Name != "quay.io/x/y:1" {
		t.Errorf("charts %v, images %v", r.Charts, r.Images)
	}
	if len(r.Files) != 2 || r.Files[0].URL != "https://example.com/k2" {
		t.Errorf("files %v", r.Files)
	}
	if m := r.Metadata; m.Version != "1.2.2" || m.Sequence != 9 || m.Date.String() != "2026-04-02" {
		t.Errorf("it became %+v", m)
	}
	want := &Patched{Charts: map[string]string{"brig": "A", "cannon": "B"}, Images: map[string]string{"quay.io/x/y:1": "B"},
		Files: map[string]string{"bin/kubelet": "A", "bin/new": "B"}}
	if !reflect.DeepEqual(patched.Charts, want.Charts) || !reflect.DeepEqual(patched.Images, want.Images) ||
		!reflect.DeepEqual(patched.Files, want.Files) {
		t.Errorf("decided: %v %v %v", patched.Charts, patched.Images, patched.Files)
	}
	if !patched.Later("B", "A") || patched.Later("A", "B") {
		t.Error("A is not before B")
	}
	// Whatever the order of the arguments, the result is the same.
	other, err := LayPatches(base, []*Patch{patches[1], patches[0]})
	if err != nil || !reflect.DeepEqual(other.Release, patched.Release) {
		t.Errorf("in another order it is another release (%v)", err)
	}
}

// What is removed is removed where the release has it, in each of its versions.
func TestNamespacesOfWhatPatchesRemove(t *testing.T) {
	t.Parallel()
	more := `
  - {name: galley, repo: "https://example.com/charts", version: 1.1.0, namespace: wire}
  - {name: galley, repo: "https://example.com/charts", version: 1.2.0, namespace: wire}
  - {name: spar, repo: "https://example.com/charts", version: 1.0.0}
images:`
	base, err := readAndCheck("r.yaml", strings.Replace(patchedBase, "\nimages:", more, 1))
	if err != nil {
		t.Fatal(told(err))
	}
	patched, err := LayPatches(base, []*Patch{somePatch(t, "A", 1, "changes: {remove: {charts: [galley, spar]}}"),
		somePatch(t, "B", 2, "changes: {remove: {charts: [brig]}}")})
	if err != nil {
		t.Fatal(told(err))
	}
	if want := map[string][]string{"brig": {"wire"}, "galley": {"", "wire"}}; !reflect.DeepEqual(patched.Namespaces, want) {
		t.Errorf("got %v", patched.Namespaces)
	}
}

func TestLayPatchesRefuses(t *testing.T) {
	t.Parallel()
	base, err := readAndCheck("r.yaml", patchedBase)
	if err != nil {
		t.Fatal(told(err))
	}
	file := "sha256: " + someHex + ", url: \"https://example.com/k2\""
	brig := "changes: {charts: [{name: brig, version: 1.0.1}]}"
	for _, test := range []struct {
		name    string
		patches []*Patch
		want    string
	}{
		{"same chart", []*Patch{somePatch(t, "A", 1, brig), somePatch(t, "B", 2, brig)},
			"B.yaml:5:19: changes.charts: patches A and B both change chart brig"},
		{"same chart, one requires the other", []*Patch{somePatch(t, "A", 1, brig), somePatch(t, "B", 2, "requires: [A]", brig)},
			"patches A and B both change chart brig"},
		{"changed and removed", []*Patch{somePatch(t, "A", 1, brig), somePatch(t, "B", 2, "changes: {remove: {charts: [brig]}}")},
			"both change chart brig"},
		{"same image", []*Patch{somePatch(t, "A", 1, "changes: {images: [{image: \"a/b:1\", tag: x}]}"),
			somePatch(t, "B", 2, "changes: {images: [{image: \"docker.io/a/b:1\", tag: y}]}")}, "both change image docker.io/a/b:1"},
		{"repository and exact image", []*Patch{somePatch(t, "A", 1, "changes: {images: [{image: a/b, tag: x}]}"),
			somePatch(t, "B", 2, "changes: {images: [{image: \"a/b:1\", tag: y}]}")}, "both change images of docker.io/a/b"},
		{"same value", []*Patch{somePatch(t, "A", 1, "changes: {images: [{image: a/b, tag: x, values: [{chart: c, path: tag}]}]}"),
			somePatch(t, "B", 2, "changes: {images: [{image: a/c, tag: x, values: [{chart: c, path: tag}]}]}")}, "both change value tag of chart c"},
		{"same file", []*Patch{somePatch(t, "A", 1, "changes: {files: [{destination: bin/kubelet, "+file+"}]}"),
			somePatch(t, "B", 2, "changes: {remove: {files: [bin/kubelet]}}")}, "both change file bin/kubelet"},
		{"another release", []*Patch{somePatch(t, "A", 1, brig, "conflicts: []"),
			readPatch(t, strings.Replace(wholePatch, "requires: [WIRE-2026-000]\n", "", 1))},
			"patch WIRE-2026-001 is for wire >=2026.1 <2026.2, not for wire 1.2.0"},
		{"no such chart", []*Patch{somePatch(t, "A", 1, "changes: {charts: [{name: nonesuch, version: 1.0.0}]}")},
			`patch A changes chart "nonesuch", which the release does not have`},
		{"no such chart to remove", []*Patch{somePatch(t, "A", 1, "changes: {remove: {charts: [nonesuch]}}")},
			`patch A changes chart "nonesuch", which the release does not have`},
		{"no such file", []*Patch{somePatch(t, "A", 1, "changes: {files: [{destination: bin/nonesuch, "+file+"}]}")},
			`changes file "bin/nonesuch"`},
		{"no such image to remove", []*Patch{somePatch(t, "A", 1, "changes: {remove: {images: [nonesuch]}}")}, `changes image "nonesuch"`},
		{"chart there already",
			[]*Patch{somePatch(t, "A", 1, "changes: {add: {charts: [{name: brig, repo: \"https://x.example\", version: 1.0.0}]}}")},
			`patch A adds chart "brig", which the release has already`},
		{"image there already", []*Patch{somePatch(t, "A", 1, "changes: {add: {images: [{name: \"registry.k8s.io/pause:3.9\"}]}}")},
			"which the release has already"},
		{"added chart from nowhere", []*Patch{somePatch(t, "A", 1, "changes: {add: {charts: [{name: new, version: 1.0.0}]}}")},
			`overlay chart "new" is not in the release`},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := LayPatches(base, test.patches)
			if got := strings.Join(told(err), "\n"); !strings.Contains(got, test.want) {
				t.Errorf("it says %q, not %q", got, test.want)
			}
			if fault.ExitCode(err) != int(fault.Usage) {
				t.Errorf("exit code %d", fault.ExitCode(err))
			}
		})
	}
	if _, err := LayPatches(base, make([]*Patch, MaxPatches+1)); err == nil {
		t.Error("more patches than the limit are laid")
	}
}

func day(t testing.TB, s string) Date {
	t.Helper()
	d, err := ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func readPatch(t *testing.T, doc string) *Patch {
	t.Helper()
	p, err := ReadPatch("p.yaml", []byte(doc))
	if err != nil {
		t.Fatal(told(err))
	}
	return p
}

func TestAppliesTo(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		versions, version string
		want              bool
	}{
		{"1.0.0-144", "1.0.0-144", true},
		{"1.0.0-144", "1.0.0-151", false},
		{">=1.0.0-140 <1.0.0-150", "1.0.0-144", true},
		{">=1.0.0-140 <1.0.0-150", "1.0.0-151", false},
		{">=2026.1.0 <2026.2.0", "2026.1", true},
		{">=2026.1.0 <2026.2.0", "2026.1.7", true},
		{">=2026.1.0 <2026.2.0", "2026.2.0", false},
		{">=2026.1.0", "main", false},
	} {
		if got := (Applicability{Release: "wire", Versions: test.versions}).For("wire", test.version); got != test.want {
			t.Errorf("%q for %q: %t", test.versions, test.version, got)
		}
	}
	if (Applicability{Release: "wire", Versions: ">=0.0.0"}).For("other", "1.0.0") {
		t.Error("a patch for wire is for other")
	}
}

func TestImageOverride(t *testing.T) {
	t.Parallel()
	a, b := "sha256:"+strings.Repeat("a", 64), "sha256:"+strings.Repeat("b", 64)
	ref := func(s string) ImageRef {
		r, err := ParseImageRef(s)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for _, test := range []struct {
		name               string
		override           ImageOverride
		image              string
		matches, satisfied bool
		target             string
	}{
		{"repository", ImageOverride{Image: "quay.io/w/brig", Tag: "2"}, "quay.io/w/brig:1", true, false, "quay.io/w/brig:2"},
		{"repository, done", ImageOverride{Image: "quay.io/w/brig", Tag: "2"}, "quay.io/w/brig:2", true, true, "quay.io/w/brig:2"},
		{"another repository", ImageOverride{Image: "quay.io/w/brig", Tag: "2"}, "quay.io/w/brig-schema:1", false, false,
			"quay.io/w/brig-schema:2"},
		{"short name", ImageOverride{Image: "redis:6", Tag: "7"}, "docker.io/library/redis:6", true, false, "docker.io/library/redis:7"},
		{"exact", ImageOverride{Image: "quay.io/w/brig:1", Tag: "2"}, "quay.io/w/brig:3", false, false, "quay.io/w/brig:2"},
		{"exact by digest", ImageOverride{Image: "a.io/b@" + a, Digest: Digest(b)}, "a.io/b@" + a, true, false, "a.io/b@" + b},
		{"digest keeps the tag", ImageOverride{Image: "a.io/b:1", Digest: Digest(b)}, "a.io/b:1", true, false, "a.io/b:1@" + b},
		{"digest, done", ImageOverride{Image: "a.io/b", Digest: Digest(b)}, "a.io/b:1@" + b, true, true, "a.io/b:1@" + b},
		{"old digest goes", ImageOverride{Image: "a.io/b", Tag: "2"}, "a.io/b:1@" + a, true, false, "a.io/b:2"},
		{"tag and digest, by tag", ImageOverride{Image: "a.io/b", Tag: "2", Digest: Digest(b)}, "a.io/b:2", true, true, "a.io/b:2@" + b},
		{"tag and another digest", ImageOverride{Image: "a.io/b", Tag: "2", Digest: Digest(b)}, "a.io/b:2@" + a, true, false, "a.io/b:2@" + b},
	} {
		image := ref(test.image)
		if got := test.override.Matches(image); got != test.matches {
			t.Errorf("%s: matches %t", test.name, got)
		}
		if got := test.override.Satisfied(image); got != test.satisfied {
			t.Errorf("%s: satisfied %t", test.name, got)
		}
		if got := test.override.Target(image).String(); got != test.target {
			t.Errorf("%s: becomes %s, not %s", test.name, got, test.target)
		}
	}
}

func TestSetValues(t *testing.T) {
	t.Parallel()
	tree := map[string]any{"brig": map[string]any{"image": map[string]any{"tag": "1", "repository": "r"}}}
	got := SetValues(tree, []ValuesPath{{Path: "brig.image.tag", Value: "2"}, {Path: "new.deep", Value: "x"}})
	want := map[string]any{
		"brig": map[string]any{"image": map[string]any{"tag": "2", "repository": "r"}},
		"new":  map[string]any{"deep": "x"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
	if tree["brig"].(map[string]any)["image"].(map[string]any)["tag"] != "1" || len(tree) != 1 {
		t.Error("the tree itself was changed")
	}
}

// Real manifests: what changed from one quarter's release to the next is a
// patch, and laid over the first it gives the second.
// What cannot be made a patch of is told by what was meant, and never by lines of a
// text that nobody has seen.
func TestPatchFromMistakes(t *testing.T) {
	t.Parallel()
	release := func(charts string) *Release {
		r, err := Read("build.json", []byte(`{"version": "1.0.0-7", "helmCharts": {`+charts+`}}`))
		if err != nil {
			t.Fatal(told(err))
		}
		return r
	}
	const sftd = `"sftd": {"repo": "https://example.com/a", "version": "2.0.0"}`
	older := release(`"brig": {"repo": "https://example.com/a", "version": "1.0.0"}, ` + sftd)
	newer := release(`"brig": {"repo": "https://example.com/a", "version": "1.0.1"}, ` + sftd)
	metadata := PatchMetadata{ID: "P", Date: day(t, "2026-06-30"), Severity: SeverityHigh, Summary: Text{En: "all of it"}}
	for _, test := range []struct {
		newer      *Release
		charts     []string
		want, hint string
	}{
		{newer, []string{"birg"}, "chart birg: neither release has the chart", "did you mean brig?"},
		{newer, []string{"brig", "sftd"}, "chart sftd: chart 2.0.0 is the same in both releases", "leave it out"},
	} {
		_, _, err := PatchFrom(older, test.newer, test.charts, metadata, PatchFiles{})
		all := fault.All(err)
		if len(all) != 1 || all[0].Error() != test.want || !strings.Contains(all[0].Hint, test.hint) || all[0].Kind != fault.Usage {
			t.Errorf("%q: told %s, want %q with the hint %q", test.charts, told(err), test.want, test.hint)
		}
	}
	p, _, err := PatchFrom(older, newer, []string{"brig", "brig"}, metadata, PatchFiles{})
	if err != nil || len(p.Changes.Charts) != 1 {
		t.Errorf("a chart that is named twice: %v, %v", p, err)
	}
	p.AppliesTo.Release, p.Metadata.Deadline = "wire", day(t, "2026-01-01")
	_, err = EncodePatch(p)
	if want := "metadata.deadline: deadline 2026-01-01 is before"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("a deadline in the past: %v, want %q", err, want)
	}
}

// A patch of two releases has what differs and nothing of what does not, and laid over the
// first gives each rendering of its charts the values of the second, but for what stays.
func TestPatchFromTakesWhatDiffers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		older, newer string // what the entry of the chart says, in flow style
		want         string // of the patch's entry, but for the archive
		stays        string
		same         bool // but for what stays
	}{
		"another version": {
			older: "version: 1.0.0, tags: {federation: true}, set: {config: {dns: a.example}, list: [1]}, namespace: web, as: upgrade",
			newer: "version: 1.0.1, tags: {federation: true}, set: {config: {dns: a.example}, list: [1]}, namespace: web, as: upgrade",
			want:  "{}",
		},
		"values one by one": {
			older: `version: 1.0.0, set: {config: {dns: a.example, port: 80, gone: {x: 1}}, list: [1, 2], text: "1.10", off: true, deep: 5}`,
			newer: `version: 1.0.1, set: {config: {dns: a.example, port: 81, gone: null}, list: [1, 3], text: 1.10, off: null,
				deep: {a: {}}, "a.b": x}`,
			want: `{set: {config: {port: 81, gone: null}, list: [1, 3], text: 1.1, off: null, deep: {a: {}}, a.b: x}}`,
		},
		"what is not set any more": {
			older: `version: 1.0.0, tags: {federation: true, legal: true}, set: {config: {dns: a.example, "x.y": 1}, all: {a: 1}}, namespace: web,
				kubeVersion: 1.29.1, apiVersions: [a/v1], images: ["a.io/b:1"], secrets: [s.yaml],
				renderings: [{name: old}, {name: both, set: {own: 1}}]`,
			newer: `version: 1.0.1, tags: {legal: true}, set: {config: {dns: a.example}}, renderings: [{name: both}]`,
			want:  "{}",
			stays: `its namespace, image a.io/b:1, its kubeVersion, API version a/v1, secrets s.yaml, all.a, config.x\.y, tags.federation, ` +
				`own (rendering both), rendering old`,
		},
		"no more than not to set": {
			older: "version: 1.0.0, tags: {federation: true}", newer: "version: 1.0.0", stays: "tags.federation", same: true,
		},
		"tags": {
			older: "version: 1.0.0, tags: {federation: true, legal: false}, set: {tags: {sftd: true}}",
			newer: "version: 1.0.0, tags: {federation: false, legal: false}, set: {tags: {sftd: true}}",
			want:  "{tags: {federation: false}}",
		},
		"tags that are no tags": {
			older: "version: 1.0.0, tags: {legal: false}", newer: "version: 1.0.0, tags: {legal: true}, set: {tags: {sftd: 'yes'}}",
			want: "{set: {tags: {sftd: 'yes', legal: true}}}",
		},
		"files by what is in them": {
			older: "version: 1.0.0, values: [old/base.yaml, old/same.yaml], secrets: [old/secrets.yaml]",
			newer: "version: 1.0.1, values: [new/same.yaml, new/base.yaml], secrets: [new/secrets.yaml, new/more.yaml]",
			want:  "{secrets: [new/more.yaml], set: {tag: \"2\", hosts: [b]}}",
		},
		"from a file to the entry": {
			older: "version: 1.0.0, values: [old/same.yaml]", newer: "version: 1.0.1, set: {shared: {a: 1, b: two}}", want: "{}",
		},
		"the rest of an entry": {
			older: "version: 1.0.0, kubeVersion: 1.29.1, apiVersions: [a/v1], images: ['a.io/b:1']",
			newer: "version: 1.0.1, kubeVersion: 1.30.1, apiVersions: [a/v1, b/v1], images: ['a.io/b:1', 'a.io/c:1'], namespace: web, " +
				"as: install, for: '>=1.0.1'",
			want: "{for: '>=1.0.1', namespace: web, kubeVersion: 1.30.1, apiVersions: [b/v1], images: ['a.io/c:1'], as: install}",
		},
		"renderings": {
			older: `version: 1.0.0, set: {a: 1, b: 1, c: 1}, renderings: [{name: same, set: {x: 1}},
				{name: over, set: {a: 2, y: 1}, tags: {t: true}}]`,
			newer: `version: 1.0.1, set: {a: 3, b: 1, c: 2}, renderings: [{name: same, set: {x: 1}},
				{name: over, set: {a: 2, y: 2}, tags: {t: true}}, {name: more, values: [new/base.yaml], as: install}, {name: bare}]`,
			want: `{set: {a: 3, c: 2}, renderings: [{name: over, set: {a: 2, y: 2}},
				{name: more, set: {tag: "2", hosts: [b], same: x}, as: install}, {name: bare}]}`,
		},
		"a rendering that sets what the chart sets now": {
			older: `version: 1.0.0, set: {a: 1}, renderings: [{name: r, set: {a: 2}}]`,
			newer: `version: 1.0.1, set: {a: 2}, renderings: [{name: r}]`,
			want:  `{set: {a: 2}}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			older, newer := releaseOf(t, "1.0.0", test.older), releaseOf(t, "1.0.1", test.newer)
			metadata := PatchMetadata{ID: "P", Date: day(t, "2026-06-30"), Severity: SeverityHigh, Summary: Text{En: "it"}}
			p, stays, err := PatchFrom(older, newer, nil, metadata, filesInMemory)
			if err != nil {
				t.Fatal(told(err))
			}
			told := ""
			if len(stays) > 0 {
				told = strings.TrimPrefix(stays[0].Text, "portal: the newer release does not say any more, and with the patch it stays: ")
			}
			if told != test.stays {
				t.Errorf("stays: %s", told)
			}
			if test.same {
				if len(p.Changes.Charts) != 0 {
					t.Errorf("it takes %+v", p.Changes.Charts)
				}
				_, _, err := PatchFrom(older, newer, []string{"portal"}, metadata, filesInMemory)
				if err == nil || !strings.Contains(err.Error(), test.stays) {
					t.Errorf("named, it says %v", err)
				}
				return
			}
			entry := p.Changes.Charts[0]
			if entry.Version != newer.Charts[0].Version {
				t.Errorf("the patch has version %q", entry.Version)
			}
			entry.Name, entry.Repo, entry.Version = "", "", ""
			if got := asYAML(t, entry); !reflect.DeepEqual(yamlValue(t, got), yamlValue(t, test.want)) {
				t.Errorf("the patch has\n%s", got)
			}
			text, err := EncodePatch(p)
			if err != nil {
				t.Fatal(err)
			}
			patched, err := LayPatches(older, []*Patch{readPatch(t, string(text))})
			if err != nil {
				t.Fatal(err)
			}
			if test.stays == "" {
				sameRenderings(t, patched.Release.Charts[0], newer.Charts[0])
			}
		})
	}
}

func releaseOf(t *testing.T, version, chart string) *Release {
	t.Helper()
	r, err := Read("r.yaml", []byte("apiVersion: island/v1\nkind: Release\nmetadata: {name: acme, version: "+version+
		", date: 2026-04-01}\nplatforms: [linux/amd64]\ncharts: [{name: portal, repo: 'https://example.com/charts', "+chart+"}]\n"))
	if err != nil {
		t.Fatal(told(err))
	}
	return r
}

// valuesInMemory are values files of two releases.
var valuesInMemory = map[string]string{
	"old/base.yaml": `{tag: "1", hosts: [a], same: x}`, "new/base.yaml": `{tag: "2", hosts: [b], same: x}`,
	"old/same.yaml": `{shared: {a: 1, b: two}}`, "new/same.yaml": `{shared: {a: 1, b: two}}`,
	"old/secrets.yaml": "{hush: 1}", "new/secrets.yaml": "{hush: 1}", "new/more.yaml": "{hush: 2}",
}

var filesInMemory = PatchFiles{
	Values: func(files []string, set map[string]any) (map[string]any, error) {
		var merged map[string]any
		for _, file := range files {
			var values map[string]any
			if err := yaml.Unmarshal([]byte(valuesInMemory[file]), &values); err != nil {
				return nil, err
			}
			merged = LayValues(merged, values)
		}
		return LayValues(merged, set), nil
	},
	Read: func(file string) ([]byte, error) { return []byte(valuesInMemory[file]), nil },
}

// sameRenderings holds two charts against each other, as they are rendered.
func sameRenderings(t *testing.T, got, want Chart) {
	t.Helper()
	got.Patched = slices.Clone(got.Patched)
	for i, p := range got.Patched {
		got.Patched[i].Values = WithTags(p.Set, p.Tags)
	}
	got.Over = got.ValuesOver("")
	names, are := got.RenderingsOf(nil)
	wanted, should := want.RenderingsOf(nil)
	if !slices.Equal(names, wanted) {
		t.Fatalf("renderings are %q", names)
	}
	for i, is := range are {
		values := LayValues(WithTags(must(filesInMemory.Values(is.Values, is.Set)), is.TagsUnder()), is.Over)
		if want := WithTags(must(filesInMemory.Values(should[i].Values, should[i].Set)), should[i].Tags); asYAML(t, values) != asYAML(t, want) {
			t.Errorf("rendering %s has\n%s\nand not\n%s", names[i], asYAML(t, values), asYAML(t, want))
		}
		if is.Namespace != should[i].Namespace || is.KubeVersion != should[i].KubeVersion || is.As != should[i].As ||
			!slices.Equal(is.APIVersions, should[i].APIVersions) || !slices.Equal(is.Images, should[i].Images) {
			t.Errorf("rendering %s is %+v, not %+v", names[i], is, should[i])
		}
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func asYAML(t *testing.T, value any) string {
	t.Helper()
	text, err := EncodeYAML(value, 2)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func yamlValue(t *testing.T, text string) map[string]any {
	t.Helper()
	var value map[string]any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	delete(value, "name")
	return value
}

func TestPatchFromRealBuilds(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "..", "shared", "wire-builds")
	var releases []*Release
	for _, name := range []string{"2026-q1.json", "2026-q2.json"} {
		data, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Skip("the real manifests are not at hand")
		}
		r, err := Read(name, data)
		if err != nil {
			t.Fatal(told(err))
		}
		r.Metadata.Name = "wire"
		releases = append(releases, r)
	}
	metadata := PatchMetadata{ID: "Q2", Date: day(t, "2026-06-30"), Severity: SeverityHigh, Summary: Text{En: "all of it"}}
	p, _, err := PatchFrom(releases[0], releases[1], nil, metadata, PatchFiles{})
	if err != nil {
		t.Fatal(err)
	}
	var changed []string
	for _, c := range p.Changes.Charts {
		changed = append(changed, c.Name+" "+c.Version)
	}
	if got := strings.Join(changed, ", "); got != "team-settings 0.16.0, webapp 0.8.0-pre.3297, wire-server 5.32.0" {
		t.Errorf("changed: %s", got)
	}
	text, err := EncodePatch(p)
	if err != nil {
		t.Fatal(told(err))
	}
	patched, err := LayPatches(releases[0], []*Patch{readPatch(t, string(text))})
	if err != nil {
		t.Fatal(told(err))
	}
	for _, want := range releases[1].Charts {
		if got := patched.Release.ChartNamed(want.Name); got == nil || !sameChart(*got, want) {
			t.Errorf("chart %s became %+v, not %+v", want.Name, got, want)
		}
	}
	chosen, _, err := PatchFrom(releases[0], releases[1], []string{"wire-server"}, metadata, PatchFiles{})
	if err != nil || len(chosen.Changes.Charts) != 1 {
		t.Errorf("chosen: %+v, %v", chosen, err)
	}
}

func FuzzReadPatch(f *testing.F) {
	f.Add([]byte(wholePatch))
	f.Add([]byte(`{"apiVersion": "island/v1", "kind": "Patch", "metadata": {"id": "A", "date": "2026-04-14", "severity": "none", ` +
		`"summary": {"en": "a"}}, "appliesTo": {"release": "wire", "versions": "*"}, "changes": {"remove": {"charts": ["a"]}}}`))
	f.Add([]byte("apiVersion: island/v1\nkind: Patch\nchanges: {images: [{image: a/b, tag: x, values: [{chart: c, path: a.b.c}]}]}\n"))
	base, err := readAndCheck("r.yaml", patchedBase)
	if err != nil {
		f.Fatal(told(err))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ReadPatch("p.yaml", data)
		if err != nil {
			if strings.HasPrefix(told(err)[0], "unexplained") {
				t.Errorf("an error without a place: %v", err)
			}
			return
		}
		// What is read can be written, and means the same then.
		text, err := EncodePatch(p)
		if err != nil {
			t.Fatalf("it cannot be written again: %v", told(err))
		}
		again, err := ReadPatch("p.yaml", text)
		if err != nil {
			t.Fatal(told(err))
		}
		first, firstErr := LayPatches(base, []*Patch{p})
		second, secondErr := LayPatches(base, []*Patch{again})
		if (firstErr == nil) != (secondErr == nil) {
			t.Fatalf("once %v, then %v", firstErr, secondErr)
		}
		if firstErr == nil && fmt.Sprint(first.Charts, first.Files, first.Images) != fmt.Sprint(second.Charts, second.Files, second.Images) {
			t.Error("written and read again it decides something else")
		}
	})
}

// The guide's example is a patch, and the guide names every field there is.
func TestPatchGuideIsTrue(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile(filepath.Join("..", "docs", "patches.md"))
	if err != nil {
		t.Fatal(err)
	}
	documents := 0
	for _, match := range yamlFence.FindAllStringSubmatch(string(guide), -1) {
		if !strings.Contains(match[1], "apiVersion:") {
			continue
		}
		documents++
		if _, err := ReadPatch("guide", []byte(match[1])); err != nil {
			t.Errorf("%q in\n%s", told(err), match[1])
		}
		if err := validate(t, schematest.Compile(t, schemaFile(patchSchema)), match[1]); err != nil {
			t.Error(err)
		}
	}
	if documents == 0 {
		t.Error("the guide has no whole patch")
	}
	for _, typ := range []string{"Patch", "PatchMetadata", "Vulnerability", "CVSS", "Applicability", "Becomes", "Changes", "Additions",
		"Removals", "ImageOverride"} {
		def := makePatchSchema(nil)["$defs"].(object)[typ].(object)
		for field := range def["properties"].(object) {
			if !regexp.MustCompile("[`. \n]" + field + "[`:.,]").Match(guide) {
				t.Errorf("the guide does not explain %s.%s", typ, field)
			}
		}
	}
}

// A hostile patch is refused or read in time: nothing in it is compared each
// with each.
func TestHugePatchIsReadInTime(t *testing.T) {
	t.Parallel()
	var doc strings.Builder
	doc.WriteString(wholePatch[:strings.Index(wholePatch, "changes:")] + "changes:\n  images:\n")
	for i := 0; doc.Len() < 1<<20; i++ {
		fmt.Fprintf(&doc, "    - {image: a.io/b%d, tag: x, values: [{chart: c, path: p%d}]}\n", i, i)
	}
	start := time.Now()
	p, err := ReadPatch("p.yaml", []byte(doc.String()))
	if err != nil {
		t.Fatal(told(err)[0])
	}
	if took := time.Since(start); took > time.Minute {
		t.Errorf("%d overrides took %v", len(p.Changes.Images), took)
	}
}

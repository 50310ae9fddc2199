package manifests

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

func TestCycles(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ date, later, cycle, next string }{
		{"2026-03-31", "2026-09-30", "2026-H1", "2026-H2"}, // September has 30 days
		{"2025-08-31", "2026-02-28", "2025-H2", "2026-H1"},
		{"2023-08-31", "2024-02-29", "2023-H2", "2024-H1"},
		{"2026-06-30", "2026-12-30", "2026-H1", "2026-H2"},
		{"2026-07-01", "2027-01-01", "2026-H2", "2027-H1"},
	} {
		d := day(t, test.date)
		if got := d.addMonths(cycleMonths).String(); got != test.later {
			t.Errorf("six months after %s is %s, not %s", test.date, got, test.later)
		}
		if got := cycleOf(d); got != test.cycle {
			t.Errorf("%s is in %s, not %s", test.date, got, test.cycle)
		}
		if got := nextCycle(test.cycle); got != test.next {
			t.Errorf("%s is followed by %s, not %s", test.cycle, got, test.next)
		}
	}
	if got := nextCycle("spring"); got != "" {
		t.Errorf("a cycle of another name is followed by %q", got)
	}
	if got := day(t, "2026-02-27").daysUntil(day(t, "2026-03-02")); got != 3 {
		t.Errorf("%d days", got)
	}
}

func TestStatusOn(t *testing.T) {
	t.Parallel()
	release := LockedRelease{
		Name: "wire", Version: "1.2.5", BaseVersion: "1.2.0", Cycle: "2026-H1", Date: day(t, "2026-03-31"), Expires: day(t, "2027-03-31"),
		Support: Support{From: day(t, "2026-03-31"), Until: day(t, "2026-12-31")},
	}
	has := []LockedPatch{{ID: "A", Supersedes: []string{"Z"}}}
	known := []*Patch{
		somePatch(t, "A", 1), somePatch(t, "B", 2, "requires: [A]"), somePatch(t, "C", 3), somePatch(t, "D", 4, "supersedes: [C]"),
		somePatch(t, "Z", 1), readPatch(t, wholePatch),
	}
	for _, test := range []struct {
		today   string
		overdue bool
		support SupportState
		expired bool
	}{
		{"2026-03-30", false, SupportNotYet, false},
		{"2026-09-30", false, Supported, false},
		{"2026-10-01", true, Supported, false},
		{"2026-12-31", true, Supported, false},
		{"2027-01-01", true, SupportEnded, false},
		{"2027-03-31", true, SupportEnded, false},
		{"2027-04-01", true, SupportEnded, true},
	} {
		s, err := StatusOn(release, has, known, day(t, test.today))
		if err != nil {
			t.Fatal(told(err))
		}
		if s.CycleOverdue != test.overdue || s.Support != test.support || s.Expired != test.expired {
			t.Errorf("on %s: %+v", test.today, s)
		}
		var lacks []string
		for _, p := range s.Lacks {
			lacks = append(lacks, p.ID)
		}
		if got := strings.Join(lacks, " "); got != "B D" || s.NextCycle != "2026-H2" || s.NextDue.String() != "2026-09-30" {
			t.Errorf("lacks %q, next %s on %s", got, s.NextCycle, s.NextDue)
		}
	}
	state := readPatch(t, wholePatch).StateOn(day(t, "2026-04-22"))
	if !state.Overdue || state.AgeDays != 8 || state.Score != 9.8 || len(state.Vulnerabilities) != 2 {
		t.Errorf("%+v", state)
	}
	if readPatch(t, wholePatch).StateOn(day(t, "2026-04-21")).Overdue {
		t.Error("overdue on the day of the deadline")
	}
}

func TestLockedPatchesAreChecked(t *testing.T) {
	t.Parallel()
	patched := func(change func(*Lock)) *Lock {
		l := someLock(t)
		l.Format = 2
		l.Patches = []LockedPatch{{ID: "A", Date: day(t, "2026-04-01"), Severity: SeverityHigh, Digest: digestOf("a")}}
		l.Charts[0].DecidedBy, l.Images[0].DecidedBy, l.Files[0].DecidedBy = "A", "A", "A"
		change(l)
		return l
	}
	remove := func(l *Lock, what, namespace string) {
		l.Patches[0].Removed, l.Patches[0].Namespaces = []string{what}, map[string][]string{"reaper": {namespace}}
	}
	for _, change := range []func(*Lock){
		func(*Lock) {},
		func(l *Lock) { remove(l, "chart reaper", "ops") },
		func(l *Lock) { l.Patches[0].Set = []PatchedValue{{"brig", "", strings.Repeat("a.", 63) + "a", 1}} },
	} {
		if _, err := ReadLock("l.json", encoded(t, patched(change))); err != nil {
			t.Errorf("a good lock is refused: %v", err)
		}
	}
	l := patched(func(l *Lock) { remove(l, "chart reaper", "ops") })
	if l.Format = 0; l.Check() == nil {
		t.Error("a lock of format 1 says where a chart is removed")
	}
	for name, change := range map[string]func(*Lock){
		"chart by a stranger": func(l *Lock) { l.Charts[0].DecidedBy = "B" },
		"image by a stranger": func(l *Lock) { l.Images[0].DecidedBy = "B" },
		"file by a stranger":  func(l *Lock) { l.Files[0].DecidedBy = "B" },
		"twice":               func(l *Lock) { l.Patches = append(l.Patches, l.Patches[0]) },
		"id of a path":        func(l *Lock) { l.Patches[0].ID = "../x" },
		"no digest":           func(l *Lock) { l.Patches[0].Digest = "" },
		"nameless image":      func(l *Lock) { l.Patches[0].Images = []LockedSwap{{}} },
		"values of no chart":  func(l *Lock) { l.Patches[0].Set = []PatchedValue{{"a b", "", "tag", 1}} },
		"values very deep":    func(l *Lock) { l.Patches[0].Set = []PatchedValue{{"brig", "", strings.Repeat("a.", 64) + "a", 1}} },
		"image's very deep":   func(l *Lock) { l.Patches[0].Values = []ValuesPath{{"brig", strings.Repeat("a.", 64) + "a", "1"}} },
		"no namespace's line": func(l *Lock) { remove(l, "chart reaper", "a\nb") },
		"namespace of none":   func(l *Lock) { remove(l, "image reaper", "ops") },
		"versions by ways": func(l *Lock) {
			chart := l.Charts[0]
			for i := range 400 {
				chart.Version, chart.Path = fmt.Sprint("7.0.", i), EntryPath(fmt.Sprintf("charts/%s-7.0.%d.tgz", chart.Name, i))
				l.Charts = append(l.Charts, chart)
				l.Patches[0].Set = append(l.Patches[0].Set, PatchedValue{chart.Name, fmt.Sprint("way-", i), "on", true})
			}
		},
		"rendered for lines": func(l *Lock) { l.Charts[0].Rendered = &LockedRendering{Namespace: "a\nhelm uninstall brig"} },
	} {
		if err := patched(change).Check(); err == nil {
			t.Errorf("%s: it passes", name)
		}
	}
}

func TestSiteValuesAndSteps(t *testing.T) {
	t.Parallel()
	l := &Lock{Patches: []LockedPatch{
		{ID: "A", Date: day(t, "2026-04-01"), Values: []ValuesPath{{"brig", "image.tag", "2"}, {"galley", "tag", "1.0"}},
			Steps: Text{En: "Restart."}},
		{ID: "B", Date: day(t, "2026-04-02"), Values: []ValuesPath{{"brig", "extra.tag", "3"}}},
	}}
	files, err := SiteValues(l)
	if err != nil {
		t.Fatal(err)
	}
	want := `# Give this to Helm after all other values of chart brig: -f
# Decided by A, B.
extra:
    tag: "3"
image:
    tag: "2"
`
	if got := string(files["brig"]); got != want || len(files) != 2 {
		t.Errorf("got\n%s", got)
	}
	// A version that looks like a number stays a string.
	if got := string(files["galley"]); !strings.HasSuffix(got, "tag: \"1.0\"\n") {
		t.Errorf("got\n%s", got)
	}
	if got := string(SiteSteps(l)); got != "A of 2026-04-01\n\n    Restart.\n\n" {
		t.Errorf("steps are %q", got)
	}
	l.Patches[1].Removed = []string{"chart reaper", "image quay.io/x/y:1", "chart spar"}
	l.Patches[1].Namespaces = map[string][]string{"reaper": {"", "wire", "old wire"}}
	wantSteps := "B of 2026-04-02\n\nhelm uninstall reaper --ignore-not-found\n" +
		"helm uninstall reaper --ignore-not-found --namespace wire\n" +
		"helm uninstall reaper --ignore-not-found --namespace 'old wire'\nhelm uninstall spar --ignore-not-found\n" +
		"# images that no chart asks for, and that the bundle does not have any more: name them nowhere\n" +
		"# Images, nach denen kein Chart fragt und die das Bundle nicht mehr hat: nirgends mehr eintragen\n#   quay.io/x/y:1\n\n"
	if got := string(SiteSteps(l)); !strings.HasSuffix(got, wantSteps) {
		t.Errorf("steps are %q", got)
	}
	if SiteSteps(&Lock{}) != nil {
		t.Error("there are steps without patches")
	}
	image := func(name, by, chart string) LockedImage {
		ref, err := ParseImageRef(name)
		if err != nil {
			t.Fatal(err)
		}
		return LockedImage{Name: ref, DecidedBy: by, From: []Origin{{Chart: chart}}}
	}
	fixed, old := image("a.io/fixed:2", "A", ""), image("a.io/fixed:1", "", "")
	l = &Lock{
		Patches: []LockedPatch{
			{
				ID: "A", Date: day(t, "2026-04-01"), Files: []EntryPath{"files/bin/ctr"}, Steps: Text{En: "Restart."},
				Images: []LockedSwap{{Old: old.Name, New: fixed.Name}}, Removed: []string{"file bin/old", "chart reaper", "image a.io/gone:1"},
			},
			{ID: "B", Date: day(t, "2026-04-02"), Files: []EntryPath{"files/bin/two"}},
		},
		Images: []LockedImage{fixed, image("a.io/new:1", "A", ""), image("a.io/same:1", "", ""), image("a.io/of-a-chart:1", "A", "brig")},
	}
	_, steps, _ := strings.Cut(string(SiteSteps(l)), "\n\n")
	want = `A of 2026-04-01

helm uninstall reaper --ignore-not-found
# files of the bundle that are new or changed: put them where the old ones are
# Dateien des Bundles, die neu oder geändert sind: dorthin legen, wo die alten sind
#   files/bin/ctr
# files that the bundle does not have any more: take them away where they are in use
# Dateien, die das Bundle nicht mehr hat: entfernen, wo sie in Gebrauch sind
#   files/bin/old
# images that no chart asks for, new or in place of what stands in brackets: name them where the old ones are named
# Images, nach denen kein Chart fragt, neu oder anstelle dessen in Klammern: dort eintragen, wo die alten eingetragen sind
#   a.io/fixed:2 (a.io/fixed:1)
#   a.io/new:1
# images that no chart asks for, and that the bundle does not have any more: name them nowhere
# Images, nach denen kein Chart fragt und die das Bundle nicht mehr hat: nirgends mehr eintragen
#   a.io/gone:1

A of 2026-04-01

    Restart.

B of 2026-04-02

# files of the bundle that are new or changed: put them where the old ones are
# Dateien des Bundles, die neu oder geändert sind: dorthin legen, wo die alten sind
#   files/bin/two

`
	if steps != want {
		t.Errorf("steps are\n%s", steps)
	}
}

// Locks come from outside, as large as MaxLockBytes: what is made of one costs as much as
// the lock is long, not the square of it. Not in parallel with other tests: it measures
// the whole program.
func TestSiteValuesAndStepsOfVeryMany(t *testing.T) {
	const many = 10_000
	l := &Lock{}
	for i := range many {
		id, name := fmt.Sprintf("P-%06d", i), fmt.Sprintf("chart-%06d", i)
		l.Charts = append(l.Charts, LockedChart{Name: name, Path: EntryPath("charts/" + name + ".tgz")})
		l.Patches = append(l.Patches, LockedPatch{
			ID: id, Date: day(t, "2026-04-01"), Added: []string{name},
			Set:    []PatchedValue{{"shared", "", name, "x"}, {name, "federated", "on", true}},
			Values: []ValuesPath{{"listed", name, "2"}},
		})
	}
	l.Patches[0].Set = append(l.Patches[0].Set, PatchedValue{"shared", "", strings.Repeat("k", 64<<10), "x"})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	trees := SiteTrees(l)
	steps := string(SiteSteps(l))
	runtime.ReadMemStats(&after)
	if got, most := Bytes(after.TotalAlloc-before.TotalAlloc), Bytes(200<<20); got > most {
		t.Errorf("%s are allocated, at most %s are wanted", got, most)
	}
	if len(trees) != many+2 || len(trees["shared"]) != many+1 || len(trees["listed"]) != many {
		t.Errorf("%d files of values", len(trees))
	}
	if got := strings.Count(steps, "\nhelm upgrade chart-"); got != many || !strings.Contains(steps, "P-009999 of 2026-04-01\n\n"+
		"helm upgrade chart-009999 charts/chart-009999.tgz --install --reset-then-reuse-values\n# ") {
		t.Errorf("%d charts are upgraded", got)
	}
}

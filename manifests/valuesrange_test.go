package manifests

import (
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
)

// TestValuesAreForTheirVersion lays entries that say for which versions of a chart
// they are, and looks at which are taken and which are refused.
func TestValuesAreForTheirVersion(t *testing.T) {
	t.Parallel()
	const two = "charts: [{name: brig, for: '<5.30.0-0', values: [old.yaml]}, {name: brig, for: '>=5.30.0-0 <5.33.0-0', values: [new.yaml]}]"
	chart := func(version string) string {
		return "charts: [{name: brig, repo: 'https://c', version: " + version + "}]"
	}
	entry := func(rest string) []string { return []string{"charts: [{name: brig, " + rest + "}]"} }
	late := "4.6.2-federation-wireapp.47"
	for name, test := range map[string]struct {
		base     string
		overlays []string
		builtIn  bool // the overlays are laid over every release
		values   string
		refused  string
		told     int
	}{
		"no range at all":         {chart("5.30.9"), entry("values: [a.yaml]"), false, "a.yaml", "", 0},
		"in range":                {chart("5.30.9"), entry("for: '~5.30', values: [a.yaml]"), false, "a.yaml", "", 0},
		"a pre-release in range":  {chart("5.32.0-pre.3"), entry("for: '>=5.32.0-0 <5.33.0-0', values: [a.yaml]"), false, "a.yaml", "", 0},
		"a pre-release before it": {chart("5.32.0-pre.3"), entry("for: '>=5.32.0', values: [a.yaml]"), false, "a.yaml", ">=5.32.0", 0},
		"Wire's long suffix":      {chart(late), entry("for: '>=4.6.2-0 <4.7.0-0', values: [a.yaml]"), false, "a.yaml", "", 0},
		"the first of two":        {chart("5.28.0"), []string{two}, false, "old.yaml", "", 0},
		"the second of two":       {chart("5.32.0"), []string{two}, false, "new.yaml", "", 0},
		"none of two":             {chart("5.34.0"), []string{two}, false, "new.yaml", "<5.33.0-0", 0},
		"the version comes later": {
			chart("5.28.0"), append(entry("for: '5.32.0', values: [a.yaml]"), chart("5.32.0")), false, "a.yaml", "", 0,
		},
		"the version goes later": {
			chart("5.28.0"), append(entry("for: '5.28.0', values: [a.yaml]"), chart("5.32.0")), false, "a.yaml", "5.28.0", 0,
		},
		"the release's own entry": {
			"charts: [{name: brig, repo: 'https://c', version: 5.28.0, for: '>5.28.0', values: [a.yaml]}]", nil, false, "a.yaml", ">5.28.0", 0,
		},
		"entry without values":   {chart("5.34.0"), entry("for: '<5.30.0-0', tags: {mlsstats: true}"), false, "", "<5.30.0-0", 0},
		"built in, in range":     {chart("5.28.0"), []string{two}, true, "old.yaml", "", 0},
		"built in, out of range": {chart("5.34.0"), []string{two}, true, "new.yaml", "", 1},
		"entries without a range too": {
			chart("5.28.0"), []string{strings.Replace(two, "[{", "[{name: brig, values: [all.yaml]}, {", 1)}, false, "all.yaml old.yaml", "", 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const head = "metadata: {name: wire, version: '1', date: 2026-03-31}\nplatforms: [linux/amd64]\n"
			release, err := laid(t, test.builtIn, head+test.base, test.overlays...)
			expect(t, err)
			brig := release.Charts[0]
			if got := strings.Join(brig.Values, " "); got != test.values {
				t.Errorf("values %q, want %q", got, test.values)
			}
			err = release.Check()
			switch {
			case test.refused == "":
				expect(t, err)
			case fault.ExitCode(err) != 2 || !strings.Contains(err.Error(), "values are for chart brig "+test.refused) &&
				!strings.Contains(err.Error(), test.refused+", and the chart is "+brig.Version):
				t.Errorf("%v, want %s", err, test.refused)
			case !strings.Contains(err.Error(), "over.yaml:3:") && !strings.Contains(err.Error(), "base.yaml:5:"):
				t.Errorf("no place: %v", err)
			}
			advisory := slices.DeleteFunc(brig.Misfits(brig.Version), func(s ValueSet) bool { return !s.Advisory })
			if len(advisory) != test.told {
				t.Errorf("told of %+v", advisory)
			}
		})
	}
}

// TestOthersVouchForBuiltInValues lays an overlay of a person's own over one that is laid over
// every release and does not know the version.
func TestOthersVouchForBuiltInValues(t *testing.T) {
	t.Parallel()
	for vouching, told := range map[string]int{"{name: brig, for: '5.40.0'}": 0, "{name: brig, for: '5.39.0'}": 2, "{name: brig}": 1} {
		release, err := laid(t, true, "charts: [{name: brig, repo: 'https://c', version: 5.40.0}]",
			"charts: [{name: brig, for: '<5.35.0', values: [a.yaml]}]")
		expect(t, err)
		overlay, err := ReadOverlay("ours.yaml", []byte("apiVersion: island/v1\nkind: Overlay\ncharts: ["+vouching+"]"))
		expect(t, err)
		release, err = Lay(release, overlay, false)
		expect(t, err)
		if got := release.Charts[0].Misfits("5.40.0"); len(got) != told {
			t.Errorf("%s: %d misfits, want %d: %+v", vouching, len(got), told, got)
		}
	}
}

func TestRangesAreRanges(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"new", "5.x.y.z", ">= <", "latest"} {
		_, err := ReadOverlay("over.yaml", []byte("apiVersion: island/v1\nkind: Overlay\ncharts: [{name: brig, for: '"+text+"'}]"))
		if fault.ExitCode(err) != 2 || !strings.Contains(err.Error(), "over.yaml:3:") ||
			!strings.Contains(err.Error(), "is not a range of versions") {
			t.Errorf("for: %q gave %v", text, err)
		}
	}
}

// TestRenderedIsChecked alters what a lock says of a chart's values.
func TestRenderedIsChecked(t *testing.T) {
	t.Parallel()
	for name, values := range map[string]LockedValues{
		"from nowhere":          {For: "1.0.0"},
		"secrets with a digest": {From: "s.yaml", Secret: true, Digest: EmptyDigest},
		"secrets that travel":   {From: "s.yaml", Secret: true, Path: "values/brig/s.yaml"},
		"carried elsewhere":     {From: "a.yaml", Path: "files/a.yaml"},
		"others of no versions": {From: "a.yaml", Other: true},
	} {
		chart := LockedChart{Name: "brig", Version: "1.0.0", Rendered: &LockedRendering{Values: []LockedValues{values}}}
		if err := chart.checkRendered(); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	lock := &Lock{Charts: []LockedChart{{Name: "brig", Rendered: &LockedRendering{KubeVersion: "1.29.10"}}}}
	if err := lock.checkFormat(); err == nil {
		t.Error("a lock of format 1 says how a chart was rendered")
	}
	if lock.NeedFormat(0); lock.Format != 2 {
		t.Errorf("needs format %d", lock.Format)
	}
}

package manifests

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
)

// A patched release is another delivery than the one without the patches: neither
// its version nor its sequence is the same, whoever gave which.
func TestPatchedReleaseIsAnother(t *testing.T) {
	t.Parallel()
	says := func(text string) string { return "release: {" + text + "}" }
	for _, test := range []struct {
		name, version string
		sequence      Sequence
		patches       []*Patch
		want          string
		wantSequence  Sequence
		numberedBy    string
	}{
		{"nobody says anything", "1.151.0-rc.1", 7, []*Patch{somePatch(t, "WIRE-2026-001", 1)}, "1.151.0-rc.1+WIRE-2026-001", 8, ""},
		{"two, in the order in which they are laid", "2026.1", 41, []*Patch{somePatch(t, "b", 2), somePatch(t, "a", 3), somePatch(t, "c", 1)},
			"2026.1+c.b.a", 42, ""},
		{"underscores are not known in versions", "5.32.0", 1, []*Patch{somePatch(t, "ACME_7_hot", 1)}, "5.32.0+ACME-7-hot", 2, ""},
		{"a plus is there already", "2026.1+acme.2", 3, []*Patch{somePatch(t, "A", 1), somePatch(t, "B", 2)}, "2026.1+acme.2.A.B", 4, ""},
		{"a release without sequence", "1.1.0", 0, []*Patch{somePatch(t, "A", 1)}, "1.1.0+A", 0, ""},
		{"a release without sequence, a patch with", "1.1.0", 0, []*Patch{somePatch(t, "A", 1, says("sequence: 3"))}, "1.1.0+A", 3, "A"},
		{"a patch says more", "1.2.0", 7, []*Patch{somePatch(t, "A", 1, says("sequence: 20")), somePatch(t, "B", 2)}, "1.2.0+A.B", 20, "A"},
		{"a patch says just as much", "1.2.0", 7, []*Patch{somePatch(t, "A", 1, says("sequence: 8"))}, "1.2.0+A", 8, "A"},
		{"a patch says less", "1.2.0", 7, []*Patch{somePatch(t, "A", 1, says("sequence: 7"))}, "1.2.0+A", 8, ""},
		{"a patch gives a version", "1.2.0", 7, []*Patch{somePatch(t, "A", 1, says("version: 1.2.1"))}, "1.2.1", 8, ""},
		{"a later one does not", "1.2.0", 7, []*Patch{somePatch(t, "A", 1, says("version: 1.2.1")), somePatch(t, "B", 2)}, "1.2.1+B", 8, ""},
		{"the last one does", "1.2.0", 7, []*Patch{somePatch(t, "A", 1), somePatch(t, "B", 2, says("version: 1.2.2"))}, "1.2.2", 8, ""},
		{"a patch gives the version of its base", "1.2.0", 7, []*Patch{somePatch(t, "A", 1, says("version: 1.2.0"))}, "1.2.0+A", 8, ""},
		{"two give the same", "1.2.0", 7,
			[]*Patch{somePatch(t, "A", 1, says("version: 1.2.1")), somePatch(t, "B", 2, says("version: 1.2.1"))}, "1.2.1+B", 8, ""},
		{"two give the same, and one stands between them", "1.2.0", 7,
			[]*Patch{somePatch(t, "A", 1, says("version: 1.2.1")), somePatch(t, "B", 2), somePatch(t, "C", 3, says("version: 1.2.1"))},
			"1.2.1+B.C", 8, ""},
		{"one gives what another has given before", "1.2.0", 7,
			[]*Patch{somePatch(t, "A", 1, says("version: 1.2.1")), somePatch(t, "B", 2, says("version: 1.2.2")),
				somePatch(t, "C", 3, says("version: 1.2.1"))}, "1.2.2+C", 8, ""},
		{"one takes the place of another that gave the same", "1.2.0", 7,
			[]*Patch{somePatch(t, "A", 1, says("version: 1.2.1")), somePatch(t, "B", 2, says("version: 1.2.1"), "supersedes: [A]")}, "1.2.1", 8, ""},
		{"one takes the place of another", "1.2.0", 7,
			[]*Patch{somePatch(t, "A", 1, says("sequence: 90")), somePatch(t, "B", 2, "supersedes: [A]")}, "1.2.0+B", 8, ""},
	} {
		base := &Release{Metadata: Metadata{Name: "wire", Version: test.version, Sequence: test.sequence}}
		patched, err := LayPatches(base, test.patches)
		if err != nil {
			t.Fatalf("%s: %s", test.name, told(err))
		}
		m, by := patched.Release.Metadata, ""
		if patched.NumberedBy != nil {
			by = patched.NumberedBy.ID()
		}
		if m.Version != test.want || m.Sequence != test.wantSequence || by != test.numberedBy {
			t.Errorf("%s: became %s with sequence %d by %q, want %s with %d by %q", test.name, m.Version, m.Sequence, by,
				test.want, test.wantSequence, test.numberedBy)
		}
	}
}

// However many patches there are, the version names files, and is another for
// other patches.
func TestVersionOfManyPatches(t *testing.T) {
	t.Parallel()
	form := regexp.MustCompile(`^1\.0\.0-151\+WIRE-2026-001\.(WIRE-2026-[0-9]{3}\.)*[0-9]+-more-[0-9a-f]{8}$`)
	seen := map[string]bool{}
	var ids []string
	for n := range 300 {
		ids = append(ids, fmt.Sprintf("WIRE-2026-%03d", n+1))
		version := versionWith("1.0.0-151", ids)
		_, err := semver.NewVersion(version)
		if err != nil || len(version) > maxVersion || !releaseVersion.MatchString(version) || seen[version] {
			t.Fatalf("with %d patches it is %s of %d bytes (%v)", n+1, version, len(version), err)
		}
		if n > 10 && !form.MatchString(version) {
			t.Errorf("with %d patches it is %s", n+1, version)
		}
		seen[version] = true
	}
	swapped := append([]string{}, ids...)
	swapped[298], swapped[299] = swapped[299], swapped[298]
	if versionWith("1.0.0-151", ids) == versionWith("1.0.0-151", swapped) {
		t.Error("two lists of patches give one version")
	}
	if got := versionWith(strings.Repeat("1", 100), []string{strings.Repeat("a", 64)}); got != strings.Repeat("1", 100)+"+1-patches-ffe054fe" {
		t.Errorf("an id that does not fit gives %s", got)
	}
	// Where nothing fits any more, whoever checks the release says so.
	if got := versionWith(strings.Repeat("1", 120), []string{"a"}); got != strings.Repeat("1", 120)+"+a" {
		t.Errorf("an id that fits gives %s", got)
	}
	if got := versionWith(strings.Repeat("1", 127), []string{"a", "b"}); releaseVersion.MatchString(got) {
		t.Errorf("%s is taken", got)
	}
}

func TestSequenceHasALimit(t *testing.T) {
	t.Parallel()
	var s Sequence
	for text, fine := range map[string]bool{
		"0": true, "1": true, "9007199254740991": true,
		"9007199254740992": false, "18446744073709551615": false, "18446744073709551616": false, "-1": false, `"1"`: false, "1.5": false,
	} {
		if err := DecodeJSON([]byte(text), &s); (err == nil) != fine {
			t.Errorf("%s as JSON: %v", text, err)
		}
		typed, err := ParseSequence(text)
		if (err == nil) != (fine && text != "0") {
			t.Errorf("%s on the command line: %d, %v", text, typed, err)
		}
	}
	lock := someLock(t)
	for sequence, fine := range map[Sequence]bool{MaxSequence: true, MaxSequence + 1: false} {
		lock.Release.Sequence = sequence
		if err := lock.Check(); (err == nil) != fine {
			t.Errorf("a lock with %d: %v", sequence, err)
		}
	}
	// A release that has the highest cannot be patched.
	base := &Release{Metadata: Metadata{Name: "wire", Version: "1.2.0", Sequence: MaxSequence}}
	patched, err := LayPatches(base, []*Patch{somePatch(t, "A", 1)})
	if err != nil {
		t.Fatal(err)
	}
	const want = "metadata.sequence: sequence 9007199254740992 is above"
	if err := patched.Release.Check(); !strings.Contains(strings.Join(told(err), "\n"), want) {
		t.Errorf("told %s", told(err))
	}
}

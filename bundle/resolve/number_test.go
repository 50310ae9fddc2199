package resolve_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// after is what is known of deliveries before.
func after(sequence manifests.Sequence) *resolve.Earlier {
	return &resolve.Earlier{File: "last.tar", Sequences: map[string]manifests.Sequence{"tools": sequence}}
}

// afterVersion is what is known of deliveries before, the last one's version too.
func afterVersion(sequence manifests.Sequence, version string) *resolve.Earlier {
	earlier := after(sequence)
	earlier.Versions = map[string]string{"tools": version}
	return earlier
}

// numbered resolves a release of nothing but metadata, with patches of which each
// gives what its release becomes.
func numbered(t *testing.T, metadata string, becomes []string, in resolve.Input) (*manifests.Lock, []string, error) {
	t.Helper()
	folder := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	in.File = write("release.yaml", "apiVersion: island/v1\nkind: Release\n"+
		"metadata: {name: tools, date: 2026-03-31, "+metadata+"}\nplatforms: [linux/amd64]\nimages: [{name: 'quay.io/x/y:1', group: g}]\n")
	for i, release := range becomes {
		id := fmt.Sprintf("TOOLS-%d", i+1)
		in.Patches = append(in.Patches, write(id+".yaml", "apiVersion: island/v1\nkind: Patch\n"+
			"metadata: {id: "+id+fmt.Sprintf(", date: 2026-04-0%d", i+1)+", severity: low, summary: {en: x}}\n"+
			"appliesTo: {release: tools, versions: '>=1.0.0'}\n"+release+
			"changes: {add: {images: [{name: 'quay.io/x/"+strings.ToLower(id)+":1', group: g}]}}\n"))
	}
	in.Profile = "empty"
	in.Overlays = append(in.Overlays, write("overlay.yaml", "apiVersion: island/v1\nkind: Overlay\nprofiles: {empty: {without: [g]}}\n"))
	assembled, err := resolve.Assemble(in)
	if err != nil {
		return nil, nil, err
	}
	var told notices
	lock, err := resolve.Resolve(context.Background(), assembled, nil, resolve.Options{Progress: &told})
	return lock, told.told, err
}

func flags(sequence manifests.Sequence, version string) manifests.Metadata {
	return manifests.Metadata{Sequence: sequence, Version: version}
}

// What a delivery is called and where it stands in the order of all, by who says what.
func TestNumberOfDelivery(t *testing.T) {
	t.Parallel()
	none := []string{""}
	for _, test := range []struct {
		name, metadata string
		becomes        []string
		in             resolve.Input
		version        string
		sequence       manifests.Sequence
		base           string
		noticed        bool
	}{
		{"as the document says", "version: 1.5.0, sequence: 7", nil, resolve.Input{}, "1.5.0", 7, "", false},
		{"nobody gives a number, and there are no patches", "version: 1.5.0", nil, resolve.Input{}, "1.5.0", 0, "", false},
		{"nobody gives a number, but what was before", "version: 1.5.0", nil, resolve.Input{After: after(41)}, "1.5.0", 42, "", false},
		{"it comes after what had none", "version: 1.5.0", nil, resolve.Input{After: after(0)}, "1.5.0", 1, "", false},
		{"the document's is higher than before", "version: 1.0.0, sequence: 9", nil, resolve.Input{After: after(8)}, "1.0.0", 9, "", false},
		{"a patch makes it the next", "version: 1.0.0, sequence: 7", none, resolve.Input{}, "1.0.0+TOOLS-1", 8, "1.0.0", true},
		{"a patch, after another patched delivery", "version: 1.0.0, sequence: 7", none,
			resolve.Input{After: after(8)}, "1.0.0+TOOLS-1", 9, "1.0.0", false},
		{"a patch, after the release itself", "version: 1.0.0, sequence: 7", none,
			resolve.Input{After: after(7)}, "1.0.0+TOOLS-1", 8, "1.0.0", false},
		{"patched without number, after one", "version: 1.0.0", none, resolve.Input{After: after(3)}, "1.0.0+TOOLS-1", 4, "1.0.0", false},
		{"patched without number, and given one", "version: 1.0.0", none,
			resolve.Input{Metadata: flags(12, "")}, "1.0.0+TOOLS-1", 12, "1.0.0", false},
		{"a flag says more than the patch", "version: 1.0.0, sequence: 7", []string{"release: {sequence: 9}\n"},
			resolve.Input{Metadata: flags(30, ""), After: after(29)}, "1.0.0+TOOLS-1", 30, "1.0.0", false},
		{"the patch says more than what was before", "version: 1.0.0, sequence: 7", []string{"release: {sequence: 20}\n"},
			resolve.Input{After: after(19)}, "1.0.0+TOOLS-1", 20, "1.0.0", false},
		{"what the patch says is long past, and not what counts", "version: 1.0.0, sequence: 7", []string{"release: {sequence: 3}\n"},
			resolve.Input{After: after(11)}, "1.0.0+TOOLS-1", 12, "1.0.0", false},
		{"another is laid behind the patch that says it", "version: 1.0.0, sequence: 7", []string{"release: {sequence: 20}\n", ""},
			resolve.Input{}, "1.0.0+TOOLS-1.TOOLS-2", 20, "1.0.0", true},
		{"the same, after that patch's delivery", "version: 1.0.0, sequence: 7", []string{"release: {sequence: 20}\n", ""},
			resolve.Input{After: after(20)}, "1.0.0+TOOLS-1.TOOLS-2", 21, "1.0.0", false},
		{"patches, after the release without them", "version: 1.0.0, sequence: 7", none,
			resolve.Input{After: afterVersion(7, "1.0.0")}, "1.0.0+TOOLS-1", 8, "1.0.0", false},
		{"patches that give one version, after the first of them", "version: 1.0.0, sequence: 7",
			[]string{"release: {version: 1.0.1}\n", "release: {version: 1.0.1}\n"},
			resolve.Input{After: afterVersion(8, "1.0.1")}, "1.0.1+TOOLS-2", 9, "1.0.0", false},
		{"no patches, and the version stays, as Wire's own may", "version: 1.0.0", nil,
			resolve.Input{After: afterVersion(7, "1.0.0")}, "1.0.0", 8, "", false},
		{"a flag gives the version", "version: 1.0.0, sequence: 7", none, resolve.Input{Metadata: flags(0, "1.0.1")}, "1.0.1", 8, "1.0.0", true},
		{"a flag gives the version that it had", "version: 1.0.0, sequence: 7", none,
			resolve.Input{Metadata: flags(0, "1.0.0")}, "1.0.0+TOOLS-1", 8,
			"1.0.0", true},
		{"a flag gives the version that the document lacks", "sequence: 7", []string{"", ""}, resolve.Input{Metadata: flags(0, "1.5.0")},
			"1.5.0+TOOLS-1.TOOLS-2", 8, "1.5.0", true},
		{"a flag goes before a patch", "version: 1.0.0, sequence: 7", []string{"release: {version: 1.0.1}\n"},
			resolve.Input{Metadata: flags(0, "1.0.9")}, "1.0.9", 8, "1.0.0", true},
	} {
		lock, said, err := numbered(t, test.metadata, test.becomes, test.in)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		r := lock.Release
		if r.Version != test.version || r.Sequence != test.sequence || r.BaseVersion != test.base {
			t.Errorf("%s: is %s with sequence %d, before patches %q; want %s with %d, %q", test.name, r.Version, r.Sequence, r.BaseVersion,
				test.version, test.sequence, test.base)
		}
		if noticed := len(said) == 1 && strings.Contains(said[0], "--after"); noticed != test.noticed || len(said) > 1 {
			t.Errorf("%s: said %q", test.name, said)
		}
	}
}

func TestNumberThatCannotBe(t *testing.T) {
	t.Parallel()
	other := &resolve.Earlier{File: "site.json", Sequences: map[string]manifests.Sequence{"wire": 3, "monitoring": 4}}
	for _, test := range []struct {
		name, metadata string
		becomes        []string
		in             resolve.Input
		want, hint     string
	}{
		{"patched, and nobody gives a number", "version: 1.5.0", []string{""},
			resolve.Input{}, "release tools: the release has no sequence", "--after"},
		{"the document's is that of before", "version: 1.0.0, sequence: 8", nil, resolve.Input{After: after(8)},
			"release.yaml:3:69: metadata.sequence: sequence 8 is not higher than 8, which the delivery before has by last.tar",
			"give --sequence 9 or more"},
		{"the document's is lower", "version: 1.0.0, sequence: 6", nil, resolve.Input{After: after(8)}, "sequence 6 is not higher than 8",
			"give --sequence 9 or more"},
		{"the flag's is lower", "version: 1.0.0", nil, resolve.Input{Metadata: flags(6, ""), After: after(8)},
			"--sequence: sequence 6 is not higher than 8", "give --sequence 9 or more"},
		{"the patch's is lower", "version: 1.0.0, sequence: 3", []string{"release: {sequence: 5}\n"}, resolve.Input{After: after(80)},
			"TOOLS-1.yaml:5:21: release.sequence: sequence 5 is not higher than 80", "give --sequence 81 or more"},
		{"the flag comes to nothing beside the release's", "version: 1.0.0, sequence: 7", []string{""}, resolve.Input{Metadata: flags(7, "")},
			"--sequence: sequence 7 is given for what has patches, and has 8 already", "leave it out, or give 8 or more"},
		{"the flag comes to nothing beside a patch's", "version: 1.0.0", []string{"release: {sequence: 50}\n"},
			resolve.Input{Metadata: flags(49, "")},
			"--sequence: sequence 49 is given for what has patches, and has 50 already", "leave it out, or give 50 or more"},
		{"the same patches again", "version: 1.0.0, sequence: 7", []string{""}, resolve.Input{After: afterVersion(8, "1.0.0+TOOLS-1")},
			"release tools: version 1.0.0+TOOLS-1 is that of the delivery before, by last.tar", "give another one with --release-version"},
		{"the last patch gives the version of before", "version: 1.0.0, sequence: 7", []string{"", "release: {version: 1.0.1}\n"},
			resolve.Input{After: afterVersion(8, "1.0.1")}, "TOOLS-2.yaml:5:20: release.version: version 1.0.1 is that of the delivery before",
			"give another one there, or with --release-version"},
		{"the flag gives the version of before", "version: 1.0.0, sequence: 7", []string{""},
			resolve.Input{After: afterVersion(8, "1.0.1"), Metadata: flags(0, "1.0.1")},
			"--release-version: version 1.0.1 is that of the delivery before", "give another one"},
		{"another release", "version: 1.0.0", nil, resolve.Input{After: other},
			`site.json: there is no delivery of the release "tools" in it to come after, but of monitoring, wire`, "same release"},
		{"a site that has accepted nothing", "version: 1.0.0", nil,
			resolve.Input{After: &resolve.Earlier{File: "site.json"}}, "but of none", "accepted"},
		{"none is left", "version: 1.0.0", nil, resolve.Input{After: after(manifests.MaxSequence)},
			"last.tar: nothing can come after sequence 9007199254740991", "another name"},
		{"none is left for patches", "version: 1.0.0, sequence: 6", []string{"", ""}, resolve.Input{After: after(manifests.MaxSequence)},
			"last.tar: nothing can come after sequence 9007199254740991", "another name"},
	} {
		_, _, err := numbered(t, test.metadata, test.becomes, test.in)
		all := fault.All(err)
		if len(all) != 1 || all[0].Kind != fault.Usage || !strings.Contains(all[0].Error(), test.want) ||
			!strings.Contains(all[0].Hint, test.hint) {
			t.Errorf("%s: told %v, want %q with the hint %q", test.name, err, test.want, test.hint)
		}
	}
}

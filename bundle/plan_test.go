package bundle_test

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

func TestBundleIsDeterministic(t *testing.T) {
	t.Parallel()
	var first []byte
	for range 3 {
		w := richWorld()
		archive := build(t, w.plan(t, options(t)), w.source())
		if first == nil {
			first = archive
		}
		if !bytes.Equal(archive, first) {
			t.Fatal("two builds of one lock differ")
		}
	}
}

// The order of the blobs in a lock that was put together by hand does not
// change where they stand.
func TestBlobsStandInBundleOrder(t *testing.T) {
	t.Parallel()
	w := richWorld()
	slices.Reverse(w.lock.Blobs)
	wantAccepted(t, build(t, w.plan(t, options(t)), w.source()), trust(t, "sender"))
}

func TestSignatureMovesNoOtherByte(t *testing.T) {
	t.Parallel()
	w := richWorld()
	plan, err := bundle.NewPlan(w.lock, options(t))
	if err != nil {
		t.Fatal(err)
	}
	unsigned := build(t, plan, w.source())
	signed := build(t, w.plan(t, options(t)), w.source())
	slot := spans(t, signed)[1]
	if slot.path != bundle.SignaturePath || slot.size != bundle.SignatureSize {
		t.Fatalf("the second entry is %+v", slot)
	}
	copy(unsigned[slot.content:slot.end()], signed[slot.content:slot.end()])
	if !bytes.Equal(unsigned, signed) {
		t.Error("signing changed more than the signature entry")
	}
}

func TestPlanKnowsTheFile(t *testing.T) {
	t.Parallel()
	w := richWorld()
	plan := w.plan(t, options(t))
	archive := build(t, plan, w.source())
	if plan.Size() != int64(len(archive)) {
		t.Fatalf("planned %d bytes, the file has %d", plan.Size(), len(archive))
	}
	listed := spans(t, archive)
	want := append([]bundle.Entry{{Path: "bundle.json"}, {Path: "bundle.sigstore.json"}}, plan.Inventory.Entries...)
	if len(listed) != len(want) {
		t.Fatalf("archive/tar lists %d entries, planned are %d", len(listed), len(want))
	}
	for i, span := range listed {
		if span.path != string(want[i].Path) || (i >= 2 && span.size != want[i].Size) {
			t.Errorf("entry %d is %s of %d bytes, planned is %s of %d", i, span.path, span.size, want[i].Path, want[i].Size)
		}
	}
	if end := listed[len(listed)-1].next() + 1024; end != int64(len(archive)) {
		t.Errorf("the archive ends at %d, want %d: two blocks behind the last entry", len(archive), end)
	}
	opened, err := bundle.Open(bytes.NewReader(archive), int64(len(archive)), trust(t, "sender"))
	if err != nil {
		t.Fatal(err)
	}
	for _, span := range listed[2:] {
		entry, listed := opened.Entry(manifests.EntryPath(span.path))
		if !listed {
			t.Fatalf("%s is not found", span.path)
		}
		if offset, size := bundle.PlaceOf(opened, entry.Path); offset != span.content || size != span.size {
			t.Errorf("%s stands at %d with %d bytes, archive/tar finds it at %d with %d", span.path, offset, size, span.content, span.size)
		}
		data, err := opened.ReadEntry(entry.Path, entry.Size)
		if err != nil || manifests.DigestOf(data) != entry.Digest {
			t.Errorf("%s has not its content (%v)", span.path, err)
		}
	}
	if _, ok := opened.Entry("nothing"); ok {
		t.Error("an entry that is not there was found")
	}
}

func TestOrderModesAndTimes(t *testing.T) {
	t.Parallel()
	w := richWorld()
	archive := build(t, w.plan(t, options(t)), w.source())
	r := tar.NewReader(bytes.NewReader(archive))
	var folders []string
	modes := map[string]int64{}
	for {
		header, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		modes[header.Name] = header.Mode
		folder, _, nested := strings.Cut(header.Name, "/")
		if !nested {
			folder = header.Name
		}
		if len(folders) == 0 || folders[len(folders)-1] != folder {
			folders = append(folders, folder)
		}
		if got := header.ModTime.UTC().Format("2006-01-02 15:04:05"); got != "2026-03-31 00:00:00" {
			t.Errorf("%s has time %s, want the release's date", header.Name, got)
		}
	}
	want := []string{
		"bundle.json", "bundle.sigstore.json", "README.txt", "trusted_root.json", "tools", "charts", "files", "values",
		"oci-layout", "index.json", "manifest.json", "blobs",
	}
	if !slices.Equal(folders, want) {
		t.Errorf("order is %q, want %q", folders, want)
	}
	for path, mode := range map[string]int64{
		"tools/linux-amd64/island": 0o755, longPath: 0o600, paxPath: 0o755, "values/a.yaml": 0o644, "bundle.json": 0o644,
	} {
		if modes[path] != mode {
			t.Errorf("%s has mode %o, want %o", path, modes[path], mode)
		}
	}
}

// Every blob stands once, behind all that name it, however many images share it.
func TestSharedBlobsStandOnce(t *testing.T) {
	t.Parallel()
	w := richWorld()
	archive := build(t, w.plan(t, options(t)), w.source())
	seen := map[string]bool{}
	for _, span := range spans(t, archive) {
		if seen[span.path] {
			t.Errorf("%s stands twice", span.path)
		}
		seen[span.path] = true
	}
	var docker []struct {
		Config   string
		RepoTags []string
		Layers   []string
	}
	b, err := bundle.Open(bytes.NewReader(archive), int64(len(archive)), trust(t, "sender"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.OpenEntry(bundle.DockerPath)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(r).Decode(&docker); err != nil {
		t.Fatal(err)
	}
	tags := []string{}
	for _, image := range docker {
		for _, blob := range append([]string{image.Config}, image.Layers...) {
			if !seen[blob] {
				t.Errorf("manifest.json names %s, which is not in the archive", blob)
			}
		}
		tags = append(tags, image.RepoTags...)
	}
	if want := []string{"quay.io/wire/brig:5.30.9", "quay.io/wire/galley:5.30.9", "quay.io/wire/cargohold:5.30.9"}; !slices.Equal(tags, want) {
		t.Errorf("tags in manifest.json are %q, want %q", tags, want)
	}
}

func TestTarListsTheBundle(t *testing.T) {
	t.Parallel()
	program := requireTool(t, "tar")
	w := richWorld()
	archive := build(t, w.plan(t, options(t)), w.source())
	command := exec.Command(program, "-tf", "-")
	command.Stdin = bytes.NewReader(archive)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("tar: %v\n%s", err, output)
	}
	var want []string
	for _, span := range spans(t, archive) {
		want = append(want, span.path)
	}
	if got := strings.Fields(string(output)); !slices.Equal(got, want) {
		t.Errorf("tar lists %q, want %q", got, want)
	}
}

func TestOpenSSLVerifiesTheBundle(t *testing.T) {
	t.Parallel()
	requireTool(t, "openssl")
	requireTool(t, "tar")
	requireTool(t, "sed")
	w := tinyWorld()
	archive := build(t, w.plan(t, options(t)), w.source())
	_, sender := testKey(t, "sender")
	_, other := testKey(t, "other")
	for _, test := range []struct {
		name    string
		key     signature.PublicKey
		accepts bool
	}{{"sender's key", sender, true}, {"another key", other, false}} {
		dir := t.TempDir()
		for name, data := range map[string][]byte{"b.tar": archive, "k.pub": test.key.PEM()} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		command := exec.Command("sh", "-c", bundle.OpenSSLInstructions)
		command.Dir, command.Env = dir, append(os.Environ(), "BUNDLE=b.tar", "KEY=k.pub")
		output, err := command.CombinedOutput()
		if accepts := err == nil && strings.HasSuffix(string(output), "Verified OK\n"); accepts != test.accepts {
			t.Errorf("%s: accepted %t (%v)\n%s", test.name, accepts, err, output)
		}
	}
}

func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	tests := []struct {
		name    string
		change  func(*world)
		options bundle.PlanOptions
		kind    fault.Kind
		text    string
	}{
		{"lock that contradicts itself", func(w *world) { w.lock.Blobs = w.lock.Blobs[1:] }, bundle.PlanOptions{}, fault.Usage, "lock"},
		{"chart in the place of the index", func(w *world) { w.lock.Charts[0].Path = bundle.ChartIndexPath }, bundle.PlanOptions{}, fault.Usage,
			"charts/index.yaml"},
		{"path that climbs out", func(w *world) { w.lock.Files[0].Path = "files/../../etc/passwd" }, bundle.PlanOptions{}, fault.Failure,
			"clean relative path"},
		{"path with a space", func(w *world) { w.lock.Files[0].Path = "files/a b" }, bundle.PlanOptions{}, fault.Failure, "space"},
		{"digest that is none", func(w *world) { w.lock.Files[0].Content.Digest = "sha256:0" }, bundle.PlanOptions{}, fault.Failure, "digest"},
		{"contents larger than all disks", func(w *world) { w.lock.Files[0].Content.Size = 1<<63 - 1 }, bundle.PlanOptions{}, fault.Failure,
			"files/kubectl"},
		{"tool that is not there", nil, bundle.PlanOptions{Tools: []bundle.Tool{{Path: "x", File: filepath.Join(folder, "no")}}}, fault.Usage,
			"tool x"},
		{"tool that is a folder", nil, bundle.PlanOptions{Tools: []bundle.Tool{{Path: "x", File: folder}}}, fault.Failure, "tool x"},
		{"one signer twice", nil, bundle.PlanOptions{Signers: []string{"auditor", "auditor"}}, fault.Failure, "bundle.auditor.sigstore.json"},
		{"signer with a strange name", nil, bundle.PlanOptions{Signers: []string{"../x"}}, fault.Failure, "bundle.../x.sigstore.json"},
		{"too many signers", nil, bundle.PlanOptions{Signers: strings.Split("abcdefghijklmnop", "")}, fault.Failure, "17 signatures"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := tinyWorld()
			if test.change != nil {
				test.change(w)
			}
			_, err := bundle.NewPlan(w.lock, test.options)
			wantFault(t, err, test.kind, fault.Here, test.text)
		})
	}
}

func TestSignerWithoutSlot(t *testing.T) {
	t.Parallel()
	plan := tinyWorld().plan(t, bundle.PlanOptions{})
	private, _ := testKey(t, "auditor")
	if err := plan.Sign(bundle.Signer{Name: "auditor", Key: private}); err == nil {
		t.Error("a signature was taken for which no entry is planned")
	}
}

func TestFileName(t *testing.T) {
	t.Parallel()
	w := newWorld("wire")
	for _, test := range []struct{ platforms, want string }{
		{"linux/amd64", "wire-2026.1-amd64.tar"},
		{"linux/arm/v7", "wire-2026.1-armv7.tar"},
		{"linux/amd64 linux/arm64", "wire-2026.1-multi.tar"},
	} {
		w.lock.Release.Platforms = nil
		for p := range strings.FieldsSeq(test.platforms) {
			platform, err := manifests.ParsePlatform(p)
			if err != nil {
				t.Fatal(err)
			}
			w.lock.Release.Platforms = append(w.lock.Release.Platforms, platform)
		}
		if got := bundle.FileName(w.lock); got != test.want {
			t.Errorf("%s gives %s, want %s", test.platforms, got, test.want)
		}
	}
}

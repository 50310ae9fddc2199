package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing/present"
	"github.com/islandbundle/island/sizing/site"
)

// swapped is an archive in whose place another can be put.
type swapped struct{ now *bytes.Reader }

func (s *swapped) ReadAt(p []byte, offset int64) (int, error) { return s.now.ReadAt(p, offset) }

// What preflight runs as root on machines, and judges by, is what was signed, though
// somebody puts another file in the place of the bundle once it was verified.
func TestKitOfABundleThatIsReplaced(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	probe, out := filepath.Join(folder, "island-probe"), filepath.Join(folder, "out.tar")
	if err := os.WriteFile(probe, []byte("#!/bin/sh\necho good\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	_, table, err := readTable("guide")
	if err != nil {
		t.Fatal(err)
	}
	date, err := manifests.ParseDate("2026-03-31")
	if err != nil {
		t.Fatal(err)
	}
	lock := &manifests.Lock{APIVersion: manifests.APIVersion, Kind: manifests.KindLock, Release: manifests.LockedRelease{
		Name: "wire", Version: "5.30.0", Date: date, Sequence: 1, Platforms: []manifests.Platform{{OS: "linux", Architecture: "amd64"}},
	}}
	plan, err := bundle.NewPlan(lock, bundle.PlanOptions{
		Tools:     []bundle.Tool{{Path: "linux-amd64/island-probe", File: probe}},
		Documents: []bundle.Document{{Path: portsPath, Bytes: site.DefaultPortsFile()}, {Path: present.BundleTable, Bytes: table}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := bundle.Fill(t.Context(), plan, nil, out, bundle.FillOptions{}); err != nil {
		t.Fatal(err)
	}
	archive, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	verified := func() (*bundle.Bundle, *swapped) {
		reader := &swapped{bytes.NewReader(archive)}
		b, err := bundle.Open(reader, int64(len(archive)), bundle.Trust{AllowUnsigned: true})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Verify(t.Context(), bundle.VerifyOptions{}); err != nil {
			t.Fatal(err)
		}
		return b, reader
	}
	b, _ := verified()
	found, err := takeKit(b, "out.tar")
	if err != nil || string(found.probes["amd64"]) != "#!/bin/sh\necho good\n" || found.table == nil || found.ports == nil {
		t.Fatalf("%+v, %v", found, err)
	}
	for what, old := range map[string]string{
		"probe": "echo good", "table": string(table[len(table)-40:]), "ports": string(site.DefaultPortsFile()[:40]),
	} {
		b, reader := verified()
		altered := bytes.Clone(archive)
		at := bytes.Index(altered, []byte(old))
		altered[at+1] ^= 2
		reader.now = bytes.NewReader(altered)
		if found, err := takeKit(b, "out.tar"); fault.ExitCode(err) != int(fault.Refused) {
			t.Errorf("%s: %+v, %v", what, found, err)
		}
	}
}

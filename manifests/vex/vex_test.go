package vex_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/vex"
)

func lock(t *testing.T) *manifests.Lock {
	t.Helper()
	date, err := manifests.ParseDate("2026-04-20")
	if err != nil {
		t.Fatal(err)
	}
	image := func(name, by, chart string) manifests.LockedImage {
		ref, err := manifests.ParseImageRef(name)
		if err != nil {
			t.Fatal(err)
		}
		return manifests.LockedImage{Name: ref, Digest: manifests.DigestOf([]byte(name)), DecidedBy: by, From: []manifests.Origin{{Chart: chart}}}
	}
	return &manifests.Lock{
		Release: manifests.LockedRelease{Name: "wire", Version: "2026.1.1", Date: date},
		Patches: []manifests.LockedPatch{{
			ID: "A", Date: date, Summary: manifests.Text{En: "fixes"},
			Vulnerabilities: []manifests.Vulnerability{
				{ID: "CVE-2026-0001", In: []string{"quay.io/wire/brig"}, Advisories: []string{"https://example.com/1"}, Summary: "bad"},
				{ID: "CVE-2026-0002", In: []string{"wire-server"}},
				{ID: "CVE-2026-0003", In: []string{"files/kubelet"}},
				{ID: "CVE-2026-0004", In: []string{"quay.io/wire/nonesuch"}},
				{ID: "CVE-2026-0005"},
			},
		}, {ID: "B", Date: date}},
		Charts: []manifests.LockedChart{{Name: "wire-server", Version: "5.30.10", Repo: "https://example.com/charts", DecidedBy: "A"}},
		Images: []manifests.LockedImage{
			image("quay.io/wire/brig:2", "A", "wire-server"), image("quay.io/wire/galley:2", "A", "wire-server"),
			image("quay.io/wire/sftd:1", "B", "sftd"), image("quay.io/wire/old:1", "", "old"),
		},
		Files: []manifests.LockedFile{{Path: "files/kubelet", DecidedBy: "A",
			Content: manifests.Content{Digest: manifests.DigestOf(nil), URL: "https://example.com/kubelet"}}},
	}
}

func TestStatements(t *testing.T) {
	t.Parallel()
	d := vex.Of(lock(t))
	for i, want := range []struct {
		status   string
		products string // names, in order
	}{
		{"fixed", "brig"},
		{"fixed", "brig galley wire-server"},
		{"fixed", "kubelet"},
		{"not_affected", "wire"},
		{"fixed", "brig galley wire-server kubelet"},
	} {
		s := d.Statements[i]
		var names []string
		for _, p := range s.Products {
			_, name, _ := strings.Cut(p.ID, "/")
			names = append(names, name[:strings.IndexAny(name, "@?")])
		}
		if got := strings.Join(names, " "); s.Status != want.status || got != want.products {
			t.Errorf("%s: %s in %s, not %s in %s", s.Vulnerability.Name, s.Status, got, want.status, want.products)
		}
	}
	if len(d.Statements) != 5 || d.Statements[0].Vulnerability.ID != "https://example.com/1" ||
		d.Statements[3].Justification != "component_not_present" {
		t.Errorf("%+v", d)
	}
	want := "pkg:oci/brig@sha256%3A" + manifests.DigestOf([]byte("quay.io/wire/brig:2")).Hex() + "?repository_url=quay.io%2Fwire%2Fbrig&tag=2"
	if got := d.Statements[0].Products[0].ID; got != want {
		t.Errorf("brig is %s, not %s", got, want)
	}
}

func TestEncodeIsDeterministicAndWhole(t *testing.T) {
	t.Parallel()
	first, err := vex.Encode(lock(t))
	if err != nil {
		t.Fatal(err)
	}
	second, err := vex.Encode(lock(t))
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("the same lock gives other bytes (%v)", err)
	}
	var d map[string]any
	if err := json.Unmarshal(first, &d); err != nil {
		t.Fatal(err)
	}
	// OPENVEX-SPEC.md, "The VEX Document", required fields.
	for _, field := range []string{"@context", "@id", "author", "timestamp", "version", "statements"} {
		if d[field] == nil {
			t.Errorf("no %s", field)
		}
	}
	if got := fmt.Sprint(d["@context"], " ", d["timestamp"]); got != "https://openvex.dev/ns/v0.2.0 2026-04-20T00:00:00Z" {
		t.Error(got)
	}
	other := lock(t)
	other.Images[0].Digest = manifests.DigestOf([]byte("other"))
	if third, _ := vex.Encode(other); bytes.Contains(third, []byte(d["@id"].(string))) {
		t.Error("a document on other images has the same id")
	}
}

func TestNothingToSay(t *testing.T) {
	t.Parallel()
	l := lock(t)
	l.Patches = l.Patches[1:]
	if text, err := vex.Encode(l); text != nil || err != nil {
		t.Errorf("%s, %v", text, err)
	}
}

package bundle

import (
	"bytes"
	"testing"

	"github.com/islandbundle/island/manifests"
)

// smallInventory is a whole one, for tests and fuzzing to spoil.
func smallInventory(t testing.TB) []byte {
	t.Helper()
	date, err := manifests.ParseDate("2026-03-31")
	if err != nil {
		t.Fatal(err)
	}
	plan, err := NewPlan(&manifests.Lock{
		APIVersion: manifests.APIVersion, Kind: manifests.KindLock,
		Release: manifests.LockedRelease{
			Name: "fuzz", Version: "1", Date: date, Platforms: []manifests.Platform{{OS: "linux", Architecture: "amd64"}},
		},
		Files: []manifests.LockedFile{{Path: "files/a", Mode: 0o755, Content: manifests.Content{
			Digest: manifests.DigestOf([]byte("a")), Size: 1, URL: "https://files.example/a",
		}}},
	}, PlanOptions{Signers: []string{"auditor"}})
	if err != nil {
		t.Fatal(err)
	}
	return plan.encoded
}

// FuzzDecodeInventory returns arbitrary text to the reader of signed inventories.
// What it takes has a layout in which everything follows what stands before it.
func FuzzDecodeInventory(f *testing.F) {
	whole := smallInventory(f)
	f.Add(whole)
	f.Add([]byte("{}"))
	f.Add([]byte("null"))
	for _, change := range [][2]string{
		{`"size": 1`, `"size": 9223372036854775807`}, {`"size": 1`, `"size": -1`}, {`"files/a"`, `"files/../a"`},
		{`"format": 1`, `"format": 1e0`}, {`"entries"`, `"Entries"`}, {`"mode": 493`, `"mode": 4294967295`},
		{`"2026-03-31"`, `"9999-12-31"`}, {`bundle.auditor.`, `bundle.`}, {`"linux/amd64"`, `null`},
	} {
		f.Add(bytes.ReplaceAll(whole, []byte(change[0]), []byte(change[1])))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		inventory, err := decodeInventory(data)
		if err != nil {
			return
		}
		l := layOut(inventory, int64(len(data)), nil, 0)
		at := int64(0)
		for _, s := range append(l.front, l.entries...) {
			if s.start != at || s.next() < s.start+blockSize || s.next()%blockSize != 0 || len(s.header) > 4*blockSize {
				t.Fatalf("%s stands at %d with %d bytes, the one before it ends at %d", s.path, s.start, s.size, at)
			}
			at = s.next()
		}
		if l.size != at+trailerSize {
			t.Errorf("size is %d, want %d", l.size, at+trailerSize)
		}
		encoded, err := manifests.EncodeJSON(inventory)
		if err != nil {
			t.Fatal(err)
		}
		if len(encoded) > MaxInventoryBytes {
			return
		}
		again, err := decodeInventory(encoded)
		if err != nil {
			t.Fatalf("an inventory that was read is not readable when written: %v", err)
		}
		if encodedAgain, err := manifests.EncodeJSON(again); err != nil || !bytes.Equal(encoded, encodedAgain) {
			t.Errorf("writing and reading changes the inventory (%v)", err)
		}
	})
}

func TestSignerNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"auditor": true, "a": true, "second-office-2": true, "abcdefghijklmnopqrstuvwxyz012345": true,
		"": false, "Auditor": false, "a.b": false, "a/b": false, "ä": false, "abcdefghijklmnopqrstuvwxyz0123456": false,
	} {
		if IsSignerName(name) != want {
			t.Errorf("%q is a signer's name: %t, want %t", name, !want, want)
		}
	}
}

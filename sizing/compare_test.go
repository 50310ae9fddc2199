package sizing

import (
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing/site"
)

// TestDemoNeedsMore wants more than 16 GiB and 200 GiB of the machine, as its source has
// it, of what a server is said to have and of what a machine shows.
func TestDemoNeedsMore(t *testing.T) {
	const gib = manifests.Bytes(1 << 30)
	for _, c := range []struct {
		memory, disk manifests.Bytes
		lacks        string
	}{
		{17 * gib, 201 * gib, ""},
		{16*gib + 1, 200*gib + 1, ""},
		{16 * gib, 300 * gib, "memory: needs more than 16 GiB, has 16 GiB"},
		{15*gib + gib/2, 300 * gib, "memory: needs more than 16 GiB, has 15.5 GiB"},
		{32 * gib, 200 * gib, "disk: needs more than 200 GiB, has 200 GiB"},
		{32 * gib, 196 * gib, "disk: needs more than 200 GiB, has 196 GiB"},
	} {
		box := someSite(t, 20, "none")
		box.Servers = []site.Server{{Name: "box", Cores: 16, Memory: site.Capacity(c.memory), Disk: site.Capacity(c.disk)}}
		r := Calculate(Input{Site: box, Table: embeddedTable(t, "demo"), Against: []Existing{
			{Name: "box", Role: site.DemoMachine, Cores: 16, Memory: c.memory, Disk: c.disk},
		}})
		for _, id := range []string{"placement.room.box", "against.box"} {
			f := findingOf(r, id)
			if (f != nil) != (c.lacks != "") {
				t.Errorf("%d and %d bytes: %s", c.memory, c.disk, allFindings(r))
			} else if f != nil && (f.Level != Fail || !strings.Contains(plainSpaces(english(f.Text)), c.lacks)) {
				t.Errorf("%d and %d bytes: %s, not %q", c.memory, c.disk, english(f.Text), c.lacks)
			}
		}
	}
}

// TestWhatLacksIsNeverShownAsEnough wants two numbers that differ, however little a
// machine lacks, and what of an amount has to be seen.
func TestWhatLacksIsNeverShownAsEnough(t *testing.T) {
	for _, c := range []struct {
		role         site.Role
		memory, disk manifests.Bytes
		want         string
	}{
		{site.Kubernetes, 7_600_000_000, 38_000_000_000, ""},
		{site.Kubernetes, 7_599_999_999, 40e9, "memory: needs 8 GB, of which 7,600,000,000 bytes must be seen, has 7,599,999,999 bytes"},
		{site.MinIO, 2e9, 379_990_000_000, "disk: needs 400 GB, of which 380,000,000,000 bytes must be seen, has 379,990,000,000 bytes"},
		{site.MinIO, 1e9, 400e9, "memory: needs 2 GB, of which 1.9 GB must be seen, has 1 GB"},
	} {
		r := Calculate(Input{Site: someSite(t, 20, "none"), Table: embeddedTable(t, "guide"), Against: []Existing{
			{Name: "m", Role: c.role, Cores: 6, Memory: c.memory, Disk: c.disk},
		}})
		if got := plainSpaces(english(r.Comparison.Machines[0].Text)); got != c.want && (c.want != "" || got != "enough") {
			t.Errorf("%s with %d and %d bytes: %q, not %q", c.role, c.memory, c.disk, got, c.want)
		}
	}
	near := someSite(t, 20, "none")
	near.AdminHost, near.AssetHost, near.Restund = "a", site.Elsewhere, 3
	near.Servers = []site.Server{{Name: "a", Memory: 21_999e6}, {Name: "b"}, {Name: "c"}}
	const want = "22,000,000,000 bytes, has 21,999,000,000 bytes"
	r := calculate(t, near, "guide")
	if f := findingOf(r, "placement.room.a"); f == nil || !strings.Contains(plainSpaces(english(f.Text)), want) {
		t.Errorf("a server that lacks a megabyte: %s", allFindings(r))
	}
}

func plainSpaces(text string) string { return strings.ReplaceAll(text, "\u00a0", " ") }

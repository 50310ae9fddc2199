package sizing

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// labels lists every label of a table by the place where it stands.
func labels(t *Table) map[string]string {
	list := map[string]string{"servers": t.Servers.Source}
	if t.Draft != nil {
		list["draft"] = t.Draft.Source
	}
	for i, p := range t.Printed {
		list[fmt.Sprintf("printed %d", i)] = p.Source
	}
	for _, n := range t.Notes {
		list["note "+n.ID] = n.Source
	}
	for _, r := range t.Rows {
		at := string(r.Role)
		list[at+" count"], list[at+" cores"] = r.Count.Source, r.Cores.Source
		list[at+" memory"], list[at+" disk"] = r.Memory.Source, r.Disk.Source
		for i, other := range r.Cores.Alternatives {
			list[fmt.Sprintf("%s cores %d", at, i)] = other.Source
		}
		for i, other := range r.Memory.Alternatives {
			list[fmt.Sprintf("%s memory %d", at, i)] = other.Source
		}
	}
	if m := t.Machine; m != nil {
		list["machine cores"], list["machine memory"], list["machine disk"] = m.Cores.Source, m.Memory.Source, m.Disk.Source
	}
	for _, u := range t.Unlisted {
		list["unlisted "+string(u.Role)] = u.Source
	}
	list["tolerance memory"], list["tolerance disk"] = t.Tolerance.Memory.Source, t.Tolerance.Disk.Source
	r := t.Rules
	list["audio"], list["video"] = r.Conference.Audio.Source, r.Conference.Video.Source
	list["audio streams"], list["video streams"] = r.Conference.AudioStreams.Source, r.Conference.VideoStreams.Source
	list["card"], list["headroom"] = r.Network.NIC.Source, r.Network.Headroom.Source
	for _, rule := range r.ExtraCores {
		list[rule.ID] = rule.Source
	}
	list["allocations"], list["users"], list["ask from"] = r.Turn.Allocations.Source, r.Users.Source, r.Users.AskFrom.Source
	list["releases"], list["node disk"] = r.Releases.Months.Source, r.NodeDisk.Usable.Source
	return list
}

// shared are the labels of the rules that every table has: what the guide says of
// conferences, cards, users and releases, and what other sources do.
var shared = map[string]string{
	"audio": "G", "video": "G", "audio streams": "G", "video streams": "G", "card": "G", "headroom": "island",
	"three-percent-each-node": "WD-vm-table", "three-percent-spread": "WD-planning", "fifty-per-core": "WD-sft",
	"allocations": "WD-restund", "users": "G", "ask from": "island", "releases": "G", "node disk": "K8S",
	"tolerance memory": "island", "tolerance disk": "island",
}

// TestLabelsAreThoseOfTheSources holds the label of each number and text of the tables
// against a list that was made from the sources themselves, not from the tables. The
// guide prints the figures of its table; the footnotes below are in words of wire-docs.
func TestLabelsAreThoseOfTheSources(t *testing.T) {
	rows := func(into map[string]string, source string, roles ...string) {
		for _, role := range roles {
			for _, cell := range []string{"count", "cores", "memory", "disk"} {
				into[role+" "+cell] = source
			}
		}
	}
	ofGuide := map[string]string{
		"note 1": "WD-vm-table", "note 2": "WD-vm-table", "note 3": "WD-vm-table", "note 4": "WD-vm-table",
		"servers": "G", "unlisted rabbitmq": "WSD", "unlisted coturn": "WSD", "unlisted postgresql": "WD-ansible",
	}
	rows(ofGuide, "G", "cassandra", "minio", "elasticsearch", "kubernetes", "restund", "admin-host", "asset-host")
	withPostgreSQL := maps.Clone(ofGuide)
	delete(withPostgreSQL, "unlisted postgresql")
	rows(withPostgreSQL, "WD-ansible", "postgresql")
	withPostgreSQL["postgresql cores 0"] = "WSD-postgresql"
	demo := map[string]string{
		"note 1": "WD-planning", "servers": "WD-planning",
		"machine cores": "WD-planning", "machine memory": "WD-planning", "machine disk": "WD-planning", "users": "WD-99", "ask from": "WD-99",
	}
	draft := map[string]string{
		"note 1": "WD-99", "note 2": "WD-99", "note 3": "WD-99", "note 4": "WD-99", "servers": "WD-99", "unlisted coturn": "WD-99",
		"cassandra cores 0": "G", "cassandra memory 0": "G", "postgresql cores 0": "WSD-postgresql",
		"users": "WD-99", "ask from": "WD-99", "draft": "WD-99",
		"printed 0": "WD-99", "printed 1": "WD-99", "printed 2": "WD-99", "printed 3": "WD-99",
	}
	rows(draft, "WD-99", "cassandra", "postgresql", "minio", "elasticsearch", "rabbitmq", "kubernetes", "calling", "admin-host", "asset-host")
	wanted := map[string]map[string]string{"guide": ofGuide, "guide-postgresql": withPostgreSQL, "demo": demo, "wire-docs-99": draft}
	for _, name := range Names() {
		want, ok := wanted[name]
		if !ok {
			t.Errorf("table %s: its labels are not in the list", name)
			continue
		}
		for place, source := range shared {
			if _, own := want[place]; !own {
				want[place] = source
			}
		}
		got := labels(embeddedTable(t, name))
		for _, place := range slices.Sorted(maps.Keys(got)) {
			if got[place] != want[place] {
				t.Errorf("table %s: %s is labelled %s, its source is %q", name, place, got[place], want[place])
			}
		}
		if len(got) != len(want) {
			t.Errorf("table %s has %d labels, the list %d", name, len(got), len(want))
		}
	}
}

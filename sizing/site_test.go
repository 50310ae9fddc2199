package sizing

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
)

const goodSite = `apiVersion: island/v1
kind: Site
name: Example Hospital
table: guide-postgresql
scenario: custom-app-on-premises
users: 2500
conferences: 10x8,2x50
videoShare: 80
relayedShare: 20
mail: external
push: C
serverCount: 3
growth: {usersPercentPerYear: 10, months: 36}
clients: [web, windows, android]
bundle: {size: 14 GB, keep: 2}
`

func TestReadSite(t *testing.T) {
	site, err := ReadSite("site.yaml", []byte(goodSite))
	if err != nil {
		t.Fatal(err)
	}
	if site.Users != 2500 || site.Conferences.String() != "10x8,2x50" || *site.VideoShare != 80 || site.Bundle.Size != 14e9 {
		t.Errorf("%+v", site)
	}
}

// TestReadSiteFaults breaks one thing at a time.
func TestReadSiteFaults(t *testing.T) {
	for _, c := range []struct{ name, old, new, field, message string }{
		{"no users", "users: 2500", "users: 0", "users", "wants at least 1"},
		{"negative users", "users: 2500", "users: -5", "users", "wants at least 1"},
		{"1e12 users", "users: 2500", "users: 1000000000000", "users", "at most 10000000"},
		{"users as a float", "users: 2500", "users: 1e12", "users", "wants a whole number"},
		{"NaN users", "users: 2500", "users: .nan", "users", "wants a whole number"},
		{"NaN share", "videoShare: 80", "videoShare: .nan", "videoShare", "wants a whole number"},
		{"share of 101", "videoShare: 80", "videoShare: 101", "videoShare", "between 0 and 100"},
		{"negative share", "relayedShare: 20", "relayedShare: -1", "relayedShare", "between 0 and 100"},
		{"conferences upside down", "10x8,2x50", "ten", "conferences", "not a count and a number"},
		{"no conferences", "conferences: 10x8,2x50\n", "", "conferences", "no conferences"},
		{"users not given", "users: 2500\n", "", "users", "wants at least 1"},
		{"no scenario", "scenario: custom-app-on-premises\n", "", "scenario", "no scenario"},
		{"unknown scenario", "custom-app-on-premises", "moon", "scenario", `unknown scenario "moon"`},
		{"unknown table", "guide-postgresql", "guide2", "table", "no hardware table"},
		{"unknown push", "push: C", "push: D", "push", "unknown push option"},
		{"unknown mail", "mail: external", "mail: pigeon", "mail", "unknown way"},
		{"unknown client", "[web, windows, android]", "[web, vms]", "clients[1]", "unknown client"},
		{"client twice", "[web, windows, android]", "[web, web]", "clients[1]", "twice"},
		{"negative servers", "serverCount: 3", "serverCount: -3", "serverCount", "not between"},
		{"too many servers", "serverCount: 3", "serverCount: 100000", "serverCount", "not between"},
		{"one Restund", "serverCount: 3", "restund: 1", "restund", "not between 2"},
		{"admin host nowhere", "serverCount: 3", "adminHost: server-9", "adminHost", "no server is called"},
		{"unknown role", "serverCount: 3", "servers: [{name: a, machines: [{name: m, role: mongo}]}]", "servers[0].machines[0].role", `unknown role "mongo"`},
		{"machine twice", "serverCount: 3", "servers: [{name: a, machines: [{name: m, role: minio}, {name: m, role: minio}]}]", "servers[0].machines[1].name", "given twice"},
		{"server twice", "serverCount: 3", "servers: [{name: a}, {name: a}]", "servers[1].name", "given twice"},
		{"memory without unit", "serverCount: 3", `servers: [{name: a, memory: "64"}]`, "servers[0].memory", "amount with a unit"},
		{"negative memory", "serverCount: 3", "servers: [{name: a, memory: -64 GB}]", "servers[0].memory", "negative"},
		{"NaN memory", "serverCount: 3", "servers: [{name: a, memory: NaN GB}]", "servers[0].memory", "amount with a unit"},
		{"count and list differ", "serverCount: 3", "serverCount: 3\nservers: [{name: a}]", "serverCount", "but 1 servers"},
		{"growth of a million", "usersPercentPerYear: 10", "usersPercentPerYear: 1000000", "growth.usersPercentPerYear", "not between"},
		{"1e6 months", "months: 36", "months: 1000000", "growth.months", "not between"},
		{"bundle of an exabyte", "14 GB", "99999999999 TB", "bundle.size", "more than"},
		{"other kind", "kind: Site", "kind: Release", "kind", "wants a document of kind"},
		{"unknown field", "users: 2500", "user: 2500", "user", "unknown field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			broken := strings.Replace(goodSite, c.old, c.new, 1)
			if broken == goodSite {
				t.Fatalf("%q is not in the site", c.old)
			}
			_, err := ReadSite("site.yaml", []byte(broken))
			flaw := wantFlaw(t, err, c.field, c.message)
			if flaw.Place.File != "site.yaml" {
				t.Errorf("flaw does not name its file: %v", flaw)
			}
		})
	}
}

// TestPreflightIsLeftAlone wants preflight's section to be kept, looked at by
// nobody, and told to nobody.
func TestPreflightIsLeftAlone(t *testing.T) {
	site, err := ReadSite("site.yaml", []byte(goodSite+"preflight: {limits: {time.offset: {warn: 0.2, fail: 1}}, ntp: [10.0.0.3]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := json.Marshal(site)
	if err != nil || !strings.Contains(string(kept), `"preflight":{"limits":{"time.offset":{"fail":1,"warn":0.2}},"ntp":["10.0.0.3"]}`) {
		t.Errorf("%v, kept as %s", err, kept)
	}
	told, err := json.Marshal(calculate(t, site, "guide"))
	if err != nil || strings.Contains(string(told), "10.0.0.3") {
		t.Errorf("%v, the report tells preflight's section: %s", err, told)
	}
}

// TestCheckDocument wants a site that nothing can be calculated from to be a
// site all the same.
func TestCheckDocument(t *testing.T) {
	site := NewSite()
	site.Name = "Example Hospital"
	if err := site.CheckDocument("site.yaml"); err != nil {
		t.Error(err)
	}
	if flaws := fault.All(site.Check("site.yaml")); len(flaws) != 3 { // scenario, users and conferences
		t.Errorf("%d flaws keep it from being calculated: %v", len(flaws), flaws)
	}
	site.Users, site.Push = -1, "D"
	if flaws := fault.All(site.CheckDocument("site.yaml")); len(flaws) != 2 {
		t.Errorf("%d flaws in the document: %v", len(flaws), flaws)
	}
}

func TestParseConferences(t *testing.T) {
	for in, want := range map[string]string{
		"10x8,2x50":         "10x8,2x50",
		" 2x50 , 10x8":      "10x8,2x50",
		"1x5,2x5":           "3x5",
		"3×7":               "3x7",
		"none":              "none",
		"1000000x1":         "1000000x1",
		"1x100000":          "1x100000",
		"":                  "",
		"x":                 "",
		"0x5":               "",
		"5x0":               "",
		"-1x5":              "",
		"1x-5":              "",
		"NaNx5":             "",
		"1e3x5":             "",
		"5":                 "",
		"5x5x5":             "",
		"5x5,":              "",
		"1000000x1,1x1":     "",
		"99999999999999x99": "",
		"1x100001":          "",
	} {
		got, err := ParseConferences(in)
		if want == "" && err == nil {
			t.Errorf("%q was read as %s", in, got)
		}
		if want != "" && (err != nil || got.String() != want) {
			t.Errorf("%q gives %s (%v), want %s", in, got, err, want)
		}
	}
	c, _ := ParseConferences("10x8,2x50")
	if c.Count() != 12 || c.Participants() != 180 || c.Largest() != 50 {
		t.Errorf("10x8,2x50 counts %d, %d, %d", c.Count(), c.Participants(), c.Largest())
	}
}

func TestAgainst(t *testing.T) {
	data := []byte(`{"apiVersion": "island/v1", "kind": "Whatever", "collected": "2026-11-01", "machines": [
 {"name": "cas1", "role": "cassandra", "cores": 2, "memoryBytes": 3900000000, "diskBytes": 80000000000},
 {"name": "cas2", "role": "cassandra", "cores": 1, "memoryBytes": 3900000000, "diskBytes": 80000000000},
 {"name": "cas3", "role": "cassandra", "cores": 2, "memoryBytes": 3700000000, "diskBytes": 0}]}`)
	machines, err := ReadExisting("facts.json", data)
	if err != nil {
		t.Fatal(err)
	}
	r := Calculate(Input{Site: someSite(t, 100, "none"), Table: embeddedTable(t, "guide"), Against: machines})
	var levels []Level
	for _, m := range r.Comparison.Machines {
		levels = append(levels, m.Level)
	}
	if len(levels) != 3 || levels[0] != Good || levels[1] != Fail || levels[2] != Fail {
		t.Errorf("levels %v: %+v", levels, r.Comparison)
	}
	wantFinding(t, r, "against.cas2", Fail)
	wantFinding(t, r, "against.missing", Fail)
	if text := english(findingOf(r, "against.missing").Text); !strings.Contains(text, "MinIO 0 of 3") || strings.Contains(text, "Cassandra") {
		t.Errorf("missing machines: %s", text)
	}
	site := strings.Replace(goodSite, "serverCount: 3", "servers: [{name: a, cores: 32, machines: [{name: m1, role: minio, cores: 1, memory: 2 GB, disk: 400 GB}]}]", 1)
	fromSite, err := ReadExisting("site.yaml", []byte(site))
	if err != nil || len(fromSite) != 1 || fromSite[0].Disk != 400e9 {
		t.Errorf("from a site: %v, %v", fromSite, err)
	}
	for name, bad := range map[string]string{
		"no machines":  `{"hosts": []}`,
		"empty":        `{"machines": []}`,
		"unknown role": `{"machines": [{"name": "a", "role": "x"}]}`,
		"negative":     `{"machines": [{"name": "a", "role": "minio", "cores": -1}]}`,
		"wrong type":   `{"machines": [{"name": "a", "role": "minio", "cores": "one"}]}`,
	} {
		if _, err := ReadExisting("facts.json", []byte(bad)); fault.ExitCode(err) != int(fault.Usage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestUnits(t *testing.T) {
	if GB(16).Bytes() == GiB(16).Bytes() || GB(80).Bytes() != 80e9 || GiB(16).Bytes() != 16<<30 {
		t.Error("GB and GiB are mixed up")
	}
	for in, want := range map[string]Capacity{"64 GB": 64e9, "64 GiB": 64 << 30, "2 TB": 2e12, "1.5 TB": 1.5e12, "0 B": 0} {
		got, err := ParseCapacity(in)
		text, _ := got.MarshalText()
		back, err2 := ParseCapacity(string(text))
		if err != nil || err2 != nil || got != want || back != want {
			t.Errorf("%s is %d and written %s (%v)", in, got, text, err)
		}
	}
	for _, in := range []string{"", "64", "64GB", "64 gb", "-1 GB", "NaN GB", "Inf GB", "1e9 GB", "0x10 GB", "99999999 TB"} {
		if got, err := ParseCapacity(in); err == nil {
			t.Errorf("%q was read as %d", in, got)
		}
	}
}

func FuzzParseConferences(f *testing.F) {
	for _, seed := range []string{"10x8,2x50", "none", "", "1x1,1x1", "9999999x9999999", "x,x", "1×2"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseConferences(s)
		if err != nil {
			return
		}
		again, err := ParseConferences(c.String())
		if err != nil || again.String() != c.String() {
			t.Errorf("%q gives %s, and that %s (%v)", s, c, again, err)
		}
		if c.Count() > MaxConferences || c.Largest() > MaxParticipants || c.Participants() < c.Count() {
			t.Errorf("%q is beyond the limits: %s", s, c)
		}
	})
}

package sizing

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing/site"
	"github.com/islandbundle/island/sizing/site/sitetest"
)

func TestReadSite(t *testing.T) {
	site, err := ReadSite("site.yaml", []byte(sitetest.Good))
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
		{"users not given", "users: 2500\n", "", "users", "not given"},
		{"no scenario", "scenario: custom-app-on-premises\n", "", "scenario", "no scenario"},
		{"unknown scenario", "custom-app-on-premises", "moon", "scenario", `unknown scenario "moon"`},
		{"unknown table", "guide-postgresql", "guide2", "table", "no hardware table"},
		{"unknown push", "push: C", "push: D", "push", "unknown push option"},
		{"unknown mail", "mail: external", "mail: pigeon", "mail", "unknown way"},
		{"unknown client", "[web, windows, android]", "[web, vms]", "clients[1]", "unknown client"},
		{"client twice", "[web, windows, android]", "[web, web]", "clients[1]", "twice"},
		{"negative servers", "serverCount: 3", "serverCount: -3", "serverCount", "not between"},
		{"too many servers", "serverCount: 3", "serverCount: 100000", "serverCount", "not between"},
		{"one Restund", "serverCount: 3", "restund: 1", "restund", "not between 2 and 3"},
		{"four Restund", "serverCount: 3", "restund: 4", "restund", "not between 2 and 3"},
		{"99 Restund", "serverCount: 3", "restund: 99", "restund", "not between 2 and 3"},
		{"users with a dot", "users: 2500", "users: 2.500", "users", `got a number "2.500"`},
		{"users in quotes", "users: 2500", "users: '3000'", "users", `got a string "3000"`},
		{"users in thousands", "users: 2500", "users: 3k", "users", `got a string "3k"`},
		{"disk in thousands", "14 GB", "14.000 GB", "bundle.size", "could be thousands or a fraction"},
		{"admin host nowhere", "serverCount: 3", "adminHost: server-9", "adminHost", "no server is called"},
		{"unknown role", "serverCount: 3", "servers: [{name: a, machines: [{name: m, role: " +
			"mongo}]}]", "servers[0].machines[0].role", `unknown role "mongo"`},
		{"machine twice", "serverCount: 3", "servers: [{name: a, machines: [{name: m, role: minio}, {name: m, role: " +
			"minio}]}]", "servers[0].machines[1].name", "given twice"},
		{"server twice", "serverCount: 3", "servers: [{name: a}, {name: a}]", "servers[1].name", "given twice"},
		{"memory without unit", "serverCount: 3", `servers: [{name: a, memory: "64"}]`, "servers[0].memory", "amount with a unit"},
		{"negative memory", "serverCount: 3", "servers: [{name: a, memory: -64 GB}]", "servers[0].memory", "negative"},
		{"NaN memory", "serverCount: 3", "servers: [{name: a, memory: NaN GB}]", "servers[0].memory", "amount with a unit"},
		{"count and list differ", "serverCount: 3", "serverCount: 3\nservers: [{name: a}]", "serverCount", "but 1 server is listed"},
		{"growth of a million", "usersPercentPerYear: 10", "usersPercentPerYear: 1000000", "growth.usersPercentPerYear", "not between"},
		{"1e6 months", "months: 36", "months: 1000000", "growth.months", "not between"},
		{"bundle of an exabyte", "14 GB", "99999999999 TB", "bundle.size", "more than"},
		{"site without a name", "name: Example Hospital\n", "", "name", "site has no name"},
		{"name of a page", "name: Example Hospital", "name: " + strings.Repeat("na", 120), "name", "has 240 bytes, at most 200"},
		{"server of another script", "serverCount: 3", "servers: [{name: rück}]", "servers[0].name", "signs that names do not have"},
		{"server without a name", "serverCount: 3", "servers: [{cores: 3}]", "servers[0].name", "server has no name"},
		{"server that is on none", "serverCount: 3", "servers: [{name: elsewhere}]", "servers[0].name", "cannot be called elsewhere"},
		{"keep 101", "keep: 2}", "keep: 101}", "bundle.keep", "101 bundles is not between 1 and 100"},
		{"unit without space", "serverCount: 3", "servers: [{name: a, memory: 96GiB}]", "servers[0].memory", `write "96 GiB"`},
		{"unit that is none", "serverCount: 3", "servers: [{name: a, disk: 2 Go}]", "servers[0].disk", "a unit that is not known"},
		{"other kind", "kind: Site", "kind: Release", "kind", "wants a document of kind"},
		{"unknown field", "users: 2500", "user: 2500", "user", "unknown field"},
	} {
		t.Run(c.name, func(t *testing.T) {
			broken := strings.Replace(sitetest.Good, c.old, c.new, 1)
			if broken == sitetest.Good {
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

// TestPreflightsSectionStaysInTheDocument wants preflight's section to be kept,
// and told to nobody.
func TestPreflightsSectionStaysInTheDocument(t *testing.T) {
	site, err := ReadSite("site.yaml", []byte(sitetest.Good+"preflight: {limits: {time.offset: {warn: 0.2, fail: 1}}, ntp: [10.0.0.3]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := json.Marshal(site)
	if err != nil || !strings.Contains(string(kept), `"preflight":{"ntp":["10.0.0.3"],"limits":{"time.offset":{"fail":1,"warn":0.2}}}`) {
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
	site := site.New()
	site.Name = "Example Hospital"
	if err := site.CheckDocument("site.yaml", SiteNames()); err != nil {
		t.Error(err)
	}
	if flaws := fault.All(site.Check("site.yaml", SiteNames())); len(flaws) != 3 { // scenario, users and conferences
		t.Errorf("%d flaws keep it from being calculated: %v", len(flaws), flaws)
	}
	site.Users, site.Push = -1, "D"
	if flaws := fault.All(site.CheckDocument("site.yaml", SiteNames())); len(flaws) != 2 {
		t.Errorf("%d flaws in the document: %v", len(flaws), flaws)
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
	site := strings.Replace(sitetest.Good, "serverCount: 3",
		"servers: [{name: a, cores: 32, machines: [{name: m1, role: minio, cores: 1, memory: 2 GB, disk: 400 GB}]}]", 1)
	fromSite, err := ReadExisting("site.yaml", []byte(site))
	if err != nil || len(fromSite) != 1 || fromSite[0].Disk != 400e9 {
		t.Errorf("from a site: %v, %v", fromSite, err)
	}
	for text, place := range map[string]string{
		`{"machines": [{"name": "a", "role": "minio", "cores": "one"}]}`: "facts.json:1:55: machines[0].cores",
		"{\"by\": 1,\n\"machines\": [{\"cores\": 1.5}]}":                 "facts.json: machines[0].cores",
	} {
		_, err := ReadExisting("facts.json", []byte(text))
		if flaws := fault.All(err); len(flaws) != 1 || flaws[0].Place.String() != place {
			t.Errorf("%s: %v, want it at %s", text, err, place)
		}
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

package site

import (
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
)

const siteHead = "apiVersion: island/v1\nkind: Site\nname: Example Hospital\n"

func TestReadSite(t *testing.T) {
	t.Parallel()
	site, err := Read("site.yaml", []byte(siteHead+`push: C
federation: true
servers: [{name: rack-1, machines: [{name: cassandra1, role: cassandra}]}]
preflight:
  dns: {domain: wire.example, names: [webapp], more: [turn.example]}
  mailRelays: ["smtp.example:25"]
`), Names{})
	if err != nil {
		t.Fatal(err)
	}
	if site.Internet || site.Push != "C" || site.Servers[0].Machines[0].Name != "cassandra1" ||
		site.Preflight.MailRelays[0] != "smtp.example:25" {
		t.Errorf("%+v", site)
	}
	if got, want := site.DNSNames(), []string{"webapp.wire.example", "federator.wire.example", "turn.example"}; !slices.Equal(got, want) {
		t.Errorf("names are %q, want %q", got, want)
	}
}

// TestNoSitePromisesNothing holds apart what a document promises that says
// nothing, and what no document does.
func TestNoSitePromisesNothing(t *testing.T) {
	t.Parallel()
	silent, err := Read("site.yaml", []byte(siteHead), Names{})
	if err != nil {
		t.Fatal(err)
	}
	if silent.Internet || silent.Federated() == nil || silent.DNSNames() != nil {
		t.Errorf("a document that says nothing is of an island that is not federated: %+v", silent)
	}
	if none := Undescribed(); !none.Internet || none.Federated() != nil || none.Push != "" || none.DNSNames() != nil {
		t.Errorf("no document promises: %+v", none)
	}
}

func TestReadSiteRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, place string }{
		"unknown field":         {siteHead + "dsn: {}\n", "site.yaml:4:1: dsn"},
		"section's field above": {siteHead + "ntp: [10.0.0.3]\n", "site.yaml:4:1: ntp"},
		"unknown in section":    {siteHead + "preflight:\n  dsn: {}\n", "site.yaml:5:3: preflight.dsn"},
		"said twice":            {siteHead + "preflight: {push: C}\n", "site.yaml:4:13: preflight.push"},
		"wrong type in section": {siteHead + "preflight:\n  dns: {domain: [a]}\n", "site.yaml:5:17: preflight.dns.domain"},
		"other kind":            {"apiVersion: island/v1\nkind: Ports\nname: x\n", "site.yaml: kind"},
		"no name":               {"apiVersion: island/v1\nkind: Site\n", "site.yaml: name"},
		"option as NTP":         {siteHead + "preflight: {ntp: [10.0.0.3, -evil]}\n", "site.yaml: preflight.ntp[1]"},
		"outside":               {siteHead + "preflight: {outside: [a b]}\n", "site.yaml: preflight.outside[0]"},
		"too many":              {siteHead + "preflight: {ntp: [a" + strings.Repeat(", a", MaxList) + "]}\n", "site.yaml: preflight.ntp"},
		"path as name":          {siteHead + "preflight: {dns: {domain: ../etc}}\n", "site.yaml: preflight.dns.domain"},
		"name too long": {siteHead + "preflight: {dns: {domain: a, more: [a" + strings.Repeat(".a", 127) + "]}}\n",
			"site.yaml: preflight.dns.more[0]"},
		"IdP by file":        {siteHead + "preflight: {idp: [\"file:///etc/passwd\"]}\n", "site.yaml: preflight.idp[0]"},
		"relay without port": {siteHead + "preflight: {mailRelays: [relay.example]}\n", "site.yaml: preflight.mailRelays[0]"},
		"no such port":       {siteHead + "preflight: {turn: [{address: a, tls: 70000}]}\n", "site.yaml: preflight.turn[0].tls"},
		"unknown role":       {siteHead + "preflight: {paths: {casandra: [/data]}}\n", "site.yaml: preflight.paths.casandra"},
		"relative path":      {siteHead + "preflight: {paths: {cassandra: [data]}}\n", "site.yaml: preflight.paths.cassandra[0]"},
		"pods":               {siteHead + "preflight: {clusterNetworks: [10.96.0.0/12, pods]}\n", "site.yaml: preflight.clusterNetworks[1]"},
		"address of a host": {siteHead + "preflight: {clusterNetworks: [10.96.0.1/12]}\n",
			"site.yaml: preflight.clusterNetworks[0]"},
		"all networks": {siteHead + "preflight: {clusterNetworks: [\"::/0\"]}\n", "site.yaml: preflight.clusterNetworks[0]"},
		"networks that overlap": {siteHead + "preflight: {clusterNetworks: [10.96.0.0/12, 10.100.0.0/16]}\n",
			"site.yaml: preflight.clusterNetworks"},
		"not a version":         {siteHead + "preflight: {installed: newest}\n", "site.yaml: preflight.installed"},
		"push option":           {siteHead + "push: D\n", "site.yaml: push"},
		"waiver without reason": {siteHead + "preflight: {waivers: [{id: cpu.cores, reason: \" \"}]}\n", "site.yaml: preflight.waivers[0]"},
	} {
		_, err := Read("site.yaml", []byte(test.text), Names{})
		flaws := fault.All(err)
		if len(flaws) == 0 || flaws[0].Place.String() != test.place || flaws[0].Kind != fault.Usage {
			t.Errorf("%s: %v, want it at %s", name, err, test.place)
		}
	}
}

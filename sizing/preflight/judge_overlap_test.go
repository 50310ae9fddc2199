package preflight

import (
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
	"github.com/islandbundle/island/sizing/site"
)

// TestNetworksOfTheCluster: nothing of a host lies in a network of pods or services,
// but for what an installed cluster has there itself.
func TestNetworksOfTheCluster(t *testing.T) {
	t.Parallel()
	own := site.Undescribed()
	own.Preflight.ClusterNetworks = []string{"172.20.0.0/16", "10.96.0.0/12", "fd20::/48"}
	upgrade := site.Undescribed()
	upgrade.Preflight.Installed = "5.20.0"
	at := func(h *facts.Host, nic, prefix string) {
		nics := &h.Facts.Network.Interfaces.Value
		*nics = append(*nics, facts.NIC{Name: nic, MTU: 1500, Addresses: []facts.Address{{Prefix: prefix}}})
	}
	route := func(h *facts.Host, destination, gateway, nic string) {
		routes := &h.Facts.Network.Inside.Value
		*routes = append(*routes, facts.Route{Destination: destination, Gateway: gateway, Interface: nic})
	}
	for _, test := range []struct {
		name   string
		site   *site.Site
		change func(*facts.Host)
		want   []string
	}{
		{"nothing", nil, func(*facts.Host) {}, []string{"pass"}},
		{"address of services", nil, func(h *facts.Host) { at(h, "eth1", "10.233.10.7/24") }, []string{
			"fail: 10.233.10.7 (eth1) lies in the network of the cluster (10.233.0.0/16)",
		}},
		{"address of pods, with its own route", nil, func(h *facts.Host) {
			at(h, "bond0.12", "10.233.127.255/20")
			route(h, "10.233.112.0/20", "", "bond0.12")
		}, []string{"fail: 10.233.127.255 (bond0.12) lies"}},
		{"route into it", nil, func(h *facts.Host) { route(h, "10.233.64.0/20", "10.0.0.1", "eth0") }, []string{
			"fail: 10.233.64.0/20 via 10.0.0.1 dev eth0 lies in the network of the cluster (10.233.0.0/16)",
		}},
		{"route to just it", nil, func(h *facts.Host) { route(h, "10.233.0.0/16", "10.0.0.1", "eth0") }, []string{"fail: 10.233.0.0/16 via"}},
		{"route to all private networks", nil, func(h *facts.Host) { route(h, "10.0.0.0/8", "10.0.0.1", "eth0") }, []string{"pass"}},
		{"route to more than it, from its first address on", own, func(h *facts.Host) { route(h, "10.96.0.0/11", "10.0.0.1", "eth0") }, []string{
			"pass",
		}},
		{"address beside it", nil, func(h *facts.Host) { at(h, "eth1", "10.234.0.1/16") }, []string{"pass"}},
		{"address in a wide network", nil, func(h *facts.Host) { at(h, "eth1", "10.232.0.9/8") }, []string{"pass"}},
		{"the site's own networks", own, func(h *facts.Host) { at(h, "eth1", "10.100.3.9/24") }, []string{
			"fail: 10.100.3.9 (eth1) lies in the network of the cluster (172.20.0.0/16, 10.96.0.0/12, fd20::/48)",
		}},
		{"the site's own networks, of IPv6", own, func(h *facts.Host) { at(h, "eth0", "fd20::7/64") }, []string{"fail: fd20::7 (eth0)"}},
		{"the usual network where it is another", own, func(h *facts.Host) { at(h, "eth1", "10.233.10.7/24") }, []string{"pass"}},
		{"the inventory's own networks", nil, func(h *facts.Host) {
			h.ClusterNetworks = []string{"10.42.0.0/16", "10.43.0.0/16"}
			at(h, "eth1", "10.233.10.7/24")
			at(h, "eth2", "10.43.0.9/24")
		}, []string{"fail: 10.43.0.9 (eth2) lies in the network of the cluster (10.42.0.0/16, 10.43.0.0/16)"}},
		{"the site document before the inventory", own, func(h *facts.Host) {
			h.ClusterNetworks = []string{"10.42.0.0/16"}
			at(h, "eth2", "10.42.0.9/24")
		}, []string{"pass"}},
		{"name server of a cluster that is not there yet", nil, func(h *facts.Host) {
			h.Facts.Network.Resolvers = factstest.Read([]string{"10.0.0.2", "10.233.0.3"})
		}, []string{"fail: nameserver 10.233.0.3 lies in"}},
		{"name server of an installed cluster", upgrade, func(h *facts.Host) {
			h.Facts.Network.Resolvers = factstest.Read([]string{"10.233.0.3"})
		}, []string{"pass"}},
		{"what an earlier cluster left", nil, func(h *facts.Host) { at(h, "tunl0", "10.233.70.0/32") }, []string{"fail: 10.233.70.0 (tunl0)"}},
		{"an installed cluster's own", upgrade, func(h *facts.Host) {
			at(h, "vxlan.calico", "10.233.70.0/32")
			at(h, "kube-ipvs0", "10.233.0.3/32")
			at(h, "cni0", "10.233.71.1/24")
			route(h, "10.233.90.0/26", "10.0.0.42", "eth0")
			route(h, "10.233.70.5/32", "", "cali1234")
		}, []string{"pass"}},
		{"a node of an installed cluster", upgrade, func(h *facts.Host) { at(h, "ens224", "10.233.12.1/24") }, []string{
			"fail: 10.233.12.1 (ens224)",
		}},
		{"facts without routes", nil, func(h *facts.Host) { h.Facts.Network.Inside = facts.Value[[]facts.Route]{} }, []string{
			"skipped: addresses lie elsewhere; whether routes do is not known: not in the facts",
		}},
		{"facts without routes, and a bad address", nil, func(h *facts.Host) {
			h.Facts.Network.Inside = facts.Value[[]facts.Route]{}
			at(h, "eth1", "10.233.1.1/24")
		}, []string{"fail: 10.233.1.1 (eth1)"}},
		{"routes that could not be read", nil, func(h *facts.Host) {
			h.Facts.Network.Inside.Unread = message.Of("facts.unread.routes", message.Args{"limit": 2000})
		}, []string{"error: addresses lie elsewhere"}},
		{"a host that was not reached", nil, func(h *facts.Host) {
			h.Facts, h.Reach.Outcome, h.Internal = nil, facts.Down, "10.233.200.3"
		}, []string{"fail: 10.233.200.3 lies in"}},
		{"a host elsewhere that was not reached", nil, func(h *facts.Host) { h.Facts, h.Reach.Outcome = nil, facts.Down }, []string{"skipped"}},
	} {
		wants(t, test.name, findingsOf(t, "net.overlap", guide(t), test.site, test.change), test.want...)
	}
}

// TestNetworksOfTheSite: services and the admin host lie in no network of the cluster
// either.
func TestNetworksOfTheSite(t *testing.T) {
	t.Parallel()
	described := func(change func(*site.Section)) *site.Site {
		s := site.Undescribed()
		s.Name = "x"
		change(&s.Preflight)
		return s
	}
	good := onAdmin("eth0", "10.9.0.2/24, fe80::1/64")
	for _, test := range []struct {
		name     string
		site     *site.Site
		observed []facts.Observation
		want     []string
	}{
		{"all elsewhere", described(func(s *site.Section) {
			s.DNS, s.NTP, s.IDP = &site.DNS{Domain: "x.example", Server: "10.9.0.3"}, []string{"ntp.example"}, []string{"https://sso.example/"}
		}), good, []string{"pass"}},
		{"name server and time", described(func(s *site.Section) {
			s.DNS, s.NTP = &site.DNS{Domain: "x.example", Server: "10.233.0.53:5353"}, []string{"10.233.255.1"}
		}), good, []string{"pass", "fail: dns 10.233.0.53 lies in", "fail: ntp 10.233.255.1 lies in"}},
		{"load balancer, mail, TURN, IdP", described(func(s *site.Section) {
			s.LoadBalancer, s.MailRelays = &site.LoadBalancer{Address: "10.233.4.4"}, []string{"10.233.5.5:25"}
			s.TURN, s.IDP = []site.TURN{{Address: "10.233.6.6"}}, []string{"https://10.233.7.7:8443/metadata"}
		}), good, []string{
			"pass", "fail: mailRelays 10.233.5.5", "fail: loadBalancer 10.233.4.4", "fail: turn 10.233.6.6", "fail: idp 10.233.7.7",
		}},
		{"a name that leads there", described(func(*site.Section) {}), append(onAdmin("eth0", "10.9.0.2/24"),
			facts.Observation{Subject: facts.SubjectName, Object: "webapp.x.example", Outcome: facts.OK, Found: "10.9.0.9, 10.233.3.3"},
		), []string{"pass", "fail: webapp.x.example 10.233.3.3 lies in"}},
		{"admin host", described(func(*site.Section) {}), onAdmin("ens3", "10.9.0.2/24", "ens4", "10.233.80.1/24"), []string{
			"fail: 10.233.80.1 (ens4) lies in",
		}},
		{"admin host that could not be looked at", described(func(*site.Section) {}), []facts.Observation{
			{Subject: facts.SubjectAdmin, Outcome: facts.Unmade},
		}, []string{"error"}},
		{"admin host without addresses", described(func(*site.Section) {}), onAdmin("", ""), []string{"pass"}},
		{
			"admin host as it was saved once", described(func(*site.Section) {}), onAdmin("admin host", "eth0 10.9.0.2/24, ens4 10.233.80.1/24"),
			[]string{"fail: 10.233.80.1 (ens4) lies in"},
		},
		{"admin host whose addresses are cut off", described(func(*site.Section) {}), onAdmin("eth0", "10.9.0.2/24, 10.23…"), []string{"error"}},
		{"admin host in older facts", described(func(*site.Section) {}), nil, []string{"skipped: admin host was not looked at"}},
	} {
		survey := goodSurvey()
		survey.Site = test.observed
		var said []string
		for _, f := range judge(t, survey, test.site).Findings {
			if f.ID == "net.overlap" && f.Host == "" {
				said = append(said, string(f.Outcome)+": "+english(f.Sentence()))
			}
		}
		wants(t, test.name, sortedLike(said, test.want), test.want...)
	}
}

// onAdmin is what is seen of the admin host: interfaces, each before its addresses.
func onAdmin(interfaces ...string) []facts.Observation {
	var all []facts.Observation
	for pair := range slices.Chunk(interfaces, 2) {
		method := message.Of("facts.method.interfaces", nil)
		all = append(all, facts.Observation{Subject: facts.SubjectAdmin, Object: pair[0], Outcome: facts.OK, Found: pair[1], Method: method})
	}
	return all
}

// sortedLike returns the same, since a report has the worst first.
func sortedLike(said, want []string) []string {
	var sorted []string
	for _, outcome := range []string{"pass", "skipped", "error", "fail"} {
		for _, text := range said {
			if len(text) > len(outcome) && text[:len(outcome)] == outcome {
				sorted = append(sorted, text)
			}
		}
	}
	return sorted
}

// TestNetworksOfContainers: a bridge for what runs on a machine itself hides the
// hosts whose addresses are in its network.
func TestNetworksOfContainers(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, nic, prefix string
		more              string // another interface, a route, or the admin host's interfaces
		want              []string
	}{
		{"Docker elsewhere", "docker0", "172.17.0.1/16", "", nil},
		{"Docker", "docker0", "10.0.0.1/16", "", []string{
			"fail minio1: docker0 has the network 10.0.0.0/16 for containers or guests within the machine; the site uses it, too: cassandra2,",
		}},
		{"Compose", "br-0123456789ab", "10.0.0.225/28", "", nil},
		{"libvirt", "virbr0", "10.0.0.10/30", "", []string{"fail minio1: virbr0 has the network 10.0.0.8/30"}},
		{"a bridge of the machine's own interface", "br0", "10.0.0.4/24", "", nil},
		{"nerdctl", "nerdctl0", "10.0.0.1/24", "", []string{"fail minio1: nerdctl0 has the network 10.0.0.0/24"}},
		{"network plugin", "cni0", "10.0.0.1/25", "", []string{"fail minio1: cni0 has the network 10.0.0.0/25"}},
		{"VMware", "vmnet8", "10.0.0.1/24", "", []string{"fail minio1: vmnet8 has the network 10.0.0.0/24"}},
		{"Docker on all of a site that its interface is nearer to", "docker0", "10.0.0.1/16", "eth1 10.0.0.200/20", nil},
		{"Docker on a site that another bridge is nearer to", "docker0", "10.0.0.1/16", "virbr0 10.0.0.200/20", []string{
			"fail minio1: docker0 has", "fail minio1: virbr0 has",
		}},
		{"a part of the site behind a narrower route", "docker0", "10.0.0.1/16", "route 10.0.0.0/20", nil},
		{"a narrower route of a rule for some packets", "docker0", "10.0.0.1/16", "rule 10.0.0.0/20", []string{"fail minio1: docker0 has"}},
		{"a narrower route to the bridge itself", "docker0", "10.0.0.1/16", "bridge 10.0.0.0/20", []string{"fail minio1: docker0 has"}},
		{"Docker on the admin host", "", "", "eth0 10.9.0.2/24 docker0 10.0.0.1/24", []string{"fail : docker0 has the network 10.0.0.0/24"}},
	} {
		survey := goodSurvey()
		h := &survey.Hosts[3]
		h.Facts.Network.Interfaces.Value[0].Addresses = []facts.Address{{Prefix: h.Internal + "/8"}}
		h.Facts.Network.Inside = factstest.Read([]facts.Route{})
		if test.nic != "" {
			h.Facts.Network.Interfaces = factstest.Read(append(h.Facts.Network.Interfaces.Value,
				facts.NIC{Name: test.nic, MTU: 1500, Addresses: []facts.Address{{Prefix: test.prefix}}}))
		}
		word, prefix, _ := strings.Cut(test.more, " ")
		routes := map[string]facts.Route{
			"route": {Destination: prefix, Gateway: "10.9.0.1", Interface: "eth0"}, "rule": {Destination: prefix, Interface: "eth0", Table: 9},
			"bridge": {Destination: prefix, Interface: "docker0"},
		}
		if route, ok := routes[word]; ok {
			h.Facts.Network.Inside = factstest.Read([]facts.Route{route})
		} else if test.nic != "" && test.more != "" {
			h.Facts.Network.Interfaces.Value = append(h.Facts.Network.Interfaces.Value,
				facts.NIC{Name: word, MTU: 1500, Addresses: []facts.Address{{Prefix: prefix}}})
		} else if test.more != "" {
			survey.Site = append(survey.Site, onAdmin(strings.Fields(test.more)...)...)
		}
		var said []string
		for _, f := range judge(t, survey, nil).Findings {
			if f.ID == "net.overlap" && f.Outcome == Fail {
				said = append(said, string(f.Outcome)+" "+f.Host+": "+english(f.Sentence()))
			}
		}
		wants(t, test.name, said, test.want...)
	}
}

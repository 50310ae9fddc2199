package preflight

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// overlaps judges whether something of the site lies in a network that machines
// keep to themselves: that of the cluster's pods and services, and those of
// container runtimes. What a node sends there never leaves it for the site.
func (j *judgement) overlaps() {
	for i := range j.Survey.Hosts {
		j.overlapsOf(&j.Survey.Hosts[i])
	}
	j.adminOverlaps()
	for _, what := range j.services {
		if network, ok := j.inCluster(what.address); ok {
			f := found{object: names(what.name), outcome: Fail, observed: names(what.address.String()), method: what.method}
			f.message = message.Of("preflight.finding.overlap", args{"what": names(what.name + " " + what.address.String()),
				"networks": names(network.String())})
			j.add("net.overlap", f)
		}
	}
}

// adminOverlaps judges the admin host as a machine of its own: nodes that answer it
// are to find the way back, and it is to find theirs.
func (j *judgement) adminOverlaps() {
	f := found{object: adminHost(), outcome: Skipped}
	admin := &facts.Host{Facts: &facts.Facts{}}
	for _, o := range j.Survey.Site {
		if o.Subject != facts.SubjectAdmin {
			continue
		}
		if f.method = o.Method; o.Outcome != facts.OK {
			f.outcome, f.remedy = Error, measureAgain()
			f.message = message.Of("preflight.finding.unmeasured", args{"why": ended(o.Outcome, o.Detail)})
			j.add("net.overlap", f)
			return
		}
		f.outcome = Pass
		nic := facts.NIC{Name: o.Object}
		for address := range strings.SplitSeq(o.Found, ", ") {
			nic.Addresses = append(nic.Addresses, facts.Address{Prefix: address})
		}
		admin.Facts.Network.Interfaces.Value = append(admin.Facts.Network.Interfaces.Value, nic)
	}
	switch {
	case f.outcome == Pass:
		j.judgeOverlaps(admin, f)
	case j.Site.Name != "": // which each document has
		f.message = message.Of("preflight.finding.unseen", args{"what": adminHost()})
		j.add("net.overlap", f)
	}
}

func adminHost() message.Text { return message.Of("preflight.value.admin-host", nil) }

// clusterNetworks returns the networks of pods and services: those of the site
// document, else those of the inventory, else the usual one.
func (j *judgement) clusterNetworks() []netip.Prefix {
	var all []netip.Prefix
	for _, host := range j.Survey.Hosts {
		for _, text := range host.ClusterNetworks {
			if network, err := netip.ParsePrefix(text); err == nil && !slices.Contains(all, network) {
				all = append(all, network)
			}
		}
	}
	if len(j.Site.Preflight.ClusterNetworks) > 0 || len(all) == 0 {
		return j.Site.Cluster()
	}
	return all
}

// inCluster returns the cluster's network that has an address.
func (j *judgement) inCluster(address netip.Addr) (netip.Prefix, bool) {
	for _, network := range j.cluster {
		if network.Contains(address) {
			return network, true
		}
	}
	return netip.Prefix{}, false
}

// overlapsOf judges one host: by its addresses and routes, and where it was not
// reached, by the address that the inventory has.
func (j *judgement) overlapsOf(host *facts.Host) {
	const id = "net.overlap"
	f := found{host: host.Name}
	if host.Facts == nil {
		f.outcome, f.message = Skipped, message.Of("preflight.finding.host-skipped", nil)
		if address, err := netip.ParseAddr(host.Internal); err == nil {
			if _, inside := j.inCluster(address); inside {
				f.outcome, f.method, f.observed = Fail, message.Of("facts.method.inventory", nil), names(host.Internal)
				f.message = message.Of("preflight.finding.overlap", args{"what": f.observed, "networks": names(texts(j.cluster)...)})
			}
		}
		j.add(id, f)
		return
	}
	if !measured(j, id, &f, host.Facts.Network.Interfaces) {
		return
	}
	f.outcome = Pass
	if inside := host.Facts.Network.Inside; !inside.Known() {
		f.outcome, f.message = unknownOutcome(inside), message.Of("preflight.finding.routes-unknown", args{"why": unread(inside)})
	}
	j.judgeOverlaps(host, f)
}

// judgeOverlaps judges what is known of a machine; where nothing is wrong, it says
// what it was given.
func (j *judgement) judgeOverlaps(host *facts.Host, good found) {
	const id = "net.overlap"
	hidden := j.hidden(host)
	for _, h := range hidden {
		f := good
		f.object, f.outcome, f.observed = names(h.nic), Fail, names(h.network.String())
		f.message = message.Of("preflight.finding.overlap-runtime",
			args{"nic": h.nic, "network": h.network.String(), "hosts": names(h.hosts...)})
		j.add(id, f)
	}
	if inside := j.insideCluster(host); len(inside) > 0 {
		good.outcome, good.observed = Fail, names(inside...)
		good.message = message.Of("preflight.finding.overlap", args{"what": good.observed, "networks": names(texts(j.cluster)...)})
	} else if len(hidden) > 0 {
		return
	}
	j.add(id, good)
}

// insideCluster lists the addresses, name servers and routes of a host that lie in the cluster's
// networks. Once a cluster is installed it has addresses and routes there itself.
func (j *judgement) insideCluster(host *facts.Host) []string {
	var all []string
	var addresses []netip.Addr
	for _, nic := range host.Facts.Network.Interfaces.Value {
		if j.isUpgrade() && clusterNIC.MatchString(nic.Name) {
			continue
		}
		for _, address := range nic.Addresses {
			prefix, err := netip.ParsePrefix(address.Prefix)
			if err != nil {
				continue
			}
			if _, inside := j.inCluster(prefix.Addr()); inside {
				addresses = append(addresses, prefix.Addr())
				all = append(all, fmt.Sprintf("%s (%s)", prefix.Addr(), nic.Name))
			}
		}
	}
	if j.isUpgrade() {
		return all
	}
	for _, resolver := range host.Facts.Network.Resolvers.Value {
		if address, err := netip.ParseAddr(resolver); err == nil {
			if _, inside := j.inCluster(address); inside {
				all = append(all, "nameserver "+resolver)
			}
		}
	}
	for _, route := range host.Facts.Network.Inside.Value {
		destination, err := netip.ParsePrefix(route.Destination)
		if err != nil || slices.ContainsFunc(addresses, destination.Contains) { // the network of an address that is told
			continue
		}
		if network, inside := j.inCluster(destination.Addr()); inside && destination.Bits() >= network.Bits() {
			all = append(all, route.String())
		}
	}
	return all
}

// clusterNIC are the interfaces of Kubernetes' network plugins and of kube-proxy.
var clusterNIC = regexp.MustCompile(`^(cali|tunl|vxlan[.-]|vxlan-v6|wireguard\.cali|wg-v6\.cali|kube-|nodelocaldns|cni|flannel|` +
	`cilium|lxc|weave|vethwe|antrea|ovn)`)

// runtimeNIC are the bridges of container and machine managers for what runs on the
// machine itself: Docker, Podman, libvirt, LXC.
var runtimeNIC = regexp.MustCompile(`^(docker|br-[0-9a-f]{12}$|podman|cni-podman|virbr|lxcbr|lxdbr|incusbr)`)

// hiding is a network of a machine's own that hides hosts of the site from it.
type hiding struct {
	nic     string
	network netip.Prefix
	hosts   []string
}

// hidden returns the networks of container runtimes in which other hosts, or
// services, of the site lie.
func (j *judgement) hidden(host *facts.Host) []hiding {
	var all []hiding
	for _, nic := range host.Facts.Network.Interfaces.Value {
		if !runtimeNIC.MatchString(nic.Name) {
			continue
		}
		for _, address := range nic.Addresses {
			prefix, err := netip.ParsePrefix(address.Prefix)
			if err != nil {
				continue
			}
			h := hiding{nic: nic.Name, network: prefix.Masked()}
			for _, other := range j.Survey.Hosts {
				if ip, err := netip.ParseAddr(other.Internal); err == nil && h.network.Contains(ip) && ip != prefix.Addr() {
					h.hosts = append(h.hosts, other.Name)
				}
			}
			for _, what := range j.services {
				if h.network.Contains(what.address) && what.address != prefix.Addr() {
					h.hosts = append(h.hosts, what.name)
				}
			}
			if len(h.hosts) > 0 {
				all = append(all, h)
			}
		}
	}
	return all
}

// service is something of the site, and where it is.
type service struct {
	name    string
	address netip.Addr
	method  message.Text
}

// siteAddresses returns the addresses of the site's services: those that the site
// document names, those that its names were found to have, and the admin host's.
func (j *judgement) siteAddresses() []service {
	var all []service
	add := func(name, text string, method message.Text) {
		if host, _, err := net.SplitHostPort(text); err == nil {
			text = host
		}
		if address, err := netip.ParseAddr(text); err == nil {
			all = append(all, service{name, address.Unmap(), method})
		}
	}
	document := message.Of("facts.method.site-document", nil)
	s := j.Site.Preflight
	if s.DNS != nil {
		add("dns", s.DNS.Server, document)
	}
	if s.Certificate != nil {
		add("certificate", s.Certificate.Address, document)
	}
	for _, server := range s.NTP {
		add("ntp", server, document)
	}
	for _, relay := range s.MailRelays {
		add("mailRelays", relay, document)
	}
	if s.LoadBalancer != nil {
		add("loadBalancer", s.LoadBalancer.Address, document)
	}
	for _, turn := range s.TURN {
		add("turn", turn.Address, document)
	}
	for _, address := range s.IDP {
		if u, err := url.Parse(address); err == nil {
			add("idp", u.Hostname(), document)
		}
	}
	for _, o := range j.Survey.Site {
		if o.Subject == facts.SubjectName && o.Outcome == facts.OK {
			for address := range strings.SplitSeq(o.Found, ", ") {
				add(o.Object, address, o.Method)
			}
		}
	}
	return all
}

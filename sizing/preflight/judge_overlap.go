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
		nics, err := nicsOf(o)
		if err != nil {
			f.outcome, f.remedy = Error, measureAgain()
			f.message = message.Of("preflight.finding.unmeasured", args{"why": facts.Reason(err)})
			j.add("net.overlap", f)
			return
		}
		admin.Facts.Network.Interfaces.Value = append(admin.Facts.Network.Interfaces.Value, nics...)
	}
	switch {
	case f.outcome == Pass:
		j.judgeOverlaps(admin, f)
	case j.Site.Name != "": // which each document has
		f.message = message.Of("preflight.finding.unseen", args{"what": adminHost()})
		j.add("net.overlap", f)
	}
}

// nicsOf returns what an observation of the admin host tells of its interfaces: the
// addresses of one, or as it was saved once, of all of them, each with its name.
func nicsOf(o facts.Observation) ([]facts.NIC, error) {
	if o.Found == "" {
		return nil, nil
	}
	var nics []facts.NIC
	for member := range strings.SplitSeq(o.Found, ", ") {
		name, address, isNamed := strings.Cut(member, " ")
		if !isNamed {
			name, address = o.Object, member
		}
		if _, err := netip.ParsePrefix(address); err != nil {
			return nil, err
		}
		nics = append(nics, facts.NIC{Name: name, Addresses: []facts.Address{{Prefix: address}}})
	}
	return nics, nil
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
// machine itself: Docker, Podman, nerdctl, network plugins, libvirt, LXC, VMware,
// VirtualBox, Multipass.
var runtimeNIC = regexp.MustCompile(`^(docker|br-[0-9a-f]{12}$|podman|nerdctl|cni|cbr0$|virbr|lxcbr|lxdbr|incusbr|` +
	`vmnet|vboxnet|mpbr|mpqemubr)`)

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
			for _, other := range j.hostsAndServices() {
				if h.network.Contains(other.address) && !isReached(host, other.address, h.network.Bits()) {
					h.hosts = append(h.hosts, other.name)
				}
			}
			if len(h.hosts) > 0 {
				all = append(all, h)
			}
		}
	}
	return all
}

// hostsAndServices returns all that a machine speaks to.
func (j *judgement) hostsAndServices() []service {
	var all []service
	for _, other := range j.Survey.Hosts {
		if ip, err := netip.ParseAddr(other.Internal); err == nil {
			all = append(all, service{name: other.Name, address: ip})
		}
	}
	return append(all, j.services...)
}

// isReached reports whether a machine has a way to an address that is narrower than a
// network of so many bits: of all ways the kernel takes the narrowest. What the machine
// has itself needs no way.
func isReached(host *facts.Host, address netip.Addr, bits int) bool {
	for _, nic := range host.Facts.Network.Interfaces.Value {
		for _, text := range nic.Addresses {
			prefix, err := netip.ParsePrefix(text.Prefix)
			if err != nil || !prefix.Masked().Contains(address) {
				continue
			}
			if prefix.Addr() == address || prefix.Bits() > bits && !runtimeNIC.MatchString(nic.Name) {
				return true
			}
		}
	}
	return slices.ContainsFunc(host.Facts.Network.Inside.Value, func(route facts.Route) bool {
		to, err := netip.ParsePrefix(route.Destination)
		return err == nil && route.Table == 0 && to.Bits() > bits && to.Contains(address) && !runtimeNIC.MatchString(route.Interface)
	})
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

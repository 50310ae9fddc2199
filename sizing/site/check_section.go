package site

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/islandbundle/island/manifests/fault"
)

// MaxList bounds each list of preflight's section of a site document.
const MaxList = 100

// NamePattern is what the name of a host or a domain looks like.
const NamePattern = `^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*$`

// maxName is what DNS carries (RFC 1035, section 2.3.4).
const maxName = 253

var domainName = regexp.MustCompile(NamePattern)

// section checks what is said for preflight alone.
func (c *check) section() {
	p := sectionCheck{&c.Flaws}
	p.services(&c.site.Preflight)
	p.machines(&c.site.Preflight)
	p.policy(&c.site.Preflight)
}

// sectionCheck keeps what is wrong with preflight's section among the other flaws
// of a site document.
type sectionCheck struct{ flaws *fault.Flaws }

func (c sectionCheck) want(ok bool, field, hint, format string, args ...any) {
	c.flaws.Want(ok, "preflight."+field, hint, format, args...)
}

// list wants every member of a list to be something.
func (c sectionCheck) list(field string, list []string, is func(string) bool, hint, what string) {
	c.want(len(list) <= MaxList, field, "", "list has more than %d members", MaxList)
	for i, member := range list {
		c.want(is(member), fmt.Sprintf("%s[%d]", field, i), hint, "%.80q is not %s", member, what)
	}
}

// services checks what the admin host looks at.
func (c sectionCheck) services(s *Section) {
	if s.DNS != nil {
		c.want(isName(s.DNS.Domain), "dns.domain", "", "%.80q is not the name of a domain", s.DNS.Domain)
		c.list("dns.names", s.DNS.Names, func(name string) bool { return isName(name + "." + s.DNS.Domain) }, "leave the domain out",
			"a name below the domain")
		c.list("dns.more", s.DNS.More, isName, "", "a name")
	}
	if s.Certificate != nil {
		c.want((s.Certificate.File == "") != (s.Certificate.Address == ""), "certificate", "", "wants either file or address")
	}
	c.list("ntp", s.NTP, isHost, hostHint, "the name of a host")
	c.list("mailRelays", s.MailRelays, isEndpoint, "such as smtp.example.org:25", "host:port")
	if lb := s.LoadBalancer; lb != nil {
		c.host("loadBalancer.address", lb.Address)
		c.port("loadBalancer.https", lb.HTTPS, 0)
		c.port("loadBalancer.http", lb.HTTP, 0)
	}
	c.want(len(s.TURN) <= MaxList, "turn", "", "list has more than %d members", MaxList)
	for i, turn := range s.TURN {
		at := fmt.Sprintf("turn[%d]", i)
		c.host(at+".address", turn.Address)
		c.port(at+".udp", turn.UDP, -1)
		c.port(at+".tcp", turn.TCP, -1)
		c.port(at+".tls", turn.TLS, -1)
	}
	c.list("idp", s.IDP, isURL, "", "an http or https address")
	c.list("outside", s.Outside, isHost, hostHint, "the name of a host")
}

// machines checks what hosts are to be like.
func (c sectionCheck) machines(s *Section) {
	for i, release := range s.OS {
		c.want(release.ID != "" && release.Version != "", fmt.Sprintf("os[%d]", i), `such as {id: ubuntu, version: "22.04"}`,
			"wants id and version, as /etc/os-release has them")
	}
	for _, role := range slices.Sorted(maps.Keys(s.Paths)) {
		c.want(Role(role).Known(), "paths."+role, "such as cassandra", "unknown role %.80q", role)
		c.list("paths."+role, s.Paths[role], path.IsAbs, "", "an absolute path")
	}
	c.list("clusterNetworks", s.ClusterNetworks, isNetwork, "such as 10.233.64.0/18, with the network's first address", "a network")
	networks := (&Site{Preflight: *s}).Cluster()
	for i, network := range networks {
		c.want(!slices.ContainsFunc(networks[:i], network.Overlaps), "clusterNetworks", "pods and services have networks of their own",
			"%s overlaps another of the cluster's networks", network)
	}
	if r := s.Registry; r != nil {
		c.want(r.Host != "" && path.IsAbs(r.Path), "registry", "such as {host: assethost, path: /var/lib/registry}",
			"wants the host and the absolute path of its data")
	}
	c.want(s.CheckInstalled() == nil, "installed", installedHint, "%.80q is not a version", s.Installed)
}

// policy checks what is to be let pass. Which checks there are, only preflight
// knows.
func (c sectionCheck) policy(s *Section) {
	for i, waiver := range s.Waivers {
		_, err := ParseWaiver(waiver.ID, waiver.Reason)
		c.want(err == nil, fmt.Sprintf("waivers[%d]", i), "", "%w", err)
	}
}

const hostHint = "a name or an address"

func (c sectionCheck) host(field, name string) {
	c.want(isHost(name), field, hostHint, "%.80q is not the name of a host", name)
}

// port wants a port; 0 is the default, and -1, where it may be, none.
func (c sectionCheck) port(field string, port, least int) {
	c.want(port >= least && port <= MaxPort, field, "", "%d is not a port", port)
}

// MaxPort is the highest port there is.
const MaxPort = 65535

func isName(name string) bool { return len(name) <= maxName && domainName.MatchString(name) }

func isHost(name string) bool {
	_, err := netip.ParseAddr(name)
	return err == nil || isName(name)
}

func isNetwork(text string) bool {
	network, err := netip.ParsePrefix(text)
	return err == nil && network.Bits() > 0 && network == network.Masked()
}

func isEndpoint(text string) bool {
	host, port, err := net.SplitHostPort(text)
	n, portErr := strconv.ParseUint(port, 10, 16)
	return err == nil && portErr == nil && n > 0 && isHost(host)
}

func isURL(text string) bool {
	return strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://")
}

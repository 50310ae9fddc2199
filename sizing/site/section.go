package site

import (
	"net/netip"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/islandbundle/island/manifests/fault"
)

// Section is what a site document says for preflight alone: what is there, and
// what of it is to be tried.
type Section struct {
	DNS          *DNS                `json:"dns,omitempty"`
	Certificate  *Certificate        `json:"certificate,omitempty"`
	CAFile       string              `json:"caFile,omitempty"`     // the site's own certificate authority
	NTP          []string            `json:"ntp,omitempty"`        // servers
	MailRelays   []string            `json:"mailRelays,omitempty"` // each as host:port
	LoadBalancer *LoadBalancer       `json:"loadBalancer,omitempty"`
	TURN         []TURN              `json:"turn,omitempty"`
	IDP          []string            `json:"idp,omitempty"`     // URLs of identity providers' metadata
	OS           []OSRelease         `json:"os,omitempty"`      // default: what the hardware table says
	Paths        map[string][]string `json:"paths,omitempty"`   // of a role's data, where they are not the usual ones
	Outside      []string            `json:"outside,omitempty"` // names that must not be found on an island; default: wire.com
	// ClusterNetworks are those of pods and services, which nothing else of the site
	// lies in; default: what the inventory says, else 10.233.0.0/16
	ClusterNetworks []string  `json:"clusterNetworks,omitempty"`
	Registry        *Registry `json:"registry,omitempty"` // a registry of the site's own that images are pushed to
	// version of Wire's server that is to be upgraded; default: what the asset host's files say
	Installed string                        `json:"installed,omitempty"`
	Limits    map[string]map[string]float64 `json:"limits,omitempty"` // of checks, in place of checks.yaml's
	Waivers   []Waiver                      `json:"waivers,omitempty"`
}

// Registry is where a registry of the site's own keeps what somebody pushes to it.
type Registry struct {
	Host string `json:"host"` // in the inventory
	Path string `json:"path"` // of its data
}

// OSRelease is a release of a distribution, as /etc/os-release has it.
type OSRelease struct {
	ID      string `json:"id"`
	Version string `json:"version"`
}

// DNS says which names must be found.
type DNS struct {
	Domain string   `json:"domain"`
	Server string   `json:"server,omitempty"` // address[:port]; default the admin host's own
	Names  []string `json:"names,omitempty"`  // below the domain; default those of wire-server-deploy
	More   []string `json:"more,omitempty"`   // whole names, such as those of TURN servers
}

// DefaultNames are the names that an installation has below its domain
// (wireapp/wire-server-deploy).
var DefaultNames = []string{"nginz-https", "nginz-ssl", "webapp", "assets", "account", "teams", "sftd"}

// DNSNames returns every name that must have an address; none where no domain is
// named.
func (s *Site) DNSNames() []string {
	dns := s.Preflight.DNS
	if dns == nil {
		return nil
	}
	names := dns.Names
	if names == nil {
		names = DefaultNames
	}
	var all []string
	for _, name := range names {
		all = append(all, name+"."+dns.Domain)
	}
	if s.Federation {
		all = append(all, "federator."+dns.Domain)
	}
	return append(all, dns.More...)
}

// defaultCluster has the networks of services and of pods that Kubespray sets up
// where nobody says otherwise: 10.233.0.0/18 and 10.233.64.0/18.
var defaultCluster = netip.MustParsePrefix("10.233.0.0/16")

// Cluster returns the networks of the cluster's pods and services.
func (s *Site) Cluster() []netip.Prefix {
	if len(s.Preflight.ClusterNetworks) == 0 {
		return []netip.Prefix{defaultCluster}
	}
	var all []netip.Prefix
	for _, text := range s.Preflight.ClusterNetworks {
		if network, err := netip.ParsePrefix(text); err == nil { // which Check has seen to
			all = append(all, network)
		}
	}
	return all
}

// Federated reports whether the backend federates with others; nil where no
// document says.
func (s *Site) Federated() *bool {
	if s.Name == "" { // which each document has
		return nil
	}
	return &s.Federation
}

// Certificate says where the site's certificate is.
type Certificate struct {
	File    string `json:"file,omitempty"`    // PEM, leaf first
	Address string `json:"address,omitempty"` // host:port that already presents it
	KeyFile string `json:"keyFile,omitempty"` // PEM; its public part must match
}

// LoadBalancer says which of its ports must reach which ports of the nodes.
type LoadBalancer struct {
	Address string `json:"address"`
	HTTPS   int    `json:"https,omitempty"` // default 443, to node port 31773
	HTTP    int    `json:"http,omitempty"`  // default 80, to node port 31772
}

// TURN is a server that relays calls.
type TURN struct {
	Address string `json:"address"`
	UDP     int    `json:"udp,omitempty"` // default 3478; -1 is not tried
	TCP     int    `json:"tcp,omitempty"` // default 3478
	TLS     int    `json:"tls,omitempty"` // default 5349
}

// Waiver lets a failed check pass as a warning.
type Waiver struct {
	ID     string `json:"id"`
	Host   string `json:"host,omitempty"` // empty: on all hosts
	Reason string `json:"reason"`
}

// Covers reports whether a waiver is for a check of a host.
func (w Waiver) Covers(id, host string) bool { return w.ID == id && (w.Host == "" || w.Host == host) }

// String returns a waiver as ParseWaiver reads it.
func (w Waiver) String() string {
	if w.Host == "" {
		return w.ID
	}
	return w.ID + "@" + w.Host
}

// ParseWaiver reads ID or ID@HOST.
func ParseWaiver(text, reason string) (Waiver, error) {
	id, host, _ := strings.Cut(text, "@")
	w := Waiver{ID: id, Host: host, Reason: strings.TrimSpace(reason)}
	if !IsID(id) {
		return w, fault.New(fault.Usage, fault.Here, "", "such as net.speed@kubenode1", "%.80q is not the id of a check", text)
	}
	if w.Reason == "" {
		return w, fault.New(fault.Usage, fault.Here, "", "say why with --reason", "waiver of %s has no reason", text)
	}
	return w, nil
}

const installedHint = "such as 5.28.0"

// CheckInstalled checks the version that is to be upgraded.
func (s *Section) CheckInstalled() error {
	if s.Installed == "" {
		return nil
	}
	if _, err := semver.NewVersion(s.Installed); err != nil {
		return fault.New(fault.Usage, fault.Here, "installed", installedHint, "%.80q is not a version", s.Installed)
	}
	return nil
}

package preflight

import (
	"fmt"
	"net"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing"
)

// KindSite is the kind of a document that says what a site promised.
const KindSite = "PreflightSite"

// Site is what the site promised, and what of it is to be tried. What is left
// out is not checked.
type Site struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"` // PreflightSite
	Name       string `json:"name"`
	// Island promises that there is no way out: no default route, no answer
	// from outside.
	Island bool `json:"island,omitempty"`
	// OutsideNames must not be found on an island. Default: wire.com.
	Outside      []string                      `json:"outside,omitempty"`
	OS           []OSRelease                   `json:"os,omitempty"` // default: ubuntu 22.04
	DNS          *DNS                          `json:"dns,omitempty"`
	Certificate  *Certificate                  `json:"certificate,omitempty"`
	NTP          []string                      `json:"ntp,omitempty"`  // servers
	Mail         []string                      `json:"mail,omitempty"` // host:port of relays
	LoadBalancer *LoadBalancer                 `json:"loadBalancer,omitempty"`
	TURN         []TURN                        `json:"turn,omitempty"`
	Push         string                        `json:"push,omitempty"`      // A, B or C
	IDP          []string                      `json:"idp,omitempty"`       // URLs of identity providers' metadata
	CAFile       string                        `json:"caFile,omitempty"`    // the site's own certificate authority
	Paths        map[string][]string           `json:"paths,omitempty"`     // of a role's data, where they are not the usual ones
	Servers      []sizing.Server               `json:"servers,omitempty"`   // physical servers and the machines on them
	Registry     *Registry                     `json:"registry,omitempty"`  // a registry of the site's own that images are pushed to
	Installed    string                        `json:"installed,omitempty"` // version of Wire's server that is to be upgraded; default: what the asset host's files say
	Limits       map[string]map[string]float64 `json:"limits,omitempty"`    // of checks, in place of checks.yaml's
	Waivers      []Waiver                      `json:"waivers,omitempty"`
}

// Registry is where a registry keeps what is pushed to it. A bundle that is
// served in place needs none.
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
	Domain     string   `json:"domain"`
	Server     string   `json:"server,omitempty"` // address[:port]; default the admin host's own
	Names      []string `json:"names,omitempty"`  // below the domain; default those of wire-server-deploy
	Federation bool     `json:"federation,omitempty"`
	More       []string `json:"more,omitempty"` // whole names, such as those of TURN servers
}

// DefaultNames are the names that an installation has below its domain
// (wireapp/wire-server-deploy).
var DefaultNames = []string{"nginz-https", "nginz-ssl", "webapp", "assets", "account", "teams", "sftd"}

// All gives every name that must have an address.
func (d *DNS) All() []string {
	names := d.Names
	if names == nil {
		names = DefaultNames
	}
	var all []string
	for _, name := range names {
		all = append(all, name+"."+d.Domain)
	}
	if d.Federation {
		all = append(all, "federator."+d.Domain)
	}
	return append(all, d.More...)
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

// ParseWaiver reads ID or ID@HOST.
func ParseWaiver(text, reason string) (Waiver, error) {
	id, host, _ := strings.Cut(text, "@")
	w := Waiver{ID: id, Host: host, Reason: strings.TrimSpace(reason)}
	if !checkID.MatchString(id) {
		return w, fault.New(fault.Usage, fault.Here, "", "such as net.speed@kubenode1", "%.80q is not the id of a check", text)
	}
	if w.Reason == "" {
		return w, fault.New(fault.Usage, fault.Here, "", "say why with --reason", "waiver of %s has no reason", text)
	}
	return w, nil
}

var domainName = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)*$`)

// maxSiteList bounds each list of a site document.
const maxSiteList = 100

// NewSite is a site that promises nothing.
func NewSite() *Site { return &Site{APIVersion: manifests.APIVersion, Kind: KindSite} }

// ReadSite reads and checks a site document. file only names the place.
func ReadSite(file string, data []byte) (*Site, error) {
	var s Site
	if err := manifests.DecodeStrict(file, data, &s); err != nil {
		return nil, err
	}
	wrong := func(field, hint, format string, args ...any) error {
		return fault.At(fault.Place{File: file, Field: field}, hint, format, args...)
	}
	if s.APIVersion != manifests.APIVersion || s.Kind != KindSite {
		return nil, wrong("kind", "the site document of the sizing goes to --servers", "not a %s document of %s but %.40q", KindSite, manifests.APIVersion, s.Kind)
	}
	for field, list := range map[string][]string{"ntp": s.NTP, "mail": s.Mail, "idp": s.IDP, "outside": s.Outside} {
		if len(list) > maxSiteList {
			return nil, wrong(field, "", "list has more than %d members", maxSiteList)
		}
	}
	for _, name := range append(slices.Clone(s.Outside), s.NTP...) {
		if !isHost(name) {
			return nil, wrong("ntp", "a name or an address", "%.80q is not the name of a host", name)
		}
	}
	for i, relay := range s.Mail {
		if host, port, err := net.SplitHostPort(relay); err != nil || !isHost(host) || port == "" {
			return nil, wrong(fmt.Sprintf("mail[%d]", i), "such as smtp.example.org:25", "%.80q is not host:port", relay)
		}
	}
	for i, url := range s.IDP {
		if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
			return nil, wrong(fmt.Sprintf("idp[%d]", i), "", "%.80q is not an http or https address", url)
		}
	}
	if s.DNS != nil {
		if !domainName.MatchString(s.DNS.Domain) {
			return nil, wrong("dns.domain", "", "%.80q is not the name of a domain", s.DNS.Domain)
		}
		for _, name := range s.DNS.All() {
			if !domainName.MatchString(name) || len(name) > 253 {
				return nil, wrong("dns.names", "", "%.80q is not a name", name)
			}
		}
	}
	if s.Push != "" && !slices.Contains([]string{"A", "B", "C"}, s.Push) {
		return nil, wrong("push", "A is through Wire's AWS SNS, B through your own, C is none", "unknown push option %.40q", s.Push)
	}
	if c := s.Certificate; c != nil && (c.File == "") == (c.Address == "") {
		return nil, wrong("certificate", "", "wants either file or address")
	}
	if r := s.Registry; r != nil && (r.Host == "" || !path.IsAbs(r.Path)) {
		return nil, wrong("registry", "such as {host: assethost, path: /var/lib/registry}", "wants the host and the absolute path of its data")
	}
	for i, waiver := range s.Waivers {
		if _, err := ParseWaiver(waiver.ID, waiver.Reason); err != nil {
			return nil, wrong(fmt.Sprintf("waivers[%d]", i), "", "%w", err)
		}
	}
	return &s, nil
}

// CheckInstalled checks the version that is to be upgraded.
func (s *Site) CheckInstalled() error {
	if s.Installed == "" {
		return nil
	}
	if _, err := semver.NewVersion(s.Installed); err != nil {
		return fault.New(fault.Usage, fault.Here, "installed", "such as 5.28.0", "%.80q is not a version", s.Installed)
	}
	return nil
}

func isHost(name string) bool {
	_, err := netip.ParseAddr(name)
	return err == nil || domainName.MatchString(name)
}

package source

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// kindMirrors is the kind of a mirrors file.
const kindMirrors = "Mirrors"

// Mirrors says which locations stand for which names. See the package
// documentation for an example.
type Mirrors struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string `yaml:"kind"`
	Rules      []Rule `yaml:"rules"`
}

// Rule names the mirrors for all names that begin with a prefix.
type Rule struct {
	Prefix  Prefix   `yaml:"prefix"`
	Mirrors []Mirror `yaml:"mirrors"`
	// OnlyMirrors keeps the origin itself from being asked.
	OnlyMirrors bool `yaml:"onlyMirrors,omitempty"`
}

// Mirror is a location that stands for a prefix: what follows the prefix in a
// name follows the location.
type Mirror struct {
	Location Location `yaml:"location"`
	// Insecure allows plain HTTP, and credentials over it, for this location.
	Insecure bool `yaml:"insecure,omitempty"`
	// CAFile is a PEM file of certificates to trust for this location besides
	// the system's, relative to the mirrors file.
	CAFile string `yaml:"caFile,omitempty"`
}

// Prefix is the beginning of a name: "registry/repository…" for images,
// "http(s)://…" for chart repositories and files, "oci://…" for charts in
// registries. It ends where a part of the name ends: quay.io/wire is a prefix
// of quay.io/wire/brig, and not of quay.io/wireapp.
type Prefix string

// UnmarshalText reads and checks a prefix.
func (p *Prefix) UnmarshalText(text []byte) error {
	s := strings.TrimRight(string(text), "/")
	scheme, rest, isURL := strings.Cut(s, "://")
	switch {
	case !isURL:
		if err := checkRepository(s); err != nil {
			return err
		}
	case scheme == "oci":
		if err := checkRepository(rest); err != nil {
			return err
		}
	case scheme == "http" || scheme == "https":
		if err := checkURL(s); err != nil {
			return err
		}
		if u, _ := url.Parse(s); u.User != nil {
			return errors.New("a prefix holds no credentials: put them into a location")
		}
	default:
		return fmt.Errorf("%q is neither registry/repository nor an http, https or oci URL", manifests.BareName(s))
	}
	*p = Prefix(normal(s))
	return nil
}

// covers returns what follows the prefix in a name, if it is one of the name's.
func (p Prefix) covers(name string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(name, string(p))
	return rest, ok && p != "" && (rest == "" || rest[0] == '/' || rest[0] == '?')
}

func (p Prefix) isWeb() bool { return hasAnyPrefix(string(p), "http://", "https://") }

// Location is where a mirror is: "registry/repository…" or "oci://…" for a
// registry, "http(s)://…" for a web server, and "file:///…", "/…", "./…" or
// "../…" for a folder. It may hold secrets: a user and password before the host
// (and an "@"), and a query with a token, which is sent with each request.
type Location string

// UnmarshalText reads and checks a location.
func (l *Location) UnmarshalText(text []byte) error {
	s := string(text)
	if folder, ok := asFolder(s); ok {
		if folder == "" {
			return fmt.Errorf("%q is not a folder: write file:///path", s)
		}
		*l = Location(s)
		return nil
	}
	if !strings.Contains(s, "?") {
		s = strings.TrimRight(s, "/")
	}
	var err error
	if hasAnyPrefix(s, "http://", "https://") {
		plain, _, _ := strings.Cut(s, "?")
		err = checkURL(plain)
	} else {
		_, repository := splitUser(strings.TrimPrefix(s, "oci://"))
		err = checkRepository(repository)
	}
	if err != nil {
		return fmt.Errorf("%w; a folder begins with ./, ../, / or file:///", err)
	}
	*l = Location(s)
	return nil
}

// asFolder returns the folder that a location or name means, if it is one.
func asFolder(s string) (string, bool) {
	if path, ok := strings.CutPrefix(s, "file://"); ok {
		if !strings.HasPrefix(path, "/") {
			return "", true
		}
		if unescaped, err := url.PathUnescape(path); err == nil {
			path = unescaped
		}
		return path, true
	}
	if s == "." || s == ".." || hasAnyPrefix(s, "/", "./", "../") {
		return s, true
	}
	return "", false
}

func checkURL(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || u.RawQuery != "" || u.Fragment != "" || strings.Contains(u.Path, "..") {
		return fmt.Errorf("%q is not a plain URL of the form https://host/path", registry.Redact(s))
	}
	return checkHost(u.Host)
}

// checkHost refuses what no host is called: a rule for it would cover nothing, and what
// it is meant for would be fetched from its origin.
func checkHost(host string) error {
	name, port := host, "443"
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name, port = host[:i], host[i+1:]
	}
	bare6 := strings.Contains(name, ":") && !strings.HasPrefix(name, "[")
	if number, err := strconv.ParseUint(port, 10, 16); err != nil || number == 0 || bare6 {
		return fmt.Errorf("%.100q is no host with a port: a port is a number up to 65535, and an IPv6 address stands in brackets", host)
	}
	if inner, bracketed := strings.CutPrefix(name, "["); bracketed {
		if _, err := netip.ParseAddr(strings.TrimSuffix(inner, "]")); err != nil {
			return fmt.Errorf("%.100q is no IPv6 address", name)
		}
		return nil
	}
	isPart := func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-._", r) }
	if i := strings.IndexFunc(name, func(r rune) bool { return !isPart(r) }); i >= 0 || name == "" {
		return fmt.Errorf("%.100q is no name of a host", name)
	}
	return nil
}

func checkRepository(s string) error {
	host, _, _ := strings.Cut(s, "/")
	if host != "localhost" && !strings.ContainsAny(host, ".:") {
		return fmt.Errorf("%q does not begin with a registry's host name", manifests.BareName(s))
	}
	if err := checkHost(host[strings.LastIndexByte(host, '@')+1:]); err != nil {
		return err
	}
	if _, err := name.NewRegistry(host); err != nil || strings.ContainsAny(s, "@? \t") {
		return fmt.Errorf("%q is not of the form registry/repository", manifests.BareName(s))
	}
	if _, err := name.NewRepository(s + "/x"); err != nil || strings.Contains(s, "//") || strings.Contains(s, "..") {
		return fmt.Errorf("%q is not of the form registry/repository", manifests.BareName(s))
	}
	return nil
}

// ReadMirrors reads a mirrors file, YAML or JSON, and looks whether the CA files that
// it names can be used.
func ReadMirrors(file string) (*Mirrors, error) {
	f, err := openRegular(file)
	if err != nil {
		return nil, fault.New(fault.Usage, fault.Here, file, "", "%w", registry.Bare(err))
	}
	defer f.Close()
	data, err := registry.ReadBounded(f, manifests.MaxDocumentBytes)
	if err != nil {
		return nil, fault.New(fault.Usage, fault.Here, file, "", "%w", err)
	}
	m, place, err := parseMirrors(file, data)
	if err != nil {
		return nil, err
	}
	return m, m.checkCAFiles(place)
}

func (m *Mirrors) checkCAFiles(place placed) error {
	var flaws []error
	for i, rule := range m.Rules {
		for j, mirror := range rule.Mirrors {
			if mirror.CAFile == "" {
				continue
			}
			if err := registry.CheckCAFile(mirror.CAFile); err != nil {
				flaws = append(flaws, fault.At(place(fmt.Sprintf("rules[%d].mirrors[%d].caFile", i, j)),
					"it is a PEM file of certificates, and its path is relative to the mirrors file", "%w", err))
			}
		}
	}
	return errors.Join(flaws...)
}

// placed returns where a field of a document stands.
type placed func(field string) fault.Place

// ParseMirrors reads the content of a mirrors file. Relative folders and CA
// files in it become paths relative to the file's folder. Unknown fields,
// duplicates, wrong types and bad locations are Usage errors with their place.
func ParseMirrors(file string, data []byte) (*Mirrors, error) {
	m, _, err := parseMirrors(file, data)
	return m, err
}

func parseMirrors(file string, data []byte) (*Mirrors, placed, error) {
	var m Mirrors
	place, err := manifests.DecodePlaced(file, data, &m)
	if err != nil {
		return nil, nil, err
	}
	if m.APIVersion != manifests.APIVersion || m.Kind != kindMirrors {
		return nil, nil, fault.At(fault.Place{File: file}, "",
			"document is %.40q %.40q, wanted %s %s", m.APIVersion, m.Kind, manifests.APIVersion, kindMirrors)
	}
	seen := map[Prefix]int{}
	var flaws []error
	for i := range m.Rules {
		at := func(field string) fault.Place {
			return place(fmt.Sprintf("rules[%d]%s", i, field))
		}
		rule := &m.Rules[i]
		if first, twice := seen[rule.Prefix]; twice && rule.Prefix != "" {
			flaws = append(flaws, fault.At(at(".prefix"), "put all mirrors for it into one rule, in order",
				"prefix %s is the one of rules[%d] again", rule.Prefix, first))
		}
		seen[rule.Prefix] = i
		flaws = append(flaws, rule.check(filepath.Dir(file), at)...)
	}
	if len(flaws) > 0 {
		return nil, nil, errors.Join(flaws...)
	}
	return &m, place, nil
}

// check returns all that is wrong with a rule, and makes the paths of its mirrors
// relative to dir.
func (r *Rule) check(dir string, at placed) []error {
	if r.Prefix == "" {
		return []error{fault.At(at(".prefix"), "", "rule has no prefix")}
	}
	var flaws []error
	if len(r.Mirrors) == 0 {
		flaws = append(flaws, fault.At(at(".mirrors"), "", "rule for %s has no mirror", r.Prefix))
	}
	for j := range r.Mirrors {
		if err := r.Mirrors[j].check(r.Prefix, dir); err != nil {
			flaws = append(flaws, fault.At(at(fmt.Sprintf(".mirrors[%d]", j)), "", "%w", err))
		}
	}
	return flaws
}

// check holds a mirror against the kind of its prefix and makes its paths
// relative to dir.
func (m *Mirror) check(prefix Prefix, dir string) error {
	if m.Location == "" {
		return errors.New("mirror has no location")
	}
	if m.CAFile != "" && !filepath.IsAbs(m.CAFile) {
		m.CAFile = filepath.Join(dir, m.CAFile)
	}
	s := string(m.Location)
	if folder, ok := asFolder(s); ok {
		if m.Insecure || m.CAFile != "" {
			return fmt.Errorf("folder %s takes neither insecure nor caFile", s)
		}
		if !filepath.IsAbs(folder) {
			folder = filepath.Join(dir, folder)
		}
		absolute, err := filepath.Abs(folder)
		if err != nil {
			return registry.Bare(err)
		}
		m.Location = Location(absolute)
		return nil
	}
	if web := hasAnyPrefix(s, "http://", "https://"); web != prefix.isWeb() {
		if web {
			return fmt.Errorf("%s cannot stand for %s: write registry/repository without https://", registry.Redact(s), prefix)
		}
		return fmt.Errorf("%s cannot stand for %s: write an http or https URL", manifests.BareName(s), prefix)
	}
	return nil
}

// rule returns the rule for a name: the longest prefix wins.
func (m *Mirrors) rule(name string) (best *Rule, rest string) {
	for i := range m.Rules {
		if r, ok := m.Rules[i].Prefix.covers(name); ok && (best == nil || len(m.Rules[i].Prefix) > len(best.Prefix)) {
			best, rest = &m.Rules[i], r
		}
	}
	return best, rest
}

// hosts returns the hosts of all mirrors, as host or host:port.
func (m *Mirrors) hosts() []string {
	var hosts []string
	for _, rule := range m.Rules {
		for _, mirror := range rule.Mirrors {
			if host := mirror.locate(string(rule.Prefix), "").host(); host != "" {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}

// normal returns the form of a name in which names are compared: scheme and host
// in lower case, Docker Hub as docker.io, no trailing slash, and no port where it is
// that of the scheme.
func normal(s string) string {
	scheme, rest, isURL := strings.Cut(s, "://")
	if !isURL {
		scheme, rest = "", s
	}
	host, path, _ := strings.Cut(rest, "/")
	host = strings.ToLower(host)
	if scheme = strings.ToLower(scheme); scheme == "" || scheme == "oci" {
		if host == name.DefaultRegistry {
			host = "docker.io"
		}
	}
	if port := map[string]string{"https": ":443", "http": ":80"}[scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	if !strings.Contains(path, "?") {
		path = strings.TrimRight(path, "/")
	}
	if path != "" {
		host += "/" + path
	}
	if scheme == "" {
		return host
	}
	return scheme + "://" + host
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

package source

import (
	"context"
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// location is one place that a name can be fetched from.
type location struct {
	kind       locationKind
	name       string // the canonical name it stands for
	registry   string // registryKind: host[:port]
	repository string // registryKind
	url        string // webKind: without secrets
	secret     secret // of the name, or out of the mirrors file
	path       string // folderKind: a file or folder, or the image layout that holds name
	security   registry.Security
	led        *registry.Lead // who named it, if the user did not
}

type locationKind int

const (
	registryKind locationKind = iota
	webKind
	folderKind
)

// String names the location to people, without secrets.
func (l location) String() string {
	switch l.kind {
	case registryKind:
		return l.asRepository().String()
	case webKind:
		return l.asResource().String()
	default:
		return l.path
	}
}

func (l location) asRepository() registry.Repository {
	return registry.Repository{Registry: l.registry, Name: l.repository, Security: l.security, User: l.secret.user, Lead: l.led}
}

func (l location) asResource() registry.Resource {
	return registry.Resource{URL: l.url, User: l.secret.user, Query: l.secret.query, Security: l.security, Lead: l.led}
}

// host returns the host of the location, as host or host:port; empty for a folder.
func (l location) host() string {
	if l.kind == webKind {
		if parsed, err := url.Parse(l.url); err == nil {
			return parsed.Host
		}
	}
	return l.registry
}

// leads says of an index at this location who names what it leads to.
func (l location) leads() *registry.Lead { return &registry.Lead{From: l.host(), Document: true} }

// isOrigin reports whether the location is the name itself, and no mirror.
func (l location) isOrigin() bool {
	if l.kind == webKind {
		return l.url == l.name
	}
	return l.kind == registryKind && l.registry+"/"+l.repository == strings.TrimPrefix(l.name, "oci://")
}

// leadTo notes of the origin among locations who named it, if that was not the user.
// Mirrors are named by whoever has the keychain.
func leadTo(locations []location, by *registry.Lead) {
	for i := range locations {
		if locations[i].isOrigin() {
			locations[i].led = by
		}
	}
}

// ledThere notes of locations that an index at another one names them. An index that
// came over HTTPS, or that is named so, leads to nothing over plain HTTP.
func ledThere(locations []location, index location) error {
	leadTo(locations, index.leads())
	for _, l := range locations {
		if l.led != nil && strings.HasPrefix(l.url, "http://") &&
			(strings.HasPrefix(index.url, "https://") || strings.HasPrefix(index.name, "https://")) {
			return registry.Refuse("index leads from HTTPS to plain HTTP at %s", registry.Redact(l.url))
		}
	}
	return nil
}

// session returns what asks a registry or a web server for the location.
func (l location) session(ctx context.Context, client *registry.Client) (*registry.Session, error) {
	if l.kind == registryKind {
		return client.Session(ctx, l.asRepository(), registry.Access{})
	}
	return client.WebSession(ctx, l.asResource())
}

// below returns the location of something below this one.
func (l location) below(rel string) location {
	l.name = joinURL(l.name, rel)
	switch l.kind {
	case registryKind:
		l.repository += "/" + rel
	case webKind:
		l.url = joinURL(l.url, rel)
	default:
		l.path = filepath.Join(l.path, filepath.FromSlash(rel))
	}
	return l
}

// joinURL returns what is below a URL, whose query it has.
func joinURL(base, rel string) string {
	base, query, ok := strings.Cut(base, "?")
	joined := strings.TrimRight(base, "/") + "/" + rel
	if ok {
		joined += "?" + query
	}
	return joined
}

// locator knows where names lead.
type locator struct {
	mirrors *Mirrors
	secrets *Secrets
	baseDir string
}

// repository returns the locations of an image repository
// ("registry/repository"), in the order in which they are asked.
func (l *locator) repository(name string) ([]location, error) {
	name = normal(name)
	return l.locate(name, name)
}

// content returns the locations of what a lock pins.
func (l *locator) content(content manifests.Content) ([]location, error) {
	if content.Repository != "" {
		return l.repository(content.Repository)
	}
	locations, err := l.url(content.URL)
	if content.IsLayerByURL() {
		leadTo(locations, &registry.Lead{From: "a manifest", Document: true, Anonymous: true})
	}
	return locations, err
}

// url returns the locations of a chart repository or file: an http, https,
// oci or file URL, or a path relative to the release document.
func (l *locator) url(name string) ([]location, error) {
	name = l.secrets.File(name)
	if folder, ok := asFolder(name); ok && strings.HasPrefix(name, "file://") {
		if folder == "" {
			return nil, fault.New(fault.Usage, fault.Here, name, "write file:///path", "URL does not name a local file")
		}
		return []location{{kind: folderKind, name: name, path: filepath.Clean(folder)}}, nil
	}
	scheme, rest, isURL := strings.Cut(name, "://")
	switch {
	case !isURL:
		if name == "" || strings.HasPrefix(name, "/") {
			return nil, fault.New(fault.Usage, fault.Here, name, "write file:///path for an absolute one",
				"not a path relative to the release document")
		}
		return []location{{kind: folderKind, name: name, path: filepath.Join(l.baseDir, filepath.FromSlash(name))}}, nil
	case scheme == "oci":
		if err := checkRepository(rest); err != nil {
			return nil, fault.New(fault.Usage, fault.Here, registry.Redact(name), "", "%w", err)
		}
		name = normal(name)
		return l.locate(name, strings.TrimPrefix(name, "oci://"))
	case scheme != "http" && scheme != "https":
		return nil, fault.New(fault.Usage, fault.Here, registry.Redact(name), "use http, https, oci, file or a relative path",
			"scheme %.20q cannot be fetched", scheme)
	}
	return l.web(name)
}

// web returns the locations of what an http or https URL names.
func (l *locator) web(name string) ([]location, error) {
	parsed, err := url.Parse(name)
	if err != nil || parsed.Hostname() == "" {
		return nil, fault.New(fault.Usage, fault.Here, registry.Redact(name), "", "not a valid URL")
	}
	name = normal(name)
	return l.locate(name, name)
}

// locate returns the mirrors of a normal name and then its origin, which for
// oci:// differs from the name.
func (l *locator) locate(name, origin string) ([]location, error) {
	var locations []location
	rule, rest := l.mirrors.rule(name)
	if rule != nil {
		for _, m := range rule.Mirrors {
			locations = append(locations, m.locate(name, rest))
		}
		if rule.OnlyMirrors {
			return locations, nil
		}
	}
	at := location{kind: webKind, name: name, url: origin}
	if !hasAnyPrefix(origin, "http://", "https://") {
		if err := checkRepository(origin); err != nil {
			return nil, fault.New(fault.Usage, fault.Here, name, "", "%w", err)
		}
		at = registryLocation(name, origin)
	}
	at.secret = l.secrets.of(name)
	// Whoever writes http://user:password@host wants them sent so.
	at.security.PlainHTTP = at.kind == webKind && at.secret.user != nil
	return append(locations, at), nil
}

// locate returns the location of a name that goes on with rest after the prefix.
func (m Mirror) locate(name, rest string) location {
	s := string(m.Location)
	folder, isFolder := asFolder(s)
	var l location
	switch {
	case isFolder:
		l = location{kind: folderKind, name: name, path: folder}
		if hasAnyPrefix(name, "http://", "https://") {
			l.path = filepath.Join(folder, fileBelow(rest))
		}
		return l
	case hasAnyPrefix(s, "http://", "https://"):
		l = mirroredWeb(name, s, rest)
	default:
		user, repository := splitUser(strings.TrimPrefix(s, "oci://"))
		l = registryLocation(name, repository+rest)
		l.secret.user = user
	}
	l.security = registry.Security{PlainHTTP: m.Insecure, CAFile: m.CAFile}
	return l
}

// fileBelow turns what follows a prefix in a URL into a relative path that
// stays below the mirror's folder.
func fileBelow(rest string) string {
	rest, _, _ = strings.Cut(rest, "?")
	if unescaped, err := url.PathUnescape(rest); err == nil {
		rest = unescaped
	}
	return filepath.FromSlash(path.Clean("/" + rest))
}

func registryLocation(name, s string) location {
	host, repository, _ := strings.Cut(s, "/")
	return location{kind: registryKind, name: name, registry: host, repository: repository}
}

// mirroredWeb returns the location of a mirror for what follows the prefix in a
// name. What the mirror's URL holds of secrets is sent to it alone.
func mirroredWeb(name, mirror, rest string) location {
	l := location{kind: webKind, name: name, url: mirror + rest}
	parsed, err := url.Parse(mirror)
	if err != nil {
		return l // which was checked
	}
	l.secret.user, l.secret.query = parsed.User, parsed.RawQuery
	parsed.User, parsed.RawQuery = nil, ""
	rest, query, _ := strings.Cut(rest, "?")
	l.url = strings.TrimRight(parsed.String(), "/") + rest
	if query != "" {
		l.url += "?" + query
		if l.secret.query != "" {
			l.secret.query = query + "&" + l.secret.query
		}
	}
	return l
}

// splitUser takes the user information off USER:PASSWORD@HOST/….
func splitUser(s string) (*url.Userinfo, string) {
	host, path, slash := strings.Cut(s, "/")
	at := strings.LastIndexByte(host, '@')
	if at < 0 {
		return nil, s
	}
	parsed, err := url.Parse("oci://" + host[:at] + "@host")
	if err != nil {
		return nil, s
	}
	host = host[at+1:]
	if slash {
		host += "/"
	}
	return parsed.User, host + path
}

package source

import (
	"net/url"
	"path"
	"path/filepath"
	"strings"

	"github.com/islandbundle/island/manifests/fault"
)

// location is one place that a name can be fetched from.
type location struct {
	kind       locationKind
	name       string        // the canonical name it stands for
	registry   string        // registryKind: host[:port]
	repository string        // registryKind
	url        string        // webKind: without user information
	user       *url.Userinfo // webKind: from the mirrors file
	path       string        // folderKind: a file or folder, or the image layout that holds name
	plain      bool          // plain HTTP is allowed, with credentials
	ca         string        // PEM file of further certificates to trust
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
		return l.registry + "/" + l.repository
	case webKind:
		return redact(l.url)
	default:
		return l.path
	}
}

// below returns the location of something below this one.
func (l location) below(rel string) location {
	l.name = strings.TrimRight(l.name, "/") + "/" + rel
	switch l.kind {
	case registryKind:
		l.repository += "/" + rel
	case webKind:
		l.url = strings.TrimRight(l.url, "/") + "/" + rel
	default:
		l.path = filepath.Join(l.path, filepath.FromSlash(rel))
	}
	return l
}

// locateRepository returns the locations of an image repository
// ("registry/repository"), in the order in which they are asked.
func (u *Upstream) locateRepository(name string) ([]location, error) {
	name = normal(name)
	return u.locate(name, name)
}

// locateURL returns the locations of a chart repository or file: an http, https,
// oci or file URL, or a path relative to the release document.
func (u *Upstream) locateURL(name string) ([]location, error) {
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
			return nil, fault.New(fault.Usage, fault.Here, name, "write file:///path for an absolute one", "not a path relative to the release document")
		}
		return []location{{kind: folderKind, name: name, path: filepath.Join(u.baseDir, filepath.FromSlash(name))}}, nil
	case scheme == "oci":
		if err := checkRepository(rest); err != nil {
			return nil, fault.New(fault.Usage, fault.Here, redact(name), "", "%w", err)
		}
		name = normal(name)
		return u.locate(name, strings.TrimPrefix(name, "oci://"))
	case scheme != "http" && scheme != "https":
		return nil, fault.New(fault.Usage, fault.Here, redact(name), "use http, https, oci, file or a relative path", "scheme %.20q cannot be fetched", scheme)
	}
	parsed, err := url.Parse(name)
	if err != nil || parsed.Hostname() == "" {
		return nil, fault.New(fault.Usage, fault.Here, redact(name), "", "not a valid URL")
	}
	if parsed.User != nil {
		return nil, fault.New(fault.Usage, fault.Here, redact(name), "log in with docker login or podman login to that host, or name a mirror with credentials",
			"URL holds credentials, which would end up in the lock")
	}
	name = normal(name)
	return u.locate(name, name)
}

// locate returns the mirrors of a normal name and then its origin, which for
// oci:// differs from the name.
func (u *Upstream) locate(name, origin string) ([]location, error) {
	var locations []location
	rule, rest := u.mirrors.rule(name)
	if rule != nil {
		for _, m := range rule.Mirrors {
			locations = append(locations, m.locate(name, rest))
		}
		if rule.OnlyMirrors {
			return locations, nil
		}
	}
	if hasAnyPrefix(origin, "http://", "https://") {
		return append(locations, webLocation(name, origin)), nil
	}
	if err := checkRepository(origin); err != nil {
		return nil, fault.New(fault.Usage, fault.Here, name, "", "%w", err)
	}
	return append(locations, registryLocation(name, origin)), nil
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
		l = webLocation(name, s+rest)
	default:
		l = registryLocation(name, strings.TrimPrefix(s, "oci://")+rest)
	}
	l.plain, l.ca = m.Insecure, m.CAFile
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

func webLocation(name, s string) location {
	l := location{kind: webKind, name: name, url: s}
	if parsed, err := url.Parse(s); err == nil && parsed.User != nil {
		l.user, parsed.User = parsed.User, nil
		l.url = parsed.String()
	}
	return l
}

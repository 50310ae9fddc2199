package source

import (
	"cmp"
	"net/url"
	"strings"
	"sync"

	"github.com/islandbundle/island/manifests"
)

// Secrets are what of the URLs in a release lets somebody in: user information, and
// queries with tokens or signatures ([manifests.BareURL] says what else a query may
// hold). A lock has the URLs without them, and what fetches has them in memory. The
// zero value, and nil, have none. They are safe for use by several goroutines.
type Secrets struct {
	mu           sync.Mutex
	urls         map[string]secret // by name without secrets
	repositories map[string]secret // likewise; what is below one is asked for with its secrets
}

// secret is what is added to a name for fetching.
type secret struct {
	user  *url.Userinfo
	query string // the whole one
}

// Repository notes the secrets in the URL of a chart repository, and returns the URL
// without them. They count for what is below it, too; user information for all of its
// host.
func (s *Secrets) Repository(full string) (bare string) {
	return s.take(full, func(name string, of secret) { s.repositories[name] = of })
}

// File notes the secrets in a URL, and returns the URL without them.
func (s *Secrets) File(full string) (bare string) {
	return s.take(full, func(name string, of secret) { s.urls[name] = of })
}

func (s *Secrets) take(full string, note func(name string, of secret)) string {
	bare := manifests.BareURL(full)
	if s == nil || bare == full {
		return bare
	}
	parsed, err := url.Parse(full)
	if err != nil {
		return bare
	}
	name := normal(bare)
	if rest, ok := strings.CutPrefix(name, "oci://"); ok {
		repository, _ := splitReference(rest)
		name = "oci://" + repository
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.urls == nil {
		s.urls, s.repositories = map[string]secret{}, map[string]secret{}
	}
	note(name, secret{parsed.User, parsed.RawQuery})
	return bare
}

// Has reports whether a URL had secrets when it was noted.
func (s *Secrets) Has(bare string) bool {
	of := s.of(normal(bare))
	return of.user != nil || of.query != ""
}

// of returns the secrets for a normal name: its own, and what it lacks of those of
// the repository that it is below, or whose host it is on.
func (s *Secrets) of(name string) secret {
	if s == nil {
		return secret{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.urls[name]
	repository, length, sameHost := secret{}, 0, secret{}
	path, query, _ := strings.Cut(name, "?")
	for base, of := range s.repositories {
		base, _, _ = strings.Cut(base, "?")
		switch {
		case path != base && !strings.HasPrefix(path, base+"/"):
		case len(base) > length:
			repository, length = of, len(base)
		}
		if originOf(base) == originOf(path) && of.user != nil && (sameHost.user == nil || of.user.String() < sameHost.user.String()) {
			sameHost = of
		}
	}
	if own.query == "" && repository.query != "" {
		own.query = repository.query
		if query != "" && !strings.Contains(repository.query, query) {
			own.query = query + "&" + repository.query
		}
	}
	if own.user == nil {
		own.user = cmp.Or(repository.user, sameHost.user)
	}
	return own
}

// originOf returns scheme, host and port of a URL.
func originOf(name string) string {
	scheme, rest, _ := strings.Cut(name, "://")
	host, _, _ := strings.Cut(rest, "/")
	return scheme + "://" + host
}

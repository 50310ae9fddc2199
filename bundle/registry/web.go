package registry

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// Resource is what a URL names on a web server, and how the server is reached.
type Resource struct {
	URL   string        // http(s), without secrets
	User  *url.Userinfo // credentials of its own; nil for those of the keychain
	Query string        // with secrets, in the place of the URL's own; empty for that
	Lead  *Lead         // who named the host; nil for the user
	Security
}

// String names the resource to people, without secrets.
func (r Resource) String() string { return Redact(r.URL) }

// WebSession returns a session for what a URL names. Credentials are bound to
// its scheme, host and port.
func (c *Client) WebSession(ctx context.Context, resource Resource) (*Session, error) {
	if c.offline {
		return nil, ErrOffline
	}
	parsed, err := url.Parse(resource.URL)
	if err != nil {
		return nil, Refuse("%w", Bare(err))
	}
	through, err := c.through(ctx, resource.Security, parsed.Host, resource.Lead, parsed.Scheme)
	if err != nil {
		return nil, Refuse("%w", err)
	}
	var login webLogin
	wanted := resource.User != nil || resource.Lead == nil || !resource.Lead.Anonymous
	if wanted && (parsed.Scheme == "https" || resource.PlainHTTP || isLoopback(parsed.Host)) {
		if login, err = c.webLogin(ctx, resource.User, parsed.Host); err != nil {
			return nil, err
		}
		if login.credentials != nil {
			through = &bound{next: through, scheme: parsed.Scheme, host: parsed.Host, credentials: login.credentials}
		}
	}
	c.hidden.add(resource.User, resource.Query)
	base := resource.URL
	if resource.Query != "" {
		base, _, _ = strings.Cut(base, "?")
		base += "?" + resource.Query
	}
	return &Session{
		patience: c.patience,
		place:    resource.String(),
		base:     base,
		client:   &http.Client{Transport: through, CheckRedirect: checkRedirect},
		host:     parsed.Host,
		unread:   login.unread,
		hidden:   c.hidden,
	}, nil
}

// webLogin is how a web server is logged in to.
type webLogin struct {
	credentials *authn.AuthConfig // nil for none
	unread      error             // why the keychain gave none, if that was a failure
}

// webLogin returns the credentials for a web server: the resource's own, or what
// the keychain has for a registry of that host and port.
func (c *Client) webLogin(ctx context.Context, user *url.Userinfo, host string) (webLogin, error) {
	if user != nil {
		password, _ := user.Password()
		return webLogin{credentials: &authn.AuthConfig{Username: user.Username(), Password: password}}, nil
	}
	return c.logins.Get(ctx, host, func() (login webLogin, err error) {
		registry, err := name.NewRegistry(host)
		if err != nil {
			return login, nil //nolint:nilerr // not a host that anybody can log in to
		}
		authenticator, unread := c.credentials(ctx, registry)
		if ctx.Err() != nil {
			return login, context.Cause(ctx)
		}
		if unread != nil {
			return webLogin{unread: unread}, nil //nolint:nilerr // the session tells it, if it matters
		}
		config, err := authn.Authorization(ctx, authenticator)
		if err == nil && *config != (authn.AuthConfig{}) {
			login.credentials = config
		}
		return login, err
	})
}

// bound sends credentials to one scheme, host and port and to nobody else.
type bound struct {
	next         http.RoundTripper
	scheme, host string
	credentials  *authn.AuthConfig
}

func (b *bound) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme != b.scheme || request.URL.Host != b.host {
		return b.next.RoundTrip(request)
	}
	request = request.Clone(request.Context())
	switch {
	case b.credentials.RegistryToken != "":
		request.Header.Set("Authorization", "Bearer "+b.credentials.RegistryToken)
	case b.credentials.Username != "" || b.credentials.Password != "":
		request.SetBasicAuth(b.credentials.Username, b.credentials.Password)
	case b.credentials.Auth != "":
		request.Header.Set("Authorization", "Basic "+b.credentials.Auth)
	}
	return b.next.RoundTrip(request)
}

package registry

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// Repository is one repository of a registry, and how the registry is reached.
type Repository struct {
	Registry string // host[:port]
	Name     string
	Security
	User *url.Userinfo // credentials of its own; nil for those of the keychain
	Lead *Lead         // who named the registry; nil for the user
}

// String names the repository to people.
func (r Repository) String() string { return r.Registry + "/" + r.Name }

// Access is what a session may do in its repository. The zero value is to fetch.
type Access struct {
	// Push allows to push besides.
	Push bool
	// MountFrom names repositories of the same registry out of which blobs are
	// mounted (distribution-spec, "Mounting a blob from another repository"):
	// the registry wants to see that they may be fetched.
	MountFrom []string
}

// scopes returns what a token is asked for (distribution's token specification,
// "Token Scope Documentation").
func (a Access) scopes(repository name.Repository) []string {
	actions := "pull"
	if a.Push {
		actions = "pull,push"
	}
	scopes := []string{repository.Scope(actions)}
	for _, from := range a.MountFrom {
		scopes = append(scopes, repository.Registry.Repo(from).Scope("pull"))
	}
	return scopes
}

// Session logs in to a repository once for each access; all its requests share
// the token.
func (c *Client) Session(ctx context.Context, repository Repository, access Access) (*Session, error) {
	if c.offline {
		return nil, ErrOffline
	}
	c.hidden.add(repository.User, "")
	key := fmt.Sprintf("%s %+v %+v %s %s", repository, repository.Security, access, repository.User, repository.Lead)
	return c.sessions.Get(ctx, key, func() (*Session, error) {
		session, err := c.logIn(ctx, repository, access)
		return session, c.hidden.fromError(err)
	})
}

// logIn finds out how the registry authenticates, which is asked once a
// registry, and gets a token for the repository if one is needed (OCI
// distribution-spec; distribution's token specification).
func (c *Client) logIn(ctx context.Context, repository Repository, access Access) (*Session, error) {
	var strictness []name.Option
	if repository.PlainHTTP {
		strictness = append(strictness, name.Insecure)
	}
	registry, err := name.NewRegistry(repository.Registry, strictness...)
	if err != nil {
		return nil, Refuse("%w", err)
	}
	through, err := c.through(ctx, repository.Security, registry.RegistryStr(), repository.Lead, "https", "http")
	if err != nil {
		return nil, Refuse("%w", err)
	}
	if !repository.PlainHTTP {
		through = onlyTLS{through}
	}
	challenge, err := c.challenge(ctx, registry, repository, through)
	if err != nil {
		return nil, err
	}
	target := registry.Repo(repository.Name)
	credentials, unread := ownCredentials(repository.User), error(nil)
	if credentials == nil {
		credentials, unread = c.credentials(ctx, target)
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	token, err := exchange(ctx, target, access, credentials, through, challenge)
	if err != nil {
		return nil, loginFailed(handshake(ctx, err), repository.Registry, unread)
	}
	authenticated, err := transport.FromToken(registry, credentials, through, challenge, token)
	if err != nil {
		return nil, Refuse("%w", Bare(err))
	}
	scheme := "https"
	if challenge.Insecure {
		scheme = "http"
	}
	return &Session{
		patience: c.patience,
		place:    repository.String(),
		base:     scheme + "://" + registry.RegistryStr() + "/v2/" + target.RepositoryStr(),
		client:   &http.Client{Transport: authenticated, CheckRedirect: checkRedirect},
		host:     repository.Registry,
		unread:   unread,
		hidden:   c.hidden,
	}, nil
}

// ownCredentials are those of a URL; nil if it has none.
func ownCredentials(user *url.Userinfo) authn.Authenticator {
	if user == nil {
		return nil
	}
	password, _ := user.Password()
	return authn.FromConfig(authn.AuthConfig{Username: user.Username(), Password: password})
}

// credentials asks the keychain, which may have to run a credential helper. Where it
// fails, nobody is logged in, which is enough for all that is public; why is
// given, for when it is not, and told once.
func (c *Client) credentials(ctx context.Context, target authn.Resource) (login authn.Authenticator, unread error) {
	err := c.waits.during(ctx, "credentials for "+target.RegistryStr(), func(ctx context.Context) error {
		authenticator, err := authn.Resolve(ctx, c.keychain, target)
		if err != nil {
			return err
		}
		config, err := authn.Authorization(ctx, authenticator)
		if err == nil {
			login = authn.FromConfig(*config)
		}
		return err
	})
	if err == nil {
		return login, nil
	}
	unread = Bare(err)
	if _, told := c.unread.LoadOrStore(target.RegistryStr()+" "+unread.Error(), true); !told && ctx.Err() == nil {
		c.log(fmt.Sprintf("%s: %v; asking without credentials", target.RegistryStr(), unread))
	}
	return authn.Anonymous, unread
}

// challenge asks a registry how it authenticates. Where plain HTTP is not
// allowed, only the answer over HTTPS tells anything.
func (c *Client) challenge(
	ctx context.Context, registry name.Registry, repository Repository, through http.RoundTripper,
) (*transport.Challenge, error) {
	key := fmt.Sprintf("%s %+v %s", repository.Registry, repository.Security, repository.Lead)
	challenge, err := c.challenges.Get(ctx, key, func() (*transport.Challenge, error) { return transport.Ping(ctx, registry, through) })
	if err == nil {
		return challenge, nil
	}
	if web := firstURLError(err); web != nil && !repository.PlainHTTP && !isLoopback(repository.Registry) {
		err = web
	}
	return nil, handshake(ctx, err)
}

// handshake is an error of the registry handshake as it can be told.
func handshake(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return asked(err)
}

// exchange gets a token for a repository, if the registry works with tokens.
func exchange(
	ctx context.Context, repository name.Repository, access Access,
	credentials authn.Authenticator, through http.RoundTripper, challenge *transport.Challenge,
) (*transport.Token, error) {
	if !strings.EqualFold(challenge.Scheme, "bearer") {
		return nil, nil
	}
	config, err := authn.Authorization(ctx, credentials)
	if err != nil {
		return nil, err
	}
	if config.RegistryToken != "" {
		return &transport.Token{Token: config.RegistryToken}, nil
	}
	token, err := transport.Exchange(ctx, repository.Registry, credentials, through, access.scopes(repository), challenge)
	if err != nil {
		return nil, err
	}
	token.Token = cmp.Or(token.Token, token.AccessToken)
	return token, nil
}

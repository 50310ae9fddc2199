package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/islandbundle/island/manifests"
)

// session is one repository of one registry, logged in.
type session struct {
	client *http.Client
	base   string // scheme://host/v2/repository
}

// session logs in to a location once; all its requests share the token.
func (u *Upstream) session(ctx context.Context, l location) (*session, error) {
	if u.offline {
		return nil, ErrOffline
	}
	key := fmt.Sprintf("%s %s %t %s", l.registry, l.repository, l.plain, l.ca)
	return u.sessions.get(ctx, key, func() (*session, error) { return u.login(ctx, l) })
}

// login finds out how the registry authenticates, which is asked once a
// registry, and gets a token for the repository if one is needed (OCI
// distribution-spec; distribution's token specification).
func (u *Upstream) login(ctx context.Context, l location) (*session, error) {
	var strictness []name.Option
	if l.plain {
		strictness = append(strictness, name.Insecure)
	}
	registry, err := name.NewRegistry(l.registry, strictness...)
	if err != nil {
		return nil, refusal{err}
	}
	repository := registry.Repo(l.repository)
	through, err := u.roundTripper(ctx, l)
	if err != nil {
		return nil, refusal{err}
	}
	challenge, err := u.pings.get(ctx, fmt.Sprintf("%s %t %s", l.registry, l.plain, l.ca), func() (*transport.Challenge, error) {
		return transport.Ping(ctx, registry, through)
	})
	if err != nil {
		return nil, askedRegistry(ctx, err, !l.plain && !isLoopback(l.registry))
	}
	credentials, err := authn.Resolve(ctx, u.keychain, repository)
	if err != nil {
		return nil, refusal{fmt.Errorf("cannot read the credentials for %s: %w", l.registry, bare(err))}
	}
	token, err := exchange(ctx, repository, credentials, through, challenge)
	if err != nil {
		return nil, askedRegistry(ctx, err, false)
	}
	authenticated, err := transport.FromToken(registry, credentials, through, challenge, token)
	if err != nil {
		return nil, refusal{bare(err)}
	}
	scheme := "https"
	if challenge.Insecure {
		scheme = "http"
	}
	return &session{
		client: &http.Client{Transport: authenticated, CheckRedirect: checkRedirect},
		base:   scheme + "://" + registry.RegistryStr() + "/v2/" + repository.RepositoryStr(),
	}, nil
}

// exchange gets a token for pulling from a repository, if the registry works
// with tokens.
func exchange(ctx context.Context, repository name.Repository, credentials authn.Authenticator, through http.RoundTripper, challenge *transport.Challenge) (*transport.Token, error) {
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
	token, err := transport.Exchange(ctx, repository.Registry, credentials, through, []string{repository.Scope(transport.PullScope)}, challenge)
	if err != nil {
		return nil, err
	}
	token.Token = or(token.Token, token.AccessToken)
	return token, nil
}

// askedRegistry is asked for the registry handshake. Where plain HTTP is not
// allowed, only the answer over HTTPS tells anything.
func askedRegistry(ctx context.Context, err error, tlsOnly bool) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if web := firstURLError(err); tlsOnly && web != nil {
		return asked(web)
	}
	return asked(err)
}

// roundTripper returns the transport for a location, without credentials.
func (u *Upstream) roundTripper(ctx context.Context, l location) (http.RoundTripper, error) {
	w, err := u.wire(ctx, l.ca)
	if err != nil {
		return nil, err
	}
	through := transport.NewUserAgent(w, u.agent)
	if l.kind == registryKind && !l.plain {
		through = onlyTLS{through}
	}
	return through, nil
}

// openBlob opens a blob of a registry or of an image layout.
func (u *Upstream) openBlob(ctx context.Context, l location, digest manifests.Digest, size, offset int64) (io.ReadCloser, error) {
	if _, err := manifests.ParseDigest(string(digest)); err != nil {
		return nil, refusal{err}
	}
	if l.kind == folderKind {
		return openLocal(layoutBlob(l, digest), size, offset)
	}
	s, err := u.session(ctx, l)
	if err != nil {
		return nil, err
	}
	return openRange(ctx, s.client, s.base+"/blobs/"+string(digest), size, offset)
}

// openRange asks for content of a known size from an offset on.
func openRange(ctx context.Context, client *http.Client, url string, size, offset int64) (io.ReadCloser, error) {
	header := http.Header{}
	if offset > 0 {
		if offset == size {
			return http.NoBody, nil
		}
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, size-1))
	}
	response, err := get(ctx, client, http.MethodGet, url, header, http.StatusOK, http.StatusPartialContent)
	if err != nil {
		return nil, err
	}
	if err := checkRange(response, size, offset); err != nil {
		_ = response.Body.Close()
		return nil, err
	}
	if response.StatusCode == http.StatusOK && offset > 0 { // the server does not do ranges
		return &skipping{response.Body, offset}, nil
	}
	return response.Body, nil
}

// checkRange holds what an answer says of itself against what was asked for.
func checkRange(response *http.Response, size, offset int64) error {
	if response.StatusCode == http.StatusOK {
		if response.ContentLength >= 0 && response.ContentLength != size {
			return refusal{fmt.Errorf("content has %d bytes, not %d", response.ContentLength, size)}
		}
		return nil
	}
	var first, last, total int64
	said := response.Header.Get("Content-Range")
	if n, _ := fmt.Sscanf(said, "bytes %d-%d/%d", &first, &last, &total); n < 2 || first != offset || n == 3 && total != size {
		return refusal{fmt.Errorf("answer has the range %.60q, wanted bytes %d-%d/%d", said, offset, size-1, size)}
	}
	return nil
}

// skipping is a body of which a first part is not wanted.
type skipping struct {
	io.ReadCloser
	skip int64
}

func (s *skipping) Read(p []byte) (int, error) {
	for s.skip > 0 {
		n, err := io.CopyN(io.Discard, s.ReadCloser, s.skip)
		s.skip -= n
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return 0, err
		}
	}
	return s.ReadCloser.Read(p)
}

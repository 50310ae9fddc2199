package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/islandbundle/island/manifests/fault"
)

// Stat returns the size in bytes of what a URL or a path relative to
// [Options.BaseDir] names. A server is asked by HEAD, and by a GET that is not
// read if it does not answer that or not with a size.
func (u *Upstream) Stat(ctx context.Context, url string) (int64, error) {
	object := redact(url)
	locations, err := u.locateURL(url)
	if err != nil {
		return 0, err
	}
	var size int64
	err = u.each(ctx, object, locations, func(l location) (err error) {
		switch l.kind {
		case registryKind:
			return refusal{fmt.Errorf("a registry has no files")}
		case webKind:
			size, err = u.statWeb(ctx, l)
		default:
			size, err = statLocal(l.path)
		}
		return err
	})
	return size, err
}

func (u *Upstream) statWeb(ctx context.Context, l location) (int64, error) {
	client, err := u.web(ctx, l)
	if err != nil {
		return 0, err
	}
	for _, method := range []string{http.MethodHead, http.MethodGet} {
		response, err := get(ctx, client, method, l.url, nil, http.StatusOK)
		if status := (*statusError)(nil); errors.As(err, &status) && method == http.MethodHead && !fallsBack(status) {
			continue // some servers, and all URLs that are signed for GET, refuse HEAD
		}
		if err != nil {
			return 0, err
		}
		_ = response.Body.Close()
		if response.ContentLength >= 0 {
			return response.ContentLength, nil
		}
	}
	return 0, fault.New(fault.Failure, fault.Upstream, "", "give the file's size in the release", "server does not tell the size")
}

// openFile opens a file on a web server or on this machine.
func (u *Upstream) openFile(ctx context.Context, l location, size, offset int64) (io.ReadCloser, error) {
	if l.kind == folderKind {
		return openLocal(l.path, size, offset)
	}
	client, err := u.web(ctx, l)
	if err != nil {
		return nil, err
	}
	return openRange(ctx, client, l.url, size, offset)
}

// web returns the HTTP client for a location. Credentials are bound to its
// scheme, host and port.
func (u *Upstream) web(ctx context.Context, l location) (*http.Client, error) {
	if u.offline {
		return nil, ErrOffline
	}
	through, err := u.roundTripper(ctx, l)
	if err != nil {
		return nil, refusal{err}
	}
	parsed, err := url.Parse(l.url)
	if err != nil {
		return nil, refusal{bare(err)}
	}
	if parsed.Scheme == "https" || l.plain || isLoopback(parsed.Host) {
		credentials, err := u.credentials(ctx, l, parsed.Host)
		if err != nil {
			return nil, err
		}
		if credentials != nil {
			through = &bound{next: through, scheme: parsed.Scheme, host: parsed.Host, credentials: credentials}
		}
	}
	return &http.Client{Transport: through, CheckRedirect: checkRedirect}, nil
}

// credentials returns the credentials for a web server: the location's own, or
// what the keychain has for a registry of that host and port; nil for none.
func (u *Upstream) credentials(ctx context.Context, l location, host string) (*authn.AuthConfig, error) {
	if l.user != nil {
		password, _ := l.user.Password()
		return &authn.AuthConfig{Username: l.user.Username(), Password: password}, nil
	}
	return u.logins.get(ctx, host, func() (*authn.AuthConfig, error) { return u.lookUp(ctx, host) })
}

// lookUp asks the keychain, which may have to run a credential helper.
func (u *Upstream) lookUp(ctx context.Context, host string) (*authn.AuthConfig, error) {
	registry, err := name.NewRegistry(host)
	if err != nil {
		return nil, nil //nolint:nilerr // not a host that anybody can log in to
	}
	authenticator, err := authn.Resolve(ctx, u.keychain, registry)
	if err != nil {
		return nil, refusal{fmt.Errorf("cannot read the credentials for %s: %w", host, bare(err))}
	}
	if authenticator == authn.Anonymous {
		return nil, nil
	}
	config, err := authn.Authorization(ctx, authenticator)
	if err != nil {
		return nil, refusal{fmt.Errorf("cannot read the credentials for %s: %w", host, bare(err))}
	}
	return config, nil
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

// openLocal opens a regular file of a known size from an offset on.
func openLocal(path string, size, offset int64) (io.ReadCloser, error) {
	f, err := openBelow(path)
	if err != nil {
		return nil, local(err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() != size {
		err = fault.New(fault.Failure, fault.Here, "", "it changed since the lock was made: resolve again", "file has %d bytes, not %d", info.Size(), size)
	}
	if err == nil {
		err = skip(f, offset)
	}
	if err != nil {
		_ = f.Close()
		return nil, local(err)
	}
	return f, nil
}

func statLocal(path string) (int64, error) {
	f, err := openBelow(path)
	if err != nil {
		return 0, local(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return 0, local(err)
	}
	return info.Size(), nil
}

func readLocal(path string, limit int64) ([]byte, error) {
	f, err := openBelow(path)
	if err != nil {
		return nil, local(err)
	}
	defer f.Close()
	return readBounded(f, limit)
}

// local is a failure of this machine's files. A missing file is found again by
// errors.Is(err, os.ErrNotExist), so that another location can be asked.
func local(err error) error {
	return fault.Explain(bare(err), fault.Failure, fault.Here, "", "")
}

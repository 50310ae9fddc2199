package registry

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
)

// me is a keychain that knows one user everywhere.
type me struct{}

func (me) Resolve(authn.Resource) (authn.Authenticator, error) {
	return authn.FromConfig(authn.AuthConfig{Username: "me", Password: "s3cret"}), nil
}

// newClient makes a client of the user me that does not wait between tries.
func newClient(t *testing.T, options Options) *Client {
	t.Helper()
	options.Keychain = me{}
	options.Wait = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	client, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// serve starts a server and returns its host and port.
func serve(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	parsed, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.Host
}

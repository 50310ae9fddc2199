package registry

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/islandbundle/island/bundle/internal/memo"
	"github.com/islandbundle/island/manifests/fault"
)

// Options say how hosts are asked. The zero value is a usable default: the
// credentials of Docker and Podman, and retries by the clock that nobody is
// told about.
type Options struct {
	// Offline forbids every request: all of them fail with ErrOffline.
	Offline bool
	// Keychain gives the credentials for a registry or host; nil means
	// DefaultKeychain().
	Keychain authn.Keychain
	// PerHost and Total limit how many answers are read at one time, from one
	// host and in all; 0 means 4 and 8. An answer counts from its request
	// until it is read to its end or closed.
	PerHost, Total int
	// Stall is how long a connection may be silent, before an answer or
	// within it, until it is given up and tried again; 0 means 1 minute.
	Stall time.Duration
	// MinRate is how many bytes a second a transfer must bring at least, over
	// RateWindow; 0 means 1024, and less than 0 that any rate will do. A slower one
	// is broken off and goes on anew where it was, as after other failures. One
	// that shares a slow line with others is not slow as long as they all
	// together bring that much, and it a fair part of it.
	MinRate int64
	// RateWindow is over how much time a transfer is measured; 0 means 1 minute.
	RateWindow time.Duration
	// Patience is how long something may be waited for while nothing is finished,
	// until all is given up with a PatienceError; 0 means 10 minutes, and less than
	// 0 for ever. An answer that is read to its end is finished, and so is every
	// piece of answers of MinRate × Patience bytes, so that what is large counts
	// bit by bit.
	Patience time.Duration
	// Named are hosts that the user named, as host or host:port, besides those that
	// sessions are opened for: answers may lead to them, wherever they are.
	Named []string
	// UserAgent is sent with every request; empty means "island".
	UserAgent string
	// Log is told about retries and fallbacks, in a sentence without secrets;
	// nil means nobody is. It is called from several goroutines.
	Log func(message string)
	// Wait pauses between retries; nil means by the clock. It returns early
	// with the context's error.
	Wait func(ctx context.Context, pause time.Duration) error
	// Dial connects to host:port; nil means over TCP, within 15 seconds. Whoever gives
	// one answers for where names lead; see [Lead].
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client asks hosts. It is safe for use by several goroutines.
type Client struct {
	patience
	offline  bool
	keychain authn.Keychain
	agent    string
	stall    time.Duration
	rate     int64
	window   time.Duration
	dial     func(ctx context.Context, network, address string) (net.Conn, error) // nil for plain
	plain    net.Dialer
	limits   *limits
	places   places
	proxies  proxies

	transports memo.Memo[*http.Transport] // by CA file and network
	challenges memo.Memo[*transport.Challenge]
	sessions   memo.Memo[*Session]
	logins     memo.Memo[webLogin] // of web servers, by host
	unread     sync.Map            // credentials that could not be read: whether that was told
	hidden     *hidden             // secrets out of URLs, which servers may say again
}

// New makes a Client. Nothing is asked of the network yet. It fails if a limit
// is negative.
func New(options Options) (*Client, error) {
	if options.PerHost < 0 || options.Total < 0 || options.Stall < 0 || options.RateWindow < 0 {
		return nil, fault.New(fault.Usage, fault.Here, "", "", "a limit on connections is negative")
	}
	proxies, err := environmentProxies()
	if err != nil {
		return nil, err
	}
	rate := max(0, cmp.Or(options.MinRate, 1024))
	c := &Client{
		patience: patience{wait: options.Wait, log: options.Log, waits: newWaits(max(0, cmp.Or(options.Patience, 10*time.Minute)), rate)},
		offline:  options.Offline,
		keychain: options.Keychain,
		agent:    cmp.Or(options.UserAgent, "island"),
		stall:    cmp.Or(options.Stall, time.Minute),
		proxies:  proxies,
		rate:     rate,
		window:   cmp.Or(options.RateWindow, time.Minute),
		dial:     options.Dial,
		plain:    net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second},
		limits:   newLimits(cmp.Or(options.PerHost, 4), cmp.Or(options.Total, 8)),
		hidden:   &hidden{},
	}
	if c.keychain == nil {
		c.keychain = DefaultKeychain()
	}
	c.log = func(message string) {
		if options.Log != nil {
			options.Log(c.hidden.from(message))
		}
	}
	if c.wait == nil {
		c.wait = byTheClock
	}
	for _, host := range options.Named {
		c.Named(host)
	}
	return c, nil
}

// Named notes that the user named a host, as host or host:port, though nobody may have
// been asked there yet.
func (c *Client) Named(host string) {
	c.places.named.add(hostPort("https", host))
	c.places.named.add(hostPort("http", host))
}

// Close ends idle connections.
func (c *Client) Close() {
	for _, t := range c.transports.Values() {
		t.CloseIdleConnections()
	}
}

// Log tells whoever Options.Log is, in a sentence without secrets.
func (c *Client) Log(message string) { c.log(message) }

// Hide takes the secrets that were sent out of what a server says.
func (c *Client) Hide(text string) string { return c.hidden.from(text) }

// Pause waits as long as is fit after a number of failures in a row, before something
// is asked for again. It returns early with the context's error, or a PatienceError.
func (c *Client) Pause(ctx context.Context, what string, failures int) error {
	return c.rest(ctx, what, backoff(failures, 0))
}

// Security says how a host may be talked to. The zero value wants HTTPS with a
// certificate that the system trusts.
type Security struct {
	PlainHTTP bool   // plain HTTP is allowed, with credentials
	CAFile    string // PEM file of further certificates to trust
}

// through returns what sends requests of a session of a host, by some schemes, and of
// hosts that it leads to, without credentials. Who named the host is nil for the user.
func (c *Client) through(ctx context.Context, security Security, host string, by *Lead, schemes ...string) (http.RoundTripper, error) {
	get := func(ctx context.Context, most network) (*http.Transport, error) {
		key := fmt.Sprint(int(most), " ", security.CAFile)
		return c.transports.Get(ctx, key, func() (*http.Transport, error) { return c.transport(security.CAFile, most) })
	}
	if _, err := get(ctx, anywhere); err != nil {
		return nil, err
	}
	own := make([]string, len(schemes))
	for i, scheme := range schemes {
		own[i] = hostPort(scheme, host)
		if by == nil {
			c.places.named.add(own[i])
		}
	}
	route := func(request *http.Request) (*http.Transport, error) {
		most, err := c.places.allowed(request)
		if err != nil {
			return nil, err
		}
		return get(request.Context(), most)
	}
	return leading{own: own, by: by, next: transport.NewUserAgent(&retrying{
		patience: c.patience, limits: c.limits, offline: c.offline, stall: c.stall, rate: c.rate, window: c.window, route: route,
	}, c.agent)}, nil
}

// transport makes the lowest transport for a CA file ("" for none) and a network;
// connections are shared by all that use it.
func (c *Client) transport(ca string, most network) (*http.Transport, error) {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // one connection a blob: HTTP/2 would put all blobs into one TCP window
	base := &http.Transport{
		Proxy:                  c.proxy,
		OnProxyConnectResponse: throughProxy,
		DialContext:            c.dialer(most),
		Protocols:              protocols,
		TLSHandshakeTimeout:    dialTimeout,
		IdleConnTimeout:        idleConnection,
		MaxIdleConnsPerHost:    max(c.limits.perHost, 2),
		DisableCompression:     true, // content is pinned as it is stored
		ExpectContinueTimeout:  time.Second,
		ReadBufferSize:         64 << 10,
	}
	if ca != "" {
		pool, err := trust(ca)
		if err != nil {
			return nil, err
		}
		base.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return base, nil
}

// CheckCAFile says what keeps a file from being one of certificates to trust.
func CheckCAFile(file string) error {
	_, err := trust(file)
	return err
}

func trust(ca string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("cannot read CA file %s: %w", ca, Bare(err))
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA file %s holds no PEM certificate", ca)
	}
	return pool, nil
}

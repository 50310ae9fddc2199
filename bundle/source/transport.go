package source

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Patience with a host that fails.
const (
	maxTries       = 6 // requests for one answer, the first included
	firstPause     = 500 * time.Millisecond
	longestPause   = 30 * time.Second
	maxRetryAfter  = 2 * time.Minute
	maxRedirects   = 10
	maxDrainBytes  = 64 << 10 // read from an answer that is not wanted, to keep its connection
	dialTimeout    = 15 * time.Second
	idleConnection = 90 * time.Second
)

// pause waits by the clock.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// backoff returns the pause after a number of failures in a row: exponential
// with jitter, and not shorter than what the server asked for.
func (u *Upstream) backoff(failures int, retryAfter time.Duration) time.Duration {
	d := longestPause
	if shift := failures - 1; shift < 8 {
		d = min(d, firstPause<<shift)
	}
	return max(u.jitter(d), min(retryAfter, maxRetryAfter))
}

// limits bounds the answers that are read at one time, and the patience with
// a host that failed all the time.
type limits struct {
	perHost int
	total   chan struct{}
	mu      sync.Mutex
	hosts   map[string]chan struct{}
	down    map[string]bool
}

func newLimits(perHost, total int) *limits {
	return &limits{perHost: perHost, total: make(chan struct{}, total), hosts: map[string]chan struct{}{}, down: map[string]bool{}}
}

// tries returns how often a host is asked. One that has used up all tries for an
// earlier request gets a single one until it answers again: else a mirror that
// is down would cost its retries for each of a thousand blobs.
func (l *limits) tries(host string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down[host] {
		return 1
	}
	return maxTries
}

// saw keeps whether a host works.
func (l *limits) saw(host string, down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down[host] = down
}

// acquire waits for the host first, so that waiting for a busy host takes
// nothing from the others.
func (l *limits) acquire(ctx context.Context, host string) (release func(), err error) {
	l.mu.Lock()
	slots := l.hosts[host]
	if slots == nil {
		slots = make(chan struct{}, l.perHost)
		l.hosts[host] = slots
	}
	l.mu.Unlock()
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case l.total <- struct{}{}:
	case <-ctx.Done():
		<-slots
		return nil, context.Cause(ctx)
	}
	return sync.OnceFunc(func() { <-l.total; <-slots }), nil
}

// wire is the lowest transport: every request of every kind goes through it,
// is limited, watched for silence and tried again there.
type wire struct {
	up   *Upstream
	base *http.Transport
}

// wire returns the transport for a CA file ("" for none); connections are shared
// by all that use it.
func (u *Upstream) wire(ctx context.Context, ca string) (*wire, error) {
	return u.wires.get(ctx, ca, func() (*wire, error) {
		protocols := new(http.Protocols)
		protocols.SetHTTP1(true) // one connection a blob: HTTP/2 would put all blobs into one TCP window
		base := &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: dialTimeout, KeepAlive: 30 * time.Second}).DialContext,
			Protocols:             protocols,
			TLSHandshakeTimeout:   dialTimeout,
			IdleConnTimeout:       idleConnection,
			MaxIdleConnsPerHost:   max(u.limits.perHost, 2),
			DisableCompression:    true, // content is pinned as it is stored
			ExpectContinueTimeout: time.Second,
			ReadBufferSize:        64 << 10,
		}
		if ca != "" {
			pool, err := trust(ca)
			if err != nil {
				return nil, err
			}
			base.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		}
		return &wire{up: u, base: base}, nil
	})
}

func trust(ca string) (*x509.CertPool, error) {
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	pem, err := os.ReadFile(ca)
	if err != nil {
		return nil, fmt.Errorf("cannot read CA file %s: %w", ca, bare(err))
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("CA file %s holds no PEM certificate", ca)
	}
	return pool, nil
}

// RoundTrip sends a request up to maxTries times. The last answer is given
// whatever its status.
func (w *wire) RoundTrip(request *http.Request) (*http.Response, error) {
	if w.up.offline {
		return nil, ErrOffline
	}
	host := request.URL.Host
	tries := w.up.limits.tries(host)
	for failures := 1; ; failures++ {
		response, err := w.once(request)
		var cause string
		var retryAfter time.Duration
		switch {
		case request.Context().Err() != nil, err != nil && permanent(err):
			return response, err
		case err == nil && !retryable(response.StatusCode):
			w.up.limits.saw(host, false)
			return response, err
		case failures >= tries:
			w.up.limits.saw(host, err != nil || response.StatusCode != http.StatusTooManyRequests)
			return response, err
		case request.Body != nil && request.GetBody == nil:
			return response, err
		case err != nil:
			cause = bare(err).Error()
		default:
			cause, retryAfter = response.Status, after(response.Header)
			discard(response.Body)
		}
		d := w.up.backoff(failures, retryAfter)
		w.up.log(fmt.Sprintf("%s: %s, try %d of %d in %s", redact(request.URL.String()), brief(cause), failures+1, tries, d.Round(time.Millisecond)))
		if err := w.up.wait(request.Context(), d); err != nil {
			return nil, err
		}
		if request.Body != nil {
			again := request.Clone(request.Context())
			if again.Body, err = request.GetBody(); err != nil {
				return nil, err
			}
			request = again
		}
	}
}

// once sends a request and gives it up when the connection is silent.
func (w *wire) once(request *http.Request) (*http.Response, error) {
	release, err := w.up.limits.acquire(request.Context(), request.URL.Host)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(request.Context())
	silence := time.AfterFunc(w.up.stall, func() { cancel(errStalled) })
	response, err := w.base.RoundTrip(request.WithContext(ctx))
	silence.Stop()
	if err != nil {
		release()
		if errors.Is(context.Cause(ctx), errStalled) {
			err = errStalled
		}
		cancel(nil)
		return nil, err
	}
	response.Body = &watched{ReadCloser: response.Body, ctx: ctx, silence: silence, stall: w.up.stall, end: func() {
		silence.Stop()
		cancel(nil)
		release()
	}}
	return response, nil
}

// watched is the body of an answer. The clock runs only while it is waited
// for, so that a slow reader is not taken for a silent server.
type watched struct {
	io.ReadCloser
	ctx     context.Context
	silence *time.Timer
	stall   time.Duration
	end     func()
}

func (b *watched) Read(p []byte) (int, error) {
	b.silence.Reset(b.stall)
	n, err := b.ReadCloser.Read(p)
	b.silence.Stop()
	if err == io.EOF {
		b.end()
	} else if err != nil && errors.Is(context.Cause(b.ctx), errStalled) {
		err = errStalled
	}
	return n, err
}

func (b *watched) Close() error {
	err := b.ReadCloser.Close()
	b.end()
	return err
}

// discard closes an answer so that its connection can serve again.
func discard(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, maxDrainBytes)
	_ = body.Close()
}

// after reads Retry-After (RFC 9110, 10.2.3): seconds, or a date, which is
// taken by the server's own clock if it tells the time.
func after(header http.Header) time.Duration {
	value := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	date, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(0, date.Sub(now))
}

func isNoSuchHost(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

// isLoopback tells a host that is this machine (as go-containerregistry does).
func isLoopback(host string) bool {
	host = strings.ToLower(host)
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// onlyTLS refuses plain HTTP, whoever asks for it: a registry's fallback, a
// token server, a redirect.
type onlyTLS struct{ next http.RoundTripper }

func (t onlyTLS) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme != "https" && !isLoopback(request.URL.Host) {
		return nil, refusal{fmt.Errorf("plain HTTP to %s is not allowed; a mirror with insecure: true would be", request.URL.Host)}
	}
	return t.next.RoundTrip(request)
}

// checkRedirect follows a bounded number of redirects, never from HTTPS to
// HTTP, and tells the new host nothing about the old one.
func checkRedirect(request *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return refusal{fmt.Errorf("stopped after %d redirects", maxRedirects)}
	}
	if via[len(via)-1].URL.Scheme == "https" && request.URL.Scheme != "https" {
		return refusal{fmt.Errorf("redirect from HTTPS to %s at %s is refused", request.URL.Scheme, request.URL.Host)}
	}
	for _, field := range []string{"Authorization", "Referer", "Cookie"} {
		request.Header.Del(field)
	}
	return nil
}

// get sends a request with a client and gives an answer with one of the wanted
// statuses. The error of another answer holds what the server said.
func get(ctx context.Context, client *http.Client, method, url string, header http.Header, wanted ...int) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return nil, refusal{bare(err)}
	}
	for field, values := range header {
		request.Header[field] = values
	}
	response, err := client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, asked(err)
	}
	for _, code := range wanted {
		if response.StatusCode == code {
			return response, nil
		}
	}
	defer discard(response.Body)
	status := &statusError{code: response.StatusCode}
	var said struct {
		Errors []struct{ Code, Message string }
	}
	if body, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBytes)); err == nil && json.Unmarshal(body, &said) == nil && len(said.Errors) > 0 {
		status.detail = brief(said.Errors[0].Code + ": " + said.Errors[0].Message)
	}
	return nil, status
}

// again does something that reads a whole answer, and does it anew when the
// answer is cut short.
func (u *Upstream) again(ctx context.Context, where string, do func() error) error {
	for failures := 1; ; failures++ {
		err := do()
		var cut *cutShort
		if err == nil || ctx.Err() != nil || !errors.As(err, &cut) || failures == maxTries {
			return err
		}
		u.log(fmt.Sprintf("%s: %v, try %d of %d", where, bare(err), failures+1, maxTries))
		if err := u.wait(ctx, u.backoff(failures, 0)); err != nil {
			return err
		}
	}
}

// readBounded reads all, and fails if that is more than a limit.
func readBounded(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, &cutShort{bare(err)}
	}
	if int64(len(data)) > limit {
		return nil, refusal{fmt.Errorf("larger than %d bytes", limit)}
	}
	return data, nil
}

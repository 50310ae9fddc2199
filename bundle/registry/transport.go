package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// What a host is allowed before it counts as failed.
const (
	maxRedirects   = 10
	maxDrainBytes  = 64 << 10 // read from an answer that is not wanted, to keep its connection
	dialTimeout    = 15 * time.Second
	idleConnection = 90 * time.Second
)

// retrying is the lowest transport but HTTP's own: every request of every kind
// goes through it, is limited, watched for silence and tried again there.
type retrying struct {
	patience
	limits  *limits
	offline bool
	stall   time.Duration
	rate    int64 // bytes a second
	window  time.Duration
	route   func(*http.Request) (*http.Transport, error)
}

// RoundTrip sends a request up to MaxTries times. The last answer is given
// whatever its status.
func (t *retrying) RoundTrip(request *http.Request) (*http.Response, error) {
	if t.offline {
		return nil, ErrOffline
	}
	host := request.URL.Host
	for count := (tally{most: t.limits.tries(host)}); ; {
		response, err := t.once(request)
		count.add(err)
		switch {
		case request.Context().Err() != nil, err != nil && permanent(err):
			return response, err
		case err == nil && !retryable(response.StatusCode):
			t.limits.saw(host, false)
			return response, err
		case count.used():
			t.limits.saw(host, err != nil || response.StatusCode != http.StatusTooManyRequests)
			return response, err
		case request.Body != nil && request.GetBody == nil:
			return response, err
		}
		if err := t.comeBack(request, response, err, count); err != nil {
			return nil, err
		}
		if request, err = anew(request); err != nil {
			return nil, err
		}
	}
}

// comeBack reports a failure, drops its answer if there is one, and waits.
func (t *retrying) comeBack(request *http.Request, response *http.Response, err error, count tally) error {
	var cause string
	var retryAfter time.Duration
	if err != nil {
		cause = Bare(err).Error()
	} else {
		cause, retryAfter = response.Status, after(response.Header)
		discard(response.Body)
	}
	d := backoff(count.failures, retryAfter)
	place := Redact(request.URL.String())
	t.log(fmt.Sprintf("%s: %s, %s in %s", place, brief(cause), count.next(), d.Round(time.Millisecond)))
	return t.rest(request.Context(), place+" ("+brief(cause)+")", d)
}

// anew returns a request that can be sent once more.
func anew(request *http.Request) (*http.Request, error) {
	if request.Body == nil {
		return request, nil
	}
	body, err := request.GetBody()
	if err != nil {
		return nil, err
	}
	again := request.Clone(request.Context())
	again.Body = body
	return again, nil
}

// once sends a request and gives it up when the connection is silent.
func (t *retrying) once(request *http.Request) (*http.Response, error) {
	base, err := t.route(request)
	if err != nil {
		return nil, err
	}
	host := request.URL.Host
	release, err := t.limits.acquire(request.Context(), host)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(request.Context())
	answer := &watched{
		waits: t.waits, wait: &wait{what: Redact(request.URL.String()), cancel: cancel},
		ctx: ctx, host: host, stall: t.stall, end: func() { cancel(nil); release() },
	}
	if err := t.waits.begin(answer.wait); err != nil {
		answer.end()
		return nil, err
	}
	answer.silence = time.AfterFunc(t.stall, func() { cancel(&slowError{host: host, window: t.stall}) })
	response, err := base.RoundTrip(request.WithContext(ctx))
	answer.silence.Stop()
	t.waits.end(answer.wait)
	if err != nil {
		err = answer.because(err)
		answer.end()
		return nil, err
	}
	answer.meter = newMeter(host, t.rate, t.window, t.limits.lines(host)...)
	answer.ReadCloser, answer.counts = response.Body, !retryable(response.StatusCode)
	if answer.counts && (request.Method == http.MethodHead || response.Body == http.NoBody) {
		t.waits.finished()
	}
	response.Body = answer
	return response, nil
}

// watched is the body of an answer. The clocks run only while it is waited
// for, so that a slow reader is not taken for a silent server.
type watched struct {
	io.ReadCloser
	waits   *waits
	wait    *wait
	meter   *meter
	counts  bool // its end is something finished
	ctx     context.Context
	host    string
	silence *time.Timer
	stall   time.Duration
	end     func() // gives the connection back
	ended   sync.Once
}

func (b *watched) Read(p []byte) (int, error) {
	if err := b.waits.begin(b.wait); err != nil {
		return 0, err
	}
	began := time.Now()
	b.silence.Reset(b.stall)
	n, err := b.ReadCloser.Read(p)
	b.silence.Stop()
	slow := b.meter.add(n, time.Since(began))
	b.waits.end(b.wait)
	b.waits.received(n)
	switch {
	case errors.Is(err, io.EOF):
		if b.counts {
			b.waits.finished()
		}
		b.over()
	case err != nil:
		err = b.because(err)
	case slow != nil:
		err = slow
	}
	return n, err
}

// because returns why an answer failed: what called it off, or what the connection
// says.
func (b *watched) because(err error) error {
	var slow *slowError
	if cause := context.Cause(b.ctx); lostPatience(b.ctx) != nil || errors.As(cause, &slow) {
		return cause
	}
	return err
}

func (b *watched) over() {
	b.ended.Do(func() {
		b.silence.Stop()
		b.meter.end()
		b.end()
	})
}

func (b *watched) Close() error {
	err := b.ReadCloser.Close()
	b.over()
	return err
}

// discard closes an answer so that its connection can serve again.
func discard(body io.ReadCloser) {
	_, _ = io.CopyN(io.Discard, body, maxDrainBytes)
	_ = body.Close()
}

// isLoopback reports whether a host is this machine (as go-containerregistry does).
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
	if !onTheWeb(request.URL) {
		return nil, Refuse("no web server has %.200q, which an answer names", Redact(request.URL.String()))
	}
	if request.URL.Scheme != "https" && !isLoopback(request.URL.Host) {
		return nil, Refuse("plain HTTP to %s is not allowed; a mirror with insecure: true would be", request.URL.Host)
	}
	return t.next.RoundTrip(request)
}

// checkRedirect follows a bounded number of redirects, never from HTTPS to
// HTTP, and tells the new host nothing about the old one.
func checkRedirect(request *http.Request, via []*http.Request) error {
	if len(via) >= maxRedirects {
		return Refuse("stopped after %d redirects", maxRedirects)
	}
	if err := checkScheme(via[len(via)-1].URL, request.URL); err != nil {
		return err
	}
	for _, field := range []string{"Authorization", "Referer", "Cookie"} {
		request.Header.Del(field)
	}
	return nil
}

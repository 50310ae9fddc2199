package registry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

var (
	// ErrNotFound is in the chain of an error that says that what was asked for
	// is not there.
	ErrNotFound = errors.New("not found")
	// ErrOffline is in the chain of an error that says that the network may not
	// be asked, and nothing else has the content.
	ErrOffline = errors.New("not in the cache, and the network may not be asked")
)

// StatusError is an HTTP answer that is not the content. Those of 404 and 410
// are ErrNotFound.
type StatusError struct {
	Code   int    // RFC 9110, section 15
	Detail string // what the server said, in one short line; may be empty
}

func (e *StatusError) Error() string {
	s := fmt.Sprintf("%d %s", e.Code, http.StatusText(e.Code))
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	return strings.TrimSpace(s)
}

// Is reports whether the status means ErrNotFound.
func (e *StatusError) Is(target error) bool {
	return target == ErrNotFound && (e.Code == http.StatusNotFound || e.Code == http.StatusGone)
}

// LoginError is an answer that wants a login, where the credentials could not be
// read.
type LoginError struct {
	Host   string
	Status *StatusError // 401 or 403
	Unread error        // such as a HelperError
}

func (e *LoginError) Error() string {
	return fmt.Sprintf("%v, and no credentials for %s could be read: %v", e.Status, e.Host, e.Unread)
}

func (e *LoginError) Unwrap() []error { return []error{e.Status, e.Unread} }

// loginFailed adds to an answer that wants a login why nobody is logged in.
func loginFailed(err error, host string, unread error) error {
	var status *StatusError
	if unread == nil || !errors.As(err, &status) || status.Code != http.StatusUnauthorized && status.Code != http.StatusForbidden {
		return err
	}
	return &LoginError{host, status, unread}
}

// IsFinal reports whether a place refuses for good, rather than for a moment or
// because it is out of order.
func (e *StatusError) IsFinal() bool { return e.Code >= 400 && !retryable(e.Code) }

// retryable reports whether an answer may be another one a moment later.
func retryable(code int) bool {
	return code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500
}

// unreachable is a request that got no answer, after all retries.
type unreachable struct{ err error }

func (e *unreachable) Error() string { return e.err.Error() }
func (e *unreachable) Unwrap() error { return e.err }

// refusal is an answer that must not be accepted, whoever else may be asked.
type refusal struct{ error }

// Refuse returns the error about an answer that must not be accepted, and that
// no other place mends. Its text may have a cause, but its chain has none: an
// answer that is refused is not one that was not found.
func Refuse(format string, args ...any) error { return refusal{fmt.Errorf(format, args...)} }

// cutShort is an answer whose body ended early.
type cutShort struct{ err error }

func (e *cutShort) Error() string { return "answer was cut short: " + e.err.Error() }
func (e *cutShort) Unwrap() error { return e.err }

// CutShort returns the error about an answer whose body ended early with err, which is
// err itself if that is final.
func CutShort(err error) error {
	if impatient := (*PatienceError)(nil); errors.As(err, &impatient) {
		return impatient
	}
	return &cutShort{Bare(err)}
}

// Unavailable reports whether a failure tells nothing about the content: nobody
// answered, the answer was cut short, or the host is out of order (408, 429 and
// 5xx). Another host may have it.
func Unavailable(err error) bool {
	if impatient := (*PatienceError)(nil); errors.As(err, &impatient) {
		return false
	}
	if status := (*StatusError)(nil); errors.As(err, &status) {
		return retryable(status.Code)
	}
	gone, cut := (*unreachable)(nil), (*cutShort)(nil)
	return errors.As(err, &gone) || errors.As(err, &cut)
}

// asked turns an error of an HTTP client or of the registry handshake into one
// that can be told: classified, and without secrets.
func asked(err error) error {
	var answer *transport.Error
	var refused refusal
	var untrusted *tls.CertificateVerificationError
	var impatient *PatienceError
	switch {
	case errors.As(err, &impatient):
		return impatient
	case errors.As(err, &untrusted): // and not what a try over plain HTTP gave after it
		return &unreachable{Bare(untrusted)}
	case errors.As(err, &answer):
		status := &StatusError{Code: answer.StatusCode}
		if len(answer.Errors) > 0 {
			status.Detail = brief(string(answer.Errors[0].Code) + ": " + answer.Errors[0].Message)
		}
		return status
	case errors.As(err, &refused):
		return refused
	case errors.Is(err, ErrOffline):
		return ErrOffline
	default:
		return &unreachable{Bare(err)}
	}
}

// permanent reports whether another try cannot mend a failure of a connection.
func permanent(err error) bool {
	var (
		untrusted *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		refused   refusal
		impatient *PatienceError
	)
	return errors.As(err, &impatient) || errors.As(err, &untrusted) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &refused) || errors.Is(err, http.ErrSchemeMismatch) || errors.Is(err, ErrOffline) ||
		isNoSuchHost(err)
}

func isNoSuchHost(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

func firstURLError(err error) error {
	var web *url.Error
	if errors.As(err, &web) {
		return web
	}
	return nil
}

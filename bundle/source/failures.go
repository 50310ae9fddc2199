package source

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/islandbundle/island/manifests/fault"
)

var (
	// ErrNotFound is in the chain of an error that says that no location has
	// the content.
	ErrNotFound = errors.New("not found")
	// ErrOffline is in the chain of an error that says that the content is not
	// in the cache and the network may not be asked.
	ErrOffline = errors.New("not in the cache, and the network may not be asked")

	errStalled    = errors.New("no data for too long")
	errNotRegular = errors.New("not a regular file")
)

// statusError is an HTTP answer that is not the content.
type statusError struct {
	code   int
	detail string // what the server said, in one short line
}

func (e *statusError) Error() string {
	s := fmt.Sprintf("%d %s", e.code, http.StatusText(e.code))
	if e.detail != "" {
		s += ": " + e.detail
	}
	return strings.TrimSpace(s)
}

func (e *statusError) Is(target error) bool {
	return target == ErrNotFound && (e.code == http.StatusNotFound || e.code == http.StatusGone)
}

// retryable tells the answers that may be another one a moment later.
func retryable(code int) bool {
	return code == http.StatusRequestTimeout || code == http.StatusTooManyRequests || code >= 500
}

// unreachable is a request that got no answer, after all retries.
type unreachable struct{ err error }

func (e *unreachable) Error() string { return e.err.Error() }
func (e *unreachable) Unwrap() error { return e.err }

// refusal is an answer that must not be accepted, whoever else may be asked.
type refusal struct{ error }

// cutShort is an answer whose body ended early.
type cutShort struct{ err error }

func (e *cutShort) Error() string { return "answer was cut short: " + e.err.Error() }
func (e *cutShort) Unwrap() error { return e.err }

// fallsBack reports whether the next location is asked after a failure.
func fallsBack(err error) bool {
	if status := (*statusError)(nil); errors.As(err, &status) {
		return errors.Is(status, ErrNotFound) || retryable(status.code)
	}
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrOffline) || errors.Is(err, fs.ErrNotExist) {
		return true
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
	switch {
	case errors.As(err, &untrusted): // and not what a try over plain HTTP gave after it
		return &unreachable{bare(untrusted)}
	case errors.As(err, &answer):
		status := &statusError{code: answer.StatusCode}
		if len(answer.Errors) > 0 {
			status.detail = brief(string(answer.Errors[0].Code) + ": " + answer.Errors[0].Message)
		}
		return status
	case errors.As(err, &refused):
		return refused
	case errors.Is(err, ErrOffline):
		return ErrOffline
	default:
		return &unreachable{bare(err)}
	}
}

// permanent tells the connection failures that another try cannot mend.
func permanent(err error) bool {
	var (
		untrusted *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		refused   refusal
	)
	return errors.As(err, &untrusted) || errors.As(err, &record) || errors.As(err, &alert) ||
		errors.As(err, &refused) || errors.Is(err, http.ErrSchemeMismatch) || errors.Is(err, ErrOffline) ||
		isNoSuchHost(err)
}

// attempt is a location that was asked, and how it failed.
type attempt struct {
	where string
	err   error
}

func (a attempt) Error() string {
	if strings.HasPrefix(a.err.Error(), a.where) { // which "" is of all
		return a.err.Error()
	}
	return a.where + ": " + a.err.Error()
}

func (a attempt) Unwrap() error { return a.err }

// explain makes the error about an object that no location gave.
func explain(object string, failed []attempt) error {
	var told []string
	var causes []error
	missing := 0
	for _, a := range failed {
		if a.where == object && len(failed) == 1 {
			a.where = ""
		}
		told = append(told, a.Error())
		causes = append(causes, a)
		if errors.Is(a.err, ErrNotFound) || errors.Is(a.err, fs.ErrNotExist) {
			missing++
		}
	}
	text := strings.Join(told, "; ")
	if len(failed) > 1 {
		text = fmt.Sprintf("none of %d locations gave it: %s", len(failed), text)
	}
	if missing == len(failed) {
		causes = append(causes, ErrNotFound)
	}
	last := failed[len(failed)-1]
	e := &fault.Error{Kind: fault.Failure, Side: fault.Upstream, Object: object, Hint: advise(last, missing == len(failed)), Err: &joined{text, causes}}
	if errors.Is(last.err, ErrOffline) {
		e.Side = fault.Here
	}
	if inner := (*fault.Error)(nil); errors.As(last.err, &inner) {
		e.Kind, e.Side, e.Hint = inner.Kind, inner.Side, or(inner.Hint, e.Hint)
	}
	return e
}

// advise says what to do about the failure that ended the search.
func advise(last attempt, allMissing bool) string {
	var status *statusError
	var authority x509.UnknownAuthorityError
	host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(last.where, "https://"), "http://"), "/")
	switch {
	case errors.As(last.err, &status) && (status.code == http.StatusUnauthorized || status.code == http.StatusForbidden):
		return "if it exists, it is not public: log in with docker login or podman login to " + host
	case errors.Is(last.err, ErrOffline):
		return "run once without --offline, so that it gets into the cache"
	case allMissing && errors.Is(last.err, fs.ErrNotExist):
		return "check the path, which is relative to the release document or the mirrors file"
	case allMissing:
		return "check the name and version, and the mirrors file if there is one"
	case errors.As(last.err, &authority):
		return "name the certificate authority as caFile in the mirrors file"
	case fallsBack(last.err):
		return "check the network and HTTPS_PROXY, try again later, or name a mirror in the mirrors file"
	default:
		return ""
	}
}

// joined is a text with several causes.
type joined struct {
	text   string
	causes []error
}

func (e *joined) Error() string   { return e.text }
func (e *joined) Unwrap() []error { return e.causes }

// told is an error whose text was cleaned of secrets.
type told struct {
	text string
	err  error
}

func (e *told) Error() string { return e.text }
func (e *told) Unwrap() error { return e.err }

// bare takes the URL or the path off an error that the caller names itself,
// and cleans what is left of secrets.
func bare(err error) error {
	if err == nil {
		return nil
	}
	var web *url.Error
	var file *fs.PathError
	inner := err
	for errors.As(inner, &web) {
		inner = web.Err
	}
	if errors.As(inner, &file) {
		inner = file.Err
	}
	text := redact(inner.Error())
	if strings.Contains(text, "no token in bearer response") {
		text = "the token server gave no token" // and may have given another secret
	}
	return &told{text, inner}
}

var urlPattern = regexp.MustCompile(`([A-Za-z][A-Za-z0-9+.-]*://)([^\s"'<>]*)`)

// redact takes user information, query and fragment off every URL in a text.
func redact(text string) string {
	return urlPattern.ReplaceAllStringFunc(text, func(s string) string {
		scheme, rest, _ := strings.Cut(s, "://")
		if cut := strings.IndexAny(rest, "?#"); cut >= 0 {
			rest = rest[:cut]
		}
		authority, path, slash := strings.Cut(rest, "/")
		if at := strings.LastIndex(authority, "@"); at >= 0 {
			authority = authority[at+1:]
		}
		if slash {
			authority += "/"
		}
		return scheme + "://" + authority + path
	})
}

// brief makes one short printable line of what a server said.
func brief(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	s = redact(strings.Join(strings.Fields(s), " "))
	if runes := []rune(s); len(runes) > 200 {
		s = string(runes[:200]) + "…"
	}
	return s
}

func firstURLError(err error) error {
	var web *url.Error
	if errors.As(err, &web) {
		return web
	}
	return nil
}

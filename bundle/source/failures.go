package source

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strings"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests/fault"
)

var (
	// ErrNotFound is in the chain of an error that says that no location has
	// the content.
	ErrNotFound = registry.ErrNotFound
	// ErrOffline is in the chain of an error that says that the content is not
	// in the cache and the network may not be asked.
	ErrOffline = registry.ErrOffline

	errNotRegular = errors.New("not a regular file")
)

// HintSecrets says how content is fetched whose URL has a secret that a lock does not
// hold.
const HintSecrets = "build from the release (-f), or name the URL with it as a location in the mirrors file"

// fallsBack reports whether the next location is asked after a failure.
func fallsBack(err error) bool {
	return errors.Is(err, ErrNotFound) || errors.Is(err, ErrOffline) || errors.Is(err, fs.ErrNotExist) || registry.Unavailable(err)
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
	e := &fault.Error{
		Kind: fault.Failure, Side: fault.Upstream, Object: object,
		Hint: advise(last, missing == len(failed)), Err: &joined{text, causes},
	}
	if errors.Is(last.err, ErrOffline) {
		e.Side = fault.Here
	}
	if inner := (*fault.Error)(nil); errors.As(last.err, &inner) {
		e.Kind, e.Side, e.Hint = inner.Kind, inner.Side, cmp.Or(inner.Hint, e.Hint)
	}
	return e
}

// advise says what to do about the failure that ended the search.
func advise(last attempt, allMissing bool) string {
	var status *registry.StatusError
	var authority x509.UnknownAuthorityError
	var helper *registry.HelperError
	var login *registry.LoginError
	var impatient *registry.PatienceError
	host, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(last.where, "https://"), "http://"), "/")
	switch {
	case errors.As(last.err, &impatient):
		return impatient.Hint()
	case errors.As(last.err, &helper):
		return helper.Hint()
	case errors.As(last.err, &login):
		return "mend the file with the credentials, or log in anew with docker login or podman login to " + login.Host
	case errors.As(last.err, &status) && (status.Code == http.StatusUnauthorized || status.Code == http.StatusForbidden):
		return "if it exists, it is not public: log in with docker login or podman login to " + host
	case errors.Is(last.err, ErrOffline):
		return "run once without --offline, so that it gets into the cache"
	case allMissing && errors.Is(last.err, fs.ErrNotExist):
		return "check the path, which is relative to the release document or the mirrors file"
	case allMissing:
		return "check the name and version, and the mirrors file if there is one"
	case errors.As(last.err, &authority):
		return "name the certificate authority as caFile in the mirrors file"
	case registry.TooSlow(last.err):
		return "try again later, name a mirror in the mirrors file, or take what is slower with --min-rate"
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

package registry

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/islandbundle/island/manifests"
)

// shortestHidden is how many bytes a secret has at least to be looked for in what
// servers say: shorter ones are parts of words.
const shortestHidden = 6

// hidden are secrets that were sent to servers, which may say them again.
type hidden struct {
	mu   sync.RWMutex
	what []string // the longest first
}

// add keeps what of user information and a query is a secret, in every form in
// which it is sent.
func (h *hidden) add(user *url.Userinfo, query string) {
	var secrets []string
	if user != nil {
		password, _ := user.Password()
		secrets = append(secrets, user.Username(), password, user.String(), user.Username()+":"+password)
	}
	for parameter := range strings.SplitSeq(query, "&") {
		if manifests.IsPlainParameter(parameter) {
			continue
		}
		_, value, isPair := strings.Cut(parameter, "=")
		if !isPair {
			value = parameter
		}
		decoded, err := url.QueryUnescape(value)
		if err != nil {
			decoded = value
		}
		secrets = append(secrets, value, decoded)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, secret := range secrets {
		for _, form := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
		} {
			if len(form) >= shortestHidden && !slices.Contains(h.what, form) {
				h.what = append(h.what, form)
			}
		}
	}
	slices.SortFunc(h.what, func(a, b string) int { return len(b) - len(a) })
}

// from takes the secrets out of a text.
func (h *hidden) from(text string) string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	for _, secret := range h.what {
		text = strings.ReplaceAll(text, secret, "…")
	}
	return text
}

// fromError takes the secrets out of what an error says.
func (h *hidden) fromError(err error) error {
	if err == nil {
		return nil
	}
	said := err.Error()
	if clean := h.from(said); clean != said {
		return &told{clean, err}
	}
	return err
}

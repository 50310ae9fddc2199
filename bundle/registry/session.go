package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
)

// maxErrorBytes is how much of an error answer is read.
const maxErrorBytes = 8 << 10

// Session is one place that requests are made below: a repository of a registry,
// or what a URL names. It is logged in if credentials are known.
type Session struct {
	patience
	place  string // to people
	base   string // URL
	client *http.Client
	host   string
	unread error // why there are no credentials, if there may be some
	hidden *hidden
}

// Do asks for what lies below the session's place ("/tags/list"; "" is the place
// itself) and returns an answer with one of the wanted statuses, whose body the
// caller closes. Another status is a StatusError that holds what the server
// said.
func (s *Session) Do(ctx context.Context, method, below string, header http.Header, wanted ...int) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.base+below, nil)
	if err != nil {
		return nil, Refuse("%w", Bare(err))
	}
	for field, values := range header {
		request.Header[field] = values
	}
	response, err := s.client.Do(request)
	if err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, s.hidden.fromError(asked(err))
	}
	if slices.Contains(wanted, response.StatusCode) {
		return response, nil
	}
	defer discard(response.Body)
	redirects := redirectSecrets(response)
	status := statusOf(response, func(said string) string { return redirects.from(s.hidden.from(said)) })
	return nil, loginFailed(status, s.host, s.unread)
}

// redirectSecrets returns the secrets in the URLs to which the request was
// redirected on its way to an answer: signatures, for the most part, which the place
// that refuses them may say again.
func redirectSecrets(response *http.Response) *hidden {
	secrets := &hidden{}
	for request := response.Request; request != nil; {
		secrets.add(request.URL.User, request.URL.RawQuery)
		redirect := request.Response // nil for the first request
		if redirect == nil {
			break
		}
		request = redirect.Request
	}
	return secrets
}

// statusOf returns the error that an answer is, with the first of the errors
// that it tells (distribution-spec, "Error Codes"), without the secrets that hide
// takes out.
func statusOf(response *http.Response, hide func(string) string) *StatusError {
	status := &StatusError{Code: response.StatusCode}
	var said struct {
		Errors []struct{ Code, Message string }
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxErrorBytes))
	if err == nil && json.Unmarshal(body, &said) == nil && len(said.Errors) > 0 {
		status.Detail = brief(hide(said.Errors[0].Code + ": " + said.Errors[0].Message))
	}
	return status
}

// Again does something that reads a whole answer of the session's, and does it
// anew when the answer is cut short.
func (s *Session) Again(ctx context.Context, do func() error) error { return s.again(ctx, s.place, do) }

// Read fetches what has at most limit bytes, and returns it with the header of
// its answer. An answer that is cut short is asked for anew.
func (s *Session) Read(ctx context.Context, below string, header http.Header, limit int64) (data []byte, said http.Header, err error) {
	err = s.Again(ctx, func() error {
		response, err := s.Do(ctx, http.MethodGet, below, header, http.StatusOK)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		said = response.Header
		data, err = ReadBounded(response.Body, limit)
		return err
	})
	return data, said, err
}

// Open opens content of a known size from an offset on.
func (s *Session) Open(ctx context.Context, below string, size, offset int64) (io.ReadCloser, error) {
	header := http.Header{}
	if offset > 0 {
		if offset == size {
			return http.NoBody, nil
		}
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, size-1))
	}
	response, err := s.Do(ctx, http.MethodGet, below, header, http.StatusOK, http.StatusPartialContent)
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
			return Refuse("content has %d bytes, not %d", response.ContentLength, size)
		}
		return nil
	}
	var first, last, total int64
	said := response.Header.Get("Content-Range")
	if n, _ := fmt.Sscanf(said, "bytes %d-%d/%d", &first, &last, &total); n < 2 || first != offset || n == 3 && total != size {
		return Refuse("answer has the range %.60q, wanted bytes %d-%d/%d", said, offset, size-1, size)
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

// ReadBounded reads all, and fails if that is more than a limit.
func ReadBounded(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, CutShort(err)
	}
	if int64(len(data)) > limit {
		return nil, Refuse("larger than %d bytes", limit)
	}
	return data, nil
}

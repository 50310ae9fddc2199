package source

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/islandbundle/island/manifests/fault"
)

// progress is how many bytes must come between two failures for the second to
// count as the first one again.
const progress = 64 << 10

// reader reads pinned content, and connects anew where it was when a
// connection fails. Several short connections give what one long one would.
type reader struct {
	ctx       context.Context
	up        *Upstream
	object    string
	locations []location // still to be asked, the current one first
	dial      func(l location, offset int64) (io.ReadCloser, error)

	at, size int64
	body     io.ReadCloser
	failures int   // of this location's bodies in a row
	safe     int64 // where the last failure was
	failed   []attempt
	err      error // the final one
}

// connect opens the content at the current offset, at the first location that
// gives it.
func (r *reader) connect() error {
	for len(r.locations) > 0 {
		l := r.locations[0]
		body, err := r.dial(l, r.at)
		if err == nil {
			r.body = body
			return nil
		}
		if r.ctx.Err() != nil {
			return context.Cause(r.ctx)
		}
		if !r.next(err) {
			break
		}
	}
	return explain(r.object, r.failed)
}

// next returns up the current location, and tells whether another may be asked.
func (r *reader) next(err error) bool {
	r.failed = append(r.failed, attempt{r.locations[0].String(), err})
	r.locations, r.failures = r.locations[1:], 0
	if !fallsBack(err) {
		r.locations = nil
	}
	if len(r.locations) == 0 {
		return false
	}
	r.up.log(fmt.Sprintf("%s: %v; asking %s", r.object, r.failed[len(r.failed)-1], r.locations[0]))
	return true
}

func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	for {
		if r.body == nil {
			if r.err = r.connect(); r.err != nil {
				return 0, r.err
			}
		}
		n, err := r.body.Read(p[:min(int64(len(p)), max(1, r.size-r.at))])
		if r.at == r.size && n > 0 {
			return 0, r.fail(refusal{fmt.Errorf("content goes on after its %d bytes", r.size)})
		}
		r.at += int64(n)
		switch {
		case r.at == r.size && err != nil: // complete, however the connection ended
			r.err = io.EOF
			r.closeBody()
			if n == 0 {
				return 0, io.EOF
			}
			return n, nil
		case n > 0 && err == nil:
			return n, nil
		case err == nil:
			continue
		}
		if err := r.recover(err); err != nil {
			r.err = err
			return n, err
		}
		if n > 0 {
			return n, nil
		}
	}
}

// recover gets ready to connect anew after a body failed.
func (r *reader) recover(err error) error {
	r.closeBody()
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if r.at-r.safe >= progress {
		r.failures = 0
	}
	r.failures, r.safe = r.failures+1, r.at
	cut := &cutShort{bare(err)}
	if l := r.locations[0]; l.kind == folderKind {
		return r.fail(cut)
	}
	if r.failures >= maxTries {
		if !r.next(fmt.Errorf("at byte %d of %d: %w", r.at, r.size, cut)) {
			return explain(r.object, r.failed)
		}
		return nil
	}
	r.up.log(fmt.Sprintf("%s: %v at byte %d of %d, going on from there", r.object, cut, r.at, r.size))
	return r.up.wait(r.ctx, r.up.backoff(r.failures, 0))
}

// fail ends the reading.
func (r *reader) fail(err error) error {
	r.closeBody()
	r.err = explain(r.object, append(r.failed, attempt{r.locations[0].String(), err}))
	return r.err
}

func (r *reader) closeBody() {
	if r.body != nil {
		_ = r.body.Close()
		r.body = nil
	}
}

// Close returns the connection back. Nothing can be read after it.
func (r *reader) Close() error {
	r.closeBody()
	if r.err == nil {
		r.err = fault.New(fault.Failure, fault.Here, r.object, "", "%w", errors.New("reader is closed"))
	}
	return nil
}

package source

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests/fault"
)

// progress is how many bytes must come between two failures for the second to
// count as the first one again.
const progress = 64 << 10

// reader reads pinned content, and connects anew where it was when a
// connection fails. Several short connections give what one long one would.
type reader struct {
	*walk
	ctx    context.Context
	client *registry.Client
	dial   func(l location, offset int64) (io.ReadCloser, error)

	at, size int64
	body     io.ReadCloser
	failures int   // of this location's bodies in a row
	safe     int64 // where the last failure was
	err      error // the final one
}

// connect opens the content at the current offset, at the first location that
// gives it.
func (r *reader) connect() error {
	before := len(r.failed)
	err := r.ask(r.ctx, func(l location) (err error) {
		r.body, err = r.dial(l, r.at)
		return err
	})
	if len(r.failed) > before { // another location, with bodies of its own
		r.failures = 0
	}
	return err
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
			return 0, r.fail(registry.Refuse("content goes on after its %d bytes", r.size))
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
	if r.at-r.safe >= progress && !registry.TooSlow(err) { // what is too slow may well bring that much
		r.failures = 0
	}
	r.failures, r.safe = r.failures+registry.Weight(err), r.at
	cut := registry.CutShort(err)
	if l := r.left[0]; l.kind == folderKind || !registry.Unavailable(cut) {
		return r.fail(cut)
	}
	if r.failures >= registry.MaxTries {
		if !r.next(fmt.Errorf("at byte %d of %d: %w", r.at, r.size, cut)) {
			return explain(r.object, r.failed)
		}
		r.failures = 0
		return nil
	}
	r.log(fmt.Sprintf("%s: %v at byte %d of %d, going on from there", r.object, cut, r.at, r.size))
	return r.client.Pause(r.ctx, r.object, r.failures)
}

// fail ends the reading.
func (r *reader) fail(err error) error {
	r.closeBody()
	r.err = explain(r.object, append(r.failed, attempt{r.left[0].String(), err}))
	return r.err
}

func (r *reader) closeBody() {
	if r.body != nil {
		_ = r.body.Close()
		r.body = nil
	}
}

// Close gives the connection back. Nothing can be read after it.
func (r *reader) Close() error {
	r.closeBody()
	if r.err == nil {
		r.err = fault.New(fault.Failure, fault.Here, r.object, "", "%w", errors.New("reader is closed"))
	}
	return nil
}

package registry

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// MaxTries is how many requests are made for one answer, the first included.
const MaxTries = 6

// Pauses after failures.
const (
	firstPause    = 500 * time.Millisecond
	longestPause  = 30 * time.Second
	maxRetryAfter = 2 * time.Minute
)

// patience is what follows on a failure: a sentence, a pause, and another try.
type patience struct {
	wait  func(context.Context, time.Duration) error
	log   func(string)
	waits *waits
}

// rest waits for a time before something is asked anew.
func (p patience) rest(ctx context.Context, what string, d time.Duration) error {
	return p.waits.during(ctx, what, func(ctx context.Context) error { return p.wait(ctx, d) })
}

// again does something that reads a whole answer, and does it anew when the
// answer is cut short.
func (p patience) again(ctx context.Context, where string, do func() error) error {
	for failures := 1; ; failures++ {
		err := do()
		var cut *cutShort
		failures += weight(err) - 1
		if err == nil || ctx.Err() != nil || !errors.As(err, &cut) || failures >= MaxTries {
			return err
		}
		p.log(fmt.Sprintf("%s: %v, try %d of %d", where, Bare(err), failures+1, MaxTries))
		if err := p.rest(ctx, where, backoff(failures, 0)); err != nil {
			return err
		}
	}
}

// byTheClock waits for a time.
func byTheClock(ctx context.Context, d time.Duration) error {
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
func backoff(failures int, retryAfter time.Duration) time.Duration {
	d := longestPause
	if shift := failures - 1; shift < 8 {
		d = min(d, firstPause<<shift)
	}
	return max(d/2+rand.N(d/2+1), min(retryAfter, maxRetryAfter))
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

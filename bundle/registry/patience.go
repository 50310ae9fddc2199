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
	for count := (tally{most: MaxTries}); ; {
		err := do()
		var cut *cutShort
		count.add(err)
		if err == nil || ctx.Err() != nil || !errors.As(err, &cut) || count.used() {
			return err
		}
		p.log(fmt.Sprintf("%s: %v, %s", where, Bare(err), count.next()))
		if err := p.rest(ctx, where, backoff(count.failures, 0)); err != nil {
			return err
		}
	}
}

// tally counts what was tried in vain. Some failures count for several ([Weight]), so
// that they end sooner than others.
type tally struct {
	most     int // failures that are borne
	tries    int
	failures int
	last     int // for how many the last one counts
}

func (t *tally) add(err error) {
	t.tries++
	t.last = Weight(err)
	t.failures += t.last
}

func (t *tally) used() bool { return t.failures >= t.most }

// next says which try comes now, and of how many if the others fail like the last one.
func (t *tally) next() string {
	left := (t.most - t.failures + t.last - 1) / t.last
	return fmt.Sprintf("try %d of %d", t.tries+1, t.tries+left)
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

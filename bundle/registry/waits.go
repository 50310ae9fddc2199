package registry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// PatienceError is what all that is asked for ends with once nothing was finished for
// too long. It is final: nobody else is asked.
type PatienceError struct {
	Limit   time.Duration // Options.Patience
	Waiting []string      // what was waited for, the longest first, without secrets
}

// maxToldWaits is how many of the things that were waited for are named.
const maxToldWaits = 4

func (e *PatienceError) Error() string {
	told := e.Waiting[:min(len(e.Waiting), maxToldWaits)]
	text := fmt.Sprintf("nothing was finished for %s; waited for %s", e.Limit, strings.Join(told, ", "))
	if more := len(e.Waiting) - len(told); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Hint says what to do about it.
func (*PatienceError) Hint() string {
	return "what is finished is kept: run the same command again to go on, with a longer --patience if the line is that slow"
}

// waits are what a client waits for, and for how long nothing was finished meanwhile.
// The clock runs only while something is waited for: what the program does by itself
// takes as long as it takes, and so does a machine that sleeps.
type waits struct {
	limit  time.Duration // 0 is for ever
	enough int64         // bytes of any answers that count as something finished

	mu    sync.Mutex
	open  map[*wait]bool
	timer *time.Timer
	since time.Time     // from when the clock runs
	spent time.Duration // on it before that
	bytes int64
	gone  *PatienceError
}

// wait is one thing that is waited for.
type wait struct {
	what   string
	began  time.Time
	cancel context.CancelCauseFunc
}

// newWaits makes the watch over a client: rate is the one below which a transfer is
// too slow, in bytes a second.
func newWaits(limit time.Duration, rate int64) *waits {
	return &waits{limit: limit, enough: max(1, int64(limit.Seconds()*float64(rate))), open: map[*wait]bool{}}
}

// begin notes that something is waited for, which is cancelled when patience ends.
func (w *waits) begin(one *wait) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone != nil {
		return w.gone
	}
	one.began = time.Now()
	w.open[one] = true
	if len(w.open) == 1 {
		w.start()
	}
	return nil
}

// end notes that it is not waited for any more.
func (w *waits) end(one *wait) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, one)
	if len(w.open) == 0 && w.timer != nil {
		w.timer.Stop()
		w.spent += time.Since(w.since)
	}
}

// during does something that takes a while, of which the context ends with patience.
func (w *waits) during(ctx context.Context, what string, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	one := &wait{what: what, cancel: cancel}
	if err := w.begin(one); err != nil {
		return err
	}
	defer w.end(one)
	err := do(ctx)
	if gone := lostPatience(ctx); gone != nil {
		return gone
	}
	return err
}

// received counts bytes of an answer: a large one is finished bit by bit.
func (w *waits) received(n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bytes += int64(n); w.bytes >= w.enough {
		w.anew()
	}
}

// finished notes that an answer has come to its end.
func (w *waits) finished() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.anew()
}

// anew sets the clock back to nothing.
func (w *waits) anew() {
	w.spent, w.bytes = 0, 0
	if len(w.open) > 0 {
		w.start()
	}
}

// start lets the clock run.
func (w *waits) start() {
	if w.limit <= 0 {
		return
	}
	w.since = time.Now()
	if w.timer == nil {
		w.timer = time.AfterFunc(w.limit-w.spent, w.fire)
		return
	}
	w.timer.Reset(w.limit - w.spent)
}

// fire gives everything up, unless something was finished at the last moment.
func (w *waits) fire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.open) == 0 || w.gone != nil || w.spent+time.Since(w.since) < w.limit {
		return
	}
	all := make([]*wait, 0, len(w.open))
	for one := range w.open {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *wait) int { return cmp.Or(a.began.Compare(b.began), cmp.Compare(a.what, b.what)) })
	w.gone = &PatienceError{Limit: w.limit}
	for _, one := range all {
		if !slices.Contains(w.gone.Waiting, one.what) {
			w.gone.Waiting = append(w.gone.Waiting, one.what)
		}
	}
	for _, one := range all {
		one.cancel(w.gone)
	}
}

// lostPatience returns the error that ended a context, if that was for patience.
func lostPatience(ctx context.Context) error {
	var gone *PatienceError
	if errors.As(context.Cause(ctx), &gone) {
		return gone
	}
	return nil
}

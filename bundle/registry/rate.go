package registry

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/islandbundle/island/manifests"
)

// fairPart is the part of an equal share of its line, as one in so many, that a
// transfer must get to be excused by how slow the line is: shares are never quite equal.
const fairPart = 4

// slowError is a transfer that was broken off because it was slower than what is
// asked of one, or silent.
type slowError struct {
	host   string
	got    int64 // bytes
	window time.Duration
	least  int64 // bytes a second; 0 if it was silent
}

func (e *slowError) Error() string {
	if e.least == 0 {
		return fmt.Sprintf("%s was silent for %s", e.host, e.window)
	}
	return fmt.Sprintf("%s sent %s in %s, which is slower than %s a second",
		e.host, manifests.Bytes(e.got), e.window, manifests.Bytes(e.least))
}

// TooSlow reports whether a failure is a host that was silent or slower than
// Options.MinRate. To find that out takes a while, so that such a failure counts
// for two.
func TooSlow(err error) bool {
	var slow *slowError
	return errors.As(err, &slow)
}

// Weight is how many failures of [MaxTries] a failure counts for.
func Weight(err error) int {
	if TooSlow(err) {
		return 2
	}
	return 1
}

// line is what several transfers share: a host, or the way to all of them.
type line struct {
	transfers atomic.Int64 // that are under way
	bytes     atomic.Int64 // that have come
}

// meter measures one transfer, window by window. Time counts while the transfer is
// waited for, so that a slow disk is not taken for a slow host.
type meter struct {
	host   string
	least  int64 // bytes a second; 0 for any
	window time.Duration
	lines  []*line

	waited time.Duration
	got    int64
	began  time.Time
	before []int64 // bytes of the lines then
}

func newMeter(host string, least int64, window time.Duration, lines ...*line) *meter {
	m := &meter{host: host, least: least, window: window, lines: lines}
	for _, l := range lines {
		l.transfers.Add(1)
	}
	m.reset()
	return m
}

// end takes the transfer off its lines.
func (m *meter) end() {
	for _, l := range m.lines {
		l.transfers.Add(-1)
	}
}

func (m *meter) reset() {
	m.waited, m.got, m.began = 0, 0, time.Now()
	m.before = m.before[:0]
	for _, l := range m.lines {
		m.before = append(m.before, l.bytes.Load())
	}
}

// add counts what has come, and returns an error at the end of a window in which that
// was too little.
func (m *meter) add(n int, waited time.Duration) error {
	for _, l := range m.lines {
		l.bytes.Add(int64(n))
	}
	m.got += int64(n)
	m.waited += waited
	if m.least <= 0 || m.waited < m.window {
		return nil
	}
	if float64(m.got) < float64(m.least)*m.waited.Seconds() && !m.isShared() {
		return &slowError{m.host, m.got, m.waited.Round(time.Millisecond), m.least}
	}
	m.reset()
	return nil
}

// isShared reports whether the transfer is slow because others share its line: all
// together are as fast as one must be, and this one has its part.
func (m *meter) isShared() bool {
	elapsed := time.Since(m.began).Seconds()
	for i, l := range m.lines {
		all := l.bytes.Load() - m.before[i]
		if float64(all) >= float64(m.least)*elapsed && m.got*fairPart*max(1, l.transfers.Load()) >= all {
			return true
		}
	}
	return false
}

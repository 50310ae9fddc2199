package registry

import (
	"context"
	"sync"
)

// limits bounds the answers that are read at one time, and the patience with
// a host that failed all the time.
type limits struct {
	perHost int
	total   chan struct{}
	mu      sync.Mutex
	hosts   map[string]chan struct{}
	down    map[string]bool
	all     line             // what all transfers share
	each    map[string]*line // by host
}

func newLimits(perHost, total int) *limits {
	return &limits{
		perHost: perHost, total: make(chan struct{}, total),
		hosts: map[string]chan struct{}{}, down: map[string]bool{}, each: map[string]*line{},
	}
}

// tries returns how often a host is asked. One that has used up all tries for an
// earlier request gets a single one until it answers again: else a mirror that
// is down would cost its retries for each of a thousand blobs.
func (l *limits) tries(host string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down[host] {
		return 1
	}
	return MaxTries
}

// saw keeps whether a host works.
func (l *limits) saw(host string, down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down[host] = down
}

// lines returns what a transfer from a host shares with others.
func (l *limits) lines(host string) []*line {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.each[host] == nil {
		l.each[host] = &line{}
	}
	return []*line{l.each[host], &l.all}
}

// acquire waits for the host first, so that waiting for a busy host takes
// nothing from the others.
func (l *limits) acquire(ctx context.Context, host string) (release func(), err error) {
	l.mu.Lock()
	slots := l.hosts[host]
	if slots == nil {
		slots = make(chan struct{}, l.perHost)
		l.hosts[host] = slots
	}
	l.mu.Unlock()
	select {
	case slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	select {
	case l.total <- struct{}{}:
	case <-ctx.Done():
		<-slots
		return nil, context.Cause(ctx)
	}
	return sync.OnceFunc(func() { <-l.total; <-slots }), nil
}

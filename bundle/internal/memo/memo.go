// Package memo computes values once that several goroutines need.
package memo

import (
	"context"
	"errors"
	"sync"
)

// Memo computes a value once for each key. A failure is not kept. Its zero
// value is ready for use.
type Memo[V any] struct {
	mu      sync.Mutex
	entries map[string]*entry[V]
}

type entry[V any] struct {
	done  chan struct{}
	value V
	err   error
}

// Get returns the value of a key, and computes it if nobody has done so yet.
// Whoever asks while it is computed waits for it, until the context is done:
// the error is then the context's. One caller's cancelled computation is no
// answer for another, who then computes it anew.
func (m *Memo[V]) Get(ctx context.Context, key string, compute func() (V, error)) (V, error) {
	for {
		e, mine := m.entry(key)
		if mine {
			e.value, e.err = compute()
			if e.err != nil {
				m.forget(key)
			}
			close(e.done)
			return e.value, e.err
		}
		select {
		case <-e.done:
		case <-ctx.Done():
			var zero V
			return zero, context.Cause(ctx)
		}
		if !errors.Is(e.err, context.Canceled) && !errors.Is(e.err, context.DeadlineExceeded) {
			return e.value, e.err
		}
	}
}

// entry returns the entry of a key, and whether it is the caller's to fill.
func (m *Memo[V]) entry(key string) (e *entry[V], mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e, known := m.entries[key]; known {
		return e, false
	}
	if m.entries == nil {
		m.entries = map[string]*entry[V]{}
	}
	e = &entry[V]{done: make(chan struct{})}
	m.entries[key] = e
	return e, true
}

func (m *Memo[V]) forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, key)
}

// Values returns all values that have been computed so far, in no order.
func (m *Memo[V]) Values() []V {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []V
	for _, e := range m.entries {
		select {
		case <-e.done:
			all = append(all, e.value)
		default:
		}
	}
	return all
}

package registry

import "sync"

// syncMap is a map for several goroutines. Its zero value is ready for use.
type syncMap[V any] struct{ values sync.Map }

func (m *syncMap[V]) set(key string, value V) { m.values.Store(key, value) }

func (m *syncMap[V]) get(key string) (value V) {
	if found, ok := m.values.Load(key); ok {
		value = found.(V)
	}
	return value
}

// syncSet is a set for several goroutines. Its zero value is ready for use.
type syncSet struct{ members syncMap[bool] }

func (s *syncSet) add(member string)      { s.members.set(member, true) }
func (s *syncSet) has(member string) bool { return s.members.get(member) }

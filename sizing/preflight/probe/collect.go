//go:build linux

package probe

import (
	"context"
	"errors"
	"os"
	"reflect"
	"time"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// Collect reads a host's facts. It fails only when it is cancelled: whatever
// cannot be read, or not in time, is said to be so in the facts.
func Collect(ctx context.Context, s System, request Request) (*facts.Facts, error) {
	request = request.complete()
	start := time.Now()
	ctx, cancel := context.WithTimeout(ctx, request.Limit)
	defer cancel()
	document := &facts.Facts{
		APIVersion: facts.APIVersion, Kind: facts.Kind, Probe: s.Version, Taken: start.UTC(), Root: os.Geteuid() == 0,
	}
	// Each part gathers on its own and is put into the document here, so that
	// one that hangs (a dead network file system) costs its own values alone.
	// So does each path; they are taken at the end, as far as they are known then.
	behind := s.newLook(request)
	type part func(*facts.Facts)
	gather := []func() part{
		func() part { v := s.cpu(); return func(f *facts.Facts) { v.Steal = f.CPU.Steal; f.CPU = v } },
		func() part {
			v := facts.Value[float64]{Method: message.Of("facts.method.later", nil), Unread: message.Of(facts.NotAsked, nil)}
			if !request.StealLater {
				v = s.steal(ctx, request.Sample)
			}
			return func(f *facts.Facts) { f.CPU.Steal = v }
		},
		func() part { v := s.memory(); return func(f *facts.Facts) { f.Memory = v } },
		func() part { s.lookBehind(ctx, request, behind); return func(*facts.Facts) {} },
		func() part { v := s.os(); return func(f *facts.Facts) { f.OS = v } },
		func() part { v := s.kernel(request); return func(f *facts.Facts) { f.Kernel = v } },
		func() part { v := s.time(); return func(f *facts.Facts) { f.Time = v } },
		func() part { v := s.network(); return func(f *facts.Facts) { f.Network = v } },
		func() part { v := s.security(); return func(f *facts.Facts) { f.Security = v } },
		func() part {
			v := s.software(request)
			return func(f *facts.Facts) {
				v.Leftovers, v.Release = f.Software.Leftovers, f.Software.Release
				f.Software = v
			}
		},
		func() part { v := s.leftovers(request); return func(f *facts.Facts) { f.Software.Leftovers = v } },
		func() part { v := s.release(); return func(f *facts.Facts) { f.Software.Release = v } },
		func() part { v := s.virtualisation(); return func(f *facts.Facts) { f.Virtualisation = v } },
	}
	done := make(chan part, len(gather))
	for _, g := range gather {
		go func() { done <- g() }()
	}
	for range gather {
		select {
		case put := <-done:
			put(document)
		case <-ctx.Done():
		}
	}
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return nil, err
	}
	document.Paths = behind.taken()
	sayUnread(reflect.ValueOf(document).Elem())
	document.Name = request.Name
	if document.Name == "" {
		document.Name = document.Network.Hostname.Value
	}
	document.Elapsed = time.Since(start).Seconds()
	return document, nil
}

// sayUnread marks every value that no part filled in.
func sayUnread(v reflect.Value) {
	if v.Kind() != reflect.Struct {
		return
	}
	method, isText := fieldOf[message.Text](v, "Method")
	unread, isToo := fieldOf[message.Text](v, "Unread")
	if isText && isToo {
		if method.IsZero() {
			*unread = message.Of("facts.unread.late", nil)
		}
		return
	}
	for i := range v.NumField() {
		if v.Type().Field(i).IsExported() {
			sayUnread(v.Field(i))
		}
	}
}

// fieldOf returns a field of a struct, if it has one of that name and type.
func fieldOf[T any](v reflect.Value, name string) (*T, bool) {
	field := v.FieldByName(name)
	if !field.IsValid() || !field.CanAddr() {
		return nil, false
	}
	p, ok := field.Addr().Interface().(*T)
	return p, ok
}

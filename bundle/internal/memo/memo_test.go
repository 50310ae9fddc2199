package memo

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestComputedOnce(t *testing.T) {
	t.Parallel()
	var m Memo[int]
	computed := 0
	for range 3 {
		value, err := m.Get(t.Context(), "a", func() (int, error) { computed++; return 7, nil })
		if value != 7 || err != nil {
			t.Errorf("value is %d, error %v", value, err)
		}
	}
	if value, _ := m.Get(t.Context(), "b", func() (int, error) { return 8, nil }); value != 8 {
		t.Errorf("value of another key is %d, wanted 8", value)
	}
	if computed != 1 || len(m.Values()) != 2 {
		t.Errorf("computed %d times, values are %v", computed, m.Values())
	}
}

func TestFailureIsNotKept(t *testing.T) {
	t.Parallel()
	var m Memo[int]
	broken := errors.New("broken")
	if _, err := m.Get(t.Context(), "a", func() (int, error) { return 0, broken }); !errors.Is(err, broken) {
		t.Errorf("error is %v, wanted that of the computation", err)
	}
	if value, err := m.Get(t.Context(), "a", func() (int, error) { return 7, nil }); value != 7 || err != nil {
		t.Errorf("after a failure: value is %d, error %v", value, err)
	}
}

// TestWaiting has one goroutine compute a value for which another waits.
func TestWaiting(t *testing.T) {
	t.Parallel()
	type answer struct {
		value int
		err   error
	}
	for name, test := range map[string]struct {
		first, want answer // of who computes first, and of who waits for that
	}{
		"success is shared":           {answer{1, nil}, answer{1, nil}},
		"failure is shared":           {answer{0, errors.ErrUnsupported}, answer{0, errors.ErrUnsupported}},
		"cancelled, so it tries anew": {answer{0, context.Canceled}, answer{2, nil}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var m Memo[int]
				end := make(chan struct{})
				go func() {
					_, _ = m.Get(t.Context(), "a", func() (int, error) {
						<-end
						return test.first.value, test.first.err
					})
				}()
				synctest.Wait() // until it computes
				impatient, cancel := context.WithCancel(t.Context())
				cancel()
				if _, err := m.Get(impatient, "a", nil); !errors.Is(err, context.Canceled) {
					t.Errorf("who does not wait gets the error %v", err)
				}
				if values := m.Values(); len(values) != 0 {
					t.Errorf("values that are not there yet: %v", values)
				}
				var got answer
				go func() { got.value, got.err = m.Get(t.Context(), "a", func() (int, error) { return 2, nil }) }()
				synctest.Wait() // until it waits
				close(end)
				synctest.Wait()
				if got.value != test.want.value || !errors.Is(got.err, test.want.err) {
					t.Errorf("who waited got %+v, wanted %+v", got, test.want)
				}
			})
		})
	}
}

package source

import (
	"context"
	"fmt"
)

// walk asks the locations of an object one after the other until one has it.
type walk struct {
	object string
	left   []location // still to be asked, the current one first
	failed []attempt
	log    func(string)
}

// ask goes on until a location gives the object, one ends the search, or none
// is left.
func (w *walk) ask(ctx context.Context, from func(location) error) error {
	for len(w.left) > 0 {
		err := from(w.left[0])
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if !w.next(err) {
			break
		}
	}
	return explain(w.object, w.failed)
}

// next gives up the current location, and reports whether another may be asked.
func (w *walk) next(err error) bool {
	w.failed = append(w.failed, attempt{w.left[0].String(), err})
	w.left = w.left[1:]
	if !fallsBack(err) {
		w.left = nil
	}
	if len(w.left) == 0 {
		return false
	}
	w.log(fmt.Sprintf("%s: %v; asking %s", w.object, w.failed[len(w.failed)-1], w.left[0]))
	return true
}

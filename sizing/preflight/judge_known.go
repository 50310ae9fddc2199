package preflight

import (
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// measured fills in a value's method, and says when it was not read: then the
// check is an error, and there is nothing to judge.
func measured[T any](j *judgement, id string, f *found, v facts.Value[T]) bool {
	f.method = v.Method
	if v.Source != "" {
		f.method = message.Of("preflight.value.method", args{"method": f.method, "source": v.Source})
	}
	if v.Known() {
		return true
	}
	f.outcome, f.remedy = Error, measureAgain()
	f.message = message.Of("preflight.finding.unmeasured", args{"why": unread(v)})
	j.add(id, *f)
	return false
}

// knownElse is for values that may well not be known, such as those that take root:
// without one its check ends as it is told here, and there is nothing to judge.
func knownElse[T any](j *judgement, id string, f *found, v facts.Value[T], without Outcome) bool {
	if f.method = v.Method; v.Known() {
		return true
	}
	f.outcome, f.remedy = without, measureAgain()
	f.message = message.Of("preflight.finding.not-known", args{"why": unread(v)})
	j.add(id, *f)
	return false
}

// unknownOutcome is how a check ends that takes a value which is not known: where
// the facts were taken before there was such a value it is skipped, since nobody
// has failed to read it.
func unknownOutcome[T any](v facts.Value[T]) Outcome {
	if v.Unread.IsZero() {
		return Skipped
	}
	return Error
}

// unread says why a value was not read.
func unread[T any](v facts.Value[T]) message.Text {
	if v.Unread.IsZero() {
		return message.Of("facts.unread.not-in-facts", nil)
	}
	return v.Unread
}

package preflight

import (
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// args are the arguments of a message.
type args = message.Args

// names are what something is called, the same in every language and of bounded
// length.
func names(list ...string) message.Text { return message.Plain(facts.Cut(strings.Join(list, ", "))) }

// listed is a list whose members each language words.
func listed(list []message.Text) message.Text {
	return message.Of("preflight.value.list", args{"items": list})
}

// Number is an amount that was measured or is required.
func Number[N int | int64 | float64](n N) message.Text {
	return message.Of("preflight.value.number", args{"n": n})
}

func atMost(n float64) message.Text  { return message.Of("preflight.value.at-most", args{"n": n}) }
func atLeast(n float64) message.Text { return message.Of("preflight.value.at-least", args{"n": n}) }

// truth is yes or no.
func truth(is bool) message.Text { return message.Of("preflight.value.truth", args{"is": is}) }

// IsTruth reports whether a text is yes or no, which says little to people beside a
// heading that has said the state.
func IsTruth(t message.Text) bool { return t.Is("preflight.value.truth") }

// unit is what an amount is counted in.
func unit(name string) message.Text { return message.Of("preflight.unit."+name, nil) }

// measureAgain is what to do about what was not measured, whatever is required of it.
func measureAgain() message.Text { return message.Of("preflight.remedy.measure-again", nil) }

// gigabytes returns bytes in the unit of the hardware table, cut to two decimals.
func gigabytes(bytes int64) float64 { return float64(bytes/1e7) / 100 }

// ended says how an attempt ended, and what more is known of it.
func ended(o facts.Outcome, detail message.Text) message.Text {
	if detail.IsZero() {
		return o.Text()
	}
	return message.Of("preflight.finding.ended", args{"outcome": o.Text(), "detail": detail})
}

func passIf(ok bool, otherwise Outcome) Outcome {
	if ok {
		return Pass
	}
	return otherwise
}

// graded returns the outcome of a number that should be small.
func graded(x, warn, fail float64) Outcome {
	switch {
	case x > fail:
		return Fail
	case x > warn:
		return Warn
	}
	return Pass
}

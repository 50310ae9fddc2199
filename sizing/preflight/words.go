package preflight

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// say words a message in both languages. Of an argument that has words in both,
// each gets its own.
func say(en, de string, args ...any) page.Text {
	german := make([]any, len(args))
	english := make([]any, len(args))
	for i, arg := range args {
		english[i], german[i] = arg, arg
		if text, ok := arg.(page.Text); ok {
			english[i], german[i] = text.EN, text.DE
		}
	}
	return page.Text{EN: fmt.Sprintf(en, english...), DE: fmt.Sprintf(de, german...)}
}

// ended words how an attempt ended, and what more is known of it.
func ended(o facts.Outcome, detail string) page.Text {
	if detail == "" {
		return OutcomeText(o)
	}
	return say("%s: %s", "%s: %s", OutcomeText(o), Phrase(detail))
}

// trim returns a number without zeros at its end, at most three decimals.
func trim(x float64) string {
	text := strconv.FormatFloat(x, 'f', 3, 64)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}

// gigabytes returns bytes in the unit of the hardware table.
func gigabytes(bytes int64) string { return trim(float64(bytes/1e7) / 100) }

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

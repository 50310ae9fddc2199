package remote

import (
	"strings"

	"github.com/islandbundle/island/sizing/preflight/facts"
)

// ReachError says how reaching a host ended, if not well.
type ReachError struct {
	Outcome facts.Outcome
	Detail  string
}

func (e *ReachError) Error() string {
	if e.Detail == "" {
		return string(e.Outcome)
	}
	return string(e.Outcome) + ": " + e.Detail
}

func unreached(outcome facts.Outcome, detail string) *ReachError {
	return &ReachError{Outcome: outcome, Detail: facts.Cut(strings.TrimSpace(detail))}
}

// sshSays are the words of OpenSSH's client, in the order in which they decide:
// a changed key also fails verification, a closed connection may have been
// refused. They are the same in all versions since 6.
var sshSays = []struct {
	words   string
	outcome facts.Outcome
}{
	{"REMOTE HOST IDENTIFICATION HAS CHANGED", facts.KeyChanged},
	{"host key is known for", facts.KeyUnknown},
	{"Host key verification failed", facts.KeyUnknown},
	{"Could not resolve hostname", facts.Unresolved},
	{"Permission denied (", facts.AuthRefused},
	{"Too many authentication failures", facts.AuthRefused},
	{"No supported authentication methods", facts.AuthRefused},
	{"Connection timed out", facts.Down},
	{"Connection refused", facts.Down},
	{"Connection reset", facts.Down},
	{"Connection closed", facts.Down},
	{"No route to host", facts.Down},
	{"Network is unreachable", facts.Down},
	{"Host is down", facts.Down},
	{"not responding", facts.Down},
	{"Broken pipe", facts.Down},
	{"UNKNOWN port 65535", facts.Down}, // what a jump host's failure looks like from here
}

// explain tells from what ssh said why there is no session.
func explain(stderr string) *ReachError {
	for _, say := range sshSays {
		if strings.Contains(stderr, say.words) {
			return unreached(say.outcome, lineWith(stderr, say.words))
		}
	}
	return unreached(facts.Failed, lastLine(stderr))
}

func lineWith(text, words string) string {
	for line := range strings.Lines(text) {
		if strings.Contains(line, words) {
			return strings.Trim(strings.TrimSpace(line), "@ ")
		}
	}
	return ""
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}

// outcomes that the script itself may report.
var scriptOutcomes = map[string]facts.Outcome{
	"disk-full": facts.DiskFull, "no-exec": facts.NoExec, "no-sudo": facts.NoSudo, "damaged": facts.Damaged, "stalled": facts.TimedOut, "failed": facts.Failed,
}

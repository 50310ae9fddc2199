//go:build linux

package remote

import (
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// ReachError says how reaching a host ended, if not well.
type ReachError struct {
	Outcome facts.Outcome
	Detail  message.Text
	// Busy says that the connection was closed before the login, as an sshd does
	// that has too many under way (sshd_config(5), MaxStartups): worth a try
	// again.
	Busy bool
}

func (e *ReachError) Error() string {
	if e.Detail.IsZero() {
		return string(e.Outcome)
	}
	return string(e.Outcome) + ": " + e.Detail.String()
}

func unreached(outcome facts.Outcome, detail message.Text) *ReachError {
	return &ReachError{Outcome: outcome, Detail: detail.Map(func(s string) string { return facts.Cut(strings.TrimSpace(s)) })}
}

// sshSays are the words of OpenSSH's client, in the order in which they decide:
// a changed key also fails verification, a closed connection may have been
// refused. They are the same in all versions since 6.
var sshSays = []struct {
	words   string
	outcome facts.Outcome
	busy    bool
}{
	{"REMOTE HOST IDENTIFICATION HAS CHANGED", facts.KeyChanged, false},
	{"host key is known for", facts.KeyUnknown, false},
	{"Host key verification failed", facts.KeyUnknown, false},
	{"Could not resolve hostname", facts.Unresolved, false},
	{"Permission denied (", facts.AuthRefused, false},
	{"Too many authentication failures", facts.AuthRefused, false},
	{"No supported authentication methods", facts.AuthRefused, false},
	{"kex_exchange_identification", facts.Down, true},
	{"Connection timed out", facts.Down, false},
	{"Connection refused", facts.Down, false},
	{"Connection reset", facts.Down, true},
	{"Connection closed", facts.Down, true},
	{"No route to host", facts.Down, false},
	{"Network is unreachable", facts.Down, false},
	{"Host is down", facts.Down, false},
	{"not responding", facts.Down, false},
	{"Broken pipe", facts.Down, false},
	{"UNKNOWN port 65535", facts.Down, false}, // what a jump host's failure looks like from here
}

// explain tells from what ssh said why there is no session.
func explain(stderr string) *ReachError {
	for _, say := range sshSays {
		if strings.Contains(stderr, say.words) {
			reach := unreached(say.outcome, message.Plain(lineWith(stderr, say.words)))
			reach.Busy = say.busy
			return reach
		}
	}
	if strings.TrimSpace(stderr) == "" {
		// Of a host that is heard no more ssh speaks at a level of its log that is not asked for.
		return unreached(facts.TimedOut, message.Of("facts.reach.stood-still", nil))
	}
	return unreached(facts.Failed, message.Plain(lastLine(stderr)))
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

// scriptSays is what the script says of its failure: one of its own reasons, else
// what a program on the host said, or a path.
func scriptSays(detail string) message.Text {
	if code := scriptReasons[detail]; code != "" {
		return message.Of(code, nil)
	}
	return message.Plain(detail)
}

// scriptReasons are the words after a failure of the script, for which catalogues
// have better ones.
var scriptReasons = map[string]string{
	"no-folder": "facts.reach.no-folder", "sudo-refuses": "facts.reach.sudo-refuses", "sudo-asks": "facts.reach.sudo-asks",
	"not-arrived": "facts.reach.not-arrived", "sum-differs": "facts.reach.sum-differs",
}

// outcomes that the script itself may report.
var scriptOutcomes = map[string]facts.Outcome{
	"disk-full": facts.DiskFull, "no-exec": facts.NoExec, "no-sudo": facts.NoSudo, "damaged": facts.Damaged,
	"stalled": facts.TimedOut, "failed": facts.Failed,
}

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
	{"closed by remote host", facts.Failed, false},
	{"Received disconnect", facts.Failed, false},
	{"No route to host", facts.Down, false},
	{"Network is unreachable", facts.Down, false},
	{"Host is down", facts.Down, false},
	{"not responding", facts.TimedOut, false},
	{"Broken pipe", facts.Down, false},
	{" timed out", facts.TimedOut, false},
	{"UNKNOWN port 65535", facts.Down, false}, // what a jump host's failure looks like from here
}

// explain tells from what ssh said why there is no session; nil where it is none of
// its known words.
func explain(complaints string) *ReachError {
	for _, say := range sshSays {
		if strings.Contains(complaints, say.words) {
			reach := unreached(say.outcome, message.Plain(lineWith(complaints, say.words)))
			reach.Busy = say.busy
			return reach
		}
	}
	return nil
}

// closed says that the connection was up, and then ended from the other side.
func (e *ReachError) closed() bool { return e.Outcome == facts.Down || e.Outcome == facts.Failed }

// notLetIn reports why there is no login. ssh's own words are in its log, those of
// the ssh of a jump host among what came from there.
func (s *Session) notLetIn(log string) *ReachError {
	complaints := sshComplaints(log)
	reach := explain(complaints + sshComplaints(s.stderr.String()))
	switch {
	case reach == nil:
		return s.unexplained(complaints)
	case reach.closed() && strings.Contains(log, sshAsksLogin):
		// Who was about to log in was turned away, and is told why where the host says so.
		return unreached(facts.NoLogin, s.withWords(message.Of("facts.reach.login-refused", message.Args{"ssh": reach.Detail})))
	}
	return reach
}

// brokeOff reports why the connection ended after the login.
func (s *Session) brokeOff(log string) *ReachError {
	complaints := sshComplaints(log)
	reach := explain(complaints)
	if reach == nil {
		return s.unexplained(complaints)
	}
	if reach.Busy = false; reach.closed() && !s.begun {
		reach = unreached(facts.NoLogin, message.Of("facts.reach.login-refused", message.Args{"ssh": reach.Detail}))
	}
	reach.Detail = s.withWords(reach.Detail)
	return reach
}

// unexplained reports an end of which ssh has said nothing that is known.
func (s *Session) unexplained(complaints string) *ReachError {
	why := message.Plain(facts.Cut(lastLine(complaints)))
	if why.IsZero() {
		why = message.Of("facts.reach.broke-off", nil)
	}
	return unreached(facts.Failed, s.withWords(why))
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

// scriptSays is what the script says of its failure: one of its own reasons with
// what a program on the host said, or the latter alone, or a path.
func (s *Session) scriptSays(detail string) message.Text {
	reason, words, _ := strings.Cut(strings.TrimSpace(detail), " ")
	code := scriptReasons[reason]
	if code == "" {
		return message.Plain(detail)
	}
	if reason == "sudo-asks" { // which has said it to whom it is meant for
		words = s.stderr.String()
	}
	if strings.Contains(words, "must have a tty") {
		code = "facts.reach.sudo-terminal"
	}
	return said(message.Of(code, nil), s.lastWords(words))
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

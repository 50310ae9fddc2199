//go:build linux

package remote

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/islandbundle/island/internal/words/message"
)

// Limits of what is kept of what is said.
const (
	maxSaid  = 32 << 10 // bytes of each of ssh's log, the host's output and its complaints
	maxWords = 400      // bytes of the last words of either of the latter
)

// tail keeps the end of what is written to it.
type tail struct {
	mu      sync.Mutex
	kept    []byte
	stopped bool
}

func (t *tail) Write(data []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.stopped {
		t.kept = append(t.kept, data[max(0, len(data)-maxSaid):]...)
		t.kept = t.kept[max(0, len(t.kept)-maxSaid):]
	}
	return len(data), nil
}

// stop has nothing more kept.
func (t *tail) stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stopped = true
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}

// sshLog takes what ssh itself says, apart from what comes from the host: a start
// file there may complain of a connection that was refused, too. It is asked for at
// level DEBUG1, which tells how far the login came, and by -v, which alone wins
// over a LogLevel of the operator's configuration, over -q, and for the ssh of a
// jump host.
type sshLog struct {
	tail
	read, write *os.File
	ended       chan struct{}
}

// logSettled is how long to wait for the end of ssh's log: a helper that it has
// started may hold it open.
const logSettled = time.Second

// attach has ssh write its log here. Where that is not possible, the log is among
// what the host complains.
func (l *sshLog) attach(cmd *exec.Cmd) error {
	var err error
	if l.read, l.write, err = os.Pipe(); err != nil {
		return err
	}
	// ssh closes what it has inherited, and opens its log by name.
	name := fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), l.write.Fd())
	here, errHere := l.write.Stat()
	there, errThere := os.Stat(name)
	more := []string{"-v"}
	if errHere == nil && errThere == nil && os.SameFile(here, there) {
		more = append(more, "-E", name)
	}
	end := slices.Index(cmd.Args, "--")
	cmd.Args = slices.Insert(cmd.Args, end, more...)
	l.ended = make(chan struct{})
	go func() {
		defer close(l.ended)
		_, _ = io.Copy(&l.tail, l.read)
	}()
	return nil
}

// close waits for the end of the log.
func (l *sshLog) close() {
	if l.write == nil {
		return
	}
	_ = l.write.Close()
	select {
	case <-l.ended:
	case <-time.After(logSettled):
	}
	_ = l.read.Close()
}

// How far ssh came, as its log has it in all versions since 7.
const (
	sshAsksLogin = "debug1: SSH2_MSG_SERVICE_ACCEPT received" // whom it talks to is known, whether it is let in is not
	sshExited    = "debug1: Exit status "                     // the command ended by itself, and the host said how
	sshSignalled = "rtype exit-signal"                        // the same, by a signal
)

// sshLetIn are the lines of a login that was accepted, one of a connection that was
// open already included.
var sshLetIn = []string{"Authenticated to ", "master session id: "}

func containsAny(text string, words []string) bool {
	return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
}

// sshNoise are lines of ssh's log that say how far it came, not what went wrong.
var sshNoise = regexp.MustCompile(`^(debug[1-3]: |OpenSSH_\d|Authenticated to |Transferred: sent |Bytes per second: sent )`)

// sshComplaints returns the lines of ssh's log that say what went wrong.
func sshComplaints(log string) string {
	var b strings.Builder
	for line := range strings.Lines(log) {
		if !sshNoise.MatchString(line) {
			b.WriteString(line)
		}
	}
	return b.String()
}

// lastWords returns the end of what was said, in one line. A secret that was sent
// to the host is not repeated, wherever the host says it.
func (s *Session) lastWords(texts ...string) string {
	var parts []string
	for _, text := range texts {
		if s.secret != "" {
			text = strings.ReplaceAll(text, s.secret, "…")
		}
		var lines []string
		for line := range strings.Lines(strings.ToValidUTF8(sshComplaints(text), "�")) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "island-") {
				lines = append(lines, line)
			}
		}
		words := strings.Join(lines, " / ")
		if len(words) > maxWords {
			words = "…" + strings.ToValidUTF8(words[len(words)-maxWords:], "")
		}
		if words != "" {
			parts = append(parts, words)
		}
	}
	return strings.Join(parts, " / ")
}

// withWords adds what the host said last to why it was not reached.
func (s *Session) withWords(why message.Text) message.Text {
	return said(why, s.lastWords(s.heard.String(), s.stderr.String()))
}

// said adds words to a reason.
func said(why message.Text, words string) message.Text {
	if words == "" {
		return why
	}
	return message.Of("facts.reach.said", message.Args{"why": why, "words": words})
}

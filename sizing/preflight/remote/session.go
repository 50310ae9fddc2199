//go:build linux

package remote

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/islandbundle/island/internal/children"
	"github.com/islandbundle/island/internal/jsonweight"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/probe"
)

// Target is a host to speak to.
type Target struct {
	Local        bool          // this machine, without ssh
	Address      string        // as ssh is told it: a name, an address, or an alias of the operator's config
	Args         []string      // of ssh: options alone, such as its port, user and key
	Sudo         bool          // run the probe as root by sudo, unless the user is root
	SudoPassword string        // empty: sudo must not ask
	Connect      time.Duration // limit of connecting, in place of that of all hosts; 0 for none
}

// Options say how hosts are reached.
type Options struct {
	// Probe gives the probe for an architecture as Go names it, as [Compress]
	// makes it. An error says that there is none.
	Probe      func(architecture string) ([]byte, error)
	SSH        string        // program; default ssh
	ConfigFile string        // of ssh, in place of the operator's own; empty leaves it to ssh
	Connect    time.Duration // limit of connecting; default 10 s
	// Greeted is called when the host has greeted, after the login; nil for
	// nothing.
	Greeted func()
}

// Compress makes of a probe what is sent to hosts, to which links may be slow.
func Compress(probe []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(probe); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Limits of what a host may send.
const (
	maxOutput  = 64 << 20 // bytes of a whole session
	maxGreet   = 64 << 10 // bytes before the script's first word: banners and profiles
	maxStderr  = 32 << 10 // bytes kept of what ssh and the host complain
	startLimit = 130 * time.Second
	endLimit   = 5 * time.Second // for the script to clean up
	maxWrites  = 4               // under way at once: one command waits for its answer before the next
)

// Session is a running probe.
type Session struct {
	cmd      *exec.Cmd
	cancel   context.CancelFunc
	in       io.WriteCloser
	writes   chan []byte // to the host, by a goroutine of its own: a host need not read
	out      *bufio.Reader
	stderr   *bounded
	broken   *ReachError
	inputEnd sync.Once
	waited   sync.Once
	waitErr  error
}

// Open reaches a host and starts the probe there. A failure is a [*ReachError].
// The session ends with ctx.
func Open(ctx context.Context, target Target, options Options) (*Session, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &Session{cancel: cancel, stderr: &bounded{}}
	s.cmd = sshCommand(ctx, target, options)
	s.cmd.Stderr = s.stderr
	s.cmd.WaitDelay = 2 * time.Second
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(os.Interrupt) }
	var err error
	if s.in, err = s.cmd.StdinPipe(); err == nil {
		var out io.Reader
		if out, err = s.cmd.StdoutPipe(); err == nil {
			s.out = bufio.NewReaderSize(io.LimitReader(out, maxOutput), 64<<10)
			err = s.cmd.Start()
		}
	}
	if err != nil {
		cancel()
		return nil, unreached(facts.Failed, facts.Reason(err))
	}
	s.writes = make(chan []byte, maxWrites)
	go func() {
		for data := range s.writes {
			// A write fails only when the other side has ended; what it said tells why.
			_, _ = s.in.Write(data)
		}
		_ = s.in.Close()
	}()
	// Whatever the host does, starting has a limit.
	timer := time.AfterFunc(startLimit+connectLimit(target, options), cancel)
	if reach := s.start(target, options); reach != nil {
		s.Close()
		if !timer.Stop() && reach.Outcome == facts.Killed {
			reach = unreached(facts.TimedOut, message.Of("facts.reach.not-started", nil))
		}
		return nil, reach
	}
	timer.Stop()
	return s, nil
}

const defaultConnect = 10 * time.Second

// connectLimit returns how long connecting to a host may take.
func connectLimit(t Target, options Options) time.Duration {
	return cmp.Or(t.Connect, options.Connect, defaultConnect)
}

func sshCommand(ctx context.Context, t Target, options Options) *exec.Cmd {
	if t.Local {
		cmd := exec.CommandContext(ctx, "sh", "-c", command())
		cmd.Env = children.Environment(children.Local)
		return cmd
	}
	args := []string{
		"-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "ClearAllForwardings=yes", "-o", "RequestTTY=no",
		"-o", "ConnectTimeout=" + strconv.Itoa(int(connectLimit(t, options).Seconds())), "-o", "ConnectionAttempts=1",
		"-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=3",
		// A master that the operator has open is used; none is left behind.
		"-o", "ControlMaster=no", "-o", "ControlPersist=no",
	}
	// Of -o ssh takes the first, of -F and -T the last: what is said here counts either way.
	args = append(args, t.Args...)
	if options.ConfigFile != "" {
		args = append(args, "-F", options.ConfigFile)
	}
	args = append(args, "-T")
	cmd := exec.CommandContext(ctx, cmp.Or(options.SSH, "ssh"), append(args, "--", t.Address, command())...)
	cmd.Env = children.Environment(children.Remote, "LC_ALL=C")
	return cmd
}

// start leads the script through its steps.
func (s *Session) start(t Target, options Options) *ReachError {
	hello, reach := s.await("island-hello ", maxGreet)
	if reach != nil {
		return reach
	}
	if options.Greeted != nil {
		options.Greeted()
	}
	system, machine, _ := strings.Cut(hello, " ")
	architecture := map[string]string{"x86_64": "amd64", "aarch64": "arm64"}[machine]
	if system != "Linux" || architecture == "" {
		return unreached(facts.NoProbe, message.Of("facts.reach.other-system",
			message.Args{"system": facts.Cut(system), "machine": facts.Cut(machine)}))
	}
	binary, err := options.Probe(architecture)
	if err != nil {
		return unreached(facts.NoProbe, facts.Reason(err))
	}
	mode := "plain"
	switch {
	case t.Sudo && t.SudoPassword != "":
		mode = "password"
	case t.Sudo:
		mode = "sudo"
	}
	sum := sha256.Sum256(binary)
	head := fmt.Sprintf("%d %s %s\n", len(binary), hex.EncodeToString(sum[:]), mode)
	if mode == "password" {
		head += strings.ReplaceAll(t.SudoPassword, "\n", "") + "\n"
	}
	s.writes <- []byte(head)
	if _, reach = s.await("island-ready", maxGreet); reach != nil {
		return reach
	}
	s.writes <- binary
	_, reach = s.await("island-start", maxGreet)
	return reach
}

// await reads lines until one begins as wanted, at most limit bytes. The
// script's own report of a failure, and the end of the output, are failures.
func (s *Session) await(prefix string, limit int) (string, *ReachError) {
	for read := 0; read < limit; {
		line, err := s.line(limit)
		if err != nil {
			return "", s.ended(err)
		}
		read += len(line) + 1
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			return rest, nil
		}
		if reach := scriptReport(line); reach != nil {
			return "", reach
		}
	}
	return "", unreached(facts.Nonsense, message.Of("facts.reach.says-much", nil))
}

// scriptReport reads the script's words on its own failure or end.
func scriptReport(line string) *ReachError {
	if rest, ok := strings.CutPrefix(line, "island-fail "); ok {
		word, detail, _ := strings.Cut(rest, " ")
		if outcome, ok := scriptOutcomes[word]; ok {
			return unreached(outcome, scriptSays(detail))
		}
		return unreached(facts.Failed, message.Plain(rest))
	}
	if code, ok := strings.CutPrefix(line, "island-end "); ok {
		if n, err := strconv.Atoi(code); err == nil && n > 128 {
			return unreached(facts.Killed, message.Of("facts.reach.signal", message.Args{"signal": n - 128}))
		}
		return unreached(facts.Killed, message.Of("facts.reach.exit-code", message.Args{"exitCode": facts.Cut(code)}))
	}
	return nil
}

var errLong = errors.New("line is too long")

// line reads one line of at most limit bytes.
func (s *Session) line(limit int) (string, error) {
	var line []byte
	for {
		part, err := s.out.ReadSlice('\n')
		if line = append(line, part...); len(line) > limit {
			return "", errLong
		}
		if err == nil {
			return strings.TrimRight(string(line), "\r\n"), nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return "", err
		}
	}
}

// ended reports why there is no more output.
func (s *Session) ended(err error) *ReachError {
	if errors.Is(err, errLong) {
		s.cancel()
		return unreached(facts.Nonsense, message.Of("facts.reach.long-line", nil))
	}
	s.endInput()
	timer := time.AfterFunc(endLimit, s.cancel)
	s.wait()
	timer.Stop()
	code := -1
	if s.cmd.ProcessState != nil {
		code = s.cmd.ProcessState.ExitCode()
	}
	if said := s.stderr.String(); code == 255 || strings.Contains(said, "ssh:") {
		return explain(said)
	}
	return unreached(facts.Killed, message.Of("facts.reach.ended", nil))
}

// endInput closes the host's input once all that was written has been taken.
func (s *Session) endInput() { s.inputEnd.Do(func() { close(s.writes) }) }

func (s *Session) wait() { s.waited.Do(func() { s.waitErr = s.cmd.Wait() }) }

// Close ends the probe: it ends with its input, and the script then cleans up.
func (s *Session) Close() {
	s.endInput()
	// Give the script a moment to clean up before ssh is told to go.
	timer := time.AfterFunc(endLimit, s.cancel)
	_, _ = io.Copy(io.Discard, s.out)
	s.wait()
	timer.Stop()
	s.cancel()
}

// ask sends one command and reads its answer, within a limit.
func (s *Session) ask(ctx context.Context, command probe.Command, limit time.Duration) (*probe.Answer, error) {
	if s.broken != nil {
		return nil, s.broken
	}
	answer, reach := s.askOnce(ctx, command, limit)
	if reach != nil {
		s.broken = reach // a session that once failed is out of step for good
		return nil, reach
	}
	if !answer.Error.IsZero() {
		return nil, unreached(facts.Failed, facts.Heard(answer.Error))
	}
	return answer, nil
}

func (s *Session) askOnce(ctx context.Context, command probe.Command, limit time.Duration) (*probe.Answer, *ReachError) {
	var timedOut atomic.Bool
	timer := time.AfterFunc(limit, func() { timedOut.Store(true); s.cancel() })
	stop := context.AfterFunc(ctx, s.cancel)
	defer stop()
	line, err := json.Marshal(command)
	if err == nil {
		s.writes <- append(line, '\n')
	}
	text, err := s.line(probe.MaxAnswer)
	if timer.Stop(); err != nil && timedOut.Load() {
		return nil, unreached(facts.TimedOut, message.Of("facts.reach.no-answer", message.Args{"limit": limit.String()}))
	}
	if err != nil {
		return nil, s.ended(err)
	}
	if reach := scriptReport(text); reach != nil {
		return nil, reach
	}
	var answer probe.Answer
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	if jsonweight.Check([]byte(text), &answer, jsonweight.Times(8, []byte(text))) != nil {
		return nil, unreached(facts.Nonsense, message.Of("facts.reach.nonsense", nil))
	}
	if err := decoder.Decode(&answer); err != nil || answer.Op != command.Op && answer.Error.IsZero() {
		return nil, unreached(facts.Nonsense, message.Of("facts.reach.nonsense", nil))
	}
	return &answer, nil
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	mu   sync.Mutex
	kept []byte
}

func (b *bounded) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept = append(b.kept, data[:min(len(data), maxStderr-len(b.kept))]...)
	return len(data), nil
}

func (b *bounded) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.kept)
}

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
	Local        bool     // this machine, without ssh
	Address      string   // as ssh is told it: a name, an address, or an alias of the operator's config
	Args         []string // of ssh: options alone, such as its port, user and key
	Sudo         bool     // run the probe as root by sudo, unless the user is root
	SudoProgram  string   // sudo's name or path, as it stands in a shell; empty: sudo
	SudoPassword string   // empty: sudo must not ask
	// NoRoot says why the probe cannot be made root, where it should be: then it is
	// not run, unless the user is root.
	NoRoot  message.Text
	Connect time.Duration // limit of connecting, in place of that of all hosts; 0 for none
}

// Options say how hosts are reached.
type Options struct {
	// Probe gives the probe for an architecture as Go names it, as [Compress]
	// makes it. An error says that there is none.
	Probe      func(architecture string) ([]byte, error)
	SSH        string        // program; default ssh
	ConfigFile string        // of ssh, in place of the operator's own; empty leaves it to ssh
	Connect    time.Duration // limit of connecting; default 10 s
	Start      time.Duration // limit of what comes then until the probe runs; default 130 s
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
	log      sshLog
	heard    tail   // what the host says before the probe runs
	stderr   tail   // what it complains
	secret   string // that it was sent
	begun    bool   // its login has run a command
	broken   *ReachError
	inputEnd sync.Once
	waited   sync.Once
	waitErr  error
}

// Open reaches a host and starts the probe there. A failure is a [*ReachError].
// The session ends with ctx.
func Open(ctx context.Context, target Target, options Options) (*Session, error) {
	ctx, cancel := context.WithCancel(ctx)
	s := &Session{cancel: cancel}
	s.cmd = sshCommand(ctx, target, options)
	s.cmd.Stderr = &s.stderr
	s.cmd.WaitDelay = 2 * time.Second
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(os.Interrupt) }
	if err := s.run(target.Local); err != nil {
		cancel()
		s.log.close()
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
	timer := time.AfterFunc(cmp.Or(options.Start, startLimit)+connectLimit(target, options), cancel)
	if reach := s.start(target, options); reach != nil {
		s.Close()
		if !timer.Stop() {
			reach = s.late()
		}
		return nil, reach
	}
	timer.Stop()
	return s, nil
}

// late reports why the probe was not started in time. A login that was accepted and ran
// nothing waits for somebody to answer: a menu, a question, another shell.
func (s *Session) late() *ReachError {
	if !s.begun && containsAny(s.log.String(), sshLetIn) {
		return unreached(facts.NoLogin, s.withWords(message.Of("facts.reach.login-waits", nil)))
	}
	return unreached(facts.TimedOut, s.withWords(message.Of("facts.reach.not-started", nil)))
}

// run starts ssh, or the shell of this machine.
func (s *Session) run(local bool) error {
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if !local {
		if err := s.log.attach(s.cmd); err != nil {
			return err
		}
	}
	s.in, s.out = in, bufio.NewReaderSize(io.TeeReader(io.LimitReader(out, maxOutput), &s.heard), 64<<10)
	return s.cmd.Start()
}

const defaultConnect = 10 * time.Second

// connectLimit returns how long connecting to a host may take.
func connectLimit(t Target, options Options) time.Duration {
	return cmp.Or(t.Connect, options.Connect, defaultConnect)
}

func sshCommand(ctx context.Context, t Target, options Options) *exec.Cmd {
	if t.Local {
		cmd := exec.CommandContext(ctx, "sh", "-c", greeting)
		cmd.Env = children.Environment(children.Local)
		return cmd
	}
	args := []string{
		"-o", "BatchMode=yes", "-o", "ClearAllForwardings=yes", "-o", "RequestTTY=no",
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
	cmd := exec.CommandContext(ctx, cmp.Or(options.SSH, "ssh"), append(args, "--", t.Address, command)...)
	cmd.Env = children.Environment(children.Remote, "LC_ALL=C")
	return cmd
}

// start leads the host's shell, and then the script, through their steps.
func (s *Session) start(t Target, options Options) *ReachError {
	if _, reach := s.await("island-shell", maxGreet); reach != nil {
		return reach
	}
	s.begun = true
	s.writes <- []byte(script)
	hello, reach := s.await("island-hello ", maxGreet)
	if reach != nil {
		return reach
	}
	if options.Greeted != nil {
		options.Greeted()
	}
	system, rest, _ := strings.Cut(hello, " ")
	machine, user, _ := strings.Cut(rest, " ")
	architecture := map[string]string{"x86_64": "amd64", "aarch64": "arm64"}[machine]
	if system != "Linux" || architecture == "" {
		return unreached(facts.NoProbe, message.Of("facts.reach.other-system",
			message.Args{"system": facts.Cut(system), "machine": facts.Cut(machine)}))
	}
	binary, err := options.Probe(architecture)
	if err != nil {
		return unreached(facts.NoProbe, facts.Reason(err))
	}
	head, reach := s.head(t, user == "0", binary)
	if reach != nil {
		return reach
	}
	s.writes <- []byte(head)
	if _, reach = s.await("island-ready", maxGreet); reach != nil {
		return reach
	}
	s.writes <- binary
	_, reach = s.await("island-start", maxGreet)
	s.heard.stop()
	return reach
}

// head is what the script is told of the probe, and how to run it.
func (s *Session) head(t Target, isRoot bool, binary []byte) (string, *ReachError) {
	mode := "plain"
	switch {
	case isRoot || !t.Sudo && t.NoRoot.IsZero():
	case !t.NoRoot.IsZero():
		return "", unreached(facts.NoSudo, t.NoRoot)
	case t.SudoPassword != "":
		mode = "password"
		s.secret = strings.ReplaceAll(t.SudoPassword, "\n", "")
	default:
		mode = "sudo"
	}
	sum := sha256.Sum256(binary)
	head := fmt.Sprintf("%d %s %s %s\n", len(binary), hex.EncodeToString(sum[:]), mode, cmp.Or(t.SudoProgram, "sudo"))
	if mode == "password" {
		head += s.secret + "\n"
	}
	return head, nil
}

// await reads lines until one has the words that it waits for, at most limit bytes,
// and gives what follows them. What a start file has printed may stand before them
// in the line. The script's own report of a failure, and the end of the output, are
// failures.
func (s *Session) await(words string, limit int) (string, *ReachError) {
	for read := 0; read < limit; {
		line, err := s.line(limit)
		if errors.Is(err, errLong) {
			break
		}
		if err != nil {
			return "", s.ended(err)
		}
		read += len(line) + 1
		if _, rest, ok := strings.Cut(line, words); ok {
			return rest, nil
		}
		if reach := s.scriptReport(line); reach != nil {
			return "", reach
		}
	}
	s.cancel()
	return "", unreached(facts.Nonsense, s.withWords(message.Of("facts.reach.says-much", nil)))
}

// scriptReport reads the script's words on its own failure or end.
func (s *Session) scriptReport(line string) *ReachError {
	if !strings.HasPrefix(line, "island-fail ") && !strings.HasPrefix(line, "island-end ") {
		return nil
	}
	s.settle() // what was complained may come later
	if rest, ok := strings.CutPrefix(line, "island-fail "); ok {
		word, detail, _ := strings.Cut(rest, " ")
		if outcome, ok := scriptOutcomes[word]; ok {
			return unreached(outcome, s.scriptSays(detail))
		}
		return unreached(facts.Failed, message.Plain(rest))
	}
	if code, ok := strings.CutPrefix(line, "island-end "); ok {
		if n, err := strconv.Atoi(code); err == nil && n > 128 {
			return unreached(facts.Killed, s.withWords(message.Of("facts.reach.signal", message.Args{"signal": n - 128})))
		}
		return unreached(facts.Killed, s.withWords(message.Of("facts.reach.exit-code", message.Args{"exitCode": facts.Cut(code)})))
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
	s.settle()
	code := -1
	if s.cmd.ProcessState != nil {
		code = s.cmd.ProcessState.ExitCode()
	}
	log := s.log.String()
	letIn, exited := containsAny(log, sshLetIn), strings.Contains(log, sshExited)
	switch {
	case !letIn && code == sshFailed:
		return s.notLetIn(log)
	case code == sshFailed && !exited:
		return s.brokeOff(log)
	case s.begun:
		return unreached(facts.Killed, s.withWords(message.Of("facts.reach.ended", nil)))
	case strings.Contains(log, sshSignalled):
		return unreached(facts.NoLogin, s.withWords(message.Of("facts.reach.login-signal", nil)))
	}
	return unreached(facts.NoLogin, s.withWords(message.Of("facts.reach.login-ended", message.Args{"exitCode": code})))
}

// sshFailed is ssh's own exit code (ssh(1), EXIT STATUS). A command on the host may
// have it, too.
const sshFailed = 255

// settle waits for the end of a session that is ending.
func (s *Session) settle() {
	s.endInput()
	// The script has a moment to clean up before ssh is told to go.
	timer := time.AfterFunc(endLimit, s.cancel)
	s.wait()
	timer.Stop()
}

// endInput closes the host's input once all that was written has been taken.
func (s *Session) endInput() { s.inputEnd.Do(func() { close(s.writes) }) }

func (s *Session) wait() {
	s.waited.Do(func() {
		s.waitErr = s.cmd.Wait()
		s.log.close()
	})
}

// Close ends the probe: it ends with its input, and the script then cleans up.
func (s *Session) Close() {
	s.endInput()
	timer := time.AfterFunc(endLimit, s.cancel)
	_, _ = io.Copy(io.Discard, s.out)
	timer.Stop()
	s.settle()
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
	if reach := s.scriptReport(text); reach != nil {
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

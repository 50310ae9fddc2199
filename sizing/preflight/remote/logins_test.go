//go:build linux

package remote

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/probe"
)

// login stands for ssh and for an sshd that runs what it is asked for by a user's
// login shell: how is a script whose $last is what was asked for, and which has a
// home for start files.
func login(t *testing.T, how string) string {
	t.Helper()
	home := t.TempDir()
	name := filepath.Join(t.TempDir(), "ssh")
	text := "#!/bin/sh\nfor last; do [ \"$before\" = -E ] && log=$last; before=$last; done\n" +
		"TMPDIR=" + t.TempDir() + " HOME=" + home + "; export TMPDIR HOME; cd\n" +
		"echo 'Authenticated to host ([192.0.2.1]:22) using \"publickey\".' >>\"$log\"\n" + how + "\n" +
		"code=$?; echo \"debug1: Exit status $code\" >>\"$log\"; exit $code\n"
	program(t, name, text)
	return name
}

// TestLoginShells: the probe runs whatever shell the user has, and whatever its
// start files say.
func TestLoginShells(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]string{
		"dash":                                  `dash -c "$last"`,
		"bash that greets without a line break": `echo 'printf "welcome to $HOSTNAME"' >rc; BASH_ENV=rc bash -c "$last"`,
		"bash that complains without one":       `echo 'printf "stdin: is not a tty" >&2' >rc; BASH_ENV=rc bash -c "$last"`,
		"bash that repeats what it does":        `echo 'exec 2>&1; export SHELLOPTS; set -xv' >rc; BASH_ENV=rc bash -c "$last"`,
		"zsh that greets without a line break":  `echo 'printf "hello\033[0m "' >.zshenv; zsh -c "$last"`,
		"fish that greets without one":          `mkdir -p .config/fish; echo 'echo -n fishy' >.config/fish/config.fish; fish -c "$last"`,
		"tcsh that greets without one":          `echo 'echo -n "good day"' >.tcshrc; tcsh -c "$last"`,
		"csh":                                   `bsd-csh -c "$last"`,
		"ksh":                                   `ksh -c "$last"`,
		"mksh":                                  `mksh -c "$last"`,
		"busybox":                               `busybox ash -c "$last"`,
		"a job of a start file that prints in between":  `dash -c "$last" | sed -u "s/^island-[sh]/late &/"`,
		"a forced command that runs what was asked for": `SSH_ORIGINAL_COMMAND=$last sh -c 'sh -c "$SSH_ORIGINAL_COMMAND"'`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shellOf(t, how)
			s, err := open(t, login(t, how), Target{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if f, err := s.Collect(t.Context(), probe.Request{Name: "h1", Sample: 1, NoFsync: true}); err != nil || f.Name != "h1" {
				t.Errorf("facts are %+v, %v", f, err)
			}
		})
	}
}

// shellOf skips a test whose shell is not there.
func shellOf(t *testing.T, how string) {
	t.Helper()
	for _, shell := range []string{"zsh", "fish", "tcsh", "bsd-csh", "mksh", "ksh", "busybox", "rbash"} {
		if !strings.Contains(how, shell+" ") {
			continue
		}
		if _, err := exec.LookPath(shell); err != nil && os.Getenv("ISLAND_REQUIRE_TOOLS") == "1" {
			t.Fatal(err)
		} else if err != nil {
			t.Skip(err)
		}
	}
}

// TestLastWords: a login that runs no command is told of as that, with what the
// host said last.
func TestLastWords(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		how     string
		outcome facts.Outcome
		said    []string
	}{
		"no shell":   {"/usr/sbin/nologin", facts.NoLogin, []string{"exit code 1", "This account is currently not available"}},
		"silent":     {"false", facts.NoLogin, []string{"exit code 1"}},
		"restricted": {`rbash -c "$last"`, facts.NoLogin, []string{"exit code 1", "restricted"}},
		"words in both ways": {"printf 'until nine'; echo 'closed for work' >&2; exit 3", facts.NoLogin, []string{"exit code 3",
			"until nine", "closed for work"}},
		"a prompt":  {"printf 'Select [1-9]: '; exit 0", facts.NoLogin, []string{"exit code 0", "Select [1-9]:"}},
		"escapes":   {`printf '\033[31mno\033[0m\a\n'; exit 1`, facts.NoLogin, []string{"no"}},
		"very much": {"yes 'much to say' | head -c 40000; echo 'the end'; exit 1", facts.NoLogin, []string{"…", "the end"}},
		"words like ssh's": {"echo 'curl: (7) Connection refused' >&2; exit 1", facts.NoLogin, []string{"exit code 1",
			"(7) Connection refused"}},
		"ssh's own exit code": {"echo 'Permission denied (db).' >&2; exit 255", facts.NoLogin, []string{"exit code 255",
			"Permission denied (db)"}},
		"killed": {"echo 'rtype exit-signal' >>\"$log\"; echo 'Out of memory' >&2; exit 255", facts.NoLogin,
			[]string{"signal", "Out of memory"}},
		"asks for nothing but a shell that it lacks": {`sh -c 'exec /no/such/shell'`, facts.NoLogin, []string{"/no/such/shell"}},
		"a word of the script, and the end": {"echo island-shell; echo 'cannot fork' >&2; exit 1", facts.Killed,
			[]string{"cannot fork"}},
		"no sh in its path": {`printf "welcome back"; PATH=/no/such /bin/dash -c "$last"`, facts.Killed,
			[]string{"last words: welcome back / "}},
		"no room for a process": {"echo island-shell; read x; echo island-hello Linux x86_64 1; exit 1", facts.Killed, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shellOf(t, test.how)
			told(t, login(t, "("+test.how+")"), Target{}, test.outcome, test.said)
		})
	}
}

// told opens a host and compares how that ended.
func told(t *testing.T, ssh string, target Target, outcome facts.Outcome, said []string) {
	t.Helper()
	s, err := open(t, ssh, target)
	if err == nil {
		_, err = s.Collect(t.Context(), probe.Request{})
		s.Close()
	}
	var reach *ReachError
	if !errors.As(err, &reach) || reach.Outcome != outcome || reach.Busy {
		t.Fatalf("error is %v, want %s", err, outcome)
	}
	text := words.English().Text(reach.Detail)
	for _, word := range said {
		if !strings.Contains(text, word) {
			t.Errorf("detail %q lacks %q", text, word)
		}
	}
	if strings.ContainsFunc(text, unicode.IsControl) || len(text) > facts.MaxText || strings.Contains(text, "hunter2") ||
		strings.Contains(text, "island-") {
		t.Errorf("detail is %q", text)
	}
	if outcome != facts.TimedOut && strings.Contains(text, "in time") {
		t.Errorf("%q speaks of time", text)
	}
}

// TestTurnedAway: what ssh says while it logs in, and what the host says in a banner,
// as sshd sends the words of PAM.
func TestTurnedAway(t *testing.T) {
	t.Parallel()
	asked := "echo 'debug1: SSH2_MSG_SERVICE_ACCEPT received'; "
	for name, test := range map[string]struct {
		log, stderr string
		outcome     facts.Outcome
		said        []string
	}{
		"account that has expired": {asked + "echo 'Connection closed by 192.0.2.1 port 22'",
			"echo 'Your account has expired; please contact your system administrator.'", facts.NoLogin,
			[]string{"Connection closed by 192.0.2.1", "Your account has expired"}},
		"disconnected with a reason": {asked + "echo 'Received disconnect from 192.0.2.1 port 22:2: too many logins'", "true", facts.NoLogin,
			[]string{"too many logins"}},
		"key refused after a banner": {asked + "echo 'tech@h: Permission denied (publickey).'", "echo 'No connection refused here.'",
			facts.AuthRefused, []string{"Permission denied (publickey)"}},
		"closed when the login was done": {
			"echo 'Authenticated to h ([192.0.2.1]:22) using \"publickey\".'; echo 'Connection to 192.0.2.1 closed by remote host.'",
			"echo 'There were too many logins for tech.'", facts.NoLogin, []string{"closed by remote host", "too many logins for tech"}},
		"silence when the login was done": {
			"echo 'Authenticated to h ([192.0.2.1]:22) using \"publickey\".'; echo 'Timeout, server 192.0.2.1 not responding.'",
			"true", facts.TimedOut, []string{"not responding"}},
		"a jump host that is down": {"echo 'Connection closed by UNKNOWN port 65535'",
			"echo 'debug1: Connecting to j'; echo 'ssh: connect to host j port 22: No route to host'", facts.Down, []string{"No route to host"}},
		"words that nobody knows": {"echo 'debug1: x'; echo 'Bad owner or permissions on /home/x/.ssh/config'", "true", facts.Failed,
			[]string{"Bad owner or permissions"}},
		"no words at all": {"echo 'debug1: x'", "true", facts.Failed, []string{"broke off"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ssh := filepath.Join(t.TempDir(), "ssh")
			program(t, ssh, "#!/bin/sh\nlog=/dev/null\n"+ // as ssh, which says little without -v
				"for last; do [ \"$before$v\" = -E-v ] && log=$last; [ \"$last\" = -v ] && v=-v; before=$last; done\n"+
				"{ "+test.log+"; } >\"$log\"\n{ "+test.stderr+"; } >&2\nexit 255\n")
			s, err := open(t, ssh, Target{})
			if err == nil {
				s.Close()
			}
			if reach := (*ReachError)(nil); !errors.As(err, &reach) || reach.Busy && reach.Outcome != facts.Down {
				t.Fatalf("error is %v", err)
			}
			if test.outcome != facts.Down {
				told(t, ssh, Target{}, test.outcome, test.said)
			}
		})
	}
}

// TestSudoSays: what sudo says against it is told, its password never.
func TestSudoSays(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sudo   string
		target Target
		said   []string
	}{
		"wants a terminal": {"echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1", Target{Sudo: true},
			[]string{"requiretty", "sorry, you must have a tty"}},
		"wants a terminal for the password": {"echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1", Target{Sudo: true,
			SudoPassword: "hunter2"}, []string{"requiretty"}},
		"repeats the password": {"[ \"$1\" = -S ] && read p; echo \"wrong: $p\" >&2; exit 1", Target{Sudo: true,
			SudoPassword: "hunter2"}, []string{"refuses the password", "wrong: …"}},
		"is not there": {"exit 1", Target{Sudo: true, SudoProgram: "/opt/no/sudo"}, []string{"/opt/no/sudo", "not found"}},
		"runs another program only": {"[ \"$2\" = true ] || { echo 'Sorry, user tech is not allowed to execute that.' >&2; exit 1; }",
			Target{Sudo: true},
			[]string{"not allowed to execute"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := t.TempDir()
			program(t, filepath.Join(bin, "sudo"), "#!/bin/sh\n"+test.sudo+"\n")
			program(t, filepath.Join(bin, "id"), "#!/bin/sh\necho 1500\n")
			// What is complained arrives later than what is said.
			how := "PATH=" + bin + ":$PATH sh -c \"$last\" 2>complaints; code=$?; sleep 0.3; cat complaints >&2; (exit $code)"
			told(t, login(t, how), test.target, facts.NoSudo, test.said)
		})
	}
}

// TestSudoRunsAShell: root is had as Ansible has it, by a shell that runs as root by
// name. A rule for that alone is enough, and one for all but that is not.
func TestSudoRunsAShell(t *testing.T) {
	t.Parallel()
	const isShell = `case "$*" in *"-u root /bin/sh -c "*) ;; *) false ;; esac`
	const run = "\nwhile [ \"$1\" != /bin/sh ]; do [ \"$1\" = -S ] && read -r p; shift; done; exec \"$@\"\n"
	for name, test := range map[string]struct {
		sudo, password string
		good           bool
	}{
		"a shell alone":                   {"{ " + isShell + "; } || exit 1" + run, "", true},
		"a shell alone, with a password":  {"[ $1 = -S ] && { " + isShell + "; } || exit 1" + run, "hunter2", true},
		"all but shells":                  {isShell + " && exit 1; exec \"$2\"\n", "", false},
		"all but shells, with a password": {isShell + " && exit 1; exit 0\n", "hunter2", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bin := t.TempDir()
			program(t, filepath.Join(bin, "sudo"), "#!/bin/sh\n"+test.sudo)
			program(t, filepath.Join(bin, "id"), "#!/bin/sh\necho 1500\n")
			ssh, target := login(t, "PATH="+bin+":$PATH sh -c \"$last\""), Target{Sudo: true, SudoPassword: test.password}
			if !test.good {
				told(t, ssh, target, facts.NoSudo, []string{"sudo"})
				return
			}
			s, err := open(t, ssh, target)
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if _, err := s.Collect(t.Context(), probe.Request{Name: "h1", Sample: 1, NoFsync: true}); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRootIsHadOtherwise: where root is had in another way than by sudo, sudo is not
// run and nothing is told the password, unless the user is root already.
func TestRootIsHadOtherwise(t *testing.T) {
	t.Parallel()
	for user, outcome := range map[string]facts.Outcome{"1500": facts.NoSudo, "0": ""} {
		bin, called := t.TempDir(), filepath.Join(t.TempDir(), "called")
		program(t, filepath.Join(bin, "sudo"), "#!/bin/sh\ncat >"+called+"\n")
		program(t, filepath.Join(bin, "id"), "#!/bin/sh\necho "+user+"\n")
		ssh := login(t, "PATH="+bin+":$PATH sh -c \"$last\"")
		target := Target{Sudo: true, SudoPassword: "hunter2",
			NoRoot: message.Of("facts.reach.become-method", message.Args{"method": "su"})}
		if outcome != "" {
			told(t, ssh, target, outcome, []string{"by su"})
		} else if s, err := open(t, ssh, target); err != nil {
			t.Error(err)
		} else {
			s.Close()
		}
		if got, err := os.ReadFile(called); err == nil {
			t.Errorf("user %s: sudo was run, and told %q", user, got)
		}
	}
}

// TestPasswordIsNotRepeated: a shell that repeats what it does does not repeat the
// password.
func TestPasswordIsNotRepeated(t *testing.T) {
	t.Parallel()
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(bash, filepath.Join(bin, "sh")); err != nil {
		t.Fatal(err)
	}
	program(t, filepath.Join(bin, "id"), "#!/bin/dash\necho 1500\n")
	program(t, filepath.Join(bin, "sudo"), "#!/bin/dash\n[ $1 = -S ] || exit 1\nread -r p; shift 6; \"$@\"\n")
	s, err := open(t, login(t, "PATH="+bin+":$PATH SHELLOPTS=xtrace:verbose bash -c \"$last\""), Target{Sudo: true, SudoPassword: "hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if said := s.stderr.String(); strings.Contains(said, "hunter2") || !strings.Contains(said, `island-""shell`) {
		t.Errorf("host says %q", said)
	}
}

// TestAsks: a login that waits for an answer runs no command, and what it asks is told;
// an ssh that waits for a login is slow.
func TestAsks(t *testing.T) {
	t.Parallel()
	slow := filepath.Join(t.TempDir(), "ssh")
	program(t, slow, "#!/bin/sh\nexec sleep 600\n")
	for ssh, want := range map[string]struct {
		outcome facts.Outcome
		said    []string
	}{
		login(t, `printf "Which site? "; echo "choose one" >&2; exec sleep 600`): {facts.NoLogin,
			[]string{"waits and runs no command", "Which site?", "choose one"}},
		login(t, `exec cat`): {facts.NoLogin, []string{"waits and runs no command"}},
		slow:                 {facts.TimedOut, []string{"did not start the probe in time"}},
	} {
		_, err := Open(t.Context(), Target{Address: "h"}, Options{Probe: self(t), SSH: ssh, Connect: time.Second, Start: time.Second})
		reach := (*ReachError)(nil)
		if !errors.As(err, &reach) || reach.Outcome != want.outcome {
			t.Errorf("error is %v, want %s", err, want.outcome)
			continue
		}
		for _, word := range want.said {
			if said := words.English().Text(reach.Detail); !strings.Contains(said, word) {
				t.Errorf("detail %q lacks %q", said, word)
			}
		}
	}
}

// TestRepeatsTheCommand: what prints the command that it is to run, and runs none, is
// no shell.
func TestRepeatsTheCommand(t *testing.T) {
	t.Parallel()
	for name, how := range map[string]string{
		"echo in place of a shell": `echo -c "$last"`,
		"forced command":           `SSH_ORIGINAL_COMMAND=$last; echo "not allowed: $SSH_ORIGINAL_COMMAND"; false`,
		"prompt of an appliance":   `echo; echo "admin> $last"; echo "% Unknown command"; false`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := open(t, login(t, how), Target{})
			if reach := (*ReachError)(nil); !errors.As(err, &reach) || reach.Outcome != facts.NoLogin {
				t.Errorf("error is %v", err)
			} else if said := words.English().Text(reach.Detail); !strings.Contains(said, "ran no command") {
				t.Errorf("detail is %q", said)
			}
		})
	}
}

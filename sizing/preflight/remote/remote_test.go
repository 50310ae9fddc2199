//go:build linux

package remote

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/probetest"
	"github.com/islandbundle/island/sizing/preflight/probe"
)

// TestMain lets the test binary be a probe: what is sent is this very program.
func TestMain(m *testing.M) {
	probetest.Serve()
	os.Exit(m.Run())
}

var compressed = probetest.Compressed(Compress)

func self(t *testing.T) func(string) ([]byte, error) {
	t.Helper()
	return func(architecture string) ([]byte, error) {
		if architecture != runtime.GOARCH {
			return nil, fmt.Errorf("no probe for %s", architecture)
		}
		return compressed()
	}
}

// shell stands for ssh: a script that runs the last argument as a host would.
func shell(t *testing.T, before string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "ssh")
	text := "#!/bin/sh\nTMPDIR=" + t.TempDir() + "; export TMPDIR\n" + before + "\nfor last; do :; done\neval \"$last\"\n"
	program(t, name, text)
	return name
}

// program writes a script while nothing is forked: a child that had it open for
// writing would keep it from being run.
func program(t *testing.T, name, text string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(name, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, ssh string, target Target) (*Session, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	target.Address = "host.example"
	return Open(ctx, target, Options{Probe: self(t), SSH: ssh})
}

func TestSession(t *testing.T) {
	t.Parallel()
	ssh := shell(t, "echo a banner of the login shell")
	s, err := open(t, ssh, Target{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ctx := t.Context()
	clock, err := s.Clock(ctx, 4)
	if err != nil || clock.Offset > clock.Uncertainty+0.001 || clock.Offset < -clock.Uncertainty-0.001 {
		t.Errorf("clock of the same machine is %+v, %v", clock, err)
	}
	f, err := s.Collect(ctx, probe.Request{Name: "h1", Sample: 1, Paths: []string{"/"}, NoFsync: true})
	if err != nil || f.Name != "h1" || !f.CPU.Usable.Known() {
		t.Errorf("facts are %+v, %v", f, err)
	}
	states, err := s.Listen(ctx, "127.0.0.1", "token-1", []probe.Port{{Protocol: "tcp", Port: 47801}, {Protocol: "udp", Port: 47801}})
	if err != nil || states[0].Outcome != facts.OK || states[1].Outcome != facts.OK {
		t.Fatalf("listening: %+v, %v", states, err)
	}
	results, err := s.Dial(ctx, []probe.Target{
		{Port: probe.Port{Protocol: "tcp", Port: 47801}, Address: "127.0.0.1", Token: "token-1"},
		{Port: probe.Port{Protocol: "udp", Port: 47801}, Address: "127.0.0.1", Token: "token-1"},
		{Port: probe.Port{Protocol: "tcp", Port: 47801}, Address: "127.0.0.1", Token: "token-2"},
		{Port: probe.Port{Protocol: "tcp", Port: 47802}, Address: "127.0.0.1", Token: "token-1"},
		{Port: probe.Port{Protocol: "udp", Port: 47802}, Address: "127.0.0.1", Token: "token-1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []facts.Outcome{facts.OK, facts.OK, facts.WrongHost, facts.Refused, facts.Refused} {
		if results[i].Outcome != want {
			t.Errorf("dial %d: %+v, want %s", i, results[i], want)
		}
	}
}

// TestNothingStays looks into the folder for temporary files while the probe
// runs, and after.
func TestNothingStays(t *testing.T) {
	t.Parallel()
	ssh := shell(t, `echo "$TMPDIR" >&2`)
	s, err := open(t, ssh, Target{})
	if err != nil {
		t.Fatal(err)
	}
	folder := strings.TrimSpace(s.stderr.String())
	if _, err := s.Clock(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"while it runs", "after"} {
		if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
			t.Errorf("%s there is %v, %v", when, entries, err)
		}
		s.Close()
	}
}

// TestHostile: whatever a host says, it is told as what it is, in bounded time
// and memory, and without control characters.
func TestHostile(t *testing.T) {
	t.Parallel()
	hello := "echo island-shell; echo 'island-hello Linux " + map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH] +
		"'; read x; "
	started := hello + "echo island-ready; echo island-start; "
	for name, test := range map[string]struct {
		ssh  string
		want facts.Outcome
	}{
		"10 GB before it begins": {"exec head -c 10000000000 /dev/zero", facts.Nonsense},
		"10 GB of lines":         {"exec yes", facts.Nonsense},
		"garbage":                {"head -c 5000 /dev/urandom", facts.NoLogin},
		"other architecture":     {"echo island-shell; echo island-hello Linux sparc", facts.NoProbe},
		"other system":           {"echo island-shell; echo island-hello Darwin x86_64", facts.NoProbe},
		"disk full":              {hello + "echo island-fail disk-full /tmp", facts.DiskFull},
		"no sudo":                {hello + "echo island-fail no-sudo x", facts.NoSudo},
		"unknown failure":        {hello + "echo island-fail $(printf '\\033[31m')evil x", facts.Failed},
		"10 GB as facts":         {started + "read y; exec head -c 10000000000 /dev/zero", facts.Nonsense},
		"no JSON":                {started + "read y; printf '\\033[2J<script>\\n'", facts.Nonsense},
		"another answer":         {started + `read y; echo '{"op":"dial"}'`, facts.Nonsense},
		"unknown field":          {started + `read y; echo '{"op":"collect","evil":1}'`, facts.Nonsense},
		"facts of another kind": {started + `read y; echo '{"op":"collect","facts":{"apiVersion":"island/v1","kind":"Lock"}}'`,
			facts.Nonsense},
		"facts with paths": {started + `read y; echo '{"op":"collect","facts":{"name":"../../etc/passwd"}}'`, facts.Nonsense},
		"killed":           {started + "read y; echo island-end 137", facts.Killed},
		"ended":            {started + "read y; exit 0", facts.Killed},
		"connection lost":  {started + "read y; echo 'Connection to host closed by remote host.' >&2; exit 255", facts.Failed},
		"down":             {"echo 'ssh: connect to host h port 22: No route to host' >&2; exit 255", facts.Down},
		"refused":          {"echo 'ssh: connect to host h port 22: Connection refused' >&2; exit 255", facts.Down},
		"name not known":   {"echo 'ssh: Could not resolve hostname h: Name or service not known' >&2; exit 255", facts.Unresolved},
		"key refused":      {"echo 'tech@h: Permission denied (publickey).' >&2; exit 255", facts.AuthRefused},
		"host key changed": {"printf '@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\\n" +
			"Host key verification failed.\\n' >&2; exit 255", facts.KeyChanged},
		"host key unknown": {"printf 'No ED25519 host key is known for h and you have requested strict checking.\\n" +
			"Host key verification failed.\\n' >&2; exit 255", facts.KeyUnknown},
		"much complaint, no words": {"head -c 1000000 /dev/zero >&2; exit 255", facts.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "ssh")
			program(t, file, "#!/bin/sh\n"+test.ssh+"\n")
			start := time.Now()
			s, err := open(t, file, Target{})
			if err == nil {
				_, err = s.Collect(t.Context(), probe.Request{})
				s.Close()
			}
			var reach *ReachError
			if !errors.As(err, &reach) || reach.Outcome != test.want {
				t.Errorf("error is %v, want %s", err, test.want)
			}
			if reach == nil {
				return
			}
			if said := words.English().Text(reach.Detail); strings.ContainsFunc(said, unicode.IsControl) || len(said) > facts.MaxText {
				t.Errorf("detail is %q", said)
			}
			if took := time.Since(start); took > 5*time.Minute {
				t.Errorf("took %s", took)
			}
		})
	}
}

// TestHeavyAnswer: what an answer would take in memory is bounded, not only its text.
func TestHeavyAnswer(t *testing.T) {
	t.Parallel()
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	for list, most := range map[string]int{"listening": 1_000_000, "paths": 1_000_000, "dialled": 0} {
		file := filepath.Join(t.TempDir(), "ssh")
		program(t, file,
			"#!/bin/sh\necho island-shell; echo 'island-hello Linux "+machine+"'; read x; echo island-ready; echo island-start; read y\n"+
				fmt.Sprintf("printf '{\"op\":\"clock\",\"time\":1,\"%s\":['; yes '{},' | head -n %d | tr -d '\\n'; echo '{}]}'\n", list, most))
		s, err := open(t, file, Target{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Clock(t.Context(), 1)
		s.Close()
		if reach := (*ReachError)(nil); most > 0 && (!errors.As(err, &reach) || reach.Outcome != facts.Nonsense) || most == 0 && err != nil {
			t.Errorf("%d %s: %v", most, list, err)
		}
	}
}

// TestDamagedOnTheWay changes the probe while it is sent.
func TestDamagedOnTheWay(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("sha256sum"); err != nil {
		t.Skip("sha256sum is not in PATH")
	}
	folder := t.TempDir()
	program(t, filepath.Join(folder, "sha256sum"), "#!/bin/sh\necho 0000 -\n")
	ssh := shell(t, "PATH="+folder+":$PATH; export PATH")
	_, err := open(t, ssh, Target{})
	if reach := (*ReachError)(nil); !errors.As(err, &reach) || reach.Outcome != facts.Damaged {
		t.Errorf("error is %v", err)
	}
}

// TestGreetingIsOneWord: it goes to the host in single quotes, to a shell that may be csh.
func TestGreetingIsOneWord(t *testing.T) {
	t.Parallel()
	if strings.ContainsAny(greeting, "'!\n\\") {
		t.Errorf("greeting is %q", greeting)
	}
}

func TestSSHCommandKeepsTheOperatorsSettings(t *testing.T) {
	t.Parallel()
	cmd := sshCommand(t.Context(), Target{Address: "h", Args: []string{"-p", "2222", "-tt", "-J", "jump"}, Connect: 25 * time.Second},
		Options{ConfigFile: "c"})
	line := strings.Join(cmd.Args, " ")
	for _, want := range []string{"-o BatchMode=yes", "-o ConnectTimeout=25 ", "-p 2222 -tt -J jump -F c -T -- h "} {
		if !strings.Contains(line, want) {
			t.Errorf("%q lacks %q", line, want)
		}
	}
	if strings.Contains(line, "StrictHostKeyChecking") || strings.Contains(line, "UserKnownHostsFile") {
		t.Errorf("%q overrides what is known of hosts", line)
	}
}

// TestNoSecretLeaves has what stands for ssh, and the shell of this machine, print
// their environment.
func TestNoSecretLeaves(t *testing.T) {
	for name, value := range map[string]string{
		"COSIGN_PASSWORD": "hunter2", "HTTPS_PROXY": "http://me:hunter2@proxy:3128", "CI_REGISTRY_PASSWORD": "hunter2",
	} {
		t.Setenv(name, value)
	}
	told := filepath.Join(t.TempDir(), "environment")
	session, err := open(t, shell(t, "env > "+told), Target{})
	if err != nil {
		t.Fatal(err)
	}
	session.Close()
	bin := t.TempDir()
	real, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	toldHere := filepath.Join(t.TempDir(), "environment")
	program(t, filepath.Join(bin, "sh"), "#!"+real+"\nenv > "+toldHere+"\nexec "+real+" \"$@\"\n")
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	t.Setenv("VENDOR_TOKEN", "hunter2") // which only the shell of this machine does not get
	if session, err = open(t, "", Target{Local: true}); err != nil {
		t.Fatal(err)
	}
	session.Close()
	for _, file := range []string{told, toldHere} {
		environment, err := os.ReadFile(file)
		text := string(environment)
		if err != nil || strings.Contains(text, "hunter2") || !strings.Contains(text, "HTTPS_PROXY=http://proxy:3128") {
			t.Errorf("child was told %s, error %v", environment, err)
		}
	}
}

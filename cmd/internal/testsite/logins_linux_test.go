package testsite

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// login is one way in which a host is logged in to, what makes it so (a script that
// root runs there, variables of the host), and what is found: nothing, or one check,
// with these words.
type login struct {
	name, script string
	vars         string
	want         string
	said         []string
}

// Parts of the scripts.
const (
	withPAM = `sed -i 's/^UsePAM.*/UsePAM yes/' /etc/ssh/island_sshd_config; kill -HUP 1; `
	banner  = `echo 'For work alone. Who goes on agrees.' >/etc/issue.island; echo 'Banner /etc/issue.island' >>/etc/ssh/island_sshd_config; `
	hangUp  = `kill -HUP 1; `
	// The first sudo that is found tells that it was called.
	noSudo = `printf '#!/bin/sh\ntouch /tmp/sudo-was-called\nexit 1\n' >/usr/local/bin/sudo; chmod 755 /usr/local/bin/sudo; `
)

// shell makes a program the login shell, with a start file.
func shell(program, file, text string) string {
	script := fmt.Sprintf("sed -i 's|^\\(tech:.*\\):[^:]*$|\\1:%s|' /etc/passwd; ", program)
	if file != "" {
		name := "/home/tech/" + file
		script += fmt.Sprintf("mkdir -p %s; printf '%%s\\n' '%s' >%s; chown -R tech: /home/tech; ", filepath.Dir(name), text, name)
	}
	return script
}

// shellScript makes a script the login shell.
func shellScript(text string) string {
	return fmt.Sprintf("printf '%%s\\n' '#!/bin/sh' '%s' >/bin/site-shell; chmod 755 /bin/site-shell; ", text) +
		shell("/bin/site-shell", "", "")
}

// forced has sshd run a command in place of what is asked for.
func forced(command string) string {
	return fmt.Sprintf("printf '%%s\\n' 'ForceCommand %s' >>/etc/ssh/island_sshd_config; ", command) + hangUp
}

func sudoers(text string) string {
	return fmt.Sprintf("printf '%%s\\n' '%s' >/etc/sudoers.d/tech; ", text)
}

func logins() []login {
	return []login{
		{name: "bash that greets without a line break", script: shell("/bin/bash", ".bashrc", `printf "welcome "`)},
		{name: "tcsh that greets without one", script: shell("/bin/tcsh", ".tcshrc", `echo -n "good day "`)},
		{name: "csh", script: shell("/bin/bsd-csh", ".cshrc", `echo hello`)},
		{name: "zsh that greets without one", script: shell("/usr/bin/zsh", ".zshenv", `printf "hello "`)},
		{name: "fish", script: shell("/usr/bin/fish", ".config/fish/config.fish", `echo -n "hello fish "`)},
		{name: "ksh", script: shell("/bin/ksh93", "", "")},
		{name: "mksh", script: shell("/bin/mksh", "", "")},
		{name: "busybox", script: "ln -s /bin/busybox /usr/local/bin/ash; " + shell("/usr/local/bin/ash", "", "")},
		{name: "banner, message of the day and PAM", script: "echo welcome >/etc/motd; " + banner + withPAM},
		{name: "forced command that runs what is asked for", script: forced(`exec /bin/bash -c "$SSH_ORIGINAL_COMMAND"`)},
		{name: "start file that complains", script: shell("/bin/bash", ".bashrc", `echo "ssh: Connection refused" >&2; printf "no agent" >&2`)},
		{name: "su where root logs in at once", script: "mkdir -p /root; ", vars: "ansible_user: root\nansible_become_method: su"},
		{name: "sudo for a shell alone", script: sudoers("Defaults runas_default=daemon\ntech ALL=(root) NOPASSWD: /bin/sh")},
		{name: "sudo by its path, with the usual flags",
			vars: "ansible_become_method: ansible.builtin.sudo\nansible_become_exe: /usr/bin/sudo\nansible_become_flags: -H -S -n"},

		{"restricted shell", shell("/bin/rbash", "", ""), "", "reach.login", []string{"restricted"}},
		{"no shell", shell("/usr/sbin/nologin", "", ""), "ansible_ssh_common_args: -q", "reach.login", []string{"currently not available"}},
		{"shell that says nothing", shell("/bin/false", "", ""), "", "reach.login", []string{"exit code 1"}},
		{"shell that is not there", shell("/opt/no/shell", "", ""), "", "reach.auth", []string{"Permission denied"}},
		{"shell that is killed", shellScript("echo out of memory; kill -9 $$"), "", "reach.login", []string{"signal", "out of memory"}},
		{"expired account", banner + "chage -E 2020-01-01 tech; " + withPAM, "", "reach.login", []string{"Your account has expired"}},
		{"expired password", "chage -d 0 tech; " + withPAM, "ansible_ssh_common_args: -q", "reach.login", []string{"Password change required"}},
		{"nologin file, with PAM", "echo 'back at nine' >/etc/nologin; " + withPAM, "", "reach.login", []string{"back at nine"}},
		{"nologin file, without PAM", "echo 'moved to another hall' >/etc/nologin; ", "", "reach.login", []string{"moved to another hall"}},
		{"too many logins", "echo 'tech hard maxlogins 0' >/etc/security/limits.d/tech.conf; " + withPAM, "", "reach.login",
			[]string{"too many logins"}},
		{"forced command that refuses", forced(`echo "rsync alone" >&2; exit 3`), "", "reach.login", []string{"exit code 3", "rsync alone"}},
		{"start file that ends as ssh would", shell("/bin/bash", ".bashrc", `echo "db: Connection refused" >&2; exit 255`), "", "reach.login",
			[]string{"exit code 255", "db: Connection refused"}},
		{"locked account", "usermod -p '!' tech; ", "", "reach.auth", []string{"Permission denied"}},
		{"another user alone", "echo 'AllowUsers root' >>/etc/ssh/island_sshd_config; " + hangUp, "", "reach.auth",
			[]string{"Permission denied"}},

		{"sudo that wants a terminal", sudoers("Defaults requiretty\ntech ALL=(ALL) NOPASSWD: ALL"), "", "reach.sudo",
			[]string{"terminal", "must have a tty"}},
		{"sudo that wants a terminal and a password", "echo tech:right | chpasswd -c SHA256; " +
			sudoers("Defaults requiretty\ntech ALL=(ALL) ALL"),
			"ansible_become_password: right", "reach.sudo", []string{"terminal"}},
		{"sudo for one command alone", sudoers("tech ALL=(ALL) NOPASSWD: /usr/bin/true"), "", "reach.sudo", []string{"password is required"}},
		{"sudo for all but shells", sudoers("tech ALL=(ALL) NOPASSWD: ALL, !/bin/sh"), "", "reach.sudo", []string{"sudo"}},
		{"sudo that lets nothing run others", sudoers("Defaults noexec\ntech ALL=(ALL) NOPASSWD: ALL"), "", "reach.sudo", []string{"sudo"}},
		{"sudo for another user alone", sudoers("tech ALL=(daemon) NOPASSWD: ALL"), "", "reach.sudo", []string{"sudo"}},
		{"sudo for an expired password", "echo tech:right | chpasswd -c SHA256; chage -d 0 tech; " + sudoers("tech ALL=(ALL) ALL"),
			"ansible_become_password: right", "reach.sudo", []string{"expired"}},
		{"sudo whose rules cannot be read", "chmod 666 /etc/sudoers; ", "", "reach.sudo", []string{"sudo"}},
		{"wrong password", "echo tech:right | chpasswd -c SHA256; " + sudoers("tech ALL=(ALL) ALL"),
			"ansible_become_password: first\nansible_sudo_pass: hunter2", "reach.sudo", []string{"refuses the password", "incorrect password"}},
		{"su", noSudo, "ansible_become_method: su\nansible_become_password: hunter2", "reach.sudo", []string{"by su", "only sudo"}},
		{"doas", noSudo, "ansible_become_method: community.general.doas\nansible_become_pass: hunter2", "reach.sudo",
			[]string{"community.general.doas"}},
		{"method by a template", noSudo, `ansible_become_method: "{{ lookup('env', 'HOW') }}"` + "\nansible_become_password: hunter2",
			"reach.sudo",
			[]string{"ansible_become_method"}},
		{"root by another program", noSudo, "ansible_become_exe: /usr/bin/pbrun\nansible_become_password: hunter2", "reach.sudo",
			[]string{"pbrun"}},
		{"another user than root", noSudo, "ansible_become_user: wire", "reach.sudo", []string{"ansible_become_user wire"}},
		{"flags that change what is run", noSudo, "ansible_become_flags: -H -u wire", "reach.sudo", []string{"-u wire"}},
	}
}

// TestLogins logs in to hosts in all these ways, as many at once as the site has
// hosts. ssh is told to be quiet.
func TestLogins(t *testing.T) {
	shellsNeeded(t)
	site := 0
	for kinds := range slices.Chunk(logins(), len(goodHosts())) {
		site++
		t.Run(strconv.Itoa(site), func(t *testing.T) {
			s := newSite(t, goodHosts())
			config := filepath.Join(s.folder, "ssh_config")
			data, err := os.ReadFile(config)
			if err != nil {
				t.Fatal(err)
			}
			s.file(config, string(data)+"  LogLevel QUIET\n", 0o644)
			var want []string
			for i, kind := range kinds {
				h := s.hosts[i]
				s.in(h, kind.script+"true")
				s.file(filepath.Join(s.folder, "host_vars", h.name+".yml"), kind.vars+"\n", 0o644)
				if kind.want != "" {
					want = append(want, kind.want+"@"+h.name)
				}
			}
			for _, h := range s.hosts {
				s.awaitSSH(h) // some began anew
			}
			r := s.preflight()
			if slices.Sort(want); !slices.Equal(r.findings, want) {
				t.Errorf("findings are %q, want %q\n%s", r.findings, want, r.explain())
			}
			for i, kind := range kinds {
				t.Run(kind.name, func(t *testing.T) { kind.judge(t, s, s.hosts[i], r) })
			}
		})
	}
}

// TestWaysIn goes by a jump host that refuses, by one that is well, and by connections
// that the operator has open, with an ssh that is told to be quiet.
func TestWaysIn(t *testing.T) {
	shellsNeeded(t)
	s := newSite(t, goodHosts())
	config := filepath.Join(s.folder, "ssh_config")
	data, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	jump, refused, led, shared, closed := s.hosts[0], s.hosts[1], s.hosts[2], s.hosts[3], s.hosts[4]
	path := filepath.Join(s.folder, "%h.master")
	s.file(config, fmt.Sprintf("Host %s\n  ProxyJump stranger@%s\nHost %s\n  ProxyJump tech@%s\n"+
		"Host %s %s\n  ControlPath %s\n%s  LogLevel QUIET\n",
		refused.address, jump.address, led.address, jump.address, shared.address, closed.address, path, data), 0o644)
	s.in(led, shell("/bin/tcsh", ".tcshrc", `echo -n "by the way "`))
	s.in(closed, shell("/usr/sbin/nologin", "", ""))
	for _, h := range []*host{shared, closed} {
		cmd := exec.Command("ip", "netns", "exec", s.prefix+"admin", "ssh", "-F", config, "-M", "-N", "tech@"+h.address)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		s.stops = append(s.stops, func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		s.await("master of "+h.name, func() bool { _, err := os.Stat(strings.ReplaceAll(path, "%h", h.address)); return err == nil })
	}
	r := s.preflight()
	want := []string{"reach.auth@" + refused.name, "reach.login@" + closed.name}
	if slices.Sort(want); !slices.Equal(r.findings, want) {
		t.Errorf("findings are %q, want %q\n%s", r.findings, want, r.explain())
	}
	login{want: "reach.auth", said: []string{"stranger@" + jump.address + ": Permission denied"}}.judge(t, s, refused, r)
	login{want: "reach.login", said: []string{"exit code 1", "not available"}}.judge(t, s, closed, r)
}

// shellsNeeded skips a test where a shell is not there.
func shellsNeeded(t *testing.T) {
	t.Helper()
	for _, name := range []string{"bash", "rbash", "tcsh", "bsd-csh", "zsh", "fish", "ksh93", "mksh", "busybox", "chage"} {
		_, err := exec.LookPath(name)
		switch {
		case err == nil:
		case os.Getenv("ISLAND_REQUIRE_TOOLS") == "1":
			t.Fatalf("this takes %s", name)
		default:
			t.Skipf("this takes %s", name)
		}
	}
}

// judge looks at what was found of one host.
func (l login) judge(t *testing.T, s *site, h *host, r result) {
	t.Helper()
	told := 0
	for _, f := range r.report.Findings {
		if f.Host != h.name || f.Outcome == "pass" || f.Outcome == "skipped" || f.Waived != "" {
			continue
		}
		told++
		for _, word := range l.said {
			if !strings.Contains(f.Message.EN, word) {
				t.Errorf("%q lacks %q", f.Message.EN, word)
			}
		}
		if strings.Contains(f.Message.EN, "timed out") || strings.Contains(f.Message.EN, "hunter2") {
			t.Errorf("message is %q", f.Message.EN)
		}
	}
	if (told > 0) != (l.want != "") {
		t.Errorf("%d findings, want %q", told, l.want)
	}
	if called := s.in(h, "ls /tmp/sudo-was-called 2>/dev/null || true"); called != "" {
		t.Error("sudo was called, where another way was asked for")
	}
}

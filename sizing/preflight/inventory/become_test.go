package inventory

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
)

// becoming are ways to have root, and what is known of them.
var becoming = []struct {
	name, vars        string
	wanted            bool
	program, password string
	unknown           string // of what is said, in English; empty: sudo as root
}{
	{"nothing", "", false, "", "", ""},
	{"not wanted", "ansible_become=no ansible_become_method=su", false, "", "", "su"},
	{"sudo", "ansible_become=True ansible_become_pass=pw", true, "", "pw", ""},
	{"sudo by its whole name", "ansible_become=1 ansible_become_method=ansible.builtin.sudo ansible_become_user=root", true, "", "", ""},
	{"the last name of the password", "ansible_become=y ansible_sudo_pass=third ansible_become_pass=second ansible_become_password=first",
		true, "", "third", ""},
	{"no password after all", "ansible_become=y ansible_become_pass='' ansible_become_password=first", true, "", "", ""},
	{"the last name of the program", "ansible_become=on ansible_become_exe=/opt/pbrun ansible_sudo_exe=/usr/local/bin/sudo", true,
		"/usr/local/bin/sudo", "", ""},
	{"usual flags", `ansible_become=on ansible_become_flags="-H -Sn --preserve-env=PATH"`, true, "", "", ""},
	{"no flags", `ansible_become=on ansible_become_flags=""`, true, "", "", ""},
	{"su", "ansible_become=yes ansible_become_method=su ansible_become_pass=pw", true, "", "", "by su (ansible_become_method)"},
	{"su with its own password", "ansible_become=yes ansible_become_method=su ansible_su_pass=pw", true, "", "", "by su"},
	{"doas", "ansible_become=yes ansible_become_method=community.general.doas ansible_become_password=pw", true, "", "",
		"community.general.doas"},
	{"run0", "ansible_become=yes ansible_become_method=community.general.run0", true, "", "", "run0"},
	{"sudo to su", "ansible_become=yes ansible_become_method=community.general.sudosu ansible_become_pass=pw", true, "", "", "sudosu"},
	{"method by a template", `ansible_become=yes ansible_become_method="{{ lookup('env', 'HOW') }}" ansible_become_pass=pw`,
		true, "", "", "ansible_become_method is not known"},
	{"method by a template that is known", `ansible_become=yes ansible_become_method="{{ how | default('su') }}" ansible_become_pass=pw`,
		true, "", "", "by su"},
	{"whether at all by a template", `ansible_become="{{ wanted | bool }}"`, true, "", "", "ansible_become is not known"},
	{"neither yes nor no", "ansible_become=perhaps", true, "", "", "ansible_become perhaps"},
	{"another program", "ansible_become=yes ansible_become_exe=/usr/bin/dzdo", true, "", "", "ansible_become_exe /usr/bin/dzdo"},
	{"sudo with words behind it", `ansible_become=yes ansible_become_exe="sudo -u wire sudo"`, true, "", "", "ansible_become_exe"},
	{"another user", "ansible_become=yes ansible_become_user=wire", true, "", "", "ansible_become_user wire"},
	{"another user of sudo", "ansible_become=yes ansible_become_user=root ansible_sudo_user=wire", true, "", "", "ansible_become_user wire"},
	{"flags that name a user", `ansible_become=yes ansible_become_flags="-H -u wire"`, true, "", "", "-u wire"},
	{"flags that name a folder", `ansible_become=yes ansible_sudo_flags="--chdir=/srv"`, true, "", "", "--chdir=/srv"},
	{"password by a template", `ansible_become=yes ansible_become_pass="{{ lookup('env', 'PW') }}"`, true, "", "", ""},
}

func TestBecome(t *testing.T) {
	t.Parallel()
	for _, test := range becoming {
		inv, err := Read(write(t, "hosts.ini", "h "+test.vars+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		c, err := inv.Hosts[0].Connection()
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		b := c.Become
		if b.Wanted != test.wanted || b.Program != test.program || b.Password != test.password {
			t.Errorf("%s: %+v", test.name, b)
		}
		unknown := ""
		if !b.Unknown.IsZero() {
			unknown = words.English().Text(b.Unknown)
		}
		if (unknown == "") != (test.unknown == "") || !strings.Contains(unknown, test.unknown) {
			t.Errorf("%s: unknown is %q, want %q", test.name, unknown, test.unknown)
		}
	}
}

// TestPasswordOfAnother: what is meant for another program than sudo is not read.
func TestPasswordOfAnother(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"su", "doas", "community.general.pbrun", "ksu", "{{ lookup('env', 'HOW') }}",
		"{{ how | default('su') }}", "SUDO"} {
		inv, err := Read(write(t, "hosts.yml", "all: {hosts: {h: {ansible_become: true, ansible_become_pass: pw, ansible_become_method: \""+
			method+"\"}}}\n"))
		if err != nil {
			t.Fatal(err)
		}
		if c, err := inv.Hosts[0].Connection(); err != nil || c.Become.Password != "" || c.Become.Unknown.IsZero() {
			t.Errorf("%s: %+v, %v", method, c.Become, err)
		}
	}
}

// TestBecomeAsAnsible: of several variables for one thing, that counts which counts
// for Ansible. A stand-in for sudo tells what it is given.
func TestBecomeAsAnsible(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("ansible"); err != nil {
		t.Skip(err)
	}
	folder := t.TempDir()
	told, sudo := filepath.Join(folder, "told"), filepath.Join(folder, "bin", "sudo")
	if err := os.Mkdir(filepath.Dir(sudo), 0o700); err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\nfor a; do case $a in *password:*) printf %s \"$a\" >&2; read -r p; echo \"$p\" >" + told +
		";; esac; last=$a; done\nexec sh -c \"$last\"\n"
	if err := os.WriteFile(sudo, []byte(script), 0o700); err != nil { //nolint:gosec // a program is run
		t.Fatal(err)
	}
	vars := "ansible_connection=local ansible_become=yes ansible_become_user='' ansible_become_exe=/no/such ansible_sudo_exe=" + sudo +
		" ansible_sudo_pass=third ansible_become_password=first ansible_become_pass=second"
	file := write(t, "hosts.ini", "h "+vars+"\n")
	cmd := exec.Command("ansible", "-i", file, "h", "-m", "raw", "-a", "true")
	cmd.Env = append(os.Environ(), "ANSIBLE_HOME="+folder, "HOME="+folder, "LC_ALL=C.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	inv, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	c, err := inv.Hosts[0].Connection()
	password, errTold := os.ReadFile(told)
	if err != nil || errTold != nil || c.Become.Password+"\n" != string(password) || c.Become.Program != sudo || !c.Become.Unknown.IsZero() {
		t.Errorf("%+v, %v; Ansible gives %q, %v", c.Become, err, password, errTold)
	}
}

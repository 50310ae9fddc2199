package inventory

import (
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
)

// ways are what is asked of a host before it is reached or judged.
func ways(h *Host) error {
	if _, err := h.Connection(); err != nil {
		return err
	}
	if _, err := h.Internal(); err != nil {
		return err
	}
	_, err := h.Interfaces()
	return err
}

// TestWhatDecidesIsKnown: of a variable that decides how a host is reached or judged
// nothing is passed on that is not what was meant, and its place is told.
func TestWhatDecidesIsKnown(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ file, text, want string }{
		"template of a fact": {
			"hosts.ini", "[minio]\nm1\n[minio:vars]\nip={{ ansible_facts.default_ipv4.address }}\n",
			"hosts.ini:4: ip of m1: template",
		},
		"template of a fact's part": {
			"hosts.yml", "minio: {hosts: {m1: {ip: \"{{ ansible_facts['eth1']['ipv4']['address'] }}\"}}}\n",
			"ansible_facts is what Ansible finds out on the host, and not of the inventory",
		},
		"template of a fact as address": {
			"hosts.ini", "[g]\nh ansible_host='{{ ansible_default_ipv4.address }}'\n",
			"ansible_host of h: template \"{{ ansible_default_ipv4.address }}\" is not known: ansible_default_ipv4 is what Ansible finds out",
		},
		"quotes around ip": {
			"hosts.yml", "g: {hosts: {h: {ip: \"'10.0.0.1'\"}}}\n", "is not an address",
		},
		"quotes of two kinds":  {"hosts.yml", "g: {hosts: {h: {ansible_host: \"'10.0.0.1\\\"\"}}}\n", "is not the address"},
		"quotes around a port": {"hosts.yml", "g: {hosts: {h: {ansible_port: \"'22'\"}}}\n", "is not a port"},
		"number as a part": {
			"hosts.yml", "g: {hosts: {h: {ansible_user: '{{ l[7] }}', l: [a]}}}\n", "does not say what 7 is",
		},
		"number in place of a host": {
			"hosts.ini", "[g]\nh ansible_user='{{ hostvars[4].x }}'\n", "does not say what host 4 is",
		},
		"host of a group of groups": {
			"hosts.ini", "[jump:children]\ngates\n[gates]\nh ansible_ssh_common_args=\"-J {{ groups['jump'][0] }}\"\n",
			`hosts of group "jump", which has groups within it, is not computed`,
		},
		"host of all": {
			"hosts.ini", "[g]\nh ansible_host=\"{{ groups['all'][0] }}\"\n", `hosts of group "all", which has groups within it`,
		},
		"template in the address": {
			"hosts.ini", "[g]\nh ansible_host={{name}}.site\n",
			"hosts.ini:2: ansible_host of h: template",
		},
		"template in an old name": {
			"hosts.ini", "[g]\nh ansible_ssh_host={{x}} ansible_host=10.0.0.1\n",
			"ansible_ssh_host of h",
		},
		"template in the user": {
			"hosts.ini", "[g]\nh ansible_user='{{ lookup(\"env\", \"USER\") }}'\n",
			"ansible_user of h: template",
		},
		"template in the port": {
			"hosts.yml", "g: {hosts: {h: {ansible_port: '{{ base + 1 }}', base: 22}}}\n",
			"hosts.yml:1:17: ansible_port of h",
		},
		"template in the key": {
			"hosts.ini", "[g]\nh ansible_ssh_private_key_file='{{ playbook_dir }}/key'\n",
			"what playbook_dir is",
		},
		"template in common args": {
			"hosts.ini", "[g]\nh\n[g:vars]\nansible_ssh_common_args=-J {{ gate }}\n",
			"hosts.ini:4: ansible_ssh_common_args of h",
		},
		"template in extra args": {"hosts.ini", "[g]\nh ansible_ssh_extra_args='-J {{gate}}'\n", "ansible_ssh_extra_args of h"},
		"template in ssh args":   {"hosts.ini", "[g]\nh ansible_ssh_args='-J {{gate}}'\n", "ansible_ssh_args of h"},
		"template in connection": {"hosts.ini", "[g]\nh ansible_connection='{{ kind }}'\n", "ansible_connection of h"},
		"template in an interface": {
			"hosts.ini", "[minio]\nm1 minio_network_interface='{{ nics[0] }}'\n",
			"minio_network_interface of m1",
		},
		"template in a priority": {
			"hosts.ini", "[g]\nh\n[g:vars]\nansible_group_priority={{ high }}\n",
			"hosts.ini:4: ansible_group_priority of g",
		},
		"statement":              {"hosts.ini", "[g]\nh ansible_user=\"{% if x %}a{% endif %}b\"\n", "statements and comments"},
		"comment":                {"hosts.ini", "[g]\nh ansible_user=\"a{# b #}\"\n", "statements and comments"},
		"open template":          {"hosts.ini", "[g]\nh ansible_user='{{ x' x=1\n", "is not computed"},
		"computed":               {"hosts.ini", "[g]\nh ansible_user='{{ a ~ b }}' a=1 b=2\n", "is not computed"},
		"condition":              {"hosts.ini", "[g]\nh ansible_user='{{ a if b else c }}' a=1 b=2\n", "is not computed"},
		"unknown filter":         {"hosts.ini", "[g]\nh ansible_user='{{ a | hash }}' a=1\n", "filter hash"},
		"template of a template": {"hosts.ini", "[g]\nh ansible_user={{a}} a={{b}} b={{c}}\n", "what c is"},
		"templates in a ring":    {"hosts.ini", "[g]\nh ansible_user={{a}} a={{b}} b={{a}}\n", "without end"},
		"templates that multiply": {
			"hosts.ini", "[g]\nh ansible_user={{a}}\n[g:vars]\na={{b}}{{b}}{{b}}{{b}}\nb={{c}}{{c}}{{c}}{{c}}{{c}}{{c}}{{c}}{{c}}\n" +
				"c={{d}}{{d}}{{d}}{{d}}{{d}}{{d}}{{d}}{{d}}\nd={{e}}{{e}}{{e}}{{e}}{{e}}{{e}}{{e}}{{e}}\n" +
				"e={{f}}{{f}}{{f}}{{f}}{{f}}{{f}}{{f}}{{f}}\nf=x\n",
			"without end",
		},
		"template of a host that is not there": {
			"hosts.ini", "[g]\nh ansible_user='{{ hostvars[\"k\"].x }}'\n",
			"what host k is",
		},
		"template of a vault": {
			"hosts.yml", "g: {hosts: {h: {ansible_user: '{{ v }}', v: !vault x}}}\n", "Ansible Vault",
		},
		"vault as user": {
			"hosts.yml", "g: {hosts: {h: {ansible_user: !vault x}}}\n",
			"hosts.yml:1:17: ansible_user of h: value is encrypted",
		},
		"vault as address": {
			"hosts.yml", "g: {hosts: {h: {ansible_host: !vault x}}}\n",
			"ansible_host of h: value is encrypted",
		},
		"vault as argument": {"hosts.yml", "g: {hosts: {h: {ansible_ssh_common_args: !vault x}}}\n", "value is encrypted"},
		"list as address": {
			"hosts.yml", "g: {hosts: {h: {ansible_host: [10.0.0.1, 10.0.0.2]}}}\n",
			"a list or a map, not a text",
		},
		"map as user":   {"hosts.yml", "g: {hosts: {h: {ansible_user: {name: x}}}}\n", "a list or a map, not a text"},
		"truth as user": {"hosts.yml", "g: {hosts: {h: {ansible_user: no}}}\n", "true or false, not a text"},
		"truth as key":  {"hosts.ini", "[g]\nh ansible_ssh_private_key_file=True\n", "true or false, not a text"},
		"list as arguments": {
			"hosts.yml", "g: {hosts: {h: {ansible_ssh_common_args: [-J, x]}}}\n",
			"a list or a map, not a text",
		},
		"fraction as user": {"hosts.ini", "[g]\nh ansible_user=1.5\n", "a fraction, not a text"},
		"list as ip":       {"hosts.yml", "g: {hosts: {h: {ip: [10.0.0.1]}}}\n", "ip of h: value is a list"},
		"ip of no address": {"hosts.ini", "[g]\nh ip=nowhere\n", "hosts.ini:2: ip of h: \"nowhere\" is not an address"},
		"no port":          {"hosts.ini", "[g]\nh ansible_port=ssh\n", "is not a port"},
		"port too large":   {"hosts.yml", "g: {hosts: {h: {ansible_port: 70000}}}\n", "is not a port"},
		"port of zero":     {"hosts.ini", "[g]\nh ansible_ssh_port=0\n", "is not a port"},
		"negative port":    {"hosts.ini", "[g]\nh ansible_port=-22\n", "is not a port"},
		"part of a port":   {"hosts.ini", "[g]\nh ansible_port=22.5\n", "is not a port"},
		"text of a part":   {"hosts.ini", "[g]\nh ansible_port='\"22.0\"'\n", "is not a port"},
		"empty port":       {"hosts.ini", "[g]\nh ansible_port=\n", "is not a port"},
		"truth as port":    {"hosts.yml", "g: {hosts: {h: {ansible_port: yes}}}\n", "is not a port"},
		"empty address":    {"hosts.ini", "[g]\nh ansible_host=\n", `"" is not the address`},
		"word among args":  {"hosts.ini", "[g]\nh ansible_ssh_common_args='-J gate more'\n", `"more" is no option`},
		"word before args": {"hosts.ini", "[g]\nh ansible_ssh_args='gate -J x'\n", `"gate" is no option`},
		"end of options":   {"hosts.ini", "[g]\nh ansible_ssh_extra_args='-4 -- x'\n", `"--" is no option`},
		"option of no ssh": {"hosts.ini", "[g]\nh ansible_ssh_extra_args='--jump=x'\n", "is no option of ssh"},
		"value left out":   {"hosts.ini", "[g]\nh ansible_ssh_extra_args='-4 -o'\n", "-o wants a value"},
		"no command":       {"hosts.ini", "[g]\nh ansible_ssh_extra_args=-4N\n", "with -N ssh runs no command"},
		"other use":        {"hosts.ini", "[g]\nh ansible_ssh_extra_args='-W x:22'\n", "with -W ssh runs no command"},
		"open quote":       {"hosts.yml", "g: {hosts: {h: {ansible_ssh_common_args: \"-o 'x\"}}}\n", "never closed"},
		"container":        {"hosts.ini", "[g]\nh ansible_connection=docker\n", `by ssh alone, not by "docker"`},
		"windows":          {"hosts.ini", "[g]\nh ansible_connection=winrm\n", `by ssh alone, not by "winrm"`},
		"python's ssh":     {"hosts.ini", "[g]\nh ansible_connection=paramiko\n", `by ssh alone, not by "paramiko"`},
		"unclear checking": {"hosts.ini", "[g]\nh ansible_host_key_checking=perhaps\n", "neither true nor false"},
		"unclear timeout":  {"hosts.ini", "[g]\nh ansible_ssh_timeout=long\n", "is not a number of seconds"},
		"bad priority": {
			"hosts.yml", "g: {hosts: {h: }, vars: {ansible_group_priority: high}}\n",
			"hosts.yml:1:26: ansible_group_priority of g",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inv, err := Read(write(t, test.file, test.text))
			if err == nil {
				err = ways(inv.Hosts[0])
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error is %v, wants one with %q", err, test.want)
			}
			if code := fault.ExitCode(err); code != int(fault.Usage) {
				t.Errorf("exit code is %d", code)
			}
		})
	}
}

// TestWhatDecidesForNobody: a variable that another one is taken in place of, or that
// is about another role, hinders nothing.
func TestWhatDecidesForNobody(t *testing.T) {
	t.Parallel()
	inv, err := Read(write(t, "hosts.ini", `[minio]
m1 ansible_host={{none}} ansible_ssh_host=10.0.0.1 cassandra_network_interface={{none}} note={{none}}
m2 ansible_connection=local ansible_host=10.0.0.2 ansible_ssh_common_args={{none}}
`))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range inv.Hosts {
		if err := ways(host); err != nil {
			t.Error(err)
		}
	}
}

// TestChatterIsLeftOut: what hides how ssh ended, wants a terminal or leaves a
// connection behind is not passed on.
func TestChatterIsLeftOut(t *testing.T) {
	t.Parallel()
	args, err := SplitArgs(`-vvv -qC -E /tmp/log -M -y -oProxyJump="a b" -Ey -p 22`)
	if err == nil {
		args, err = optionsOnly(args)
	}
	if got, want := strings.Join(args, "|"), "-C|-o|ProxyJump=a b|-p|22"; err != nil || got != want {
		t.Errorf("arguments are %q, %v; want %q", got, err, want)
	}
}

func TestPasswordClosed(t *testing.T) {
	t.Parallel()
	inv, err := Read(write(t, "hosts.yml", `minio:
  hosts:
    none: {}
    open: {ansible_become_password: secret}
    by-name: {ansible_become_password: "{{ pw }}", pw: secret}
    vault: {ansible_become_password: !vault x}
    by-vault: {ansible_become_pass: "{{ pw }}", pw: !vault x}
    lookup: {ansible_become_password: "{{ lookup('env', 'PW') }}"}
    older-is-open: {ansible_become_password: !vault x, ansible_sudo_pass: secret}
`))
	if err != nil {
		t.Fatal(err)
	}
	closed := []string{"vault", "by-vault", "lookup"}
	for _, host := range inv.Hosts {
		if got := host.PasswordClosed(); got != slices.Contains(closed, host.Name) {
			t.Errorf("password of %s is closed: %t", host.Name, got)
		}
	}
}

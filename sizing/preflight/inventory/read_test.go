package inventory

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
)

func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ file, text, want string }{
		"no hosts":               {"hosts.ini", "# nothing\n", "no hosts"},
		"unknown section":        {"hosts.ini", "[a:b]\n", `unknown kind of section "b"`},
		"value without =":        {"hosts.ini", "[a]\nh1 x\n", "hosts.ini:2: wants key=value"},
		"open quote":             {"hosts.ini", "[a]\nh1 x='y\n", "never closed"},
		"group never defined":    {"hosts.ini", "[a:children]\nb\n[c]\nh\n", `group "b" is used but never defined`},
		"variables of no group":  {"hosts.ini", "[a]\nh\n[b:vars]\nx=1\n", `group "b" is used but never defined`},
		"group within itself":    {"hosts.ini", "[a:children]\nb\n[b:children]\na\n[c]\nh\n", "within itself"},
		"range of too many":      {"hosts.ini", "[a]\nh[1:99999999]\n", "more than 1000 hosts"},
		"ranges of too many":     {"hosts.ini", "[a]\nh[1:100]-[1:100]\n", "more than 1000 hosts"},
		"range backwards":        {"hosts.ini", "[a]\nh[9:1]\n", "ends before it begins"},
		"range of unequal width": {"hosts.ini", "[a]\nh[01:100]\n", "different length"},
		"name that is an option": {"hosts.ini", "[a]\n-oProxyCommand=x\n", "not the name of a host"},
		"name that is a path":    {"hosts.ini", "[a]\n../../etc/passwd\n", "not the name of a host"},
		"YAML list of hosts":     {"hosts.yml", "all:\n  hosts:\n  - a\n", "not a map"},
		"YAML unknown part":      {"hosts.yml", "all:\n  hostss:\n    a:\n", `unknown part "hostss"`},
		"YAML two documents":     {"hosts.yml", "all:\n  hosts: {a: }\n---\nb:\n", "more than one document"},
		"YAML broken":            {"hosts.yml", "all: [\n", "not YAML"},
		"not UTF-8":              {"hosts.ini", "[a]\nh\xff\n", "not UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Read(write(t, test.file, test.text))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error is %v, wants one with %q", err, test.want)
			}
			if code := fault.ExitCode(err); code != int(fault.Usage) {
				t.Errorf("exit code is %d", code)
			}
		})
	}
}

func TestConnection(t *testing.T) {
	t.Parallel()
	inv, err := Read(write(t, "hosts.ini", `[all:vars]
ansible_user=deploy
ansible_become=yes
ansible_become_password=secret
address={{ ip }}
[a]
plain
full ansible_host=jump.example ansible_port=2222 ip=10.0.0.5 ansible_ssh_private_key_file=k `+
		`ansible_user=other ansible_ssh_common_args="-J bastion"
indirect ansible_host="{{ address }}" ip=10.0.0.6
local ansible_connection=local
`))
	if err != nil {
		t.Fatal(err)
	}
	keyOnly := []string{
		"-o", "KbdInteractiveAuthentication=no", "-o", "PreferredAuthentications=gssapi-with-mic,gssapi-keyex,hostbased,publickey",
		"-o", "PasswordAuthentication=no",
	}
	deploy := slices.Concat(keyOnly, []string{"-l", "deploy"})
	want := []Connection{
		{Address: "plain", Args: deploy},
		{
			Address: "jump.example", KeyFile: "k",
			Args: slices.Concat([]string{"-p", "2222", "-o", `IdentityFile="k"`}, keyOnly, []string{"-l", "other", "-J", "bastion"}),
		},
		{Address: "10.0.0.6", Args: deploy},
		{Local: true, Address: "local"},
	}
	internal := []string{"", "10.0.0.5", "10.0.0.6", ""}
	for i, host := range inv.Hosts {
		want[i].Become = Become{Wanted: true, Password: "secret"}
		if got, err := host.Connection(); err != nil || !reflect.DeepEqual(got, want[i]) {
			t.Errorf("%s: connection is %+v, %v; want %+v", host.Name, got, err, want[i])
		}
		if got, err := host.Internal(); err != nil || got != internal[i] {
			t.Errorf("%s: internal address is %q, %v; want %q", host.Name, got, err, internal[i])
		}
	}
}

// TestConnectionRefusesOptions: an inventory must not slip options to ssh in
// where a name belongs.
func TestConnectionRefusesOptions(t *testing.T) {
	t.Parallel()
	for _, vars := range []string{
		"ansible_host=-oProxyCommand=evil", "ansible_host='a b'", "ansible_user=-lroot", "ansible_port=0", "ansible_port=99999", "ansible_port=x",
	} {
		inv, err := Read(write(t, "hosts.ini", "[a]\nh "+vars+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if c, err := inv.Hosts[0].Connection(); err == nil {
			t.Errorf("%s gives %+v", vars, c)
		}
	}
}

func TestVaultStaysClosed(t *testing.T) {
	t.Parallel()
	inv, err := Read(
		write(t, "hosts.yml", "all:\n  hosts:\n    h:\n      secret: !vault |\n        $ANSIBLE_VAULT;1.1;AES256\n        3031\n"),
	)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := inv.Hosts[0].Vars["secret"].(Encrypted); !ok {
		t.Errorf("secret is %v", inv.Hosts[0].Vars["secret"])
	}
}

func TestMembers(t *testing.T) {
	t.Parallel()
	inv, err := Read("testdata/corpus/01-wire-offline/hosts.ini")
	if err != nil {
		t.Fatal(err)
	}
	if got := inv.Members("etcd"); !slices.Equal(got, []string{"kubenode1", "kubenode2", "kubenode3"}) {
		t.Errorf("etcd has %q", got)
	}
	if got := len(inv.Members("all")); got != 19 {
		t.Errorf("inventory has %d hosts", got)
	}
}

func FuzzReadINI(f *testing.F) {
	for _, seed := range []string{"[a]\nh1 x=1\n", "[a:vars]\nk={'a': [1, (2,), None]}\n[a]\nh[01:03]:22\n" +
		"", "h 'x=\\'\"", "[a]\nh x=\"\\u00e4\""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { fuzzOne(t, "hosts.ini", text) })
}

func FuzzReadYAML(f *testing.F) {
	for _, seed := range []string{"all:\n  hosts:\n    a[1:3]:\n      x: 0755\n", "a: {hosts: b, vars: {y: !!int 3}}\n" +
		"", "a:\n  children: {b: {children: {a: }}}\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) { fuzzOne(t, "hosts.yml", text) })
}

func fuzzOne(t *testing.T, name, text string) {
	inv, err := Read(write(t, name, text))
	if err != nil {
		return
	}
	if len(inv.Hosts) > maxHosts {
		t.Fatalf("%d hosts", len(inv.Hosts))
	}
	for _, host := range inv.Hosts {
		if c, err := host.Connection(); err == nil && (c.Address == "" || c.Address[0] == '-') {
			t.Fatalf("address is %q", c.Address)
		}
	}
}

// TestInterfaces: a variable counts for the hosts of its own group alone.
func TestInterfaces(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "hosts.ini")
	const text = `[all:vars]
cassandra_network_interface = enp1s0
[cassandra]
c1
[rmq-cluster]
r1
[rmq-cluster:vars]
rabbitmq_network_interface = "{{ nic }}"
nic = enp7s0
[rmq_cluster]
r2
[rmq_cluster:vars]
rabbitmq_network_interface = enp8s0
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	inv, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"c1": {"enp1s0"}, "r1": {"enp7s0"}, "r2": {"enp8s0"}}
	for _, host := range inv.Hosts {
		if got, err := host.Interfaces(); err != nil || !slices.Equal(got, want[host.Name]) {
			t.Errorf("interfaces of %s are %q, %v; want %q", host.Name, got, err, want[host.Name])
		}
	}
}

// TestClusterNetworks: what the inventory leaves to Kubespray is as Kubespray has it.
func TestClusterNetworks(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                              nil,
		"kube_pods_subnet=10.42.0.0/16": {"10.233.0.0/18", "10.42.0.0/16"},
		"kube_service_addresses=10.43.0.1/16 kube_pods_subnet={{pods}} pods=10.42.0.0/16": {"10.43.0.0/16", "10.42.0.0/16"},
		"kube_pods_subnet_ipv6=fd42::/112":                                                {"10.233.0.0/18", "10.233.64.0/18", "fd42::/112"},
		"kube_pods_subnet_ipv6='' kube_service_addresses=10.96.0.0/12":                    {"10.96.0.0/12", "10.233.64.0/18"},
	} {
		inv, err := Read(write(t, "hosts.ini", "[kube_node]\na "+text+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := inv.Hosts[0].CheckClusterNetworks(); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if got := inv.Hosts[0].ClusterNetworks(); !slices.Equal(got, want) {
			t.Errorf("%q: networks are %q, want %q", text, got, want)
		}
	}
}

// TestClusterNetworksNotKnown: no usual network is taken without a word in place of one
// that the inventory means.
func TestClusterNetworksNotKnown(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"kube_pods_subnet='{{ pods | ipaddr }}' pods=10.1.0.0/16":           "hosts.ini:2: kube_pods_subnet of a: template",
		"kube_service_addresses={{plan.services}}":                          "what plan is",
		"kube_pods_subnet=many":                                             `kube_pods_subnet of a: "many" is not a network`,
		"kube_pods_subnet=10.42.0.0/16 kube_service_addresses_ipv6={{six}}": "kube_service_addresses_ipv6 of a",
		"kube_pods_subnet_ipv6=(1,2)":                                       "a list or a map, not a text",
	} {
		inv, err := Read(write(t, "hosts.ini", "[kube_node]\na "+text+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if err := inv.Hosts[0].CheckClusterNetworks(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error is %v, wants one with %q", text, err, want)
		}
	}
}

// TestTemplateIsNoPassword: what Ansible would compute is not known here.
func TestTemplateIsNoPassword(t *testing.T) {
	t.Parallel()
	inv, err := Read(write(t, "hosts.ini", "a ansible_become_password=\"{{ lookup('env', 'PW') }}\"\nb ansible_become_password=secret\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range inv.Hosts {
		c, err := host.Connection()
		if want := map[string]string{"b": "secret"}[host.Name]; err != nil || c.Become.Password != want {
			t.Errorf("password of %s is %q, %v", host.Name, c.Become.Password, err)
		}
	}
}

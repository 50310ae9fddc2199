package inventory

import (
	"cmp"
	"maps"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/islandbundle/island/sizing/site"
)

// Connection is how a host is reached, by the variables that Ansible uses.
type Connection struct {
	Local   bool   // ansible_connection=local
	Address string // ansible_host, else the host's name
	// Args are those of ssh that the inventory gives, in Ansible's order, of which ssh
	// takes the first where two say something of one thing: ansible_ssh_args, port, key,
	// ways to log in, user, ansible_ssh_common_args, ansible_ssh_extra_args.
	Args     []string
	KeyFile  string        // ansible_ssh_private_key_file, which is among Args
	Timeout  time.Duration // ansible_ssh_timeout; 0 leaves it to the caller
	Become   Become        // how root is had
	Password bool          // ansible_password is set, which ssh itself has no use for
	Program  string        // ansible_ssh_executable
}

var plainHost = regexp.MustCompile(`^[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]{0,254}$`)

// plainUser is a user's name, with the domain before it that some directories want.
var plainUser = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.@+-]{0,254}(\\[A-Za-z0-9_.@+-]{1,254})?$`)

// interfaceGroups are the variables that name the network interface of a
// service, and the groups that run it (wireapp/wire-server-deploy 5.32,
// ansible/inventory/offline).
var interfaceGroups = map[string]string{
	"cassandra_network_interface": "cassandra", "elasticsearch_network_interface": "elasticsearch", "minio_network_interface": "minio",
	"postgresql_network_interface": "postgresql", "rabbitmq_network_interface": "rmq-cluster", "restund_network_interface": "restund",
}

// Interfaces returns the network interfaces that the host's services are told to
// use.
func (h *Host) Interfaces() ([]string, error) {
	var names []string
	for _, variable := range slices.Sorted(maps.Keys(interfaceGroups)) {
		if !site.InAny(h.Groups, []string{interfaceGroups[variable]}) {
			continue
		}
		name, err := h.text(variable)
		if err != nil {
			return nil, err
		}
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// ClusterNetworks returns the networks of pods and services that the inventory has
// Kubespray set up; none where it leaves them to Kubespray. In place of one that
// CheckClusterNetworks tells of, it has Kubespray's usual one.
func (h *Host) ClusterNetworks() []string {
	networks, _ := h.clusterNetworks()
	return networks
}

// CheckClusterNetworks says which of these networks the inventory gives, and is not
// known here.
func (h *Host) CheckClusterNetworks() error {
	_, err := h.clusterNetworks()
	return err
}

func (h *Host) clusterNetworks() ([]string, error) {
	var networks []string
	var flaw error
	said := false
	for _, v := range []struct{ name, usual string }{
		{"kube_service_addresses", "10.233.0.0/18"}, {"kube_pods_subnet", "10.233.64.0/18"},
		{"kube_service_addresses_ipv6", ""}, {"kube_pods_subnet_ipv6", ""},
	} {
		text, err := h.text(v.name)
		if err == nil && text != "" {
			var network netip.Prefix
			if network, err = netip.ParsePrefix(text); err == nil {
				networks, said = append(networks, network.Masked().String()), true
				continue
			}
			err = h.Wrong(v.name, "give one network, such as 10.233.64.0/18", "%.80q is not a network", text)
		}
		if flaw == nil {
			flaw = err
		}
		if v.usual != "" {
			networks = append(networks, v.usual)
		}
	}
	if !said {
		networks = nil
	}
	return networks, flaw
}

// Internal returns the address that other hosts use: ip, else ansible_host where that
// is an address; empty where neither says.
func (h *Host) Internal() (string, error) {
	o, err := h.option("ip")
	if err != nil {
		return "", err
	}
	ip, err := h.textOf(o)
	if err != nil {
		return "", err
	}
	if ip != "" {
		if _, err := netip.ParseAddr(ip); err != nil {
			return "", h.Wrong("ip", "ip is the address that other hosts use", "%.80q is not an address", ip)
		}
		return ip, nil
	}
	address, err := h.address()
	if err != nil {
		return "", err
	}
	if _, err := netip.ParseAddr(address); err != nil {
		return "", nil //nolint:nilerr // a name: the address is found on the host
	}
	return address, nil
}

// address returns where ssh goes.
func (h *Host) address() (string, error) {
	o, err := h.option("ansible_host", "ansible_ssh_host")
	if err != nil {
		return "", err
	}
	address, err := h.textOf(o)
	if err != nil {
		return "", err
	}
	if address = unquoted(address); o.value == nil {
		address = h.Name
	}
	if !plainHost.MatchString(address) {
		return "", h.Wrong(cmp.Or(o.name, "name"), "give ansible_host a name or an address",
			"%.80q is not the address of a host", address)
	}
	return address, nil
}

// Connection returns how to reach the host. What would be an option to ssh rather than
// a name is refused, and so is what Ansible would reach otherwise than by ssh.
func (h *Host) Connection() (Connection, error) {
	c := Connection{Become: h.become()}
	kind, err := h.text("ansible_connection")
	if err != nil {
		return c, err
	}
	switch strings.TrimPrefix(strings.TrimPrefix(kind, "ansible.builtin."), "ansible.legacy.") {
	case "local":
		c.Local, c.Address = true, h.Name
		return c, nil
	case "", "ssh", "smart":
	default:
		return c, h.Wrong("ansible_connection",
			"have island-probe collect run there, and judge what it writes with --facts", "hosts are reached by ssh alone, not by %.40q", kind)
	}
	if c.Address, err = h.address(); err != nil {
		return c, err
	}
	for _, name := range []string{"ansible_password", "ansible_ssh_pass", "ansible_ssh_password"} {
		c.Password = c.Password || h.merged[name].value != nil && h.merged[name].value != ""
	}
	seconds, err := h.number("a number of seconds", 1, 3600, "ansible_timeout", "ansible_ssh_timeout")
	if err != nil {
		return c, err
	}
	c.Timeout = time.Duration(seconds) * time.Second
	if c.Program, err = h.setting("ansible_ssh_executable"); err != nil {
		return c, err
	}
	return c, h.sshArgs(&c)
}

// sshArgs fills in the arguments of ssh (Ansible's plugin for connections by ssh,
// _build_command).
func (h *Host) sshArgs(c *Connection) error {
	if err := h.addArgs(c, "ansible_ssh_args"); err != nil {
		return err
	}
	checking, isSet, err := h.flag("ansible_host_key_checking", "ansible_ssh_host_key_checking")
	if err != nil {
		return err
	}
	if isSet && !checking {
		c.Args = append(c.Args, "-o", "StrictHostKeyChecking=no")
	}
	port, err := h.number("a port", 1, 65535, "ansible_port", "ansible_ssh_port")
	if err != nil {
		return err
	}
	if port != 0 {
		c.Args = append(c.Args, "-p", strconv.Itoa(port))
	}
	if c.KeyFile, err = h.setting("ansible_private_key_file", "ansible_ssh_private_key_file"); err != nil {
		return err
	}
	if c.KeyFile != "" { // with -i, ssh would try other keys in place of one that is not there
		c.Args = append(c.Args, "-o", `IdentityFile="`+atHome(c.KeyFile)+`"`)
	}
	if !c.Password {
		c.Args = append(c.Args, "-o", "KbdInteractiveAuthentication=no",
			"-o", "PreferredAuthentications=gssapi-with-mic,gssapi-keyex,hostbased,publickey", "-o", "PasswordAuthentication=no")
	}
	login, err := h.option("ansible_user", "ansible_ssh_user")
	if err != nil {
		return err
	}
	user, err := h.textOf(login)
	if err != nil {
		return err
	}
	if user = unquoted(user); user != "" {
		if !plainUser.MatchString(user) {
			return h.Wrong(login.name, "", "%.80q is not the name of a user", user)
		}
		c.Args = append(c.Args, "-l", user)
	}
	if err := h.addArgs(c, "ansible_ssh_common_args"); err != nil {
		return err
	}
	return h.addArgs(c, "ansible_ssh_extra_args")
}

// atHome puts the folder of HOME in place of a ~ that begins a path.
func atHome(path string) string {
	home, err := os.UserHomeDir()
	if rest, ok := strings.CutPrefix(path, "~"); err == nil && ok && (rest == "" || rest[0] == '/') {
		return home + rest
	}
	return path
}

// addArgs adds arguments that the inventory gives as one text.
func (h *Host) addArgs(c *Connection, name string) error {
	text, err := h.setting(name)
	if err != nil {
		return err
	}
	args, err := SplitArgs(text)
	if err == nil {
		args, err = optionsOnly(args)
	}
	if err != nil {
		return h.Wrong(name, "", "%w", err)
	}
	c.Args = append(c.Args, args...)
	return nil
}

// truth follows Ansible's own list of words.
func truth(s string) bool {
	switch strings.ToLower(s) {
	case "y", "yes", "on", "1", "true", "t":
		return true
	}
	return false
}

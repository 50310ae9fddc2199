package inventory

import (
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing/site"
)

// Connection is how a host is reached, by the variables that Ansible uses.
type Connection struct {
	Local      bool   // ansible_connection=local
	Address    string // ansible_host, else the host's name
	Port       int    // ansible_port; 0 leaves it to ssh
	User       string // ansible_user; empty leaves it to ssh
	KeyFile    string // ansible_ssh_private_key_file
	CommonArgs string // ansible_ssh_common_args, ansible_ssh_extra_args: split as a shell would, never run by one
	Become     bool   // ansible_become
	// BecomePassword is ansible_become_password, if it is no template. It is
	// never printed.
	BecomePassword string
	Password       bool   // ansible_password is set, which ssh itself has no use for
	Internal       string // ip, else ansible_host: the address that other hosts use
}

var reference = regexp.MustCompile(`^\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}$`)

// Text returns a variable as text, following a value that is nothing but the name
// of another variable.
func (h *Host) Text(names ...string) string {
	for _, name := range names {
		for range maxDepth {
			value, ok := h.Vars[name]
			if !ok {
				if name == "inventory_hostname" {
					return h.Name
				}
				break
			}
			text := asText(value)
			match := reference.FindStringSubmatch(text)
			if match == nil {
				if text != "" {
					return text
				}
				break
			}
			name = match[1]
		}
	}
	return ""
}

func asText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case int:
		return strconv.Itoa(v)
	case bool:
		return strconv.FormatBool(v)
	}
	return ""
}

var plainHost = regexp.MustCompile(`^[A-Za-z0-9_.:%][A-Za-z0-9_.:%-]{0,254}$`)
var plainUser = regexp.MustCompile(`^[A-Za-z0-9_.][A-Za-z0-9_.@-]{0,254}$`)

// interfaceGroups are the variables that name the network interface of a
// service, and the groups that run it (wireapp/wire-server-deploy 5.32,
// ansible/inventory/offline).
var interfaceGroups = map[string]string{
	"cassandra_network_interface": "cassandra", "elasticsearch_network_interface": "elasticsearch", "minio_network_interface": "minio",
	"postgresql_network_interface": "postgresql", "rabbitmq_network_interface": "rmq-cluster", "restund_network_interface": "restund",
}

// Interfaces returns the network interfaces that the host's services are told to
// use.
func (h *Host) Interfaces() []string {
	var names []string
	for variable, group := range interfaceGroups {
		if name := h.Text(variable); name != "" && site.InAny(h.Groups, []string{group}) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Connection returns how to reach the host. What would be an option to ssh rather
// than a name is refused.
func (h *Host) Connection() (Connection, error) {
	c := Connection{
		Local: h.Text("ansible_connection") == "local", Address: h.Text("ansible_host", "ansible_ssh_host"),
		User: h.Text("ansible_user", "ansible_ssh_user"), KeyFile: h.Text("ansible_ssh_private_key_file", "ansible_private_key_file"),
		CommonArgs: strings.TrimSpace(h.Text("ansible_ssh_common_args") + " " + h.Text("ansible_ssh_extra_args")),
		Become: truth(
			h.Text("ansible_become"),
		), BecomePassword: h.Text("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass"),
		Password: h.Text("ansible_password", "ansible_ssh_pass") != "",
		Internal: h.Text("ip"),
	}
	if strings.Contains(c.BecomePassword, "{{") {
		c.BecomePassword = "" // a template is not computed; sent as it is it would count as a wrong password
	}
	if c.Address == "" {
		c.Address = h.Name
	}
	if _, err := netip.ParseAddr(c.Address); err == nil && c.Internal == "" {
		c.Internal = c.Address
	}
	at := h.Place
	at.Field = h.Name
	if !plainHost.MatchString(c.Address) {
		return c, fault.At(at, "give ansible_host a name or an address", "%.80q is not the address of a host", c.Address)
	}
	if c.User != "" && !plainUser.MatchString(c.User) {
		return c, fault.At(at, "", "%.80q is not the name of a user", c.User)
	}
	if c.Internal != "" {
		if _, err := netip.ParseAddr(c.Internal); err != nil {
			return c, fault.At(at, "ip is the address that other hosts use", "%.80q is not an address", c.Internal)
		}
	}
	if port := h.Text("ansible_port", "ansible_ssh_port"); port != "" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil || n == 0 {
			return c, fault.At(at, "", "%.80q is not a port", port)
		}
		c.Port = int(n)
	}
	return c, nil
}

// truth follows Ansible's own list of words.
func truth(s string) bool {
	switch strings.ToLower(s) {
	case "y", "yes", "on", "1", "true", "t":
		return true
	}
	return false
}

// SplitArgs divides arguments for ssh as a shell would, without running one.
func SplitArgs(text string) ([]string, error) {
	return split(strings.ReplaceAll(text, "#", `\#`))
}

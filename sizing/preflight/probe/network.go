//go:build linux

package probe

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"net"
	"net/netip"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

func (s System) network() facts.Network {
	hostname, err := s.readWord("/proc/sys/kernel/hostname")
	static, staticErr := s.readWord("/etc/hostname")
	resolvers, search, resolvErr := s.resolvers()
	interfaces, interfacesErr := s.interfaces()
	out, inside, routesErr := s.routes()
	listeners, listenersErr := s.listeners()
	return facts.Network{
		Hostname:   known(facts.Cut(hostname), err, message.Of("facts.method.hostname", nil), "/proc/sys/kernel/hostname"),
		StaticName: known(facts.Cut(static), staticErr, message.Of("facts.method.static-name", nil), "/etc/hostname"),
		Resolvers:  known(resolvers, resolvErr, message.Of("facts.method.resolvers", nil), "/etc/resolv.conf"),
		Search:     known(search, resolvErr, message.Of("facts.method.search", nil), "/etc/resolv.conf"),
		Interfaces: known(interfaces, interfacesErr, message.Of("facts.method.interfaces", nil), "/sys/class/net, netlink RTM_GETADDR"),
		Routes:     known(out, routesErr, message.Of("facts.method.routes", nil), "netlink RTM_GETROUTE"),
		Inside:     known(inside, routesErr, message.Of("facts.method.inside", nil), "netlink RTM_GETROUTE"),
		Listeners:  known(listeners, listenersErr, message.Of("facts.method.listeners", nil), "/proc/net/{tcp,tcp6,udp,udp6}"),
	}
}

// resolvers reads resolv.conf(5).
func (s System) resolvers() (servers, search []string, err error) {
	text, err := s.read("/etc/resolv.conf")
	servers, search = []string{}, []string{}
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 2 || len(servers)+len(search) > 32 {
			continue
		}
		switch fields[0] {
		case "nameserver":
			servers = append(servers, facts.Cut(fields[1]))
		case "search", "domain":
			for _, domain := range fields[1:min(len(fields), 8)] {
				search = append(search, facts.Cut(domain))
			}
		}
	}
	return servers, search, err
}

func (s System) interfaces() ([]facts.NIC, error) {
	names, err := s.names("/sys/class/net")
	if err != nil {
		return nil, err
	}
	addresses, err := s.addresses()
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	nics := []facts.NIC{}
	for _, name := range names[:min(len(names), 512)] {
		folder := "/sys/class/net/" + name
		mtu, err := s.readInt(folder + "/mtu")
		if name == "lo" || err != nil { // bonding_masters is a file among the interfaces
			continue
		}
		index, _ := s.readInt(folder + "/ifindex")
		state, _ := s.readWord(folder + "/operstate")
		hardware, _ := s.readWord(folder + "/address")
		speed, _ := s.readInt(folder + "/speed") // an error or -1 where the driver does not say
		driver, _ := os.Readlink(s.path(folder + "/device/driver"))
		nic := facts.NIC{
			Name: facts.Cut(name), State: facts.Cut(state), MTU: int(max(mtu, 0)), Speed: max(speed, 0), Hardware: facts.Cut(hardware),
			Addresses: addresses[int(index)],
		}
		if driver != "" {
			nic.Driver = path.Base(driver)
		}
		if nic.Addresses == nil {
			nic.Addresses = []facts.Address{}
		}
		nics = append(nics, nic)
	}
	return nics, nil
}

// maxListeners bounds the list; no host of this size has more.
const maxListeners = 2000

func (s System) listeners() ([]facts.Listener, error) {
	owners := s.socketOwners()
	listeners := []facts.Listener{}
	for _, table := range []struct{ file, protocol, state string }{
		{"tcp", "tcp", "0A"}, {"tcp6", "tcp", "0A"}, {"udp", "udp", "07"}, {"udp6", "udp", "07"},
	} {
		text, err := s.read("/proc/net/" + table.file)
		if errors.Is(err, os.ErrNotExist) && strings.HasSuffix(table.file, "6") {
			continue
		}
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(text) {
			f := strings.Fields(line)
			if len(f) < 10 || f[3] != table.state || len(listeners) >= maxListeners {
				continue
			}
			if address, ok := parseSocket(f[1]); ok {
				listeners = append(listeners, facts.Listener{
					Protocol: table.protocol, Address: address.Addr().String(), Port: int(address.Port()), Process: owners[f[9]],
				})
			}
		}
	}
	return listeners, nil
}

// parseSocket reads an address as /proc/net has it: words of 32 bits in the
// host's own order, and the port.
func parseSocket(text string) (netip.AddrPort, bool) {
	host, port, ok := strings.Cut(text, ":")
	number, err := strconv.ParseUint(port, 16, 16)
	raw, hexErr := hex.DecodeString(host)
	if !ok || err != nil || hexErr != nil || len(raw) != 4 && len(raw) != 16 {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		binary.NativeEndian.PutUint32(raw[i:], binary.BigEndian.Uint32(raw[i:]))
	}
	address, _ := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(address.Unmap(), uint16(number)), true
}

// socketOwners maps socket inodes to the programs that hold them, as far as
// the probe may see.
func (s System) socketOwners() map[string]string {
	owners := map[string]string{}
	entries, err := s.names("/proc")
	if err != nil {
		return owners
	}
	for _, pid := range entries {
		if pid[0] < '0' || pid[0] > '9' {
			continue
		}
		descriptors, err := s.names("/proc/" + pid + "/fd")
		if err != nil {
			continue
		}
		comm, _ := s.readWord("/proc/" + pid + "/comm")
		for _, descriptor := range descriptors {
			link, err := os.Readlink(s.path("/proc/" + pid + "/fd/" + descriptor))
			if inode, ok := strings.CutPrefix(link, "socket:["); err == nil && ok {
				owners[strings.TrimSuffix(inode, "]")] = facts.Cut(comm)
			}
		}
	}
	return owners
}

// localAddress says whether an address is one of this host's.
func localAddress(address netip.Addr) bool {
	locals, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	return slices.ContainsFunc(locals, func(local net.Addr) bool {
		prefix, err := netip.ParsePrefix(local.String())
		return err == nil && prefix.Addr().Unmap() == address.Unmap()
	})
}

// Package factstest makes facts of hosts as they should be, for tests.
package factstest

import (
	"fmt"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// Read returns a value that was read.
func Read[T any](value T) facts.Value[T] {
	return facts.Value[T]{Value: value, Method: message.Of("facts.method.kernel-value", nil), Source: "/proc"}
}

// GoodHost returns a host that meets the guide's table, for any role. It is a
// machine of its own, at an address of a /24 network.
func GoodHost(name, address string, groups ...string) facts.Host {
	f := &facts.Facts{APIVersion: facts.APIVersion, Kind: facts.Kind, Name: name, Root: true}
	f.CPU = facts.CPU{
		Architecture: Read("amd64"), Model: Read("x"), Sockets: Read(1), Cores: Read(8), Threads: Read(8), Affinity: Read(8),
		Quota: Read(0.0), Usable: Read(8.0), Steal: Read(0.0), Level: Read(3), AES: Read(true), AVX: Read(true),
	}
	f.Memory = facts.Memory{Total: Read[int64](16 << 30), Usable: Read[int64](16 << 30), Swap: Read[int64](0)}
	for i, path := range []string{
		"/", "/mnt/cassandra", "/var/lib/minio-server1", "/var/lib/minio-server2", "/var/lib/elasticsearch",
		"/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd", "/opt/assets",
	} {
		system := facts.FileSystem{
			Type: "ext4", DeviceID: fmt.Sprintf("8:%d", i), Mount: path, Options: "rw,relatime",
			Size: 500e9, Free: 450e9, Inodes: 1000, InodesFree: 900,
		}
		fsync := facts.Fsync{Runs: 5, Writes: 500, MedianP99: 2, WorstP99: 3}
		f.Paths = append(f.Paths, facts.Path{Path: path, Nearest: path, FileSystem: Read(system), Fsync: Read(fsync)})
	}
	f.OS = facts.OS{ID: Read("ubuntu"), Version: Read("22.04"), MachineID: Read("of " + name)}
	f.Kernel.BootID = Read("of " + name)
	f.Kernel.Modules = map[string]facts.Value[string]{
		"br_netfilter": Read("loaded"), "overlay": Read("builtin"), "nf_conntrack": Read("available"),
	}
	f.Kernel.Barred = map[string]facts.Value[string]{"br_netfilter": Read(""), "overlay": Read(""), "nf_conntrack": Read("")}
	f.Kernel.Sysctls = map[string]facts.Value[string]{
		"net.ipv4.ip_local_port_range": Read("32768 60999"), "net.ipv4.ip_local_reserved_ports": Read(""),
	}
	f.Time = facts.Time{Synchronised: Read(true), MaxError: Read(0.02), Services: Read([]string{"chronyd"})}
	f.Network = facts.Network{
		Hostname: Read(name), Routes: Read([]facts.Route{}),
		Inside:     Read([]facts.Route{{Destination: "10.0.0.0/24", Interface: "eth0"}}),
		Interfaces: Read([]facts.NIC{{Name: "eth0", MTU: 1500, Speed: 10000, Addresses: []facts.Address{{Prefix: address + "/24"}}}}),
	}
	f.Security = facts.Security{Firewalls: Read([]string{}), SELinux: Read("absent")}
	f.Software = facts.Software{
		Runtimes: Read([]string{}), Leftovers: Read([]string{}),
		Programs: map[string]facts.Value[bool]{"gpg": Read(true), "python3": Read(true)},
	}
	f.Virtualisation = facts.Virtualisation{Guest: Read(false), Container: Read("none")}
	return facts.Host{
		Name: name, Address: address, Internal: address, Groups: groups, Facts: f, Clock: &facts.Clock{Uncertainty: 0.002, Exchanges: 8},
		Reach: facts.Reach{Outcome: facts.Reached, Method: message.Plain("ssh"), Elapsed: 4},
	}
}

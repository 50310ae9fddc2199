package testsite

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// fault is one thing wrong with the site, what makes it so, and the findings
// that it must give: exactly these.
type fault struct {
	name   string
	inject func(*site) (undo func())
	want   []string
	code   int
}

func faults() []fault {
	return []fault{
		{"too few cores by affinity", func(s *site) func() {
			h := s.host("cassandra1")
			s.run("taskset", "-a", "-p", "1", strconv.Itoa(h.pid))
			return func() { s.run("taskset", "-a", "-p", "ffff", strconv.Itoa(h.pid)) }
		}, []string{"cpu.cores@cassandra1"}, 4},
		{"too few cores by control group", func(s *site) func() {
			return s.limit(s.host("cassandra1"), "cpu.cfs_quota_us", "150000", "cpu.max", "150000 100000")
		}, []string{"cpu.cores@cassandra1"}, 4},
		{"too little memory", func(s *site) func() {
			return s.limit(s.host("minio1"), "memory.limit_in_bytes", "1500000000", "memory.max", "1500000000")
		}, []string{"memory.total@minio1"}, 4},
		{"no fault: little memory and few processors for logins alone", func(s *site) func() {
			h := s.host("minio1")
			undo := s.login(h)
			s.limit(h, "user.slice/memory.limit_in_bytes", "1500000000", "user.slice/memory.max", "1500000000")
			s.limit(h, "user.slice/cpu.cfs_quota_us", "50000", "user.slice/cpu.max", "50000 100000")
			return undo
		}, nil, 0},
		{"little memory for services, seen from a login", func(s *site) func() {
			h := s.host("minio1")
			undo := s.login(h)
			s.limit(h, "system.slice/memory.limit_in_bytes", "1500000000", "system.slice/memory.max", "1500000000")
			return undo
		}, []string{"memory.total@minio1"}, 4},
		{"few processors for services, seen from a login", func(s *site) func() {
			h := s.host("cassandra1")
			undo := s.login(h)
			s.limit(h, "system.slice/cpu.cfs_quota_us", "150000", "system.slice/cpu.max", "150000 100000")
			return undo
		}, []string{"cpu.cores@cassandra1"}, 4},
		{"small disk", func(s *site) func() {
			h := s.host("cassandra1")
			s.in(h, "mkdir -p /mnt/cassandra; mount -t tmpfs -o size=8g tmpfs /mnt/cassandra")
			return func() { s.in(h, "umount /mnt/cassandra") }
		}, []string{"disk.size@cassandra1"}, 4},
		{"data behind a link to a folder that is not made yet, on a small disk", func(s *site) func() {
			h := s.host("elasticsearch1")
			s.in(h, "mkdir -p /srv/es; mount -t tmpfs -o size=8g tmpfs /srv/es; ln -s ../../srv/es/data/nodes /var/lib/elasticsearch")
			return func() { s.in(h, "rm /var/lib/elasticsearch; umount /srv/es") }
		}, []string{"disk.size@elasticsearch1"}, 4},
		{"no fault: data behind a link beside a small disk", func(s *site) func() {
			h := s.host("elasticsearch1")
			s.in(h, "mkdir -p /srv/es; mount -t tmpfs -o size=8g tmpfs /srv/es; ln -s /opt/elasticsearch /srv/es/data; "+
				"ln -s /srv/es/data /var/lib/elasticsearch")
			return func() { s.in(h, "rm /var/lib/elasticsearch; umount /srv/es") }
		}, nil, 0},
		{"data behind links that lead in a circle", func(s *site) func() {
			h := s.host("minio1")
			s.in(h, "ln -s minio-server2 /var/lib/minio-server1; ln -s minio-server1 /var/lib/minio-server2")
			return func() { s.in(h, "rm /var/lib/minio-server1 /var/lib/minio-server2") }
		}, []string{"disk.size@minio1", "disk.size@minio1"}, 5},
		{"two small file systems in memory for one role", func(s *site) func() {
			h := s.host("minio1")
			s.in(h, "for n in 1 2; do mkdir -p /var/lib/minio-server$n; mount -t tmpfs -o size=12g tmpfs /var/lib/minio-server$n; done")
			return func() {
				s.in(h, "for n in 1 2; do umount /var/lib/minio-server$n; rmdir /var/lib/minio-server$n; done")
			}
		}, []string{"disk.size@minio1"}, 4},
		{"slow disk", slowDisk, []string{"disk.fsync@kubenode2"}, 4},
		{"wrong OS release", func(s *site) func() {
			h := s.host("kubenode1")
			s.in(h, "cp /etc/os-release /etc/os-release.good; sed -i s/22.04/18.04/ /etc/os-release")
			return func() { s.in(h, "mv /etc/os-release.good /etc/os-release") }
		}, []string{"os.release@kubenode1"}, 4},
		{"clock skew", func(s *site) func() {
			h := s.host("minio1") // whose writes nobody times: a traced one takes long
			stop := s.skewedSSHD(h, 3*time.Second)
			s.ports[h.name] = 2222
			s.inventory(nil)
			return func() {
				delete(s.ports, h.name)
				s.inventory(nil)
				stop()
			}
		}, []string{"time.offset@minio1"}, 4},
		{"blocked TCP port", func(s *site) func() {
			return s.filter(s.host("cassandra1"), "input", "tcp dport 9042 drop")
		}, []string{"link.tcp@cassandra1"}, 4},
		{"rejected TCP port", func(s *site) func() {
			return s.filter(s.host("cassandra1"), "input", "tcp dport 9042 reject with tcp reset")
		}, []string{"link.tcp@cassandra1"}, 4},
		{"blocked UDP port", func(s *site) func() {
			return s.filter(s.host("restund1"), "input", "udp dport 3478 drop")
		}, []string{"link.udp@restund1"}, 4},
		{"another host answers", func(s *site) func() {
			// Port 9300 of one host is translated to another one's probe.
			h := s.host("elasticsearch1")
			other := s.host("cassandra1").address
			s.in(h, "sysctl -qw net.ipv4.ip_forward=1; nft 'table ip wrong { "+
				"chain pre { type nat hook prerouting priority -100; tcp dport 9200 dnat to "+other+":9042; }; "+
				"chain post { type nat hook postrouting priority 100; masquerade; }; }'")
			return func() { s.in(h, "nft delete table ip wrong; sysctl -qw net.ipv4.ip_forward=0") }
		}, []string{"link.tcp@elasticsearch1"}, 4},
		{"port in use", func(s *site) func() {
			h := s.host("minio1")
			stop := s.background(h, s.program("island-probe"), "listen", "--token", "other", "tcp:9000")
			s.awaitPort(h.name, h.pid, "tcp:9000")
			return stop
		}, []string{"port.in-use@minio1"}, 4},
		{"wrong MTU", func(s *site) func() {
			h := s.host("kubenode3")
			s.in(h, "ip link set eth0 mtu 1400")
			return func() { s.in(h, "ip link set eth0 mtu 1500") }
		}, []string{"net.mtu@kubenode3"}, 4},
		{"smaller MTU on the way", func(s *site) func() {
			port := "p" + s.host("assethost").address[len(network):]
			s.run("ip", "-n", s.prefix+"net", "link", "set", port, "mtu", "1400")
			return func() { s.run("ip", "-n", s.prefix+"net", "link", "set", port, "mtu", "1500") }
		}, []string{"link.mtu@assethost"}, 4},
		{"smaller MTU between hosts alone", func(s *site) func() {
			return s.filter(s.host("assethost"), "input", "ip saddr != "+network+"1 meta length > 1412 drop")
		}, []string{"link.mtu@assethost"}, 4},
		{"large echoes dropped on the way to a host with a slow login", func(s *site) func() {
			h := s.host("restund1")
			s.in(h, "echo sleep 12 >/etc/ssh/sshrc")
			undo := s.filter(h, "input", "ip saddr "+network+"1 icmp type echo-request meta length > 1024 drop")
			return func() {
				s.in(h, "rm /etc/ssh/sshrc")
				undo()
			}
		}, []string{"link.mtu@restund1"}, 0},
		{"large packets lost towards the admin host", func(s *site) func() {
			return s.filter(s.host("restund1"), "output", "ip daddr "+network+"1 meta length > 1012 drop")
		}, []string{"link.mtu@restund1"}, 4},
		{"DNS name missing", func(s *site) func() {
			return s.serviceFault(func(v *settings) {
				v.Names = slices.DeleteFunc(slices.Clone(v.Names), func(n string) bool { return n == "teams" })
			})
		}, []string{"site.dns@"}, 4},
		{"certificate expired", func(s *site) func() {
			s.certificate(time.Now().Add(-100*time.Hour), time.Now().Add(-time.Hour), "*.wire.example")
			s.serve(s.goodSettings())
			return s.services
		}, []string{"site.certificate-dates@"}, 4},
		{"certificate for another name", func(s *site) func() {
			s.certificate(time.Now().Add(-time.Hour), time.Now().Add(1000*time.Hour), "*.other.example")
			s.serve(s.goodSettings())
			return s.services
		}, []string{"site.certificate-names@"}, 4},
		{"NTP server silent", func(s *site) func() {
			return s.serviceFault(func(v *settings) { v.Without = []string{"ntp"} })
		}, []string{"site.ntp@"}, 4},
		{"NTP server that follows no clock itself", func(s *site) func() {
			return s.serviceFault(func(v *settings) { v.Clock = "" })
		}, []string{"site.ntp@"}, 4},
		{"mail relay down", func(s *site) func() {
			return s.serviceFault(func(v *settings) { v.Without = []string{"mail"} })
		}, []string{"site.mail@"}, 4},
		{"mail relay that turns the admin host away", func(s *site) func() {
			return s.serviceFault(func(v *settings) { v.Mail = "host_reject_connection = *" })
		}, []string{"site.mail@"}, 4},
		{"no fault: mail relay that lets callers wait", func(s *site) func() {
			return s.serviceFault(func(v *settings) {
				v.Mail = "acl_smtp_connect = wait\nbegin acl\nwait:\n accept delay = 7s"
			})
		}, nil, 0},
		{"TURN without UDP", func(s *site) func() {
			return s.serviceFault(func(v *settings) { v.TURN = "no-udp" })
		}, []string{"site.turn@"}, 4},
		{"TURN without TLS", func(s *site) func() {
			return s.serviceFault(func(v *settings) { v.TURN = "no-tls" })
		}, []string{"site.turn@"}, 4},
		{"load balancer down", func(s *site) func() {
			return s.serviceFault(func(v *settings) { v.Without = []string{"lb-https"} })
		}, []string{"site.load-balancer@"}, 4},
		{"load balancer that leads elsewhere", func(s *site) func() {
			return s.serviceFault(func(v *settings) { v.Ports[0] = 22 })
		}, []string{"site.load-balancer@"}, 4},
		{"no fault: load balancer that looks after its nodes, and tells them who calls", func(s *site) func() {
			return s.healthChecks(" default-server check inter 2s rise 2 fall 1 send-proxy-v2")
		}, nil, 0},
		{"load balancer that wants HTTP of a node", func(s *site) func() {
			return s.healthChecks(" option httpchk\n default-server check inter 2s fall 1")
		}, []string{"site.load-balancer@", "site.load-balancer@"}, 4},
		{"identity provider down", func(s *site) func() {
			return s.serviceFault(func(v *settings) { v.Without = []string{"idp"} })
		}, []string{"site.idp@"}, 4},
		{"host down", func(s *site) func() {
			return s.unplug(s.host("minio1"))
		}, []string{"reach.down@minio1"}, 5},
		{"the one node behind the load balancer down", func(s *site) func() {
			h := s.host("kubenode1")
			plug := s.unplug(h)
			undo := s.serviceFault(func(v *settings) { v.Nodes = []string{h.name} })
			return func() {
				plug()
				undo()
			}
		}, []string{"reach.down@kubenode1"}, 5},
		{"wrong SSH key", func(s *site) func() {
			h := s.host("restund1")
			s.in(h, "mv /etc/ssh/island_keys /etc/ssh/island_keys.good; : >/etc/ssh/island_keys")
			return func() { s.in(h, "mv /etc/ssh/island_keys.good /etc/ssh/island_keys") }
		}, []string{"reach.auth@restund1"}, 5},
		{"host key changed", func(s *site) func() {
			return s.knownHosts(s.host("elasticsearch1"), strings.TrimSpace(keyLine(s.host("minio1"))))
		}, []string{"reach.host-key@elasticsearch1"}, 5},
		{"host key that nobody knows yet", func(s *site) func() {
			return s.knownHosts(s.host("elasticsearch1"), "")
		}, []string{"reach.host-key-unknown@elasticsearch1"}, 5},
		{"no sudo", func(s *site) func() {
			h := s.host("assethost")
			s.in(h, "mv /etc/sudoers.d/tech /etc/tech.sudoers")
			return func() { s.in(h, "mv /etc/tech.sudoers /etc/sudoers.d/tech") }
		}, []string{"reach.sudo@assethost"}, 5},
		{"two names for one host", func(s *site) func() {
			return s.alias(&host{name: "elasticsearch2", address: s.host("minio1").address, groups: []string{"elasticsearch"}})
		}, []string{"net.hostname@elasticsearch2", "roles.share@minio1"}, 4},
		{"two names for one host that want the same ports", func(s *site) func() {
			return s.alias(&host{name: "restund2", address: s.host("restund1").address, groups: []string{"restund"}})
		}, []string{"net.hostname@restund2", "roles.share@restund1"}, 4},
		{"a further address by which a host has another name", func(s *site) func() {
			h := s.host("cassandra1")
			s.in(h, "ip addr add "+network+"201/24 dev eth0")
			key := s.knownHosts(h, strings.TrimSpace(keyLine(h))+"\n"+network+"201 "+strings.TrimSpace(keyLine(h)))
			undo := s.alias(&host{name: "minio2", address: network + "201", groups: []string{"minio"}})
			return func() {
				undo()
				key()
				s.in(h, "ip addr del "+network+"201/24 dev eth0")
			}
		}, []string{"cpu.cores@cassandra1", "net.hostname@minio2", "roles.share@cassandra1"}, 4},
		{"machines of one image", func(s *site) func() {
			h := s.host("minio1")
			s.in(h, "cp /etc/machine-id /etc/machine-id.good; echo cassandra1 | md5sum | cut -c 1-32 >/etc/machine-id")
			return func() { s.in(h, "mv /etc/machine-id.good /etc/machine-id") }
		}, []string{"os.machine-id@cassandra1", "os.machine-id@minio1"}, 0},
		{"two roles on one host", func(s *site) func() {
			s.inventory(func(groups map[string][]string) {
				groups["elasticsearch"] = append(groups["elasticsearch"], "minio1")
			})
			return func() { s.inventory(nil) }
		}, []string{"roles.share@minio1"}, 4},
		{"host without a role", func(s *site) func() {
			s.inventory(func(groups map[string][]string) { delete(groups, "restund") })
			return func() { s.inventory(nil) }
		}, []string{"roles.assigned@restund1"}, 4},
		{"group with a mistyped name", func(s *site) func() {
			s.inventory(func(groups map[string][]string) {
				groups["restnud"] = groups["restund"]
				delete(groups, "restund")
			})
			return func() { s.inventory(nil) }
		}, []string{"roles.assigned@restund1", "roles.groups@"}, 4},
		{"host in a group that no table knows", func(s *site) func() {
			s.inventory(func(groups map[string][]string) {
				groups["printers"] = groups["restund"]
				delete(groups, "restund")
			})
			return func() { s.inventory(nil) }
		}, []string{"roles.assigned@restund1"}, 4},
		{"nodes that are called after their use, to which no load balancer leads", func(s *site) func() {
			s.inventory(func(groups map[string][]string) {
				groups["kube_worker"] = groups["kube-node"]
				delete(groups, "kube-node")
			})
			return func() { s.inventory(nil) }
		}, []string{"roles.groups@", "site.load-balancer@", "site.load-balancer@"}, 4},
		{"mistyped name of a group whose hosts are in others", func(s *site) func() {
			s.inventory(func(groups map[string][]string) {
				groups["kube-masters"] = groups["kube-master"]
				delete(groups, "kube-master")
			})
			return func() { s.inventory(nil) }
		}, []string{"roles.groups@"}, 4},
		{"no fault: names of kubespray today", func(s *site) func() {
			s.inventory(func(groups map[string][]string) {
				groups["kube_node"], groups["kube_control_plane"] = groups["kube-node"], groups["kube-master"]
				delete(groups, "kube-node")
				delete(groups, "kube-master")
			})
			return func() { s.inventory(nil) }
		}, nil, 0},
		{"even number of etcd members", func(s *site) func() {
			s.inventory(func(groups map[string][]string) { groups["etcd"] = groups["etcd"][:2] })
			return func() { s.inventory(nil) }
		}, []string{"count.etcd@"}, 4},
		{"default route on an island", func(s *site) func() {
			h := s.host("kubenode2")
			s.in(h, "ip route add default via "+network+"1")
			return func() { s.in(h, "ip route del default") }
		}, []string{"net.island@kubenode2"}, 4},
		{"half of a default route, as VPNs set it", func(s *site) func() {
			h := s.host("kubenode2")
			s.in(h, "ip route add 128.0.0.0/1 via "+network+"1")
			return func() { s.in(h, "ip route del 128.0.0.0/1") }
		}, []string{"net.island@kubenode2"}, 4},
		{"no fault: default routes that discard", func(s *site) func() {
			h := s.host("kubenode2")
			s.in(h, "ip route add unreachable default metric 7; ip route add blackhole default table 9; ip route add prohibit 0.0.0.0/1; "+
				"ip -6 route add blackhole default metric 7; ip route add throw default table 10")
			return func() {
				s.in(h, "ip route del unreachable default; ip route flush table 9; ip route del prohibit 0.0.0.0/1; "+
					"ip -6 route del blackhole default; ip route flush table 10")
			}
		}, nil, 0},
		{"default route in a table of its own", func(s *site) func() {
			h := s.host("minio1")
			s.in(h, "ip route add default via "+network+"1 table 100; ip rule add from "+h.address+" table 100 priority 40000")
			return func() { s.in(h, "ip rule del priority 40000; ip route flush table 100") }
		}, []string{"net.island@minio1"}, 4},
		{"default route of IPv6", func(s *site) func() {
			h := s.host("cassandra1")
			s.in(h, "ip -6 route add 2000::/3 dev eth0 table 8")
			return func() { s.in(h, "ip -6 route flush table 8") }
		}, []string{"net.island@cassandra1"}, 4},
		{"default route of the admin host that a rule keeps for some packets", func(s *site) func() {
			admin := s.prefix + "admin"
			s.run("ip", "-n", admin, "route", "add", "default", "via", s.host("assethost").address, "table", "77")
			return func() { s.run("ip", "-n", admin, "route", "flush", "table", "77") }
		}, []string{"site.outside@"}, 4},
		{"address in the network of pods", func(s *site) func() {
			h := s.host("elasticsearch1")
			s.in(h, "ip addr add 10.233.99.5/24 dev eth0")
			return func() { s.in(h, "ip addr del 10.233.99.5/24 dev eth0") }
		}, []string{"net.overlap@elasticsearch1"}, 4},
		{"route into the network of services", func(s *site) func() {
			h := s.host("kubenode3")
			s.in(h, "ip route add 10.233.16.0/20 via "+network+"1")
			return func() { s.in(h, "ip route del 10.233.16.0/20") }
		}, []string{"net.overlap@kubenode3"}, 4},
		{"admin host with an address in the network of services", func(s *site) func() {
			s.run("ip", "-n", s.prefix+"admin", "addr", "add", "10.233.0.9/24", "dev", "eth0")
			return func() { s.run("ip", "-n", s.prefix+"admin", "addr", "del", "10.233.0.9/24", "dev", "eth0") }
		}, []string{"net.overlap@"}, 4},
		{"Docker's network where another host is", func(s *site) func() {
			h := s.host("minio1")
			// It is down, so that all but this goes on as if it were not there.
			s.in(h, "ip link add docker0 type bridge; ip addr add "+network+"19/29 dev docker0")
			return func() { s.in(h, "ip link del docker0") }
		}, []string{"net.overlap@minio1"}, 4},
		{"module that modprobe is told not to load", func(s *site) func() {
			return s.moduleFile("kubenode2", "install overlay /bin/false")
		}, []string{"kernel.modules@kubenode2"}, 4},
		{"no fault: module that is only blacklisted", func(s *site) func() {
			return s.moduleFile("kubenode3", "blacklist overlay")
		}, nil, 0},
		{"local ports that are node ports", func(s *site) func() {
			h := s.host("kubenode1")
			s.in(h, "sysctl -qw net.ipv4.ip_local_port_range='20000 60999'")
			return func() { s.in(h, "sysctl -qw net.ipv4.ip_local_port_range='32768 60999'") }
		}, []string{"kernel.port-range@kubenode1"}, 4},
		{"no fault: local ports of which node ports are reserved", func(s *site) func() {
			h := s.host("kubenode1")
			s.in(h, "sysctl -qw net.ipv4.ip_local_port_range='20000 60999' net.ipv4.ip_local_reserved_ports='30000-32767'")
			return func() {
				s.in(h, "sysctl -qw net.ipv4.ip_local_port_range='32768 60999' net.ipv4.ip_local_reserved_ports=''")
			}
		}, nil, 0},
		{"default route on the admin host", func(s *site) func() {
			s.run("ip", "-n", s.prefix+"admin", "route", "add", "default", "via", s.host("assethost").address)
			return func() { s.run("ip", "-n", s.prefix+"admin", "route", "del", "default") }
		}, []string{"site.outside@"}, 4},
		{"full disk during collection", func(s *site) func() {
			h := s.host("minio1")
			s.in(h, "mount -t tmpfs -o size=1m,mode=1777 tmpfs /tmp")
			return func() { s.in(h, "umount /tmp") }
		}, []string{"reach.disk-full@minio1"}, 5},
		{"full disk", func(s *site) func() { return s.fullDisk("minio1", "/var/lib/minio-server1") }, []string{"disk.free@minio1"}, 4},
		{
			"disk that is full when writes are timed",
			func(s *site) func() { return s.fullDisk("cassandra1", "/mnt/cassandra") },
			[]string{"reach.disk-full@cassandra1"},
			5,
		},
		{"probe killed half way", killProbe, []string{"reach.probe@cassandra1"}, 5},
		{"wrong host name", func(s *site) func() {
			h := s.host("kubenode3")
			s.in(h, "hostname other")
			return func() { s.in(h, "hostname kubenode3") }
		}, []string{"net.hostname@kubenode3"}, 4},
		{"dynamic address", func(s *site) func() {
			h := s.host("kubenode3")
			s.in(h, "ip addr change "+h.address+"/24 dev eth0 valid_lft 3600 preferred_lft 3600")
			return func() { s.in(h, "ip addr change "+h.address+"/24 dev eth0 valid_lft forever preferred_lft forever") }
		}, []string{"net.static@kubenode3"}, 4},
		{"service that others do not see", func(s *site) func() {
			h := s.host("elasticsearch1")
			stop := s.background(h, s.program("island-probe"), "listen", "--address", "127.0.0.1", "--token", "other", "--for", "10m", "tcp:9300")
			s.awaitPort(h.name, h.pid, "tcp:9300")
			return stop
		}, []string{"port.in-use@elasticsearch1"}, 4},
		{"interface of another name", func(s *site) func() {
			s.nic = "enp1s0"
			s.inventory(nil)
			return func() {
				s.nic = ""
				s.inventory(nil)
			}
		}, []string{"net.interface@cassandra1"}, 4},
		{"leftovers", func(s *site) func() {
			h := s.host("kubenode3")
			s.in(h, "mkdir -p /var/lib/etcd/member; touch /var/lib/etcd/member/x")
			return func() { s.in(h, "rm -r /var/lib/etcd") }
		}, []string{"software.leftovers@kubenode3"}, 4},
	}
}

func (s *site) serviceFault(change func(*settings)) func() {
	v := s.goodSettings()
	change(&v)
	s.serve(v)
	return func() { s.serve(s.goodSettings()) }
}

// filter returns a host a rule of nftables for what comes in (input) or goes out
// (output).
func (s *site) filter(h *host, hook, rule string) func() {
	s.in(h, "nft 'table inet fault { chain c { type filter hook "+hook+" priority 0; "+rule+"; }; }'")
	return func() { s.in(h, "nft delete table inet fault") }
}

// alias gives a host another name in the inventory.
func (s *site) alias(h *host) func() {
	before := s.hosts
	s.hosts = append(slices.Clone(before), h)
	s.inventory(nil)
	return func() {
		s.hosts = before
		s.inventory(nil)
	}
}

// unplug takes a host off the network.
func (s *site) unplug(h *host) func() {
	set := func(state string) { s.run("ip", "-n", s.prefix+h.name, "link", "set", "eth0", state) }
	set("down")
	return func() { set("up") }
}

// knownHosts has the operator know another key of a host, or none.
func (s *site) knownHosts(h *host, key string) func() {
	file := filepath.Join(s.folder, "known_hosts")
	good, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	lines := strings.Split(string(good), "\n")
	for i, line := range lines {
		if strings.HasPrefix(line, h.address+",") {
			lines[i] = ""
			if key != "" {
				lines[i] = h.address + " " + key
			}
		}
	}
	s.file(file, strings.Join(lines, "\n"), 0o644)
	return func() { s.file(file, string(good), 0o644) }
}

// healthChecks has the load balancer look after its nodes, and waits until it
// has found that none answers yet.
func (s *site) healthChecks(balance string) func() {
	undo := s.serviceFault(func(v *settings) { v.Balance = balance })
	s.await("health checks", func() bool {
		log, _ := os.ReadFile(s.logOf("balancer"))
		return bytes.Count(log, []byte("has no server available")) == 2
	})
	return undo
}

// moduleFile has a host's kernel know overlay as a file, which is compressed, and its
// modprobe a line of settings.
func (s *site) moduleFile(name, line string) func() {
	h := s.host(name)
	s.in(h, `modules=/lib/modules/$(uname -r)
cp $modules/modules.builtin $modules/modules.good; sed -i /overlay/d $modules/modules.builtin
mkdir -p $modules/kernel/fs /etc/modprobe.d; : >$modules/kernel/fs/overlay.ko.zst; echo kernel/fs/overlay.ko.zst: >$modules/modules.dep
echo "$1" >/etc/modprobe.d/cis.conf
grep -v overlay /proc/filesystems >/run/filesystems; mount --bind /run/filesystems /proc/filesystems
mount -t tmpfs tmpfs /sys/module`, "host", line)
	return func() {
		s.in(h, `modules=/lib/modules/$(uname -r)
umount /sys/module /proc/filesystems; mv $modules/modules.good $modules/modules.builtin; rm $modules/modules.dep /etc/modprobe.d/cis.conf`)
	}
}

// slowDisk puts etcd's data on a disk that a control group slows down.
func slowDisk(s *site) func() {
	h := s.host("kubenode2")
	image := filepath.Join(s.folder, "disk.img")
	s.file(image, "", 0o600)
	if err := os.Truncate(image, 256<<20); err != nil {
		s.t.Fatal(err)
	}
	s.run("mkfs.ext4", "-q", "-F", image)
	device := strings.TrimSpace(s.run("losetup", "--find", "--show", image))
	s.in(h, "mkdir -p /var/lib/etcd; mount "+device+" /var/lib/etcd; rmdir /var/lib/etcd/lost+found")
	var stat syscall.Stat_t
	if err := syscall.Stat(device, &stat); err != nil {
		s.t.Fatal(err)
	}
	id := fmt.Sprintf("%d:%d", stat.Rdev>>8&0xfff, stat.Rdev&0xff|stat.Rdev>>12&0xfff00)
	s.limit(h, "blkio.throttle.write_iops_device", id+" 20", "io.max", id+" wiops=20")
	return func() {
		s.limit(h, "blkio.throttle.write_iops_device", id+" 0", "io.max", id+" wiops=max")
		s.in(h, "umount /var/lib/etcd; rmdir /var/lib/etcd")
		s.run("losetup", "--detach", device)
	}
}

// fullDisk puts a role's data on a disk of the right size that has no room left.
func (s *site) fullDisk(name, path string) func() {
	h := s.host(name)
	image := filepath.Join(s.folder, "full.img")
	s.file(image, "", 0o600)
	if err := os.Truncate(image, 30<<30); err != nil {
		s.t.Fatal(err)
	}
	s.run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1", "-m", "0", image)
	device := strings.TrimSpace(s.run("losetup", "--find", "--show", image))
	s.in(h, "mkdir -p "+path+"; mount "+device+" "+path)
	// Space is only set aside; the last blocks go to a file that takes what is there.
	s.in(h, "cd "+path+"; fallocate -l $(($(stat -f -c '%a * %S' .) - 4194304)) most; cat /dev/zero >rest 2>/dev/null || true")
	return func() {
		s.in(h, "umount "+path+"; rmdir "+path)
		s.run("losetup", "--detach", device)
		_ = os.Remove(image)
	}
}

// killProbe ends every probe on a host as soon as it runs.
func killProbe(s *site) func() {
	h := s.host("cassandra1")
	home, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", h.pid))
	if err != nil {
		s.t.Fatal(err)
	}
	stop := make(chan struct{})
	var task sync.WaitGroup
	task.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			names, _ := filepath.Glob("/proc/[0-9]*/comm")
			for _, name := range names {
				comm, _ := os.ReadFile(name)
				folder := filepath.Dir(name)
				if ns, err := os.Readlink(folder + "/ns/net"); err == nil && ns == home && string(comm) == "island-probe\n" {
					if pid, err := strconv.Atoi(filepath.Base(folder)); err == nil {
						time.Sleep(200 * time.Millisecond) // half way through its sample
						_ = syscall.Kill(pid, syscall.SIGKILL)
					}
				}
			}
		}
	})
	return func() { close(stop); task.Wait() }
}

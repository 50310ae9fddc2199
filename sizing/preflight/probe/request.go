//go:build linux

package probe

import "time"

// Request says what to look at. The zero value of each list means the defaults
// of [Defaults]; an empty, non-nil list means nothing.
type Request struct {
	Name      string        `json:"name,omitempty"` // of the host; default: its host name
	Paths     []string      `json:"paths,omitzero"`
	Leftovers []string      `json:"leftovers,omitzero"`
	Programs  []string      `json:"programs,omitzero"`
	Modules   []string      `json:"modules,omitzero"`
	Sysctls   []string      `json:"sysctls,omitzero"`
	Fsync     []string      `json:"fsync,omitzero"`    // paths on whose file systems writes are timed, of those in Paths
	NoFsync   bool          `json:"noFsync,omitempty"` // do not write the fsync test file
	Sample    time.Duration `json:"sample,omitempty"`  // over which stolen time is counted; default 2 s
	// StealLater says that stolen time is asked for later, by a session's
	// command of its own, so that nothing waits for it meanwhile.
	StealLater bool          `json:"stealLater,omitempty"`
	Limit      time.Duration `json:"limit,omitempty"` // of the whole collection; default 60 s
}

// The limits of a collection. /proc/stat counts in hundredths of a second: a
// window of a fifth of the sample sees 2.5 % of one core's time, half of what is
// warned of.
const (
	defaultSample = 2 * time.Second
	defaultLimit  = time.Minute
	maxLimit      = 10 * time.Minute
	maxAsked      = 200 // members of each list of a request
)

// Defaults is what is looked at on every host of a Wire installation. The paths
// are those of wireapp/wire-server-deploy 5.32 (ansible/) and of the upstream
// packages' own defaults.
func Defaults() Request {
	return Request{
		Paths: []string{
			"/", "/tmp", "/mnt/cassandra", "/var/lib/cassandra", "/var/lib/minio-server1", "/var/lib/minio-server2",
			"/var/lib/elasticsearch", "/var/lib/containerd", "/var/lib/kubelet", "/var/lib/etcd",
			"/var/lib/postgresql", "/var/lib/rabbitmq", "/opt/assets",
		},
		Fsync: []string{"/var/lib/etcd", "/mnt/cassandra", "/var/lib/cassandra", "/var/lib/postgresql"},
		Leftovers: []string{
			"/etc/kubernetes/manifests", "/etc/kubernetes/admin.conf", "/etc/kubernetes/kubelet.conf",
			"/var/lib/etcd/member", "/etc/etcd.env", "/var/lib/kubelet/pki",
			// Of the container network what Kubernetes' own plugins write, Kubespray's Calico
			// first: packages of podman and others have files of their own in that folder.
			"/etc/cni/net.d/10-calico.conflist", "/etc/cni/net.d/calico.conflist.template", "/etc/cni/net.d/calico-kubeconfig",
			"/etc/cni/net.d/10-flannel.conflist", "/etc/cni/net.d/05-cilium.conflist", "/etc/cni/net.d/10-kuberouter.conflist",
			"/etc/cni/net.d/10-weave.conflist", "/etc/cni/net.d/01-kube-ovn.conflist", "/etc/cni/net.d/00-multus.conf",
			"/mnt/cassandra/data", "/etc/cassandra/cassandra.yaml", "/var/lib/minio-server1/.minio.sys",
			"/var/lib/minio-server2/.minio.sys", "/etc/minio.d", "/var/lib/elasticsearch/nodes", "/etc/elasticsearch/elasticsearch.yml",
			"/var/lib/rabbitmq/mnesia", "/etc/restund.conf", "/etc/repmgr.conf", "/opt/assets/containers-helm",
		},
		Programs: []string{"gpg", "python3", "sudo", "tar", "sha256sum", "iptables", "conntrack", "socat"},
		Modules:  []string{"br_netfilter", "overlay", "nf_conntrack", "ip_vs"},
		Sysctls: []string{
			"net.ipv4.ip_local_port_range", "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables",
			"vm.max_map_count", "vm.swappiness", "vm.overcommit_memory", "net.core.rmem_max", "net.core.wmem_max",
			"fs.inotify.max_user_instances", "fs.inotify.max_user_watches", "fs.file-max", "net.ipv4.conf.all.rp_filter",
		},
	}
}

// complete fills in the defaults and holds a request to its limits.
func (r Request) complete() Request {
	defaults := Defaults()
	for _, list := range []struct{ mine, theirs *[]string }{
		{&r.Paths, &defaults.Paths}, {&r.Fsync, &defaults.Fsync}, {&r.Leftovers, &defaults.Leftovers}, {&r.Programs, &defaults.Programs},
		{&r.Modules, &defaults.Modules}, {&r.Sysctls, &defaults.Sysctls},
	} {
		if *list.mine == nil {
			*list.mine = *list.theirs
		}
		*list.mine = (*list.mine)[:min(len(*list.mine), maxAsked)]
	}
	if r.Sample <= 0 || r.Sample > 10*time.Second {
		r.Sample = defaultSample
	}
	if r.Limit <= 0 {
		r.Limit = defaultLimit
	}
	r.Limit = min(r.Limit, maxLimit)
	return r
}

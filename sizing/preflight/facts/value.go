package facts

import (
	"cmp"
	"errors"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/islandbundle/island/internal/words/message"
)

// Value is one thing read on a host. It is known when Unread is empty; else
// Unread says why it is not, and Value is the zero value.
type Value[T any] struct {
	Value  T            `json:"value"`
	Method message.Text `json:"method"`          // how: "count of bits in the affinity mask"
	Source string       `json:"source"`          // from where: a file, a system call
	Unread message.Text `json:"unread,omitzero"` // why it is not known
}

// Known says whether the value was read.
func (v Value[T]) Known() bool { return v.Unread.IsZero() && !v.Method.IsZero() }

// Facts is what the probe read on one host.
type Facts struct {
	APIVersion string    `json:"apiVersion"` // island/v1
	Kind       string    `json:"kind"`       // Facts
	Name       string    `json:"name"`       // of the host in the inventory; the probe's --name, else the host name
	Probe      string    `json:"probe"`      // version of the probe
	Taken      time.Time `json:"taken"`      // by the host's own clock
	Elapsed    float64   `json:"elapsed"`    // seconds that collecting took
	Root       bool      `json:"root"`       // whether the probe ran as root

	CPU            CPU            `json:"cpu"`
	Memory         Memory         `json:"memory"`
	Paths          []Path         `json:"paths"`
	OS             OS             `json:"os"`
	Kernel         Kernel         `json:"kernel"`
	Time           Time           `json:"time"`
	Network        Network        `json:"network"`
	Security       Security       `json:"security"`
	Software       Software       `json:"software"`
	Virtualisation Virtualisation `json:"virtualisation"`
}

// APIVersion and the kinds of this package's documents.
const (
	APIVersion = "island/v1"
	Kind       = "Facts"
	SurveyKind = "Survey"
)

// CPU is what computes.
type CPU struct {
	Architecture Value[string]  `json:"architecture"` // as Go names it: amd64, arm64
	Model        Value[string]  `json:"model"`
	Sockets      Value[int]     `json:"sockets"`
	Cores        Value[int]     `json:"cores"`   // physical, as the guest is shown them
	Threads      Value[int]     `json:"threads"` // online logical processors
	Affinity     Value[int]     `json:"affinity"`
	Quota        Value[float64] `json:"quota"`  // cores that control groups allow; 0: no limit
	Usable       Value[float64] `json:"usable"` // the least of threads, affinity and quota
	Steal        Value[float64] `json:"steal"`  // per cent of the time over the sample
	Level        Value[int]     `json:"level"`  // x86-64 microarchitecture level 1..4; 0 elsewhere
	AES          Value[bool]    `json:"aes"`
	AVX          Value[bool]    `json:"avx"`
}

// Memory is in bytes.
type Memory struct {
	Total     Value[int64] `json:"total"` // MemTotal: nominal less what firmware and kernel keep
	Available Value[int64] `json:"available"`
	Limit     Value[int64] `json:"limit"`  // of control groups; 0: no limit
	Usable    Value[int64] `json:"usable"` // total less huge pages, or limit where that is less
	Swap      Value[int64] `json:"swap"`
	HugePages Value[int64] `json:"hugePages"`   // bytes set aside for huge pages
	KDump     Value[int64] `json:"crashKernel"` // bytes set aside for a crash kernel
}

// Path is what lies behind one path.
type Path struct {
	Path       string            `json:"path"`             // as asked for
	Target     string            `json:"target,omitempty"` // where links lead from there; empty: there are none
	Nearest    string            `json:"nearest"`          // the path or target itself, or the nearest folder above that exists
	FileSystem Value[FileSystem] `json:"fileSystem"`
	Fsync      Value[Fsync]      `json:"fsync"`
}

// FileSystem is the file system that holds a path.
type FileSystem struct {
	Type       string `json:"type"`
	Device     string `json:"device"`
	DeviceID   string `json:"deviceId"` // major:minor; what two paths on one file system share
	Mount      string `json:"mount"`
	Options    string `json:"options"`
	OwnMount   bool   `json:"ownMount"` // the path itself is a mount point
	Size       int64  `json:"size"`     // bytes
	Free       int64  `json:"free"`     // bytes free to a user who is not root (f_bavail)
	Inodes     int64  `json:"inodes"`   // 0: the file system has no fixed number
	InodesFree int64  `json:"inodesFree"`
	Disk       string `json:"disk,omitempty"`     // block device that holds it
	DiskSize   int64  `json:"diskSize,omitempty"` // bytes; 0: not known
	Rotational bool   `json:"rotational,omitempty"`

	// What tells whether file systems take their space from one store. Facts of earlier
	// versions have none of it.
	ID       string           `json:"id,omitempty"`       // as statfs(2) has it: an overlay has that of the file system below
	Server   string           `json:"server,omitempty"`   // address of the server of a network file system
	Above    map[string]int64 `json:"above,omitempty"`    // bytes free in the ZFS datasets above that are mounted, by name
	Pool     string           `json:"pool,omitempty"`     // thin pool that the block device is made of
	PoolSize int64            `json:"poolSize,omitempty"` // bytes of the thin pool; 0: not known
	Disks    map[string]int64 `json:"disks,omitempty"`    // bytes of the disks that a device made of others lies on, by name
}

// Fsync is how long a small write takes to reach the disk, as etcd and
// Cassandra's commit log need it. Times are in milliseconds.
type Fsync struct {
	Runs      int     `json:"runs"`   // bounded runs, one after the other
	Writes    int     `json:"writes"` // writes in all runs
	Bytes     int     `json:"bytes"`  // size of each write
	MedianP99 float64 `json:"medianP99"`
	WorstP99  float64 `json:"worstP99"`
	Median    float64 `json:"median"`
}

// OS is the distribution.
type OS struct {
	ID       Value[string] `json:"id"`
	Version  Value[string] `json:"version"`
	Codename Value[string] `json:"codename"`
	Pretty   Value[string] `json:"pretty"`
	// MachineID is a digest of the machine id, which is nobody's business (machine-id(5)).
	MachineID Value[string] `json:"machineId,omitzero"`
}

// Kernel is the running kernel and its settings.
type Kernel struct {
	Release Value[string]            `json:"release"`
	BootID  Value[string]            `json:"bootId,omitzero"` // made anew at each start
	CGroup  Value[int]               `json:"cgroup"`          // version of the control groups in force
	Modules map[string]Value[string] `json:"modules"`         // loaded, builtin, available or missing
	Barred  map[string]Value[string] `json:"barred,omitzero"` // of a module: what keeps modprobe from loading it; empty: nothing
	Sysctls map[string]Value[string] `json:"sysctls"`
}

// Time is how the clock is kept. The offset between hosts is no fact of one
// host: see [Clock].
type Time struct {
	Synchronised Value[bool]     `json:"synchronised"`
	MaxError     Value[float64]  `json:"maxError"` // seconds, the kernel's own estimate
	Services     Value[[]string] `json:"services"` // running time services
	Zone         Value[string]   `json:"zone"`
}

// Network is what the host is to others.
type Network struct {
	Hostname   Value[string]     `json:"hostname"`
	StaticName Value[string]     `json:"staticName"` // of /etc/hostname
	Resolvers  Value[[]string]   `json:"resolvers"`
	Search     Value[[]string]   `json:"search"`
	Interfaces Value[[]NIC]      `json:"interfaces"`
	Routes     Value[[]Route]    `json:"routes"`          // those that lead out: default routes, and such as 0.0.0.0/1
	Inside     Value[[]Route]    `json:"inside,omitzero"` // all others to other machines: those to networks of the site
	Listeners  Value[[]Listener] `json:"listeners"`
}

// NIC is one network interface other than loopback.
type NIC struct {
	Name      string    `json:"name"`
	State     string    `json:"state"`
	MTU       int       `json:"mtu"`
	Speed     int64     `json:"speed"` // Mbit/s; 0: the driver does not say
	Hardware  string    `json:"hardware,omitempty"`
	Driver    string    `json:"driver,omitempty"`
	Addresses []Address `json:"addresses"`
}

// Address is one address of an interface.
type Address struct {
	Prefix  string `json:"prefix"`  // 10.0.0.5/24
	Dynamic bool   `json:"dynamic"` // has a limited lifetime, as DHCP and router advertisements give
}

// Route is a route to other machines. Facts of earlier versions know the main table
// alone; there a route that discards has the interface *.
type Route struct {
	Destination string `json:"destination,omitempty"` // 0.0.0.0/1; empty for a default route
	Gateway     string `json:"gateway"`               // empty, 0.0.0.0 or :: where there is none
	Interface   string `json:"interface"`
	Table       int    `json:"table,omitempty"` // where it is not the main one
}

// String words a route as ip-route(8) does.
func (r Route) String() string {
	words := []string{cmp.Or(r.Destination, "default")}
	if gateway, err := netip.ParseAddr(r.Gateway); err == nil && !gateway.IsUnspecified() {
		words = append(words, "via", r.Gateway)
	}
	if r.Interface != "" {
		words = append(words, "dev", r.Interface)
	}
	if r.Table != 0 {
		words = append(words, "table", strconv.Itoa(r.Table))
	}
	return strings.Join(words, " ")
}

// Listener is a port that something already listens on.
type Listener struct {
	Protocol string `json:"protocol"` // tcp or udp
	Address  string `json:"address"`
	Port     int    `json:"port"`
	Process  string `json:"process,omitempty"` // where the probe may see it
}

// Security is what may stand in the way.
type Security struct {
	Firewalls Value[[]string] `json:"firewalls"` // active managers: ufw, firewalld, nftables, iptables
	SELinux   Value[string]   `json:"selinux"`   // enforcing, permissive, absent
	AppArmor  Value[string]   `json:"apparmor"`  // enabled, disabled, absent
}

// Software is what is on the host already.
type Software struct {
	Runtimes  Value[[]string] `json:"runtimes"`  // containerd, docker, crio, podman
	Leftovers Value[[]string] `json:"leftovers"` // paths that an earlier installation left
	// Release is the version of Wire's server among what the asset host serves;
	// empty: it serves none.
	Release Value[string] `json:"release"`
	// Kubernetes is the version of the API server that is set up here; empty: none.
	Kubernetes Value[string]          `json:"kubernetes"`
	Programs   map[string]Value[bool] `json:"programs"` // whether a program is in the system's path
}

// Virtualisation is what the host stands on.
type Virtualisation struct {
	Guest     Value[bool]   `json:"guest"`
	Kind      Value[string] `json:"kind"`      // vendor and product, or none
	Container Value[string] `json:"container"` // lxc, docker, …; namespace, where it does not say; none
}

// Codes of reasons why a value is not known that decide how it is judged.
const (
	NoSpace  = "facts.unread.no-space"  // the file system was full while it was being measured
	NotAsked = "facts.unread.not-asked" // nobody asked the probe for it
	ReadOnly = "facts.unread.read-only"
	NoRoot   = "facts.unread.no-root" // the probe was not permitted to, without root
)

// version1 has the codes of those reasons for what version 1 of facts says.
var version1 = map[string]string{
	"no space left on the file system": NoSpace, "not asked for": NotAsked, "mounted read-only": ReadOnly, "not permitted without " +
		"root": NoRoot,
}

// Heard returns a text that a host sent, bounded, or nothing where it is no text of
// facts.
func Heard(t message.Text) message.Text {
	if cleanText(&t, "") != nil {
		return message.Text{}
	}
	return t.Map(Cut)
}

// Reason returns what people are told of an error: the text of a [message.Problem], else
// what another program or the system says.
func Reason(err error) message.Text {
	var problem *message.Problem
	if errors.As(err, &problem) {
		return problem.Text
	}
	return message.Plain(Cut(err.Error()))
}

//go:build linux

package probe

import (
	"context"
	"encoding/json"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

const cpuinfo = `processor	: 0
model name	: Example CPU
physical id	: 0
core id		: 0
flags		: fpu cx8 cmov mmx fxsr sse sse2 syscall cx16 lahf_lm popcnt pni ssse3 sse4_1 sse4_2 aes avx avx2 bmi1 bmi2 ` +
	`f16c fma abm movbe xsave hypervisor

processor	: 1
physical id	: 0
core id		: 0
processor	: 2
physical id	: 1
core id		: 0
processor	: 3
physical id	: 1
core id		: 0
`

// recorded is a host's tree with cgroup version 2, a data disk, and more.
var recorded = map[string]string{
	"/proc/cpuinfo": cpuinfo,
	"/proc/uptime":  "12345.67 23456.78\n",
	"/proc/stat":    "cpu  10 0 10 80 0 0 0 5 0 0\n",
	"/proc/meminfo": "MemTotal:       8000000 kB\nMemAvailable:   7000000 kB\n" +
		"SwapTotal:       1024 kB\nHugePages_Total:       2\nHugepagesize:       2048 kB\n",
	"/sys/kernel/kexec_crash_size":                       "268435456\n",
	"/proc/self/cgroup":                                  "0::/user.slice/session.scope\n",
	"/sys/fs/cgroup/user.slice/cpu.max":                  "50000 100000\n",
	"/sys/fs/cgroup/system.slice/cpu.max":                "150000 100000\n",
	"/sys/fs/cgroup/user.slice/session.scope/cpu.max":    "max 100000\n",
	"/sys/fs/cgroup/user.slice/session.scope/memory.max": "max\n",
	"/sys/fs/cgroup/user.slice/memory.max":               "1024000000\n",
	"/sys/fs/cgroup/system.slice/memory.max":             "4096000000\n",
	"/proc/self/mountinfo": `22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw
31 22 8:17 / /mnt/cassandra\040data rw,noatime - xfs /dev/sdb1 rw
32 22 0:40 / /mnt rw - tmpfs tmpfs rw
33 22 8:17 / /mnt/cassandra rw,noatime - xfs /dev/sdb1 rw
`,
	"/mnt/cassandra/lost": "x",
	"/etc/os-release": "NAME=\"Ubuntu\"\nID=ubuntu\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy\n" +
		"PRETTY_NAME=\"Ubuntu \x1b[31m22.04\"\n",
	"/proc/sys/kernel/osrelease":                  "5.15.0-100-generic\n",
	"/proc/sys/kernel/hostname":                   "cassandra1\n",
	"/etc/hostname":                               "cassandra1\n",
	"/etc/resolv.conf":                            "# x\nnameserver 10.0.0.2\nsearch a.example b.example\n",
	"/proc/sys/net/ipv4/ip_local_port_range":      "32768\t60999\n",
	"/lib/modules/5.15.0-100-generic/modules.dep": "kernel/net/bridge/br_netfilter.ko: kernel/net/bridge/bridge.ko\n",
	"/lib/modules/5.15.0-100-generic/kernel/net/bridge/br_netfilter.ko": "x",
	"/lib/modules/5.15.0-100-generic/modules.builtin":                   "kernel/fs/overlayfs/overlay.ko\n",
	"/sys/module/nf_conntrack/refcnt":                                   "1\n",
	"/sys/class/net/lo/mtu":                                             "65536\n",
	"/sys/class/net/eth0/mtu":                                           "1500\n",
	"/sys/class/net/eth0/ifindex":                                       "2\n",
	"/sys/class/net/eth0/operstate":                                     "up\n",
	"/sys/class/net/eth0/speed":                                         "10000\n",
	"/sys/class/net/eth1/mtu":                                           "9000\n",
	"/sys/class/net/eth1/ifindex":                                       "3\n",
	"/sys/class/net/eth1/speed":                                         "-1\n",
	"/sys/class/net/bonding_masters":                                    "bond0\n",
	"/proc/net/tcp": "  sl  local_address rem_address   st\n" +
		"   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  0 0 4711 1\n" +
		"   1: 0B00000A:0016 0100000A:C350 01 00000000:00000000 00:00000000 00000000  0 0 4712 1\n",
	"/proc/net/udp": "  sl  local_address rem_address   st\n" +
		"   0: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000  0 0 4713 1\n",
	"/proc/77/comm":                  "chronyd\n",
	"/proc/78/comm":                  "dockerd\n",
	"/etc/ufw/ufw.conf":              "# x\nENABLED=yes\n",
	"/var/lib/etcd/member/wal":       "x",
	"/sys/class/dmi/id/sys_vendor":   "QEMU\n",
	"/sys/class/dmi/id/product_name": "Standard PC\n",
	"/usr/bin/gpg":                   "#!",
}

func tree(t *testing.T, files map[string]string) System {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		mode := os.FileMode(0o644)
		if strings.HasPrefix(name, "/usr/bin/") {
			mode = 0o755
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return System{
		Root: root, Version: "test",
		Affinity: func() (int, error) { return 3, nil },
		StatFS: func(path string) (syscall.Statfs_t, error) {
			return syscall.Statfs_t{Bsize: 4096, Frsize: 4096, Blocks: 1000, Bfree: 600, Bavail: 500, Files: 100, Ffree: 90}, nil
		},
		ClockSync: func() (bool, float64, error) { return true, 0.01, nil },
		Addresses: func() (map[int][]facts.Address, error) {
			return map[int][]facts.Address{2: {{Prefix: "10.0.0.11/24", Dynamic: true}}}, nil
		},
		Routes:   func() ([]kernelRoute, error) { return recordedRoutes, nil },
		NFTables: func() (int, error) { return 0, nil },
	}
}

// recordedRoutes has ways out, a network of the site, and what is neither.
var recordedRoutes = []kernelRoute{
	{kind: unix.RTN_UNICAST, table: unix.RT_TABLE_MAIN, destination: netip.MustParsePrefix("0.0.0.0/0"),
		hops: []hop{{gateway: netip.MustParseAddr("10.0.0.1"), name: "eth0"}}},
	{kind: unix.RTN_UNICAST, table: 100, destination: netip.MustParsePrefix("128.0.0.0/1"), hops: []hop{{name: "tun\x1b0"}}},
	{kind: unix.RTN_UNICAST, table: unix.RT_TABLE_MAIN, destination: netip.MustParsePrefix("10.0.0.0/24"), hops: []hop{{name: "eth0"}}},
	{kind: unix.RTN_UNICAST, table: unix.RT_TABLE_MAIN, destination: netip.MustParsePrefix("fe80::/10"), hops: []hop{{name: "eth0"}}},
	{kind: unix.RTN_LOCAL, table: unix.RT_TABLE_LOCAL, destination: netip.MustParsePrefix("10.0.0.11/32"), hops: []hop{{name: "eth0"}}},
	{kind: unix.RTN_UNREACHABLE, table: unix.RT_TABLE_MAIN, destination: netip.MustParsePrefix("::/0"), hops: []hop{{name: "lo"}}},
}

func collected(t *testing.T, files map[string]string) *facts.Facts {
	t.Helper()
	f, err := Collect(context.Background(), tree(t, files), Request{Name: "h1", Sample: time.Millisecond,
		Paths: []string{"/mnt/cassandra", "/var/lib/etcd", "/not/there"}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestRecordedHost(t *testing.T) {
	t.Parallel()
	f := collected(t, recorded)
	for _, test := range []struct {
		what      string
		got, want any
	}{
		{"name", f.Name, "h1"},
		{"sockets", f.CPU.Sockets.Value, 2},
		{"cores", f.CPU.Cores.Value, 2},
		{"threads", f.CPU.Threads.Value, 4},
		{"quota of services, not of logins", f.CPU.Quota.Value, 1.5},
		{"usable cores", f.CPU.Usable.Value, 1.5},
		{"level", f.CPU.Level.Value, 3},
		{"AES", f.CPU.AES.Value, true},
		{"memory", f.Memory.Total.Value, int64(8000000 << 10)},
		{"memory limit of services, not of logins", f.Memory.Limit.Value, int64(4096000000)},
		{"usable memory", f.Memory.Usable.Value, int64(4096000000)},
		{"swap", f.Memory.Swap.Value, int64(1 << 20)},
		{"huge pages", f.Memory.HugePages.Value, int64(4 << 20)},
		{"crash kernel", f.Memory.KDump.Value, int64(256 << 20)},
		{"release", f.OS.Version.Value, "22.04"},
		{"name without escapes", f.OS.Pretty.Value, "Ubuntu �[31m22.04"},
		{"control groups", f.Kernel.CGroup.Value, 2},
		{"module to load", f.Kernel.Modules["br_netfilter"].Value, "available"},
		{"module built in", f.Kernel.Modules["overlay"].Value, "builtin"},
		{"module loaded", f.Kernel.Modules["nf_conntrack"].Value, "loaded"},
		{"module missing", f.Kernel.Modules["ip_vs"].Value, "missing"},
		{"sysctl", f.Kernel.Sysctls["net.ipv4.ip_local_port_range"].Value, "32768 60999"},
		{"sysctl not there", english(f.Kernel.Sysctls["vm.swappiness"].Unread), "not there"},
		{"time services", f.Time.Services.Value, []string{"chronyd"}},
		{"host name", f.Network.Hostname.Value, "cassandra1"},
		{"resolvers", f.Network.Resolvers.Value, []string{"10.0.0.2"}},
		{"search", f.Network.Search.Value, []string{"a.example", "b.example"}},
		{"routes", f.Network.Routes.Value, []facts.Route{
			{Gateway: "10.0.0.1", Interface: "eth0"}, {Destination: "128.0.0.0/1", Interface: "tun�0", Table: 100},
		}},
		{"routes inside", f.Network.Inside.Value, []facts.Route{{Destination: "10.0.0.0/24", Interface: "eth0"}}},
		{"listeners", f.Network.Listeners.Value, []facts.Listener{{Protocol: "tcp", Address: "127.0.0.1", Port: 8080},
			{Protocol: "udp", Address: "0.0.0.0", Port: 53}}},
		{"interfaces", f.Network.Interfaces.Value, []facts.NIC{
			{Name: "eth0", State: "up", MTU: 1500, Speed: 10000, Addresses: []facts.Address{{Prefix: "10.0.0.11/24", Dynamic: true}}},
			{Name: "eth1", MTU: 9000, Addresses: []facts.Address{}},
		}},
		{"firewalls", f.Security.Firewalls.Value, []string{"ufw"}},
		{"SELinux", f.Security.SELinux.Value, "absent"},
		{"runtimes", f.Software.Runtimes.Value, []string{"dockerd (running)"}},
		{"leftovers", f.Software.Leftovers.Value, []string{"/var/lib/etcd/member"}},
		{"gpg", f.Software.Programs["gpg"].Value, true},
		{"python3", f.Software.Programs["python3"].Value, false},
		{"guest", f.Virtualisation.Guest.Value, true},
		{"kind", f.Virtualisation.Kind.Value, "QEMU Standard PC"},
	} {
		if !reflect.DeepEqual(test.got, test.want) {
			t.Errorf("%s is %#v, want %#v", test.what, test.got, test.want)
		}
	}
	mounts := []string{}
	for _, path := range f.Paths {
		v := path.FileSystem.Value
		mounts = append(mounts, path.Nearest+" "+v.Mount+" "+v.Type)
		if v.Size != 4096000 || v.Free != 2048000 {
			t.Errorf("%s: size is %d, free %d", path.Path, v.Size, v.Free)
		}
	}
	if want := []string{"/mnt/cassandra /mnt/cassandra xfs", "/var/lib/etcd / ext4", "/ / ext4"}; !slices.Equal(mounts, want) {
		t.Errorf("mounts are %q, want %q", mounts, want)
	}
	if !f.Paths[0].FileSystem.Value.OwnMount || f.Paths[1].FileSystem.Value.OwnMount {
		t.Error("own mounts are not told")
	}
}

// TestContainerNetwork: what packages put into the folder of the container
// network is no leftover, what Kubernetes' own plugins put there is.
func TestContainerNetwork(t *testing.T) {
	t.Parallel()
	files := map[string]string{"/etc/cni/net.d/87-podman-bridge.conflist": "{}", "/etc/cni/net.d/nerdctl-bridge.conflist": "{}",
		"/etc/cni/net.d/cni.lock": ""}
	if left := collected(t, files).Software.Leftovers; !left.Known() || len(left.Value) > 0 {
		t.Errorf("left is %+v", left)
	}
	for _, name := range []string{"10-calico.conflist", "calico.conflist.template", "calico-kubeconfig", "05-cilium.conflist"} {
		left := collected(t, map[string]string{"/etc/cni/net.d/" + name: "{}",
			"/etc/cni/net.d/87-podman-bridge.conflist": "{}"}).Software.Leftovers
		if !slices.Equal(left.Value, []string{"/etc/cni/net.d/" + name}) {
			t.Errorf("%s: left is %+v", name, left)
		}
	}
}

// TestVersion1Groups reads the older hierarchies, whose limits are in other files.
func TestVersion1Groups(t *testing.T) {
	t.Parallel()
	f := collected(t, map[string]string{
		"/proc/cpuinfo":     cpuinfo,
		"/proc/meminfo":     "MemTotal: 8000000 kB\n",
		"/proc/self/cgroup": "4:memory:/a/b\n3:cpu,cpuacct:/a\n0::/x\n",
		"/proc/self/mountinfo": "1 1 0:1 / / rw - ext4 x rw\n" +
			"2 1 0:2 / /cg/memory rw - cgroup cgroup rw,memory\n3 1 0:3 / /cg/cpu rw - cgroup cgroup rw,cpu,cpuacct\n",
		"/cg/memory/a/b/memory.limit_in_bytes": "9223372036854771712\n",
		"/cg/memory/a/memory.limit_in_bytes":   "1000000\n",
		"/cg/cpu/a/cpu.cfs_quota_us":           "200000\n",
		"/cg/cpu/a/cpu.cfs_period_us":          "100000\n",
		"/cg/cpu/cpu.cfs_quota_us":             "-1\n",
	})
	if f.CPU.Quota.Value != 2 || f.Memory.Limit.Value != 1000000 || f.Kernel.CGroup.Value != 1 {
		t.Errorf("quota is %v, limit %v, version %v", f.CPU.Quota, f.Memory.Limit, f.Kernel.CGroup)
	}
}

// TestEmptyHost: on a tree with nothing in it every value says why it is not known.
func TestEmptyHost(t *testing.T) {
	t.Parallel()
	f := collected(t, nil)
	for what, unread := range map[string]message.Text{
		"threads": f.CPU.Threads.Unread, "memory": f.Memory.Total.Unread, "release": f.OS.Version.Unread, "hostname": f.Network.Hostname.Unread,
		"container": f.Virtualisation.Container.Unread, "quota": f.CPU.Quota.Unread, "listeners": f.Network.Listeners.Unread,
		"file system": f.Paths[0].FileSystem.Unread,
	} {
		if unread.IsZero() {
			t.Errorf("%s does not say why it is not known", what)
		}
	}
}

// TestHangingFile: a pipe in the place of a file stops nothing.
func TestHangingFile(t *testing.T) {
	t.Parallel()
	system := tree(t, nil)
	if err := os.MkdirAll(filepath.Join(system.Root, "proc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(system.Root, "proc/meminfo"), 0o644); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	f, err := Collect(context.Background(), system, Request{Sample: time.Millisecond})
	if err != nil || f.Memory.Total.Unread.IsZero() || time.Since(start) > time.Minute {
		t.Errorf("memory is %+v, %v after %s", f.Memory.Total, err, time.Since(start))
	}
}

// TestLimit: what hangs costs its own values alone, and the rest is told in time.
func TestLimit(t *testing.T) {
	t.Parallel()
	system := tree(t, recorded)
	release := make(chan struct{})
	defer close(release)
	system.ClockSync = func() (bool, float64, error) { <-release; return true, 0, nil }
	f, err := Collect(context.Background(), system, Request{Sample: time.Millisecond, Limit: 3 * time.Second})
	if err != nil || !f.Time.Synchronised.Unread.Is("facts.unread.late") || !f.Memory.Total.Known() {
		t.Errorf("time is %+v, memory %+v, %v", f.Time.Synchronised, f.Memory.Total, err)
	}
}

// TestReadOnlyAfterErrors: the mount's own options still say rw then; the kernel
// tells it with the figures of the file system.
func TestReadOnlyAfterErrors(t *testing.T) {
	t.Parallel()
	system := tree(t, recorded)
	statfs := system.StatFS
	for _, flags := range []int64{0, unix.ST_RDONLY} {
		system.StatFS = func(path string) (syscall.Statfs_t, error) {
			stat, err := statfs(path)
			stat.Flags = flags
			return stat, err
		}
		f, err := Collect(t.Context(), system, Request{Sample: time.Millisecond, Paths: []string{"/"}})
		if err != nil {
			t.Fatal(err)
		}
		if v := f.Paths[0].FileSystem.Value; has(v.Options, "ro") != (flags != 0) {
			t.Errorf("with flags %d options are %q", flags, v.Options)
		}
	}
}

// TestEmptyListsTravel: a host that is asked to time no writes times none.
func TestEmptyListsTravel(t *testing.T) {
	t.Parallel()
	data, err := json.Marshal(Request{Fsync: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	var r Request
	if err := json.Unmarshal(data, &r); err != nil || r.Fsync == nil || r.Paths != nil {
		t.Errorf("%s became %+v, %v", data, r, err)
	}
}

// TestHungPath: a dead file system behind one path costs nothing of the other
// paths, whose writes are timed in spite of it; what it says too late changes
// nothing that was told.
func TestHungPath(t *testing.T) {
	t.Parallel()
	system := tree(t, recorded)
	release, late := make(chan struct{}), make(chan struct{})
	statfs := system.StatFS
	system.StatFS = func(path string) (syscall.Statfs_t, error) {
		if path == "/var/lib/etcd" {
			<-release
			defer close(late)
		}
		return statfs(path)
	}
	system.Fsync = func(context.Context, string, bool) (facts.Fsync, error) { return facts.Fsync{MedianP99: 2}, nil }
	f, err := Collect(context.Background(), system, Request{
		Sample: time.Millisecond, Limit: 3 * time.Second,
		Paths: []string{"/", "/var/lib/etcd", "/mnt/cassandra"}, Fsync: []string{"/var/lib/etcd", "/mnt/cassandra"},
	})
	if err != nil {
		t.Fatal(err)
	}
	const tooLate = "not done in time"
	root, etcd, cassandra := f.Paths[0], f.Paths[1], f.Paths[2]
	if !root.FileSystem.Known() || !cassandra.FileSystem.Known() || english(etcd.FileSystem.Unread) != tooLate {
		t.Errorf("file systems are %+v, %+v and %+v", root.FileSystem, cassandra.FileSystem, etcd.FileSystem)
	}
	if !root.Fsync.Unread.Is(facts.NotAsked) || !cassandra.Fsync.Known() || english(etcd.Fsync.Unread) != tooLate {
		t.Errorf("writes are %+v, %+v and %+v", root.Fsync, cassandra.Fsync, etcd.Fsync)
	}
	close(release)
	<-late
	time.Sleep(10 * time.Millisecond) // in which the late one writes; the race detector watches
	if !reflect.DeepEqual(f.Paths[1], etcd) {
		t.Errorf("what was told became %+v", f.Paths[1])
	}
}

// TestHungWrite: a disk that does not finish a write costs the times of its own
// writes alone, not its size, nor what others take.
func TestHungWrite(t *testing.T) {
	t.Parallel()
	system := tree(t, recorded)
	release := make(chan struct{})
	defer close(release)
	var lock sync.Mutex
	var timed []string
	system.Fsync = func(_ context.Context, folder string, _ bool) (facts.Fsync, error) {
		lock.Lock()
		timed = append(timed, folder)
		lock.Unlock()
		if folder == "/var/lib/etcd" {
			<-release
		}
		return facts.Fsync{MedianP99: 2}, nil
	}
	f, err := Collect(context.Background(), system, Request{
		Sample: time.Millisecond, Limit: 3 * time.Second,
		Paths: []string{"/", "/var/lib/etcd", "/mnt/cassandra"}, Fsync: []string{"/var/lib/etcd", "/mnt/cassandra"},
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, unread := range []string{"not done in time", "not done in time", ""} { // the first two lie on one disk
		if p := f.Paths[i]; !p.FileSystem.Known() || english(p.Fsync.Unread) != unread {
			t.Errorf("%s: file system is %+v, writes %+v", p.Path, p.FileSystem, p.Fsync)
		}
	}
	lock.Lock()
	defer lock.Unlock()
	if want := []string{"/var/lib/etcd", "/mnt/cassandra"}; !slices.Equal(timed, want) {
		t.Errorf("writes were timed in %q, want %q: once on each file system", timed, want)
	}
}

func TestFsyncLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, keepName := range []bool{false, true} {
		folder := t.TempDir()
		result, err := timeFsync(context.Background(), folder, keepName)
		if err != nil || result.Writes == 0 || result.MedianP99 < 0 {
			t.Errorf("fsync gives %+v, %v", result, err)
		}
		if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
			t.Errorf("left behind: %v, %v", entries, err)
		}
	}
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	var hundred []float64
	for i := range 100 {
		hundred = append(hundred, float64(100-i))
	}
	for _, test := range []struct {
		values []float64
		p      int
		want   float64
	}{{hundred, 99, 99}, {hundred, 50, 50}, {[]float64{7}, 99, 7}, {[]float64{3, 1, 2}, 50, 2}} {
		if got := percentile(test.values, test.p); got != test.want {
			t.Errorf("percentile %d is %g, want %g", test.p, got, test.want)
		}
	}
}

func TestListenTellsWhatIsInUse(t *testing.T) {
	t.Parallel()
	first, states := Listen("127.0.0.1", "a", []Port{{"tcp", 47811}, {"udp", 47811}})
	defer first.Close()
	second, again := Listen("127.0.0.1", "b", []Port{{"tcp", 47811}, {"udp", 47811}})
	defer second.Close()
	for i := range states {
		if states[i].Outcome != facts.OK || again[i].Outcome != facts.InUse {
			t.Errorf("outcomes are %s and %s", states[i].Outcome, again[i].Outcome)
		}
	}
}

// TestDialTellsWhoAnswers: a firewall that drops lets no connection come about,
// so whatever takes one and is not the probe is another.
func TestDialTellsWhoAnswers(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() // the kernel takes connections for it; nobody ever speaks
	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer packets.Close()
	tcp, udp := listener.Addr().(*net.TCPAddr).Port, packets.LocalAddr().(*net.UDPAddr).Port
	for _, result := range Dial(context.Background(), []Target{
		{Port: Port{"tcp", tcp}, Address: "127.0.0.1", Token: "a"},
		{Port: Port{"udp", udp}, Address: "127.0.0.1", Token: "a"},
		{Port: Port{"tcp", tcp}, Address: "127.0.0.1"}, // any silence is good
	}) {
		outcome, detail := facts.OK, ""
		switch {
		case result.Protocol == "udp":
			outcome = facts.TimedOut
		case result.Token != "":
			outcome, detail = facts.WrongHost, "connects, but says nothing"
		}
		if result.Outcome != outcome || english(result.Detail) != detail {
			t.Errorf("%+v, want %s %q", result, outcome, detail)
		}
	}
}

// english is what people are told, for tests to read.
func english(text message.Text) string { return words.English().Text(text) }

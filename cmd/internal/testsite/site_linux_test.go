package testsite

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/islandbundle/island/cmd/internal/programs"
)

// A host of the test site.
type host struct {
	name, address string
	groups        []string
	pid           int // of its first process, which sshd is
	publicKey     ssh.PublicKey
}

type site struct {
	t        *testing.T
	folder   string
	programs string // as dist/ is laid out
	prefix   string
	hosts    []*host
	stops    []func()
	signer   ssh.Signer
	cgroups  []string

	ports map[string]int // of sshd, where it is not 22
	nic   string         // that the inventory names, where it is not eth0

	inventories []string // where they are not hosts.ini

	daemons map[string]running
}

const network = "10.99.0."

// sites counts those that were built, for the names of their namespaces.
var sites atomic.Int32

// maxRSS is the memory that a run may take, whatever hosts say, in KiB.
const maxRSS = 150 << 10

// goodHosts is a small site with every kind of role.
func goodHosts() []*host {
	return []*host{
		{name: "assethost", groups: []string{"assethost"}},
		{name: "cassandra1", groups: []string{"cassandra"}},
		{name: "elasticsearch1", groups: []string{"elasticsearch"}},
		{name: "minio1", groups: []string{"minio"}},
		{name: "kubenode1", groups: []string{"kube-node", "kube-master", "etcd"}},
		{name: "kubenode2", groups: []string{"kube-node", "kube-master", "etcd"}},
		{name: "kubenode3", groups: []string{"kube-node", "kube-master", "etcd"}},
		{name: "restund1", groups: []string{"restund"}},
	}
}

// needed skips a test where the site cannot be built.
func needed(t *testing.T) {
	t.Helper()
	missing := ""
	if os.Geteuid() != 0 {
		missing = "root"
	}
	for _, tool := range []string{"ip", "nft", "ssh", "sudo", "unshare", "nsenter", "mkfs.ext4", "losetup", "taskset", "tc", "sysctl",
		"gpg", "python3", "fish", "zsh", "tcsh",
		"dnsmasq", "chronyd", "exim4", "turnserver", "haproxy"} {
		if _, err := exec.LookPath(tool); err != nil {
			missing = tool
		}
	}
	if _, err := os.Stat("/usr/sbin/sshd"); err != nil {
		missing = "sshd"
	}
	switch {
	case missing == "":
	case os.Getenv("ISLAND_REQUIRE_TOOLS") == "1":
		t.Fatalf("the test site takes %s", missing)
	default:
		t.Skipf("the test site takes %s", missing)
	}
}

func newSite(t *testing.T, hosts []*host) *site {
	t.Helper()
	needed(t)
	s := &site{
		t:      t,
		folder: t.TempDir(),
		prefix: fmt.Sprintf("isl%d-%d-", os.Getpid()%10000, sites.Add(1)),
		hosts:  hosts,
		ports:  map[string]int{},
	}
	t.Cleanup(s.stop)
	var err error
	if s.programs, err = build(); err != nil {
		t.Fatal(err)
	}
	s.run("ip", "netns", "add", s.prefix+"net")
	s.run("ip", "-n", s.prefix+"net", "link", "add", "br0", "type", "bridge")
	s.run("ip", "-n", s.prefix+"net", "link", "set", "br0", "up")
	s.join("admin", network+"1")
	s.keys()
	for i, h := range hosts {
		h.address = network + strconv.Itoa(11+i)
		s.join(h.name, h.address)
		s.start(h)
	}
	s.documents(hosts)
	s.services()
	for _, h := range hosts {
		s.awaitSSH(h)
	}
	return s
}

// stop takes everything away, in the opposite order.
func (s *site) stop() {
	for _, stop := range slices.Backward(s.stops) {
		stop()
	}
}

func (s *site) run(name string, args ...string) string {
	s.t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// build returns the folder of the program and the probe, laid out as dist/ is,
// once for all tests.
var build = sync.OnceValues(func() (string, error) {
	if _, err := programs.Path("island", programs.Here); err != nil {
		return "", err
	}
	probe, err := programs.Path("island-probe", programs.Here)
	return filepath.Dir(filepath.Dir(probe)), err
})

// program returns the path of one of them.
func (s *site) program(name string) string { return filepath.Join(s.programs, programs.Here, name) }

// join makes a network namespace with one interface on the site's network.
func (s *site) join(name, address string) {
	ns := s.prefix + name
	s.run("ip", "netns", "add", ns)
	s.stops = append(s.stops, func() { _ = exec.Command("ip", "netns", "del", ns).Run() })
	port := "p" + address[strings.LastIndexByte(address, '.')+1:]
	s.run("ip", "-n", ns, "link", "add", "eth0", "type", "veth", "peer", "name", port, "netns", s.prefix+"net")
	s.run("ip", "-n", s.prefix+"net", "link", "set", port, "master", "br0", "up")
	s.run("ip", "-n", ns, "addr", "add", address+"/24", "dev", "eth0")
	s.run("ip", "-n", ns, "link", "set", "lo", "up")
	// One packet at a time, as on a wire: what the kernel would hand on in one
	// piece of many packets passes every MTU.
	s.run("ip", "-n", ns, "link", "set", "eth0", "up", "gso_max_segs", "1")
}

// keys makes the operator's key.
func (s *site) keys() {
	s.stops = append(s.stops, func() { _ = exec.Command("ip", "netns", "del", s.prefix+"net").Run() })
	s.signer = s.newKey(filepath.Join(s.folder, "operator"))
	s.newKey(filepath.Join(s.folder, "stranger"))
}

func (s *site) newKey(file string) ssh.Signer {
	s.t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		s.t.Fatal(err)
	}
	s.file(file, string(pem.EncodeToMemory(block)), 0o600)
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		s.t.Fatal(err)
	}
	return signer
}

func (s *site) file(name, text string, mode os.FileMode) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
}

// start returns a host its files, processes and sshd. Its root is the machine's
// own under a layer in memory, so that a host can be written to as one likes.
func (s *site) start(h *host) {
	conf := filepath.Join(s.folder, h.name)
	h.publicKey = s.newKey(filepath.Join(conf, "host_key")).PublicKey()
	s.file(filepath.Join(conf, "authorized_keys"), string(ssh.MarshalAuthorizedKey(s.signer.PublicKey())), 0o644)
	s.file(
		filepath.Join(conf, "sshd_config"),
		"Port 22\nHostKey /etc/ssh/island_host_key\nAuthorizedKeysFile /etc/ssh/island_keys\nUsePAM no\nPidFile none\nStrictModes no\n"+
			"PasswordAuthentication no\nMaxStartups 100\nLogLevel ERROR\n"+
			// What OpenSSH 8.9 of Ubuntu 22.04 agrees on; later ones choose what costs ten times the processor time.
			"KexAlgorithms curve25519-sha256\n",
		0o644,
	)
	for _, controller := range []string{"memory", "cpu", "blkio"} {
		s.cgroup(h, controller)
	}
	base := filepath.Join(s.folder, h.name+".root")
	if err := os.Mkdir(base, 0o755); err != nil {
		s.t.Fatal(err)
	}
	pidFile := filepath.Join(conf, "ready")
	cmd := exec.Command(
		"nsenter",
		"--net=/run/netns/"+s.prefix+h.name,
		"unshare",
		"--mount",
		"--uts",
		"--ipc",
		"--pid",
		"--fork",
		"--kill-child",
		"/bin/sh",
		"-c",
		hostScript,
		"host",
		h.name,
		conf,
		base,
	)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.stops = append(s.stops, func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if s.t.Failed() {
			s.t.Logf("%s: %s", h.name, log.Bytes())
		}
	})
	s.await("start of "+h.name, func() bool { _, err := os.Stat(pidFile); return err == nil })
	h.pid = s.childOf(cmd.Process.Pid)
	for _, folder := range s.cgroups {
		if strings.HasSuffix(folder, s.prefix+h.name) {
			s.file(filepath.Join(folder, "cgroup.procs"), strconv.Itoa(h.pid), 0)
		}
	}
}

const hostScript = `set -e
name=$1 conf=$2 base=$3
mount --make-rprivate /
mount -t tmpfs -o size=200g,mode=755 tmpfs "$base"
mkdir "$base/upper" "$base/work" "$base/root"
mount -t overlay -o "lowerdir=/,upperdir=$base/upper,workdir=$base/work" overlay "$base/root"
root=$base/root
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /sys/fs/cgroup "$root/sys/fs/cgroup"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o size=64m,mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mkdir -p "$root/run/sshd" "$root/home/tech" "$root/lib/modules/$(uname -r)"
hostname "$name"
echo "$name" >"$root/etc/hostname"
echo "$name" | md5sum | cut -c 1-32 >"$root/etc/machine-id"
printf "127.0.0.1 localhost\n127.0.1.1 %s\n" "$name" >"$root/etc/hosts"
rm -f "$root/etc/os-release" "$root/etc/resolv.conf"
printf 'ID=ubuntu\nVERSION_ID="22.04"\nVERSION_CODENAME=jammy\nPRETTY_NAME="Ubuntu 22.04"\n' >"$root/etc/os-release"
rm -rf "$root/etc/cni/net.d"
# The full kernel of a distribution has modules that this machine's may lack.
modules=$root/lib/modules/$(uname -r)
printf "kernel/net/bridge/br_netfilter.ko\nkernel/fs/overlay.ko\nkernel/net/nf_conntrack.ko\n" >"$modules/modules.builtin"
echo "tech:x:1500:1500::/home/tech:/bin/sh" >>"$root/etc/passwd"
echo "tech:*:19000:0:99999:7:::" >>"$root/etc/shadow"
echo "tech:x:1500:" >>"$root/etc/group"
echo "tech ALL=(ALL) NOPASSWD: ALL" >"$root/etc/sudoers.d/tech"
chmod 440 "$root/etc/sudoers.d/tech"
chown 1500:1500 "$root/home/tech"
cp "$conf/host_key" "$root/etc/ssh/island_host_key"
chmod 600 "$root/etc/ssh/island_host_key"
cp "$conf/authorized_keys" "$root/etc/ssh/island_keys"
cp "$conf/sshd_config" "$root/etc/ssh/island_sshd_config"
touch "$conf/ready"
exec chroot "$root" /usr/sbin/sshd -D -e -f /etc/ssh/island_sshd_config
`

// cgroup makes a control group for a host: of version 1 by controller, else the
// unified one.
func (s *site) cgroup(h *host, controller string) {
	folder := filepath.Join("/sys/fs/cgroup", controller, s.prefix+h.name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		folder = filepath.Join("/sys/fs/cgroup", s.prefix+h.name)
		if err := os.Mkdir(folder, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			s.t.Fatalf("no control group for %s: %v", controller, err)
		}
	}
	if !slices.Contains(s.cgroups, folder) {
		s.cgroups = append(s.cgroups, folder)
		s.stops = append(s.stops, func() {
			for range 50 {
				if gone(folder) {
					return
				}
				time.Sleep(20 * time.Millisecond) // until the kernel has let go of its processes
			}
		})
	}
}

// limit writes into a host's control group, and gives what takes it back.
func (s *site) limit(h *host, file1, value, file2, value2 string) func() {
	for _, folder := range s.cgroups {
		for _, try := range []struct{ file, value string }{{file1, value}, {file2, value2}} {
			file := filepath.Join(folder, try.file)
			before, err := os.ReadFile(file)
			if !strings.HasSuffix(folder, s.prefix+h.name) || try.file == "" || err != nil {
				continue
			}
			s.file(file, try.value, 0)
			return func() { s.file(file, strings.TrimSpace(string(before)), 0) }
		}
	}
	s.t.Fatalf("no control group of %s has %s or %s", h.name, file1, file2)
	return nil
}

// login puts a host's sshd into the group that systemd has for logins, beside the one
// that it has for services; what it gives takes both away.
func (s *site) login(h *host) func() {
	s.t.Helper()
	move := func(folder string) { s.file(filepath.Join(folder, "cgroup.procs"), strconv.Itoa(h.pid), 0) }
	var undo []func()
	for _, folder := range s.cgroups {
		if !strings.HasSuffix(folder, s.prefix+h.name) {
			continue
		}
		services, users := filepath.Join(folder, "system.slice"), filepath.Join(folder, "user.slice")
		if err := errors.Join(os.Mkdir(services, 0o755), os.Mkdir(users, 0o755)); err != nil {
			s.t.Fatal(err)
		}
		move(users)
		control := filepath.Join(folder, "cgroup.subtree_control") // of version 2, where a group with children has no processes
		_, err := os.Stat(control)
		if err == nil {
			s.file(control, "+memory +cpu", 0)
		}
		undo = append(undo, func() {
			if err == nil {
				s.file(control, "-memory -cpu", 0)
			}
			move(folder)
			s.await("end of control groups", func() bool { return gone(services) && gone(users) })
		})
	}
	return func() {
		for _, undo := range undo {
			undo()
		}
	}
}

// gone takes an empty folder away, and tells whether it is.
func gone(folder string) bool {
	err := os.Remove(folder)
	return err == nil || errors.Is(err, os.ErrNotExist)
}

func (s *site) childOf(pid int) int {
	s.t.Helper()
	var child int
	s.await("child of a host", func() bool {
		// nsenter becomes unshare, whose child is the first process of the host.
		data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
		fields := strings.Fields(string(data))
		if len(fields) == 0 {
			return false
		}
		child, _ = strconv.Atoi(fields[0])
		return true
	})
	return child
}

// patience ends what hangs. It measures nothing: a machine may be slow.
const patience = 15 * time.Minute

// await polls for what another process does; it has a limit of its own.
func (s *site) await(what string, done func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(patience / 5); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if done() {
			return
		}
	}
	s.t.Fatalf("%s: not within %s", what, patience/5)
}

func (s *site) awaitSSH(h *host) {
	s.t.Helper()
	s.awaitPort(h.name, h.pid, "tcp:22")
}

// awaitPort waits until something listens on a port, such as tcp:22, in the
// network namespace of a process, at whatever address.
func (s *site) awaitPort(name string, pid int, port string) {
	s.t.Helper()
	protocol, number, _ := strings.Cut(port, ":")
	n, err := strconv.Atoi(number)
	state, ok := map[string]string{"tcp": "0A", "udp": "07"}[protocol]
	if err != nil || !ok {
		s.t.Fatalf("port %q", port)
	}
	s.await("port "+port+" of "+name, func() bool {
		for _, table := range []string{protocol, protocol + "6"} {
			out, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table))
			for line := range strings.Lines(string(out)) {
				if f := strings.Fields(line); len(f) > 3 && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", n)) && f[3] == state {
					return true
				}
			}
		}
		return false
	})
}

// in runs a shell script on a host, as root, with its namespaces and root.
func (s *site) in(h *host, script string, args ...string) string {
	s.t.Helper()
	return s.run(
		"nsenter",
		append([]string{"-t", strconv.Itoa(h.pid), "-m", "-u", "-i", "-n", "-p", "-r", "-w", "/bin/sh", "-ec", script}, args...)...)
}

// background starts something on a host that is ended by what it gives.
func (s *site) background(h *host, args ...string) func() {
	s.t.Helper()
	cmd := exec.Command("nsenter", append([]string{"-t", strconv.Itoa(h.pid), "-n"}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

func (s *site) host(name string) *host {
	for _, h := range s.hosts {
		if h.name == name {
			return h
		}
	}
	s.t.Fatalf("no host %s", name)
	return nil
}

// inventory writes an inventory, to which more may be added.
func (s *site) inventory(edit func(groups map[string][]string)) {
	groups := map[string][]string{}
	for _, h := range s.hosts {
		for _, group := range h.groups {
			groups[group] = append(groups[group], h.name)
		}
	}
	if edit != nil {
		edit(groups)
	}
	var b strings.Builder
	b.WriteString("[all:vars]\nansible_user = tech\nansible_become = True\n\n[every]\n")
	for _, h := range s.hosts {
		fmt.Fprintf(&b, "%s ansible_host=%s", h.name, h.address)
		if port := s.ports[h.name]; port != 0 {
			fmt.Fprintf(&b, " ansible_port=%d", port)
		}
		b.WriteString("\n")
	}
	for group, members := range groups {
		fmt.Fprintf(&b, "\n[%s]\n%s\n", group, strings.Join(members, "\n"))
	}
	fmt.Fprintf(&b, "\n[cassandra:vars]\ncassandra_network_interface = %s\n", cmp.Or(s.nic, "eth0"))
	s.file(filepath.Join(s.folder, "hosts.ini"), b.String(), 0o644)
}

func (s *site) documents(hosts []*host) {
	s.inventory(nil)
	var known strings.Builder
	for _, h := range hosts {
		fmt.Fprintf(&known, "%s,[%s]:2222 %s", h.address, h.address, ssh.MarshalAuthorizedKey(h.publicKey))
	}
	s.file(filepath.Join(s.folder, "known_hosts"), known.String(), 0o644)
	s.file(
		filepath.Join(s.folder, "ssh_config"),
		fmt.Sprintf(
			"Host *\n  IdentityFile %s\n  IdentitiesOnly yes\n  UserKnownHostsFile %s\n  GlobalKnownHostsFile /dev/null\n  "+
				"StrictHostKeyChecking yes\n",
			filepath.Join(s.folder, "operator"),
			filepath.Join(s.folder, "known_hosts"),
		),
		0o644,
	)
	s.siteDocument("")
}

// siteDocument writes what the site promised, with further limits.
func (s *site) siteDocument(limits string) {
	s.file(filepath.Join(s.folder, "site.yaml"), fmt.Sprintf(`apiVersion: island/v1
kind: Site
name: test site
federation: true
push: C
preflight:
  outside: [outside.example]
  dns: {domain: wire.example, server: "%[1]s"}
  certificate: {address: "%[1]s:8443"}
  caFile: %[2]s
  ntp: ["%[1]s"]
  mailRelays: ["%[1]s:25"]
  loadBalancer: {address: "%[1]s"}
  turn: [{address: "%[1]s"}]
  idp: ["https://%[1]s:8444/metadata"]
  # Stolen time and the state of the kernel's clock are no namespace's own: they are the machine's that runs this.
  limits: {cpu.steal: {warn: 100, fail: 100}%[3]s}
  waivers:
    - {id: time.synchronised, reason: the clock is the machine's}
    - {id: guest.container, reason: hosts here are namespaces of one machine}
`, network+"1", filepath.Join(s.folder, "ca.pem"), limits), 0o644)
}

// result is what a run found.
type result struct {
	code     int
	findings []string // ID@HOST of everything but pass, skipped and waived
	elapsed  time.Duration
	stderr   string
	report   report
}

type report struct {
	Table    string
	Findings []struct {
		ID, Host, Object, Outcome, Waived string
		Message                           struct{ EN string }
	}
}

// command is what is run on the admin host.
func (s *site) command() []string {
	args := []string{
		s.program("island"),
		"preflight",
		"--site",
		filepath.Join(s.folder, "site.yaml"),
	}
	inventories := s.inventories
	if inventories == nil {
		inventories = []string{filepath.Join(s.folder, "hosts.ini")}
	}
	for _, inventory := range inventories {
		args = append(args, "--inventory", inventory)
	}
	return args
}

// measuring are the flags that it measures with; where it judges what was measured
// before, they do nothing.
func (s *site) measuring(args []string) []string {
	if slices.Contains(args, "--facts") {
		return nil
	}
	return []string{"--ssh-config", filepath.Join(s.folder, "ssh_config"), "--probe", s.programs}
}

// against is the table that the site is made for, where a test names none.
func (s *site) against(args []string) []string {
	if slices.Contains(args, "--table") {
		return nil
	}
	return []string{"--table", s.table()}
}

// preflight runs the whole command on the admin host.
func (s *site) preflight(args ...string) result {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	full := slices.Concat([]string{"netns", "exec", s.prefix + "admin"},
		s.command(), s.against(args), s.measuring(args), []string{"--output", "json", "--quiet"}, args)
	cmd := exec.CommandContext(ctx, "ip", full...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	_ = cmd.Run()
	r := result{code: cmd.ProcessState.ExitCode(), elapsed: time.Since(start), stderr: stderr.String()}
	r.read(s.t, stdout.Bytes(), "time.synchronised")
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok && usage.Maxrss > maxRSS {
		s.t.Errorf("preflight took %d KiB of memory, at most %d", usage.Maxrss, maxRSS)
	}
	return r
}

// read takes over a report, and lists what it found but for one check.
func (r *result) read(t *testing.T, data []byte, but string) {
	t.Helper()
	if err := json.Unmarshal(data, &r.report); err != nil {
		t.Fatalf("exit %d, not a report: %v\n%s\n%s", r.code, err, data, r.stderr)
	}
	for _, f := range r.report.Findings {
		if f.Outcome != "pass" && f.Outcome != "skipped" && f.Waived == "" && f.ID != but {
			r.findings = append(r.findings, f.ID+"@"+f.Host)
		}
	}
	slices.Sort(r.findings)
}

func (s *site) table() string {
	path, err := filepath.Abs("table.yaml")
	if err != nil {
		s.t.Fatal(err)
	}
	return path
}

// count counts findings of a check that ended in one way.
func (r result) count(id, outcome string) int {
	n := 0
	for _, f := range r.report.Findings {
		if f.ID == id && f.Outcome == outcome {
			n++
		}
	}
	return n
}

// explain words the findings of a run for a failed test.
func (r result) explain() string {
	var b strings.Builder
	for _, f := range r.report.Findings {
		if f.Outcome != "pass" && f.Outcome != "skipped" {
			fmt.Fprintf(&b, "  %s %s@%s %s: %s\n", f.Outcome, f.ID, f.Host, f.Object, f.Message.EN)
		}
	}
	return b.String() + r.stderr
}

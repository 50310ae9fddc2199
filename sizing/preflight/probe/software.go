//go:build linux

package probe

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

func (s System) os() facts.OS {
	const source = "/etc/os-release"
	text, err := s.read(source)
	if err != nil {
		text, err = s.read("/usr/lib/os-release")
	}
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			fields[key] = facts.Cut(strings.Trim(value, `"'`))
		}
	}
	id, idErr := s.machineID()
	return facts.OS{
		MachineID: known(id, idErr, message.Of("facts.method.machine-id", nil), machineIDFile),
		ID:        known(fields["ID"], err, message.Plain("ID"), source),
		Version:   known(fields["VERSION_ID"], err, message.Plain("VERSION_ID"), source),
		Codename:  known(fields["VERSION_CODENAME"], err, message.Plain("VERSION_CODENAME"), source),
		Pretty:    known(fields["PRETTY_NAME"], err, message.Plain("PRETTY_NAME"), source),
	}
}

const machineIDFile = "/etc/machine-id"

// machineID returns a digest of the machine id (machine-id(5)): which one it is is
// nobody's business, whether two are one is.
func (s System) machineID() (string, error) {
	id, err := s.readWord(machineIDFile)
	if err != nil {
		return "", err
	}
	if raw, err := hex.DecodeString(id); err != nil || len(raw) != 16 {
		return "", message.NewProblem("facts.unread.no-machine-id", nil) // as before the first start of an image
	}
	mac := hmac.New(sha256.New, []byte("island-probe"))
	mac.Write([]byte(id))
	return hex.EncodeToString(mac.Sum(nil)[:16]), nil
}

func (s System) kernel(request Request) facts.Kernel {
	const source = "/proc/sys/kernel/osrelease"
	release, err := s.readWord(source)
	const boot = "/proc/sys/kernel/random/boot_id"
	bootID, bootErr := s.readWord(boot)
	k := facts.Kernel{
		BootID:  known(facts.Cut(bootID), bootErr, message.Of("facts.method.kernel-value", nil), boot),
		Release: known(facts.Cut(release), err, message.Of("facts.method.kernel", nil), source),
		CGroup: known(0, message.NewProblem("facts.unread.no-control-group", nil),
			message.Of("facts.method.mounts", nil), "/proc/self/mountinfo"),
		Sysctls: map[string]facts.Value[string]{},
	}
	if g, ok := s.cgroup("memory"); ok {
		k.CGroup = known(g.version, nil, message.Of("facts.method.memory-controller", nil), "/proc/self/mountinfo")
	}
	k.Modules, k.Barred = s.modules(release, request.Modules)
	for _, name := range request.Sysctls {
		file := "/proc/sys/" + strings.ReplaceAll(path.Base(name), ".", "/")
		value, err := s.readWord(file)
		k.Sysctls[name] = known(facts.Cut(strings.Join(strings.Fields(value), " ")), err, message.Of("facts.method.kernel-value", nil), file)
	}
	return k
}

// timeServices are the programs that keep clocks, under the names that the
// kernel cuts to 15 characters.
var timeServices = []string{"chronyd", "ntpd", "ntpsec", "systemd-timesyn", "ptp4l", "phc2sys", "openntpd", "vmtoolsd", "VBoxService"}

func (s System) time() facts.Time {
	synchronised, maxError, err := s.clockSync()
	running, runningErr := s.processes()
	services := []string{}
	for _, name := range timeServices {
		if running[name] {
			services = append(services, name)
		}
	}
	zone, zoneErr := os.Readlink(s.path("/etc/localtime"))
	if _, after, ok := strings.Cut(zone, "zoneinfo/"); ok {
		zone = after
	}
	if zoneErr != nil {
		zone, zoneErr = "UTC", nil // tzset(3): without the file it is UTC
	}
	return facts.Time{
		Synchronised: known(synchronised, err, message.Of("facts.method.clock-flag", nil), "adjtimex(2)"),
		MaxError:     known(maxError, err, message.Of("facts.method.clock-error", nil), "adjtimex(2)"),
		Services:     known(services, runningErr, message.Of("facts.method.running", nil), "/proc"),
		Zone:         known(facts.Cut(zone), zoneErr, message.Of("facts.method.time-zone", nil), "/etc/localtime"),
	}
}

func (s System) clockSync() (bool, float64, error) {
	if s.ClockSync != nil {
		return s.ClockSync()
	}
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return false, 0, err
	}
	return t.Status&unix.STA_UNSYNC == 0, float64(t.Maxerror) / 1e6, nil
}

func (s System) security() facts.Security {
	running, runningErr := s.processes()
	firewalls := []string{}
	if conf, err := s.read("/etc/ufw/ufw.conf"); err == nil && strings.Contains(strings.ToLower(conf), "\nenabled=yes") {
		firewalls = append(firewalls, "ufw")
	}
	if running["firewalld"] {
		firewalls = append(firewalls, "firewalld")
	}
	if tables, err := s.read("/proc/net/ip_tables_names"); err == nil && strings.TrimSpace(tables) != "" {
		firewalls = append(firewalls, "iptables")
	}
	tables, err := s.nftables()
	switch {
	case err != nil && len(firewalls) > 0: // what is found is found
	case err != nil && runningErr == nil:
		runningErr = err // what is known would look like all there is
	case tables > 0:
		firewalls = append(firewalls, "nftables")
	}
	return facts.Security{
		Firewalls: known(firewalls, runningErr, message.Of("facts.method.firewalls", nil), "/etc/ufw/ufw.conf, /proc, netlink"),
		SELinux:   s.selinux(),
		AppArmor:  s.apparmor(),
	}
}

func (s System) selinux() facts.Value[string] {
	return s.kernelState("/sys/fs/selinux/enforce", map[string]string{"1": "enforcing"}, "permissive",
		message.Of("facts.method.kernel-mode", nil))
}

func (s System) apparmor() facts.Value[string] {
	return s.kernelState("/sys/module/apparmor/parameters/enabled", map[string]string{"Y": "enabled"}, "disabled",
		message.Of("facts.method.kernel-parameter", nil))
}

// kernelState words what the kernel says in a file of one word; absent where
// there is none.
func (s System) kernelState(source string, words map[string]string, otherwise string, method message.Text) facts.Value[string] {
	said, err := s.readWord(source)
	state := cmp.Or(words[said], otherwise)
	if errors.Is(err, os.ErrNotExist) {
		state, err = "absent", nil
	}
	return known(state, err, method, source)
}

// systemPath is where programs are looked for: the path of a root login, not
// the one that ssh or sudo happens to give.
var systemPath = []string{"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"}

func (s System) hasProgram(name string) bool {
	return slices.ContainsFunc(systemPath, func(folder string) bool {
		info, err := os.Stat(s.path(path.Join(folder, path.Base(name))))
		return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
	})
}

// runtimes are container runtimes, by the program that serves them.
var runtimes = []string{"containerd", "dockerd", "crio", "podman", "kubelet"}

func (s System) software(request Request) facts.Software {
	result := facts.Software{Programs: map[string]facts.Value[bool]{}}
	for _, name := range request.Programs {
		result.Programs[name] = known(s.hasProgram(name), nil, message.Of("facts.method.program", nil), strings.Join(systemPath, ":"))
	}
	running, err := s.processes()
	found := []string{}
	for _, name := range runtimes {
		switch {
		case running[name]:
			found = append(found, name+" (running)")
		case s.hasProgram(name):
			found = append(found, name)
		}
	}
	result.Runtimes = known(found, err, message.Of("facts.method.runtimes", nil), "/proc, system's path")
	result.Kubernetes = s.installed("/etc/kubernetes/manifests/kube-apiserver.yaml", message.Of("facts.method.kubernetes", nil),
		"kube-apiserver:v", "")
	return result
}

// leftovers reports what is there of an earlier installation.
func (s System) leftovers(request Request) facts.Value[[]string] {
	left := []string{}
	var leftErr error
	for _, name := range request.Leftovers {
		switch used, err := s.used(name); {
		case err != nil:
			leftErr = err
		case used:
			left = append(left, name)
		}
	}
	if len(left) > 0 {
		leftErr = nil // what is found is found, whatever else could not be looked at
	}
	return known(left, leftErr, message.Of("facts.method.leftovers", nil), strings.Join(request.Leftovers, " "))
}

// release returns the version of Wire's server that the asset host serves.
func (s System) release() facts.Value[string] {
	return s.installed("/opt/assets/containers-helm/index.txt",
		message.Of("facts.method.release", nil), "quay.io_wire_brig_", ".tar")
}

// installed finds a version between two texts in the first line of a file that
// has both. A file that is not there says that nothing is installed.
func (s System) installed(file string, method message.Text, before, after string) facts.Value[string] {
	text, err := s.read(file)
	if errors.Is(err, os.ErrNotExist) {
		return known("", nil, method, file)
	}
	for line := range strings.Lines(text) {
		if _, rest, ok := strings.Cut(strings.TrimSpace(line), before); ok && strings.HasSuffix(rest, after) {
			return known(facts.Cut(strings.Trim(strings.TrimSuffix(rest, after), `"'`)), err, method, file)
		}
	}
	if err == nil {
		err = message.NewProblem("facts.unread.no-version", nil)
	}
	return known("", err, method, file)
}

// used tells a file, or a folder with something in it.
func (s System) used(name string) (bool, error) {
	info, err := os.Lstat(s.path(name))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil || !info.IsDir() {
		return err == nil, err
	}
	names, err := s.names(name)
	return len(names) > 0, err
}

func (s System) virtualisation() facts.Virtualisation {
	vendor, _ := s.readWord("/sys/class/dmi/id/sys_vendor")
	product, _ := s.readWord("/sys/class/dmi/id/product_name")
	info, err := s.read("/proc/cpuinfo")
	guest := parseCPUInfo(info).flags["hypervisor"]
	if kind, kindErr := s.readWord("/sys/hypervisor/type"); kindErr == nil {
		guest, vendor = true, strings.TrimSpace(kind+" "+vendor)
	}
	kind := strings.TrimSpace(vendor + " " + product)
	if kind == "" && !guest {
		kind = "none"
	}
	return facts.Virtualisation{
		Guest:     known(guest, err, message.Of("facts.method.guest", nil), "/proc/cpuinfo, /sys/hypervisor/type"),
		Kind:      known(facts.Cut(kind), nil, message.Of("facts.method.firmware", nil), "/sys/class/dmi/id"),
		Container: s.container(),
	}
}

package preflight

import (
	"cmp"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// reachChecks are the checks that failures to reach a host belong to.
var reachChecks = map[facts.Outcome]string{
	facts.Down: "reach.down", facts.Unresolved: "reach.down", facts.AuthRefused: "reach.auth", facts.NoLogin: "reach.login",
	facts.KeyChanged: "reach.host-key", facts.KeyUnknown: "reach.host-key-unknown", facts.NoSudo: "reach.sudo",
	facts.DiskFull: "reach.disk-full",
}

// hostChecks are those that need a host's facts, with the check itself.
var hostChecks = []struct {
	id    string
	judge func(*judgement, *facts.Host, found)
}{
	{"cpu.cores", (*judgement).cores},
	{"cpu.architecture", (*judgement).architecture},
	{"cpu.aes", (*judgement).aes},
	{"cpu.steal", (*judgement).steal},
	{"memory.total", (*judgement).memory},
	{"memory.swap", (*judgement).swap},
	{"disk.size", (*judgement).disks},
	{"disk.fsync", (*judgement).fsync},
	{"os.release", (*judgement).release},
	{"os.machine-id", (*judgement).machineID},
	{"kernel.modules", (*judgement).modules},
	{"kernel.port-range", (*judgement).portRange},
	{"time.synchronised", (*judgement).synchronised},
	{"net.hostname", (*judgement).hostname},
	{"net.address", (*judgement).address},
	{"net.interface", (*judgement).interfaces},
	{"net.static", (*judgement).static},
	{"net.speed", (*judgement).speed},
	{"net.island", (*judgement).island},
	{"net.firewall", (*judgement).firewall},
	{"security.selinux", (*judgement).selinux},
	{"software.leftovers", (*judgement).leftovers},
	{"software.runtime", (*judgement).runtimes},
	{"software.programs", (*judgement).programs},
	{"guest.unproven", (*judgement).unproven},
	{"guest.container", (*judgement).container},
}

func (j *judgement) host(host *facts.Host) {
	f := found{host: host.Name, observed: host.Reach.Outcome.Text(), required: facts.Reached.Text(), method: host.Reach.Method}
	if host.Reach.Outcome != facts.Reached || host.Facts == nil {
		j.unreached(host, f)
		return
	}
	f.outcome = Pass
	j.add("reach.down", f)
	for _, check := range hostChecks {
		if j.concerns(check.id, host) {
			check.judge(j, host, found{host: host.Name})
		}
	}
}

// unreached says once that there are no facts of a host, and skips what needs them.
func (j *judgement) unreached(host *facts.Host, f found) {
	f.outcome = Error
	f.message = message.Of("preflight.finding.host-unmeasured", args{"why": ended(host.Reach.Outcome, host.Reach.Detail)})
	if host.Reach.Outcome == facts.LargeLost {
		j.stuck(f)
	} else {
		j.add(cmp.Or(reachChecks[host.Reach.Outcome], "reach.probe"), f)
	}
	for _, check := range hostChecks {
		if j.concerns(check.id, host) {
			j.add(check.id, found{host: host.Name, outcome: Skipped, message: message.Of("preflight.finding.host-skipped", nil)})
		}
	}
}

func (j *judgement) concerns(id string, host *facts.Host) bool {
	groups := j.checks.Check(id).Groups
	return len(groups) == 0 || site.InAny(host.Groups, groups)
}

// tableSource names where in the table a number comes from.
func (j *judgement) tableSource(key string) message.Text {
	if source, ok := j.Table.Sources[key]; ok {
		return message.Of("preflight.source.table-entry", args{"table": j.Table.Name, "title": source.Title})
	}
	return j.wholeTable()
}

// wholeTable names the table as the source of what is required.
func (j *judgement) wholeTable() message.Text {
	return message.Of("preflight.source.table-name", args{"table": j.Table.Name})
}

func (j *judgement) bundleSource() message.Text {
	return message.Of("preflight.source.bundle-name", args{"bundle": j.Bundle.Name})
}

func (j *judgement) architecture(host *facts.Host, f found) {
	v := host.Facts.CPU.Architecture
	wanted := []string{"amd64"}
	if j.Bundle != nil && len(j.Bundle.Architectures) > 0 {
		wanted, f.source = j.Bundle.Architectures, j.bundleSource()
	}
	if !measured(j, "cpu.architecture", &f, v) {
		return
	}
	f.observed, f.required = names(v.Value), names(wanted...)
	f.outcome = passIf(slices.Contains(wanted, v.Value), Fail)
	j.add("cpu.architecture", f)
}

func (j *judgement) aes(host *facts.Host, f found) {
	v := host.Facts.CPU.AES
	if measured(j, "cpu.aes", &f, v) {
		f.outcome, f.observed, f.required = passIf(v.Value, Warn), truth(v.Value), truth(true)
		j.add("cpu.aes", f)
	}
}

func (j *judgement) steal(host *facts.Host, f found) {
	v := host.Facts.CPU.Steal
	if measured(j, "cpu.steal", &f, v) {
		warn, fail := j.limit("cpu.steal", "warn"), j.limit("cpu.steal", "fail")
		f.outcome, f.observed, f.required, f.unit = graded(v.Value, warn, fail), Number(v.Value), atMost(warn), unit("percent")
		j.add("cpu.steal", f)
	}
}

func (j *judgement) swap(host *facts.Host, f found) {
	v := host.Facts.Memory.Swap
	if measured(j, "memory.swap", &f, v) {
		f.outcome, f.observed, f.required, f.unit = passIf(v.Value == 0, Fail), Number(gigabytes(v.Value)), Number(0), unit("GB")
		if v.Value > 0 && v.Value < 1e7 { // which must not be printed as 0 GB
			f.observed, f.unit = Number(math.Ceil(float64(v.Value)/1e4)/100), unit("MB")
		}
		j.add("memory.swap", f)
	}
}

func (j *judgement) release(host *facts.Host, f found) {
	id, version := host.Facts.OS.ID, host.Facts.OS.Version
	if !measured(j, "os.release", &f, id) || !measured(j, "os.release", &f, version) {
		return
	}
	wanted := j.Site.Preflight.OS
	if len(wanted) == 0 && len(j.Table.OS.Releases) > 0 {
		wanted, f.source = j.Table.OS.Releases, j.tableSource(j.Table.OS.Source)
	}
	if len(wanted) == 0 { // a table that does not say
		wanted, f.source = []site.OSRelease{{ID: "ubuntu", Version: "22.04"}}, message.Named("preflight.source.WSD", "WSD")
	}
	var releases []string
	for _, release := range wanted {
		releases = append(releases, release.ID+" "+release.Version)
	}
	f.observed, f.required = names(id.Value+" "+version.Value), names(releases...)
	f.outcome = passIf(slices.Contains(wanted, site.OSRelease{ID: id.Value, Version: version.Value}), Fail)
	j.add("os.release", f)
}

func (j *judgement) hostname(host *facts.Host, f found) {
	v := host.Facts.Network.Hostname
	if !measured(j, "net.hostname", &f, v) {
		return
	}
	f.outcome = passIf(j.isNamed(host, v.Value), Fail)
	f.observed, f.required = names(v.Value), names(host.Name)
	j.add("net.hostname", f)
}

// isNamed reports whether a host's own name, whole or up to its first dot, is
// the inventory's. Host names are the same in capitals and small letters
// (RFC 4343), and kubelet makes its node's name of small ones; the names of
// Erlang's nodes are not, so RabbitMQ's have to agree to the letter.
func (j *judgement) isNamed(host *facts.Host, name string) bool {
	same := strings.EqualFold
	if slices.Contains(j.roleNames(host), string(site.RabbitMQ)) {
		same = func(a, b string) bool { return a == b }
	}
	short, _, _ := strings.Cut(name, ".")
	return same(name, host.Name) || same(short, host.Name)
}

// nic returns the interface that has a host's internal address.
func nic(host *facts.Host) (*facts.NIC, *facts.Address) {
	wanted, err := netip.ParseAddr(host.Internal)
	interfaces := host.Facts.Network.Interfaces.Value
	for i := range interfaces {
		for k := range interfaces[i].Addresses {
			prefix, prefixErr := netip.ParsePrefix(interfaces[i].Addresses[k].Prefix)
			if err == nil && prefixErr == nil && prefix.Addr() == wanted {
				return &interfaces[i], &interfaces[i].Addresses[k]
			}
		}
	}
	return nil, nil
}

func (j *judgement) address(host *facts.Host, f found) {
	if host.Internal == "" || !measured(j, "net.address", &f, host.Facts.Network.Interfaces) {
		return
	}
	n, _ := nic(host)
	f.outcome, f.required = Pass, names(host.Internal)
	if n != nil {
		f.observed = names(n.Name)
	} else {
		f.outcome, f.observed = Fail, addressesOf(host)
	}
	j.add("net.address", f)
}

// addressesOf lists the addresses that a host has; without any it says so.
func addressesOf(host *facts.Host) message.Text {
	var has []string
	for _, n := range host.Facts.Network.Interfaces.Value {
		for _, address := range n.Addresses {
			has = append(has, address.Prefix)
		}
	}
	if len(has) == 0 {
		return message.Of("preflight.value.no-address", nil)
	}
	return names(has...)
}

// interfaces judges those that the inventory names: a service binds to the
// address that it finds there, and others use the internal one.
func (j *judgement) interfaces(host *facts.Host, f found) {
	if !host.Facts.Network.Interfaces.Known() {
		return // net.address says so
	}
	f.method = host.Facts.Network.Interfaces.Method
	var there []string
	for _, n := range host.Facts.Network.Interfaces.Value {
		there = append(there, n.Name)
	}
	with, _ := nic(host)
	for _, name := range host.Interfaces {
		f.object, f.required = names(name), names(name)
		switch {
		case !slices.Contains(there, name):
			f.outcome, f.observed = Fail, names(there...)
			f.message = message.Of("preflight.finding.no-interface", args{"name": name, "there": strings.Join(there, ", ")})
		case with != nil && with.Name != name:
			f.outcome, f.observed = Fail, names(with.Name)
			f.message = message.Of("preflight.finding.other-interface", args{"name": name, "address": host.Internal, "at": with.Name})
		default:
			f.outcome, f.observed, f.message = Pass, names(name), message.Text{}
		}
		j.add("net.interface", f)
	}
}

func (j *judgement) static(host *facts.Host, f found) {
	if !host.Facts.Network.Interfaces.Known() {
		return // net.address says so
	}
	n, address := nic(host)
	if n == nil {
		return
	}
	f.method, f.object = host.Facts.Network.Interfaces.Method, names(address.Prefix)
	static := message.Of("preflight.value.static", nil)
	f.outcome, f.observed, f.required = Pass, static, static
	if address.Dynamic {
		f.outcome, f.observed = Fail, message.Of("preflight.value.dynamic", nil)
	}
	j.add("net.static", f)
}

func (j *judgement) speed(host *facts.Host, f found) {
	if !host.Facts.Network.Interfaces.Known() {
		return
	}
	n, _ := nic(host)
	if n == nil {
		return
	}
	wanted := j.limit("net.speed", "mbit")
	f.object, f.required, f.unit, f.method = names(n.Name), atLeast(wanted), unit("Mbps"), message.Of("facts.method.speed", nil)
	if n.Speed == 0 {
		f.outcome, f.message = Skipped, message.Of("preflight.finding.no-speed", args{"name": n.Name})
	} else {
		f.outcome, f.observed = passIf(float64(n.Speed) >= wanted, Fail), Number(n.Speed)
	}
	j.add("net.speed", f)
}

func (j *judgement) island(host *facts.Host, f found) {
	if j.Site.Internet || !measured(j, "net.island", &f, host.Facts.Network.Routes) {
		return
	}
	var routes []string
	for _, route := range host.Facts.Network.Routes.Value {
		if route.Interface != "*" { // a route that discards, in facts of earlier versions
			routes = append(routes, route.String())
		}
	}
	f.outcome, f.observed, f.required = passIf(len(routes) == 0, Fail), names(routes...), message.Of("preflight.value.no-route", nil)
	if len(routes) > 0 {
		f.message = message.Of("preflight.finding.route-out", args{"routes": strings.Join(routes, ", ")})
	}
	j.add("net.island", f)
}

func (j *judgement) firewall(host *facts.Host, f found) {
	v := host.Facts.Security.Firewalls
	if !knownElse(j, "net.firewall", &f, v, Skipped) {
		return
	}
	managers := slices.DeleteFunc(slices.Clone(v.Value), func(name string) bool { return name != "ufw" && name != "firewalld" })
	f.outcome, f.observed = passIf(len(managers) == 0, Warn), names(managers...)
	j.add("net.firewall", f)
}

func (j *judgement) selinux(host *facts.Host, f found) {
	v := host.Facts.Security.SELinux
	if measured(j, "security.selinux", &f, v) {
		f.outcome, f.observed = passIf(v.Value != "enforcing", Warn), names(v.Value)
		j.add("security.selinux", f)
	}
}

func (j *judgement) leftovers(host *facts.Host, f found) {
	v := host.Facts.Software.Leftovers
	if !knownElse(j, "software.leftovers", &f, v, Skipped) {
		return
	}
	f.outcome, f.observed = passIf(len(v.Value) == 0 || j.isUpgrade(), Fail), names(v.Value...)
	if len(v.Value) > 0 {
		f.message = message.Of("preflight.finding.leftovers", args{"paths": strings.Join(v.Value, ", ")})
	}
	j.add("software.leftovers", f)
}

func (j *judgement) runtimes(host *facts.Host, f found) {
	v := host.Facts.Software.Runtimes
	if !measured(j, "software.runtime", &f, v) {
		return
	}
	var running []string
	for _, name := range v.Value {
		if name == "dockerd (running)" || name == "crio (running)" {
			running = append(running, strings.TrimSuffix(name, " (running)"))
		}
	}
	f.outcome, f.observed = passIf(len(running) == 0, Warn), names(running...)
	j.add("software.runtime", f)
}

// neededPrograms are those that the installation runs on every host.
var neededPrograms = []string{"gpg", "python3"}

func (j *judgement) programs(host *facts.Host, f found) {
	var missing []string
	for _, name := range neededPrograms {
		v := host.Facts.Software.Programs[name]
		if !measured(j, "software.programs", &f, v) {
			return
		}
		if !v.Value {
			missing = append(missing, name)
		}
	}
	f.outcome, f.observed, f.required = passIf(len(missing) == 0, Fail), names(missing...), names(neededPrograms...)
	if len(missing) > 0 {
		f.message = message.Of("preflight.finding.programs", args{"missing": f.observed})
	}
	j.add("software.programs", f)
}

func (j *judgement) unproven(host *facts.Host, f found) {
	v := host.Facts.Virtualisation.Guest
	if !v.Known() || !v.Value {
		return
	}
	f.outcome, f.observed, f.method = Skipped, names(host.Facts.Virtualisation.Kind.Value), v.Method
	f.message = message.Of("preflight.finding.guest", nil)
	j.add("guest.unproven", f)
}

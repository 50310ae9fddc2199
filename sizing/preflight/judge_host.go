package preflight

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// reachChecks tells which check a failure to reach a host belongs to.
var reachChecks = map[facts.Outcome]string{
	facts.Down: "reach.down", facts.Unresolved: "reach.down", facts.AuthRefused: "reach.auth", facts.KeyChanged: "reach.host-key",
	facts.KeyUnknown: "reach.host-key-unknown", facts.NoSudo: "reach.sudo", facts.DiskFull: "reach.disk-full",
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
}

func (j *judgement) host(host *facts.Host) {
	base := found{host: host.Name}
	outcome := host.Reach.Outcome
	if outcome != facts.Reached || host.Facts == nil {
		f := base
		f.outcome, f.observed, f.required, f.method = Error, string(outcome), string(facts.Reached), host.Reach.Method
		f.message = say("host could not be measured: %s", "Host konnte nicht gemessen werden: %s", ended(outcome, host.Reach.Detail))
		if outcome == facts.LargeLost {
			j.stuck(f)
		} else {
			j.add(cmp.Or(reachChecks[outcome], "reach.probe"), f)
		}
		for _, check := range hostChecks {
			if j.concerns(check.id, host) {
				f := base
				f.outcome, f.message = Skipped, say("host was not measured", "Host wurde nicht gemessen")
				j.add(check.id, f)
			}
		}
		return
	}
	f := base
	f.outcome, f.observed, f.required, f.method = Pass, string(outcome), string(facts.Reached), host.Reach.Method
	j.add("reach.down", f)
	for _, check := range hostChecks {
		if j.concerns(check.id, host) {
			check.judge(j, host, base)
		}
	}
}

func (j *judgement) concerns(id string, host *facts.Host) bool {
	groups := j.checks.Check(id).Groups
	return len(groups) == 0 || site.InAny(host.Groups, groups)
}

// measured fills in a value's method, and says when it was not read: then the
// check is an error, and there is nothing to judge.
func measured[T any](j *judgement, id string, f *found, v facts.Value[T]) bool {
	f.method = v.Method
	if v.Source != "" {
		f.method += " (" + v.Source + ")"
	}
	if v.Known() {
		return true
	}
	f.outcome = Error
	f.message = say("could not be measured: %s", "Konnte nicht gemessen werden: %s", Phrase(cmp.Or(v.Unread, "not in the facts")))
	j.add(id, *f)
	return false
}

func (j *judgement) cores(host *facts.Host, f found) {
	v := host.Facts.CPU.Usable
	var required int
	for _, r := range j.roles[host.Name] {
		required += r.Cores
		f.source = j.tableSource(r.CoresSource)
	}
	if required == 0 || !measured(j, "cpu.cores", &f, v) {
		return
	}
	f.observed, f.required, f.unit = trim(v.Value), strconv.Itoa(required), "cores"
	f.outcome = passIf(v.Value >= float64(required), Fail)
	f.message = say("%s usable cores, %d required", "%s nutzbare Kerne, %d verlangt", Phrase(f.observed), required)
	if c := host.Facts.CPU; v.Value < float64(c.Threads.Value) {
		f.message = say("%s usable cores of %d (affinity %d, quota %s), %d required", "%s nutzbare Kerne von %d (Affinität %d, Quote %s), %d verlangt",
			Phrase(f.observed), c.Threads.Value, c.Affinity.Value, Phrase(trim(c.Quota.Value)), required)
	}
	j.add("cpu.cores", f)
}

// tableSource names where in the table a number comes from.
func (j *judgement) tableSource(key string) string {
	if source, ok := j.Table.Sources[key]; ok {
		return fmt.Sprintf("table %s: %s", j.Table.Name, source.Title)
	}
	return "table " + j.Table.Name
}

func (j *judgement) architecture(host *facts.Host, f found) {
	v := host.Facts.CPU.Architecture
	wanted := []string{"amd64"}
	if j.Bundle != nil && len(j.Bundle.Architectures) > 0 {
		wanted, f.source = j.Bundle.Architectures, "bundle "+j.Bundle.Name
	}
	if !measured(j, "cpu.architecture", &f, v) {
		return
	}
	f.observed, f.required = v.Value, strings.Join(wanted, ", ")
	f.outcome = passIf(slices.Contains(wanted, v.Value), Fail)
	j.add("cpu.architecture", f)
}

func (j *judgement) aes(host *facts.Host, f found) {
	v := host.Facts.CPU.AES
	if measured(j, "cpu.aes", &f, v) {
		f.outcome, f.observed, f.required = passIf(v.Value, Warn), strconv.FormatBool(v.Value), "true"
		j.add("cpu.aes", f)
	}
}

func (j *judgement) steal(host *facts.Host, f found) {
	v := host.Facts.CPU.Steal
	if measured(j, "cpu.steal", &f, v) {
		warn, fail := j.limit("cpu.steal", "warn"), j.limit("cpu.steal", "fail")
		f.outcome, f.observed, f.required, f.unit = graded(v.Value, warn, fail), trim(v.Value), "≤ "+trim(warn), "%"
		j.add("cpu.steal", f)
	}
}

func (j *judgement) memory(host *facts.Host, f found) {
	v := host.Facts.Memory.Usable
	var required manifests.Bytes
	moreThan := false
	for _, r := range j.roles[host.Name] {
		required += r.Memory
		moreThan = moreThan || r.MoreThan
		f.source = j.tableSource(r.MemorySource)
	}
	if required == 0 || !measured(j, "memory.total", &f, v) {
		return
	}
	f.outcome, f.tolerance = j.amount(v.Value, required, j.Table.Tolerance.Memory, moreThan)
	f.observed, f.required, f.unit = gigabytes(v.Value), gigabytes(int64(required)), "GB"
	if huge := host.Facts.Memory.HugePages.Value; huge > 0 {
		f.message = say("%s GB visible, %s GB of them huge pages; %s GB required (tolerance %s)", "%s GB sichtbar, %s GB davon Huge Pages; %s GB verlangt (Toleranz %s)",
			Phrase(gigabytes(host.Facts.Memory.Total.Value)), Phrase(gigabytes(huge)), Phrase(f.required), f.tolerance)
		j.add("memory.total", f)
		return
	}
	f.message = say("%s GB visible, %s GB required (tolerance %s)", "%s GB sichtbar, %s GB verlangt (Toleranz %s)", Phrase(f.observed), Phrase(f.required), f.tolerance)
	j.add("memory.total", f)
}

// amount compares what is visible with what is nominally required.
func (j *judgement) amount(visible int64, required manifests.Bytes, t sizing.Tolerance, moreThan bool) (Outcome, string) {
	least := t.Least(required)
	ok := visible >= int64(least)
	if moreThan {
		ok = visible > int64(least)
	}
	return passIf(ok, Fail), fmt.Sprintf("%d %%", t.Percent)
}

func (j *judgement) swap(host *facts.Host, f found) {
	v := host.Facts.Memory.Swap
	if measured(j, "memory.swap", &f, v) {
		f.outcome, f.observed, f.required, f.unit = passIf(v.Value == 0, Fail), gigabytes(v.Value), "0", "GB"
		j.add("memory.swap", f)
	}
}

func (j *judgement) release(host *facts.Host, f found) {
	id, version := host.Facts.OS.ID, host.Facts.OS.Version
	if !measured(j, "os.release", &f, id) || !measured(j, "os.release", &f, version) {
		return
	}
	wanted := j.Site.Preflight.OS
	if len(wanted) == 0 {
		wanted = []site.OSRelease{{ID: "ubuntu", Version: "22.04"}}
	}
	var names []string
	for _, release := range wanted {
		names = append(names, release.ID+" "+release.Version)
	}
	f.observed, f.required = id.Value+" "+version.Value, strings.Join(names, ", ")
	f.outcome = passIf(slices.Contains(wanted, site.OSRelease{ID: id.Value, Version: version.Value}), Fail)
	j.add("os.release", f)
}

func (j *judgement) modules(host *facts.Host, f found) {
	var missing []string
	for _, name := range []string{"br_netfilter", "nf_conntrack", "overlay"} {
		v := host.Facts.Kernel.Modules[name]
		if !measured(j, "kernel.modules", &f, v) {
			return
		}
		if v.Value == "missing" {
			missing = append(missing, name)
		}
	}
	f.outcome, f.observed, f.required = passIf(len(missing) == 0, Fail), strings.Join(missing, ", "), "br_netfilter, nf_conntrack, overlay"
	if len(missing) > 0 {
		f.message = say("modules are missing: %s", "Module fehlen: %s", f.observed)
	}
	j.add("kernel.modules", f)
}

func (j *judgement) portRange(host *facts.Host, f found) {
	v := host.Facts.Kernel.Sysctls["net.ipv4.ip_local_port_range"]
	if !measured(j, "kernel.port-range", &f, v) {
		return
	}
	var first, last int
	if _, err := fmt.Sscanf(v.Value, "%d %d", &first, &last); err != nil {
		f.outcome, f.message = Error, say("range is not understood: %s", "Bereich ist nicht verständlich: %s", v.Value)
		j.add("kernel.port-range", f)
		return
	}
	nodeFirst, nodeLast := int(j.limit("kernel.port-range", "first")), int(j.limit("kernel.port-range", "last"))
	f.observed, f.required = v.Value, fmt.Sprintf("outside %d–%d", nodeFirst, nodeLast)
	f.outcome = passIf(first > nodeLast || last < nodeFirst, Fail)
	j.add("kernel.port-range", f)
}

func (j *judgement) synchronised(host *facts.Host, f found) {
	v := host.Facts.Time.Synchronised
	if measured(j, "time.synchronised", &f, v) {
		f.outcome, f.observed, f.required = passIf(v.Value, Warn), strconv.FormatBool(v.Value), "true"
		j.add("time.synchronised", f)
	}
}

func (j *judgement) hostname(host *facts.Host, f found) {
	v := host.Facts.Network.Hostname
	if !measured(j, "net.hostname", &f, v) {
		return
	}
	short, _, _ := strings.Cut(v.Value, ".")
	f.outcome = passIf(v.Value == host.Name || short == host.Name, Fail)
	f.observed, f.required = v.Value, host.Name
	j.add("net.hostname", f)
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
	f.outcome, f.required = passIf(n != nil, Fail), host.Internal
	if n != nil {
		f.observed = n.Name
	}
	j.add("net.address", f)
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
		f.object, f.required = name, name
		switch {
		case !slices.Contains(there, name):
			f.outcome, f.observed = Fail, strings.Join(there, ", ")
			f.message = say("inventory names the interface %s; there are %s", "Inventory nennt die Schnittstelle %s; vorhanden sind %s", name, f.observed)
		case with != nil && with.Name != name:
			f.outcome, f.observed = Fail, with.Name
			f.message = say("inventory names the interface %s, but the address %s that others use is at %s", "Inventory nennt die Schnittstelle %s, aber die Adresse %s, die andere verwenden, liegt auf %s", name, host.Internal, with.Name)
		default:
			f.outcome, f.observed, f.message = Pass, name, page.Text{}
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
	f.method = host.Facts.Network.Interfaces.Method
	f.outcome, f.observed, f.required = passIf(!address.Dynamic, Fail), map[bool]string{true: "dynamic", false: "static"}[address.Dynamic], "static"
	f.object = address.Prefix
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
	f.object, f.required, f.unit, f.method = n.Name, "≥ "+trim(wanted), "Mbit/s", "speed that the driver reports"
	if n.Speed == 0 {
		f.outcome = Skipped
		f.message = say("the driver of %s does not say its speed, as most virtual ones", "Der Treiber von %s nennt keine Geschwindigkeit, wie die meisten virtuellen", n.Name)
	} else {
		f.outcome, f.observed = passIf(float64(n.Speed) >= wanted, Fail), strconv.FormatInt(n.Speed, 10)
	}
	j.add("net.speed", f)
}

func (j *judgement) island(host *facts.Host, f found) {
	if j.Site.Internet || !measured(j, "net.island", &f, host.Facts.Network.Routes) {
		return
	}
	var routes []string
	for _, route := range host.Facts.Network.Routes.Value {
		routes = append(routes, strings.TrimSpace(cmp.Or(route.Destination, "default")+" "+route.Gateway+" "+route.Interface))
	}
	f.outcome, f.observed, f.required = passIf(len(routes) == 0, Fail), strings.Join(routes, ", "), "no route out"
	if len(routes) > 0 {
		f.message = say("a route leads out: %s", "Eine Route führt hinaus: %s", f.observed)
	}
	j.add("net.island", f)
}

func (j *judgement) firewall(host *facts.Host, f found) {
	v := host.Facts.Security.Firewalls
	f.method = v.Method
	if !v.Known() {
		f.outcome, f.message = Skipped, say("not known: %s", "Nicht bekannt: %s", Phrase(v.Unread))
		j.add("net.firewall", f)
		return
	}
	managers := slices.DeleteFunc(slices.Clone(v.Value), func(name string) bool { return name != "ufw" && name != "firewalld" })
	f.outcome, f.observed = passIf(len(managers) == 0, Warn), strings.Join(managers, ", ")
	j.add("net.firewall", f)
}

func (j *judgement) selinux(host *facts.Host, f found) {
	v := host.Facts.Security.SELinux
	if measured(j, "security.selinux", &f, v) {
		f.outcome, f.observed = passIf(v.Value != "enforcing", Warn), v.Value
		j.add("security.selinux", f)
	}
}

func (j *judgement) leftovers(host *facts.Host, f found) {
	v := host.Facts.Software.Leftovers
	if !v.Known() {
		f.outcome, f.message = Skipped, say("not known: %s", "Nicht bekannt: %s", Phrase(v.Unread))
		j.add("software.leftovers", f)
		return
	}
	f.method = v.Method
	f.outcome, f.observed = passIf(len(v.Value) == 0 || j.isUpgrade(), Fail), strings.Join(v.Value, ", ")
	if len(v.Value) > 0 {
		f.message = say("left of an earlier installation: %s", "Von einer früheren Installation übrig: %s", f.observed)
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
			running = append(running, name)
		}
	}
	f.outcome, f.observed = passIf(len(running) == 0, Warn), strings.Join(v.Value, ", ")
	j.add("software.runtime", f)
}

func (j *judgement) programs(host *facts.Host, f found) {
	var missing []string
	for _, name := range []string{"gpg", "python3"} {
		v := host.Facts.Software.Programs[name]
		if !measured(j, "software.programs", &f, v) {
			return
		}
		if !v.Value {
			missing = append(missing, name)
		}
	}
	f.outcome, f.observed, f.required = passIf(len(missing) == 0, Fail), strings.Join(missing, ", "), "gpg, python3"
	if len(missing) > 0 {
		f.message = say("programs are missing: %s", "Programme fehlen: %s", f.observed)
	}
	j.add("software.programs", f)
}

func (j *judgement) unproven(host *facts.Host, f found) {
	v := host.Facts.Virtualisation.Guest
	if !v.Known() || !v.Value {
		return
	}
	f.outcome, f.observed, f.method = Skipped, host.Facts.Virtualisation.Kind.Value, v.Method
	f.message = page.Text{
		EN: "a guest cannot prove that its disk is not thin, nor that its cores are not promised twice beyond stolen time",
		DE: "Ein Gast kann nicht beweisen, dass seine Festplatte nicht dünn zugeteilt ist und seine Kerne nicht über entzogene Zeit hinaus doppelt zugesagt sind",
	}
	j.add("guest.unproven", f)
}

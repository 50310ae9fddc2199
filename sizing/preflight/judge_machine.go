package preflight

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// A machine has one name or more in the inventory. What is required for each name it
// has to have for all of them together.
type machine struct {
	hosts []*facts.Host // in the inventory's order
}

// assignMachines finds out which names stand for one machine.
func (j *judgement) assignMachines() {
	j.machines = map[string]*machine{}
	var known []*machine
	for i := range j.Survey.Hosts {
		host := &j.Survey.Hosts[i]
		of := slices.IndexFunc(known, func(m *machine) bool {
			return slices.ContainsFunc(m.hosts, func(other *facts.Host) bool { return sameMachine(host, other) })
		})
		if of < 0 {
			of, known = len(known), append(known, &machine{})
		}
		known[of].hosts = append(known[of].hosts, host)
		j.machines[host.Name] = known[of]
	}
}

// first is the name that stands for a machine, under which it is judged.
func (m *machine) first() *facts.Host { return m.hosts[0] }

// names are those that a machine has.
func (m *machine) names() string {
	var names []string
	for _, host := range m.hosts {
		names = append(names, host.Name)
	}
	return strings.Join(names, ", ")
}

// load returns the roles of a machine: those of all its names, so that one that stands
// for two names counts twice.
func (j *judgement) load(m *machine) []sizing.Requirement {
	var roles []sizing.Requirement
	for _, host := range m.hosts {
		roles = append(roles, j.roles[host.Name]...)
	}
	return roles
}

// judgedAt says of a host that is not the first name of its machine that what the machine
// has to have is judged there, and tells whether it is such a one.
func (j *judgement) judgedAt(id string, host *facts.Host, f found) bool {
	first := j.machines[host.Name].first()
	if first == host {
		return false
	}
	f.outcome, f.message = Skipped, message.Of("preflight.finding.same-machine", args{"name": first.Name})
	j.add(id, f)
	return true
}

// ofMachine names all names of a machine in a finding about what it has, where there
// are more than one.
func (j *judgement) ofMachine(host *facts.Host, said message.Text) message.Text {
	m := j.machines[host.Name]
	if len(m.hosts) == 1 {
		return said
	}
	return message.Of("preflight.finding.one-machine", args{"names": m.names(), "what": said})
}

// sameMachine tells whether two names are known to stand for one machine. Its interfaces
// are the same by each: addresses and names can be forwarded, and images that machines
// are made of have one machine id. What has started apart is not one; saved
// facts of earlier versions do not say when that was.
func sameMachine(a, b *facts.Host) bool {
	if a.Facts == nil || b.Facts == nil {
		return false
	}
	if x, y := a.Facts.Kernel.BootID, b.Facts.Kernel.BootID; x.Known() && y.Known() && x.Value != y.Value {
		return false
	}
	if hardware := hardwareOf(a); len(hardware) > 0 && slices.Equal(hardware, hardwareOf(b)) {
		return true
	}
	return hasInterface(b, a) || hasInterface(a, b)
}

// hardwareOf are the hardware addresses of a host's devices; of what is no device, such as
// the bridges that programs make, where there is none.
func hardwareOf(host *facts.Host) []string {
	var devices, all []string
	for _, n := range host.Facts.Network.Interfaces.Value {
		switch {
		case strings.Trim(n.Hardware, "0:") == "":
		case n.Driver != "":
			devices = append(devices, n.Hardware)
		default:
			all = append(all, n.Hardware)
		}
	}
	if len(devices) > 0 {
		all = devices
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// hasInterface tells whether a host has the interface that another's address is at: of
// the same hardware address, and with that address.
func hasInterface(host, other *facts.Host) bool {
	wanted, at := nic(other)
	if wanted == nil {
		return false
	}
	return slices.ContainsFunc(host.Facts.Network.Interfaces.Value, func(n facts.NIC) bool {
		return n.Hardware == wanted.Hardware && slices.ContainsFunc(n.Addresses, func(a facts.Address) bool { return isSameAddress(a, *at) })
	})
}

func isSameAddress(a, b facts.Address) bool {
	p, errP := netip.ParsePrefix(a.Prefix)
	q, errQ := netip.ParsePrefix(b.Prefix)
	return errP == nil && errQ == nil && p.Addr() == q.Addr()
}

// machineID judges whether a host's machine id is its own.
func (j *judgement) machineID(host *facts.Host, f found) {
	v := host.Facts.OS.MachineID
	if !v.Known() {
		f.outcome, f.message, f.method = Skipped, message.Of("preflight.finding.not-known", args{"why": unread(v)}), v.Method
		j.add("os.machine-id", f)
		return
	}
	measured(j, "os.machine-id", &f, v)
	var others []string
	for i := range j.Survey.Hosts {
		other := &j.Survey.Hosts[i]
		if other.Facts != nil && other.Facts.OS.MachineID.Value == v.Value && j.machines[other.Name] != j.machines[host.Name] {
			others = append(others, other.Name)
		}
	}
	f.outcome, f.observed = passIf(len(others) == 0, Warn), message.Of("preflight.value.own", nil)
	f.required = f.observed
	if len(others) > 0 {
		f.observed = names(others...)
		f.message = message.Of("preflight.finding.machine-id", args{"others": f.observed})
	}
	j.add("os.machine-id", f)
}

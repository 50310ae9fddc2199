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

// assignMachines finds out which names stand for one machine. Its interfaces are the same
// by each: the same devices, or the one that has the other's address. Addresses alone
// can be translated, and images that machines are made of have one machine id.
func (j *judgement) assignMachines() {
	j.machines = map[string]*machine{}
	var measured []*facts.Host
	owners, alike := map[string][]*facts.Host{}, map[string][]*facts.Host{}
	for i := range j.Survey.Hosts {
		host := &j.Survey.Hosts[i]
		j.machines[host.Name] = &machine{[]*facts.Host{host}}
		if host.Facts == nil {
			continue
		}
		measured = append(measured, host)
		if n, address := nic(host); n != nil {
			key := interfaceKey(n, address)
			owners[key] = append(owners[key], host)
		}
		if hardware := hardwareOf(host); hardware != "" {
			alike[hardware] = append(alike[hardware], host)
		}
	}
	for _, host := range measured {
		j.join(host, alike[hardwareOf(host)])
		for key := range interfaceKeys(host) {
			j.join(host, owners[key])
		}
	}
}

// join makes one machine of a host and of others that are like it, but for those that
// have started apart; saved facts of earlier versions do not say when that was.
func (j *judgement) join(host *facts.Host, others []*facts.Host) {
	for _, other := range others {
		mine, theirs := j.machines[host.Name], j.machines[other.Name]
		if mine == theirs || startedApart(host.Facts.Kernel.BootID, other.Facts.Kernel.BootID) {
			continue
		}
		mine.hosts = append(mine.hosts, theirs.hosts...)
		slices.SortFunc(mine.hosts, func(a, b *facts.Host) int { return j.place[a.Name] - j.place[b.Name] })
		for _, joined := range theirs.hosts {
			j.machines[joined.Name] = mine
		}
	}
}

func startedApart(a, b facts.Value[string]) bool { return a.Known() && b.Known() && a.Value != b.Value }

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
	if first.Name == host.Name {
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

// hardwareOf are the hardware addresses of a host's devices, as one text; of what is no
// device, such as the bridges that programs make, where there is none.
func hardwareOf(host *facts.Host) string {
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
	return strings.Join(slices.Compact(all), " ")
}

// interfaceKeys are a host's addresses with the hardware addresses of what they are at.
func interfaceKeys(host *facts.Host) map[string]bool {
	keys := map[string]bool{}
	for i := range host.Facts.Network.Interfaces.Value {
		n := &host.Facts.Network.Interfaces.Value[i]
		for k := range n.Addresses {
			keys[interfaceKey(n, &n.Addresses[k])] = true
		}
	}
	return keys
}

func interfaceKey(n *facts.NIC, address *facts.Address) string {
	prefix, err := netip.ParsePrefix(address.Prefix)
	if err != nil {
		return n.Hardware + " " + address.Prefix
	}
	return n.Hardware + " " + prefix.Addr().String()
}

// machineID judges whether a host's machine id is its own.
func (j *judgement) machineID(host *facts.Host, f found) {
	v := host.Facts.OS.MachineID
	if !knownElse(j, "os.machine-id", &f, v, Skipped) || !measured(j, "os.machine-id", &f, v) {
		return
	}
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

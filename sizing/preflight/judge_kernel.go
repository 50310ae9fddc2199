package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// kernelModules are those that the container network needs.
var kernelModules = []string{"br_netfilter", "nf_conntrack", "overlay"}

// modules judges whether the kernel has its modules, or modprobe would load them. A
// rule against one that is loaded already counts from the next start on; what is
// built in takes no loading.
func (j *judgement) modules(host *facts.Host, f found) {
	var missing, barred, later []string
	var unknown []facts.Value[string]
	kernel := &host.Facts.Kernel
	for _, name := range kernelModules {
		v, rule := kernel.Modules[name], kernel.Barred[name]
		if !measured(j, "kernel.modules", &f, v) {
			return
		}
		told := fmt.Sprintf("%s: %s (%s)", name, rule.Value, rule.Source)
		switch {
		case v.Value == "missing":
			missing = append(missing, name)
		case v.Value == "available" && !rule.Known():
			unknown = append(unknown, rule)
		case rule.Value == "":
		case v.Value == "available":
			barred = append(barred, told)
		case v.Value == "loaded":
			later = append(later, told)
		}
	}
	f.required = names(kernelModules...)
	before := len(j.findings)
	say := func(code string, outcome Outcome, list []string) {
		if len(list) == 0 {
			return
		}
		f := f
		f.outcome, f.observed = outcome, names(list...)
		f.message = message.Of(code, args{"modules": f.observed})
		j.add("kernel.modules", f)
	}
	say("preflight.finding.modules", Fail, missing)
	say("preflight.finding.modules-barred", Fail, barred)
	say("preflight.finding.modules-barred-later", Warn, later)
	if len(j.findings) > before {
		return
	}
	f.outcome = Pass
	if len(unknown) > 0 {
		f.outcome = unknownOutcome(unknown[0])
		f.message = message.Of("preflight.finding.modules-unknown", args{"why": unread(unknown[0])})
	}
	j.add("kernel.modules", f)
}

// The settings of the kernel that say which ports it gives to who asks for any.
const (
	portRangeSysctl     = "net.ipv4.ip_local_port_range"
	reservedPortsSysctl = "net.ipv4.ip_local_reserved_ports"
)

// ports are those from first to last.
type ports struct{ first, last int }

func (p ports) String() string {
	if p.first == p.last {
		return strconv.Itoa(p.first)
	}
	return fmt.Sprintf("%d-%d", p.first, p.last)
}

// portRange judges whether the kernel gives away ports that node ports are to have.
// Those that are reserved it does not give away.
func (j *judgement) portRange(host *facts.Host, f found) {
	const id = "kernel.port-range"
	v, reserved := host.Facts.Kernel.Sysctls[portRangeSysctl], host.Facts.Kernel.Sysctls[reservedPortsSysctl]
	if !measured(j, id, &f, v) {
		return
	}
	given, ok := parsePorts(strings.Join(strings.Fields(v.Value), "-"))
	if !ok || len(given) != 1 {
		j.notPorts(id, f, v.Value)
		return
	}
	node := ports{int(j.limit(id, "first")), int(j.limit(id, "last"))}
	f.observed = names(v.Value)
	f.required = message.Of("preflight.value.outside", args{"first": node.first, "last": node.last})
	both := ports{max(given[0].first, node.first), min(given[0].last, node.last)}
	if both.first > both.last {
		f.outcome = Pass
		j.add(id, f)
		return
	}
	if !measured(j, id, &f, reserved) {
		return
	}
	kept, ok := parsePorts(reserved.Value)
	if !ok {
		j.notPorts(id, f, reserved.Value)
		return
	}
	free := without(both, kept)
	f.outcome = passIf(len(free) == 0, Fail)
	said := args{"range": v.Value, "ports": strings.Join(texts(free), ", "), "reserved": cmp.Or(reserved.Value, "–")}
	f.message = message.Of("preflight.finding.ports-given", said)
	if len(free) == 0 {
		f.message = message.Of("preflight.finding.ports-reserved", args{"range": v.Value, "reserved": reserved.Value})
	}
	j.add(id, f)
}

// notPorts says that a setting is no list of ports.
func (j *judgement) notPorts(id string, f found, setting string) {
	f.outcome, f.message = Error, message.Of("preflight.finding.port-range", args{"range": setting})
	j.add(id, f)
}

// parsePorts reads a list of ports and ranges as the kernel writes it:
// 30000-32767,8080. An empty text is an empty list.
func parsePorts(text string) ([]ports, bool) {
	var list []ports
	for member := range strings.SplitSeq(text, ",") {
		if text == "" {
			break
		}
		first, last, isRange := strings.Cut(member, "-")
		if !isRange {
			last = first
		}
		a, firstErr := strconv.ParseUint(first, 10, 16)
		b, lastErr := strconv.ParseUint(last, 10, 16)
		if firstErr != nil || lastErr != nil || a > b {
			return nil, false
		}
		list = append(list, ports{int(a), int(b)})
	}
	return list, true
}

// without returns what is left of a range of ports when others are taken out.
func without(all ports, taken []ports) []ports {
	taken = slices.SortedFunc(slices.Values(taken), func(a, b ports) int { return cmp.Compare(a.first, b.first) })
	var left []ports
	for _, t := range taken {
		if t.last < all.first || t.first > all.last {
			continue
		}
		if t.first > all.first {
			left = append(left, ports{all.first, t.first - 1})
		}
		all.first = t.last + 1
	}
	if all.first <= all.last {
		left = append(left, all)
	}
	return left
}

// texts are things by their own names.
func texts[T fmt.Stringer](list []T) []string {
	var words []string
	for _, item := range list {
		words = append(words, item.String())
	}
	return words
}

// synchronised judges whether something keeps the clock: by the error that the kernel
// was told it may have. Whoever keeps the clock tells it anew each time, and the
// kernel lets it grow meanwhile by 0.5 ms a second, up to 16 s (ntp_adjtime(3)).
// That the kernel is to call the clock synchronised takes more, such as rtcsync
// of chrony.
func (j *judgement) synchronised(host *facts.Host, f found) {
	v, largest := host.Facts.Time.Synchronised, host.Facts.Time.MaxError
	if !measured(j, "time.synchronised", &f, v) {
		return
	}
	f.outcome, f.observed, f.required = passIf(v.Value, Warn), truth(v.Value), truth(true)
	if largest.Known() && measured(j, "time.synchronised", &f, largest) {
		limit := j.limit("time.synchronised", "maxError")
		isTold := v.Value || largest.Value > 0 // a kernel that knows of no clock's error says 0
		f.observed, f.required, f.unit = Number(largest.Value), atMost(limit), unit("s")
		f.outcome, f.message = Pass, message.Of("preflight.finding.clock-kept", args{"error": largest.Value})
		if !isTold || largest.Value > limit {
			f.outcome = Warn
			f.message = message.Of("preflight.finding.clock-lost", args{"error": largest.Value, "services": timeServices(host)})
		}
	}
	j.add("time.synchronised", f)
}

// timeServices names the programs that keep the clock of a host.
func timeServices(host *facts.Host) message.Text {
	services := host.Facts.Time.Services
	switch {
	case !services.Known():
		return message.Of("preflight.finding.not-known", args{"why": unread(services)})
	case len(services.Value) == 0:
		return message.Of("preflight.required.none", nil)
	}
	return names(services.Value...)
}

// container judges whether a host is a machine at all: a container has the kernel,
// its modules and settings of another.
func (j *judgement) container(host *facts.Host, f found) {
	v := host.Facts.Virtualisation.Container
	if !knownElse(j, "guest.container", &f, v, unknownOutcome(v)) {
		return
	}
	f.outcome, f.observed = passIf(v.Value == "none", Fail), names(v.Value)
	if v.Value != "none" {
		f.message = message.Of("preflight.finding.container", args{"kind": f.observed})
	}
	j.add("guest.container", f)
}

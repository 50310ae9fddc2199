package preflight

import (
	"cmp"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

func (j *judgement) cores(host *facts.Host, f found) {
	if j.judgedAt("cpu.cores", host, f) {
		return
	}
	c := host.Facts.CPU
	var required int
	for _, r := range j.load(j.machines[host.Name]) {
		required += r.Cores
		f.source = j.tableSource(r.CoresSource)
	}
	if required == 0 || !measured(j, "cpu.cores", &f, c.Usable) {
		return
	}
	usable := c.Usable.Value
	f.observed, f.required, f.unit = Number(usable), Number(required), unit("cores")
	f.outcome = passIf(usable >= float64(required), Fail)
	f.message = message.Of("preflight.finding.cores", args{"usable": usable, "required": required})
	if usable < float64(c.Threads.Value) {
		by, quota := c.Affinity.Source, message.Of("preflight.value.no-limit", nil)
		if c.Quota.Value > 0 {
			quota = Number(c.Quota.Value)
		}
		if c.Quota.Value > 0 && c.Quota.Value <= float64(c.Affinity.Value) {
			by = c.Quota.Source
		}
		f.message = message.Of("preflight.finding.cores-limited", args{
			"usable": usable, "required": required, "threads": c.Threads.Value, "affinity": c.Affinity.Value, "quota": quota,
			"by": cmp.Or(by, "?"),
		})
		if isOfLogin(c.Affinity, "facts.method.affinity") || isOfLogin(c.Quota, "facts.method.quota") {
			j.limitUnknown(&f, float64(c.Threads.Value) >= float64(required))
		}
	}
	f.message = j.ofMachine(host, f.message)
	j.add("cpu.cores", f)
}

func (j *judgement) memory(host *facts.Host, f found) {
	if j.judgedAt("memory.total", host, f) {
		return
	}
	m := host.Facts.Memory
	var required manifests.Bytes
	moreThan := false
	for _, r := range j.load(j.machines[host.Name]) {
		required += r.Memory
		moreThan = moreThan || r.MoreThan
		f.source = j.tableSource(r.MemorySource)
	}
	if required == 0 || !measured(j, "memory.total", &f, m.Usable) {
		return
	}
	f.outcome, f.tolerance = j.amount(m.Usable.Value, required, j.Table.Tolerance.Memory, moreThan)
	visible, wanted := gigabytes(m.Usable.Value), gigabytes(int64(required))
	f.observed, f.required, f.unit = Number(visible), Number(wanted), unit("GB")
	f.message = message.Of("preflight.finding.memory", args{"visible": visible, "required": wanted, "tolerance": f.tolerance})
	total, huge, limit := m.Total.Value, m.HugePages.Value, m.Limit.Value
	switch {
	case limit > 0 && limit < total-huge:
		f.message = message.Of("preflight.finding.memory-limited", args{
			"visible": gigabytes(total), "limit": gigabytes(limit), "by": cmp.Or(m.Limit.Source, "?"), "required": wanted, "tolerance": f.tolerance,
		})
		if isOfLogin(m.Limit, "facts.method.memory-limit") {
			without, _ := j.amount(total-huge, required, j.Table.Tolerance.Memory, moreThan)
			j.limitUnknown(&f, without == Pass)
		}
	case huge > 0:
		f.message = message.Of("preflight.finding.memory-huge", args{
			"visible": gigabytes(total), "huge": gigabytes(huge), "required": wanted, "tolerance": f.tolerance,
		})
	}
	f.message = j.ofMachine(host, f.message)
	j.add("memory.total", f)
}

// isOfLogin tells whether a limit was read by the method of earlier versions: that of the
// probe's own login, which may hold for logins alone.
func isOfLogin[T any](v facts.Value[T], method string) bool { return v.Known() && v.Method.Is(method) }

// limitUnknown says of what fails for a limit that nobody knows whether it holds for
// services, where it would pass without.
func (j *judgement) limitUnknown(f *found, passes bool) {
	if f.outcome != Pass && passes {
		f.outcome = Error
		f.message = message.Of("preflight.finding.limit-unknown", args{"limit": f.message})
	}
}

// amount compares what is visible with what is nominally required.
func (j *judgement) amount(visible int64, required manifests.Bytes, t sizing.Tolerance, moreThan bool) (Outcome, message.Text) {
	if moreThan { // what shows no more may have been given just as much: nothing is granted
		return passIf(visible > int64(required), Fail), message.Of("preflight.value.percent", args{"n": 0})
	}
	return passIf(visible >= int64(t.Least(required)), Fail), message.Of("preflight.value.percent", args{"n": int(t.Percent)})
}

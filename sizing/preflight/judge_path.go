package preflight

import (
	"cmp"
	"slices"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// A way between two hosts, measured from one of its ends or from both.
type way struct {
	a, b      string // hosts; a may be the admin host
	bytes     int    // of the largest packet that passed whole
	expected  int    // bytes that both ends carry
	roundTrip float64
}

// paths judges the ways between hosts: whether packets as large as both ends
// carry pass whole, and how long they take.
func (j *judgement) paths() {
	ways, unmeasured := j.ways()
	isNarrow := func(w way) bool { return w.bytes < w.expected }
	limit := j.limit("link.round-trip", "warn")
	// The admin host is in no cluster that would mind.
	isSlow := func(w way) bool { return w.roundTrip > limit && !w.ends(facts.AdminHost) }
	byCommonEnd(ways, isNarrow, j.narrow)
	byCommonEnd(ways, isSlow, j.slow)
	for i := range j.Survey.Hosts {
		host := &j.Survey.Hosts[i]
		f := found{host: host.Name, outcome: Pass, method: message.Of("facts.method.path", nil)}
		if good := slices.DeleteFunc(waysOf(host.Name, ways), isNarrow); len(good) > 0 {
			least := slices.MinFunc(good, func(a, b way) int { return cmp.Compare(a.bytes, b.bytes) })
			f := f
			f.observed, f.required, f.unit = Number(least.bytes), Number(least.expected), unit("bytes")
			f.message = message.Of("preflight.finding.full-packets", args{"ways": len(good)})
			j.add("link.mtu", f)
		}
		if good := slices.DeleteFunc(waysOf(host.Name, ways), isSlow); len(good) > 0 {
			slowest := slices.MaxFunc(good, func(a, b way) int { return cmp.Compare(a.roundTrip, b.roundTrip) })
			j.add("link.round-trip", j.trip(host.Name, slowest))
		}
		if link, ok := unmeasured[host.Name]; ok {
			f.outcome = Skipped
			f.message = message.Of("preflight.finding.way-unmeasured", args{"to": link.To, "why": ended(link.Outcome, link.Detail)})
			j.add("link.mtu", f)
		}
	}
}

// byCommonEnd tells of bad ways by the host at which most of them end: where a
// cable or a switch port is wrong, all ways to the host behind it are.
func byCommonEnd(ways []way, isBad func(way) bool, tell func(host string, bad []way)) {
	bad := slices.DeleteFunc(slices.Clone(ways), func(w way) bool { return !isBad(w) })
	for len(bad) > 0 {
		common, most := "", 0
		for _, w := range bad {
			for _, end := range []string{w.a, w.b} {
				if n := len(waysOf(end, bad)); n > most && end != facts.AdminHost {
					common, most = end, n
				}
			}
		}
		tell(common, waysOf(common, bad))
		bad = slices.DeleteFunc(bad, func(w way) bool { return w.ends(common) })
	}
}

func waysOf(host string, ways []way) []way {
	return slices.DeleteFunc(slices.Clone(ways), func(w way) bool { return !w.ends(host) })
}

// ways returns each measured way once, by the lesser of what its two ends
// measured, and for each host the first that it could not measure.
func (j *judgement) ways() ([]way, map[string]facts.Link) {
	index := map[[2]string]int{}
	var ways []way
	unmeasured := map[string]facts.Link{}
	for _, link := range j.Survey.Links {
		if link.Protocol != "mtu" {
			continue
		}
		expected := min(max(link.Largest, j.mtuOf(link.From)), j.mtuOf(link.To))
		if link.Outcome != facts.OK || expected == 0 {
			if _, ok := unmeasured[link.From]; !ok && link.From != facts.AdminHost {
				unmeasured[link.From] = link
			}
			continue
		}
		ends := [2]string{min(link.From, link.To), max(link.From, link.To)} // either way round
		i, ok := index[ends]
		if !ok {
			i = len(ways)
			index[ends] = i
			ways = append(ways, way{link.From, link.To, link.MTU, expected, link.RoundTrip})
		}
		ways[i].bytes = min(ways[i].bytes, link.MTU)
		ways[i].roundTrip = min(ways[i].roundTrip, link.RoundTrip)
	}
	return ways, unmeasured
}

func (w way) ends(name string) bool { return w.a == name || w.b == name }

// other names the other end.
func (w way) other(name string) message.Text {
	end := w.a
	if end == name {
		end = w.b
	}
	if end == facts.AdminHost {
		return message.Of("preflight.value.admin-host", nil)
	}
	return names(end)
}

// narrow says that ways to a host do not carry what their ends do.
func (j *judgement) narrow(name string, ways []way) {
	least, expected := ways[0].bytes, ways[0].expected
	var others []message.Text
	for _, w := range ways {
		least, expected = min(least, w.bytes), max(expected, w.expected)
		others = append(others, w.other(name))
	}
	f := found{host: name, object: listed(others), outcome: Fail, unit: unit("bytes"), method: message.Of("facts.method.path", nil)}
	f.observed, f.required = Number(least), Number(expected)
	said := args{"bytes": least, "others": others, "expected": expected}
	f.message = message.Of("preflight.finding.narrow", said)
	if !slices.ContainsFunc(ways, func(w way) bool { return !w.ends(facts.AdminHost) }) {
		// The probe went there as large as it is: ssh does not mind, whatever is in the way.
		f.outcome, f.message = Warn, message.Of("preflight.finding.narrow-echoes", said)
	}
	j.add("link.mtu", f)
}

// stuck judges a host that could not be measured, since ssh stood still on a
// way that swallows large packets.
func (j *judgement) stuck(f found) {
	f.outcome, f.unit, f.method = Fail, unit("bytes"), message.Of("facts.method.path", nil) // which is known, if nothing else is
	for _, link := range j.Survey.Links {
		if link.From == facts.AdminHost && link.To == f.host && link.Protocol == "mtu" {
			f.observed, f.required = Number(link.MTU), Number(link.Largest)
		}
	}
	f.message = message.Of("preflight.finding.stuck", args{"sent": f.required, "passed": f.observed})
	j.add("link.mtu", f)
}

// slow says that the ways to a host take long.
func (j *judgement) slow(name string, ways []way) {
	f := j.trip(name, slices.MaxFunc(ways, func(a, b way) int { return cmp.Compare(a.roundTrip, b.roundTrip) }))
	f.outcome = Warn
	j.add("link.round-trip", f)
}

// trip says how long a host's slowest way takes.
func (j *judgement) trip(name string, slowest way) found {
	f := found{host: name, outcome: Pass, object: slowest.other(name), unit: unit("ms"), method: message.Of("facts.method.path", nil)}
	f.observed, f.required = Number(slowest.roundTrip), atMost(j.limit("link.round-trip", "warn"))
	f.message = message.Of("preflight.finding.round-trip", args{"time": slowest.roundTrip, "with": f.object})
	return f
}

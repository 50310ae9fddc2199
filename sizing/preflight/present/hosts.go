package present

import (
	"slices"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight"
)

// roleGroup is the hosts that have the same roles.
type roleGroup struct {
	Title string
	Hosts []tile
}

// tile is one host as it is shown: what it has, and what is wrong with it.
type tile struct {
	Name   string
	Worst  preflight.Outcome
	Has    []string // cores, memory
	Stands []string // address, physical server
	Wrong  []wrong  // worst first
}

// wrong is a check that a host did not pass.
type wrong struct {
	Title   string
	Outcome preflight.Outcome
}

func roleGroups(r *preflight.Verdict, l *words.Language) []roleGroup {
	var groups []roleGroup
	bad := r.Bad()
	for _, host := range r.Hosts {
		title := roleTitle(r, host.Roles, l)
		i := slices.IndexFunc(groups, func(g roleGroup) bool { return g.Title == title })
		if i < 0 {
			i = len(groups)
			groups = append(groups, roleGroup{Title: title})
		}
		t := tile{Name: host.Name, Worst: host.Worst, Has: has(host, l), Stands: withWords(nil, host.Address, host.Server)}
		for _, f := range bad {
			title := l.Text(f.Heading())
			if f.Host == host.Name && !slices.ContainsFunc(t.Wrong, func(w wrong) bool { return w.Title == title }) {
				t.Wrong = append(t.Wrong, wrong{title, f.Outcome})
			}
		}
		groups[i].Hosts = append(groups[i].Hosts, t)
	}
	return groups
}

func has(host preflight.HostSummary, l *words.Language) []string {
	list := []string{}
	if host.Cores > 0 {
		list = append(list, l.Unit(l.Decimal(host.Cores, 2), l.Say("preflight.page.cores", message.Args{"n": host.Cores})))
	}
	if host.Memory > 0 {
		list = append(list, l.GB(host.Memory))
	}
	if !host.Measured {
		list = append(list, l.Word("preflight.page.unmeasured"))
	}
	return list
}

func names(groups []roleGroup) [][]string {
	var list [][]string
	for _, group := range groups {
		var hosts []string
		for _, host := range group.Hosts {
			hosts = append(hosts, host.Name)
		}
		list = append(list, hosts)
	}
	return list
}

// inMiddle cuts a long name in its middle: hosts of one site tend to begin
// alike, or to end alike.
func inMiddle(name string, longest int) string {
	runes := []rune(name)
	if len(runes) <= longest {
		return name
	}
	head := longest / 2
	return string(runes[:head]) + "…" + string(runes[len(runes)-(longest-head-1):])
}

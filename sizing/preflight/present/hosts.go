package present

import (
	"slices"
	"strconv"

	"github.com/islandbundle/island/internal/page"
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

func roleGroups(r *preflight.Report, checks *preflight.Checks, lang page.Lang) []roleGroup {
	var groups []roleGroup
	bad := r.Bad()
	for _, host := range r.Hosts {
		title := roleTitle(host.Roles, lang)
		i := slices.IndexFunc(groups, func(g roleGroup) bool { return g.Title == title })
		if i < 0 {
			i = len(groups)
			groups = append(groups, roleGroup{Title: title})
		}
		t := tile{Name: host.Name, Worst: host.Worst, Has: has(host, lang), Stands: withWords(nil, host.Address, host.Server)}
		for _, f := range bad {
			title := checkTitle(checks, f.ID, lang)
			if f.Host == host.Name && !slices.ContainsFunc(t.Wrong, func(w wrong) bool { return w.Title == title }) {
				t.Wrong = append(t.Wrong, wrong{title, f.Outcome})
			}
		}
		groups[i].Hosts = append(groups[i].Hosts, t)
	}
	return groups
}

// measured reports whether a host's facts are known.
func measured(host preflight.HostSummary) bool { return host.Cores != "" }

func has(host preflight.HostSummary, lang page.Lang) []string {
	words := []string{}
	if cores, err := strconv.ParseFloat(host.Cores, 64); err == nil && cores > 0 {
		word := lang.T("cores", "Kerne")
		if cores == 1 {
			word = lang.T("core", "Kern")
		}
		words = append(words, lang.Unit(lang.Decimal(cores, 2), word))
	}
	if host.Memory > 0 {
		words = append(words, lang.GB(host.Memory))
	}
	if !measured(host) {
		words = append(words, lang.T("not measured", "nicht gemessen"))
	}
	return words
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

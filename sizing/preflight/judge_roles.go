package preflight

import (
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/nearest"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// KnownGroups returns the groups of an inventory that something is required of: by a
// table, by a table of ports, or by a check.
func KnownGroups(table *sizing.Table, ports *site.Ports) ([]string, error) {
	checks, err := AllChecks()
	if err != nil {
		return nil, err
	}
	known := []string{site.AssetGroup} // of the bundle, whatever the table
	add := func(groups []string) {
		for _, group := range groups {
			if group != "all" && !site.InAny([]string{group}, known) {
				known = append(known, group)
			}
		}
	}
	for _, requirement := range table.Requirements() {
		add(requirement.Groups)
	}
	for _, unlisted := range table.Unlisted {
		add(unlisted.Groups)
	}
	for _, row := range ports.Rows {
		add(row.From)
		add(row.To)
	}
	for _, check := range checks.Checks {
		add(check.Groups)
	}
	slices.Sort(known)
	return known, nil
}

// LikeGroup returns the one of some known groups that another name was probably meant
// for: one that is written much like it, that it is short for, or that it is a part
// of; nothing where none is.
func LikeGroup(name string, known []string) string {
	if like := nearest.Of(name, site.Spellings(known)); like != "" {
		return like
	}
	const telling = 5 // letters that are more than the beginning of any name
	for _, group := range known {
		short, long := name, group
		if len(short) > len(long) {
			short, long = long, short
		}
		if len(short) >= telling && strings.HasPrefix(long, short) {
			return group
		}
	}
	return ""
}

// assigned judges whether each host is in a group that the table has a role for. Of
// one that is not, nothing that a role needs was looked at.
func (j *judgement) assigned() {
	for i := range j.Survey.Hosts {
		host := &j.Survey.Hosts[i]
		f := found{
			host: host.Name, outcome: Pass, observed: names(host.Groups...), method: message.Of("facts.method.all-groups", nil),
			required: message.Of("preflight.value.some-role", nil), source: j.wholeTable(),
		}
		switch {
		case len(j.roleNames(host)) > 0:
		case len(host.Groups) == 0:
			f.outcome, f.message = Fail, message.Of("preflight.finding.no-groups", nil)
		default:
			f.outcome = Fail
			f.message = message.Of("preflight.finding.no-role", args{"groups": strings.Join(host.Groups, ", "), "table": j.Table.Name})
		}
		j.add("roles.assigned", f)
	}
}

// groups tells of groups that nothing is required of. One whose name is much like a
// known one was probably meant to be that: a warning, and a fault where that has no
// hosts.
func (j *judgement) groups() {
	tree := groupTree(j.Survey)
	var asked []string // groups that others were probably meant to be
	for _, group := range tree.names {
		members := j.members(group)
		if len(members) == 0 || site.InAny([]string{group}, j.known) || site.BesideRoles(group) {
			continue
		}
		f := found{object: names(group), outcome: Skipped, observed: names(members...), method: message.Of("facts.method.all-groups", nil)}
		like, related := j.likeGroup(group), tree.whole && tree.related(group, j.known)
		meant := j.members(like)
		switch {
		case like != "" && len(meant) > 0 && (related || within(members, meant)):
			continue // a part of it, or all of it and more
		case like != "":
			// With no host in the other one, what that needs was not looked at anywhere.
			f.outcome, asked = Warn, append(asked, like)
			if len(meant) == 0 && !j.Survey.Partial {
				f.outcome = Fail
			}
			f.message = message.Of("preflight.finding.group-like", args{"group": group, "like": like, "hosts": strings.Join(members, ", ")})
		case related || !tree.whole || len(members) == len(j.Survey.Hosts):
			continue // it has a role by way of others; that is not known; or it is only another word for all
		default:
			f.message = message.Of("preflight.finding.group-idle", args{"group": group, "hosts": strings.Join(members, ", ")})
		}
		j.add("roles.groups", f)
	}
	j.halves(asked)
}

// likeGroup returns what a group was probably meant to be: a known one that is like
// it, or the one of the role that it is called after.
func (j *judgement) likeGroup(group string) string {
	for _, requirement := range j.requirements {
		if len(requirement.Groups) > 0 && site.SameGroup(group, string(requirement.Role)) {
			return requirement.Groups[0]
		}
	}
	for _, unlisted := range j.Table.Unlisted {
		if len(unlisted.Groups) > 0 && site.SameGroup(group, string(unlisted.Role)) {
			return unlisted.Groups[0]
		}
	}
	return LikeGroup(group, j.known)
}

// halves tells where a cluster has masters and no nodes, or nodes and no masters, and
// that was not asked for already: the hosts have a role, and half of what it takes
// nobody looks at.
func (j *judgement) halves(asked []string) {
	for _, pair := range [][2]string{{site.MasterGroup, site.NodeGroup}, {site.NodeGroup, site.MasterGroup}} {
		there, lacking := j.members(pair[0]), j.members(pair[1])
		if len(there) == 0 || len(lacking) > 0 || j.Survey.Partial || site.InAny(asked, pair[1:]) {
			continue
		}
		j.add("roles.groups", found{
			object: names(pair[1]), outcome: Fail, observed: Number(0), required: atLeast(1), method: message.Of("facts.method.all-groups", nil),
			message: message.Of("preflight.finding.group-lacking", args{"lacking": pair[1], "there": pair[0], "hosts": strings.Join(there, ", ")}),
		})
	}
}

// members returns the names of the hosts that are in a group, whatever year's name it
// has.
func (j *judgement) members(group string) []string {
	var members []string
	for _, host := range inGroups(j.Survey.Hosts, []string{group}) {
		members = append(members, host.Name)
	}
	return members
}

func within(some, all []string) bool {
	return !slices.ContainsFunc(some, func(name string) bool { return !slices.Contains(all, name) })
}

// tree is what a survey knows of an inventory's groups.
type tree struct {
	names    []string
	whole    bool // which are within which is known
	children map[string][]string
	parents  map[string][]string
}

// groupTree returns the groups of a survey's inventory. In what was saved before they
// were kept, hosts name those that they are in.
func groupTree(s *facts.Survey) tree {
	t := tree{whole: len(s.Groups) > 0, children: map[string][]string{}, parents: map[string][]string{}}
	for _, group := range s.Groups {
		t.names = append(t.names, group.Name)
		t.children[group.Name] = append(t.children[group.Name], group.Children...)
		for _, child := range group.Children {
			t.parents[child] = append(t.parents[child], group.Name)
		}
	}
	if !t.whole {
		for _, host := range s.Hosts {
			t.names = append(t.names, host.Groups...)
		}
	}
	slices.Sort(t.names)
	t.names = slices.Compact(t.names)
	return t
}

// related reports whether a group has one of some groups within it, or is within one.
func (t tree) related(group string, known []string) bool {
	for _, way := range []map[string][]string{t.children, t.parents} {
		seen := map[string]bool{group: true}
		for next := []string{group}; len(next) > 0; next = next[1:] {
			for _, other := range way[next[0]] {
				if site.InAny([]string{other}, known) {
					return true
				}
				if !seen[other] {
					seen[other] = true
					next = append(next, other)
				}
			}
		}
	}
	return false
}

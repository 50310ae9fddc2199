package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/inventory"
	"github.com/islandbundle/island/sizing/site"
)

// checkRoles refuses to measure this machine where nobody says what it is for: of a
// machine without a role hardly anything is required.
func (f *preflightFlags) checkRoles(input preflight.Input) error {
	known, err := preflight.KnownGroups(input.Table, input.Ports)
	if err != nil {
		return err
	}
	list := "the groups are " + strings.Join(known, ", ")
	if len(f.groups) == 0 {
		return usage("say what this machine is for with --group; "+list, "--local without --group: it is not known which roles this machine has")
	}
	for _, group := range f.groups {
		if !site.InAny([]string{group}, known) {
			return usage(groupHint(group, known, list), "--group %s: nothing is required of that group", group)
		}
	}
	return nil
}

// groupHint asks for the group that was probably meant, and lists those that there are.
func groupHint(group string, there []string, list string) string {
	if like := preflight.LikeGroup(group, there); like != "" {
		return "did you mean " + like + "? " + list
	}
	return list
}

// checkGroups refuses a group that no host is in, even beside others that have some.
func (f *preflightFlags) checkGroups(there []string) error {
	for _, group := range f.groups {
		if !site.InAny(there, []string{group}) {
			return usage(groupHint(group, there, "the groups of the hosts are "+strings.Join(there, ", ")),
				"--group %s: no host is in that group", group)
		}
	}
	return nil
}

// leavesOut says whether --group is about other hosts than those of these groups.
func (f *preflightFlags) leavesOut(groups []string) bool {
	return len(f.groups) > 0 && !site.InAny(groups, f.groups)
}

// keepGroups leaves out hosts that are in none of the groups that were named, and
// what they have to do with others.
func (f *preflightFlags) keepGroups(s *facts.Survey) error {
	there := map[string]bool{}
	for _, host := range s.Hosts {
		for _, group := range host.Groups {
			there[group] = true
		}
	}
	if err := f.checkGroups(slices.Sorted(maps.Keys(there))); err != nil {
		return err
	}
	kept := map[string]bool{facts.AdminHost: true}
	s.Hosts = slices.DeleteFunc(s.Hosts, func(host facts.Host) bool {
		kept[host.Name] = kept[host.Name] || !f.leavesOut(host.Groups)
		return !kept[host.Name]
	})
	s.Links = slices.DeleteFunc(s.Links, func(link facts.Link) bool { return !kept[link.From] || !kept[link.To] })
	s.Partial = true
	return nil
}

// groupsOf returns the groups of an inventory; without one, those that were named.
func groupsOf(inv *inventory.Inventory, named []string) []facts.Group {
	var groups []facts.Group
	if inv == nil {
		for _, name := range named {
			groups = append(groups, facts.Group{Name: name})
		}
		return groups
	}
	for _, name := range inv.Groups() {
		groups = append(groups, facts.Group{Name: name, Children: inv.Children(name)})
	}
	return groups
}

// idleGroups are those that a report does not warn of, though nothing is required of
// them.
func idleGroups(r *preflight.Verdict) []string {
	var idle []string
	for _, finding := range r.Findings {
		if finding.ID == "roles.groups" && finding.Outcome == preflight.Skipped {
			idle = append(idle, words.English().Text(finding.Object))
		}
	}
	return idle
}

// checkClusterNetworks refuses to judge by networks that nobody has: what the inventory
// says of them and is not known here counts unless the site document names them.
func (f *preflightFlags) checkClusterNetworks(inv *inventory.Inventory, s *site.Site) error {
	if len(s.Preflight.ClusterNetworks) > 0 {
		return nil
	}
	for _, host := range inv.Hosts {
		if f.leavesOut(host.Groups) {
			continue
		}
		if err := host.CheckClusterNetworks(); err != nil {
			return err
		}
	}
	return nil
}

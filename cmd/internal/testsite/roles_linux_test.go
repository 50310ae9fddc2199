package testsite

import "testing"

// TestRolesOfHosts puts one more host into groups of the inventory, and names groups
// as kubespray has named them over the years.
func TestRolesOfHosts(t *testing.T) {
	const spare = "spare1"
	s := newSite(t, append(goodHosts(), &host{name: spare}))
	type edit = func(groups map[string][]string)
	in := func(group string) edit {
		return func(groups map[string][]string) { groups[group] = append(groups[group], spare) }
	}
	rename := func(from, to string) edit {
		return func(groups map[string][]string) {
			groups[to] = groups[from]
			delete(groups, from)
		}
	}
	for _, test := range []struct {
		name  string
		edits []edit
		want  []string
		code  int
	}{
		{"in no group", nil, []string{"roles.assigned@spare1"}, 4},
		{"in a group that no table knows", []edit{in("printers")}, []string{"roles.assigned@spare1"}, 4},
		{
			"in a group that is almost one",
			[]edit{in("elasticsearchs")},
			[]string{"roles.assigned@spare1", "roles.groups@"},
			4,
		},
		{"no fault: in a group", []edit{in("elasticsearch")}, nil, 0},
		{
			"no fault: groups of kubespray's today",
			[]edit{in("cassandra"), rename("kube-node", "kube_node"), rename("kube-master", "kube_control_plane")},
			nil,
			0,
		},
		{
			"nodes that are called after their use",
			[]edit{in("cassandra"), rename("kube-node", "kube_worker")},
			[]string{"roles.groups@", "site.load-balancer@", "site.load-balancer@"}, // which has no node to lead to
			5,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			inject := func(s *site) func() {
				s.inventory(func(groups map[string][]string) {
					for _, edit := range test.edits {
						edit(groups)
					}
				})
				return func() { s.inventory(nil) }
			}
			s.suffer(t, fault{test.name, inject, test.want, test.code})
		})
	}
}

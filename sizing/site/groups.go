package site

import (
	"slices"
	"strings"
)

// Groups that more than a table knows, as they were first called.
const (
	NodeGroup   = "kube-node"   // conference servers and the ingress run there
	MasterGroup = "kube-master" // Kubernetes itself runs there
	AssetGroup  = "assethost"   // the bundle is kept there
)

// masterGroups are what kubespray has called the group of the masters, in the order
// of the years.
var masterGroups = []string{"kube_master", "kube_controlplane", "kube_control_plane"}

// folded returns the one name of a group that inventories of different years write
// differently: kubespray's have underscores for hyphens since 2021.
func folded(group string) string {
	name := strings.ReplaceAll(group, "-", "_")
	if slices.Contains(masterGroups, name) {
		return masterGroups[0]
	}
	return name
}

// SameGroup reports whether two names stand for one group: kube-node and kube_node,
// kube-master and kube_control_plane.
func SameGroup(a, b string) bool { return a == b || folded(a) == folded(b) }

// Spellings returns names of groups with those that they have in other years.
func Spellings(groups []string) []string {
	var all []string
	for _, group := range groups {
		all = append(all, group)
		if name := folded(group); name == masterGroups[0] {
			all = append(all, masterGroups...)
		} else if name != group {
			all = append(all, name)
		}
	}
	return all
}

// InAny reports whether a host of some groups is wanted where groups are named,
// whatever year's names either has; all stands for every host.
func InAny(groups, wanted []string) bool {
	return slices.ContainsFunc(wanted, func(name string) bool {
		return name == "all" || slices.ContainsFunc(groups, func(group string) bool { return SameGroup(group, name) })
	})
}

// besideRoles are groups that Wire's and kubespray's inventories have, and that say
// nothing of what a host is for: seeds, primaries and standbys of a role, and all
// machines of a cluster (wireapp/wire-server-deploy 5.32, ansible/inventory;
// kubespray 2.29, inventory/sample).
var besideRoles = []string{
	"cassandra_seed", "elasticsearch_master", "postgresql_rw", "postgresql_ro", "k8s_cluster", "calico_rr", "bastion", "no_floating",
}

// BesideRoles reports whether a group is one that Wire's and kubespray's inventories
// have without a host's work depending on it here.
func BesideRoles(group string) bool { return slices.Contains(besideRoles, folded(group)) }

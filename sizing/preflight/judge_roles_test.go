package preflight

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
	"github.com/islandbundle/island/sizing/site"
)

// grouped gives hosts of a good survey groups of other names, and the survey a tree
// of groups.
func grouped(names map[string][]string, tree ...facts.Group) *facts.Survey {
	s := goodSurvey()
	for i := range s.Hosts {
		var groups []string
		for _, group := range s.Hosts[i].Groups {
			if other, ok := names[group]; ok {
				groups = append(groups, other...)
			} else {
				groups = append(groups, group)
			}
		}
		s.Hosts[i].Groups = groups
	}
	for _, name := range []string{"assethost", "cassandra", "elasticsearch", "etcd", "minio", "restund"} {
		s.Groups = append(s.Groups, facts.Group{Name: name})
	}
	s.Groups = append(s.Groups, tree...)
	return s
}

func TestGroupsOfAllYearsCount(t *testing.T) {
	t.Parallel()
	newer := map[string][]string{"kube-node": {"kube_node", "k8s_cluster"}, "kube-master": {"kube_control_plane"}}
	short := map[string][]string{"kube-node": {"kube-node", "k8s-cluster"}, "kube-master": {"kube-controlplane"}}
	old := judge(t, goodSurvey(), nil)
	for name, renamed := range map[string]map[string][]string{"with underscores": newer, "in between": short} {
		tree := []facts.Group{{Name: "k8s_cluster", Children: []string{"kube_node", "kube_control_plane"}}, {Name: "kube_node"}}
		r := judge(t, grouped(renamed, tree...), nil)
		if got := bad(r); len(got) > 0 {
			t.Errorf("%s: findings are %q", name, got)
		}
		if len(r.Findings) != len(old.Findings) {
			t.Errorf("%s: %d findings, by the older names %d", name, len(r.Findings), len(old.Findings))
		}
	}
	// What is wanted of a node is wanted of it by either name.
	table, ports := guide(t), builtInPorts()
	for _, s := range []*facts.Survey{goodSurvey(), grouped(newer), grouped(short)} {
		if got, want := len(Wants(ports, s.Hosts)), len(Wants(ports, goodSurvey().Hosts)); got != want || want == 0 {
			t.Errorf("wants %d links, not %d", got, want)
		}
		s.Hosts[9].Facts.Network.Interfaces.Value[0].Speed = 100
		r, err := Judge(Input{Survey: s, Table: table, Bundle: &BundleNeeds{Name: "b", Size: 1 << 50, NodeImages: 1 << 50}})
		if err != nil {
			t.Fatal(err)
		}
		got := bad(r)
		for _, want := range []string{"fail net.speed@kubenode1", "fail bundle.node-disk@kubenode1", "fail bundle.asset-host@assethost1"} {
			if !slices.Contains(got, want) {
				t.Errorf("%v: findings are %q, without %q", s.Hosts[9].Groups, got, want)
			}
		}
	}
	undescribed := site.Undescribed()
	for _, group := range []string{"kube-master", "kube_master", "kube_control_plane", "kube-controlplane"} {
		if got := undescribed.FsyncPaths([]string{group}); !slices.Equal(got, []string{"/var/lib/etcd"}) {
			t.Errorf("%s waits for writes in %q", group, got)
		}
	}
}

func TestHostWithoutRole(t *testing.T) {
	t.Parallel()
	for name, groups := range map[string][]string{
		"no group": {}, "a typing error": {"cassandar"}, "another purpose": {"monitoring", "berlin"},
	} {
		s := goodSurvey()
		s.Hosts = append(s.Hosts, factstest.GoodHost("odd", "10.0.0.99", groups...))
		r := judge(t, s, nil)
		if got := bad(r); !slices.Contains(got, "fail roles.assigned@odd") {
			t.Errorf("%s: findings are %q", name, got)
		}
	}
	// A host that could not be reached is known to have no role all the same.
	s := goodSurvey()
	lost := factstest.GoodHost("odd", "10.0.0.99", "kubenodes")
	lost.Facts, lost.Reach.Outcome = nil, facts.Down
	s.Hosts = append(s.Hosts, lost)
	if got := bad(judge(t, s, nil)); !slices.Contains(got, "fail roles.assigned@odd") {
		t.Errorf("unreached: findings are %q", got)
	}
	// So is one whose role is in another table alone.
	demo, _, err := sizing.Embedded("demo")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Judge(Input{Survey: goodSurvey(), Table: demo})
	if err != nil {
		t.Fatal(err)
	}
	if got := bad(r); !slices.Contains(got, "fail roles.assigned@cassandra1") {
		t.Errorf("with the table demo findings are %q", got)
	}
	for _, group := range []string{"demo", "wiab", "wiab_staging"} {
		box := &facts.Survey{Hosts: []facts.Host{factstest.GoodHost("box", "10.0.0.1", group)}}
		if r, err = Judge(Input{Survey: box, Table: demo}); err != nil || slices.Contains(bad(r), "fail roles.assigned@box") {
			t.Errorf("group %s is no demo: %q, %v", group, bad(r), err)
		}
	}
}

func TestGroupsThatStandForNothing(t *testing.T) {
	t.Parallel()
	one := func(name string) []string { return []string{name} }
	for name, test := range map[string]struct {
		survey *facts.Survey
		like   string // the group that is asked for; empty: it is only told of
		group  string // empty: none is told of
	}{
		"typing error beside other roles": {
			grouped(map[string][]string{"kube-node": one("kube-nodes")}, facts.Group{Name: "kube-nodes"}, facts.Group{Name: "kube-master"}),
			"kube-node", "kube-nodes",
		},
		"typing error that others are made of": {
			grouped(map[string][]string{"kube-node": one("kubenode")}, facts.Group{Name: "kubenode"},
				facts.Group{Name: "kube-master", Children: one("kubenode")}),
			"kube-node", "kubenode",
		},
		"typing error in newer names": {
			grouped(map[string][]string{"kube-master": one("kube_control_plan")}, facts.Group{Name: "kube_control_plan"}),
			"kube_control_plane", "kube_control_plan",
		},
		"name of the role": {
			grouped(map[string][]string{"assethost": {"assethost", "asset-host"}, "etcd": {"etcd", "rabbitmq"}}, facts.Group{Name: "rabbitmq"}),
			"rmq-cluster", "rabbitmq",
		},
		"shorter name": {
			grouped(map[string][]string{"etcd": {"etcd", "postgres"}}, facts.Group{Name: "postgres"}), "postgresql", "postgres",
		},
		"typing error in a saved survey without groups": {
			func() *facts.Survey {
				s := grouped(map[string][]string{"kube-master": one("kubemaster")})
				s.Groups = nil
				return s
			}(), "kube-master", "kubemaster",
		},
		"place": {
			grouped(map[string][]string{"minio": {"minio", "berlin"}, "restund": {"restund", "berlin"}}, facts.Group{Name: "berlin"}), "", "berlin",
		},
		"parent of known ones": {
			grouped(map[string][]string{"minio": {"minio", "stores"}}, facts.Group{Name: "stores", Children: one("minio")}), "", "",
		},
		"parent of a parent": {
			grouped(map[string][]string{"minio": {"minio", "dc"}}, facts.Group{Name: "dc", Children: one("stores")},
				facts.Group{Name: "stores", Children: one("minio")}),
			"", "",
		},
		"child of known ones": {
			grouped(map[string][]string{"minio": {"minio", "datanodes"}}, facts.Group{Name: "minio", Children: one("datanodes")},
				facts.Group{Name: "datanodes"}),
			"", "",
		},
		"part of a known one by its hosts": {
			grouped(map[string][]string{"cassandra": {"cassandra", "cassandra1"}}, facts.Group{Name: "cassandra1"}), "", "",
		},
		"Wire's own": {grouped(map[string][]string{
			"cassandra": {"cassandra", "cassandra_seed"}, "elasticsearch": {"elasticsearch", "elasticsearch_master"},
		}, facts.Group{Name: "cassandra_seed"}, facts.Group{Name: "elasticsearch_master"}), "", ""},
		"empty": {grouped(nil, facts.Group{Name: "kube-nodes"}, facts.Group{Name: "monitoring"}), "", ""},
	} {
		r := judge(t, test.survey, nil)
		var like, group string
		for _, f := range r.Findings {
			if f.ID != "roles.groups" {
				continue
			}
			if group != "" {
				t.Errorf("%s: told of %q and %q", name, group, english(f.Object))
			}
			group = english(f.Object)
			if f.Outcome != Skipped {
				if f.Outcome != Fail {
					t.Errorf("%s: %s, though %s has no hosts", name, f.Outcome, test.like)
				}
				_, after, _ := strings.Cut(english(f.Message), "was ")
				like, _, _ = strings.Cut(after, " ")
			}
		}
		if like != test.like || group != test.group {
			t.Errorf("%s: told of %q, asked for %q, want %q and %q", name, group, like, test.group, test.like)
		}
	}
}

// TestMistypedBesideTheRightOne: what the right group needs was looked at.
func TestMistypedBesideTheRightOne(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	for i := range s.Hosts {
		if s.Hosts[i].Name == "kubenode3" {
			s.Hosts[i].Groups = []string{"kube-nodes", "kube-master", "etcd"}
		}
	}
	if got, want := bad(judge(t, s, nil)), []string{"warn roles.groups@"}; !slices.Equal(got, want) {
		t.Errorf("findings are %q, want %q", got, want)
	}
}

// TestClusterWithoutItsHalf: hosts that are masters alone have a role, and nobody
// looks at what nodes need.
func TestClusterWithoutItsHalf(t *testing.T) {
	t.Parallel()
	for lacking, names := range map[string]map[string][]string{
		"kube-node":   {"kube-node": {"workers"}},
		"kube-master": {"kube-master": {}},
	} {
		var got []string
		for _, f := range judge(t, grouped(names), nil).Findings {
			if f.ID == "roles.groups" && f.Outcome == Fail {
				got = append(got, english(f.Object))
			}
		}
		if !slices.Equal(got, []string{lacking}) {
			t.Errorf("lacking %s: warned of %q", lacking, got)
		}
	}
	some := grouped(map[string][]string{"kube-master": {}})
	some.Partial = true
	if got := bad(judge(t, some, nil)); len(got) > 0 {
		t.Errorf("of some hosts findings are %q", got)
	}
}

// TestKnownGroupsAreDocumented: the remedy for a group that is written wrongly names
// the document that lists the right ones.
func TestKnownGroupsAreDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/preflight.md")
	if err != nil {
		t.Fatal(err)
	}
	_, list, _ := strings.Cut(string(doc), "**Groups are roles.**")
	list, _, _ = strings.Cut(list, "\n\n")
	ports, err := site.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range sizing.Names() {
		table, _, err := sizing.Embedded(name)
		if err != nil {
			t.Fatal(err)
		}
		known, err := KnownGroups(table, ports)
		if err != nil {
			t.Fatal(err)
		}
		for _, group := range known {
			if !strings.Contains(list, "`"+group+"`") {
				t.Errorf("group %s of the table %s is not in docs/preflight.md", group, name)
			}
		}
	}
}

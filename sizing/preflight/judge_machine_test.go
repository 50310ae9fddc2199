package preflight

import (
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
	"github.com/islandbundle/island/sizing/site"
)

// seenOn returns a host that has the interfaces of a machine, and when it was started;
// empty if the facts do not say so.
func seenOn(name, internal, boot string, nics []facts.NIC, groups ...string) facts.Host {
	host := factstest.GoodHost(name, internal, groups...)
	host.Facts.Network.Interfaces = factstest.Read(nics)
	host.Facts.Kernel.BootID, host.Facts.OS.MachineID = factstest.Read(boot), factstest.Read("image")
	if boot == "" {
		host.Facts.Kernel.BootID, host.Facts.OS.MachineID = facts.Value[string]{}, facts.Value[string]{}
	}
	return host
}

// mac is how hardware addresses begin; two digits more are one.
const mac = "02:00:00:00:00:"

func device(name, hardware string, addresses ...string) facts.NIC {
	n := facts.NIC{Name: name, MTU: 1500, Speed: 1000, Hardware: hardware, Driver: "virtio_net"}
	for _, address := range addresses {
		n.Addresses = append(n.Addresses, facts.Address{Prefix: address + "/24"})
	}
	return n
}

// TestNamesOfOneMachine: which names of an inventory stand for one machine.
func TestNamesOfOneMachine(t *testing.T) {
	t.Parallel()
	bare := func(name, hardware string, addresses ...string) facts.NIC {
		n := device(name, hardware, addresses...)
		n.Driver = ""
		return n
	}
	two := []facts.NIC{device("ens3", mac+"01", "10.0.0.1"), device("ens4", mac+"02", "10.1.0.1")}
	docker := bare("docker0", "02:42:ac:11:00:01", "172.17.0.1")
	for name, test := range map[string]struct {
		a, b facts.Host
		one  bool
	}{
		"machines apart": {
			seenOn("a", "10.0.0.1", "x", []facts.NIC{device("eth0", mac+"01", "10.0.0.1")}),
			seenOn("b", "10.0.0.2", "y", []facts.NIC{device("eth0", mac+"02", "10.0.0.2")}), false,
		},
		"one address by two names": {
			seenOn("a", "10.0.0.1", "x", []facts.NIC{device("eth0", mac+"01", "10.0.0.1")}),
			seenOn("b", "10.0.0.1", "x", []facts.NIC{device("eth0", mac+"01", "10.0.0.1")}), true,
		},
		"two addresses of one machine": {
			seenOn("a", "10.0.0.1", "x", two),
			seenOn("b", "10.1.0.1", "x", two),
			true,
		},
		"earlier facts, which do not say when it was started": {
			seenOn("a", "10.0.0.1", "", []facts.NIC{device("eth0", mac+"01", "10.0.0.1", "10.0.0.7")}),
			seenOn("b", "10.0.0.7", "", []facts.NIC{device("eth0", mac+"01", "10.0.0.1", "10.0.0.7")}), true,
		},
		"earlier facts without hardware addresses": {
			seenOn("a", "10.0.0.1", "", []facts.NIC{device("eth0", "", "10.0.0.1")}),
			seenOn("b", "10.0.0.1", "", []facts.NIC{device("eth0", "", "10.0.0.1")}), true,
		},
		"earlier facts of machines apart": {
			seenOn("a", "10.0.0.1", "", []facts.NIC{device("eth0", mac+"01", "10.0.0.1")}),
			seenOn("b", "10.0.0.2", "", []facts.NIC{device("eth0", mac+"02", "10.0.0.2")}), false,
		},
		"machines that have one address by mistake": {
			seenOn("a", "10.0.0.1", "", []facts.NIC{device("eth0", mac+"01", "10.0.0.1")}),
			seenOn("b", "10.0.0.1", "", []facts.NIC{device("eth0", mac+"02", "10.0.0.1")}), false,
		},
		"machines of one image": {
			seenOn("a", "10.0.0.1", "x", []facts.NIC{device("eth0", mac+"01", "10.0.0.1")}),
			seenOn("b", "10.0.0.2", "y", []facts.NIC{device("eth0", mac+"02", "10.0.0.2")}), false,
		},
		"machines of one image, one hardware address and one internal address": {
			seenOn("a", "10.0.2.15", "x", []facts.NIC{device("eth0", mac+"01", "10.0.2.15")}),
			seenOn("b", "10.0.2.15", "y", []facts.NIC{device("eth0", mac+"01", "10.0.2.15")}), false,
		},
		"machines behind one translated address": {
			seenOn("a", "203.0.113.1", "x", []facts.NIC{device("eth0", mac+"01", "10.0.0.1")}),
			seenOn("b", "203.0.113.1", "y", []facts.NIC{device("eth0", mac+"02", "10.0.0.2")}), false,
		},
		"a machine that is seen behind two translated addresses": {
			seenOn("a", "203.0.113.1", "x", []facts.NIC{device("eth0", mac+"01", "10.0.0.1")}),
			seenOn("b", "203.0.113.2", "x", []facts.NIC{device("eth0", mac+"01", "10.0.0.1")}), true,
		},
		"containers on one kernel": {
			seenOn("a", "10.0.0.1", "x", []facts.NIC{bare("eth0", mac+"01", "10.0.0.1")}),
			seenOn("b", "10.0.0.2", "x", []facts.NIC{bare("eth0", mac+"02", "10.0.0.2")}), false,
		},
		"bridges that programs make alike everywhere": {
			seenOn("a", "10.0.0.1", "", []facts.NIC{device("eth0", mac+"01", "10.0.0.1"), docker}),
			seenOn("b", "10.0.0.2", "", []facts.NIC{device("eth0", mac+"02", "10.0.0.2"), docker}),
			false,
		},
		"containers that have made a bridge": {
			seenOn("a", "10.0.0.1", "x", []facts.NIC{bare("eth0", mac+"01", "10.0.0.1")}),
			seenOn("b", "10.0.0.1", "x", []facts.NIC{bare("eth0", mac+"01", "10.0.0.1"), bare("br0", mac+"09", "172.17.0.1")}), true,
		},
		"tunnels without hardware addresses": {
			seenOn("a", "10.0.0.1", "", []facts.NIC{bare("wg0", "", "10.0.0.1")}),
			seenOn("b", "10.0.0.2", "", []facts.NIC{bare("wg0", "00:00:00:00:00:00", "10.0.0.2")}), false,
		},
		"no facts of one": {
			seenOn("a", "10.0.0.1", "x", []facts.NIC{device("eth0", mac+"01", "10.0.0.1")}),
			facts.Host{Name: "b", Address: "10.0.0.1", Internal: "10.0.0.1"}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, hosts := range [][]facts.Host{{test.a, test.b}, {test.b, test.a}} {
				j := &judgement{Input: Input{Survey: &facts.Survey{Hosts: hosts}}}
				j.assignRoles()
				j.assignMachines()
				if one := j.machines["a"] == j.machines["b"]; one != test.one {
					t.Errorf("one machine: %v, want %v", one, test.one)
				}
			}
		})
	}
}

// TestOneMachine: what is required of several names has to be there for all of them, and
// is said once, at the first of them.
func TestOneMachine(t *testing.T) {
	t.Parallel()
	nics := []facts.NIC{device("eth0", mac+"01", "10.0.0.1", "10.0.0.2", "10.0.0.3")}
	machine := func(cores float64, memory int64, hosts ...facts.Host) []facts.Host {
		for i := range hosts {
			f := hosts[i].Facts
			f.Network.Hostname.Value = hosts[i].Name
			f.CPU.Usable.Value, f.CPU.Threads.Value, f.Memory.Total.Value, f.Memory.Usable.Value = cores, int(cores), memory*1e9, memory*1e9
			for k := range f.Paths {
				f.Paths[k].FileSystem.Value.DeviceID, f.Paths[k].FileSystem.Value.Size, f.Paths[k].FileSystem.Value.Free = "8:1", 130e9, 120e9
			}
		}
		return hosts
	}
	named := func(name, address string, groups ...string) facts.Host {
		return seenOn(name, address, "x", nics, groups...)
	}
	for name, test := range map[string]struct {
		hosts []facts.Host
		want  []string
	}{
		"roles of two names": {
			machine(2, 5, named("c1", "10.0.0.1", "cassandra"), named("e1", "10.0.0.2", "elasticsearch")), []string{
				"fail cpu.cores@c1: one machine (c1, e1): 2 usable cores, 3 required",
				"fail disk.size@c1: one machine (c1, e1): 130 GB behind /mnt/cassandra, /var/lib/elasticsearch, 140 GB required (tolerance 5 %)",
				"fail memory.total@c1: one machine (c1, e1): 5 GB visible, 6 GB required (tolerance 5 %)",
				"fail roles.share@c1: one machine (c1, e1): roles on one machine that must not share it: cassandra + elasticsearch",
			},
		},
		"one role by two names": {
			machine(3, 7, named("c1", "10.0.0.1", "cassandra"), named("c2", "10.0.0.3", "cassandra")), []string{
				"fail cpu.cores@c1: one machine (c1, c2): 3 usable cores, 4 required",
				"fail disk.size@c1: one machine (c1, c2): 130 GB behind /mnt/cassandra, 160 GB required (tolerance 5 %)",
				"fail memory.total@c1: one machine (c1, c2): 7 GB visible, 8 GB required (tolerance 5 %)",
				"fail roles.share@c1: one machine (c1, c2): roles on one machine that must not share it: cassandra + cassandra",
			},
		},
		"a role that the table has no figures for": {
			machine(8, 16, named("c1", "10.0.0.1", "cassandra"), named("r1", "10.0.0.3", "rmq-cluster")), []string{
				"warn roles.share@c1: one machine (c1, r1): cassandra + rabbitmq on one machine: the table has no figures for all of them, " +
					"so that what they need together is not known",
			},
		},
		"two machines": {
			slices.Concat(machine(2, 4, named("c1", "10.0.0.1", "cassandra")),
				machine(2, 4, factstest.GoodHost("e1", "10.0.0.9", "elasticsearch"))), nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := judge(t, &facts.Survey{Hosts: test.hosts, Partial: true}, nil)
			var got []string
			for _, f := range r.Bad() {
				got = append(got, string(f.Outcome)+" "+f.ID+"@"+f.Host+": "+english(f.Sentence()))
			}
			slices.Sort(got)
			if !slices.Equal(got, test.want) {
				t.Errorf("findings are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
			for _, f := range r.Findings {
				if f.ID == "memory.total" && f.Outcome == Skipped && english(f.Sentence()) != "one machine with "+test.hosts[0].Name+": judged there" {
					t.Errorf("of the other name it is said: %s", english(f.Sentence()))
				}
			}
		})
	}
}

// TestMachinesAreCounted: names of one machine are one host of a role, one member, and
// have one share of a server.
func TestMachinesAreCounted(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	nics := []facts.NIC{device("eth0", mac+"01", "10.0.0.10", "10.0.0.11")}
	for i, name := range []string{"kubenode1", "kubenode2"} {
		k := slices.IndexFunc(s.Hosts, func(h facts.Host) bool { return h.Name == name })
		address := []string{"10.0.0.10", "10.0.0.11"}[i]
		s.Hosts[k].Facts.Network.Interfaces, s.Hosts[k].Internal = factstest.Read(nics), address
		s.Hosts[k].Facts.Kernel.BootID = factstest.Read("x")
		s.Hosts[k].Facts.CPU.Threads, s.Hosts[k].Facts.CPU.Usable = factstest.Read(12), factstest.Read(12.0)
	}
	document := site.Undescribed()
	document.Servers = []site.Server{{Name: "server1", Cores: 16, Memory: 64e9, Machines: []site.SiteVM{
		{Name: "kubenode1"}, {Name: "kubenode2"},
	}}}
	var got []string
	for _, f := range judge(t, s, document).Bad() {
		got = append(got, string(f.Outcome)+" "+f.ID+": "+english(f.Sentence()))
	}
	slices.Sort(got)
	want := []string{
		"fail count.etcd: 2 etcd members", "fail count.hosts: 2 of 3 hosts for Kubernetes",
		"fail roles.share: one machine (kubenode1, kubenode2): roles on one machine that must not share it: kubernetes + kubernetes",
	}
	if !slices.Equal(got, want) {
		t.Errorf("findings are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestPortOfTwoNames: a port that the probe has by another name of the same machine is in
// use by no other program; one that nobody else's role wants is.
func TestPortOfTwoNames(t *testing.T) {
	t.Parallel()
	nics := []facts.NIC{device("eth0", mac+"01", "10.0.0.1")}
	hosts := []facts.Host{seenOn("c1", "10.0.0.1", "x", nics, "cassandra"), seenOn("c2", "10.0.0.1", "x", nics, "cassandra")}
	for i := range hosts {
		hosts[i].Facts.Network.Hostname.Value = hosts[i].Name
	}
	link := facts.Link{From: "k1", To: "c2", Protocol: "tcp", Port: 9042, Rows: []string{"cassandra-clients"}, Outcome: facts.InUse}
	r := judge(t, &facts.Survey{Hosts: hosts, Links: []facts.Link{link}, Partial: true}, nil)
	const also = "skipped port.in-use: tcp/9042 belongs to c1 too, which is the same machine"
	if got := sayings(r, "port.in-use", Fail, Skipped); !slices.Equal(got, []string{also}) {
		t.Errorf("of two Cassandras it is said %q", got)
	}
	hosts[0].Groups = []string{"minio"}
	r = judge(t, &facts.Survey{Hosts: hosts, Links: []facts.Link{link}, Partial: true}, nil)
	if got := sayings(r, "port.in-use", Fail, Skipped); len(got) != 1 || !strings.HasPrefix(got[0], "fail") {
		t.Errorf("of Cassandra and MinIO it is said %q", got)
	}
}

// TestMachineIDs: machines of one image are apart and have one id, which is told of each;
// where nobody knows it, that is said.
func TestMachineIDs(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	for i, name := range []string{"cassandra2", "minio1"} {
		k := slices.IndexFunc(s.Hosts, func(h facts.Host) bool { return h.Name == name })
		s.Hosts[k].Facts.OS.MachineID.Value = "image"
		if i == 1 {
			s.Hosts[0].Facts.OS.MachineID = facts.Value[string]{}
		}
	}
	want := []string{
		"skipped os.machine-id: not known: not in the facts",
		"warn os.machine-id: machine id is that of cassandra2, too", "warn os.machine-id: machine id is that of minio1, too",
	}
	if got := sayings(judge(t, s, nil), "", Fail, Error, Warn); !slices.Equal(got, want[1:]) {
		t.Errorf("findings are %q, want %q", got, want[1:])
	}
	if got := sayings(judge(t, s, nil), "os.machine-id", Skipped); !slices.Equal(got, want[:1]) {
		t.Errorf("skipped is %q, want %q", got, want[:1])
	}
}

package preflight

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
	"github.com/islandbundle/island/sizing/site"
)

// goodSurvey is of a site that meets the guide's table.
func goodSurvey() *facts.Survey {
	s := &facts.Survey{APIVersion: facts.APIVersion, Kind: facts.SurveyKind, Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	add := func(count int, name string, groups ...string) {
		for i := range count {
			address := fmt.Sprintf("10.0.0.%d", len(s.Hosts)+1)
			s.Hosts = append(s.Hosts, factstest.GoodHost(fmt.Sprintf("%s%d", name, i+1), address, groups...))
		}
	}
	add(3, "cassandra", "cassandra")
	add(3, "minio", "minio")
	add(3, "elasticsearch", "elasticsearch")
	add(3, "kubenode", "kube-node", "kube-master", "etcd")
	add(2, "restund", "restund")
	add(1, "assethost", "assethost")
	s.Links = []facts.Link{
		{From: "kubenode1", To: "cassandra1", Protocol: "tcp", Port: 9042, Rows: []string{"cassandra-clients"}, Outcome: facts.OK},
		{From: "kubenode2", To: "cassandra1", Protocol: "tcp", Port: 9042, Rows: []string{"cassandra-clients"}, Outcome: facts.OK},
		{From: "kubenode1", To: "restund1", Protocol: "udp", Port: 3478, Rows: []string{"turn-udp"}, Outcome: facts.OK},
		{From: "kubenode1", To: "restund1", Protocol: "udp", Port: 46883, Rows: []string{"media"}, Outcome: facts.OK},
		{From: "kubenode1", To: "cassandra1", Protocol: "mtu", Outcome: facts.OK, MTU: 1500, RoundTrip: 0.3},
	}
	s.Site = []facts.Observation{
		{Subject: facts.SubjectName, Object: "webapp.example", Outcome: facts.OK, Method: message.Plain("lookup")},
		{
			Subject:     facts.SubjectCertificate,
			Object:      "x",
			Outcome:     facts.OK,
			Method:      message.Plain("file"),
			Certificate: goodCertificate(s.Started, 200),
		},
	}
	return s
}

// goodCertificate ends some days after a survey began.
func goodCertificate(started time.Time, days int) *facts.Certificate {
	return &facts.Certificate{
		NotBefore: started.Add(-time.Hour), NotAfter: started.Add(time.Duration(days)*24*time.Hour + time.Hour),
		Names: []string{"*.example"}, Key: "ECDSA", Curve: "P-256", Chain: facts.Result{Outcome: facts.OK},
	}
}

func guide(t testing.TB) *sizing.Table {
	t.Helper()
	table, _, err := sizing.Embedded("guide")
	if err != nil {
		t.Fatal(err)
	}
	return table
}

func judge(t testing.TB, s *facts.Survey, site *site.Site) *Verdict {
	t.Helper()
	r, err := Judge(Input{Survey: s, Table: guide(t), Site: site})
	if err != nil {
		t.Fatal(err)
	}
	isWorded(t, r)
	return r
}

func english(text message.Text) string { return words.English().Text(text) }

// isWorded wants every text of a report in every language: with words for each code,
// and without a gap that nothing fills.
func isWorded(t testing.TB, r *Verdict) {
	t.Helper()
	for _, f := range r.Findings {
		for _, text := range []message.Text{
			f.Sentence(), f.Object, f.Observed, f.Required, f.Unit, f.Tolerance, f.Method, f.Source, f.Remedy,
		} {
			hasWords(t, f.ID, text)
		}
		for _, role := range f.Roles {
			hasWords(t, f.ID, r.RoleName(role))
		}
	}
	for _, link := range r.Links {
		for _, bad := range link.Bad {
			hasWords(t, "link", bad.Purpose)
			hasWords(t, "link", bad.Detail)
		}
	}
}

func hasWords(t testing.TB, id string, text message.Text) {
	t.Helper()
	if err := text.Check(); err != nil {
		t.Errorf("%s: %+v: %v", id, text, err)
	}
	if text.Code != "" {
		for _, l := range words.All() {
			gaps, ok := l.Gaps(text.Code)
			if !ok && text.Given == nil {
				t.Errorf("%s: %s has no words for %s", id, l.Tag, text.Code)
			}
			if given := slices.Sorted(maps.Keys(text.Args)); ok && !slices.Equal(gaps, given) {
				t.Errorf("%s: %s in %s has gaps for %q, and the message fills %q", id, text.Code, l.Tag, gaps, given)
			}
		}
	}
	for _, arg := range text.Args {
		switch v := arg.(type) {
		case message.Text:
			hasWords(t, id, v)
		case []message.Text:
			for _, member := range v {
				hasWords(t, id, member)
			}
		}
	}
}

func bad(r *Verdict) []string {
	var list []string
	for _, f := range r.Bad() {
		list = append(list, string(f.Outcome)+" "+f.ID+"@"+f.Host)
	}
	slices.Sort(list)
	return list
}

// TestFaultsGiveExactlyTheirFinding changes one thing of a good site each.
func TestFaultsGiveExactlyTheirFinding(t *testing.T) {
	t.Parallel()
	island := site.Undescribed()
	island.Internet = false
	h := func(s *facts.Survey, name string) *facts.Host {
		return &s.Hosts[slices.IndexFunc(s.Hosts, func(h facts.Host) bool { return h.Name == name })]
	}
	path := func(s *facts.Survey, name, path string) *facts.Path {
		paths := h(s, name).Facts.Paths
		return &paths[slices.IndexFunc(paths, func(p facts.Path) bool { return p.Path == path })]
	}
	for name, test := range map[string]struct {
		change func(*facts.Survey)
		want   []string
	}{
		"good": {func(*facts.Survey) {}, nil},
		"too few cores": {
			func(s *facts.Survey) { h(s, "cassandra1").Facts.CPU.Usable.Value = 1.5 },
			[]string{"fail cpu.cores@cassandra1"},
		},
		"just enough cores": {func(s *facts.Survey) { h(s, "kubenode1").Facts.CPU.Usable.Value = 6 }, nil},
		"too little memory": {
			func(s *facts.Survey) { h(s, "cassandra1").Facts.Memory.Usable.Value = 3.79e9 },
			[]string{"fail memory.total@cassandra1"},
		},
		"memory within tolerance": {func(s *facts.Survey) { h(s, "cassandra1").Facts.Memory.Usable.Value = 3.81e9 }, nil},
		"small disk": {
			func(s *facts.Survey) { path(s, "cassandra1", "/mnt/cassandra").FileSystem.Value.Size = 75e9 },
			[]string{"fail disk.size@cassandra1"},
		},
		"disk within tolerance": {
			func(s *facts.Survey) { path(s, "cassandra1", "/mnt/cassandra").FileSystem.Value.Size = 77e9 },
			nil,
		},
		"little free": {
			func(s *facts.Survey) { path(s, "cassandra1", "/mnt/cassandra").FileSystem.Value.Free = 39e9 },
			[]string{"warn disk.free@cassandra1"},
		},
		"few inodes": {
			func(s *facts.Survey) { path(s, "cassandra1", "/mnt/cassandra").FileSystem.Value.InodesFree = 50 },
			[]string{"warn disk.inodes@cassandra1"},
		},
		"no fixed number of inodes": {
			func(s *facts.Survey) { path(s, "cassandra1", "/mnt/cassandra").FileSystem.Value.Inodes = 0 },
			nil,
		},
		"read-only": {
			func(s *facts.Survey) { path(s, "cassandra1", "/mnt/cassandra").FileSystem.Value.Options = "ro" },
			[]string{"fail disk.read-only@cassandra1"},
		},
		"rather slow disk": {
			func(s *facts.Survey) { path(s, "kubenode1", "/var/lib/etcd").Fsync.Value.MedianP99 = 12 },
			[]string{"warn disk.fsync@kubenode1"},
		},
		"slow disk": {
			func(s *facts.Survey) { path(s, "kubenode1", "/var/lib/etcd").Fsync.Value.MedianP99 = 80 },
			[]string{"fail disk.fsync@kubenode1"},
		},
		"slow disk where none is needed fast": {
			func(s *facts.Survey) { path(s, "minio1", "/var/lib/minio-server1").Fsync.Value.MedianP99 = 80 },
			nil,
		},
		"disk full while measured": {func(s *facts.Survey) {
			p := path(s, "cassandra1", "/mnt/cassandra")
			p.Fsync, p.FileSystem.Value.Free = facts.Value[facts.Fsync]{Method: message.Plain("x"), Unread: message.Of(facts.NoSpace, nil)}, 0
		}, []string{"error reach.disk-full@cassandra1"}},
		"disk not readable": {func(s *facts.Survey) {
			path(s, "cassandra1", "/mnt/cassandra").FileSystem = facts.Value[facts.FileSystem]{
				Method: message.Plain("x"), Unread: message.Of(facts.NoRoot, nil),
			}
		}, []string{"error disk.size@cassandra1"}},
		"wrong release": {func(s *facts.Survey) { h(s, "minio2").Facts.OS.Version.Value = "18.04" }, []string{"fail os.release@minio2"}},
		"wrong architecture": {
			func(s *facts.Survey) { h(s, "minio2").Facts.CPU.Architecture.Value = "arm64" },
			[]string{"fail cpu.architecture@minio2"},
		},
		"stolen time": {func(s *facts.Survey) { h(s, "minio2").Facts.CPU.Steal.Value = 30 }, []string{"fail cpu.steal@minio2"}},
		"no AES":      {func(s *facts.Survey) { h(s, "minio2").Facts.CPU.AES.Value = false }, []string{"warn cpu.aes@minio2"}},
		"swap on a node": {
			func(s *facts.Survey) { h(s, "kubenode1").Facts.Memory.Swap.Value = 1e9 },
			[]string{"fail memory.swap@kubenode1"},
		},
		"swap elsewhere":         {func(s *facts.Survey) { h(s, "minio2").Facts.Memory.Swap.Value = 1e9 }, nil},
		"clock skew":             {func(s *facts.Survey) { h(s, "minio2").Clock.Offset = -3 }, []string{"fail time.offset@minio2"}},
		"clock skew not certain": {func(s *facts.Survey) { *h(s, "minio2").Clock = facts.Clock{Offset: 1, Uncertainty: 0.95} }, nil},
		"clock not kept": {
			func(s *facts.Survey) {
				h(s, "minio2").Facts.Time.Synchronised.Value, h(s, "minio2").Facts.Time.MaxError.Value = false, 16
			},
			[]string{"warn time.synchronised@minio2"},
		},
		"other MTU": {
			func(s *facts.Survey) { h(s, "minio2").Facts.Network.Interfaces.Value[0].MTU = 1400 },
			[]string{"fail net.mtu@minio2"},
		},
		"other host name": {
			func(s *facts.Survey) { h(s, "minio2").Facts.Network.Hostname.Value = "ubuntu" },
			[]string{"fail net.hostname@minio2"},
		},
		"host name in capitals": {func(s *facts.Survey) { h(s, "minio2").Facts.Network.Hostname.Value = "MinIO2.Example" }, nil},
		"RabbitMQ's host name in capitals": {func(s *facts.Survey) {
			h(s, "minio2").Groups = append(h(s, "minio2").Groups, "rmq-cluster")
			h(s, "minio2").Facts.Network.Hostname.Value = "MINIO2"
		}, []string{"fail net.hostname@minio2", "warn roles.share@minio2"}},
		"whole host name": {func(s *facts.Survey) { h(s, "minio2").Facts.Network.Hostname.Value = "minio2.example" }, nil},
		"dynamic address": {
			func(s *facts.Survey) { h(s, "minio2").Facts.Network.Interfaces.Value[0].Addresses[0].Dynamic = true },
			[]string{"fail net.static@minio2"},
		},
		"other address": {func(s *facts.Survey) { h(s, "minio2").Internal = "10.9.9.9" }, []string{"fail net.address@minio2"}},
		"slow throughput": {func(s *facts.Survey) {
			s.Links = append(s.Links, facts.Link{From: "kubenode1", To: "kubenode2", Protocol: "throughput", Outcome: facts.OK, BitsPerSecond: 1e8},
				facts.Link{From: "kubenode2", To: "kubenode3", Protocol: "throughput", Outcome: facts.OK, BitsPerSecond: 9.4e8})
		}, []string{"fail link.throughput@kubenode1"}},
		"throughput not measured": {func(s *facts.Survey) {
			s.Links = append(s.Links, facts.Link{From: "kubenode1", To: "kubenode2", Protocol: "throughput", Outcome: facts.TimedOut})
		}, []string{"error link.throughput@kubenode1"}},
		"weak key": {func(s *facts.Survey) {
			for name, bits := range map[string]int{"x": 1024, "y": 2048} {
				c := goodCertificate(s.Started, 200)
				c.Key, c.Bits, c.Curve = "RSA", bits, ""
				s.Site = append(s.Site, facts.Observation{Subject: facts.SubjectCertificate, Object: name, Outcome: facts.OK, Certificate: c})
			}
		}, []string{"fail site.certificate-key@"}},
		"some hosts alone": {func(s *facts.Survey) { s.Partial, s.Hosts = true, s.Hosts[:1] }, nil},
		"port that could not be listened on": {func(s *facts.Survey) {
			s.Links[0].Outcome, s.Links[0].Detail = facts.Unmade, message.Plain("too many open files")
		}, []string{"error link.tcp@cassandra1"}},
		"refused by a host whose probe has died": {func(s *facts.Survey) {
			dead := h(s, "cassandra1")
			dead.Facts, dead.Reach = nil, facts.Reach{Outcome: facts.Killed, Detail: message.Plain("ended by signal 9")}
			for i := range s.Links {
				if s.Links[i].To == "cassandra1" {
					s.Links[i].Outcome = facts.Refused
				}
			}
		}, []string{"error reach.probe@cassandra1"}},
		"huge pages": {func(s *facts.Survey) {
			m := &h(s, "cassandra2").Facts.Memory
			m.Total, m.HugePages, m.Usable = factstest.Read[int64](16<<30), factstest.Read[int64](15<<30), factstest.Read[int64](1<<30)
		}, []string{"fail memory.total@cassandra2"}},
		"interface of another name": {
			func(s *facts.Survey) { h(s, "cassandra2").Interfaces = []string{"enp1s0"} },
			[]string{"fail net.interface@cassandra2"},
		},
		"interface without the address": {func(s *facts.Survey) {
			h(s, "cassandra2").Interfaces = []string{"eth1"}
			nics := &h(s, "cassandra2").Facts.Network.Interfaces.Value
			*nics = append(*nics, facts.NIC{Name: "eth1", MTU: 1500, Addresses: []facts.Address{{Prefix: "10.7.0.2/24"}}})
		}, []string{"fail net.interface@cassandra2"}},
		"interface as named": {func(s *facts.Survey) { h(s, "cassandra2").Interfaces = []string{"eth0"} }, nil},
		"slow link": {
			func(s *facts.Survey) { h(s, "kubenode1").Facts.Network.Interfaces.Value[0].Speed = 100 },
			[]string{"fail net.speed@kubenode1"},
		},
		"link that does not say": {func(s *facts.Survey) { h(s, "kubenode1").Facts.Network.Interfaces.Value[0].Speed = 0 }, nil},
		"default route": {func(s *facts.Survey) {
			h(s, "minio2").Facts.Network.Routes.Value = []facts.Route{{Gateway: "10.0.0.254", Interface: "eth0"}}
		}, []string{"fail net.island@minio2"}},
		"firewall manager": {
			func(s *facts.Survey) { h(s, "minio2").Facts.Security.Firewalls.Value = []string{"ufw", "nftables"} },
			[]string{"warn net.firewall@minio2"},
		},
		"SELinux": {
			func(s *facts.Survey) { h(s, "minio2").Facts.Security.SELinux.Value = "enforcing" },
			[]string{"warn security.selinux@minio2"},
		},
		"leftovers": {
			func(s *facts.Survey) { h(s, "minio2").Facts.Software.Leftovers.Value = []string{"/x"} },
			[]string{"fail software.leftovers@minio2"},
		},
		"Docker on a node": {
			func(s *facts.Survey) { h(s, "kubenode1").Facts.Software.Runtimes.Value = []string{"dockerd (running)"} },
			[]string{"warn software.runtime@kubenode1"},
		},
		"gpg missing": {
			func(s *facts.Survey) { h(s, "minio2").Facts.Software.Programs["gpg"] = factstest.Read(false) },
			[]string{"fail software.programs@minio2"},
		},
		"module missing": {func(s *facts.Survey) {
			h(s, "kubenode1").Facts.Kernel.Modules["br_netfilter"] = factstest.Read("missing")
		}, []string{"fail kernel.modules@kubenode1"}},
		"ports overlap": {func(s *facts.Survey) {
			h(s, "kubenode1").Facts.Kernel.Sysctls["net.ipv4.ip_local_port_range"] = factstest.Read("1024 65535")
		}, []string{"fail kernel.port-range@kubenode1"}},
		"port range is nonsense": {func(s *facts.Survey) {
			h(s, "kubenode1").Facts.Kernel.Sysctls["net.ipv4.ip_local_port_range"] = factstest.Read("evil")
		}, []string{"error kernel.port-range@kubenode1"}},
		"host down": {func(s *facts.Survey) {
			*h(s, "minio2") = facts.Host{Name: "minio2", Groups: []string{"minio"}, Reach: facts.Reach{Outcome: facts.Down}}
		}, []string{"error reach.down@minio2"}},
		"host key changed": {func(s *facts.Survey) {
			*h(s, "minio2") = facts.Host{Name: "minio2", Groups: []string{"minio"}, Reach: facts.Reach{Outcome: facts.KeyChanged}}
		}, []string{"error reach.host-key@minio2"}},
		"an outcome nobody knows": {func(s *facts.Survey) {
			*h(s, "minio2") = facts.Host{Name: "minio2", Groups: []string{"minio"}, Reach: facts.Reach{Outcome: "evil"}}
		}, []string{"error reach.probe@minio2"}},
		"blocked from two": {
			func(s *facts.Survey) { s.Links[0].Outcome, s.Links[1].Outcome = facts.TimedOut, facts.TimedOut },
			[]string{"fail link.tcp@cassandra1"},
		},
		"blocked from one": {func(s *facts.Survey) { s.Links[0].Outcome = facts.TimedOut }, []string{"fail link.tcp@cassandra1"}},
		"wrong host":       {func(s *facts.Survey) { s.Links[0].Outcome = facts.WrongHost }, []string{"fail link.tcp@cassandra1"}},
		"blocked UDP":      {func(s *facts.Survey) { s.Links[2].Outcome = facts.TimedOut }, []string{"fail link.udp@restund1"}},
		"port in use": {
			func(s *facts.Survey) { s.Links[0].Outcome, s.Links[1].Outcome = facts.InUse, facts.InUse },
			[]string{"fail port.in-use@cassandra1"},
		},
		"media port in use":    {func(s *facts.Survey) { s.Links[3].Outcome = facts.InUse }, nil},
		"small MTU on the way": {func(s *facts.Survey) { s.Links[4].MTU = 1400 }, []string{"fail link.mtu@kubenode1"}},
		"small MTU to one host": {func(s *facts.Survey) {
			for _, other := range []string{"cassandra2", "minio1", facts.AdminHost} {
				s.Links = append(s.Links,
					facts.Link{From: other, To: "minio3", Protocol: "mtu", Outcome: facts.OK, MTU: 1412, Largest: 1500, RoundTrip: 0.2})
			}
			s.Links = append(s.Links,
				facts.Link{From: "minio3", To: "minio1", Protocol: "mtu", Outcome: facts.OK, MTU: 1412, Largest: 1500, RoundTrip: 0.2})
		}, []string{"fail link.mtu@minio3"}},
		"small MTU from the admin host": {func(s *facts.Survey) {
			h(s, "minio3").Facts, h(s, "minio3").Clock, h(s, "minio3").Reach = nil, nil, facts.Reach{
				Outcome: facts.LargeLost, Method: message.Plain("ssh"),
			}
			s.Links = append(s.Links,
				facts.Link{From: facts.AdminHost, To: "minio3", Protocol: "mtu", Outcome: facts.OK, MTU: 1412, Largest: 1500, RoundTrip: 0.2})
		}, []string{"fail link.mtu@minio3"}},
		"long way":            {func(s *facts.Survey) { s.Links[4].RoundTrip = 40 }, []string{"warn link.round-trip@kubenode1"}},
		"even number of etcd": {func(s *facts.Survey) { h(s, "kubenode3").Groups = []string{"kube-node"} }, []string{"fail count.etcd@"}},
		"too few hosts": {func(s *facts.Survey) {
			s.Hosts = slices.DeleteFunc(s.Hosts, func(h facts.Host) bool { return h.Name == "minio3" })
		}, []string{"fail count.hosts@"}},
		"no Restund": {func(s *facts.Survey) {
			s.Hosts = slices.DeleteFunc(s.Hosts, func(h facts.Host) bool { return strings.HasPrefix(h.Name, "restund") })
		}, nil},
		"two roles": {
			func(s *facts.Survey) { h(s, "minio2").Groups = []string{"minio", "elasticsearch"} },
			[]string{"fail roles.share@minio2"},
		},
		"DNS name missing":  {func(s *facts.Survey) { s.Site[0].Outcome = facts.Unresolved }, []string{"fail site.dns@"}},
		"DNS server silent": {func(s *facts.Survey) { s.Site[0].Outcome = facts.Unmade }, []string{"error site.dns@"}},
		"certificate ends soon": {
			func(s *facts.Survey) { s.Site[1].Certificate = goodCertificate(s.Started, 12) },
			[]string{"warn site.certificate-dates@"},
		},
		"unknown observation": {func(s *facts.Survey) { s.Site[0].Subject = "evil" }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := goodSurvey()
			test.change(s)
			r := judge(t, s, island)
			if got := bad(r); !slices.Equal(got, test.want) {
				t.Errorf("findings are %q, want %q", got, test.want)
			}
			for _, f := range r.Bad() {
				if f.Remedy.IsZero() || f.Message.IsZero() || f.Source.IsZero() {
					t.Errorf("finding %s lacks a text, a remedy or its source: %+v", f.ID, f)
				}
			}
		})
	}
}

func TestWaiversTurnFailsIntoVisibleWarnings(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	s.Hosts[0].Facts.CPU.Usable.Value, s.Hosts[1].Facts.CPU.Usable.Value = 1, 1
	hospital := site.Undescribed()
	hospital.Preflight.Waivers = []site.Waiver{{ID: "cpu.cores", Host: "cassandra1", Reason: "test bench"}}
	r := judge(t, s, hospital)
	if got, want := bad(r), []string{"fail cpu.cores@cassandra2", "warn cpu.cores@cassandra1"}; !slices.Equal(got, want) {
		t.Fatalf("findings are %q, want %q", got, want)
	}
	if i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.Waived == "test bench" }); i < 0 {
		t.Error("reason of the waiver is not shown")
	}
	if _, err := Judge(Input{
		Survey: s, Table: guide(t),
		Site: &site.Site{Preflight: site.Section{Waivers: []site.Waiver{{ID: "cpu.coers", Reason: "x"}}}},
	}); err == nil {
		t.Error("waiver of no check was taken")
	}
}

func TestServersRevealOvercommit(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	hospital := site.Undescribed()
	for i := range 3 {
		server := site.Server{Name: fmt.Sprintf("server%d", i+1), Cores: 48, Memory: 128 << 30}
		for k, host := range s.Hosts {
			if k%3 == i {
				server.Machines = append(server.Machines, site.SiteVM{Name: host.Name})
			}
		}
		hospital.Servers = append(hospital.Servers, server)
	}
	if got := bad(judge(t, s, hospital)); got != nil {
		t.Fatalf("findings are %q", got)
	}
	hospital.Servers[1].Cores = 16 // for five machines of eight cores
	hospital.Servers[2].Memory = 32 << 30
	if got, want := bad(judge(t, s, hospital)), []string{"fail server.overcommit@server2", "fail server.overcommit@server3"}; !slices.Equal(
		got,
		want,
	) {
		t.Errorf("findings are %q, want %q", got, want)
	}
	hospital.Servers[1].Cores, hospital.Servers[2].Memory = 48, 128<<30
	hospital.Servers[0].Machines[0], hospital.Servers[1].Machines[2] = hospital.Servers[1].Machines[2], hospital.Servers[0].Machines[0]
	if got := bad(judge(t, s, hospital)); len(got) == 0 || !strings.HasPrefix(got[0], "fail server.spread") {
		t.Errorf("findings are %q", got)
	}
}

func TestBundleMustFit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		needs BundleNeeds
		want  []string
	}{
		"fits":      {BundleNeeds{Size: 20e9, NodeImages: 10e9}, nil},
		"too large": {BundleNeeds{Size: 460e9, NodeImages: 10e9}, []string{"fail bundle.asset-host@assethost1"}},
		"images too large": {
			BundleNeeds{Size: 200e9, NodeImages: 150e9},
			[]string{"fail bundle.node-disk@kubenode1", "fail bundle.node-disk@kubenode2", "fail bundle.node-disk@kubenode3"},
		},
	} {
		r, err := Judge(Input{Survey: goodSurvey(), Table: guide(t), Bundle: &test.needs})
		if err != nil {
			t.Fatal(err)
		}
		if got := bad(r); !slices.Equal(got, test.want) {
			t.Errorf("%s: findings are %q, want %q", name, got, test.want)
		}
	}
}

// TestJudgeIsPure: the same survey gives the same report, and is not changed.
func TestJudgeIsPure(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	before, _ := json.Marshal(s)
	first, second := judge(t, s, nil), judge(t, s, nil)
	if !reflect.DeepEqual(first, second) {
		t.Error("the same survey gives two reports")
	}
	if after, _ := json.Marshal(s); string(before) != string(after) {
		t.Error("judging changes the survey")
	}
}

// TestEmptyFactsAreErrors: what was not read never passes.
func TestEmptyFactsAreErrors(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	s.Hosts[9].Facts = &facts.Facts{APIVersion: facts.APIVersion, Kind: facts.Kind}
	for _, f := range judge(t, s, nil).Findings {
		part, _, _ := strings.Cut(f.ID, ".") // roles are the inventory's, times the admin host's
		if f.Host == "kubenode1" && f.Outcome == Pass && f.ID != "reach.down" && part != "roles" && part != "time" {
			t.Errorf("%s passes without facts: %+v", f.ID, f)
		}
	}
}

// TestSavedFactsSayWhatTheyLack: facts that were carried by hand have neither
// clocks nor links, and that is said.
func TestSavedFactsSayWhatTheyLack(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	s.Links = nil
	for i := range s.Hosts {
		s.Hosts[i].Clock = nil
	}
	r := judge(t, s, nil)
	for _, id := range []string{"time.offset", "link.tcp"} {
		if !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.ID == id && f.Outcome == Skipped }) {
			t.Errorf("%s is not said to be skipped", id)
		}
	}
	if got := bad(r); got != nil {
		t.Errorf("findings are %q", got)
	}
}

func TestLimitsOfASite(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	s.Hosts[0].Clock.Offset = 3
	site := site.Undescribed()
	site.Preflight.Limits = map[string]map[string]float64{"time.offset": {"warn": 5, "fail": 10}}
	if got := bad(judge(t, s, site)); got != nil {
		t.Errorf("findings are %q", got)
	}
	for _, nonsense := range []map[string]map[string]float64{
		{"time.offset": {"warn": 5}}, // which fails already at 0.5
		{"disk.free": {"warn": 5, "fail": 80}},
		{"disk.inodes": {"percent": 101}},
		{"bundle.node-disk": {"percent": 850}},
		{"kernel.port-range": {"first": 40000}},
		{"kernel.port-range": {"last": 327670}},
	} {
		site.Preflight.Limits = nonsense
		if _, err := Judge(Input{Survey: s, Table: guide(t), Site: site}); fault.ExitCode(err) != int(fault.Usage) {
			t.Errorf("limits %v are taken: %v", nonsense, err)
		}
	}
	site.Preflight.Limits = map[string]map[string]float64{"time.offset": {"wran": 5}}
	if _, err := Judge(Input{Survey: s, Table: guide(t), Site: site}); err == nil {
		t.Error("limit that no check has was taken")
	}
}

// TestUpgradePath judges bundles against what is installed.
func TestUpgradePath(t *testing.T) {
	t.Parallel()
	steps := &manifests.Upgrades{
		Chart: "wire-server",
		Steps: []manifests.Upgrade{
			{From: ">=5.23.0 <5.24.0", To: "5.24.0"}, {From: ">=5.24.0 <5.25.0", To: "5.25.0", Kubernetes: ">=1.27"},
			{From: ">=5.25.0 <5.26.0", To: "5.26.0", NotWhere: []string{manifests.Federated}},
		},
	}
	federated, alone := site.Undescribed(), site.Undescribed()
	federated.Name, federated.Federation = "federated", true
	alone.Name = "alone"
	const (
		noneBetween = "Make sure that this holds, and then install this bundle: none comes in between"
		keep        = "Keep what is installed"
		sayIt       = "Say with --installed which version is installed"
	)
	for name, test := range map[string]struct {
		site                         *site.Site
		declared, served, kubernetes string
		left                         bool
		to                           string
		want                         []string
		words                        string
		remedy                       string // where anything is to be done
	}{
		"nothing installed": {to: "5.25.0", words: "no upgrade"},
		"one step":          {declared: "5.24.3", kubernetes: "1.29.10", left: true, to: "5.25.1", words: "in one step"},
		"Kubernetes not known": {
			declared: "5.24.3", to: "5.25.0", want: []string{"warn bundle.upgrade@"},
			words: "Kubernetes >=1.27", remedy: noneBetween,
		},
		"Kubernetes too old": {
			declared: "5.24.3", kubernetes: "1.26.1", to: "5.25.0", want: []string{"fail bundle.upgrade@"},
			words: "wants Kubernetes", remedy: "Change what stands in the way",
		},
		"two steps": {
			declared: "5.23.0", kubernetes: "1.29.10", to: "5.25.0", want: []string{"fail bundle.upgrade@"},
			words: "5.24.0 first", remedy: "install the bundles in between first",
		},
		"back": {
			declared: "5.26.0", to: "5.25.0", want: []string{"fail bundle.upgrade@"},
			words: "not later", remedy: keep,
		},
		"the same":                    {declared: "5.25.0", to: "5.25.0", words: "already"},
		"the same, spelled otherwise": {declared: "v5.25.0", to: "5.25.0+WIRE-2026-001", words: "already"},
		"a later patch":               {declared: "5.30.9", to: "5.30.10", words: "in one step"},
		"back within the series": {
			declared: "5.30.10", to: "5.30.9", want: []string{"fail bundle.upgrade@"}, words: "not later", remedy: keep,
		},
		"further than is known": {
			declared: "5.30.9", to: "5.32.0", want: []string{"warn bundle.upgrade@"},
			words:  "5.30.9; the last version that a known step leads to is 5.26.0",
			remedy: "ask who publishes the release",
		},
		"further than is known, in between": {
			declared: "5.25.1", to: "5.32.0", want: []string{"warn bundle.upgrade@"}, words: "no further than 5.26.0",
		},
		"before all that is known": {declared: "4.41.0", to: "5.24.0", want: []string{"warn bundle.upgrade@"}, words: "not known"},
		"built after its release": {
			declared: "5.32.0", to: "5.32.0-pre.3", want: []string{"warn bundle.upgrade@"}, words: "built after 5.32.0",
			remedy: noneBetween,
		},
		"back to before it": {declared: "5.32.0-pre.3", to: "5.32.0", want: []string{"fail bundle.upgrade@"}, words: "not later"},
		"bundle's version is none": {
			declared: "5.24.3", to: "spring", want: []string{"warn bundle.upgrade@"},
			words: "spring", remedy: "ask who publishes",
		},
		"bundle names no version": {declared: "5.24.3", to: "", want: []string{"warn bundle.upgrade@"}, words: "the chart wire-server"},
		"served is no version": {
			served: "latest", to: "5.25.0", want: []string{"error bundle.upgrade@"},
			words: "--installed", remedy: sayIt,
		},
		"federated, or not: unknown": {declared: "5.25.0", to: "5.26.0", want: []string{"warn bundle.upgrade@"}, words: "if this holds: the " +
			"site is not federated", remedy: noneBetween},
		"not federated": {site: alone, declared: "5.25.0", to: "5.26.0", words: "in one step"},
		"not where federated": {
			site: federated, declared: "5.25.0", to: "5.26.0", want: []string{"fail bundle.upgrade@"}, words: "federated",
			remedy: "Change what stands in the way",
		},
		"found on the asset host": {
			served: "5.24.3", kubernetes: "1.29.10", left: true, to: "5.25.0",
			want: []string{"fail software.leftovers@cassandra1"}, words: "in one step",
		},
		"something, not known which": {
			left: true, to: "5.25.0", want: []string{"error bundle.upgrade@", "fail software.leftovers@cassandra1"},
			words: "--installed", remedy: sayIt,
		},
		"services have their ports": {declared: "5.24.3", kubernetes: "1.29.10", to: "5.25.0", words: "in one step"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := goodSurvey()
			if test.left {
				s.Hosts[0].Facts.Software.Leftovers = factstest.Read([]string{"/mnt/cassandra/data"})
			}
			if test.declared != "" {
				s.Links[2].Outcome = facts.InUse // udp, which is not tried without a probe there
			}
			s.Hosts[len(s.Hosts)-1].Facts.Software.Release = factstest.Read(test.served)
			s.Hosts[9].Facts.Software.Kubernetes = factstest.Read(test.kubernetes)
			own := *cmp.Or(test.site, site.Undescribed())
			own.Preflight.Installed = test.declared
			r, f := judgeUpgrade(t, s, &own, test.to, steps)
			if got := bad(r); !slices.Equal(got, test.want) {
				t.Errorf("findings are %q, want %q", got, test.want)
			}
			if !strings.Contains(english(f.Sentence()), test.words) {
				t.Errorf("finding is %+v, want %q in it", f, test.words)
			}
			if remedy := english(f.Remedy); !strings.Contains(remedy, test.remedy) {
				t.Errorf("remedy is %q, want %q in it", remedy, test.remedy)
			}
		})
	}
}

// TestUpgradeInEveryLanguage holds that what steps want, and why there are none, is
// said in the report's language.
func TestUpgradeInEveryLanguage(t *testing.T) {
	t.Parallel()
	steps := &manifests.Upgrades{
		Steps: []manifests.Upgrade{
			{From: ">=5.24.0 <5.25.0", To: "5.25.0", Kubernetes: ">=1.27", NotWhere: []string{manifests.Federated}},
			{From: ">=5.25.0 <5.26.0", To: "5.26.0"},
			{From: ">=5.23.0 <5.26.0", To: "5.27.0"},
		},
		Skip: []manifests.Skip{{Version: "5.26.0", Reason: "[broken]"}},
	}
	federated := site.Undescribed()
	federated.Name, federated.Federation = "federated", true
	german, err := words.All().Parse("de")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		site                    *site.Site
		from, to, kubernetes    string
		wantGerman, wantEnglish string
	}{
		"conditions": {
			from: "5.24.3", to: "5.25.0",
			wantEnglish: "5.24.3 to 5.25.0 in one step, if this holds: the site is not federated, Kubernetes >=1.27",
			wantGerman:  "5.24.3 auf 5.25.0 in einem Schritt, wenn dies gilt: der Standort ist nicht föderiert, Kubernetes >=1.27",
		},
		"conditions that do not hold": {
			site: federated, from: "5.24.3", to: "5.25.0", kubernetes: "v1.26.1",
			wantEnglish: "no way from 5.24.3 to 5.25.0: 5.24.3 to 5.25.0: not for a federated site, wants Kubernetes >=1.27, the site has " +
				`"v1.26.1"; no known step leads on from 5.24.3; 5.25.0 is reached from >=5.24.0 <5.25.0`,
			wantGerman: "Kein Weg von 5.24.3 zu 5.25.0: 5.24.3 auf 5.25.0: nicht für einen föderierten Standort, verlangt Kubernetes >=1.27, " +
				`der Standort hat "v1.26.1"; kein bekannter Schritt führt weiter von 5.24.3; 5.25.0 wird erreicht von >=5.24.0 <5.25.0`,
		},
		"further than is known": {
			from: "5.25.1", to: "5.28.0",
			wantEnglish: "the way from 5.25.1 to 5.28.0 is not known: 5.25.1 to 5.26.0: 5.26.0 is to be skipped: [broken]; the known " +
				"steps lead no further than 5.27.0",
			wantGerman: "Der Weg von 5.25.1 zu 5.28.0 ist nicht bekannt: 5.25.1 auf 5.26.0: 5.26.0 ist auszulassen: [broken]; die bekannten " +
				"Schritte führen nicht weiter als 5.27.0",
		},
		"skipped": {
			from: "5.25.0", to: "5.26.0", wantEnglish: "no way from 5.25.0 to 5.26.0: 5.26.0 is to be skipped: [broken]",
			wantGerman: "Kein Weg von 5.25.0 zu 5.26.0: 5.26.0 ist auszulassen: [broken]",
		},
		"back": {
			from: "5.26.0", to: "5.25.0", wantEnglish: "no way from 5.26.0 to 5.25.0: a version is never upgraded to one that is not later",
			wantGerman: "Kein Weg von 5.26.0 zu 5.25.0: eine Aktualisierung führt immer zu einer späteren Version",
		},
		"no version": {
			from: "latest", to: "5.25.0", wantEnglish: `what is installed is called "latest", which is no version: say it with --installed`,
			wantGerman: `Was installiert ist, heißt "latest"; das ist keine Version: mit --installed angeben`,
		},
		"bundle's version is none": {
			from: "5.24.0", to: "spring", wantEnglish: `upgrade path: "5.24.0" and "spring": invalid semantic version`,
			wantGerman: `Weg der Aktualisierung: "5.24.0" und "spring": ungültige semantische Version`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := goodSurvey()
			s.Hosts[9].Facts.Software.Kubernetes = factstest.Read(test.kubernetes)
			s.Hosts[len(s.Hosts)-1].Facts.Software.Release = factstest.Read(test.from)
			_, f := judgeUpgrade(t, s, cmp.Or(test.site, site.Undescribed()), test.to, steps)
			if got := english(f.Sentence()); got != test.wantEnglish {
				t.Errorf("it says %q, want %q", got, test.wantEnglish)
			}
			if got := german.Text(f.Sentence()); got != test.wantGerman {
				t.Errorf("in German it says %q, want %q", got, test.wantGerman)
			}
		})
	}
}

// judgeUpgrade judges a bundle of a version, and returns the finding on the upgrade too.
func judgeUpgrade(t *testing.T, s *facts.Survey, site *site.Site, to string, steps *manifests.Upgrades) (*Verdict, Finding) {
	t.Helper()
	bundle := &BundleNeeds{Name: "b.tar", Size: 1e9, Images: 1e9, Version: to, Upgrades: steps}
	r, err := Judge(Input{Survey: s, Table: guide(t), Site: site, Bundle: bundle})
	if err != nil {
		t.Fatal(err)
	}
	isWorded(t, r)
	i := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == "bundle.upgrade" })
	if i < 0 {
		t.Fatal("nothing is said of the upgrade")
	}
	return r, r.Findings[i]
}

func TestRegistryNeedsRoom(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		registry *site.Registry
		images   manifests.Bytes
		want     []string
	}{
		"there is none":     {nil, 460e9, nil},
		"has room":          {&site.Registry{Host: "assethost1", Path: "/opt/assets"}, 40e9, nil},
		"has none":          {&site.Registry{Host: "assethost1", Path: "/opt/assets"}, 460e9, []string{"fail bundle.registry@assethost1"}},
		"host is not known": {&site.Registry{Host: "other", Path: "/opt/assets"}, 40e9, []string{"error bundle.registry@other"}},
	} {
		site := site.Undescribed()
		site.Preflight.Registry = test.registry
		r, err := Judge(
			Input{
				Survey: goodSurvey(),
				Table:  guide(t),
				Site:   site,
				Bundle: &BundleNeeds{Name: "b.tar", Size: 1e9, Images: test.images, NodeImages: 1e9},
			},
		)
		if err != nil {
			t.Fatal(err)
		}
		if got := bad(r); !slices.Equal(got, test.want) {
			t.Errorf("%s: findings are %q, want %q", name, got, test.want)
		}
		// Without one nothing is judged, which is no "fine".
		at := slices.IndexFunc(r.Findings, func(f Finding) bool { return f.ID == "bundle.registry" })
		if outcome := r.Findings[at].Outcome; (outcome == Skipped) != (test.registry == nil) {
			t.Errorf("%s: outcome is %s", name, outcome)
		}
	}
}

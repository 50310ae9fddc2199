package present

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
	"github.com/islandbundle/island/sizing/site"
)

const evil = "\x1b[31m<script>alert(1)</script>\"'&\u202e"

// sample is a report with something of everything, and hostile names.
func sample() *preflight.Verdict {
	both := func(en, de string) message.Text { return message.Text{Given: map[string]string{"en": en, "de": de}} }
	finding := func(id, host string, outcome preflight.Outcome, en, de string) preflight.Finding {
		return preflight.Finding{
			ID: id, Host: host, Roles: []string{"cassandra"}, Object: message.Plain("/x"), Outcome: outcome,
			Observed: preflight.Number(1), Required: preflight.Number(2), Unit: message.Of("preflight.unit.cores", nil),
			Method: message.Plain("m"), Source: message.Of("preflight.source.table-name", message.Args{"table": "guide"}),
			Message: both(en, de), Remedy: both("Give it more.", "Mehr geben."),
		}
	}
	r := &preflight.Verdict{
		Site: "Example " + evil, Taken: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Table: "guide", Counts: map[preflight.Outcome]int{},
		Hosts: []preflight.HostSummary{
			{Name: "cassandra1", Address: "10.0.0.1", Roles: []string{"cassandra"}, Worst: preflight.Fail, Measured: true, Cores: 1, Memory: 4e9},
			{Name: "kubenode1", Roles: []string{"kubernetes"}, Worst: preflight.Pass, Measured: true, Cores: 6, Memory: 8e9},
			{Name: evil, Roles: []string{}, Worst: preflight.Error},
		},
		Findings: []preflight.Finding{
			finding("cpu.cores", "cassandra1", preflight.Fail, "1 usable core, 2 required", "1 nutzbarer Kern, 2 verlangt"),
			finding("cpu.cores", evil, preflight.Fail, evil, evil),
			finding("reach.down", evil, preflight.Error, "host could not be measured: "+evil, "Host konnte nicht gemessen werden: "+evil),
			finding("time.synchronised", "kubenode1", preflight.Warn, "clock is not kept", "Uhr wird nicht synchronisiert"),
			finding("guest.unproven", "kubenode1", preflight.Skipped, "a guest cannot prove", "Ein Gast kann nicht beweisen"),
			finding("os.release", "kubenode1", preflight.Pass, "ok", "ok"),
		},
		Links: []preflight.LinkSummary{
			{From: "kubenode1", To: "cassandra1", Tried: 2, OK: 1, Bad: []preflight.BadLink{
				{Protocol: "tcp", Port: 9042, Outcome: facts.TimedOut, Purpose: both("backend to Cassandra", "Backend zu Cassandra")},
			}},
			{From: "cassandra1", To: "kubenode1", Tried: 1, OK: 1},
			{From: evil, To: "kubenode1", Tried: 1, OK: 1},
			{From: facts.AdminHost, To: "kubenode1", Tried: 1, Bad: []preflight.BadLink{
				{Protocol: "tcp", Port: 22, Outcome: "unheard-of", Detail: message.Plain(evil)},
			}},
		},
	}
	for _, f := range r.Findings {
		r.Counts[f.Outcome]++
	}
	return r
}

// judged judges a survey of a site with the roles of the guide.
func judged(t testing.TB, s *facts.Survey, site *site.Site) *preflight.Verdict {
	t.Helper()
	table, _, err := sizing.Embedded("guide")
	if err != nil {
		t.Fatal(err)
	}
	return judgedBy(t, table, s, site)
}

// judgedBy does so with the roles of a table.
func judgedBy(t testing.TB, table *sizing.Table, s *facts.Survey, site *site.Site) *preflight.Verdict {
	t.Helper()
	r, err := preflight.Judge(preflight.Input{Survey: s, Table: table, Site: site, Tool: "island test"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// someHost is a guest that meets the guide's table in any role.
func someHost(name, address string, groups ...string) facts.Host {
	h := factstest.GoodHost(name, address, groups...)
	h.Facts.Virtualisation.Guest = factstest.Read(true)
	return h
}

// someSurvey is of a good site with so many hosts of each role.
func someSurvey(t testing.TB, each int) *facts.Survey {
	t.Helper()
	s := &facts.Survey{APIVersion: facts.APIVersion, Kind: facts.SurveyKind, Started: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	for _, role := range [][]string{
		{"cassandra", "cassandra"}, {"minio", "minio"}, {"elasticsearch", "elasticsearch"},
		{"kubenode", "kube-node", "kube-master", "etcd"}, {"restund", "restund"}, {"assethost", "assethost"},
	} {
		count := each
		if role[0] == "assethost" {
			count = min(each, 1)
		}
		for i := range count {
			n := len(s.Hosts) + 1
			s.Hosts = append(s.Hosts, someHost(fmt.Sprintf("%s%d", role[0], i+1), fmt.Sprintf("10.0.%d.%d", n/250, 10+n%250), role[1:]...))
		}
	}
	ports, err := site.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range preflight.Wants(ports, s.Hosts) {
		link.Outcome = facts.OK
		s.Links = append(s.Links, link)
	}
	return s
}

// faultySite is a site of 16 hosts with many different faults.
func faultySite(t testing.TB) *preflight.Verdict {
	t.Helper()
	s := someSurvey(t, 3)
	host := func(name string) *facts.Host {
		return &s.Hosts[slices.IndexFunc(s.Hosts, func(h facts.Host) bool { return h.Name == name })]
	}
	links := func(from, to string, port int, outcome facts.Outcome, detail message.Text) {
		for i := range s.Links {
			if l := &s.Links[i]; (from == "" || l.From == from) && (to == "" || l.To == to) && (port == 0 || l.Port == port) {
				l.Outcome, l.Detail = outcome, detail
			}
		}
	}
	cassandra2, kubenode1, kubenode3 := host("cassandra2").Facts, host("kubenode1").Facts, host("kubenode3").Facts
	cassandra2.CPU.Usable, cassandra2.CPU.Affinity = factstest.Read(1.0), factstest.Read(1)
	cassandra2.Memory.Usable = factstest.Read[int64](3_400_000_000)
	for i := range cassandra2.Paths {
		cassandra2.Paths[i].Fsync = factstest.Read(facts.Fsync{MedianP99: 63.4, WorstP99: 181})
	}
	host("cassandra3").Clock.Offset, host("cassandra1").Clock.Offset = 2.5, 0.2
	host("minio1").Facts.Software.Leftovers = factstest.Read(
		[]string{"/var/lib/minio-server1", "/etc/minio/minio.conf", "/etc/systemd/system/minio-server1.service"},
	)
	for i := range host("minio2").Facts.Paths {
		host("minio2").Facts.Paths[i].FileSystem.Value.Size, host("minio2").Facts.Paths[i].FileSystem.Value.Free = 200e9, 150e9
	}
	kubenode1.Memory.Swap = factstest.Read[int64](2e9)
	kubenode1.Kernel.Modules["br_netfilter"] = factstest.Read("missing")
	kubenode3.Kernel.Sysctls["net.ipv4.ip_local_port_range"] = factstest.Read("1024 65000")
	kubenode3.Security.Firewalls = factstest.Read([]string{"ufw"})
	host("elasticsearch1").Facts.OS.Version = factstest.Read("24.04")
	host("elasticsearch2").Facts.Network.Routes = factstest.Read([]facts.Route{{Gateway: "10.0.0.1", Interface: "eth0"}})
	host("restund1").Facts.Time.Synchronised = factstest.Read(false)
	host("restund1").Facts.CPU.Steal = facts.Value[float64]{Method: message.Plain("stolen time"), Unread: message.Plain("permission denied")}
	for name, reach := range map[string]facts.Reach{
		"minio3": {Outcome: facts.Down, Detail: message.Plain("connect to host 10.0.0.16 port 22: No route to " +
			"host"), Method: message.Plain("ssh")},
		"restund3": {Outcome: facts.AuthRefused, Detail: message.Plain("Permission denied (publickey)"), Method: message.Plain("ssh")},
	} {
		host(name).Reach, host(name).Facts, host(name).Clock = reach, nil, nil
		s.Links = slices.DeleteFunc(s.Links, func(l facts.Link) bool { return l.From == name })
		links("", name, 0, facts.Unmade, message.Of("facts.link.no-listener", nil))
	}
	links("cassandra1", "cassandra2", 7000, facts.TimedOut, message.Text{})
	links("", "cassandra1", 9042, facts.TimedOut, message.Text{})
	links("kubenode2", "cassandra1", 9160, facts.Refused, message.Text{})
	links("kubenode1", "elasticsearch1", 9200, facts.Refused, message.Text{})
	links("elasticsearch2", "elasticsearch3", 0, facts.WrongHost,
		message.Of("facts.link.answered", message.Args{"answer": `"SSH-2.0-OpenSSH_8.9"`}))
	links("", "kubenode2", 6443, facts.InUse, message.Plain("haproxy (pid 811)"))
	links("kubenode3", "restund2", 0, facts.Down, message.Plain("network is unreachable"))
	links("minio1", "minio2", 0, facts.Failed, message.Plain("too many open files"))
	s.Site = []facts.Observation{
		{
			Subject: facts.SubjectName,
			Object:  "webapp.wire.example.org",
			Outcome: facts.Unresolved,
			Method:  message.Of("facts.method.addresses", nil),
		},
		{
			Subject: facts.SubjectName,
			Object:  "nginz-https.wire.example.org",
			Outcome: facts.OK,
			Method:  message.Of("facts.method.addresses", nil),
		},
		{
			Subject: facts.SubjectCertificate,
			Object:  "wire.pem",
			Outcome: facts.OK,
			Method:  message.Of("facts.method.certificate-file", nil),
			Certificate: &facts.Certificate{
				NotAfter: s.Started.Add(19*24*time.Hour + time.Hour), Names: []string{"*.wire.example.org"}, Key: "ECDSA", Curve: "P-256",
				Chain: facts.Result{Outcome: facts.OK},
			},
		},
		{Subject: facts.SubjectTime, Object: "10.0.0.3", Outcome: facts.TimedOut, Method: message.Of("facts.method.ntp", nil)},
	}
	hospital := site.Undescribed()
	hospital.Name, hospital.Internet = "Klinikum Musterstadt", false
	hospital.Preflight.Waivers = []site.Waiver{{ID: "software.leftovers", Host: "minio1", Reason: "Upgrade 2024"}}
	for i := range 3 {
		server := site.Server{Name: fmt.Sprintf("server%d", i+1)}
		for _, h := range s.Hosts {
			if h.Name[len(h.Name)-1] == byte('1'+i) {
				server.Machines = append(server.Machines, site.SiteVM{Name: h.Name})
			}
		}
		hospital.Servers = append(hospital.Servers, server)
	}
	return judged(t, s, hospital)
}

package preflight

import (
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// only returns the findings of one check, as outcome and object.
func only(r *Verdict, id string) []string {
	list := []string{}
	for _, f := range r.Findings {
		if f.ID == id {
			list = append(list, strings.TrimSpace(string(f.Outcome)+" "+english(f.Object)))
		}
	}
	slices.Sort(list)
	return list
}

// TestWhatTheSiteNamesIsAccountedFor: facts that were taken without the site
// document say nothing of what it names, and that is said.
func TestWhatTheSiteNamesIsAccountedFor(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	s.Site = []facts.Observation{
		{Subject: facts.SubjectTime, Object: "10.0.0.3", Outcome: facts.OK},
		{Subject: facts.SubjectTURN, Object: "udp 10.0.0.21:3478", Outcome: facts.OK},
	}
	hospital := site.Undescribed()
	hospital.Name, hospital.Internet, hospital.Federation = "x", false, true
	hospital.Preflight = site.Section{
		DNS: &site.DNS{
			Domain: "wire.example",
			Names:  []string{"webapp"},
		}, Certificate: &site.Certificate{File: "c.pem"}, NTP: []string{"10.0.0.3", "10.0.0.4"},
		MailRelays: []string{
			"m:25",
		}, LoadBalancer: &site.LoadBalancer{Address: "10.0.0.9"}, TURN: []site.TURN{{Address: "10.0.0.21"}}, IDP: []string{"https://idp"},
	}
	r := judge(t, s, hospital)
	for id, want := range map[string][]string{
		"site.dns": {"skipped federator.wire.example", "skipped webapp.wire.example"}, "site.srv": {"skipped"},
		"site.certificate-chain": {"skipped"},
		"site.ntp":               {"pass 10.0.0.3", "skipped 10.0.0.4"}, "site.mail": {"skipped m:25"}, "site.load-balancer": {"skipped"},
		"site.turn": {"pass udp 10.0.0.21:3478"}, "site.idp": {"skipped https://idp"}, "site.outside": {"skipped"},
	} {
		if got := only(r, id); !slices.Equal(got, want) {
			t.Errorf("%s: findings are %q, want %q", id, got, want)
		}
	}
	if got := bad(judge(t, goodSurvey(), nil)); got != nil {
		t.Errorf("without a document findings are %q", got)
	}
}

// TestServersOfWhichNothingIsKnown are not said to have what was promised.
func TestServersOfWhichNothingIsKnown(t *testing.T) {
	t.Parallel()
	server := func(machines ...site.SiteVM) *site.Site {
		hospital := site.Undescribed()
		hospital.Servers = []site.Server{{Name: "server1", Cores: 10, Memory: 32 << 30, Machines: machines}}
		return hospital
	}
	gone := goodSurvey()
	gone.Hosts[0].Facts, gone.Hosts[0].Reach.Outcome = nil, facts.Down
	unread := goodSurvey()
	unread.Hosts[0].Facts.CPU.Threads = facts.Value[int]{Unread: message.Of("facts.unread.late", nil)}
	for name, test := range map[string]struct {
		survey *facts.Survey
		site   *site.Site
		want   []string
	}{
		"known": {
			goodSurvey(), server(site.SiteVM{Name: "cassandra1"}), []string{"pass cores", "pass memory"},
		},
		"a name of no host": {
			goodSurvey(), server(site.SiteVM{Name: "casandra1"}), []string{"error cores", "error memory"},
		},
		"no host, but with figures": {
			goodSurvey(), server(site.SiteVM{Name: "other", Cores: 2, Memory: 4 << 30}), []string{"pass cores", "pass memory"},
		},
		"too much without it": {
			goodSurvey(), server(site.SiteVM{Name: "casandra1"}, site.SiteVM{Name: "other", Cores: 12, Memory: 4 << 30}),
			[]string{"error memory", "fail cores"},
		},
		"host that is down": {gone, server(site.SiteVM{Name: "cassandra1"}), []string{"error cores", "error memory"}},
		"host whose cores are not read, but given": {
			unread, server(site.SiteVM{Name: "cassandra1", Cores: 12}), []string{"fail cores", "pass memory"},
		},
	} {
		if got := only(judge(t, test.survey, test.site), "server.overcommit"); !slices.Equal(got, test.want) {
			t.Errorf("%s: findings are %q, want %q", name, got, test.want)
		}
	}
}

// TestRolesWithoutFigures share a machine with a warning, and are roles in the
// report.
func TestRolesWithoutFigures(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	s.Hosts[9].Groups = append(s.Hosts[9].Groups, "coturn") // kubenode1
	r := judge(t, s, nil)
	if got, want := bad(r), []string{"warn roles.share@kubenode1"}; !slices.Equal(got, want) {
		t.Errorf("findings are %q, want %q", got, want)
	}
	if !slices.Contains(r.Hosts[9].Roles, "coturn") {
		t.Errorf("roles of %s are %q", r.Hosts[9].Name, r.Hosts[9].Roles)
	}
	// The guide's admin host stands in no group, and is not passed over.
	if !slices.ContainsFunc(r.Findings, func(f Finding) bool {
		return f.ID == "count.hosts" && f.Outcome == Skipped && slices.Equal(f.Roles, []string{string(site.AdminHost)})
	}) {
		t.Error("nothing is said of the admin host")
	}
}

// TestWaiversLetNothingUnmeasuredPass: nobody knows what would be let pass.
func TestWaiversLetNothingUnmeasuredPass(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	s.Hosts[0].Facts, s.Hosts[0].Reach.Outcome = nil, facts.Killed
	hospital := site.Undescribed()
	hospital.Preflight.Waivers = []site.Waiver{
		{ID: "reach.probe", Reason: "x"},
		{ID: "cpu.cores", Reason: "test bench"},
		{ID: "cpu.cores", Host: "casandra2", Reason: "mistyped"},
	}
	s.Hosts[1].Facts.CPU.Usable.Value = 1
	r := judge(t, s, hospital)
	if got, want := bad(r), []string{"error reach.probe@cassandra1", "warn cpu.cores@cassandra2"}; !slices.Equal(got, want) {
		t.Errorf("findings are %q, want %q", got, want)
	}
	if r.Waived() != 1 {
		t.Errorf("%d are waived, want 1", r.Waived())
	}
	if got, want := r.Idle(hospital.Preflight.Waivers), []site.Waiver{
		hospital.Preflight.Waivers[0], hospital.Preflight.Waivers[2],
	}; !slices.Equal(got, want) {
		t.Errorf("waivers that let nothing pass are %+v, want %+v", got, want)
	}
}

func TestTimeServerIsHeldToTheClock(t *testing.T) {
	t.Parallel()
	for offset, want := range map[float64]string{0: "pass", -0.9: "pass", 2.5: "warn", -3600: "fail"} {
		s := goodSurvey()
		s.Site = []facts.Observation{
			{Subject: facts.SubjectTime, Object: "ntp", Outcome: facts.OK, Detail: message.Plain("stratum 2"), Offset: &offset},
		}
		if got := only(judge(t, s, nil), "site.ntp"); !slices.Equal(got, []string{want + " ntp"}) {
			t.Errorf("%g s off: findings are %q, want %s", offset, got, want)
		}
	}
}

// TestFindingsAreWhole: each says whose it is and what is required.
func TestFindingsAreWhole(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	s.Hosts[0].Facts.Security.Firewalls.Value = []string{"ufw"}
	s.Links[0].Outcome = facts.Refused
	r, err := Judge(
		Input{Survey: s, Table: guide(t), Bundle: &BundleNeeds{Name: "b.tar", Size: manifests.Bytes(1e9), Images: 1e9, NodeImages: 1e9}},
	)
	if err != nil {
		t.Fatal(err)
	}
	hosts := map[string]bool{}
	for _, host := range s.Hosts {
		hosts[host.Name] = true
	}
	for _, f := range r.Findings {
		if len(f.Roles) == 0 && hosts[f.Host] {
			t.Errorf("%s@%s has no role", f.ID, f.Host)
		}
		for field, lacks := range map[string]bool{
			"source": f.Source.IsZero(), "message": f.Message.IsZero(),
			"required": f.Outcome != Skipped && f.Required.IsZero(), "method": f.Outcome != Skipped && f.Method.IsZero(),
		} {
			if lacks {
				t.Errorf("%s@%s has no %s: %+v", f.ID, f.Host, field, f)
			}
		}
	}
}

// TestFirewallThatDropsLargeEchoes alone does not stop an installation: ssh went
// through. Between hosts nothing proves that.
func TestFirewallThatDropsLargeEchoes(t *testing.T) {
	t.Parallel()
	s := goodSurvey()
	narrow := facts.Link{From: facts.AdminHost, To: "cassandra1", Protocol: "mtu", Outcome: facts.OK, MTU: 1024, Largest: 1500}
	s.Links = append(s.Links, narrow)
	if got, want := bad(judge(t, s, nil)), []string{"warn link.mtu@cassandra1"}; !slices.Equal(got, want) {
		t.Errorf("findings are %q, want %q", got, want)
	}
	narrow.From = "kubenode1"
	s.Links = append(s.Links, narrow)
	if got, want := bad(judge(t, s, nil)), []string{"fail link.mtu@cassandra1"}; !slices.Equal(got, want) {
		t.Errorf("findings are %q, want %q", got, want)
	}
}

package testsite

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func keyLine(h *host) string { return string(ssh.MarshalAuthorizedKey(h.publicKey)) }

// TestSite injects one fault after the other. Most of a run is waiting: so there
// are two sites, and each gets half of the faults.
func TestSite(t *testing.T) {
	const sites = 2
	for i := range sites {
		t.Run(strconv.Itoa(i+1), func(t *testing.T) {
			t.Parallel()
			s := newSite(t, goodHosts())
			t.Run("good site", func(t *testing.T) { s.good(t) })
			for k, f := range faults() {
				if k%sites == i {
					t.Run(f.name, func(t *testing.T) { s.suffer(t, f) })
				}
			}
			t.Run("good site again", func(t *testing.T) { s.good(t) })
		})
	}
}

func (s *site) suffer(t *testing.T, f fault) {
	whole := s.t
	s.t = t
	defer func() { s.t = whole }()
	undo := f.inject(s)
	r := s.preflight()
	undo()
	f.judge(t, r)
}

func (f fault) judge(t *testing.T, r result) {
	t.Helper()
	if !slices.Equal(r.findings, f.want) || r.code != f.code {
		t.Errorf("findings are %q, exit code %d; want %q, %d\n%s", r.findings, r.code, f.want, f.code, r.explain())
	}
}

func (s *site) good(t *testing.T) result {
	t.Helper()
	r := s.preflight()
	if len(r.findings) > 0 || r.code != 0 {
		t.Errorf("good site has findings %q, exit code %d\n%s", r.findings, r.code, r.explain())
	}
	if r.count("guest.container", "warn") != r.count("reach.down", "pass") {
		t.Errorf("not each host is told to be a container, which is waived\n%s", r.explain())
	}
	for _, h := range s.hosts {
		if left := s.in(h, "ls -A /tmp /var/tmp /dev/shm /home/tech 2>/dev/null | grep island-probe || true"); left != "" {
			t.Errorf("%s: left behind: %s", h.name, left)
		}
	}
	return r
}

// TestGoodSiteRuns looks for false alarms: ISLAND_SITE_RUNS=200 for the real
// thing, which takes some minutes for each site.
func TestGoodSiteRuns(t *testing.T) {
	runs, _ := strconv.Atoi(os.Getenv("ISLAND_SITE_RUNS"))
	if runs == 0 {
		t.Skip("set ISLAND_SITE_RUNS")
	}
	t.Run("tidy", func(t *testing.T) { newSite(t, goodHosts()).goodRuns(t, runs) })
	t.Run("untidy", func(t *testing.T) { newUntidySite(t).untidyRuns(t, (runs+1)/2) })
}

// manyHosts is a site of so many hosts, of which the first is a group of its own.
func manyHosts(count int) []*host {
	hosts := goodHosts()
	hosts[0].groups = append(hosts[0].groups, "solo")
	for i := len(hosts); i < count; i++ {
		hosts = append(hosts, &host{name: "cassandra" + strconv.Itoa(i), groups: []string{"cassandra"}})
	}
	return hosts
}

// TestTwentyHosts holds a run of 20 hosts to 1.5 times the run of one, the best
// of three each.
func TestTwentyHosts(t *testing.T) {
	if os.Getenv("ISLAND_SITE_BENCH") == "" {
		t.Skip("set ISLAND_SITE_BENCH")
	}
	s := newSite(t, manyHosts(20))
	best := map[string]time.Duration{}
	for range 3 {
		for name, args := range map[string][]string{"one": {"--group", "solo"}, "twenty": nil} {
			r := s.preflight(args...)
			if name == "twenty" && len(r.findings) > 0 {
				t.Fatalf("findings %q\n%s", r.findings, r.explain())
			}
			if best[name] == 0 || r.elapsed < best[name] {
				best[name] = r.elapsed
			}
		}
	}
	ratio := float64(best["twenty"]) / float64(best["one"])
	t.Logf("one host %s, twenty hosts %s, ratio %.2f", best["one"], best["twenty"], ratio)
	if ratio > 1.5 {
		t.Errorf("twenty hosts take %.2f times as long as one", ratio)
	}
}

// TestThroughput measures between the conference hosts, and finds one that a
// throttle slows down. The limit is that of this machine, not of the field.
func TestThroughput(t *testing.T) {
	s := newSite(t, goodHosts())
	s.siteDocument(", link.throughput: {mbit: 150}")
	if r := s.preflight("--throughput"); len(r.findings) > 0 || r.count("link.throughput", "pass") != 3 {
		t.Errorf("findings %q\n%s", r.findings, r.explain())
	}
	h := s.host("kubenode2")
	s.in(h, "tc qdisc add dev eth0 root tbf rate 50mbit burst 64kb latency 50ms")
	if r := s.preflight("--throughput"); !slices.Equal(r.findings, []string{"link.throughput@kubenode2"}) || r.code != 4 {
		t.Errorf("findings %q\n%s", r.findings, r.explain())
	}
}

// TestHold builds the site, says how to reach it, and holds it until the folder
// is gone that it names: for a person to look around in.
func TestHold(t *testing.T) {
	count, _ := strconv.Atoi(os.Getenv("ISLAND_SITE_HOLD"))
	if count == 0 {
		t.Skip("set ISLAND_SITE_HOLD to a number of hosts")
	}
	s := newSite(t, manyHosts(count))
	t.Logf("remove %s/hold to end; try:\nip netns exec %sadmin %s", s.folder, s.prefix,
		strings.Join(slices.Concat(s.command(), s.against(nil), s.measuring(nil)), " "))
	s.file(s.folder+"/hold", "", 0o600)
	for {
		if _, err := os.Stat(s.folder + "/hold"); err != nil {
			return
		}
		time.Sleep(200 * time.Millisecond)
	}
}

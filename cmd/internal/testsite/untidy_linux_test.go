package testsite

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// untidyHosts have been set up by many hands (testdata/untidy/hosts). Nothing of it
// stands in the way of an installation. The first is the jump host, which has no
// part in it.
var untidyHosts = []string{
	"schleuse", "assethost", "cassandra1", "elasticsearch1", "minio1", "kubenode1", "kubenode2", "kubenode3", "restund1",
}

func newUntidySite(t *testing.T) *site {
	t.Helper()
	var hosts []*host
	for _, name := range untidyHosts {
		hosts = append(hosts, &host{name: name})
	}
	s := newSite(t, hosts)
	s.run("ip", "-n", s.prefix+"admin", "addr", "add", "fd99::1/64", "dev", "eth0", "nodad")
	for _, h := range hosts {
		var script strings.Builder
		for _, name := range []string{"all", h.name} {
			text, err := os.ReadFile("testdata/untidy/hosts/" + name + ".sh")
			if err != nil {
				t.Fatal(err)
			}
			script.Write(text)
		}
		s.in(h, script.String()+"kill -HUP 1", "untidy", h.address[len(network):], h.name)
	}
	for _, h := range hosts {
		s.awaitSSH(h)
	}
	s.stops = append(s.stops, s.chrony(s.host("restund1"), network+"1", "# without rtcsync"))
	s.awaitChrony(s.host("restund1"))
	s.untidyDocuments()
	return s
}

// untidyDocuments are the site's, as several people have written them.
func (s *site) untidyDocuments() {
	s.inventories = []string{"testdata/untidy/inventory", "testdata/untidy/kubespray/hosts.yaml", "restund1,"}
	s.edit("ssh_config", func(text string) string {
		return `# von Hand ergänzt
Host *
  LogLevel QUIET
  SendEnv LANG LC_*
  VisualHostKey yes
  HashKnownHosts yes
  ForwardAgent yes
  PermitLocalCommand yes
  LocalCommand echo Verbindung zu %h
` + text
	})
	s.edit("known_hosts", func(text string) string { return text + "fd99::18 " + keyLine(s.host("kubenode3")) })
	s.edit("site.yaml", func(text string) string {
		return strings.Replace(text, "name: test site", `name: "Standort Süd, Übergang"`, 1)
	})
}

// edit changes a file of the site's folder.
func (s *site) edit(name string, change func(string) string) {
	s.t.Helper()
	path := filepath.Join(s.folder, name)
	text, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	s.file(path, change(string(text)), 0o644)
}

// wayOut gives hosts two default routes, each in a table of its own, and has the
// site say that it is no island.
func (s *site) wayOut() {
	for _, h := range s.hosts {
		s.in(h, `ip route add default via "$1" metric 100
			ip route add default via "$1" table 200
			ip rule add from 172.17.0.0/16 table 200`, "out", network+"1")
	}
	s.run("ip", "-n", s.prefix+"admin", "route", "add", "default", "via", s.host("schleuse").address)
	s.edit("site.yaml", func(text string) string {
		return strings.Replace(text, "outside: [outside.example]", "", 1) + "internet: true\n"
	})
}

// TestUntidySite: what is untidy and works gives no finding, and each run says what
// the one before said, but for what is measured.
func TestUntidySite(t *testing.T) {
	s := newUntidySite(t)
	for _, h := range s.hosts[1:] {
		said := s.run("ip", "netns", "exec", s.prefix+"admin", "ssh", "-F", filepath.Join(s.folder, "ssh_config"), "-o", "PermitLocalCommand=no",
			"-J", "tech@"+s.hosts[0].address, "tech@"+h.address, "true")
		if said == "" {
			t.Errorf("%s greets nobody: the site is tidy", h.name)
		}
	}
	s.untidyRuns(t, 2)
}

// untidyRuns runs the site so often while it is an island, and once it is none.
func (s *site) untidyRuns(t *testing.T, runs int) {
	t.Run("island", func(t *testing.T) { s.goodRuns(t, runs) })
	s.wayOut()
	t.Run("with a way out", func(t *testing.T) { s.goodRuns(t, runs) })
}

// goodRuns runs a good site so often. All runs must say the same.
func (s *site) goodRuns(t *testing.T, runs int) {
	t.Helper()
	var first []string
	for run := range runs {
		r := s.good(t)
		if t.Failed() {
			t.Fatalf("run %d of %d: %v", run+1, runs, r.findings)
		}
		said := r.saidApartFromNumbers()
		if run == 0 {
			first = said
		}
		for i := range max(len(first), len(said)) {
			if i >= len(first) || i >= len(said) || said[i] != first[i] {
				t.Fatalf("run %d of %d says\n%q\nand the first\n%q", run+1, runs, said[min(i, len(said)):], first[min(i, len(first)):])
			}
		}
	}
}

var number = regexp.MustCompile(`[-+]?[0-9]+([.,][0-9]+)*`)

// saidApartFromNumbers is what a report says in each run alike: its numbers are
// measured, and with whom a host's slowest way is.
func (r result) saidApartFromNumbers() []string {
	var said []string
	for _, f := range r.report.Findings {
		if f.ID == "link.round-trip" {
			f.Object, f.Message.EN = "", ""
		}
		said = append(said, fmt.Sprintf("%s %s@%s %s: %s", f.Outcome, f.ID, f.Host, f.Object, number.ReplaceAllString(f.Message.EN, "N")))
	}
	return said
}

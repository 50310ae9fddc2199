package testsite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestFactsAreJudgedLater saves what was measured and judges it again, and
// brings facts by hand, as of hosts without SSH.
func TestFactsAreJudgedLater(t *testing.T) {
	s := newSite(t, goodHosts())
	s.in(s.host("kubenode3"), "hostname other")
	saved := filepath.Join(s.folder, "saved")
	first := s.preflight("--save", saved)
	if want := []string{"net.hostname@kubenode3"}; !slices.Equal(first.findings, want) {
		t.Fatalf("findings are %q\n%s", first.findings, first.explain())
	}
	t.Run("the same verdict", func(t *testing.T) {
		again := s.preflight("--facts", saved)
		if again.code != first.code || fmt.Sprint(again.report.Findings) != fmt.Sprint(first.report.Findings) {
			t.Errorf("first\n%s\nagain\n%s", first.explain(), again.explain())
		}
	})
	t.Run("another table", func(t *testing.T) {
		if again := s.preflight("--facts", saved, "--table", "guide"); again.code != 4 || again.count("disk.size", "fail") == 0 {
			t.Errorf("exit code %d\n%s", again.code, again.explain())
		}
	})
	t.Run("brought by hand", func(t *testing.T) {
		brought := filepath.Join(s.folder, "brought")
		if err := os.Mkdir(brought, 0o755); err != nil {
			t.Fatal(err)
		}
		for _, h := range s.hosts {
			root := fmt.Sprintf("/proc/%d/root", h.pid)
			s.copy(s.program("island-probe"), root+"/root/island-probe")
			s.in(h, "cd /root; ./island-probe collect --name "+h.name+" --out facts.json; rm island-probe")
			s.copy(root+"/root/facts.json", filepath.Join(brought, h.name+".json"))
		}
		by := s.preflight("--facts", brought)
		if !slices.Equal(by.findings, first.findings) || by.count("time.offset", "skipped") != len(s.hosts) ||
			by.count("link.tcp", "skipped") != 1 {
			t.Errorf("findings are %q\n%s", by.findings, by.explain())
		}
		if err := os.Remove(filepath.Join(brought, "minio1.json")); err != nil {
			t.Fatal(err)
		}
		if less := s.preflight("--facts", brought); !slices.Contains(less.findings, "reach.probe@minio1") {
			t.Errorf("findings are %q", less.findings)
		}
	})
}

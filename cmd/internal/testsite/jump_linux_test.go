package testsite

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// TestJumpHost reaches twenty hosts by way of one whose sshd turns logins away
// when too many are under way at once, as every sshd does by default.
func TestJumpHost(t *testing.T) {
	s := newSite(t, manyHosts(20))
	jump := s.host("assethost")
	s.in(jump, "sed -i 's/^MaxStartups.*/MaxStartups 10:30:100/' /etc/ssh/island_sshd_config; kill -HUP 1")
	config := filepath.Join(s.folder, "ssh_config")
	data, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	s.file(config, fmt.Sprintf("Host %[1]s* !%[2]s\n  ProxyJump tech@%[2]s\n%[3]s", network, jump.address, data), 0o644)
	for range 3 {
		if r := s.preflight(); len(r.findings) > 0 || r.code != 0 {
			t.Errorf("findings are %q, exit code %d\n%s", r.findings, r.code, r.explain())
		}
	}
}

package testsite

import (
	"path/filepath"
	"slices"
	"testing"
)

// TestSudoPassword: one host's sudo wants a password, the others' do not ask.
func TestSudoPassword(t *testing.T) {
	s := newSite(t, goodHosts())
	h := s.host("cassandra1")
	s.in(h, "echo 'tech ALL=(ALL) ALL' >/etc/sudoers.d/tech; echo tech:pass-on-site | chpasswd -c SHA256")
	for name, test := range map[string]struct {
		password string
		want     []string
		code     int
	}{
		"right": {"pass-on-site", nil, 0},
		"wrong": {"other", []string{"reach.sudo@cassandra1"}, 5},
		"none":  {"", []string{"reach.sudo@cassandra1"}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			var args []string
			if test.password != "" {
				file := filepath.Join(t.TempDir(), "password")
				s.file(file, test.password+"\n", 0o600)
				args = []string{"--sudo-password-file", file}
			}
			r := s.preflight(args...)
			if !slices.Equal(r.findings, test.want) || r.code != test.code {
				t.Errorf("findings are %q, exit code %d; want %q, %d\n%s", r.findings, r.code, test.want, test.code, r.explain())
			}
		})
	}
}

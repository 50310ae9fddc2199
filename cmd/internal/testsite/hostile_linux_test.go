package testsite

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestHostileHosts: hosts that say what no probe says harm nothing, neither the
// other hosts' findings nor a terminal, a page or the disk.
func TestHostileHosts(t *testing.T) {
	s := newSite(t, goodHosts())
	for _, test := range []struct {
		name, shell string // what tech's login shell is
		want        []string
		code        int
	}{
		{"10 GB before it begins", "exec head -c 10000000000 /dev/zero", []string{"reach.probe@minio1"}, 5},
		{"10 GB as an answer", `/bin/sh "$@" | { sed -u '/island-start/q'; exec head -c 10000000000 /dev/zero; ` +
			`}`, []string{"reach.probe@minio1"}, 5},
		{"garbage", `/bin/sh "$@" | { sed -u '/island-start/q'; exec head -c 1000000 /dev/urandom; }`, []string{"reach.probe@minio1"}, 5},
		{"says nothing more", `/bin/sh "$@" | { sed -u '/island-start/q'; exec sleep 600; }`, []string{"reach.probe@minio1"}, 5},
		{"escapes and HTML", `/bin/sh "$@" | ` +
			`sed -u 's|"value":"minio1"|"value":"<script>alert(1)</script>\\u001b[2J\\u202e"|'`, []string{"net.hostname@minio1"}, 4},
		{"escapes as they are", `/bin/sh "$@" | sed -u "s|\"value\":\"minio1\"|\"value\":\"$(printf ` +
			`'\033[2J')\"|"`, []string{"reach.probe@minio1"}, 5},
		{"paths", `/bin/sh "$@" | sed -u 's|"name":"minio1"|"name":"../../../../etc/cron.d/evil"|g'`, nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			whole := s.t
			s.t = t
			defer func() { s.t = whole }()
			h := s.host("minio1")
			s.in(
				h,
				"printf '%s\n' \"$0\" >/bin/evil-shell; chmod 755 /bin/evil-shell; sed -i "+
					"'s|^tech:.*|tech:x:1500:1500::/home/tech:/bin/evil-shell|' /etc/passwd",
				"#!/bin/sh\n"+test.shell,
			)
			defer s.in(h, "sed -i 's|^tech:.*|tech:x:1500:1500::/home/tech:/bin/sh|' /etc/passwd")
			kept, page := filepath.Join(t.TempDir(), "kept"), filepath.Join(t.TempDir(), "report.html")
			r := s.preflight("--html", page, "--save", kept)
			if !slices.Equal(r.findings, test.want) || r.code != test.code {
				t.Errorf("findings are %q, exit code %d; want %q, %d\n%s", r.findings, r.code, test.want, test.code, r.explain())
			}
			html, err := os.ReadFile(page)
			if err != nil || strings.Contains(string(html), "<script") || strings.ContainsAny(string(html), "\x1b\u202e") {
				t.Errorf("page has what the host said (%v)", err)
			}
			if files, err := os.ReadDir(kept); err != nil || len(files) != 1 || files[0].Name() != "survey.json" {
				t.Errorf("folder of facts has %v, %v", files, err)
			}
		})
	}
}

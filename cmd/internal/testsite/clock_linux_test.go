package testsite

import "testing"

// TestChrony: a clock is kept where chrony follows a server, whether it vouches for
// the kernel's clock (rtcsync) or not; that it runs is not enough.
func TestChrony(t *testing.T) {
	s := newSite(t, goodHosts())
	h := s.host("minio1") // whose writes nobody times: a traced one takes long
	for _, test := range []struct {
		name, server, more string
		keeps              bool
	}{
		{"with rtcsync", network + "1", "rtcsync", true},
		{"without rtcsync", network + "1", "", true},
		{"whose server is silent", network + "199", "rtcsync", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			whole := s.t
			s.t = t
			defer func() { s.t = whole }()
			stop := s.chrony(h, test.server, test.more)
			defer stop()
			if test.keeps {
				s.awaitChrony(h)
			}
			s.ports[h.name] = 2222
			s.inventory(nil)
			r := s.preflight()
			delete(s.ports, h.name)
			s.inventory(nil)
			for _, f := range r.report.Findings {
				if f.ID == "time.synchronised" && f.Host == h.name && (f.Outcome == "pass") != test.keeps {
					t.Errorf("%s: %s", f.Outcome, f.Message.EN)
				}
			}
			if len(r.findings) > 0 || r.count("time.synchronised", "warn")+r.count("time.synchronised", "pass") != len(s.hosts) {
				t.Errorf("findings are %q\n%s", r.findings, r.explain())
			}
		})
	}
}

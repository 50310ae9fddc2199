package present

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
	"github.com/islandbundle/island/sizing/site"
)

// oddValues is a site whose facts are empty, zero, nothing, or words of programs.
func oddValues(t *testing.T) *preflight.Verdict {
	t.Helper()
	s := someSurvey(t, 3)
	host := func(name string) *facts.Host {
		return &s.Hosts[slices.IndexFunc(s.Hosts, func(h facts.Host) bool { return h.Name == name })]
	}
	host("cassandra1").Facts.CPU.Usable, host("cassandra1").Facts.CPU.Affinity = factstest.Read(1.0), factstest.Read(1)
	host("cassandra2").Facts.CPU.Usable, host("cassandra2").Facts.CPU.Quota = factstest.Read(1.5), factstest.Read(1.5)
	host("minio1").Internal = "10.9.9.9"
	host("minio2").Facts.Network.Interfaces = factstest.Read([]facts.NIC{{Name: "eth0", MTU: 1500}})
	host("minio3").Facts.Network.Hostname = factstest.Read("")
	host("kubenode1").Facts.Software.Runtimes = factstest.Read([]string{"containerd (installed)", "dockerd (running)"})
	host("kubenode2").Facts.Security.Firewalls = factstest.Read([]string{"firewalld", "nftables"})
	host("kubenode3").Facts.Security.SELinux = factstest.Read("enforcing")
	host("restund1").Facts.Network.Listeners = factstest.Read([]facts.Listener{{Protocol: "tcp", Port: 5349, Address: "127.0.0.1"}})
	host("restund2").Facts.CPU.AES = factstest.Read(false)
	host("restund3").Facts.Time = facts.Time{
		Synchronised: factstest.Read(false), MaxError: factstest.Read(16.0), Services: factstest.Read([]string{}),
	}
	island := site.Undescribed()
	island.Internet = false
	return judged(t, s, island)
}

// TestValuesAreInWords holds what findings say of values that say little by themselves.
func TestValuesAreInWords(t *testing.T) {
	t.Parallel()
	r := oddValues(t)
	for _, c := range []struct{ id, host, en, de string }{
		{"cpu.cores", "cassandra1",
			"1 usable core of 8 (affinity 1, quota none, set by /proc), 2 required",
			"1 nutzbarer Kern von 8 (Affinität 1, Quote keine, gesetzt durch /proc), 2 verlangt"},
		{"cpu.cores", "cassandra2",
			"1.5 usable cores of 8 (affinity 8, quota 1.5, set by /proc), 2 required",
			"1,5 nutzbare Kerne von 8 (Affinität 8, Quote 1,5, gesetzt durch /proc), 2 verlangt"},
		{"net.address", "minio1",
			"Host does not have the inventory's address: observed 10.0.0.14/24, required 10.9.9.9",
			"Host hat nicht die Adresse aus dem Inventory: gemessen 10.0.0.14/24, verlangt 10.9.9.9"},
		{"net.address", "minio2",
			"Host does not have the inventory's address: observed no address, required 10.0.0.15",
			"Host hat nicht die Adresse aus dem Inventory: gemessen keine Adresse, verlangt 10.0.0.15"},
		{"net.hostname", "minio3",
			"Host name is not the inventory's: required minio3", "Hostname ist nicht der des Inventorys: verlangt minio3"},
		{"software.runtime", "kubenode1",
			"A foreign container runtime is running: observed dockerd, required none",
			"Eine fremde Container-Laufzeitumgebung läuft: gemessen dockerd, verlangt keine"},
		{"net.firewall", "kubenode2",
			"A firewall manager is on: observed firewalld, required none", "Eine Firewall-Verwaltung ist an: gemessen firewalld, verlangt keine"},
		{"security.selinux", "kubenode3",
			"SELinux enforces: observed enforcing, required permissive or disabled",
			"SELinux ist auf enforcing: gemessen enforcing, verlangt permissive oder disabled"},
		{"port.in-use", "restund1",
			"tcp/5349 (TURN over TCP and TLS) is in use at 127.0.0.1: an unknown program",
			"tcp/5349 (TURN über TCP und TLS) ist belegt an 127.0.0.1: ein unbekanntes Programm"},
		{"cpu.aes", "restund2", "AES in hardware is missing", "AES in Hardware fehlt"},
		{"time.synchronised", "restund3",
			"nobody has told the kernel lately how right the clock is: it may be 16.0 s off. Time services that run: none",
			"dem Kernel hat zuletzt niemand gesagt, wie richtig die Uhr geht: sie kann um 16,0 s falsch gehen. Laufende Zeitdienste: keine"},
		{"site.outside", "",
			"Outside of the island was not looked at when the facts were taken",
			"Außenwelt der Insel wurde bei dieser Messung nicht geprüft"},
	} {
		at := slices.IndexFunc(r.Findings, func(f preflight.Finding) bool { return f.ID == c.id && f.Host == c.host })
		if at < 0 {
			t.Errorf("%s of %q: no finding", c.id, c.host)
			continue
		}
		said := r.Findings[at].Sentence()
		if en, de := words.English().Text(said), german(t).Text(said); en != c.en || de != c.de {
			t.Errorf("%s of %q:\n%s\n%s, want\n%s\n%s", c.id, c.host, en, de, c.en, c.de)
		}
	}
}

// TestNoFindingIsRaw looks through all findings of odd sites for what no person writes:
// an empty value, a yes or no beside its heading, the id of a check, a code of the
// catalogues, and English in German.
func TestNoFindingIsRaw(t *testing.T) {
	t.Parallel()
	raw := map[string]*regexp.Regexp{
		"en": regexp.MustCompile(`observed ,|observed (true|false)|: $|: ,|\(\)|^$|preflight\.|facts\.|\b(site|net|cpu|disk)\.[a-z]`),
		"de": regexp.MustCompile(`gemessen ,|gemessen (ja|nein)|: $|: ,|\(\)|^$|preflight\.|facts\.|\b(site|net|cpu|disk)\.[a-z]|` +
			`\b(none|running|installed|unknown|missing|true|false|required|observed|dynamic|free)\b`),
	}
	for name, r := range map[string]*preflight.Verdict{"odd values": oddValues(t), "faulty": faultySite(t)} {
		for _, f := range r.Findings {
			for tag, pattern := range raw {
				l, err := words.All().Parse(tag)
				if err != nil {
					t.Fatal(err)
				}
				if said := l.Text(f.Sentence()); pattern.MatchString(said) {
					t.Errorf("%s, %s: %s says %q", name, tag, f.ID, said)
				}
			}
		}
		for _, lang := range words.All() {
			page, err := HTML(r, lang)
			if err != nil {
				t.Fatal(err)
			}
			answer := lang.Word("value.false")
			for _, amount := range []string{"preflight.page.observed", "preflight.page.required"} {
				if beside := lang.Word(amount) + " " + answer; strings.Contains(string(page), beside) {
					t.Errorf("%s, %s: the page says %q", name, lang.Tag, beside)
				}
			}
		}
	}
}

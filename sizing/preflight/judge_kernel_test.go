package preflight

import (
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
	"github.com/islandbundle/island/sizing/site"
)

// findingsOf returns what a check says of a host that is like a good one but for
// one thing: each outcome with its message.
func findingsOf(t *testing.T, id string, table *sizing.Table, s *site.Site, change func(*facts.Host)) []string {
	t.Helper()
	host := factstest.GoodHost("kubenode1", "10.0.0.41", "kube-node", "kube-master", "etcd", "demo")
	change(&host)
	survey := &facts.Survey{APIVersion: facts.APIVersion, Kind: facts.SurveyKind, Partial: true, Hosts: []facts.Host{host}}
	r, err := Judge(Input{Survey: survey, Table: table, Site: s})
	if err != nil {
		t.Fatal(err)
	}
	isWorded(t, r)
	var said []string
	for _, f := range r.Findings {
		if f.ID == id {
			said = append(said, string(f.Outcome)+": "+english(f.Sentence()))
		}
	}
	return said
}

// wants holds what a check says to the beginnings of what it should say.
func wants(t *testing.T, what string, said []string, want ...string) {
	t.Helper()
	if !slices.EqualFunc(said, want, strings.HasPrefix) {
		t.Errorf("%s: it says\n  %s\nwant\n  %s", what, strings.Join(said, "\n  "), strings.Join(want, "\n  "))
	}
}

// TestModulesThatDoNotLoad: what counts is whether the kernel will have a module,
// not whether there is a file of it.
func TestModulesThatDoNotLoad(t *testing.T) {
	t.Parallel()
	rule := func(text, source string) facts.Value[string] {
		return facts.Value[string]{Value: text, Method: message.Of("facts.method.barred", nil), Source: source}
	}
	denied := facts.Value[string]{Method: message.Of("facts.method.barred", nil), Unread: message.Of(facts.NoRoot, nil)}
	for _, test := range []struct {
		name, module, state string
		rule                facts.Value[string]
		want                string
	}{
		{"built in", "br_netfilter", "builtin", rule("install br_netfilter /bin/false", "x"), "pass"},
		{"to be loaded", "overlay", "available", rule("", ""), "pass"},
		{
			"install line", "br_netfilter", "available", rule("install br_netfilter /bin/false", "/etc/modprobe.d/cis.conf"),
			"fail: modprobe does not load br_netfilter: install br_netfilter /bin/false (/etc/modprobe.d/cis.conf)",
		},
		{
			"kernel command line", "nf_conntrack", "available", rule("module_blacklist=nf_conntrack", "/proc/cmdline"),
			"fail: modprobe does not load nf_conntrack: module_blacklist=nf_conntrack (/proc/cmdline)",
		},
		{
			"loaded by hand", "overlay", "loaded", rule("install overlay /bin/true", "/etc/modprobe.d/usb.conf"),
			"warn: loaded now, but after the next start modprobe does not load overlay",
		},
		{"no file", "nf_conntrack", "missing", rule("", ""), "fail: modules are missing: nf_conntrack"},
		{"rules that may not be read", "overlay", "available", denied, "error: modules are there; whether modprobe may load them is not known"},
		{"facts without rules", "overlay", "available", facts.Value[string]{}, "skipped: modules are there; whether modprobe may"},
		{"facts without rules, of one that is loaded", "overlay", "loaded", facts.Value[string]{}, "pass"},
	} {
		said := findingsOf(t, "kernel.modules", guide(t), nil, func(h *facts.Host) {
			h.Facts.Kernel.Modules[test.module], h.Facts.Kernel.Barred[test.module] = factstest.Read(test.state), test.rule
		})
		wants(t, test.name, said, test.want)
	}
}

// TestPortsThatAreReserved: a port that the kernel keeps is not in its range.
func TestPortsThatAreReserved(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ given, reserved, want string }{
		{"32768 60999", "", "pass"},
		{"1024 65535", "30000-32767", "pass: the kernel gives out 1024 65535, but not what is reserved, 30000-32767"},
		{"1024 29999", "", "pass"},
		{"20000 40000", "8080,29000-31000,31001-33000,45000", "pass"},
		{"32000 60999", "31900-32767", "pass"},
		{"32767 60999", "32767", "pass"},
		{"1024 65535", "", "fail: of 1024 65535 the kernel may give 30000-32767 to others; reserved are –"},
		{"1024 65535", "30000-32766", "fail: of 1024 65535 the kernel may give 32767 to others; reserved are 30000-32766"},
		{"1024 65535", "30001-30999,31001-32767", "fail: of 1024 65535 the kernel may give 30000, 31000 to others"},
		{"1024 65535", "8080,32768-60999", "fail: of 1024 65535 the kernel may give 30000-32767 to others"},
		{"1024 65535", "many", "error: range is not understood: many"},
		{"1024 65535", "30000-99999", "error: range is not understood: 30000-99999"},
		{"60999 32768", "", "error: range is not understood: 60999 32768"},
		{"32768", "", "pass"},
	} {
		said := findingsOf(t, "kernel.port-range", guide(t), nil, func(h *facts.Host) {
			h.Facts.Kernel.Sysctls[portRangeSysctl] = factstest.Read(test.given)
			h.Facts.Kernel.Sysctls[reservedPortsSysctl] = factstest.Read(test.reserved)
		})
		wants(t, test.given+" without "+test.reserved, said, test.want)
	}
	said := findingsOf(t, "kernel.port-range", guide(t), nil, func(h *facts.Host) {
		h.Facts.Kernel.Sysctls = map[string]facts.Value[string]{portRangeSysctl: factstest.Read("1024 65535")}
	})
	wants(t, "facts without what is reserved", said, "error: could not be measured: not in the facts")
}

// TestClocksThatAreKept: it counts what error the kernel was told of, not whether it
// was told to call its clock synchronised.
func TestClocksThatAreKept(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		flag  bool
		error float64
		want  string
	}{
		{"with rtcsync", true, 0.01, "pass: by its kernel the clock is 0.010 s off at most"},
		{"chrony without rtcsync", false, 0.009, "pass: by its kernel the clock is 0.009 s off at most"},
		{"chrony whose server has been away for an hour", false, 1.8, "pass"},
		{
			"nobody", false, 16,
			"warn: nobody has told the kernel lately how right the clock is: it may be 16.0 s off. Time services that run: chronyd",
		},
		{"a daemon that ended hours ago", true, 9.3, "warn: nobody has told the kernel lately"},
		{"a kernel that tells of no error", false, 0, "warn"},
	} {
		said := findingsOf(t, "time.synchronised", guide(t), nil, func(h *facts.Host) {
			h.Facts.Time.Synchronised, h.Facts.Time.MaxError = factstest.Read(test.flag), factstest.Read(test.error)
		})
		wants(t, test.name, said, test.want)
	}
	for flag, want := range map[bool]string{true: "pass", false: "warn"} {
		said := findingsOf(t, "time.synchronised", guide(t), nil, func(h *facts.Host) {
			h.Facts.Time = facts.Time{Synchronised: factstest.Read(flag)}
		})
		wants(t, "facts without the error", said, want)
	}
}

// TestContainersAreNoMachines, whoever runs them.
func TestContainersAreNoMachines(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]string{
		"none": "pass", "lxc": "fail: the host is a container (lxc), not a machine", "systemd-nspawn": "fail", "wsl": "fail", "namespace": "fail",
	} {
		wants(t, kind, findingsOf(t, "guest.container", guide(t), nil, func(h *facts.Host) {
			h.Facts.Virtualisation.Container = factstest.Read(kind)
		}), want)
	}
	wants(t, "not in the facts", findingsOf(t, "guest.container", guide(t), nil, func(h *facts.Host) {
		h.Facts.Virtualisation.Container = facts.Value[string]{}
	}), "skipped: not known: not in the facts")
}

// TestReleaseOfTheTable: each table has its own operating system, and the site has
// the last word.
func TestReleaseOfTheTable(t *testing.T) {
	t.Parallel()
	demo, _, err := sizing.Embedded("demo")
	if err != nil {
		t.Fatal(err)
	}
	older := *demo
	older.OS = sizing.Systems{}
	own := site.Undescribed()
	own.Preflight.OS = []site.OSRelease{{ID: "debian", Version: "12"}}
	for _, test := range []struct {
		name        string
		table       *sizing.Table
		site        *site.Site
		id, version string
		want        string
	}{
		{"demo", demo, nil, "ubuntu", "24.04", "pass"},
		{"demo", demo, nil, "ubuntu", "22.04", "fail: Operating system is not the one required: observed ubuntu 22.04, required ubuntu 24.04"},
		{"guide", guide(t), nil, "ubuntu", "22.04", "pass"},
		{"guide", guide(t), nil, "ubuntu", "24.04", "fail"},
		{"a table that does not say", &older, nil, "ubuntu", "22.04", "pass"},
		{"a table that does not say", &older, nil, "ubuntu", "24.04", "fail"},
		{"the site's own", demo, own, "debian", "12", "pass"},
		{"the site's own", demo, own, "ubuntu", "24.04", "fail"},
	} {
		said := findingsOf(t, "os.release", test.table, test.site, func(h *facts.Host) {
			h.Facts.OS = facts.OS{ID: factstest.Read(test.id), Version: factstest.Read(test.version)}
		})
		wants(t, test.name+" with "+test.id+" "+test.version, said, test.want)
	}
}

// TestRoutesThatLeadOut are told as ip-route tells them, each with its table. One that
// discards, which older facts have as well, is none.
func TestRoutesThatLeadOut(t *testing.T) {
	t.Parallel()
	island := site.Undescribed()
	island.Internet = false
	for _, test := range []struct {
		name   string
		routes []facts.Route
		want   string
	}{
		{"none", nil, "pass"},
		{"unreachable, in older facts", []facts.Route{{Gateway: "0.0.0.0", Interface: "*"}}, "pass"},
		{
			"one in a table", []facts.Route{{Gateway: "10.0.0.1", Interface: "eth1", Table: 100}},
			"fail: a route leads out: default via 10.0.0.1 dev eth1 table 100",
		},
		{
			"one beside an unreachable one", []facts.Route{{Gateway: "0.0.0.0", Interface: "*"}, {Gateway: "0.0.0.0", Interface: "tun0"}},
			"fail: a route leads out: default dev tun0",
		},
		{
			"IPv6", []facts.Route{{Destination: "2000::/3", Gateway: "fe80::1", Interface: "eth0"}, {Interface: "wg0", Table: 51820}},
			"fail: a route leads out: 2000::/3 via fe80::1 dev eth0, default dev wg0 table 51820",
		},
	} {
		said := findingsOf(t, "net.island", guide(t), island, func(h *facts.Host) { h.Facts.Network.Routes = factstest.Read(test.routes) })
		wants(t, test.name, said, test.want)
	}
}

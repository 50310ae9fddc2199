//go:build linux

package probe

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// moduleTree is a host whose kernel has br_netfilter as a compressed file, and
// bridge, which that needs.
var moduleTree = map[string]string{
	"/lib/modules/6.8.0-1-generic/modules.builtin": "kernel/net/nf-conntrack.ko\n",
	"/lib/modules/6.8.0-1-generic/modules.dep": "kernel/net/bridge/br_netfilter.ko.zst: kernel/net/bridge/bridge.ko.zst " +
		"kernel/net/802/stp.ko.zst\n" +
		"kernel/net/bridge/bridge.ko.zst: kernel/net/802/stp.ko.zst\nkernel/net/802/stp.ko.zst:\nkernel/fs/overlayfs/overlay.ko.xz:\n",
	"/lib/modules/6.8.0-1-generic/kernel/net/bridge/br_netfilter.ko.zst": "x",
	"/lib/modules/6.8.0-1-generic/kernel/net/bridge/bridge.ko.zst":       "x",
	"/lib/modules/6.8.0-1-generic/kernel/net/802/stp.ko.zst":             "x",
	"/proc/cmdline":                     "BOOT_IMAGE=/vmlinuz root=/dev/sda1 modprobe.blacklist=br_netfilter\n",
	"/proc/sys/kernel/modules_disabled": "0\n",
	"/etc/modprobe.d/blacklist.conf":    "# install br_netfilter /bin/false\nblacklist br_netfilter\noptions bridge x=1\n",
	"/etc/modprobe.d/README":            "install br_netfilter /bin/false\n",
	"/usr/lib/modprobe.d/replaced.conf": "install bridge /bin/false\n",
	"/etc/modprobe.d/replaced.conf":     "alias netdev-* nothing\n",
	"/etc/modprobe.d/own.conf": "install br-netfilter /sbin/modprobe --ignore-install br_netfilter && /bin/true\n" +
		"alias br-netfilter br_netfilter\n",
	"/usr/local/lib/modprobe.d/other.conf": "install brcm80211 /bin/false\n",
}

// TestModprobe: what there is of a module, and what keeps modprobe from loading it.
func TestModprobe(t *testing.T) {
	t.Parallel()
	const name, file = "br_netfilter", "/etc/modprobe.d/a.conf"
	for _, test := range []struct {
		what, module string
		files        map[string]string // in place of, or beside, those of the tree
		state, rule  string
		source       string
	}{
		{"compressed file, blacklisted alone", name, nil, "available", "", ""},
		{"file that is listed and not there", "overlay", nil, "missing", "", ""},
		{"built in, by another spelling", "nf_conntrack", nil, "builtin", "", ""},
		{"no file", "ip_vs", nil, "missing", "", ""},
		{"built into a kernel without lists", name, map[string]string{"/lib/modules/6.8.0-1-generic/modules.dep": "",
			"/proc/sys/net/bridge/bridge-nf-call-iptables": "1"}, "builtin", "", ""},
		{"file system of a kernel without lists", "overlay", map[string]string{"/proc/filesystems": "nodev\ttmpfs\nnodev\toverlay\n"},
			"builtin", "", ""},
		{"loaded", name, map[string]string{"/sys/module/br_netfilter/initstate": "live"}, "loaded", "", ""},
		{"built in, with parameters", "ip_vs", map[string]string{"/sys/module/ip_vs/parameters/x": "0"}, "builtin", "", ""},
		{"install false", name, map[string]string{file: "install br_netfilter /bin/false\n"}, "available",
			"install br_netfilter /bin/false", file},
		{"install true, spelled otherwise", name, map[string]string{file: "\tinstall   br-netfilter\t/bin/true\n"}, "available",
			"install br-netfilter /bin/true", file},
		{"install over lines", name, map[string]string{file: "install br_netfilter \\\n  /bin/sh -c 'exit 0'\n"}, "available",
			"install br_netfilter /bin/sh -c 'exit 0'", file},
		{"install by a pattern", name, map[string]string{file: "install br_* /bin/false\n"}, "available", "install br_* /bin/false", file},
		{"install of what it needs", name, map[string]string{"/run/modprobe.d/stig.conf": "install stp /bin/true\n"}, "available",
			"install stp /bin/true", "/run/modprobe.d/stig.conf"},
		{"install of what it needs, which is loaded", name, map[string]string{file: "install stp /bin/true\n",
			"/sys/module/stp/initstate": "live"}, "available", "", ""},
		{"an earlier line loads it", name, map[string]string{"/etc/modprobe.d/z.conf": "install br_netfilter /bin/false\n"}, "available", "", ""},
		{"alias to nothing", name, map[string]string{file: "alias br_netfilter off\n"}, "available", "alias br_netfilter off", file},
		{"file of the distribution", name, map[string]string{"/lib/modprobe.d/a.conf": "install bridge /bin/false\n"}, "available",
			"install bridge /bin/false", "/lib/modprobe.d/a.conf"},
		{"kernel command line", name, map[string]string{"/proc/cmdline": "quiet module_blacklist=floppy,br-netfilter ro\n"}, "available",
			"module_blacklist=br_netfilter", "/proc/cmdline"},
		{"no more modules than those that are loaded", name, map[string]string{"/proc/sys/kernel/modules_disabled": "1\n",
			"/sys/module/br_netfilter/initstate": "live"}, "loaded", "", ""},
		{"no more modules", name, map[string]string{"/proc/sys/kernel/modules_disabled": "1\n"}, "available",
			"kernel.modules_disabled = 1", "/proc/sys/kernel/modules_disabled"},
	} {
		files := maps.Clone(moduleTree)
		maps.Copy(files, test.files)
		states, barred := tree(t, files).modules("6.8.0-1-generic", []string{test.module})
		if got := states[test.module].Value; got != test.state {
			t.Errorf("%s: it is %s, want %s", test.what, got, test.state)
		}
		rule := barred[test.module]
		if !rule.Known() || rule.Value != test.rule || test.rule != "" && rule.Source != test.source {
			t.Errorf("%s: the rule is %+v, want %q in %s", test.what, rule, test.rule, test.source)
		}
	}
}

// TestModprobeCommands: which commands in the place of modprobe load the module.
func TestModprobeCommands(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]bool{
		"/sbin/modprobe --ignore-install br_netfilter":                              true,
		"/sbin/modprobe -qi br-netfilter $CMDLINE_OPTS":                             true,
		"modprobe stp; modprobe -i $MODPROBE_MODULE":                                true,
		`/bin/sh -c "sysctl -q x=1 && { modprobe --ignore-install br_netfilter; }"`: true,
		"insmod /lib/modules/6.8.0/br_netfilter.ko.zst":                             true,
		"/bin/false || modprobe -i br_netfilter":                                    true,
		"/bin/true && modprobe -i br_netfilter":                                     true,
		"modprobe --ignore-install bridge && /bin/true":                             false,
		"/sbin/modprobe --ignore-install stp && echo br_netfilter":                  false,
		"modprobe br_netfilter":                                                     false,
		"insmod /lib/modules/6.8.0/stp.ko":                                          false,
		"/bin/false && modprobe --ignore-install br_netfilter":                      false,
		"/bin/true || modprobe --ignore-install br_netfilter":                       false,
		"exit 0; modprobe --ignore-install br_netfilter":                            false,
		"logger modprobe of br_netfilter is not wanted here -i":                     false,
	} {
		rule := modprobeRule{verb: "install", pattern: "br_netfilter", rest: command}
		if got := rule.loads("br_netfilter"); got != want {
			t.Errorf("%q loads it: %v, want %v", command, got, want)
		}
	}
}

// TestModprobeMasked: a file of the distribution that /dev/null stands for, or a link
// that leads nowhere, says nothing; a folder stands for none, and what cannot be read
// leaves it open.
func TestModprobeMasked(t *testing.T) {
	t.Parallel()
	for target, wantKnown := range map[string]bool{"/dev/null": true, "/nowhere/at/all": true, "cis.conf": false} {
		files := maps.Clone(moduleTree)
		files["/usr/lib/modprobe.d/cis.conf"] = "install br_netfilter /bin/false\n"
		system := tree(t, files)
		if err := os.Symlink(target, filepath.Join(system.Root, "/etc/modprobe.d/cis.conf")); err != nil {
			t.Fatal(err)
		}
		_, barred := system.modules("6.8.0-1-generic", []string{"br_netfilter"})
		if rule := barred["br_netfilter"]; rule.Known() != wantKnown || rule.Value != "" {
			t.Errorf("%s: the rule is %+v", target, rule)
		}
	}
	files := maps.Clone(moduleTree)
	files["/etc/modprobe.d/stig.conf/x"], files["/usr/lib/modprobe.d/stig.conf"] = "", "install stp /bin/true\n"
	_, barred := tree(t, files).modules("6.8.0-1-generic", []string{"br_netfilter"})
	if barred["br_netfilter"].Source != "/usr/lib/modprobe.d/stig.conf" {
		t.Errorf("beside a folder the rule is %+v", barred)
	}
	files = maps.Clone(moduleTree)
	files["/run/modprobe.d"] = "no folder"
	if _, barred := tree(t, files).modules("6.8.0-1-generic", []string{"br_netfilter"}); barred["br_netfilter"].Known() {
		t.Errorf("beside what cannot be listed the rule is %+v", barred)
	}
}

//go:build linux

package probe

import (
	"maps"
	"reflect"
	"strings"
	"testing"
)

// unifiedMount and oldMounts are mount tables with control groups of version 2 and 1.
const (
	unifiedMount = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n30 22 0:30 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	oldMounts    = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n31 22 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
		"32 22 0:32 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
		"33 22 0:33 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
)

// limited returns a host of 8 processors and 16 GiB with further files.
func limited(files map[string]string) map[string]string {
	all := map[string]string{
		"/proc/meminfo": "MemTotal: 16777216 kB\n", "/proc/self/mountinfo": unifiedMount, "/sys/devices/system/cpu/online": "0-7\n",
		"/proc/cpuinfo": strings.Repeat("processor : 0\n", 8), "/proc/1/status": "Name: systemd\nCpus_allowed_list:\t0-127\n",
	}
	maps.Copy(all, files)
	return all
}

// TestWhoseLimits: a limit of a login is none of the services; one of the machine, or of
// the group that systemd starts services in, is, and the file that sets it is named.
func TestWhoseLimits(t *testing.T) {
	t.Parallel()
	const gb, groups = 1_000_000_000, "/sys/fs/cgroup"
	for name, test := range map[string]struct {
		group string
		files map[string]string // below /sys/fs/cgroup
		limit int64
		by    string
	}{
		"of all logins": {
			"/user.slice/user-1000.slice/session-3.scope", map[string]string{"/user.slice/memory.max": "2000000000"}, 0, "",
		},
		"of one user, and of one session": {
			"/user.slice/user-1000.slice/session-3.scope",
			map[string]string{
				"/user.slice/user-1000.slice/memory.max": "2000000000", "/user.slice/user-1000.slice/session-3.scope/memory.max": "1000000000",
			}, 0, "",
		},
		"of a user's own systemd": {
			"/user.slice/user-1000.slice/user@1000.service/app.slice/run-u3.scope",
			map[string]string{"/user.slice/user-1000.slice/user@1000.service/memory.max": "2000000000"}, 0, "",
		},
		"of sshd": {"/system.slice/ssh.service", map[string]string{"/system.slice/ssh.service/memory.max": "2000000000"}, 0, ""},
		"of sshd for each connection": {
			"/system.slice/system-sshd.slice/sshd@5-10.0.0.1:22-10.0.0.9:5.service",
			map[string]string{"/system.slice/system-sshd.slice/memory.max": "2000000000"}, 0, "",
		},
		"of a job": {"/system.slice/run-r1.scope", map[string]string{"/system.slice/run-r1.scope/memory.max": "2000000000"}, 0, ""},
		"of services, seen from a login": {
			"/user.slice/user-0.slice/session-3.scope",
			map[string]string{"/system.slice/memory.max": "3000000000", "/user.slice/memory.max": "2000000000"}, 3 * gb, "/system.slice/memory.max",
		},
		"of services, seen from sshd": {
			"/system.slice/sshd.service", map[string]string{"/system.slice/memory.high": "3000000000", "/system.slice/memory.max": "4000000000"},
			3 * gb, "/system.slice/memory.high",
		},
		"of a container, which sees its own groups alone": {
			"/user.slice/user-0.slice/session-3.scope", map[string]string{"/memory.max": "5000000000"}, 5 * gb, "/memory.max",
		},
		"of a container that sees all groups": {
			"/lxc.payload.web/user.slice/user-0.slice/session-3.scope",
			map[string]string{"/lxc.payload.web/memory.max": "5000000000", "/lxc.payload.web/user.slice/memory.max": "1000000000"},
			5 * gb, "/lxc.payload.web/memory.max",
		},
		"of services in a container": {
			"/lxc.payload.web/user.slice/user-0.slice/session-3.scope",
			map[string]string{"/lxc.payload.web/system.slice/memory.max": "6000000000"}, 6 * gb, "/lxc.payload.web/system.slice/memory.max",
		},
		"of a container that is a scope": {
			"/system.slice/docker-0123.scope", map[string]string{"/system.slice/docker-0123.scope/memory.max": "5000000000"},
			5 * gb, "/system.slice/docker-0123.scope/memory.max",
		},
		"of a container that is a service": {
			"/machine.slice/systemd-nspawn@web.service/payload/system.slice/ssh.service",
			map[string]string{"/machine.slice/systemd-nspawn@web.service/memory.max": "5000000000"},
			5 * gb, "/machine.slice/systemd-nspawn@web.service/memory.max",
		},
		"the least of several": {
			"/user.slice/user-0.slice/session-3.scope", map[string]string{"/memory.max": "5000000000", "/system.slice/memory.max": "4000000000"},
			4 * gb, "/system.slice/memory.max",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := limited(map[string]string{"/proc/self/cgroup": "0::" + test.group + "\n"})
			old := limited(map[string]string{
				"/proc/self/cgroup": "4:memory:" + test.group + "\n3:cpu,cpuacct:/\n0::/\n", "/proc/self/mountinfo": oldMounts,
			})
			high := false
			for file, text := range test.files {
				files[groups+file] = text + "\n"
				old[groups+"/memory"+strings.Replace(file, "memory.max", "memory.limit_in_bytes", 1)] = text + "\n"
				high = high || strings.HasSuffix(file, "high")
			}
			usable := int64(16 << 30)
			by := "/sys/fs/cgroup"
			if test.limit > 0 {
				usable, by = test.limit, groups+test.by
			}
			m := collected(t, files).Memory
			if m.Limit.Value != test.limit || m.Limit.Source != by || m.Usable.Value != usable {
				t.Errorf("limit is %+v, usable %d", m.Limit, m.Usable.Value)
			}
			if m := collected(t, old).Memory; !high && (m.Limit.Value != test.limit || m.Usable.Value != usable) {
				t.Errorf("version 1: limit is %+v, usable %d", m.Limit, m.Usable.Value)
			}
		})
	}
}

// TestWhoseProcessors: likewise for quotas and masks.
func TestWhoseProcessors(t *testing.T) {
	t.Parallel()
	const login = "0::/user.slice/user-0.slice/session-3.scope\n"
	const system = "/sys/fs/cgroup/system.slice"
	for name, test := range map[string]struct {
		files  map[string]string
		usable float64
		by     string // source of the mask or the quota
	}{
		"a quota of logins": {map[string]string{"/sys/fs/cgroup/user.slice/cpu.max": "100000 100000\n"}, 8, ""},
		"a quota of services": {
			map[string]string{system + "/cpu.max": "250000 100000\n"}, 2.5, system + "/cpu.max",
		},
		"processors of logins": {map[string]string{"/sys/fs/cgroup/user.slice/cpuset.cpus.effective": "0\n"}, 8, ""},
		"processors of services": {
			map[string]string{system + "/cpuset.cpus.effective": "0-1,4\n"}, 3, system + "/cpuset.cpus.effective",
		},
		"processors of all that systemd starts": {
			map[string]string{"/proc/1/status": "Cpus_allowed_list:\t0-3\n"}, 4, "/proc/1/status",
		},
		"processors that are not there": {
			map[string]string{"/proc/1/status": "Cpus_allowed_list:\t0,6-127\n"}, 3, "/proc/1/status",
		},
		"no first process to be seen": {map[string]string{"/proc/1/status": ""}, 3, "sched_getaffinity(2)"}, // which tree answers
		"a mask that is none":         {map[string]string{system + "/cpuset.cpus.effective": "0-\n"}, 8, ""},
		"version 1": {
			map[string]string{
				"/proc/self/cgroup": "5:cpuset:/\n3:cpu,cpuacct:/user.slice\n0::/user.slice\n", "/proc/self/mountinfo": oldMounts,
				"/sys/fs/cgroup/cpu,cpuacct/user.slice/cpu.cfs_quota_us":    "100000\n",
				"/sys/fs/cgroup/cpu,cpuacct/user.slice/cpu.cfs_period_us":   "100000\n",
				"/sys/fs/cgroup/cpu,cpuacct/system.slice/cpu.cfs_quota_us":  "200000\n",
				"/sys/fs/cgroup/cpu,cpuacct/system.slice/cpu.cfs_period_us": "50000\n",
				"/sys/fs/cgroup/cpuset/system.slice/cpuset.effective_cpus":  "0-5\n",
			}, 4, "/sys/fs/cgroup/cpu,cpuacct/system.slice/cpu.cfs_quota_us",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := limited(map[string]string{"/proc/self/cgroup": login})
			maps.Copy(files, test.files)
			c := collected(t, files).CPU
			if c.Usable.Value != test.usable || test.by != "" && c.Affinity.Source != test.by && c.Quota.Source != test.by {
				t.Errorf("usable is %+v; mask %+v, quota %+v", c.Usable, c.Affinity, c.Quota)
			}
		})
	}
}

// TestLimitNotRead: what cannot be read may be a limit, so that nobody knows what is usable.
func TestLimitNotRead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		file, text         string
		memory, processors bool
	}{
		{"/sys/fs/cgroup/system.slice/memory.max", "evil\n", false, true},
		{"/sys/fs/cgroup/system.slice/cpu.max", "1 2 3\n", true, false},
		{"/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages", "many\n", false, true},
	} {
		f := collected(t, limited(map[string]string{"/proc/self/cgroup": "0::/user.slice\n", test.file: test.text}))
		if got := []bool{f.Memory.Usable.Known(), f.CPU.Usable.Known()}; !reflect.DeepEqual(got, []bool{test.memory, test.processors}) {
			t.Errorf("%s %q: usable memory and processors are %+v, %+v", test.file, test.text, f.Memory.Usable, f.CPU.Usable)
		}
	}
}

// TestHugePages: those of every size are set aside, whatever the default size is.
func TestHugePages(t *testing.T) {
	t.Parallel()
	const folder = "/sys/kernel/mm/hugepages/hugepages-"
	const total = "MemTotal: 16777216 kB\n"
	for name, test := range map[string]struct {
		meminfo string
		files   map[string]string
		want    int64
	}{
		"none": {total + "HugePages_Total: 0\nHugepagesize: 2048 kB\nHugetlb: 0 kB\n", nil, 0},
		"1 GiB beside 2 MiB": {
			total + "HugePages_Total: 512\nHugepagesize: 2048 kB\nHugetlb: 7340032 kB\n",
			map[string]string{folder + "1048576kB/nr_hugepages": "6\n", folder + "2048kB/nr_hugepages": "512\n"}, 7 << 30,
		},
		"1 GiB beside 2 MiB, on a kernel that does not add up": {
			total + "HugePages_Total: 512\nHugepagesize: 2048 kB\n",
			map[string]string{folder + "1048576kB/nr_hugepages": "6\n", folder + "2048kB/nr_hugepages": "512\n"}, 7 << 30,
		},
		"1 GiB by default": {
			total + "HugePages_Total: 3\nHugepagesize: 1048576 kB\n",
			map[string]string{folder + "1048576kB/nr_hugepages": "3\n", folder + "2048kB/nr_hugepages": "1024\n"}, 5 << 30,
		},
		"16 MiB and 16 GiB, of another architecture": {
			total + "HugePages_Total: 2\nHugepagesize: 16384 kB\n",
			map[string]string{folder + "16384kB/nr_hugepages": "64\n", folder + "64kB/nr_hugepages": "16\n"}, 1<<30 + 1<<20,
		},
		"without a folder of sizes": {total + "HugePages_Total: 512\nHugepagesize: 2048 kB\nHugetlb: 3145728 kB\n", nil, 3 << 30},
		"old, without either":       {total + "HugePages_Total: 512\nHugepagesize: 2048 kB\n", nil, 1 << 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := limited(map[string]string{"/proc/meminfo": test.meminfo})
			maps.Copy(files, test.files)
			if m := collected(t, files).Memory; m.HugePages.Value != test.want || m.Usable.Value != 16<<30-test.want {
				t.Errorf("huge pages are %+v, usable memory %d; want %d set aside", m.HugePages, m.Usable.Value, test.want)
			}
		})
	}
}

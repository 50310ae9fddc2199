//go:build linux

package probe

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/islandbundle/island/sizing/preflight/facts"
)

// pathsOf collects what lies behind paths of a recorded host, with links.
func pathsOf(t *testing.T, system System, links map[string]string, paths ...string) []facts.Path {
	t.Helper()
	for name, target := range links {
		at := filepath.Join(system.Root, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, at); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Collect(t.Context(), system, Request{Sample: time.Millisecond, Paths: paths, Fsync: []string{}})
	if err != nil {
		t.Fatal(err)
	}
	return f.Paths
}

const threeDisks = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n33 22 8:17 / /data rw - xfs /dev/sdb1 rw\n" +
	"34 22 8:33 / /srv/disk3 rw - xfs /dev/sdc1 rw\n"

// TestLinks: what is behind a path is looked for where its links lead, whether that is
// there yet or not.
func TestLinks(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"/proc/self/mountinfo": threeDisks, "/data/lost+found/x": "", "/srv/disk3/here/x": "", "/var/lib/x": "", "/etc/hosts": "",
	}
	for name, test := range map[string]struct {
		links                       map[string]string
		path                        string
		target, nearest, mount, why string
	}{
		"no link": {nil, "/var/lib/cassandra", "", "/var/lib", "/", ""},
		"to a folder that is there": {
			map[string]string{"/var/lib/cassandra": "/srv/disk3/here"}, "/var/lib/cassandra", "/srv/disk3/here", "/srv/disk3/here", "/srv/disk3", "",
		},
		"to a folder that is not made yet": {
			map[string]string{"/var/lib/cassandra": "/data/cassandra"}, "/var/lib/cassandra", "/data/cassandra", "/data", "/data", "",
		},
		"relative, and several folders to make": {
			map[string]string{"/var/lib/minio-server1": "../../srv/disk3/minio/one"},
			"/var/lib/minio-server1", "/srv/disk3/minio/one", "/srv/disk3", "/srv/disk3", "",
		},
		"a chain, of which a folder above is a link": {
			map[string]string{"/var/lib/wire": "../../opt/wire", "/opt/wire": "/data", "/data/es": "es-7"},
			"/var/lib/wire/es/nodes", "/data/es-7/nodes", "/data", "/data", "",
		},
		"back, behind what is not there": {
			map[string]string{"/opt/assets": "/data/not/there/../../../srv/disk3/x"}, "/opt/assets", "/srv/disk3/x", "/data", "/data", "",
		},
		"in a circle": {
			map[string]string{"/var/lib/a": "b", "/var/lib/b": "/var/lib/a"}, "/var/lib/a/data",
			"", "/var/lib", "", "links lead in a circle at /var/lib/a",
		},
		"to itself": {map[string]string{"/opt/assets": "assets"}, "/opt/assets", "", "/opt", "", "links lead in a circle at /opt/assets"},
		"to a file": {
			map[string]string{"/opt/assets": "/etc/hosts"}, "/opt/assets/x", "", "/etc", "", "/etc/hosts is there and is no folder",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := pathsOf(t, tree(t, files), test.links, test.path)[0]
			got := []string{p.Target, p.Nearest, p.FileSystem.Value.Mount, english(p.FileSystem.Unread)}
			if want := []string{test.target, test.nearest, test.mount, test.why}; !reflect.DeepEqual(got, want) {
				t.Errorf("target, nearest folder, mount and reason are %q, want %q", got, want)
			}
		})
	}
}

// TestClosedFolder: where a folder may not be looked into, nobody knows what is behind
// it: the file system that it lies on is not taken in its place.
func TestClosedFolder(t *testing.T) {
	t.Parallel()
	system := tree(t, map[string]string{"/data/closed/x": ""})
	if err := os.Chmod(filepath.Join(system.Root, "data/closed"), 0); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // and may look everywhere: so this thread is somebody else meanwhile
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := syscall.Setfsuid(65534); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = syscall.Setfsuid(0) }()
	}
	if target, _, err := system.follow("/data/closed/cassandra"); !errors.Is(err, os.ErrPermission) {
		t.Errorf("leads to %s, %v", target, err)
	}
}

// TestMountedWhenNeeded: asking for the figures of a folder mounts what is mounted when
// it is needed; only what has come then is told.
func TestMountedWhenNeeded(t *testing.T) {
	t.Parallel()
	const automatic = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n40 22 0:50 / /data rw - autofs systemd-1 rw,direct\n"
	for name, test := range map[string]struct {
		comes, fsType, why string
		err                error
	}{
		"it comes":         {"41 40 0:60 / /data rw - nfs4 nas:/data rw,vers=4.2,addr=10.0.0.9\n", "nfs4", "", nil},
		"it does not come": {"", "", "/data is mounted when it is needed, and was not: the automounter did not mount it", nil},
		"it fails":         {"", "", "no such device", syscall.ENODEV},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			system := tree(t, map[string]string{"/proc/self/mountinfo": automatic, "/data/x": ""})
			statfs := system.StatFS
			system.StatFS = func(path string) (syscall.Statfs_t, error) {
				mounted := filepath.Join(system.Root, "proc/self/mountinfo")
				if err := os.WriteFile(mounted, []byte(automatic+test.comes), 0o644); err != nil {
					t.Error(err)
				}
				stat, err := statfs(path)
				return stat, errors.Join(err, test.err)
			}
			v := pathsOf(t, system, nil, "/data/cassandra")[0].FileSystem
			if v.Value.Type != test.fsType || english(v.Unread) != test.why {
				t.Errorf("file system is %+v", v)
			}
		})
	}
}

// TestStores: what tells whether file systems share a store is read, as far as it can
// be seen without root.
func TestStores(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"/proc/self/mountinfo": "22 1 253:3 / / rw - ext4 /dev/mapper/luks rw\n" +
			"30 22 0:31 / /tank rw - zfs tank rw,xattr\n31 22 0:32 / /tank/a/b rw - zfs tank/w/a/b rw,xattr\n" +
			"32 22 0:33 / /tank/w rw - zfs tank/w rw,xattr\n33 22 0:34 / /tank-w rw - zfs tan/w rw\n" +
			"34 22 0:40 / /nas rw - nfs4 nas:/vol rw,vers=4.2,clientaddr=10.0.0.5,addr=10.0.0.9\n35 22 8:1 / /boot rw - ext4 /dev/sda1 rw\n",
		"/tank/a/b/x": "", "/nas/x": "", "/boot/x": "",
		"/sys/devices/virtual/block/dm-3/slaves/dm-2/dm/uuid": "LVM-Xxthin\n",
		"/sys/devices/virtual/block/dm-3/size":                "1000\n",
		"/sys/devices/virtual/block/dm-2/dm/uuid":             "LVM-Xxthin\n",
		"/sys/devices/virtual/block/dm-2/slaves/dm-1/size":    "800\n",
		"/sys/devices/virtual/block/dm-1/dm/uuid":             "LVM-Xxpool-tpool\n",
		"/sys/devices/virtual/block/dm-1/dm/name":             "vg-pool-tpool\n",
		"/sys/devices/virtual/block/dm-1/size":                "800\n",
		"/sys/devices/virtual/block/dm-1/slaves/sda2/x":       "",
		"/sys/devices/virtual/block/dm-1/slaves/sdb/x":        "",
		"/sys/devices/pci/sda/sda1/partition":                 "1\n",
		"/sys/devices/pci/sda/sda2/partition":                 "2\n",
		"/sys/devices/pci/sda/size":                           "4000\n",
		"/sys/devices/pci/sdb/size":                           "6000\n",
	}
	system := tree(t, files)
	system.StatFS = func(path string) (syscall.Statfs_t, error) {
		free := map[string]uint64{"/tank": 900, "/tank/w": 700, "/tank/a/b": 500}[path]
		return syscall.Statfs_t{Bsize: 10, Blocks: 1000, Bavail: free, Fsid: syscall.Fsid{X__val: [2]int32{-1, int32(len(path))}}}, nil
	}
	paths := pathsOf(t, system, map[string]string{
		"/sys/dev/block/253:3": "../../devices/virtual/block/dm-3", "/sys/dev/block/8:1": "../../devices/pci/sda/sda1",
		"/sys/class/block/dm-2": "../../devices/virtual/block/dm-2", "/sys/class/block/dm-1": "../../devices/virtual/block/dm-1",
		"/sys/class/block/sda2": "../../devices/pci/sda/sda2", "/sys/class/block/sdb": "../../devices/pci/sdb",
	}, "/tank/a/b", "/nas", "/var/lib", "/boot")
	zfs, nas, thin, disk := paths[0].FileSystem.Value, paths[1].FileSystem.Value, paths[2].FileSystem.Value, paths[3].FileSystem.Value
	if want := map[string]int64{"tank": 9000, "tank/w": 7000}; !reflect.DeepEqual(zfs.Above, want) {
		t.Errorf("above the dataset is %v, want %v", zfs.Above, want)
	}
	if nas.Server != "10.0.0.9" || zfs.Server != "" {
		t.Errorf("servers are %q and %q", nas.Server, zfs.Server)
	}
	if thin.Pool != "vg-pool" || thin.PoolSize != 800*512 || thin.Disk != "dm-3" || disk.Pool != "" {
		t.Errorf("pools are %q of %d and %q", thin.Pool, thin.PoolSize, disk.Pool)
	}
	if want := map[string]int64{"sda": 4000 * 512, "sdb": 6000 * 512}; !reflect.DeepEqual(thin.Disks, want) || len(disk.Disks) > 0 {
		t.Errorf("disks are %v and %v", thin.Disks, disk.Disks)
	}
	if !strings.HasPrefix(zfs.ID, "ffffffff") || zfs.ID == nas.ID {
		t.Errorf("ids are %s and %s", zfs.ID, nas.ID)
	}
}

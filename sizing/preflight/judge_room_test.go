package preflight

import (
	"slices"
	"strings"
	"testing"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/internal/factstest"
	"github.com/islandbundle/island/sizing/site"
)

// onStore makes a path of a file system; sizes are in GB.
func onStore(path, fsType, device, id string, size, free int64) facts.Path {
	return facts.Path{Path: path, Nearest: path, FileSystem: factstest.Read(facts.FileSystem{
		Type: fsType, Device: device, DeviceID: id, Mount: path, Options: "rw", Size: size * 1e9, Free: free * 1e9,
	})}
}

// TestRooms: what file systems of one store hold together, in all and free, in GB.
func TestRooms(t *testing.T) {
	t.Parallel()
	above := func(p facts.Path, free map[string]int64) facts.Path {
		p.FileSystem.Value.Above = map[string]int64{}
		for name, n := range free {
			p.FileSystem.Value.Above[name] = n * 1e9
		}
		return p
	}
	with := func(p facts.Path, change func(*facts.FileSystem)) facts.Path {
		change(&p.FileSystem.Value)
		return p
	}
	thin := func(p facts.Path, pool string, size int64) facts.Path {
		return with(p, func(v *facts.FileSystem) { v.Pool, v.PoolSize = pool, size*1e9 })
	}
	at := func(p facts.Path, server string) facts.Path {
		return with(p, func(v *facts.FileSystem) { v.Server = server })
	}
	inodes := func(p facts.Path, all, free int64) facts.Path {
		return with(p, func(v *facts.FileSystem) { v.Inodes, v.InodesFree = all, free })
	}
	id := func(p facts.Path, id string) facts.Path {
		return with(p, func(v *facts.FileSystem) { v.ID = id })
	}
	for name, test := range map[string]struct {
		systems    []facts.Path
		size, free int64
		rooms      int
	}{
		"two disks": {
			[]facts.Path{onStore("/a", "ext4", "/dev/sda", "8:0", 100, 90), onStore("/b", "xfs", "/dev/sdb", "8:16", 50, 50)}, 150, 140, 2,
		},
		"datasets of one pool": {
			[]facts.Path{
				onStore("/a", "zfs", "data/wire/a", "0:31", 120, 80), onStore("/b", "zfs", "data/wire/b", "0:32", 90, 80),
				onStore("/c", "zfs", "data/other", "0:33", 80, 80),
			}, 40 + 10 + 80, 80, 1,
		},
		"datasets of two pools": {
			[]facts.Path{onStore("/a", "zfs", "fast/a", "0:31", 100, 80), onStore("/b", "zfs", "slow/a", "0:32", 90, 80)}, 190, 160, 2,
		},
		"a pool's own dataset and one below": {
			[]facts.Path{onStore("/a", "zfs", "data", "0:31", 100, 80), onStore("/a/b", "zfs", "data/b", "0:32", 85, 80)}, 105, 80, 1,
		},
		"quotas of which the pool is seen": {
			[]facts.Path{
				above(onStore("/a", "zfs", "data/a", "0:31", 100, 90), map[string]int64{"data": 900}),
				above(onStore("/b", "zfs", "data/b", "0:32", 200, 200), map[string]int64{"data": 900}),
			}, 300, 290, 1,
		},
		"quotas above what the pool has": {
			[]facts.Path{
				above(onStore("/a", "zfs", "data/a", "0:31", 100, 90), map[string]int64{"data": 250}),
				above(onStore("/b", "zfs", "data/b", "0:32", 200, 200), map[string]int64{"data": 250}),
			}, 260, 250, 1,
		},
		"quotas of which the pool is not seen": {
			[]facts.Path{onStore("/a", "zfs", "data/a", "0:31", 100, 90), onStore("/b", "zfs", "data/b", "0:32", 200, 200)}, 210, 200, 1,
		},
		"a quota on the dataset above, which is not mounted": {
			[]facts.Path{
				above(onStore("/a", "zfs", "data/w/a", "0:31", 90, 90), map[string]int64{"data": 900}),
				above(onStore("/b", "zfs", "data/w/b", "0:32", 90, 90), map[string]int64{"data": 900}),
			}, 90, 90, 1,
		},
		"space that is reserved": {
			[]facts.Path{
				above(onStore("/a", "zfs", "data/a", "0:31", 400, 400), map[string]int64{"data": 100}),
				above(onStore("/b", "zfs", "data/b", "0:32", 300, 300), map[string]int64{"data": 100}),
				above(onStore("/c", "zfs", "data/c", "0:33", 100, 100), map[string]int64{"data": 100}),
			}, 600, 600, 1,
		},
		"names that no pool has": {
			[]facts.Path{
				onStore("/a", "zfs", "/", "0:31", 100, 80), onStore("/b", "zfs", "//x", "0:32", 80, 80),
				onStore("/c", "zfs", "/../../x/", "0:33", 80, 80),
			}, 100, 80, 1,
		},
		"exports of one file system of a server": {
			[]facts.Path{
				onStore("/a", "nfs4", "nas:/vol/a", "0:41", 500, 300), onStore("/b", "nfs4", "nas:/vol/b", "0:42", 500, 300),
				onStore("/c", "nfs", "nas:/c", "0:43", 500, 300),
			}, 500, 300, 1,
		},
		"exports of a server whose sizes differ": {
			[]facts.Path{onStore("/a", "nfs4", "nas:/vol/a", "0:41", 120, 100), onStore("/b", "nfs4", "nas:/vol/b", "0:42", 110, 100)}, 130, 100, 1,
		},
		"one server by two names": {
			[]facts.Path{
				at(onStore("/a", "nfs4", "nas:/vol/a", "0:41", 120, 100), "10.0.0.9"),
				at(onStore("/b", "nfs4", "nas.example:/vol/b", "0:42", 120, 100), "10.0.0.9"),
			}, 120, 100, 1,
		},
		"two servers": {
			[]facts.Path{onStore("/a", "nfs4", "nas1:/vol", "0:41", 120, 100), onStore("/b", "nfs4", "[fd00::9]:/vol", "0:42", 120, 100)},
			240, 200, 2,
		},
		"shares of a Windows server": {
			[]facts.Path{onStore("/a", "cifs", "//files/a", "0:41", 120, 100), onStore("/b", "smb3", "//files/b", "0:42", 120, 100)}, 120, 100, 1,
		},
		"folders of one Ceph cluster": {
			[]facts.Path{
				onStore("/a", "ceph", "10.0.0.1:6789,10.0.0.2:6789:/a", "0:41", 120, 100),
				onStore("/b", "ceph", "10.0.0.1:6789,10.0.0.2:6789:/b", "0:42", 120, 100),
			}, 120, 100, 1,
		},
		"folders that programs show, which name no server": {
			[]facts.Path{onStore("/a", "fuse.ceph-fuse", "ceph-fuse", "0:41", 70, 60), onStore("/b", "fuse.ceph-fuse", "ceph-fuse", "0:42", 90, 60)},
			10 + 30 + 60, 60, 1,
		},
		"folders that two programs show": {
			[]facts.Path{onStore("/a", "fuse.s3fs", "s3fs", "0:41", 70, 60), onStore("/b", "fuse.juicefs", "JuiceFS:one", "0:42", 90, 60)},
			160, 120, 2,
		},
		"one Gluster volume by two of its servers": {
			[]facts.Path{
				onStore("/a", "fuse.glusterfs", "g1.example:/wire/a", "0:41", 120, 100),
				onStore("/b", "fuse.glusterfs", "g2.example:wire", "0:42", 130, 90),
			}, 20 + 40 + 100, 100, 1,
		},
		"two Gluster volumes of two servers": {
			[]facts.Path{
				onStore("/a", "fuse.glusterfs", "g1.example:/one", "0:41", 120, 100),
				onStore("/b", "fuse.glusterfs", "g2.example:/two", "0:42", 120, 100),
			}, 240, 200, 2,
		},
		"one file system of a server by two of its addresses": {
			[]facts.Path{
				inodes(at(onStore("/a", "nfs4", "store-a:/wire", "0:41", 700, 650), "10.0.0.7"), 4000, 3000),
				inodes(at(onStore("/b", "nfs4", "store-b:/wire", "0:42", 700, 650), "10.1.0.7"), 4000, 3000),
			}, 700, 650, 1,
		},
		"file systems of two servers that differ by a file": {
			[]facts.Path{
				inodes(onStore("/a", "nfs4", "store-a:/wire", "0:41", 700, 650), 4000, 3000),
				inodes(onStore("/b", "nfs4", "store-b:/wire", "0:42", 700, 650), 4000, 2999),
			}, 1400, 1300, 2,
		},
		"a folder that a program shows once more": {
			[]facts.Path{
				inodes(onStore("/a", "ext4", "/dev/sda1", "8:1", 300, 200), 900, 800),
				inodes(onStore("/b", "fuse.bindfs", "/a/b", "0:42", 300, 200), 900, 800),
			}, 300, 200, 1,
		},
		"disks that are made alike": {
			[]facts.Path{
				inodes(onStore("/a", "ext4", "/dev/sda1", "8:1", 300, 299), 900, 889),
				inodes(onStore("/b", "ext4", "/dev/sdb1", "8:17", 300, 299), 900, 889),
			}, 600, 598, 2,
		},
		"volumes of two ZFS pools that are made alike": {
			[]facts.Path{
				inodes(onStore("/a", "zfs", "one/a", "0:41", 300, 299), 900, 889), inodes(onStore("/b", "zfs", "two/a", "0:42", 300, 299), 900, 889),
			}, 600, 598, 2,
		},
		"folders of the hypervisor": {
			[]facts.Path{onStore("/a", "virtiofs", "one", "0:41", 120, 100), onStore("/b", "virtiofs", "two", "0:42", 120, 100)}, 120, 100, 1,
		},
		"volumes of a thin pool that promised too much": {
			[]facts.Path{
				thin(onStore("/a", "xfs", "/dev/mapper/vg-a", "253:4", 400, 390), "vg-pool", 500),
				thin(onStore("/b", "xfs", "/dev/mapper/vg-b", "253:5", 400, 380), "vg-pool", 500),
			}, 500, 470, 1,
		},
		"volumes of a thin pool that holds them": {
			[]facts.Path{
				thin(onStore("/a", "xfs", "/dev/mapper/vg-a", "253:4", 100, 90), "vg-pool", 500),
				thin(onStore("/b", "xfs", "/dev/mapper/vg-b", "253:5", 100, 80), "vg-pool", 500),
			}, 200, 170, 1,
		},
		"one volume of a thin pool that is smaller": {
			[]facts.Path{thin(onStore("/a", "xfs", "/dev/mapper/vg-a", "253:4", 400, 390), "vg-pool", 100)}, 100, 90, 1,
		},
		"a folder with a quota of its project": {
			[]facts.Path{onStore("/a", "xfs", "/dev/sda", "8:0", 500, 400), onStore("/a/b", "xfs", "/dev/sda", "8:0", 100, 90)}, 500, 400, 1,
		},
		"an overlay and the file system below": {
			[]facts.Path{
				id(onStore("/", "overlay", "overlay", "0:50", 500, 400), "abc"), id(onStore("/b", "ext4", "/dev/sda1", "8:1", 500, 400), "abc"),
			}, 500, 400, 1,
		},
		"disks of one image, which have one id": {
			[]facts.Path{
				id(onStore("/a", "ext4", "/dev/sda1", "8:1", 500, 400), "abc"), id(onStore("/b", "ext4", "/dev/sdb1", "8:17", 500, 400), "abc"),
			}, 1000, 800, 2,
		},
		"memory": {
			[]facts.Path{onStore("/a", "tmpfs", "tmpfs", "0:50", 8, 8), onStore("/b", "tmpfs", "x", "0:51", 8, 8)}, 8, 8, 1,
		},
		"a disk beside a store": {
			[]facts.Path{
				onStore("/a", "zfs", "data/a", "0:31", 100, 80), onStore("/x", "ext4", "/dev/sda", "8:0", 50, 40),
				onStore("/b", "zfs", "data/b", "0:32", 80, 80),
			}, 150, 120, 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var distinct []facts.Path
			host := &facts.Host{Facts: &facts.Facts{Paths: test.systems}}
			for _, p := range test.systems {
				distinct = append(distinct, behind(host, []string{p.Path})...)
			}
			all := rooms(host, distinct)
			var free int64
			for _, r := range all {
				free += r.free()
			}
			if size := sizeOf(all); size != test.size*1e9 || free != test.free*1e9 || len(all) != test.rooms {
				t.Errorf("size is %g GB, free %g GB in %d rooms; want %d, %d in %d", gigabytes(size), gigabytes(free), len(all), test.size,
					test.free, test.rooms)
			}
		})
	}
}

// onPaths returns a host whose paths lie on stores as given; the others are left out.
func onPaths(groups []string, paths ...facts.Path) facts.Host {
	host := factstest.GoodHost("h1", "10.0.0.1", groups...)
	for i := range paths {
		paths[i].Fsync = factstest.Read(facts.Fsync{MedianP99: 2})
	}
	host.Facts.Paths = paths
	return host
}

// sayings are the findings of some checks as people read them.
func sayings(r *Verdict, prefix string, outcomes ...Outcome) []string {
	var said []string
	for _, f := range r.Findings {
		if strings.HasPrefix(f.ID, prefix) && slices.Contains(outcomes, f.Outcome) {
			said = append(said, string(f.Outcome)+" "+f.ID+": "+english(f.Sentence()))
		}
	}
	slices.Sort(said)
	return said
}

// TestOneRoom: roles and paths that share a store are judged by what it has for all of them.
func TestOneRoom(t *testing.T) {
	t.Parallel()
	thin := func(path, id string, size, free, pool int64) facts.Path {
		p := onStore(path, "ext4", "/dev/mapper/vg-"+id, id, size, free)
		p.FileSystem.Value.Pool, p.FileSystem.Value.PoolSize = "vg-pool", pool*1e9
		return p
	}
	for name, test := range map[string]struct {
		host facts.Host
		want []string
	}{
		"a role on datasets of one pool": {
			onPaths([]string{"kube-node"}, onStore("/var/lib/containerd", "zfs", "data/c", "0:31", 25, 20),
				onStore("/var/lib/kubelet", "zfs", "data/k", "0:32", 20, 20), onStore("/var/lib/etcd", "zfs", "data/e", "0:33", 21, 20)),
			[]string{"fail disk.size: 26 GB in all behind /var/lib/containerd, /var/lib/kubelet, /var/lib/etcd, out of one ZFS pool (data); " +
				"40 GB required (tolerance 5 %)"},
		},
		"a pool that is large enough": {
			onPaths([]string{"kube-node"}, onStore("/var/lib/containerd", "zfs", "data/c", "0:31", 45, 40),
				onStore("/var/lib/kubelet", "zfs", "data/k", "0:32", 40, 40), onStore("/var/lib/etcd", "zfs", "data/e", "0:33", 41, 40)),
			nil,
		},
		"a role on exports of one server": {
			onPaths([]string{"minio"}, onStore("/var/lib/minio-server1", "nfs4", "filer:/vol1/m1", "0:31", 250, 240),
				onStore("/var/lib/minio-server2", "nfs4", "filer:/vol1/m2", "0:32", 250, 240)),
			[]string{"fail disk.size: 250 GB in all behind /var/lib/minio-server1, /var/lib/minio-server2, out of one server (filer); " +
				"400 GB required (tolerance 5 %)"},
		},
		"roles on one pool": {
			onPaths([]string{"cassandra", "elasticsearch"}, onStore("/mnt/cassandra", "zfs", "data/c", "0:31", 100, 100),
				onStore("/var/lib/elasticsearch", "zfs", "data/e", "0:32", 100, 100)),
			[]string{"fail disk.size: 100 GB in all behind /mnt/cassandra, /var/lib/elasticsearch, out of one ZFS pool (data); " +
				"140 GB required (tolerance 5 %)"},
		},
		"a role that meets two others": {
			onPaths([]string{"cassandra", "elasticsearch", "minio"}, onStore("/mnt/cassandra", "ext4", "/dev/sda", "8:0", 300, 300),
				onStore("/var/lib/elasticsearch", "ext4", "/dev/sdb", "8:16", 200, 200),
				onStore("/var/lib/minio-server1", "ext4", "/dev/sda", "8:0", 300, 300),
				onStore("/var/lib/minio-server2", "ext4", "/dev/sdb", "8:16", 200, 200)),
			[]string{"fail disk.size: 500 GB behind /mnt/cassandra, /var/lib/minio-server1, /var/lib/minio-server2, /var/lib/elasticsearch, " +
				"540 GB required (tolerance 5 %)"},
		},
		"a folder with a quota beside the whole file system": {
			onPaths([]string{"minio"}, onStore("/var/lib/minio-server1", "xfs", "/dev/sda", "8:0", 100, 100),
				onStore("/var/lib/minio-server2", "xfs", "/dev/sda", "8:0", 500, 500)),
			nil,
		},
		"little free in a pool": {
			onPaths([]string{"minio"}, onStore("/var/lib/minio-server1", "zfs", "data/a", "0:31", 350, 150),
				onStore("/var/lib/minio-server2", "zfs", "data/b", "0:32", 350, 150)),
			[]string{"warn disk.free: 150 GB free behind /var/lib/minio-server1, /var/lib/minio-server2, ≥ 200 GB wanted"},
		},
		"a thin pool that other things fill": {
			onPaths([]string{"cassandra"}, thin("/", "253:1", 300, 20, 320), thin("/mnt/cassandra", "253:2", 200, 200, 320),
				thin("/var/log", "253:3", 30, 15, 320)),
			[]string{"fail disk.size: 25 GB in all behind /mnt/cassandra, out of one thin pool (vg-pool) with 295 GB used elsewhere " +
				"(/, /var/log); 80 GB required (tolerance 5 %)"},
		},
		"a thin pool that has enough beside other things": {
			onPaths([]string{"cassandra"}, thin("/", "253:1", 300, 240, 320), thin("/mnt/cassandra", "253:2", 200, 200, 320)),
			nil,
		},
		"a thin pool of which other things leave little": {
			onPaths([]string{"cassandra"}, thin("/", "253:1", 200, 10, 320), thin("/mnt/cassandra", "253:2", 200, 90, 320)),
			[]string{"warn disk.free: 20 GB free behind /mnt/cassandra, ≥ 40 GB wanted"},
		},
		"a thin volume": {
			onPaths([]string{"cassandra"}, func() facts.Path {
				p := onStore("/mnt/cassandra", "ext4", "/dev/mapper/vg-c", "253:3", 200, 200)
				p.FileSystem.Value.Pool, p.FileSystem.Value.PoolSize = "vg-pool", 50e9
				return p
			}()),
			[]string{"fail disk.size: 50 GB in all behind /mnt/cassandra, out of one thin pool (vg-pool); 80 GB required (tolerance 5 %)"},
		},
		"a link": {
			onPaths([]string{"cassandra"}, func() facts.Path {
				p := onStore("/mnt/cassandra", "ext4", "/dev/sda", "8:0", 30, 30)
				p.Target, p.Nearest = "/data/cassandra", "/data"
				return p
			}()),
			[]string{"fail disk.size: 30 GB behind /mnt/cassandra → /data/cassandra, 80 GB required (tolerance 5 %)"},
		},
		"a link to what is full": {
			onPaths([]string{"cassandra"}, func() facts.Path {
				p := onStore("/mnt/cassandra", "ext4", "/dev/sda", "8:0", 100, 3)
				p.Target, p.Nearest = "/data/cassandra", "/data"
				return p
			}()),
			[]string{"fail disk.free: 3 GB free behind /mnt/cassandra → /data/cassandra, ≥ 40 GB wanted"},
		},
		"links that lead in a circle": {
			onPaths([]string{"cassandra"}, func() facts.Path {
				p := facts.Path{Path: "/mnt/cassandra", Nearest: "/mnt"}
				p.FileSystem.Method = message.Plain("x")
				p.FileSystem.Unread = message.Of("facts.unread.circle", message.Args{"path": "/mnt/cassandra"})
				return p
			}()),
			[]string{"error disk.size: /mnt/cassandra could not be measured: links lead in a circle at /mnt/cassandra"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := judge(t, &facts.Survey{Hosts: []facts.Host{test.host}, Partial: true}, site.Undescribed())
			if got := sayings(r, "disk.", Fail, Warn, Error); !slices.Equal(got, test.want) {
				t.Errorf("findings are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(test.want, "\n"))
			}
		})
	}
}

// TestDisksAreAddedOnce: what lies on one disk in the end is one disk, and a thin pool has
// what it has.
func TestDisksAreAddedOnce(t *testing.T) {
	t.Parallel()
	on := func(p facts.Path, disk string, size int64, below map[string]int64) facts.Path {
		p.FileSystem.Value.Disk, p.FileSystem.Value.DiskSize, p.FileSystem.Value.Disks = disk, size, below
		return p
	}
	promised := func(p facts.Path, pool string, size int64) facts.Path {
		p.FileSystem.Value.Pool, p.FileSystem.Value.PoolSize = pool, size
		return p
	}
	path := onStore("/a", "ext4", "/dev/x", "8:1", 1, 1)
	for name, test := range map[string]struct {
		paths []facts.Path
		want  int64
	}{
		"a partition, and a volume on the same disk and another": {
			[]facts.Path{on(path, "sda", 100, nil), on(path, "dm-4", 150, map[string]int64{"sda": 100, "sdb": 200})}, 300,
		},
		"two volumes of one pool, on disks that nobody sees": {
			[]facts.Path{promised(on(path, "dm-4", 400, nil), "vg-pool", 50), promised(on(path, "dm-5", 400, nil), "vg-pool", 50)}, 50,
		},
		"disks": {[]facts.Path{on(path, "sda", 100, nil), on(path, "sdb", 70, nil), on(path, "sda", 100, nil)}, 170},
	} {
		if got := disksOf(&facts.Host{Facts: &facts.Facts{Paths: test.paths}}); got != test.want {
			t.Errorf("%s: %d, want %d", name, got, test.want)
		}
	}
}

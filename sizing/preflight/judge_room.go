package preflight

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// A room is the space that some file systems hold together. Those that take theirs
// from one store show each all that is left there: their sum would count it many times.
type room struct {
	store   store // none: a file system of its own
	systems []facts.Path
	others  []facts.Path // that take of the same thin pool for something else
}

// A store is what file systems take their space from.
type store struct{ kind, name string }

const (
	noStore     = ""
	storeZFS    = "zfs"
	storeThin   = "thin"
	storeServer = "server"
	storeHost   = "host" // that a hypervisor shows its guest
	storeMemory = "memory"
	storeDevice = "device" // on which paths have limits of their own, as quotas of projects
)

// hostShares are the types of file systems that show a guest folders of the machine
// that it runs on.
var hostShares = []string{"9p", "virtiofs", "vboxsf", "prl_fs", "vmhgfs", "fuse.vmhgfs-fuse"}

// storeOf returns what a file system takes its space from, where that may be a store
// of others too.
func storeOf(v facts.FileSystem) store {
	server := serverOf(v)
	switch {
	case v.Pool != "":
		return store{storeThin, v.Pool}
	case v.Type == "zfs":
		pool, _, _ := strings.Cut(v.Device, "/")
		return store{storeZFS, pool}
	case v.Type == "tmpfs", v.Type == "ramfs":
		return store{kind: storeMemory}
	case slices.Contains(hostShares, v.Type):
		return store{kind: storeHost}
	case server != "":
		return store{storeServer, server}
	case strings.HasPrefix(v.Type, "fuse.") && !strings.HasPrefix(v.Device, "/"): // a program that names itself alone
		return store{storeServer, cmp.Or(v.Device, v.Type)}
	}
	return store{}
}

// serverOf returns the server of a network file system: the address that the kernel
// speaks to, else what stands before the folder: nas:/data, //nas/data, user@nas:data.
func serverOf(v facts.FileSystem) string {
	if share, ok := strings.CutPrefix(v.Device, "//"); ok {
		server, _, _ := strings.Cut(share, "/")
		return cmp.Or(v.Server, server)
	}
	if strings.HasPrefix(v.Device, "/") {
		return ""
	}
	server, _, ok := strings.Cut(v.Device, ":/")
	switch {
	case ok:
	case v.Type == "ceph": // NAME@CLUSTER.FS=/folder
		server, _, ok = strings.Cut(v.Device, "=/")
	case strings.HasPrefix(v.Type, "fuse."):
		server, _, ok = strings.Cut(v.Device, ":")
	}
	if !ok {
		return ""
	}
	return cmp.Or(v.Server, server[strings.LastIndexByte(server, '@')+1:])
}

// text names what gives a room its space, and what else takes of it.
func (r room) text() message.Text {
	if len(r.others) == 0 {
		return r.store.text()
	}
	others := room{store: r.store, systems: r.others}
	_, paths := others.names()
	return message.Of("preflight.value.store-thin-others",
		args{"name": r.store.name, "used": gigabytes(others.used()), "paths": names(paths...)})
}

// text names a store to people; nothing where there is none.
func (s store) text() message.Text {
	name := args{"name": s.name}
	switch s.kind {
	case storeZFS:
		return message.Of("preflight.value.store-zfs", name)
	case storeThin:
		return message.Of("preflight.value.store-thin", name)
	case storeServer:
		return message.Of("preflight.value.store-server", name)
	case storeHost:
		return message.Of("preflight.value.store-host", nil)
	case storeMemory:
		return message.Of("preflight.value.store-memory", nil)
	case storeDevice:
		return message.Of("preflight.value.store-device", name)
	}
	return message.Text{}
}

// sharedStore returns the store that two file systems share, if they are known to.
func sharedStore(a, b facts.Path) (store, bool) {
	if !a.FileSystem.Known() || !b.FileSystem.Known() {
		return store{}, false
	}
	v, w := a.FileSystem.Value, b.FileSystem.Value
	switch of := storeOf(v); {
	case of.kind != noStore && of == storeOf(w):
		return of, true
	case v.DeviceID == w.DeviceID, isBelow(v, w), isBelow(w, v):
		return store{storeDevice, v.Device}, true
	case glusterVolume(v) != "" && glusterVolume(v) == glusterVolume(w), haveOneStore(v, w):
		return store{storeServer, cmp.Or(storeOf(v).name, storeOf(w).name)}, true
	}
	return store{}, false
}

// glusterVolume returns the volume of a Gluster file system, which each of its servers
// gives out: nas:/volume/folder.
func glusterVolume(v facts.FileSystem) string {
	if v.Type != "glusterfs" && v.Type != "fuse.glusterfs" {
		return ""
	}
	_, volume, _ := strings.Cut(v.Device, ":")
	volume, _, _ = strings.Cut(strings.TrimPrefix(volume, "/"), "/")
	return volume
}

// haveOneStore tells by their figures whether two file systems take their space from one
// store, where the names of what is far away tell nothing: a server has many addresses,
// and a program may show what another file system has. Two that count no inodes may
// well be alike by chance.
func haveOneStore(v, w facts.FileSystem) bool {
	figures := func(v facts.FileSystem) [4]int64 { return [4]int64{v.Size, v.Free, v.Inodes, v.InodesFree} }
	return (isElsewhere(v) || isElsewhere(w)) && v.Inodes > 0 && figures(v) == figures(w)
}

// isElsewhere tells whether a file system has no device on this machine, so that another
// one may show the same.
func isElsewhere(v facts.FileSystem) bool {
	kind := storeOf(v).kind
	return strings.HasPrefix(v.DeviceID, "0:") && v.Disk == "" && !strings.HasPrefix(v.Device, "/dev/") &&
		(kind == noStore || kind == storeServer)
}

// isBelow tells whether an overlay writes to a file system: it shows its figures, and its id.
func isBelow(overlay, other facts.FileSystem) bool {
	return overlay.Type == "overlay" && overlay.ID != "" && overlay.ID == other.ID && overlay.Size == other.Size
}

// together says whether two paths are known to lie on one file system, with the same
// limits: where a folder has a quota for its project, its figures are those of the quota.
func together(a, b facts.Path) bool {
	if a.Path == b.Path {
		return true
	}
	if !a.FileSystem.Known() || !b.FileSystem.Known() {
		return false
	}
	v, w := a.FileSystem.Value, b.FileSystem.Value
	return v.DeviceID == w.DeviceID && (v.Size == w.Size || !slices.Contains(projectQuotas, v.Type))
}

// projectQuotas are the types of file systems that know quotas of projects. What they
// hold in all does not change otherwise, as that of ZFS does with every write elsewhere.
var projectQuotas = []string{"ext4", "f2fs", "xfs"}

// shareRoom tells whether two paths lie on one file system, or in one room.
func shareRoom(a, b facts.Path) bool {
	_, shared := sharedStore(a, b)
	return shared || together(a, b)
}

// rooms returns the rooms of distinct file systems of a host that were read.
func rooms(host *facts.Host, systems []facts.Path) []room {
	var result []room
	for _, system := range systems {
		mine := room{systems: []facts.Path{system}}
		if system.FileSystem.Value.Pool != "" { // promised to the only one, too
			mine.store = storeOf(system.FileSystem.Value)
		}
		result = slices.DeleteFunc(result, func(other room) bool {
			for _, o := range other.systems {
				if of, shared := sharedStore(o, system); shared {
					mine = room{store: of, systems: slices.Concat(other.systems, mine.systems)}
					return true
				}
			}
			return false
		})
		result = append(result, mine)
	}
	for i := range result {
		result[i].others = result[i].othersOf(host)
	}
	return result
}

// othersOf returns the file systems of a host that take of a room's thin pool, too.
func (r room) othersOf(host *facts.Host) []facts.Path {
	if r.store.kind != storeThin {
		return nil
	}
	var all []string
	for _, path := range host.Facts.Paths {
		all = append(all, path.Path)
	}
	return slices.DeleteFunc(behind(host, all), func(p facts.Path) bool {
		return !p.FileSystem.Known() || storeOf(p.FileSystem.Value) != r.store ||
			slices.ContainsFunc(r.systems, func(mine facts.Path) bool { return together(p, mine) })
	})
}

// names are the paths of a room, and as people are told of them.
func (r room) names() (paths, toPeople []string) {
	for _, system := range r.systems {
		paths, toPeople = append(paths, system.Path), append(toPeople, shown(system))
	}
	return paths, toPeople
}

// used is what a room's file systems hold already. Figures that are equal are those of
// one file system that is seen by several ways.
func (r room) used() int64 {
	var sum, most int64
	seen := map[[2]int64]bool{}
	for _, system := range r.systems {
		v := system.FileSystem.Value
		figures := [2]int64{v.Size, v.Inodes}
		if used := v.Size - v.Free; r.store.kind == storeZFS || r.store.kind == storeThin || !seen[figures] {
			sum, most = sum+used, max(most, used)
		}
		seen[figures] = true
	}
	if r.store.kind == storeDevice {
		return most
	}
	return sum
}

// free is what can still be written to a room. Where that is not known exactly, it is
// the least that it can be.
func (r room) free() int64 {
	var sum, most, pool int64
	for _, system := range r.systems {
		v := system.FileSystem.Value
		sum, most, pool = sum+v.Free, max(most, v.Free), max(pool, v.PoolSize)
	}
	switch {
	case r.store.kind == storeZFS:
		return zfsFree(r.systems)
	case pool > 0:
		return min(sum, max(0, pool-r.used()-room{store: r.store, systems: r.others}.used()))
	}
	return most
}

// size is what a room holds in all.
func (r room) size() int64 { return r.used() + r.free() }

// zfsFree is what datasets of one pool can still take together. Each shows what its
// pool has left, or less where a quota holds for it or for one above it, or more where
// space is reserved for it. What a dataset above has left is not known unless it is
// mounted; it is as much as the most below it has.
func zfsFree(systems []facts.Path) int64 {
	free, claims, below := map[string]int64{}, map[string][]int64{}, map[string]map[string]bool{}
	for _, system := range systems {
		maps.Copy(free, system.FileSystem.Value.Above)
	}
	for _, system := range systems {
		v := system.FileSystem.Value
		free[v.Device], claims[v.Device] = v.Free, []int64{v.Free}
		above := ""
		for depth, name := range lineage(v.Device) {
			if depth > 0 {
				below[above][name] = true
			}
			if above = name; below[name] == nil {
				below[name] = map[string]bool{}
			}
		}
	}
	var claim func(name string) int64
	claim = func(name string) int64 {
		mine := claims[name]
		for child := range below[name] {
			mine = append(mine, claim(child))
		}
		left, isKnown := free[name]
		if !isKnown {
			return slices.Max(mine)
		}
		var common, reserved int64
		for _, n := range mine {
			common, reserved = common+min(n, left), reserved+max(0, n-left)
		}
		return min(left, common) + reserved
	}
	return claim(lineage(systems[0].FileSystem.Value.Device)[0])
}

// lineage are the names of the datasets from the pool down to one of them.
func lineage(dataset string) []string {
	var names []string
	for i, letter := range dataset {
		if letter == '/' {
			names = append(names, dataset[:i])
		}
	}
	return append(names, dataset)
}

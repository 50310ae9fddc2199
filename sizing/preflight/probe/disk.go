//go:build linux

package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// A line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	id, root, point, options     string // id is major:minor
	fsType, source, superOptions string
}

func (s System) mounts() ([]mount, error) {
	text, err := s.read("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	var mounts []mount
	for line := range strings.Lines(text) {
		front, back, ok := strings.Cut(strings.TrimSpace(line), " - ")
		f, b := strings.Fields(front), strings.Fields(back)
		if !ok || len(f) < 6 || len(b) < 2 {
			continue
		}
		m := mount{id: f[2], root: unescape(f[3]), point: unescape(f[4]), options: f[5], fsType: b[0], source: unescape(b[1])}
		if len(b) > 2 {
			m.superOptions = b[2]
		}
		mounts = append(mounts, m)
	}
	return mounts, nil
}

var octal = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

func unescape(s string) string { return octal.Replace(s) }

// holding returns the mount that a path lies on: the longest mount point above
// it, and of those mounted over each other the last.
func holding(mounts []mount, name string) (mount, bool) {
	var best mount
	found := false
	for _, m := range mounts {
		inside := m.point == "/" || name == m.point || strings.HasPrefix(name, m.point+"/")
		if inside && (!found || len(m.point) >= len(best.point)) {
			best, found = m, true
		}
	}
	return best, found
}

// A look goes behind paths. A dead network file system holds whoever asks for
// it, and a dying disk whoever writes to it, perhaps for ever: so all that has
// been learned can be taken at any time, and whatever comes later stays here.
type look struct {
	lock   sync.Mutex
	paths  []facts.Path
	writes map[string]facts.Value[facts.Fsync] // by device: where the timing has begun
}

func fileSystemMethod() message.Text { return message.Of("facts.method.file-system", nil) }

// newLook says of everything that is asked for that it is not done.
func (s System) newLook(request Request) *look {
	l := &look{paths: []facts.Path{}, writes: map[string]facts.Value[facts.Fsync]{}}
	for _, name := range request.Paths {
		if !path.IsAbs(name) {
			continue
		}
		p := facts.Path{Path: path.Clean(name)}
		p.FileSystem = known(facts.FileSystem{}, context.DeadlineExceeded, fileSystemMethod(), p.Path)
		p.Fsync = known(facts.Fsync{}, context.DeadlineExceeded, fsyncMethod(), p.Path)
		if !s.timed(request, p) {
			p.Fsync = known(facts.Fsync{}, message.NewProblem("facts.unread.not-asked", nil), fsyncMethod(), p.Path)
		}
		l.paths = append(l.paths, p)
	}
	return l
}

// timed says whether writes are to be timed on the file system of a path.
func (s System) timed(request Request, p facts.Path) bool {
	return !request.NoFsync && (s.Root == "" || s.Fsync != nil) && slices.Contains(request.Fsync, p.Path)
}

// taken returns what is known by now. Paths on one file system share the time of
// its writes.
func (l *look) taken() []facts.Path {
	l.lock.Lock()
	defer l.lock.Unlock()
	paths := slices.Clone(l.paths)
	for i := range paths {
		if value, ok := l.writes[paths[i].FileSystem.Value.DeviceID]; ok {
			paths[i].Fsync = value
		}
	}
	return paths
}

// lookBehind reads the file systems behind all paths at once, and times writes.
func (s System) lookBehind(ctx context.Context, request Request, l *look) {
	mounts, err := s.mounts()
	paths := l.taken()
	read := make([]chan struct{}, len(paths))
	for i, p := range paths {
		read[i] = make(chan struct{})
		go func() {
			defer close(read[i])
			target, nearest, wayErr := s.follow(p.Path)
			if p.Nearest = nearest; wayErr == nil && target != p.Path {
				p.Target = target
			}
			p.FileSystem = known(facts.FileSystem{}, cmp.Or(wayErr, err), fileSystemMethod(), p.Nearest+", /proc/self/mountinfo")
			if p.FileSystem.Known() {
				p.FileSystem = s.fileSystem(mounts, target, p.Nearest)
			}
			p.Fsync.Source = p.Nearest
			if !p.FileSystem.Known() && s.timed(request, p) {
				p.Fsync.Unread = p.FileSystem.Unread
			}
			l.lock.Lock()
			defer l.lock.Unlock()
			l.paths[i] = p
		}()
	}
	s.timeWrites(ctx, request, l, read)
	for _, done := range read {
		<-done
	}
}

// timeWrites times writes on the file systems that the paths to be timed lie
// on, one after the other, so that none slows another down. One that hangs
// holds up those behind it for its share of the time alone.
func (s System) timeWrites(ctx context.Context, request Request, l *look, read []chan struct{}) {
	var turns []int
	for i, p := range l.taken() {
		if s.timed(request, p) {
			turns = append(turns, i)
		}
	}
	for turn, i := range turns {
		done := make(chan struct{})
		go func() {
			defer close(done)
			<-read[i]
			s.timeOnce(ctx, l, i)
		}()
		deadline, _ := ctx.Deadline() // Collect sets one
		select {
		case <-done:
		case <-time.After(time.Until(deadline) / time.Duration(len(turns)-turn)):
		}
	}
}

// timeOnce times writes on the file system of one path, unless that has begun
// for another path there, or is too late.
func (s System) timeOnce(ctx context.Context, l *look, i int) {
	l.lock.Lock()
	p := l.paths[i]
	id := p.FileSystem.Value.DeviceID
	_, begun := l.writes[id]
	if begun || !p.FileSystem.Known() || ctx.Err() != nil {
		l.lock.Unlock()
		return
	}
	l.writes[id] = p.Fsync // not done in time, as long as nothing else is known
	l.lock.Unlock()
	value := s.fsync(ctx, p)
	l.lock.Lock()
	defer l.lock.Unlock()
	l.writes[id] = value
}

// maxLinks is how many links a path may lead over, as in path_resolution(7).
const maxLinks = 40

// follow returns where a path leads over its links, whether that is there or not, and
// the nearest folder on the way there: before an installation most paths are not
// there yet. It goes step by step, so that a link to what is not there is followed as
// far as any other, and within a recorded tree leads to that tree.
func (s System) follow(name string) (target, nearest string, err error) {
	nearest = "/"
	links := 0
	for rest := steps(name); len(rest) > 0; {
		next := path.Join(nearest, rest[0])
		rest = rest[1:]
		info, err := os.Lstat(s.path(next))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return path.Join(append([]string{next}, rest...)...), nearest, nil
		case err != nil:
			return next, nearest, err
		case info.IsDir():
			nearest = next
			continue
		case info.Mode()&fs.ModeSymlink == 0:
			return next, nearest, message.NewProblem("facts.unread.no-folder", message.Args{"path": next})
		}
		if links++; links > maxLinks {
			return next, nearest, message.NewProblem("facts.unread.circle", message.Args{"path": next})
		}
		link, err := os.Readlink(s.path(next))
		if err != nil {
			return next, nearest, err
		}
		if path.IsAbs(link) {
			nearest = "/"
		}
		rest = append(steps(link), rest...)
	}
	return nearest, nearest, nil
}

// steps are the parts of a path, one below the other.
func steps(name string) []string {
	return strings.FieldsFunc(name, func(r rune) bool { return r == '/' })
}

// fileSystem reads the file system that a folder lies on; name is the path that is
// looked for there.
func (s System) fileSystem(mounts []mount, name, nearest string) facts.Value[facts.FileSystem] {
	method, source := fileSystemMethod(), nearest+", /proc/self/mountinfo"
	stat, err := s.statfs(nearest)
	if err != nil {
		return known(facts.FileSystem{}, err, method, source)
	}
	m, mounts, err := s.mounted(mounts, nearest)
	if err != nil {
		return known(facts.FileSystem{}, err, method, source)
	}
	v := facts.FileSystem{
		Type: m.fsType, Device: m.source, DeviceID: m.id, Mount: m.point, Options: m.options,
		OwnMount: m.point == name && name != "/",
		Size:     int64(stat.Blocks) * blockOf(stat), Free: int64(stat.Bavail) * blockOf(stat),
		Inodes: int64(stat.Files), InodesFree: int64(stat.Ffree),
	}
	if stat.Flags&unix.ST_RDONLY != 0 && !has(v.Options, "ro") {
		v.Options = "ro," + v.Options // as after errors, which the mount's own options do not tell
	}
	s.store(&v, m, mounts, stat)
	s.disk(&v)
	return known(v, nil, method, source)
}

// blockOf is the unit of the figures of statfs(2), in bytes.
func blockOf(stat syscall.Statfs_t) int64 {
	if block := int64(stat.Frsize); block != 0 { //nolint:unconvert // another type on 32-bit systems
		return block
	}
	return int64(stat.Bsize) //nolint:unconvert // likewise
}

// mounted returns the mount that holds a folder, and all mounts, after that folder was
// asked for its figures: one that is mounted when it is needed has come by then.
func (s System) mounted(mounts []mount, nearest string) (mount, []mount, error) {
	m, ok := holding(mounts, nearest)
	if m.fsType == autoFS {
		var err error
		if mounts, err = s.mounts(); err != nil {
			return mount{}, nil, err
		}
		m, ok = holding(mounts, nearest)
	}
	switch {
	case !ok:
		return mount{}, nil, message.NewProblem("facts.unread.no-mount", nil)
	case m.fsType == autoFS:
		return mount{}, nil, message.NewProblem("facts.unread.not-mounted", message.Args{"path": m.point})
	}
	return m, mounts, nil
}

// autoFS is the type of a place where something is mounted when it is needed.
const autoFS = "autofs"

// store reads what tells whether a file system takes its space from the same store as
// others.
func (s System) store(v *facts.FileSystem, m mount, mounts []mount, stat syscall.Statfs_t) {
	if id := stat.Fsid.X__val; id != [2]int32{} {
		v.ID = fmt.Sprintf("%08x%08x", uint32(id[0]), uint32(id[1])) //nolint:gosec // bits alone
	}
	for option := range strings.SplitSeq(m.superOptions, ",") {
		if address, ok := strings.CutPrefix(option, "addr="); ok {
			v.Server = address
		}
	}
	if m.fsType != "zfs" {
		return
	}
	v.Above = map[string]int64{}
	for above := path.Dir(m.source); above != "." && above != "/"; above = path.Dir(above) {
		i := slices.IndexFunc(mounts, func(m mount) bool { return m.fsType == "zfs" && m.source == above })
		if i < 0 {
			continue
		}
		if stat, err := s.statfs(mounts[i].point); err == nil {
			v.Above[above] = int64(stat.Bavail) * blockOf(stat)
		}
	}
}

func (s System) statfs(name string) (syscall.Statfs_t, error) {
	if s.StatFS != nil {
		return s.StatFS(name)
	}
	var stat syscall.Statfs_t
	err := syscall.Statfs(s.path(name), &stat)
	return stat, err
}

// disk finds the block device behind a file system, from a partition up to the
// disk; file systems without one (tmpfs, btrfs, NFS) are left as they are.
func (s System) disk(v *facts.FileSystem) {
	link, err := os.Readlink(s.path("/sys/dev/block/" + v.DeviceID))
	if err != nil {
		return
	}
	folder := path.Join("/sys/dev/block", link)
	if s.exists(folder + "/partition") {
		folder = path.Dir(folder)
	}
	v.Disk = path.Base(folder)
	if sectors, err := s.readInt(folder + "/size"); err == nil {
		v.DiskSize = sectors * 512 // the kernel's unit here, whatever the disk's
	}
	rotational, _ := s.readInt(folder + "/queue/rotational")
	v.Rotational = rotational == 1
	v.Disks = map[string]int64{}
	s.below(folder, v, maxStacked)
}

// maxStacked is how many devices may lie on each other: encryption, a volume, a thin pool,
// a mirror, disks.
const maxStacked = 8

// below finds what a block device is made of: its disks, and the thin pool that gives it
// its space. LVM calls the device of a pool's data NAME-tpool; its volumes show what
// they were promised.
func (s System) below(folder string, v *facts.FileSystem, depth int) {
	names, err := s.names(folder + "/slaves")
	if err != nil || depth == 0 {
		return
	}
	for _, name := range names {
		link, err := os.Readlink(s.path("/sys/class/block/" + name))
		if err != nil {
			continue
		}
		lower := path.Join("/sys/class/block", link)
		if s.exists(lower + "/partition") {
			lower = path.Dir(lower)
		}
		sectors, _ := s.readInt(lower + "/size")
		uuid, _ := s.readWord(lower + "/dm/uuid")
		if strings.HasPrefix(uuid, "LVM-") && strings.HasSuffix(uuid, "-tpool") {
			pool, _ := s.readWord(lower + "/dm/name")
			v.Pool, v.PoolSize = strings.TrimSuffix(cmp.Or(pool, name), "-tpool"), sectors*512
		}
		if deeper, _ := s.names(lower + "/slaves"); len(deeper) > 0 {
			s.below(lower, v, depth-1)
		} else if sectors > 0 {
			v.Disks[path.Base(lower)] = sectors * 512
		}
	}
}

// The fsync test: bounded in runs, in writes and in time, about 1.2 MB at the
// most. 2300 bytes is the mean size of etcd's writes, as its own documentation
// of disk benchmarks with fio has it.
const (
	fsyncRuns    = 5
	fsyncWrites  = 100
	fsyncBytes   = 2300
	fsyncRunTime = time.Second
)

func fsyncMethod() message.Text {
	return message.Of("facts.method.fsync", message.Args{
		"runs": fsyncRuns, "writes": fsyncWrites, "bytes": fsyncBytes, "seconds": fsyncRunTime.Seconds(),
	})
}

func (s System) fsync(ctx context.Context, p facts.Path) facts.Value[facts.Fsync] {
	if has(p.FileSystem.Value.Options, "ro") {
		return known(facts.Fsync{}, message.NewProblem("facts.unread.read-only", nil), fsyncMethod(), p.Nearest)
	}
	measure := s.Fsync
	if measure == nil {
		measure = timeFsync
	}
	v, err := measure(ctx, p.Nearest, p.FileSystem.Value.Type == "btrfs")
	return known(v, err, fsyncMethod(), p.Nearest)
}

// timeFsync writes a file that has no name any more, so that nothing stays
// behind however the probe ends. On btrfs it keeps its name until the end, for
// there a file without one is not logged, and fsync does nothing.
func timeFsync(ctx context.Context, folder string, keepName bool) (facts.Fsync, error) {
	file, err := os.CreateTemp(folder, ".island-probe-*")
	if err != nil {
		return facts.Fsync{}, err
	}
	defer file.Close()
	remove := func() error { return os.Remove(file.Name()) }
	if keepName {
		defer func() { _ = remove() }()
	} else if err := remove(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return facts.Fsync{}, err
	}
	result := facts.Fsync{Runs: fsyncRuns, Bytes: fsyncBytes}
	var p99s, medians []float64
	for range fsyncRuns {
		times, err := fsyncRun(ctx, file)
		if err != nil {
			return facts.Fsync{}, err
		}
		result.Writes += len(times)
		p99s = append(p99s, percentile(times, 99))
		medians = append(medians, percentile(times, 50))
	}
	result.MedianP99, result.Median, result.WorstP99 = percentile(p99s, 50), percentile(medians, 50), slices.Max(p99s)
	return result, nil
}

func fsyncRun(ctx context.Context, file *os.File) ([]float64, error) {
	var times []float64
	data := make([]byte, fsyncBytes)
	for start := time.Now(); len(times) < fsyncWrites && (len(times) == 0 || time.Since(start) < fsyncRunTime); {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if _, err := file.Write(data); err != nil {
			return nil, err
		}
		before := time.Now()
		if err := syscall.Fdatasync(int(file.Fd())); err != nil {
			return nil, err
		}
		times = append(times, float64(time.Since(before).Microseconds())/1000)
	}
	return times, nil
}

// percentile is the nearest-rank percentile of at least one value.
func percentile(values []float64, p int) float64 {
	sorted := slices.Sorted(slices.Values(values))
	rank := (len(sorted)*p + 99) / 100
	return sorted[max(rank, 1)-1]
}

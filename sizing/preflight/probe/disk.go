//go:build linux

package probe

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
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
			p.Nearest = s.nearest(p.Path)
			p.FileSystem = known(facts.FileSystem{}, err, fileSystemMethod(), p.Nearest+", /proc/self/mountinfo")
			if err == nil {
				p.FileSystem = s.fileSystem(mounts, p.Path, p.Nearest)
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

// nearest returns the path itself, with links followed, or the nearest folder
// above it: before an installation most are not there yet.
func (s System) nearest(name string) string {
	for {
		real := name
		if s.Root == "" {
			if followed, err := filepath.EvalSymlinks(name); err == nil {
				real = followed
			}
		}
		if info, err := os.Stat(s.path(real)); err == nil && info.IsDir() || name == "/" {
			return real
		}
		name = path.Dir(name)
	}
}

func (s System) fileSystem(mounts []mount, name, nearest string) facts.Value[facts.FileSystem] {
	method, source := fileSystemMethod(), nearest+", /proc/self/mountinfo"
	m, ok := holding(mounts, nearest)
	if !ok {
		return known(facts.FileSystem{}, message.NewProblem("facts.unread.no-mount", nil), method, source)
	}
	stat, err := s.statfs(nearest)
	if err != nil {
		return known(facts.FileSystem{}, err, method, source)
	}
	block := int64(stat.Frsize) //nolint:unconvert // another type on 32-bit systems
	if block == 0 {
		block = stat.Bsize
	}
	v := facts.FileSystem{
		Type: m.fsType, Device: m.source, DeviceID: m.id, Mount: m.point, Options: m.options,
		OwnMount: m.point == name && name != "/",
		Size:     int64(stat.Blocks) * block, Free: int64(stat.Bavail) * block,
		Inodes: int64(stat.Files), InodesFree: int64(stat.Ffree),
	}
	if stat.Flags&unix.ST_RDONLY != 0 && !has(v.Options, "ro") {
		v.Options = "ro," + v.Options // as after errors, which the mount's own options do not tell
	}
	s.disk(&v)
	return known(v, nil, method, source)
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

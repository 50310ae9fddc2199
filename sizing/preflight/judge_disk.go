package preflight

import (
	"math"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

func (j *judgement) pathsOf(role site.Role) []string { return j.Site.DataPaths(role) }

// behind returns the distinct file systems behind paths. Facts without any path
// have not been read, whatever was asked for; where they have some, those that
// are missing were not asked for.
func behind(host *facts.Host, paths []string) []facts.Path {
	var result []facts.Path
	add := func(path facts.Path) {
		if !slices.ContainsFunc(result, func(other facts.Path) bool { return together(path, other) }) {
			result = append(result, path)
		}
	}
	for _, path := range host.Facts.Paths {
		if slices.Contains(paths, path.Path) {
			add(path)
		}
	}
	if len(host.Facts.Paths) == 0 {
		for _, path := range paths {
			add(facts.Path{Path: path})
		}
	}
	return result
}

// shown is a path as people are told of it: with the place where links lead from there.
func shown(p facts.Path) string {
	if p.Target == "" {
		return p.Path
	}
	return p.Path + " → " + p.Target
}

// shownOf are paths as people are told of them.
func shownOf(host *facts.Host, paths []string) []string {
	result := slices.Clone(paths)
	for i, name := range paths {
		if k := slices.IndexFunc(host.Facts.Paths, func(p facts.Path) bool { return p.Path == name }); k >= 0 {
			result[i] = shown(host.Facts.Paths[k])
		}
	}
	return result
}

// A pool is what the file systems behind some paths hold together.
type pool struct {
	roles    []string
	paths    []string
	shown    []string // paths, with the places where links lead
	required manifests.Bytes
	moreThan bool
	source   message.Text
}

// add takes what other roles need into a pool.
func (p *pool) add(other *pool) {
	p.roles, p.paths, p.shown = union(p.roles, other.roles), union(p.paths, other.paths), union(p.shown, other.shown)
	p.required += other.required
	p.moreThan = p.moreThan || other.moreThan
	p.source = other.source
}

// union appends what a list does not have yet.
func union(list, more []string) []string {
	for _, member := range more {
		if !slices.Contains(list, member) {
			list = append(list, member)
		}
	}
	return list
}

// disks judges each role's disk; roles whose data shares a file system, or the store
// that several take their space from, are taken together: they have to share it.
func (j *judgement) disks(host *facts.Host, f found) {
	if j.judgedAt("disk.size", host, f) {
		return
	}
	for _, p := range j.pools(host) {
		f := f
		f.roles, f.source = p.roles, p.source
		j.diskPool(f, behind(host, p.paths), p)
	}
}

// pools returns the roles of a host by the room that their data has.
func (j *judgement) pools(host *facts.Host) []*pool {
	var pools []*pool
	for _, role := range j.load(j.machines[host.Name]) {
		paths := j.pathsOf(role.Role)
		mine := behind(host, paths)
		into := &pool{}
		pools = slices.DeleteFunc(pools, func(p *pool) bool {
			met := slices.ContainsFunc(behind(host, p.paths), func(other facts.Path) bool {
				return slices.ContainsFunc(mine, func(m facts.Path) bool { return shareRoom(m, other) })
			})
			if met {
				into.add(p)
			}
			return met
		})
		into.add(&pool{[]string{string(role.Role)}, paths, shownOf(host, paths), role.Disk, role.MoreThan, j.tableSource(role.DiskSource)})
		pools = append(pools, into)
	}
	return pools
}

func (j *judgement) diskPool(f found, systems []facts.Path, p *pool) {
	f.object = names(p.paths...)
	if len(systems) == 0 {
		f.outcome, f.message = Error, message.Of("preflight.finding.not-asked", args{"path": f.object})
		j.add("disk.size", f)
		return
	}
	var known []facts.Path
	for _, system := range systems {
		if !system.FileSystem.Known() {
			j.diskUnread(f, system)
			continue
		}
		measured(j, "disk.size", &f, system.FileSystem)
		known = append(known, system)
	}
	if len(known) < len(systems) { // too little to add up; what was read is judged for itself
		f.source = message.Text{}
		for _, system := range known {
			j.diskState(f, system)
		}
		return
	}
	rooms := rooms(j.hosts[f.host], systems)
	tooSmall := j.diskSize(f, rooms, p)
	f.source = message.Text{}
	for _, system := range systems {
		j.diskState(f, system)
	}
	full := slices.ContainsFunc(systems, func(p facts.Path) bool { return p.Fsync.Unread.Is(facts.NoSpace) })
	if full || tooSmall || j.isUpgrade() {
		return // what is full or too small has too little free: said already; what is to be upgraded is in use
	}
	for _, room := range rooms {
		j.diskFree(f, room, float64(p.required)*float64(room.size())/float64(sizeOf(rooms)))
	}
}

func sizeOf(rooms []room) int64 {
	var sum int64
	for _, room := range rooms {
		sum += room.size()
	}
	return sum
}

// diskSize judges what rooms hold for roles, and tells whether that is too little. What
// is said names the places where the data will lie, and what gives several their space.
func (j *judgement) diskSize(f found, rooms []room, p *pool) bool {
	size, required := sizeOf(rooms), gigabytes(int64(p.required))
	f.unit, f.observed, f.required = unit("GB"), Number(gigabytes(size)), Number(required)
	f.outcome, f.tolerance = j.amount(size, p.required, j.Table.Tolerance.Disk, p.moreThan)
	said := args{"size": gigabytes(size), "path": names(p.shown...), "required": required, "tolerance": f.tolerance}
	f.message = message.Of("preflight.finding.disk-size", said)
	var stores []message.Text
	for _, room := range rooms {
		if room.store.kind != noStore {
			stores = append(stores, room.text())
		}
	}
	if len(stores) > 0 {
		said["stores"] = stores
		f.message = message.Of("preflight.finding.disk-size-shared", said)
	}
	f.message = j.ofMachine(j.hosts[f.host], f.message)
	j.add("disk.size", f)
	return f.outcome != Pass
}

// diskUnread says once that the file system behind a path was not read, and
// what is not judged for it.
func (j *judgement) diskUnread(f found, p facts.Path) {
	f.object, f.method = names(p.Path), p.FileSystem.Method
	f.message = message.Of("preflight.finding.unmeasured-thing", args{"what": shown(p), "why": unread(p.FileSystem)})
	f.outcome, f.remedy = Error, measureAgain()
	j.add("disk.size", f)
	f.outcome, f.source = Skipped, message.Text{}
	j.add("disk.read-only", f)
	j.add("disk.inodes", f)
	if !j.isUpgrade() {
		j.add("disk.free", f)
	}
}

// diskFree judges what is free in a room, of the part of a role's disk that it has to
// hold.
func (j *judgement) diskFree(f found, r room, part float64) {
	warn, fail := j.limit("disk.free", "warn"), j.limit("disk.free", "fail")
	share := 100 * float64(r.free()) / part
	free, least := gigabytes(r.free()), atLeast(gigabytes(int64(part*warn/100)))
	paths, toPeople := r.names()
	f.object, f.observed, f.required, f.unit = names(paths...), Number(free), least, unit("GB")
	f.outcome = graded(-share, -warn, -fail)
	f.message = message.Of("preflight.finding.disk-free", args{"free": free, "path": names(toPeople...), "required": least})
	j.add("disk.free", f)
}

// diskState judges one file system: written to, with inodes, not full.
func (j *judgement) diskState(f found, p facts.Path) {
	v := p.FileSystem.Value
	f.object, f.unit = names(v.Mount), message.Text{}
	readOnly := slices.Contains(strings.Split(v.Options, ","), "ro")
	f.outcome, f.observed, f.required = passIf(!readOnly, Fail), names(v.Options), names("rw")
	f.message = message.Of("preflight.finding.mounted", args{"mount": v.Mount, "options": v.Options})
	j.add("disk.read-only", f)
	if v.Inodes > 0 {
		share := math.RoundToEven(100 * float64(v.InodesFree) / float64(v.Inodes))
		least := j.limit("disk.inodes", "percent")
		f.outcome = passIf(100*float64(v.InodesFree)/float64(v.Inodes) >= least, Warn)
		f.observed, f.required, f.unit = Number(share), atLeast(least), unit("percent")
		f.message = message.Of("preflight.finding.inodes", args{"share": share, "mount": v.Mount})
		j.add("disk.inodes", f)
	}
	if p.Fsync.Unread.Is(facts.NoSpace) {
		f.outcome, f.observed, f.required, f.unit = Error, Number(gigabytes(v.Free)), message.Text{}, unit("GB")
		f.message = message.Of("preflight.finding.disk-full", args{"mount": v.Mount})
		j.add("reach.disk-full", f)
	}
}

func (j *judgement) fsync(host *facts.Host, f found) {
	warn, fail := j.limit("disk.fsync", "warn"), j.limit("disk.fsync", "fail")
	for _, system := range behind(host, j.Site.FsyncPaths(host.Groups)) {
		f := f
		v := system.Fsync
		f.object, f.unit, f.required, f.method = names(system.Path), unit("ms"), atMost(warn), v.Method
		switch {
		case v.Known():
			f.outcome, f.observed = graded(v.Value.MedianP99, warn, fail), Number(v.Value.MedianP99)
			f.message = message.Of("preflight.finding.fsync",
				args{"path": shown(system), "time": v.Value.MedianP99, "worst": v.Value.WorstP99, "required": warn})
		case v.Unread.Is(facts.NoSpace):
			continue // reach.disk-full says so
		default:
			f.outcome, f.message = j.untimed(host, system)
		}
		j.add("disk.fsync", f)
	}
}

// untimed says why writes were not timed. It is an error unless it was wished
// so or is one of another check already.
func (j *judgement) untimed(host *facts.Host, p facts.Path) (Outcome, message.Text) {
	why, outcome := unread(p.Fsync), Error
	if !p.FileSystem.Known() && !why.Is(facts.NotAsked) {
		why = unread(p.FileSystem)
		roles := j.load(j.machines[host.Name])
		if slices.ContainsFunc(roles, func(r sizing.Requirement) bool { return slices.Contains(j.pathsOf(r.Role), p.Path) }) {
			outcome = Skipped // disk.size says so
		}
	}
	said := args{"path": shown(p), "why": why}
	switch {
	case why.Is(facts.NotAsked), why.Is(facts.ReadOnly):
		outcome = Skipped
	case why.Is(facts.NoRoot):
		return outcome, message.Of("preflight.finding.untimed-without-root", said)
	}
	return outcome, message.Of("preflight.finding.untimed", said)
}

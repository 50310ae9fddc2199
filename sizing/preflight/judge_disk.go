package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
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

// together says whether two paths are known to lie on one file system.
func together(a, b facts.Path) bool {
	read := a.FileSystem.Known() && b.FileSystem.Known()
	return a.Path == b.Path || read && a.FileSystem.Value.DeviceID == b.FileSystem.Value.DeviceID
}

// unread says why the file system behind a path was not read.
func unread(p facts.Path) string { return cmp.Or(p.FileSystem.Unread, "not in the facts") }

// disks judges each role's disk; roles whose data shares a file system are
// taken together, since they have to share its size too.
func (j *judgement) disks(host *facts.Host, f found) {
	type pool struct {
		roles    []string
		paths    []string
		required manifests.Bytes
		moreThan bool
		source   string
	}
	var pools []*pool
	for _, role := range j.roles[host.Name] {
		paths := j.pathsOf(role.Role)
		mine := behind(host, paths)
		var into *pool
		for _, p := range pools {
			if slices.ContainsFunc(behind(host, p.paths), func(other facts.Path) bool {
				return slices.ContainsFunc(mine, func(m facts.Path) bool { return together(m, other) })
			}) {
				into = p
			}
		}
		if into == nil {
			into = &pool{}
			pools = append(pools, into)
		}
		into.roles = append(into.roles, string(role.Role))
		into.paths = append(into.paths, paths...)
		into.required += role.Disk
		into.moreThan = into.moreThan || role.MoreThan
		into.source = j.tableSource(role.DiskSource)
	}
	for _, p := range pools {
		f := f
		f.role, f.source = strings.Join(p.roles, ", "), p.source
		j.diskPool(host, f, behind(host, p.paths), p.paths, p.required, p.moreThan)
	}
}

func (j *judgement) diskPool(host *facts.Host, f found, systems []facts.Path, paths []string, required manifests.Bytes, moreThan bool) {
	f.object = strings.Join(paths, ", ")
	if len(systems) == 0 {
		f.outcome, f.message = Error, say("the probe was not asked for %s", "Nach %s wurde nicht gefragt", f.object)
		j.add("disk.size", f)
		return
	}
	var size int64
	var known []facts.Path
	for _, system := range systems {
		if !system.FileSystem.Known() {
			j.diskUnread(f, system)
			continue
		}
		measured(j, "disk.size", &f, system.FileSystem)
		size += system.FileSystem.Value.Size
		known = append(known, system)
	}
	if len(known) < len(systems) { // too little to add up; what was read is judged for itself
		f.source = ""
		for _, system := range known {
			j.diskState(f, system)
		}
		return
	}
	f.unit, f.observed, f.required = "GB", gigabytes(size), gigabytes(int64(required))
	f.outcome, f.tolerance = j.amount(size, required, j.Table.Tolerance.Disk, moreThan)
	f.message = say("%s GB behind %s, %s GB required (tolerance %s)", "%s GB hinter %s, %s GB verlangt (Toleranz %s)", Phrase(f.observed), f.object, Phrase(f.required), f.tolerance)
	j.add("disk.size", f)
	tooSmall := f.outcome != Pass
	f.source, f.tolerance = "", ""
	for _, system := range systems {
		j.diskState(f, system)
	}
	if full := slices.ContainsFunc(systems, func(p facts.Path) bool { return p.Fsync.Unread == facts.NoSpace }); full || tooSmall || j.isUpgrade() {
		return // what is full or too small has too little free: said already; what is to be upgraded is in use
	}
	for _, system := range systems {
		j.diskFree(f, system, float64(required)*float64(system.FileSystem.Value.Size)/float64(size))
	}
}

// diskUnread says once that the file system behind a path was not read, and
// what is not judged for it.
func (j *judgement) diskUnread(f found, p facts.Path) {
	f.object, f.method = p.Path, p.FileSystem.Method
	f.message = say("%s could not be measured: %s", "%s konnte nicht gemessen werden: %s", p.Path, Phrase(unread(p)))
	f.outcome = Error
	j.add("disk.size", f)
	f.outcome, f.source = Skipped, ""
	j.add("disk.read-only", f)
	j.add("disk.inodes", f)
	if !j.isUpgrade() {
		j.add("disk.free", f)
	}
}

// diskFree judges what is free on a file system, of the part of a role's disk
// that it has to hold.
func (j *judgement) diskFree(f found, p facts.Path, part float64) {
	warn, fail := j.limit("disk.free", "warn"), j.limit("disk.free", "fail")
	share := 100 * float64(p.FileSystem.Value.Free) / part
	f.object, f.observed, f.required = p.Path, gigabytes(p.FileSystem.Value.Free), "≥ "+gigabytes(int64(part*warn/100))
	f.outcome = graded(-share, -warn, -fail)
	f.message = say("%s GB free behind %s, %s GB wanted", "%s GB frei hinter %s, %s GB gewünscht", Phrase(f.observed), p.Path, Phrase(f.required))
	j.add("disk.free", f)
}

// diskState judges one file system: written to, with inodes, not full.
func (j *judgement) diskState(f found, p facts.Path) {
	v := p.FileSystem.Value
	f.object, f.unit = v.Mount, ""
	readOnly := slices.Contains(strings.Split(v.Options, ","), "ro")
	f.outcome, f.observed, f.required = passIf(!readOnly, Fail), v.Options, "rw"
	f.message = say("%s is mounted %s", "%s ist eingehängt mit %s", v.Mount, v.Options)
	j.add("disk.read-only", f)
	if v.Inodes > 0 {
		share := 100 * float64(v.InodesFree) / float64(v.Inodes)
		least := j.limit("disk.inodes", "percent")
		f.outcome, f.observed, f.required, f.unit = passIf(share >= least, Warn), fmt.Sprintf("%.0f", share), "≥ "+trim(least), "%"
		f.message = say("%s %% of the inodes of %s are free", "%s %% der Inodes von %s sind frei", Phrase(f.observed), v.Mount)
		j.add("disk.inodes", f)
	}
	if p.Fsync.Unread == facts.NoSpace {
		f.outcome, f.observed, f.required, f.unit = Error, gigabytes(v.Free), "", "GB"
		f.message = say("%s was full while it was measured", "%s war während der Messung voll", v.Mount)
		j.add("reach.disk-full", f)
	}
}

func (j *judgement) fsync(host *facts.Host, f found) {
	warn, fail := j.limit("disk.fsync", "warn"), j.limit("disk.fsync", "fail")
	for _, system := range behind(host, j.Site.FsyncPaths(host.Groups)) {
		f := f
		f.object, f.unit, f.required, f.method = system.Path, "ms", "≤ "+trim(warn), system.Fsync.Method
		v := system.Fsync
		switch {
		case v.Known():
			f.outcome, f.observed = graded(v.Value.MedianP99, warn, fail), trim(v.Value.MedianP99)
			f.message = say("99th percentile of fdatasync on %s is %s ms (worst run %s ms), at most %s ms wanted", "99. Perzentil von fdatasync auf %s ist %s ms (schlechtester Lauf %s ms), höchstens %s ms gewünscht",
				system.Path, Phrase(f.observed), Phrase(trim(v.Value.WorstP99)), Phrase(trim(warn)))
		case v.Unread == facts.NoSpace:
			continue // reach.disk-full says so
		default:
			f.outcome, f.message = j.untimed(host, system)
		}
		j.add("disk.fsync", f)
	}
}

// untimed says why writes were not timed. It is an error unless it was wished
// so or is one of another check already.
func (j *judgement) untimed(host *facts.Host, p facts.Path) (Outcome, page.Text) {
	why, outcome := cmp.Or(p.Fsync.Unread, "not in the facts"), Error
	if !p.FileSystem.Known() && why != "not asked for" {
		why = unread(p)
		if slices.ContainsFunc(j.roles[host.Name], func(r sizing.Requirement) bool { return slices.Contains(j.pathsOf(r.Role), p.Path) }) {
			outcome = Skipped // disk.size says so
		}
	}
	switch why {
	case "not asked for", "mounted read-only":
		outcome = Skipped
	case "not permitted without root":
		return outcome, say("not measured on %s: %s; run it with --sudo", "Auf %s nicht gemessen: %s; mit --sudo ausführen", p.Path, Phrase(why))
	}
	return outcome, say("not measured on %s: %s", "Auf %s nicht gemessen: %s", p.Path, Phrase(why))
}

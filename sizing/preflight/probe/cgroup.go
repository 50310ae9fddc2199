//go:build linux

package probe

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
)

// A control group's folder, and what is above it, for one controller.
type cgroup struct {
	version int
	mount   string // where the hierarchy is mounted
	group   string // the probe's own group below it
}

// cgroup finds the probe's control group for a controller (cgroups(7)): the
// version-1 hierarchy that holds the controller, else the unified one.
func (s System) cgroup(controller string) (cgroup, bool) {
	groups, err := s.read("/proc/self/cgroup")
	if err != nil {
		return cgroup{}, false
	}
	mounts, err := s.mounts()
	if err != nil {
		return cgroup{}, false
	}
	var unified cgroup
	for line := range strings.Lines(groups) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		for _, m := range mounts {
			switch {
			case parts[1] == "" && m.fsType == "cgroup2":
				if unified.version == 0 {
					unified = cgroup{2, m.point, below(m.root, parts[2])}
				}
			case m.fsType == "cgroup" && has(parts[1], controller) && has(m.superOptions, controller):
				return cgroup{1, m.point, below(m.root, parts[2])}, true
			}
		}
	}
	return unified, unified.version != 0
}

// below returns a group's path under a mount that may itself show only a part of
// the hierarchy, as containers see it.
func below(root, group string) string {
	if root == "/" {
		return group
	}
	if rest, ok := strings.CutPrefix(group, root); ok {
		return "/" + strings.TrimPrefix(rest, "/")
	}
	return "/"
}

func has(list, word string) bool {
	for member := range strings.SplitSeq(list, ",") {
		if member == word {
			return true
		}
	}
	return false
}

// binding returns the folders of the groups whose limits hold for services: those above
// the probe's own, up to the root of the hierarchy, as far as they are the machine's
// and not of a login, and the one that systemd starts services in.
func (g cgroup) binding() []string {
	parts := strings.FieldsFunc(path.Clean("/"+g.group), func(r rune) bool { return r == '/' })
	parts = parts[:machineParts(parts[:min(len(parts), maxGroups)])]
	folder := path.Join(g.mount, path.Join(parts...))
	folders := []string{folder, path.Join(folder, servicesSlice)}
	for range parts {
		folder = path.Dir(folder)
		folders = append(folders, folder)
	}
	return folders
}

const (
	// maxGroups is how deep groups lie that are looked at.
	maxGroups = 64
	// servicesSlice is where systemd starts services unless they say otherwise, and
	// usersSlice is what all logins are in (systemd.special(7)).
	servicesSlice = "system.slice"
	usersSlice    = "user.slice"
)

// machineParts counts the parts of a group's path that are the machine's: of a container
// that is one, and of slices. What systemd makes for logins, for one service or for
// the instances of one is theirs alone, and so is all below.
func machineParts(parts []string) int {
	for i, part := range parts {
		switch name, kind := strings.TrimSuffix(part, path.Ext(part)), path.Ext(part); {
		case kind == ".slice" && (part == usersSlice || strings.HasPrefix(part, "system-")):
			return i
		case kind == ".scope" && (strings.HasPrefix(name, "session-") || strings.HasPrefix(name, "run-")):
			return i
		case kind == ".service" && !strings.HasPrefix(name, "systemd-nspawn@") && !hasSlice(parts[i:]):
			return i
		}
	}
	return len(parts)
}

// hasSlice tells whether a group holds a systemd of its own, as that of a container does.
func hasSlice(parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return path.Ext(part) == ".slice" })
}

// cpuQuota returns the cores that the tightest group allows services, 0 for no limit,
// and the file that says so.
func (s System) cpuQuota() (float64, string, error) {
	g, ok := s.cgroup("cpu")
	if !ok {
		return 0, "/proc/self/cgroup", errNoCGroup
	}
	least, source := 0.0, g.mount
	for _, folder := range g.binding() {
		quota, file, err := s.quota(g, folder)
		if err != nil {
			return 0, file, err
		}
		if quota > 0 && (least == 0 || quota < least) {
			least, source = quota, file
		}
	}
	return least, source, nil
}

// quota returns the cores that one group allows, 0 for no limit.
func (s System) quota(g cgroup, folder string) (float64, string, error) {
	if g.version == 1 {
		file := folder + "/cpu.cfs_quota_us"
		quota, err := s.limit(file)
		period, periodErr := s.limit(folder + "/cpu.cfs_period_us")
		if err = cmp.Or(err, periodErr); err != nil || period == 0 {
			return 0, file, err
		}
		return float64(quota) / float64(period), file, nil
	}
	file := folder + "/cpu.max"
	text, err := s.read(file)
	quota, period, _ := strings.Cut(strings.TrimSpace(text), " ")
	if errors.Is(err, fs.ErrNotExist) || err == nil && quota == "max" {
		return 0, file, nil
	}
	q, quotaErr := strconv.ParseFloat(quota, 64)
	p, periodErr := strconv.ParseFloat(period, 64)
	if err = cmp.Or(err, quotaErr, periodErr); err != nil || q <= 0 || p <= 0 {
		return 0, file, err
	}
	return q / p, file, nil
}

// limit reads a number of a group's file. There is none at the root, and none where the
// group above does not hand the controller on; "max" and less than nothing are no limit.
func (s System) limit(file string) (int64, error) {
	text, err := s.readWord(file)
	if errors.Is(err, fs.ErrNotExist) || err == nil && text == "max" {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return max(n, 0), err
}

var errNoCGroup = message.NewProblem("facts.unread.no-control-groups", nil)

// unlimited is more memory than any host has: version 1 writes "no limit" as
// the greatest number of whole pages.
const unlimited = 1 << 60

// memoryLimit returns the bytes that the tightest group allows services, 0 for no
// limit, and the file that says so. Above memory.high the kernel slows down whoever asks
// for more, so that it counts as well.
func (s System) memoryLimit() (int64, string, error) {
	g, ok := s.cgroup("memory")
	if !ok {
		return 0, "/proc/self/cgroup", errNoCGroup
	}
	files := []string{"memory.max", "memory.high"}
	if g.version == 1 {
		files = []string{"memory.limit_in_bytes"}
	}
	var least int64
	source := g.mount
	for _, folder := range g.binding() {
		for _, name := range files {
			file := path.Join(folder, name)
			limit, err := s.limit(file)
			if err != nil {
				return 0, file, err
			}
			if limit > 0 && limit < unlimited && (least == 0 || limit < least) {
				least, source = limit, file
			}
		}
	}
	return least, source, nil
}

//go:build linux

package probe

import (
	"math"
	"path"
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

// upward returns the folders from the group up to the root of the hierarchy.
func (g cgroup) upward() []string {
	var folders []string
	for group := path.Clean("/" + g.group); ; group = path.Dir(group) {
		folders = append(folders, path.Join(g.mount, group))
		if group == "/" || len(folders) > 64 {
			return folders
		}
	}
}

// cpuQuota returns the cores that the tightest group allows; 0 for no limit.
func (s System) cpuQuota() (float64, string, error) {
	g, ok := s.cgroup("cpu")
	if !ok {
		return 0, "/proc/self/cgroup", errNoCGroup
	}
	least := math.Inf(1)
	for _, folder := range g.upward() {
		var quota, period float64
		if g.version == 2 {
			text, _ := s.read(folder + "/cpu.max")
			fields := strings.Fields(text)
			if len(fields) != 2 || fields[0] == "max" {
				continue
			}
			quota, _ = strconv.ParseFloat(fields[0], 64)
			period, _ = strconv.ParseFloat(fields[1], 64)
		} else {
			q, _ := s.readInt(folder + "/cpu.cfs_quota_us")
			p, _ := s.readInt(folder + "/cpu.cfs_period_us")
			quota, period = float64(q), float64(p)
		}
		if quota > 0 && period > 0 {
			least = math.Min(least, quota/period)
		}
	}
	if math.IsInf(least, 1) {
		least = 0
	}
	return least, g.mount, nil
}

var errNoCGroup = message.NewProblem("facts.unread.no-control-groups", nil)

// unlimited is more memory than any host has: version 1 writes "no limit" as
// the greatest number of whole pages.
const unlimited = 1 << 60

// memoryLimit returns the bytes that the tightest group allows; 0 for no limit.
func (s System) memoryLimit() (int64, string, error) {
	g, ok := s.cgroup("memory")
	if !ok {
		return 0, "/proc/self/cgroup", errNoCGroup
	}
	file := "memory.max"
	if g.version == 1 {
		file = "memory.limit_in_bytes"
	}
	var least int64
	for _, folder := range g.upward() {
		limit, err := s.readInt(path.Join(folder, file))
		if err == nil && limit > 0 && limit < unlimited && (least == 0 || limit < least) {
			least = limit
		}
	}
	return least, g.mount, nil
}

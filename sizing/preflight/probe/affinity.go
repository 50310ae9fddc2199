//go:build linux

package probe

import (
	"maps"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// affinity returns how many processors services may use, and what says so. They are
// started by the first process and have its processors, or those of the group that it
// starts them in; the probe's own may be those of a login.
func (s System) affinity() (int, string, error) {
	const first = "/proc/1/status"
	count, source := s.processors(s.lineOf(first, "Cpus_allowed_list:")), first
	if count == 0 {
		var err error
		source = "sched_getaffinity(2)"
		if count, err = s.ownAffinity(); err != nil {
			return 0, source, err
		}
	}
	g, ok := s.cgroup("cpuset")
	if !ok {
		return count, source, nil
	}
	for _, folder := range g.binding() {
		for _, name := range []string{"cpuset.cpus.effective", "cpuset.effective_cpus"} {
			file := path.Join(folder, name)
			list, _ := s.readWord(file)
			if allowed := s.processors(list); allowed > 0 && allowed < count {
				count, source = allowed, file
			}
		}
	}
	return count, source, nil
}

func (s System) ownAffinity() (int, error) {
	if s.Affinity != nil {
		return s.Affinity()
	}
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return 0, err
	}
	return set.Count(), nil
}

// lineOf returns what stands behind a word at the beginning of a line of a file; nothing
// where there is none.
func (s System) lineOf(file, word string) string {
	text, _ := s.read(file)
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, word); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}

// processors counts those of a list that are online: a mask may have more, which the
// machine could be given. 0 stands for no list.
func (s System) processors(list string) int {
	members := listed(list)
	online, _ := s.readWord("/sys/devices/system/cpu/online")
	if there := listed(online); len(there) > 0 {
		maps.DeleteFunc(members, func(processor int, _ bool) bool { return !there[processor] })
	}
	return len(members)
}

// listed are the members of a list such as 0-3,8 (cpuset(7), List Format); none where it
// is none.
func listed(list string) map[int]bool {
	const most = 1 << 16 // processors
	members := map[int]bool{}
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, toErr := strconv.Atoi(last)
		if err != nil || toErr != nil || from < 0 || to >= most {
			return map[int]bool{}
		}
		for processor := from; processor <= to; processor++ {
			members[processor] = true
		}
	}
	return members
}

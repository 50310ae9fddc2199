//go:build linux

package probe

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"strconv"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

func (s System) memory() facts.Memory {
	const source = "/proc/meminfo"
	text, err := s.read(source)
	info := parseMemInfo(text)
	if err == nil && info["MemTotal"] == 0 {
		err = message.NewProblem("facts.unread.no-memory", nil)
	}
	limit, limitSource, limitErr := s.memoryLimit()
	// What is set aside for huge pages serves nobody who does not ask for them.
	huge, hugeSource, hugeErr := s.hugePages(info)
	hugeErr = cmp.Or(err, hugeErr)
	usable := max(info["MemTotal"]-huge, 0)
	if limit > 0 {
		usable = min(usable, limit)
	}
	crash, crashErr := s.readInt("/sys/kernel/kexec_crash_size")
	return facts.Memory{
		Total:     known(info["MemTotal"], err, message.Plain("MemTotal"), source),
		Available: known(info["MemAvailable"], err, message.Plain("MemAvailable"), source),
		Limit:     known(limit, limitErr, message.Of("facts.method.memory-limit-services", nil), limitSource),
		Usable:    known(usable, cmp.Or(hugeErr, binds(limitErr)), message.Of("facts.method.memory-usable", nil), source+", "+limitSource),
		Swap:      known(info["SwapTotal"], err, message.Plain("SwapTotal"), source),
		HugePages: known(huge, hugeErr, message.Of("facts.method.huge-pages", nil), hugeSource),
		KDump:     known(crash, crashErr, message.Of("facts.method.crash-kernel", nil), "/sys/kernel/kexec_crash_size"),
	}
}

// hugePages returns the bytes set aside for huge pages of every size, and what says so.
// HugePages_Total has those of the default size alone; Hugetlb has all, since Linux 4.18
// (Documentation/admin-guide/mm/hugetlbpage.rst).
func (s System) hugePages(info map[string]int64) (int64, string, error) {
	const folder, before, unit = "/sys/kernel/mm/hugepages", "hugepages-", "kB"
	told, isTold := info["Hugetlb"]
	told = max(told, info["HugePages_Total"]*info["Hugepagesize"])
	sizes, err := s.names(folder)
	var all int64
	for _, name := range sizes {
		size, sizeErr := strconv.ParseInt(strings.TrimSuffix(strings.TrimPrefix(name, before), unit), 10, 40)
		pages, pagesErr := s.readInt(path.Join(folder, name, "nr_hugepages"))
		err = cmp.Or(err, sizeErr, pagesErr)
		all += pages * size << 10
	}
	if isTold || errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return max(all, told), folder + ", /proc/meminfo", err
}

// binds passes over that there are no control groups: then there are none of their limits.
func binds(err error) error {
	if errors.Is(err, errNoCGroup) {
		return nil
	}
	return err
}

// parseMemInfo returns the lines of proc_meminfo(5), those in kB as bytes.
func parseMemInfo(text string) map[string]int64 {
	info := map[string]int64{}
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(line, ":")
		fields := strings.Fields(value)
		if len(fields) == 0 {
			continue
		}
		n, err := strconv.ParseInt(fields[0], 10, 64)
		if err != nil || n < 0 || n > 1<<50 {
			continue
		}
		if len(fields) > 1 && fields[1] == "kB" {
			n <<= 10
		}
		info[key] = n
	}
	return info
}

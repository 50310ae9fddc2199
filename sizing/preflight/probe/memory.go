//go:build linux

package probe

import (
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
	huge := info["HugePages_Total"] * info["Hugepagesize"]
	usable := max(info["MemTotal"]-huge, 0)
	if limit > 0 {
		usable = min(usable, limit)
	}
	crash, crashErr := s.readInt("/sys/kernel/kexec_crash_size")
	return facts.Memory{
		Total:     known(info["MemTotal"], err, message.Plain("MemTotal"), source),
		Available: known(info["MemAvailable"], err, message.Plain("MemAvailable"), source),
		Limit:     known(limit, limitErr, message.Of("facts.method.memory-limit", nil), limitSource),
		Usable:    known(usable, err, message.Of("facts.method.memory-usable", nil), source+", "+limitSource),
		Swap:      known(info["SwapTotal"], err, message.Plain("SwapTotal"), source),
		HugePages: known(huge, err, message.Plain("HugePages_Total × Hugepagesize"), source),
		KDump:     known(crash, crashErr, message.Of("facts.method.crash-kernel", nil), "/sys/kernel/kexec_crash_size"),
	}
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

//go:build linux

package probe

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// stealWindows are the parts of a sample, of which the middle one counts: a
// burst in one of them is no oversubscribed server.
const stealWindows = 5

// CPUTimes is a reading of how much time the processors have had, and how much
// of it was stolen (proc_stat(5)).
type CPUTimes struct {
	uptime        time.Duration // of the host
	stolen, total uint64        // in the unit of /proc/stat, of all processors
}

// ParseSince reads what was read of a host before the probe came: the first word
// of /proc/uptime and the first line of /proc/stat. So a sample can begin when
// the host is reached. What is not understood is as if nothing was read: the
// zero value.
func ParseSince(text string) CPUTimes {
	uptime, line, _ := strings.Cut(text, " ")
	since, err := parseCPUTimes(uptime, line)
	if err != nil {
		return CPUTimes{}
	}
	return since
}

func parseCPUTimes(uptime, line string) (CPUTimes, error) {
	seconds, err := strconv.ParseFloat(uptime, 64)
	if err != nil || !(seconds >= 0 && seconds < 1e9) { // not a number is neither
		return CPUTimes{}, message.NewProblem("facts.unread.no-uptime", nil)
	}
	times := CPUTimes{uptime: time.Duration(seconds * float64(time.Second))}
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return CPUTimes{}, message.NewProblem("facts.unread.no-cpu-line", nil)
	}
	for i, field := range fields[1:9] {
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return CPUTimes{}, err
		}
		if times.total += n; i == 7 {
			times.stolen = n
		}
	}
	return times, nil
}

func (s System) cpuTimes() (CPUTimes, error) {
	uptime, err := s.read("/proc/uptime")
	if err != nil {
		return CPUTimes{}, err
	}
	stat, err := s.read("/proc/stat")
	if err != nil {
		return CPUTimes{}, err
	}
	uptime, _, _ = strings.Cut(uptime, " ")
	line, _, _ := strings.Cut(stat, "\n")
	return parseCPUTimes(uptime, line)
}

// share returns the stolen per cent of the time between two readings.
func (c CPUTimes) share(later CPUTimes) float64 {
	if later.total <= c.total || later.stolen <= c.stolen {
		return 0
	}
	return 100 * float64(later.stolen-c.stolen) / float64(later.total-c.total)
}

// steal watches stolen time for the length of a sample. What went by since the
// host was reached is its first window.
func (s System) steal(ctx context.Context, sample time.Duration) facts.Value[float64] {
	now, err := s.cpuTimes()
	begin, last := now, now
	var shares []float64
	window := sample / stealWindows
	if since := s.Since; since.total > 0 && since.total < now.total && since.uptime <= now.uptime {
		begin, shares = since, append(shares, since.share(now))
		// However long that was, the rest says how it went on.
		window = max(sample-(now.uptime-since.uptime), sample/stealWindows) / (stealWindows - 1)
	}
	for err == nil && len(shares) < stealWindows {
		select {
		case <-time.After(window):
			now, err = s.cpuTimes()
			shares = append(shares, last.share(now))
			last = now
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	method := message.Of("facts.method.steal", message.Args{"windows": stealWindows, "seconds": (now.uptime - begin.uptime).Seconds()})
	if err != nil {
		return known(0.0, err, method, "/proc/stat")
	}
	return known(percentile(shares, 50), nil, method, "/proc/stat")
}

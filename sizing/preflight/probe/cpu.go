//go:build linux

package probe

import (
	"cmp"
	"math"
	"runtime"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// cpu reads all but the stolen time, which takes a while to see.
func (s System) cpu() facts.CPU {
	const source = "/proc/cpuinfo"
	info, err := s.read(source)
	c := parseCPUInfo(info)
	if err == nil && c.threads == 0 {
		err = message.NewProblem("facts.unread.no-processor", nil)
	}
	affinity, affinitySource, affinityErr := s.affinity()
	quota, quotaSource, quotaErr := s.cpuQuota()
	usable := math.Min(float64(c.threads), float64(affinity))
	if affinityErr != nil {
		usable = float64(c.threads)
	}
	if quota > 0 {
		usable = math.Min(usable, quota)
	}
	usableErr := cmp.Or(err, binds(affinityErr), binds(quotaErr))
	return facts.CPU{
		Architecture: known(runtime.GOARCH, nil, message.Of("facts.method.architecture", nil), "probe"),
		Model:        known(c.model, err, message.Of("facts.method.model", nil), source),
		Sockets:      known(c.sockets, err, message.Of("facts.method.sockets", nil), source),
		Cores:        known(c.cores, err, message.Of("facts.method.cores", nil), source),
		Threads:      known(c.threads, err, message.Of("facts.method.threads", nil), source),
		Affinity:     known(affinity, affinityErr, message.Of("facts.method.affinity-services", nil), affinitySource),
		Quota:        known(quota, quotaErr, message.Of("facts.method.quota-services", nil), quotaSource),
		Usable:       known(usable, usableErr, message.Of("facts.method.usable", nil), source+", "+affinitySource+", "+quotaSource),
		Level:        known(c.level(), err, message.Of("facts.method.level", nil), source),
		AES:          known(c.flags["aes"], err, message.Of("facts.method.flag", message.Args{"flag": "aes"}), source),
		AVX:          known(c.flags["avx"], err, message.Of("facts.method.flag", message.Args{"flag": "avx"}), source),
	}
}

type cpuInfo struct {
	model                   string
	sockets, cores, threads int
	flags                   map[string]bool
}

func parseCPUInfo(text string) cpuInfo {
	c := cpuInfo{flags: map[string]bool{}}
	sockets, cores := map[string]bool{}, map[string]bool{}
	socket := ""
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(value)
		switch strings.TrimSpace(key) {
		case "processor":
			c.threads++
			socket = ""
		case "model name", "CPU implementer":
			if c.model == "" {
				c.model = facts.Cut(value)
			}
		case "physical id":
			socket = value
			sockets[value] = true
		case "core id":
			cores[socket+"/"+value] = true
		case "flags", "Features":
			for _, flag := range strings.Fields(value) {
				c.flags[flag] = true
			}
		}
	}
	// Hypervisors and arm64 may name neither; then each processor is a core.
	c.sockets, c.cores = len(sockets), len(cores)
	if c.threads > 0 {
		c.sockets = max(c.sockets, 1)
		if c.cores == 0 {
			c.cores = c.threads
		}
	}
	return c
}

// level follows the table of microarchitecture levels in the x86-64 psABI; the
// flags are Linux's names for them.
func (c cpuInfo) level() int {
	levels := [][]string{
		{"cmov", "cx8", "fpu", "fxsr", "mmx", "syscall", "sse", "sse2"},
		{"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"},
		{"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"},
		{"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"},
	}
	for i, flags := range levels {
		for _, flag := range flags {
			if !c.flags[flag] {
				return i
			}
		}
	}
	return len(levels)
}

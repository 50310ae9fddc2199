package inventory

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strconv"
	"strings"
)

// expand returns the host names of a pattern such as node[01:03].example:2222,
// and its port, 0 where it has none.
func expand(pattern string) ([]string, int, error) {
	pattern, port := splitPort(pattern)
	if _, err := netip.ParseAddr(pattern); err != nil && strings.Contains(afterRanges(pattern), ":") {
		return nil, 0, fmt.Errorf("%.80q is not the name of a host: what follows its colon is no port from 1 to 65535", pattern)
	}
	if strings.ContainsAny(pattern, " \t\"'\\") || !filepath.IsLocal(pattern) || len(pattern) > 255 || pattern[0] == '-' {
		return nil, 0, fmt.Errorf("%.80q is not the name of a host", pattern)
	}
	names, err := expandRanges(pattern)
	return names, port, err
}

// splitPort takes a port off a name, an IPv4 address, or an IPv6 address in
// brackets; an IPv6 address without brackets has none.
func splitPort(pattern string) (string, int) {
	if _, err := netip.ParseAddr(pattern); err == nil {
		return pattern, 0
	}
	i := strings.LastIndexByte(pattern, ':')
	if i < 0 || strings.LastIndexByte(pattern, ']') > i {
		return unbracket(pattern), 0
	}
	port, err := strconv.ParseUint(pattern[i+1:], 10, 16)
	if err != nil || port == 0 {
		return pattern, 0
	}
	return unbracket(pattern[:i]), int(port)
}

// afterRanges returns what follows the last range of a pattern.
func afterRanges(pattern string) string { return pattern[strings.LastIndexByte(pattern, ']')+1:] }

func unbracket(s string) string {
	if inner, ok := strings.CutPrefix(s, "["); ok && strings.HasSuffix(inner, "]") {
		inner = strings.TrimSuffix(inner, "]")
		if _, err := netip.ParseAddr(inner); err == nil {
			return inner
		}
	}
	return s
}

func expandRanges(pattern string) ([]string, error) {
	open := strings.IndexByte(pattern, '[')
	if open < 0 {
		return []string{pattern}, nil
	}
	length := strings.IndexByte(pattern[open:], ']')
	if length < 0 {
		return nil, fmt.Errorf("range in %.80q is never closed", pattern)
	}
	head, inner, tail := pattern[:open], pattern[open+1:open+length], pattern[open+length+1:]
	members, err := members(inner)
	if err != nil {
		return nil, err
	}
	tails, err := expandRanges(tail)
	if err != nil {
		return nil, err
	}
	if len(members)*len(tails) > maxHosts {
		return nil, fmt.Errorf("%.80q stands for more than %d hosts", pattern, maxHosts)
	}
	var names []string
	for _, member := range members {
		for _, t := range tails {
			names = append(names, head+member+t)
		}
	}
	return names, nil
}

// members returns what begin:end[:step] stands for: numbers, with the zeros that
// begin is written with, or letters.
func members(inner string) ([]string, error) {
	parts := strings.Split(inner, ":")
	if len(parts) < 2 || len(parts) > 3 || parts[1] == "" {
		return nil, fmt.Errorf("range [%.40s] is not begin:end or begin:end:step", inner)
	}
	step := 1
	if len(parts) == 3 {
		n, err := strconv.Atoi(parts[2])
		if err != nil || n < 1 {
			return nil, fmt.Errorf("step of range [%.40s] is not a number", inner)
		}
		step = n
	}
	begin, end := parts[0], parts[1]
	if begin == "" {
		begin = "0"
	}
	if isLetter(begin) && isLetter(end) {
		return count(int(begin[0]), int(end[0]), step, func(n int) string { return string(rune(n)) }, inner)
	}
	first, err1 := strconv.ParseUint(begin, 10, 31)
	last, err2 := strconv.ParseUint(end, 10, 31)
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("range [%.40s] is neither of numbers nor of letters", inner)
	}
	width := 0
	if len(begin) > 1 && begin[0] == '0' {
		if width = len(begin); width != len(end) {
			return nil, fmt.Errorf("range [%.40s] has ends of different length", inner)
		}
	}
	return count(int(first), int(last), step, func(n int) string { return fmt.Sprintf("%0*d", width, n) }, inner)
}

func isLetter(s string) bool {
	return len(s) == 1 && (s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z')
}

func count(first, last, step int, name func(int) string, inner string) ([]string, error) {
	if first > last {
		return nil, fmt.Errorf("range [%.40s] ends before it begins", inner)
	}
	if (last-first)/step >= maxHosts {
		return nil, fmt.Errorf("range [%.40s] stands for more than %d hosts", inner, maxHosts)
	}
	var names []string
	for n := first; n <= last; n += step {
		names = append(names, name(n))
	}
	return names, nil
}

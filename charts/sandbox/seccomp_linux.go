package sandbox

import (
	"errors"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"
)

// allowedCalls are what Go's runtime, and C's where there is one, do in a process
// that has its pipes already: memory, threads, time, randomness, reading and
// writing what is open. None opens a file or a socket, executes, traces, mounts
// or sends a signal to another process.
var allowedCalls = []uintptr{
	unix.SYS_READ, unix.SYS_PREAD64, unix.SYS_WRITE, unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_FCNTL,
	unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MREMAP, unix.SYS_MPROTECT, unix.SYS_MADVISE, unix.SYS_BRK,
	unix.SYS_FUTEX, unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_RESTART_SYSCALL,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_CLOCK_GETRES, unix.SYS_GETTIMEOFDAY,
	unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_GETRANDOM, unix.SYS_UNAME, unix.SYS_GETCPU,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EVENTFD2, unix.SYS_PIPE2,
	unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
}

// architectures are those whose numbers of system calls are known here
// (seccomp(2), the field arch of struct seccomp_data).
var architectures = map[string]uint32{"amd64": unix.AUDIT_ARCH_X86_64, "arm64": unix.AUDIT_ARCH_AARCH64}

// Where a filter finds what it decides by (struct seccomp_data).
const (
	callNumber    = 0
	callArch      = 4
	firstArgument = 16 // its lower half: both architectures are little-endian
)

// callFilter returns a filter in classic BPF: a call is of the architecture, is
// one of the list, a new thread of this process, or a signal to itself; all else
// fails with EPERM, and clone3, whose flags a filter cannot see, with ENOSYS, so
// that clone is called in its place.
func callFilter(self uint32) ([]unix.SockFilter, error) {
	arch, ok := architectures[runtime.GOARCH]
	if !ok {
		return nil, errors.New("seccomp: the numbers of this architecture are not known")
	}
	allow := give(unix.SECCOMP_RET_ALLOW)
	refuse := give(unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM))
	program := slices.Concat(
		load(callArch),
		unless(equal, arch, give(unix.SECCOMP_RET_KILL_PROCESS)),
		load(callNumber),
		when(atLeast, 1<<30, refuse), // x32's numbers, on amd64
		when(equal, unix.SYS_CLONE3, give(unix.SECCOMP_RET_ERRNO|uint32(unix.ENOSYS))),
		when(equal, unix.SYS_CLONE, slices.Concat(load(firstArgument), unless(hasBits, unix.CLONE_THREAD, refuse), allow)),
		when(equal, unix.SYS_TGKILL, slices.Concat(load(firstArgument), unless(equal, self, refuse), allow)),
	)
	for _, call := range slices.Concat(allowedCalls, archCalls) {
		program = append(program, when(equal, uint32(call), allow)...)
	}
	return append(program, refuse...), nil
}

// The comparisons that a filter makes.
const (
	equal   = unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K
	atLeast = unix.BPF_JMP | unix.BPF_JGE | unix.BPF_K
	hasBits = unix.BPF_JMP | unix.BPF_JSET | unix.BPF_K
)

func load(offset uint32) []unix.SockFilter {
	return []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}}
}

func give(verdict uint32) []unix.SockFilter {
	return []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: verdict}}
}

// when does something if what was loaded compares so, and else goes on; unless
// does it if not.
func when(compare uint16, with uint32, do []unix.SockFilter) []unix.SockFilter {
	return append([]unix.SockFilter{{Code: compare, Jf: uint8(len(do)), K: with}}, do...)
}

func unless(compare uint16, with uint32, do []unix.SockFilter) []unix.SockFilter {
	return append([]unix.SockFilter{{Code: compare, Jt: uint8(len(do)), K: with}}, do...)
}

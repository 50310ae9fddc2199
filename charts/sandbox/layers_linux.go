package sandbox

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// confine puts up the layers that are asked for around this process, and tells
// which it could not have. Without its limits a worker does no work: that is an
// error.
func confine(layers []layer, memory uint64) (missing, error) {
	lacks := missing{}
	for _, one := range allLayers {
		if !slices.Contains(layers, one) {
			continue
		}
		var err error
		switch one {
		case limits:
			if err := limitProcess(memory); err != nil {
				return nil, err
			}
		case privileges:
			err = giveUpPrivileges()
		case files:
			err = closeFiles()
		case calls:
			err = filterCalls()
		}
		if err != nil {
			lacks[one] = fmt.Sprintf("%.*s", maxReason, err.Error())
		} else if one == calls {
			delete(lacks, privileges) // the filter's threads have given them up
		}
	}
	return lacks, nil
}

// limitProcess sets limits of the operating system on this process
// (getrlimit(2)): no file may be written, no core dumped, few files be open,
// and memory may not grow beyond the given bytes. RLIMIT_DATA counts what is
// writable and private, which the address space that Go reserves is not.
func limitProcess(memory uint64) error {
	for _, limit := range []struct {
		resource int
		value    uint64
	}{{syscall.RLIMIT_FSIZE, 0}, {syscall.RLIMIT_CORE, 0}, {syscall.RLIMIT_NOFILE, maxOpenFiles}, {syscall.RLIMIT_DATA, memory}} {
		if err := syscall.Setrlimit(limit.resource, &syscall.Rlimit{Cur: limit.value, Max: limit.value}); err != nil {
			return err
		}
	}
	return nil
}

// maxOpenFiles of a worker, which has its three pipes and what Go waits for them
// with.
const maxOpenFiles = 64

// onAllThreads makes a system call on every thread: what it sets is a thread's
// own. Where threads are C's too, Go cannot; there [filterCalls] sets it on all.
func onAllThreads(trap, a, b, c uintptr) error {
	_, _, errno := syscall.AllThreadsSyscall(trap, a, b, c)
	switch {
	case errno == syscall.ENOTSUP:
		return errors.New("this build of the program uses C")
	case errno != 0:
		return errno
	}
	return nil
}

func giveUpPrivileges() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return onAllThreads(unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0)
}

// closeFiles leaves no file that could be opened, whatever for, no port, and
// nobody outside who could be sent a signal (landlock(7)). A kernel has as much of
// that as its version of the interface says.
func closeFiles() error {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return fmt.Errorf("landlock: %w", errno)
	}
	rules := struct{ files, ports, scopes uint64 }{files: unix.LANDLOCK_ACCESS_FS_REFER - 1}
	size := uintptr(8)
	if version >= 2 {
		rules.files |= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version >= 3 {
		rules.files |= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version >= 4 {
		rules.ports, size = unix.LANDLOCK_ACCESS_NET_BIND_TCP|unix.LANDLOCK_ACCESS_NET_CONNECT_TCP, 16
	}
	if version >= 5 {
		rules.files |= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	if version >= 6 {
		rules.scopes, size = unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET|unix.LANDLOCK_SCOPE_SIGNAL, 24
	}
	rule, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&rules)), size, 0)
	if errno != 0 {
		return fmt.Errorf("landlock: %w", errno)
	}
	defer unix.Close(int(rule))
	// What is locked in may not gain rights: that is a thread's own as well.
	if err := giveUpPrivileges(); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	if err := onAllThreads(unix.SYS_LANDLOCK_RESTRICT_SELF, rule, 0, 0); err != nil {
		return fmt.Errorf("landlock: %w", err)
	}
	return nil
}

// filterCalls leaves the system calls that a worker needs, on all threads at once
// (seccomp(2), SECCOMP_FILTER_FLAG_TSYNC), which gives up new privileges on all.
func filterCalls() error {
	program, err := callFilter(uint32(os.Getpid()))
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&filter)))
	switch {
	case errno != 0:
		return fmt.Errorf("seccomp: %w", errno)
	case thread != 0:
		return errors.New("seccomp: a thread has a filter of its own")
	}
	return nil
}

// inNamespaces makes the process one of its own namespaces, in which it is
// nobody and sees nobody. It can only be tried: containers and distributions
// refuse it in several ways.
func inNamespaces(process *exec.Cmd) {
	nobody := 65534
	process.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID |
			syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: nobody, HostID: os.Getgid(), Size: 1}},
	}
}

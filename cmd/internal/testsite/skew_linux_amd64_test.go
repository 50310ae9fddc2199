package testsite

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Linux has no namespace for the wall clock. So that one host's clock can
// differ from the others', its sshd and all that it starts run under a tracer
// that takes the vDSO from them (execve(2), auxv) and moves what the system
// call clock_gettime(2) tells of the wall clock. What programs tell the kernel of
// its clock (adjtimex(2)) the tracer keeps, and gives back to who asks.

const (
	skewVariable = "ISLAND_TEST_SITE_SKEW"
	timeVariable = "ISLAND_TEST_SITE_TIME" // a shell's command that begins what keeps the clock
)

// skewedSSHD starts a second sshd on a host, on port 2222, whose clock is off.
func (s *site) skewedSSHD(h *host, offset time.Duration) (stop func()) {
	s.t.Helper()
	return s.tracedSSHD(h, offset, "")
}

// chrony starts a second sshd on a host, on port 2222, beside a chronyd that keeps
// a clock of the host's own by a server, with further lines of configuration. The
// tracer lets nothing of it through to the machine's.
func (s *site) chrony(h *host, server, more string) (stop func()) {
	s.t.Helper()
	s.in(h, `mkdir -p -m 750 /run/chrony; printf '%s\n' "$@" >/etc/chrony/untidy.conf`, "chrony",
		"server "+server+" iburst minpoll -2 maxpoll 0", "pidfile /run/chrony/chronyd.pid", "cmdport 0", "port 0", more)
	stop = s.tracedSSHD(h, 0, "chronyd -d -u root -f /etc/chrony/untidy.conf")
	s.in(h, "until chronyc -h /run/chrony/chronyd.sock -n tracking; do sleep 0.1; done")
	return stop
}

// awaitChrony waits until a host's chronyd follows its server.
func (s *site) awaitChrony(h *host) {
	s.t.Helper()
	s.in(h, "chronyc -h /run/chrony/chronyd.sock waitsync 600 0.1 0 0.2")
}

// tracedSSHD starts a second sshd on a host under the tracer, after another program.
func (s *site) tracedSSHD(h *host, offset time.Duration, before string) (stop func()) {
	s.t.Helper()
	self, err := os.Executable()
	if err != nil {
		s.t.Fatal(err)
	}
	s.in(h, "cp /etc/ssh/island_sshd_config /etc/ssh/skewed_config; sed -i 's/^Port 22$/Port 2222/' /etc/ssh/skewed_config")
	data, err := os.ReadFile(self)
	if err != nil {
		s.t.Fatal(err)
	}
	target := fmt.Sprintf("/proc/%d/root/run/skew", h.pid)
	if err := os.WriteFile(target, data, 0o700); err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command("nsenter", "-t", strconv.Itoa(h.pid), "-m", "-u", "-i", "-n", "-p", "-r", "-w", "/run/skew")
	cmd.Env = append(os.Environ(), skewVariable+"="+offset.String(), timeVariable+"="+before)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.awaitPort(h.name, h.pid, "tcp:2222")
	return func() {
		s.in(h, "kill $(cat /run/skew.pid)")
		_ = cmd.Wait()
		s.in(h, "rm -f /run/skew /run/skew.pid")
	}
}

// runSkewed is the tracer: it runs sshd with its clock moved, until it ends.
func runSkewed(offset time.Duration) error {
	runtime.LockOSThread() // ptrace(2) is of one thread
	const script = `[ -z "$1" ] || $1 & exec /usr/sbin/sshd -D -e -f /etc/ssh/skewed_config`
	cmd := exec.Command("/bin/sh", "-c", script, "sh", os.Getenv(timeVariable))
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &unix.SysProcAttr{Ptrace: true, Pdeathsig: unix.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := cmd.Process.Pid
	if err := os.WriteFile("/run/skew.pid", []byte(strconv.Itoa(pid)), 0o600); err != nil {
		return err
	}
	var status unix.WaitStatus
	if _, err := unix.Wait4(pid, &status, 0, nil); err != nil {
		return err
	}
	const options = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_TRACEFORK | unix.PTRACE_O_TRACEVFORK | unix.PTRACE_O_TRACECLONE |
		unix.PTRACE_O_TRACEEXEC | unix.PTRACE_O_EXITKILL
	if err := unix.PtraceSetOptions(pid, options); err != nil {
		return err
	}
	t := tracer{offset: offset, inside: map[int]bool{}}
	if _, err := unix.Adjtimex(&t.clock); err != nil {
		return err
	}
	// As in a kernel that nobody has told of its clock since it began.
	const most = 16e6 // microseconds
	t.clock.Status, t.clock.Maxerror, t.clock.Esterror = unix.STA_UNSYNC, most, most
	t.hideVDSO(pid) // of the first execve, which has just been made
	if err := unix.PtraceSyscall(pid, 0); err != nil {
		return err
	}
	return t.loop(pid)
}

type tracer struct {
	offset time.Duration
	inside map[int]bool // a system call
	clock  unix.Timex   // what was told of it
}

func (t *tracer) loop(first int) error {
	for {
		var status unix.WaitStatus
		pid, err := unix.Wait4(-1, &status, unix.WALL, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		signal := 0
		switch {
		case status.Exited() || status.Signaled():
			delete(t.inside, pid)
			if pid == first {
				return nil
			}
			continue
		case status.Stopped() && status.StopSignal() == unix.SIGTRAP|0x80:
			t.call(pid)
		case status.Stopped() && status.StopSignal() == unix.SIGTRAP && status.TrapCause() == unix.PTRACE_EVENT_EXEC:
			t.hideVDSO(pid)
		case status.Stopped() && status.StopSignal() == unix.SIGTRAP, status.Stopped() && status.StopSignal() == unix.SIGSTOP:
			// a new child, or the stop that it begins with
		case status.Stopped():
			signal = int(status.StopSignal())
		}
		_ = unix.PtraceSyscall(pid, signal) // a process that is gone is told by Wait4
	}
}

// call moves what clock_gettime(CLOCK_REALTIME) and gettimeofday wrote.
func (t *tracer) call(pid int) {
	t.inside[pid] = !t.inside[pid]
	var regs unix.PtraceRegs
	if unix.PtraceGetRegs(pid, &regs) != nil {
		return
	}
	begins := int64(regs.Rax) == -int64(unix.ENOSYS) // so on amd64, whatever was counted
	switch regs.Orig_rax {
	case unix.SYS_ADJTIMEX:
		t.adjust(pid, &regs, uintptr(regs.Rdi), begins)
		return
	case unix.SYS_CLOCK_ADJTIME:
		t.adjust(pid, &regs, uintptr(regs.Rsi), begins)
		return
	case unix.SYS_SETTIMEOFDAY, unix.SYS_CLOCK_SETTIME:
		refuse(pid, &regs)
		return
	}
	if t.inside[pid] || regs.Rax != 0 {
		return
	}
	var address uint64
	unit := int64(time.Nanosecond)
	switch {
	case regs.Orig_rax == unix.SYS_CLOCK_GETTIME && regs.Rdi == unix.CLOCK_REALTIME:
		address = regs.Rsi
	case regs.Orig_rax == unix.SYS_GETTIMEOFDAY:
		address, unit = regs.Rdi, int64(time.Microsecond)
	default:
		return
	}
	data := make([]byte, 16)
	if n, err := unix.PtracePeekData(pid, uintptr(address), data); err != nil || n != 16 {
		return
	}
	seconds, part := int64(binary.LittleEndian.Uint64(data)), int64(binary.LittleEndian.Uint64(data[8:]))
	moved := time.Unix(seconds, part*unit).Add(t.offset)
	binary.LittleEndian.PutUint64(data, uint64(moved.Unix()))
	binary.LittleEndian.PutUint64(data[8:], uint64(int64(moved.Nanosecond())/unit))
	_, _ = unix.PtracePokeData(pid, uintptr(address), data)
}

// refuse turns a system call that begins into none.
func refuse(pid int, regs *unix.PtraceRegs) {
	regs.Orig_rax = ^uint64(0)
	if unix.PtraceSetRegs(pid, regs) != nil {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}

// adjust keeps what a program tells the kernel of its clock, which the kernel is
// only asked for, and gives it back in place of the kernel's.
func (t *tracer) adjust(pid int, regs *unix.PtraceRegs, address uintptr, begins bool) {
	var said unix.Timex
	data := unsafe.Slice((*byte)(unsafe.Pointer(&said)), unsafe.Sizeof(said))
	n, err := unix.PtracePeekData(pid, address, data)
	if err == nil && n == len(data) {
		if begins {
			t.keep(&said)
			said.Modes = 0
		} else {
			said.Status, said.Maxerror, said.Esterror = t.clock.Status, t.clock.Maxerror, t.clock.Esterror
			said.Freq, said.Tick = t.clock.Freq, t.clock.Tick
		}
		n, err = unix.PtracePokeData(pid, address, data)
	}
	switch {
	case begins && (err != nil || n != len(data)):
		refuse(pid, regs)
	case !begins:
		if regs.Rax = unix.TIME_OK; t.clock.Status&unix.STA_UNSYNC != 0 {
			regs.Rax = unix.TIME_ERROR
		}
		_ = unix.PtraceSetRegs(pid, regs)
	}
}

// keep takes over what is told of the clock.
func (t *tracer) keep(said *unix.Timex) {
	for _, told := range []struct {
		mode     uint32
		into, is *int64
	}{
		{unix.ADJ_MAXERROR, &t.clock.Maxerror, &said.Maxerror},
		{unix.ADJ_ESTERROR, &t.clock.Esterror, &said.Esterror},
		{unix.ADJ_FREQUENCY, &t.clock.Freq, &said.Freq},
		{unix.ADJ_TICK, &t.clock.Tick, &said.Tick},
	} {
		if said.Modes&told.mode != 0 {
			*told.into = *told.is
		}
	}
	if said.Modes&unix.ADJ_STATUS != 0 {
		t.clock.Status = said.Status
	}
}

// hideVDSO turns AT_SYSINFO_EHDR in a new program's auxiliary vector into
// AT_IGNORE, so that it asks the kernel for the time (getauxval(3)).
func (t *tracer) hideVDSO(pid int) {
	const atNull, atIgnore, atSysinfoEHDR = 0, 1, 33
	var regs unix.PtraceRegs
	if unix.PtraceGetRegs(pid, &regs) != nil {
		return
	}
	word := func(at uint64) uint64 {
		var data [8]byte
		_, _ = unix.PtracePeekData(pid, uintptr(at), data[:])
		return binary.LittleEndian.Uint64(data[:])
	}
	const size = uint64(unsafe.Sizeof(uintptr(0)))
	at := regs.Rsp + (word(regs.Rsp)+2)*size // argc, argv and its end
	for word(at) != 0 {                      // the environment
		at += size
	}
	for at += size; word(at) != atNull; at += 2 * size {
		if word(at) == atSysinfoEHDR {
			var ignore [8]byte
			binary.LittleEndian.PutUint64(ignore[:], atIgnore)
			_, _ = unix.PtracePokeData(pid, uintptr(at), ignore[:])
		}
	}
}

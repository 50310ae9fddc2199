//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// command is a program to be run as one measured child.
type command struct {
	path string
	args []string
	env  []string // added to this process's own
}

// usage is what the kernel counted of one child, and of its own children that
// it waited for.
type usage struct {
	wall    time.Duration
	cpu     time.Duration // user and system
	peak    int64         // largest resident set of one process, bytes (getrusage(2), ru_maxrss)
	read    int64         // by read(2) and its like, files and sockets alike (proc(5), rchar)
	written int64         // by write(2) and its like (wchar)
	toDisk  int64         // dirtied in the page cache of a disk's file system (write_bytes)
}

// runChild runs a command to its end and gives its counts and its standard
// output. A command that fails is an error with what it said.
func runChild(ctx context.Context, c command) (result, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, c.path, c.args...)
	cmd.Env = append(os.Environ(), c.env...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return result{}, err
	}
	// The child is waited for without being reaped: while it is a zombie, the
	// kernel still tells what it read and wrote, to the last byte.
	err := waitUnreaped(cmd.Process.Pid)
	u := usage{wall: time.Since(start)}
	if err == nil {
		err = u.readIO(cmd.Process.Pid)
	}
	if failed := cmd.Wait(); failed != nil {
		return result{}, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), failed, bytes.TrimSpace(stderr.Bytes()))
	}
	if err != nil {
		return result{}, err
	}
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	u.peak = cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	return result{usage: u, stdout: stdout.Bytes()}, nil
}

type result struct {
	usage
	stdout []byte
}

func waitUnreaped(pid int) error {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// readIO reads /proc/PID/io (proc_pid_io(5)).
func (u *usage) readIO(pid int) error {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/io", pid))
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(data)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("line %q of /proc/PID/io: %w", line, err)
		}
		switch name {
		case "rchar":
			u.read = n
		case "wchar":
			u.written = n
		case "write_bytes":
			u.toDisk = n
		}
	}
	return nil
}

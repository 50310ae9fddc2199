package sandbox

import "golang.org/x/sys/unix"

// archCalls are those of the list that only this architecture has.
var archCalls = []uintptr{unix.SYS_EPOLL_WAIT, unix.SYS_ARCH_PRCTL, unix.SYS_TIME}

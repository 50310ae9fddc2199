package sandbox

import "syscall"

// limitProcess sets limits of the operating system on this process
// (getrlimit(2)): no file may be written, no core dumped, few files be open,
// and memory may not grow beyond the given bytes. RLIMIT_DATA counts what is
// writable and private, which the address space that Go reserves is not.
func limitProcess(memory uint64) error {
	for _, limit := range []struct {
		resource int
		value    uint64
	}{{syscall.RLIMIT_FSIZE, 0}, {syscall.RLIMIT_CORE, 0}, {syscall.RLIMIT_NOFILE, 64}, {syscall.RLIMIT_DATA, memory}} {
		if err := syscall.Setrlimit(limit.resource, &syscall.Rlimit{Cur: limit.value, Max: limit.value}); err != nil {
			return err
		}
	}
	return nil
}

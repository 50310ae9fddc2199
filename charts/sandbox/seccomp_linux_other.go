//go:build linux && !amd64

package sandbox

// archCalls are those of the list that only this architecture has.
var archCalls []uintptr

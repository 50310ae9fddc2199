//go:build linux

// Package probetest lets a test program be the probe, for tests that send one to
// hosts.
package probetest

import (
	"context"
	"os"
	"sync"

	"github.com/islandbundle/island/sizing/preflight/probe"
)

// Serve serves a session as the probe does, if this program was called as the
// probe, and does not return then. TestMain calls it.
func Serve() {
	if len(os.Args) <= 3 || os.Args[1] != "session" {
		return
	}
	if os.Remove(os.Args[0]) != nil || os.Remove(os.Args[3]) != nil {
		os.Exit(1)
	}
	if probe.Serve(context.Background(), probe.System{Version: "test"}, os.Stdin, os.Stdout) != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// Compressed returns this very program as it is sent, by the sender's compress.
func Compressed(compress func([]byte) ([]byte, error)) func() ([]byte, error) {
	return sync.OnceValues(func() ([]byte, error) {
		program, err := os.ReadFile("/proc/self/exe")
		if err != nil {
			return nil, err
		}
		return compress(program)
	})
}

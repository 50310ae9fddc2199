//go:build linux && !amd64

package testsite

import (
	"errors"
	"time"
)

const skewVariable = "ISLAND_TEST_SITE_SKEW"

// skewedSSHD takes a tracer that knows the processor's registers.
func (s *site) skewedSSHD(*host, time.Duration) func() {
	s.t.Skip("the wall clock is moved on amd64 alone")
	return nil
}

// chrony does, too.
func (s *site) chrony(*host, string, string) func() {
	s.t.Skip("a host has a clock of its own on amd64 alone")
	return nil
}

func (s *site) awaitChrony(*host) {}

func runSkewed(time.Duration) error { return errors.ErrUnsupported }

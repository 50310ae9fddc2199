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

// chrony leaves the host its clock as it is.
func (s *site) chrony(*host, string) func() { return func() {} }

func runSkewed(time.Duration) error { return errors.ErrUnsupported }

//go:build !linux

package bundle_test

import "errors"

func mount(string, string) error { return errors.ErrUnsupported }

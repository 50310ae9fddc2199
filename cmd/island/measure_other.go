//go:build !linux

package main

import (
	"context"
	"runtime"

	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/preflight/inventory"
)

// measure refuses: there are no probes for this system.
func (a *app) measure(context.Context, preflightFlags, *inventory.Inventory, preflight.Input, *kit) (*facts.Survey, error) {
	return nil, measurable(runtime.GOOS)
}

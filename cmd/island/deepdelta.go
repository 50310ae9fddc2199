package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/islandbundle/island/bundle"
)

// The values of --delta.
const (
	deltaWhole = "whole" // changed layers are carried whole
	deltaDeep  = "deep"  // or as patches
)

// checkDelta makes sure that --delta is a form that there is.
func (f *buildFlags) checkDelta() error {
	if f.delta != deltaWhole && f.delta != deltaDeep {
		return usage("--delta=whole or --delta=deep", "--delta %q is not known", f.delta)
	}
	return nil
}

// deepen makes of the plan of a whole bundle that of a deep delta, signed, which
// has to be closed. Patches are kept without names beside the output, where
// there is room for layers.
func (a *app) deepen(
	ctx context.Context, f buildFlags, plan *bundle.Plan, signers []namedSigner, source bundle.Source, out string,
) (*bundle.Plan, error) {
	base, closeBase, err := openDeepBase(f.base)
	if err != nil {
		return nil, err
	}
	defer closeBase() //nolint:errcheck // read only
	progress := a.progress("compare")
	delta, err := plan.DeepDelta(ctx, base, source, bundle.DeepOptions{Folder: filepath.Dir(out), Progress: progress})
	progress.close()
	if err != nil {
		return nil, err
	}
	if err := signPlan(delta, signers); err != nil {
		_ = delta.Close()
		return nil, err
	}
	return delta, nil
}

// openBase reads what a delta is to be made for: an earlier bundle, or the
// bundle.json out of one. It is the sender's own, so that no key is asked for:
// a wrong one makes a delta that no site accepts.
func openBase(name string) (*bundle.Base, error) {
	file, err := open(name, anInventory)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if file.form == anInventory {
		return file.base()
	}
	b, err := file.bundle(bundle.Trust{WithoutAnyCheck: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if b.Delta != nil {
		return nil, usage("apply it first, or give its target's bundle.json", "%s is a delta itself", name)
	}
	return b.Base(), nil
}

// openDeepBase opens the base for what it holds, not for its inventory alone.
func openDeepBase(name string) (*bundle.Bundle, func() error, error) {
	file, err := open(name, anInventory)
	if err != nil {
		return nil, nil, err
	}
	if file.form == anInventory {
		file.Close()
		return nil, nil, usage("give the archive; without it, leave out --delta=deep",
			"%s is an inventory: a deep delta is made of what layers hold", name)
	}
	return file.opened(bundle.Trust{WithoutAnyCheck: true})
}

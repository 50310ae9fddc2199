package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/trust/state"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// acceptFlags say what a site remembers, and what it makes of a bundle that is
// older than one accepted before, or expired.
type acceptFlags struct {
	state         string
	allowRollback string
	enforceExpiry bool
}

func (f *acceptFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.state, "state", "", "file in which this site remembers what it has accepted; made if there is none")
	cmd.Flags().StringVar(&f.allowRollback, "allow-rollback", "",
		"take a bundle whose sequence goes back or leaps ahead, for this `REASON`, which is recorded")
	cmd.Flags().BoolVar(&f.enforceExpiry, "enforce-expiry", false, "refuse an expired bundle instead of warning of it")
}

// load reads the site's state, and takes keys that it knows to be revoked out
// of the trust. It is nil where no state is kept.
func (f *acceptFlags) load(trust *bundle.Trust, today manifests.Date) (*state.State, error) {
	if f.state == "" {
		if f.allowRollback != "" {
			return nil, usage("name the state file with --state", "--allow-rollback has nothing to allow without --state")
		}
		return nil, nil
	}
	known := state.New()
	if _, err := os.Lstat(f.state); !errors.Is(err, os.ErrNotExist) {
		data, err := readDocument(f.state, state.MaxBytes, aState)
		if err != nil {
			return nil, err
		}
		if known, err = state.Read(f.state, data); err != nil {
			return nil, err
		}
	}
	for _, id := range trust.Revoked {
		known.Revoke(id, "named with --revoked", today)
	}
	trust.Revoked = slices.Clone(known.Revoked)
	return known, nil
}

// accept judges a bundle that was verified, and remembers it.
func (a *app) accept(f acceptFlags, known *state.State, b *bundle.Bundle, today manifests.Date) error {
	if b.Expired(today.Time()) {
		what := fmt.Sprintf("bundle expired on %s; today is %s by this machine's clock", b.Inventory.Lock.Release.Expires, today)
		if f.enforceExpiry {
			return fault.New(fault.Refused, fault.Site, bundle.InventoryPath, "get the newest bundle; or check the clock", "%s", what)
		}
		a.err.Printf("island: warning: %s\n", what)
	}
	if known == nil {
		return nil
	}
	delivery := state.Delivery{Release: b.Inventory.Lock.Release, Digest: b.Digest, Signers: b.SignedBy.Keys()}
	if err := known.Accept(delivery, f.allowRollback, today); err != nil {
		return err
	}
	encoded, err := manifests.EncodeJSON(known)
	if err != nil {
		return err
	}
	return writeWhole(f.state, encoded, 0o644)
}

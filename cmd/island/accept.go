package main

import (
	"context"
	"fmt"
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

// open opens the site's state, notes the keys that are revoked there from now on, and
// takes all that it knows to be revoked out of the trust. It is nil where no state is
// kept.
func (f *acceptFlags) open(ctx context.Context, a *app, trust *bundle.Trust, today manifests.Date) (*siteState, error) {
	if f.state == "" {
		return nil, nil
	}
	site, err := openSiteState(f.state, a.note)
	if err != nil {
		return nil, err
	}
	if err := site.revoke(ctx, trust, today); err != nil {
		site.Close()
		return nil, err
	}
	return site, nil
}

// revoke notes revoked keys whatever becomes of the bundle: who names one means it for
// good.
func (s *siteState) revoke(ctx context.Context, trust *bundle.Trust, today manifests.Date) error {
	known, err := s.read()
	if err != nil {
		return err
	}
	isNew := func(id string) bool { return !slices.Contains(known.Revoked, id) }
	if slices.ContainsFunc(trust.Revoked, isNew) {
		err = s.update(ctx, func(now *state.State) error {
			for _, id := range trust.Revoked {
				now.Revoke(id, "named with --revoked", today)
			}
			known = now
			return nil
		})
	}
	trust.Revoked = slices.Clone(known.Revoked)
	return err
}

// accept judges a bundle that was verified, and remembers it.
func (a *app) accept(ctx context.Context, f acceptFlags, site *siteState, b *bundle.Bundle, today manifests.Date) error {
	if b.Expired(today.Time()) {
		what := fmt.Sprintf("bundle expired on %s; today is %s by this machine's clock", b.Inventory.Lock.Release.Expires, today)
		if f.enforceExpiry {
			return fault.New(fault.Refused, fault.Site, bundle.InventoryPath, "get the newest bundle; or check the clock", "%s", what)
		}
		a.err.Printf("island: warning: %s\n", what)
	}
	if site == nil {
		return nil
	}
	return site.update(ctx, func(known *state.State) error {
		delivery := state.Delivery{Release: b.Inventory.Lock.Release, Digest: b.Digest, Slots: len(b.Inventory.Signatures)}
		for _, key := range b.SignedBy.Keys() {
			if !slices.Contains(known.Revoked, key.ID()) {
				delivery.Signers = append(delivery.Signers, key)
			}
		}
		if len(b.SignedBy) > 0 && len(delivery.Signers) == 0 {
			return fault.New(fault.Refused, fault.Site, bundle.SignaturePath, "get the bundle signed by another key",
				"whoever has signed it was revoked while it was verified")
		}
		return known.Accept(delivery, f.allowRollback, today)
	})
}

package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

func (a *app) verify() *cobra.Command {
	var trust trustFlags
	var accept acceptFlags
	cmd := &cobra.Command{
		Use:   "verify BUNDLE",
		Short: "Check the signature and every byte of a bundle",
		Long: `Check a bundle before anything in it is used: first the signature over its
inventory, then every header, every padding byte and the end of the archive
against what the inventory makes them, every content against its digest, and
every image for being whole. It stops at the first bad byte and names the entry.

BUNDLE may be - for standard input, which is read once. Of a delta bundle, what it
carries is checked, and its base named.

With --state the site remembers the highest sequence that it has accepted of each
release, whoever signed it: an older bundle, however well signed, is refused. What
only keys named with --revoked have signed counts no more. Another bundle of the same
sequence is refused, too, and one that has none says that nobody can tell whether it
is newer.` + exitStatus(refusedStatus),
		Example: `  island verify wire-2026.1-amd64.tar --key island.pub
  island verify wire-2026.1-amd64.tar --key island.pub --state /var/lib/island/state.json
  ssh carrier cat wire.tar | island verify - --key island.pub`,
		Args: oneArg("a bundle"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := trust.trust()
			if err != nil {
				return err
			}
			return a.runVerify(cmd.Context(), args[0], t, accept)
		},
	}
	inGroup(cmd, ofState, accept.add)
	trust.add(a, cmd)
	a.idle(cmd, idleWithout([]string{"allow-rollback"}, "name the state file with --state", "state"))
	return cmd
}

type verifyResult struct {
	Bundle   string                  `json:"bundle"`
	Verified bool                    `json:"verified"` // always true: what is not verified is an error
	Digest   manifests.Digest        `json:"digest"`
	SignedBy string                  `json:"signedBy,omitempty"` // id of the first key that has signed
	Signers  []signer                `json:"signers,omitempty"`  // all trusted keys that have signed
	Release  manifests.LockedRelease `json:"release"`
	Order    *message.Text           `json:"order,omitempty"`   // what cannot be told of its place among all deliveries
	Patches  []string                `json:"patches,omitempty"` // those in it, by id
	Entries  int                     `json:"entries"`
	Size     int64                   `json:"size"`
	Base     *bundle.DeltaBase       `json:"base,omitempty"` // of a delta: the bundle that it has to be applied to
	counts
}

func (r verifyResult) text(w *printable.Printer) {
	w.Printf("verified %s  (%s, %s)\n", r.Bundle, manifests.Bytes(r.Size), fault.Counted(r.Entries, "entry", "entries"))
	w.Printf("release  %s\n", releaseLine(r.Release))
	sequenceLine(w, r.Release.Sequence, r.Order)
	patchesLine(w, r.Patches)
	if r.Base != nil {
		w.Printf("delta    to be applied to %s %s, identity %s\n", r.Base.Name, r.Base.Version,
			r.Base.Digest)
	}
	r.counts.text(w)
	if len(r.Signers) == 0 {
		w.Printf("signed   NO: whoever made this archive may be anyone\n")
	}
	for i, signer := range r.Signers {
		w.Printf("signed   by key %s", signer.KeyID)
		if i > 0 {
			w.Printf("  (%s)", signer.Slot)
		}
		w.Printf("\n")
	}
	w.Printf("identity %s\n", r.Digest)
}

func (a *app) runVerify(ctx context.Context, name string, trust bundle.Trust, accept acceptFlags) error {
	day, err := today()
	if err != nil {
		return err
	}
	site, err := accept.open(ctx, a, &trust, day)
	if err != nil {
		return err
	}
	if site != nil {
		defer site.Close()
	}
	progress := a.progress("verify")
	b, err := verifyFileOrStream(ctx, name, trust, bundle.VerifyOptions{Progress: progress})
	progress.close()
	if err != nil {
		return err
	}
	result := verifyResult{
		Bundle: name, Verified: true, Digest: b.Digest, Release: b.Inventory.Lock.Release,
		Entries: len(b.Inventory.Entries), Size: b.Size(), counts: count(&b.Inventory.Lock),
	}
	result.Order, result.Patches = orderOf(result.Release), patchIDs(&b.Inventory.Lock)
	result.SignedBy, result.Signers = firstSigner(b.SignedBy), signersOf(b.SignedBy)
	if b.Delta != nil {
		result.Base, result.Entries = &b.Delta.Base, len(b.Delta.Entries)+len(b.Delta.Deep)
	}
	if err := a.accept(ctx, accept, site, b, day); err != nil {
		return err
	}
	return a.print(result)
}

func verifyFileOrStream(ctx context.Context, name string, trust bundle.Trust, options bundle.VerifyOptions) (*bundle.Bundle, error) {
	if name == "-" {
		stream, err := openStream(os.Stdin)
		if err != nil {
			return nil, err
		}
		return bundle.VerifyStream(ctx, stream, trust, options)
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		return nil, notRegular(name, "save it to a file; island verify also reads standard input, named -")
	}
	file, err := open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	b, err := file.bundle(trust)
	if err != nil {
		return nil, err
	}
	return b, file.explain(b.Verify(ctx, options))
}

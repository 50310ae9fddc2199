package main

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
)

func (a *app) apply() *cobra.Command {
	var trust trustFlags
	var out string
	var force bool
	cmd := &cobra.Command{
		Use:   "apply BASE DELTA",
		Short: "Make the whole new bundle of an earlier one and a delta",
		Long: `Make of the bundle that is on the island and a delta bundle the whole new bundle,
to the byte what the sender would have built in full, signatures included.

Both signatures are checked, and that DELTA is for this BASE, before any work is
done; every content is checked on its way. Run the same command again after an
interruption and it goes on where it stopped.` + exitStatus(refusedStatus),
		Example: `  island apply wire-2026.1-amd64.tar wire-2026.1.1-amd64.delta.tar --key island.pub
  island apply old.tar delta.tar --key island.pub -o new.tar`,
		Args: twoArgs("the base and the delta"),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := trust.trust()
			if err != nil {
				return err
			}
			return a.runApply(cmd.Context(), args[0], args[1], t, out, force)
		},
	}
	trust.add(a, cmd)
	cmd.Flags().StringVarP(&out, "out", "o", "", "archive to write (default: NAME-VERSION-ARCH.tar)")
	cmd.Flags().BoolVar(&force, "force", false, "replace an archive that exists")
	return cmd
}

type applyResult struct {
	Bundle  string                  `json:"bundle"`
	Digest  manifests.Digest        `json:"digest"`
	Release manifests.LockedRelease `json:"release"`
	Patches []string                `json:"patches,omitempty"` // those in it, by id
	Size    int64                   `json:"size"`
	Delta   int64                   `json:"delta"` // bytes of the delta archive
}

func (r applyResult) text(w *printable.Printer) {
	w.Printf("bundle   %s  (%s)\n", r.Bundle, manifests.Bytes(r.Size))
	w.Printf("release  %s\n", releaseLine(r.Release))
	patchesLine(w, r.Patches)
	w.Printf("carried  %s, %.1f%% of the whole\n", manifests.Bytes(r.Delta), 100*float64(r.Delta)/float64(r.Size))
	w.Printf("identity %s\n", r.Digest)
}

func (a *app) runApply(ctx context.Context, baseName, deltaName string, trust bundle.Trust, out string, force bool) error {
	if err := noDash(out); err != nil {
		return err
	}
	base, closeBase, err := openBundle(baseName, trust)
	if err != nil {
		return err
	}
	defer closeBase() //nolint:errcheck // read only
	delta, closeDelta, err := openBundle(deltaName, trust)
	if err != nil {
		return err
	}
	defer closeDelta() //nolint:errcheck // read only
	if base.Delta != nil && delta.Delta == nil {
		return usage("island apply "+deltaName+" "+baseName, "the base and the delta are given the wrong way round")
	}
	plan, source, err := bundle.Apply(base, delta)
	if err != nil {
		return err
	}
	out = cmp.Or(out, bundle.FileName(&plan.Inventory.Lock))
	if err := notAnInput(out, baseName, deltaName); err != nil {
		return err
	}
	progress := a.progress("apply")
	err = bundle.Fill(ctx, plan, source, out, bundle.FillOptions{Progress: progress, Replace: force})
	progress.close()
	if err != nil {
		return err
	}
	lock := &plan.Inventory.Lock
	return a.print(applyResult{
		Bundle: out, Digest: plan.Digest(), Release: lock.Release, Patches: patchIDs(lock), Size: plan.Size(), Delta: delta.Size(),
	})
}

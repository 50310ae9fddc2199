package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle"
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
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage(cmd.CommandPath()+" --help", "wants two arguments, the base and the delta; got %d", len(args))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := trust.trust()
			if err != nil {
				return err
			}
			return a.runApply(cmd.Context(), args[0], args[1], t, out, force)
		},
	}
	trust.add(cmd)
	cmd.Flags().StringVarP(&out, "out", "o", "", "archive to write (default: NAME-VERSION-ARCH.tar)")
	cmd.Flags().BoolVar(&force, "force", false, "replace an archive that exists")
	return cmd
}

type applyResult struct {
	Bundle  string                  `json:"bundle"`
	Digest  manifests.Digest        `json:"digest"`
	Release manifests.LockedRelease `json:"release"`
	Size    int64                   `json:"size"`
	Delta   int64                   `json:"delta"` // bytes of the delta archive
}

func (r applyResult) text(w io.Writer) {
	fmt.Fprintf(w, "bundle   %s  (%s)\n", r.Bundle, manifests.Bytes(r.Size))
	fmt.Fprintf(w, "release  %s\n", printable(releaseLine(r.Release)))
	fmt.Fprintf(w, "carried  %s, %.1f%% of the whole\n", manifests.Bytes(r.Delta), 100*float64(r.Delta)/float64(r.Size))
	fmt.Fprintf(w, "identity %s\n", r.Digest)
}

func (a *app) runApply(ctx context.Context, baseName, deltaName string, trust bundle.Trust, out string, force bool) error {
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
	plan, source, err := bundle.Apply(base, delta)
	if err != nil {
		return err
	}
	out = cmp.Or(out, bundle.FileName(&plan.Inventory.Lock))
	progress := a.progress("apply")
	err = bundle.Fill(ctx, plan, source, out, bundle.FillOptions{Progress: progress, Replace: force})
	progress.close()
	if err != nil {
		return err
	}
	return a.print(applyResult{
		Bundle: out, Digest: plan.Digest(), Release: plan.Inventory.Lock.Release, Size: plan.Size(), Delta: delta.Size(),
	})
}

// openBundle opens a bundle whose signature is trusted.
func openBundle(name string, trust bundle.Trust) (*bundle.Bundle, func() error, error) {
	file, size, err := openRegular(name)
	if err != nil {
		return nil, nil, err
	}
	b, err := bundle.Open(file, size, trust)
	if err != nil {
		file.Close()
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, file.Close, nil
}

// openBase reads what a delta is to be made for: an earlier bundle, or the
// bundle.json out of one. It is the sender's own, so that no key is asked for:
// a wrong one makes a delta that no site accepts.
func openBase(name string) (*bundle.Base, error) {
	file, size, err := openRegular(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if startsWithBrace(file) {
		data, err := readBounded(name, bundle.MaxInventoryBytes)
		if err != nil {
			return nil, err
		}
		return bundle.ReadBase(data)
	}
	b, err := bundle.Open(file, size, bundle.Trust{WithoutAnyCheck: true})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if b.Delta != nil {
		return nil, usage("apply it first, or give its target's bundle.json", "%s is a delta itself", name)
	}
	return b.Base(), nil
}

func startsWithBrace(file *os.File) bool {
	start := make([]byte, 1)
	_, err := file.ReadAt(start, 0)
	return err == nil && start[0] == '{'
}

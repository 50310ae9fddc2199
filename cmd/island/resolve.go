package main

import (
	"github.com/spf13/cobra"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests"
)

// lockName is what a lock is called where nobody says otherwise.
const lockName = "island.lock.json"

func (a *app) resolve() *cobra.Command {
	var release releaseFlags
	var upstream upstreamFlags
	var out string
	cmd := &cobra.Command{
		Use:   "resolve -f RELEASE",
		Short: "Pin everything that a release names, in a lock file",
		Long: `Read a release, fetch and render its charts, find the images in them, look up
their tags, and write a lock file in which every chart, image, blob and file is
pinned by digest and size.

RELEASE is a Release document of this project (docs/releases.md), or Wire's own
build.json; to that, the system images, binaries and values that Wire's scripts
hard-code are added (docs/wire.md). Overlays and flags are laid over both.

Put the lock beside the release: paths in it are relative to that folder.` + exitStatus(demandedStatus),
		Example: `  island resolve -f build.json --profile default -o island.lock.json
  island resolve -f release.yaml --mirrors mirrors.yaml --overlay ours.yaml -o -`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if release.file == "" {
				return usage("island resolve -f build.json", "no release named")
			}
			if err := notAnInput(out, append(release.inputs(), upstream.mirrors)...); err != nil {
				return err
			}
			assembled, err := release.assemble()
			if err != nil {
				return err
			}
			lock, err := a.makeLock(cmd.Context(), assembled, release, upstream)
			if err != nil {
				return err
			}
			return a.writeLock(lock, out)
		},
	}
	release.add(cmd)
	upstream.add(a, cmd)
	cmd.Flags().StringVarP(&out, "out", "o", lockName, "lock file to write; - for standard output")
	return cmd
}

type resolveResult struct {
	Lock    string `json:"lock"`
	Release string `json:"release"`
	Version string `json:"version"`
	counts
}

func (r resolveResult) text(w *printable.Printer) {
	w.Printf("lock     %s\nrelease  %s %s\n", r.Lock, r.Release, r.Version)
	r.counts.text(w)
}

func (a *app) writeLock(lock *manifests.Lock, out string) error {
	encoded, err := lock.Encode()
	if err != nil {
		return err
	}
	if out == "-" {
		return a.printDocument(encoded)
	}
	if err := writeWhole(out, encoded, 0o644); err != nil {
		return err
	}
	return a.print(resolveResult{Lock: out, Release: lock.Release.Name, Version: lock.Release.Version, counts: count(lock)})
}

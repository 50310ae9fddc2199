package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/charts/sandbox"
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

Put the lock beside the release: paths in it are relative to that folder.` + exitStatus(),
		Example: `  island resolve -f build.json --profile default -o island.lock.json
  island resolve -f release.yaml --mirrors mirrors.yaml --overlay ours.yaml -o -`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if release.file == "" {
				return usage("island resolve -f build.json", "no release named")
			}
			lock, err := a.makeLock(cmd.Context(), release, upstream)
			if err != nil {
				return err
			}
			return a.writeLock(lock, out)
		},
	}
	release.add(cmd)
	upstream.add(cmd)
	cmd.Flags().StringVarP(&out, "out", "o", lockName, "lock file to write; - for standard output")
	return cmd
}

func (a *app) makeLock(ctx context.Context, release releaseFlags, upstream upstreamFlags) (*manifests.Lock, error) {
	assembled, err := release.assemble()
	if err != nil {
		return nil, err
	}
	world, err := upstream.open(a, assembled.BaseDir)
	if err != nil {
		return nil, err
	}
	defer world.Close()
	progress := a.progress("resolve")
	defer progress.close()
	pool, err := sandbox.New(sandbox.Options{})
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	return resolve.Resolve(ctx, assembled, world, resolve.Options{
		Parallel: upstream.total, Progress: progress, Discover: pool.Discover, StubRequired: release.stubRequired,
	})
}

type resolveResult struct {
	Lock    string `json:"lock"`
	Release string `json:"release"`
	Version string `json:"version"`
	counts
}

// counts are the figures by which a person recognises a delivery.
type counts struct {
	Charts  int   `json:"charts"`
	Images  int   `json:"images"`
	Blobs   int   `json:"blobs"`
	Files   int   `json:"files"`
	LeftOut int   `json:"leftOut"`
	Unsure  int   `json:"undecided,omitempty"` // what may be an image and no rule decides
	Bytes   int64 `json:"bytes"`               // of charts, blobs and files, each once
}

func count(lock *manifests.Lock) counts {
	c := counts{
		Charts: len(lock.Charts), Images: len(lock.Images), Blobs: len(lock.Blobs),
		Files: len(lock.Files), LeftOut: len(lock.LeftOut), Unsure: len(lock.Undecided),
	}
	for _, chart := range lock.Charts {
		c.Bytes += chart.Content.Size
	}
	for _, blob := range lock.Blobs {
		c.Bytes += blob.Size
	}
	for _, file := range lock.Files {
		c.Bytes += file.Content.Size
	}
	return c
}

func (c counts) text(w io.Writer) {
	fmt.Fprintf(w, "charts   %d\n", c.Charts)
	fmt.Fprintf(w, "images   %d, in %d blobs\n", c.Images, c.Blobs)
	fmt.Fprintf(w, "files    %d\n", c.Files)
	fmt.Fprintf(w, "left out %d, each with its reason\n", c.LeftOut)
	if c.Unsure > 0 {
		fmt.Fprintf(w, "unsure   %d that may be images: island discover lists them, rules of the release decide\n", c.Unsure)
	}
	fmt.Fprintf(w, "content  %s\n", manifests.Bytes(c.Bytes))
}

func (r resolveResult) text(w io.Writer) {
	fmt.Fprintf(w, "lock     %s\nrelease  %s %s\n", r.Lock, r.Release, r.Version)
	r.counts.text(w)
}

func (a *app) writeLock(lock *manifests.Lock, out string) error {
	encoded, err := lock.Encode()
	if err != nil {
		return err
	}
	if out == "-" {
		_, err := a.out.Write(encoded)
		return err
	}
	if err := writeWhole(out, encoded, 0o644); err != nil {
		return err
	}
	return a.print(resolveResult{Lock: out, Release: lock.Release.Name, Version: lock.Release.Version, counts: count(lock)})
}

// readLock reads a lock file.
func readLock(name string) (*manifests.Lock, error) {
	data, err := readBounded(name, manifests.MaxLockBytes)
	if err != nil {
		return nil, err
	}
	return manifests.ReadLock(name, data)
}

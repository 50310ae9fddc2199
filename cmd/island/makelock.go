package main

import (
	"context"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/charts/sandbox"
	"github.com/islandbundle/island/manifests"
)

// makeLock resolves a release.
func (a *app) makeLock(
	ctx context.Context, assembled *resolve.Assembled, release releaseFlags, upstream upstreamFlags,
) (*manifests.Lock, error) {
	world, err := upstream.open(a, assembled.BaseDir, assembled.Secrets)
	if err != nil {
		return nil, err
	}
	defer world.Close()
	progress := a.progress("resolve")
	defer progress.close()
	pool, err := sandbox.New(sandbox.Options{Lacks: progress.Notice})
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	return resolve.Resolve(ctx, assembled, world, resolve.Options{
		Parallel: upstream.total, Progress: progress, Discover: pool.Discover, StubRequired: release.stubRequired,
	})
}

package resolve

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Options say how a release is resolved. The zero value looks up eight things
// at once and tells nobody.
type Options struct {
	Parallel int
	Progress Progress
	// Discover looks for images in a chart; nil does it in this process.
	Discover Discover
	// StubRequired makes up the values that charts demand and the release does
	// not give, for the sake of finding images. The lock says which.
	StubRequired bool
}

// Progress is told what is being looked up. Its methods are called from
// several goroutines at once.
type Progress interface {
	Stage(name string, total int) // charts, images or files, in this order
	Step(what string)             // one of the stage's is done
	Notice(text string)           // worth knowing, but no error
}

type silent struct{}

func (silent) Stage(string, int) {}
func (silent) Step(string)       {}
func (silent) Notice(string)     {}

// Resolve pins everything that an assembled release names. It reports all that
// is wrong at once, each error with its chart, template, line or field; a
// release of which any part cannot be pinned gives no lock.
//
// The same release and the same upstream give the same lock.
func Resolve(ctx context.Context, a *Assembled, world World, options Options) (*manifests.Lock, error) {
	if err := a.drafts(); err != nil {
		return nil, err
	}
	r := newResolver(a, world, options)
	if err := a.checkNumber(r.progress.Notice); err != nil {
		return nil, err
	}
	if err := r.all(ctx); err != nil {
		return nil, err
	}
	lock := r.lock(a.Profile)
	r.patches.decide(lock)
	a.complete(lock)
	lock.NeedFormat(r.format)
	lock.Sort()
	return lock, lock.Check()
}

// drafts refuses patches whose texts nobody has written yet: they would reach sites.
func (a *Assembled) drafts() error {
	if a.Patched == nil {
		return nil
	}
	var errs []error
	for _, p := range a.Patched.Applied {
		errs = append(errs, p.Drafts())
	}
	return errors.Join(errs...)
}

func newResolver(a *Assembled, world World, options Options) *resolver {
	r := &resolver{
		release: a.Release, inputs: a.inputs, secrets: a.Secrets, world: world,
		progress: options.Progress, parallel: cmp.Or(options.Parallel, 8),
		look: options.Discover, stubRequired: options.StubRequired,
		images: map[string]*wanted{}, blobs: map[manifests.Digest]manifests.Content{},
		discovered: map[string]charts.Discovery{}, places: map[manifests.EntryPath]fault.Place{},
		leftOut: a.LeftOut, patches: newPatching(a.Patched),
	}
	if r.inputs == nil {
		r.inputs = newInputs(a.BaseDir)
	}
	if r.progress == nil {
		r.progress = silent{}
	}
	if r.look == nil {
		r.look = inProcess
	}
	return r
}

type resolver struct {
	release  *manifests.Release
	inputs   *inputs
	secrets  *source.Secrets
	world    World
	progress Progress
	parallel int
	look     Discover

	stubRequired bool

	mu      sync.Mutex // guards all below
	patches *patching
	charts  []manifests.LockedChart
	images  map[string]*wanted // by full name
	locked  []manifests.LockedImage
	format  int // of bundles that can carry their indexes, if it is not 1
	blobs   map[manifests.Digest]manifests.Content
	files   []manifests.LockedFile
	places  map[manifests.EntryPath]fault.Place // where charts and files are named
	leftOut []manifests.Omission

	discovered map[string]charts.Discovery // by keyOf the chart
	undecided  []manifests.Omission
	stubbed    []manifests.StubbedValue
}

func (r *resolver) all(ctx context.Context) error {
	// Charts and files do not depend on each other, so that a person gets to
	// know what is wrong with either in one run.
	chartsErr := r.resolveCharts(ctx)
	if chartsErr == nil {
		chartsErr = r.decideAll(ctx)
	}
	imagesErr := r.listedImages()
	filesErr := r.resolveFiles(ctx)
	if err := errors.Join(chartsErr, imagesErr, filesErr); err != nil {
		return err
	}
	if err := errors.Join(r.clashes(), r.overridesMatched()); err != nil {
		return err
	}
	return r.resolveImages(ctx)
}

// decideAll decides about everything that was found in charts. An image of which
// it is not known whether it exists is an error.
func (r *resolver) decideAll(ctx context.Context) error {
	finds, unknown := r.confirm(ctx, r.found().finds())
	if len(unknown) > 0 {
		var errs []error
		for _, one := range unknown {
			errs = append(errs, one.err)
		}
		return errors.Join(errs...)
	}
	decision, err := r.decide(finds)
	if err != nil {
		return err
	}
	return r.takeDecision(decision)
}

func (r *resolver) lock(profile string) *manifests.Lock {
	m := r.release.Metadata
	lock := &manifests.Lock{
		APIVersion: manifests.APIVersion, Kind: manifests.KindLock,
		Release: manifests.LockedRelease{
			Name: m.Name, Version: m.Version, Cycle: m.Cycle, Date: m.Date, Sequence: m.Sequence,
			Expires: m.Expires, Support: m.Support, Upgrades: m.Upgrades, Profile: profile, Platforms: r.release.Platforms,
		},
		Charts: orEmpty(r.charts), Images: orEmpty(r.locked), Files: orEmpty(r.files), LeftOut: orEmpty(r.leftOut),
		Blobs:     []manifests.Content{},
		Undecided: r.undecided, Rules: r.release.Discovery.Rules, Stubbed: r.stubbed,
	}
	if up := m.UpgradeFrom; up.Range != "" || len(up.Skip) > 0 {
		locked := &manifests.LockedUpgradeFrom{Range: up.Range}
		for _, skip := range up.Skip {
			locked.Skip = append(locked.Skip, manifests.LockedSkip(skip))
		}
		lock.Release.UpgradeFrom = locked
	}
	for _, blob := range r.blobs {
		lock.Blobs = append(lock.Blobs, blob)
	}
	return lock
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (r *resolver) leave(what, reason string, origin manifests.Origin) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leftOut = append(r.leftOut, manifests.Omission{What: what, Reason: reason, Origin: origin})
}

// each does a job for every item on several workers and gives all errors, in
// the order of the items.
func each[T any](ctx context.Context, workers int, items []T, job func(ctx context.Context, item T) error) error {
	errs := make([]error, len(items))
	next := make(chan int)
	var group sync.WaitGroup
	for range min(workers, len(items)) {
		group.Go(func() {
			for i := range next {
				if ctx.Err() == nil {
					errs[i] = job(ctx, items[i])
				}
			}
		})
	}
	for i := range items {
		next <- i
	}
	close(next)
	group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return errors.Join(errs...)
}

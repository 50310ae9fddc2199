package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/charts/sandbox"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/diff"
	"github.com/islandbundle/island/manifests/wireapp"
)

// patchEnd is one of the two releases that a patch is made of.
type patchEnd struct {
	*manifests.Release
	file    string
	folder  patchFolder // that its paths are relative to
	aliases map[string]string
	images  []manifests.Image // that no chart names, Wire's own included
	secrets *source.Secrets
	world   *source.Upstream
}

// newPatchEnd reads a release for a patch that is written to out, and keeps the secrets
// of its URLs apart.
func newPatchEnd(file, out string) (*patchEnd, error) {
	r, err := readRelease(file)
	if err != nil {
		return nil, err
	}
	end := &patchEnd{Release: r, file: file, aliases: r.Aliases, images: r.Images, secrets: &source.Secrets{}}
	if r.IsWireBuild() {
		overlay, err := wireapp.Overlay()
		if err != nil {
			return nil, err
		}
		end.aliases, end.images = overlay.Aliases, overlay.Images
	}
	r.MapURLs(end.secrets.Repository, end.secrets.File, manifests.BareURL) // whoever resolves has the secrets in the release
	end.folder, err = rebaseFor(out, file, r)
	return end, err
}

// tagged lists the images whose tag is the version of a chart.
func (e *patchEnd) tagged(chart manifests.Chart) []string {
	var images []string
	for _, image := range e.images {
		if image.TagFromChart == chart.Name {
			images = append(images, image.Name+":"+manifests.ChartTag(chart.Version))
		}
	}
	return images
}

// archive returns the archive of a chart, as resolving would carry it.
func (e *patchEnd) archive(ctx context.Context, chart manifests.Chart, look resolve.Discover) ([]byte, error) {
	if chart.Path != "" {
		return resolve.LocalChart(ctx, string(e.folder), chart.Path, look)
	}
	repo, err := manifests.RepositoryURL(chart.Repo, e.aliases)
	if err != nil {
		return nil, err
	}
	fetched, err := e.world.Chart(ctx, repo, chart.Name, chart.Version)
	return fetched.Bytes, err
}

// chartLook looks at the charts of a patch, as they are and as they were.
type chartLook struct {
	older, newer *patchEnd
	patched      *manifests.Release // the older one with the patch: the images are its own
	look         resolve.Discover
	down         map[string]error // repositories that could not be asked, and why
	failed       []lookFailure

	defaults []diff.ValuesChanges
	concerns []manifests.PatchConcern
}

// lookFailure is why some charts could not be looked at.
type lookFailure struct {
	charts []string
	why    error
}

// fail notes that a chart could not be looked at, with others of the same reason.
func (l *chartLook) fail(chart string, why error) {
	at := slices.IndexFunc(l.failed, func(f lookFailure) bool { return f.why.Error() == why.Error() })
	if at < 0 {
		l.failed = append(l.failed, lookFailure{[]string{chart}, why})
		return
	}
	l.failed[at].charts = append(l.failed[at].charts, chart)
}

// lookAtCharts returns what changed in the defaults of a patch's charts, and which
// images come along. What could not be looked at is a concern, and no error.
func (a *app) lookAtCharts(
	ctx context.Context, upstream upstreamFlags, older, newer *patchEnd, p *manifests.Patch,
) ([]diff.ValuesChanges, []manifests.PatchConcern, error) {
	pool, err := sandbox.New(sandbox.Options{})
	if err != nil {
		return nil, nil, err
	}
	defer pool.Close()
	for _, end := range []*patchEnd{older, newer} {
		if end.world, err = upstream.open(a, filepath.Dir(end.file), end.secrets); err != nil {
			return nil, nil, err
		}
		defer end.world.Close()
	}
	laid, err := manifests.LayPatches(older.Release, []*manifests.Patch{p})
	if err != nil {
		return nil, nil, err
	}
	l := &chartLook{
		older: older, newer: newer, patched: laid.Release, look: pool.Discover, down: map[string]error{}, defaults: []diff.ValuesChanges{},
	}
	for _, chart := range slices.Concat(p.Changes.Charts, p.Changes.Add.Charts) {
		for _, image := range older.tagged(chart) {
			l.image(chart.Name, image, "its tag is the version of "+chart.Name)
		}
		if err := l.chart(ctx, chart); err != nil {
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			l.fail(chart.Name, err)
		}
	}
	for _, failed := range l.failed {
		l.concerns = append(l.concerns, manifests.PatchConcern{Kind: manifests.ConcernNotLooked, Text: fmt.Sprintf(
			"defaults and images are not compared of %s: %v", strings.Join(failed.charts, ", "), failed.why)})
	}
	return l.defaults, l.concerns, nil
}

func (l *chartLook) image(chart, image, why string) {
	l.concerns = append(l.concerns, manifests.PatchConcern{
		Kind: manifests.ConcernImage, Chart: chart, Text: fmt.Sprintf("%s comes along: %s", image, why),
	})
}

func (l *chartLook) chart(ctx context.Context, is manifests.Chart) error {
	fetched, err := l.archive(ctx, l.newer, is)
	if err != nil {
		return err
	}
	was := l.older.ChartNamed(is.Name)
	if was == nil {
		return l.compareImages(ctx, *l.patched.ChartNamed(is.Name), nil, nil, fetched)
	}
	old, err := l.archive(ctx, l.older, *was)
	if err != nil {
		return err
	}
	if was.Version == is.Version && !bytes.Equal(old, fetched) {
		l.concerns = append(l.concerns, manifests.PatchConcern{Kind: manifests.ConcernContent, Chart: is.Name, Text: fmt.Sprintf(
			"%s is %s in both releases, and another archive: %.19s and %.19s",
			is.Name, is.Version, manifests.DigestOf(old), manifests.DigestOf(fetched))})
	}
	before, err := diff.Defaults(old)
	if err != nil {
		return err
	}
	after, err := diff.Defaults(fetched)
	if err != nil {
		return err
	}
	values := diff.CompareValues(is.Name, before, after)
	if values.Old, values.New = was.Version, is.Version; !values.IsEmpty() {
		l.defaults = append(l.defaults, values)
	}
	return l.compareImages(ctx, *l.patched.ChartNamed(is.Name), was, old, fetched)
}

// archive asks no repository again that could not be asked.
func (l *chartLook) archive(ctx context.Context, end *patchEnd, chart manifests.Chart) ([]byte, error) {
	if why := l.down[chart.Repo]; why != nil {
		return nil, why
	}
	data, err := end.archive(ctx, chart, l.look)
	if chart.Repo != "" && couldNotAsk(err) {
		l.down[chart.Repo] = err
	}
	return data, err
}

// couldNotAsk reports whether a failure is of whoever was to be asked: what is wrong with
// one chart says nothing of the others.
func couldNotAsk(err error) bool {
	impatient := (*registry.PatienceError)(nil)
	return registry.Unavailable(err) || errors.Is(err, source.ErrOffline) || errors.As(err, &impatient)
}

// compareImages notes the images that a chart asks for and did not before.
func (l *chartLook) compareImages(ctx context.Context, is manifests.Chart, was *manifests.Chart, old, fetched []byte) error {
	var before []string
	var err error
	if was != nil {
		if before, err = l.imagesIn(ctx, *was, old); err != nil {
			return err
		}
	}
	after, err := l.imagesIn(ctx, is, fetched)
	if err != nil {
		return err
	}
	for _, image := range after {
		if !slices.Contains(before, image) {
			l.image(is.Name, image, strings.TrimSpace(is.Name+" "+is.Version)+" asks for it")
		}
	}
	return nil
}

// imagesIn lists the images that a chart asks for with its values, but for secrets, in any
// of its renderings.
func (l *chartLook) imagesIn(ctx context.Context, chart manifests.Chart, archive []byte) ([]string, error) {
	renderings, err := l.older.folder.renderings(chart, l.older.Defaults)
	if err != nil {
		return nil, err
	}
	found, err := l.look(ctx, archive, charts.DiscoverOptions{Renderings: renderings})
	var images []string
	for _, name := range chart.Images {
		if ref, flaw := manifests.ParseImageRef(name); flaw == nil {
			images = append(images, ref.String())
		}
	}
	for _, find := range found.Images {
		if ref, flaw := find.Ref(); flaw == nil && (find.Class == charts.Certain || find.Class == charts.Likely) {
			images = append(images, ref.String())
		}
	}
	slices.Sort(images)
	return slices.Compact(images), err
}

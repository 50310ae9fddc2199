package resolve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

func (r *resolver) resolveCharts(ctx context.Context) error {
	r.progress.Stage("charts", len(r.release.Charts))
	return each(ctx, r.parallel, r.release.Charts, func(ctx context.Context, chart manifests.Chart) error {
		err := r.resolveChart(ctx, chart)
		r.progress.Step(strings.TrimSpace(chart.Name + " " + chart.Version))
		return r.atChart(chart, err)
	})
}

// atChart adds where the release names a chart to those errors that have no
// place of their own.
func (r *resolver) atChart(chart manifests.Chart, err error) error {
	flaws := fault.All(err)
	if !slices.ContainsFunc(flaws, func(flaw *fault.Error) bool { return flaw.Place == (fault.Place{}) }) {
		return err
	}
	var placed []error
	for _, flaw := range flaws {
		at := *flaw
		if at.Place == (fault.Place{}) {
			at.Place = chart.Place("")
			at.Place.Field = ""
			if !strings.HasPrefix(at.Object, "chart ") {
				at.Place.Field = "chart " + chart.Name
			}
		}
		placed = append(placed, &at)
	}
	return errors.Join(placed...)
}

func (r *resolver) resolveChart(ctx context.Context, chart manifests.Chart) error {
	archive, content, err := r.fetchChart(ctx, chart)
	if err != nil {
		return err
	}
	if chart, err = r.readPatched(chart); err != nil {
		return err
	}
	meta, err := r.findImages(ctx, chart, archive)
	if err != nil {
		return err
	}
	file, err := manifests.ParseEntryPath(string(manifests.ChartPath(meta.Name, meta.Version)))
	if err != nil {
		return fault.Explain(err, fault.Usage, fault.Here, "", "")
	}
	locked := manifests.LockedChart{
		Name: meta.Name, Version: meta.Version, Repo: cmp.Or(chart.Repo, chart.Path), Path: file,
		Content: content, App: meta.AppVersion,
	}
	if chart.Meta != (manifests.ChartMeta{}) {
		locked.Meta = &chart.Meta
	}
	if err := r.carryValues(chart); err != nil {
		return err
	}
	if locked.Rendered, err = r.lockRendering(chart, meta.Version); err != nil {
		return err
	}
	return r.lockChart(locked, chart.Place(""))
}

// lockChart notes a chart. A Helm repository, and so the bundle, can hold only
// one of a name and version; what the release says of versions is not enough to
// know.
func (r *resolver) lockChart(chart manifests.LockedChart, place fault.Place) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, other := range r.charts {
		if other.Name == chart.Name && manifests.CompareChartVersions(other.Version, chart.Version) == manifests.SameVersion {
			return fault.New(fault.Usage, fault.Here, "", "leave one out, or give one another version",
				"chart %s %s is named twice: %s and %s", chart.Name, chart.Version, other.Repo, chart.Repo)
		}
	}
	r.charts = append(r.charts, chart)
	r.places[chart.Path] = place
	return nil
}

// fetchChart returns a chart's archive and what pins it.
func (r *resolver) fetchChart(ctx context.Context, chart manifests.Chart) ([]byte, manifests.Content, error) {
	if chart.Repo != "" {
		fetched, err := r.world.Chart(ctx, chart.Repo, chart.Name, chart.Version)
		return fetched.Bytes, fetched.Content, err
	}
	archive, url, err := r.inputs.archive(ctx, chart.Path, r.look)
	return archive, manifests.Content{Digest: manifests.DigestOf(archive), Size: int64(len(archive)), URL: url}, err
}

// LocalChart returns the archive of a chart that a release names by its path, from
// baseDir: what [Resolve] would carry, made if the chart is kept as a folder. look
// reads the name of such a one, as in [Options].
func LocalChart(ctx context.Context, baseDir, path string, look Discover) ([]byte, error) {
	archive, _, err := newInputs(baseDir).archive(ctx, path, look)
	return archive, err
}

// findImages looks for the images of a chart, and notes them after patches have
// put others in the place of some.
func (r *resolver) findImages(ctx context.Context, chart manifests.Chart, archive []byte) (charts.Metadata, error) {
	found, err := r.discover(ctx, chart, archive)
	if err != nil {
		return found.Chart, err
	}
	if err := found.Chart.Verify(chart.Name, chart.Version); err != nil {
		if explained := (*fault.Error)(nil); chart.Path != "" && errors.As(err, &explained) {
			explained.Side, explained.Hint = fault.Here, "what Chart.yaml says counts: correct the release, or name another path"
		}
		return found.Chart, err
	}
	entry := chart
	chart.Version = found.Chart.Version // the release may leave it out, or spell it otherwise
	again := func(chart manifests.Chart) (charts.Finds, error) {
		d, err := r.discover(ctx, chart, archive)
		return d.Finds, err
	}
	if found.Finds, err = r.patchChart(chart, found.Finds, again); err != nil {
		return found.Chart, err
	}
	r.note(entry, found)
	var errs []error
	for _, image := range chart.Images {
		origin := manifests.Origin{Chart: chart.Name, List: "images of the chart in the release"}
		errs = append(errs, r.want(r.patchListed(image, "", origin), origin))
	}
	return found.Chart, errors.Join(errs...)
}

func (r *resolver) rendering(chart manifests.Chart) (charts.Rendering, error) {
	rendering := charts.Rendering{
		ReleaseName: chart.Name,
		Namespace:   chart.Namespace,
		Set:         manifests.LayValues(chart.Set, chart.Over),
		Tags:        chart.TagsUnder(),
		As:          charts.Event(chart.As),
		KubeVersion: cmp.Or(chart.KubeVersion, r.release.Defaults.KubeVersion),
		APIVersions: append(slices.Clone(r.release.Defaults.APIVersions), chart.APIVersions...),

		StubRequired: r.stubRequired,
	}
	var err error
	rendering.Values, err = r.readValues(append(slices.Clone(chart.Values), chart.Secrets...))
	return rendering, err
}

func (r *resolver) readValues(names []string) ([]charts.ValuesSource, error) {
	var files []charts.ValuesSource
	for _, name := range names {
		data, err := r.inputs.file(name)
		if err != nil {
			return nil, err
		}
		files = append(files, charts.ValuesSource{Name: name, Data: data})
	}
	return files, nil
}

// readPatched reads the values that patches give to a chart, and notes what of them has
// to reach the site.
func (r *resolver) readPatched(chart manifests.Chart) (manifests.Chart, error) {
	chart.Patched = slices.Clone(chart.Patched)
	for i := range chart.Patched {
		p := &chart.Patched[i]
		files, err := r.readValues(p.Files)
		if err != nil {
			return chart, err
		}
		values, err := charts.MergeValues(files, p.Set)
		if err != nil {
			return chart, fault.Explain(err, fault.Usage, fault.Here, "patch "+p.Patch, "")
		}
		p.Values = manifests.WithTags(values, p.Tags)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.patches.set[chart.Name] = chart.Patched
	chart.Over = chart.ValuesOver("")
	return chart, nil
}

// carryValues takes a chart's values files along, below values/CHART/. Secrets
// stay where they are.
func (r *resolver) carryValues(chart manifests.Chart) error {
	for i, name := range chart.Values {
		data, err := r.inputs.file(name)
		if err != nil {
			return err
		}
		if err := r.carry(carriedValues(chart.Name, name), 0o644, chart.Place(fmt.Sprintf(".values[%d]", i)), manifests.Content{
			Digest: manifests.DigestOf(data), Size: int64(len(data)), URL: name,
		}); err != nil {
			return err
		}
	}
	return nil
}

// carriedValues returns where in the bundle a values file of a chart stands.
func carriedValues(chart, file string) string { return "values/" + path.Join(chart, path.Base(file)) }

// carry notes a file to be carried as it is, which is named at a place.
func (r *resolver) carry(destination string, mode fs.FileMode, place fault.Place, content manifests.Content) error {
	file, err := manifests.ParseEntryPath(destination)
	if err != nil {
		return fault.At(place, "", "%w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, other := range r.files {
		if other.Path == file && other.Content.Digest != content.Digest {
			return fault.At(place, "rename one of them", "two files would have the path %s: %s and %s", destination, other.Content.URL, content.URL)
		} else if other.Path == file {
			return nil
		}
	}
	r.files = append(r.files, manifests.LockedFile{Path: file, Mode: uint32(mode.Perm()), Content: content})
	r.places[file] = place
	return nil
}

// clashes refuses charts and files that would not all be files of their own wherever
// the bundle is unpacked.
func (r *resolver) clashes() error {
	var paths []manifests.EntryPath
	for _, chart := range r.charts {
		paths = append(paths, chart.Path)
	}
	for _, file := range r.files {
		paths = append(paths, file.Path)
	}
	var flaws fault.Flaws
	for _, clash := range manifests.PathClashes(paths) {
		flaws.Add(r.places[clash.Second], "give one of them another name", "the bundle could not be unpacked everywhere: %w", clash)
	}
	return flaws.Err()
}

package source

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/internal/jsonweight"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// The media types of a chart in a registry (helm.sh/helm/v3/pkg/registry,
// constants.go). Archives were once of a type that others use, too: only the
// configuration tells that such a layer is a chart.
const (
	chartMediaType       = manifests.ChartMediaType
	legacyChartMediaType = "application/tar+gzip"
	chartConfigMediaType = "application/vnd.cncf.helm.config.v1+json"
)

// Limits on the indexes in which a chart is looked for.
const (
	maxChartManifests = 64 // manifests and indexes, in all
	maxChartDepth     = 4  // indexes inside of indexes
)

// ociRequest is a chart that is asked of a registry.
type ociRequest struct {
	object     string
	name       string           // oci://…, without a tag
	references []string         // tags or a digest, of which the first that is there counts
	version    string           // if another tag may mean it as well; else empty
	digest     manifests.Digest // of the archive, as an index says; may be empty
	led        *registry.Lead   // who named the registry; nil for the user
}

// tagsOf returns the tags under which a registry may hold a version.
func tagsOf(version string) []string {
	tag := manifests.ChartTag(version)
	if bare, ok := strings.CutPrefix(tag, "v"); ok {
		return []string{tag, bare}
	}
	return []string{tag, "v" + tag}
}

// versionOf returns the version of which Helm has made a tag ([manifests.ChartTag]).
func versionOf(tag string) string { return strings.ReplaceAll(tag, "_", "+") }

// splitReference cuts the tag or digest off a name; the digest counts where both
// are there.
func splitReference(name string) (repository, reference string) {
	name, digest, _ := strings.Cut(name, "@")
	colon := strings.LastIndexByte(name, ':')
	if colon <= strings.LastIndexByte(name, '/') {
		return name, digest
	}
	return name[:colon], cmp.Or(digest, manifests.ChartTag(name[colon+1:]))
}

// ociChart fetches a chart from a registry.
func (c *chartRepositories) ociChart(ctx context.Context, r ociRequest) (Chart, error) {
	locations, err := c.locator.url(r.name)
	if err != nil {
		return Chart{}, err
	}
	leadTo(locations, r.led)
	m, err := c.chartManifest(ctx, r, locations)
	if err != nil {
		return Chart{}, err
	}
	content, err := c.chartIn(ctx, r, locations, m)
	if err == nil {
		err = checkDigest(content.Digest, r.digest)
	}
	if err != nil {
		return Chart{}, fault.Explain(err, fault.Failure, fault.Upstream, r.object, "")
	}
	content.URL = normal(r.name)
	if data, ok := c.cache.read(content.Digest, maxChartBytes); ok {
		return newChart(content.URL, content.Digest, data), nil
	}
	reader, err := c.contents.fetchFrom(ctx, content, 0, locations)
	if err != nil {
		return Chart{}, err
	}
	defer reader.Close()
	data, err := io.ReadAll(reader)
	if err != nil {
		return Chart{}, err
	}
	if err := checkArchive(data, content.Digest); err != nil {
		return Chart{}, fault.Explain(err, fault.Failure, fault.Upstream, r.object, "")
	}
	return newChart(content.URL, content.Digest, data), c.cache.write(content.Digest, data)
}

// chartManifest fetches the manifest or index that is there under the first of
// the references, or else under a tag that means the same version.
func (c *chartRepositories) chartManifest(ctx context.Context, r ociRequest, locations []location) (m Manifest, err error) {
	for i, reference := range r.references {
		found, missing := c.images.manifest(ctx, r.object, r.name, reference, locations)
		if i == 0 || missing == nil {
			m, err = found, missing
		}
		if missing == nil || !errors.Is(missing, ErrNotFound) && !errors.Is(missing, ErrOffline) {
			break
		}
	}
	if err == nil || !errors.Is(err, ErrNotFound) {
		return m, err
	}
	tags := c.images.tags(ctx, locations)
	alike := slices.DeleteFunc(slices.Clone(tags), func(tag string) bool {
		return r.version == "" || manifests.CompareChartVersions(versionOf(tag), r.version) == manifests.OtherVersion
	})
	switch len(alike) {
	case 0:
		return m, nearTags(err, tags, r.references[0])
	case 1:
		if m, err = c.images.manifest(ctx, r.object, r.name, alike[0], locations); err != nil {
			return m, err
		}
		return m, c.cache.remember(tagRecord(r.name, r.references[0]), record{Digest: m.Digest}) // for when nobody can be asked for tags
	default:
		slices.Sort(alike)
		return m, fault.New(fault.Failure, fault.Upstream, r.object, "name one of them",
			"version %s could be any of %s", r.version, versionOf(strings.Join(alike, ", ")))
	}
}

// chartIn finds the one chart in a manifest, or in what an index names. Helm
// walks through all that an index holds and takes what is a chart, whatever
// platform it is said to be for (helm.sh/helm/v3/pkg/registry, Client.Pull); of
// several it takes any, which is no choice.
func (c *chartRepositories) chartIn(ctx context.Context, r ociRequest, locations []location, m Manifest) (manifests.Content, error) {
	search := chartSearch{images: c.images, ociRequest: r, locations: locations, seen: map[manifests.Digest]bool{}}
	if err := search.visit(ctx, m, 0); err != nil {
		return manifests.Content{}, err
	}
	switch len(search.found) {
	case 0:
		return manifests.Content{}, errors.New("is no Helm chart: its manifest has no layer of type " + chartMediaType)
	case 1:
		found := search.found[0]
		if found.Size <= 0 || found.Size > maxChartBytes {
			return found, registry.Refuse("chart of %d bytes is outside of the limit of %s", found.Size, manifests.Bytes(maxChartBytes))
		}
		return found, nil
	default:
		return manifests.Content{}, fault.New(fault.Failure, fault.Upstream, r.object,
			"push each chart under a tag of its own, or name one by path: in the release",
			"there are %d charts behind one name, %s and %s among them: helm would take any of them",
			len(search.found), search.found[0].Digest, search.found[1].Digest)
	}
}

// chartSearch looks for charts in manifests.
type chartSearch struct {
	ociRequest
	images    *images
	locations []location
	seen      map[manifests.Digest]bool // manifests
	found     []manifests.Content       // each digest once
}

func (s *chartSearch) visit(ctx context.Context, m Manifest, depth int) error {
	if s.seen[m.Digest] {
		return nil
	}
	s.seen[m.Digest] = true
	if len(s.seen) > maxChartManifests || depth > maxChartDepth {
		return registry.Refuse("more than %d manifests, or %d indexes inside of each other, are behind one chart's name",
			maxChartManifests, maxChartDepth)
	}
	var doc struct {
		Manifests []manifests.Content `json:"manifests"`
		Config    manifests.Content   `json:"config"`
		Layers    []manifests.Content `json:"layers"`
	}
	if err := jsonweight.Unmarshal(m.Bytes, &doc); err != nil {
		return registry.Refuse("manifest %s cannot be read: %w", m.Digest, err)
	}
	for _, child := range doc.Manifests {
		if !isManifest(child.MediaType) {
			continue
		}
		if _, err := manifests.ParseDigest(string(child.Digest)); err != nil {
			return registry.Refuse("index %s names a manifest by what is no digest: %w", m.Digest, err)
		}
		fetched, err := s.images.manifest(ctx, s.object, s.name, string(child.Digest), s.locations)
		if err != nil {
			return err
		}
		if err := s.visit(ctx, fetched, depth+1); err != nil {
			return err
		}
	}
	for _, layer := range doc.Layers {
		isChart := layer.MediaType == chartMediaType || layer.MediaType == legacyChartMediaType && doc.Config.MediaType == chartConfigMediaType
		known := slices.ContainsFunc(s.found, func(other manifests.Content) bool { return other.Digest == layer.Digest })
		if isChart && !known {
			s.found = append(s.found, manifests.Content{Digest: layer.Digest, Size: layer.Size, MediaType: chartMediaType})
		}
	}
	return nil
}

// nearTags adds to an error about a missing version what the registry has. It
// is a help only: if the registry does not tell, the error stays as it is.
func nearTags(missing error, tags []string, wanted string) error {
	var e *fault.Error
	if len(tags) == 0 || !errors.As(missing, &e) {
		return missing
	}
	versions := make([]string, len(tags))
	for i, tag := range tags {
		versions[i] = versionOf(tag)
	}
	e.Hint = nearHint(versions, versionOf(wanted))
	return missing
}

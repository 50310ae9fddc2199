package source

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/islandbundle/island/bundle/internal/memo"
	"github.com/islandbundle/island/bundle/registry"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Limits on charts, in bytes.
const (
	maxChartBytes = 64 << 20 // one chart archive
	maxIndexBytes = 64 << 20 // index.yaml of a chart repository
)

// Chart is a chart archive and what pins it.
type Chart struct {
	Bytes   []byte
	Content manifests.Content
}

var (
	chartName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,249}$`)
	chartVersion = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$`)
)

// chartRepositories are charts by name and version: out of repositories on web
// servers, in folders and in registries.
type chartRepositories struct {
	*common
	images   *images
	contents *contents
	indices  memo.Memo[indexFile] // by location
}

// Chart fetches one version of a chart. The repository is an http(s) URL or
// a folder (file:///… or a path relative to [Options.BaseDir]) with an
// index.yaml, or an oci:// URL to which the chart's name is added. A folder
// without index.yaml may hold NAME-VERSION.tgz.
//
// The version is an exact one, with or without a leading "v"; build metadata
// can be left out where that is not ambiguous
// ([manifests.CompareChartVersions]). If the index gives a digest, the archive
// must have it, one in a registry too. Charts in registries are read as Helm
// reads them: of its older media type, and in indexes. Content.URL is the archive's own name, not a
// mirror's; for OCI it is that of the repository, and Content.Digest is the
// chart's layer. Archives and indices may have up to 64 MiB. The error for a
// missing version has near ones in its hint.
func (c *chartRepositories) Chart(ctx context.Context, repo, name, version string) (Chart, error) {
	repo = strings.TrimRight(c.locator.secrets.Repository(repo), "/")
	object := fmt.Sprintf("chart %s %s from %s", name, version, registry.Redact(repo))
	if !chartName.MatchString(name) {
		return Chart{}, fault.New(fault.Usage, fault.Here, fmt.Sprintf("chart %.80q", name), "", "not a chart's name")
	}
	if !chartVersion.MatchString(version) {
		return Chart{}, fault.New(fault.Usage, fault.Here, object, "name one exact version", "version %.80q is not an exact version", version)
	}
	if strings.HasPrefix(repo, "oci://") {
		return c.ociChart(ctx, ociRequest{object: object, name: repo + "/" + name, references: tagsOf(version), version: version})
	}
	remembered := strings.Join([]string{"chart", repo, name, version}, " ")
	if c.offline {
		if chart, ok := c.lastChart(remembered); ok {
			return chart, nil
		}
	}
	locations, err := c.locator.url(repo)
	if err != nil {
		return Chart{}, err
	}
	if parsed, err := url.Parse(repo); err == nil && parsed.Host != "" {
		c.client.Named(parsed.Host) // though only a mirror may be asked for the index
	}
	var found *chartEntry
	var archive string
	var index location
	err = c.each(ctx, object, locations, func(l location) (err error) {
		if found, err = c.find(ctx, l, name, version); err != nil {
			return err
		}
		index = l
		archive, err = c.archiveURL(l, repo, found.URLs[0])
		return err
	})
	if err != nil {
		return Chart{}, err
	}
	chart, err := c.archive(ctx, object, archive, found.digest, index)
	if err != nil {
		return Chart{}, err
	}
	return chart, c.cache.remember(remembered, record{Digest: chart.Content.Digest, Size: chart.Content.Size, URL: chart.Content.URL})
}

// lastChart returns what a chart's version was when it was last asked for.
func (c *chartRepositories) lastChart(remembered string) (Chart, bool) {
	last, ok := c.cache.recall(remembered)
	if !ok {
		return Chart{}, false
	}
	data, ok := c.cache.read(last.Digest, maxChartBytes)
	return newChart(last.URL, last.Digest, data), ok
}

func newChart(url string, digest manifests.Digest, data []byte) Chart {
	return Chart{Bytes: data, Content: manifests.Content{Digest: digest, Size: int64(len(data)), MediaType: chartMediaType, URL: url}}
}

// archiveURL returns the name of the archive that an index points to, without
// secrets. What points into the mirror that the index came from means the same
// place at the origin, so that the name does not depend on mirrors. What is
// relative has the repository's query, as Helm has it (helm.sh/helm/v3/pkg/repo,
// ResolveReferenceURL), unless it has one of its own or leads to another host.
func (c *chartRepositories) archiveURL(l location, repo, reference string) (string, error) {
	reference, _, _ = strings.Cut(reference, "#")
	told, _, _ := strings.Cut(registry.Redact(reference), "?")
	parsed, err := url.Parse(reference)
	if err != nil {
		return "", registry.Refuse("index names the archive %.200q, which is no URL", told)
	}
	base, query, _ := strings.Cut(repo, "?")
	if parsed.Scheme != "" {
		mirror, _, _ := strings.Cut(l.url, "?")
		if rest, ok := strings.CutPrefix(manifests.BareURL(reference), mirror+"/"); ok && l.kind == webKind && mirror != base {
			return joinURL(repo, rest), nil
		}
		if !hasAnyPrefix(reference, "https://", "http://", "oci://") {
			return "", registry.Refuse("index names the archive %.200q, which cannot be fetched", told)
		}
		return c.locator.secrets.File(reference), nil
	}
	if hasAnyPrefix(repo, "http://", "https://") {
		base, err := url.Parse(base + "/")
		if err != nil {
			return "", registry.Refuse("%w", registry.Bare(err))
		}
		resolved := base.ResolveReference(parsed)
		if secret := c.locator.secrets.of(normal(repo)); parsed.RawQuery == "" && resolved.Host == base.Host && secret.query != "" {
			query = secret.query
		}
		resolved.RawQuery = strings.Trim(resolved.RawQuery+"&"+query, "&")
		return c.locator.secrets.File(resolved.String()), nil
	}
	below := path.Clean("/" + parsed.Path)
	if strings.HasPrefix(repo, "file://") {
		below = (&url.URL{Path: below}).EscapedPath()
	}
	return repo + below, nil
}

// archive fetches a chart archive by its URL, which an index gave.
func (c *chartRepositories) archive(ctx context.Context, object, archive string, digest manifests.Digest, index location) (Chart, error) {
	if rest, ok := strings.CutPrefix(archive, "oci://"); ok {
		name, reference := splitReference(rest)
		if reference == "" {
			return Chart{}, registry.Refuse("index names %.200q, which has no tag", archive)
		}
		return c.ociChart(ctx, ociRequest{
			object: object, name: "oci://" + name, references: []string{reference}, digest: digest, led: index.leads(),
		})
	}
	if data, ok := c.cache.read(digest, maxChartBytes); ok && digest != "" {
		return newChart(archive, digest, data), nil
	}
	locations, err := c.locator.url(archive)
	if err != nil {
		return Chart{}, err
	}
	if err := ledThere(locations, index); err != nil {
		return Chart{}, fault.Explain(err, fault.Failure, fault.Upstream, object, "")
	}
	var chart Chart
	err = c.each(ctx, object, locations, func(l location) error {
		data, err := c.readFile(ctx, l, maxChartBytes)
		if err != nil {
			return err
		}
		chart = newChart(archive, manifests.DigestOf(data), data)
		return checkArchive(data, digest)
	})
	if err != nil {
		return Chart{}, err
	}
	return chart, c.cache.write(chart.Content.Digest, chart.Bytes)
}

// readFile reads a whole file of unknown size, of a web server or a folder.
func (c *chartRepositories) readFile(ctx context.Context, l location, limit int64) (data []byte, err error) {
	if l.kind == folderKind {
		return readLocal(l.path, limit)
	}
	session, err := l.session(ctx, c.client)
	if err != nil {
		return nil, err
	}
	data, _, err = session.Read(ctx, "", nil, limit)
	return data, err
}

// checkArchive holds an archive against the digest that the index gives, and
// tells a login page from an archive.
func checkArchive(data []byte, digest manifests.Digest) error {
	if err := checkDigest(manifests.DigestOf(data), digest); err != nil {
		return err
	}
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) { // RFC 1952, 2.3.1
		return registry.Refuse("what was sent is not a gzip archive: it begins with %.16q", data)
	}
	return nil
}

// checkDigest holds what an archive is against what the index says, if it does.
func checkDigest(got, said manifests.Digest) error {
	if said != "" && got != said {
		return registry.Refuse("archive has digest %s, its index says %s", got, said)
	}
	return nil
}

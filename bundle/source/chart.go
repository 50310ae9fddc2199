package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// ChartMediaType is the media type of a chart archive (Helm documentation,
// "Use OCI-based registries").
const ChartMediaType = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

// Chart is a chart archive and what pins it.
type Chart struct {
	Bytes   []byte
	Content manifests.Content
}

var (
	chartName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,249}$`)
	chartVersion = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,127}$`)
)

// Chart fetches one version of a chart. The repository is an http(s) URL or
// a folder (file:///… or a path relative to [Options.BaseDir]) with an
// index.yaml, or an oci:// URL to which the chart's name is added. A folder
// without index.yaml may hold NAME-VERSION.tgz.
//
// The version is an exact one, with or without a leading "v"; build metadata
// can be left out where that is not ambiguous. If the index gives a digest,
// the archive must have it. Content.URL is the archive's own name, not a
// mirror's; for OCI it is that of the repository, and Content.Digest is the
// chart's layer. Archives may have up to [MaxChartBytes], an index up to
// [MaxIndexBytes]. The error for a missing version has near ones in its hint.
func (u *Upstream) Chart(ctx context.Context, repo, name, version string) (Chart, error) {
	repo = strings.TrimRight(repo, "/")
	object := fmt.Sprintf("chart %s %s from %s", name, version, redact(repo))
	if !chartName.MatchString(name) {
		return Chart{}, fault.New(fault.Usage, fault.Here, fmt.Sprintf("chart %.80q", name), "", "not a chart's name")
	}
	if !chartVersion.MatchString(version) {
		return Chart{}, fault.New(fault.Usage, fault.Here, object, "name one exact version", "version %.80q is not an exact version", version)
	}
	if strings.HasPrefix(repo, "oci://") {
		return u.ociChart(ctx, object, repo+"/"+name, tagsOf(version))
	}
	remembered := strings.Join([]string{"chart", repo, name, version}, " ")
	if u.offline {
		if chart, ok := u.lastChart(remembered); ok {
			return chart, nil
		}
	}
	locations, err := u.locateURL(repo)
	if err != nil {
		return Chart{}, err
	}
	var found *chartEntry
	var archive string
	err = u.each(ctx, object, locations, func(l location) (err error) {
		if found, err = u.find(ctx, l, name, version); err != nil {
			return err
		}
		archive, err = archiveURL(l, repo, found.URLs[0])
		return err
	})
	if err != nil {
		return Chart{}, err
	}
	chart, err := u.archive(ctx, object, archive, found.digest)
	if err != nil {
		return Chart{}, err
	}
	return chart, u.cache.remember(remembered, record{Digest: chart.Content.Digest, Size: chart.Content.Size, URL: chart.Content.URL})
}

// lastChart returns what a chart's version was when it was last asked for.
func (u *Upstream) lastChart(remembered string) (Chart, bool) {
	last, ok := u.cache.recall(remembered)
	if !ok {
		return Chart{}, false
	}
	data, ok := u.cache.read(last.Digest, MaxChartBytes)
	return newChart(last.URL, last.Digest, data), ok
}

func newChart(url string, digest manifests.Digest, data []byte) Chart {
	return Chart{Bytes: data, Content: manifests.Content{Digest: digest, Size: int64(len(data)), MediaType: ChartMediaType, URL: url}}
}

// find looks a chart up in the index of one location.
func (u *Upstream) find(ctx context.Context, l location, name, version string) (*chartEntry, error) {
	file := filepath.Join(l.path, "index.yaml")
	if l.kind == webKind {
		var err error
		if file, err = u.index(ctx, l); err != nil {
			return nil, err
		}
	}
	f, err := openBelow(file)
	if l.kind == folderKind && errors.Is(err, fs.ErrNotExist) {
		archive := name + "-" + version + ".tgz"
		if _, missing := statLocal(filepath.Join(l.path, archive)); missing != nil {
			return nil, fmt.Errorf("neither index.yaml nor %s is there: %w", archive, ErrNotFound)
		}
		return &chartEntry{Name: name, Version: version, URLs: []string{url.PathEscape(archive)}}, nil
	}
	if err != nil {
		return nil, local(err)
	}
	defer f.Close()
	seekable, err := seekable(f, MaxIndexBytes)
	if err != nil {
		return nil, local(err)
	}
	s := search{name: name, version: version}
	if err := s.scan(seekable); err != nil {
		return nil, err
	}
	return s.choose()
}

// index returns the file that holds the current index of a chart repository on
// a web server. It is asked for once; the cached one is used if the server
// says that it is still the same.
func (u *Upstream) index(ctx context.Context, l location) (string, error) {
	l = l.below("index.yaml")
	return u.indices.get(ctx, l.url+" "+l.ca, func() (string, error) {
		name := "index " + l.url
		last, known := u.cache.recall(name)
		if known {
			f, _, intact := u.cache.check(last.Digest)
			if known = intact; known {
				_ = f.Close()
			}
		}
		if u.offline {
			if !known {
				return "", fmt.Errorf("index of the chart repository is %w", ErrOffline)
			}
			return u.cache.blob(last.Digest), nil
		}
		digest := last.Digest
		err := u.again(ctx, l.String(), func() error {
			fresh, err := u.getIndex(ctx, l, last, known)
			if err == nil && fresh != nil {
				digest = fresh.Digest
				err = u.cache.remember(name, *fresh)
			}
			return err
		})
		if err != nil {
			return "", fmt.Errorf("index.yaml: %w", err)
		}
		return u.cache.blob(digest), nil
	})
}

// getIndex fetches an index into the cache; nil means that the last one is
// still current.
func (u *Upstream) getIndex(ctx context.Context, l location, last record, known bool) (*record, error) {
	client, err := u.web(ctx, l)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	if known && last.ETag != "" {
		header.Set("If-None-Match", last.ETag)
	}
	if known && last.LastModified != "" {
		header.Set("If-Modified-Since", last.LastModified)
	}
	response, err := get(ctx, client, http.MethodGet, l.url, header, http.StatusOK, http.StatusNotModified)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotModified {
		if !known {
			return nil, refusal{errors.New("server says not modified of an index that it never sent")}
		}
		discard(response.Body)
		return nil, nil
	}
	e, err := u.cache.begin()
	if err != nil {
		return nil, err
	}
	defer e.drop()
	n, err := io.Copy(e, io.LimitReader(response.Body, MaxIndexBytes+1))
	if n > MaxIndexBytes {
		return nil, refusal{fmt.Errorf("index is larger than %s", manifests.Bytes(MaxIndexBytes))}
	}
	if err != nil {
		if explained := (*fault.Error)(nil); errors.As(err, &explained) {
			return nil, err
		}
		return nil, &cutShort{bare(err)}
	}
	if err := e.commit(); err != nil {
		return nil, err
	}
	return &record{Digest: e.digest(), Size: n, ETag: response.Header.Get("ETag"), LastModified: response.Header.Get("Last-Modified")}, nil
}

// archiveURL returns the name of the archive that an index points to. What
// points into the mirror that the index came from means the same place at the
// origin, so that the name does not depend on mirrors.
func archiveURL(l location, repo, reference string) (string, error) {
	parsed, err := url.Parse(reference)
	if err != nil || parsed.User != nil {
		return "", refusal{fmt.Errorf("index names the archive %.200q, which is no plain URL", redact(reference))}
	}
	if parsed.Scheme != "" {
		if rest, ok := strings.CutPrefix(reference, l.url+"/"); ok && l.kind == webKind {
			return repo + "/" + rest, nil
		}
		if !hasAnyPrefix(reference, "https://", "http://", "oci://") {
			return "", refusal{fmt.Errorf("index names the archive %.200q, which cannot be fetched", redact(reference))}
		}
		return reference, nil
	}
	if hasAnyPrefix(repo, "http://", "https://") {
		base, err := url.Parse(repo + "/")
		if err != nil {
			return "", refusal{bare(err)}
		}
		return base.ResolveReference(parsed).String(), nil
	}
	below := path.Clean("/" + parsed.Path)
	if strings.HasPrefix(repo, "file://") {
		below = (&url.URL{Path: below}).EscapedPath()
	}
	return repo + below, nil
}

// archive fetches a chart archive by its URL.
func (u *Upstream) archive(ctx context.Context, object, archive string, digest manifests.Digest) (Chart, error) {
	if data, ok := u.cache.read(digest, MaxChartBytes); ok && digest != "" {
		return newChart(archive, digest, data), nil
	}
	if rest, ok := strings.CutPrefix(archive, "oci://"); ok {
		colon := strings.LastIndex(rest, ":")
		if colon < strings.LastIndex(rest, "/") || colon < 0 {
			return Chart{}, refusal{fmt.Errorf("index names %.200q, which has no tag", archive)}
		}
		return u.ociChart(ctx, object, "oci://"+rest[:colon], []string{rest[colon+1:]})
	}
	locations, err := u.locateURL(archive)
	if err != nil {
		return Chart{}, err
	}
	var chart Chart
	err = u.each(ctx, object, locations, func(l location) error {
		data, err := u.readFile(ctx, l, MaxChartBytes)
		if err != nil {
			return err
		}
		chart = newChart(archive, manifests.DigestOf(data), data)
		return checkArchive(data, digest)
	})
	if err != nil {
		return Chart{}, err
	}
	return chart, u.cache.write(chart.Content.Digest, chart.Bytes)
}

// readFile reads a whole file of unknown size, of a web server or a folder.
func (u *Upstream) readFile(ctx context.Context, l location, limit int64) (data []byte, err error) {
	if l.kind == folderKind {
		return readLocal(l.path, limit)
	}
	client, err := u.web(ctx, l)
	if err != nil {
		return nil, err
	}
	err = u.again(ctx, l.String(), func() error {
		response, err := get(ctx, client, http.MethodGet, l.url, nil, http.StatusOK)
		if err != nil {
			return err
		}
		defer response.Body.Close()
		data, err = readBounded(response.Body, limit)
		return err
	})
	return data, err
}

// checkArchive holds an archive against the digest that the index gives, and
// tells a login page from an archive.
func checkArchive(data []byte, digest manifests.Digest) error {
	if got := manifests.DigestOf(data); digest != "" && got != digest {
		return refusal{fmt.Errorf("archive has digest %s, its index says %s", got, digest)}
	}
	if !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) { // RFC 1952, 2.3.1
		return refusal{fmt.Errorf("what was sent is not a gzip archive: it begins with %.16q", data)}
	}
	return nil
}

// tagsOf returns the tags under which a registry may hold a version: Helm writes
// "_" for the "+", which a tag cannot have.
func tagsOf(version string) []string {
	tag := strings.ReplaceAll(version, "+", "_")
	if bare, ok := strings.CutPrefix(tag, "v"); ok {
		return []string{tag, bare}
	}
	return []string{tag, "v" + tag}
}

// ociChart fetches a chart from a registry, by the first of the tags that is
// there.
func (u *Upstream) ociChart(ctx context.Context, object, name string, tags []string) (Chart, error) {
	locations, err := u.locateURL(name)
	if err != nil {
		return Chart{}, err
	}
	var m Manifest
	for i, tag := range tags {
		found, missing := u.manifest(ctx, object, name, tag, locations)
		if i == 0 || missing == nil {
			m, err = found, missing
		}
		if missing == nil || !errors.Is(missing, ErrNotFound) && !errors.Is(missing, ErrOffline) {
			break
		}
	}
	if err != nil {
		return Chart{}, u.nearTags(ctx, err, locations, tags[0])
	}
	content, err := chartLayer(m.Bytes)
	if err != nil {
		return Chart{}, fault.Explain(err, fault.Failure, fault.Upstream, object, "")
	}
	content.URL = normal(name)
	if data, ok := u.cache.read(content.Digest, MaxChartBytes); ok {
		return newChart(content.URL, content.Digest, data), nil
	}
	r, err := u.Open(ctx, content, 0)
	if err != nil {
		return Chart{}, err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		return Chart{}, err
	}
	if err := checkArchive(data, content.Digest); err != nil {
		return Chart{}, fault.Explain(err, fault.Failure, fault.Upstream, object, "")
	}
	return newChart(content.URL, content.Digest, data), u.cache.write(content.Digest, data)
}

// chartLayer finds the chart in a manifest.
func chartLayer(manifest []byte) (manifests.Content, error) {
	var doc struct {
		Layers []struct {
			MediaType string           `json:"mediaType"`
			Digest    manifests.Digest `json:"digest"`
			Size      int64            `json:"size"`
		} `json:"layers"`
	}
	if err := json.Unmarshal(manifest, &doc); err != nil {
		return manifests.Content{}, err
	}
	for _, layer := range doc.Layers {
		if layer.MediaType != ChartMediaType {
			continue
		}
		if layer.Size <= 0 || layer.Size > MaxChartBytes {
			return manifests.Content{}, fmt.Errorf("chart of %d bytes is outside of the limit of %s", layer.Size, manifests.Bytes(MaxChartBytes))
		}
		return manifests.Content{Digest: layer.Digest, Size: layer.Size, MediaType: layer.MediaType}, nil
	}
	return manifests.Content{}, errors.New("is no Helm chart: its manifest has no layer of type " + ChartMediaType)
}

// nearTags adds to an error about a missing version what the registry has. It
// is a help only: if the registry does not tell, the error stays as it is.
func (u *Upstream) nearTags(ctx context.Context, missing error, locations []location, wanted string) error {
	var e *fault.Error
	if !errors.Is(missing, ErrNotFound) || !errors.As(missing, &e) {
		return missing
	}
	for _, l := range locations {
		if l.kind != registryKind {
			continue
		}
		s, err := u.session(ctx, l)
		if err != nil {
			continue
		}
		response, err := get(ctx, s.client, http.MethodGet, s.base+"/tags/list?n=1000", nil, http.StatusOK)
		if err != nil {
			continue
		}
		data, err := readBounded(response.Body, MaxManifestBytes)
		_ = response.Body.Close()
		var list struct{ Tags []string }
		if err != nil || json.Unmarshal(data, &list) != nil || len(list.Tags) == 0 {
			continue
		}
		for i, tag := range list.Tags {
			list.Tags[i] = strings.ReplaceAll(tag, "_", "+")
		}
		e.Hint = nearHint(list.Tags, strings.ReplaceAll(wanted, "_", "+"))
		return missing
	}
	return missing
}

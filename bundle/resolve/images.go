package resolve

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/internal/exactjson"
	"github.com/islandbundle/island/internal/jsonweight"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// maxConfigBytes bounds an image's configuration, of which the platform is read.
const maxConfigBytes = 8 << 20

// wanted is an image that has to be carried, and who needs it.
type wanted struct {
	ref      manifests.ImageRef
	artifact bool // as the release says
	from     []manifests.Origin
}

// want notes an image that has to be carried, unless the release excludes it.
// An image that does not say which content it means is an error.
func (r *resolver) want(image string, origin manifests.Origin) error {
	return r.wantAs(image, false, origin)
}

// wantAs notes an image or, if it is one wherever it is named, an artifact.
func (r *resolver) wantAs(image string, artifact bool, origin manifests.Origin) error {
	ref, err := manifests.ParseImageRef(image)
	if err != nil && !errors.Is(err, manifests.ErrNoTag) {
		return imageFault(image, origin, "", err)
	}
	for _, pattern := range r.release.Exclude.Images {
		if pattern.Matches(ref.String()) || pattern.Matches(image) {
			r.leave(ref.String(), pattern.Reason, origin)
			return nil
		}
	}
	if err := charts.CheckTag(ref); err != nil {
		if !r.allowed(ref) {
			return imageFault(image, origin, "name a version in the chart's values; or allow it by name, with a reason, in the release", err)
		}
		if ref.Tag == "" && ref.Digest == "" {
			ref.Tag = "latest" // which is what a container engine makes of it
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	name := ref.String()
	if r.images[name] == nil {
		r.images[name] = &wanted{ref: ref}
	}
	r.images[name].artifact = r.images[name].artifact || artifact
	if !slices.Contains(r.images[name].from, origin) {
		r.images[name].from = append(r.images[name].from, origin)
	}
	return nil
}

func imageFault(image string, origin manifests.Origin, hint string, err error) error {
	where := origin.List
	if origin.Template != "" {
		where = origin.Object + ", " + origin.Field
	}
	return &fault.Error{
		Kind: fault.Failure, Side: fault.Upstream, Place: fault.Place{File: origin.Template}, Hint: hint,
		Object: "image " + image, Err: fmt.Errorf("%w (%s)", err, strings.TrimPrefix("chart "+origin.Chart+", "+where, "chart , ")),
	}
}

func (r *resolver) allowed(ref manifests.ImageRef) bool {
	return slices.ContainsFunc(r.release.Allow, func(a manifests.Allowance) bool {
		allowed, err := manifests.ParseImageRef(a.Image)
		if errors.Is(err, manifests.ErrNoTag) {
			allowed.Tag, err = "latest", nil
		}
		named := ref
		if named.Tag == "" && named.Digest == "" {
			named.Tag = "latest"
		}
		return err == nil && allowed == named
	})
}

// listedImages notes the images that no chart names.
func (r *resolver) listedImages() error {
	var errs []error
	for _, image := range r.release.Images {
		origin := manifests.Origin{List: strings.TrimSuffix("images of the release, group "+image.Group, ", group ")}
		name := image.Name
		if image.TagFromChart != "" {
			chart := r.release.ChartNamed(image.TagFromChart)
			if chart == nil {
				r.leave(name, "the release has no chart "+image.TagFromChart+", whose version would be its tag", origin)
				continue
			}
			version := r.loadedVersion(*chart)
			if version == "" {
				continue // the chart's own error is told
			}
			name += ":" + manifests.ChartTag(version)
		}
		name = r.patchListed(name, cmp.Or(r.patches.Images[image.Name], r.patches.Charts[image.TagFromChart]), origin)
		errs = append(errs, r.wantAs(name, image.Artifact, origin))
	}
	return errors.Join(errs...)
}

// resolveImages looks up every image that is wanted.
func (r *resolver) resolveImages(ctx context.Context) error {
	var list []*wanted
	for _, image := range r.images {
		list = append(list, image)
	}
	slices.SortFunc(list, func(a, b *wanted) int { return strings.Compare(a.ref.String(), b.ref.String()) })
	r.progress.Stage("images", len(list))
	return each(ctx, r.parallel, list, func(ctx context.Context, image *wanted) error {
		defer r.progress.Step(image.ref.String())
		err := r.resolveImage(ctx, image)
		return neededBy(image, err)
	})
}

// neededBy adds who needs an image to what is wrong with it.
func neededBy(image *wanted, err error) error {
	var explained *fault.Error
	if err == nil || !errors.As(err, &explained) {
		return err
	}
	origin := image.from[0]
	at := *explained
	who := strings.TrimPrefix(strings.Join([]string{origin.Chart, origin.Object + origin.List}, ", "), ", ")
	at.Err = fmt.Errorf("%w (needed by %s)", explained.Err, who)
	return &at
}

func (r *resolver) resolveImage(ctx context.Context, image *wanted) error {
	top, err := r.world.Manifest(ctx, image.ref)
	if err != nil {
		return err
	}
	if meant := r.patches.expect[image.ref.String()]; meant != "" && meant != top.Digest {
		return upstreamFault(image.ref, "the tag was moved since the patch was written: ask who wrote it",
			"tag means %s, patch %s says %s", top.Digest, r.patches.decided[image.ref.String()], meant)
	}
	locked := manifests.LockedImage{
		Name: image.ref, Digest: top.Digest, MediaType: top.MediaType, Size: int64(len(top.Bytes)), Artifact: image.artifact, From: image.from,
	}
	w := &walk{resolver: r, image: image}
	if err := w.follow(ctx, top, manifests.IndexEntry{}, 0); err != nil {
		return err
	}
	locked.Indexes = w.indexes
	if image.artifact {
		locked.Manifests, err = w.artifact()
	} else {
		locked.Manifests, err = w.choose(manifests.IsIndex(top.MediaType))
	}
	if err != nil {
		return err
	}
	if locked.Attachments, err = r.attachments(ctx, locked); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.locked = append(r.locked, locked)
	return nil
}

func contentOf(m source.Manifest) manifests.Content {
	return manifests.Content{Digest: m.Digest, Size: int64(len(m.Bytes)), MediaType: m.MediaType, Repository: m.Repository}
}

// manifest is what is read of one (OCI image-spec, manifest.md; Docker's schema 2
// has the same members).
type manifest struct {
	ArtifactType string            `json:"artifactType"`
	Config       manifests.Content `json:"config"`
	Layers       []layer           `json:"layers"`
}

// hasOtherLayers reports whether there are layers, and none of them is an image's: the
// configuration of an image is also that of some artifacts, such as models.
func (m manifest) hasOtherLayers() bool {
	return len(m.Layers) > 0 && !slices.ContainsFunc(m.Layers, func(l layer) bool { return manifests.IsImageLayer(l.MediaType) })
}

// manifest notes the blobs of one image.
func (r *resolver) manifest(
	ctx context.Context, ref manifests.ImageRef, fetched source.Manifest,
) (manifest, manifests.LockedManifest, error) {
	var m manifest
	if err := manifests.DecodeImageJSON(fetched.Bytes, &m); err != nil {
		return m, manifests.LockedManifest{}, upstreamFault(ref, "", "manifest %s is not readable: %w", fetched.Digest, err)
	}
	if err := r.blob(ref, contentOf(fetched)); err != nil {
		return m, manifests.LockedManifest{}, err
	}
	locked := manifests.LockedManifest{Digest: fetched.Digest, Config: m.Config.Digest, Layers: []manifests.Digest{}}
	for _, d := range append([]layer{{Content: m.Config}}, m.Layers...) {
		if d.Digest == "" || d.Size < 0 || (d.Size == 0) != (d.Digest == manifests.EmptyDigest) {
			return m, locked, upstreamFault(ref, "", "manifest %s names a blob without digest or size", fetched.Digest)
		}
		content := manifests.Content{Digest: d.Digest, Size: d.Size, MediaType: d.MediaType, Repository: fetched.Repository}
		if d.isForeign() && d.Size > 0 {
			var err error
			if content, err = r.findForeign(ctx, ref, d, content); err != nil {
				return m, locked, err
			}
		}
		if err := r.blob(ref, content); err != nil {
			return m, locked, err
		}
	}
	for _, layer := range m.Layers {
		locked.Layers = append(locked.Layers, layer.Digest)
	}
	return m, locked, nil
}

// blob notes a blob. Of several descriptions of it, the first by name of the
// repository is kept, or by URL where none has one, so that the lock does not depend
// on who was faster.
func (r *resolver) blob(ref manifests.ImageRef, content manifests.Content) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	other, known := r.blobs[content.Digest]
	if known && other.Size != content.Size {
		return upstreamFault(ref, "", "blob %s is said to have %d bytes, and elsewhere %d", content.Digest, content.Size, other.Size)
	}
	if !known || placeOf(other) > placeOf(content) {
		r.blobs[content.Digest] = content
	}
	return nil
}

func placeOf(c manifests.Content) string {
	if c.Repository == "" {
		return "~ " + c.URL + " " + c.MediaType // behind all repositories
	}
	return c.Repository + " " + c.MediaType
}

// configPlatform returns the platform that an image's configuration says; nil if
// it says none, as that of an artifact.
func (r *resolver) configPlatform(ctx context.Context, ref manifests.ImageRef, digest manifests.Digest) (*manifests.EntryPlatform, error) {
	r.mu.Lock()
	content := r.blobs[digest]
	r.mu.Unlock()
	if content.Size > maxConfigBytes {
		return nil, upstreamFault(ref, "", "image configuration has %d bytes, at most %d are read", content.Size, int64(maxConfigBytes))
	}
	reader, err := r.world.Open(ctx, content, 0)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	data, err := io.ReadAll(io.LimitReader(reader, maxConfigBytes+1))
	if err != nil {
		return nil, err
	}
	if manifests.DigestOf(data) != digest {
		return nil, upstreamFault(ref, "", "image configuration does not have its digest %s", digest)
	}
	platform, err := platformIn(data)
	if err != nil {
		return nil, upstreamFault(ref, "", "image configuration: %w", err)
	}
	return platform, nil
}

// platformIn returns the platform in an image's configuration, and refuses one of
// which clients would take another.
func platformIn(data []byte) (*manifests.EntryPlatform, error) {
	var config manifests.EntryPlatform
	if err := jsonweight.Check(data, &config, jsonweight.Times(8, data)); errors.Is(err, jsonweight.ErrTooHeavy) {
		return nil, err
	}
	isImage := json.Unmarshal(data, &config) == nil && config.OS != "" && config.Architecture != ""
	if !isImage {
		return nil, nil
	}
	return &config, exactjson.Members(data, &config)
}

func upstreamFault(ref manifests.ImageRef, hint, format string, args ...any) error {
	return fault.New(fault.Failure, fault.Upstream, "image "+ref.String(), hint, format, args...)
}

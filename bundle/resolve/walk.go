package resolve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/manifests"
)

// Limits on what is followed of one image.
const (
	maxIndexDepth = 8    // indexes within each other
	maxIndexes    = 100  // in all
	maxManifests  = 1000 // in all
	maxTold       = 8    // platforms that an error names
	maxToldBytes  = 60   // of each
)

// walk goes from an image's index or manifest to all that is carried of it.
type walk struct {
	*resolver
	image   *wanted
	indexes []manifests.Digest
	found   []found
	listed  []manifests.Platform // by indexes, carried or not
	passed  []manifests.IndexEntry
}

// found is a manifest, with the platform that the index says or, where it says none,
// the image's configuration.
type found struct {
	manifests.LockedManifest
	said     bool // the index says the platform
	features int  // of the operating system that it wants
}

// follow notes a manifest, or an index and all that is carried of it. The entry
// is that by which it was named, nothing for what the image's name means.
func (w *walk) follow(ctx context.Context, fetched source.Manifest, entry manifests.IndexEntry, depth int) error {
	if !manifests.IsIndex(fetched.MediaType) {
		return w.take(ctx, fetched, entry)
	}
	if depth > 0 {
		if slices.Contains(w.indexes, fetched.Digest) {
			return nil
		}
		w.indexes = append(w.indexes, fetched.Digest)
	}
	if depth > maxIndexDepth || len(w.indexes) > maxIndexes {
		return upstreamFault(w.image.ref, "", "indexes are nested deeper than %d or are more than %d", maxIndexDepth, maxIndexes)
	}
	index, err := manifests.ParseImageIndex(fetched.Bytes)
	if err != nil {
		return upstreamFault(w.image.ref, "", "index %s is not readable: %w", fetched.Digest, err)
	}
	if err := w.blob(w.image.ref, contentOf(fetched)); err != nil {
		return err
	}
	if err := w.passOver(ctx, fetched, index); err != nil {
		return err
	}
	return w.followAll(ctx, w.carried(index), depth)
}

// carried returns the entries of an index that are followed, and notes if bundles
// of format 1 do not have them.
func (w *walk) carried(index manifests.ImageIndex) []manifests.IndexEntry {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.image.artifact {
		return slices.DeleteFunc(slices.Clone(index.Manifests), func(e manifests.IndexEntry) bool { return !e.IsFollowed() })
	}
	if format := index.FormatFor(w.release.Platforms); format > 1 {
		w.format = format
	}
	return index.Carried(w.release.Platforms)
}

// passOver notes the platforms that an index says, and the entries that have no
// parts to follow: of an artifact they are carried, of an image no client wants them.
func (w *walk) passOver(ctx context.Context, fetched source.Manifest, index manifests.ImageIndex) error {
	for _, entry := range index.Manifests {
		switch {
		case entry.IsFollowed():
			if entry.Platform != nil {
				w.listed = append(w.listed, entry.Platform.Platform())
			}
		case w.image.artifact && (entry.Digest == "" || entry.Size < 0):
			return upstreamFault(w.image.ref, "", "index %s names a blob without digest or size", fetched.Digest)
		case w.image.artifact:
			content := manifests.Content{Digest: entry.Digest, Size: entry.Size, MediaType: entry.MediaType, Repository: fetched.Repository}
			if err := w.isBlob(ctx, content); err != nil {
				return err
			}
		default:
			w.passed = append(w.passed, entry)
			w.leave(w.image.ref.Name()+"@"+string(entry.Digest),
				fmt.Sprintf("entry of an index, of type %.80q: clients that load images pass it over", entry.MediaType), w.image.from[0])
		}
	}
	return nil
}

// isBlob notes what an index names without saying that it is a manifest, and makes
// sure that the registry has it among its blobs: else the bundle could not be built.
func (w *walk) isBlob(ctx context.Context, content manifests.Content) error {
	if content.Size > 0 {
		if err := w.probe(ctx, content); err != nil {
			return upstreamFault(w.image.ref, "", "index names %s of type %.80q, which is no blob that can be fetched: %w",
				content.Digest, content.MediaType, err)
		}
	}
	return w.blob(w.image.ref, content)
}

func (w *walk) followAll(ctx context.Context, entries []manifests.IndexEntry, depth int) error {
	for _, entry := range entries {
		if entry.Digest == "" {
			return upstreamFault(w.image.ref, "", "an index names %.80q without digest", entry.MediaType)
		}
		child := w.image.ref
		child.Digest = entry.Digest
		fetched, err := w.world.Manifest(ctx, child)
		if err != nil {
			return err
		}
		if manifests.IsIndex(fetched.MediaType) != manifests.IsIndex(entry.MediaType) || int64(len(fetched.Bytes)) != entry.Size {
			return upstreamFault(w.image.ref, "", "index names %s as %s of %d bytes, and it is %s of %d",
				entry.Digest, entry.MediaType, entry.Size, fetched.MediaType, len(fetched.Bytes))
		}
		if err := w.follow(ctx, fetched, entry, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// take notes a manifest and its blobs, and finds out what it is.
func (w *walk) take(ctx context.Context, fetched source.Manifest, entry manifests.IndexEntry) error {
	m, locked, err := w.manifest(ctx, w.image.ref, fetched)
	if err != nil {
		return err
	}
	f := found{LockedManifest: locked, said: entry.Platform != nil}
	switch {
	case !manifests.IsImageConfig(m.Config.MediaType), !manifests.IsImageConfig(entry.ArtifactType):
		f.ArtifactType = cmp.Or(entry.ArtifactType, m.ArtifactType, m.Config.MediaType)
	case m.hasOtherLayers():
		f.ArtifactType = cmp.Or(m.ArtifactType, m.Layers[0].MediaType)
	}
	platform := entry.Platform
	if !f.said && f.ArtifactType == "" {
		if platform, err = w.configPlatform(ctx, w.image.ref, f.Config); err != nil {
			return err
		}
		if platform == nil {
			f.ArtifactType = cmp.Or(m.ArtifactType, m.Config.MediaType, manifests.OCIConfig)
		}
	}
	if platform != nil {
		f.Platform, f.features = platform.Platform(), len(platform.OSFeatures)
	}
	if i := slices.IndexFunc(w.found, func(other found) bool { return other.Digest == f.Digest && other.Platform == f.Platform }); i >= 0 {
		if f.ArtifactType == "" {
			w.found[i] = f // another entry said that it is an artifact, which clients do not ask for
		}
		return nil
	}
	if len(w.found) == maxManifests {
		return upstreamFault(w.image.ref, "", "image has more than %d manifests", maxManifests)
	}
	w.found = append(w.found, f)
	return nil
}

// choose returns for each platform of the release the manifest that a client takes,
// then all others that are carried for it, and at last those for no such platform. An
// image without an index has to do for all of them.
func (w *walk) choose(index bool) ([]manifests.LockedManifest, error) {
	var locked []manifests.LockedManifest
	for _, want := range w.release.Platforms {
		suited := w.suiting(want)
		if len(suited) == 0 || suited[0].ArtifactType != "" {
			return nil, w.lacks(want, index)
		}
		for _, f := range suited {
			listed := slices.ContainsFunc(locked, func(m manifests.LockedManifest) bool {
				return m.Digest == f.Digest && want.Matches(m.Platform)
			})
			if !listed && (index || len(locked) == 0) {
				f.Platform = label(want, f, suited)
				locked = append(locked, f.LockedManifest)
			}
		}
	}
	for _, f := range w.found {
		if !slices.ContainsFunc(locked, func(m manifests.LockedManifest) bool { return m.Digest == f.Digest }) {
			locked = append(locked, f.LockedManifest)
		}
	}
	return locked, w.spelled(locked)
}

// suiting returns what suits a platform, the best first as containerd sorts it: what
// is no artifact, the newest variant, just the version that is wanted, what wants no
// features, what the index says a platform of, and then in the order of the index.
func (w *walk) suiting(want manifests.Platform) []found {
	var suited []found
	for _, f := range w.found {
		if want.Matches(f.Platform) {
			suited = append(suited, f)
		}
	}
	slices.SortStableFunc(suited, func(a, b found) int {
		rankA, _ := want.Rank(a.Platform)
		rankB, _ := want.Rank(b.Platform)
		return cmp.Or(
			first(a.ArtifactType == "", b.ArtifactType == ""), cmp.Compare(rankA, rankB),
			first(a.Platform.OSVersion == want.OSVersion, b.Platform.OSVersion == want.OSVersion),
			cmp.Compare(a.features, b.features), first(a.said, b.said),
		)
	})
	return suited
}

// first compares so that what is true comes first.
func first(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// label returns the platform under which something stands in the lock: as the release
// spells it, but for an older variant in the place of the one that it names, and for
// versions of which there are several or one is wanted, if they are such as can be wanted.
func label(want manifests.Platform, f found, among []found) manifests.Platform {
	p := want
	if rank, _ := want.Rank(f.Platform); rank > 0 && want.Variant != "" {
		p.Variant = strings.ToLower(f.Platform.Variant)
	}
	if want.OSVersion != "" || slices.ContainsFunc(among, func(o found) bool { return o.Platform.OSVersion != f.Platform.OSVersion }) {
		p.OSVersion = f.Platform.OSVersion
	}
	if _, err := manifests.ParsePlatform(p.String()); err != nil {
		p.OSVersion = ""
	}
	return p
}

// spelled makes sure that the platforms can be written into a lock.
func (w *walk) spelled(locked []manifests.LockedManifest) error {
	for _, m := range locked {
		if m.Platform == (manifests.Platform{}) {
			continue
		}
		if _, err := manifests.ParsePlatform(m.Platform.String()); err != nil {
			return upstreamFault(w.image.ref, "", "manifest %s is for a platform that cannot be written down: %w", m.Digest, err)
		}
	}
	return nil
}

// artifact returns the manifests of what the release says is no image.
func (w *walk) artifact() ([]manifests.LockedManifest, error) {
	locked := []manifests.LockedManifest{}
	for _, f := range w.found {
		locked = append(locked, f.LockedManifest)
	}
	isImage := func(want manifests.Platform) bool {
		suited := w.suiting(want)
		return len(suited) > 0 && suited[0].ArtifactType == ""
	}
	if !slices.ContainsFunc(w.release.Platforms, func(p manifests.Platform) bool { return !isImage(p) }) {
		return nil, upstreamFault(w.image.ref, "leave artifact: true out", "it is an image for %s, and no artifact", w.release.Platforms[0])
	}
	return locked, w.spelled(locked)
}

// lacks tells that there is no image for a platform, and what there is.
func (w *walk) lacks(want manifests.Platform, index bool) error {
	images := 0
	for _, f := range w.found {
		if f.ArtifactType == "" {
			w.listed = append(w.listed, f.Platform)
			images++
		}
	}
	if images == 0 && len(w.found) > 0 {
		return upstreamFault(w.image.ref, "to carry it all the same, name it in the release: images: [{name: "+w.image.ref.String()+
			", artifact: true}]; to leave it out, name it below exclude.images",
			"it is no image but an artifact of type %.80q", w.found[0].ArtifactType)
	}
	for _, entry := range w.passed {
		if entry.Platform != nil && want.Matches(entry.Platform.Platform()) {
			return upstreamFault(w.image.ref, "whoever publishes it has to mend the index: containerd cannot pull it either",
				"index says of %s for %s the type %.80q, which is neither that of a manifest nor of an index", entry.Digest, want, entry.MediaType)
		}
	}
	hint := "leave the platform out of the release, or use an image that has it"
	for _, said := range w.listed {
		_, err := manifests.ParsePlatform(said.String())
		if err == nil && said.OS == want.OS && said.Architecture == want.Architecture {
			hint = "if that is what the machines are, say platforms: [" + said.String() + "]; or use an image that has it"
			break
		}
	}
	if !index {
		return upstreamFault(w.image.ref, hint, "image is for %s, the release wants %s", clip(w.listed[0].String()), want)
	}
	return upstreamFault(w.image.ref, hint, "index has no image for %s; it has %s", want, told(w.listed))
}

// told lists platforms, each once and not too many.
func told(platforms []manifests.Platform) string {
	var names []string
	for _, p := range platforms {
		name := clip(p.String())
		if p.OS != "unknown" && name != "/" && !slices.Contains(names, name) { // as attestations are marked, or not at all
			names = append(names, name)
		}
	}
	switch more := len(names) - maxTold; {
	case len(names) == 0:
		return "none for any platform"
	case more > 0:
		return strings.Join(names[:maxTold], ", ") + fmt.Sprintf(" and %d more", more)
	default:
		return strings.Join(names, ", ")
	}
}

func clip(text string) string { return text[:min(len(text), maxToldBytes)] }

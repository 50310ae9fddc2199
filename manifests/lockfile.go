package manifests

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/exactjson"
	"github.com/islandbundle/island/internal/jsonwalk"
	"github.com/islandbundle/island/internal/jsonweight"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/manifests/fault"
)

// MaxLockBytes bounds a lock file: some ten thousand images.
const MaxLockBytes = 64 << 20

// maxWeight is how many times its bytes a JSON document may take in memory once
// decoded. Real inventories and locks take less than twice theirs.
const maxWeight = 6

// Encode returns the lock as it is written to island.lock.json: sorted, indented
// by two spaces, ending with a newline. The same lock gives the same bytes.
func (l *Lock) Encode() ([]byte, error) {
	l.Sort()
	return EncodeJSON(l)
}

// EncodeJSON returns indented JSON with a final newline and without HTML escapes. What
// a terminal would not show as text is escaped in it.
func EncodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("encode: %w", err)
	}
	return printable.JSON(b.Bytes()), nil
}

// DecodeJSON reads what [EncodeJSON] writes: one JSON document whose members are
// all known, and nothing behind it. For documents that people write there is
// [DecodeStrict], which names the place of what is wrong. A document that would take
// many times its bytes in memory is an error before any of it is built, and so is one
// that another reader could understand differently: with a member twice or in other
// letters, or with text that is no Unicode.
func DecodeJSON(data []byte, into any) error {
	reader := json.NewDecoder(bytes.NewReader(data))
	reader.DisallowUnknownFields()
	if err := jsonweight.Check(data, into, jsonweight.Times(maxWeight, data)); err != nil {
		if errors.Is(err, jsonwalk.ErrMalformed) {
			err = cmp.Or(reader.Decode(new(json.RawMessage)), err) // says where
		}
		return err
	}
	if err := exactjson.Check(data, into); err != nil {
		return err
	}
	if err := reader.Decode(into); err != nil {
		return err
	}
	// Not More, which takes a closing bracket for the end.
	if _, err := reader.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text follows the document")
	}
	return nil
}

// ReadLock reads and checks a lock file. What is no lock is told as
// [DecodeStrict] tells it; an unknown apiVersion and a lock that contradicts
// itself are Usage errors as well.
func ReadLock(file string, data []byte) (*Lock, error) {
	if len(data) > MaxLockBytes {
		return nil, fault.At(fault.Place{File: file}, "", "lock is larger than %s", Bytes(MaxLockBytes))
	}
	if err := checkText(file, data); err != nil {
		return nil, err
	}
	root, err := parseJSON(file, data)
	if err != nil {
		return nil, err
	}
	var l Lock
	_, flaws := decodeNode(file, root, &l)
	another := func(got, want string) bool { return got != want && (got != "" || flaws == nil) }
	if another(l.APIVersion, APIVersion) || another(l.Kind, KindLock) {
		return nil, fault.At(fault.Place{File: file}, "write it anew with island resolve",
			"wants a %s of %s, got %q of %q", KindLock, APIVersion, l.Kind, l.APIVersion)
	}
	if flaws != nil {
		return nil, flaws
	}
	if err := l.Check(); err != nil {
		return nil, fault.At(fault.Place{File: file}, "was it edited by hand? write it anew with island resolve", "%w", err)
	}
	return &l, nil
}

// Sort puts everything in the lock into the one order in which it is written.
func (l *Lock) Sort() {
	slices.SortFunc(l.Charts, func(a, b LockedChart) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	})
	slices.SortFunc(l.Images, func(a, b LockedImage) int { return cmp.Compare(a.Name.String(), b.Name.String()) })
	for _, image := range l.Images {
		slices.SortFunc(image.From, compareOrigins)
	}
	slices.SortFunc(l.Files, func(a, b LockedFile) int { return cmp.Compare(a.Path, b.Path) })
	slices.SortFunc(l.LeftOut, compareOmissions)
	slices.SortFunc(l.Undecided, compareOmissions)
	slices.SortFunc(l.Stubbed, func(a, b StubbedValue) int {
		return cmp.Or(cmp.Compare(a.Chart, b.Chart), cmp.Compare(a.Rendering, b.Rendering), cmp.Compare(a.Path, b.Path))
	})
	SortBlobs(l.Blobs)
}

func compareOmissions(a, b Omission) int {
	return cmp.Or(cmp.Compare(a.What, b.What), compareOrigins(a.Origin, b.Origin), cmp.Compare(a.Reason, b.Reason))
}

func compareOrigins(a, b Origin) int {
	return cmp.Or(cmp.Compare(a.Chart, b.Chart), cmp.Compare(a.Template, b.Template),
		cmp.Compare(a.Object, b.Object), cmp.Compare(a.Field, b.Field), cmp.Compare(a.List, b.List))
}

// SortBlobs puts blobs in bundle order: indexes, then manifests, then all
// else, each by digest. A reader of a stream thus meets everything that names
// a blob before the blob.
func SortBlobs(blobs []Content) {
	slices.SortFunc(blobs, func(a, b Content) int {
		return cmp.Or(cmp.Compare(blobRank(a), blobRank(b)), cmp.Compare(a.Digest, b.Digest))
	})
}

func blobRank(c Content) int {
	switch {
	case IsIndex(c.MediaType):
		return 0
	case IsManifest(c.MediaType):
		return 1
	default:
		return 2
	}
}

// The media types of what can be behind an image's name (OCI image-spec,
// media-types.md; Docker Image Manifest V2, Schema 2).
const (
	OCIIndex       = "application/vnd.oci.image.index.v1+json"
	OCIManifest    = "application/vnd.oci.image.manifest.v1+json"
	DockerList     = "application/vnd.docker.distribution.manifest.list.v2+json"
	DockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
)

// IsIndex reports whether a media type is that of an index of several manifests.
func IsIndex(mediaType string) bool { return mediaType == OCIIndex || mediaType == DockerList }

// IsManifest reports whether a media type is that of one image's manifest.
func IsManifest(mediaType string) bool {
	return mediaType == OCIManifest || mediaType == DockerManifest
}

// Check reports whether the lock is whole and consistent: every blob that an
// image names is listed once with a size, names are unique, paths are below
// the folders that they belong to.
func (l *Lock) Check() error {
	if !releaseName.MatchString(l.Release.Name) || !releaseVersion.MatchString(l.Release.Version) {
		return fmt.Errorf("release %q %q has no usable name and version", l.Release.Name, l.Release.Version)
	}
	if !printable.IsLine(l.Release.Cycle) {
		return fmt.Errorf("cycle %q is not one line of printable characters", l.Release.Cycle)
	}
	for _, chart := range l.Charts {
		if !printable.IsLine(chart.Name) || !printable.IsLine(chart.Version) {
			return fmt.Errorf("chart %q %q has a name or a version that is not one line of printable characters", chart.Name, chart.Version)
		}
	}
	if l.Release.Date.IsZero() || len(l.Release.Platforms) == 0 || slices.Contains(l.Release.Platforms, Platform{}) {
		return errors.New("release has no date or no platform")
	}
	if err := l.Release.Sequence.check(); err != nil {
		return err
	}
	blobs := map[Digest]Content{}
	for _, blob := range l.Blobs {
		if err := blob.check(); err != nil {
			return err
		}
		if _, twice := blobs[blob.Digest]; twice {
			return fmt.Errorf("blob %s is listed twice", blob.Digest)
		}
		if blob.Repository == "" && (blob.Size == 0 || blobRank(blob) < 2 || !blob.IsLayerByURL()) {
			return fmt.Errorf("blob %s of type %.100q has no repository", blob.Digest, blob.MediaType)
		}
		blobs[blob.Digest] = blob
	}
	if err := l.checkFormat(); err != nil {
		return err
	}
	if err := l.checkImages(blobs); err != nil {
		return err
	}
	if err := l.checkPatches(); err != nil {
		return err
	}
	return l.checkPaths()
}

func (c Content) check() error {
	switch {
	case c.Digest == "":
		return errors.New("content has no digest")
	case c.Size < 0 || (c.Repository != "" && c.Size == 0 && c.Digest != EmptyDigest):
		return fmt.Errorf("content %s has size %d", c.Digest, c.Size)
	case (c.Repository == "") == (c.URL == ""):
		return fmt.Errorf("content %s wants one of repository and url", c.Digest)
	}
	return nil
}

// MaxFormat is the latest format of bundles that a lock can ask for.
const MaxFormat = 2

// BundleFormat returns the format of a bundle that carries the lock
// (docs/format.md, section 11).
func (l *Lock) BundleFormat() int { return max(l.Format, 1) }

// NeedFormat makes the lock say which format bundles of it have at least: the one
// given, or a later one if it has what that does not know.
func (l *Lock) NeedFormat(format int) {
	if l.beyondFormat1() != "" {
		format = max(format, 2)
	}
	if l.Format = 0; format > 1 {
		l.Format = format
	}
}

// checkFormat makes sure that a lock that has what format 1 of bundles does not know
// says so.
func (l *Lock) checkFormat() error {
	if l.Format < 0 || l.Format == 1 || l.Format > MaxFormat {
		return fmt.Errorf("lock is for bundles of format %d; this program knows formats 1, which is not said, to %d", l.Format, MaxFormat)
	}
	if what := l.beyondFormat1(); what != "" && l.Format < 2 {
		return fmt.Errorf("%s needs format 2, which the lock does not say", what)
	}
	return nil
}

func (l *Lock) beyondFormat1() string {
	versioned := func(p Platform) bool { return p.OSVersion != "" }
	if slices.ContainsFunc(l.Release.Platforms, versioned) {
		return "a platform with a version"
	}
	for _, chart := range l.Charts {
		if chart.Rendered != nil {
			return "how chart " + chart.Name + " was rendered"
		}
	}
	for _, p := range l.Patches {
		if len(p.Set)+len(p.Added)+len(p.Namespaces) > 0 {
			return "patch " + p.ID
		}
	}
	for _, blob := range l.Blobs {
		if blob.Size == 0 {
			return "blob " + string(blob.Digest) + ", which is empty,"
		}
		if blob.Repository == "" {
			return "blob " + string(blob.Digest) + ", which has no repository but a URL,"
		}
	}
	for _, image := range l.Images {
		if image.Artifact || len(image.Indexes) > 0 || slices.ContainsFunc(image.Manifests, func(m LockedManifest) bool {
			return m.ArtifactType != "" || versioned(m.Platform)
		}) {
			return "image " + image.Name.String()
		}
	}
	return ""
}

func (l *Lock) checkImages(blobs map[Digest]Content) error {
	names := map[string]bool{}
	for _, image := range l.Images {
		name := image.Name.String()
		if image.Name == (ImageRef{}) {
			return fmt.Errorf("image %s has no name", image.Digest)
		}
		if names[name] {
			return fmt.Errorf("image %s is listed twice", name)
		}
		names[name] = true
		if err := image.check(blobs); err != nil {
			return fmt.Errorf("image %s: %w", name, err)
		}
	}
	return nil
}

// check makes sure that what an image consists of is among the blobs, as what it
// is said to be.
func (i LockedImage) check(blobs map[Digest]Content) error {
	top, ok := blobs[i.Digest]
	if !ok || top.Size != i.Size || top.MediaType != i.MediaType {
		return fmt.Errorf("its manifest %s is not among the blobs as described", i.Digest)
	}
	if !IsIndex(top.MediaType) && !IsManifest(top.MediaType) {
		return fmt.Errorf("it is neither an index nor a manifest, but %q", top.MediaType)
	}
	if err := i.checkAttachments(blobs); err != nil {
		return err
	}
	for _, digest := range i.Indexes {
		if !IsIndex(top.MediaType) || !IsIndex(blobs[digest].MediaType) {
			return fmt.Errorf("%s is no index within its index", digest)
		}
	}
	if len(i.Manifests) == 0 && !i.Artifact {
		return errors.New("it has no manifest for any platform")
	}
	for _, manifest := range i.Manifests {
		if err := i.checkManifest(manifest, blobs); err != nil {
			return err
		}
	}
	return nil
}

func (i LockedImage) checkManifest(m LockedManifest, blobs map[Digest]Content) error {
	if m.Platform == (Platform{}) && i.Runs(m) {
		return fmt.Errorf("manifest %s has no platform", m.Digest)
	}
	for _, digest := range append([]Digest{m.Digest, m.Config}, m.Layers...) {
		if _, ok := blobs[digest]; !ok {
			return fmt.Errorf("blob %s is not listed", digest)
		}
	}
	if !IsManifest(blobs[m.Digest].MediaType) {
		return fmt.Errorf("blob %s is no manifest", m.Digest)
	}
	if IsManifest(i.MediaType) && m.Digest != i.Digest {
		return fmt.Errorf("%s is not its manifest", m.Digest)
	}
	return nil
}

// ChartIndexPath is where every bundle has an index of its charts (docs/format.md).
const ChartIndexPath = "charts/index.yaml"

func (l *Lock) checkPaths() error {
	paths := []EntryPath{ChartIndexPath}
	check := func(path EntryPath, content Content, folders ...string) error {
		if !slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(string(path), f) }) {
			return fmt.Errorf("path %q is not below %s", path, strings.Join(folders, " or "))
		}
		paths = append(paths, path)
		return content.check()
	}
	for _, chart := range l.Charts {
		if chart.Name == "" || chart.Version == "" {
			return fmt.Errorf("chart %q has no name or no version", chart.Path)
		}
		if err := check(chart.Path, chart.Content, "charts/"); err != nil {
			return err
		}
		if err := chart.checkRendered(); err != nil {
			return err
		}
	}
	for _, file := range l.Files {
		if file.Mode&^0o777 != 0 {
			return fmt.Errorf("file %s: mode %o has more than permission bits", file.Path, file.Mode)
		}
		if err := check(file.Path, file.Content, "files/", "values/"); err != nil {
			return err
		}
	}
	if clashes := PathClashes(paths); len(clashes) > 0 {
		return clashes[0]
	}
	return nil
}

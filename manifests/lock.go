package manifests

// Lock is a release in which nothing is left to choose: every chart, image,
// file and blob is pinned by digest and size. It is sorted, so that two locks
// can be compared by line.
type Lock struct {
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Format     int           `json:"format,omitempty"` // least format of a bundle that can carry it: 2, or left out for 1
	Release    LockedRelease `json:"release"`
	Patches    []LockedPatch `json:"patches,omitempty"` // in the order in which they were laid
	Charts     []LockedChart `json:"charts"`            // by name, then version
	Images     []LockedImage `json:"images"`            // by name
	Blobs      []Content     `json:"blobs"`             // every blob of every image, in bundle order: see SortBlobs
	Files      []LockedFile  `json:"files"`             // by path
	LeftOut    []Omission    `json:"leftOut"`           // what was seen and is not carried, and why

	// Undecided is what may be an image and which no rule of the release speaks
	// of. Strict discovery, the default, builds nothing of such a lock.
	Undecided []Omission      `json:"undecided,omitempty"`
	Rules     []DiscoveryRule `json:"rules,omitempty"`   // by which finds were included and left out
	Stubbed   []StubbedValue  `json:"stubbed,omitempty"` // values that were made up so that charts render
}

// StubbedValue is a value that a chart demands, that the release does not give,
// and that was made up so that its images could be found.
type StubbedValue struct {
	Chart     string `json:"chart"`
	Rendering string `json:"rendering,omitempty"`
	Path      string `json:"path"` // from the top of a values file, such as brig.config.host
	Why       string `json:"why"`  // the chart's own demand
}

// LockedRelease is a release's metadata as it travels.
type LockedRelease struct {
	Name        string             `json:"name"`
	Version     string             `json:"version"`
	Cycle       string             `json:"cycle,omitempty"`
	Date        Date               `json:"date"`
	Sequence    Sequence           `json:"sequence"` // 0: nobody can tell whether it is newer than another
	Expires     Date               `json:"expires,omitzero"`
	BaseVersion string             `json:"baseVersion,omitempty"` // what the release was called before its patches
	UpgradeFrom *LockedUpgradeFrom `json:"upgradeFrom,omitempty"`
	Support     Support            `json:"support,omitzero"`
	Upgrades    []Upgrade          `json:"upgrades,omitempty"`
	Profile     string             `json:"profile,omitempty"`
	Platforms   []Platform         `json:"platforms"`
}

// LockedUpgradeFrom is [UpgradeFrom] as it travels.
type LockedUpgradeFrom struct {
	Range string       `json:"range,omitempty"`
	Skip  []LockedSkip `json:"skip,omitempty"`
}

// LockedSkip is [Skip] as it travels.
type LockedSkip struct {
	Version string `json:"version"`
	Reason  string `json:"reason"`
}

// Content is bytes that are pinned: which they are, how many, and where they
// come from. Exactly one of Repository and URL is given.
type Content struct {
	Digest     Digest `json:"digest"`
	Size       int64  `json:"size"` // bytes
	MediaType  string `json:"mediaType,omitempty"`
	Repository string `json:"repository,omitempty"` // registry host and repository that hold the blob or manifest
	URL        string `json:"url,omitempty"`        // http(s) URL, or a slash-separated path relative to the release document
}

// ChartMediaType is that of a chart's archive (helm.sh/helm/v3/pkg/registry, constants.go).
const ChartMediaType = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

// IsLayerByURL reports whether content is a layer that its registry does not hold: its
// URL stands in an image's manifest, whose writer may be anybody (CVE-2020-15157), and
// was not named by whoever wrote the release. It has a media type, and not that of
// charts; files that a release names have none. [Lock.Check] refuses other blobs with a URL.
func (c Content) IsLayerByURL() bool {
	return c.URL != "" && c.MediaType != "" && c.MediaType != ChartMediaType
}

// LockedChart is a chart archive, pinned.
type LockedChart struct {
	Name    string     `json:"name"`
	Version string     `json:"version"`
	Repo    string     `json:"repo,omitempty"` // as the release names it
	Path    EntryPath  `json:"path"`           // in the bundle: charts/NAME-VERSION.tgz
	Content Content    `json:"content"`
	App     string     `json:"appVersion,omitempty"`
	Meta    *ChartMeta `json:"meta,omitempty"`

	DecidedBy string `json:"decidedBy,omitempty"` // id of the patch, if one did

	Rendered *LockedRendering `json:"rendered,omitempty"` // how its images were looked for, where that is not as Helm does without being told
}

// LockedRendering says what a chart was rendered for and with when its images were
// looked for.
type LockedRendering struct {
	Namespace   string          `json:"namespace,omitempty"`
	KubeVersion string          `json:"kubeVersion,omitempty"` // such as 1.29.10
	APIVersions []string        `json:"apiVersions,omitempty"` // beyond those of Kubernetes
	Tags        map[string]bool `json:"tags,omitempty"`        // subchart tags that were switched on or off
	Values      []LockedValues  `json:"values,omitempty"`      // in the order in which they were laid over each other
}

// LockedValues are values that a chart was rendered with, where they are from, and
// for which versions of the chart they were written.
type LockedValues struct {
	// From is the file as the document names it; wire:… is one that the program
	// brings; "set" are those that the documents give in place.
	From      string    `json:"from"`
	Rendering string    `json:"rendering,omitempty"` // name of the further rendering that they are for
	Path      EntryPath `json:"path,omitempty"`      // in the bundle; secrets and what is given in place are not carried
	Digest    Digest    `json:"digest,omitempty"`    // of the file; none of secrets, which could be guessed by it
	Secret    bool      `json:"secret,omitempty"`
	For       string    `json:"for,omitempty"`   // a semver range of the chart; empty where the document does not say
	Other     bool      `json:"other,omitempty"` // the chart is of another version: whether they still do was not said
}

// LockedImage is an image, pinned. Digest is that of the index or manifest
// that the name means; it is carried byte for byte.
type LockedImage struct {
	Name      ImageRef `json:"name"`
	Digest    Digest   `json:"digest"`
	MediaType string   `json:"mediaType"`
	Size      int64    `json:"size"` // of the index or manifest itself, bytes
	// Artifact says that it is none, but something else that registries hold: a
	// policy, a module, a model.
	Artifact bool `json:"artifact,omitempty"`
	// Indexes are those within its index, whose parts are carried as well.
	Indexes []Digest `json:"indexes,omitempty"`
	// Manifests are for each of the release's platforms the one that a client takes, and
	// behind it others that are carried for that platform; last what is for no platform.
	Manifests []LockedManifest `json:"manifests"`
	From      []Origin         `json:"from"` // who needs it
	// id of the patch that put it in the place of another, or brought the charts
	// that need it
	DecidedBy string `json:"decidedBy,omitempty"`

	Attachments []LockedAttachment `json:"attachments,omitempty"` // what upstream publishes beside it
}

// For returns the manifest of the image for a platform. An artifact has none.
func (i LockedImage) For(platform Platform) (LockedManifest, bool) {
	for _, m := range i.Manifests {
		if i.Runs(m) && platform.Matches(m.Platform) {
			return m, true
		}
	}
	return LockedManifest{}, false
}

// Runs reports whether one of the image's manifests is one that containers are made of.
func (i LockedImage) Runs(m LockedManifest) bool { return !i.Artifact && m.ArtifactType == "" }

// LockedManifest is the image manifest for one platform (OCI image-spec,
// manifest.md).
type LockedManifest struct {
	Platform Platform `json:"platform,omitzero"` // of an artifact, it may be left out
	// ArtifactType is what it is, if it is no image: its own type or that of its
	// configuration.
	ArtifactType string   `json:"artifactType,omitempty"`
	Digest       Digest   `json:"digest"`
	Config       Digest   `json:"config"`
	Layers       []Digest `json:"layers"`
}

// For says to people what the manifest is for: its platform, or that it is an artifact.
func (m LockedManifest) For() string {
	if m.ArtifactType != "" || m.Platform == (Platform{}) {
		return "artifact"
	}
	return m.Platform.String()
}

// Origin says where an image was found: in which object and field of which
// rendered chart, or in which list of the release.
type Origin struct {
	Chart    string `json:"chart,omitempty"`
	Template string `json:"template,omitempty"` // such as wire-server/templates/brig/deployment.yaml
	Object   string `json:"object,omitempty"`   // such as Deployment/brig
	Field    string `json:"field,omitempty"`    // such as spec.template.spec.containers[0].image
	List     string `json:"list,omitempty"`     // such as "images, group system"

	Rendering string `json:"rendering,omitempty"` // names of the renderings that need it, if the chart has several
}

// LockedFile is a file carried as it is, pinned.
type LockedFile struct {
	Path    EntryPath `json:"path"` // in the bundle: files/… or values/…
	Mode    uint32    `json:"mode"` // permission bits
	Content Content   `json:"content"`

	DecidedBy string `json:"decidedBy,omitempty"` // id of the patch, if one did
}

// Omission is something that was seen and is not carried.
type Omission struct {
	What   string `json:"what"` // an image reference, or "chart NAME"
	Reason string `json:"reason"`
	Origin Origin `json:"origin,omitzero"`
}

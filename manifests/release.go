package manifests

import "github.com/islandbundle/island/manifests/fault"

// APIVersion is the version of the documents that this package reads and
// writes. A document of another version is refused.
const APIVersion = "island/v1"

// The kinds of document.
const (
	KindRelease = "Release" // everything one delivery consists of
	KindOverlay = "Overlay" // what is laid over a release or a Wire build.json
	KindLock    = "Lock"    // a release with everything pinned by digest and size
)

// Release says what one delivery consists of, by name. Resolving turns it into
// a [Lock]. An overlay has the same form; in it everything is optional, and
// what it gives is laid over a release by [Lay].
type Release struct {
	APIVersion  string             `yaml:"apiVersion"` // always island/v1
	Kind        string             `yaml:"kind"`       // Release or Overlay
	Metadata    Metadata           `yaml:"metadata"`
	Platforms   []Platform         `yaml:"platforms,omitempty"` // whose images are carried, such as linux/amd64
	Defaults    Defaults           `yaml:"defaults,omitempty"`
	Charts      []Chart            `yaml:"charts,omitempty"`
	Images      []Image            `yaml:"images,omitempty"` // images that no chart names
	Files       []File             `yaml:"files,omitempty"`
	Values      []ValuesFolder     `yaml:"values,omitempty"`            // folders carried below values/
	Allow       []Allowance        `yaml:"allow,omitempty"`             // images that would be an error, let through by name
	Exclude     Exclusions         `yaml:"exclude,omitempty"`           // what is left out whatever the profile
	Profiles    map[string]Profile `yaml:"profiles,omitempty"`          // by name, such as default
	Aliases     map[string]string  `yaml:"repositoryAliases,omitempty"` // bare repository name → URL
	Policy      Policy             `yaml:"policy,omitempty"`
	Attachments Attachments        `yaml:"attachments,omitempty"` // signatures and bills of materials that upstream publishes
	Discovery   Discovery          `yaml:"discovery,omitempty"`   // where images are, beyond what the charts tell

	sources   documents // where each field stands, for errors; none for a release made in code
	wireBuild bool      // read from a Wire build.json
	chosen    []string  // names of the renderings that the profile wants
}

// ChosenRenderings returns the names of the renderings that the profile wants;
// none means all.
func (r *Release) ChosenRenderings() []string { return r.chosen }

// IsWireBuild reports whether the release was read from a Wire build.json, which
// names charts and nothing else.
func (r *Release) IsWireBuild() bool { return r.wireBuild }

// Metadata identifies a release and places it in time.
type Metadata struct {
	Name        string      `yaml:"name"`                  // lowercase DNS label, such as wire
	Version     string      `yaml:"version"`               // such as 2026.1 or 1.0.0-144
	Cycle       string      `yaml:"cycle,omitempty"`       // the 6-month cycle, such as 2026-H1
	Date        Date        `yaml:"date,omitempty"`        // the day of release; every time in the bundle is this one
	Sequence    Sequence    `yaml:"sequence,omitempty"`    // grows with every delivery; a site never goes back
	Expires     Date        `yaml:"expires,omitempty"`     // after this day the bundle should not be installed any more
	UpgradeFrom UpgradeFrom `yaml:"upgradeFrom,omitempty"` // what this release can be installed over
	Support     Support     `yaml:"support,omitempty"`     // how long it is supported
	Upgrades    []Upgrade   `yaml:"upgrades,omitempty"`    // steps that lead to it, and their conditions
}

// UpgradeFrom says which installed versions a release can be installed over.
type UpgradeFrom struct {
	Range string `yaml:"range,omitempty"` // a semver range such as ">=5.28.0 <5.30.0"
	Skip  []Skip `yaml:"skip,omitempty"`  // versions that must not be stepped on
}

// Skip is a version that an upgrade must not step on, and why.
type Skip struct {
	Version string `yaml:"version"` // a semantic version, such as 5.29.0
	Reason  string `yaml:"reason"`
}

// Defaults hold for every chart that does not say otherwise.
type Defaults struct {
	KubeVersion string   `yaml:"kubeVersion,omitempty"` // of Kubernetes, that charts are rendered for, such as 1.29.10
	APIVersions []string `yaml:"apiVersions,omitempty"` // beyond those of Kubernetes, such as monitoring.coreos.com/v1
}

// Chart is one Helm chart of a release. Exactly one of Repo and Path is given
// in a release; an overlay may give neither, and then adds to the chart of
// that name.
type Chart struct {
	Name        string          `yaml:"name"`                  // as in its Chart.yaml
	Repo        string          `yaml:"repo,omitempty"`        // https://…, http://…, oci://…, file://…, or an alias
	Path        string          `yaml:"path,omitempty"`        // a chart folder or .tgz, relative to the document
	Version     string          `yaml:"version,omitempty"`     // an exact semantic version, no range
	For         string          `yaml:"for,omitempty"`         // versions of the chart that this entry was written for, a semver range
	Namespace   string          `yaml:"namespace,omitempty"`   // that it is rendered for; "default" unless given
	Values      []string        `yaml:"values,omitempty"`      // values files, relative to the document; carried in the bundle
	Secrets     []string        `yaml:"secrets,omitempty"`     // values files used for rendering only, never carried
	Set         map[string]any  `yaml:"set,omitempty"`         // values given in place, laid over the files
	KubeVersion string          `yaml:"kubeVersion,omitempty"` // such as 1.29.10; that of defaults unless given
	APIVersions []string        `yaml:"apiVersions,omitempty"` // such as monitoring.coreos.com/v1
	Tags        map[string]bool `yaml:"tags,omitempty"`        // subchart tags to switch on or off
	Images      []string        `yaml:"images,omitempty"`      // images that rendering cannot show
	As          string          `yaml:"as,omitempty"`          // install or upgrade: rendered as that alone; both unless given
	Renderings  []Rendering     `yaml:"renderings,omitempty"`  // further ways to render the chart, whose images are carried too
	Meta        ChartMeta       `yaml:"meta,omitempty"`        // informative

	Patched []PatchedValues `yaml:"-"` // what patches set, in their order
	Over    map[string]any  `yaml:"-"` // of these what is laid over all else in this rendering, and what image overrides set

	entries []entry    // the entries that make up the chart, the uppermost first, for errors
	laid    []ValueSet // what each of several documents gives it, the lowest first

	advisory bool // of the overlay that is laid over every release
}

// entry is where a document describes a chart, a file or a folder.
type entry struct {
	source *document
	field  string // charts[3], or helmCharts.brig
}

// place returns where a field of what is described stands, such as ".version"; of
// what was made in code it is nowhere.
func (e entry) place(sub string) fault.Place {
	if e.source == nil {
		return fault.Place{}
	}
	return e.source.place(e.field + sub)
}

// Place returns where a field of the file, such as ".destination", stands in the
// document that names it.
func (f File) Place(sub string) fault.Place { return f.entry.place(sub) }

// Place returns where a field of the folder stands likewise.
func (f ValuesFolder) Place(sub string) fault.Place { return f.entry.place(sub) }

// ChartMeta is what Wire's build.json tells about where a chart came from.
type ChartMeta struct {
	AppVersion string `yaml:"appVersion,omitempty" json:"appVersion,omitempty"` // of what the chart installs
	Commit     string `yaml:"commit,omitempty" json:"commit,omitempty"`         // that the chart was made from
	CommitURL  string `yaml:"commitURL,omitempty" json:"commitURL,omitempty"`   // where the commit can be read
}

// Image is an image that no chart names, such as those of Kubernetes itself.
type Image struct {
	Name string `yaml:"name"` // registry/repository:tag[@digest]
	// TagFromChart names a chart whose version is the image's tag; Name then
	// has none. An image whose chart is not in the release is left out.
	TagFromChart string `yaml:"tagFromChart,omitempty"`
	// Artifact says that it is no image but something else that a registry holds,
	// such as a policy, a module or a model, and is carried all the same.
	Artifact bool   `yaml:"artifact,omitempty"`
	Group    string `yaml:"group,omitempty"`  // such as system or adminhost; a profile can leave a group out
	Reason   string `yaml:"reason,omitempty"` // for the reader
}

// File is a file that is carried as it is: a binary, a client app, a dashboard.
type File struct {
	URL         string `yaml:"url"`             // http(s)://…, or a path relative to the document
	SHA256      string `yaml:"sha256"`          // 64 lowercase hexadecimal digits
	Size        Bytes  `yaml:"size,omitempty"`  // bytes; asked of the server if 0
	Destination string `yaml:"destination"`     // below files/ in the bundle
	Mode        string `yaml:"mode,omitempty"`  // octal, "0644" unless given
	Group       string `yaml:"group,omitempty"` // such as binaries; a profile can leave a group out

	entry entry // for errors
}

// ValuesFolder is a folder of values files that is carried below values/.
type ValuesFolder struct {
	Path        string `yaml:"path"`                  // relative to the document
	Destination string `yaml:"destination,omitempty"` // below values/ in the bundle

	entry entry // for errors
}

// Allowance lets one image pass that would otherwise be an error, by name.
type Allowance struct {
	Image  string `yaml:"image"` // exactly as it is referred to, such as docker.io/library/busybox:latest
	Reason string `yaml:"reason"`
}

// Exclusions leave charts and images out, and say why.
type Exclusions struct {
	Charts []string       `yaml:"charts,omitempty"` // names of charts
	Images []ImagePattern `yaml:"images,omitempty"`
}

// ImagePattern is a pattern on whole image references, in which * stands for
// any characters, and the reason for leaving out what it matches.
type ImagePattern struct {
	Pattern string `yaml:"pattern"` // such as "*-integration:*"
	Reason  string `yaml:"reason"`
}

// Profile is a named variant of a release: what it leaves out.
type Profile struct {
	Description string     `yaml:"description,omitempty"` // for the reader
	Exclude     Exclusions `yaml:"exclude,omitempty"`     // in addition to what the release excludes
	Without     []string   `yaml:"without,omitempty"`     // groups of images and files, such as system, binaries
	Renderings  []string   `yaml:"renderings,omitempty"`  // names of the renderings of charts to use; none means all
}

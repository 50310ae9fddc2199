package manifests

import (
	"fmt"

	"github.com/islandbundle/island/manifests/fault"
)

// KindPatch is the kind of a document that changes a release between cycles.
const KindPatch = "Patch"

// Patch is a small, reviewable change of a release: which holes it closes, what
// it applies to, and what it changes. [LayPatches] lays it over a release.
type Patch struct {
	APIVersion string        `yaml:"apiVersion"`
	Kind       string        `yaml:"kind"`
	Metadata   PatchMetadata `yaml:"metadata"`
	AppliesTo  Applicability `yaml:"appliesTo"`
	Requires   []string      `yaml:"requires,omitempty"`   // ids of patches that have to be laid first
	Supersedes []string      `yaml:"supersedes,omitempty"` // ids of patches whose place this one takes
	Conflicts  []string      `yaml:"conflicts,omitempty"`  // ids of patches that cannot be laid together with it
	Release    Becomes       `yaml:"release,omitempty"`
	Changes    Changes       `yaml:"changes"`
	Steps      Text          `yaml:"steps,omitempty"` // what to do on site after installing

	Digest Digest `yaml:"-"` // of the document as it was read

	source *document
}

// PatchMetadata identifies a patch and says how urgent it is.
type PatchMetadata struct {
	ID              string          `yaml:"id"`                 // such as WIRE-2026-001
	Date            Date            `yaml:"date"`               // of publication
	Severity        Severity        `yaml:"severity"`           // not below that of its gravest vulnerability
	Deadline        Date            `yaml:"deadline,omitempty"` // the day by which it should be installed
	Summary         Text            `yaml:"summary"`
	Vulnerabilities []Vulnerability `yaml:"vulnerabilities,omitempty"`
}

// Text is for people, in English and German.
type Text struct {
	En string `yaml:"en,omitempty" json:"en,omitempty"`
	De string `yaml:"de,omitempty" json:"de,omitempty"`
}

// IsZero reports whether there is no text in either language.
func (t Text) IsZero() bool { return t == Text{} }

// Vulnerability is a hole that a patch closes.
type Vulnerability struct {
	ID         string   `yaml:"id" json:"id"` // CVE-2026-12345, or another public identifier such as GHSA-…
	CVSS       CVSS     `yaml:"cvss,omitempty" json:"cvss,omitzero"`
	Advisories []string `yaml:"advisories,omitempty" json:"advisories,omitempty"` // https:// URLs
	Summary    string   `yaml:"summary,omitempty" json:"summary,omitempty"`
	// In names the image repositories, charts and files of the patch that had
	// the hole; empty means everything that the patch changes.
	In []string `yaml:"in,omitempty" json:"in,omitempty"`
}

// Applicability says which releases a patch is for.
type Applicability struct {
	Release  string `yaml:"release"`  // the release's name, such as wire
	Versions string `yaml:"versions"` // one version, or a semver range such as ">=2026.1.0 <2026.2.0"
}

// Becomes says what the patched release is called and where in the order of
// deliveries it stands.
type Becomes struct {
	Version  string   `yaml:"version,omitempty"`  // unless given, the patch's id is put behind the release's own
	Sequence Sequence `yaml:"sequence,omitempty"` // of several patches the highest counts, and one more than the release's own
	Expires  Date     `yaml:"expires,omitempty"`  // unless given, it stays
}

// Changes are what a patch does. Charts, Images and Files change what the
// release has already; what matches nothing there is an error.
type Changes struct {
	Charts []Chart         `yaml:"charts,omitempty"` // laid over the release's chart of the same name, as [Lay] does
	Images []ImageOverride `yaml:"images,omitempty"`
	Files  []File          `yaml:"files,omitempty"` // take the place of the file of the same destination
	Add    Additions       `yaml:"add,omitempty"`
	Remove Removals        `yaml:"remove,omitempty"`
}

// Additions are what the release does not have yet.
type Additions struct {
	Charts []Chart `yaml:"charts,omitempty"`
	Images []Image `yaml:"images,omitempty"`
	Files  []File  `yaml:"files,omitempty"`
}

// Removals are what the release has and shall have no more.
type Removals struct {
	Charts []string `yaml:"charts,omitempty"` // names
	Images []string `yaml:"images,omitempty"` // names, as the release's own list has them
	Files  []string `yaml:"files,omitempty"`  // destinations
}

// ReadPatch reads and checks a Patch document. Every flaw is a Usage error with
// its place.
func ReadPatch(file string, data []byte) (*Patch, error) {
	var p Patch
	doc, err := decodeStrict(file, data, &p)
	if doc == nil {
		return nil, err
	}
	if err := doc.checkHead(err, p.APIVersion, p.Kind, KindPatch); err != nil {
		return nil, err
	}
	p.source, p.Digest = doc, DigestOf(data)
	for list, charts := range map[string][]Chart{"changes.charts": p.Changes.Charts, "changes.add.charts": p.Changes.Add.Charts} {
		for i := range charts {
			charts[i].entries = []entry{{doc, fmt.Sprintf("%s[%d]", list, i)}}
		}
	}
	for list, files := range map[string][]File{"changes.files": p.Changes.Files, "changes.add.files": p.Changes.Add.Files} {
		for i := range files {
			files[i].entry = entry{doc, fmt.Sprintf("%s[%d]", list, i)}
		}
	}
	for i := range p.Changes.Images {
		p.Changes.Images[i].patch, p.Changes.Images[i].place = p.Metadata.ID, doc.place(fmt.Sprintf("changes.images[%d]", i))
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return &p, nil
}

// ID returns the patch's identifier.
func (p *Patch) ID() string { return p.Metadata.ID }

// Place returns where a field of the patch stands.
func (p *Patch) Place(field string) fault.Place {
	if p.source == nil {
		return fault.Place{Field: "patch " + p.ID() + ": " + field}
	}
	return p.source.place(field)
}

// Rebase puts a folder in front of every relative path that the patch names.
func (p *Patch) Rebase(folder string) {
	for _, r := range []*Release{
		{Charts: p.Changes.Charts, Files: p.Changes.Files},
		{Charts: p.Changes.Add.Charts, Files: p.Changes.Add.Files},
	} {
		r.Rebase(folder)
	}
}

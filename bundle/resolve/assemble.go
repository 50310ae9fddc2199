package resolve

import (
	"cmp"
	"path/filepath"

	"github.com/islandbundle/island/bundle/source"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/wireapp"
)

// Input is what a person names on the command line.
type Input struct {
	File      string   // a Release document or a Wire build.json
	Overlays  []string // laid over it in order
	Patches   []string // Patch documents, laid over that in the order that they say themselves
	Policy    Policy
	Metadata  manifests.Metadata   // flags, laid over everything
	Platforms []manifests.Platform // likewise, if any
	Profile   string               // empty for all
	After     *Earlier             // the deliveries before, or nil: the sequence has to be higher than theirs

	IncludeDisabled bool           // carry the images of features that are switched off
	Today           manifests.Date // the release date if nothing else gives one
}

// Assembled is a release in which every document has been laid.
type Assembled struct {
	Release *manifests.Release
	BaseDir string // the folder of the release document: relative paths start there
	Profile string
	LeftOut []manifests.Omission // what the profile leaves out
	Patched *manifests.Patched   // nil without patches
	Secrets *source.Secrets      // of the URLs in the documents, for who fetches; the release has none
	Signed  []SignedDocument     // those whose signature was demanded

	inputs      *inputs           // nil for a release made in code
	baseVersion string            // before patches
	guessed     bool              // the sequence is one more than the release's, and nothing tells whether that is free
	signedBy    map[string]string // patch → id of the key that signed it, where a signature was demanded
}

// SignedDocument is a document that is signed, as a policy demands.
type SignedDocument struct {
	File  string
	KeyID string              // of who signed it
	Bound *manifests.Bindings // the local files that were signed with it; nil if it names none
}

// Assemble reads the documents and lays them over each other: the release;
// under a Wire build.json, what Wire's own scripts add to it; the overlays; the
// patches; flags; and last the profile. Everything that is wrong is reported at
// once. A document that the policy wants signed and that is not is Refused.
func Assemble(in Input) (*Assembled, error) {
	docs, err := readDocuments(in)
	if err != nil {
		return nil, err
	}
	release, baseDir := docs.release, filepath.Dir(in.File)
	if release.IsWireBuild() {
		if release, err = layWire(release); err != nil {
			return nil, err
		}
	}
	for _, overlay := range docs.overlays {
		if release, err = manifests.Lay(release, overlay, false); err != nil {
			return nil, err
		}
	}
	a := &Assembled{
		BaseDir: baseDir, Profile: in.Profile, Secrets: docs.secrets, Signed: docs.signed, inputs: docs.inputs, signedBy: docs.signedBy,
	}
	if len(docs.patches) > 0 {
		named := *release
		named.Metadata.Name = cmp.Or(named.Metadata.Name, in.Metadata.Name)
		named.Metadata.Version = cmp.Or(named.Metadata.Version, in.Metadata.Version)
		a.baseVersion = named.Metadata.Version
		if a.Patched, err = manifests.LayPatches(&named, docs.patches); err != nil {
			return nil, err
		}
		release = a.Patched.Release
	}
	if release, err = manifests.Lay(release, a.flags(in), false); err != nil {
		return nil, err
	}
	if err := a.number(in, release); err != nil {
		return nil, err
	}
	release.Metadata.Date = cmp.Or(release.Metadata.Date, in.Today)
	applied, left, err := release.Apply(in.Profile)
	if err != nil {
		return nil, err
	}
	if err := applied.Check(); err != nil {
		return nil, err
	}
	a.Release, a.LeftOut = applied, left
	return a, nil
}

// flags returns what a person gave on the command line, to be laid over everything
// but the sequence, which has rules of its own. A version that is the one before the
// patches says nothing of what it has become with them.
func (a *Assembled) flags(in Input) *manifests.Release {
	metadata := in.Metadata
	metadata.Sequence = 0
	if a.Patched != nil && metadata.Version == a.baseVersion {
		metadata.Version = ""
	}
	return &manifests.Release{
		Metadata: metadata, Platforms: in.Platforms, Discovery: manifests.Discovery{IncludeDisabled: in.IncludeDisabled},
	}
}

// complete tells in the lock what only the documents know.
func (a *Assembled) complete(lock *manifests.Lock) {
	if a.baseVersion != lock.Release.Version {
		lock.Release.BaseVersion = a.baseVersion
	}
	for i := range lock.Patches {
		lock.Patches[i].SignedBy = a.signedBy[lock.Patches[i].ID]
	}
}

func layWire(release *manifests.Release) (*manifests.Release, error) {
	overlay, err := wireapp.Overlay()
	if err != nil {
		return nil, err
	}
	overlay.Rebase(manifests.EmbeddedScheme)
	return manifests.Lay(release, overlay, true)
}

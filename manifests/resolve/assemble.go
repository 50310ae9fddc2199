package resolve

import (
	"cmp"
	"path/filepath"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/wire"
)

// Input is what a person names on the command line.
type Input struct {
	File      string               // a Release document or a Wire build.json
	Overlays  []string             // laid over it in order
	Metadata  manifests.Metadata   // flags, laid over everything
	Platforms []manifests.Platform // likewise, if any
	Profile   string               // empty for all
	Today     manifests.Date       // the release date if nothing else gives one
}

// Assembled is a release in which every document has been laid.
type Assembled struct {
	Release *manifests.Release
	BaseDir string // the folder of the release document: relative paths start there
	Profile string
	LeftOut []manifests.Omission // what the profile leaves out
}

// Assemble reads the documents and lays them over each other: the release;
// under a Wire build.json, what Wire's own scripts add to it; the overlays;
// flags; and last the profile. Everything that is wrong is reported at once.
func Assemble(in Input) (*Assembled, error) {
	data, err := manifests.ReadFile(in.File)
	if err != nil {
		return nil, err
	}
	release, err := manifests.Read(in.File, data)
	if err != nil {
		return nil, err
	}
	baseDir := filepath.Dir(in.File)
	if release.IsWireBuild() {
		if release, err = layWire(release); err != nil {
			return nil, err
		}
	}
	for _, file := range in.Overlays {
		if release, err = layOverlay(release, baseDir, file); err != nil {
			return nil, err
		}
	}
	flags := &manifests.Release{Metadata: in.Metadata, Platforms: in.Platforms}
	if release, err = manifests.Lay(release, flags, false); err != nil {
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
	return &Assembled{Release: applied, BaseDir: baseDir, Profile: in.Profile, LeftOut: left}, nil
}

func layWire(release *manifests.Release) (*manifests.Release, error) {
	overlay, err := wire.Overlay()
	if err != nil {
		return nil, err
	}
	overlay.Rebase(manifests.EmbeddedScheme)
	return manifests.Lay(release, overlay, true)
}

func layOverlay(release *manifests.Release, baseDir, file string) (*manifests.Release, error) {
	data, err := manifests.ReadFile(file)
	if err != nil {
		return nil, err
	}
	overlay, err := manifests.ReadOverlay(file, data)
	if err != nil {
		return nil, err
	}
	folder, err := filepath.Rel(baseDir, filepath.Dir(file))
	if err != nil { // one of them is absolute
		if folder, err = filepath.Abs(filepath.Dir(file)); err != nil {
			return nil, err
		}
	}
	if folder != "." {
		overlay.Rebase(folder)
	}
	return manifests.Lay(release, overlay, false)
}

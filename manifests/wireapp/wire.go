// Package wireapp holds what Wire's own offline scripts hard-code, as data with
// sources, so that a Wire build.json becomes a whole delivery.
//
// A build.json names charts, and nothing else: not the images of Kubernetes
// itself, not the binaries that the machines are set up with, not the values
// without which half of the charts do not render. This package carries all of
// that as one overlay document, overlay.yaml, and the values files that it
// names:
//
//	overlay.yaml   profiles, system images, binaries, an entry for each chart that needs one
//	values/*.yaml  the least with which a chart renders all that a production island uses
//	secrets/*.yaml placeholders for what a chart demands as a secret; never carried in a bundle
//
// The overlay is laid over every build.json before the user's own, so whatever
// is here can be overridden by name. Each file says in comments which public
// file of Wire's a fact comes from, at which commit, and when it was read;
// docs/wire.md says which value set was tried on which chart.
package wireapp

import (
	"embed"
	"io/fs"

	"github.com/islandbundle/island/manifests"
)

// OverlayFile is the path of the overlay document in [FS]. The paths of values
// and secrets files in the overlay are relative to it.
const OverlayFile = "overlay.yaml"

// UpgradesFile is the path of the document in [FS] that holds what is known of
// the way from one version of wire-server to another.
const UpgradesFile = "upgrades.yaml"

//go:embed overlay.yaml upgrades.yaml values/*.yaml secrets/*.yaml
var files embed.FS

// FS returns the embedded files, read-only.
func FS() fs.FS { return files }

// Overlay decodes the overlay document. Each call gives a value of its own,
// which the caller may change.
func Overlay() (*manifests.Release, error) {
	data, err := files.ReadFile(OverlayFile)
	if err != nil {
		return nil, err
	}
	return manifests.ReadOverlay("manifests/wireapp/"+OverlayFile, data)
}

// Upgrades decodes the upgrade steps of wire-server. Each call gives a value of
// its own.
func Upgrades() (*manifests.Upgrades, error) {
	data, err := files.ReadFile(UpgradesFile)
	if err != nil {
		return nil, err
	}
	return manifests.ReadUpgrades("manifests/wireapp/"+UpgradesFile, data)
}

// Values returns the value set for the chart of that name. The error wraps
// [fs.ErrNotExist] for a chart that has none: it renders without.
func Values(chart string) ([]byte, error) {
	return files.ReadFile("values/" + chart + ".yaml")
}

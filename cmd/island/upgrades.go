package main

import (
	"slices"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/wireapp"
)

// umbrella is the chart whose versions Wire's upgrade steps are about.
const umbrella = "wire-server"

// upgradesOfLock returns the steps that count for a lock, and the version that it
// leads to.
func upgradesOfLock(lock *manifests.Lock) (*manifests.Upgrades, string, error) {
	var skip []manifests.Skip
	if up := lock.Release.UpgradeFrom; up != nil {
		for _, s := range up.Skip {
			skip = append(skip, manifests.Skip(s))
		}
	}
	chart := ""
	if i := slices.IndexFunc(lock.Charts, func(c manifests.LockedChart) bool { return c.Name == umbrella }); i >= 0 {
		chart = lock.Charts[i].Version
	}
	return ownUpgrades(lock.Release.Upgrades, skip, lock.Release.Version, chart)
}

// ownUpgrades returns a release's own steps, between its versions; where it names
// none, those that the program brings, between versions of the chart.
func ownUpgrades(steps []manifests.Upgrade, skip []manifests.Skip, version, chart string) (*manifests.Upgrades, string, error) {
	if len(steps) > 0 {
		return &manifests.Upgrades{Steps: steps, Skip: skip}, version, nil
	}
	builtIn, err := wireapp.Upgrades()
	if err != nil {
		return nil, "", err
	}
	builtIn.Skip = append(builtIn.Skip, skip...)
	return builtIn, chart, nil
}

package main

import (
	"fmt"
	"slices"

	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/manifests/wireapp"
)

// target is what a release or a lock leads to: its own version, and those of its
// charts.
type target struct {
	version string
	chart   func(name string) string // empty where there is none of that name
}

// upgradesOfLock returns the steps that count for a lock, and the version that it
// leads to.
func upgradesOfLock(lock *manifests.Lock) (*manifests.Upgrades, string, error) {
	own := manifests.Upgrades{Steps: lock.Release.Upgrades}
	if up := lock.Release.UpgradeFrom; up != nil {
		own.Range = up.Range
		for _, s := range up.Skip {
			own.Skip = append(own.Skip, manifests.Skip(s))
		}
	}
	return ownUpgrades(own, target{lock.Release.Version, func(name string) string {
		if i := slices.IndexFunc(lock.Charts, func(c manifests.LockedChart) bool { return c.Name == name }); i >= 0 {
			return lock.Charts[i].Version
		}
		return ""
	}})
}

// upgradesOfRelease returns the same of a release.
func upgradesOfRelease(r *manifests.Release) (*manifests.Upgrades, string, error) {
	m := r.Metadata
	own := manifests.Upgrades{Steps: m.Upgrades, Range: m.UpgradeFrom.Range, Skip: m.UpgradeFrom.Skip}
	return ownUpgrades(own, target{m.Version, func(name string) string {
		if c := r.ChartNamed(name); c != nil {
			return c.Version
		}
		return ""
	}})
}

// ownUpgrades returns a release's own steps, between its versions; where it names
// none, those that the program brings, between versions of the chart that they are
// about. What the release says it can be installed over, and what it skips, counts in
// either case.
func ownUpgrades(own manifests.Upgrades, to target) (*manifests.Upgrades, string, error) {
	if len(own.Steps) > 0 {
		return &own, to.version, nil
	}
	builtIn, err := wireapp.Upgrades()
	if err != nil {
		return nil, "", err
	}
	builtIn.Range, builtIn.Skip = own.Range, append(builtIn.Skip, own.Skip...)
	return builtIn, to.chart(builtIn.Chart), nil
}

// upgradeSaid is what a release or a bundle says of the way to it.
type upgradeSaid struct {
	To    string `json:"to"`              // version that the steps are about
	Chart string `json:"chart,omitempty"` // whose version it is; left out where it is the release's own
	From  string `json:"from,omitempty"`  // what is installed, if that was said
	// Known says whether the way from there is known; where it was not said, whether any
	// way to the version's minor series is.
	Known bool   `json:"known"`
	NoWay bool   `json:"noWay,omitempty"` // it is known that there is none
	Hops  int    `json:"hops,omitempty"`  // steps from what is installed
	Last  string `json:"last,omitempty"`  // latest version that a known step leads to
	Over  string `json:"over,omitempty"`  // range of the versions that the release says it can be installed over
	Why   string `json:"why,omitempty"`   // what is not known, or why there is no way
	Ask   string `json:"ask,omitempty"`   // whom to ask what is not known
}

// saidOf returns it; nil where there is no version that the steps are about. What is
// no version is an error.
func saidOf(u *manifests.Upgrades, to, from string) (*upgradeSaid, error) {
	if to == "" {
		return nil, nil
	}
	said := &upgradeSaid{To: to, Chart: u.Chart, From: from, Over: u.Range}
	if said.Last, said.Known = u.KnownTo(to); from == "" {
		said.Known = said.Known || u.Range != ""
		return said, nil
	}
	path, err := u.Path(from, to, manifests.SiteFacts{})
	if fault.ExitCode(err) == int(fault.Usage) {
		return nil, err
	}
	said.Known, said.NoWay, said.Hops = path.Known(), err != nil, len(path.Hops)
	switch {
	case err != nil:
		said.Why = err.Error()
	case !said.Known:
		said.Why, said.Ask = words.English().Text(path.Unknown), words.English().Text(path.Ask)
	}
	return said, nil
}

func (u *upgradeSaid) write(w *printable.Printer) {
	if u == nil {
		return
	}
	line := "steps to " + u.To + " are known"
	switch {
	case u.Why != "":
		line = u.Why
	case u.From != "" && u.Hops == 0:
		line = u.From + " is installed already"
	case u.From != "" && u.Hops == 1:
		line = fmt.Sprintf("%s to %s in one step: island upgrade-path says what it wants", u.From, u.To)
	case u.From != "":
		line = fmt.Sprintf("%s to %s in %d steps: island upgrade-path lists them", u.From, u.To, u.Hops)
	case u.Known && u.Over != "":
		line = fmt.Sprintf("to %s, over %s", u.To, u.Over)
	case !u.Known:
		line = fmt.Sprintf("to %s from earlier ones of its minor series; from others NOT KNOWN: steps are known to %s", u.To, orDash(u.Last))
	}
	w.Printf("upgrade  %s\n", line)
	if u.Ask != "" {
		w.Printf("         %s\n", u.Ask)
	}
}

// upgrades returns the steps that count for a subject, and the version that it leads to.
func (s *subject) upgrades() (*manifests.Upgrades, string, error) {
	if s.release != nil {
		return upgradesOfRelease(s.release)
	}
	return upgradesOfLock(s.lock)
}

// upgradeFrom returns what a subject says of the way to it.
func (s *subject) upgradeFrom(from string) (*upgradeSaid, error) {
	upgrades, to, err := s.upgrades()
	if err != nil {
		return nil, err
	}
	if to == "" && from != "" {
		return nil, usage("leave --installed out", "%s has neither steps of its own nor the chart %s, so that nothing is known of upgrades to it",
			s.name, upgrades.Chart)
	}
	return saidOf(upgrades, to, from)
}

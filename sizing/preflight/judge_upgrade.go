package preflight

import (
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// isUpgrade says that the site means to upgrade what it has: then what an
// installation leaves is meant to be there.
func (j *judgement) isUpgrade() bool { return j.Site.Preflight.Installed != "" }

// installed returns the version that is to be upgraded, and who says so: the site
// document, else what the asset host serves.
func (j *judgement) installed() (version, method string) {
	if j.Site.Preflight.Installed != "" {
		return j.Site.Preflight.Installed, "site document"
	}
	for _, host := range j.Survey.Hosts {
		if host.Facts != nil && host.Facts.Software.Release.Value != "" {
			return host.Facts.Software.Release.Value, host.Facts.Software.Release.Method + " (" + host.Name + ")"
		}
	}
	return "", ""
}

// upgrade judges whether the bundle can follow on what is installed.
func (j *judgement) upgrade() {
	if j.Bundle == nil || j.Bundle.Version == "" || j.Bundle.Upgrades == nil {
		return
	}
	from, method := j.installed()
	f := found{object: j.Bundle.Name, observed: from, required: "→ " + j.Bundle.Version, method: method, source: "bundle " + j.Bundle.Name}
	switch {
	case from == "" && j.leftAnywhere():
		f.outcome, f.message = Error, say("something is installed, but it is not known which version: say it with --installed", "Etwas ist installiert, aber die Version ist nicht bekannt: mit --installed angeben")
	case from == "":
		f.outcome, f.message = Skipped, say("nothing is installed: this is no upgrade", "Nichts ist installiert: dies ist keine Aktualisierung")
	case from == j.Bundle.Version:
		f.outcome, f.message = Pass, say("%s is installed already", "%s ist schon installiert", from)
	default:
		j.path(&f, from)
	}
	j.add("bundle.upgrade", f)
}

// path looks for the steps from what is installed to what the bundle has.
func (j *judgement) path(f *found, from string) {
	site := manifests.SiteFacts{Kubernetes: j.kubernetes(), Federated: j.Site.Federated()}
	hops, err := j.Bundle.Upgrades.Path(from, j.Bundle.Version, site)
	switch {
	case err != nil:
		f.outcome, f.message = Fail, say("%s", "%s", err.Error())
	case len(hops) > 1:
		f.outcome, f.message = Fail, say("upgrade to %s first, and only then to %s", "Zuerst auf %s aktualisieren, erst dann auf %s", hops[0].To, j.Bundle.Version)
	case len(hops[0].Conditions) > 0:
		f.outcome, f.message = Warn, say("%s to %s in one step, if this holds: %s", "%s auf %s in einem Schritt, wenn dies gilt: %s", from, j.Bundle.Version, strings.Join(hops[0].Conditions, ", "))
	default:
		f.outcome, f.message = Pass, say("%s to %s in one step", "%s auf %s in einem Schritt", from, j.Bundle.Version)
	}
}

// kubernetes returns the version of the site's Kubernetes; empty if not known.
func (j *judgement) kubernetes() string {
	for _, host := range j.Survey.Hosts {
		if host.Facts != nil && host.Facts.Software.Kubernetes.Value != "" {
			return host.Facts.Software.Kubernetes.Value
		}
	}
	return ""
}

func (j *judgement) leftAnywhere() bool {
	return slices.ContainsFunc(j.Survey.Hosts, func(host facts.Host) bool {
		return host.Facts != nil && len(host.Facts.Software.Leftovers.Value) > 0
	})
}

// registry judges whether what the bundle holds can be pushed to a registry of
// the site's own.
func (j *judgement) registry() {
	if j.Bundle == nil {
		return
	}
	own := j.Site.Preflight.Registry
	if own == nil {
		j.add("bundle.registry", found{outcome: Pass, object: j.Bundle.Name, observed: "0", required: "0", unit: "GB", method: "site document",
			message: say("the bundle is served in place: a registry of its own needs no room", "Das Bundle wird direkt ausgeliefert: Eine eigene Registry braucht keinen Platz")})
		return
	}
	if host := j.measuredHost(own.Host); host != nil {
		j.fits("bundle.registry", host, []string{own.Path}, int64(j.Bundle.Images), func(p facts.FileSystem) int64 { return p.Free })
		return
	}
	j.add("bundle.registry", found{outcome: Error, host: own.Host, object: own.Path, message: say("the registry's host was not measured", "Der Host der Registry wurde nicht gemessen")})
}

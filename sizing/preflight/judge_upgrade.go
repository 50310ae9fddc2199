package preflight

import (
	"slices"
	"strconv"

	"github.com/Masterminds/semver/v3"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// isUpgrade says that the site means to upgrade what it has: then what an
// installation leaves is meant to be there.
func (j *judgement) isUpgrade() bool { return j.Site.Preflight.Installed != "" }

// installed returns the version that is to be upgraded, and who says so: the site
// document, else what the asset host serves.
func (j *judgement) installed() (version string, method message.Text) {
	if j.Site.Preflight.Installed != "" {
		return j.Site.Preflight.Installed, message.Of("facts.method.site-document", nil)
	}
	for _, host := range j.Survey.Hosts {
		if host.Facts != nil && host.Facts.Software.Release.Value != "" {
			release := host.Facts.Software.Release
			return release.Value, message.Of("preflight.value.method", args{"method": release.Method, "source": host.Name})
		}
	}
	return "", message.Text{}
}

// upgrade judges whether the bundle can follow on what is installed.
func (j *judgement) upgrade() {
	if j.Bundle == nil || j.Bundle.Upgrades == nil || j.Bundle.Version == "" && !j.isUpgrade() {
		return
	}
	from, method := j.installed()
	f := found{object: names(j.Bundle.Name), observed: names(from)}
	f.method, f.source = method, j.bundleSource()
	if j.Bundle.Version != "" {
		f.required = names("→ " + j.Bundle.Version)
	}
	_, flaw := semver.NewVersion(from)
	switch {
	case from == "" && j.leftAnywhere():
		f.unsaid(message.Of("preflight.finding.version-unknown", nil))
	case from == "":
		f.outcome, f.message = Skipped, message.Of("preflight.finding.nothing-installed", nil)
	case flaw != nil:
		f.unsaid(message.Of("preflight.finding.version-unreadable", args{"version": facts.Cut(strconv.Quote(from))}))
	case j.Bundle.Version == "":
		f.unknown(message.Of("preflight.finding.bundle-version", args{"chart": j.Bundle.Upgrades.Chart}))
	default:
		j.path(&f, from)
	}
	j.add("bundle.upgrade", f)
}

// unknown says that nobody knows whether the bundle can follow: a warning, since
// nothing is known to be wrong.
func (f *found) unknown(what message.Text) {
	f.outcome, f.message, f.remedy = Warn, what, message.Of("patches.upgrade.ask", nil)
}

// unsaid says that the site has yet to say what is installed.
func (f *found) unsaid(what message.Text) {
	f.outcome, f.message, f.remedy = Error, what, message.Of("patches.upgrade.say", nil)
}

// path looks for the steps from what is installed to what the bundle has.
func (j *judgement) path(f *found, from string) {
	site := manifests.SiteFacts{Kubernetes: j.kubernetes(), Federated: j.Site.Federated()}
	path, err := j.Bundle.Upgrades.Path(from, j.Bundle.Version, site)
	said := args{"from": from, "to": j.Bundle.Version}
	hops := path.Hops
	switch {
	case fault.ExitCode(err) == int(fault.Usage): // the bundle's version is none
		f.unknown(facts.Reason(err))
	case err != nil:
		f.outcome, f.message, f.remedy = Fail, facts.Reason(err), message.Of("patches.upgrade.change", nil)
		if manifests.OrderVersions(j.Bundle.Upgrades.Chart, from, j.Bundle.Version) == manifests.Later {
			f.remedy = message.Of("patches.upgrade.keep", nil)
		}
	case !path.Known():
		f.unknown(path.Unknown)
	case len(hops) == 0:
		f.outcome, f.message = Pass, message.Of("preflight.finding.installed-already", args{"version": from})
	case len(hops) > 1:
		f.outcome, f.message = Fail, message.Of("preflight.finding.upgrade-between", args{"first": hops[0].To, "to": j.Bundle.Version})
	case len(hops[0].Conditions) > 0:
		said["conditions"] = hops[0].Said.Conditions
		f.outcome, f.message = Warn, message.Of("preflight.finding.upgrade-if", said)
		f.remedy = message.Of("patches.upgrade.make-sure", nil)
	default:
		f.outcome, f.message = Pass, message.Of("preflight.finding.upgrade", said)
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
		j.add("bundle.registry", found{
			outcome: Skipped, object: names(j.Bundle.Name),
			method: message.Of("facts.method.site-document", nil), message: message.Of("preflight.finding.no-registry", nil),
		})
		return
	}
	if host := j.measuredHost(own.Host); host != nil {
		j.fits("bundle.registry", host, []string{own.Path}, int64(j.Bundle.Images), room.free)
		return
	}
	j.add("bundle.registry", found{
		outcome: Error, host: own.Host, object: names(own.Path), message: message.Of("preflight.finding.registry-unmeasured", nil),
	})
}

package preflight

import (
	"cmp"
	"net/netip"
	"slices"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// Input is all that is judged.
type Input struct {
	Survey *facts.Survey
	Table  *sizing.Table
	Ports  *site.Ports  // nil: the program's own
	Site   *site.Site   // nil: promises nothing
	Bundle *BundleNeeds // nil: no bundle is looked at
	Tool   string       // for the report
}

// BundleNeeds is what a bundle takes on the island.
type BundleNeeds struct {
	Name          string          // for the report
	Size          manifests.Bytes // of the bundle file
	NodeImages    manifests.Bytes // of all images for the platform whose take most, compressed, shared parts once
	Images        manifests.Bytes // likewise, for all platforms
	Architectures []string        // as Go names them; empty: not known

	Version  string              // that Upgrades are about; empty: upgrades are not judged
	Upgrades *manifests.Upgrades // steps between versions
}

// Judge says what a survey means. It is a pure function: the same input gives
// the same report.
func Judge(in Input) (*Verdict, error) {
	checks, err := AllChecks()
	if err != nil {
		return nil, err
	}
	if in.Site == nil {
		in.Site = site.Undescribed()
	}
	if in.Ports == nil {
		if in.Ports, err = site.DefaultPorts(); err != nil {
			return nil, err
		}
	}
	if checks, err = checks.withLimits(in.Site.Preflight.Limits); err != nil {
		return nil, err
	}
	for _, waiver := range in.Site.Preflight.Waivers {
		if checks.Check(waiver.ID) == nil {
			return nil, fault.New(fault.Usage, fault.Here, "waiver", "docs/preflight.md lists the checks",
				"no check has the id %.60q", waiver.ID)
		}
	}
	j := &judgement{Input: in, checks: checks, requirements: in.Table.Requirements()}
	if j.known, err = KnownGroups(in.Table, in.Ports); err != nil {
		return nil, err
	}
	j.assignRoles()
	j.assignMachines()
	j.cluster, j.services = j.clusterNetworks(), j.siteAddresses()
	for i := range in.Survey.Hosts {
		j.host(&in.Survey.Hosts[i])
	}
	j.overlaps()
	j.clocks()
	j.mtus()
	j.counts()
	j.assigned()
	j.groups()
	j.servers()
	j.links()
	j.siteChecks()
	j.bundle()
	j.registry()
	j.upgrade()
	j.waive()
	return j.report(), nil
}

type judgement struct {
	Input
	checks       *Checks
	requirements []sizing.Requirement
	known        []string                        // groups that something is required of
	hosts        map[string]*facts.Host          // by their names
	roles        map[string][]sizing.Requirement // of each host, by its name
	machines     map[string]*machine             // of each host, by its name
	place        map[string]int                  // of each host in the survey, by its name
	cluster      []netip.Prefix                  // networks of pods and services
	services     []service                       // of the site, as far as their addresses are known
	findings     []Finding
}

// assignRoles returns each host the roles whose groups it is in.
func (j *judgement) assignRoles() {
	j.hosts, j.roles, j.place = map[string]*facts.Host{}, map[string][]sizing.Requirement{}, map[string]int{}
	for i := range j.Survey.Hosts {
		host := &j.Survey.Hosts[i]
		j.hosts[host.Name], j.place[host.Name] = host, i
		for _, requirement := range j.requirements {
			if len(requirement.Groups) > 0 && site.InAny(host.Groups, requirement.Groups) {
				j.roles[host.Name] = append(j.roles[host.Name], requirement)
			}
		}
	}
}

// roleNames returns a host's roles, those that no table has figures for included.
func (j *judgement) roleNames(host *facts.Host) []string {
	names := []string{}
	for _, requirement := range j.roles[host.Name] {
		names = append(names, string(requirement.Role))
	}
	for _, unlisted := range j.Table.Unlisted {
		if len(unlisted.Groups) > 0 && site.InAny(host.Groups, unlisted.Groups) {
			names = append(names, string(unlisted.Role))
		}
	}
	return names
}

// rolesOf returns the roles of a host by its name; none for what is no host.
func (j *judgement) rolesOf(name string) []string {
	host := j.hosts[name]
	if host == nil {
		return nil
	}
	return j.roleNames(host)
}

// measuredHost returns a host by its name, and nil where there are no facts of it.
func (j *judgement) measuredHost(name string) *facts.Host {
	if host := j.hosts[name]; host != nil && host.Facts != nil {
		return host
	}
	return nil
}

// a finding in the making.
type found struct {
	outcome            Outcome
	host               string
	roles              []string
	object             message.Text
	observed, required message.Text
	unit, tolerance    message.Text
	method, source     message.Text
	subject, message   message.Text
	remedy             message.Text // where it is not the check's own
}

func (j *judgement) add(id string, f found) {
	check := j.checks.Check(id)
	finding := Finding{
		ID: id, Host: f.host, Roles: f.roles, Object: f.object, Outcome: f.outcome, Observed: f.observed, Required: f.required,
		Unit: f.unit, Tolerance: f.tolerance, Method: f.method, Source: f.source, Subject: f.subject, Message: f.message,
	}
	if finding.Roles == nil {
		finding.Roles = j.rolesOf(f.host)
	}
	if finding.Required.IsZero() {
		finding.Required = check.required()
	}
	if finding.Source.IsZero() {
		finding.Source = check.source()
	}
	if bad := f.outcome.rank() >= Warn.rank(); bad {
		if finding.Remedy = f.remedy; finding.Remedy.IsZero() {
			finding.Remedy = check.Remedy()
		}
		if said := amounts(finding); finding.Message.IsZero() && !said.IsZero() {
			finding.Subject, finding.Message = finding.Heading(), said
		}
	}
	if finding.Message.IsZero() {
		finding.Message = finding.Heading()
	}
	j.findings = append(j.findings, finding)
}

// amounts says what was observed and what is required; nothing where that is yes and no,
// which the heading has said already.
func amounts(f Finding) message.Text {
	inUnit := func(value message.Text) message.Text {
		if f.Unit.IsZero() {
			return value
		}
		return message.Of("preflight.value.with-unit", args{"value": value, "unit": f.Unit})
	}
	switch {
	case IsTruth(f.Observed):
		return message.Text{}
	case f.Required.IsZero():
		return message.Of("preflight.finding.observed", args{"observed": inUnit(f.Observed)})
	case f.Observed.IsZero():
		return message.Of("preflight.finding.required", args{"required": inUnit(f.Required)})
	}
	return message.Of("preflight.finding.observed-required", args{"observed": inUnit(f.Observed), "required": inUnit(f.Required)})
}

// limit returns a limit of a check.
func (j *judgement) limit(id, name string) float64 { return j.checks.Check(id).Limits[name] }

// waive turns what was let pass by name into warnings, which stay visible. What
// could not be measured stays so: nobody knows what would be let pass.
func (j *judgement) waive() {
	for i := range j.findings {
		f := &j.findings[i]
		for _, waiver := range j.Site.Preflight.Waivers {
			if (f.Outcome == Fail || f.Outcome == Warn) && waiver.Covers(f.ID, f.Host) {
				f.Outcome, f.Waived = Warn, facts.Cut(waiver.Reason)
			}
		}
	}
}

func (j *judgement) report() *Verdict {
	r := &Verdict{
		Tool: j.Tool, Site: j.Site.Name, Taken: j.Survey.Started.UTC(), Table: j.Table.Name,
		Counts: map[Outcome]int{}, Findings: j.findings, Hosts: []HostSummary{}, Links: summariseLinks(j.Survey.Links, j.Ports),
		RoleNames: map[string]message.Text{},
	}
	for _, requirement := range j.requirements {
		r.RoleNames[string(requirement.Role)] = requirement.Name()
	}
	slices.SortStableFunc(r.Findings, func(a, b Finding) int { return b.Outcome.rank() - a.Outcome.rank() })
	worst := map[string]Outcome{}
	for _, f := range r.Findings {
		r.Counts[f.Outcome]++
		if f.Outcome.rank() > max(worst[f.Host].rank(), Skipped.rank()) {
			worst[f.Host] = f.Outcome
		}
	}
	for i := range j.Survey.Hosts {
		host := &j.Survey.Hosts[i]
		summary := HostSummary{
			Name: host.Name, Address: host.Address, Server: j.serverOf(host.Name), Roles: j.roleNames(host),
			Worst: cmp.Or(worst[host.Name], Pass), Measured: host.Facts != nil, Took: host.Reach.Elapsed,
		}
		if host.Facts != nil {
			summary.Cores, summary.Memory = host.Facts.CPU.Usable.Value, host.Facts.Memory.Usable.Value
		}
		r.Hosts = append(r.Hosts, summary)
	}
	return r
}

func (j *judgement) serverOf(host string) string {
	for _, server := range j.Site.Servers {
		for _, machine := range server.Machines {
			if machine.Name == host {
				return server.Name
			}
		}
	}
	return ""
}

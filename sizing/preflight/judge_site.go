package preflight

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// counts judges how many hosts each role has, and which share one.
func (j *judgement) counts() {
	hosts := map[site.Role]int{}
	for i := range j.Survey.Hosts {
		host := &j.Survey.Hosts[i]
		j.sharing(host)
		m := j.machines[host.Name]
		if m.first().Name != host.Name {
			continue // what stands on one machine is lost with it, however many names it has
		}
		seen := map[site.Role]bool{}
		for _, role := range j.load(m) {
			if !seen[role.Role] {
				hosts[role.Role]++
			}
			seen[role.Role] = true
		}
	}
	for _, role := range j.requirements {
		if role.Role != site.DemoMachine {
			j.count(role, hosts[role.Role])
		}
	}
	j.etcdMembers()
}

// count judges how many hosts a role has.
func (j *judgement) count(role sizing.Requirement, hosts int) {
	f := found{roles: []string{string(role.Role)}, outcome: Skipped, required: Number(role.Count), source: j.wholeTable()}
	if len(role.Groups) == 0 {
		f.subject, f.message = role.Name(), message.Of("preflight.finding.no-group", nil)
		j.add("count.hosts", f)
		return
	}
	f.observed, f.method = Number(hosts), message.Of("facts.method.groups", args{"groups": strings.Join(role.Groups, ", ")})
	f.outcome = passIf(hosts >= role.Count, Fail)
	f.message = message.Of("preflight.finding.count", args{"hosts": hosts, "required": role.Count, "role": role.Name()})
	if role.Role == site.Restund && hosts == 0 {
		f.outcome, f.message = Skipped, message.Of("preflight.finding.no-restund", nil)
	}
	if j.Survey.Partial && f.outcome == Fail {
		f.outcome, f.message = Skipped, message.Of("preflight.finding.partial", nil)
	}
	j.add("count.hosts", f)
}

// etcdMembers judges whether they are an odd number.
func (j *judgement) etcdMembers() {
	machines := map[*machine]bool{}
	for _, host := range j.Survey.Hosts {
		if site.InAny(host.Groups, []string{"etcd"}) {
			machines[j.machines[host.Name]] = true
		}
	}
	members := len(machines)
	if members == 0 {
		return
	}
	f := found{object: names("etcd"), observed: Number(members), outcome: passIf(members%2 == 1, Fail)}
	f.required = message.Of("preflight.value.odd", nil)
	f.method = message.Of("facts.method.group", args{"group": "etcd"})
	f.message = message.Of("preflight.finding.etcd", args{"members": members})
	if j.Survey.Partial {
		f.outcome, f.message = Skipped, message.Of("preflight.finding.partial", nil)
	}
	j.add("count.etcd", f)
}

// sharing judges the roles of one machine in pairs. Roles that the table has no
// figures for are looked at too: what both need together nobody can say.
func (j *judgement) sharing(host *facts.Host) {
	f := found{host: host.Name, required: message.Of("preflight.value.one-role", nil)}
	f.method, f.source = message.Of("facts.method.all-groups", nil), j.wholeTable()
	if j.judgedAt("roles.share", host, f) {
		return
	}
	roles := j.load(j.machines[host.Name])
	var apart, unknown, all []string
	for i, a := range roles {
		for _, b := range roles[i+1:] {
			if !slices.Contains(a.SharesMachineWith, b.Role) && !slices.Contains(b.SharesMachineWith, a.Role) {
				apart = append(apart, fmt.Sprintf("%s + %s", a.Role, b.Role))
			}
		}
	}
	for _, named := range j.machines[host.Name].hosts {
		all = append(all, j.roleNames(named)...)
	}
	if len(all) > 1 && len(all) > len(roles) {
		unknown = all
	}
	f.outcome, f.observed = Pass, names(apart...)
	switch {
	case len(apart) > 0:
		f.outcome, f.message = Fail, message.Of("preflight.finding.roles-apart", args{"roles": strings.Join(apart, ", ")})
		f.message = j.ofMachine(host, f.message)
	case len(unknown) > 0:
		f.outcome, f.observed = Warn, names(strings.Join(unknown, " + "))
		f.message = message.Of("preflight.finding.roles-unknown", args{"roles": strings.Join(unknown, " + ")})
		f.message = j.ofMachine(host, f.message)
	}
	j.add("roles.share", f)
}

// servers judges what the site document maps to physical servers.
func (j *judgement) servers() {
	perServer := map[string]map[site.Role]int{}
	for _, server := range j.Site.Servers {
		perServer[server.Name] = map[site.Role]int{}
		cores, memory, disk := promise{present: server.Cores}, promise{present: int64(server.Memory)}, promise{present: int64(server.Disk)}
		seen := map[*machine]bool{}
		for _, machine := range server.Machines {
			for _, role := range j.roles[machine.Name] {
				perServer[server.Name][role.Role]++
			}
			if of := j.machines[machine.Name]; of != nil && seen[of] {
				continue // by another name
			} else if of != nil {
				seen[of] = true
			}
			c, m, d := j.shareOf(machine)
			cores.add(machine.Name, c)
			memory.add(machine.Name, m)
			disk.add(machine.Name, d)
		}
		whole := func(n int64) float64 { return float64(n) }
		j.overcommit(server.Name, message.Of("preflight.value.cores", nil), cores, whole, unit("cores"))
		j.overcommit(server.Name, message.Of("preflight.value.memory", nil), memory, gigabytes, unit("GB"))
		j.overcommit(server.Name, message.Of("preflight.value.disk", nil), disk, gigabytes, unit("GB"))
	}
	for _, role := range j.requirements {
		j.spread(role, perServer)
	}
}

// shareOf returns what a machine has of its server: what it sees; where that was
// not read, what it was given.
func (j *judgement) shareOf(machine site.SiteVM) (cores, memory, disk int64) {
	cores, memory, disk = machine.Cores, int64(machine.Memory), int64(machine.Disk)
	if host := j.measuredHost(machine.Name); host != nil {
		cores = cmp.Or(int64(host.Facts.CPU.Threads.Value), cores)
		memory = cmp.Or(host.Facts.Memory.Total.Value, memory)
		disk = max(disk, disksOf(host))
	}
	return cores, memory, disk
}

// spread judges whether one of a role stands on each server.
func (j *judgement) spread(role sizing.Requirement, perServer map[string]map[site.Role]int) {
	var full, free []string
	for _, server := range j.Site.Servers {
		switch n := perServer[server.Name][role.Role]; {
		case n > max(role.PerServer, 1):
			full = append(full, server.Name)
		case n == 0:
			free = append(free, server.Name)
		}
	}
	if len(full) == 0 || len(free) == 0 {
		return
	}
	f := found{host: full[0], roles: []string{string(role.Role)}, outcome: Fail, observed: names(full...)}
	f.method = message.Of("facts.method.site-document", nil)
	f.message = message.Of("preflight.finding.spread",
		args{"role": role.Name(), "full": strings.Join(full, ", "), "free": strings.Join(free, ", ")})
	j.add("server.spread", f)
}

// promise is what a server's machines see or were given of one of its resources.
type promise struct {
	given, present int64
	unknown        []string // machines of which nothing is known
}

func (p *promise) add(machine string, amount int64) {
	if amount == 0 {
		p.unknown = append(p.unknown, machine)
	}
	p.given += amount
}

// overcommit judges whether a server has what its machines were promised.
func (j *judgement) overcommit(server string, what message.Text, p promise, amount func(int64) float64, in message.Text) {
	if p.present == 0 {
		return
	}
	f := found{host: server, object: what, observed: Number(amount(p.given)), required: atMost(amount(p.present)), unit: in}
	f.method = message.Of("facts.method.servers", nil)
	f.outcome = passIf(p.given <= p.present, Fail)
	f.message = message.Of("preflight.finding.overcommit",
		args{"server": server, "given": amount(p.given), "unit": in, "present": amount(p.present)})
	if f.outcome == Pass && len(p.unknown) > 0 {
		f.outcome, f.observed, f.remedy = Error, message.Text{}, message.Of("preflight.remedy.unknown-machines", nil)
		f.message = message.Of("preflight.finding.overcommit-unknown",
			args{"what": what, "server": server, "machines": strings.Join(p.unknown, ", ")})
	}
	j.add("server.overcommit", f)
}

// disksOf adds up a host's distinct disks: those that its file systems lie on in the end,
// and of a thin pool what it has, not what was promised of it.
func disksOf(host *facts.Host) int64 {
	sizes := map[string]int64{}
	for _, path := range host.Facts.Paths {
		switch v := path.FileSystem.Value; {
		case !path.FileSystem.Known():
		case len(v.Disks) > 0:
			maps.Copy(sizes, v.Disks)
		case v.Pool != "":
			sizes["pool "+v.Pool] = v.PoolSize
		case v.DiskSize > 0:
			sizes[cmp.Or(v.Disk, v.DeviceID)] = v.DiskSize
		}
	}
	var sum int64
	for _, size := range sizes {
		sum += size
	}
	return sum
}

// unseen reports what the site document names and the survey has not looked at:
// facts may have been saved before it named that, or brought by hand.
func (j *judgement) unseen() {
	seen := map[[2]string]bool{}
	for _, o := range j.Survey.Site {
		check := subjectChecks[o.Subject]
		seen[[2]string{check, o.Object}], seen[[2]string{check, ""}] = true, true
	}
	want := func(named bool, check string, objects ...string) {
		for _, object := range objects {
			if named && !seen[[2]string{check, object}] {
				j.add(check, found{
					object: names(object), outcome: Skipped, message: message.Of("preflight.finding.unseen", args{"what": j.subject(check, object)}),
				})
			}
		}
	}
	s := j.Site
	want(true, "site.dns", s.DNSNames()...)
	want(s.Preflight.DNS != nil && s.Federation, "site.srv", "")
	want(s.Preflight.Certificate != nil, "site.certificate-chain", "") // which the others come with
	want(true, "site.ntp", s.Preflight.NTP...)
	want(true, "site.mail", s.Preflight.MailRelays...)
	want(s.Preflight.LoadBalancer != nil, "site.load-balancer", "")
	want(len(s.Preflight.TURN) > 0, "site.turn", "")
	want(true, "site.idp", s.Preflight.IDP...)
	want(!s.Internet, "site.outside", "")
}

// subject names what a check looks at: an object, else what all that it looks at is.
func (j *judgement) subject(check, object string) message.Text {
	if object != "" {
		return names(object)
	}
	return j.checks.Check(check).Title()
}

// bundle judges whether a bundle fits where it goes.
func (j *judgement) bundle() {
	if j.Bundle == nil {
		return
	}
	unpack, percent := j.limit("bundle.node-disk", "unpack"), j.limit("bundle.node-disk", "percent")
	for i := range j.Survey.Hosts {
		host := &j.Survey.Hosts[i]
		if host.Facts == nil {
			continue
		}
		asset, node := site.InAny(host.Groups, []string{site.AssetGroup}), site.InAny(host.Groups, []string{site.NodeGroup})
		if asset {
			j.fits("bundle.asset-host", host, j.pathsOf(site.AssetHost)[:1], int64(j.Bundle.Size), room.free)
		}
		if node {
			need := int64(float64(j.Bundle.NodeImages) * (1 + unpack))
			j.fits("bundle.node-disk", host, []string{"/var/lib/containerd"}, need, func(r room) int64 {
				return max(0, r.free()-int64(float64(r.size())*(100-percent)/100))
			})
		}
	}
}

func (j *judgement) fits(id string, host *facts.Host, paths []string, need int64, usable func(room) int64) {
	f := found{host: host.Name, object: names(paths[0]), unit: unit("GB"), required: atLeast(gigabytes(need)), source: j.bundleSource()}
	systems := behind(host, paths)
	if len(systems) == 0 {
		f.outcome, f.message = Error, message.Of("preflight.finding.not-asked", args{"path": paths[0]})
		j.add(id, f)
		return
	}
	if !measured(j, id, &f, systems[0].FileSystem) {
		return
	}
	have := usable(rooms(host, systems)[0])
	f.outcome, f.observed = passIf(have >= need, Fail), Number(gigabytes(have))
	f.message = message.Of("preflight.finding.fits", args{"usable": gigabytes(have), "path": shown(systems[0]), "required": gigabytes(need)})
	j.add(id, f)
}

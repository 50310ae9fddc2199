package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/islandbundle/island/sizing/site"

	"github.com/islandbundle/island/sizing/preflight/facts"
)

// counts judges how many hosts each role has, and which share one.
func (j *judgement) counts() {
	hosts := map[site.Role]int{}
	for _, host := range j.Survey.Hosts {
		for _, role := range j.roles[host.Name] {
			hosts[role.Role]++
		}
		j.sharing(host)
	}
	for _, role := range j.requirements {
		if role.Role == site.DemoMachine {
			continue
		}
		if len(role.Groups) == 0 {
			j.add("count.hosts", found{
				role: string(role.Role), outcome: Skipped, required: strconv.Itoa(role.Count), source: "table " + j.Table.Name,
				message: say("%s: no group of the inventory stands for it, so that no machine was measured for it", "%s: Keine Gruppe des Inventorys steht dafür, deshalb wurde keine Maschine dafür gemessen", Phrase(role.Title)),
			})
			continue
		}
		f := found{role: string(role.Role), observed: strconv.Itoa(hosts[role.Role]), required: strconv.Itoa(role.Count), method: "inventory groups " + strings.Join(role.Groups, ", "), source: "table " + j.Table.Name}
		f.outcome = passIf(hosts[role.Role] >= role.Count, Fail)
		f.message = say("%s of %d hosts for %s", "%s von %d Hosts für %s", f.observed, role.Count, Phrase(role.Title))
		if role.Role == site.Restund && hosts[role.Role] == 0 {
			f.outcome = Skipped
			f.message = say("no Restund hosts: coturn has taken its place, and no table has figures for it", "Keine Restund-Hosts: coturn ist an die Stelle getreten, und keine Tabelle hat Zahlen dafür")
		}
		if j.Survey.Partial && f.outcome == Fail {
			f.outcome = Skipped
			f.message = say("only some hosts were looked at", "Nur einige Hosts wurden betrachtet")
		}
		j.add("count.hosts", f)
	}
	members := 0
	for _, host := range j.Survey.Hosts {
		if slices.Contains(host.Groups, "etcd") {
			members++
		}
	}
	if members > 0 {
		f := found{object: "etcd", observed: strconv.Itoa(members), required: "odd", outcome: passIf(members%2 == 1, Fail), method: "inventory group etcd"}
		f.message = say("%d etcd members", "%d etcd-Mitglieder", members)
		if j.Survey.Partial {
			f.outcome, f.message = Skipped, say("only some hosts were looked at", "Nur einige Hosts wurden betrachtet")
		}
		j.add("count.etcd", f)
	}
}

// sharing judges the roles of one host in pairs. Roles that the table has no
// figures for are looked at too: what both need together nobody can say.
func (j *judgement) sharing(host facts.Host) {
	roles := j.roles[host.Name]
	var apart, unknown []string
	for i, a := range roles {
		for _, b := range roles[i+1:] {
			if !slices.Contains(a.SharesMachineWith, b.Role) && !slices.Contains(b.SharesMachineWith, a.Role) {
				apart = append(apart, fmt.Sprintf("%s + %s", a.Role, b.Role))
			}
		}
	}
	if names := j.roleNames(&host); len(names) > 1 && len(names) > len(roles) {
		unknown = names
	}
	f := found{host: host.Name, outcome: Pass, observed: strings.Join(apart, ", "), required: "one role", method: "inventory groups", source: "table " + j.Table.Name}
	switch {
	case len(apart) > 0:
		f.outcome = Fail
		f.message = say("roles on one machine that must not share it: %s", "Rollen auf einer Maschine, die sie nicht teilen dürfen: %s", f.observed)
	case len(unknown) > 0:
		f.outcome, f.observed = Warn, strings.Join(unknown, " + ")
		f.message = say("%s on one machine: the table has no figures for all of them, so that what they need together is not known",
			"%s auf einer Maschine: Die Tabelle hat nicht für alle Zahlen, deshalb ist nicht bekannt, was sie zusammen brauchen", f.observed)
	}
	j.add("roles.share", f)
}

// servers judges what the site document maps to physical servers.
func (j *judgement) servers() {
	if len(j.Site.Servers) == 0 {
		return
	}
	perServer := map[string]map[site.Role]int{}
	for _, server := range j.Site.Servers {
		perServer[server.Name] = map[site.Role]int{}
		cores, memory, disk := promise{present: server.Cores}, promise{present: int64(server.Memory)}, promise{present: int64(server.Disk)}
		for _, machine := range server.Machines {
			c, m, d := machine.Cores, int64(machine.Memory), int64(machine.Disk)
			if host := j.hosts[machine.Name]; host != nil {
				for _, role := range j.roles[host.Name] {
					perServer[server.Name][role.Role]++
				}
				if host.Facts != nil {
					// What it sees; where that was not read, what it was given.
					c, m = cmp.Or(int64(host.Facts.CPU.Threads.Value), c), cmp.Or(host.Facts.Memory.Total.Value, m)
					d = max(d, disksOf(host))
				}
			}
			cores.add(machine.Name, c)
			memory.add(machine.Name, m)
			disk.add(machine.Name, d)
		}
		j.overcommit(server.Name, "cores", cores, func(n int64) string { return strconv.FormatInt(n, 10) }, "cores")
		j.overcommit(server.Name, "memory", memory, gigabytes, "GB")
		j.overcommit(server.Name, "disk", disk, gigabytes, "GB")
	}
	for _, role := range j.requirements {
		var full, free []string
		for _, server := range j.Site.Servers {
			switch n := perServer[server.Name][role.Role]; {
			case n > max(role.PerServer, 1):
				full = append(full, server.Name)
			case n == 0:
				free = append(free, server.Name)
			}
		}
		if len(full) > 0 && len(free) > 0 {
			f := found{host: full[0], role: string(role.Role), outcome: Fail, observed: strings.Join(full, ", "), method: "site document"}
			f.message = say("%s stands more than once on %s, and not on %s", "%s steht mehrfach auf %s und nicht auf %s", Phrase(role.Title), strings.Join(full, ", "), strings.Join(free, ", "))
			j.add("server.spread", f)
		}
	}
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
func (j *judgement) overcommit(server, what string, p promise, text func(int64) string, unit string) {
	if p.present == 0 {
		return
	}
	f := found{
		host: server, object: what, observed: text(p.given), required: "≤ " + text(p.present), unit: unit,
		method: "sum of what its machines see or were given, by the site document",
	}
	f.outcome = passIf(p.given <= p.present, Fail)
	f.message = say("machines on %s have %s %s, the server has %s", "Maschinen auf %s haben %s %s, der Server hat %s", server, Phrase(f.observed), Phrase(unit), Phrase(text(p.present)))
	if f.outcome == Pass && len(p.unknown) > 0 {
		f.outcome = Error
		f.message = say("%s on %s: nothing is known of %s, which was not measured and has no figures in the site document",
			"%s auf %s: Nichts ist bekannt über %s; gemessen wurde nicht, und das Standort-Dokument hat keine Zahlen", Phrase(what), server, strings.Join(p.unknown, ", "))
	}
	j.add("server.overcommit", f)
}

// disksOf adds up a host's distinct disks, or the file systems where it has
// none that can be told.
func disksOf(host *facts.Host) int64 {
	seen := map[string]bool{}
	var sum int64
	for _, path := range host.Facts.Paths {
		v := path.FileSystem.Value
		if id := cmp.Or(v.Disk, v.DeviceID); path.FileSystem.Known() && v.DiskSize > 0 && !seen[id] {
			seen[id] = true
			sum += v.DiskSize
		}
	}
	return sum
}

// unseen tells what the site document names and the survey has not looked at:
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
				j.add(check, found{object: object, outcome: Skipped, message: say("%s was not looked at when the facts were taken", "%s wurde nicht betrachtet, als die Messwerte genommen wurden", cmp.Or(object, check))})
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
		asset, node := slices.Contains(host.Groups, "assethost"), slices.Contains(host.Groups, "kube-node")
		if asset {
			j.fits("bundle.asset-host", host, j.pathsOf(site.AssetHost)[:1], int64(j.Bundle.Size), func(p facts.FileSystem) int64 { return p.Free })
		}
		if node {
			need := int64(float64(j.Bundle.NodeImages) * (1 + unpack))
			j.fits("bundle.node-disk", host, []string{"/var/lib/containerd"}, need, func(p facts.FileSystem) int64 {
				return max(0, p.Free-int64(float64(p.Size)*(100-percent)/100))
			})
		}
	}
}

func (j *judgement) fits(id string, host *facts.Host, paths []string, need int64, usable func(facts.FileSystem) int64) {
	f := found{host: host.Name, object: paths[0], unit: "GB", required: "≥ " + gigabytes(need), source: "bundle " + j.Bundle.Name}
	systems := behind(host, paths)
	if len(systems) == 0 {
		f.outcome, f.message = Error, say("the probe was not asked for %s", "Nach %s wurde nicht gefragt", paths[0])
		j.add(id, f)
		return
	}
	if !measured(j, id, &f, systems[0].FileSystem) {
		return
	}
	have := usable(systems[0].FileSystem.Value)
	f.outcome, f.observed = passIf(have >= need, Fail), gigabytes(have)
	f.message = say("%s GB usable behind %s, %s GB needed", "%s GB nutzbar hinter %s, %s GB nötig", Phrase(f.observed), paths[0], Phrase(gigabytes(need)))
	j.add(id, f)
}

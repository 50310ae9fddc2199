package preflight

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// counts judges how many hosts each role has, and which share one.
func (j *judgement) counts() {
	hosts := map[sizing.Role]int{}
	for _, host := range j.Survey.Hosts {
		for _, role := range j.roles[host.Name] {
			hosts[role.Role]++
		}
		j.sharing(host)
	}
	for _, role := range j.requirements {
		if len(role.Groups) == 0 || role.Role == sizing.DemoMachine {
			continue
		}
		f := found{role: string(role.Role), observed: strconv.Itoa(hosts[role.Role]), required: strconv.Itoa(role.Count), method: "inventory groups " + strings.Join(role.Groups, ", "), source: "table " + j.Table.Name}
		f.outcome = passIf(hosts[role.Role] >= role.Count, Fail)
		f.message = say("%s of %d hosts for %s", "%s von %d Hosts für %s", f.observed, role.Count, Phrase(role.Title))
		if role.Role == sizing.Restund && hosts[role.Role] == 0 {
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

// sharing judges the roles of one host in pairs.
func (j *judgement) sharing(host facts.Host) {
	roles := j.roles[host.Name]
	var apart []string
	for i, a := range roles {
		for _, b := range roles[i+1:] {
			if !slices.Contains(a.SharesMachineWith, b.Role) && !slices.Contains(b.SharesMachineWith, a.Role) {
				apart = append(apart, fmt.Sprintf("%s + %s", a.Role, b.Role))
			}
		}
	}
	f := found{host: host.Name, outcome: passIf(len(apart) == 0, Fail), observed: strings.Join(apart, ", "), required: "one role", method: "inventory groups", source: "table " + j.Table.Name}
	if len(apart) > 0 {
		f.message = say("roles on one machine that must not share it: %s", "Rollen auf einer Maschine, die sie nicht teilen dürfen: %s", f.observed)
	}
	j.add("roles.share", f)
}

// servers judges what the site document maps to physical servers.
func (j *judgement) servers() {
	if len(j.Site.Servers) == 0 {
		return
	}
	hosts := map[string]*facts.Host{}
	for i := range j.Survey.Hosts {
		hosts[j.Survey.Hosts[i].Name] = &j.Survey.Hosts[i]
	}
	perServer := map[string]map[sizing.Role]int{}
	for _, server := range j.Site.Servers {
		perServer[server.Name] = map[sizing.Role]int{}
		var cores, memory, disk int64
		for _, machine := range server.Machines {
			c, m, d := machine.Cores, int64(machine.Memory), int64(machine.Disk)
			if host := hosts[machine.Name]; host != nil {
				for _, role := range j.roles[host.Name] {
					perServer[server.Name][role.Role]++
				}
				if host.Facts != nil {
					c, m = int64(host.Facts.CPU.Threads.Value), host.Facts.Memory.Total.Value
					d = max(d, disksOf(host))
				}
			}
			cores, memory, disk = cores+c, memory+m, disk+d
		}
		for _, amount := range []struct {
			what           string
			given, present int64
			text           func(int64) string
			unit           string
		}{
			{"cores", cores, server.Cores, func(n int64) string { return strconv.FormatInt(n, 10) }, "cores"},
			{"memory", memory, int64(server.Memory), gigabytes, "GB"},
			{"disk", disk, int64(server.Disk), gigabytes, "GB"},
		} {
			if amount.present == 0 {
				continue
			}
			f := found{host: server.Name, object: amount.what, outcome: passIf(amount.given <= amount.present, Fail), observed: amount.text(amount.given), required: "≤ " + amount.text(amount.present), unit: amount.unit, method: "sum of what its machines see or were given, by the site document"}
			f.message = say("machines on %s have %s %s, the server has %s", "Maschinen auf %s haben %s %s, der Server hat %s", server.Name, Phrase(f.observed), Phrase(amount.unit), Phrase(amount.text(amount.present)))
			j.add("server.overcommit", f)
		}
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

// siteChecks judges what the admin host saw. Observations already say how each
// attempt ended; here it is decided what that means.
func (j *judgement) siteChecks() {
	for _, o := range j.Survey.Site {
		if j.checks.Check(o.Check) == nil {
			continue
		}
		f := found{object: o.Object, observed: cmp.Or(o.Values["observed"], string(o.Outcome)), required: o.Values["required"], unit: o.Values["unit"], method: o.Method}
		switch o.Outcome {
		case facts.OK:
			f.outcome = Pass
			f.message = say("%s: %s", "%s: %s", o.Object, Phrase(cmp.Or(o.Detail, string(facts.OK))))
			if o.Check == "site.certificate-dates" {
				days, _ := strconv.ParseFloat(o.Values["observed"], 64)
				f.outcome, f.required = passIf(days >= j.limit(o.Check, "warn"), Warn), "≥ "+trim(j.limit(o.Check, "warn"))
			}
			if bits, err := strconv.ParseFloat(o.Values["rsaBits"], 64); err == nil {
				f.outcome, f.observed, f.required = passIf(bits >= j.limit(o.Check, "rsaBits"), Fail), o.Values["rsaBits"], "≥ "+trim(j.limit(o.Check, "rsaBits"))
				f.unit = "bits"
			}
		case facts.Moot:
			f.outcome = Skipped
			f.message = say("%s was not tried: %s", "%s wurde nicht versucht: %s", o.Object, Phrase(o.Detail))
		case facts.Unmade:
			f.outcome = Error
			f.message = say("%s could not be measured: %s", "%s konnte nicht gemessen werden: %s", o.Object, Phrase(o.Detail))
		default:
			f.outcome = Fail
			f.message = say("%s: %s", "%s: %s", o.Object, ended(o.Outcome, o.Detail))
		}
		j.add(o.Check, f)
	}
	if j.Site.Push != "" && !j.Site.Internet {
		f := found{object: "push", observed: string(j.Site.Push), required: string(sizing.PushNone), outcome: passIf(j.Site.Push == sizing.PushNone, Fail), method: "site document"}
		j.add("site.push", f)
	}
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
			j.fits("bundle.asset-host", host, j.pathsOf(sizing.AssetHost)[:1], int64(j.Bundle.Size), func(p facts.FileSystem) int64 { return p.Free })
		}
		if node {
			need := int64(float64(j.Bundle.Images) * (1 + unpack))
			j.fits("bundle.node-disk", host, []string{"/var/lib/containerd"}, need, func(p facts.FileSystem) int64 {
				return max(0, p.Free-int64(float64(p.Size)*(100-percent)/100))
			})
		}
	}
}

func (j *judgement) fits(id string, host *facts.Host, paths []string, need int64, usable func(facts.FileSystem) int64) {
	f := found{host: host.Name, role: strings.Join(j.roleNames(host), ", "), object: paths[0], unit: "GB", required: "≥ " + gigabytes(need), source: "bundle " + j.Bundle.Name}
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

package sizing

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/site"
)

// machine is a virtual machine that is to be placed.
type machine struct {
	name    string
	role    site.Role
	fixed   string // name of the server that it is to stand on, if the site says so
	shares  []site.Role
	amounts Amounts
}

// placed is a server while machines are put on it.
type placed struct {
	server   site.Server
	machines []machine
	sum      Amounts
}

// place puts machines on servers, one after the other in the order given. Each
// goes to the server that has fewest of its role; among those, to one whose
// machines it may stand beside, that has room, and that is least full.
func placeMachines(servers []site.Server, machines []machine) []placed {
	on := make([]placed, len(servers))
	for i, server := range servers {
		on[i].server = server
	}
	for _, m := range machines {
		best := -1
		for i := range on {
			if m.fixed != "" && m.fixed != on[i].server.Name {
				continue
			}
			if best < 0 || on[i].before(&on[best], m) {
				best = i
			}
		}
		if best >= 0 {
			on[best].machines = append(on[best].machines, m)
			on[best].sum = on[best].sum.plus(m.amounts)
		}
	}
	return on
}

// before reports whether a machine should rather stand here than there.
func (p *placed) before(other *placed, m machine) bool {
	return slices.Compare(p.rank(m), other.rank(m)) < 0
}

// rank returns what counts for a place, the weightiest first; less is better.
func (p *placed) rank(m machine) []float64 {
	same, beside := 0.0, 0.0
	for _, there := range p.machines {
		switch {
		case there.role == m.role:
			same++
		case !slices.Contains(m.shares, there.role):
			beside++
		}
	}
	after := p.sum.plus(m.amounts)
	return append([]float64{same, beside, over(after, p.server), fullness(after, p.server)},
		float64(after.Cores), float64(after.Memory), float64(after.Disk))
}

// over counts the resources of which a server would have too little.
func over(need Amounts, s site.Server) float64 {
	count := 0.0
	for _, r := range resources(need, s) {
		if r.have > 0 && r.need > r.have {
			count++
		}
	}
	return count
}

// fullness returns the share that is taken of the scarcest resource, 0 where
// nothing is known.
func fullness(need Amounts, s site.Server) float64 {
	most := 0.0
	for _, r := range resources(need, s) {
		if r.have > 0 {
			most = max(most, r.need/r.have)
		}
	}
	return most
}

type resource struct{ need, have float64 }

func resources(need Amounts, s site.Server) []resource {
	return []resource{
		{float64(need.Cores), float64(s.Cores)},
		{float64(need.Memory), float64(s.Memory)},
		{float64(need.Disk), float64(s.Disk)},
	}
}

// machinesOf lists the machines that a table wants for a site, with what
// conferences add to the Kubernetes nodes.
func (c *calculation) machinesOf() []machine {
	var list []machine
	for _, r := range c.table.Requirements() {
		count := r.Count
		if r.Role == site.Restund && c.site.Restund > 0 {
			count = c.site.Restund
		}
		fixed := map[site.Role]string{site.AdminHost: c.site.AdminHost, site.AssetHost: c.site.AssetHost}[r.Role]
		if fixed == site.Elsewhere {
			continue
		}
		amounts := Amounts{int64(r.Cores), r.Memory, r.Disk}
		if c.carriesCalls(r.Role) {
			amounts.Cores += c.extraCores
			amounts.Memory += c.extraMemory
		}
		for i := range count {
			name := string(r.Role)
			if count > 1 {
				name = fmt.Sprintf("%s-%d", r.Role, i+1)
			}
			list = append(list, machine{name: name, role: r.Role, fixed: fixed, shares: r.SharesServerWith, amounts: amounts})
		}
	}
	return list
}

// placement puts the machines on the servers and says what each server needs,
// carries, and takes with it when it is lost.
func (c *calculation) placement() *Placement {
	on := placeMachines(c.servers, c.machinesOf())
	counts := map[site.Role]int{}
	for _, p := range on {
		for _, m := range p.machines {
			counts[m.role]++
		}
	}
	result := &Placement{}
	for _, p := range on {
		server := PlacedServer{Name: p.server.Name, Machines: []Placed{}, Needs: p.sum, Lost: c.losses(p, counts)}
		for _, m := range p.machines {
			server.Machines = append(server.Machines, Placed{m.name, m.role, m.amounts})
			if c.carriesCalls(m.role) {
				server.Network = server.Network.plus(c.perNode)
			}
			if m.role == site.Restund || m.role == site.DemoMachine {
				server.Network = server.Network.plus(c.relayed)
			}
		}
		if p.server.Cores > 0 || p.server.Memory > 0 || p.server.Disk > 0 {
			server.Has = &Amounts{p.server.Cores, p.server.Memory.Bytes(), p.server.Disk.Bytes()}
		}
		result.Servers = append(result.Servers, server)
		result.Total = result.Total.plus(p.sum)
	}
	return result
}

// losses says for each role on a server what is left without it.
func (c *calculation) losses(p placed, counts map[site.Role]int) []Loss {
	here := map[site.Role]int{}
	var order []site.Role
	for _, m := range p.machines {
		if here[m.role] == 0 {
			order = append(order, m.role)
		}
		here[m.role]++
	}
	list := []Loss{}
	for _, role := range order {
		loss := Loss{Role: role, Lost: here[role], Left: counts[role] - here[role]}
		loss.Level, loss.Text = c.lossOf(role, loss.Left, counts[role])
		list = append(list, loss)
	}
	return list
}

// votes are the roles whose machines decide by majority: with half or more of
// them lost they stop. (Cassandra's QUORUM, Elasticsearch's master election,
// etcd on the machines of each Kubernetes cluster, PostgreSQL's failover, RabbitMQ's queues.)
func votes(role site.Role) bool {
	return slices.Contains([]site.Role{
		site.Cassandra, site.Elasticsearch, site.Kubernetes, site.Calling, site.PostgreSQL, site.RabbitMQ,
	}, role)
}

func (c *calculation) lossOf(role site.Role, left, count int) (Level, message.Text) {
	with := args{"left": left, "machines": count}
	switch {
	case role == site.DemoMachine:
		return Fail, say("loss.everything", nil)
	case len(c.servers) == 1 && (role == site.AdminHost || role == site.AssetHost):
		return Fail, say("loss.only-server", nil)
	case role == site.AdminHost:
		return Warn, say("loss.admin-host", nil)
	case role == site.AssetHost:
		return Warn, say("loss.asset-host", nil)
	case left == 0:
		return Fail, say("loss.stops", with)
	case votes(role) && 2*left <= count:
		return Fail, say("loss.no-majority", with)
	case c.carriesCalls(role):
		return Info, say("loss.conferences", with)
	case votes(role):
		return Good, say("loss.majority", with)
	case role == site.Restund || role == site.Coturn:
		return Good, say("loss.calls", with)
	default:
		return Good, say("loss.fewer", with)
	}
}

// nodesAfterLoss returns how many conference servers are left when the server with
// most of them is lost.
func (c *calculation) nodesAfterLoss(on []placed) int {
	most := 0
	for _, p := range on {
		here := 0
		for _, m := range p.machines {
			if c.carriesCalls(m.role) {
				here++
			}
		}
		most = max(most, here)
	}
	return c.nodes - most
}

// serverList puts in what a site leaves open about its servers.
func (c *calculation) serverList() []site.Server {
	if len(c.site.Servers) > 0 {
		return c.site.Servers
	}
	wanted, _ := c.table.Servers.Most()
	return site.DefaultServers(cmp.Or(c.site.ServerCount, int(wanted)))
}

package site

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

const (
	usersHint       = "count everybody who sends messages"
	conferencesHint = "such as 10x8,2x50 (ten of 8 participants, two of 50), or none"
)

// Names are what a site document may name and this room cannot know: who brings
// hardware tables and scenarios hands their names in.
type Names struct {
	Tables    []string
	Scenarios []ScenarioID
}

// scenarioHint lists the scenarios that there are.
func (n Names) scenarioHint() string { return "known: " + Joined(n.Scenarios) }

// MachineName is what the name of a server or a machine looks like.
var MachineName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// Read reads and checks a site document. What only sizing needs may be missing.
// Every flaw is a Usage error with its field. file only names the place.
func Read(file string, data []byte, names Names) (*Site, error) {
	return read(file, data, func(s *Site) error { return s.CheckDocument(file, names) })
}

// ReadWhole reads a site document as [Read] does, and wants what is calculated
// from to be there, as [Site.Check] tells it.
func ReadWhole(file string, data []byte, names Names) (*Site, error) {
	return read(file, data, func(s *Site) error { return s.Check(file, names) })
}

func read(file string, data []byte, check func(*Site) error) (*Site, error) {
	var s Site
	if err := manifests.DecodeStrict(file, data, &s); err != nil {
		return nil, err
	}
	if err := check(&s); err != nil {
		return nil, err
	}
	return &s, nil
}

// Check reports everything that keeps a site from being calculated, each flaw
// with its field: what is not given, and what [Site.CheckDocument] tells.
func (s *Site) Check(file string, names Names) error {
	c := &check{Flaws: fault.Flaws{File: file}, site: s, names: names}
	if c.head() {
		c.needed()
		c.given()
	}
	return c.Err()
}

// CheckDocument reports everything that is wrong with what a site document says,
// each flaw with its field. A document may leave out what is only calculated
// from.
func (s *Site) CheckDocument(file string, names Names) error {
	c := &check{Flaws: fault.Flaws{File: file}, site: s, names: names}
	if c.head() {
		c.given()
	}
	return c.Err()
}

// check collects what is wrong with a site document.
type check struct {
	fault.Flaws
	site  *Site
	names Names
}

// head reports whether it is a site document at all.
func (c *check) head() bool {
	s := c.site
	c.Want(s.APIVersion == manifests.APIVersion, "apiVersion", "this program reads "+manifests.APIVersion, "apiVersion is %q", s.APIVersion)
	c.Want(s.Kind == Kind, "kind", "kind: "+Kind, "wants a document of kind %s, got %q", Kind, s.Kind)
	return !c.Any()
}

// needed wants what nothing can be calculated without.
func (c *check) needed() {
	s := c.site
	c.Want(s.Scenario != "", "scenario", c.names.scenarioHint(), "no scenario is given")
	c.Want(s.Users != 0, "users", usersHint, "number of users is not given, or 0; wants at least 1")
	c.Want(s.Conferences != nil, "conferences", conferencesHint, "no conferences are given")
}

// given judges what the site says.
func (c *check) given() {
	s := c.site
	c.Want(s.Name != "", "name", "as it should stand on the report", "site has no name")
	c.Want(len(s.Name) <= MaxName, "name", "shorten it", "name of the site has %d bytes, at most %d are read", len(s.Name), MaxName)
	c.Want(s.Table == "" || slices.Contains(c.names.Tables, s.Table), "table", "known: "+strings.Join(c.names.Tables, ", "),
		"no hardware table is called %.80q", s.Table)
	c.Want(s.Scenario == "" || slices.Contains(c.names.Scenarios, s.Scenario), "scenario", c.names.scenarioHint(), "unknown scenario %.80q",
		s.Scenario)
	c.Want(s.Users >= 0, "users", usersHint, "number of users is %d, wants at least 1", s.Users)
	c.Want(s.Users <= MaxUsers, "users", "is there a digit too many?", "number of users is %d, at most %d is taken for meant", s.Users,
		MaxUsers)
	c.share("videoShare", s.VideoShare)
	c.share("relayedShare", s.RelayedShare)
	c.Want(s.Mail == "" || s.Mail == MailExternal || s.Mail == MailBundled, "mail", "known: external, bundled", "unknown way of mail %.80q",
		s.Mail)
	c.Want(s.Push == "" || s.Push == PushWire || s.Push == PushOwn || s.Push == PushNone, "push",
		"A is through Wire's AWS SNS, B through your own, C is none", "unknown push option %.80q", s.Push)
	c.Want(s.Growth.UsersPerYear >= 0 && s.Growth.UsersPerYear <= MaxGrowth, "growth.usersPercentPerYear", "",
		"growth of %d %% a year is not between 0 and %d", s.Growth.UsersPerYear, MaxGrowth)
	c.Want(s.Growth.Months >= 0 && s.Growth.Months <= MaxMonths, "growth.months", "", "%s is not between 1 and %d",
		fault.Counted(s.Growth.Months, "month", "months"), MaxMonths)
	c.grown()
	c.Want(s.Bundle.Keep >= 0 && s.Bundle.Keep <= MaxKept, "bundle.keep", "", "%s is not between 1 and %d",
		fault.Counted(s.Bundle.Keep, "bundle", "bundles"), MaxKept)
	c.Want(s.Restund == 0 || s.Restund >= MinRestund && s.Restund <= MaxRestund, "restund", "two are enough for availability",
		"%s is not between %d and %d", fault.Counted(s.Restund, "Restund machine", "Restund machines"), MinRestund, MaxRestund)
	c.clients(s.Clients)
	c.servers()
	c.section()
}

// grown wants what users grow to, to be a number that can be meant.
func (c *check) grown() {
	months := cmp.Or(c.site.Growth.Months, DefaultMonths)
	c.Want(c.Any() || c.site.UsersAfter(months) <= MaxUsers, "growth", "is there a digit too many?",
		"%s to more than %d in %s", fault.Counted(c.site.Users, "user grows", "users grow"), MaxUsers, fault.Counted(months, "month", "months"))
}

func (c *check) share(field string, share *Percent) {
	c.Want(share == nil || *share >= 0 && *share <= 100, field, "0 is nobody, 100 is everybody", "share is not between 0 and 100 percent")
}

func (c *check) clients(clients []Client) {
	seen := map[Client]bool{}
	for i, client := range clients {
		field := fmt.Sprintf("clients[%d]", i)
		c.Want(slices.Contains(Clients(), client), field, "known: "+Joined(Clients()), "unknown client %.80q", client)
		c.Want(!seen[client], field, "", "client %.80q is named twice", client)
		seen[client] = true
	}
}

func (c *check) servers() {
	s := c.site
	c.Want(s.ServerCount >= 0 && s.ServerCount <= MaxServers, "serverCount", "", "number of servers is %d, not between 1 and %d",
		s.ServerCount, MaxServers)
	c.Want(len(s.Servers) <= MaxServers, "servers", "", "site lists %d servers, at most %d are read", len(s.Servers), MaxServers)
	c.Want(s.ServerCount == 0 || len(s.Servers) == 0 || s.ServerCount == len(s.Servers), "serverCount", "leave it out",
		"serverCount is %d, but %s listed", s.ServerCount, fault.Counted(len(s.Servers), "server is", "servers are"))
	names, machines := map[string]bool{}, map[string]bool{}
	for i, server := range s.Servers {
		field := fmt.Sprintf("servers[%d]", i)
		c.machineName(field+".name", "server", server.Name, names)
		c.Want(server.Name != Elsewhere, field+".name", "call it otherwise", "a server cannot be called %s: that is on none", Elsewhere)
		c.cores(field+".cores", server.Cores)
		for j, vm := range server.Machines {
			at := fmt.Sprintf("%s.machines[%d]", field, j)
			c.machineName(at+".name", "machine", vm.Name, machines)
			c.Want(vm.Role.Known(), at+".role", "known: "+Joined(Roles()), "unknown role %.80q", vm.Role)
			c.cores(at+".cores", vm.Cores)
		}
	}
	c.Want(len(machines) <= MaxMachines, "servers", "", "site lists %d machines, at most %d are read", len(machines), MaxMachines)
	if len(s.Servers) == 0 {
		for _, server := range DefaultServers(max(s.ServerCount, 1)) {
			names[server.Name] = true
		}
		names["server-1"], names["server-2"], names["server-3"] = true, true, true
	}
	names[Elsewhere] = true
	for _, host := range []struct{ field, name string }{{"adminHost", s.AdminHost}, {"assetHost", s.AssetHost}} {
		c.Want(host.name == "" || names[host.name], host.field, "name a server, or say elsewhere", "no server is called %.80q", host.name)
	}
}

// machineName wants a name that can be one, and that no other has.
func (c *check) machineName(field, what, name string, taken map[string]bool) {
	c.Want(name != "", field, "give it one", "%s has no name", what)
	c.Want(name == "" || MachineName.MatchString(name), field, "at most 63 letters, digits, dots, hyphens and underscores, no sign first",
		"%s name %.80q has signs that names do not have, or too many", what, name)
	c.Want(name == "" || !taken[name], field, "give each a name of its own", "%s name %.80q is given twice", what, name)
	taken[name] = true
}

// cores wants a number of them that a machine can have.
func (c *check) cores(field string, cores int64) {
	c.Want(cores >= 0 && cores <= MaxCores, field, "leave it out if it is not known", "%s is not between 1 and %d",
		fault.Counted(cores, "core", "cores"), MaxCores)
}

// DefaultServers returns servers of which only the number is known, by the names
// that they are given: server-1, server-2 and so on.
func DefaultServers(count int) []Server {
	servers := make([]Server, count)
	for i := range servers {
		servers[i].Name = fmt.Sprintf("server-%d", i+1)
	}
	return servers
}

// Joined lists words, as hints do.
func Joined[T ~string](list []T) string {
	var words []string
	for _, item := range list {
		words = append(words, string(item))
	}
	return strings.Join(words, ", ")
}

package sizing

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests"
)

// KindSite is the kind of a site document.
const KindSite = "Site"

// Limits on what a site may say.
const (
	MaxUsers    = 10_000_000
	MaxServers  = 256
	maxMachines = 4096 // virtual machines of a site
	maxGrowth   = 1000 // percent a year
	maxMonths   = 240
	maxKept     = 100
	MaxSiteName = 200 // bytes
)

// Site is what a customer wants, and has: one document for sizing and for
// preflight. docs/site.schema.json describes it as a file.
type Site struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	// Table names a hardware table that the program brings; the guide's if empty.
	Table    string     `json:"table,omitempty"`
	Scenario ScenarioID `json:"scenario"`
	// Internet says that the site's users and servers reach the internet. The
	// zero value is an island.
	Internet    bool        `json:"internet,omitempty"`
	Users       int64       `json:"users"`       // who send messages, in all
	Conferences Conferences `json:"conferences"` // at once, at peak
	// VideoShare is the share of participants who send video. All, if not given.
	VideoShare *Percent `json:"videoShare,omitempty"`
	// RelayedShare is the share of participants whose streams TURN relays. All, if
	// not given.
	RelayedShare *Percent   `json:"relayedShare,omitempty"`
	Mail         Mail       `json:"mail,omitempty"`
	Push         Push       `json:"push,omitempty"`
	Federation   bool       `json:"federation,omitempty"`
	ServerCount  int        `json:"serverCount,omitempty"` // physical servers; as many as Servers lists, else as the table wants
	Servers      []Server   `json:"servers,omitempty"`     // physical servers, where they are known
	Restund      int        `json:"restund,omitempty"`     // Restund machines; as many as the table wants, if 0
	AdminHost    string     `json:"adminHost,omitempty"`   // name of the server it stands on; where there is room, if empty; "elsewhere" is on none
	AssetHost    string     `json:"assetHost,omitempty"`   // likewise
	Growth       Growth     `json:"growth,omitzero"`
	Clients      []Client   `json:"clients,omitempty"`
	Bundle       BundleSize `json:"bundle,omitzero"`
	// Preflight is what preflight alone needs, and reads; it is not in reports.
	Preflight any `json:"preflight,omitempty"`
}

// Server is a physical server.
type Server struct {
	Name     string   `json:"name"`
	Cores    int64    `json:"cores,omitempty"`  // 0 is not known
	Memory   Capacity `json:"memory,omitempty"` // 0 is not known
	Disk     Capacity `json:"disk,omitempty"`   // 0 is not known
	Machines []SiteVM `json:"machines,omitempty"`
}

// SiteVM is a virtual machine that stands on a server.
type SiteVM struct {
	Name   string   `json:"name"` // as in the inventory
	Role   Role     `json:"role"`
	Cores  int64    `json:"cores,omitempty"`
	Memory Capacity `json:"memory,omitempty"`
	Disk   Capacity `json:"disk,omitempty"`
}

// Growth says how the site is expected to grow.
type Growth struct {
	UsersPerYear Percent `json:"usersPercentPerYear,omitempty"`
	Months       int     `json:"months,omitempty"` // to look ahead; 36 if 0
}

// BundleSize is what a release takes. Where a lock is known, it says so itself.
type BundleSize struct {
	Size             Capacity `json:"size,omitempty"`             // of the bundle file
	Keep             int      `json:"keep,omitempty"`             // bundles kept on the asset host; 2 if 0: the one that runs and the one before
	ImagesCompressed Capacity `json:"imagesCompressed,omitempty"` // of all images together
	ImagesUnpacked   Capacity `json:"imagesUnpacked,omitempty"`   // measured on a node
}

// Mail says who delivers the site's mail.
type Mail string

// The ways to deliver mail.
const (
	MailExternal Mail = "external"
	MailBundled  Mail = "bundled"
)

// Push says how clients are woken. The guide calls the options A, B and C.
type Push string

// The options for push notifications.
const (
	PushWire Push = "A" // through Wire's account at AWS SNS
	PushOwn  Push = "B" // through the customer's own account at AWS SNS
	PushNone Push = "C" // none: clients keep a WebSocket open
)

// Client is an app to hand out.
type Client string

// The apps there are.
const (
	ClientWeb     Client = "web"
	ClientWindows Client = "windows"
	ClientMacOS   Client = "macos"
	ClientLinux   Client = "linux"
	ClientAndroid Client = "android"
	ClientIOS     Client = "ios"
)

// Clients returns all apps.
func Clients() []Client {
	return []Client{ClientWeb, ClientWindows, ClientMacOS, ClientLinux, ClientAndroid, ClientIOS}
}

// Elsewhere says that a host stands on none of the servers.
const Elsewhere = "elsewhere"

// NewSite returns a site document with its head filled in.
func NewSite() *Site { return &Site{APIVersion: manifests.APIVersion, Kind: KindSite} }

// ReadSite reads a site document that is to be calculated. Every flaw is a
// Usage error with its field. file only names the place.
func ReadSite(file string, data []byte) (*Site, error) {
	var s Site
	if err := manifests.DecodeStrict(file, data, &s); err != nil {
		return nil, err
	}
	if err := s.Check(file); err != nil {
		return nil, err
	}
	return &s, nil
}

const (
	usersHint       = "count everybody who sends messages"
	conferencesHint = "such as 10x8,2x50 (ten of 8 participants, two of 50), or none"
)

func scenarioHint() string { return "known: " + joined(scenarioIDs()) }

var serverName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// Check tells everything that keeps a site from being calculated, each flaw
// with its field: what is not given, and what [Site.CheckDocument] tells.
func (s *Site) Check(file string) error {
	f := &flaws{file: file}
	if f.siteHead(s) {
		f.needed(s)
		f.given(s)
	}
	return errors.Join(f.list...)
}

// CheckDocument tells everything that is wrong with what a site document says,
// each flaw with its field. A document may leave out what is only calculated
// from.
func (s *Site) CheckDocument(file string) error {
	f := &flaws{file: file}
	if f.siteHead(s) {
		f.given(s)
	}
	return errors.Join(f.list...)
}

// siteHead reports whether it is a site document at all.
func (f *flaws) siteHead(s *Site) bool {
	f.want(s.APIVersion == manifests.APIVersion, "apiVersion", "this program reads "+manifests.APIVersion, "apiVersion is %q", s.APIVersion)
	f.want(s.Kind == KindSite, "kind", "", "wants a document of kind %s, got %q", KindSite, s.Kind)
	return len(f.list) == 0
}

// needed wants what nothing can be calculated without.
func (f *flaws) needed(s *Site) {
	f.want(s.Scenario != "", "scenario", scenarioHint(), "no scenario is given")
	f.want(s.Users != 0, "users", usersHint, "number of users is 0, wants at least 1")
	f.want(s.Conferences != nil, "conferences", conferencesHint, "no conferences are given")
}

// given judges what the site says.
func (f *flaws) given(s *Site) {
	f.want(s.Name != "" && len(s.Name) <= MaxSiteName, "name", "as it should stand on the report", "site has no name, or one of more than %d bytes", MaxSiteName)
	f.want(s.Table == "" || slices.Contains(Names(), s.Table), "table", "known: "+strings.Join(Names(), ", "), "no hardware table is called %.80q", s.Table)
	f.want(s.Scenario == "" || slices.Contains(scenarioIDs(), s.Scenario), "scenario", scenarioHint(), "unknown scenario %.80q", s.Scenario)
	f.want(s.Users >= 0, "users", usersHint, "number of users is %d, wants at least 1", s.Users)
	f.want(s.Users <= MaxUsers, "users", "is there a digit too many?", "number of users is %d, at most %d is taken for meant", s.Users, MaxUsers)
	f.share("videoShare", s.VideoShare)
	f.share("relayedShare", s.RelayedShare)
	f.want(s.Mail == "" || s.Mail == MailExternal || s.Mail == MailBundled, "mail", "known: external, bundled", "unknown way of mail %.80q", s.Mail)
	f.want(s.Push == "" || s.Push == PushWire || s.Push == PushOwn || s.Push == PushNone, "push",
		"A is through Wire's AWS SNS, B through your own, C is none", "unknown push option %.80q", s.Push)
	f.want(s.Growth.UsersPerYear >= 0 && s.Growth.UsersPerYear <= maxGrowth, "growth.usersPercentPerYear", "", "growth of %d %% a year is not between 0 and %d", s.Growth.UsersPerYear, maxGrowth)
	f.want(s.Growth.Months >= 0 && s.Growth.Months <= maxMonths, "growth.months", "", "%d months is not between 0 and %d", s.Growth.Months, maxMonths)
	f.want(s.Bundle.Keep >= 0 && s.Bundle.Keep <= maxKept, "bundle.keep", "", "%d bundles is not between 0 and %d", s.Bundle.Keep, maxKept)
	f.want(s.Restund == 0 || s.Restund >= 2 && s.Restund <= MaxServers, "restund", "two are enough for availability", "%d Restund machines is not between 2 and %d", s.Restund, MaxServers)
	f.clients(s.Clients)
	f.servers(s)
}

func (f *flaws) share(field string, share *Percent) {
	f.want(share == nil || *share >= 0 && *share <= 100, field, "0 is nobody, 100 is everybody", "share is not between 0 and 100 percent")
}

func (f *flaws) clients(clients []Client) {
	seen := map[Client]bool{}
	for i, client := range clients {
		field := fmt.Sprintf("clients[%d]", i)
		f.want(slices.Contains(Clients(), client), field, "known: "+joined(Clients()), "unknown client %.80q", client)
		f.want(!seen[client], field, "", "client %.80q is named twice", client)
		seen[client] = true
	}
}

func (f *flaws) servers(s *Site) {
	f.want(s.ServerCount >= 0 && s.ServerCount <= MaxServers, "serverCount", "", "number of servers is %d, not between 1 and %d", s.ServerCount, MaxServers)
	f.want(len(s.Servers) <= MaxServers, "servers", "", "site lists %d servers, at most %d are read", len(s.Servers), MaxServers)
	f.want(s.ServerCount == 0 || len(s.Servers) == 0 || s.ServerCount == len(s.Servers), "serverCount", "leave it out", "serverCount is %d, but %d servers are listed", s.ServerCount, len(s.Servers))
	names, machines := map[string]bool{Elsewhere: true}, map[string]bool{}
	for i, server := range s.Servers {
		field := fmt.Sprintf("servers[%d]", i)
		f.want(serverName.MatchString(server.Name) && !names[server.Name], field+".name", "letters, digits, dots and hyphens", "server name %.80q is not usable, or given twice", server.Name)
		names[server.Name] = true
		f.want(server.Cores >= 0 && server.Cores <= maxCores, field+".cores", "", "%d cores is not between 0 and %d", server.Cores, maxCores)
		for j, vm := range server.Machines {
			at := fmt.Sprintf("%s.machines[%d]", field, j)
			f.want(serverName.MatchString(vm.Name) && !machines[vm.Name], at+".name", "its name in the inventory", "machine name %.80q is not usable, or given twice", vm.Name)
			machines[vm.Name] = true
			f.want(vm.Role.Known(), at+".role", "known: "+joined(Roles()), "unknown role %.80q", vm.Role)
			f.want(vm.Cores >= 0 && vm.Cores <= maxCores, at+".cores", "", "%d cores is not between 0 and %d", vm.Cores, maxCores)
		}
	}
	f.want(len(machines) <= maxMachines, "servers", "", "site lists %d machines, at most %d are read", len(machines), maxMachines)
	if len(s.Servers) == 0 {
		for _, server := range defaultServers(max(s.ServerCount, 1)) {
			names[server.Name] = true
		}
		names["server-1"], names["server-2"], names["server-3"] = true, true, true
	}
	for _, host := range []struct{ field, name string }{{"adminHost", s.AdminHost}, {"assetHost", s.AssetHost}} {
		f.want(host.name == "" || names[host.name], host.field, "name a server, or say elsewhere", "no server is called %.80q", host.name)
	}
}

func defaultServers(count int) []Server {
	servers := make([]Server, count)
	for i := range servers {
		servers[i].Name = fmt.Sprintf("server-%d", i+1)
	}
	return servers
}

func joined[T ~string](list []T) string {
	var words []string
	for _, item := range list {
		words = append(words, string(item))
	}
	return strings.Join(words, ", ")
}

func (s *Site) videoShare() Percent { return shareOr(s.VideoShare, 100) }

func (s *Site) relayedShare() Percent { return shareOr(s.RelayedShare, 100) }

func shareOr(share *Percent, fallback Percent) Percent {
	if share == nil {
		return fallback
	}
	return *share
}

// portion returns a share of a count, rounded up.
func portion(share Percent, count int64) int64 { return ceilDiv(int64(share)*count, 100) }

// ceilDiv divides a number that is not negative, and rounds up.
func ceilDiv(a, b int64) int64 { return (a + b - 1) / b }

package site

import (
	"math"

	"github.com/islandbundle/island/manifests"
)

// Kind is the kind of a site document.
const Kind = "Site"

// Limits on what a site may say.
const (
	MaxUsers    = 10_000_000
	MaxServers  = 256
	MaxMachines = 4096    // virtual machines of a site
	MaxCores    = 100_000 // of a machine or a server
	MaxGrowth   = 1000    // percent a year
	MaxMonths   = 240     // to look ahead
	MaxKept     = 100     // bundles
	MaxName     = 200     // bytes of a site's name
	MinRestund  = 2       // machines, as wire-docs has it: two servers are enough for availability,
	MaxRestund  = 3       // and it may run on all three
)

// DefaultMonths are looked ahead where a site does not say how many.
const DefaultMonths = 36

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
	RelayedShare *Percent `json:"relayedShare,omitempty"`
	Mail         Mail     `json:"mail,omitempty"`
	Push         Push     `json:"push,omitempty"`
	Federation   bool     `json:"federation,omitempty"`
	ServerCount  int      `json:"serverCount,omitempty"` // physical servers; as many as Servers lists, else as the table wants
	Servers      []Server `json:"servers,omitempty"`     // physical servers, where they are known
	Restund      int      `json:"restund,omitempty"`     // Restund machines; as many as the table wants, if 0
	// name of the server it stands on; where there is room, if empty; "elsewhere" is on none
	AdminHost string     `json:"adminHost,omitempty"`
	AssetHost string     `json:"assetHost,omitempty"` // likewise
	Growth    Growth     `json:"growth,omitzero"`
	Clients   []Client   `json:"clients,omitempty"`
	Bundle    BundleSize `json:"bundle,omitzero"`
	// Preflight is what preflight alone needs; it is not in sizing's reports.
	Preflight Section `json:"preflight,omitzero"`
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
	Months       int     `json:"months,omitempty"` // to look ahead; [DefaultMonths] if 0
}

// UsersAfter returns the users after some months of growth, which compounds.
func (s *Site) UsersAfter(months int) float64 {
	return float64(s.Users) * math.Pow(1+float64(s.Growth.UsersPerYear)/100, float64(months)/12)
}

// BundleSize is what a release takes. Where a lock is known, it says so itself.
type BundleSize struct {
	Size Capacity `json:"size,omitempty"` // of the bundle file
	// bundles kept on the asset host; 2 if 0: the one that runs and the one before
	Keep             int      `json:"keep,omitempty"`
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

// ScenarioID names one of the guide's ways to run Wire.
type ScenarioID string

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

// New returns a site document with its head filled in.
func New() *Site { return &Site{APIVersion: manifests.APIVersion, Kind: Kind} }

// Undescribed returns a site of which there is no document. It promises nothing,
// not even to be an island, as a document does where it does not say otherwise.
func Undescribed() *Site {
	s := New()
	s.Internet = true
	return s
}

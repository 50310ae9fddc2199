package facts

import (
	"time"

	"github.com/islandbundle/island/internal/words/message"
)

// Survey is what one run learned of a site. It judges nothing.
type Survey struct {
	APIVersion string        `json:"apiVersion"` // island/v1
	Kind       string        `json:"kind"`       // Survey
	Started    time.Time     `json:"started"`
	Elapsed    float64       `json:"elapsed"`           // seconds
	Partial    bool          `json:"partial,omitempty"` // some hosts of the site were left out on purpose
	Hosts      []Host        `json:"hosts"`
	Links      []Link        `json:"links"`
	Site       []Observation `json:"site"`
}

// Host is one host of the inventory and how it was reached.
type Host struct {
	Name     string   `json:"name"`
	Address  string   `json:"address"`            // where SSH went; empty for the local host and for saved facts
	Internal string   `json:"internal,omitempty"` // address that other hosts use
	Groups   []string `json:"groups"`
	// Interfaces are those that the inventory tells the host's services to use.
	Interfaces []string `json:"interfaces,omitempty"`

	Reach Reach  `json:"reach"`
	Clock *Clock `json:"clock,omitempty"`
	Facts *Facts `json:"facts,omitempty"`
}

// Outcome is how an attempt at something ended.
type Outcome string

// Text says the outcome to people; programs are told its own name.
func (o Outcome) Text() message.Text {
	return message.Named("facts.outcome."+string(o), string(o))
}

// How reaching a host can end.
const (
	Reached     Outcome = "reached"
	Down        Outcome = "down"         // no answer, or no route
	Unresolved  Outcome = "unresolved"   // the name is not known
	AuthRefused Outcome = "auth-refused" // no key or password was accepted
	KeyChanged  Outcome = "key-changed"  // known_hosts has another host key
	KeyUnknown  Outcome = "key-unknown"  // known_hosts has none, and ssh may not ask
	NoSudo      Outcome = "no-sudo"      // sudo was asked for and is not given
	DiskFull    Outcome = "disk-full"    // no room for the probe
	NoExec      Outcome = "no-exec"      // the probe may not run anywhere
	NoProbe     Outcome = "no-probe"     // there is no probe for the architecture
	Damaged     Outcome = "damaged"      // the probe did not arrive as it was sent
	Killed      Outcome = "killed"       // the probe ended before it was done
	TimedOut    Outcome = "timed-out"    // the host did not finish in time
	Nonsense    Outcome = "nonsense"     // the host answered something that is no facts document
	LargeLost   Outcome = "large-lost"   // ssh stood still, on a way that swallows large packets
	Failed      Outcome = "failed"       // anything else; Detail says what
)

// Reach is how a host was reached.
type Reach struct {
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail,omitempty"`
	Method  string  `json:"method"`  // ssh, local or saved
	Elapsed float64 `json:"elapsed"` // seconds
}

// Clock is a host's clock against the admin host's, as the exchange with the
// shortest round trip gives it.
type Clock struct {
	Offset      float64 `json:"offset"`      // seconds that the host is ahead
	Uncertainty float64 `json:"uncertainty"` // seconds, half the round trip
	Exchanges   int     `json:"exchanges"`
}

// How dialling a port can end.
const (
	OK        Outcome = "ok"
	Refused   Outcome = "refused"
	InUse     Outcome = "in-use"     // another program has the port already
	WrongHost Outcome = "wrong-host" // something answered that was not the probe over there
	Unmade    Outcome = "unmeasured" // could not be tried
	Moot      Outcome = "moot"       // was not tried, for a reason that is told elsewhere
)

// AdminHost is the from of a link that begins at the admin host.
const AdminHost = ""

// Link is one attempt of one host to speak to another.
type Link struct {
	From      string   `json:"from"` // [AdminHost], or a host of the inventory
	To        string   `json:"to"`
	Address   string   `json:"address"`
	Protocol  string   `json:"protocol"` // tcp, udp, mtu or throughput
	Port      int      `json:"port,omitempty"`
	Rows      []string `json:"rows"` // ids of the ports table's rows that want it
	Outcome   Outcome  `json:"outcome"`
	Detail    string   `json:"detail,omitempty"`
	RoundTrip float64  `json:"roundTrip,omitempty"` // milliseconds
	MTU       int      `json:"mtu,omitempty"`       // bytes of the largest packet that passed whole
	Largest   int      `json:"largest,omitempty"`   // bytes of the largest packet that from's interface sends

	BitsPerSecond float64 `json:"bitsPerSecond,omitempty"` // of TCP's payload, at the host that receives
	Retransmits   int64   `json:"retransmits,omitempty"`   // segments that were sent again
}

// Observation is one thing that the admin host saw of the site.
type Observation struct {
	Check   string            `json:"check"`  // id of the check it belongs to
	Object  string            `json:"object"` // a DNS name, an address, a URL
	Outcome Outcome           `json:"outcome"`
	Detail  string            `json:"detail,omitempty"`
	Method  string            `json:"method"`
	Values  map[string]string `json:"values,omitempty"`
}

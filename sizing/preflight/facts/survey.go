package facts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/islandbundle/island/internal/words/message"
)

// Survey is what one run learned of a site. It judges nothing.
type Survey struct {
	APIVersion string        `json:"apiVersion"` // island/v1
	Kind       string        `json:"kind"`       // Survey
	Version    int           `json:"version"`    // [SurveyVersion]; saved surveys of version 1 do not have it
	Started    time.Time     `json:"started"`
	Elapsed    float64       `json:"elapsed"`           // seconds
	Partial    bool          `json:"partial,omitempty"` // some hosts of the site were left out on purpose
	Groups     []Group       `json:"groups,omitempty"`  // of the inventory; none in what was saved before they were kept
	Hosts      []Host        `json:"hosts"`
	Links      []Link        `json:"links"`
	Site       []Observation `json:"site"`
}

// SurveyVersion is that of the surveys that this program saves. It reads version
// 1, too.
const SurveyVersion = 2

// check refuses what nobody could judge: it must not be passed over.
func (s *Survey) check() error {
	for i := range s.Hosts {
		host := &s.Hosts[i]
		if host.Facts != nil && host.Facts.APIVersion != APIVersion {
			return fmt.Errorf("host %q: facts are of %q, not %s", host.Name, host.Facts.APIVersion, APIVersion)
		}
		if host.Reach.Outcome == "" {
			return fmt.Errorf("hosts[%d].reach.outcome of %q is empty", i, host.Name)
		}
	}
	for i, link := range s.Links {
		if link.Outcome == "" {
			return fmt.Errorf("links[%d].outcome is empty", i)
		}
	}
	for i, o := range s.Site {
		if err := o.check(); err != nil {
			return fmt.Errorf("site[%d]: %s of %q: %w", i, o.Subject, o.Object, err)
		}
	}
	return nil
}

// NewSurvey returns a survey that nothing was learned in yet.
func NewSurvey(started time.Time) *Survey {
	return &Survey{
		APIVersion: APIVersion, Kind: SurveyKind, Version: SurveyVersion, Started: started,
		Hosts: []Host{}, Links: []Link{}, Site: []Observation{},
	}
}

// Host is one host of the inventory and how it was reached.
type Host struct {
	Name     string   `json:"name"`
	Address  string   `json:"address"`            // where SSH went; empty for the local host and for saved facts
	Internal string   `json:"internal,omitempty"` // address that other hosts use
	Groups   []string `json:"groups"`
	// Interfaces are those that the inventory tells the host's services to use.
	Interfaces []string `json:"interfaces,omitempty"`
	// ClusterNetworks are those of pods and services, where the inventory says.
	ClusterNetworks []string `json:"clusterNetworks,omitempty"`

	Reach Reach  `json:"reach"`
	Clock *Clock `json:"clock,omitempty"`
	Facts *Facts `json:"facts,omitempty"`
}

// Group is a group of the inventory. Which hosts are in it, they say.
type Group struct {
	Name     string   `json:"name"`
	Children []string `json:"children,omitempty"` // groups within it
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
	NoLogin     Outcome = "no-login"     // the key was accepted, and then no command ran
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
	Outcome Outcome      `json:"outcome"`
	Detail  message.Text `json:"detail,omitzero"`
	Method  message.Text `json:"method"`  // ssh, local or saved
	Elapsed float64      `json:"elapsed"` // seconds
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
	From      string       `json:"from"` // [AdminHost], or a host of the inventory
	To        string       `json:"to"`
	Address   string       `json:"address"`
	Protocol  string       `json:"protocol"` // tcp, udp, mtu or throughput
	Port      int          `json:"port,omitempty"`
	Rows      []string     `json:"rows"` // ids of the ports table's rows that want it
	Outcome   Outcome      `json:"outcome"`
	Detail    message.Text `json:"detail,omitzero"`
	RoundTrip float64      `json:"roundTrip,omitempty"` // milliseconds
	MTU       int          `json:"mtu,omitempty"`       // bytes of the largest packet that passed whole
	Largest   int          `json:"largest,omitempty"`   // bytes of the largest packet that from's interface sends

	BitsPerSecond float64 `json:"bitsPerSecond,omitempty"` // of TCP's payload, at the host that receives
	Retransmits   int64   `json:"retransmits,omitempty"`   // segments that were sent again
}

// Subject is what of a site is looked at.
type Subject string

// The subjects.
const (
	SubjectName        Subject = "name"          // a name of the site, in DNS
	SubjectService     Subject = "service"       // an SRV record
	SubjectCertificate Subject = "certificate"   // the site's own
	SubjectTime        Subject = "time-server"   // by NTP
	SubjectMail        Subject = "mail-relay"    // by SMTP
	SubjectBalancer    Subject = "load-balancer" // one of its ports
	SubjectTURN        Subject = "turn"          // one port of a server
	SubjectIDP         Subject = "idp"           // an identity provider's metadata
	SubjectOutside     Subject = "outside"       // names that an island does not know
	SubjectRoute       Subject = "route"         // a way out of the admin host
	SubjectAdmin       Subject = "admin"         // an interface of the admin host, with its addresses
)

var subjects = []Subject{
	SubjectName, SubjectService, SubjectCertificate, SubjectTime, SubjectMail,
	SubjectBalancer, SubjectTURN, SubjectIDP, SubjectOutside, SubjectRoute, SubjectAdmin,
}

// Observation is one thing that the admin host saw of the site. It says what was
// seen, and not whether that will do.
type Observation struct {
	Subject Subject      `json:"subject"`
	Object  string       `json:"object"`  // a DNS name, an address, a URL, an interface
	Outcome Outcome      `json:"outcome"` // how the attempt to look ended
	Detail  message.Text `json:"detail,omitzero"`
	Method  message.Text `json:"method"`

	Found       string       `json:"found,omitempty"`       // of a name or a service: what it stands for; of an interface: its addresses
	Offset      *float64     `json:"offset,omitempty"`      // of a time server: seconds that it is ahead of the admin host, in tenths
	Certificate *Certificate `json:"certificate,omitempty"` // of the certificate, where it was read
}

// check refuses an observation that says less than its subject needs.
func (o *Observation) check() error {
	switch {
	case !slices.Contains(subjects, o.Subject):
		return errors.New("subject is not known")
	case o.Outcome == "":
		return errors.New("outcome is empty")
	case o.Subject == SubjectTime && o.Outcome == OK && o.Offset == nil:
		return errors.New("offset is missing")
	case (o.Subject == SubjectCertificate && o.Outcome == OK) != (o.Certificate != nil):
		return errors.New("certificate belongs to one that was read, and only to that")
	case o.Certificate != nil:
		return o.Certificate.check()
	}
	return nil
}

// Certificate is what a certificate says, and how it stands to others, whatever
// the time is.
type Certificate struct {
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
	Names     []string  `json:"names"`             // that it is for, wildcards among them
	Missing   []string  `json:"missing,omitempty"` // names of the site document, when it was looked at, that it is not for
	Key       string    `json:"key"`               // kind of the public key: RSA, ECDSA, …
	Bits      int       `json:"bits,omitempty"`    // of an RSA key
	Curve     string    `json:"curve,omitempty"`   // of an ECDSA key
	Chain     Result    `json:"chain"`             // whether an authority that is believed vouches for it, at a time when it is valid
	Pair      *Result   `json:"pair,omitempty"`    // whether the private key that the site document names is its own
}

// HasAllNames reports whether no name was cut off: version 1 has them as one text, which
// [Cut] may have shortened.
func (c *Certificate) HasAllNames() bool {
	return len(c.Names) == 0 || !strings.HasSuffix(c.Names[len(c.Names)-1], cutMark)
}

func (c *Certificate) check() error {
	switch {
	case c.NotAfter.IsZero():
		return errors.New("certificate.notAfter is empty")
	case c.Key == "" && (c.Pair == nil || c.Pair.Outcome == OK):
		return errors.New("certificate.key is empty")
	case c.Chain.Outcome == "":
		return errors.New("certificate.chain.outcome is empty")
	case c.Pair != nil && c.Pair.Outcome == "":
		return errors.New("certificate.pair.outcome is empty")
	}
	return nil
}

// Result is how a comparison ended.
type Result struct {
	Outcome Outcome      `json:"outcome"`
	Detail  message.Text `json:"detail,omitzero"`
}

package sizing

import "github.com/islandbundle/island/sizing/site"

// Rules are the numbers by which more users need more, each with its source.
type Rules struct {
	Conference Conference `json:"conference"`
	Network    Network    `json:"network"`
	// ExtraCores are the public rules for the cores that conferences add to each
	// Kubernetes node. They disagree; the most demanding is used.
	ExtraCores []CoreRule `json:"extraCores"`
	Turn       Turn       `json:"turn"`
	Users      UserLimit  `json:"users"`
	Releases   Releases   `json:"releases"`
	NodeDisk   NodeDisk   `json:"nodeDisk"`
	Factors    []Factor   `json:"factors,omitempty"`
	Ask        []Question `json:"ask"`
}

// Conference says what a conference server receives and sends.
type Conference struct {
	Audio        Cell[site.Kbps] `json:"audioKbps"`    // one audio stream takes up to this
	Video        Cell[site.Kbps] `json:"videoKbps"`    // one video stream takes up to this
	AudioStreams Cell[int64]     `json:"audioStreams"` // sent to each participant, up to
	VideoStreams Cell[int64]     `json:"videoStreams"` // sent to each participant, up to
}

// Network says what the network card of a conference server must carry.
type Network struct {
	NIC      Cell[site.Kbps]    `json:"nicKbps"`         // in each direction
	Headroom Cell[site.Percent] `json:"headroomPercent"` // of the card, left free
}

// CoreRule is one public rule for the cores that conferences add. Exactly one
// of PercentPerUser and UsersPerCore is given.
type CoreRule struct {
	ID             string       `json:"id"`
	PercentPerUser site.Percent `json:"percentPerUser,omitempty"` // of a core, for each participant of the site, on each node
	UsersPerCore   int64        `json:"usersPerCore,omitempty"`   // participants on the node, for each core of it
	Text           Given        `json:"text"`
	Source         string       `json:"source"`
}

// Turn says what a TURN server can hold.
type Turn struct {
	Allocations Cell[int64] `json:"allocationsPerServer"` // at most
}

// UserLimit says how many messaging users the table is good for.
type UserLimit struct {
	Text    Given       `json:"text"` // the source's own words
	Source  string      `json:"source"`
	AskFrom Cell[int64] `json:"askFrom"` // from this many on, Wire is to be asked
}

// Releases says how often a release comes.
type Releases struct {
	Months Cell[int64] `json:"everyMonths"`
}

// NodeDisk says how full the disk of a Kubernetes node may get.
type NodeDisk struct {
	Usable Cell[site.Percent] `json:"usablePercent"`
}

// FactorID names a factor that a customer may add.
type FactorID string

// The factors there are.
const (
	// StoragePerUser is megabytes (10⁶ bytes) that a user adds to the disk of
	// each machine of a role in a month, measured there, replicas included.
	StoragePerUser FactorID = "storage-mb-per-user-month"
	// Unpacked is the bytes that images take on a node, unpacked, in percent of
	// what they take compressed.
	Unpacked FactorID = "unpacked-percent-of-compressed"
	// SFTMemory is megabytes (10⁶ bytes) of memory for each participant of a
	// conference, on each Kubernetes node.
	SFTMemory FactorID = "sft-memory-mb-per-participant"
)

// Factor is a number of the customer's own, for what no public source gives.
// Reports show it as such.
type Factor struct {
	ID    FactorID  `json:"id"`
	Role  site.Role `json:"role,omitempty"` // for storage
	Value float64   `json:"value"`
	Basis Given     `json:"basis"` // how the customer came by it
}

// Question is something that no public source answers.
type Question struct {
	ID     string   `json:"id"`
	Factor FactorID `json:"factor,omitempty"` // a factor that answers it
	Text   Given    `json:"text"`             // what is not known
	Ask    Given    `json:"ask"`              // what to ask Wire
}

package sizing

import (
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing/site"
)

// KindReport is the kind of a sizing report.
const KindReport = "SizingReport"

// Report is the answer, in no language: its texts are messages, which package
// present puts into one. Its JSON form is a contract: docs/sizing-report.schema.json.
// Ids and units are not translated.
type Report struct {
	APIVersion string      `json:"apiVersion"`
	Kind       string      `json:"kind"`
	Language   string      `json:"language"` // of the texts where they are written; empty before
	Tool       string      `json:"tool,omitempty"`
	Made       string      `json:"made,omitempty"` // the day on which it was made, such as 2026-03-31; empty in a bundle
	Site       site.Site   `json:"site"`
	Table      TableRef    `json:"table"`
	Release    *ReleaseRef `json:"release,omitempty"`
	Scenario   Choice      `json:"scenario"`
	Findings   []Remark    `json:"findings"` // the gravest first
	Growth     *UserGrowth `json:"growth,omitempty"`
	// The parts below are there for installations on own servers only.
	Hardware     *Hardware     `json:"hardware,omitempty"`
	Conferencing *Conferencing `json:"conferencing,omitempty"`
	Turn         *TurnLoad     `json:"turn,omitempty"`
	CallPorts    []CallPort    `json:"callPorts,omitempty"`
	Placement    *Placement    `json:"placement,omitempty"`
	Storage      *Storage      `json:"storage,omitempty"`
	Footprint    *Footprint    `json:"footprint,omitempty"`
	Comparison   *Comparison   `json:"comparison,omitempty"`
	Questions    []Asked       `json:"questions"`
	Sources      []SourceRef   `json:"sources"`
}

// TableRef says which hardware table a report was made with.
type TableRef struct {
	Name    string           `json:"name"`
	Version int              `json:"version"`
	Title   message.Text     `json:"title"`
	Draft   message.Text     `json:"draft,omitempty"`  // that its source is not published
	Digest  manifests.Digest `json:"digest,omitempty"` // of the file, where it is known
}

// ReleaseRef says which release a report was made with.
type ReleaseRef struct {
	Name    string         `json:"name"`
	Version string         `json:"version"`
	Date    manifests.Date `json:"date"`
}

// SourceRef is a source that a number of the report names.
type SourceRef struct {
	ID    string       `json:"id"`
	Title message.Text `json:"title"`
	Where message.Text `json:"where,omitzero"`
}

// Bound says how a figure is meant.
type Bound string

// The bounds.
const (
	Exactly Bound = "exactly"
	AtMost  Bound = "at most"
	AtLeast Bound = "at least"
	Unknown Bound = "unknown"
)

// Text says how a figure is meant.
func (b Bound) Text() message.Text {
	return say("bound."+strings.ReplaceAll(string(b), " ", "-"), nil)
}

// Unit is the unit of a figure.
type Unit string

// The units.
const (
	UnitKbps    Unit = "kbit/s" // 1000 bits per second
	UnitCores   Unit = "cores"
	UnitBytes   Unit = "bytes"
	UnitCount   Unit = "count"
	UnitPercent Unit = "percent"
)

// Figure is one number with all that is needed to check it.
type Figure struct {
	ID      string       `json:"id"`
	Label   message.Text `json:"label"`
	Value   int64        `json:"value"` // in Unit
	Unit    Unit         `json:"unit"`
	Shown   message.Text `json:"shown"` // with its unit, as the language writes it
	Bound   Bound        `json:"bound"`
	Formula message.Text `json:"formula"`
	Sources []string     `json:"sources"` // ids of Report.Sources
}

// Level is how grave a finding is.
type Level string

// The levels, the gravest first.
const (
	Fail Level = "fail" // this cannot work as it is
	Warn Level = "warn" // this may not work
	Ask  Level = "ask"  // nobody but Wire or the customer knows
	Info Level = "note" // worth knowing
	Good Level = "ok"   // checked, and holds
)

// Remark is something that the calculation found out.
type Remark struct {
	ID    string       `json:"id"` // stable
	Level Level        `json:"level"`
	Text  message.Text `json:"text"`
	Hint  message.Text `json:"hint,omitempty"` // what to do
}

// Asked is a question that no public source answers.
type Asked struct {
	ID   string       `json:"id"`
	Text message.Text `json:"text"` // what is not known
	Ask  message.Text `json:"ask"`  // what to ask Wire
	// Answered says that a factor of the customer's own stands in for the answer.
	Answered message.Text `json:"answered,omitempty"`
}

// Choice is the deployment scenario and what follows from it.
type Choice struct {
	ID         site.ScenarioID `json:"id"`
	App        message.Text    `json:"app"`
	Backend    message.Text    `json:"backend"`
	When       message.Text    `json:"when"`
	Web        message.Text    `json:"web"`
	OnPremises bool            `json:"onPremises"`
	Island     bool            `json:"island"`
	Push       []PushRow       `json:"push"`
	Clients    []ToHand        `json:"clients"`
}

// PushRow is one option for push notifications, and whether it is open.
type PushRow struct {
	Option site.Push    `json:"option"`
	Text   message.Text `json:"text"`
	Open   bool         `json:"open"`
	Chosen bool         `json:"chosen"`
}

// ToHand is a client app and how it reaches people.
type ToHand struct {
	Client site.Client  `json:"client"`
	Title  message.Text `json:"title"`
	Text   message.Text `json:"text"`
	File   bool         `json:"file"` // whether a file has to be delivered
}

// Hardware is the table that the report was made with, as printed and as required.
type Hardware struct {
	Rows   []HardwareRow   `json:"rows"`
	Totals []HardwareTotal `json:"totals"`
	// Printed are totals that the table's source prints, beside those of its rows.
	Printed []PrintedTotal `json:"printed,omitempty"`
	Notes   []HardwareNote `json:"notes"`
}

// HardwareRow is a row of the table. Memory and disk are in the unit that the
// table has: GB of 10⁹ bytes, or GiB of 2³⁰.
type HardwareRow struct {
	Role     site.Role    `json:"role"`
	Title    message.Text `json:"title"`
	Notes    []string     `json:"notes,omitempty"`
	Count    int64        `json:"count"`
	Cores    int64        `json:"cores"`
	Memory   int64        `json:"memory"`
	Disk     int64        `json:"disk"`
	Unit     string       `json:"unit"`
	MoreThan bool         `json:"moreThan,omitempty"` // memory and disk must be more than this
	// CoresRequired is the most demanding figure, where public sources disagree.
	CoresRequired int64 `json:"coresRequired"`
	// ExtraCores are those that conferences add to each machine.
	ExtraCores int64       `json:"extraCores,omitempty"`
	CoresNotes []string    `json:"coresNotes,omitempty"`
	Sources    CellSources `json:"sources"`
	Support    bool        `json:"support,omitempty"`
	// Differs words the disagreement.
	Differs message.Text `json:"differs,omitempty"`
}

// CellSources names the source of each cell.
type CellSources struct {
	Count  string `json:"count"`
	Cores  string `json:"cores"`
	Memory string `json:"memory"`
	Disk   string `json:"disk"`
}

// HardwareTotal is a row of totals, computed.
type HardwareTotal struct {
	ID       string       `json:"id"` // per-server, or per-server-with-support
	Title    message.Text `json:"title"`
	Cores    int64        `json:"cores"`
	Memory   int64        `json:"memory"`
	Disk     int64        `json:"disk"`
	Unit     string       `json:"unit"`
	Required bool         `json:"required,omitempty"` // with the most demanding figures and without extra cores
}

// PrintedTotal is a total that a source prints, and what its rows come to. Memory and
// disk are in GB of 10⁹ bytes.
type PrintedTotal struct {
	Date     manifests.Date `json:"date"`
	Source   string         `json:"source"`
	Printed  Totals         `json:"printed"`
	Computed Totals         `json:"computed"`
	Differs  bool           `json:"differs"`
	Text     message.Text   `json:"text"`
}

// HardwareNote is a footnote.
type HardwareNote struct {
	ID     string       `json:"id"`
	Text   message.Text `json:"text"`
	Source string       `json:"source"`
}

// Conferencing is what conferences take. All of it are upper bounds.
type Conferencing struct {
	Groups  []ConferenceLine `json:"groups"`
	Total   ConferenceLine   `json:"total"`
	Nodes   int              `json:"nodes"` // that conference servers run on
	Figures []Figure         `json:"figures"`
	Cores   []CoreLine       `json:"extraCores"`
	// ServersNeeded is the smallest number of conference servers whose network
	// cards carry the load with headroom; 0 if no number does.
	ServersNeeded int `json:"serversNeeded"`
	// What the pictures are drawn from.
	Curve    []CurvePoint `json:"-"`
	Usable   site.Kbps    `json:"-"`
	NIC      site.Kbps    `json:"-"`
	OneOfMax Traffic      `json:"-"`
}

// ConferenceLine is what conferences of one size take together.
type ConferenceLine struct {
	Count        int64        `json:"count"`
	Participants int64        `json:"participants"` // of each; of all in the total
	Video        int64        `json:"video"`        // of each, who send video; of all in the total
	Each         Traffic      `json:"each"`
	All          Traffic      `json:"all"`
	Formula      message.Text `json:"formula,omitempty"`
}

// CurvePoint is a point of the picture of one conference.
type CurvePoint struct {
	Participants int64
	Traffic      Traffic
}

// CoreLine is one public rule for extra cores and what it gives here.
type CoreLine struct {
	ID      string       `json:"id"`
	Text    message.Text `json:"text"`
	Cores   int64        `json:"cores"` // on each node
	Used    bool         `json:"used"`
	Formula message.Text `json:"formula"`
	Source  string       `json:"source"`
}

// TurnLoad is what TURN relays.
type TurnLoad struct {
	Machines int      `json:"machines"`
	Figures  []Figure `json:"figures"`
}

// Placement says which machine stands on which server.
type Placement struct {
	Servers []PlacedServer `json:"servers"`
	Total   Amounts        `json:"total"`
}

// PlacedServer is a server with its machines.
type PlacedServer struct {
	Name     string   `json:"name"`
	Machines []Placed `json:"machines"`
	Needs    Amounts  `json:"needs"`
	Has      *Amounts `json:"has,omitempty"` // where the site says so; 0 is not known
	Network  Traffic  `json:"network"`       // at most
	Lost     []Loss   `json:"lost"`          // what fails when this server is lost
}

// Placed is a machine on a server.
type Placed struct {
	Name string    `json:"name"`
	Role site.Role `json:"role"`
	Amounts
}

// Amounts is what a machine, or several, take. Memory and disk are in bytes.
type Amounts struct {
	Cores  int64           `json:"cores"`
	Memory manifests.Bytes `json:"memory"`
	Disk   manifests.Bytes `json:"disk"`
}

func (a Amounts) plus(b Amounts) Amounts {
	return Amounts{a.Cores + b.Cores, a.Memory + b.Memory, a.Disk + b.Disk}
}

// Loss is what the loss of a server means for a role.
type Loss struct {
	Role  site.Role    `json:"role"`
	Lost  int          `json:"lost"`
	Left  int          `json:"left"`
	Level Level        `json:"level"`
	Text  message.Text `json:"text"`
}

// Storage is what disks hold over time.
type Storage struct {
	Figures []Figure `json:"figures"`
	Series  []Series `json:"series"`
	Months  int      `json:"months"`
}

// Series is what one disk holds, month by month.
type Series struct {
	ID       string            `json:"id"`
	Title    message.Text      `json:"title"`
	Name     message.Text      `json:"-"` // shorter, for a picture
	Capacity manifests.Bytes   `json:"capacity"`
	Used     []manifests.Bytes `json:"used"`   // at the end of month 0, 1, …
	FullIn   int               `json:"fullIn"` // the first month in which it is over capacity; −1 if none
	Formula  message.Text      `json:"formula"`
	Sources  []string          `json:"sources"`
}

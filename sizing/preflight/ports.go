package preflight

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

//go:embed ports.yaml
var portsFile []byte

// Ports is the table of who must reach whom.
type Ports struct {
	APIVersion string                   `json:"apiVersion"`
	Kind       string                   `json:"kind"` // Ports
	Sources    map[string]sizing.Source `json:"sources"`
	Rows       []PortRow                `json:"rows"`
}

// PortRow is one need of speaking.
type PortRow struct {
	ID       string   `json:"id"`
	From     []string `json:"from"` // groups of the inventory; all for every host
	To       []string `json:"to"`
	Protocol string   `json:"protocol"` // tcp or udp
	Ports    []int    `json:"ports"`
	SampleOf string   `json:"sampleOf,omitempty"` // the range that the ports stand for
	Source   string   `json:"source"`

	Purpose map[string]string `json:"purpose"` // by language
}

// purpose says what the ports are for. Where the row is the program's own, the
// catalogues have further languages for it.
func (r *PortRow) purpose() message.Text {
	text := message.Text{Given: r.Purpose}
	if own := builtIn().row(r.ID); own != nil && own.Purpose["en"] == r.Purpose["en"] {
		text.Code = "preflight.port." + r.ID + ".purpose"
	}
	return text
}

// builtIn is the table that the program brings; a test reads it as well.
var builtIn = sync.OnceValue(func() *Ports {
	p, err := DefaultPorts()
	if err != nil {
		panic(err)
	}
	return p
})

// Limits of a table of ports.
const (
	maxPortRows = 200
	maxPorts    = 64
)

// DefaultPorts returns the table that the program brings.
func DefaultPorts() (*Ports, error) { return ReadPorts("ports.yaml", portsFile) }

// DefaultPortsFile returns that table as a file, for a bundle to carry.
func DefaultPortsFile() []byte { return slices.Clone(portsFile) }

var checkID = regexp.MustCompile(`^[a-z][a-z0-9]*([.-][a-z0-9]+)*$`)

// ReadPorts reads and checks a table of ports. file only names the place.
func ReadPorts(file string, data []byte) (*Ports, error) {
	var p Ports
	if err := manifests.DecodeStrict(file, data, &p); err != nil {
		return nil, err
	}
	at := func(i int, field string) fault.Place {
		return fault.Place{File: file, Field: fmt.Sprintf("rows[%d].%s", i, field)}
	}
	if p.APIVersion != manifests.APIVersion || p.Kind != "Ports" {
		return nil, fault.At(fault.Place{File: file}, "", "not a Ports document of %s", manifests.APIVersion)
	}
	if len(p.Rows) == 0 || len(p.Rows) > maxPortRows {
		return nil, fault.At(fault.Place{File: file, Field: "rows"}, "", "table has %d rows, not 1 to %d", len(p.Rows), maxPortRows)
	}
	seen := map[string]bool{}
	for i, row := range p.Rows {
		_, sourced := p.Sources[row.Source]
		switch {
		case !checkID.MatchString(row.ID) || seen[row.ID]:
			return nil, fault.At(at(i, "id"), "", "id %.40q is not a name, or stands twice", row.ID)
		case row.Protocol != "tcp" && row.Protocol != "udp":
			return nil, fault.At(at(i, "protocol"), "", "protocol is %.40q, not tcp or udp", row.Protocol)
		case len(row.Ports) == 0 || len(row.Ports) > maxPorts:
			return nil, fault.At(at(i, "ports"), "", "row has %d ports, not 1 to %d", len(row.Ports), maxPorts)
		case slices.ContainsFunc(row.Ports, func(port int) bool { return port < 1 || port > 65535 }):
			return nil, fault.At(at(i, "ports"), "", "a port is not between 1 and 65535")
		case len(row.From) == 0 || len(row.To) == 0:
			return nil, fault.At(at(i, "from"), "", "row does not say from which groups to which")
		case !sourced:
			return nil, fault.At(at(i, "source"), "", "source %.40q is not in the list of sources", row.Source)
		}
		seen[row.ID] = true
	}
	return &p, nil
}

// Want is one attempt to make: of one host to speak to another.
type Want struct {
	From, To string // names in the inventory
	Protocol string
	Port     int
	Rows     []string // ids of the rows that want it
}

// Wants returns every pair and port that hosts of these groups need. A host does
// not speak to itself.
func (p *Ports) Wants(hosts []facts.Host) []Want {
	type key struct {
		from, to, protocol string
		port               int
	}
	index := map[key]int{}
	var wants []Want
	for _, row := range p.Rows {
		for _, from := range hosts {
			for _, to := range hosts {
				if from.Name == to.Name || !inAny(from.Groups, row.From) || !inAny(to.Groups, row.To) {
					continue
				}
				for _, port := range row.Ports {
					k := key{from.Name, to.Name, row.Protocol, port}
					if i, ok := index[k]; ok {
						wants[i].Rows = append(wants[i].Rows, row.ID)
						continue
					}
					index[k] = len(wants)
					wants = append(wants, Want{From: from.Name, To: to.Name, Protocol: row.Protocol, Port: port, Rows: []string{row.ID}})
				}
			}
		}
	}
	return wants
}

func inAny(groups, wanted []string) bool {
	return slices.ContainsFunc(wanted, func(name string) bool { return name == "all" || slices.Contains(groups, name) })
}

func (p *Ports) row(id string) *PortRow {
	for i := range p.Rows {
		if p.Rows[i].ID == id {
			return &p.Rows[i]
		}
	}
	return nil
}

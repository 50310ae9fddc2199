package site

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"

	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// KindPorts is the kind of a table of ports.
const KindPorts = "Ports"

//go:embed ports.yaml
var portsFile []byte

//go:embed callports.yaml
var callPortsFile []byte

// Source is a document that what a table says was taken from.
type Source struct {
	Title string `json:"title"`
	Where string `json:"where,omitempty"` // page, file or address
}

// Ports is the table of who must reach whom.
type Ports struct {
	APIVersion string            `json:"apiVersion"`
	Kind       string            `json:"kind"` // [KindPorts]
	Sources    map[string]Source `json:"sources"`
	Rows       []PortRow         `json:"rows"`
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
	Forwards int      `json:"forwards,omitempty"` // port of the nodes that whoever is reached passes it on to
	// Federated says that it is for backends that federate alone.
	Federated bool `json:"federated,omitempty"`

	Purpose map[string]string `json:"purpose"` // by language
}

// Limits of a table of ports.
const (
	maxPortRows = 200
	maxPorts    = 64
)

// DefaultPorts returns the table that the program brings.
func DefaultPorts() (*Ports, error) { return ReadPorts("ports.yaml", portsFile) }

// CallPorts returns the table of what must be reached from outside for calls, and
// around them.
func CallPorts() (*Ports, error) { return ReadPorts("callports.yaml", callPortsFile) }

// DefaultPortsFile returns that table as a file, for a bundle to carry.
func DefaultPortsFile() []byte { return slices.Clone(portsFile) }

var checkID = regexp.MustCompile(`^[a-z][a-z0-9]*([.-][a-z0-9]+)*$`)

// IsID reports whether a text can name a row of a table, or a check.
func IsID(text string) bool { return checkID.MatchString(text) }

// ReadPorts reads and checks a table of ports. file only names the place.
func ReadPorts(file string, data []byte) (*Ports, error) {
	var p Ports
	if err := manifests.DecodeStrict(file, data, &p); err != nil {
		return nil, err
	}
	at := func(i int, field string) fault.Place {
		return fault.Place{File: file, Field: fmt.Sprintf("rows[%d].%s", i, field)}
	}
	if p.APIVersion != manifests.APIVersion || p.Kind != KindPorts {
		return nil, fault.At(fault.Place{File: file}, "", "not a Ports document of %s", manifests.APIVersion)
	}
	if len(p.Rows) == 0 || len(p.Rows) > maxPortRows {
		return nil, fault.At(fault.Place{File: file, Field: "rows"}, "", "table has %d rows, not 1 to %d", len(p.Rows), maxPortRows)
	}
	seen := map[string]bool{}
	for i, row := range p.Rows {
		_, sourced := p.Sources[row.Source]
		switch {
		case !IsID(row.ID) || seen[row.ID]:
			return nil, fault.At(at(i, "id"), "", "id %.40q is not a name, or stands twice", row.ID)
		case row.Protocol != "tcp" && row.Protocol != "udp":
			return nil, fault.At(at(i, "protocol"), "", "protocol is %.40q, not tcp or udp", row.Protocol)
		case len(row.Ports) == 0 || len(row.Ports) > maxPorts:
			return nil, fault.At(at(i, "ports"), "", "row has %d ports, not 1 to %d", len(row.Ports), maxPorts)
		case slices.ContainsFunc(row.Ports, func(port int) bool { return port < 1 || port > MaxPort }):
			return nil, fault.At(at(i, "ports"), "", "a port is not between 1 and 65535")
		case row.Forwards < 0 || row.Forwards > MaxPort:
			return nil, fault.At(at(i, "forwards"), "", "a port is not between 1 and 65535")
		case len(row.From) == 0 || len(row.To) == 0:
			return nil, fault.At(at(i, "from"), "", "row does not say from which groups to which")
		case !sourced:
			return nil, fault.At(at(i, "source"), "", "source %.40q is not in the list of sources", row.Source)
		}
		seen[row.ID] = true
	}
	return &p, nil
}

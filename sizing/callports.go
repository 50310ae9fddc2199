package sizing

import (
	"strconv"
	"strings"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/site"
)

// CallPort is a port that clients, or backends that federate, must reach.
type CallPort struct {
	ID       string       `json:"id"`
	Protocol string       `json:"protocol"`           // tcp or udp
	Ports    string       `json:"ports"`              // a port, or a range such as 32768-61000
	NodePort int          `json:"nodePort,omitempty"` // of each Kubernetes node, that it is passed on to
	Purpose  message.Text `json:"purpose"`
	Source   string       `json:"source"`
}

// callPorts returns the ports that a site needs.
func (c *calculation) callPorts() []CallPort {
	var list []CallPort
	for _, row := range builtInCallPorts().Rows {
		if row.Federated && !c.site.Federation {
			continue
		}
		port := CallPort{
			ID: row.ID, Protocol: row.Protocol, Ports: row.SampleOf, NodePort: row.Forwards,
			Purpose: say("call-port."+row.ID, nil), Source: row.Source,
		}
		if port.Ports == "" {
			port.Ports = portList(row.Ports)
		}
		list = append(list, port)
	}
	return list
}

func portList(ports []int) string {
	var list []string
	for _, port := range ports {
		list = append(list, strconv.Itoa(port))
	}
	return strings.Join(list, ", ")
}

func builtInCallPorts() *site.Ports {
	ports, err := site.CallPorts()
	if err != nil {
		panic("sizing: " + err.Error()) // part of the program, and tested
	}
	return ports
}

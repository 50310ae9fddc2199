package preflight

import (
	"slices"
	"sync"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/sizing/preflight/facts"
	"github.com/islandbundle/island/sizing/site"
)

// Wants returns every link that hosts of these groups need, by a table of ports.
// Whether it holds is to be tried: a link that is wanted has no address and no
// outcome. A host does not speak to itself.
func Wants(p *site.Ports, hosts []facts.Host) []facts.Link {
	type key struct {
		from, to, protocol string
		port               int
	}
	index := map[key]int{}
	var wants []facts.Link
	for _, row := range p.Rows {
		reached := inGroups(hosts, row.To)
		for _, from := range inGroups(hosts, row.From) {
			for _, to := range reached {
				if from.Name == to.Name {
					continue
				}
				for _, port := range row.Ports {
					k := key{from.Name, to.Name, row.Protocol, port}
					if i, ok := index[k]; ok {
						wants[i].Rows = append(wants[i].Rows, row.ID)
						continue
					}
					index[k] = len(wants)
					wants = append(wants, facts.Link{From: from.Name, To: to.Name, Protocol: row.Protocol, Port: port, Rows: []string{row.ID}})
				}
			}
		}
	}
	return wants
}

// inGroups returns the hosts that are in any of some groups.
func inGroups(hosts []facts.Host, groups []string) []facts.Host {
	return slices.DeleteFunc(slices.Clone(hosts), func(host facts.Host) bool { return !site.InAny(host.Groups, groups) })
}

// portRow returns a row of a table by its id, or nil.
func portRow(p *site.Ports, id string) *site.PortRow {
	for i := range p.Rows {
		if p.Rows[i].ID == id {
			return &p.Rows[i]
		}
	}
	return nil
}

// purposeOf says what the ports of a row are for. Where the row is the program's
// own, the catalogues have further languages for it.
func purposeOf(row *site.PortRow) message.Text {
	text := message.Text{Given: row.Purpose}
	if own := portRow(builtInPorts(), row.ID); own != nil && own.Purpose["en"] == row.Purpose["en"] {
		text.Code = "preflight.port." + row.ID + ".purpose"
	}
	return text
}

// builtInPorts are those that the program brings; a test reads them as well.
var builtInPorts = sync.OnceValue(func() *site.Ports {
	p, err := site.DefaultPorts()
	if err != nil {
		panic(err)
	}
	return p
})

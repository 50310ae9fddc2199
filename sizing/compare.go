package sizing

import (
	"fmt"
	"slices"

	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
	"github.com/islandbundle/island/sizing/site"
)

// Existing is a machine that exists. Amounts that are 0 are not known.
type Existing struct {
	Name   string          `json:"name"`
	Role   site.Role       `json:"role"`
	Cores  int64           `json:"cores"`
	Memory manifests.Bytes `json:"memoryBytes"`
	Disk   manifests.Bytes `json:"diskBytes"`
}

// existingMachines returns the machines that a site says stand on its servers.
func existingMachines(s *site.Site) []Existing {
	var list []Existing
	for _, server := range s.Servers {
		for _, vm := range server.Machines {
			list = append(list, Existing{vm.Name, vm.Role, vm.Cores, vm.Memory.Bytes(), vm.Disk.Bytes()})
		}
	}
	return list
}

// facts is the least of a facts document that a comparison needs; the rest is
// preflight's.
type facts struct {
	Machines []Existing `json:"machines"`
}

// ReadExisting reads machines that exist, from a site document or from JSON
// that has a list called machines with name, role, cores, memoryBytes and
// diskBytes.
func ReadExisting(file string, data []byte) ([]Existing, error) {
	var head map[string]any
	if err := manifests.DecodeStrict(file, data, &head); err != nil {
		return nil, err
	}
	if head["kind"] == site.Kind {
		site, err := ReadSite(file, data)
		if err != nil {
			return nil, err
		}
		return wantMachines(file, existingMachines(site))
	}
	if _, ok := head["machines"]; !ok {
		return nil, fault.At(fault.Place{File: file, Field: "machines"},
			"give a site document, or facts with a list of machines", "document lists no machines")
	}
	f, err := machinesOf(file, data, head)
	if err != nil {
		return nil, err
	}
	return wantMachines(file, f.Machines)
}

// machinesOf reads the machines of a facts document, of which they alone are compared.
func machinesOf(file string, data []byte, head map[string]any) (facts, error) {
	var f facts
	if len(head) == 1 {
		return f, manifests.DecodeStrict(file, data, &f)
	}
	rest, err := manifests.EncodeJSON(map[string]any{"machines": head["machines"]})
	if err != nil {
		return f, fault.At(fault.Place{File: file}, "", "%w", err)
	}
	err = manifests.DecodeStrict(file, rest, &f)
	for _, flaw := range fault.All(err) {
		flaw.Place.Line, flaw.Place.Column = 0, 0 // they are of rest
	}
	return f, err
}

func wantMachines(file string, machines []Existing) ([]Existing, error) {
	f := fault.Flaws{File: file, Most: 1}
	f.Want(len(machines) > 0, "machines", "list them under a server's machines", "document lists no machines")
	f.Want(len(machines) <= site.MaxMachines, "machines", "", "document lists %d machines, at most %d are read", len(machines),
		site.MaxMachines)
	for i, m := range machines {
		field := fmt.Sprintf("machines[%d]", i)
		f.Want(m.Role.Known(), field+".role", "known: "+site.Joined(site.Roles()), "unknown role %.80q", m.Role)
		f.Want(m.Cores >= 0 && m.Memory >= 0 && m.Disk >= 0, field, "", "machine %.80q has a negative amount", m.Name)
	}
	if f.Any() {
		return nil, f.Err()
	}
	return machines, nil
}

// Comparison holds machines that exist against what is needed.
type Comparison struct {
	Machines []Compared `json:"machines"`
	Missing  []Missing  `json:"missing"` // machines that a role lacks
	findings []Remark
}

// Compared is a machine that exists, and what it should have.
type Compared struct {
	Existing
	Needs Amounts      `json:"needs"`
	Level Level        `json:"level"`
	Text  message.Text `json:"text"`
}

// Missing is a role of which there are too few machines.
type Missing struct {
	Role site.Role `json:"role"`
	Want int       `json:"want"`
	Have int       `json:"have"`
}

// comparison compares, granting the table's tolerances.
func (c *calculation) comparison(p *Placement, existing []Existing) *Comparison {
	if len(existing) == 0 {
		return nil
	}
	needs, wanted, have := map[site.Role]Amounts{}, map[site.Role]int{}, map[site.Role]int{}
	for _, server := range p.Servers {
		for _, m := range server.Machines {
			needs[m.Role] = m.Amounts
			wanted[m.Role]++
		}
	}
	result := &Comparison{Machines: []Compared{}, Missing: []Missing{}}
	for _, m := range existing {
		have[m.Role]++
		compared := c.compare(m, needs[m.Role])
		result.Machines = append(result.Machines, compared)
		if compared.Level == Fail {
			result.findings = append(result.findings, Remark{ID: "against." + m.Name, Level: Fail,
				Text: say("finding.against.machine.text", args{"machine": m.Name, "lacks": compared.Text})})
		}
	}
	var missing []message.Text
	for _, r := range c.table.Requirements() {
		if have[r.Role] < wanted[r.Role] {
			result.Missing = append(result.Missing, Missing{r.Role, wanted[r.Role], have[r.Role]})
			missing = append(missing, say("against.too-few", args{"role": c.roleName(r.Role), "have": have[r.Role], "want": wanted[r.Role]}))
		}
	}
	if len(missing) > 0 {
		result.findings = append(result.findings, Remark{ID: "against.missing", Level: Fail,
			Text: say("finding.against.missing.text", args{"missing": missing})})
	}
	if len(result.findings) == 0 {
		result.findings = append(result.findings, Remark{ID: "against", Level: Good, Text: say("finding.against.enough.text", nil)})
	}
	return result
}

func (c *calculation) compare(m Existing, need Amounts) Compared {
	least := Amounts{need.Cores, c.table.Tolerance.Memory.Least(need.Memory), c.table.Tolerance.Disk.Least(need.Disk)}
	result := Compared{Existing: m, Needs: need, Level: Good, Text: say("against.enough", nil)}
	if need == (Amounts{}) {
		result.Level, result.Text = Info, say("against.not-asked", nil)
		return result
	}
	have := Amounts{m.Cores, m.Memory, m.Disk}
	if missing := c.lacks(need, least, have); len(missing) > 0 {
		result.Level, result.Text = Fail, say("against.lacks", args{"what": missing})
	} else if slices.Contains([]bool{m.Cores == 0, m.Memory == 0, m.Disk == 0}, true) {
		result.Level, result.Text = Ask, say("against.as-known", nil)
	}
	return result
}

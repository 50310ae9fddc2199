package present

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// Document is a report for programs to read. Its plain texts are English; beside
// them stand the codes that they are made of, and the arguments.
type Document struct {
	APIVersion string                    `json:"apiVersion"` // island/v1
	Kind       string                    `json:"kind"`       // PreflightReport
	Tool       string                    `json:"tool,omitempty"`
	Site       string                    `json:"site,omitempty"`
	Taken      string                    `json:"taken"` // when the survey began, RFC 3339
	Table      string                    `json:"table"`
	Counts     map[preflight.Outcome]int `json:"counts"`
	Hosts      []HostEntry               `json:"hosts"`
	Findings   []FindingEntry            `json:"findings"` // worst first
	Links      []LinkEntry               `json:"links"`
}

// FindingEntry is what one check says of one host, or of the site.
type FindingEntry struct {
	ID        string            `json:"id"` // stable: docs/preflight.md explains each
	Host      string            `json:"host,omitempty"`
	Role      string            `json:"role,omitempty"`
	Object    string            `json:"object,omitempty"` // a path, a port, a name
	Outcome   preflight.Outcome `json:"outcome"`
	Observed  string            `json:"observed,omitempty"`
	Required  string            `json:"required,omitempty"`
	Unit      string            `json:"unit,omitempty"`
	Tolerance string            `json:"tolerance,omitempty"`
	Message   Words             `json:"message"`
	Method    string            `json:"method,omitempty"`
	Source    string            `json:"source"` // where the requirement stands
	Remedy    Words             `json:"remedy"`
	Waived    string            `json:"waived,omitempty"` // the reason that was given for letting it pass as a warning
	Said      Said              `json:"said,omitempty"`
}

// HostEntry is one host at a glance.
type HostEntry struct {
	Name    string            `json:"name"`
	Address string            `json:"address,omitempty"`
	Server  string            `json:"server,omitempty"`
	Roles   []string          `json:"roles"`
	Worst   preflight.Outcome `json:"worst"`
	Cores   string            `json:"cores,omitempty"`
	Memory  int64             `json:"memory,omitempty"` // bytes
	Took    float64           `json:"took"`             // seconds to collect from it
}

// LinkEntry is a cell of the matrix: one host to another.
type LinkEntry struct {
	From  string      `json:"from"`
	To    string      `json:"to"`
	Tried int         `json:"tried"`
	OK    int         `json:"ok"`
	Bad   []PortEntry `json:"bad,omitempty"`
}

// PortEntry is a port that was not reached, or not tried.
type PortEntry struct {
	Protocol string        `json:"protocol"`
	Port     int           `json:"port"`
	Purpose  Words         `json:"purpose"` // what the first row of the table that wants it says
	Outcome  facts.Outcome `json:"outcome"`
	Detail   string        `json:"detail,omitempty"`
	Said     Said          `json:"said,omitempty"`
}

// Said has the code and the arguments of the texts beside it, by the names of their
// fields. Texts without a code, such as paths, are left out.
type Said map[string]message.Text

// Words are a text in every language that the program has, by language tag, with
// its code and its arguments.
type Words struct{ message.Text }

// MarshalJSON writes English first, and last what the text is made of.
func (w Words) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false) // the encoder around this one decides that
	field := func(name string, value any) error {
		if b.Len() > 1 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Quote(name) + ":")
		return encoder.Encode(value)
	}
	var flaws []error
	for _, l := range words.All() {
		flaws = append(flaws, field(l.Tag, l.Text(w.Text)))
	}
	filled := words.English().Filled(w.Text)
	if filled.Code != "" {
		flaws = append(flaws, field("code", filled.Code))
	}
	if len(filled.Args) > 0 {
		flaws = append(flaws, field("args", filled.Args))
	}
	b.WriteByte('}')
	return b.Bytes(), errors.Join(flaws...)
}

// NewDocument returns a report as programs read it.
func NewDocument(r *preflight.Verdict) Document {
	d := Document{
		APIVersion: manifests.APIVersion, Kind: "PreflightReport", Tool: r.Tool, Site: r.Site, Taken: r.Taken.UTC().Format(time.RFC3339),
		Table: r.Table, Counts: r.Counts, Hosts: []HostEntry{}, Findings: []FindingEntry{}, Links: []LinkEntry{},
	}
	for _, host := range r.Hosts {
		entry := HostEntry{
			Name: host.Name, Address: host.Address, Server: host.Server, Roles: host.Roles, Worst: host.Worst, Memory: host.Memory, Took: host.Took,
		}
		if host.Measured {
			entry.Cores = plain(preflight.Number(host.Cores))
		}
		d.Hosts = append(d.Hosts, entry)
	}
	for _, f := range r.Findings {
		d.Findings = append(d.Findings, findingEntry(f))
	}
	for _, link := range r.Links {
		entry := LinkEntry{From: link.From, To: link.To, Tried: link.Tried, OK: link.OK}
		for _, bad := range link.Bad {
			port := PortEntry{Protocol: bad.Protocol, Port: bad.Port, Purpose: Words{bad.Purpose}, Outcome: bad.Outcome}
			port.Detail = port.Said.plain("detail", bad.Detail)
			entry.Bad = append(entry.Bad, port)
		}
		d.Links = append(d.Links, entry)
	}
	return d
}

func findingEntry(f preflight.Finding) FindingEntry {
	e := FindingEntry{
		ID: f.ID, Host: f.Host, Role: strings.Join(f.Roles, ", "), Outcome: f.Outcome, Waived: f.Waived,
		Message: Words{f.Sentence()}, Remedy: Words{f.Remedy},
	}
	e.Object, e.Method, e.Source = e.Said.plain("object", f.Object), e.Said.plain("method", f.Method), e.Said.plain("source", f.Source)
	e.Observed, e.Required = e.Said.plain("observed", f.Observed), e.Said.plain("required", f.Required)
	e.Unit, e.Tolerance = e.Said.plain("unit", f.Unit), e.Said.plain("tolerance", f.Tolerance)
	return e
}

// plain keeps what a field is made of, and returns its English text.
func (s *Said) plain(field string, t message.Text) string {
	if t.Code != "" {
		if *s == nil {
			*s = Said{}
		}
		said := words.English().Filled(t)
		said.Words = "" // is the field's
		(*s)[field] = said
	}
	return plain(t)
}

// plain is a text as programs are told it: the id of what has one, else English.
func plain(t message.Text) string {
	return cmp.Or(t.Given[message.NoLanguage], words.English().Text(t))
}

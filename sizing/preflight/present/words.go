package present

import (
	"slices"
	"strings"

	"github.com/islandbundle/island/internal/page"
	"github.com/islandbundle/island/sizing/preflight"
	"github.com/islandbundle/island/sizing/preflight/facts"
)

// outcomes are all outcomes, worst first.
var outcomes = []preflight.Outcome{preflight.Fail, preflight.Error, preflight.Warn, preflight.Skipped, preflight.Pass}

// Outcome words an outcome.
func Outcome(lang page.Lang, o preflight.Outcome) string {
	switch o {
	case preflight.Pass:
		return lang.T("pass", "bestanden")
	case preflight.Skipped:
		return lang.T("skipped", "übersprungen")
	case preflight.Warn:
		return lang.T("warn", "Warnung")
	case preflight.Error:
		return lang.T("error", "ungemessen")
	}
	return lang.T("fail", "Fehler")
}

// badge names the style sheet's class of an outcome, which brings its sign.
func badge(o preflight.Outcome) string {
	switch o {
	case preflight.Pass:
		return "ok"
	case preflight.Skipped:
		return "note"
	case preflight.Warn:
		return "warn"
	case preflight.Error:
		return "ask"
	}
	return "fail"
}

// A mark is how an outcome of dialling stands in the matrix: by a letter of its
// own, since colour alone says nothing to those who do not see it or print grey.
type mark struct {
	outcome    facts.Outcome
	letter     page.Text
	cell, text string // classes of the style sheet
	means      page.Text
}

var reached = mark{facts.OK, both("✓"), "reached", "reached-mark", page.Text{EN: "all ports that the roles need answered", DE: "alle Ports, die die Rollen brauchen, haben geantwortet"}}

// marks are those of what went wrong, worst first. Any other outcome has failed.
var marks = []mark{
	{facts.WrongHost, page.Text{EN: "W", DE: "F"}, "vm r5", "vm-label", page.Text{EN: "an address is used twice, or translated", DE: "eine Adresse ist doppelt vergeben oder wird umgesetzt"}},
	{facts.Refused, page.Text{EN: "R", DE: "A"}, "vm r6", "vm-label", page.Text{EN: "a firewall rejects it", DE: "eine Firewall weist ab"}},
	{facts.TimedOut, page.Text{EN: "T", DE: "Z"}, "vm r3", "vm-label", page.Text{EN: "a firewall drops it", DE: "eine Firewall verwirft"}},
	{facts.Down, page.Text{EN: "D", DE: "N"}, "vm r8", "vm-label", page.Text{EN: "no route, or the host is off", DE: "keine Route, oder der Host ist aus"}},
	{facts.InUse, page.Text{EN: "U", DE: "B"}, "vm r2", "vm-label", page.Text{EN: "another program has the port", DE: "ein anderes Programm hat den Port"}},
	{facts.Failed, both("?"), "vm r6", "vm-label", page.Text{EN: "another error", DE: "ein anderer Fehler"}},
	{facts.Unmade, both("–"), "spare", "soft-label", page.Text{EN: "the other end could not be measured", DE: "das andere Ende ließ sich nicht messen"}},
}

func both(s string) page.Text { return page.Text{EN: s, DE: s} }

func (m mark) word() page.Text {
	if m.outcome == facts.OK {
		return preflight.OutcomeText(facts.Reached)
	}
	return preflight.OutcomeText(m.outcome)
}

// markOf returns the mark of an outcome by its place among all.
func markOf(o facts.Outcome) int {
	at := func(o facts.Outcome) int {
		return slices.IndexFunc(marks, func(m mark) bool { return m.outcome == o })
	}
	if i := at(o); i >= 0 {
		return i
	}
	return at(facts.Failed)
}

// roleTitles are the words for roles, as the hardware table has them.
var roleTitles = map[string]page.Text{
	"cassandra": {EN: "Cassandra", DE: "Cassandra"}, "minio": {EN: "MinIO", DE: "MinIO"}, "elasticsearch": {EN: "Elasticsearch", DE: "Elasticsearch"},
	"postgresql": {EN: "PostgreSQL", DE: "PostgreSQL"}, "rabbitmq": {EN: "RabbitMQ", DE: "RabbitMQ"}, "kubernetes": {EN: "Kubernetes", DE: "Kubernetes"},
	"restund": {EN: "Restund", DE: "Restund"}, "coturn": {EN: "coturn", DE: "coturn"},
	"admin-host": {EN: "Admin host", DE: "Admin-Host"}, "asset-host": {EN: "Asset host", DE: "Asset-Host"}, "demo-machine": {EN: "Demo machine", DE: "Demo-Maschine"},
}

func roleTitle(roles []string, lang page.Lang) string {
	if len(roles) == 0 {
		return lang.T("No role", "Ohne Rolle")
	}
	var titles []string
	for _, role := range roles {
		title := role
		if text, ok := roleTitles[role]; ok {
			title = lang.Of(text)
		}
		titles = append(titles, title)
	}
	return strings.Join(titles, ", ")
}

// sources are the words for whose requirement a check is.
var sources = map[string]page.Text{
	"island": {EN: "this project's own choice", DE: "eigene Festlegung dieses Projekts"},
	"table":  {EN: "the hardware table in use", DE: "die verwendete Hardware-Tabelle"},
	"bundle": {EN: "the bundle", DE: "das Bundle"},
	"ports":  {EN: "the table of ports", DE: "die Tabelle der Ports"},
	"WSD":    {EN: "wireapp/wire-server-deploy", DE: "wireapp/wire-server-deploy"},
	"WD":     {EN: "wireapp/wire-docs", DE: "wireapp/wire-docs"},
	"K8S":    {EN: "Kubernetes documentation", DE: "Dokumentation von Kubernetes"},
	"etcd":   {EN: "etcd documentation", DE: "Dokumentation von etcd"},
	"G":      {EN: "Wire, customer guide “Backend Installation”", DE: "Wire, Kundenleitfaden „Backend Installation“"},
}

func sourceText(source string, lang page.Lang) string {
	if text, ok := sources[source]; ok {
		return lang.Of(text)
	}
	return lang.Of(preflight.Phrase(source))
}

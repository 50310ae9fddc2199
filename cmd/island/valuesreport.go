package main

import (
	"strings"

	"github.com/islandbundle/island/charts"
	"github.com/islandbundle/island/charts/carried"
	"github.com/islandbundle/island/internal/printable"
	"github.com/islandbundle/island/internal/words"
	"github.com/islandbundle/island/internal/words/message"
	"github.com/islandbundle/island/manifests"
)

// valuesFinding is something that a site's values ask for, in the words of a report.
type valuesFinding struct {
	Kind      carried.Kind     `json:"kind"` // image, chart or file
	What      string           `json:"what"`
	Class     charts.Class     `json:"class"` // how sure it is that it is one
	Chart     string           `json:"chart"`
	Version   string           `json:"version"` // of the chart
	Subchart  string           `json:"subchart,omitempty"`
	Rendering string           `json:"rendering,omitempty"` // upgrade, where only an upgrade asks for it
	Origin    manifests.Origin `json:"origin"`
	Values    []string         `json:"values,omitempty"` // that it is made of, from the top of a values file
	On        []string         `json:"on,omitempty"`     // what has switched its subchart on
	Why       carried.Why      `json:"why"`
	Have      []string         `json:"have,omitempty"`   // what the bundle has in its place
	Reason    string           `json:"reason,omitempty"` // of the release for leaving it out
	Floats    bool             `json:"floats,omitempty"` // its tag means another image from time to time
	Because   []message.Text   `json:"because"`          // why it is missing, in words
	Remedies  []message.Text   `json:"remedies"`         // what to do, any of them
}

func valuesFindings(list []carried.Finding) []valuesFinding {
	all := []valuesFinding{}
	for _, f := range list {
		told := valuesFinding{
			Kind: f.Kind, What: f.What, Class: f.Class, Chart: f.Chart, Version: f.Version, Subchart: f.Subchart, Rendering: f.Rendering,
			Origin: f.Origin, Values: f.Values, On: f.On, Why: f.Why, Have: f.Have, Reason: f.Reason, Floats: f.Floats,
		}
		if f.Class == charts.Candidate && strings.HasPrefix(f.Origin.Object, "Secret/") {
			told.What, told.Values = "", nil // it may be one
		}
		told.Because, told.Remedies = filled(because(f)), filled(remedies(f))
		all = append(all, told)
	}
	return all
}

func filled(texts []message.Text) []message.Text {
	for i, text := range texts {
		texts[i] = words.English().Filled(text)
	}
	return texts
}

// because says why something is missing.
func because(f carried.Finding) []message.Text {
	var all []message.Text
	say := func(code string, args message.Args) { all = append(all, message.Of(code, args)) }
	have := strings.Join(f.Have, ", ")
	switch f.Why {
	case carried.OtherVersion:
		say("values.check.why.other-version", message.Args{"have": have})
	case carried.OtherRegistry:
		say("values.check.why.other-registry", message.Args{"have": have})
	case carried.LikeNamed:
		say("values.check.why.like-named", message.Args{"have": have})
	case carried.LeftOut:
		say("values.check.why.left-out", message.Args{"reason": f.Reason})
	case carried.Elsewhere:
		say("values.check.why.elsewhere", message.Args{"have": have})
	default:
		say("values.check.why.unknown", nil)
	}
	if len(f.On) > 0 {
		say("values.check.why.on", message.Args{"subchart": f.Subchart, "on": strings.Join(f.On, ", ")})
	}
	if f.Rendering != "" {
		say("values.check.why.upgrade", nil)
	}
	if f.Floats {
		say("values.check.why.floats", nil)
	}
	if f.Class == charts.Candidate && f.Kind == carried.Image {
		say("values.check.why.text", nil)
	}
	return all
}

// remedies say what to do, the nearest at hand first.
func remedies(f carried.Finding) []message.Text {
	var all []message.Text
	say := func(code string, args message.Args) { all = append(all, message.Of(code, args)) }
	values := strings.Join(f.Values, ", ")
	if f.Why == carried.OtherRegistry {
		registry, _, _ := strings.Cut(f.What, "/")
		say("values.check.do.registry", message.Args{"registry": registry})
	}
	switch {
	case len(f.Have) > 0 && values != "":
		say("values.check.do.set", message.Args{"values": values, "have": strings.Join(f.Have, ", ")})
	case values != "":
		say("values.check.do.change", message.Args{"values": values})
	}
	if len(f.On) > 0 {
		say("values.check.do.off", message.Args{"subchart": f.Subchart, "on": strings.Join(f.On, ", ")})
	}
	switch {
	case f.Kind == carried.Chart:
		say("values.check.do.add-chart", message.Args{"what": f.What})
	case f.Kind == carried.File:
		say("values.check.do.add-file", message.Args{"what": f.What})
	case f.Class == charts.Candidate:
		say("values.check.do.look", nil)
	default:
		say("values.check.do.add", message.Args{"what": f.What, "chart": f.Chart})
	}
	return all
}

func (r valuesResult) text(w *printable.Printer) {
	t := valuesText{w, r.lang}
	t.line(0, "values.check.release", message.Args{"release": releaseLine(r.Release)})
	t.line(0, "values.check.checked", message.Args{"n": len(r.Charts)})
	broken := 0
	for _, chart := range r.Charts {
		if !chart.Renders {
			broken++
		}
		for _, notice := range chart.Notices {
			t.line(2, "values.check.notice", message.Args{"chart": chart.Name, "notice": notice})
		}
	}
	if len(r.NotChecked) > 0 {
		t.line(0, "values.check.not-checked", message.Args{"n": len(r.NotChecked), "charts": strings.Join(r.NotChecked, ", ")})
	}
	if broken > 0 {
		t.line(0, "values.check.broken", message.Args{"n": broken})
	}
	for _, warning := range r.Warnings {
		t.line(0, "values.check.warning", message.Args{"warning": warning.Message})
	}
	for _, part := range []struct {
		code string
		list []valuesFinding
	}{{"values.check.missing", r.Missing}, {"values.check.unsure", r.Unsure}, {"values.check.decided", r.Decided}} {
		if len(part.list) > 0 {
			t.line(0, part.code, message.Args{"n": len(part.list)})
			t.findings(part.list)
		}
	}
	if len(r.Missing) == 0 && broken == 0 {
		t.line(0, "values.check.whole", nil)
	}
}

// valuesText writes a report in a language.
type valuesText struct {
	w    *printable.Printer
	lang *words.Language
}

func (t valuesText) line(indent int, code string, args message.Args) {
	t.w.Printf("%s%s\n", strings.Repeat(" ", indent), t.lang.Say(code, args))
}

func (t valuesText) findings(list []valuesFinding) {
	for _, f := range list {
		what := f.What
		if what == "" {
			what = t.lang.Word("values.check.withheld")
		}
		t.w.Printf("  %s\n", what)
		t.line(4, "values.check.at", message.Args{"place": f.place()})
		for _, text := range f.Because {
			t.w.Printf("    %s\n", t.lang.Text(text))
		}
		for _, text := range f.Remedies {
			t.line(4, "values.check.do.this", message.Args{"do": text})
		}
	}
}

// place says where something is asked for: chart, object, field and template.
func (f valuesFinding) place() string {
	origin := f.Origin
	origin.Chart += " " + f.Version
	return originLine(origin)
}

package charts

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chartutil"

	"github.com/islandbundle/island/manifests/fault"
)

// RenderError says why a chart does not render, with as much of the place as
// Helm's error and the chart's sources tell. It stands inside a [fault.Error].
type RenderError struct {
	Chart        string // name of the chart that was rendered
	Template     string // full path of the template, such as wire-server/charts/brig/templates/secret.yaml; empty if unknown
	Line         int    // from 1; 0 if unknown
	Column       int    // from 1; 0 if unknown
	Rendered     bool   // Line counts in the rendered text, not in the template
	IncludedFrom string // file:line of the template that was being rendered, where Template is a helper of it
	ValuePath    string // the value concerned, from the top of a values file: brig.config.host; empty if unknown
	Message      string // what is wrong

	others string // further values that would help, separated by spaces
}

// Error returns the message, without the place.
func (e *RenderError) Error() string {
	if e.IncludedFrom == "" {
		return e.Message
	}
	return e.Message + " (included from " + e.IncludedFrom + ")"
}

// The forms of Helm's errors (helm.sh/helm/v3/pkg/engine, cleanupParseError and
// cleanupExecError) and of text/template's, which Helm passes on and in which
// includes are nested, the innermost last.
var (
	helmError       = regexp.MustCompile(`(?s)^(execution|parse) error (?:at|in) \(([^():]+)(?::(\d+))?(?::(\d+))?\): (.*)$`)
	templateError   = regexp.MustCompile(`(?s)template: ([^\s:]+):(\d+):(\d+): executing "[^"]*" at <(.*?)>: `)
	valueUse        = regexp.MustCompile(`\.Values((?:\.[A-Za-z_][A-Za-z0-9_]*)+)`)
	missingTemplate = regexp.MustCompile(`no template "[^"]*" associated with template`)
	requiredUse     = regexp.MustCompile(`\brequired\s`)
)

// explain turns an error of Helm into one that names the place, the value and
// what to do. loaded, if not nil, gives the sources of the templates.
func (c *Chart) explain(loaded *chart.Chart, err error) error {
	e := &explainer{sources: templatesOf(loaded), cause: RenderError{Chart: c.metadata.Name}}
	e.read(err.Error())
	cause := &e.cause
	if strings.Contains(cause.Message, "can't give argument to non-function") {
		e.side, cause.ValuePath = fault.Upstream, "" // a mistake in the template, which no value mends
	}
	explained := fault.New(fault.Failure, e.side, c.object(), "", "%w", cause)
	explained.Place = fault.Place{File: cause.Template, Line: cause.Line, Column: cause.Column, Field: cause.ValuePath}
	switch {
	case cause.ValuePath != "":
		explained.Hint = fmt.Sprintf("set %s in a values or secrets file of chart %s", cause.ValuePath, c.metadata.Name)
	case strings.Contains(cause.Message, "nested reference name"), strings.Contains(cause.Message, "maximum template depth"):
		explained.Side = fault.Upstream
		explained.Hint = "a template of this chart includes itself without end; its maintainers have to repair it"
	case missingTemplate.MatchString(cause.Message):
		explained.Side = fault.Upstream
		explained.Hint = "a dependency that is not in the archive defines it: " +
			"run helm dependency build on the chart's folder and package it again"
	case e.side == fault.Here:
		explained.Hint = "give chart " + c.metadata.Name + " the values that the template asks for; " +
			"helm template with the same values says the same"
	default:
		explained.Hint = "the template itself is at fault, or is made for another Helm; helm template says the same"
	}
	return explained
}

// explainer reads one error text.
type explainer struct {
	sources map[string]string // by full path
	cause   RenderError
	outer   string // the template that was being rendered, whose chart's values are in scope
	side    fault.Side
}

func (e *explainer) read(text string) {
	e.side = fault.Here
	if found := helmError.FindStringSubmatch(text); found != nil {
		e.outer = found[2]
		e.place(found[2], found[3], found[4])
		e.cause.Message = found[5]
		if found[1] == "parse" {
			e.side = fault.Upstream
			return
		}
		e.findRequired()
		return
	}
	if found := templateError.FindAllStringSubmatchIndex(text, -1); found != nil {
		e.readTemplateError(text, found)
		return
	}
	e.cause.Message = text
}

// readTemplateError takes the innermost place that is a file of the chart: the
// text given to tpl has a place of its own, which nobody could look up.
func (e *explainer) readTemplateError(text string, found [][]int) {
	part := func(match []int, i int) string { return text[match[2*i]:match[2*i+1]] }
	e.outer = part(found[0], 1)
	inner := found[len(found)-1]
	e.cause.Message = text[inner[1]:]
	expression := part(inner, 4)
	for _, match := range slices.Backward(found) {
		if file := part(match, 1); strings.Contains(file, "/") {
			e.place(file, part(match, 2), part(match, 3))
			if file != e.outer {
				e.cause.IncludedFrom = e.outer + ":" + part(found[0], 2)
			}
			break
		}
	}
	if !strings.Contains(part(inner, 1), "/") {
		e.value(valueIn(expression))
		return
	}
	if value := or(e.valueAt(expression), e.relative(expression, "")); value != "" {
		e.value(value)
		return
	}
	e.value(valueIn(e.cause.Message))
}

// place sets the place; text/template counts columns from 0.
func (e *explainer) place(file, line, column string) {
	e.cause.Template = file
	e.cause.Line, _ = strconv.Atoi(line)
	e.cause.Column = 0
	if n, err := strconv.Atoi(column); err == nil {
		e.cause.Column = n + 1
	}
}

// value takes a path below .Values of the template that was being rendered and
// says it from the top of the values file.
func (e *explainer) value(below string) {
	if below == "" {
		return
	}
	if below != "global" && !strings.HasPrefix(below, "global.") {
		below = strings.Join(append(subcharts(e.outer), below), ".")
	}
	e.cause.ValuePath = below
}

// valueAt finds the value that the template uses at the error's place.
// text/template shortens long expressions to 20 bytes, so that the source has
// to be asked.
func (e *explainer) valueAt(expression string) string {
	whole, shortened := strings.CutSuffix(expression, "...")
	if !shortened {
		if value := valueIn(expression); value != "" {
			return value
		}
	}
	line := e.line(e.cause.Template, e.cause.Line)
	column := e.cause.Column - 1
	for _, use := range valueUse.FindAllStringSubmatchIndex(line, -1) {
		if use[0]-1 <= column && column < use[1] {
			return line[use[2]+1 : use[3]]
		}
	}
	if at := strings.Index(line, whole); shortened && at >= 0 && strings.Count(line, whole) == 1 {
		return valueIn(line[at:])
	}
	return ""
}

func (e *explainer) line(template string, number int) string {
	lines := strings.Split(e.sources[template], "\n")
	if number < 1 || number > len(lines) {
		return ""
	}
	return lines[number-1]
}

// findRequired looks up where the templates say `required` with the error's
// message: Helm drops the helper's place and the value's name.
func (e *explainer) findRequired() {
	line := e.line(e.cause.Template, e.cause.Line)
	for _, action := range actions(line) {
		if strings.Contains(action, e.cause.Message) && requiredUse.MatchString(action) {
			e.value(or(requiredValue(action, e.cause.Message), e.relative(action, e.cause.Message)))
			return
		}
	}
	// Helpers of the template's own chart come first.
	own := path.Dir(e.outer) + "/"
	names := slices.SortedFunc(maps.Keys(e.sources), func(a, b string) int {
		if here, there := strings.HasPrefix(a, own), strings.HasPrefix(b, own); here != there {
			if here {
				return -1
			}
			return 1
		}
		return strings.Compare(a, b)
	})
	for _, name := range names {
		source := e.sources[name]
		at := strings.Index(source, e.cause.Message)
		if e.cause.Message == "" || at < 0 {
			continue
		}
		action := actionAround(source, at)
		if !requiredUse.MatchString(action) {
			continue
		}
		if name != e.outer {
			e.cause.IncludedFrom = fmt.Sprintf("%s:%d", e.outer, e.cause.Line)
		}
		e.cause.Template, e.cause.Line, e.cause.Column = name, 1+strings.Count(source[:at], "\n"), 0
		e.value(or(requiredValue(action, e.cause.Message), relativeValue(source[:at], action, e.cause.Message)))
		return
	}
	if values := e.findFail(); len(values) > 0 {
		for _, value := range values[1:] {
			e.value(value)
			e.cause.others = strings.TrimSpace(e.cause.others + " " + e.cause.ValuePath)
		}
		e.value(values[0])
		return
	}
	if value := valueIn(e.cause.Message); value != "" {
		e.value(value)
		return
	}
	e.value(e.valueNamed(e.cause.Message))
}

// dottedName is how messages speak of values: "config.appUri required".
var dottedName = regexp.MustCompile(`[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_]*)+`)

// valueNamed returns the value that a message names without .Values: the first
// dotted name that the templates of the chart at fault use. Some messages put
// the chart's own name in front.
func (e *explainer) valueNamed(message string) string {
	own, _, _ := strings.Cut(e.outer, "/templates/")
	for _, name := range dottedName.FindAllString(message, -1) {
		_, inner, _ := strings.Cut(name, ".")
		for _, value := range []string{name, inner} {
			for file, source := range e.sources {
				if strings.HasPrefix(file, own+"/") && strings.Contains(value, ".") && strings.Contains(source, "."+value) {
					return value
				}
			}
		}
	}
	return ""
}

// findFail looks up where the templates say `fail` with the error's message, and
// gives the values that the condition around it says are missing.
func (e *explainer) findFail() []string {
	for _, name := range sortedKeys(e.sources) {
		source := e.sources[name]
		for _, at := range failUse.FindAllStringIndex(source, -1) {
			action := actionAround(source, at[1])
			if !saysAllOf(action[min(len(action), strings.Index(action, "fail")):], e.cause.Message) {
				continue
			}
			if values := conditionValues(source[:at[0]]); len(values) > 0 {
				return values
			}
		}
	}
	return nil
}

var (
	failUse       = regexp.MustCompile(`\{\{-?\s*(?:[^{}]*\s)?fail\s`)
	stringLiteral = regexp.MustCompile("\"((?:[^\"\\\\]|\\\\.)*)\"|`([^`]*)`")
	formatVerb    = regexp.MustCompile(`%[-+# 0-9.]*[a-zA-Z]|\\[nt"\\]`)
)

// saysAllOf reports whether the texts in an action make up a message.
func saysAllOf(action, message string) bool {
	longest := 0
	for _, literal := range stringLiteral.FindAllStringSubmatch(action, -1) {
		for _, part := range formatVerb.Split(literal[1]+literal[2], -1) {
			if !strings.Contains(message, part) {
				return false
			}
			longest = max(longest, len(strings.TrimSpace(part)))
		}
	}
	return longest >= 6
}

// requiredValue returns the value that an action requires: in `required "message"
// .Values.x` the one after the message, in `.Values.x | required "message"` the
// last one before it.
func requiredValue(action, message string) string {
	before, after, _ := strings.Cut(action, message)
	if value := valueIn(after); value != "" {
		return value
	}
	uses := valueUse.FindAllStringSubmatch(before, -1)
	if len(uses) == 0 {
		return valueIn(message)
	}
	return strings.TrimPrefix(uses[len(uses)-1][1], ".")
}

// valueIn returns the first use of .Values in an expression or a message.
func valueIn(text string) string {
	if use := valueUse.FindStringSubmatch(text); use != nil {
		return strings.TrimPrefix(use[1], ".")
	}
	return ""
}

// actions returns the template actions that stand on one line.
func actions(line string) []string {
	var all []string
	for {
		_, rest, found := strings.Cut(line, "{{")
		if !found {
			return all
		}
		action, rest, closed := strings.Cut(rest, "}}")
		all = append(all, action)
		if !closed {
			return all
		}
		line = rest
	}
}

func actionAround(source string, at int) string {
	start := max(strings.LastIndex(source[:at], "{{"), 0)
	if end := strings.Index(source[at:], "}}"); end >= 0 {
		return source[start : at+end]
	}
	return source[start:]
}

// templatesOf returns the sources of all templates, and the values that may hold
// templates, by the names the engine uses.
func templatesOf(loaded *chart.Chart) map[string]string {
	sources := map[string]string{}
	if loaded == nil {
		return sources
	}
	for _, template := range loaded.Templates {
		sources[path.Join(loaded.ChartFullPath(), template.Name)] = string(template.Data)
	}
	for _, file := range loaded.Raw {
		if file.Name == chartutil.ValuesfileName { // some hold templates, for tpl
			sources[path.Join(loaded.ChartFullPath(), file.Name)] = string(file.Data)
		}
	}
	for _, sub := range loaded.Dependencies() {
		maps.Copy(sources, templatesOf(sub))
	}
	return sources
}

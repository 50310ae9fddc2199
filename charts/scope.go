package charts

import (
	"regexp"
	"slices"
	"strings"
)

// What the dot means at a place of a template, as far as the text tells: inside
// of `with .Values.config` it is config.

var (
	blockAction  = regexp.MustCompile(`\{\{-?\s*(if|with|range|define|block|else|end)\b((?:[^}]|\}[^}])*)\}\}`)
	relativeUse  = regexp.MustCompile(`(?:^|[\s(|])\.([a-z][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)`)
	missingTests = regexp.MustCompile(`\b(?:not|empty)\b`)
)

// block is an action that is not yet closed.
type block struct {
	condition string
	dot       string // the value that the dot is, from the chart's values; "" for none
}

// openBlocks returns the blocks around the end of a source, the innermost last.
func openBlocks(source string) []block {
	var open []block
	dot := func() string {
		if len(open) == 0 {
			return ""
		}
		return open[len(open)-1].dot
	}
	for _, action := range blockAction.FindAllStringSubmatch(source, -1) {
		condition := strings.Trim(action[2], "- \n\t")
		last := len(open) - 1
		switch action[1] {
		case "end":
			open = open[:max(last, 0)]
		case "else":
			if last < 0 {
				continue
			}
			if condition == "" {
				open[last].condition = "not " + open[last].condition
			} else {
				open[last].condition = strings.TrimSpace(strings.TrimPrefix(condition, "if"))
			}
		case "with":
			inner := dot()
			if uses := usesIn(condition, inner); len(uses) == 1 {
				inner = uses[0]
			}
			open = append(open, block{condition: condition, dot: inner})
		case "if":
			open = append(open, block{condition: condition, dot: dot()})
		default: // the dot is an item, or what the caller hands in
			open = append(open, block{})
		}
	}
	return open
}

// usesIn returns the values that an expression uses: .Values.x, and .x where the
// dot is a value.
func usesIn(expression, dot string) []string {
	var all []string
	for _, use := range valueUse.FindAllStringSubmatch(expression, -1) {
		all = append(all, strings.TrimPrefix(use[1], "."))
	}
	if dot != "" {
		for _, use := range relativeUse.FindAllStringSubmatch(expression, -1) {
			all = append(all, dot+"."+use[1])
		}
	}
	return all
}

// conditionValues returns the values that the conditions around the end of a
// source say are missing: those of the innermost condition that says so.
func conditionValues(source string) []string {
	for _, around := range slices.Backward(openBlocks(source)) {
		if missingTests.MatchString(around.condition) {
			if uses := usesIn(around.condition, around.dot); len(uses) > 0 {
				return uses
			}
		}
	}
	return nil
}

// relative returns the value that an expression at the error's place means by a
// name that begins with a dot.
func (e *explainer) relative(expression, after string) string {
	source := e.sources[e.cause.Template]
	lines := strings.SplitAfter(source, "\n")
	if e.cause.Line < 1 || e.cause.Line > len(lines) {
		return ""
	}
	line := lines[e.cause.Line-1]
	before := strings.Join(lines[:e.cause.Line-1], "") + line[:min(max(e.cause.Column-1, 0), len(line))]
	if whole, shortened := strings.CutSuffix(expression, "..."); shortened {
		if at := strings.Index(line, whole); at >= 0 {
			expression, _, _ = strings.Cut(line[at:], "}}")
		}
	}
	if !strings.Contains(expression, ".") { // a function, at the end of a pipeline
		expression = before[strings.LastIndex(before, "{{")+1:]
	}
	return relativeValue(before, expression, after)
}

// relativeValue returns the first such value behind a text in an action.
func relativeValue(before, action, after string) string {
	dot := ""
	if open := openBlocks(before); len(open) > 0 {
		dot = open[len(open)-1].dot
	}
	_, rest, found := strings.Cut(action, after)
	if !found {
		rest = action
	}
	if uses := usesIn(rest, dot); len(uses) > 0 {
		return uses[0]
	}
	return ""
}

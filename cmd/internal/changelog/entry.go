package main

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// kinds of change, in the order in which a release tells them.
var kinds = []string{"Security", "Change", "Bugfix", "Enhancement"}

var fileName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// maxLine is the longest line of an entry, in characters: it is read in a terminal too.
const maxLine = 140

// entry is one change, as users read it.
type entry struct {
	kind, title string
	paragraphs  []string
	links       []string
}

// parse reads an entry and says what the first thing is that is wrong with it.
func parse(data string) (entry, error) {
	if err := checkLines(data); err != nil {
		return entry{}, err
	}
	blocks := strings.Split(strings.TrimSuffix(data, "\n"), "\n\n")
	kind, title, found := strings.Cut(blocks[0], ": ")
	e := entry{kind: kind, title: title}
	switch {
	case !found || !slices.Contains(kinds, kind):
		return e, fmt.Errorf("line 1 is %q; it must be a kind and a title, such as %q; kinds are %s",
			blocks[0], "Enhancement: Patches are verified on the island", strings.Join(kinds, ", "))
	case strings.Contains(title, "\n"):
		return e, fmt.Errorf("line 2 must be empty")
	case !unicode.IsUpper([]rune(title)[0]) && !strings.HasPrefix(title, "`"), strings.HasSuffix(title, "."):
		return e, fmt.Errorf("the title %q must begin with a capital, or with code, and has no full stop", title)
	}
	for _, block := range blocks[1:] {
		links, err := linksOf(block)
		switch {
		case err != nil:
			return e, err
		case links != nil:
			e.links = append(e.links, links...)
		case e.links != nil:
			return e, fmt.Errorf("links stand at the end; %q follows them", block)
		default:
			e.paragraphs = append(e.paragraphs, block)
		}
	}
	if len(e.paragraphs) == 0 {
		return e, fmt.Errorf("nothing stands below the title; say what it means for users")
	}
	return e, nil
}

// checkLines checks what every line must keep to.
func checkLines(data string) error {
	if !strings.HasSuffix(data, "\n") || strings.HasPrefix(data, "\n") || strings.HasSuffix(data, "\n\n") || strings.Contains(data, "\n\n\n") {
		return fmt.Errorf("an entry begins with text, ends with one line break, and has one empty line between paragraphs")
	}
	number := 0
	for line := range strings.Lines(data) {
		number++
		line = strings.TrimSuffix(line, "\n")
		switch {
		case len([]rune(line)) > maxLine:
			return fmt.Errorf("line %d has more than %d characters", number, maxLine)
		case strings.TrimRightFunc(line, unicode.IsSpace) != line:
			return fmt.Errorf("line %d ends with white space", number)
		case strings.HasPrefix(line, "#"):
			return fmt.Errorf("line %d is a heading; an entry is one part of a list", number)
		}
	}
	return nil
}

// linksOf returns the links of a block that consists of them, and nothing for a
// paragraph.
func linksOf(block string) ([]string, error) {
	lines := strings.Split(block, "\n")
	if !strings.Contains(lines[0], "://") || strings.Contains(lines[0], " ") {
		return nil, nil
	}
	for _, line := range lines {
		if u, err := url.Parse(line); err != nil || u.Scheme != "https" || u.Host == "" || strings.Contains(line, " ") {
			return nil, fmt.Errorf("%q is not a link that begins with https://", line)
		}
	}
	return lines, nil
}

// text tells a release as a part of CHANGELOG.md: by kind, and within a kind in
// the order given.
func text(version string, entries []entry) string {
	var b strings.Builder
	fmt.Fprintf(&b, "## %s\n", version)
	for _, kind := range kinds {
		for _, e := range entries {
			if e.kind != kind {
				continue
			}
			fmt.Fprintf(&b, "\n- **%s: %s.**\n", e.kind, e.title)
			paragraphs := slices.Clone(e.paragraphs)
			if len(e.links) > 0 {
				paragraphs = append(paragraphs, "<"+strings.Join(e.links, ">\n<")+">")
			}
			for line := range strings.Lines(strings.Join(paragraphs, "\n\n") + "\n") {
				if line != "\n" {
					line = "  " + line
				}
				b.WriteString(line)
			}
		}
	}
	return b.String()
}

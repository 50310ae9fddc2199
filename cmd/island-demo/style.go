package main

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// style colours what people read on a terminal. Nothing is told by colour
// alone: without it (no terminal, NO_COLOR, TERM=dumb) the text is the same.
type style bool

func styleFor(out io.Writer) style {
	file, ok := out.(*os.File)
	return style(ok && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(file.Fd())))
}

// paint sets ECMA-48 attributes, line by line.
func (s style) paint(attributes, text string) string {
	if !s {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = "\x1b[" + attributes + "m" + line + "\x1b[0m"
	}
	return strings.Join(lines, "\n")
}

func (s style) bold(text string) string    { return s.paint("1", text) }
func (s style) dim(text string) string     { return s.paint("2", text) }
func (s style) prompt(text string) string  { return s.paint("32", text) }
func (s style) heading(text string) string { return s.paint("1;36", text) }

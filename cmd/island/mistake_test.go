package main

import (
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// mistakeCommand runs a command that somebody got wrong in a natural way. It has to
// end with a certain exit code, say where the mistake is, and name the remedy in a
// hint. No hint sends anybody for another copy of a bundle: none of the files that
// scripts give here ever was one.
func mistakeCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: mistake CODE PLACE REMEDY COMMAND ARG...")
	}
	place, remedy := args[1], args[2]
	exitsCommand(ts, false, append([]string{args[0]}, args[3:]...))
	told := ts.ReadFile("stderr")
	if !strings.Contains(told, place) {
		ts.Fatalf("does not say where: %q", place)
	}
	hinted := false
	for line := range strings.Lines(told) {
		hint, isHint := strings.CutPrefix(line, "  hint: ")
		hinted = hinted || isHint && strings.Contains(hint, remedy)
	}
	if !hinted {
		ts.Fatalf("no hint names the remedy: %q", remedy)
	}
	if strings.Contains(told, "get the bundle again") || strings.Contains(told, "get it again") {
		ts.Fatalf("sends for another copy of what never was a bundle")
	}
}

// onSiteCommand is a mistake that somebody makes on site, where locales are German as
// well as English: in both it ends alike, with its place and its remedy. Errors are
// English; what stands in the report is in the language of the locale.
func onSiteCommand(ts *testscript.TestScript, neg bool, args []string) {
	for _, locale := range []string{"en_US.UTF-8", "de_DE.UTF-8"} {
		ts.Setenv("LANG", locale)
		mistakeCommand(ts, neg, args)
	}
	ts.Setenv("LANG", "")
}

// editedCommand copies a text file and puts another text in the place of one that
// has to be in it.
func editedCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: edited FROM TO OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[2]) {
		ts.Fatalf("%s has no %q", args[0], args[2])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(strings.ReplaceAll(text, args[2], args[3])), 0o644))
}

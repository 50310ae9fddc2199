package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestEveryCommandExplainsItself holds every command to the same help: what it
// is in one line and at length, examples, and what its exit codes mean.
func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	eachCommand(newApp(io.Discard, io.Discard, nil).command(), func(cmd *cobra.Command) {
		if cmd.Short == "" || strings.HasSuffix(cmd.Short, ".") {
			t.Errorf("%s: wants a short description without a full stop", cmd.CommandPath())
		}
		if !strings.Contains(cmd.Long, "\nEXIT STATUS\n") {
			t.Errorf("%s: its help does not say what the exit codes mean", cmd.CommandPath())
		}
		if cmd.Runnable() && cmd.HasParent() && !strings.Contains(cmd.Example, "  island ") {
			t.Errorf("%s: its help has no example", cmd.CommandPath())
		}
	})
}

// exitsIn finds the lines of scripts in which a command has to end with a code.
var exitsIn = regexp.MustCompile(`(?m)^(?:exits|mistake) ([0-9])(?: '(?:[^']|'')*')* island (.*)$`)

// TestHelpListsExitCodes holds the help of every command against the codes with which
// the scripts have it end, and that of what demands signatures or reads bundles against
// what refuses those. That of the whole lists all that there are.
func TestHelpListsExitCodes(t *testing.T) {
	t.Parallel()
	root := newApp(io.Discard, io.Discard, nil).command()
	wants := func(cmd *cobra.Command, code, why string) {
		if !strings.Contains(cmd.Long, "\n  "+code+"  ") {
			t.Errorf("%s: its help does not list exit code %s: %s", cmd.CommandPath(), code, why)
		}
	}
	for _, code := range []string{"0", "1", "2", "3", "4", "5"} {
		wants(root, code, "some command has it")
	}
	var look func(cmd *cobra.Command)
	look = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			look(sub)
		}
		for _, flag := range []string{"require-signed", "allow-unsigned", "after", "base"} {
			if cmd.Flags().Lookup(flag) != nil {
				wants(cmd, "3", "it has --"+flag)
			}
		}
	}
	look(root)
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range exitsIn.FindAllStringSubmatch(string(text), -1) {
			cmd, _, err := root.Find(strings.Fields(line[2]))
			if err != nil {
				cmd = root // there is no such command
			}
			wants(cmd, line[1], filepath.Base(script)+": "+line[0])
			seen++
		}
	}
	if seen < 400 {
		t.Errorf("%d ends of commands were found in the scripts", seen)
	}
}

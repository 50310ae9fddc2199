package main

import (
	"io"
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

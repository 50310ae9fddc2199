package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// exitsCommand runs a command that must end with a certain exit code: the
// codes are a contract, so that "it failed" is not enough.
func exitsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND ARG...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	have := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%s: %v", args[1], err)
		}
		have = exit.ExitCode()
	}
	if have != want {
		ts.Fatalf("exit code is %d, want %d", have, want)
	}
	for _, foreign := range []string{"strconv.", "cannot unmarshal", "Go struct", "Go value", "UnmarshalJSON", "parsing time"} {
		if strings.Contains(ts.ReadFile("stderr"), foreign) {
			ts.Fatalf("a person is told in words of a library: %q", foreign)
		}
	}
}

// oneJSONCommand makes sure that the last command wrote one JSON value to
// stdout and nothing else.
func oneJSONCommand(ts *testscript.TestScript, _ bool, _ []string) {
	decoder := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	var value any
	if err := decoder.Decode(&value); err != nil {
		ts.Fatalf("stdout is not JSON: %v", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		ts.Fatalf("stdout has something behind the JSON value")
	}
}

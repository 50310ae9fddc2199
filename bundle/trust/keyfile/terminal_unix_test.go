//go:build unix

package keyfile_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/islandbundle/island/bundle/trust/keyfile"
)

const askVariable = "ISLAND_TEST_ASK_TERMINAL"

// The test runs itself in a session of its own, which has no terminal.
func TestAskTerminalWithoutOne(t *testing.T) {
	if os.Getenv(askVariable) != "" {
		_, err := keyfile.AskTerminal(context.Background(), "?")
		if errors.Is(err, keyfile.ErrNoTerminal) {
			os.Stdout.WriteString("as expected\n")
		}
		return
	}
	command := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	command.Env = append(os.Environ(), askVariable+"=1")
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	output, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(output), "as expected\n") {
		t.Errorf("%v\n%s", err, output)
	}
}

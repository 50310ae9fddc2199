package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"time"

	"github.com/docker/cli/cli/config/types"
	"github.com/docker/docker-credential-helpers/client"
	"github.com/docker/docker-credential-helpers/credentials"

	"github.com/islandbundle/island/internal/children"
)

// maxHelperBytes is how much of what a credential helper says is read.
const maxHelperBytes = 1 << 20

// HelperError is a credential helper that gave no answer. What it printed may be a
// secret, and is not in it.
type HelperError struct {
	Program string // such as docker-credential-pass
	Missing bool   // it is not installed
	Dead    bool   // it would not answer whatever it is asked
	reason  string
}

func (e *HelperError) Error() string {
	return fmt.Sprintf("credential helper %s %s", e.Program, e.reason)
}

// Hint says what to do about it.
func (e *HelperError) Hint() string {
	if e.Missing {
		return "install " + e.Program + ", or log in without it, with podman login"
	}
	return "try it by hand: echo REGISTRY | " + e.Program + " get"
}

// askHelper asks a credential helper for the credentials of a server
// (docker-credential-helpers, README, "Development"). That it has none is no
// error.
func askHelper(ctx context.Context, limit time.Duration, helper, server string) (types.AuthConfig, error) {
	program := &helperProgram{ctx: ctx, limit: limit, name: "docker-credential-" + helper}
	said, err := client.Get(func(args ...string) client.Program {
		program.args = args
		return program
	}, server)
	failed := &HelperError{Program: program.name}
	switch {
	case err == nil && said.Username == "<token>":
		return types.AuthConfig{IdentityToken: said.Secret}, nil
	case err == nil:
		return types.AuthConfig{Username: said.Username, Password: said.Secret}, nil
	case credentials.IsErrCredentialsNotFound(err):
		return types.AuthConfig{}, nil
	case errors.Is(program.err, exec.ErrNotFound), errors.Is(program.err, exec.ErrDot):
		failed.Missing, failed.Dead, failed.reason = true, true, "is not installed"
	case errors.Is(program.err, context.DeadlineExceeded):
		failed.Dead, failed.reason = true, fmt.Sprintf("does not answer within %s", limit)
	case program.err != nil:
		failed.reason = "fails: " + Bare(program.err).Error()
	default:
		failed.reason = "answers what are no credentials"
	}
	return types.AuthConfig{}, failed
}

// helperProgram runs a helper for a limited time, and keeps how it ended.
type helperProgram struct {
	ctx   context.Context
	limit time.Duration
	name  string
	args  []string
	input io.Reader
	err   error
}

// Input implements client.Program.
func (p *helperProgram) Input(in io.Reader) { p.input = in }

// Output implements client.Program.
func (p *helperProgram) Output() ([]byte, error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.limit)
	defer cancel()
	command := exec.CommandContext(ctx, p.name, p.args...)
	command.Env = children.Environment(children.Helper)
	command.Stdin = p.input
	command.WaitDelay = time.Second // for children that keep its output open
	said := limited{left: maxHelperBytes}
	command.Stdout = &said
	p.err = command.Run()
	if ctx.Err() != nil && p.err != nil {
		p.err = ctx.Err()
	}
	return said.Bytes(), p.err
}

// limited keeps the beginning of what is written to it.
type limited struct {
	bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.left {
		return 0, errors.New("says too much")
	}
	l.left -= len(p)
	return l.Buffer.Write(p)
}

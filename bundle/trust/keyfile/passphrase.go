package keyfile

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"

	"github.com/islandbundle/island/manifests/fault"
)

// PasswordVariable is the environment variable that cosign takes passphrases
// from. Set and empty means an empty passphrase.
const PasswordVariable = "COSIGN_PASSWORD"

// Passphrase says where a passphrase comes from: the file, if one is named;
// else [PasswordVariable], if it is set; else the terminal. The zero value is
// ready for use.
type Passphrase struct {
	// File holds the passphrase, and may end in one line break, which is not
	// part of it. "" means no file.
	File string

	// LookupEnv looks an environment variable up; nil means os.LookupEnv.
	LookupEnv func(name string) (value string, set bool)

	// Prompt asks a person and does not show what is typed; nil means
	// [AskTerminal].
	Prompt func(ctx context.Context, question string) ([]byte, error)
}

// Existing returns the passphrase of a key that there is. The caller should wipe
// it after use. Errors are of kind fault.Usage, or of the context.
func (p Passphrase) Existing(ctx context.Context) ([]byte, error) {
	secret, found, err := p.fixed()
	if err != nil || found {
		return secret, err
	}
	secret, err = p.prompt(ctx, "Passphrase for the private key: ")
	if err != nil {
		return nil, err
	}
	return secret, checkLength("the terminal", secret)
}

// New returns the passphrase for a key that is about to be made. A person is
// asked twice, and cannot choose an empty one; a script can, by setting
// [PasswordVariable] to nothing.
func (p Passphrase) New(ctx context.Context) ([]byte, error) {
	secret, found, err := p.fixed()
	if err != nil || found {
		return secret, err
	}
	secret, err = p.prompt(ctx, "Passphrase for the new private key: ")
	if err != nil {
		return nil, err
	}
	if len(secret) == 0 {
		return nil, fault.New(fault.Usage, fault.Here, "passphrase", "set "+PasswordVariable+" to nothing if the key shall be unprotected",
			"empty passphrase")
	}
	if err := checkLength("the terminal", secret); err != nil {
		return nil, err
	}
	again, err := p.prompt(ctx, "The same once more: ")
	if err != nil {
		return nil, err
	}
	defer clear(again)
	if !bytes.Equal(secret, again) {
		return nil, fault.New(fault.Usage, fault.Here, "passphrase", "try again", "the two passphrases differ")
	}
	return secret, nil
}

// fixed looks where no person needs to be asked.
func (p Passphrase) fixed() (secret []byte, found bool, err error) {
	if p.File != "" {
		secret, err = readPassphraseFile(p.File)
		return secret, true, err
	}
	lookup := p.LookupEnv
	if lookup == nil {
		lookup = os.LookupEnv
	}
	value, found := lookup(PasswordVariable)
	return []byte(value), found, checkLength(PasswordVariable, []byte(value))
}

func (p Passphrase) prompt(ctx context.Context, question string) ([]byte, error) {
	ask := p.Prompt
	if ask == nil {
		ask = AskTerminal
	}
	secret, err := ask(ctx, question)
	if errors.Is(err, ErrNoTerminal) {
		return nil, fault.New(fault.Usage, fault.Here, "passphrase",
			"set "+PasswordVariable+", or name a file with the passphrase", "no terminal to ask for it on: %w", err)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return secret, fault.Explain(err, fault.Failure, fault.Here, "passphrase", "set "+PasswordVariable+" instead")
}

func readPassphraseFile(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fault.New(fault.Usage, fault.Here, "passphrase file", "name a file that can be read, or set "+PasswordVariable, "%w", err)
	}
	defer file.Close()
	const room = MaxPassphrase + 3 // a line break, and one byte to notice more
	secret, err := io.ReadAll(io.LimitReader(file, room))
	if err != nil {
		return nil, fault.New(fault.Usage, fault.Here, "passphrase file", "name a file that can be read, or set "+PasswordVariable, "%w", err)
	}
	secret = bytes.TrimSuffix(secret, []byte("\n"))
	secret = bytes.TrimSuffix(secret, []byte("\r"))
	if len(secret) == 0 {
		return nil, fault.New(fault.Usage, fault.Here, name, "set "+PasswordVariable+" to nothing if the key is unprotected",
			"no passphrase in the file")
	}
	if bytes.ContainsAny(secret, "\r\n") {
		return nil, fault.New(fault.Usage, fault.Here, name, "put the passphrase alone on one line", "more than one line")
	}
	return secret, checkLength(name, secret)
}

func checkLength(object string, secret []byte) error {
	if len(secret) > MaxPassphrase {
		return fault.New(fault.Usage, fault.Here, object, "choose a shorter one", "passphrase of more than %d bytes", MaxPassphrase)
	}
	return nil
}

package keyfile_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/trust/keyfile"
	"github.com/islandbundle/island/manifests/fault"
)

// person answers one question after the other.
type person struct {
	answers []string
	asked   []string
	err     error
}

func (p *person) prompt(_ context.Context, question string) ([]byte, error) {
	p.asked = append(p.asked, question)
	if p.err != nil {
		return nil, p.err
	}
	answer := p.answers[0]
	p.answers = p.answers[1:]
	return []byte(answer), nil
}

func environment(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, set := values[name]
		return value, set
	}
}

func TestPassphrase(t *testing.T) {
	t.Parallel()
	inEnvironment := map[string]string{keyfile.PasswordVariable: "from env"}
	long := strings.Repeat("x", keyfile.MaxPassphrase)
	tests := []struct {
		name    string
		file    *string // content of the file named, nil: none is named
		env     map[string]string
		answers []string
		isNew   bool // for a new key
		want    string
		asked   int
		wantErr string
	}{
		{name: "file before environment", file: new("from file\n"), env: inEnvironment, want: "from file"},
		{name: "file without line break", file: new("from file"), want: "from file"},
		{name: "file from Windows", file: new("from file\r\n"), want: "from file"},
		{name: "spaces are part of it", file: new(" a b \n"), want: " a b "},
		{name: "longest in file", file: new(long + "\r\n"), want: long},
		{name: "empty file", file: new("\n"), env: inEnvironment, wantErr: "no passphrase in the file"},
		{name: "two lines in file", file: new("a\nb\n"), wantErr: "more than one line"},
		{name: "two line breaks in file", file: new("a\n\n"), wantErr: "more than one line"},
		{name: "too long in file", file: new(long + "x"), wantErr: "passphrase of more than 1024 bytes"},
		{name: "far too long in file", file: new(long + long), wantErr: "passphrase of more than 1024 bytes"},
		{name: "environment before terminal", env: inEnvironment, want: "from env"},
		{name: "environment set to nothing", env: map[string]string{keyfile.PasswordVariable: ""}, want: ""},
		{name: "too long in environment", env: map[string]string{keyfile.PasswordVariable: long + "x"},
			wantErr: "COSIGN_PASSWORD: passphrase of more than"},
		{name: "terminal", answers: []string{"typed"}, want: "typed", asked: 1},
		{name: "nothing typed", answers: []string{""}, want: "", asked: 1},
		{name: "too long on the terminal", answers: []string{long + "x"}, asked: 1, wantErr: "passphrase of more than"},

		{name: "new from file", isNew: true, file: new("from file\n"), want: "from file"},
		{name: "new from environment", isNew: true, env: inEnvironment, want: "from env"},
		{name: "new and unprotected", isNew: true, env: map[string]string{keyfile.PasswordVariable: ""}, want: ""},
		{name: "new typed twice", isNew: true, answers: []string{"typed", "typed"}, want: "typed", asked: 2},
		{name: "new mistyped", isNew: true, answers: []string{"typed", "tpyed"}, asked: 2, wantErr: "the two passphrases differ"},
		{name: "new and nothing typed", isNew: true, answers: []string{""}, asked: 1, wantErr: "empty passphrase"},
		{name: "new and too long", isNew: true, answers: []string{long + "x"}, asked: 1, wantErr: "passphrase of more than"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			someone := &person{answers: test.answers}
			source := keyfile.Passphrase{LookupEnv: environment(test.env), Prompt: someone.prompt}
			if test.file != nil {
				source.File = filepath.Join(t.TempDir(), "passphrase")
				if err := os.WriteFile(source.File, []byte(*test.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			get := source.Existing
			if test.isNew {
				get = source.New
			}
			got, err := get(t.Context())
			if len(someone.asked) != test.asked {
				t.Errorf("asked %q, want %d questions", someone.asked, test.asked)
			}
			if test.wantErr != "" {
				wantUsage(t, err, test.wantErr)
				return
			}
			if err != nil || string(got) != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

func TestPassphraseFileMissing(t *testing.T) {
	t.Parallel()
	_, err := keyfile.Passphrase{File: filepath.Join(t.TempDir(), "none")}.Existing(t.Context())
	wantUsage(t, err, "passphrase file: open ")
}

func TestPassphraseWithoutTerminal(t *testing.T) {
	t.Parallel()
	source := keyfile.Passphrase{LookupEnv: environment(nil), Prompt: (&person{err: keyfile.ErrNoTerminal}).prompt}
	for name, get := range map[string]func(context.Context) ([]byte, error){"existing": source.Existing, "new": source.New} {
		_, err := get(t.Context())
		wantUsage(t, err, "passphrase: no terminal to ask for it on")
		if hint := fault.All(err)[0].Hint; !strings.Contains(hint, keyfile.PasswordVariable) {
			t.Errorf("%s: hint %q does not name the variable", name, hint)
		}
	}
}

func TestPassphraseWhenTheTerminalFails(t *testing.T) {
	t.Parallel()
	hungUp := errors.New("hung up")
	_, err := keyfile.Passphrase{LookupEnv: environment(nil), Prompt: (&person{err: hungUp}).prompt}.Existing(t.Context())
	if !errors.Is(err, hungUp) || fault.ExitCode(err) != int(fault.Failure) {
		t.Errorf("error %v with exit code %d", err, fault.ExitCode(err))
	}
}

func TestPassphraseCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	source := keyfile.Passphrase{LookupEnv: environment(nil), Prompt: func(ctx context.Context, _ string) ([]byte, error) {
		cancel() // as the person presses Ctrl-C
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	if _, err := source.Existing(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/islandbundle/island/manifests/fault"
)

// TestKeygenLeavesNoHalfPair: somebody takes the name of the public key while the
// passphrase is waited for, when both names were found to be free.
func TestKeygenLeavesNoHalfPair(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	prefix, asked := filepath.Join(folder, "site"), filepath.Join(folder, "passphrase")
	if err := syscall.Mkfifo(asked, 0o600); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		app := newApp(&bytes.Buffer{}, &bytes.Buffer{}, nil)
		done <- app.run(t.Context(), []string{"keygen", "--key-name", prefix, "--passphrase-file", asked})
	}()
	pipe, err := os.OpenFile(asked, os.O_WRONLY, 0) // which waits for whoever reads it
	if err != nil {
		t.Fatal(err)
	}
	write(t, prefix+".pub", []byte("another's"))
	if _, err := pipe.WriteString("a long passphrase"); err != nil {
		t.Fatal(err)
	}
	if err := pipe.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; fault.ExitCode(err) == 0 {
		t.Error("half a pair is a success")
	}
	if _, err := os.Lstat(prefix + ".key"); !os.IsNotExist(err) {
		t.Errorf("half a pair is left: %v", err)
	}
	if data, err := os.ReadFile(prefix + ".pub"); err != nil || string(data) != "another's" {
		t.Errorf("the other's file has %q, %v", data, err)
	}
}

package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/islandbundle/island/charts/sandbox"
)

// TestMain lets the test binary be the command island when it is called so.
func TestMain(m *testing.M) {
	sandbox.Main()
	testscript.Main(m, map[string]func(){"island": main})
}

// TestScripts runs the whole command as a person would. The scripts below
// testdata/script can be read as documentation; beside testscript's own
// commands they use these:
//
//	keys                          make island.key and island.pub, not encrypted
//	exits CODE COMMAND ARG...     run a command that must end with this exit code
//	mistake CODE PLACE REMEDY COMMAND ARG...
//	                              run a command that somebody got wrong; see mistake_test.go
//	edited FROM TO OLD NEW        copy a text file with another text in the place of one
//	upstream [OPTION...]          serve a world; see upstream_test.go
//	requests FILE                 write what upstream was asked since last time
//	fault STATUS|cut|corrupt RE   spoil upstream's answers to paths that match
//	hold RE, held, release        hold answers back, wait for one, let all go
//	damage FROM TO HOW...         copy a bundle and spoil the copy; see damage_test.go
//	onejson                       stdout is one JSON value and nothing else
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("COSIGN_PASSWORD", "correct horse")
			env.Values[upstreamKey{}] = &upstream{}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"keys":     keysCommand,
			"exits":    exitsCommand,
			"mistake":  mistakeCommand,
			"onsite":   onSiteCommand,
			"edited":   editedCommand,
			"upstream": upstreamCommand,
			"requests": requestsCommand,
			"fault":    faultCommand,
			"hold":     holdCommand,
			"held":     heldCommand,
			"release":  releaseCommand,
			"damage":   damageCommand,
			"onejson":  oneJSONCommand,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// keysCommand makes a key pair as openssl does, since decrypting cosign's own
// form takes a good part of a second each time.
func keysCommand(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(writeKeys(ts.MkAbs("."))) }

func writeKeys(folder string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	known := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public})
	return errors.Join(os.WriteFile(filepath.Join(folder, "island.key"), secret, 0o600),
		os.WriteFile(filepath.Join(folder, "island.pub"), known, 0o644))
}

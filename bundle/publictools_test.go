package bundle_test

import (
	"archive/tar"
	"bytes"
	"crypto"
	"crypto/sha256"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/trust/keyfile"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests/fault"
)

// These tests hold this package against the programs that its format belongs
// to. They need openssl, tar and sed, and cosign in two versions under the names
// cosign-v2 (2.6) and cosign-v3 (3.1).
var cosigns = []string{"cosign-v2", "cosign-v3"}

const passphrase = "correct horse"

var withPassphrase = []string{"COSIGN_PASSWORD=" + passphrase}

// inventory stands for a bundle.json.
var inventory = []byte(`{"release":"wire","version":"2026.1"}` + "\n")

// signed returns an entry with the signature over the inventory.
func signed(t *testing.T, private crypto.Signer) []byte {
	t.Helper()
	text, err := signature.Sign(private, sha256.Sum256(inventory))
	if err != nil {
		t.Fatal(err)
	}
	padded, err := bundle.Pad(text)
	if err != nil {
		t.Fatal(err)
	}
	return padded
}

// beginning is a tar file as a bundle begins, with more files in front of it.
func beginning(t *testing.T, content, signature []byte, front ...file) []byte {
	t.Helper()
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	for _, entry := range append(front, []file{
		{bundle.InventoryPath, content},
		{bundle.SignaturePath, signature},
		{bundle.TrustedRootPath, bundle.EmptyTrustedRoot()},
		{"README.txt", []byte(bundle.OpenSSLInstructions)},
	}...) {
		if err := w.WriteHeader(&tar.Header{Name: entry.name, Mode: 0o644, Size: int64(len(entry.data)), Format: tar.FormatUSTAR}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(entry.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

type file struct {
	name string
	data []byte
}

// publicTool is a way to verify a bundle without this project.
type publicTool struct {
	name, commands, accepts string
}

func TestPublicToolsVerify(t *testing.T) {
	t.Parallel()
	tools := []publicTool{{"openssl", bundle.OpenSSLInstructions, "Verified OK"}}
	for _, cosign := range cosigns {
		commands := strings.ReplaceAll(bundle.CosignInstructions, "cosign verify-blob", cosign+" verify-blob")
		tools = append(tools, publicTool{cosign, commands, "Verified OK"})
	}
	private, public := testKey(t, "sender")
	_, other := testKey(t, "other")
	signed := signed(t, private)
	altered := bytes.Replace(inventory, []byte("2026.1"), []byte("2026.2"), 1)

	for _, tool := range tools {
		t.Run(tool.name, func(t *testing.T) {
			t.Parallel()
			for _, name := range []string{tool.name, "sh", "tar", "sed"} {
				requireTool(t, name)
			}
			tests := []struct {
				name            string
				content, signed []byte
				key             signature.PublicKey
				front           []file
				accepted        bool
			}{
				{"as it was signed", inventory, signed, public, nil, true},
				{"content altered", altered, signed, public, nil, false},
				{"another key", inventory, signed, other, nil, false},
				{"not signed", inventory, bundle.BlankSlot(), public, nil, false},
				{"an altered content before the signed one", inventory, signed, public, []file{{bundle.InventoryPath, altered}}, false},
			}
			for _, test := range tests {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					dir := newFolder(t, map[string][]byte{
						"wire 1.tar": beginning(t, test.content, test.signed, test.front...), "the key.pub": test.key.PEM(),
					})
					output, err := dir.run([]string{"BUNDLE=wire 1.tar", "KEY=the key.pub"}, "sh", "-c", tool.commands)
					if accepted := err == nil && strings.Contains(output, tool.accepts); accepted != test.accepted {
						t.Errorf("accepted %t (%v), want %t:\n%s", accepted, err, test.accepted, output)
					}
					if tool.name == "openssl" && !strings.HasPrefix(output, test.key.ID()+"\n") {
						t.Errorf("key id %s is not what openssl computes:\n%s", test.key.ID(), output)
					}
				})
			}
		})
	}
}

// Keys that cosign made and bundles that it signed are read here, and its
// bundle can stand where one by Sign would.
func TestCosignSigns(t *testing.T) {
	t.Parallel()
	flags := map[string]string{
		"cosign-v2": "--new-bundle-format --tlog-upload=false",
		// A signing config without services keeps version 3 from the network.
		"cosign-v3": "--signing-config signing_config.json",
	}
	for _, cosign := range cosigns {
		t.Run(cosign, func(t *testing.T) {
			t.Parallel()
			tool := requireTool(t, cosign)
			dir := newFolder(t, map[string][]byte{
				"bundle.json": inventory,
				"signing_config.json": []byte(
					`{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogConfig":{},"tsaConfig":{}}`),
			})
			dir.mustRun(t, withPassphrase, tool, "generate-key-pair")
			signBlob := "sign-blob --yes --key cosign.key " + flags[cosign] + " --bundle out.json bundle.json"
			dir.mustRun(t, withPassphrase, tool, strings.Fields(signBlob)...)

			public, err := signature.ParsePublicKey("cosign.pub", dir.read(t, "cosign.pub"))
			if err != nil {
				t.Fatal(err)
			}
			padded, err := bundle.Pad(dir.read(t, "out.json"))
			if err != nil {
				t.Fatal(err)
			}
			keys := []signature.PublicKey{public}
			for _, file := range [][]byte{dir.read(t, "out.json"), padded} {
				if _, err := signature.Verify("out.json", keys, file, sha256.Sum256(inventory)); err != nil {
					t.Error(err)
				}
				_, err := signature.Verify("out.json", keys, file, sha256.Sum256([]byte("altered")))
				if !errors.Is(err, signature.ErrAltered) {
					t.Errorf("verified with other content: %v", err)
				}
				wantFault(t, err, fault.Refused, fault.Site)
			}

			passphrase := func() ([]byte, error) { return []byte(passphrase), nil }
			private, err := keyfile.ParsePrivateKey("cosign.key", dir.read(t, "cosign.key"), passphrase)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := signature.Verify("here.json", keys, signed(t, private), sha256.Sum256(inventory)); err != nil {
				t.Errorf("signed here with cosign's key: %v", err)
			}

			requireTool(t, "openssl")
			dir.write(t, "wire.tar", beginning(t, inventory, padded))
			files := []string{"BUNDLE=wire.tar", "KEY=cosign.pub"}
			if output, err := dir.run(files, "sh", "-c", bundle.OpenSSLInstructions); err != nil {
				t.Errorf("the instructions for OpenSSL do not work on cosign's bundle: %v\n%s", err, output)
			}
		})
	}
}

// folder is a directory in which a test runs outside programs, with a home of
// its own so that no settings or caches of the person who tests play a part.
type folder string

func newFolder(t *testing.T, files map[string][]byte) folder {
	t.Helper()
	dir := folder(t.TempDir())
	for name, data := range files {
		dir.write(t, name, data)
	}
	return dir
}

func (f folder) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(string(f), name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (f folder) read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(string(f), name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// run returns what a program printed, both streams together.
func (f folder) run(env []string, name string, args ...string) (string, error) {
	command := exec.Command(name, args...)
	command.Dir = string(f)
	command.Env = append(os.Environ(), "HOME="+string(f), "TUF_ROOT="+filepath.Join(string(f), "tuf"))
	// An unreachable proxy: what is tested here has to work without a network.
	command.Env = append(command.Env, "HTTPS_PROXY=http://127.0.0.1:9", "HTTP_PROXY=http://127.0.0.1:9", "NO_PROXY=")
	command.Env = append(command.Env, env...)
	output, err := command.CombinedOutput()
	return strings.TrimSpace(string(output)), err
}

func (f folder) mustRun(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	output, err := f.run(env, name, args...)
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, output)
	}
	return output
}

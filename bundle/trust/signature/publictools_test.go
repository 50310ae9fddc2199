package signature_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"strings"
	"testing"

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

// makeKeys returns a key pair as files and the same parsed.
func makeKeys(t *testing.T) (keyfile.KeyPair, signature.PublicKey) {
	t.Helper()
	pair, err := keyfile.GenerateKey([]byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	public, err := signature.ParsePublicKey("island.pub", pair.PublicPEM)
	if err != nil {
		t.Fatal(err)
	}
	return pair, public
}

func signWith(t *testing.T, pair keyfile.KeyPair, content []byte) []byte {
	t.Helper()
	private, err := keyfile.ParsePrivateKey("island.key", pair.PrivatePEM, func() ([]byte, error) { return []byte(passphrase), nil })
	if err != nil {
		t.Fatal(err)
	}
	return sign(t, private, content)
}

// archive is a tar file as a bundle begins, with more files in front of it.
func archive(t *testing.T, content, signed []byte, front ...file) []byte {
	t.Helper()
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	for _, entry := range append(front, []file{
		{signature.ContentName, content},
		{signature.FileName, signed},
		{signature.TrustedRootName, signature.EmptyTrustedRoot()},
		{"README.txt", []byte(signature.OpenSSLInstructions)},
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
	tools := []publicTool{{"openssl", signature.OpenSSLInstructions, "Verified OK"}}
	for _, cosign := range cosigns {
		tools = append(tools, publicTool{cosign, strings.ReplaceAll(signature.CosignInstructions, "cosign verify-blob", cosign+" verify-blob"), "Verified OK"})
	}
	pair, public := makeKeys(t)
	_, other := newKey(t)
	signed := signWith(t, pair, inventory)
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
				{"not signed", inventory, signature.Unsigned(), public, nil, false},
				{"an altered content before the signed one", inventory, signed, public, []file{{signature.ContentName, altered}}, false},
			}
			for _, test := range tests {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					dir := newFolder(t, map[string][]byte{"wire 1.tar": archive(t, test.content, test.signed, test.front...), "the key.pub": test.key.PEM()})
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

func TestCosignReadsOurKeys(t *testing.T) {
	t.Parallel()
	pair, _ := makeKeys(t)
	for _, cosign := range cosigns {
		t.Run(cosign, func(t *testing.T) {
			t.Parallel()
			tool := requireTool(t, cosign)
			dir := newFolder(t, map[string][]byte{"island.key": pair.PrivatePEM})
			got := dir.mustRun(t, withPassphrase, tool, "public-key", "--key", "island.key")
			if got != strings.TrimSpace(string(pair.PublicPEM)) {
				t.Errorf("cosign reads\n%s\nwant\n%s", got, pair.PublicPEM)
			}
			if output, err := dir.run([]string{"COSIGN_PASSWORD=wrong"}, tool, "public-key", "--key", "island.key"); err == nil {
				t.Errorf("cosign opened the key with a wrong passphrase:\n%s", output)
			}
		})
	}
}

// Keys that cosign made and bundles that it signed are read here, and its
// bundle can stand where one by Sign would.
func TestCosignSigns(t *testing.T) {
	t.Parallel()
	signBlob := map[string][]string{
		"cosign-v2": {"sign-blob", "--yes", "--key", "cosign.key", "--new-bundle-format", "--tlog-upload=false", "--bundle", "out.json", "bundle.json"},
		// A signing config without services keeps version 3 from the network.
		"cosign-v3": {"sign-blob", "--yes", "--key", "cosign.key", "--signing-config", "signing_config.json", "--bundle", "out.json", "bundle.json"},
	}
	for _, cosign := range cosigns {
		t.Run(cosign, func(t *testing.T) {
			t.Parallel()
			tool := requireTool(t, cosign)
			dir := newFolder(t, map[string][]byte{
				"bundle.json":         inventory,
				"signing_config.json": []byte(`{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","rekorTlogConfig":{},"tsaConfig":{}}`),
			})
			dir.mustRun(t, withPassphrase, tool, "generate-key-pair")
			dir.mustRun(t, withPassphrase, tool, signBlob[cosign]...)

			public, err := signature.ParsePublicKey("cosign.pub", dir.read(t, "cosign.pub"))
			if err != nil {
				t.Fatal(err)
			}
			padded, err := signature.Pad(dir.read(t, "out.json"))
			if err != nil {
				t.Fatal(err)
			}
			keys := []signature.PublicKey{public}
			for _, bundle := range [][]byte{dir.read(t, "out.json"), padded} {
				if _, err := signature.Verify(keys, bundle, sha256.Sum256(inventory)); err != nil {
					t.Error(err)
				}
				_, err := signature.Verify(keys, bundle, sha256.Sum256([]byte("altered")))
				wantFault(t, err, fault.Refused, signature.ErrAltered)
			}

			private, err := keyfile.ParsePrivateKey("cosign.key", dir.read(t, "cosign.key"), func() ([]byte, error) { return []byte(passphrase), nil })
			if err != nil {
				t.Fatal(err)
			}
			if _, err := signature.Verify(keys, sign(t, private, inventory), sha256.Sum256(inventory)); err != nil {
				t.Errorf("signed here with cosign's key: %v", err)
			}

			requireTool(t, "openssl")
			dir.write(t, "wire.tar", archive(t, inventory, padded))
			if output, err := dir.run([]string{"BUNDLE=wire.tar", "KEY=cosign.pub"}, "sh", "-c", signature.OpenSSLInstructions); err != nil {
				t.Errorf("the instructions for OpenSSL do not work on cosign's bundle: %v\n%s", err, output)
			}
		})
	}
}

package keyfile_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/islandbundle/island/bundle/trust/keyfile"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests/fault"
)

func wantUsage(t *testing.T, err error, text string) {
	t.Helper()
	var explained *fault.Error
	if !errors.As(err, &explained) || explained.Kind != fault.Usage {
		t.Fatalf("error %v, want one of usage", err)
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("error %q does not say %q", err, text)
	}
}

func secret(text string) func() ([]byte, error) {
	return func() ([]byte, error) { return []byte(text), nil }
}

func noSecret(t *testing.T) func() ([]byte, error) {
	return func() ([]byte, error) {
		t.Error("asked for a passphrase that is not needed")
		return nil, errors.New("none")
	}
}

// pair is a key pair under the passphrase "x", made once because that takes time.
var pair = sync.OnceValue(func() keyfile.KeyPair { return must(keyfile.GenerateKey([]byte("x"))) })

func TestGenerateKey(t *testing.T) {
	t.Parallel()
	for _, passphrase := range []string{"", strings.Repeat("ü", keyfile.MaxPassphrase/2)} {
		pair, err := keyfile.GenerateKey([]byte(passphrase))
		if err != nil {
			t.Fatal(err)
		}
		key, err := keyfile.ParsePrivateKey("island.key", pair.PrivatePEM, secret(passphrase))
		if err != nil {
			t.Fatal(err)
		}
		public, err := signature.NewPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(public.PEM(), pair.PublicPEM) {
			t.Error("the two halves are not of one key")
		}
	}
	_, err := keyfile.GenerateKey(make([]byte, keyfile.MaxPassphrase+1))
	wantUsage(t, err, "passphrase of more than 1024 bytes")
}

// cosign refuses other parameters than the ones it knows.
func TestGenerateKeyHasCosignsParameters(t *testing.T) {
	t.Parallel()
	block, rest := pem.Decode(pair().PrivatePEM)
	if block == nil || len(rest) != 0 || block.Type != "ENCRYPTED SIGSTORE PRIVATE KEY" {
		t.Fatalf("PEM block %v and %d bytes", block, len(rest))
	}
	var box struct {
		KDF struct {
			Name   string
			Params struct{ N, R, P int }
			Salt   []byte
		}
		Cipher struct {
			Name  string
			Nonce []byte
		}
	}
	if err := json.Unmarshal(block.Bytes, &box); err != nil {
		t.Fatal(err)
	}
	if box.KDF.Name != "scrypt" || box.KDF.Params != struct{ N, R, P int }{65536, 8, 1} || len(box.KDF.Salt) != 32 {
		t.Errorf("key derivation %+v", box.KDF)
	}
	if box.Cipher.Name != "nacl/secretbox" || len(box.Cipher.Nonce) != 24 {
		t.Errorf("cipher %+v", box.Cipher)
	}
}

func TestParsePrivateKeyOfCosignBefore2(t *testing.T) {
	t.Parallel()
	old := bytes.ReplaceAll(pair().PrivatePEM, []byte("SIGSTORE"), []byte("COSIGN"))
	if _, err := keyfile.ParsePrivateKey("cosign.key", old, secret("x")); err != nil {
		t.Error(err)
	}
}

func TestParsePrivateKeyInPlainPKCS8(t *testing.T) {
	t.Parallel()
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	data := encode("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key)))
	got, err := keyfile.ParsePrivateKey("plain.key", data, noSecret(t))
	if err != nil {
		t.Fatal(err)
	}
	if !key.Equal(got) {
		t.Error("read another key")
	}
}

func TestParsePrivateKeyWipesThePassphrase(t *testing.T) {
	t.Parallel()
	given := []byte("x")
	if _, err := keyfile.ParsePrivateKey("island.key", pair().PrivatePEM, func() ([]byte, error) { return given, nil }); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(given, make([]byte, len(given))) {
		t.Errorf("the passphrase is still in memory: %q", given)
	}
}

func TestParsePrivateKeyPassesThePassphrasesErrorOn(t *testing.T) {
	t.Parallel()
	mine := errors.New("nobody there")
	_, err := keyfile.ParsePrivateKey("island.key", pair().PrivatePEM, func() ([]byte, error) { return nil, mine })
	if !errors.Is(err, mine) {
		t.Errorf("error %v, want %v", err, mine)
	}
}

func TestParsePrivateKeyRefuses(t *testing.T) {
	t.Parallel()
	pair := pair()
	p256 := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, want, hint string
		data             []byte
	}{
		{"wrong passphrase", "wrong passphrase or damaged key", "COSIGN_PASSWORD", pair.PrivatePEM},
		{"salt altered", "wrong passphrase or damaged key", "", edited(t, pair, `"salt":"`, `"salt":"AAAA`)},
		{"nonce of another length", "incorrect nonce size", "", edited(t, pair, `"nonce":"`, `"nonce":"AAAA`)},
		{"scrypt that would take 64 GiB", "unsupported scrypt parameters", "", edited(t, pair, `"N":65536`, `"N":67108864`)},
		{"another cipher", "unknown cipher", "", edited(t, pair, "nacl/secretbox", "none")},
		{"no JSON inside", "wrong passphrase or damaged key", "", encode("ENCRYPTED SIGSTORE PRIVATE KEY", []byte("hello"))},
		{"JSON null inside", "wrong passphrase or damaged key", "", encode("ENCRYPTED SIGSTORE PRIVATE KEY", []byte("null"))},

		{"empty file", "not a PEM file", "-----BEGIN", nil},
		{"cut short", "damaged PEM block", "", pair.PrivatePEM[:100]},
		{"two keys", "more than one PEM block", "", append(bytes.Clone(pair.PrivatePEM), pair.PrivatePEM...)},
		{"public key", `PEM block "PUBLIC KEY", need "ENCRYPTED SIGSTORE PRIVATE KEY" or "PRIVATE KEY"`, "island.key", pair.PublicPEM},
		{"SEC 1", `PEM block "EC PRIVATE KEY"`, "openssl pkcs8 -topk8 -nocrypt", encode("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(p256)))},
		{"PKCS#8 encrypted in another way", `PEM block "ENCRYPTED PRIVATE KEY"`, "openssl pkcs8 -in", encode("ENCRYPTED PRIVATE KEY", []byte{0})},
		{"PKCS#1", `PEM block "RSA PRIVATE KEY"`, "island keygen", encode("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey))},
		{"OpenSSH", `PEM block "OPENSSH PRIVATE KEY"`, "island keygen", encode("OPENSSH PRIVATE KEY", []byte{0})},
		{"PKCS#8 of nothing", "unreadable private key", "", encode("PRIVATE KEY", []byte("hello"))},
		{"RSA", "key of type *rsa.PrivateKey, need ECDSA on P-256", "island keygen",
			encode("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(rsaKey)))},
		{"Ed25519", "key of type ed25519.PrivateKey, need ECDSA on P-256", "island keygen",
			encode("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(edKey)))},
		{"wrong curve", "key on curve P-384, need P-256", "island keygen", encode("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(p384)))},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			key, err := keyfile.ParsePrivateKey("the file", test.data, secret("wrong"))
			wantUsage(t, err, test.want)
			if !strings.HasPrefix(err.Error(), "the file: ") {
				t.Errorf("error %q does not name the file", err)
			}
			if hint := fault.All(err)[0].Hint; hint == "" || !strings.Contains(hint, test.hint) {
				t.Errorf("hint %q does not say %q", hint, test.hint)
			}
			if key != nil {
				t.Error("an error came with a key")
			}
		})
	}
}

// edited changes the JSON document inside an encrypted key.
func edited(t *testing.T, pair keyfile.KeyPair, old, replacement string) []byte {
	t.Helper()
	block, _ := pem.Decode(pair.PrivatePEM)
	if block == nil || strings.Count(string(block.Bytes), old) != 1 {
		t.Fatalf("%q is not in the key once", old)
	}
	return encode(block.Type, []byte(strings.Replace(string(block.Bytes), old, replacement, 1)))
}

func encode(blockType string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der})
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestCosignReadsOurKeys(t *testing.T) {
	t.Parallel()
	pair := pair()
	for _, cosign := range []string{"cosign-v2", "cosign-v3"} {
		t.Run(cosign, func(t *testing.T) {
			t.Parallel()
			tool := requireTool(t, cosign)
			file := filepath.Join(t.TempDir(), "island.key")
			if err := os.WriteFile(file, pair.PrivatePEM, 0o600); err != nil {
				t.Fatal(err)
			}
			publicKey := func(passphrase string) (string, error) {
				command := exec.Command(tool, "public-key", "--key", file)
				command.Env = append(os.Environ(), "COSIGN_PASSWORD="+passphrase, "HOME="+filepath.Dir(file))
				output, err := command.CombinedOutput()
				return strings.TrimSpace(string(output)), err
			}
			if got, err := publicKey("x"); err != nil || got != strings.TrimSpace(string(pair.PublicPEM)) {
				t.Errorf("cosign reads (%v)\n%s\nwant\n%s", err, got, pair.PublicPEM)
			}
			if output, err := publicKey("wrong"); err == nil {
				t.Errorf("cosign opened the key with a wrong passphrase:\n%s", output)
			}
		})
	}
}

// requireTool returns the path of an outside program. Without it the test is
// skipped, or fails where ISLAND_REQUIRE_TOOLS=1 says that all of them are there.
func requireTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("ISLAND_REQUIRE_TOOLS") == "1" {
		t.Fatalf("%s is needed and not in PATH", name)
	}
	t.Skipf("%s is not in PATH", name)
	return ""
}

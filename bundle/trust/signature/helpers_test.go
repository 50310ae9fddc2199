package signature_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/trust/signature"
)

// inventory stands for a bundle.json.
var inventory = []byte(`{"release":"wire","version":"2026.1"}` + "\n")

func newKey(t testing.TB) (*ecdsa.PrivateKey, signature.PublicKey) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := signature.NewPublicKey(&private.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return private, public
}

func sign(t testing.TB, private *ecdsa.PrivateKey, content []byte) []byte {
	t.Helper()
	signed, err := signature.Sign(private, sha256.Sum256(content))
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// compact is a signature file in the least form that is accepted, for tests to
// spoil.
func compact(t testing.TB, private *ecdsa.PrivateKey, public signature.PublicKey, content []byte) string {
	t.Helper()
	der, err := signature.DERSignature(sign(t, private, content))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	b64 := base64.StdEncoding.EncodeToString
	return `{"mediaType":"` + signature.MediaType + `",` +
		`"verificationMaterial":{"publicKey":{"hint":"` + public.ID() + `"}},` +
		`"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"` + b64(sum[:]) + `"},"signature":"` + b64(der) + `"}}`
}

func pemOf(t testing.TB, blockType string, der []byte, err error) []byte {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: blockType, Bytes: der})
}

func publicPEM(t testing.TB, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	return pemOf(t, "PUBLIC KEY", der, err)
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

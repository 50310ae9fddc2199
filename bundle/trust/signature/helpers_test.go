package signature_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
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

package signature_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"regexp"
	"testing"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests/fault"
)

func TestSignHasOneForm(t *testing.T) {
	t.Parallel()
	private, public := newKey(t)
	form := regexp.MustCompile(`^\{
  "mediaType": "application/vnd\.dev\.sigstore\.bundle\.v0\.3\+json",
  "verificationMaterial": \{
    "publicKey": \{
      "hint": "[A-Za-z0-9+/]{43}="
    \}
  \},
  "messageSignature": \{
    "messageDigest": \{
      "algorithm": "SHA2_256",
      "digest": "[A-Za-z0-9+/]{43}="
    \},
    "signature": "[A-Za-z0-9+/]{80,}={0,2}"
  \}
\}
$`)
	// The lengths of DER signatures vary; enough of them are tried to see some.
	lengths := map[int]bool{}
	for i := range 64 {
		content := []byte{byte(i)}
		signed := sign(t, private, content)
		if len(signed) > 512 {
			t.Fatalf("signature file of %d bytes, some 450 are documented", len(signed))
		}
		if !form.Match(signed) {
			t.Fatalf("signature file has not the documented form:\n%s", bytes.TrimSpace(signed))
		}
		if !bytes.Equal(signed, sign(t, private, content)) {
			t.Fatal("signing the same content again gave other bytes")
		}
		got, err := signature.Verify("bundle.sigstore.json", []signature.PublicKey{public}, signed, sha256.Sum256(content))
		if err != nil || got.ID() != public.ID() {
			t.Fatalf("key %q, error %v", got.ID(), err)
		}
		der, err := signature.DERSignature(signed)
		if err != nil {
			t.Fatal(err)
		}
		lengths[len(der)] = true
	}
	if len(lengths) < 2 {
		t.Error("all signatures were of one length")
	}
}

func TestSignRefusesKeys(t *testing.T) {
	t.Parallel()
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, err = signature.Sign(p384, sha256.Sum256(inventory))
	wantFault(t, err, fault.Usage, nil, "key on curve P-384, need P-256")
	_, err = signature.Sign(nil, sha256.Sum256(inventory))
	wantFault(t, err, fault.Usage, nil, "no private key to sign with")
}

// token is a signer that keeps its key to itself, as hardware does, and can be
// made to misbehave.
type token struct {
	public crypto.PublicKey
	sign   func(random io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error)
}

func (s token) Public() crypto.PublicKey { return s.public }

func (s token) Sign(random io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error) {
	return s.sign(random, digest, options)
}

func TestSignWithTokens(t *testing.T) {
	t.Parallel()
	private, public := newKey(t)
	other, _ := newKey(t)
	edPublic, edPrivate, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no card in the reader")
	altered := func(random io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error) {
		der, err := private.Sign(random, digest, options)
		der[len(der)-1] ^= 1
		return der, err
	}
	tests := []struct {
		name string
		key  crypto.Signer
		kind fault.Kind
		text string
	}{
		{"sound", token{private.Public(), private.Sign}, 0, ""},
		{"another key than it says", token{private.Public(), other.Sign}, fault.Failure, "does not verify with its own public key"},
		{"signature altered on the way", token{private.Public(), altered}, fault.Failure, "does not verify with its own public key"},
		{"card not there", token{private.Public(), func(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, broken }},
			fault.Failure, "signing: no card in the reader"},
		{"no public key", token{nil, private.Sign}, fault.Usage, "key of type <nil>, need ECDSA on P-256"},
		{"Ed25519", edPrivate, fault.Usage, "key of type ed25519.PublicKey, need ECDSA on P-256"},
		{"Ed25519 in a token", token{edPublic, private.Sign}, fault.Usage, "key of type ed25519.PublicKey, need ECDSA on P-256"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			signed, err := signature.Sign(test.key, sha256.Sum256(inventory))
			if test.text != "" {
				if signed != nil {
					t.Error("an error came with a signature")
				}
				wantFault(t, err, test.kind, nil, test.text)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			by, err := signature.Verify("bundle.sigstore.json", []signature.PublicKey{public}, signed, sha256.Sum256(inventory))
			if err != nil || by.ID() != public.ID() {
				t.Errorf("signed by %q, error %v", by, err)
			}
		})
	}
}

// A key in memory needs no randomness; what another signer needs is not known.
func TestSignGivesTokensRandomness(t *testing.T) {
	t.Parallel()
	private, _ := newKey(t)
	key := token{private.Public(), func(random io.Reader, digest []byte, options crypto.SignerOpts) ([]byte, error) {
		if random == nil || options.HashFunc() != crypto.SHA256 {
			t.Errorf("randomness %v, hash %v", random, options.HashFunc())
		}
		return private.Sign(random, digest, options)
	}}
	if _, err := signature.Sign(key, sha256.Sum256(inventory)); err != nil {
		t.Error(err)
	}
}

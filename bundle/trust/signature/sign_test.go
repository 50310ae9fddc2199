package signature_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests/fault"
)

func TestSignHasOneSizeAndForm(t *testing.T) {
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
 +
$`)
	// The lengths of DER signatures vary; enough of them are tried to see some.
	lengths := map[int]bool{}
	for i := range 64 {
		content := []byte{byte(i)}
		signed := sign(t, private, content)
		if len(signed) != signature.Size {
			t.Fatalf("signature file of %d bytes, want %d", len(signed), signature.Size)
		}
		if !form.Match(signed) {
			t.Fatalf("signature file has not the documented form:\n%s", bytes.TrimSpace(signed))
		}
		if !bytes.Equal(signed, sign(t, private, content)) {
			t.Fatal("signing the same content again gave other bytes")
		}
		got, err := signature.Verify([]signature.PublicKey{public}, signed, sha256.Sum256(content))
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

func TestPad(t *testing.T) {
	t.Parallel()
	longest := strings.Repeat("x", signature.Size-2)
	for _, text := range []string{"", "{}", "{}\n\n \t\r\n", longest, longest + strings.Repeat(" ", 100)} {
		padded, err := signature.Pad([]byte(text))
		if err != nil {
			t.Fatalf("%d bytes: %v", len(text), err)
		}
		if len(padded) != signature.Size {
			t.Errorf("%d bytes padded to %d, want %d", len(text), len(padded), signature.Size)
		}
		if got, want := strings.TrimSpace(string(padded)), strings.TrimSpace(text); got != want {
			t.Errorf("padding changed the text to %q", got)
		}
		if again, err := signature.Pad(padded); err != nil || !bytes.Equal(again, padded) {
			t.Errorf("padding twice differs from padding once: %v", err)
		}
	}
	_, err := signature.Pad([]byte(longest + "x"))
	wantFault(t, err, fault.Usage, nil, "signature of 8191 bytes does not fit into 8192")
}

func TestUnsigned(t *testing.T) {
	t.Parallel()
	blank := signature.Unsigned()
	if len(blank) != signature.Size || !signature.IsBlank(blank) {
		t.Errorf("%d bytes, blank %t", len(blank), signature.IsBlank(blank))
	}
	private, _ := newKey(t)
	if signature.IsBlank(sign(t, private, inventory)) {
		t.Error("a signature counts as blank")
	}
}

func TestEmptyTrustedRootIsJSON(t *testing.T) {
	t.Parallel()
	var root map[string]string
	if err := json.Unmarshal(signature.EmptyTrustedRoot(), &root); err != nil {
		t.Fatal(err)
	}
	if len(root) != 1 || root["mediaType"] != "application/vnd.dev.sigstore.trustedroot+json;version=0.1" {
		t.Errorf("trusted root holds more than its type: %v", root)
	}
}

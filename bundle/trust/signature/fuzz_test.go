package signature_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests/fault"
)

// A fixed key and a signature by it, so that a corpus stays worth something.
const (
	fuzzKey = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEPjKaYsb/V6tEdx/dQXgMg2mMBHGEhKKOdLWMCjE59dxjBresXgpZ2OKBPnRzaoDkANKFCtivfIi3wgPVCXxg5A=="
	fuzzSig = "MEQCICou1VM8PN4SmNl2ifokPtHS4daFEo69RSAlbCHwiuU4AiAvseyXNcjIbgFcr6nCONvaTGtQOg23Hm+dn/Hxd1DE/A=="
)

// Whatever is read as a signature has to be what other programs read in it,
// and whatever verifies has to be a signature.
func FuzzVerify(f *testing.F) {
	der, err := base64.StdEncoding.DecodeString(fuzzKey)
	if err != nil {
		f.Fatal(err)
	}
	parsed, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		f.Fatal(err)
	}
	key := parsed.(*ecdsa.PublicKey)
	public, err := signature.NewPublicKey(key)
	if err != nil {
		f.Fatal(err)
	}
	sum := sha256.Sum256(inventory)

	digest := base64.StdEncoding.EncodeToString(sum[:])
	good := `{"mediaType":"` + signature.MediaType + `","verificationMaterial":{"publicKey":{"hint":"` + public.ID() + `"}},` +
		`"messageSignature":{"messageDigest":{"algorithm":"SHA2_256","digest":"` + digest + `"},"signature":"` + fuzzSig + `"}}`
	if _, err := signature.Verify("bundle.sigstore.json", []signature.PublicKey{public}, []byte(good), sum); err != nil {
		f.Fatalf("the seed is not accepted: %v", err)
	}
	for _, seed := range []string{
		good, good + "\n   \n", good[:len(good)/2], "", " ", "{}", "[]", "null", `{"a":[[[[{"b":{}}]]]]}`,
		strings.Replace(good, ".v0.3+json", "+json;version=0.3", 1),
		strings.Replace(good, `"publicKey"`, `"tlogEntries":[{"logIndex":"1"}],"publicKey"`, 1),
		strings.Replace(good, `"signature"`, `"signature":"","signature"`, 1),
		strings.Replace(good, `"messageSignature"`, `"dsseEnvelope":{"signatures":[]},"messageSignature"`, 1),
		strings.Replace(good, "messageSignature", `message\u0053ignature`, 1),
	} {
		f.Add([]byte(seed))
	}

	f.Fuzz(func(t *testing.T, data []byte) {
		raw, err := signature.DERSignature(data)
		if err != nil {
			if fault.ExitCode(err) != int(fault.Refused) {
				t.Fatalf("error %v is no refusal", err)
			}
			if _, err := signature.Verify("bundle.sigstore.json", []signature.PublicKey{public}, data, sum); err == nil {
				t.Fatal("what cannot be read was verified")
			}
			return
		}
		// A second, lenient reader has to agree on what was read.
		var lenient struct {
			MediaType        string
			MessageSignature struct {
				MessageDigest struct{ Digest []byte }
				Signature     []byte
			}
		}
		if err := json.Unmarshal(data, &lenient); err != nil {
			t.Fatalf("read here, but not by encoding/json: %v", err)
		}
		if !bytes.Equal(lenient.MessageSignature.Signature, raw) {
			t.Fatalf("signature %x here, %x elsewhere", raw, lenient.MessageSignature.Signature)
		}
		_, err = signature.Verify("bundle.sigstore.json", []signature.PublicKey{public}, data, sum)
		claimed := bytes.Equal(lenient.MessageSignature.MessageDigest.Digest, sum[:])
		genuine := claimed && ecdsa.VerifyASN1(key, sum[:], raw)
		if err == nil && !genuine {
			t.Fatal("verified, but is no signature")
		}
		padded := append(bytes.Clone(data), " \n"...)
		if len(padded) > signature.MaxSize {
			return
		}
		_, again := signature.Verify("bundle.sigstore.json", []signature.PublicKey{public}, padded, sum)
		if (again == nil) != (err == nil) {
			t.Fatalf("%v before padding, %v after", err, again)
		}
	})
}

func FuzzParsePublicKey(f *testing.F) {
	der, err := base64.StdEncoding.DecodeString(fuzzKey)
	if err != nil {
		f.Fatal(err)
	}
	good := pemOf(f, "PUBLIC KEY", der, nil)
	f.Add(good)
	f.Add(append(good, good...))
	f.Add([]byte("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"))
	f.Add(pemOf(f, "CERTIFICATE", der, nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := signature.ParsePublicKey("fuzzed", data)
		if err != nil {
			if fault.ExitCode(err) != int(fault.Usage) {
				t.Fatalf("error %v is not about the file", err)
			}
			return
		}
		again, err := signature.ParsePublicKey("again", key.PEM())
		if err != nil || again.ID() != key.ID() {
			t.Fatalf("key %s is written as %s: %v", key.ID(), again.ID(), err)
		}
	})
}

package signature_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests/fault"
)

// wantFault checks an error's kind, its reason (unless nil) and parts of its
// text, and that it has a hint.
func wantFault(t *testing.T, err error, kind fault.Kind, reason error, texts ...string) {
	t.Helper()
	var explained *fault.Error
	if !errors.As(err, &explained) {
		t.Fatalf("error %v, want one that is explained", err)
	}
	if explained.Kind != kind {
		t.Errorf("kind %d, want %d: %v", explained.Kind, kind, err)
	}
	if explained.Hint == "" {
		t.Errorf("no hint: %v", err)
	}
	if reason != nil && !errors.Is(err, reason) {
		t.Errorf("error %q, want %q", err, reason)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}

func TestVerifyAccepts(t *testing.T) {
	t.Parallel()
	private, public := newKey(t)
	_, other := newKey(t)
	good := compact(t, private, public, inventory)
	tests := []struct{ name, bundle string }{
		{"compact", good},
		{"white space on both sides", " \r\n\t" + good + "\n\t \r\n"},
		{"older spelling of the media type", strings.Replace(good, ".v0.3+json", "+json;version=0.3", 1)},
		{"no hint", strings.Replace(good, `"hint":"`+public.ID()+`"`, "", 1)},
		{"empty hint", strings.Replace(good, public.ID(), "", 1)},
		{"log entries and time stamps that mean nothing", strings.Replace(good, `"publicKey"`,
			`"tlogEntries":[{"logIndex":"1","logId":{"keyId":"AA=="},"inclusionProof":{"hashes":["AA==",null,true,1.5e3]}}],`+
				`"timestampVerificationData":{"rfc3161Timestamps":[]},"publicKey"`, 1)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := signature.Verify("bundle.sigstore.json", []signature.PublicKey{{}, other, public}, []byte(test.bundle),
				sha256.Sum256(inventory))
			if err != nil {
				t.Fatal(err)
			}
			if got.ID() != public.ID() {
				t.Errorf("signed by %q, want %q", got.ID(), public.ID())
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	private, public := newKey(t)
	otherPrivate, other := newKey(t)
	good := compact(t, private, public, inventory)
	mine := []signature.PublicKey{public}
	sum := sha256.Sum256(inventory)
	b64 := base64.StdEncoding.EncodeToString
	digest := b64(sum[:])
	der, err := signature.DERSignature([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	replace := func(old, new string) string {
		if strings.Count(good, old) != 1 {
			t.Fatalf("%q is not in the bundle once", old)
		}
		return strings.Replace(good, old, new, 1)
	}

	tests := []struct {
		name   string
		bundle string
		reason error
		text   string
	}{
		{"nothing", "", signature.ErrUnsigned, "blank"},
		{"a place left blank", strings.Repeat(" ", 8<<10) + "\n", signature.ErrUnsigned, "blank"},
		{"another key", compact(t, otherPrivate, other, inventory), signature.ErrWrongKey,
			"claims key \"" + other.ID() + "\", verified with " + public.ID()},
		{"another key that gives no hint", strings.Replace(compact(t, otherPrivate, other, inventory), other.ID(), "", 1), signature.ErrWrongKey,
			"names no key"},
		{"another key under this key's name", compact(t, otherPrivate, public, inventory), signature.ErrAltered, "which did not make it"},
		{"this key under another key's name", compact(t, private, other, inventory), signature.ErrAltered,
			"claims key \"" + other.ID() + "\", but key " + public.ID() + " made it"},
		{"control characters in the hint", replace(public.ID(), `\u001b[2J\u202e`), signature.ErrAltered, `"\x1b[2J\u202e"`},
		{"other content", compact(t, private, public, []byte("other")), signature.ErrAltered, "this content has"},
		{"signature of other content", strings.Replace(compact(t, private, public, []byte("other")), digestOf("other"), digest, 1),
			signature.ErrAltered, "which did not make it"},

		{"a field in other letters beside it", replace(`"mediaType":`, `"MediaType":"x","mediaType":`), signature.ErrMalformed,
			`"MediaType": unknown field`},
		{"a field in its other form behind it", replace(`"messageSignature":`, `"message_signature":{},"messageSignature":`),
			signature.ErrMalformed, `"message_signature": unknown field`},
		{"a field in other letters below", replace(`"signature":`, `"SIGNATURE":"","signature":`), signature.ErrMalformed,
			`"SIGNATURE": unknown field`},
		{"cut short", good[:len(good)-1], signature.ErrMalformed, "not JSON"},
		{"trailing data", good + "\n x", signature.ErrMalformed, "not JSON"},
		{"a second document", good + good, signature.ErrMalformed, "not JSON"},
		{"white space that is none in JSON", good + "\v", signature.ErrMalformed, "not JSON"},
		{"a zero byte at the end", good + "\x00", signature.ErrMalformed, "not JSON"},
		{"byte order mark", "\ufeff" + good, signature.ErrMalformed, "not JSON"},
		{"trailing comma", good[:len(good)-2] + ",}}", signature.ErrMalformed, "not JSON"},
		{"not UTF-8", replace(`"hint":"`, `"hint":"`+"\xff"), signature.ErrMalformed, "not UTF-8"},
		{"an array", "[" + good + "]", signature.ErrMalformed, "not a JSON object"},
		{"a string", `"bundle"`, signature.ErrMalformed, "not a JSON object"},
		{"too long", good + strings.Repeat(" ", signature.MaxSize), signature.ErrMalformed, "more than 65536 bytes"},
		{"too deep", replace(`"publicKey"`, `"tlogEntries":`+strings.Repeat("[", 20)+strings.Repeat("]", 20)+`,"publicKey"`),
			signature.ErrMalformed, "nested more than 16 deep"},

		{"unknown field", replace(`{"mediaType"`, `{"extra":1,"mediaType"`), signature.ErrMalformed, `"extra": unknown field`},
		{"unknown field below", replace(`{"hint"`, `{"rawBytes":"","hint"`), signature.ErrMalformed,
			`verificationMaterial.publicKey."rawBytes": unknown field`},
		{"protobuf's other spelling", replace(`"mediaType"`, `"media_type"`), signature.ErrMalformed, `"media_type": unknown field`},
		{"other capitals", replace(`"mediaType"`, `"mediatype"`), signature.ErrMalformed, `"mediatype": unknown field`},
		{"field twice", replace(`"signature":`, `"signature":"","signature":`), signature.ErrMalformed, `field "signature" is given twice`},
		{"field twice, once escaped", replace(`"signature":`, `"signatur\u0065":"","signature":`), signature.ErrMalformed,
			`field "signature" is given twice`},
		{"field twice in what is not used", replace(`"publicKey"`, `"tlogEntries":[{"a":1,"a":1}],"publicKey"`), signature.ErrMalformed,
			`field "a" is given twice`},

		{"no media type", replace(`"mediaType":"`+signature.MediaType+`",`, ""), signature.ErrMalformed, "mediaType: missing"},
		{"media type null", replace(`"`+signature.MediaType+`"`, "null"), signature.ErrMalformed, "mediaType: not a string"},
		{"older version", replace(".v0.3+json", "+json;version=0.2"), signature.ErrMalformed, "mediaType: "},
		{"newer version", replace(".v0.3+json", ".v0.4+json"), signature.ErrMalformed, "mediaType: "},
		{"attestation", replace(`"messageSignature"`, `"dsseEnvelope"`), signature.ErrMalformed, "dsseEnvelope: an attestation"},
		{"attestation as well", replace(`"messageSignature"`, `"dsseEnvelope":{},"messageSignature"`), signature.ErrMalformed,
			"dsseEnvelope: an attestation"},
		{"certificate", replace(`"publicKey":{"hint":"`+public.ID()+`"}`, `"certificate":{"rawBytes":"AA=="}`), signature.ErrMalformed,
			"certificate: signed with a certificate"},
		{"certificate chain as well", replace(`"publicKey"`, `"x509CertificateChain":{},"publicKey"`), signature.ErrMalformed,
			"x509CertificateChain: signed with a certificate"},
		{"no verification material", replace(`"verificationMaterial":{"publicKey":{"hint":"`+public.ID()+`"}},`, ""), signature.ErrMalformed,
			"verificationMaterial: missing"},
		{"no public key", replace(`"publicKey":{"hint":"`+public.ID()+`"}`, ""), signature.ErrMalformed,
			"verificationMaterial.publicKey: missing"},
		{"public key null", replace(`{"hint":"`+public.ID()+`"}`, "null"), signature.ErrMalformed,
			"verificationMaterial.publicKey: not an object"},
		{"hint a number", replace(`"`+public.ID()+`"`, "1"), signature.ErrMalformed, "hint: not a string"},
		{"hint too long", replace(public.ID(), strings.Repeat("a", 257)), signature.ErrMalformed, "hint: more than 256 bytes"},

		{"no message digest", replace(`"messageDigest":{"algorithm":"SHA2_256","digest":"`+digest+`"},`, ""), signature.ErrMalformed,
			"messageSignature.messageDigest: missing"},
		{"algorithm missing", replace(`"algorithm":"SHA2_256",`, ""), signature.ErrMalformed, "algorithm: missing"},
		{"another algorithm", replace("SHA2_256", "SHA2_512"), signature.ErrMalformed, `algorithm: "SHA2_512", need "SHA2_256"`},
		{"algorithm by number", replace(`"SHA2_256"`, "1"), signature.ErrMalformed, "algorithm: not a string"},
		{"digest too short", replace(digest, b64(sum[:31])), signature.ErrMalformed, "digest: 31 bytes, need 32"},
		{"no signature", replace(`,"signature":"`+b64(der)+`"`, ""), signature.ErrMalformed, "messageSignature.signature: missing"},
		{"empty signature", replace(b64(der), ""), signature.ErrMalformed, "signature: 0 bytes"},
		{"signature too long", replace(b64(der), b64(make([]byte, 73))), signature.ErrMalformed, "signature: 73 bytes"},
		{"signature that is no DER", replace(b64(der), b64(make([]byte, 70))), signature.ErrAltered, "which did not make it"},
		{"signature and more", replace(b64(der), b64(append([]byte{0x30}, der[:len(der)-1]...))), signature.ErrAltered, "which did not make it"},
		{"base64 with line breaks", replace(digest, digest[:4]+`\n`+digest[4:]), signature.ErrMalformed, "digest: not standard base64"},
		{"base64 without padding", replace(digest, strings.TrimRight(digest, "=")), signature.ErrMalformed, "digest: not standard base64"},
		{"base64 with stray bits", replace(digest, digest[:42]+strayBits(digest[42])+"="), signature.ErrMalformed, "digest: not standard base64"},
		{"base64 for addresses", replace(b64(der), "-_"+b64(der)[2:]), signature.ErrMalformed, "signature: not standard base64"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := signature.Verify("bundle.sigstore.json", mine, []byte(test.bundle), sum)
			wantFault(t, err, fault.Refused, test.reason, "bundle.sigstore.json: ", test.text)
			if got.ID() != "" {
				t.Error("a refusal came with a key")
			}
		})
	}
}

func digestOf(content string) string {
	sum := sha256.Sum256([]byte(content))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// strayBits returns another last character for 32 bytes in base64: its two
// lowest bits mean nothing and have to be zero.
func strayBits(last byte) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	return string(alphabet[strings.IndexByte(alphabet, last)|1])
}

func TestVerifyWithoutKeys(t *testing.T) {
	t.Parallel()
	private, _ := newKey(t)
	signed := sign(t, private, inventory)
	for name, keys := range map[string][]signature.PublicKey{"none": nil, "zero keys": {{}, {}}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := signature.Verify("bundle.sigstore.json", keys, signed, sha256.Sum256(inventory))
			wantFault(t, err, fault.Usage, nil, "no public key to verify with")
		})
	}
}

// No byte of the file can be changed unnoticed, be it in the signature, the
// hint or the white space.
func TestVerifyNoticesEachFlippedByte(t *testing.T) {
	t.Parallel()
	private, public := newKey(t)
	signed := sign(t, private, inventory)
	sum := sha256.Sum256(inventory)
	text := len(bytes.TrimSpace(signed))
	for i := range signed {
		if i > text+64 && i < len(signed)-64 {
			continue // one space is like another
		}
		for _, bit := range []byte{1, 0x80} {
			signed[i] ^= bit
			_, err := signature.Verify("bundle.sigstore.json", []signature.PublicKey{public}, signed, sum)
			if fault.ExitCode(err) != int(fault.Refused) {
				t.Errorf("byte %d changed to %q: error %v, want a refusal", i, signed[i], err)
			}
			signed[i] ^= bit
		}
	}
	if _, err := signature.Verify("bundle.sigstore.json", []signature.PublicKey{public}, signed, sum); err != nil {
		t.Errorf("the test did not restore the file: %v", err)
	}
}

func TestDERSignatureRefusesWhatVerifyRefuses(t *testing.T) {
	t.Parallel()
	_, err := signature.DERSignature([]byte("{}"))
	wantFault(t, err, fault.Refused, signature.ErrMalformed, "mediaType: missing")
}

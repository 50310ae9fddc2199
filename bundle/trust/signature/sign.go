package signature

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/json"

	"github.com/islandbundle/island/manifests/fault"
)

// Size is how many bytes a signature file in a bundle has: the JSON and white
// space behind it. What [Sign] writes needs about 450 of them; the rest is
// room for a signature that cosign made and had entered into a public log,
// which takes about 4 KiB.
const Size = 8 << 10

// MediaType is the type of what [Sign] writes.
const MediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"

// digestAlgorithm is SHA-256's name in the enum HashAlgorithm of
// sigstore_common.proto.
const digestAlgorithm = "SHA2_256"

// sigstoreBundle is the part of the message Bundle in sigstore_bundle.proto
// that is written here, in protobuf's JSON mapping.
type sigstoreBundle struct {
	MediaType            string               `json:"mediaType"`
	VerificationMaterial verificationMaterial `json:"verificationMaterial"`
	MessageSignature     messageSignature     `json:"messageSignature"`
}

type verificationMaterial struct {
	PublicKey publicKeyIdentifier `json:"publicKey"`
}

type publicKeyIdentifier struct {
	Hint string `json:"hint"`
}

type messageSignature struct {
	MessageDigest messageDigest `json:"messageDigest"`
	Signature     []byte        `json:"signature"`
}

type messageDigest struct {
	Algorithm string `json:"algorithm"`
	Digest    []byte `json:"digest"`
}

// Sign signs content by its SHA-256 and gives a signature file of exactly
// [Size] bytes. Its JSON has one member a line, so that line tools can take the
// signature out. The same key and digest give the same bytes. The key has to be
// on P-256.
func Sign(key *ecdsa.PrivateKey, digest [sha256.Size]byte) ([]byte, error) {
	if key == nil {
		return nil, fault.New(fault.Usage, fault.Here, "private key", "make a key pair with `island keygen`", "no private key to sign with")
	}
	public, err := NewPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fault.New(fault.Usage, fault.Here, "private key", "make a key pair with `island keygen`", "%w", err)
	}
	// Without a source of randomness the signature is deterministic, as
	// documented at ecdsa.PrivateKey.Sign.
	der, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, fault.New(fault.Failure, fault.Here, "private key "+public.ID(), "", "signing: %w", err)
	}
	text, err := json.MarshalIndent(sigstoreBundle{
		MediaType:            MediaType,
		VerificationMaterial: verificationMaterial{PublicKey: publicKeyIdentifier{Hint: public.ID()}},
		MessageSignature: messageSignature{
			MessageDigest: messageDigest{Algorithm: digestAlgorithm, Digest: digest[:]},
			Signature:     der,
		},
	}, "", "  ")
	if err != nil {
		return nil, fault.New(fault.Failure, fault.Here, FileName, "", "%w", err)
	}
	return Pad(text)
}

// Pad fills a signature file up to [Size] with white space, so that a
// signature that cosign made fits where one by [Sign] stands. It does not check
// what it pads; a file that is too long for the place is an error.
func Pad(bundleJSON []byte) ([]byte, error) {
	text := bytes.TrimRight(bundleJSON, jsonSpace)
	if len(text)+1 >= Size {
		return nil, fault.New(fault.Usage, fault.Here, FileName, "sign again without a public log, time stamps and certificates",
			"signature of %d bytes does not fit into %d", len(text), Size)
	}
	padded := bytes.Repeat([]byte{' '}, Size)
	n := copy(padded, text)
	padded[n], padded[Size-1] = '\n', '\n'
	return padded, nil
}

// Unsigned returns the signature file of a bundle that nobody has signed yet:
// [Size] bytes of white space. [Verify] refuses it with [ErrUnsigned].
func Unsigned() []byte {
	blank := bytes.Repeat([]byte{' '}, Size)
	blank[Size-1] = '\n'
	return blank
}

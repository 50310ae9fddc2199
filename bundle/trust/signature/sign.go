package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"io"

	"github.com/islandbundle/island/manifests/fault"
)

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

// Sign signs content by its SHA-256 and returns a signature file: JSON with one
// member a line, so that line tools can take the signature out, and a newline
// behind it. It has some 450 bytes.
//
// The key has to be ECDSA on P-256, wherever it is kept: a file, a token, a
// service. An [ecdsa.PrivateKey] gives the same bytes for the same digest. What
// comes of the key is checked with its public half before it is given away.
func Sign(key crypto.Signer, digest [sha256.Size]byte) ([]byte, error) {
	if key == nil {
		return nil, fault.New(fault.Usage, fault.Here, "private key", "make a key pair with `island keygen`", "no private key to sign with")
	}
	public, err := NewPublicKey(key.Public())
	if err != nil {
		return nil, fault.New(fault.Usage, fault.Here, "private key", "make a key pair with `island keygen`", "%w", err)
	}
	der, err := key.Sign(randomnessFor(key), digest[:], crypto.SHA256)
	if err != nil {
		return nil, fault.New(fault.Failure, fault.Here, "private key "+public.ID(),
			"check the token or service that keeps the key", "signing: %w", err)
	}
	if !public.signed(digest, der) {
		return nil, fault.New(fault.Failure, fault.Here, "private key "+public.ID(),
			"check the token or service that keeps the key", "what it signed does not verify with its own public key")
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
		return nil, fault.New(fault.Failure, fault.Here, "private key "+public.ID(), "", "encode signature: %w", err)
	}
	return append(text, '\n'), nil
}

// randomnessFor returns what a key shall draw its nonces from. Without any, a
// signature by an [ecdsa.PrivateKey] is deterministic, as is documented there
// (RFC 6979); of other signers nothing is said.
func randomnessFor(key crypto.Signer) io.Reader {
	if _, ok := key.(*ecdsa.PrivateKey); ok {
		return nil
	}
	return rand.Reader
}

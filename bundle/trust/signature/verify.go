package signature

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/islandbundle/island/manifests/fault"
)

// The reasons for which [Verify] refuses, to be told apart with errors.Is.
// Each comes wrapped in an error of kind fault.Refused that says more.
var (
	// ErrUnsigned: there is a place for a signature, and it is blank.
	ErrUnsigned = errors.New("not signed")
	// ErrWrongKey: there is a signature, but by none of the keys given.
	ErrWrongKey = errors.New("signed with another key")
	// ErrAltered: content or signature are not what the key signed.
	ErrAltered = errors.New("content or signature altered")
	// ErrMalformed: what stands there is no signature of the one kind that is
	// read here.
	ErrMalformed = errors.New("not a readable signature")
)

// Verify checks a signature file against content, given as its SHA-256, and
// says which of the keys has signed it. It accepts what [Sign] writes and what
// `cosign sign-blob --key` writes in the new bundle format. Log entries and time
// stamps in it are neither needed nor believed. Each of the keys given is tried;
// a hint at the key is optional, but if there is one it has to be the [PublicKey.ID]
// of the key that signed, as it is with cosign.
//
// Errors are of kind fault.Refused and wrap one of [ErrUnsigned], [ErrWrongKey],
// [ErrAltered] and [ErrMalformed]; giving no key at all is fault.Usage.
func Verify(keys []PublicKey, bundleJSON []byte, digest [sha256.Size]byte) (PublicKey, error) {
	if !slices.ContainsFunc(keys, func(k PublicKey) bool { return k.key != nil }) {
		return PublicKey{}, fault.New(fault.Usage, fault.Here, "public key", "name the sender's public key with --key, such as island.pub",
			"no public key to verify with")
	}
	found, err := read(bundleJSON)
	if err != nil {
		return PublicKey{}, err
	}
	if found.digest != digest {
		return PublicKey{}, refused("get the bundle again from its sender; do not use this one",
			"%w: the signature is for content with sha256 %x, this content has %x", ErrAltered, found.digest, digest)
	}
	for _, key := range keys {
		if !key.signed(digest, found.der) {
			continue
		}
		if found.hint != "" && found.hint != key.ID() {
			return PublicKey{}, refused("get the bundle again from its sender; do not use this one",
				"%w: the signature claims key %q, but key %s made it", ErrAltered, found.hint, key.ID())
		}
		return key, nil
	}
	return PublicKey{}, notSignedBy(keys, found.hint)
}

// notSignedBy words the refusal of a signature that none of the keys verifies.
func notSignedBy(keys []PublicKey, hint string) error {
	var ids []string
	for _, key := range keys {
		if key.key != nil {
			ids = append(ids, key.ID())
		}
	}
	if slices.Contains(ids, hint) {
		return refused("get the bundle again from its sender; do not use this one",
			"%w: the signature claims key %q, which did not make it", ErrAltered, hint)
	}
	claim := "names no key"
	if hint != "" {
		claim = fmt.Sprintf("claims key %q", hint)
	}
	return refused("ask the sender, other than through the bundle, which key id is right",
		"%w: the signature %s, verified with %s", ErrWrongKey, claim, strings.Join(ids, ", "))
}

// DERSignature returns the bare signature out of a signature file, as `openssl
// dgst -verify` wants it: an ASN.1 DER SEQUENCE of two integers (SEC 1, C.5). It
// does not verify it.
func DERSignature(bundleJSON []byte) ([]byte, error) {
	found, err := read(bundleJSON)
	if err != nil {
		return nil, err
	}
	return found.der, nil
}

// IsBlank reports whether a signature file holds no signature at all, as
// [Unsigned] gives it.
func IsBlank(bundleJSON []byte) bool {
	return len(bytes.Trim(bundleJSON, jsonSpace)) == 0
}

func refused(hint, format string, args ...any) *fault.Error {
	return fault.New(fault.Refused, fault.Site, FileName, hint, format, args...)
}

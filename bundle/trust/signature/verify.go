package signature

import (
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
// returns the one of the keys that has signed it. It accepts what [Sign] writes
// and what `cosign sign-blob --key` writes in the new bundle format, with white
// space around it. Log entries and time stamps in it are neither needed nor
// believed. Each of the keys given is tried; a hint at the key is optional, but if
// there is one it has to be the [PublicKey.ID] of the key that signed, as it is
// with cosign.
//
// Object names the file in errors, which are of kind fault.Refused and wrap one of [ErrUnsigned], [ErrWrongKey],
// [ErrAltered] and [ErrMalformed]; giving no key at all is fault.Usage.
func Verify(object string, keys []PublicKey, bundleJSON []byte, digest [sha256.Size]byte) (PublicKey, error) {
	if !slices.ContainsFunc(keys, func(k PublicKey) bool { return k.key != nil }) {
		return PublicKey{}, fault.New(fault.Usage, fault.Here, object, "name the sender's public key with --key, such as island.pub",
			"no public key to verify with")
	}
	found, err := read(object, bundleJSON)
	if err != nil {
		return PublicKey{}, err
	}
	if found.digest != digest {
		return PublicKey{}, refused(object, "get the bundle again from its sender; do not use this one",
			"%w: the signature is for content with sha256 %x, this content has %x", ErrAltered, found.digest, digest)
	}
	for _, key := range keys {
		if !key.signed(digest, found.der) {
			continue
		}
		if found.hint != "" && found.hint != key.ID() {
			return PublicKey{}, refused(object, "get the bundle again from its sender; do not use this one",
				"%w: the signature claims key %q, but key %s made it", ErrAltered, found.hint, key.ID())
		}
		return key, nil
	}
	return PublicKey{}, notSignedBy(object, keys, found.hint)
}

// notSignedBy words the refusal of a signature that none of the keys verifies.
func notSignedBy(object string, keys []PublicKey, hint string) error {
	var ids []string
	for _, key := range keys {
		if key.key != nil {
			ids = append(ids, key.ID())
		}
	}
	if slices.Contains(ids, hint) {
		return refused(object, "get the bundle again from its sender; do not use this one",
			"%w: the signature claims key %q, which did not make it", ErrAltered, hint)
	}
	claim := "names no key"
	if hint != "" {
		claim = fmt.Sprintf("claims key %q", hint)
	}
	return refused(object, "ask the sender, other than through the bundle, which key id is right",
		"%w: the signature %s, verified with %s", ErrWrongKey, claim, strings.Join(ids, ", "))
}

func refused(object, hint, format string, args ...any) *fault.Error {
	return fault.New(fault.Refused, fault.Site, object, hint, format, args...)
}

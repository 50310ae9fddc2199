package bundle

import (
	"crypto/sha256"
	"slices"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Trust says whose signature makes a bundle worth believing. The zero value
// trusts nobody.
type Trust struct {
	Keys          []signature.PublicKey // any one of them is enough
	AllowUnsigned bool                  // a bundle built with --unsigned is taken as it is
	// Revoked are ids of keys whose signatures count no more, whoever trusts them.
	Revoked []string
	// WithoutAnyCheck believes the inventory of whoever made the archive. It is
	// for looking at a bundle, never for using one.
	WithoutAnyCheck bool
}

// valid returns the keys whose signatures count.
func (t Trust) valid() []signature.PublicKey {
	return slices.DeleteFunc(slices.Clone(t.Keys), func(k signature.PublicKey) bool { return slices.Contains(t.Revoked, k.ID()) })
}

// ValidSignature is a signature that holds, by a key that is trusted.
type ValidSignature struct {
	Slot manifests.EntryPath // in which it stands
	Key  signature.PublicKey
}

// Signers are all valid signatures by trusted keys, in the order of the archive.
// Signatures by keys that nobody trusts are not among them.
type Signers []ValidSignature

// Keys returns the keys that have signed, each once.
func (s Signers) Keys() []signature.PublicKey {
	var keys []signature.PublicKey
	for _, valid := range s {
		same := func(k signature.PublicKey) bool { return k.ID() == valid.Key.ID() }
		if !slices.ContainsFunc(keys, same) {
			keys = append(keys, valid.Key)
		}
	}
	return keys
}

// believe returns who signed the text. Of several signatures one by a trusted
// key is enough, whatever the others are.
func (s *signedText) believe(trust Trust) (Signers, error) {
	object := string(s.file.slot(""))
	keys := trust.valid()
	unsigned := !slices.ContainsFunc(s.slots, func(slot []byte) bool { return !isBlankSlot(slot) })
	switch {
	case trust.WithoutAnyCheck:
		return nil, nil
	case len(trust.Keys) > 0 && len(keys) == 0:
		return nil, fault.New(fault.Refused, fault.Site, object, "get a bundle that is signed with another key", "every key given is revoked")
	case unsigned && trust.AllowUnsigned:
		return nil, nil
	case unsigned && len(keys) == 0:
		return nil, fault.New(fault.Refused, fault.Site, object,
			"give the sender's public key with --key; --allow-unsigned takes the bundle as it is", "bundle is not signed")
	}
	return s.validSignatures(keys)
}

// validSignatures goes through all signatures, and returns those that hold. Where
// none does, the error is that of the first.
func (s *signedText) validSignatures(keys []signature.PublicKey) (Signers, error) {
	digest := sha256.Sum256(s.text)
	var signers Signers
	var first error
	for i, slot := range s.slots {
		key, err := signature.Verify(string(s.file.slot("")), keys, slot, digest)
		if err == nil {
			signers = append(signers, ValidSignature{Slot: s.names[i], Key: key})
		} else if first == nil {
			first = err
		}
	}
	if len(signers) > 0 {
		return signers, nil
	}
	return nil, first
}

package main

import (
	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/manifests"
)

// signer is a trusted key that has signed a bundle.
type signer struct {
	Slot  manifests.EntryPath `json:"slot"` // entry in which its signature stands
	KeyID string              `json:"keyID"`
}

func signersOf(set bundle.Signers) []signer {
	var signers []signer
	for _, valid := range set {
		signers = append(signers, signer{Slot: valid.Slot, KeyID: valid.Key.ID()})
	}
	return signers
}

// firstSigner returns the id of the first key that has signed, if any has.
func firstSigner(set bundle.Signers) string {
	if len(set) == 0 {
		return ""
	}
	return set[0].Key.ID()
}

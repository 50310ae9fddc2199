package bundle

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests/fault"
)

// SignatureSize is how many bytes an entry with a signature has: the JSON and
// white space behind it, which JSON allows at its end. So a bundle can be planned
// before it is signed, and signing it again moves no other byte. What
// [signature.Sign] writes needs about 450 bytes; the rest is room for a signature
// that cosign made and had entered into a public log, which takes about 4 KiB.
const SignatureSize = 8 << 10

// signedSlot signs a text, and returns the entry for the signature.
func signedSlot(key crypto.Signer, text []byte) ([]byte, error) {
	signed, err := signature.Sign(key, sha256.Sum256(text))
	if err != nil {
		return nil, err
	}
	return pad(signed)
}

// pad fills a signature up to [SignatureSize] with white space. It does not check
// what it pads; one that is too long for the place is an error.
func pad(signed []byte) ([]byte, error) {
	text := bytes.TrimRight(signed, jsonSpace)
	if len(text)+1 >= SignatureSize {
		return nil, fault.New(fault.Usage, fault.Here, SignaturePath, "sign again without a public log, time stamps and certificates",
			"signature of %d bytes does not fit into %d", len(text), SignatureSize)
	}
	padded := bytes.Repeat([]byte{' '}, SignatureSize)
	n := copy(padded, text)
	padded[n], padded[SignatureSize-1] = '\n', '\n'
	return padded, nil
}

// jsonSpace is the white space that JSON allows (RFC 8259 section 2).
const jsonSpace = " \t\r\n"

// blankSlot returns the entry for a signature that nobody has made yet.
func blankSlot() []byte {
	blank := bytes.Repeat([]byte{' '}, SignatureSize)
	blank[SignatureSize-1] = '\n'
	return blank
}

// isBlankSlot reports whether an entry holds no signature at all.
func isBlankSlot(slot []byte) bool { return len(bytes.Trim(slot, jsonSpace)) == 0 }

// checkPadded makes sure that a signature entry has no white space but what a
// writer put there: it is JSON either without any or indented by two spaces,
// filled up as pad does it. What white space says is nothing, so the signature
// cannot cover it, and an altered byte must not pass.
func checkPadded(slot []byte) error {
	if isBlankSlot(slot) {
		if !bytes.Equal(slot, blankSlot()) {
			return errors.New("white space of a blank signature was altered")
		}
		return nil
	}
	text := bytes.TrimRight(slot, jsonSpace)
	var compact, indented bytes.Buffer
	if err := errors.Join(json.Compact(&compact, text), json.Indent(&indented, text, "", "  ")); err != nil {
		return fmt.Errorf("signature is not readable: %w", err)
	}
	for _, spelling := range [][]byte{compact.Bytes(), indented.Bytes()} {
		if padded, err := pad(spelling); err == nil && bytes.Equal(padded, slot) {
			return nil
		}
	}
	return errors.New("white space in or around the signature was altered")
}

// Package pemfile reads files that hold exactly one PEM block, as key files do.
package pemfile

import (
	"bytes"
	"encoding/pem"

	"github.com/islandbundle/island/manifests/fault"
)

// MaxSize is the most bytes that a key file may have. Real ones have less than
// 1 KiB.
const MaxSize = 64 << 10

// Decode returns the one block in data. Text before or after it is refused: a
// second key that is silently ignored is a key that someone believes in use.
// Object names the file in errors, which are all of kind fault.Usage.
func Decode(object string, data []byte) (*pem.Block, error) {
	refuse := func(hint, format string, args ...any) error {
		return fault.New(fault.Usage, fault.Here, object, hint, format, args...)
	}
	if len(data) > MaxSize {
		return nil, refuse("check that this is a key file", "more than %d bytes", MaxSize)
	}
	data = bytes.TrimSpace(data)
	if !bytes.HasPrefix(data, []byte("-----BEGIN ")) {
		return nil, refuse("a key file starts with -----BEGIN", "not a PEM file")
	}
	block, rest := pem.Decode(data)
	if block == nil {
		return nil, refuse("the file may be cut short; get it again", "damaged PEM block")
	}
	// pem.Decode passes over a damaged block in search of a sound one.
	if !bytes.HasPrefix(data, []byte("-----BEGIN "+block.Type+"-----")) || bytes.Count(data, []byte("-----BEGIN ")) != 1 {
		return nil, refuse("put each key into a file of its own", "more than one PEM block")
	}
	if len(bytes.TrimSpace(rest)) != 0 {
		return nil, refuse("put nothing but the key into the file", "text after the PEM block")
	}
	return block, nil
}

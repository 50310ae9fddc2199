package resolve

import (
	"crypto/sha256"
	"errors"
	"io"
	"os"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// SignatureSuffix follows the name of a document in that of its signature.
const SignatureSuffix = ".sigstore.json"

// maxSignature is how many bytes of a document's signature are read.
const maxSignature = 8 << 10

// Policy says on the command line what a [manifests.Policy] says in a document.
// The zero value demands nothing.
type Policy struct {
	RequireSigned bool // of the release, its overlays and its patches
	Keys          []signature.PublicKey
}

// document is what was read of a file, so that what is checked and what is
// used are the same bytes.
type document struct {
	file     string
	data     []byte
	signedBy string // id of the key, if a signature was demanded
}

func readDocument(file string) (*document, error) {
	data, err := manifests.ReadFile(file)
	return &document{file: file, data: data}, err
}

// verify refuses a document that none of the keys has signed. The signature
// stands beside it.
func (d *document) verify(keys []signature.PublicKey) error {
	name := d.file + SignatureSuffix
	if len(keys) == 0 {
		return fault.New(fault.Usage, fault.Here, d.file, "name public keys with --doc-key, or below policy.keys of an overlay",
			"the policy demands a signature, and no key is named that could have made it")
	}
	file, err := os.Open(name)
	if err != nil {
		return fault.New(fault.Refused, fault.Here, d.file, "its author signs it with island sign; both files have to lie side by side",
			"document is not signed, and the policy demands it: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSignature+1))
	if err != nil {
		return fault.Explain(err, fault.Failure, fault.Here, name, "")
	}
	key, err := signature.Verify(name, keys, text, sha256.Sum256(d.data))
	if refusal := (*fault.Error)(nil); errors.As(err, &refusal) {
		at := *refusal
		at.Object, at.Side, at.Hint = name, fault.Here, "get the document and its signature again from its author; do not use this one"
		return &at
	}
	d.signedBy = key.ID()
	return err
}

// readKeys reads the public keys that a document's policy names.
func readKeys(baseDir string, names []string) ([]signature.PublicKey, error) {
	var keys []signature.PublicKey
	for _, name := range names {
		file := below(baseDir, name)
		data, err := manifests.ReadRegular(file, signature.MaxKeyFileSize)
		if err != nil {
			return nil, fault.Explain(err, fault.Usage, fault.Here, name, "a key of the policy is named relative to its document")
		}
		key, err := signature.ParsePublicKey(file, data)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

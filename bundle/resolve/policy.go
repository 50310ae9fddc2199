package resolve

import (
	"crypto/sha256"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// What lies beside a signed document is called by its name and one of these, or both.
const (
	SignatureSuffix = ".sigstore.json" // the signature over it
	BindingsSuffix  = ".binds.json"    // what the local files are that it names; signed in its turn
)

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
	file           string
	data           []byte
	named, rebased []manifests.LocalPath // as it names them, and as they start at the release
	signedBy       string                // id of the key, if a signature was demanded
	bound          *manifests.Bindings   // what was signed of the files, likewise
}

func readDocument(file string) (*document, error) {
	data, err := manifests.ReadFile(file)
	return &document{file: file, data: data}, err
}

// verify refuses a document that none of the keys has signed, and demands of the local
// files that it names that they were signed with it. Both signatures stand beside it.
func (d *document) verify(keys []signature.PublicKey, in *inputs) error {
	key, err := verifyBeside(d.file, d.data, keys)
	if err != nil {
		return err
	}
	d.signedBy = key.ID()
	if len(d.named) == 0 {
		return nil
	}
	if d.bound, err = d.bindings(keys); err != nil {
		return err
	}
	return in.bind(d.named, d.rebased, d.bound)
}

// bindings reads what was signed with the document of the files that it names.
func (d *document) bindings(keys []signature.PublicKey) (*manifests.Bindings, error) {
	name := d.file + BindingsSuffix
	data, err := manifests.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, refusedPath(d.named[0], "it was not signed along with the document that names it: %s is not there", filepath.Base(name))
	}
	if err != nil {
		return nil, err
	}
	if _, err := verifyBeside(name, data, keys); err != nil {
		return nil, err
	}
	bindings, err := manifests.ReadBindings(name, data)
	if err != nil {
		return nil, err
	}
	if bindings.Document != manifests.DigestOf(d.data) {
		return nil, fault.New(fault.Refused, fault.Here, name, "get the document and what lies beside it again from its author",
			"it is of a document with digest %s, and %s has another", bindings.Document, d.file)
	}
	return bindings, nil
}

// verifyBeside refuses content that none of the keys has signed; the signature lies
// beside it. It returns the key.
func verifyBeside(file string, data []byte, keys []signature.PublicKey) (signature.PublicKey, error) {
	name := file + SignatureSuffix
	text, err := manifests.ReadRegular(name, maxSignature)
	if errors.Is(err, fs.ErrNotExist) {
		return signature.PublicKey{}, fault.New(fault.Refused, fault.Here, file,
			"its author signs it with island sign; both files have to lie side by side",
			"document is not signed, and the policy demands it: open %s: %w", name, fs.ErrNotExist)
	}
	if err == nil && len(keys) == 0 {
		err = fault.New(fault.Usage, fault.Here, file, "name public keys with --doc-key, or for other documents below policy.keys of an overlay",
			"the policy demands a signature, and no key is named that could have made it")
	}
	if err != nil {
		return signature.PublicKey{}, err
	}
	key, err := signature.Verify(name, keys, text, sha256.Sum256(data))
	if refusal := (*fault.Error)(nil); errors.As(err, &refusal) {
		at := *refusal
		at.Object, at.Side, at.Hint = name, fault.Here, "get the document and its signature again from its author; do not use this one"
		return key, &at
	}
	return key, err
}

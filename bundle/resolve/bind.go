package resolve

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/internal/whole"
	"github.com/islandbundle/island/manifests"
	"github.com/islandbundle/island/manifests/fault"
)

// Bind says what the local files are that a document names, for who signs it; nil if
// it names none. Beside a file with secrets it makes a salt, unless there is one.
func Bind(file string, data []byte, named []manifests.LocalPath) (*manifests.Bindings, error) {
	if len(named) == 0 {
		return nil, nil
	}
	in := newInputs(filepath.Dir(file))
	bindings := &manifests.Bindings{
		APIVersion: manifests.APIVersion, Kind: manifests.KindBindings, Document: manifests.DigestOf(data), Bound: []manifests.Binding{},
	}
	var errs []error
	for _, local := range named {
		if _, twice := bindings.Of(local.Path); twice {
			continue
		}
		one, err := in.binding(local)
		if err != nil {
			errs = append(errs, placed(local, err))
			continue
		}
		bindings.Bound = append(bindings.Bound, one)
	}
	return bindings, errors.Join(errs...)
}

func (in *inputs) binding(local manifests.LocalPath) (manifests.Binding, error) {
	one := manifests.Binding{Path: local.Path}
	is, err := in.state(local.Path, local.Kind)
	switch {
	case err != nil:
		return one, err
	case is.files != nil:
		one.Files = is.files
	case local.Kind == manifests.LocalSecret:
		one.Salted, err = saltedDigest(below(in.baseDir, local.Path), is.data)
	default:
		one.Digest = manifests.DigestOf(is.data)
	}
	return one, err
}

// saltedDigest returns the digest of a file with secrets behind the salt that lies
// beside it. Where there is no salt, one is made, whole or not at all.
func saltedDigest(file string, data []byte) (manifests.Digest, error) {
	name := file + SaltSuffix
	salt, err := manifests.ReadRegular(name, maxSalt)
	if errors.Is(err, fs.ErrNotExist) {
		salt, err = makeSalt(name)
	}
	if err != nil {
		return "", fault.OnDisk(err, name, "the salt of a file with secrets lies beside it")
	}
	digest, err := manifests.SaltedDigest(salt, data)
	return digest, fault.Explain(err, fault.Usage, fault.Here, name,
		"put back the salt with which documents were signed; if there was none, remove the file, and signing makes another")
}

func makeSalt(name string) ([]byte, error) {
	random := make([]byte, 32)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	salt := []byte(hex.EncodeToString(random) + "\n")
	return salt, whole.Create(name, salt, 0o600)
}

// CheckSigned refuses a document that none of the keys has signed, or that names
// local files that are not what was signed with it. It returns the id of the key and,
// if it names any, what was signed of them.
func CheckSigned(file string, data []byte, named []manifests.LocalPath, keys []signature.PublicKey) (string, *manifests.Bindings, error) {
	in := newInputs(filepath.Dir(file))
	d := &document{file: file, data: data, named: named, rebased: named}
	if err := d.verify(keys, in); err != nil {
		return "", nil, err
	}
	return d.signedBy, d.bound, in.checkAll()
}

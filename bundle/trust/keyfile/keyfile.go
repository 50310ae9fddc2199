// Package keyfile makes and reads the files that hold private signing keys, and
// asks for their passphrases.
//
// The format is cosign's own, so that one key serves both programs: a PEM
// block ENCRYPTED SIGSTORE PRIVATE KEY around a JSON document, which holds a
// PKCS#8 key (RFC 5958) in a NaCl secret box, under a key that scrypt (RFC 7914)
// derives from the passphrase. A key in plain PKCS#8 is read too, for those who
// keep it safe in other ways.
//
// # Memory
//
// scrypt is made to need memory: 64 MiB for a key that cosign or this package
// has made, once for reading it and once for making it. It is given back to the
// system before the functions here return, since what follows is a build that
// has better use for it.
//
// A site never needs this package: verifying takes public keys alone, see
// package signature.
package keyfile

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"runtime/debug"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"

	"github.com/islandbundle/island/bundle/trust/internal/pemfile"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests/fault"
)

// MaxPassphrase is the most bytes that a passphrase may have.
const MaxPassphrase = 1024

// PEM block types that are read.
const (
	sigstoreBlock = "ENCRYPTED SIGSTORE PRIVATE KEY"
	cosignBlock   = "ENCRYPTED COSIGN PRIVATE KEY" // cosign before 2.0
	pkcs8Block    = "PRIVATE KEY"
)

// KeyPair is a new key pair as two PEM files, the private one encrypted. It
// should be readable by its owner alone (mode 0600).
type KeyPair struct {
	PrivatePEM []byte
	PublicPEM  []byte
}

// GenerateKey makes a key pair on P-256 and encrypts the private key under a
// passphrase. An empty passphrase is possible, as it is with cosign, and
// protects nothing. It takes 64 MiB and some 0.2 s.
func GenerateKey(passphrase []byte) (KeyPair, error) {
	failed := func(err error) (KeyPair, error) {
		return KeyPair{}, fault.New(fault.Failure, fault.Here, "new key", "", "%w", err)
	}
	if len(passphrase) > MaxPassphrase {
		return KeyPair{}, fault.New(fault.Usage, fault.Here, "new key", "choose a shorter one", "passphrase of more than %d bytes", MaxPassphrase)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return failed(err)
	}
	public, err := signature.NewPublicKey(&key.PublicKey)
	if err != nil {
		return failed(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return failed(err)
	}
	defer clear(der)
	// The library's standard strength (scrypt N=65536, r=8, p=1) is cosign's.
	box, err := encrypted.Encrypt(der, passphrase)
	debug.FreeOSMemory()
	if err != nil {
		return failed(err)
	}
	return KeyPair{
		PrivatePEM: pem.EncodeToMemory(&pem.Block{Type: sigstoreBlock, Bytes: box}),
		PublicPEM:  public.PEM(),
	}, nil
}

// ParsePrivateKey reads a private key file. It asks for the passphrase only if
// the key is encrypted, and wipes what it is given. Object names the file in
// errors, which are of kind fault.Usage (or what passphrase returned) and say
// what was found and how to convert it.
func ParsePrivateKey(object string, data []byte, passphrase func() ([]byte, error)) (crypto.Signer, error) {
	block, err := pemfile.Decode(object, data)
	if err != nil {
		return nil, err
	}
	defer clear(block.Bytes)
	der := block.Bytes
	switch block.Type {
	case pkcs8Block:
	case sigstoreBlock, cosignBlock:
		if der, err = decrypt(object, block.Bytes, passphrase); err != nil {
			return nil, err
		}
		defer clear(der)
	default:
		return nil, unknownBlock(object, block.Type)
	}
	return parsePKCS8(object, der)
}

func decrypt(object string, box []byte, passphrase func() ([]byte, error)) ([]byte, error) {
	secret, err := passphrase()
	if err != nil {
		return nil, err
	}
	defer clear(secret)
	der, err := encrypted.Decrypt(box, secret)
	debug.FreeOSMemory()
	if err != nil {
		return nil, fault.New(fault.Usage, fault.Here, object,
			"check the passphrase; COSIGN_PASSWORD is used when it is set, even if it is empty",
			"wrong passphrase or damaged key: %w", err)
	}
	return der, nil
}

func parsePKCS8(object string, der []byte) (crypto.Signer, error) {
	const hint = "make a key pair with `island keygen`"
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fault.New(fault.Usage, fault.Here, object, "the file may be damaged", "unreadable private key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fault.New(fault.Usage, fault.Here, object, hint, "key of type %T, need ECDSA on P-256", parsed)
	}
	if _, err := signature.NewPublicKey(&key.PublicKey); err != nil {
		return nil, fault.New(fault.Usage, fault.Here, object, hint, "%w", err)
	}
	return key, nil
}

// unknownBlock says how to turn another program's key file into one that is
// read here.
func unknownBlock(object, blockType string) error {
	hint := "make a key pair with `island keygen`"
	switch blockType {
	case "EC PRIVATE KEY", "EC PARAMETERS":
		hint = "convert it with `openssl pkcs8 -topk8 -nocrypt -in OLD -out NEW`, or encrypt it with `cosign import-key-pair --key OLD`"
	case "ENCRYPTED PRIVATE KEY":
		hint = "convert it with `openssl pkcs8 -in OLD -out NEW`, then encrypt it with `cosign import-key-pair --key NEW`"
	case "PUBLIC KEY":
		hint = "give the private key, such as island.key"
	}
	return fault.New(fault.Usage, fault.Here, object, hint, "PEM block %.64q, need %q or %q", blockType, sigstoreBlock, pkcs8Block)
}

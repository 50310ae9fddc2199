package signature

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/islandbundle/island/bundle/trust/internal/pemfile"
	"github.com/islandbundle/island/manifests/fault"
)

// MaxKeyFileSize is the most bytes that a key file may have.
const MaxKeyFileSize = pemfile.MaxSize

// PEM block types, of which only the first is a public key. The others are
// recognised so that an error can say what to do.
const (
	publicKeyBlock   = "PUBLIC KEY"
	certificateBlock = "CERTIFICATE"
)

// PublicKey is an ECDSA public key on the curve P-256. The zero value is no
// key and verifies nothing.
type PublicKey struct {
	key *ecdsa.PublicKey
	id  string
}

// NewPublicKey checks that a key is ECDSA on P-256.
func NewPublicKey(public crypto.PublicKey) (PublicKey, error) {
	key, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return PublicKey{}, fmt.Errorf("key of type %T, need ECDSA on P-256", public)
	}
	if key == nil {
		return PublicKey{}, errors.New("no public key")
	}
	if key.Curve != elliptic.P256() {
		return PublicKey{}, fmt.Errorf("key on curve %s, need P-256", curveName(key.Curve))
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return PublicKey{}, fmt.Errorf("not a point on P-256: %w", err)
	}
	sum := sha256.Sum256(der)
	return PublicKey{key: key, id: base64.StdEncoding.EncodeToString(sum[:])}, nil
}

// ParsePublicKey reads a public key file: one PEM block of type PUBLIC KEY (RFC
// 7468 section 13), as `island keygen`, `cosign generate-key-pair` and `openssl
// pkey -pubout` write it. Object names the file in errors, which are of kind
// fault.Usage and say what was found instead.
func ParsePublicKey(object string, data []byte) (PublicKey, error) {
	refuse := func(hint, format string, args ...any) (PublicKey, error) {
		return PublicKey{}, fault.New(fault.Usage, fault.Here, object, hint, format, args...)
	}
	block, err := pemfile.Decode(object, data)
	if err != nil {
		return PublicKey{}, err
	}
	switch block.Type {
	case publicKeyBlock:
	case certificateBlock:
		return refuse("take the key out with `openssl x509 -in CERTIFICATE -noout -pubkey`", "a certificate, need a public key")
	default:
		return refuse("give the public key, such as island.pub; never bring a private key to a site",
			"PEM block %.64q, need %q", block.Type, publicKeyBlock)
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return refuse("the file may be damaged; get it again", "unreadable public key: %w", err)
	}
	key, err := NewPublicKey(parsed)
	if err != nil {
		return refuse("make a key pair with `island keygen`", "%w", err)
	}
	return key, nil
}

// ID identifies the key: the SHA-256 of its DER form (SubjectPublicKeyInfo,
// RFC 5480) in base64, which is what cosign writes as the hint of a bundle's
// public key. For a file it is what this prints:
//
//	openssl pkey -pubin -in island.pub -outform DER | openssl dgst -sha256 -binary | openssl base64
//
// It is "" for the zero PublicKey.
func (k PublicKey) ID() string { return k.id }

// String returns the key's ID.
func (k PublicKey) String() string { return k.id }

// PEM returns the key as a public key file that [ParsePublicKey], cosign and
// OpenSSL read. It is nil for the zero PublicKey.
func (k PublicKey) PEM() []byte {
	if k.key == nil {
		return nil
	}
	der, err := x509.MarshalPKIXPublicKey(k.key)
	if err != nil {
		return nil // cannot be: NewPublicKey has marshalled the same key
	}
	return pem.EncodeToMemory(&pem.Block{Type: publicKeyBlock, Bytes: der})
}

// signed reports whether der is this key's signature over a digest.
func (k PublicKey) signed(digest [sha256.Size]byte, der []byte) bool {
	return k.key != nil && ecdsa.VerifyASN1(k.key, digest[:], der)
}

func curveName(curve elliptic.Curve) string {
	if curve == nil {
		return "(none)"
	}
	return curve.Params().Name
}

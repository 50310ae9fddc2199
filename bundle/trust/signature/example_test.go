package signature_test

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/islandbundle/island/bundle/trust/keyfile"
	"github.com/islandbundle/island/bundle/trust/signature"
)

// From a new key to a verified inventory: the first half is done where bundles
// are built, the second on the site.
func Example() {
	secret := func() ([]byte, error) { return []byte("correct horse"), nil }
	passphrase, _ := secret()
	pair, err := keyfile.GenerateKey(passphrase)
	if err != nil {
		panic(err)
	}
	private, err := keyfile.ParsePrivateKey("island.key", pair.PrivatePEM, secret)
	if err != nil {
		panic(err)
	}
	inventory := []byte(`{"release":"wire"}`)
	signed, err := signature.Sign(private, sha256.Sum256(inventory))
	if err != nil {
		panic(err)
	}
	fmt.Println(len(signed), "bytes")

	public, err := signature.ParsePublicKey("island.pub", pair.PublicPEM)
	if err != nil {
		panic(err)
	}
	by, err := signature.Verify([]signature.PublicKey{public}, signed, sha256.Sum256(inventory))
	fmt.Println(by.ID() == public.ID(), err)

	_, err = signature.Verify([]signature.PublicKey{public}, signed, sha256.Sum256([]byte("something else")))
	fmt.Println(errors.Is(err, signature.ErrAltered))
	// Output:
	// 8192 bytes
	// true <nil>
	// true
}

// A bundle that nobody has signed has the place for a signature all the same.
func ExampleUnsigned() {
	public, err := signature.ParsePublicKey("island.pub", []byte(`-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEPjKaYsb/V6tEdx/dQXgMg2mMBHGE
hKKOdLWMCjE59dxjBresXgpZ2OKBPnRzaoDkANKFCtivfIi3wgPVCXxg5A==
-----END PUBLIC KEY-----
`))
	if err != nil {
		panic(err)
	}
	_, err = signature.Verify([]signature.PublicKey{public}, signature.Unsigned(), sha256.Sum256(nil))
	fmt.Println(errors.Is(err, signature.ErrUnsigned))
	fmt.Println(err)
	// Output:
	// true
	// bundle.sigstore.json: not signed: the signature file is blank
}

// The id of a key is what both sides compare on the telephone.
func ExamplePublicKey_ID() {
	public, err := signature.ParsePublicKey("island.pub", []byte(`-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEPjKaYsb/V6tEdx/dQXgMg2mMBHGE
hKKOdLWMCjE59dxjBresXgpZ2OKBPnRzaoDkANKFCtivfIi3wgPVCXxg5A==
-----END PUBLIC KEY-----
`))
	if err != nil {
		panic(err)
	}
	fmt.Println(public.ID())
	// Output: 0i0ChVLzdojV8JVFWOu3tP4dAViUJMFnhxGfJPHBWEs=
}

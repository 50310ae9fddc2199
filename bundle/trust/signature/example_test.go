package signature_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/islandbundle/island/bundle/trust/signature"
)

// From a new key to a verified inventory: the first half is done where bundles
// are built, the second on the site. Package keyfile keeps keys in files.
func Example() {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	inventory := []byte(`{"release":"wire"}`)
	signed, err := signature.Sign(private, sha256.Sum256(inventory))
	if err != nil {
		panic(err)
	}
	again, err := signature.Sign(private, sha256.Sum256(inventory))
	if err != nil {
		panic(err)
	}
	fmt.Println("the same bytes again:", bytes.Equal(signed, again))

	public, err := signature.NewPublicKey(private.Public())
	if err != nil {
		panic(err)
	}
	by, err := signature.Verify("bundle.sigstore.json", []signature.PublicKey{public}, signed, sha256.Sum256(inventory))
	fmt.Println(by.ID() == public.ID(), err)

	_, err = signature.Verify("bundle.sigstore.json", []signature.PublicKey{public}, signed, sha256.Sum256([]byte("something else")))
	fmt.Println(errors.Is(err, signature.ErrAltered))
	// Output:
	// the same bytes again: true
	// true <nil>
	// true
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

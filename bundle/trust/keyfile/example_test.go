package keyfile_test

import (
	"fmt"
	"strings"

	"github.com/islandbundle/island/bundle/trust/keyfile"
	"github.com/islandbundle/island/bundle/trust/signature"
)

// A key pair is made once; the private half is read again for each signature, and
// its passphrase asked for only then.
func Example() {
	pair, err := keyfile.GenerateKey([]byte("correct horse"))
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.SplitN(string(pair.PrivatePEM), "\n", 2)[0])

	private, err := keyfile.ParsePrivateKey("island.key", pair.PrivatePEM, func() ([]byte, error) {
		return []byte("correct horse"), nil
	})
	if err != nil {
		panic(err)
	}
	public, err := signature.NewPublicKey(private.Public())
	fmt.Println(string(public.PEM()) == string(pair.PublicPEM), err)
	// Output:
	// -----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----
	// true <nil>
}

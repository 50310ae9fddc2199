package signature_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"strings"
	"testing"

	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests/fault"
)

func TestParsePublicKey(t *testing.T) {
	t.Parallel()
	private, public := newKey(t)
	good := public.PEM()

	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	edKey, _, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	privatePEM := pemOf(t, "PRIVATE KEY", pkcs8, err)
	damaged := bytes.Replace(bytes.Clone(good), []byte("\nM"), []byte("\n*"), 1)

	tests := []struct {
		name, wantErr string
		data          []byte
	}{
		{"as written by this package", "", good},
		{"white space around it", "", []byte("\n" + strings.ReplaceAll(string(good), "\n", "\r\n") + "\n")},
		{"empty file", "not a PEM file", nil},
		{"text in front", "not a PEM file", append([]byte("my key\n"), good...)},
		{"text behind", "text after the PEM block", append(bytes.Clone(good), "my key"...)},
		{"two keys", "more than one PEM block", append(bytes.Clone(good), good...)},
		{"a damaged key before a sound one", "more than one PEM block", append(damaged, good...)},
		{"cut short", "damaged PEM block", good[:len(good)/2]},
		{"too long", "more than 65536 bytes", bytes.Repeat([]byte(" "), signature.MaxKeyFileSize+1)},
		{"private key", "PEM block \"PRIVATE KEY\", need \"PUBLIC KEY\"", privatePEM},
		{"certificate", "a certificate, need a public key", pemOf(t, "CERTIFICATE", []byte{0}, nil)},
		{"no DER inside", "unreadable public key", pemOf(t, "PUBLIC KEY", []byte("hello"), nil)},
		{"wrong curve", "key on curve P-384, need P-256", publicPEM(t, &p384.PublicKey)},
		{"RSA", "key of type *rsa.PublicKey, need ECDSA on P-256", publicPEM(t, &rsaKey.PublicKey)},
		{"Ed25519", "key of type ed25519.PublicKey, need ECDSA on P-256", publicPEM(t, edKey)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := signature.ParsePublicKey("island.pub", test.data)
			if test.wantErr == "" {
				if err != nil {
					t.Fatal(err)
				}
				if got.ID() != public.ID() || !bytes.Equal(got.PEM(), good) {
					t.Errorf("read key %s, want %s", got.ID(), public.ID())
				}
				return
			}
			wantFault(t, err, fault.Usage, nil, "island.pub: ", test.wantErr)
			if got.ID() != "" {
				t.Error("an error came with a key")
			}
		})
	}
}

func TestNewPublicKeyRefusesWhatIsNoKey(t *testing.T) {
	t.Parallel()
	for name, key := range map[string]*ecdsa.PublicKey{
		"nil":      nil,
		"no curve": {},
	} {
		if got, err := signature.NewPublicKey(key); err == nil {
			t.Errorf("%s: accepted as %s", name, got.ID())
		}
	}
}

func TestZeroPublicKey(t *testing.T) {
	t.Parallel()
	var zero signature.PublicKey
	if zero.ID() != "" || zero.PEM() != nil {
		t.Errorf("zero key has id %q and PEM %q", zero.ID(), zero.PEM())
	}
}

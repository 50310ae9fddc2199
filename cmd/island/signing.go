package main

import (
	"context"
	"crypto"
	"crypto/sha256"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle"
	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/bundle/trust/keyfile"
	"github.com/islandbundle/island/bundle/trust/signature"
)

// signingFlags say with which key something is signed.
type signingFlags struct {
	key            string
	passphraseFile string
}

func (f *signingFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.key, "key", "", "private key to sign with: cosign's encrypted PEM, or PKCS#8 PEM")
	cmd.Flags().StringVar(&f.passphraseFile, "passphrase-file", "",
		"file that holds the key's passphrase (else COSIGN_PASSWORD, else the terminal)")
}

// namedSigner is a signer and the id of its key.
type namedSigner struct {
	bundle.Signer
	ID string
}

// signer reads the key that signs. It is asked for its passphrase, if it has one
// that neither a file nor the environment gives.
func (f *signingFlags) signer(ctx context.Context) (namedSigner, error) {
	return f.readSigner(ctx, "", f.key)
}

func (f *signingFlags) readSigner(ctx context.Context, name, file string) (namedSigner, error) {
	data, err := readDocument(file, signature.MaxKeyFileSize, aPrivateKey)
	if err != nil {
		return namedSigner{}, err
	}
	key, err := keyfile.ParsePrivateKey(file, data, func() ([]byte, error) {
		return keyfile.Passphrase{File: f.passphraseFile}.Existing(ctx)
	})
	if err != nil {
		return namedSigner{}, err
	}
	id, err := keyID(key)
	return namedSigner{Signer: bundle.Signer{Name: name, Key: key}, ID: id}, err
}

func keyID(key crypto.Signer) (string, error) {
	public, err := signature.NewPublicKey(key.Public())
	return public.ID(), err
}

// signPlan puts all signatures on a plan.
func signPlan(plan *bundle.Plan, signers []namedSigner) error {
	for _, signer := range signers {
		if err := plan.Sign(signer.Signer); err != nil {
			return err
		}
	}
	return nil
}

// signBeside writes the signature of a file beside it, and gives its name.
func signBeside(name string, data []byte, signer namedSigner) (string, error) {
	signed, err := signature.Sign(signer.Key, sha256.Sum256(data))
	if err != nil {
		return "", err
	}
	out := name + resolve.SignatureSuffix
	return out, writeWhole(out, signed, 0o644)
}

package main

import (
	"crypto/sha256"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/islandbundle/island/bundle/resolve"
	"github.com/islandbundle/island/bundle/trust/signature"
	"github.com/islandbundle/island/manifests"
)

func (a *app) sign() *cobra.Command {
	var f buildFlags
	cmd := &cobra.Command{
		Use:   "sign DOCUMENT",
		Short: "Sign a release, overlay or patch document",
		Long: `Sign a document, and write the signature beside it as DOCUMENT.sigstore.json, in
Sigstore's bundle format: "cosign verify-blob --bundle" reads it. A policy can
demand such signatures (docs/patches.md): then a document that is not signed, or
by another key, is never resolved. Bundles are signed by island build.` + exitStatus(),
		Example: `  island sign WIRE-2026-001.yaml --key island.key
  island resolve -f release.yaml -p WIRE-2026-001.yaml --require-signed --doc-key island.pub`,
		Args: oneArg("a document"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.key == "" {
				return usage("make one with island keygen", "no --key to sign with")
			}
			signer, err := f.readSigner(cmd.Context(), "", f.key)
			if err != nil {
				return err
			}
			return a.runSign(args[0], signer)
		},
	}
	cmd.Flags().StringVar(&f.key, "key", "", "private key to sign with: cosign's encrypted PEM, or PKCS#8 PEM")
	cmd.Flags().StringVar(&f.passphraseFile, "passphrase-file", "", "file that holds the key's passphrase (else COSIGN_PASSWORD, else the terminal)")
	return cmd
}

type signResult struct {
	Document  string           `json:"document"`
	Signature string           `json:"signature"`
	Digest    manifests.Digest `json:"digest"`
	KeyID     string           `json:"keyID"`
}

func (r signResult) text(w io.Writer) {
	fmt.Fprintf(w, "document   %s  (%s)\nsignature  %s\nsigned     by key %s\n", r.Document, r.Digest, r.Signature, r.KeyID)
}

func (a *app) runSign(name string, signer namedSigner) error {
	data, err := manifests.ReadFile(name)
	if err != nil {
		return err
	}
	out, err := signBeside(name, data, signer)
	if err != nil {
		return err
	}
	return a.print(signResult{Document: name, Signature: out, Digest: manifests.DigestOf(data), KeyID: signer.ID})
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
